//! INSERT, UPDATE, DELETE and DROP.

use super::super::ast::{Assignment, Cte, Expr, InsertFrom, Operator, Query, Target, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::host::Command;

impl Parser {
    pub(super) fn target(&mut self) -> Parsed<Target> {
        if *self.kind() == Kind::Variable {
            return self.variable().map(Target::Variable);
        }
        let line = self.line();
        let target = Target::Named(self.name()?, line);
        if self.peek("WITH") && self.ahead_symbol(1, "(") {
            self.hints()?;
        }
        Ok(target)
    }

    pub(super) fn refuse_output(&self) -> Parsed<()> {
        if self.peek("OUTPUT") { Err(self.refused("the OUTPUT clause")) } else { Ok(()) }
    }

    pub(super) fn insert(&mut self, ctes: Vec<Cte>) -> Parsed<What> {
        if self.peek("TOP") {
            return Err(self.refused("INSERT TOP"));
        }
        if self.peek("BULK") {
            return Err(self.refused("INSERT BULK (bulk load)"));
        }
        self.accept("INTO");
        let target = self.target()?;
        let columns =
            if self.peek_symbol("(") && !self.at_query() { self.list(Self::identifier)? } else { Vec::new() };
        self.refuse_output()?;
        let from = if self.accept("VALUES") {
            let rows = self.commas(|p| {
                p.list(|p| {
                    if p.peek("DEFAULT") {
                        return Err(p.refused("DEFAULT in VALUES"));
                    }
                    p.value()
                })
            })?;
            if rows.len() > 1000 {
                return Err(self.fail(
                    10738,
                    "The number of row value expressions in the INSERT statement exceeds the maximum allowed number of 1000 row values.",
                ));
            }
            InsertFrom::Values(rows)
        } else if self.accept_all(&["DEFAULT", "VALUES"]) {
            InsertFrom::Defaults
        } else if self.one_of(&["EXEC", "EXECUTE"]).is_some() {
            InsertFrom::Execute(Box::new(self.execute()?))
        } else {
            let query: Query = if ctes.is_empty() { self.query()? } else { self.query_after(ctes)? };
            self.option_clause()?;
            InsertFrom::Query(Box::new(query))
        };
        Ok(What::Insert { target, columns, from })
    }

    pub(super) fn update(&mut self) -> Parsed<What> {
        if self.peek("STATISTICS") {
            return Err(self.refused("UPDATE STATISTICS"));
        }
        let top = self.top(false)?;
        let target = self.target()?;
        self.expect("SET")?;
        let set = self.commas(Self::assignment)?;
        self.refuse_output()?;
        let from = if self.accept("FROM") { Some(self.from()?) } else { None };
        let filter = self.where_clause()?;
        Ok(What::Update { target, top, set, from, filter })
    }

    pub(super) fn assignment(&mut self) -> Parsed<Assignment> {
        let mut assignment = Assignment { column: None, variable: None, operator: None, value: Expr::Null };
        if *self.kind() == Kind::Variable {
            assignment.variable = Some(self.variable()?);
            if self.peek_symbol("=") && (self.name_at(1) && self.ahead_symbol(2, "=")) {
                return Err(self.refused("@x = column = value in UPDATE"));
            }
        } else {
            assignment.column = Some(self.name()?);
            if self.peek_symbol("(") {
                return Err(self.refused("methods in UPDATE"));
            }
        }
        assignment.operator = self.assign_operator()?;
        if self.peek("DEFAULT") {
            return Err(self.refused("DEFAULT in UPDATE"));
        }
        assignment.value = self.value()?;
        Ok(assignment)
    }

    /// `=` or `+=` and its kin.
    pub(super) fn assign_operator(&mut self) -> Parsed<Option<Operator>> {
        let operator = match self.kind() {
            Kind::Symbol("=") => None,
            Kind::Symbol("+=") => Some(Operator::Add),
            Kind::Symbol("-=") => Some(Operator::Subtract),
            Kind::Symbol("*=") => Some(Operator::Multiply),
            Kind::Symbol("/=") => Some(Operator::Divide),
            Kind::Symbol("%=") => Some(Operator::Modulo),
            Kind::Symbol("&=") => Some(Operator::BitAnd),
            Kind::Symbol("|=") => Some(Operator::BitOr),
            Kind::Symbol("^=") => Some(Operator::BitXor),
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(operator)
    }

    pub(super) fn delete(&mut self) -> Parsed<What> {
        let top = self.top(false)?;
        self.accept("FROM");
        let target = self.target()?;
        self.refuse_output()?;
        let from = if self.accept("FROM") { Some(self.from()?) } else { None };
        let filter = self.where_clause()?;
        Ok(What::Delete { target, top, from, filter })
    }

    pub(super) fn where_clause(&mut self) -> Parsed<Option<Expr>> {
        if !self.accept("WHERE") {
            return Ok(None);
        }
        if self.peek_all(&["CURRENT", "OF"]) {
            return Err(self.refused("cursors"));
        }
        let filter = self.condition()?;
        self.option_clause()?;
        Ok(Some(filter))
    }

    pub(super) fn drop(&mut self) -> Parsed<What> {
        match self.token().text.to_ascii_uppercase().as_str() {
            "TABLE" => {
                self.advance();
                let if_exists = self.if_exists()?;
                Ok(What::DropTable { names: self.commas(Self::name)?, if_exists })
            }
            "DATABASE" => {
                self.advance();
                self.drop_database()
            }
            _ if *self.kind() == Kind::Word => Err(self.refused(format!("DROP {}", self.token().text))),
            _ => Err(self.unexpected()),
        }
    }

    pub(super) fn if_exists(&mut self) -> Parsed<bool> {
        if !self.peek("IF") {
            return Ok(false);
        }
        if self.version < 13 {
            return Err(self.unexpected());
        }
        self.advance();
        self.expect("EXISTS")?;
        Ok(true)
    }
}
