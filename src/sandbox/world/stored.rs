//! Tables as the world keeps and builds them: cells, column lists written as text, and a compact form on disk.
//!
//! Does not know which tables there are.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ids::{Guid, Lsn};
use crate::sandbox::value::{Column, Table, Type, Value};

pub(crate) const NULL: Value = Value::Null;
pub(crate) const ON: Value = Value::Bit(true);
pub(crate) const OFF: Value = Value::Bit(false);

pub(crate) fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}
pub(crate) fn int(number: impl Into<i64>) -> Value {
    Value::Int(number.into())
}
pub(crate) fn count(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
pub(crate) const fn bit(yes: bool) -> Value {
    Value::Bit(yes)
}
/// datetime: rounded to its 1/300 of a second, as the server shows it.
pub(crate) fn at(time: NaiveDateTime) -> Value {
    let ms = i64::from(time.and_utc().timestamp_subsec_millis());
    let ticks = (ms * 3 + 5) / 10;
    let shown = (ticks * 10 + 1) / 3;
    Value::DateTime(time + chrono::TimeDelta::milliseconds(shown - ms) - sub_milliseconds(time))
}
fn sub_milliseconds(time: NaiveDateTime) -> chrono::TimeDelta {
    chrono::TimeDelta::nanoseconds(i64::from(time.and_utc().timestamp_subsec_nanos() % 1_000_000))
}
pub(crate) const fn guid(guid: Guid) -> Value {
    Value::Guid(guid.0)
}
pub(crate) const fn lsn(lsn: Lsn) -> Value {
    Value::Decimal { digits: lsn.0, scale: 0 }
}
pub(crate) fn numeric(number: impl Into<i128>) -> Value {
    Value::Decimal { digits: number.into(), scale: 0 }
}
/// The value, or NULL.
pub(crate) fn or_null<T>(value: Option<T>, cell: impl Fn(T) -> Value) -> Value {
    value.map_or(NULL, cell)
}

/// The text of a cell, if it is one.
pub(crate) fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(t) => Some(t),
        _ => None,
    }
}
/// The whole number of a cell, bits as 0 and 1.
pub(crate) fn as_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Bit(b) => Some(i64::from(*b)),
        Value::Decimal { digits, scale: 0 } => i64::try_from(*digits).ok(),
        Value::Text(t) => t.trim().parse().ok(),
        _ => None,
    }
}

/// A column of a system object or of a table in a world file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spec {
    pub(crate) column: Column,
    /// The product year it came with; 0 = always there.
    pub(crate) since: u16,
}

/// `name type [not null] [@year]; …`, `~` for a blank in a name, `.` for the comma of a numeric.
pub(crate) fn specs(text: &str) -> Result<Vec<Spec>, String> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(spec).collect()
}

fn spec(text: &str) -> Result<Spec, String> {
    let mut words = text.split_whitespace();
    let (Some(name), Some(kind)) = (words.next(), words.next()) else {
        return Err(format!("a column is written `name type`, not `{text}`"));
    };
    let mut column = Column::new(name.replace('~', " "), kind_of(kind)?);
    let mut since = 0;
    let rest: Vec<&str> = words.collect();
    for word in &rest {
        match *word {
            "not" | "null" => column.nullable = false,
            year if year.starts_with('@') => {
                since = year[1..].parse().map_err(|_| format!("`{year}` is not @year"))?;
            }
            other => return Err(format!("`{other}` in column `{text}`")),
        }
    }
    Ok(Spec { column, since })
}

/// A type from its SQL name.
pub(crate) fn kind_of(text: &str) -> Result<Type, String> {
    let (name, argument) = match text.split_once('(') {
        Some((name, rest)) => (name, rest.trim_end_matches(')')),
        None => (text, ""),
    };
    let wrong = || format!("`{text}` is not a type");
    let length = || argument.parse::<u16>().map_err(|_| wrong());
    let long =
        || if argument == "max" { Ok(None) } else { argument.parse::<u16>().map(Some).map_err(|_| wrong()) };
    let scale = || argument.parse::<u8>().unwrap_or(7);
    Ok(match name {
        "bit" => Type::Bit,
        "tinyint" => Type::TinyInt,
        "smallint" => Type::SmallInt,
        "int" => Type::Int,
        "bigint" => Type::BigInt,
        "real" => Type::Real,
        "float" => Type::Float,
        "lsn" => Type::LSN,
        "numeric" | "decimal" => {
            let (p, s) = argument.split_once(['.', ',']).ok_or_else(wrong)?;
            Type::Decimal {
                precision: p.trim().parse().map_err(|_| wrong())?,
                scale: s.trim().parse().map_err(|_| wrong())?,
            }
        }
        "date" => Type::Date,
        "time" => Type::Time { scale: scale() },
        "smalldatetime" => Type::SmallDateTime,
        "datetime" => Type::DateTime,
        "datetime2" => Type::DateTime2 { scale: scale() },
        "datetimeoffset" => Type::DateTimeOffset { scale: scale() },
        "uniqueidentifier" => Type::UniqueIdentifier,
        "sysname" => Type::SYSNAME,
        "char" => Type::Char(length()?),
        "varchar" => Type::VarChar(long()?),
        "nchar" => Type::NChar(length()?),
        "nvarchar" => Type::NVarChar(long()?),
        "binary" => Type::Binary(length()?),
        "varbinary" => Type::VarBinary(long()?),
        "money" => Type::Money,
        "smallmoney" => Type::SmallMoney,
        "xml" => Type::Xml,
        "sql_variant" => Type::Variant,
        _ => return Err(wrong()),
    })
}

/// A table being filled by column name; what is not named is NULL.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) table: Table,
    /// Columns this server's version does not have.
    absent: Vec<String>,
    /// Only these columns are filled, in this order; the rows have no others.
    wanted: Option<Vec<usize>>,
}

/// How each column of a large table comes from one item of it; only those that are wanted are made.
pub(crate) type Makers<'m, T> = &'m [(&'m str, Maker<T>)];
type Maker<T> = fn(&T) -> Value;

impl Sheet {
    /// An empty sheet of the columns that a product of `year` has.
    pub(crate) fn new(specs: &[Spec], year: u16) -> Self {
        let (there, absent): (Vec<&Spec>, Vec<&Spec>) = specs.iter().partition(|s| s.since <= year);
        Self {
            table: Table { columns: there.into_iter().map(|s| s.column.clone()).collect(), rows: Vec::new() },
            absent: absent.into_iter().map(|s| s.column.name.clone()).collect(),
            wanted: None,
        }
    }

    /// Fills no more than these columns, in this order.
    pub(crate) fn wanting(mut self, wanted: &[usize]) -> Self {
        self.wanted = Some(wanted.to_vec());
        self
    }

    fn absent(&self, name: &str) {
        debug_assert!(self.absent.iter().any(|a| a == name), "there is no column {name}");
    }

    /// Appends a row per item. A name that no version has is a mistake of the caller's.
    pub(crate) fn each<T>(&mut self, items: impl Iterator<Item = T>, makers: Makers<'_, T>) {
        let columns = &self.table.columns;
        for (name, _) in makers.iter().filter(|(name, _)| !columns.iter().any(|c| c.name == *name)) {
            self.absent(name);
        }
        let made = |n: usize| {
            let name = columns.get(n).map_or("", |c| c.name.as_str());
            makers.iter().find(|(m, _)| *m == name).map(|(_, make)| *make)
        };
        let cells: Vec<Option<Maker<T>>> = match &self.wanted {
            Some(wanted) => wanted.iter().map(|n| made(*n)).collect(),
            None => (0..columns.len()).map(made).collect(),
        };
        let row = |item: T| cells.iter().map(|make| make.map_or(NULL, |make| make(&item))).collect();
        self.table.rows.extend(items.map(row));
    }

    /// Appends a row. A name that no version has is a mistake of the caller's.
    pub(crate) fn row(&mut self, cells: Vec<(&str, Value)>) {
        let mut row = vec![NULL; self.table.columns.len()];
        for (name, value) in cells {
            if let Some(n) = self.table.columns.iter().position(|c| c.name == name) {
                row[n] = value;
            } else {
                self.absent(name);
            }
        }
        if let Some(wanted) = &self.wanted {
            row = wanted.iter().map(|n| std::mem::replace(&mut row[*n], NULL)).collect();
        }
        self.table.rows.push(row);
    }
}

/// A table with rows of its own, as users make them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Packed", into = "Packed")]
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) object_id: i32,
    /// Shared with whoever reads it just now.
    pub(crate) table: Arc<Table>,
}

impl Stored {
    /// The rows to change; whoever reads the table keeps it as it was.
    pub(crate) fn rows_mut(&mut self) -> &mut Vec<Vec<Value>> {
        &mut Arc::make_mut(&mut self.table).rows
    }

    /// A table without columns.
    pub(crate) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), object_id: 0, table: Arc::default() }
    }

    /// Column number by name (any case).
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.table.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name))
    }

    /// A cell by row and column name; NULL when there is no such column.
    pub(crate) fn cell<'a>(&self, row: &'a [Value], name: &str) -> &'a Value {
        self.column(name).and_then(|n| row.get(n)).unwrap_or(&NULL)
    }

    /// A whole row from named cells.
    pub(crate) fn row_of(&self, cells: &[(&str, Value)]) -> Vec<Value> {
        self.table
            .columns
            .iter()
            .map(|c| {
                cells
                    .iter()
                    .find(|(name, _)| c.name.eq_ignore_ascii_case(name))
                    .map_or(NULL, |(_, v)| v.clone())
            })
            .collect()
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Packed {
    name: String,
    id: i32,
    columns: Vec<Column>,
    rows: Vec<Vec<Json>>,
}

impl From<Stored> for Packed {
    fn from(stored: Stored) -> Self {
        let rows = stored.table.rows.iter().map(|row| row.iter().map(pack).collect()).collect();
        Self { name: stored.name, id: stored.object_id, columns: stored.table.columns.clone(), rows }
    }
}

impl TryFrom<Packed> for Stored {
    type Error = String;
    fn try_from(packed: Packed) -> Result<Self, String> {
        let mut rows = Vec::with_capacity(packed.rows.len());
        for row in packed.rows {
            if row.len() != packed.columns.len() {
                return Err(format!("a row of {} has {} cells", packed.name, row.len()));
            }
            rows.push(
                row.into_iter()
                    .zip(&packed.columns)
                    .map(|(c, k)| unpack(c, k.kind))
                    .collect::<Result<_, _>>()?,
            );
        }
        let table = Arc::new(Table { columns: packed.columns, rows });
        Ok(Self { name: packed.name, object_id: packed.id, table })
    }
}

const TIME: &str = "%Y-%m-%dT%H:%M:%S%.f";

fn pack(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bit(b) => (*b).into(),
        Value::Int(n) => (*n).into(),
        Value::Text(t) => t.as_str().into(),
        Value::DateTime(t) => t.format(TIME).to_string().into(),
        Value::Guid(g) => Guid(*g).to_string().into(),
        // Rare in stored tables: kept in full, as an object.
        other => serde_json::to_value(other).unwrap_or(Json::Null),
    }
}

fn unpack(cell: Json, kind: Type) -> Result<Value, String> {
    Ok(match cell {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bit(b),
        Json::Number(n) => Value::Int(n.as_i64().ok_or("a number out of range")?),
        Json::String(t) => match kind {
            Type::DateTime | Type::SmallDateTime | Type::DateTime2 { .. } => {
                Value::DateTime(NaiveDateTime::parse_from_str(&t, TIME).map_err(|e| e.to_string())?)
            }
            Type::UniqueIdentifier => Value::Guid(t.parse::<Guid>()?.0),
            _ => Value::Text(t),
        },
        object => serde_json::from_value(object).map_err(|e| e.to_string())?,
    })
}

/// A cell from a scalar of a world file, in the type of its column.
pub(crate) fn from_scalar(written: &Json, kind: Type) -> Result<Value, String> {
    let wrong = || format!("{written} does not fit {kind:?}");
    Ok(match (written, kind) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(b), Type::Bit) => Value::Bit(*b),
        (Json::Number(n), Type::Bit) => Value::Bit(n.as_i64() == Some(1)),
        (Json::Number(n), Type::TinyInt | Type::SmallInt | Type::Int | Type::BigInt) => {
            Value::Int(n.as_i64().ok_or_else(wrong)?)
        }
        (Json::String(t), Type::DateTime | Type::DateTime2 { .. } | Type::SmallDateTime) => {
            let time = NaiveDateTime::parse_from_str(t, "%Y-%m-%d %H:%M:%S").map_err(|_| wrong())?;
            Value::DateTime(time)
        }
        (Json::String(t), Type::UniqueIdentifier) => Value::Guid(t.parse::<Guid>()?.0),
        (Json::String(t), Type::Char(_) | Type::VarChar(_) | Type::NChar(_) | Type::NVarChar(_)) => {
            Value::Text(t.clone())
        }
        _ => return Err(wrong()),
    })
}

/// `yyyymmdd` and `hhmmss` as whole numbers, the way the agent writes time.
pub(crate) fn agent_date(time: NaiveDateTime) -> (i64, i64) {
    use chrono::{Datelike, Timelike};
    let date = i64::from(time.year()) * 10_000 + i64::from(time.month()) * 100 + i64::from(time.day());
    let clock = i64::from(time.hour()) * 10_000 + i64::from(time.minute()) * 100 + i64::from(time.second());
    (date, clock)
}

/// Seconds as `[h]hhmmss`.
pub(crate) const fn agent_duration(seconds: i64) -> i64 {
    seconds / 3600 * 10_000 + seconds / 60 % 60 * 100 + seconds % 60
}

/// The agent's two numbers back to a time.
pub(crate) fn agent_datetime(date: i64, clock: i64) -> Option<NaiveDateTime> {
    let n = |x: i64| u32::try_from(x).ok();
    let day =
        NaiveDate::from_ymd_opt(i32::try_from(date / 10_000).ok()?, n(date / 100 % 100)?, n(date % 100)?)?;
    let time = NaiveTime::from_hms_opt(n(clock / 10_000)?, n(clock / 100 % 100)?, n(clock % 100)?)?;
    Some(day.and_time(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_table_comes_back_from_disk_as_it_was() {
        let columns =
            specs("a int not null; b nvarchar(10); c datetime; d uniqueidentifier; e lsn; f bit").unwrap();
        let mut sheet = Sheet::new(&columns, 2019);
        let time = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap().and_hms_milli_opt(2, 3, 4, 5).unwrap();
        sheet.row(vec![
            ("a", int(5)),
            ("b", text("7")),
            ("c", at(time)),
            ("d", guid(Guid([9; 16]))),
            ("e", lsn(Lsn::new(12_045, 1, 1))),
            ("f", ON),
        ]);
        sheet.row(vec![("a", int(6))]);
        let stored = Stored { name: "t".into(), object_id: 3, table: sheet.table.into() };
        let json = serde_json::to_string(&stored).unwrap();
        assert_eq!(serde_json::from_str::<Stored>(&json).unwrap(), stored);
    }

    #[test]
    fn newer_columns_are_not_there_on_older_servers() {
        let columns = specs("a int; b numeric(20.0) @2014").unwrap();
        let mut sheet = Sheet::new(&columns, 2012);
        sheet.row(vec![("a", int(1)), ("b", int(2))]);
        assert_eq!(sheet.table.columns.len(), 1);
        assert!(specs("a").is_err() && specs("a hierarchyid").is_err());
    }

    #[test]
    fn datetime_shows_thirds_of_a_hundredth() {
        let time = |ms| NaiveDate::from_ymd_opt(2026, 3, 1).unwrap().and_hms_milli_opt(0, 0, 0, ms).unwrap();
        for (ms, shown) in [(0, 0), (1, 0), (2, 3), (4, 3), (5, 7), (8, 7), (123, 123), (995, 997)] {
            assert_eq!(at(time(ms)), Value::DateTime(time(shown)), "{ms}");
        }
        assert_eq!(at(time(999)), Value::DateTime(time(0) + chrono::TimeDelta::seconds(1)));
    }

    #[test]
    fn agent_numbers_read_back() {
        let time = agent_datetime(20_260_301, 20_304).unwrap();
        assert_eq!(agent_date(time), (20_260_301, 20_304));
        assert_eq!(agent_duration(3725), 10_205);
    }
}
