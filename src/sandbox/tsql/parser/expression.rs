//! Values and conditions, with T-SQL's precedence: a condition is never a value.

use super::super::ast::{Call, Comparison, Expr, Frame, Operator, OrderItem, Over};
use super::super::lexer::{Kind, Token};
use super::{CHAIN, Parsed, Parser, keyword};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// What parentheses may hold in a condition: either.
enum Either {
    Value(Expr),
    Condition(Expr),
}

impl Parser {
    /// A search condition; a bare value is 4145.
    pub(super) fn condition(&mut self) -> Parsed<Expr> {
        match self.disjunction()? {
            Either::Condition(condition) => Ok(condition),
            Either::Value(_) => Err(self.not_a_condition()),
        }
    }

    fn not_a_condition(&self) -> Message {
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

    fn demand(&self, either: Either) -> Parsed<Expr> {
        match either {
            Either::Condition(condition) => Ok(condition),
            Either::Value(_) => Err(self.not_a_condition()),
        }
    }

    fn disjunction(&mut self) -> Parsed<Either> {
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

    fn conjunction(&mut self) -> Parsed<Either> {
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

    fn negation(&mut self) -> Parsed<Either> {
        if self.accept("NOT") {
            let inner = self.nested(Self::negation)?;
            let inner = self.demand(inner)?;
            return Ok(Either::Condition(Expr::Not(Box::new(inner))));
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Parsed<Either> {
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

    fn predicate_after(&mut self, left: Expr) -> Parsed<Either> {
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
            if self.peek("DISTINCT") && self.version >= 16 {
                return Err(self.refused("IS DISTINCT FROM"));
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

    fn comparison(&mut self) -> Option<Comparison> {
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

    /// Whether a (sub)query starts here, perhaps behind parentheses.
    pub(super) fn at_query(&self) -> bool {
        let mut by = 0;
        while self.ahead_symbol(by, "(") {
            by += 1;
        }
        self.ahead(by).is("SELECT")
    }

    /// A value: no comparison, no AND.
    pub(super) fn value(&mut self) -> Parsed<Expr> {
        match self.additive(false)? {
            Either::Value(value) => Ok(value),
            Either::Condition(_) => Err(self.unexpected()),
        }
    }

    fn additive(&mut self, any: bool) -> Parsed<Either> {
        let mut left = match self.multiplicative(any)? {
            Either::Value(value) => value,
            condition @ Either::Condition(_) => return Ok(condition),
        };
        let mut length = 0;
        loop {
            let operator = match self.kind() {
                Kind::Symbol("+") => Operator::Add,
                Kind::Symbol("-") => Operator::Subtract,
                Kind::Symbol("&") => Operator::BitAnd,
                Kind::Symbol("|") => Operator::BitOr,
                Kind::Symbol("^") => Operator::BitXor,
                _ => return Ok(Either::Value(left)),
            };
            self.advance();
            let Either::Value(right) = self.multiplicative(false)? else { return Err(self.unexpected()) };
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
            length += 1;
            if length > CHAIN {
                return Err(self.too_deep());
            }
        }
    }

    fn multiplicative(&mut self, any: bool) -> Parsed<Either> {
        let mut left = match self.unary(any)? {
            Either::Value(value) => value,
            condition @ Either::Condition(_) => return Ok(condition),
        };
        let mut length = 0;
        loop {
            let operator = match self.kind() {
                Kind::Symbol("*") => Operator::Multiply,
                Kind::Symbol("/") => Operator::Divide,
                Kind::Symbol("%") => Operator::Modulo,
                _ => return Ok(Either::Value(left)),
            };
            self.advance();
            let Either::Value(right) = self.unary(false)? else { return Err(self.unexpected()) };
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
            length += 1;
            if length > CHAIN {
                return Err(self.too_deep());
            }
        }
    }

    fn unary(&mut self, any: bool) -> Parsed<Either> {
        if self.accept_symbol("-") {
            let inner = self.nested(|p| p.unary(false))?;
            let Either::Value(inner) = inner else { return Err(self.unexpected()) };
            return Ok(Either::Value(Expr::Negate(Box::new(inner))));
        }
        if self.accept_symbol("+") {
            return self.nested(|p| p.unary(false));
        }
        if self.accept_symbol("~") {
            let inner = self.nested(|p| p.unary(false))?;
            let Either::Value(inner) = inner else { return Err(self.unexpected()) };
            return Ok(Either::Value(Expr::BitNot(Box::new(inner))));
        }
        let mut value = match self.primary(any)? {
            Either::Value(value) => value,
            condition @ Either::Condition(_) => return Ok(condition),
        };
        loop {
            if self.accept("COLLATE") {
                let name = self.collation()?;
                value = Expr::Collate(Box::new(value), name);
            } else if self.peek_all(&["AT", "TIME", "ZONE"]) {
                return Err(self.refused("AT TIME ZONE"));
            } else {
                return Ok(Either::Value(value));
            }
        }
    }

    fn collation(&mut self) -> Parsed<String> {
        if !matches!(self.kind(), Kind::Word) {
            return Err(self.unexpected());
        }
        let name = self.token().text.clone();
        self.advance();
        Ok(name)
    }

    fn primary(&mut self, any: bool) -> Parsed<Either> {
        let token = self.token().clone();
        let value = match token.kind {
            Kind::Symbol("(") => {
                if self.at_query() {
                    self.advance();
                    let query = self.nested(Self::query)?;
                    self.expect_symbol(")")?;
                    return Ok(Either::Value(Expr::Subquery(Box::new(query))));
                }
                self.advance();
                let inner = if any {
                    self.nested(Self::disjunction)?
                } else {
                    Either::Value(self.nested(Self::value)?)
                };
                self.expect_symbol(")")?;
                return Ok(inner);
            }
            Kind::Integer | Kind::Decimal | Kind::Float | Kind::Text { .. } | Kind::Binary(_) => {
                return self.literal().map(Either::Value);
            }
            Kind::Variable => Expr::Variable(token.text),
            Kind::Global => Expr::Global(token.text.to_ascii_uppercase()),
            Kind::Symbol("{") => return Err(self.refused("ODBC escapes")),
            Kind::Quoted => return self.named().map(Either::Value),
            Kind::Word => return self.word().map(Either::Value),
            Kind::Symbol(_) | Kind::End => return Err(self.unexpected()),
        };
        self.advance();
        Ok(Either::Value(value))
    }

    /// A number, a text or a binary constant.
    pub(super) fn literal(&mut self) -> Parsed<Expr> {
        let token = self.token().clone();
        let value = match token.kind {
            Kind::Integer | Kind::Decimal => {
                number(&token).ok_or_else(|| self.number_too_long(&token.text))?
            }
            Kind::Float => {
                let number: f64 = token.text.parse().unwrap_or(0.0);
                if !number.is_finite() {
                    return Err(self.fail(
                        168,
                        format!(
                            "The floating point value '{}' is out of the range of computer representation (8 bytes).",
                            token.text
                        ),
                    ));
                }
                Expr::Literal(Value::Float(number), Type::Float)
            }
            Kind::Text { national } => text(&token.text, national),
            Kind::Binary(bytes) => {
                let size = u16::try_from(bytes.len().max(1)).ok().filter(|n| *n <= 8000);
                Expr::Literal(Value::Binary(bytes), Type::VarBinary(size))
            }
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(value)
    }

    fn number_too_long(&self, text: &str) -> Message {
        self.fail(
            1007,
            format!(
                "The number '{text}' is out of the range for numeric representation (maximum precision 38)."
            ),
        )
    }

    fn word(&mut self) -> Parsed<Expr> {
        let word = self.token().text.to_ascii_uppercase();
        let call = self.ahead_symbol(1, "(");
        match word.as_str() {
            "NULL" => {
                self.advance();
                Ok(Expr::Null)
            }
            "CASE" => self.nested(Self::case),
            "CAST" | "TRY_CAST" if call => self.nested(|p| p.cast(word == "TRY_CAST")),
            "CONVERT" | "TRY_CONVERT" if call => self.nested(|p| p.convert(word == "TRY_CONVERT")),
            "PARSE" | "TRY_PARSE" if call => Err(self.refused(&word)),
            "IIF" if call => self.nested(Self::iif),
            "CURRENT_TIMESTAMP" | "CURRENT_USER" | "SESSION_USER" | "SYSTEM_USER" | "USER" => {
                let line = self.line();
                self.advance();
                Ok(Expr::Call(Box::new(Call {
                    name: vec![word],
                    arguments: Vec::new(),
                    star: false,
                    distinct: false,
                    over: None,
                    within: Vec::new(),
                    line,
                })))
            }
            "COALESCE" | "NULLIF" | "LEFT" | "RIGHT" if call => self.call_from(vec![word]),
            "NEXT" if self.ahead(1).is("VALUE") => Err(self.refused("sequences")),
            _ if keyword::reserved(&word) => Err(self.unexpected()),
            _ => self.named(),
        }
    }

    /// A column or a function call.
    fn named(&mut self) -> Parsed<Expr> {
        let line = self.line();
        let name = self.name()?;
        if self.peek_symbol("(") {
            self.at -= 1;
            return self.call_from(name);
        }
        if self.peek_symbol("::") {
            return Err(self.refused("static methods of types"));
        }
        Ok(Expr::Column(name, line))
    }

    /// Stands on the last part of a function's name.
    fn call_from(&mut self, name: Vec<String>) -> Parsed<Expr> {
        let line = self.line();
        self.advance();
        self.expect_symbol("(")?;
        self.nested(|p| p.call_rest(name, line))
    }

    fn call_rest(&mut self, name: Vec<String>, line: i32) -> Parsed<Expr> {
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

    fn over(&mut self) -> Parsed<Over> {
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
            let (start, end) = if self.accept("BETWEEN") {
                let start = self.frame_bound()?;
                self.expect("AND")?;
                (start, self.frame_bound()?)
            } else {
                (self.frame_bound()?, Some(0))
            };
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

    fn frame_bound(&mut self) -> Parsed<Option<i64>> {
        if self.accept_all(&["CURRENT", "ROW"]) {
            return Ok(Some(0));
        }
        let distance = if self.accept("UNBOUNDED") {
            None
        } else {
            let token = self.token().clone();
            let (Kind::Integer, Ok(n)) = (&token.kind, token.text.parse::<i64>()) else {
                return Err(self.unexpected());
            };
            self.advance();
            Some(n)
        };
        match self.one_of(&["PRECEDING", "FOLLOWING"]) {
            Some("PRECEDING") => Ok(distance.map(|n| -n)),
            Some(_) => Ok(distance),
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

    fn case(&mut self) -> Parsed<Expr> {
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

    fn iif(&mut self) -> Parsed<Expr> {
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

    fn cast(&mut self, forgiving: bool) -> Parsed<Expr> {
        self.advance();
        self.expect_symbol("(")?;
        let value = Box::new(self.value()?);
        self.expect("AS")?;
        let to = self.type_name(30)?;
        self.expect_symbol(")")?;
        Ok(Expr::Convert { value, to, style: None, forgiving })
    }

    fn convert(&mut self, forgiving: bool) -> Parsed<Expr> {
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

/// A number's token as a literal; `None` when it is none or too long.
pub(super) fn number(token: &Token) -> Option<Expr> {
    match token.kind {
        Kind::Integer => integer(&token.text),
        Kind::Decimal => decimal(&token.text),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Expr> {
    if let Ok(number) = text.parse::<i64>()
        && number <= i64::from(i32::MAX)
    {
        return Some(Expr::Literal(Value::Int(number), Type::Int));
    }
    decimal(text)
}

fn decimal(text: &str) -> Option<Expr> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    let precision = (whole.len() + fraction.len()).max(1);
    if precision > 38 {
        return None;
    }
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let scale = fraction.len() as u8;
    Some(Expr::Literal(Value::Decimal { digits, scale }, Type::Decimal { precision: precision as u8, scale }))
}

fn text(content: &str, national: bool) -> Expr {
    let units = if national { content.encode_utf16().count() } else { content.chars().count() };
    let limit = if national { 4000 } else { 8000 };
    let size = u16::try_from(units.max(1)).ok().filter(|n| *n <= limit);
    let kind = if national { Type::NVarChar(size) } else { Type::VarChar(size) };
    Expr::Literal(Value::Text(content.to_owned()), kind)
}
