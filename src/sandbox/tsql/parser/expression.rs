//! Values and conditions, with T-SQL's precedence: a condition is never a value.

use super::super::ast::{Call, Expr, Operator};
use super::super::lexer::{Kind, Token};
use super::condition::Either;
use super::{HEIGHT, Parsed, Parser, keyword};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

impl Parser {
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

    /// A chain of operators leans to the left: as high as it is long.
    pub(super) fn additive(&mut self, any: bool) -> Parsed<Either> {
        let around = std::mem::take(&mut self.height);
        let result = self.additive_chain(any);
        self.height = self.height.max(around);
        result
    }

    /// One operator more above what was read, and right of it.
    fn link(&mut self, read: impl FnOnce(&mut Self) -> Parsed<Either>) -> Parsed<Expr> {
        let left = std::mem::take(&mut self.height);
        let right = read(self)?;
        self.height = self.height.max(left) + 1;
        if self.height > HEIGHT {
            return Err(self.too_deep());
        }
        match right {
            Either::Value(right) => Ok(right),
            Either::Condition(_) => Err(self.unexpected()),
        }
    }

    fn additive_chain(&mut self, any: bool) -> Parsed<Either> {
        let mut left = match self.multiplicative(any)? {
            Either::Value(value) => value,
            condition @ Either::Condition(_) => return Ok(condition),
        };
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
            let right = self.link(|p| p.multiplicative(false))?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn multiplicative(&mut self, any: bool) -> Parsed<Either> {
        let around = std::mem::take(&mut self.height);
        let result = self.multiplicative_chain(any);
        self.height = self.height.max(around);
        result
    }

    fn multiplicative_chain(&mut self, any: bool) -> Parsed<Either> {
        let mut left = match self.unary(any)? {
            Either::Value(value) => value,
            condition @ Either::Condition(_) => return Ok(condition),
        };
        loop {
            let operator = match self.kind() {
                Kind::Symbol("*") => Operator::Multiply,
                Kind::Symbol("/") => Operator::Divide,
                Kind::Symbol("%") => Operator::Modulo,
                _ => return Ok(Either::Value(left)),
            };
            self.advance();
            let right = self.link(|p| p.unary(false))?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
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
            } else if self.peek_symbol(".")
                && matches!(value, Expr::Subquery(_) | Expr::Variable(_) | Expr::Method { .. })
            {
                self.advance();
                value = self.method(value)?;
            } else if self.version >= 13 && self.accept_all(&["AT", "TIME", "ZONE"]) {
                let line = self.line();
                let Either::Value(zone) = self.primary(false)? else { return Err(self.unexpected()) };
                value = Expr::Call(Box::new(Call {
                    name: vec!["AT TIME ZONE".to_owned()],
                    arguments: vec![value, zone],
                    star: false,
                    distinct: false,
                    over: None,
                    within: Vec::new(),
                    line,
                }));
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
            Kind::Integer
            | Kind::Decimal
            | Kind::Float
            | Kind::Money
            | Kind::Text { .. }
            | Kind::Binary(_) => {
                return self.literal().map(Either::Value);
            }
            Kind::Variable => Expr::Variable(token.text),
            Kind::Global => Expr::Global(token.text.to_ascii_uppercase()),
            Kind::Symbol("{") => return self.odbc().map(Either::Value),
            Kind::Quoted => return self.named().map(Either::Value),
            Kind::Word => return self.word().map(Either::Value),
            Kind::Symbol(_) | Kind::Label | Kind::End => return Err(self.unexpected()),
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
            Kind::Money => {
                let text = if token.text.is_empty() { "0" } else { &token.text };
                let digits = crate::sandbox::tsql::convert::parse_decimal(text)
                    .and_then(|(digits, scale)| crate::sandbox::tsql::number::rescale(digits, scale, 4));
                match digits {
                    Some(digits) if i64::try_from(digits).is_ok() => {
                        Expr::Literal(Value::Decimal { digits, scale: 4 }, Type::Money)
                    }
                    _ => return Err(self.number_too_long(text)),
                }
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
            "PARSE" | "TRY_PARSE" if call => self.nested(|p| p.parse_call(word == "TRY_PARSE")),
            "TRIM" if call && self.version >= 14 => self.nested(Self::trim),
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
            "$ACTION" => {
                let line = self.line();
                self.advance();
                Ok(Expr::Column(vec!["$action".to_owned()], line))
            }
            "$IDENTITY" | "$ROWGUID" | "$PARTITION" => Err(self.refused(&word)),
            _ if keyword::reserved(&word) => Err(self.unexpected()),
            _ => self.named(),
        }
    }

    /// Behind the point of `value.method(…)`.
    fn method(&mut self, value: Expr) -> Parsed<Expr> {
        if self.kind() != &Kind::Word || !METHODS.contains(&self.token().text.as_str()) {
            return Err(self.unexpected());
        }
        let name = self.token().text.clone();
        self.advance();
        let arguments = self.nested(|p| p.list(Self::value))?;
        Ok(Expr::Method { value: Box::new(value), name, arguments })
    }

    /// `{d '…'}`, `{ts '…'}`, `{fn f(…)}`
    fn odbc(&mut self) -> Parsed<Expr> {
        self.advance();
        let word = self.token().text.to_ascii_lowercase();
        let value = match word.as_str() {
            "d" | "t" | "ts" => {
                self.advance();
                let Kind::Text { .. } = self.kind() else { return Err(self.unexpected()) };
                let value = Box::new(self.literal()?);
                Expr::Convert { value, to: Type::DateTime, style: None, forgiving: false }
            }
            "guid" => {
                self.advance();
                let Kind::Text { .. } = self.kind() else { return Err(self.unexpected()) };
                let value = Box::new(self.literal()?);
                Expr::Convert { value, to: Type::UniqueIdentifier, style: None, forgiving: false }
            }
            "fn" => {
                self.advance();
                let name = self.token().text.to_ascii_uppercase();
                let own = match name.as_str() {
                    "NOW" => "GETDATE",
                    "LENGTH" => "LEN",
                    "UCASE" => "UPPER",
                    "LCASE" => "LOWER",
                    "IFNULL" => "ISNULL",
                    "CONCAT" | "LEFT" | "RIGHT" | "LTRIM" | "RTRIM" | "SUBSTRING" | "REPLACE" | "ABS"
                    | "YEAR" | "MONTH" | "USER" => &name,
                    _ => return Err(self.refused(format!("ODBC function {name}"))),
                };
                self.call_from(vec![own.to_owned()])?
            }
            _ => return Err(self.unexpected()),
        };
        self.expect_symbol("}")?;
        Ok(value)
    }

    /// A column or a function call.
    fn named(&mut self) -> Parsed<Expr> {
        let line = self.line();
        let mut name = self.name()?;
        if self.peek_symbol("(")
            && name.len() > 1
            && name.last().is_some_and(|n| METHODS.contains(&n.as_str()))
        {
            let method = name.pop().unwrap_or_default();
            let arguments = self.nested(|p| p.list(Self::value))?;
            return Ok(Expr::Method { value: Box::new(Expr::Column(name, line)), name: method, arguments });
        }
        if self.peek_symbol("(") {
            self.at -= 1;
            return self.call_from(name);
        }
        if self.peek_symbol("::") {
            return Err(self.refused("static methods of types"));
        }
        Ok(Expr::Column(name, line))
    }
}

/// Methods of xml values; their names have a case.
const METHODS: [&str; 5] = ["value", "query", "exist", "nodes", "modify"];

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
