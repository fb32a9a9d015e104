//! Readings: what was seen, verbatim; and troubles: why nothing was seen.
//!
//! Knows nothing of verdicts. A reading is evidence, never a conclusion.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// One cell of an answer. Numbers beyond 64 bits (LSNs) are decimal strings; times are local with their offset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// NULL.
    Null,
    /// bit.
    Bit(bool),
    /// tinyint to bigint.
    Int(i64),
    /// Any text.
    Text(String),
    /// numeric and decimal of any size, exact: `{"dec":"123.40"}`.
    Decimal {
        /// Digits with an optional sign and point.
        dec: String,
    },
    /// real and float.
    Float {
        /// The number.
        float: f64,
    },
    /// date, datetime, datetime2, datetimeoffset.
    Time {
        /// Wall time at the server (or UTC when `offset` is 0).
        time: NaiveDateTime,
        /// Minutes from UTC; absent when the server's offset is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offset: Option<i32>,
    },
    /// uniqueidentifier, lower case with hyphens.
    Guid {
        /// `01234567-89ab-cdef-0123-456789abcdef`.
        guid: String,
    },
    /// binary and varbinary.
    Binary {
        /// Hex digits.
        hex: String,
    },
}

impl Cell {
    /// A text cell.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }
    /// As a whole number: bits count as 0 and 1, decimals without a fraction count.
    pub fn as_i128(&self) -> Option<i128> {
        match self {
            Self::Bit(b) => Some(i128::from(*b)),
            Self::Int(i) => Some(i128::from(*i)),
            Self::Decimal { dec } => {
                let (whole, fraction) = dec.split_once('.').unwrap_or((dec, ""));
                fraction.bytes().all(|b| b == b'0').then(|| whole.parse().ok()).flatten()
            }
            _ => None,
        }
    }
    /// As a number that may have a fraction. Never for LSNs.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float { float } => Some(*float),
            Self::Decimal { dec } => dec.parse().ok(),
            other => other.as_i128().map(|n| n as f64),
        }
    }
    /// As text, for texts and guids.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(t) => Some(t),
            Self::Guid { guid } => Some(guid),
            _ => None,
        }
    }
    /// As yes or no: bits and whole numbers.
    pub fn as_bool(&self) -> Option<bool> {
        self.as_i128().map(|n| n != 0)
    }
    /// As a moment; `None` when the offset is not known.
    pub fn as_utc(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Time { time, offset: Some(offset) } => {
                time.checked_sub_signed(TimeDelta::minutes(i64::from(*offset))).map(|t| t.and_utc())
            }
            _ => None,
        }
    }
    /// A moment in UTC.
    pub fn utc(at: DateTime<Utc>) -> Self {
        Self::Time { time: at.naive_utc(), offset: Some(0) }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Cell {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<bool> for Cell {
    fn from(b: bool) -> Self {
        Self::Bit(b)
    }
}

/// As shown on a screen and in a report, the same in every language.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bit(b) => write!(f, "{}", u8::from(*b)),
            Self::Int(i) => write!(f, "{i}"),
            Self::Text(t) => f.write_str(t),
            Self::Decimal { dec } => f.write_str(dec),
            Self::Float { float } => write!(f, "{float}"),
            Self::Time { time, offset } => {
                write!(f, "{}", time.format("%Y-%m-%d %H:%M:%S%.3f"))?;
                match offset {
                    Some(0) => f.write_str("Z"),
                    Some(m) => {
                        write!(f, "{}{:02}:{:02}", if *m < 0 { '-' } else { '+' }, m.abs() / 60, m.abs() % 60)
                    }
                    None => Ok(()),
                }
            }
            Self::Guid { guid } => f.write_str(guid),
            Self::Binary { hex } => write!(f, "0x{hex}"),
        }
    }
}

/// The kind of a column, as the server declared it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Bit,
    Int,
    Decimal,
    Float,
    Text,
    Time,
    Guid,
    Binary,
    Unknown,
}

/// A column of a reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// As the server named it.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
}

/// Where a reading comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A SQL Server said it.
    Sql,
    /// A program on this computer printed it.
    Command,
    /// A file on this computer says it.
    File,
    /// A person says so.
    Attested,
}

/// Who answered, as the server itself says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// `SERVERPROPERTY('ServerName')`.
    pub name: String,
    /// Product version, such as `15.0.4430.1`.
    pub version: String,
    /// Whether its own banner says it is simulated.
    pub simulated: bool,
    /// Its clock when it answered, UTC.
    pub clock: DateTime<Utc>,
    /// Its local time's offset from UTC, minutes.
    pub offset_minutes: i32,
}

/// Evidence: rows as they came, and who gave them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Where it comes from.
    pub source: Source,
    /// Who answered; absent for what no server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerFacts>,
    /// SHA-256 of the exact query text (the variant that ran), hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_sha256: Option<String>,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Rows in order; each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// Rows the server sent; more than `rows.len()` when truncated.
    pub row_count: u64,
    /// Whether rows were left out. A truncated reading is never judged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Real milliseconds from question to last row.
    pub took_ms: u64,
    /// Messages beside the rows, best effort; never judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
}

impl Reading {
    /// The position of a column, names compared without case.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name))
    }
    /// The cell of a row in a named column; `None` when there is no such column or row.
    pub fn cell(&self, row: usize, name: &str) -> Option<&Cell> {
        self.rows.get(row)?.get(self.column(name)?)
    }
    /// Every cell of a named column.
    pub fn cells<'a>(&'a self, name: &str) -> Option<impl Iterator<Item = &'a Cell> + use<'a>> {
        let at = self.column(name)?;
        Some(self.rows.iter().filter_map(move |r| r.get(at)))
    }
    /// The server's clock when it answered.
    pub fn clock(&self) -> Option<DateTime<Utc>> {
        self.server.as_ref().map(|s| s.clock)
    }
}

/// Why there is no reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TroubleCode {
    /// Nothing listens at that port.
    Refused,
    /// No answer from the host, or no route.
    Unreachable,
    /// The name resolves to no address.
    NameUnknown,
    /// Encryption could not be agreed, or the certificate is not trusted.
    Tls,
    /// 18456 and its family.
    Login,
    /// The secret the estate names cannot be had (variable not set, command failed, nobody to ask).
    Secret,
    /// 4060, 911, 927, 942 …: the database cannot be entered.
    Database,
    /// 229, 230, 262, 297, 300, 371, 916 …
    Permission,
    /// The deadline passed.
    Timeout,
    /// 1222.
    LockTimeout,
    /// The connection broke while the answer was on its way.
    Lost,
    /// More rows than are kept.
    Truncated,
    /// 208, 2812: no such object.
    ObjectMissing,
    /// 207: no such column.
    ColumnMissing,
    /// No variant of the query runs on that version, or the answer lacks declared columns.
    NotSupported,
    /// 59999: the sandbox does not model it.
    NotModelled,
    /// The statement ended without a result set.
    NoResultSet,
    /// A value in the question could not be filled in (a capture or an answer is missing).
    Unfilled,
    /// The server is not the one the estate expects.
    WrongServer,
    /// Not asked: the mode or a guard forbids it.
    Forbidden,
    /// Any other error of the server.
    Server,
    /// Anything else.
    Other,
}

impl TroubleCode {
    /// Whether the server could not be talked to at all.
    pub fn is_unreachable(self) -> bool {
        matches!(self, Self::Refused | Self::Unreachable | Self::NameUnknown | Self::Timeout | Self::Lost)
    }
    /// As in files: `lock-timeout`.
    pub fn key(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// Why there is no reading, with what the server or the network said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The kind.
    pub code: TroubleCode,
    /// What was said, verbatim where a server or the system said it.
    pub message: String,
    /// SQL error number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// SQL error state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<u8>,
    /// Line of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Real milliseconds until it was known.
    #[serde(default)]
    pub took_ms: u64,
}

impl Trouble {
    /// A trouble with words only.
    pub fn new(code: TroubleCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), number: None, state: None, line: None, took_ms: 0 }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{} (error {number}): {}", self.code.key(), self.message),
            None => write!(f, "{}: {}", self.code.key(), self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_survive_json_exactly() {
        let time =
            chrono::NaiveDate::from_ymd_opt(2026, 11, 20).unwrap().and_hms_milli_opt(3, 0, 1, 7).unwrap();
        for cell in [
            Cell::Null,
            Cell::Bit(true),
            Cell::Int(i64::MIN),
            Cell::text("12"),
            Cell::Decimal { dec: "9999999999999999999999999".into() },
            Cell::Float { float: 1.5 },
            Cell::Time { time, offset: Some(-330) },
            Cell::Time { time, offset: None },
            Cell::Guid { guid: "01234567-89ab-cdef-0123-456789abcdef".into() },
            Cell::Binary { hex: "00ff".into() },
        ] {
            let json = serde_json::to_string(&cell).unwrap();
            assert_eq!(serde_json::from_str::<Cell>(&json).unwrap(), cell, "{json}");
        }
    }

    #[test]
    fn an_lsn_is_a_whole_number_beyond_64_bits() {
        let lsn = Cell::Decimal { dec: "37000000012300001000000001".into() };
        assert_eq!(lsn.as_i128(), Some(37_000_000_012_300_001_000_000_001));
        assert_eq!(Cell::Decimal { dec: "1.50".into() }.as_i128(), None);
    }
}
