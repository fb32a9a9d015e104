//! What TDS calls a value, as a cell; and a parameter as TDS takes it.
//!
//! A column of a time type without an offset of its own is universal time when its name contains `utc`
//! (any case), else local time at the server with the offset the server has now; [`place`] fills that in.
//! History from the other side of a daylight-saving change therefore carries today's offset.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use tiberius::{ColumnData, ColumnType, Query};

use super::statement::Bound;
use crate::reading::{Cell, Column, Kind};

/// The kind of a column.
pub(super) fn kind(column: ColumnType) -> Kind {
    use ColumnType as T;
    match column {
        T::Bit | T::Bitn => Kind::Bit,
        T::Int1 | T::Int2 | T::Int4 | T::Int8 | T::Intn => Kind::Int,
        T::Money | T::Money4 | T::Decimaln | T::Numericn => Kind::Decimal,
        T::Float4 | T::Float8 | T::Floatn => Kind::Float,
        T::Guid => Kind::Guid,
        T::Datetime4 | T::Datetime | T::Datetimen | T::Daten | T::Datetime2 | T::DatetimeOffsetn => {
            Kind::Time
        }
        T::BigVarBin | T::BigBinary | T::Image | T::Udt => Kind::Binary,
        // time of day has no cell of its own
        T::Timen | T::BigVarChar | T::BigChar | T::NVarchar | T::NChar | T::Xml | T::Text | T::NText => {
            Kind::Text
        }
        T::Null | T::SSVariant => Kind::Unknown,
    }
}

/// A value as a cell. Times come without an offset unless they carry one. `Err` names a value that is no value.
pub(super) fn cell(data: &ColumnData<'_>, column: ColumnType) -> Result<Cell, String> {
    let money = matches!(column, ColumnType::Money | ColumnType::Money4);
    Ok(match data {
        ColumnData::U8(v) => v.map_or(Cell::Null, |n| Cell::Int(n.into())),
        ColumnData::I16(v) => v.map_or(Cell::Null, |n| Cell::Int(n.into())),
        ColumnData::I32(v) => v.map_or(Cell::Null, |n| Cell::Int(n.into())),
        ColumnData::I64(v) => v.map_or(Cell::Null, Cell::Int),
        ColumnData::F32(v) => v.map_or(Cell::Null, |f| Cell::Float { float: f.into() }),
        ColumnData::F64(v) => v.map_or(Cell::Null, |f| {
            if money { Cell::Decimal { dec: format!("{f:.4}") } } else { Cell::Float { float: f } }
        }),
        ColumnData::Bit(v) => v.map_or(Cell::Null, Cell::Bit),
        ColumnData::String(v) => v.as_ref().map_or(Cell::Null, |t| Cell::text(t.as_ref())),
        ColumnData::Guid(v) => {
            v.map_or(Cell::Null, |g| Cell::Guid { guid: g.to_string().to_ascii_lowercase() })
        }
        ColumnData::Binary(v) => v.as_ref().map_or(Cell::Null, |b| Cell::Binary { hex: hex(b) }),
        ColumnData::Numeric(v) => {
            v.map_or(Cell::Null, |n| Cell::Decimal { dec: decimal(n.value(), n.scale()) })
        }
        ColumnData::Xml(v) => v.as_ref().map_or(Cell::Null, |x| Cell::text(x.to_string())),
        ColumnData::DateTime(v) => match v {
            None => Cell::Null,
            Some(d) => {
                // 1/300 s, shown as .000 .003 .007
                let ms = (i64::from(d.seconds_fragments()) * 10 + 1) / 3;
                local(since(1900, d.days().into(), TimeDelta::milliseconds(ms))?)
            }
        },
        ColumnData::SmallDateTime(v) => match v {
            None => Cell::Null,
            Some(d) => local(since(1900, d.days().into(), TimeDelta::minutes(d.seconds_fragments().into()))?),
        },
        ColumnData::Date(v) => match v {
            None => Cell::Null,
            Some(d) => local(since(1, d.days().into(), TimeDelta::zero())?),
        },
        ColumnData::Time(v) => match v {
            None => Cell::Null,
            Some(t) => {
                let day = of_day(t.increments(), t.scale())?;
                let time = NaiveTime::MIN.overflowing_add_signed(day).0;
                Cell::text(time.format("%H:%M:%S%.f").to_string())
            }
        },
        ColumnData::DateTime2(v) => match v {
            None => Cell::Null,
            Some(d) => local(wide(*d)?),
        },
        ColumnData::DateTimeOffset(v) => match v {
            None => Cell::Null,
            // the wire has universal time; the cell has the wall clock
            Some(d) => {
                let offset = d.offset();
                let time = wide(d.datetime2())?
                    .checked_add_signed(TimeDelta::minutes(offset.into()))
                    .ok_or_else(|| "a datetimeoffset out of range".to_owned())?;
                Cell::Time { time, offset: Some(offset.into()) }
            }
        },
    })
}

/// Gives the times of a row the offset their column says; see the module.
pub(super) fn place(columns: &[Column], row: &mut [Cell], offset_minutes: i32) {
    for (column, cell) in columns.iter().zip(row) {
        if let Cell::Time { offset: offset @ None, .. } = cell {
            let universal = column.name.to_ascii_lowercase().contains("utc");
            *offset = Some(if universal { 0 } else { offset_minutes });
        }
    }
}

/// Adds a parameter's value to a call.
pub(super) fn bind(call: &mut Query<'_>, value: Bound) {
    match value {
        Bound::Int(v) => call.bind(v),
        Bound::Bit(v) => call.bind(v),
        Bound::Float(v) => call.bind(v),
        Bound::Text(v) => call.bind(v),
        Bound::Time(v) => call.bind(v),
        Bound::Binary(v) => call.bind(v),
    }
}

fn local(time: NaiveDateTime) -> Cell {
    Cell::Time { time, offset: None }
}

fn wide(d: tiberius::time::DateTime2) -> Result<NaiveDateTime, String> {
    since(1, d.date().days().into(), of_day(d.time().increments(), d.time().scale())?)
}

/// Days and time of day since the first of January of `year`.
fn since(year: i32, days: i64, day: TimeDelta) -> Result<NaiveDateTime, String> {
    NaiveDate::from_ymd_opt(year, 1, 1)
        .and_then(|d| d.and_hms_opt(0, 0, 0))
        .and_then(|d| d.checked_add_signed(TimeDelta::try_days(days)?))
        .and_then(|d| d.checked_add_signed(day))
        .ok_or_else(|| format!("a date {days} days after {year}, out of range"))
}

/// `increments` of 10^-`scale` seconds.
fn of_day(increments: u64, scale: u8) -> Result<TimeDelta, String> {
    let nanoseconds = 9u32
        .checked_sub(scale.into())
        .and_then(|power| increments.checked_mul(10u64.pow(power)))
        .filter(|n| *n < 86_400_000_000_000)
        .ok_or_else(|| format!("a time of day of {increments} at scale {scale}, out of range"))?;
    Ok(TimeDelta::nanoseconds(nanoseconds as i64))
}

/// `value` / 10^`scale`, every digit kept.
fn decimal(value: i128, scale: u8) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use tiberius::numeric::Numeric;
    use tiberius::time::{Date, DateTime, DateTime2, DateTimeOffset, SmallDateTime, Time};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "cases are written where they are read")]
    fn text(data: ColumnData<'_>) -> String {
        let mut row = [cell(&data, ColumnType::Null).unwrap()];
        place(&[Column { name: "c".into(), kind: Kind::Unknown }], &mut row, -330);
        row[0].to_string()
    }

    #[test]
    fn every_type_reads_as_the_server_would_show_it() {
        for (data, shown) in [
            (ColumnData::U8(Some(255)), "255"),
            (ColumnData::I16(Some(-3)), "-3"),
            (ColumnData::I64(Some(i64::MIN)), "-9223372036854775808"),
            (ColumnData::Bit(Some(true)), "1"),
            (ColumnData::F64(Some(0.5)), "0.5"),
            (ColumnData::String(Some("ß 還".into())), "ß 還"),
            (
                ColumnData::Numeric(Some(Numeric::new_with_scale(37_000_000_012_300_001_000_000_001, 0))),
                "37000000012300001000000001",
            ),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(-5, 2))), "-0.05"),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(12_340, 2))), "123.40"),
            (ColumnData::Binary(Some(vec![0, 255].into())), "0x00ff"),
            (ColumnData::DateTime(Some(DateTime::new(0, 1))), "1900-01-01 00:00:00.003-05:30"),
            (ColumnData::DateTime(Some(DateTime::new(-53_690, 2))), "1753-01-01 00:00:00.007-05:30"),
            (ColumnData::SmallDateTime(Some(SmallDateTime::new(1, 61))), "1900-01-02 01:01:00.000-05:30"),
            (ColumnData::Date(Some(Date::new(3_652_058))), "9999-12-31 00:00:00.000-05:30"),
            (ColumnData::Time(Some(Time::new(36_615_000, 3))), "10:10:15"),
            (
                ColumnData::DateTime2(Some(DateTime2::new(Date::new(0), Time::new(1, 3)))),
                "0001-01-01 00:00:00.001-05:30",
            ),
            (
                ColumnData::DateTimeOffset(Some(DateTimeOffset::new(
                    DateTime2::new(Date::new(1), Time::new(0, 0)),
                    90,
                ))),
                "0001-01-02 01:30:00.000+01:30",
            ),
        ] {
            assert_eq!(text(data.clone()), shown, "{data:?}");
        }
        for null in [
            ColumnData::I32(None),
            ColumnData::String(None),
            ColumnData::Numeric(None),
            ColumnData::DateTime(None),
        ] {
            assert_eq!(cell(&null, ColumnType::Null).unwrap(), Cell::Null);
        }
        assert_eq!(
            cell(&ColumnData::F64(Some(12.5)), ColumnType::Money).unwrap(),
            Cell::Decimal { dec: "12.5000".into() }
        );
    }

    #[test]
    fn a_guid_is_lower_case() {
        let guid = tiberius::Uuid::parse_str("0123ABCD-89AB-CDEF-0123-456789ABCDEF").unwrap();
        assert_eq!(text(ColumnData::Guid(Some(guid))), "0123abcd-89ab-cdef-0123-456789abcdef");
    }

    #[test]
    fn values_out_of_range_are_errors_and_not_other_values() {
        for data in [
            ColumnData::Time(Some(Time::new(u64::MAX, 7))),
            ColumnData::DateTime2(Some(DateTime2::new(Date::new(16_000_000), Time::new(864_000_000_000, 7)))),
            ColumnData::DateTime(Some(DateTime::new(i32::MAX, 0))),
            ColumnData::Time(Some(Time::new(0, 200))),
        ] {
            assert!(cell(&data, ColumnType::Null).is_err(), "{data:?}");
        }
    }

    #[test]
    fn a_column_named_utc_is_universal_time() {
        let columns =
            ["Backup_UTC", "backup_finish_date"].map(|n| Column { name: n.into(), kind: Kind::Time });
        let noon = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap().and_hms_opt(12, 0, 0).unwrap();
        let mut row = [local(noon), local(noon)];
        place(&columns, &mut row, 60);
        assert_eq!(row[0].as_utc().unwrap().naive_utc(), noon);
        assert_eq!(row[1].as_utc().unwrap().naive_utc(), noon - TimeDelta::hours(1));
    }
}
