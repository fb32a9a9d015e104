//! Date and time functions.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};

use super::super::compare::utc;
use super::super::convert::{convert, datetime_round};
use super::super::function::Function;
use super::super::plan::Bound;
use super::super::types;
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// Whether a function is one of these.
pub(super) fn takes(function: Function) -> bool {
    use Function as F;
    matches!(
        function,
        F::DateAdd
            | F::DateDiff
            | F::DateDiffBig
            | F::DateName
            | F::DatePart
            | F::DateFromParts
            | F::EoMonth
            | F::SwitchOffset
            | F::ToDateTimeOffset
            | F::AtTimeZone
            | F::DateTimeFromParts
            | F::DateTime2FromParts
            | F::DateTimeOffsetFromParts
            | F::SmallDateTimeFromParts
            | F::TimeFromParts
            | F::DateTrunc
    )
}

/// GETDATE and its kin.
pub(super) fn now(function: Function, now: DateTime<Utc>, offset: i16) -> Value {
    let utc = now.naive_utc();
    let local = utc + TimeDelta::minutes(i64::from(offset));
    let hundred_nanos = |m: NaiveDateTime| m.with_nanosecond(m.nanosecond() / 100 * 100).unwrap_or(m);
    match function {
        Function::GetDate => Value::DateTime(datetime_round(local)),
        Function::GetUtcDate => Value::DateTime(datetime_round(utc)),
        Function::SysDateTime => Value::DateTime(hundred_nanos(local)),
        Function::SysUtcDateTime => Value::DateTime(hundred_nanos(utc)),
        _ => Value::DateTimeOffset(hundred_nanos(local), offset),
    }
}

fn parts(value: &Value) -> Option<(NaiveDateTime, i16)> {
    let epoch = NaiveDate::from_ymd_opt(1900, 1, 1)?;
    Some(match value {
        Value::Date(date) => (date.and_time(NaiveTime::MIN), 0),
        Value::Time(time) => (epoch.and_time(*time), 0),
        Value::DateTime(moment) => (*moment, 0),
        Value::DateTimeOffset(moment, offset) => (*moment, *offset),
        _ => return None,
    })
}

fn word(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn int(value: &Value) -> i64 {
    match value {
        Value::Int(n) => *n,
        _ => 0,
    }
}

/// Computes one of them; no argument is NULL.
pub(super) fn compute(
    function: Function,
    values: &[Value],
    arguments: &[Bound],
    kind: Type,
    date_first: i64,
) -> Result<Value, Message> {
    use Function as F;
    let broken = || Message::not_modelled("a date function over these values");
    match function {
        F::DateAdd => date_add(word(&values[0]), int(&values[1]), &values[2], arguments[2].kind, kind),
        F::DateDiff | F::DateDiffBig => {
            let (a, p) = parts(&values[1]).ok_or_else(broken)?;
            let (b, q) = parts(&values[2]).ok_or_else(broken)?;
            let difference = date_diff(word(&values[0]), utc(a, p), utc(b, q))?;
            let small = function == F::DateDiff;
            if small && i32::try_from(difference).is_err() || i64::try_from(difference).is_err() {
                let name = if small { "datediff" } else { "datediff_big" };
                return Err(Message::error(
                    535,
                    format!(
                        "The {name} function resulted in an overflow. The number of dateparts separating two date/time instances is too large. Try to use {name} with a less precise datepart."
                    ),
                ));
            }
            Ok(Value::Int(difference as i64))
        }
        F::DatePart | F::DateName => {
            let (moment, offset) = parts(&values[1]).ok_or_else(broken)?;
            let part = word(&values[0]);
            let number = part_of(part, moment, offset, date_first)?;
            if function == F::DatePart {
                return Ok(Value::Int(number));
            }
            Ok(Value::Text(match part {
                "month" => moment.format("%B").to_string(),
                "weekday" => moment.format("%A").to_string(),
                "tzoffset" => {
                    let sign = if offset < 0 { '-' } else { '+' };
                    format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
                }
                _ => number.to_string(),
            }))
        }
        F::DateFromParts => {
            let year = i32::try_from(int(&values[0])).ok().filter(|y| (1..=9999).contains(y));
            let month = u32::try_from(int(&values[1])).ok();
            let day = u32::try_from(int(&values[2])).ok();
            year.zip(month.zip(day))
                .and_then(|(y, (m, d))| NaiveDate::from_ymd_opt(y, m, d))
                .map(Value::Date)
                .ok_or_else(|| {
                    Message::error(
                        289,
                        "Cannot construct data type date, some of the arguments have values which are not valid.",
                    )
                })
        }
        F::DateTimeFromParts
        | F::DateTime2FromParts
        | F::DateTimeOffsetFromParts
        | F::SmallDateTimeFromParts
        | F::TimeFromParts => from_parts(function, values, kind),
        F::DateTrunc => {
            let (moment, offset) = parts(&values[1]).ok_or_else(broken)?;
            let part = word(&values[0]);
            let date = moment.date();
            let hour = |h, m, s| date.and_hms_opt(h, m, s);
            let start = match part {
                "year" => NaiveDate::from_ymd_opt(date.year(), 1, 1).map(|d| d.and_time(NaiveTime::MIN)),
                "quarter" => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1)
                    .map(|d| d.and_time(NaiveTime::MIN)),
                "month" => date.with_day(1).map(|d| d.and_time(NaiveTime::MIN)),
                "week" => Some(
                    (date - TimeDelta::days(i64::from(date.weekday().num_days_from_sunday())))
                        .and_time(NaiveTime::MIN),
                ),
                "iso_week" => Some(
                    (date - TimeDelta::days(i64::from(date.weekday().num_days_from_monday())))
                        .and_time(NaiveTime::MIN),
                ),
                "day" | "dayofyear" => hour(0, 0, 0),
                "hour" => hour(moment.hour(), 0, 0),
                "minute" => hour(moment.hour(), moment.minute(), 0),
                "second" => hour(moment.hour(), moment.minute(), moment.second()),
                "millisecond" => moment.with_nanosecond(moment.nanosecond() / 1_000_000 * 1_000_000),
                "microsecond" => moment.with_nanosecond(moment.nanosecond() / 1_000 * 1_000),
                _ => return Err(Message::not_modelled(format!("DATETRUNC of {part}"))),
            }
            .ok_or_else(broken)?;
            Ok(match &values[1] {
                Value::Date(_) => Value::Date(start.date()),
                Value::Time(_) => Value::Time(start.time()),
                Value::DateTimeOffset(..) => Value::DateTimeOffset(start, offset),
                _ => Value::DateTime(start),
            })
        }
        F::AtTimeZone => {
            let zone = word(&values[1]);
            if !zone.eq_ignore_ascii_case("UTC") {
                return Err(Message::not_modelled(format!("time zone '{zone}'")));
            }
            let (moment, offset) = parts(&values[0]).ok_or_else(broken)?;
            Ok(Value::DateTimeOffset(utc(moment, offset), 0))
        }
        F::EoMonth => {
            let (moment, _) = parts(&values[0]).ok_or_else(broken)?;
            let add = values.get(1).map_or(0, int);
            let first = moment.date().with_day(1).ok_or_else(broken)?;
            shift_months(first, add.saturating_add(1))
                .and_then(|d| d.pred_opt())
                .map(Value::Date)
                .ok_or_else(|| overflow(Type::Date))
        }
        F::ToDateTimeOffset => {
            let (moment, _) = parts(&values[0]).ok_or_else(broken)?;
            Ok(Value::DateTimeOffset(moment, offset_of(&values[1])?))
        }
        F::SwitchOffset => {
            let (moment, offset) = parts(&values[0]).ok_or_else(broken)?;
            let wanted = offset_of(&values[1])?;
            let shifted = utc(moment, offset) + TimeDelta::minutes(i64::from(wanted));
            Ok(Value::DateTimeOffset(shifted, wanted))
        }
        _ => Err(broken()),
    }
}

/// DATETIMEFROMPARTS and its kin.
fn from_parts(function: Function, values: &[Value], kind: Type) -> Result<Value, Message> {
    use Function as F;
    let bad = || {
        let text = format!(
            "Cannot construct data type {}, some of the arguments have values which are not valid.",
            types::name(kind)
        );
        Message::error(289, text)
    };
    let n = |at: usize| u32::try_from(int(&values[at])).map_err(|_| bad());
    let scale = match kind {
        Type::Time { scale } | Type::DateTime2 { scale } | Type::DateTimeOffset { scale } => scale,
        _ => 3,
    };
    let nanos = |fraction: u32| {
        let unit = 10u32.pow(9 - u32::from(scale));
        if u64::from(fraction) < 10u64.pow(u32::from(scale)) { Ok(fraction * unit) } else { Err(bad()) }
    };
    let time = |from: usize, second: u32, nanos: u32| {
        NaiveTime::from_hms_nano_opt(n(from)?, n(from + 1)?, second, nanos).ok_or_else(bad)
    };
    if function == F::TimeFromParts {
        return time(0, n(2)?, nanos(n(3)?)?).map(Value::Time);
    }
    let year = i32::try_from(int(&values[0])).ok().filter(|y| (1..=9999).contains(y)).ok_or_else(bad)?;
    let date = NaiveDate::from_ymd_opt(year, n(1)?, n(2)?).ok_or_else(bad)?;
    let moment = match function {
        F::SmallDateTimeFromParts => date.and_time(time(3, 0, 0)?),
        _ => date.and_time(time(3, n(5)?, nanos(n(6)?)?)?),
    };
    match function {
        F::DateTimeOffsetFromParts => {
            let (hours, minutes) = (int(&values[7]), int(&values[8]));
            let offset =
                i16::try_from(hours * 60 + minutes).ok().filter(|o| o.abs() <= 840).ok_or_else(bad)?;
            Ok(Value::DateTimeOffset(moment, offset))
        }
        F::DateTime2FromParts => Ok(Value::DateTime(moment)),
        _ => convert(Value::DateTime(moment), Type::DateTime2 { scale: 7 }, kind, 0).map_err(|_| bad()),
    }
}

/// 517
fn overflow(kind: Type) -> Message {
    Message::error(517, format!("Adding a value to a '{}' column caused an overflow.", types::name(kind)))
}

fn offset_of(value: &Value) -> Result<i16, Message> {
    let minutes = match value {
        Value::Int(n) => i16::try_from(*n).ok(),
        Value::Text(text) => text.trim().split_at_checked(1).and_then(|(sign, rest)| {
            let (hours, minutes) = rest.split_once(':')?;
            let total = hours.parse::<i16>().ok()? * 60 + minutes.parse::<i16>().ok()?;
            match sign {
                "+" => Some(total),
                "-" => Some(-total),
                _ => None,
            }
        }),
        _ => None,
    };
    minutes.filter(|m| m.abs() <= 14 * 60).ok_or_else(|| {
        Message::error(9812, "The timezone provided to builtin function todatetimeoffset is invalid.")
    })
}

fn shift_months(date: NaiveDate, by: i64) -> Option<NaiveDate> {
    let months = Months::new(u32::try_from(by.unsigned_abs()).ok()?);
    let date = if by < 0 { date.checked_sub_months(months) } else { date.checked_add_months(months) };
    date.filter(|d| (1..=9999).contains(&d.year()))
}

fn date_add(part: &str, by: i64, value: &Value, from: Type, kind: Type) -> Result<Value, Message> {
    let Some((moment, offset)) = parts(value) else {
        return Err(Message::not_modelled("DATEADD over this value"));
    };
    let by = i64::from(i32::try_from(by).map_err(|_| {
        Message::error(8115, "Arithmetic overflow error converting expression to data type int.")
    })?);
    let is_time = matches!(from, Type::Time { .. });
    let months = |n: i64| shift_months(moment.date(), n).map(|d| d.and_time(moment.time()));
    let plus = |delta: TimeDelta| moment.checked_add_signed(delta);
    let result = match part {
        "year" => months(by.saturating_mul(12)),
        "quarter" => months(by.saturating_mul(3)),
        "month" => months(by),
        "day" | "dayofyear" | "weekday" => plus(TimeDelta::days(by)),
        "week" => plus(TimeDelta::days(by * 7)),
        "hour" => plus(TimeDelta::hours(by)),
        "minute" => plus(TimeDelta::minutes(by)),
        "second" => plus(TimeDelta::seconds(by)),
        "millisecond" => plus(TimeDelta::milliseconds(by)),
        "microsecond" => plus(TimeDelta::microseconds(by)),
        "nanosecond" => plus(TimeDelta::nanoseconds(by)),
        _ => return Err(Message::not_modelled(format!("DATEADD of {part}"))),
    };
    let least = if matches!(kind, Type::DateTime) { 1753 } else { 1 };
    let result =
        result.filter(|m| is_time || (least..=9999).contains(&m.year())).ok_or_else(|| overflow(kind))?;
    Ok(match value {
        Value::Date(_) => Value::Date(result.date()),
        Value::Time(_) => Value::Time(result.time()),
        Value::DateTimeOffset(..) => Value::DateTimeOffset(result, offset),
        _ => convert(Value::DateTime(result), Type::DateTime2 { scale: 7 }, kind, 0)?,
    })
}

/// Boundaries crossed between two moments.
fn date_diff(part: &str, a: NaiveDateTime, b: NaiveDateTime) -> Result<i128, Message> {
    let months = |m: NaiveDateTime| i128::from(m.year()) * 12 + i128::from(m.month0());
    let days = |m: NaiveDateTime| i128::from(m.date().num_days_from_ce());
    let nanos = |m: NaiveDateTime| {
        days(m) * 86_400_000_000_000
            + i128::from(m.num_seconds_from_midnight()) * 1_000_000_000
            + i128::from(m.nanosecond())
    };
    let unit = |n: i128| nanos(b).div_euclid(n) - nanos(a).div_euclid(n);
    Ok(match part {
        "year" => i128::from(b.year() - a.year()),
        "quarter" => months(b).div_euclid(3) - months(a).div_euclid(3),
        "month" => months(b) - months(a),
        "day" | "dayofyear" | "weekday" => days(b) - days(a),
        // weeks begin on Sunday whatever DATEFIRST says; day 1 of the common era was a Monday
        "week" => days(b).div_euclid(7) - days(a).div_euclid(7),
        "hour" => unit(3_600_000_000_000),
        "minute" => unit(60_000_000_000),
        "second" => unit(1_000_000_000),
        "millisecond" => unit(1_000_000),
        "microsecond" => unit(1_000),
        "nanosecond" => unit(1),
        _ => {
            return Err(Message {
                class: 15,
                ..Message::error(155, format!("'{part}' is not a recognized datediff option."))
            });
        }
    })
}

fn part_of(part: &str, m: NaiveDateTime, offset: i16, date_first: i64) -> Result<i64, Message> {
    let nanos = i64::from(m.nanosecond());
    Ok(match part {
        "year" => i64::from(m.year()),
        "quarter" => i64::from(m.month0() / 3 + 1),
        "month" => i64::from(m.month()),
        "dayofyear" => i64::from(m.ordinal()),
        "day" => i64::from(m.day()),
        "week" => {
            let first = NaiveDate::from_yo_opt(m.year(), 1).unwrap_or_default();
            let lead = (i64::from(first.weekday().num_days_from_monday()) + 1 - date_first).rem_euclid(7);
            (i64::from(m.ordinal0()) + lead) / 7 + 1
        }
        "weekday" => (i64::from(m.weekday().num_days_from_monday()) + 1 - date_first).rem_euclid(7) + 1,
        "iso_week" => i64::from(m.iso_week().week()),
        "hour" => i64::from(m.hour()),
        "minute" => i64::from(m.minute()),
        "second" => i64::from(m.second()),
        "millisecond" => nanos / 1_000_000,
        "microsecond" => nanos / 1_000,
        "nanosecond" => nanos,
        "tzoffset" => i64::from(offset),
        _ => return Err(Message::not_modelled(format!("date part {part}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        super::super::super::convert::parse_datetime(text).unwrap()
    }

    #[test]
    fn differences_count_boundaries_not_durations() {
        let cases = [
            ("minute", "2026-01-01 10:00:59", "2026-01-01 10:01:00", 1),
            ("year", "2025-12-31", "2026-01-01", 1),
            ("week", "2026-11-21", "2026-11-22", 1),
            ("week", "2026-11-22", "2026-11-28", 0),
            ("day", "2026-03-01", "2026-02-28", -1),
        ];
        for (part, a, b, wanted) in cases {
            assert_eq!(date_diff(part, at(a), at(b)), Ok(wanted), "{part} {a} {b}");
        }
    }

    #[test]
    fn weeks_and_weekdays_begin_on_sunday() {
        assert_eq!(part_of("weekday", at("2026-11-22"), 0, 7), Ok(1));
        assert_eq!(part_of("week", at("2026-01-01"), 0, 7), Ok(1));
        assert_eq!(part_of("week", at("2026-01-04"), 0, 7), Ok(2));
    }
}
