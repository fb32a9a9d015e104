//! INSERT, UPDATE, DELETE and DROP.

use super::super::ast::{
    Assignment, Cte, Delete, Expr, Insert, InsertFrom, Item, Merge, MergeClause, MergeThen, MergeWhen,
    Operator, Output, Query, Target, Update, What,
};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::answer::Message;
use crate::sandbox::host::ModuleKind;

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

    /// `OUTPUT items [INTO target [(columns)]]`
    fn output(&mut self) -> Parsed<Option<Output>> {
        if !self.accept("OUTPUT") {
            return Ok(None);
        }
        let items = self.commas(Self::item)?;
        if items.iter().any(|i| matches!(i, Item::Assign { .. })) {
            return Err(self.unexpected());
        }
        let into = if self.accept("INTO") {
            let target = self.target()?;
            let columns = if self.peek_symbol("(") { self.list(Self::identifier)? } else { Vec::new() };
            Some((target, columns))
        } else {
            None
        };
        if self.peek("OUTPUT") {
            return Err(self.refused("two OUTPUT clauses"));
        }
        Ok(Some(Output { items, into }))
    }

    /// A value of VALUES or SET; `None` = DEFAULT.
    fn value_or_default(&mut self) -> Parsed<Option<Expr>> {
        if self.accept("DEFAULT") { Ok(None) } else { self.value().map(Some) }
    }

    pub(super) fn insert(&mut self, ctes: Vec<Cte>) -> Parsed<What> {
        let top = self.top(false)?;
        if self.peek("BULK") {
            return Err(self.refused("BULK INSERT"));
        }
        self.accept("INTO");
        let target = self.target()?;
        let columns =
            if self.peek_symbol("(") && !self.at_query() { self.list(Self::identifier)? } else { Vec::new() };
        let output = self.output()?;
        let from = if self.accept("VALUES") {
            let rows = self.commas(|p| p.list(Self::value_or_default))?;
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
            let mut query: Query = if ctes.is_empty() { self.query()? } else { self.query_after(ctes)? };
            query.recursion = self.option_clause()?;
            if query.shape.is_some() {
                return Err(Message {
                    class: 16,
                    ..self
                        .fail(6819, "The FOR XML and FOR JSON clauses are not allowed in a INSERT statement.")
                });
            }
            InsertFrom::Query(Box::new(query))
        };
        Ok(What::Insert(Box::new(Insert { target, top, columns, output, from })))
    }

    pub(super) fn update(&mut self, ctes: Vec<Cte>) -> Parsed<What> {
        if self.peek("STATISTICS") {
            return Err(self.refused("UPDATE STATISTICS"));
        }
        let top = self.top(false)?;
        let target = self.target()?;
        self.expect("SET")?;
        let set = self.commas(Self::assignment)?;
        let output = self.output()?;
        let from = if self.accept("FROM") { Some(self.from()?) } else { None };
        let filter = self.where_clause()?;
        Ok(What::Update(Box::new(Update { ctes, target, top, set, output, from, filter })))
    }

    pub(super) fn assignment(&mut self) -> Parsed<Assignment> {
        let mut assignment = Assignment { column: None, variable: None, operator: None, value: None };
        if *self.kind() == Kind::Variable {
            assignment.variable = Some(self.variable()?);
            if self.peek_symbol("=") && (self.name_at(1) && self.ahead_symbol(2, "=")) {
                self.advance();
                assignment.column = Some(self.name()?);
            }
        } else {
            assignment.column = Some(self.name()?);
            if self.peek_symbol("(") {
                // x.modify('…'), c.WRITE(…)
                return Err(self.refused("methods in UPDATE"));
            }
        }
        assignment.operator = self.assign_operator()?;
        assignment.value = self.value_or_default()?;
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

    pub(super) fn delete(&mut self, ctes: Vec<Cte>) -> Parsed<What> {
        let top = self.top(false)?;
        self.accept("FROM");
        let target = self.target()?;
        let output = self.output()?;
        let from = if self.accept("FROM") { Some(self.from()?) } else { None };
        let filter = self.where_clause()?;
        Ok(What::Delete(Box::new(Delete { ctes, target, top, output, from, filter })))
    }

    pub(super) fn where_clause(&mut self) -> Parsed<Option<Expr>> {
        if !self.accept("WHERE") {
            self.option_clause()?;
            return Ok(None);
        }
        if self.peek_all(&["CURRENT", "OF"]) {
            return Err(self.refused("WHERE CURRENT OF"));
        }
        let filter = self.condition()?;
        self.option_clause()?;
        Ok(Some(filter))
    }

    /// Stands behind MERGE.
    pub(super) fn merge(&mut self, ctes: Vec<Cte>) -> Parsed<What> {
        if self.peek("TOP") {
            return Err(self.refused("MERGE TOP"));
        }
        self.accept("INTO");
        let target = self.target()?;
        let alias = if self.peek("USING") { None } else { self.table_alias()? };
        self.expect("USING")?;
        let source = self.joined()?;
        self.expect("ON")?;
        let on = self.condition()?;
        let mut clauses = Vec::new();
        while self.accept("WHEN") {
            let when = if self.accept("MATCHED") {
                MergeWhen::Matched
            } else {
                self.expect("NOT")?;
                self.expect("MATCHED")?;
                if self.accept("BY") {
                    match self.one_of(&["TARGET", "SOURCE"]) {
                        Some("SOURCE") => MergeWhen::NotMatchedBySource,
                        Some(_) => MergeWhen::NotMatched,
                        None => return Err(self.unexpected()),
                    }
                } else {
                    MergeWhen::NotMatched
                }
            };
            let condition = if self.accept("AND") { Some(self.condition()?) } else { None };
            self.expect("THEN")?;
            let then = self.merge_then(when)?;
            clauses.push(MergeClause { when, condition, then });
        }
        if clauses.is_empty() {
            return Err(self.unexpected());
        }
        let output = self.output()?;
        self.option_clause()?;
        if !self.peek_symbol(";") {
            return Err(self.fail(10713, "A MERGE statement must be terminated by a semi-colon (;)."));
        }
        Ok(What::Merge(Box::new(Merge { ctes, target, alias, source, on, clauses, output })))
    }

    fn merge_then(&mut self, when: MergeWhen) -> Parsed<MergeThen> {
        if when == MergeWhen::NotMatched {
            if self.peek("UPDATE") || self.peek("DELETE") {
                let word = self.token().text.to_ascii_uppercase();
                let text = format!(
                    "An action of type '{word}' is not allowed in the 'WHEN NOT MATCHED' clause of a MERGE statement."
                );
                return Err(self.fail(10711, text));
            }
            self.expect("INSERT")?;
            let columns = if self.peek_symbol("(") { self.list(Self::identifier)? } else { Vec::new() };
            if self.accept_all(&["DEFAULT", "VALUES"]) {
                return Ok(MergeThen::Insert(columns, None));
            }
            self.expect("VALUES")?;
            return Ok(MergeThen::Insert(columns, Some(self.list(Self::value_or_default)?)));
        }
        match self.one_of(&["UPDATE", "DELETE"]) {
            Some("UPDATE") => {
                self.expect("SET")?;
                Ok(MergeThen::Update(self.commas(Self::assignment)?))
            }
            Some(_) => Ok(MergeThen::Delete),
            None if self.peek("INSERT") => {
                let text = "An action of type 'INSERT' is not allowed in the 'WHEN MATCHED' clause of a MERGE statement.";
                Err(self.fail(10711, text))
            }
            None => Err(self.unexpected()),
        }
    }

    pub(super) fn drop(&mut self) -> Parsed<What> {
        match self.token().text.to_ascii_uppercase().as_str() {
            "TABLE" => {
                self.advance();
                let if_exists = self.if_exists()?;
                Ok(What::DropTable { names: self.commas(Self::name)?, if_exists })
            }
            "VIEW" | "PROC" | "PROCEDURE" => {
                let kind = if self.peek("VIEW") { ModuleKind::View } else { ModuleKind::Procedure };
                self.advance();
                let if_exists = self.if_exists()?;
                Ok(What::DropModules { kind, names: self.commas(Self::name)?, if_exists })
            }
            "INDEX" => {
                self.advance();
                let if_exists = self.if_exists()?;
                let name = self.identifier()?;
                if self.accept("ON") {
                    let table = self.name()?;
                    return Ok(What::DropIndex { name, table, if_exists });
                }
                Err(self.refused("DROP INDEX table.index"))
            }
            "DATABASE" => {
                self.advance();
                self.drop_database()
            }
            "LOGIN" => {
                self.advance();
                self.drop_login()
            }
            "USER" => {
                self.advance();
                self.drop_user()
            }
            "AVAILABILITY" => {
                self.advance();
                self.drop_availability_group()
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
