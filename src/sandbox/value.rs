//! SQL types and values as the simulated servers hold them.
//!
//! Does not know how they travel (`tds`) or how they are computed with (`tsql`).

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

#[allow(missing_docs, reason = "the variants are SQL Server's own type names")]
/// A column's or expression's type. Lengths in characters or bytes; `None` = max.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Type {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Money,
    SmallMoney,
    Real,
    Float,
    Date,
    Time {
        scale: u8,
    },
    SmallDateTime,
    DateTime,
    DateTime2 {
        scale: u8,
    },
    DateTimeOffset {
        scale: u8,
    },
    UniqueIdentifier,
    Char(u16),
    VarChar(Option<u16>),
    NChar(u16),
    NVarChar(Option<u16>),
    Binary(u16),
    VarBinary(Option<u16>),
    /// Held as text.
    Xml,
    Variant,
}

impl Type {
    /// `sysname`.
    pub const SYSNAME: Self = Self::NVarChar(Some(128));
    /// `numeric(25,0)`, the type of an LSN.
    pub const LSN: Self = Self::Decimal { precision: 25, scale: 0 };
}

#[allow(missing_docs, reason = "the variants are SQL Server's own type names")]
/// One value. Integers of every width are `Int`; the type stands beside it in the column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Null,
    Bit(bool),
    Int(i64),
    /// `digits` / 10^`scale`; at most 38 digits. Money is one with four decimals.
    Decimal {
        digits: i128,
        scale: u8,
    },
    Float(f64),
    Date(NaiveDate),
    Time(NaiveTime),
    /// datetime, smalldatetime and datetime2.
    DateTime(NaiveDateTime),
    /// Local time and offset from UTC in minutes.
    DateTimeOffset(NaiveDateTime, i16),
    /// In the byte order of the printed form.
    Guid([u8; 16]),
    Text(String),
    Binary(Vec<u8>),
}

#[allow(missing_docs, reason = "a column is its name, its type and whether it may be NULL")]
/// A named, typed column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub kind: Type,
    pub nullable: bool,
}

impl Column {
    /// A nullable column.
    pub fn new(name: impl Into<String>, kind: Type) -> Self {
        Self { name: name.into(), kind, nullable: true }
    }
}

#[allow(missing_docs, reason = "says it above")]
/// Rows with their columns; what a name in a FROM clause stands for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}
