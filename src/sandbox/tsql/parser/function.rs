//! Calls, CASE, CAST and OVER.

use super::super::ast::{Call, Expr, Frame, OrderItem, Over};
use super::super::lexer::Kind;
use super::{Parsed, Parser};

impl Parser {
    /// Stands on the last part of a function's name.
    pub(super) fn call_from(&mut self, name: Vec<String>) -> Parsed<Expr> {
        let line = self.line();
        self.advance();
        self.expect_symbol("(")?;
        self.nested(|p| p.call_rest(name, line))
    }

    pub(super) fn call_rest(&mut self, name: Vec<String>, line: i32) -> Parsed<Expr> {
        let mut call = Call {
            name,
            arguments: Vec::new(),
            star: false,
            distinct: false,
            over: None,
            within: Vec::new(),
            line,
        };
        if self.accept_symbol("*") {
            call.star = true;
        } else if !self.peek_symbol(")") {
            call.distinct = self.accept("DISTINCT");
            if !call.distinct {
                self.accept("ALL");
            }
            call.arguments = self.commas(|p| if p.accept("DEFAULT") { Ok(Expr::Null) } else { p.value() })?;
        }
        self.expect_symbol(")")?;
        if self.accept_all(&["WITHIN", "GROUP"]) {
            self.expect_symbol("(")?;
            call.within = self.order_by()?;
            self.expect_symbol(")")?;
        }
        if self.peek("OVER") {
            self.advance();
            call.over = Some(self.over()?);
        }
        Ok(Expr::Call(Box::new(call)))
    }

    pub(super) fn over(&mut self) -> Parsed<Over> {
        self.expect_symbol("(")?;
        let mut over = Over { partition: Vec::new(), order: Vec::new(), frame: None };
        if self.accept("PARTITION") {
            self.expect("BY")?;
            over.partition = self.commas(Self::value)?;
        }
        if self.peek("ORDER") {
            over.order = self.order_by()?;
        }
        if let Some(unit) = self.one_of(&["ROWS", "RANGE"]) {
            if over.order.is_empty() {
                return Err(self.fail(10756, "Window frame with ROWS or RANGE must have an ORDER BY clause."));
            }
            let between = self.accept("BETWEEN");
            let (start, start_follows) = self.frame_bound()?;
            let (end, end_follows) = if between {
                self.expect("AND")?;
                self.frame_bound()?
            } else {
                (Some(0), false)
            };
            let backwards = match (start, end) {
                (Some(a), Some(b)) => a > b && (a > 0) != (b > 0),
                _ => false,
            };
            if start.is_none() && start_follows || end.is_none() && !end_follows || backwards {
                return Err(self.fail(
                    4193,
                    "The window frame does not begin before it ends: 'BETWEEN' needs its bounds in order.",
                ));
            }
            let rows = unit == "ROWS";
            if !rows && [start, end].iter().flatten().any(|n| *n != 0) {
                return Err(self.fail(
                    4194,
                    "RANGE is only supported with UNBOUNDED and CURRENT ROW window frame delimiters.",
                ));
            }
            over.frame = Some(Frame { rows, start, end });
        }
        self.expect_symbol(")")?;
        Ok(over)
    }

    /// Distance in rows (`None` = unbounded), and whether it lies ahead.
    fn frame_bound(&mut self) -> Parsed<(Option<i64>, bool)> {
        if self.accept_all(&["CURRENT", "ROW"]) {
            return Ok((Some(0), false));
        }
        let distance = if self.accept("UNBOUNDED") {
            None
        } else {
            let token = self.token().clone();
            let (Kind::Integer, Ok(n)) = (&token.kind, token.text.parse::<i64>()) else {
                return Err(self.unexpected());
            };
            self.advance();
            Some(n.min(i64::from(i32::MAX)))
        };
        match self.one_of(&["PRECEDING", "FOLLOWING"]) {
            Some("PRECEDING") => Ok((distance.map(|n| -n), false)),
            Some(_) => Ok((distance, true)),
            None => Err(self.unexpected()),
        }
    }

    /// `ORDER BY …`
    pub(super) fn order_by(&mut self) -> Parsed<Vec<OrderItem>> {
        self.expect("ORDER")?;
        self.expect("BY")?;
        self.commas(|p| {
            let value = p.value()?;
            let descending = p.one_of(&["ASC", "DESC"]) == Some("DESC");
            Ok(OrderItem { value, descending })
        })
    }

    pub(super) fn case(&mut self) -> Parsed<Expr> {
        self.expect("CASE")?;
        let operand = if self.peek("WHEN") { None } else { Some(Box::new(self.value()?)) };
        let mut arms = Vec::new();
        while self.accept("WHEN") {
            let when = if operand.is_some() { self.value()? } else { self.condition()? };
            self.expect("THEN")?;
            arms.push((when, self.value()?));
        }
        if arms.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.accept("ELSE") { Some(Box::new(self.value()?)) } else { None };
        self.expect("END")?;
        Ok(Expr::Case { operand, arms, otherwise })
    }

    pub(super) fn iif(&mut self) -> Parsed<Expr> {
        self.advance();
        self.expect_symbol("(")?;
        let condition = self.condition()?;
        self.expect_symbol(",")?;
        let yes = self.value()?;
        self.expect_symbol(",")?;
        let no = self.value()?;
        self.expect_symbol(")")?;
        Ok(Expr::Case { operand: None, arms: vec![(condition, yes)], otherwise: Some(Box::new(no)) })
    }

    /// `PARSE('…' AS type [USING culture])`
    pub(super) fn parse_call(&mut self, forgiving: bool) -> Parsed<Expr> {
        self.advance();
        self.expect_symbol("(")?;
        let value = Box::new(self.value()?);
        self.expect("AS")?;
        let to = self.type_name(30)?;
        if self.accept("USING") {
            let culture = self.token().text.to_ascii_lowercase();
            if culture != "en-us" {
                return Err(self.refused(format!("PARSE USING {culture}")));
            }
            self.advance();
        }
        self.expect_symbol(")")?;
        Ok(Expr::Convert { value, to, style: None, forgiving })
    }

    /// `TRIM([characters FROM] text)`
    pub(super) fn trim(&mut self) -> Parsed<Expr> {
        let line = self.line();
        self.advance();
        self.expect_symbol("(")?;
        for word in ["LEADING", "TRAILING", "BOTH"] {
            if self.version >= 16 && self.peek(word) && !self.ahead_symbol(1, ")") {
                return Err(self.refused(format!("TRIM ({word} …)")));
            }
        }
        let mut arguments = vec![self.value()?];
        if self.accept("FROM") {
            arguments.push(self.value()?);
        }
        self.expect_symbol(")")?;
        Ok(Expr::Call(Box::new(Call {
            name: vec!["TRIM".to_owned()],
            arguments,
            star: false,
            distinct: false,
            over: None,
            within: Vec::new(),
            line,
        })))
    }

    pub(super) fn cast(&mut self, forgiving: bool) -> Parsed<Expr> {
        self.advance();
        self.expect_symbol("(")?;
        let value = Box::new(self.value()?);
        self.expect("AS")?;
        let to = self.type_name(30)?;
        self.expect_symbol(")")?;
        Ok(Expr::Convert { value, to, style: None, forgiving })
    }

    pub(super) fn convert(&mut self, forgiving: bool) -> Parsed<Expr> {
        self.advance();
        self.expect_symbol("(")?;
        let to = self.type_name(30)?;
        self.expect_symbol(",")?;
        let value = Box::new(self.value()?);
        let style = if self.accept_symbol(",") { Some(Box::new(self.value()?)) } else { None };
        self.expect_symbol(")")?;
        Ok(Expr::Convert { value, to, style, forgiving })
    }
}
