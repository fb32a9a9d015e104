//! SELECT, what stands in FROM, and queries put together.

use super::super::ast::{Body, Cte, Item, Query, Select, SetOperator, Top};
use super::super::lexer::Kind;
use super::{CHAIN, Parsed, Parser, expression};

impl Parser {
    /// A query with its CTEs, set operators and ORDER BY.
    pub(super) fn query(&mut self) -> Parsed<Query> {
        let ctes = if self.accept("WITH") { self.commas(Self::cte)? } else { Vec::new() };
        self.query_after(ctes)
    }

    /// A query without a WITH of its own.
    pub(super) fn query_after(&mut self, ctes: Vec<Cte>) -> Parsed<Query> {
        let body = self.union()?;
        let mut query =
            Query { ctes, body, order: Vec::new(), offset: None, fetch: None, shape: None, recursion: None };
        if self.peek("ORDER") {
            query.order = self.order_by()?;
            if self.accept("OFFSET") {
                query.offset = Some(self.value()?);
                self.one_of(&["ROWS", "ROW"]).ok_or_else(|| self.unexpected())?;
                if self.accept("FETCH") {
                    self.one_of(&["NEXT", "FIRST"]).ok_or_else(|| self.unexpected())?;
                    query.fetch = Some(self.value()?);
                    self.one_of(&["ROWS", "ROW"]).ok_or_else(|| self.unexpected())?;
                    self.expect("ONLY")?;
                }
            }
        }
        if self.peek_all(&["FOR", "XML"]) {
            self.at += 2;
            query.shape = Some(self.for_xml()?);
        } else if self.version >= 13 && self.peek_all(&["FOR", "JSON"]) {
            self.at += 2;
            query.shape = Some(self.for_json()?);
        } else if self.accept_all(&["FOR", "BROWSE"]) {
            // only keeps a client's copy in step
        }
        Ok(query)
    }

    /// `WITH a AS (…), b AS (…)`; stands behind WITH.
    pub(super) fn ctes(&mut self) -> Parsed<Vec<Cte>> {
        self.commas(Self::cte)
    }

    fn cte(&mut self) -> Parsed<Cte> {
        let name = self.identifier()?;
        let columns = if self.peek_symbol("(") { self.list(Self::identifier)? } else { Vec::new() };
        self.expect("AS")?;
        self.expect_symbol("(")?;
        if self.peek("WITH") {
            return Err(self.unexpected());
        }
        let query = self.nested(Self::query)?;
        self.expect_symbol(")")?;
        Ok(Cte { name, columns, query })
    }

    fn union(&mut self) -> Parsed<Body> {
        let mut left = self.intersect()?;
        let mut length = 0;
        loop {
            let how = if self.accept("UNION") {
                if self.accept("ALL") { SetOperator::UnionAll } else { SetOperator::Union }
            } else if self.accept("EXCEPT") {
                SetOperator::Except
            } else {
                return Ok(left);
            };
            let right = self.intersect()?;
            left = Body::Set { how, left: Box::new(left), right: Box::new(right) };
            length += 1;
            if length > CHAIN {
                return Err(self.too_deep());
            }
        }
    }

    fn intersect(&mut self) -> Parsed<Body> {
        let mut left = self.term()?;
        let mut length = 0;
        while self.accept("INTERSECT") {
            let right = self.term()?;
            left = Body::Set { how: SetOperator::Intersect, left: Box::new(left), right: Box::new(right) };
            length += 1;
            if length > CHAIN {
                return Err(self.too_deep());
            }
        }
        Ok(left)
    }

    fn term(&mut self) -> Parsed<Body> {
        if self.accept_symbol("(") {
            let body = self.nested(Self::union)?;
            self.expect_symbol(")")?;
            return Ok(body);
        }
        Ok(Body::Select(Box::new(self.select()?)))
    }

    pub(super) fn select(&mut self) -> Parsed<Select> {
        self.expect("SELECT")?;
        let distinct = self.accept("DISTINCT");
        if !distinct {
            self.accept("ALL");
        }
        let top = self.top(true)?;
        let items = self.commas(Self::item)?;
        let into = if self.accept("INTO") { Some(self.name()?) } else { None };
        let from = if self.accept("FROM") { Some(self.from()?) } else { None };
        let filter = if self.accept("WHERE") { Some(self.condition()?) } else { None };
        let mut group = Vec::new();
        let mut sets = None;
        if self.accept("GROUP") {
            self.expect("BY")?;
            (group, sets) = self.group_by()?;
        }
        if self.peek("WINDOW") && self.ahead(2).is("AS") {
            return Err(self.refused("the WINDOW clause"));
        }
        let having = if self.accept("HAVING") { Some(self.condition()?) } else { None };
        Ok(Select { distinct, top, items, into, from, filter, group, sets, having })
    }

    /// `TOP (n)`; only SELECT takes it without parentheses and WITH TIES.
    pub(super) fn top(&mut self, select: bool) -> Parsed<Option<Top>> {
        if !self.accept("TOP") {
            return Ok(None);
        }
        let count = if self.accept_symbol("(") {
            let count = self.nested(Self::value)?;
            self.expect_symbol(")")?;
            count
        } else if select && matches!(self.kind(), Kind::Integer | Kind::Decimal) {
            // TOP 10 -x is TOP 10 of -x
            let token = self.token().clone();
            self.advance();
            expression::number(&token).ok_or_else(|| Self::near(&token))?
        } else {
            return Err(self.unexpected());
        };
        let percent = self.accept("PERCENT");
        let ties = self.accept_all(&["WITH", "TIES"]);
        Ok(Some(Top { count, percent, ties }))
    }

    pub(super) fn item(&mut self) -> Parsed<Item> {
        if self.accept_symbol("*") {
            return Ok(Item::Star(Vec::new()));
        }
        if *self.kind() == Kind::Variable && self.ahead_symbol(1, "=") {
            let variable = self.variable()?;
            self.advance();
            return Ok(Item::Assign { variable, operator: None, value: self.value()? });
        }
        if *self.kind() == Kind::Variable
            && matches!(
                self.ahead(1).kind,
                Kind::Symbol("+=" | "-=" | "*=" | "/=" | "%=" | "&=" | "|=" | "^=")
            )
        {
            let variable = self.variable()?;
            let operator = self.assign_operator()?;
            return Ok(Item::Assign { variable, operator, value: self.value()? });
        }
        if let Some(star) = self.qualified_star()? {
            return Ok(star);
        }
        // alias = value
        let text_alias = matches!(self.kind(), Kind::Text { .. });
        if (self.peek_name() || text_alias) && self.ahead_symbol(1, "=") {
            let alias = self.token().text.clone();
            self.at += 2;
            return Ok(Item::Value { value: self.value()?, alias: Some(alias) });
        }
        let value = self.value()?;
        let alias = self.column_alias()?;
        Ok(Item::Value { value, alias })
    }

    fn qualified_star(&mut self) -> Parsed<Option<Item>> {
        let mut by = 0;
        while self.name_at(by) && self.ahead_symbol(by + 1, ".") {
            by += 2;
        }
        if by == 0 || !self.ahead_symbol(by, "*") {
            return Ok(None);
        }
        let mut qualifier = Vec::new();
        while self.peek_name() {
            qualifier.push(self.identifier()?);
            self.expect_symbol(".")?;
        }
        self.advance();
        Ok(Some(Item::Star(qualifier)))
    }

    fn column_alias(&mut self) -> Parsed<Option<String>> {
        let told = self.accept("AS");
        if matches!(self.kind(), Kind::Text { .. }) {
            let alias = self.token().text.clone();
            self.advance();
            return Ok(Some(alias));
        }
        if told || (self.peek_name() && !self.starts_statement()) {
            return self.identifier().map(Some);
        }
        Ok(None)
    }

    /// `THROW` is no reserved word, yet `SELECT 1 THROW` does not name a column.
    pub(super) fn starts_statement(&self) -> bool {
        self.peek("THROW") && !self.ahead_symbol(1, ",")
    }
}
