//! To texts, guids and binaries.

use super::super::{number, types};
use super::{overflow, time};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// Characters as nvarchar counts them: UTF-16 units.
pub(in crate::sandbox::tsql) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// What code page 1252 has at 0x80..0x9F.
const CODE_PAGE: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";

/// What becomes of a text in a varchar: characters outside the code page turn to question marks.
pub(in crate::sandbox::tsql) fn narrow(text: String) -> String {
    let fits = |c: char| c <= '\u{ff}' || CODE_PAGE.contains(c);
    if text.is_ascii() || text.chars().all(fits) {
        return text;
    }
    text.chars()
        .flat_map(|c| {
            std::iter::repeat_n(if fits(c) { c } else { '?' }, if fits(c) { 1 } else { c.len_utf16() })
        })
        .collect()
}

/// The first `most` characters.
pub(super) fn cut(text: String, most: usize) -> String {
    if text.is_ascii() {
        let mut text = text;
        text.truncate(most);
        return text;
    }
    if units(&text) <= most {
        return text;
    }
    let mut left = most;
    text.chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(c.len_utf16());
            fits
        })
        .collect()
}

pub(super) fn to_text(value: Value, from: Type, to: Type, style: i32) -> Result<Value, Message> {
    let most = types::length(to).map(usize::from);
    let text = match value {
        Value::Text(text) => text,
        Value::Int(n) => {
            let text = n.to_string();
            if most.is_some_and(|most| text.len() > most) {
                let short = matches!(from, Type::Int | Type::SmallInt | Type::TinyInt);
                if short && !types::is_national(to) {
                    return Ok(pad(Value::Text("*".to_owned()), to));
                }
                return Err(overflow("expression", to));
            }
            text
        }
        Value::Bit(b) => if b { "1" } else { "0" }.to_owned(),
        Value::Decimal { digits, .. } if types::is_money(from) => money_text(digits, style),
        Value::Decimal { digits, scale } => {
            let text = number::text(digits, scale);
            if most.is_some_and(|most| text.len() > most) {
                return Err(overflow("numeric", to));
            }
            text
        }
        Value::Float(n) => {
            let text = float_text(n, style)?;
            if most.is_some_and(|most| text.len() > most) {
                return Err(overflow("float", to));
            }
            text
        }
        Value::Guid(bytes) => {
            if most.is_some_and(|most| most < 36) {
                return Err(Message::error(
                    8170,
                    "Insufficient result space to convert uniqueidentifier value to char.",
                ));
            }
            guid_text(&bytes)
        }
        Value::Binary(bytes) => match style {
            1 => format!("0x{}", hex(&bytes)),
            2 => hex(&bytes),
            0 if types::is_national(to) => {
                let wide: Vec<u16> = bytes
                    .chunks(2)
                    .map(|p| u16::from(p[0]) | u16::from(*p.get(1).unwrap_or(&0)) << 8)
                    .collect();
                String::from_utf16_lossy(&wide)
            }
            0 => bytes.iter().map(|b| char::from(*b)).collect(),
            _ => return Err(bad_style(style, from)),
        },
        moment => time::time_text(&moment, from, style)?,
    };
    let text = if types::is_national(to) { text } else { narrow(text) };
    let text = match most {
        Some(most) => cut(text, most),
        None => text,
    };
    Ok(pad(Value::Text(text), to))
}

/// Two decimals; with commas in style 1, four decimals in style 2.
fn money_text(digits: i128, style: i32) -> String {
    if style == 2 || style == 126 {
        return number::text(digits, 4);
    }
    let text = number::text(number::rescale(digits, 4, 2).unwrap_or(digits), 2);
    if style != 1 {
        return text;
    }
    let (sign, plain) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, cents) = plain.split_once('.').unwrap_or((plain, "00"));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{cents}")
}

/// char and nchar are padded with blanks to their length.
fn pad(value: Value, to: Type) -> Value {
    match (value, to) {
        (Value::Text(mut text), Type::Char(n) | Type::NChar(n)) => {
            let missing = usize::from(n).saturating_sub(units(&text));
            text.extend(std::iter::repeat_n(' ', missing));
            Value::Text(text)
        }
        (value, _) => value,
    }
}

/// 281
pub(super) fn bad_style(style: i32, from: Type) -> Message {
    Message::error(
        281,
        format!(
            "{style} is not a valid style number when converting from {} to a character string.",
            types::name(from)
        ),
    )
}

/// Style 0: six digits, as C's `%g`; 3: all seventeen.
fn float_text(n: f64, style: i32) -> Result<String, Message> {
    let digits: usize = match style {
        0 => 6,
        1 => 8,
        2 => 16,
        3 => 17,
        _ => return Err(Message::not_modelled(format!("style {style} of a float"))),
    };
    if n == 0.0 && style == 0 {
        return Ok("0".to_owned());
    }
    let scientific = format!("{n:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if style == 0 && (-5..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        let text = format!("{n:.decimals$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        return Ok(text.to_owned());
    }
    let mantissa = if style == 0 { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let sign = if exponent < 0 { '-' } else { '+' };
    Ok(format!("{mantissa}e{sign}{:03}", exponent.abs()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02X}");
        text
    })
}

/// The printed form, in capitals.
fn guid_text(b: &[u8; 16]) -> String {
    let h = hex(b);
    format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}

pub(super) fn to_guid(value: &Value, from: Type) -> Result<Value, Message> {
    match value {
        Value::Guid(bytes) => Ok(Value::Guid(*bytes)),
        Value::Binary(bytes) => {
            let mut raw = [0u8; 16];
            for (to, from) in raw.iter_mut().zip(bytes) {
                *to = *from;
            }
            Ok(Value::Guid(mixed_endian(raw)))
        }
        Value::Text(text) => parse_guid(text).map(Value::Guid).ok_or_else(|| {
            Message::error(
                8169,
                "Conversion failed when converting from a character string to uniqueidentifier.",
            )
        }),
        _ => Err(types::clash(from, Type::UniqueIdentifier)),
    }
}

/// The first three groups are stored backwards.
fn mixed_endian(b: [u8; 16]) -> [u8; 16] {
    [b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]]
}

fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let inner = text.strip_prefix('{').map_or(text, |rest| rest.split('}').next().unwrap_or(rest));
    let inner: String = inner.chars().take(36).collect();
    if inner.len() != 36 {
        return None;
    }
    let mut digits = Vec::with_capacity(32);
    for (at, c) in inner.chars().enumerate() {
        if [8, 13, 18, 23].contains(&at) {
            if c != '-' {
                return None;
            }
        } else {
            digits.push(c.to_digit(16)? as u8);
        }
    }
    let mut bytes = [0u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

pub(super) fn to_binary(value: Value, from: Type, to: Type, style: i32) -> Result<Value, Message> {
    let mut left = false;
    let mut bytes = match value {
        Value::Binary(bytes) => bytes,
        Value::Guid(bytes) => mixed_endian(bytes).to_vec(),
        Value::Text(text) if style == 1 || style == 2 => {
            let digits = if style == 1 {
                text.strip_prefix("0x")
                    .or_else(|| text.strip_prefix("0X"))
                    .ok_or_else(|| not_hex(from, to))?
            } else {
                &text
            };
            if digits.len() % 2 != 0 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(not_hex(from, to));
            }
            let digit = |b: u8| (b as char).to_digit(16).unwrap_or(0) as u8;
            digits.as_bytes().chunks(2).map(|p| digit(p[0]) << 4 | digit(p[1])).collect()
        }
        Value::Text(text) if types::is_national(from) => {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        Value::Text(text) => narrow(text).chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect(),
        Value::Int(n) => {
            left = true;
            let size = match from {
                Type::TinyInt => 1,
                Type::SmallInt => 2,
                Type::Int => 4,
                _ => 8,
            };
            n.to_be_bytes()[8 - size..].to_vec()
        }
        Value::Bit(b) => {
            left = true;
            vec![u8::from(b)]
        }
        _ => {
            return Err(Message::not_modelled(format!(
                "conversion from {} to {}",
                types::name(from),
                types::name(to)
            )));
        }
    };
    if let Some(most) = types::length(to).map(usize::from) {
        if bytes.len() > most {
            if left {
                bytes.drain(..bytes.len() - most);
            } else {
                bytes.truncate(most);
            }
        } else if let Type::Binary(_) = to {
            let missing = std::iter::repeat_n(0, most - bytes.len());
            if left {
                bytes.splice(0..0, missing);
            } else {
                bytes.extend(missing);
            }
        }
    }
    Ok(Value::Binary(bytes))
}

fn not_hex(from: Type, to: Type) -> Message {
    super::error_converting(from, to)
}
