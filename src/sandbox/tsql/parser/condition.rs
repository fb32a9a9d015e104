//! Search conditions: AND, OR, NOT and the predicates.

use super::super::ast::{Comparison, Expr};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::answer::Message;

impl Parser {
    /// A search condition; a bare value is 4145.
    pub(super) fn condition(&mut self) -> Parsed<Expr> {
        match self.disjunction()? {
            Either::Condition(condition) => Ok(condition),
            Either::Value(_) => Err(self.not_a_condition()),
        }
    }

    pub(super) fn not_a_condition(&self) -> Message {
        let token = match self.kind() {
            Kind::End if self.at > 0 => &self.tokens[self.at - 1],
            _ => self.token(),
        };
        Message {
            class: 15,
            line: token.line,
            ..Message::error(
                4145,
                format!(
                    "An expression of non-boolean type specified in a context where a condition is expected, near '{}'.",
                    token.text
                ),
            )
        }
    }

    pub(super) fn demand(&self, either: Either) -> Parsed<Expr> {
        match either {
            Either::Condition(condition) => Ok(condition),
            Either::Value(_) => Err(self.not_a_condition()),
        }
    }

    pub(super) fn disjunction(&mut self) -> Parsed<Either> {
        let first = self.conjunction()?;
        if !self.peek("OR") {
            return Ok(first);
        }
        let mut all = vec![self.demand(first)?];
        while self.accept("OR") {
            let next = self.conjunction()?;
            all.push(self.demand(next)?);
        }
        Ok(Either::Condition(Expr::Or(all)))
    }

    pub(super) fn conjunction(&mut self) -> Parsed<Either> {
        let first = self.negation()?;
        if !self.peek("AND") {
            return Ok(first);
        }
        let mut all = vec![self.demand(first)?];
        while self.accept("AND") {
            let next = self.negation()?;
            all.push(self.demand(next)?);
        }
        Ok(Either::Condition(Expr::And(all)))
    }

    pub(super) fn negation(&mut self) -> Parsed<Either> {
        if self.accept("NOT") {
            let inner = self.nested(Self::negation)?;
            let inner = self.demand(inner)?;
            return Ok(Either::Condition(Expr::Not(Box::new(inner))));
        }
        self.predicate()
    }

    pub(super) fn predicate(&mut self) -> Parsed<Either> {
        if self.peek("EXISTS") && self.ahead_symbol(1, "(") {
            self.advance();
            self.expect_symbol("(")?;
            let query = self.nested(Self::query)?;
            self.expect_symbol(")")?;
            return Ok(Either::Condition(Expr::Exists(Box::new(query))));
        }
        for word in ["CONTAINS", "FREETEXT"] {
            if self.peek(word) && self.ahead_symbol(1, "(") {
                return Err(self.refused(format!("{word} (full-text search)")));
            }
        }
        let left = match self.additive(true)? {
            Either::Value(value) => value,
            condition @ Either::Condition(_) => return Ok(condition),
        };
        self.predicate_after(left)
    }

    pub(super) fn predicate_after(&mut self, left: Expr) -> Parsed<Either> {
        let left = Box::new(left);
        if let Some(how) = self.comparison() {
            if let Some(word) = self.one_of(&["ALL", "ANY", "SOME"]) {
                self.expect_symbol("(")?;
                let query = Box::new(self.nested(Self::query)?);
                self.expect_symbol(")")?;
                let all = word == "ALL";
                return Ok(Either::Condition(Expr::CompareQuery { how, all, left, query }));
            }
            let right = Box::new(self.value()?);
            return Ok(Either::Condition(Expr::Compare(how, left, right)));
        }
        if self.accept("IS") {
            let negated = self.accept("NOT");
            if self.version >= 16 && self.accept("DISTINCT") {
                self.expect("FROM")?;
                let right = self.value()?;
                // the same, or both NULL; never unknown
                let both =
                    vec![Expr::IsNull(left.clone(), false), Expr::IsNull(Box::new(right.clone()), false)];
                let same =
                    Expr::Or(vec![Expr::Compare(Comparison::Equal, left, Box::new(right)), Expr::And(both)]);
                let int =
                    |n| Expr::Literal(crate::sandbox::value::Value::Int(n), crate::sandbox::value::Type::Int);
                let case = Expr::Case {
                    operand: None,
                    arms: vec![(same, int(1))],
                    otherwise: Some(Box::new(int(0))),
                };
                let wanted = Box::new(int(i64::from(negated)));
                return Ok(Either::Condition(Expr::Compare(Comparison::Equal, Box::new(case), wanted)));
            }
            self.expect("NULL")?;
            return Ok(Either::Condition(Expr::IsNull(left, negated)));
        }
        let negated = self.peek("NOT") && ["IN", "LIKE", "BETWEEN"].iter().any(|w| self.ahead(1).is(w));
        if negated {
            self.advance();
        }
        let condition = match self.one_of(&["IN", "LIKE", "BETWEEN"]) {
            Some("IN") => {
                self.expect_symbol("(")?;
                if self.at_query() {
                    let query = Box::new(self.nested(Self::query)?);
                    self.expect_symbol(")")?;
                    Expr::InQuery { value: left, query, negated }
                } else {
                    let list = self.commas(Self::value)?;
                    self.expect_symbol(")")?;
                    Expr::InList { value: left, list, negated }
                }
            }
            Some("LIKE") => {
                let pattern = Box::new(self.value()?);
                let escape = if self.accept("ESCAPE") { Some(Box::new(self.value()?)) } else { None };
                Expr::Like { value: left, pattern, escape, negated }
            }
            Some(_) => {
                let low = Box::new(self.value()?);
                self.expect("AND")?;
                let high = Box::new(self.value()?);
                Expr::Between { value: left, low, high, negated }
            }
            None => return Ok(Either::Value(*left)),
        };
        Ok(Either::Condition(condition))
    }

    pub(super) fn comparison(&mut self) -> Option<Comparison> {
        let how = match self.kind() {
            Kind::Symbol("=") => Comparison::Equal,
            Kind::Symbol("<>" | "!=") => Comparison::NotEqual,
            Kind::Symbol("<") => Comparison::Less,
            Kind::Symbol("<=" | "!>") => Comparison::LessOrEqual,
            Kind::Symbol(">") => Comparison::Greater,
            Kind::Symbol(">=" | "!<") => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.advance();
        Some(how)
    }
}

/// What parentheses may hold in a condition: either.
pub(super) enum Either {
    Value(Expr),
    Condition(Expr),
}
