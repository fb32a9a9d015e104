//! The few pieces of T-SQL the port itself writes: preamble, identity, `USE`, parameter declarations.
//!
//! The only place that pastes a name into a statement, through [`quote`]. Does not know the wire.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use crate::reading::{Cell, Trouble, TroubleCode};
use crate::sql::{Parameter, Place, Query};

/// Sent once on every new connection, before anything else.
pub(super) const PREAMBLE: &str = "SET NOCOUNT ON; SET LOCK_TIMEOUT 5000; SET DEADLOCK_PRIORITY LOW; \
     SET TRANSACTION ISOLATION LEVEL READ COMMITTED;";

/// Who the server says it is; one row. Sent with the preamble.
pub(super) const IDENTITY: &str = "SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(256)) AS server_name, \
     CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS product_version, \
     CAST(@@VERSION AS nvarchar(400)) AS banner, \
     SYSUTCDATETIME() AS utc_now, SYSDATETIME() AS local_now;";

/// The server's clock, universal and local; one row. Sent after every answer, with the way back to master.
pub(super) const CLOCK: &str = "SELECT SYSUTCDATETIME() AS utc_now, SYSDATETIME() AS local_now;";

/// When the server was started, in one cell: tempdb is made anew at every start, and every login may see that.
pub(super) const BOOT: &str = "SELECT create_date FROM sys.databases WHERE name = N'tempdb';";

/// A name as T-SQL takes it: `a]b` becomes `[a]]b]`.
pub(super) fn quote(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// The batch that moves a session to a database.
pub(super) fn use_database(name: &str) -> String {
    format!("USE {};", quote(name))
}

/// The server's offset in minutes from its two clocks, which are read one after the other: to the nearest
/// quarter of an hour, as every offset in use is.
pub(super) fn offset_minutes(utc: NaiveDateTime, local: NaiveDateTime) -> i32 {
    let seconds = (local - utc).num_seconds();
    (seconds as f64 / 900.0).round() as i32 * 15
}

/// The database a query runs in: the one asked for, else where its header says.
pub(super) fn database_of(query: &Query, asked: Option<&str>, management: &str) -> Result<String, Trouble> {
    if let Some(name) = asked {
        return Ok(name.to_owned());
    }
    match &query.place {
        Place::Master => Ok("master".into()),
        Place::Msdb => Ok("msdb".into()),
        Place::Management => Ok(management.to_owned()),
        Place::Named(name) => Ok(name.clone()),
        Place::Any => Err(Trouble::new(
            TroubleCode::Unfilled,
            format!("{} runs in any database and the question names none; say `in:`", query.name),
        )),
    }
}

/// A value as it travels.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bound {
    Int(Option<i64>),
    Bit(Option<bool>),
    Float(Option<f64>),
    Text(Option<String>),
    Time(Option<NaiveDateTime>),
    Binary(Option<Vec<u8>>),
}

/// A query's text with its parameters declared in front, on the text's own first line (so that line numbers in
/// errors are those of the file), and the values for `@P1`, `@P2` ….
///
/// A parameter of a time type is universal time when its name contains `utc`, else the server's local time.
pub(super) fn with_parameters(
    text: &str,
    query: &Query,
    with: &BTreeMap<String, Cell>,
    offset_minutes: i32,
) -> Result<(String, Vec<Bound>), Trouble> {
    let wanted = |p: &Parameter, what: String| {
        Trouble::new(TroubleCode::Unfilled, format!("{}: @{} {what}", query.name, p.name))
    };
    if let Some(name) = with.keys().find(|k| query.parameters.iter().all(|p| p.name != **k)) {
        return Err(Trouble::new(
            TroubleCode::Unfilled,
            format!("{} has no parameter @{name}; see its header", query.name),
        ));
    }
    let mut out = String::new();
    let mut bound = Vec::new();
    for (i, parameter) in query.parameters.iter().enumerate() {
        let cell = with.get(&parameter.name).ok_or_else(|| wanted(parameter, "has no value".into()))?;
        let kind = SqlKind::parse(&parameter.kind).ok_or_else(|| {
            wanted(parameter, format!("is of a type that cannot be sent: {}", parameter.kind))
        })?;
        if !is_name(&parameter.name) {
            return Err(wanted(parameter, "is not a name".into()));
        }
        let value = kind
            .bind(cell, offset_minutes, parameter.name.to_ascii_lowercase().contains("utc"))
            .map_err(|why| wanted(parameter, format!("({}) {why}", parameter.kind)))?;
        let n = i + 1;
        let expression = if kind.cast { format!("CAST(@P{n} AS {kind})") } else { format!("@P{n}") };
        let _ = write!(out, "DECLARE @{} {kind} = {expression}; ", parameter.name);
        bound.push(value);
    }
    out.push_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    Ok((out, bound))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 127
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A declared type, taken apart and known, so that it may stand in a DECLARE.
struct SqlKind {
    base: String,
    /// In parentheses: numbers, or `max` as `None`.
    arguments: Vec<Option<u32>>,
    family: Family,
    /// Travels as text and is cast.
    cast: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Family {
    Int(i64, i64),
    Bit,
    Float,
    Text,
    Guid,
    Decimal,
    Time,
    TimeWithOffset,
    Binary,
}

impl std::fmt::Display for SqlKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.base)?;
        if self.arguments.is_empty() {
            return Ok(());
        }
        let all: Vec<String> =
            self.arguments.iter().map(|a| a.map_or("max".into(), |n| n.to_string())).collect();
        write!(f, "({})", all.join(","))
    }
}

impl SqlKind {
    fn parse(written: &str) -> Option<Self> {
        let written = written.trim().to_ascii_lowercase();
        let (base, arguments) = match written.split_once('(') {
            None => (written.as_str(), Vec::new()),
            Some((base, rest)) => {
                let mut all = Vec::new();
                for argument in rest.strip_suffix(')')?.split(',') {
                    all.push(match argument.trim() {
                        "max" => None,
                        number => Some(number.parse().ok()?),
                    });
                }
                (base.trim(), all)
            }
        };
        let family = match base {
            "bigint" => Family::Int(i64::MIN, i64::MAX),
            "int" => Family::Int(i64::from(i32::MIN), i64::from(i32::MAX)),
            "smallint" => Family::Int(i64::from(i16::MIN), i64::from(i16::MAX)),
            "tinyint" => Family::Int(0, 255),
            "bit" => Family::Bit,
            "float" | "real" => Family::Float,
            "nvarchar" | "varchar" | "nchar" | "char" | "sysname" => Family::Text,
            "uniqueidentifier" => Family::Guid,
            "decimal" | "numeric" => Family::Decimal,
            "datetime" | "datetime2" | "smalldatetime" | "date" => Family::Time,
            "datetimeoffset" => Family::TimeWithOffset,
            "varbinary" | "binary" => Family::Binary,
            _ => return None,
        };
        let cast = matches!(family, Family::Guid | Family::Decimal | Family::TimeWithOffset);
        Some(Self { base: base.to_owned(), arguments, family, cast })
    }

    /// Longest text in UTF-16 units; a DECLARE would cut a longer one in silence.
    fn longest(&self) -> Option<usize> {
        match (self.base.as_str(), self.arguments.first()) {
            ("sysname", _) => Some(128),
            (_, Some(None)) => None,
            (_, Some(Some(n))) => Some(*n as usize),
            // `nvarchar` without a length is nvarchar(1) in a DECLARE
            (_, None) => Some(1),
        }
    }

    fn bind(&self, cell: &Cell, offset_minutes: i32, universal: bool) -> Result<Bound, String> {
        if cell.is_null() {
            return Ok(match self.family {
                Family::Int(..) => Bound::Int(None),
                Family::Bit => Bound::Bit(None),
                Family::Float => Bound::Float(None),
                Family::Text | Family::Guid | Family::Decimal | Family::TimeWithOffset => Bound::Text(None),
                Family::Time => Bound::Time(None),
                Family::Binary => Bound::Binary(None),
            });
        }
        let not = |what: &str| format!("cannot be `{cell}`: not {what}");
        match self.family {
            Family::Int(least, most) => {
                let n = match cell {
                    Cell::Text(t) => t.trim().parse().ok(),
                    other => other.as_i128().and_then(|n| i64::try_from(n).ok()),
                };
                n.filter(|n| (least..=most).contains(n))
                    .map(|n| Bound::Int(Some(n)))
                    .ok_or_else(|| not("a whole number in its range"))
            }
            Family::Bit => match cell {
                Cell::Text(t) if t == "0" || t == "1" => Ok(Bound::Bit(Some(t == "1"))),
                other => other.as_bool().map(|b| Bound::Bit(Some(b))).ok_or_else(|| not("yes or no")),
            },
            Family::Float => match cell {
                Cell::Text(t) => t.trim().parse().ok(),
                other => other.as_f64(),
            }
            .filter(|f: &f64| f.is_finite())
            .map(|f| Bound::Float(Some(f)))
            .ok_or_else(|| not("a number")),
            Family::Text => {
                let text = match cell {
                    Cell::Text(t) => t.clone(),
                    other => other.to_string(),
                };
                let units = text.encode_utf16().count();
                match self.longest() {
                    Some(most) if units > most => Err(format!("takes {most} characters, not {units}")),
                    _ => Ok(Bound::Text(Some(text))),
                }
            }
            Family::Guid => {
                let guid =
                    cell.as_str().unwrap_or_default().trim().trim_matches(['{', '}']).to_ascii_lowercase();
                let whole = guid.len() == 36
                    && guid.char_indices().all(|(i, c)| match i {
                        8 | 13 | 18 | 23 => c == '-',
                        _ => c.is_ascii_hexdigit(),
                    });
                if whole { Ok(Bound::Text(Some(guid))) } else { Err(not("a uniqueidentifier")) }
            }
            Family::Decimal => {
                let text = match cell {
                    Cell::Int(_) | Cell::Decimal { .. } | Cell::Text(_) => cell.to_string(),
                    _ => String::new(),
                };
                let digits = text.trim().trim_start_matches(['-', '+']);
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
                let all = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
                if all(whole) && all(fraction) && digits.len() <= 40 {
                    Ok(Bound::Text(Some(text.trim().to_owned())))
                } else {
                    Err(not("a decimal number"))
                }
            }
            Family::Time => {
                let (time, offset) = moment(cell).ok_or_else(|| not("a time"))?;
                // a moment with a known offset is put into the frame the query reads it in
                let shift = offset.map_or(0, |o| if universal { -o } else { offset_minutes - o });
                time.checked_add_signed(TimeDelta::minutes(i64::from(shift)))
                    .map(|t| Bound::Time(Some(t)))
                    .ok_or_else(|| not("a time"))
            }
            Family::TimeWithOffset => match moment(cell) {
                Some((time, Some(offset))) => Ok(Bound::Text(Some(format!(
                    "{} {}{:02}:{:02}",
                    time.format("%Y-%m-%d %H:%M:%S%.6f"),
                    if offset < 0 { '-' } else { '+' },
                    offset.abs() / 60,
                    offset.abs() % 60
                )))),
                _ => Err(not("a time with a known offset")),
            },
            Family::Binary => match cell {
                Cell::Binary { hex } => bytes(hex),
                Cell::Text(t) => bytes(t.strip_prefix("0x").unwrap_or(t)),
                _ => None,
            }
            .map(|b| Bound::Binary(Some(b)))
            .ok_or_else(|| not("hex digits")),
        }
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).ok()).collect()
}

/// A time cell, or a text that reads as one (`2026-11-20T21:04:05`, a blank for the `T`, `Z` or `+01:00` behind).
fn moment(cell: &Cell) -> Option<(NaiveDateTime, Option<i32>)> {
    match cell {
        Cell::Time { time, offset } => Some((*time, *offset)),
        Cell::Text(text) => {
            let text = text.trim().replacen(' ', "T", 1);
            if let Ok(whole) = chrono::DateTime::parse_from_rfc3339(&text) {
                return Some((whole.naive_local(), Some(whole.offset().local_minus_utc() / 60)));
            }
            NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f")
                .or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M"))
                .ok()
                .or_else(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
                .map(|t| (t, None))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(parameters: &[(&str, &str)]) -> Query {
        Query {
            name: "test/query".into(),
            purpose: String::new(),
            place: Place::Any,
            parameters: parameters
                .iter()
                .map(|(n, k)| Parameter { name: (*n).into(), kind: (*k).into() })
                .collect(),
            examines: String::new(),
            needs: Vec::new(),
            reads_only: true,
            variants: Vec::new(),
        }
    }

    fn one(kind: &str, cell: Cell) -> Result<(String, Vec<Bound>), Trouble> {
        with_parameters("SELECT 1", &query(&[("p", kind)]), &BTreeMap::from([("p".into(), cell)]), 60)
    }

    #[test]
    fn names_are_quoted_whatever_they_hold() {
        assert_eq!(quote("a]b[c"), "[a]]b[c]");
        assert_eq!(use_database("x]; DROP DATABASE y--"), "USE [x]]; DROP DATABASE y--];");
    }

    #[test]
    fn parameters_are_declared_on_the_first_line_of_the_text() {
        let with = BTreeMap::from([
            ("since".to_owned(), Cell::text("2026-11-20 21:04:05")),
            ("lsn".to_owned(), Cell::Decimal { dec: "37000000012300001000000001".into() }),
            ("name".to_owned(), Cell::text("O'Brien")),
        ]);
        let parameters = [("since", "datetime2"), ("lsn", "numeric(25,0)"), ("name", "sysname")];
        let (text, bound) = with_parameters("-- head\nSELECT 1", &query(&parameters), &with, 0).unwrap();
        assert_eq!(
            text,
            "DECLARE @since datetime2 = @P1; DECLARE @lsn numeric(25,0) = CAST(@P2 AS numeric(25,0)); \
             DECLARE @name sysname = @P3; -- head\nSELECT 1"
        );
        assert_eq!(bound[1], Bound::Text(Some("37000000012300001000000001".into())));
        assert_eq!(bound[2], Bound::Text(Some("O'Brien".into())));
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused_and_never_cut() {
        for (kind, cell) in [
            ("int", Cell::Int(3_000_000_000)),
            ("tinyint", Cell::Int(-1)),
            ("bit", Cell::text("yes")),
            ("nvarchar(3)", Cell::text("four")),
            ("nvarchar", Cell::text("ab")),
            ("uniqueidentifier", Cell::text("x")),
            ("decimal(5,2)", Cell::text("1e3")),
            ("datetime2", Cell::text("yesterday")),
            ("datetimeoffset", Cell::text("2026-11-20T21:04:05")),
            ("varbinary(4)", Cell::text("0xzz")),
            ("hierarchyid", Cell::text("/")),
            ("int; DROP TABLE x", Cell::Int(1)),
        ] {
            let trouble = one(kind, cell).expect_err(kind);
            assert_eq!(trouble.code, TroubleCode::Unfilled, "{kind}");
            assert!(trouble.message.contains("@p"), "{trouble}");
        }
        assert!(one("nvarchar(4)", Cell::text("four")).is_ok());
        assert!(one("nvarchar(max)", Cell::text("x".repeat(9000))).is_ok());
    }

    #[test]
    fn a_missing_and_a_surplus_parameter_are_named() {
        let none = with_parameters("", &query(&[("p", "int")]), &BTreeMap::new(), 0).unwrap_err();
        assert!(none.message.contains("@p has no value"), "{none}");
        let surplus = BTreeMap::from([("q".to_owned(), Cell::Int(1))]);
        let more = with_parameters("", &query(&[]), &surplus, 0).unwrap_err();
        assert!(more.message.contains("no parameter @q"), "{more}");
    }

    #[test]
    fn null_keeps_the_type_of_its_parameter() {
        assert_eq!(one("bigint", Cell::Null).unwrap().1, [Bound::Int(None)]);
        assert_eq!(one("varbinary(max)", Cell::Null).unwrap().1, [Bound::Binary(None)]);
        assert_eq!(one("uniqueidentifier", Cell::Null).unwrap().1, [Bound::Text(None)]);
    }

    #[test]
    fn times_are_put_into_the_frame_their_name_says() {
        let noon = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap().and_hms_opt(12, 0, 0).unwrap();
        let cell = Cell::Time { time: noon, offset: Some(-120) };
        let with = BTreeMap::from([("since".to_owned(), cell.clone()), ("since_utc".to_owned(), cell)]);
        let parameters = [("since", "datetime2"), ("since_utc", "datetime")];
        let (_, bound) = with_parameters("", &query(&parameters), &with, 60).unwrap();
        assert_eq!(bound[0], Bound::Time(Some(noon + TimeDelta::hours(3))));
        assert_eq!(bound[1], Bound::Time(Some(noon + TimeDelta::hours(2))));
    }

    #[test]
    fn an_offset_is_found_although_the_clocks_are_read_one_after_the_other() {
        let noon = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap().and_hms_opt(12, 0, 0).unwrap();
        for minutes in [-330, -60, 0, 60, 345, 840] {
            let local = noon + TimeDelta::minutes(i64::from(minutes)) + TimeDelta::milliseconds(900);
            assert_eq!(offset_minutes(noon, local), minutes);
        }
    }

    #[test]
    fn a_query_for_any_database_must_be_told_which() {
        assert_eq!(database_of(&query(&[]), Some("X"), "M").unwrap(), "X");
        assert_eq!(database_of(&query(&[]), None, "M").unwrap_err().code, TroubleCode::Unfilled);
        let placed = Query { place: Place::Management, ..query(&[]) };
        assert_eq!(database_of(&placed, None, "M").unwrap(), "M");
    }
}
