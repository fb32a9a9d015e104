//! EXECUTE, and the parameter declarations of `sp_executesql`.

use super::super::ast::{Argument, Execute, Executed, Expr};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::value::{Type, Value};

impl Parser {
    /// Stands behind EXEC.
    pub(super) fn execute(&mut self) -> Parsed<Execute> {
        if self.accept_symbol("(") {
            let text = self.executed_text()?;
            if self.peek_symbol(",") {
                return Err(self.refused("EXEC (…) with arguments"));
            }
            self.expect_symbol(")")?;
            if self.peek("AS") && (self.ahead(1).is("USER") || self.ahead(1).is("LOGIN")) {
                return Err(self.refused("EXEC … AS USER or LOGIN"));
            }
            if self.peek("AT") {
                return Err(self.refused("EXEC … AT a linked server"));
            }
            return Ok(Execute { status: None, what: Executed::Text(text) });
        }
        if self.peek("AS") {
            return Err(self.refused("EXECUTE AS"));
        }
        let mut status = None;
        if *self.kind() == Kind::Variable && self.ahead_symbol(1, "=") {
            status = Some(self.variable()?);
            self.advance();
        }
        let what = if *self.kind() == Kind::Variable {
            let variable = self.variable()?;
            Executed::Named { variable, arguments: self.arguments()? }
        } else {
            let name = self.name()?;
            if self.peek_symbol(";") && self.ahead(1).kind == Kind::Integer {
                return Err(self.refused("numbered procedures"));
            }
            Executed::Procedure { name, arguments: self.arguments()? }
        };
        if self.peek_all(&["WITH", "RECOMPILE"]) {
            self.at += 2;
        } else if self.peek_all(&["WITH", "RESULT"]) {
            return Err(self.refused("EXEC … WITH RESULT SETS"));
        }
        Ok(Execute { status, what })
    }

    /// Texts and variables put together, nothing else.
    fn executed_text(&mut self) -> Parsed<Expr> {
        let mut text: Option<Expr> = None;
        let mut length = 0;
        loop {
            if !matches!(self.kind(), Kind::Text { .. } | Kind::Variable | Kind::Global) {
                return Err(self.unexpected());
            }
            let next = self.constant()?;
            text = Some(match text {
                None => next,
                Some(before) => {
                    let add = super::super::ast::Operator::Add;
                    Expr::Binary(add, Box::new(before), Box::new(next))
                }
            });
            length += 1;
            if length > super::HEIGHT {
                return Err(self.too_deep());
            }
            if !self.accept_symbol("+") {
                break;
            }
        }
        text.ok_or_else(|| self.unexpected())
    }

    fn arguments(&mut self) -> Parsed<Vec<Argument>> {
        if !self.at_argument() {
            return Ok(Vec::new());
        }
        let mut named = false;
        self.commas(|p| {
            let argument = p.argument()?;
            if named && argument.name.is_none() {
                return Err(p.fail(
                    119,
                    "Must pass parameter number 2 and subsequent parameters as '@name = value'. After the form '@name = value' has been used, all subsequent parameters must be passed in the form '@name = value'.",
                ));
            }
            named = argument.name.is_some();
            Ok(argument)
        })
    }

    fn at_argument(&self) -> bool {
        match self.kind() {
            Kind::Variable
            | Kind::Global
            | Kind::Text { .. }
            | Kind::Integer
            | Kind::Decimal
            | Kind::Float
            | Kind::Binary(_)
            | Kind::Quoted
            | Kind::Symbol("-") => true,
            Kind::Word => {
                self.peek("NULL") || self.peek("DEFAULT") || self.peek_name() && !self.at_statement()
            }
            _ => false,
        }
    }

    /// Statements that begin with a word that is not reserved.
    fn at_statement(&self) -> bool {
        self.peek("THROW")
    }

    fn argument(&mut self) -> Parsed<Argument> {
        let mut name = None;
        if *self.kind() == Kind::Variable && self.ahead_symbol(1, "=") {
            name = Some(self.variable()?);
            self.advance();
        }
        if self.accept("DEFAULT") {
            return Ok(Argument { name, value: None, output: false });
        }
        // only constants and variables; a bare word is a text
        let minus = self.accept_symbol("-");
        let token = self.token().clone();
        let value = match token.kind {
            Kind::Word if !self.peek("NULL") && self.peek_name() => {
                self.advance();
                let size = u16::try_from(token.text.chars().count().max(1)).ok();
                Expr::Literal(Value::Text(token.text), Type::NVarChar(size))
            }
            Kind::Quoted => {
                self.advance();
                let size = u16::try_from(token.text.chars().count().max(1)).ok();
                Expr::Literal(Value::Text(token.text), Type::NVarChar(size))
            }
            Kind::Word if !self.peek("NULL") => return Err(self.unexpected()),
            Kind::Symbol(_) | Kind::End => return Err(self.unexpected()),
            _ => self.constant()?,
        };
        let value = if minus { Expr::Negate(Box::new(value)) } else { value };
        let output = self.one_of(&["OUTPUT", "OUT"]).is_some();
        if output && !matches!(value, Expr::Variable(_)) {
            return Err(
                self.fail(179, "Cannot use the OUTPUT option when passing a constant to a stored procedure.")
            );
        }
        Ok(Argument { name, value: Some(value), output })
    }

    /// One literal, variable or NULL; no operators.
    pub(super) fn constant(&mut self) -> Parsed<Expr> {
        let before = self.at;
        let token = self.token().clone();
        match token.kind {
            Kind::Variable => {
                self.advance();
                Ok(Expr::Variable(token.text))
            }
            Kind::Global => {
                self.advance();
                Ok(Expr::Global(token.text.to_ascii_uppercase()))
            }
            Kind::Text { .. } | Kind::Integer | Kind::Decimal | Kind::Float | Kind::Binary(_) => {
                self.literal()
            }
            Kind::Word if self.peek("NULL") => {
                self.advance();
                Ok(Expr::Null)
            }
            _ => {
                self.at = before;
                Err(self.unexpected())
            }
        }
    }

    /// `@a int, @b nvarchar(20) = NULL OUTPUT`
    pub(super) fn parameter_list(&mut self) -> Parsed<Vec<(String, Type, bool)>> {
        if *self.kind() == Kind::End {
            return Ok(Vec::new());
        }
        let list = self.commas(|p| {
            let name = p.variable()?;
            p.accept("AS");
            // drivers still declare long values as the types of old; they are held as what replaced them
            let old = p.one_of(&["TEXT", "NTEXT", "IMAGE"]);
            let kind = match old {
                Some("TEXT") => Type::VarChar(None),
                Some("NTEXT") => Type::NVarChar(None),
                Some(_) => Type::VarBinary(None),
                None => p.type_name(1)?,
            };
            if p.accept_symbol("=") {
                p.constant()?;
            }
            let output = p.one_of(&["OUTPUT", "OUT"]).is_some();
            p.accept("READONLY");
            Ok((name, kind, output))
        })?;
        if *self.kind() == Kind::End { Ok(list) } else { Err(self.unexpected()) }
    }
}
