//! To bit, integers, decimals and floats.

use super::super::{compare, number, types};
use super::{error_converting, overflow, time};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

pub(super) fn to_exact(value: &Value, from: Type, to: Type) -> Result<Value, Message> {
    if to == Type::Bit {
        return to_bit(value, from);
    }
    if types::is_money(to) {
        return to_money(value, from, to);
    }
    let (digits, scale) = match value {
        Value::Text(text) => return from_text(text, from, to),
        Value::Float(n) => {
            let range = i128::MAX as f64;
            if !n.is_finite() || n.abs() >= range {
                return Err(overflow(types::name(from), to));
            }
            if let Type::Decimal { precision, scale } = to {
                let digits = (n * 10f64.powi(i32::from(scale))).round();
                if digits.abs() >= 1e38 || !number::within(digits as i128, precision) {
                    return Err(overflow(types::name(from), to));
                }
                return Ok(Value::Decimal { digits: digits as i128, scale });
            }
            (n.trunc() as i128, 0)
        }
        Value::DateTime(moment) => {
            let days = time::days(*moment);
            return to_exact(&Value::Float(days.round()), Type::Float, to);
        }
        Value::Binary(bytes) => {
            let keep = &bytes[bytes.len().saturating_sub(8)..];
            let number = keep.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
            let number = match to {
                Type::TinyInt => i64::from(number as u8),
                Type::SmallInt => i64::from(number as i16),
                Type::Int => i64::from(number as i32),
                Type::BigInt => number as i64,
                _ => return Err(Message::not_modelled("binary to numeric")),
            };
            return Ok(Value::Int(number));
        }
        other => compare::exact(other).ok_or_else(|| types::clash(from, to))?,
    };
    finish(digits, scale, from, to)
}

/// Money has four decimals and rounds; texts may say a currency and thousands.
fn to_money(value: &Value, from: Type, to: Type) -> Result<Value, Message> {
    let digits = match value {
        Value::Text(text) => {
            let plain: String =
                text.trim().chars().filter(|c| !matches!(c, ',' | '$' | '€' | '£' | '¥')).collect();
            let bad = || {
                Message::error(
                    235,
                    "Cannot convert a char value to money. The value has incorrect syntax.".to_owned(),
                )
            };
            if plain.is_empty() {
                Some(0)
            } else {
                let (digits, scale) = parse_decimal(&plain).ok_or_else(bad)?;
                number::rescale(digits, scale, 4)
            }
        }
        Value::Float(n) if n.abs() < 1e15 => Some((n * 10_000.0).round() as i128),
        Value::Float(_) => None,
        Value::Binary(bytes) => {
            let keep = &bytes[bytes.len().saturating_sub(8)..];
            Some(i128::from(keep.iter().fold(0u64, |n, b| n << 8 | u64::from(*b)) as i64))
        }
        Value::DateTime(moment) => Some((time::days(*moment) * 10_000.0).round() as i128),
        other => {
            let (digits, scale) = compare::exact(other).ok_or_else(|| types::clash(from, to))?;
            number::rescale(digits, scale, 4)
        }
    };
    digits
        .filter(|d| money_range(to).contains(d))
        .map(|digits| Value::Decimal { digits, scale: 4 })
        .ok_or_else(|| overflow("expression", to))
}

/// What the money types hold, in ten-thousandths.
pub(in crate::sandbox::tsql) fn money_range(kind: Type) -> std::ops::RangeInclusive<i128> {
    if kind == Type::SmallMoney {
        i128::from(i32::MIN)..=i128::from(i32::MAX)
    } else {
        i128::from(i64::MIN)..=i128::from(i64::MAX)
    }
}

fn finish(digits: i128, scale: u8, from: Type, to: Type) -> Result<Value, Message> {
    if let Type::Decimal { precision, scale: wanted } = to {
        let what = if types::is_integer(from) { types::name(from) } else { "numeric" };
        return number::rescale(digits, scale, wanted)
            .filter(|d| number::within(*d, precision))
            .map(|digits| Value::Decimal { digits, scale: wanted })
            .ok_or_else(|| overflow(what, to));
    }
    // decimals lose their fraction, money is rounded
    let whole = if types::is_money(from) {
        number::rescale(digits, scale, 0).unwrap_or(digits)
    } else {
        digits / number::power(scale)
    };
    i64::try_from(whole).ok().filter(|n| integer_range(to).contains(n)).map(Value::Int).ok_or_else(
        || match to {
            Type::TinyInt | Type::SmallInt if types::is_integer(from) => Message::error(
                220,
                format!("Arithmetic overflow error for data type {}, value = {whole}.", types::name(to)),
            ),
            _ if types::is_integer(from) => overflow("expression", to),
            _ => overflow(types::name(from), to),
        },
    )
}

/// What an integer type holds.
pub(in crate::sandbox::tsql) fn integer_range(kind: Type) -> std::ops::RangeInclusive<i64> {
    match kind {
        Type::Bit => 0..=1,
        Type::TinyInt => 0..=255,
        Type::SmallInt => i64::from(i16::MIN)..=i64::from(i16::MAX),
        Type::Int => i64::from(i32::MIN)..=i64::from(i32::MAX),
        _ => i64::MIN..=i64::MAX,
    }
}

fn to_bit(value: &Value, from: Type) -> Result<Value, Message> {
    let bit = match value {
        Value::Bit(b) => *b,
        Value::Float(n) => *n != 0.0,
        Value::Binary(bytes) => bytes.iter().any(|b| *b != 0),
        Value::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => match from_text(text, from, Type::Int) {
                Ok(Value::Int(n)) => n != 0,
                _ => return Err(conversion_failed(text, from, Type::Bit)),
            },
        },
        other => compare::exact(other).ok_or_else(|| types::clash(from, Type::Bit))?.0 != 0,
    };
    Ok(Value::Bit(bit))
}

fn conversion_failed(text: &str, from: Type, to: Type) -> Message {
    let shown: String = text.chars().take(1000).collect();
    Message::error(
        245,
        format!(
            "Conversion failed when converting the {} value '{shown}' to data type {}.",
            types::name(from),
            types::name(to)
        ),
    )
}

fn from_text(text: &str, from: Type, to: Type) -> Result<Value, Message> {
    let trimmed = text.trim_matches(|c: char| c == ' ' || c.is_ascii_control());
    if let Type::Decimal { .. } = to {
        let (digits, scale) = parse_decimal(trimmed).ok_or_else(|| error_converting(from, to))?;
        return finish(digits, scale, from, to).map_err(|_| overflow(types::name(from), to));
    }
    let bad = || {
        if to == Type::BigInt { error_converting(from, to) } else { conversion_failed(text, from, to) }
    };
    let (sign, digits) = match trimmed.strip_prefix(['-', '+']) {
        Some(rest) => (if trimmed.starts_with('-') { -1 } else { 1 }, rest.trim_start()),
        None => (1, trimmed),
    };
    if digits.is_empty() {
        return if trimmed.is_empty() { Ok(Value::Int(0)) } else { Err(bad()) };
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let number = digits.parse::<i128>().ok().map(|n| n * sign).and_then(|n| i64::try_from(n).ok());
    number.filter(|n| integer_range(to).contains(n)).map(Value::Int).ok_or_else(|| {
        let shown: String = text.chars().take(100).collect();
        let from = types::name(from);
        match to {
            Type::Int => Message::error(
                248,
                format!("The conversion of the {from} value '{shown}' overflowed an int column."),
            ),
            Type::BigInt => overflow("expression", to),
            _ => Message::error(
                244,
                format!(
                    "The conversion of the {from} value '{shown}' overflowed an {} column. Use a larger integer column.",
                    if to == Type::TinyInt { "INT1" } else { "INT2" }
                ),
            ),
        }
    })
}

/// Digits and scale of `-12.50`; no exponent.
pub(in crate::sandbox::tsql) fn parse_decimal(text: &str) -> Option<(i128, u8)> {
    let (negative, rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    if whole.is_empty() && fraction.is_empty()
        || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    // more digits than 38 behind the point are dropped
    let fraction = &fraction[..fraction.len().min(38usize.saturating_sub(whole.len()))];
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    Some((if negative { -digits } else { digits }, fraction.len() as u8))
}

pub(super) fn to_approximate(value: &Value, from: Type, to: Type) -> Result<Value, Message> {
    let number = match value {
        Value::Float(n) => *n,
        Value::Text(text) => {
            let text = text.trim();
            let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
            match text.parse::<f64>() {
                _ if text.is_empty() => 0.0,
                Ok(n) if plain && n.is_finite() => n,
                _ => return Err(error_converting(from, to)),
            }
        }
        Value::DateTime(moment) => time::days(*moment),
        other => {
            let (digits, scale) = compare::exact(other).ok_or_else(|| types::clash(from, to))?;
            number::text(digits, scale).parse().unwrap_or(0.0)
        }
    };
    if to == Type::Real {
        let short = number as f32;
        if !short.is_finite() {
            return Err(overflow("expression", to));
        }
        return Ok(Value::Float(f64::from(short)));
    }
    Ok(Value::Float(number))
}
