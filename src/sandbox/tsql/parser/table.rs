//! Type names and the columns of tables that a batch makes.

use super::super::ast::{ColumnDefinition, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::answer::Message;
use crate::sandbox::value::Type;

impl Parser {
    /// A type; `length` is what `varchar` without a length means here (1, in CAST 30).
    pub(super) fn type_name(&mut self, length: u16) -> Parsed<Type> {
        if self.peek("NATIONAL") {
            return Err(self.refused("NATIONAL CHARACTER types"));
        }
        let mut parts = vec![if self.peek("DOUBLE") && self.ahead(1).is("PRECISION") {
            self.at += 2;
            return Ok(Type::Float);
        } else {
            self.identifier()?
        }];
        while self.accept_symbol(".") {
            parts.push(self.identifier()?);
        }
        let word = parts.last().map(|p| p.to_ascii_lowercase()).unwrap_or_default();
        if parts.len() > 1 && !parts[0].eq_ignore_ascii_case("sys") {
            return Err(self.fail(243, format!("Type {} is not a defined system type.", parts.join("."))));
        }
        self.type_of(&word, length)
    }

    fn type_of(&mut self, word: &str, length: u16) -> Parsed<Type> {
        let plain = match word {
            "bit" => Type::Bit,
            "tinyint" => Type::TinyInt,
            "smallint" => Type::SmallInt,
            "int" | "integer" => Type::Int,
            "bigint" => Type::BigInt,
            "money" => Type::Money,
            "smallmoney" => Type::SmallMoney,
            "xml" => Type::Xml,
            "real" => Type::Real,
            "date" => Type::Date,
            "smalldatetime" => Type::SmallDateTime,
            "datetime" => Type::DateTime,
            "uniqueidentifier" => Type::UniqueIdentifier,
            "sql_variant" => Type::Variant,
            "sysname" => Type::SYSNAME,
            "decimal" | "numeric" | "dec" => return self.decimal_type(),
            "float" => {
                let bits = self.size(53)?;
                return match bits {
                    Some(Some(1..=24)) => Ok(Type::Real),
                    None | Some(Some(25..=53)) => Ok(Type::Float),
                    _ => Err(self.bad_size()),
                };
            }
            "time" => return Ok(Type::Time { scale: self.time_scale()? }),
            "datetime2" => return Ok(Type::DateTime2 { scale: self.time_scale()? }),
            "datetimeoffset" => return Ok(Type::DateTimeOffset { scale: self.time_scale()? }),
            "char" | "character" => return Ok(Type::Char(self.fixed(8000, length, word)?)),
            "nchar" => return Ok(Type::NChar(self.fixed(4000, length, word)?)),
            "binary" => return Ok(Type::Binary(self.fixed(8000, length, word)?)),
            "varchar" => return Ok(Type::VarChar(self.varying(8000, length, word)?)),
            "nvarchar" => return Ok(Type::NVarChar(self.varying(4000, length, word)?)),
            "varbinary" => return Ok(Type::VarBinary(self.varying(8000, length, word)?)),
            "text" | "ntext" | "image" | "timestamp" | "rowversion" | "hierarchyid" | "geography"
            | "geometry" | "json" | "vector" => {
                return Err(self.refused(format!("type {word}")));
            }
            "cursor" => return Err(self.refused("cursors")),
            _ => return Err(self.fail(243, format!("Type {word} is not a defined system type."))),
        };
        if self.peek_symbol("(") {
            return Err(self.fail(
                2716,
                format!(
                    "Column, parameter, or variable #1: Cannot specify a column width on data type {word}."
                ),
            ));
        }
        Ok(plain)
    }

    /// `(n)` or `(max)` if it is there; `Some(None)` = max.
    #[allow(clippy::option_option, reason = "not written, max, and a number are three things")]
    fn size(&mut self, most: u16) -> Parsed<Option<Option<u16>>> {
        if !self.accept_symbol("(") {
            return Ok(None);
        }
        let size = if self.accept("MAX") {
            None
        } else {
            let token = self.token().clone();
            if token.kind != Kind::Integer {
                return Err(self.unexpected());
            }
            self.advance();
            Some(token.text.parse::<u16>().unwrap_or(u16::MAX).min(most.saturating_add(1)))
        };
        self.expect_symbol(")")?;
        Ok(Some(size))
    }

    fn bad_size(&self) -> Message {
        self.fail(1001, format!("Line {}: Length or precision specification 0 is invalid.", self.line()))
    }

    fn fixed(&mut self, most: u16, length: u16, word: &str) -> Parsed<u16> {
        match self.size(most)? {
            None => Ok(length),
            Some(Some(n)) if n >= 1 && n <= most => Ok(n),
            Some(Some(n)) if n > most => Err(self.too_wide(word, most)),
            Some(None) => Err(self.unexpected()),
            Some(_) => Err(self.bad_size()),
        }
    }

    fn varying(&mut self, most: u16, length: u16, word: &str) -> Parsed<Option<u16>> {
        match self.size(most)? {
            None => Ok(Some(length)),
            Some(None) => Ok(None),
            Some(Some(n)) if n >= 1 && n <= most => Ok(Some(n)),
            Some(Some(n)) if n > most => Err(self.too_wide(word, most)),
            Some(_) => Err(self.bad_size()),
        }
    }

    fn too_wide(&self, word: &str, most: u16) -> Message {
        self.fail(
            131,
            format!(
                "The size given to the type '{word}' exceeds the maximum allowed for any data type ({most})."
            ),
        )
    }

    fn time_scale(&mut self) -> Parsed<u8> {
        match self.size(7)? {
            None => Ok(7),
            Some(Some(n)) if n <= 7 => Ok(n as u8),
            _ => Err(self.fail(1002, format!("Line {}: Specified scale 8 is invalid.", self.line()))),
        }
    }

    fn decimal_type(&mut self) -> Parsed<Type> {
        if !self.accept_symbol("(") {
            return Ok(Type::Decimal { precision: 18, scale: 0 });
        }
        let numbers = self.commas(|p| {
            let token = p.token().clone();
            if token.kind != Kind::Integer {
                return Err(p.unexpected());
            }
            p.advance();
            Ok(token.text.parse::<u8>().unwrap_or(u8::MAX))
        })?;
        self.expect_symbol(")")?;
        let (precision, scale) = match numbers[..] {
            [precision] => (precision, 0),
            [precision, scale] => (precision, scale),
            _ => return Err(self.unexpected()),
        };
        if precision == 0 || precision > 38 {
            return Err(self.fail(
                2750,
                format!(
                    "Column or parameter #1: Specified column precision {precision} is greater than the maximum precision of 38."
                ),
            ));
        }
        if scale > precision {
            return Err(self.fail(192, "The scale must be less than or equal to the precision.".to_owned()));
        }
        Ok(Type::Decimal { precision, scale })
    }

    /// Stands behind CREATE TABLE.
    pub(super) fn create_table(&mut self) -> Parsed<What> {
        let name = self.name()?;
        if !name.last().is_some_and(|n| n.starts_with('#')) {
            return Err(self.refused("CREATE TABLE of a permanent table"));
        }
        Ok(What::CreateTable { name, columns: self.table_columns()? })
    }

    /// `(column type …, …)`
    pub(super) fn table_columns(&mut self) -> Parsed<Vec<ColumnDefinition>> {
        self.expect_symbol("(")?;
        let mut columns = Vec::new();
        loop {
            if self.table_constraint()? {
                // keys and checks of temporary tables are not enforced, so not accepted
            } else {
                columns.push(self.column_definition()?);
            }
            if !self.accept_symbol(",") {
                break;
            }
            if self.peek_symbol(")") {
                break;
            }
        }
        self.expect_symbol(")")?;
        Ok(columns)
    }

    fn table_constraint(&mut self) -> Parsed<bool> {
        for word in ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "INDEX"] {
            if self.peek(word) {
                return Err(self.refused(format!("{word} in a table")));
            }
        }
        Ok(false)
    }

    fn column_definition(&mut self) -> Parsed<ColumnDefinition> {
        let name = self.identifier()?;
        if self.peek("AS") {
            return Err(self.refused("computed columns"));
        }
        let kind = self.type_name(1)?;
        let mut column = ColumnDefinition { name, kind, nullable: true, default: None, identity: None };
        loop {
            if self.accept("NULL") {
                column.nullable = true;
            } else if self.accept_all(&["NOT", "NULL"]) {
                column.nullable = false;
            } else if self.accept("DEFAULT") {
                column.default = Some(self.value()?);
            } else if self.accept("COLLATE") {
                self.identifier()?;
            } else if self.accept("IDENTITY") {
                column.nullable = false;
                column.identity = Some(self.identity()?);
            } else if self.table_constraint()? {
            } else if self.peek("REFERENCES") {
                return Err(self.refused("REFERENCES in a table"));
            } else {
                return Ok(column);
            }
        }
    }

    fn identity(&mut self) -> Parsed<(i64, i64)> {
        if !self.peek_symbol("(") {
            return Ok((1, 1));
        }
        let numbers = self.list(|p| {
            let minus = p.accept_symbol("-");
            let token = p.token().clone();
            let (Kind::Integer, Ok(n)) = (&token.kind, token.text.parse::<i64>()) else {
                return Err(p.unexpected());
            };
            p.advance();
            Ok(if minus { -n } else { n })
        })?;
        match numbers[..] {
            [seed, step] => Ok((seed, step)),
            _ => Err(self.unexpected()),
        }
    }
}
