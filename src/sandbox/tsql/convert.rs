//! Values of one type made values of another, with SQL Server's errors.
//!
//! Does not know which conversions are allowed (`types` does) nor where in a statement it stands.

mod exact;
mod text;
mod time;

use super::super::answer::Message;
use super::super::value::{Type, Value};
use super::types::{self, Family};

pub(super) use exact::{integer_range, money_range, parse_decimal};
pub(super) use text::units;
pub(super) use time::{datetime_round, parse_datetime};

/// `value` of type `from` as a `to`; `style` as in CONVERT (0 = none given).
pub(super) fn convert(value: Value, from: Type, to: Type, style: i32) -> Result<Value, Message> {
    if matches!(value, Value::Null) {
        return Ok(Value::Null);
    }
    // what a sql_variant or a loosely typed source holds speaks for itself
    let from = if fits(&value, from) { from } else { natural(&value) };
    match types::family(to) {
        Family::Variant => Ok(value),
        Family::Xml => super::xml::hold(&value, from),
        Family::Text => text::to_text(value, from, to, style),
        Family::Exact => exact::to_exact(&value, from, to),
        Family::Approximate => exact::to_approximate(&value, from, to),
        Family::Time => time::to_time(&value, from, to, style),
        Family::Guid => text::to_guid(&value, from),
        Family::Binary => text::to_binary(value, from, to, style),
    }
}

/// Whether a value can stand for the type it is said to have.
pub(super) fn fits(value: &Value, kind: Type) -> bool {
    match value {
        Value::Null => true,
        Value::Bit(_) => kind == Type::Bit,
        Value::Int(_) => types::is_integer(kind),
        Value::Decimal { .. } => matches!(kind, Type::Decimal { .. } | Type::Money | Type::SmallMoney),
        Value::Float(_) => types::family(kind) == Family::Approximate,
        Value::Date(_) => kind == Type::Date,
        Value::Time(_) => matches!(kind, Type::Time { .. }),
        Value::DateTime(_) => {
            matches!(kind, Type::DateTime | Type::SmallDateTime | Type::DateTime2 { .. })
        }
        Value::DateTimeOffset(..) => matches!(kind, Type::DateTimeOffset { .. }),
        Value::Guid(_) => kind == Type::UniqueIdentifier,
        Value::Text(_) => types::is_text(kind) || kind == Type::Xml,
        Value::Binary(_) => types::family(kind) == Family::Binary,
    }
}

/// The type a bare value has.
pub(super) fn natural(value: &Value) -> Type {
    match value {
        Value::Int(n) if i32::try_from(*n).is_err() => Type::BigInt,
        Value::Int(_) | Value::Null => Type::Int,
        Value::Bit(_) => Type::Bit,
        Value::Decimal { digits, scale } => {
            let length = digits.unsigned_abs().to_string().len().min(38) as u8;
            Type::Decimal { precision: length.max(*scale).max(1), scale: *scale }
        }
        Value::Float(_) => Type::Float,
        Value::Date(_) => Type::Date,
        Value::Time(_) => Type::Time { scale: 7 },
        Value::DateTime(_) => Type::DateTime,
        Value::DateTimeOffset(..) => Type::DateTimeOffset { scale: 7 },
        Value::Guid(_) => Type::UniqueIdentifier,
        Value::Text(text) => Type::NVarChar(u16::try_from(units(text)).ok().filter(|n| *n <= 4000)),
        Value::Binary(bytes) => Type::VarBinary(u16::try_from(bytes.len()).ok().filter(|n| *n <= 8000)),
    }
}

/// 8115: `Arithmetic overflow error converting …`
fn overflow(what: &str, to: Type) -> Message {
    Message::error(
        8115,
        format!("Arithmetic overflow error converting {what} to data type {}.", types::name(to)),
    )
}

/// 8114
fn error_converting(from: Type, to: Type) -> Message {
    Message::error(8114, format!("Error converting data type {} to {}.", types::name(from), types::name(to)))
}
