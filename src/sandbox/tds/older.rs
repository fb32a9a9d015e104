//! What TDS 7.2 has instead of `date`, `time`, `datetime2` and `datetimeoffset`: their text.
//!
//! Does not know tokens.

use std::borrow::Cow;

use chrono::{NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use crate::sandbox::value::{Type, Value};

/// The type a client of TDS 7.2 is sent.
pub(super) fn kind(kind: Type) -> Type {
    let fraction = |scale: u8| if scale == 0 { 0 } else { u16::from(scale.min(7)) + 1 };
    match kind {
        Type::Date => Type::NVarChar(Some(10)),
        Type::Time { scale } => Type::NVarChar(Some(8 + fraction(scale))),
        Type::DateTime2 { scale } => Type::NVarChar(Some(19 + fraction(scale))),
        Type::DateTimeOffset { scale } => Type::NVarChar(Some(26 + fraction(scale))),
        other => other,
    }
}

/// A value of a column that was declared as `declared`.
pub(super) fn value(declared: Type, value: &Value) -> Cow<'_, Value> {
    let text = match (declared, value) {
        (Type::Date | Type::Variant, Value::Date(date)) => date.format("%Y-%m-%d").to_string(),
        (Type::Time { scale }, Value::Time(time)) => clock(*time, scale),
        (Type::Variant, Value::Time(time)) => clock(*time, 7),
        (Type::DateTime2 { scale }, Value::DateTime(at)) => moment(*at, scale),
        (Type::DateTimeOffset { scale }, Value::DateTimeOffset(at, minutes)) => offset(*at, *minutes, scale),
        (Type::Variant, Value::DateTimeOffset(at, minutes)) => offset(*at, *minutes, 7),
        _ => return Cow::Borrowed(value),
    };
    Cow::Owned(Value::Text(text))
}

/// Half a unit of the last digit shown.
fn half(scale: u8) -> TimeDelta {
    if scale >= 7 { TimeDelta::zero() } else { TimeDelta::nanoseconds(5 * 10i64.pow(8 - u32::from(scale))) }
}

fn clock(time: NaiveTime, scale: u8) -> String {
    let time = time.overflowing_add_signed(half(scale)).0;
    let whole = time.format("%H:%M:%S").to_string();
    let digits = format!("{:09}", time.nanosecond() % 1_000_000_000);
    if scale == 0 { whole } else { format!("{whole}.{}", &digits[..usize::from(scale.min(7))]) }
}

fn moment(at: NaiveDateTime, scale: u8) -> String {
    let at = at.checked_add_signed(half(scale)).unwrap_or(at);
    let time = at.time();
    let digits = format!("{:09}", time.nanosecond() % 1_000_000_000);
    let whole = at.format("%Y-%m-%d %H:%M:%S").to_string();
    if scale == 0 { whole } else { format!("{whole}.{}", &digits[..usize::from(scale.min(7))]) }
}

fn offset(at: NaiveDateTime, minutes: i16, scale: u8) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.unsigned_abs();
    format!("{} {sign}{:02}:{:02}", moment(at, scale), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(declared: Type, given: &Value) -> (String, u16) {
        let Value::Text(text) = value(declared, given).into_owned() else { panic!("{given:?}") };
        let Type::NVarChar(Some(length)) = kind(declared) else { panic!("{declared:?}") };
        (text, length)
    }

    #[test]
    fn each_of_the_four_is_its_text_and_fills_its_length() {
        let at: NaiveDateTime = "2026-11-20T21:04:05.9876543".parse().unwrap();
        for (declared, given, wanted) in [
            (Type::Date, Value::Date(at.date()), "2026-11-20"),
            (Type::Time { scale: 7 }, Value::Time(at.time()), "21:04:05.9876543"),
            (Type::Time { scale: 0 }, Value::Time(at.time()), "21:04:06"),
            (Type::DateTime2 { scale: 3 }, Value::DateTime(at), "2026-11-20 21:04:05.988"),
            (Type::DateTime2 { scale: 7 }, Value::DateTime(at), "2026-11-20 21:04:05.9876543"),
            (
                Type::DateTimeOffset { scale: 1 },
                Value::DateTimeOffset(at, -330),
                "2026-11-20 21:04:06.0 -05:30",
            ),
        ] {
            let (text, length) = shown(declared, &given);
            assert_eq!(text, wanted);
            assert_eq!(text.len(), usize::from(length), "{declared:?}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        assert_eq!(kind(Type::DateTime), Type::DateTime);
        assert_eq!(value(Type::Date, &Value::Null).into_owned(), Value::Null);
        assert_eq!(value(Type::Int, &Value::Int(1)).into_owned(), Value::Int(1));
    }
}
