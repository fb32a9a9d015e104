//! Values of rows and output parameters as they are sent (MS-TDS 2.2.5.5).
//!
//! A value that is not of its column's type is converted where that loses nothing and refused otherwise:
//! a wrong cell would look like a fact. Does not read anything.

use std::fmt;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::codepage;
use super::kind::{SHORT_BYTES, codes, decimal_bytes, declared_bytes};
use super::moment::{self, OutOfRange};
use crate::sandbox::value::{Type, Value};

/// A value that its column's type cannot hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unfit {
    kind: Type,
    value: Value,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = format!("{:?}", self.value);
        write!(f, "{} sent as {:?}", super::bytes::clipped(&value, 200), self.kind)
    }
}

/// Appends one value as `kind`; on refusal nothing usable was appended.
pub(super) fn put(out: &mut Vec<u8>, kind: Type, value: &Value) -> Result<(), Unfit> {
    if *value == Value::Null {
        put_null(out, kind);
        return Ok(());
    }
    try_put(out, kind, value).ok_or_else(|| Unfit { kind, value: value.clone() })
}

fn put_null(out: &mut Vec<u8>, kind: Type) {
    let (length, unit_bytes) = match kind {
        Type::Char(length) | Type::Binary(length) => (Some(length), 1),
        Type::VarChar(length) | Type::VarBinary(length) => (length, 1),
        Type::NChar(length) => (Some(length), 2),
        Type::NVarChar(length) => (length, 2),
        Type::Xml => return out.extend([0xFF; 8]),
        Type::Variant => return out.extend([0; 4]),
        _ => return out.push(0),
    };
    match declared_bytes(length, unit_bytes) {
        Some(_) => out.extend([0xFF; 2]),
        None => out.extend([0xFF; 8]),
    }
}

fn try_put(out: &mut Vec<u8>, kind: Type, value: &Value) -> Option<()> {
    match kind {
        Type::Bit => put_short(out, &[u8::from(whole(value)? != 0)]),
        Type::TinyInt => put_short(out, &u8::try_from(whole(value)?).ok()?.to_le_bytes()),
        Type::SmallInt => put_short(out, &i16::try_from(whole(value)?).ok()?.to_le_bytes()),
        Type::Int => put_short(out, &i32::try_from(whole(value)?).ok()?.to_le_bytes()),
        Type::BigInt => put_short(out, &whole(value)?.to_le_bytes()),
        Type::Decimal { precision, scale } => {
            put_short(out, &decimal(rescaled(value, scale)?, precision, decimal_bytes(precision))?);
        }
        Type::Money => {
            let units = i64::try_from(rescaled(value, 4)?).ok()?;
            let mut bytes = ((units >> 32) as i32).to_le_bytes().to_vec();
            bytes.extend((units as u32).to_le_bytes());
            put_short(out, &bytes);
        }
        Type::SmallMoney => put_short(out, &i32::try_from(rescaled(value, 4)?).ok()?.to_le_bytes()),
        Type::Real => put_short(out, &(float(value)? as f32).to_le_bytes()),
        Type::Float => put_short(out, &float(value)?.to_le_bytes()),
        Type::Date => put_short(out, &moment::date(moment_of(value)?.date()).ok()?),
        Type::Time { scale } => put_short(out, &moment::time(time_of(value)?, scale)),
        Type::SmallDateTime => put_short(out, &moment::smalldatetime(moment_of(value)?).ok()?),
        Type::DateTime => put_short(out, &moment::datetime(moment_of(value)?).ok()?),
        Type::DateTime2 { scale } => put_short(out, &moment::datetime2(moment_of(value)?, scale).ok()?),
        Type::DateTimeOffset { scale } => {
            let (local, minutes) = match value {
                Value::DateTimeOffset(local, minutes) => (*local, *minutes),
                other => (moment_of(other)?, 0),
            };
            put_short(out, &moment::datetimeoffset(local, minutes, scale).ok()?);
        }
        Type::UniqueIdentifier => put_short(out, &mixed_endian(guid(value)?)),
        Type::Char(length) => put_string(out, codepage::encode(&text(value)?), Some(length), 1, Some(b" "))?,
        Type::VarChar(length) => put_string(out, codepage::encode(&text(value)?), length, 1, None)?,
        Type::NChar(length) => put_string(out, utf16(&text(value)?), Some(length), 2, Some(b" \0"))?,
        Type::NVarChar(length) => put_string(out, utf16(&text(value)?), length, 2, None)?,
        Type::Binary(length) => put_string(out, binary(value)?, Some(length), 1, Some(b"\0"))?,
        Type::VarBinary(length) => put_string(out, binary(value)?, length, 1, None)?,
        Type::Xml => put_string(out, utf16(&text(value)?), None, 2, None)?,
        Type::Variant => put_variant(out, value)?,
    }
    Some(())
}

/// A value of up to 255 bytes behind its length.
fn put_short(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(bytes.len() as u8);
    out.extend_from_slice(bytes);
}

/// A string within its declared length, padded if its type is; partially length-prefixed when `max`.
fn put_string(
    out: &mut Vec<u8>,
    mut bytes: Vec<u8>,
    length: Option<u16>,
    unit_bytes: u16,
    padding: Option<&[u8]>,
) -> Option<()> {
    let Some(declared) = declared_bytes(length, unit_bytes) else {
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        for chunk in bytes.chunks(1 << 30) {
            out.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
            out.extend_from_slice(chunk);
        }
        out.extend([0; 4]);
        return Some(());
    };
    let declared = usize::from(declared);
    if bytes.len() > declared {
        return None;
    }
    if let Some(padding) = padding {
        while bytes.len() + padding.len() <= declared {
            bytes.extend_from_slice(padding);
        }
    }
    out.extend_from_slice(&(bytes.len() as u16).to_le_bytes());
    out.extend(bytes);
    Some(())
}

/// `sql_variant` (MS-TDS 2.2.5.5.4): length, base type, its properties, the bare value.
fn put_variant(out: &mut Vec<u8>, value: &Value) -> Option<()> {
    let (code, properties, data): (u8, Vec<u8>, Vec<u8>) = match value {
        Value::Null => return None,
        Value::Bit(bit) => (codes::BIT, vec![], vec![u8::from(*bit)]),
        Value::Int(number) => match i32::try_from(*number) {
            Ok(number) => (codes::INT_4, vec![], number.to_le_bytes().to_vec()),
            Err(_) => (codes::INT_8, vec![], number.to_le_bytes().to_vec()),
        },
        Value::Decimal { digits, scale } => (codes::NUMERIC_N, vec![38, *scale], decimal(*digits, 38, 17)?),
        Value::Float(number) => (codes::FLOAT_8, vec![], number.to_le_bytes().to_vec()),
        Value::Date(date) => (codes::DATE_N, vec![], moment::date(*date).ok()?.to_vec()),
        Value::Time(time) => (codes::TIME_N, vec![7], moment::time(*time, 7)),
        Value::DateTime(at) => match moment::datetime(*at) {
            Ok(bytes) => (codes::DATETIME, vec![], bytes.to_vec()),
            Err(OutOfRange) => (codes::DATETIME2_N, vec![7], moment::datetime2(*at, 7).ok()?),
        },
        Value::DateTimeOffset(local, minutes) => {
            (codes::DATETIMEOFFSET_N, vec![7], moment::datetimeoffset(*local, *minutes, 7).ok()?)
        }
        Value::Guid(bytes) => (codes::GUID, vec![], mixed_endian(*bytes).to_vec()),
        Value::Text(text) => {
            let mut properties = codepage::COLLATION.to_vec();
            properties.extend_from_slice(&SHORT_BYTES.to_le_bytes());
            (codes::NVARCHAR, properties, utf16(text))
        }
        Value::Binary(bytes) => (codes::VARBINARY, SHORT_BYTES.to_le_bytes().to_vec(), bytes.clone()),
    };
    if data.len() > SHORT_BYTES.into() {
        return None;
    }
    let length = (2 + properties.len() + data.len()) as u32;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend([code, properties.len() as u8]);
    out.extend(properties);
    out.extend(data);
    Some(())
}

/// A whole number without loss.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Bit(bit) => Some(i64::from(*bit)),
        Value::Decimal { digits, scale } => {
            let unit = 10i128.checked_pow((*scale).into())?;
            (digits % unit == 0).then_some(digits / unit)?.try_into().ok()
        }
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Int(number) => Some(*number as f64),
        Value::Decimal { digits, scale } => format!("{digits}e-{scale}").parse().ok(),
        _ => None,
    }
}

/// The digits of a number at another scale, without loss.
fn rescaled(value: &Value, scale: u8) -> Option<i128> {
    let (digits, from) = match value {
        Value::Decimal { digits, scale } => (*digits, *scale),
        other => (i128::from(whole(other)?), 0),
    };
    let unit = 10i128.checked_pow(from.abs_diff(scale).into())?;
    if from <= scale { digits.checked_mul(unit) } else { (digits % unit == 0).then_some(digits / unit) }
}

/// Sign and little-endian magnitude, `bytes` in all.
fn decimal(digits: i128, precision: u8, bytes: u8) -> Option<Vec<u8>> {
    let magnitude = digits.unsigned_abs();
    if magnitude >= 10u128.checked_pow(precision.into())? {
        return None;
    }
    let mut out = vec![u8::from(digits >= 0)];
    out.extend_from_slice(&magnitude.to_le_bytes());
    out.truncate(bytes.into());
    Some(out)
}

fn moment_of(value: &Value) -> Option<NaiveDateTime> {
    match value {
        Value::DateTime(at) => Some(*at),
        Value::Date(date) => Some(date.and_time(NaiveTime::MIN)),
        Value::Time(time) => NaiveDate::from_ymd_opt(1900, 1, 1).map(|first| first.and_time(*time)),
        _ => None,
    }
}

fn time_of(value: &Value) -> Option<NaiveTime> {
    match value {
        Value::Time(time) => Some(*time),
        Value::DateTime(at) => Some(at.time()),
        _ => None,
    }
}

/// The wire holds the first three groups of a GUID little-endian.
pub(super) fn mixed_endian(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

fn guid(value: &Value) -> Option<[u8; 16]> {
    match value {
        Value::Guid(bytes) => Some(*bytes),
        _ => None,
    }
}

/// The text of a value whose only written form is obvious.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Bit(bit) => Some(u8::from(*bit).to_string()),
        _ => None,
    }
}

fn utf16(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    super::bytes::put_utf16(&mut out, text);
    out
}

fn binary(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Binary(bytes) => Some(bytes.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "every case makes its value")]
    fn bytes(kind: Type, value: Value) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, kind, &value).unwrap();
        out
    }
    #[expect(clippy::needless_pass_by_value, reason = "every case makes its value")]
    fn refused(kind: Type, value: Value) -> bool {
        put(&mut Vec::new(), kind, &value).is_err()
    }
    fn decimal_value(digits: i128, scale: u8) -> Value {
        Value::Decimal { digits, scale }
    }

    #[test]
    fn integers_are_as_wide_as_their_type() {
        assert_eq!(bytes(Type::TinyInt, Value::Int(255)), [1, 255]);
        assert_eq!(bytes(Type::SmallInt, Value::Int(-2)), [2, 0xFE, 0xFF]);
        assert_eq!(bytes(Type::Int, Value::Int(4305)), [4, 0xD1, 0x10, 0, 0]);
        assert_eq!(bytes(Type::BigInt, Value::Int(1)), [8, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes(Type::Bit, Value::Bit(true)), [1, 1]);
    }

    #[test]
    fn an_lsn_beyond_64_bits_is_sign_and_twelve_bytes() {
        let lsn = 1_000_000_000_000_000_000_000_001;
        let out = bytes(Type::LSN, decimal_value(lsn, 0));
        assert_eq!(out[..2], [13, 1]);
        assert_eq!(out[2..], lsn.to_le_bytes()[..12]);
        assert_eq!(
            bytes(Type::Decimal { precision: 9, scale: 2 }, decimal_value(-150, 2)),
            [5, 0, 150, 0, 0, 0]
        );
    }

    #[test]
    fn decimals_change_scale_only_without_loss() {
        let money = Type::Decimal { precision: 10, scale: 4 };
        assert_eq!(bytes(money, decimal_value(15, 1)), bytes(money, decimal_value(15000, 4)));
        assert_eq!(bytes(money, Value::Int(2)), bytes(money, decimal_value(20000, 4)));
        assert!(refused(Type::LSN, decimal_value(15, 1)));
        assert!(refused(Type::Decimal { precision: 3, scale: 0 }, Value::Int(1000)));
        assert!(refused(Type::Decimal { precision: 38, scale: 38 }, Value::Int(i64::MAX)));
        assert!(refused(Type::Int, decimal_value(1, 255)), "a scale no decimal has");
    }

    #[test]
    fn a_guid_is_mixed_endian() {
        let printed = std::array::from_fn(|n| n as u8);
        let out = bytes(Type::UniqueIdentifier, Value::Guid(printed));
        assert_eq!(out, [16, 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]);
    }

    #[test]
    fn texts_are_utf16_or_code_page_1252_and_padded_when_fixed() {
        let text = || Value::Text("é".into());
        assert_eq!(bytes(Type::NVarChar(Some(5)), text()), [2, 0, 0xE9, 0]);
        assert_eq!(bytes(Type::VarChar(Some(5)), text()), [1, 0, 0xE9]);
        assert_eq!(bytes(Type::Char(3), text()), [3, 0, 0xE9, b' ', b' ']);
        assert_eq!(bytes(Type::NChar(2), text()), [4, 0, 0xE9, 0, b' ', 0]);
        assert_eq!(bytes(Type::Binary(3), Value::Binary(vec![7])), [3, 0, 7, 0, 0]);
    }

    #[test]
    fn a_max_text_is_partially_length_prefixed() {
        let out = bytes(Type::NVarChar(None), Value::Text("ab".into()));
        assert_eq!(out, [4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, b'a', 0, b'b', 0, 0, 0, 0, 0]);
        let empty = bytes(Type::VarChar(None), Value::Text(String::new()));
        assert_eq!(empty, [0; 12]);
    }

    #[test]
    fn null_has_the_form_of_its_type() {
        assert_eq!(bytes(Type::Int, Value::Null), [0]);
        assert_eq!(bytes(Type::Date, Value::Null), [0]);
        assert_eq!(bytes(Type::SYSNAME, Value::Null), [0xFF, 0xFF]);
        assert_eq!(bytes(Type::Char(4), Value::Null), [0xFF, 0xFF]);
        assert_eq!(bytes(Type::VarBinary(None), Value::Null), [0xFF; 8]);
        assert_eq!(bytes(Type::Variant, Value::Null), [0; 4]);
    }

    #[test]
    fn variants_carry_their_base_type() {
        assert_eq!(bytes(Type::Variant, Value::Int(7)), [6, 0, 0, 0, 0x38, 0, 7, 0, 0, 0]);
        assert_eq!(bytes(Type::Variant, Value::Bit(true)), [3, 0, 0, 0, 0x32, 0, 1]);
        let text = bytes(Type::Variant, Value::Text("a".into()));
        assert_eq!(text, [11, 0, 0, 0, 0xE7, 7, 0x09, 0x04, 0xD0, 0x00, 0x34, 0x40, 0x1F, b'a', 0]);
        assert!(refused(Type::Variant, Value::Text("a".repeat(4001))));
    }

    #[test]
    fn what_a_type_cannot_hold_is_refused() {
        assert!(refused(Type::TinyInt, Value::Int(-1)));
        assert!(refused(Type::SmallInt, Value::Int(32768)));
        assert!(refused(Type::Int, Value::Text("7".into())));
        assert!(refused(Type::NVarChar(Some(2)), Value::Text("abc".into())));
        assert!(refused(Type::VarBinary(Some(1)), Value::Binary(vec![1, 2])));
        assert!(refused(Type::DateTime, Value::Int(0)));
        assert!(refused(Type::UniqueIdentifier, Value::Binary(vec![0; 16])));
    }

    #[test]
    fn every_value_meets_every_type_without_a_panic() {
        let at: NaiveDateTime = "2026-11-20T21:04:05.123".parse().unwrap();
        let values = [
            Value::Bit(false),
            Value::Int(i64::MIN),
            decimal_value(i128::MIN, 255),
            decimal_value(i128::MAX, 0),
            Value::Float(f64::NAN),
            Value::Date(NaiveDate::MIN),
            Value::Time(at.time()),
            Value::DateTime(NaiveDateTime::MAX),
            Value::DateTimeOffset(NaiveDateTime::MIN, i16::MAX),
            Value::Guid([9; 16]),
            Value::Text("x".repeat(9000)),
            Value::Binary(vec![0; 9000]),
        ];
        let odd = [0, 1, 38, 39, 255];
        let mut kinds = vec![
            Type::Bit,
            Type::BigInt,
            Type::Real,
            Type::Float,
            Type::Date,
            Type::SmallDateTime,
            Type::DateTime,
            Type::UniqueIdentifier,
            Type::VarChar(None),
            Type::NVarChar(Some(u16::MAX)),
            Type::Binary(0),
            Type::Variant,
        ];
        for precision in odd {
            kinds.extend(odd.map(|scale| Type::Decimal { precision, scale }));
            kinds.push(Type::Time { scale: precision });
            kinds.push(Type::DateTime2 { scale: precision });
            kinds.push(Type::DateTimeOffset { scale: precision });
        }
        for kind in kinds {
            for value in &values {
                let mut out = Vec::new();
                let _ = put(&mut out, kind, value);
            }
        }
    }
}
