//! What stands in FROM.

use super::super::ast::{Expr, Hint, Join, JsonColumn, Source};
use super::super::lexer::Kind;
use super::{CHAIN, Parsed, Parser};

impl Parser {
    /// The whole FROM clause.
    pub(super) fn from(&mut self) -> Parsed<Source> {
        let mut left = self.joined()?;
        let mut length = 0;
        while self.accept_symbol(",") {
            let right = self.joined()?;
            left = Source::Join { how: Join::Cross, left: Box::new(left), right: Box::new(right), on: None };
            length += 1;
            if length > CHAIN {
                return Err(self.too_deep());
            }
        }
        Ok(left)
    }

    pub(super) fn joined(&mut self) -> Parsed<Source> {
        let mut left = self.source()?;
        let mut length = 0;
        loop {
            length += 1;
            if length > CHAIN {
                return Err(self.too_deep());
            }
            if self.accept_all(&["CROSS", "APPLY"]) || self.peek_all(&["OUTER", "APPLY"]) {
                let outer = self.accept_all(&["OUTER", "APPLY"]);
                let right = self.source()?;
                left = Source::Apply { outer, left: Box::new(left), right: Box::new(right) };
                continue;
            }
            if self.accept_all(&["CROSS", "JOIN"]) {
                let right = self.source()?;
                left =
                    Source::Join { how: Join::Cross, left: Box::new(left), right: Box::new(right), on: None };
                continue;
            }
            let Some(how) = self.join_word()? else { return Ok(left) };
            // a JOIN b JOIN c ON … ON …: the right side may be a join of its own
            let right = self.nested(Self::join_right)?;
            self.expect("ON")?;
            let on = Some(self.condition()?);
            left = Source::Join { how, left: Box::new(left), right: Box::new(right), on };
        }
    }

    pub(super) fn join_right(&mut self) -> Parsed<Source> {
        let mut right = self.source()?;
        while !self.peek("ON") {
            let Some(how) = self.join_word()? else { break };
            let inner = self.nested(Self::join_right)?;
            self.expect("ON")?;
            let on = Some(self.condition()?);
            right = Source::Join { how, left: Box::new(right), right: Box::new(inner), on };
        }
        Ok(right)
    }

    pub(super) fn join_word(&mut self) -> Parsed<Option<Join>> {
        let how = if self.accept("JOIN") {
            return Ok(Some(Join::Inner));
        } else if self.accept("INNER") {
            Join::Inner
        } else if self.peek("LEFT") || self.peek("RIGHT") || self.peek("FULL") {
            let word = self.token().text.to_ascii_uppercase();
            self.advance();
            self.accept("OUTER");
            match word.as_str() {
                "LEFT" => Join::Left,
                "RIGHT" => Join::Right,
                _ => Join::Full,
            }
        } else {
            return Ok(None);
        };
        // a hint changes how, never what
        self.one_of(&["LOOP", "HASH", "MERGE", "REMOTE"]);
        self.expect("JOIN")?;
        Ok(Some(how))
    }

    pub(super) fn source(&mut self) -> Parsed<Source> {
        let source = self.plain_source()?;
        self.pivoted(source)
    }

    /// `('path') AS t(c)`
    fn nodes(&mut self, value: Expr) -> Parsed<Source> {
        self.expect_symbol("(")?;
        let Kind::Text { .. } = self.kind() else { return Err(self.unexpected()) };
        let path = self.token().text.clone();
        self.advance();
        self.expect_symbol(")")?;
        let alias = self.table_alias()?.ok_or_else(|| self.unexpected())?;
        let mut columns = self.alias_columns()?;
        let (Some(column), true) = (columns.pop(), columns.is_empty()) else { return Err(self.unexpected()) };
        Ok(Source::Nodes { value: Box::new(value), path, alias, column })
    }

    fn open_query(&mut self) -> Parsed<Source> {
        let line = self.line();
        self.at += 2;
        let server = self.identifier()?;
        self.expect_symbol(",")?;
        let Kind::Text { .. } = self.kind() else { return Err(self.unexpected()) };
        let text = self.token().text.clone();
        self.advance();
        self.expect_symbol(")")?;
        let alias = self.table_alias()?;
        let columns = if alias.is_some() { self.alias_columns()? } else { Vec::new() };
        Ok(Source::Remote { server, text, alias, columns, line })
    }

    fn open_json(&mut self) -> Parsed<Source> {
        self.at += 2;
        let text = self.value()?;
        let path = if self.accept_symbol(",") { Some(self.value()?) } else { None };
        self.expect_symbol(")")?;
        let mut schema = Vec::new();
        if self.peek("WITH") && self.ahead_symbol(1, "(") {
            self.advance();
            schema = self.list(|p| {
                let name = p.identifier()?;
                let kind = p.type_name(1)?;
                let path = if let Kind::Text { .. } = p.kind() {
                    let text = p.token().text.clone();
                    p.advance();
                    text
                } else {
                    format!("$.\"{name}\"")
                };
                let json = p.accept_all(&["AS", "JSON"]);
                Ok(JsonColumn { name, kind, path, json })
            })?;
        }
        let alias = self.table_alias()?;
        let columns = if alias.is_some() { self.alias_columns()? } else { Vec::new() };
        Ok(Source::OpenJson { text, path, schema, alias, columns })
    }

    fn plain_source(&mut self) -> Parsed<Source> {
        if *self.kind() == Kind::Variable {
            let name = self.variable()?;
            if self.peek_symbol(".") && self.ahead(1).text == "nodes" {
                self.at += 2;
                return self.nodes(Expr::Variable(name));
            }
            let alias = self.table_alias()?;
            self.hints()?;
            return Ok(Source::Variable { name, alias });
        }
        if self.peek_symbol("(") {
            if self.ahead(1).is("VALUES") {
                return self.values();
            }
            if self.at_query() {
                self.advance();
                let query = Box::new(self.nested(Self::query)?);
                self.expect_symbol(")")?;
                let alias = self.table_alias()?.ok_or_else(|| self.unexpected())?;
                let columns = self.alias_columns()?;
                return Ok(Source::Derived { query, alias, columns });
            }
            self.advance();
            let inner = self.nested(Self::joined)?;
            if !matches!(inner, Source::Join { .. } | Source::Apply { .. }) {
                return Err(self.unexpected());
            }
            self.expect_symbol(")")?;
            return Ok(inner);
        }
        if self.peek("OPENQUERY") && self.ahead_symbol(1, "(") {
            return self.open_query();
        }
        if self.version >= 13 && self.peek("OPENJSON") && self.ahead_symbol(1, "(") {
            return self.open_json();
        }
        for word in ["OPENROWSET", "OPENDATASOURCE", "OPENXML", "CONTAINSTABLE", "FREETEXTTABLE"] {
            if self.peek(word) {
                return Err(self.refused(word));
            }
        }
        if self.peek_symbol("::") {
            return Err(self.refused("system functions with ::"));
        }
        let line = self.line();
        let mut name = self.name()?;
        if self.peek_symbol("(") && name.len() > 1 && name.last().is_some_and(|n| n == "nodes") {
            name.pop();
            return self.nodes(Expr::Column(name, line));
        }
        if self.peek_symbol("(") && !self.old_hint() {
            self.advance();
            let arguments = if self.peek_symbol(")") {
                Vec::new()
            } else {
                self.nested(|p| p.commas(|p| if p.accept("DEFAULT") { Ok(Expr::Null) } else { p.value() }))?
            };
            self.expect_symbol(")")?;
            if self.peek("WITH") && self.ahead_symbol(1, "(") {
                return Err(self.refused("WITH behind a function"));
            }
            let alias = self.table_alias()?;
            let columns = if alias.is_some() { self.alias_columns()? } else { Vec::new() };
            return Ok(Source::Function { name, arguments, alias, columns, line });
        }
        if self.peek_all(&["FOR", "SYSTEM_TIME"]) {
            return Err(self.refused("temporal tables"));
        }
        let before = self.hints()?;
        let alias = self.table_alias()?;
        let behind = self.hints()?;
        let hint = Hint { lock: before.lock.max(behind.lock), at_once: before.at_once || behind.at_once };
        if self.peek("TABLESAMPLE") {
            return Err(self.refused("TABLESAMPLE"));
        }
        Ok(Source::Table { name, alias, line, hint })
    }

    pub(super) fn values(&mut self) -> Parsed<Source> {
        self.advance();
        self.expect("VALUES")?;
        let rows = self.nested(|p| p.commas(|p| p.list(Self::value)))?;
        self.expect_symbol(")")?;
        let alias = self.table_alias()?.ok_or_else(|| self.unexpected())?;
        let columns = self.alias_columns()?;
        if columns.is_empty() {
            return Err(self.unexpected());
        }
        Ok(Source::Values { rows, alias, columns })
    }

    pub(super) fn alias_columns(&mut self) -> Parsed<Vec<String>> {
        if self.peek_symbol("(") { self.list(Self::identifier) } else { Ok(Vec::new()) }
    }

    pub(super) fn table_alias(&mut self) -> Parsed<Option<String>> {
        if self.accept("AS") {
            return self.identifier().map(Some);
        }
        if self.peek_name() && !self.starts_statement() {
            // APPLY follows only CROSS and OUTER, both reserved or looked for first
            return self.identifier().map(Some);
        }
        Ok(None)
    }
}
