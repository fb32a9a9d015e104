//! FORMAT in the culture en-US: the standard and custom patterns that scripts use.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::super::convert::{convert, natural};
use super::super::{compare, number};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

pub(super) fn format(values: &[Value], kind: Type) -> Result<Value, Message> {
    let Value::Text(pattern) = &values[1] else { return Ok(Value::Null) };
    if let Some(Value::Text(culture)) = values.get(2)
        && !culture.eq_ignore_ascii_case("en-us")
        && !culture.is_empty()
    {
        return Err(Message::not_modelled(format!("FORMAT in culture {culture}")));
    }
    let refused = || Message::not_modelled(format!("FORMAT with pattern '{pattern}'"));
    let text = match &values[0] {
        Value::DateTime(moment) => date(*moment, pattern),
        Value::Date(day) => date(day.and_time(NaiveTime::MIN), pattern),
        Value::DateTimeOffset(moment, _) if !pattern.contains(['z', 'K']) => date(*moment, pattern),
        Value::Time(time) if pattern.contains('\\') || pattern.len() == 1 => {
            let day = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default();
            date(day.and_time(*time), &pattern.replace('\\', ""))
        }
        Value::Bit(_) => return Err(refused()),
        value @ (Value::Int(_) | Value::Decimal { .. } | Value::Float(_)) => {
            let (digits, scale) = if let Some(exact) = compare::exact(value) {
                exact
            } else {
                let exact =
                    convert(value.clone(), natural(value), Type::Decimal { precision: 38, scale: 10 }, 0)?;
                compare::exact(&exact).ok_or_else(refused)?
            };
            numeric(digits, scale, pattern, kind)
        }
        _ => None,
    };
    text.map(Value::Text).ok_or_else(refused)
}

fn grouped(whole: &str) -> String {
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `-1,234.50`
fn fixed(digits: i128, scale: u8, decimals: u8, commas: bool) -> Option<String> {
    let rounded = number::rescale(digits, scale, decimals)?;
    let text = number::text(rounded.abs(), decimals);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = if commas { grouped(whole) } else { whole.to_owned() };
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if rounded < 0 { "-" } else { "" };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

fn numeric(digits: i128, scale: u8, pattern: &str, kind: Type) -> Option<String> {
    let letter = pattern.chars().next()?;
    let rest = &pattern[letter.len_utf8()..];
    if letter.is_ascii_alphabetic() && rest.bytes().all(|b| b.is_ascii_digit()) && rest.len() <= 2 {
        let given: Option<u8> = rest.parse().ok();
        let whole = super::super::types::is_integer(kind);
        return match letter.to_ascii_uppercase() {
            'N' => fixed(digits, scale, given.unwrap_or(2).min(28), true),
            'F' => fixed(digits, scale, given.unwrap_or(2).min(28), false),
            'P' => {
                let text = fixed(digits.checked_mul(100)?, scale, given.unwrap_or(2).min(28), true)?;
                Some(format!("{text}%"))
            }
            'C' => {
                let text = fixed(digits.abs(), scale, given.unwrap_or(2).min(28), true)?;
                Some(if digits < 0 { format!("(${text})") } else { format!("${text}") })
            }
            'D' if whole => {
                let width = usize::from(given.unwrap_or(1));
                let sign = if digits < 0 { "-" } else { "" };
                Some(format!("{sign}{:0>width$}", digits.unsigned_abs()))
            }
            'X' if whole && digits >= 0 => {
                let width = usize::from(given.unwrap_or(1));
                let text = if letter == 'X' { format!("{digits:X}") } else { format!("{digits:x}") };
                Some(format!("{text:0>width$}"))
            }
            'G' if whole && given.is_none() => Some(digits.to_string()),
            _ => None,
        };
    }
    custom(digits, scale, pattern)
}

/// `#,##0.00`, with plain text before and behind.
fn custom(digits: i128, scale: u8, pattern: &str) -> Option<String> {
    let start = pattern.find(['0', '#'])?;
    let end = pattern.rfind(['0', '#'])? + 1;
    let body = &pattern[start..end];
    let (before, behind) = (&pattern[..start], &pattern[end..]);
    let plain = |t: &str| !t.contains(['\\', '%', ';', '\'', '"', '.', ',', 'e', 'E']);
    let percent = behind.starts_with('%');
    if !plain(before) || !plain(behind.trim_start_matches('%')) || !body.chars().all(|c| "0#,.".contains(c)) {
        return None;
    }
    let digits = if percent { digits.checked_mul(100)? } else { digits };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    if fraction.contains(['.', ',']) || whole.ends_with(',') {
        return None;
    }
    let most = u8::try_from(fraction.len()).ok()?;
    let least = fraction.rfind('0').map_or(0, |at| at + 1);
    let text = fixed(digits.abs(), scale, most, false)?;
    let (own, cents) = text.split_once('.').unwrap_or((&text, ""));
    let cents = if cents.len() > least {
        let kept = cents.trim_end_matches('0');
        &cents[..kept.len().max(least)]
    } else {
        cents
    };
    let width = whole.chars().filter(|c| *c == '0').count();
    let own = if own == "0" && width == 0 { "" } else { own };
    let own = format!("{own:0>width$}");
    let own = if whole.contains(',') { grouped(&own) } else { own };
    let sign = if digits < 0 && text.contains(|c: char| ('1'..='9').contains(&c)) { "-" } else { "" };
    let point = if cents.is_empty() { "" } else { "." };
    Some(format!("{sign}{before}{own}{point}{cents}{behind}"))
}

fn date(moment: NaiveDateTime, pattern: &str) -> Option<String> {
    let whole = match pattern {
        "d" => "M/d/yyyy",
        "D" => "dddd, MMMM d, yyyy",
        "t" => "h:mm tt",
        "T" => "h:mm:ss tt",
        "g" => "M/d/yyyy h:mm tt",
        "G" => "M/d/yyyy h:mm:ss tt",
        "f" => "dddd, MMMM d, yyyy h:mm tt",
        "F" => "dddd, MMMM d, yyyy h:mm:ss tt",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ssZ",
        "m" | "M" => "MMMM d",
        "y" | "Y" => "MMMM yyyy",
        "R" | "r" => "ddd, dd MMM yyyy HH:mm:ss G\\MT",
        p if p.len() == 1 => return None,
        p => p,
    };
    let chars: Vec<char> = whole.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let run = chars[at..].iter().take_while(|x| **x == c).count();
        let half = |h: u32| if h.is_multiple_of(12) { 12 } else { h % 12 };
        let text = match (c, run) {
            ('y', 4..) => format!("{:04}", moment.year()),
            ('y', 3) => format!("{:03}", moment.year()),
            ('y', 2) => format!("{:02}", moment.year() % 100),
            ('y', _) => (moment.year() % 100).to_string(),
            ('M', 4..) => moment.format("%B").to_string(),
            ('M', 3) => moment.format("%b").to_string(),
            ('M', 2) => format!("{:02}", moment.month()),
            ('M', _) => moment.month().to_string(),
            ('d', 4..) => moment.format("%A").to_string(),
            ('d', 3) => moment.format("%a").to_string(),
            ('d', 2) => format!("{:02}", moment.day()),
            ('d', _) => moment.day().to_string(),
            ('H', 2..) => format!("{:02}", moment.hour()),
            ('H', _) => moment.hour().to_string(),
            ('h', 2..) => format!("{:02}", half(moment.hour())),
            ('h', _) => half(moment.hour()).to_string(),
            ('m', 2..) => format!("{:02}", moment.minute()),
            ('m', _) => moment.minute().to_string(),
            ('s', 2..) => format!("{:02}", moment.second()),
            ('s', _) => moment.second().to_string(),
            ('f', 1..=7) => format!("{:09}", moment.nanosecond())[..run].to_owned(),
            ('t', 2..) => moment.format("%p").to_string(),
            ('t', _) => moment.format("%p").to_string()[..1].to_owned(),
            ('\\', _) => {
                let next = chars.get(at + 1)?;
                out.push(*next);
                at += 2;
                continue;
            }
            ('\'' | '"', _) => {
                let close = chars[at + 1..].iter().position(|x| *x == c)?;
                out.extend(&chars[at + 1..at + 1 + close]);
                at += close + 2;
                continue;
            }
            ('F' | 'g' | 'K' | 'z' | '%', _) => return None,
            (other, n) => std::iter::repeat_n(other, n).collect(),
        };
        out.push_str(&text);
        at += run;
    }
    Some(out)
}
