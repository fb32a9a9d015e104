//! Dates and times: from and to text, and among each other.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::super::types;
use super::overflow;
use super::text::bad_style;
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// 1900-01-01, day 0 of datetime.
fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default()
}

/// Days since 1900-01-01, as a datetime counts.
pub(super) fn days(moment: NaiveDateTime) -> f64 {
    let since = moment - epoch().and_time(NaiveTime::MIN);
    since.num_milliseconds() as f64 / 86_400_000.0
}

/// The nearest moment a datetime can hold: 1/300 s.
pub(in crate::sandbox::tsql) fn datetime_round(moment: NaiveDateTime) -> NaiveDateTime {
    let start = moment.date().and_time(NaiveTime::MIN);
    let nanos = (moment - start).num_nanoseconds().unwrap_or(0);
    let ticks = (i128::from(nanos) * 300 + 500_000_000) / 1_000_000_000;
    // tick 1 is .003, tick 2 is .007
    let millis = (ticks * 10 + 1) / 3;
    start + TimeDelta::milliseconds(millis as i64)
}

fn scale_round(moment: NaiveDateTime, scale: u8) -> NaiveDateTime {
    let unit = 10i64.pow(9 - u32::from(scale.min(7)));
    let nanos = i64::from(moment.nanosecond());
    let rounded = (nanos + unit / 2) / unit * unit;
    moment.checked_add_signed(TimeDelta::nanoseconds(rounded - nanos)).unwrap_or(moment)
}

pub(super) fn to_time(value: &Value, from: Type, to: Type, style: i32) -> Result<Value, Message> {
    let (moment, offset) = match value {
        Value::Text(text) => parse(text, from, to, style)?,
        Value::Date(date) => (date.and_time(NaiveTime::MIN), None),
        Value::Time(time) => (epoch().and_time(*time), None),
        Value::DateTime(moment) => (*moment, None),
        Value::DateTimeOffset(moment, offset) => (*moment, Some(*offset)),
        Value::Binary(_) => return Err(Message::not_modelled("binary to a date")),
        number => {
            let Value::Float(n) = super::exact::to_approximate(number, from, Type::Float)? else {
                return Err(types::clash(from, to));
            };
            let moment = TimeDelta::try_milliseconds((n * 86_400_000.0).round() as i64)
                .and_then(|d| epoch().and_time(NaiveTime::MIN).checked_add_signed(d))
                .ok_or_else(|| overflow("expression", to))?;
            (moment, None)
        }
    };
    let out = || {
        if matches!(value, Value::Text(_)) || types::family(from) == types::Family::Time {
            Message::error(
                242,
                format!(
                    "The conversion of a {} data type to a {} data type resulted in an out-of-range value.",
                    types::name(from),
                    types::name(to)
                ),
            )
        } else {
            overflow("expression", to)
        }
    };
    Ok(match to {
        Type::Date => Value::Date(moment.date()),
        Type::Time { scale } => Value::Time(scale_round(epoch().and_time(moment.time()), scale).time()),
        Type::DateTime => {
            if !(1753..=9999).contains(&moment.year()) {
                return Err(out());
            }
            Value::DateTime(datetime_round(moment))
        }
        Type::SmallDateTime => {
            let moment = moment + TimeDelta::milliseconds(30_001);
            let minute = moment.with_second(0).and_then(|m| m.with_nanosecond(0)).unwrap_or(moment);
            if !(1900..=2079).contains(&minute.year()) {
                return Err(out());
            }
            Value::DateTime(minute)
        }
        Type::DateTime2 { scale } => Value::DateTime(scale_round(moment, scale)),
        Type::DateTimeOffset { scale } => {
            Value::DateTimeOffset(scale_round(moment, scale), offset.unwrap_or(0))
        }
        _ => return Err(types::clash(from, to)),
    })
}

fn failed() -> Message {
    Message::error(241, "Conversion failed when converting date and/or time from character string.")
}

fn parse(text: &str, from: Type, to: Type, style: i32) -> Result<(NaiveDateTime, Option<i16>), Message> {
    let old = matches!(to, Type::DateTime | Type::SmallDateTime);
    let parsed = parse_parts(text.trim(), style).ok_or_else(failed)?;
    if old && (parsed.fraction_digits > 3 || parsed.offset.is_some()) {
        return Err(failed());
    }
    let (year, month, day) = parsed.date.unwrap_or((1900, 1, 1));
    let date = NaiveDate::from_ymd_opt(year, month, day).filter(|_| (1..=9999).contains(&year));
    match (date, parsed.time) {
        (Some(date), Some(time)) => Ok((date.and_time(time), parsed.offset)),
        _ if old => Err(Message::error(
            242,
            format!(
                "The conversion of a {} data type to a {} data type resulted in an out-of-range value.",
                types::name(from),
                types::name(to)
            ),
        )),
        _ => Err(failed()),
    }
}

/// Any text a datetime takes; `None` when it is none.
pub(in crate::sandbox::tsql) fn parse_datetime(text: &str) -> Option<NaiveDateTime> {
    parse(text, Type::VarChar(None), Type::DateTime2 { scale: 7 }, 0).ok().map(|(moment, _)| moment)
}

struct Parts {
    date: Option<(i32, u32, u32)>,
    time: Option<NaiveTime>,
    fraction_digits: usize,
    offset: Option<i16>,
}

fn parse_parts(text: &str, style: i32) -> Option<Parts> {
    if text.is_empty() {
        return Some(Parts { date: None, time: Some(NaiveTime::MIN), fraction_digits: 0, offset: None });
    }
    let split = text
        .char_indices()
        .find(|(at, c)| {
            *c == 'T' && text[..*at].ends_with(|c: char| c.is_ascii_digit())
                || *c == ' '
                    && text[at + 1..].trim_start().split([' ', '+']).next().is_some_and(|w| w.contains(':'))
        })
        .map(|(at, _)| at);
    let (date, time) = match split {
        Some(at) => (text[..at].trim(), text[at + 1..].trim()),
        None if text.contains(':') => ("", text),
        None => (text, ""),
    };
    let date = if date.is_empty() { None } else { Some(parse_date(date, style)?) };
    let (time, fraction_digits, offset) =
        if time.is_empty() { (Some(NaiveTime::MIN), 0, None) } else { parse_time(time)? };
    Some(Parts { date, time, fraction_digits, offset })
}

fn parse_date(text: &str, style: i32) -> Option<(i32, u32, u32)> {
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some((text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?));
    }
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ', ',']).filter(|p| !p.is_empty()).collect();
    let [a, b, c] = parts[..] else { return None };
    let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse::<u32>().ok()).flatten();
    let year = |t: &str| {
        let n = number(t)?;
        match t.len() {
            4 => i32::try_from(n).ok(),
            2 => i32::try_from(if n < 50 { 2000 + n } else { 1900 + n }).ok(),
            _ => None,
        }
    };
    if let Some(month) = month_number(a) {
        return Some((year(c)?, month, number(b)?));
    }
    if let Some(month) = month_number(b) {
        return Some((year(c)?, month, number(a)?));
    }
    if a.len() == 4 {
        return Some((year(a)?, number(b)?, number(c)?));
    }
    if matches!(style, 3..=5 | 103..=105) {
        return Some((year(c)?, number(b)?, number(a)?));
    }
    Some((year(c)?, number(a)?, number(b)?))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn month_number(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let at =
        MONTHS.iter().position(|m| m.eq_ignore_ascii_case(&lower) || m[..3].eq_ignore_ascii_case(&lower))?;
    u32::try_from(at + 1).ok()
}

/// The time (`None` = no such time), digits of its fraction, and offset in minutes.
fn parse_time(text: &str) -> Option<(Option<NaiveTime>, usize, Option<i16>)> {
    let mut text = text.trim().to_owned();
    let mut offset = None;
    if let Some(rest) = text.strip_suffix('Z') {
        text = rest.to_owned();
        offset = Some(0);
    } else if let Some(at) = text.rfind(['+', '-']) {
        let (hours, minutes) = text[at + 1..].split_once(':')?;
        let minutes = hours.parse::<i16>().ok()? * 60 + minutes.parse::<i16>().ok()?;
        offset = Some(if text[at..].starts_with('-') { -minutes } else { minutes });
        text = text[..at].trim().to_owned();
    }
    let upper = text.to_ascii_uppercase();
    let (body, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(rest), _) => (rest.trim().to_owned(), Some(0)),
        (_, Some(rest)) => (rest.trim().to_owned(), Some(12)),
        _ => (upper, None),
    };
    let mut fields = body.split(':');
    let number = |t: &str| {
        (!t.is_empty() && t.len() <= 2 && t.bytes().all(|b| b.is_ascii_digit()))
            .then(|| t.parse::<u32>().ok())
            .flatten()
    };
    let mut hour = number(fields.next()?)?;
    let minute = match fields.next() {
        Some(field) => number(field)?,
        None if half.is_some() => 0,
        None => return None,
    };
    let seconds = fields.next().unwrap_or("0");
    let (second, mut fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let second = number(second)?;
    if let Some(thousandths) = fields.next() {
        fraction = thousandths;
    }
    if fields.next().is_some() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(half) = half {
        if !(1..=12).contains(&hour) {
            return Some((None, 0, offset));
        }
        hour = hour % 12 + half;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    Some((NaiveTime::from_hms_nano_opt(hour, minute, second, nanos), fraction.len(), offset))
}

/// The text of a date or time in a style.
pub(super) fn time_text(value: &Value, from: Type, style: i32) -> Result<String, Message> {
    let (moment, offset) = match value {
        Value::Date(date) => (date.and_time(NaiveTime::MIN), None),
        Value::Time(time) => (epoch().and_time(*time), None),
        Value::DateTime(moment) => (*moment, None),
        Value::DateTimeOffset(moment, offset) => (*moment, Some(*offset)),
        _ => return Err(bad_style(style, from)),
    };
    let old = matches!(from, Type::DateTime | Type::SmallDateTime);
    let style = if style == 0 && !old { 121 } else { style };
    let fraction = |width: usize| {
        let all = format!("{:09}", moment.nanosecond());
        if width == 0 { String::new() } else { format!(".{}", &all[..width]) }
    };
    let width = match from {
        Type::Time { scale } | Type::DateTime2 { scale } | Type::DateTimeOffset { scale } => {
            usize::from(scale)
        }
        Type::Date => 0,
        _ => 3,
    };
    let zone = offset.map(|m| {
        let sign = if m < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", m.abs() / 60, m.abs() % 60)
    });
    let date = |format: &str| moment.format(format).to_string();
    let clock = moment.format("%H:%M:%S").to_string();
    let half = || format!("{:>2}:{}", moment.format("%-I"), moment.format("%M%p"));
    let (day, time) = match style {
        0 | 100 => (Some(format!("{}{:>3} {}", date("%b"), moment.day(), date("%Y"))), Some(half())),
        1 | 101 => (Some(date(if style == 1 { "%m/%d/%y" } else { "%m/%d/%Y" })), None),
        2 | 102 => (Some(date(if style == 2 { "%y.%m.%d" } else { "%Y.%m.%d" })), None),
        3 | 103 => (Some(date(if style == 3 { "%d/%m/%y" } else { "%d/%m/%Y" })), None),
        4 | 104 => (Some(date(if style == 4 { "%d.%m.%y" } else { "%d.%m.%Y" })), None),
        5 | 105 => (Some(date(if style == 5 { "%d-%m-%y" } else { "%d-%m-%Y" })), None),
        6 | 106 => (Some(date(if style == 6 { "%d %b %y" } else { "%d %b %Y" })), None),
        7 | 107 => (Some(date(if style == 7 { "%b %d, %y" } else { "%b %d, %Y" })), None),
        8 | 24 | 108 => (None, Some(clock)),
        10 | 110 => (Some(date(if style == 10 { "%m-%d-%y" } else { "%m-%d-%Y" })), None),
        11 | 111 => (Some(date(if style == 11 { "%y/%m/%d" } else { "%Y/%m/%d" })), None),
        12 | 112 => (Some(date(if style == 12 { "%y%m%d" } else { "%Y%m%d" })), None),
        14 | 114 => (None, Some(format!("{clock}{}", fraction(width).replace('.', ":")))),
        13 | 113 => (Some(date("%d %b %Y")), Some(format!("{clock}{}", fraction(width).replace('.', ":")))),
        20 | 120 => (Some(date("%Y-%m-%d")), Some(clock)),
        21 | 25 | 121 => (Some(date("%Y-%m-%d")), Some(format!("{clock}{}", fraction(width)))),
        23 => (Some(date("%Y-%m-%d")), None),
        126 | 127 => {
            let shown = if moment.nanosecond() == 0 && old { String::new() } else { fraction(width) };
            let time = format!("{clock}{shown}");
            return Ok(match (from, style) {
                (Type::Date, _) => date("%Y-%m-%d"),
                (Type::Time { .. }, _) => time,
                (Type::DateTimeOffset { .. }, 127) => {
                    let utc = super::super::compare::utc(moment, offset.unwrap_or(0));
                    format!("{}{shown}Z", utc.format("%Y-%m-%dT%H:%M:%S"))
                }
                _ => format!("{}T{time}{}", date("%Y-%m-%d"), zone.unwrap_or_default()),
            });
        }
        _ => return Err(Message::not_modelled(format!("style {style} of a date"))),
    };
    let text = match (from, day, time) {
        (Type::Date, Some(day), _) => day,
        (Type::Time { .. }, _, Some(time)) => time.trim_start().to_owned(),
        (Type::Date | Type::Time { .. }, ..) => {
            return Err(Message::not_modelled(format!("style {style} of a {}", types::name(from))));
        }
        (_, Some(day), Some(time)) => format!("{day} {time}"),
        (_, Some(part), None) | (_, None, Some(part)) => part,
        (_, None, None) => String::new(),
    };
    let with_zone = matches!(style, 20 | 21 | 25 | 120 | 121 | 0 | 100 | 13 | 113);
    Ok(match zone {
        Some(zone) if with_zone => format!("{text} {zone}"),
        _ => text,
    })
}
