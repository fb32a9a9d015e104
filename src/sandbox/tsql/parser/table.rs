//! Type names and the columns of tables that a batch makes.

use super::super::ast::{ColumnDefinition, KeyDefinition, KeyKind, TableChange, TableDefinition, What};
use super::super::lexer::Kind;
use super::super::types;
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
        if self.peek("AS") {
            return Err(self.refused("CREATE TABLE … AS"));
        }
        let definition = self.table_columns()?;
        loop {
            if self.accept("ON") || self.accept("TEXTIMAGE_ON") || self.accept("FILESTREAM_ON") {
                self.identifier()?;
                if self.peek_symbol("(") {
                    return Err(self.refused("partitioned tables"));
                }
            } else if self.peek("WITH") && self.ahead_symbol(1, "(") {
                self.advance();
                self.index_options()?;
            } else {
                break;
            }
        }
        Ok(What::CreateTable { name, definition })
    }

    /// `(column type …, …)`
    pub(super) fn table_columns(&mut self) -> Parsed<TableDefinition> {
        self.expect_symbol("(")?;
        let mut table = TableDefinition::default();
        loop {
            self.table_element(&mut table)?;
            if !self.accept_symbol(",") || self.peek_symbol(")") {
                break;
            }
        }
        self.expect_symbol(")")?;
        if table.columns.is_empty() {
            return Err(self.unexpected());
        }
        Ok(table)
    }

    /// One column or constraint of a table.
    pub(super) fn table_element(&mut self, table: &mut TableDefinition) -> Parsed<()> {
        if self.table_constraint(table)? {
            return Ok(());
        }
        self.column_definition(table)
    }

    fn clustered(&mut self) {
        self.one_of(&["CLUSTERED", "NONCLUSTERED"]);
    }

    /// `WITH (FILLFACTOR = 80, …) ON fg` behind a key; nothing of it shows.
    fn key_options(&mut self) -> Parsed<()> {
        loop {
            if self.peek("WITH") && (self.ahead_symbol(1, "(") || self.ahead(1).is("FILLFACTOR")) {
                self.advance();
                if self.accept("FILLFACTOR") {
                    self.expect_symbol("=")?;
                    self.advance();
                } else {
                    self.index_options()?;
                }
            } else if self.peek("ON") && self.name_at(1) && !self.ahead_symbol(2, "(") {
                self.at += 2;
            } else {
                return Ok(());
            }
        }
    }

    /// `(NAME = value, …)`
    pub(super) fn index_options(&mut self) -> Parsed<()> {
        self.list(|p| {
            if !matches!(p.kind(), Kind::Word) {
                return Err(p.unexpected());
            }
            p.advance();
            p.expect_symbol("=")?;
            match p.kind() {
                Kind::Word | Kind::Integer => p.advance(),
                _ => return Err(p.unexpected()),
            }
            p.accept("MINUTES");
            Ok(())
        })?;
        Ok(())
    }

    /// `(a ASC, b)`
    pub(super) fn key_columns(&mut self) -> Parsed<Vec<String>> {
        self.list(|p| {
            let name = p.identifier()?;
            p.one_of(&["ASC", "DESC"]);
            Ok(name)
        })
    }

    fn table_constraint(&mut self, table: &mut TableDefinition) -> Parsed<bool> {
        let name = if self.peek("CONSTRAINT") && !self.ahead(2).is("DEFAULT") {
            self.advance();
            self.identifier()?
        } else {
            String::new()
        };
        match self.one_of(&["PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "INDEX", "PERIOD"]) {
            Some(word @ ("PRIMARY" | "UNIQUE")) => {
                if word == "PRIMARY" {
                    self.expect("KEY")?;
                    if table.keys.iter().any(|k| k.kind == KeyKind::Primary) {
                        let text = "Cannot add multiple PRIMARY KEY constraints to table.";
                        return Err(Message { class: 16, ..self.fail(8110, text) });
                    }
                }
                self.clustered();
                let kind = if word == "PRIMARY" { KeyKind::Primary } else { KeyKind::Unique };
                let columns = self.key_columns()?;
                self.key_options()?;
                table.keys.push(KeyDefinition { name, kind, columns });
            }
            Some("CHECK") => {
                self.accept_all(&["NOT", "FOR", "REPLICATION"]);
                self.expect_symbol("(")?;
                let condition = self.nested(Self::condition)?;
                self.expect_symbol(")")?;
                table.checks.push((name, condition));
            }
            Some("INDEX") => {
                let name = self.identifier()?;
                let unique = self.accept("UNIQUE");
                self.clustered();
                let columns = self.key_columns()?;
                if self.peek("WHERE") {
                    return Err(self.refused("filtered indexes"));
                }
                self.key_options()?;
                if unique {
                    table.keys.push(KeyDefinition { name, kind: KeyKind::Index, columns });
                }
            }
            Some("FOREIGN") => return Err(self.refused("FOREIGN KEY in a table")),
            Some(_) => return Err(self.refused("temporal tables")),
            None if !name.is_empty() => return Err(self.unexpected()),
            None => return Ok(false),
        }
        Ok(true)
    }

    fn column_definition(&mut self, table: &mut TableDefinition) -> Parsed<()> {
        let name = self.identifier()?;
        let mut column = ColumnDefinition {
            name,
            kind: Type::Int,
            nullable: true,
            default: None,
            identity: None,
            computed: None,
        };
        if self.accept("AS") {
            column.computed = Some(self.value()?);
            if self.accept("PERSISTED") {
                self.accept_all(&["NOT", "NULL"]);
            }
        } else {
            column.kind = self.type_name(1)?;
        }
        loop {
            let constraint = if self.peek("CONSTRAINT") {
                self.advance();
                self.identifier()?
            } else {
                String::new()
            };
            let own = || vec![column.name.clone()];
            if self.accept("NULL") {
                column.nullable = true;
            } else if self.accept_all(&["NOT", "NULL"]) {
                column.nullable = false;
            } else if self.accept("DEFAULT") {
                column.default = Some(self.value()?);
                self.accept_all(&["WITH", "VALUES"]);
            } else if self.accept("COLLATE") {
                self.identifier()?;
            } else if self.accept("IDENTITY") {
                column.nullable = false;
                column.identity = Some(self.identity()?);
                self.accept_all(&["NOT", "FOR", "REPLICATION"]);
                if !types::is_integer(column.kind) && !matches!(column.kind, Type::Decimal { scale: 0, .. }) {
                    let text = format!(
                        "Identity column '{}' must be of data type int, bigint, smallint, tinyint, or decimal or numeric with a scale of 0, unencrypted, and constrained to be nonnullable.",
                        column.name
                    );
                    return Err(Message { class: 16, ..self.fail(2749, text) });
                }
            } else if self.accept_all(&["PRIMARY", "KEY"]) {
                self.clustered();
                let columns = own();
                self.key_options()?;
                column.nullable = false;
                table.keys.push(KeyDefinition { name: constraint, kind: KeyKind::Primary, columns });
            } else if self.accept("UNIQUE") {
                self.clustered();
                let columns = own();
                self.key_options()?;
                table.keys.push(KeyDefinition { name: constraint, kind: KeyKind::Unique, columns });
            } else if self.accept("CHECK") {
                self.accept_all(&["NOT", "FOR", "REPLICATION"]);
                self.expect_symbol("(")?;
                let condition = self.nested(Self::condition)?;
                self.expect_symbol(")")?;
                table.checks.push((constraint, condition));
            } else if self.accept("INDEX") {
                self.identifier()?;
                self.clustered();
                self.key_options()?;
            } else if self.one_of(&["SPARSE", "ROWGUIDCOL"]).is_some() {
                // how it is stored
            } else if self.peek("REFERENCES") || self.peek("FOREIGN") {
                return Err(self.refused("REFERENCES in a table"));
            } else if self.peek("MASKED") || self.peek("GENERATED") || self.peek("ENCRYPTED") {
                return Err(self.refused(format!("{} columns", self.token().text)));
            } else if !constraint.is_empty() {
                return Err(self.unexpected());
            } else {
                break;
            }
        }
        table.columns.push(column);
        Ok(())
    }

    /// Stands behind `CREATE [UNIQUE] [CLUSTERED] INDEX`.
    pub(super) fn create_index(&mut self, unique: bool) -> Parsed<What> {
        let name = self.identifier()?;
        self.expect("ON")?;
        let table = self.name()?;
        let columns = self.key_columns()?;
        if self.accept("INCLUDE") {
            self.key_columns()?;
        }
        if self.peek("WHERE") {
            return Err(self.refused("filtered indexes"));
        }
        self.key_options()?;
        Ok(What::CreateIndex { name, table, unique, columns })
    }

    /// Stands behind ALTER TABLE.
    pub(super) fn alter_table(&mut self) -> Parsed<What> {
        let name = self.name()?;
        self.accept_all(&["WITH", "CHECK"]);
        self.accept_all(&["WITH", "NOCHECK"]);
        let change = if self.accept("ADD") {
            let mut table = TableDefinition::default();
            loop {
                let named = self.peek("CONSTRAINT") && self.ahead(2).is("DEFAULT");
                if named || self.peek("DEFAULT") {
                    return Err(self.refused("ALTER TABLE … ADD DEFAULT"));
                }
                self.table_element(&mut table)?;
                if !self.accept_symbol(",") {
                    break;
                }
            }
            TableChange::Add(table)
        } else if self.accept("DROP") {
            if self.accept("COLUMN") {
                self.if_exists()?;
                TableChange::DropColumns(self.commas(Self::identifier)?)
            } else {
                self.accept("CONSTRAINT");
                self.if_exists()?;
                TableChange::DropConstraints(self.commas(Self::identifier)?)
            }
        } else if self.accept_all(&["ALTER", "COLUMN"]) {
            let mut table = TableDefinition::default();
            self.column_definition(&mut table)?;
            match table.columns.pop() {
                Some(column) if column.computed.is_none() => TableChange::AlterColumn(column),
                _ => return Err(self.unexpected()),
            }
        } else if self.one_of(&["CHECK", "NOCHECK"]).is_some() {
            self.expect("CONSTRAINT")?;
            if !self.accept("ALL") {
                self.commas(Self::identifier)?;
            }
            TableChange::Nothing
        } else if *self.kind() != Kind::Word || !self.peek_name() {
            return Err(self.unexpected());
        } else {
            return Err(self.refused(format!("ALTER TABLE … {}", self.token().text)));
        };
        Ok(What::AlterTable { name, change })
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
