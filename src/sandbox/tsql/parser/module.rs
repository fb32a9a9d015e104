//! CREATE and ALTER of views and procedures: the rest of the batch is theirs.

use super::super::ast::{Creation, ModuleBody, ModuleParameter, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};

impl Parser {
    /// Stands on VIEW or PROCEDURE.
    pub(super) fn module(&mut self, how: Creation) -> Parsed<What> {
        let first = match how {
            Creation::Either => self.at == 3,
            _ => self.at == 1,
        };
        let before = self.at;
        let word = self.one_of(&["VIEW", "PROC", "PROCEDURE"]).ok_or_else(|| {
            self.refused(format!("CREATE OR ALTER {}", self.token().text.to_ascii_uppercase()))
        })?;
        let leading = self.tokens[..before].iter().all(|t| t.kind == Kind::Word) && first;
        if !leading {
            let shown = if word == "VIEW" { "VIEW" } else { "PROCEDURE" };
            let verb = if how == Creation::Alter { "ALTER" } else { "CREATE" };
            let what =
                if word == "VIEW" { format!("{verb} {shown}") } else { format!("CREATE/ALTER {shown}") };
            return Err(self.fail(111, format!("'{what}' must be the first statement in a query batch.")));
        }
        let name = self.name()?;
        let module = if word == "VIEW" { self.view()? } else { self.procedure_body()? };
        Ok(What::CreateModule { name, how, module: Box::new(module) })
    }

    fn view(&mut self) -> Parsed<ModuleBody> {
        let columns = if self.peek_symbol("(") { self.list(Self::identifier)? } else { Vec::new() };
        if self.accept("WITH") {
            self.commas(|p| {
                p.one_of(&["SCHEMABINDING", "VIEW_METADATA"]).ok_or_else(|| {
                    if p.peek("ENCRYPTION") { p.refused("WITH ENCRYPTION") } else { p.unexpected() }
                })
            })?;
        }
        self.expect("AS")?;
        let query = Box::new(self.query()?);
        self.accept_all(&["WITH", "CHECK", "OPTION"]);
        self.accept_symbol(";");
        if *self.kind() != Kind::End {
            return Err(self.unexpected());
        }
        Ok(ModuleBody::View { columns, query })
    }

    fn procedure_body(&mut self) -> Parsed<ModuleBody> {
        if self.peek_symbol(";") {
            return Err(self.refused("numbered procedures"));
        }
        let bracket = self.accept_symbol("(");
        let mut parameters = Vec::new();
        if *self.kind() == Kind::Variable {
            parameters = self.commas(|p| {
                let name = p.variable()?;
                p.accept("AS");
                if p.peek("CURSOR") {
                    return Err(p.refused("cursor parameters"));
                }
                let kind = p.type_name(1)?;
                p.accept_all(&["NOT", "NULL"]);
                p.accept("NULL");
                let default = if p.accept_symbol("=") {
                    let minus = p.accept_symbol("-");
                    let value = if p.peek_name() {
                        let text = p.identifier()?;
                        let kind = crate::sandbox::value::Type::SYSNAME;
                        super::super::ast::Expr::Literal(crate::sandbox::value::Value::Text(text), kind)
                    } else {
                        p.constant()?
                    };
                    Some(if minus { super::super::ast::Expr::Negate(Box::new(value)) } else { value })
                } else {
                    None
                };
                let output = p.one_of(&["OUTPUT", "OUT"]).is_some();
                if p.peek("READONLY") {
                    return Err(p.refused("table-valued parameters"));
                }
                Ok(ModuleParameter { name, kind, default, output })
            })?;
        }
        if bracket {
            self.expect_symbol(")")?;
        }
        if self.accept("WITH") {
            self.commas(|p| {
                p.one_of(&["RECOMPILE"]).ok_or_else(|| {
                    if p.peek("ENCRYPTION")
                        || p.peek("EXECUTE")
                        || p.peek("EXEC")
                        || p.peek("NATIVE_COMPILATION")
                    {
                        p.refused(format!("procedures WITH {}", p.token().text))
                    } else {
                        p.unexpected()
                    }
                })
            })?;
        }
        if self.peek_all(&["FOR", "REPLICATION"]) {
            return Err(self.refused("procedures FOR REPLICATION"));
        }
        self.expect("AS")?;
        if self.peek("EXTERNAL") {
            return Err(self.refused("CLR procedures"));
        }
        let body = self.statements(&[])?;
        if *self.kind() != Kind::End || body.is_empty() {
            return Err(self.unexpected());
        }
        Ok(ModuleBody::Procedure { parameters, body })
    }
}
