//! Functions of numbers.

use super::super::convert::convert;
use super::super::function::Function;
use super::super::{number, types};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

pub(super) fn numeric(function: Function, values: &[Value], kind: Type) -> Result<Value, Message> {
    use Function as F;
    let overflow = || {
        Message::error(
            8115,
            format!("Arithmetic overflow error converting expression to data type {}.", types::name(kind)),
        )
    };
    let int = |at: usize| match values.get(at) {
        Some(Value::Int(n)) => *n,
        _ => 0,
    };
    Ok(match (function, &values[0]) {
        (F::Sqrt, Value::Float(n)) if *n < 0.0 => {
            return Err(Message::error(3623, "An invalid floating point operation occurred."));
        }
        (F::Sqrt, Value::Float(n)) => Value::Float(n.sqrt()),
        (F::Trigonometry(which), Value::Float(n)) => {
            use super::super::function::Trigonometry as T;
            let second = match values.get(1) {
                Some(Value::Float(n)) => *n,
                _ => 0.0,
            };
            let result = match which {
                T::Acos => n.acos(),
                T::Asin => n.asin(),
                T::Atan => n.atan(),
                T::Atn2 => n.atan2(second),
                T::Cos => n.cos(),
                T::Cot => 1.0 / n.tan(),
                T::Exp => n.exp(),
                T::Log10 => n.log10(),
                T::Pi => std::f64::consts::PI,
                T::Sin => n.sin(),
                T::Tan => n.tan(),
            };
            if which == T::Exp && result.is_infinite() {
                return Err(overflow());
            }
            if !result.is_finite() {
                return Err(Message::error(3623, "An invalid floating point operation occurred."));
            }
            Value::Float(result)
        }
        (F::Log, Value::Float(n)) => {
            let result = match values.get(1) {
                Some(Value::Float(base)) => n.ln() / base.ln(),
                _ => n.ln(),
            };
            if *n <= 0.0 || !result.is_finite() {
                return Err(Message::error(3623, "An invalid floating point operation occurred."));
            }
            Value::Float(result)
        }
        (F::Square, Value::Float(n)) => {
            let result = n * n;
            if !result.is_finite() {
                return Err(overflow());
            }
            Value::Float(result)
        }
        (F::Degrees | F::Radians, value) => {
            let Value::Float(n) =
                convert(value.clone(), super::super::convert::natural(value), Type::Float, 0)?
            else {
                return Ok(Value::Null);
            };
            let turned = if function == F::Degrees { n.to_degrees() } else { n.to_radians() };
            return convert(Value::Float(turned), Type::Float, kind, 0);
        }
        (F::Power, base) => {
            let (Value::Float(base), Value::Float(exponent)) =
                (convert(base.clone(), Type::Float, Type::Float, 0)?, values[1].clone())
            else {
                return Ok(Value::Null);
            };
            let result = base.powf(exponent);
            if !result.is_finite() {
                return Err(Message::error(3623, "An invalid floating point operation occurred."));
            }
            let result = if types::is_integer(kind) { result.trunc() } else { result };
            return convert(Value::Float(result), Type::Float, kind, 0).map_err(|_| overflow());
        }
        (F::Str, Value::Float(n)) => {
            let length = if values.len() > 1 { int(1) } else { 10 };
            let decimals =
                usize::try_from(if values.len() > 2 { int(2) } else { 0 }.clamp(0, 16)).unwrap_or(0);
            let Ok(length) = usize::try_from(length) else { return Ok(Value::Null) };
            if length > 8000 {
                return Ok(Value::Null);
            }
            let whole = format!("{:.0}", n.trunc()).len();
            if whole > length {
                return Ok(Value::Text("*".repeat(length)));
            }
            let room = length.saturating_sub(whole + 1);
            Value::Text(format!("{n:>length$.*}", decimals.min(room)))
        }
        (F::Abs, Value::Int(n)) => {
            let n = n.checked_abs().filter(|n| super::super::convert::integer_range(kind).contains(n));
            Value::Int(n.ok_or_else(overflow)?)
        }
        (F::Abs, Value::Decimal { digits, scale }) => Value::Decimal { digits: digits.abs(), scale: *scale },
        (F::Abs, Value::Float(n)) => Value::Float(n.abs()),
        (F::Sign, Value::Int(n)) => Value::Int(n.signum()),
        (F::Sign, Value::Decimal { digits, scale }) => {
            Value::Decimal { digits: digits.signum() * number::power(*scale), scale: *scale }
        }
        (F::Sign, Value::Float(n)) => Value::Float(if *n == 0.0 { 0.0 } else { n.signum() }),
        (F::Ceiling, Value::Float(n)) => Value::Float(n.ceil()),
        (F::Floor, Value::Float(n)) => Value::Float(n.floor()),
        (F::Ceiling | F::Floor, Value::Decimal { digits, scale }) => {
            let unit = number::power(*scale);
            let down = digits.div_euclid(unit);
            let up = i128::from(function == F::Ceiling && digits.rem_euclid(unit) != 0);
            Value::Decimal { digits: down + up, scale: 0 }
        }
        (F::Round, value) => {
            let cut = values.len() > 2 && int(2) != 0;
            round(value, int(1), cut, kind).ok_or_else(overflow)?
        }
        (_, value) => value.clone(),
    })
}

/// ROUND to `places` (negative: left of the point); `cut` truncates.
pub(super) fn round(value: &Value, places: i64, cut: bool, kind: Type) -> Option<Value> {
    match value {
        Value::Float(n) => {
            let factor = 10f64.powi(i32::try_from(places.clamp(-300, 300)).ok()?);
            let scaled = n * factor;
            if !scaled.is_finite() {
                return Some(Value::Float(*n));
            }
            Some(Value::Float(if cut { scaled.trunc() } else { scaled.round() } / factor))
        }
        Value::Int(n) => {
            if places >= 0 {
                return Some(Value::Int(*n));
            }
            let digits = round_digits(i128::from(*n), places.unsigned_abs(), cut)?;
            let n = i64::try_from(digits).ok()?;
            super::super::convert::integer_range(kind).contains(&n).then_some(Value::Int(n))
        }
        Value::Decimal { digits, scale } => {
            let drop = i64::from(*scale).saturating_sub(places);
            if drop <= 0 {
                return Some(value.clone());
            }
            let digits = round_digits(*digits, drop.unsigned_abs(), cut)?;
            number::within(digits, types::decimal_size(kind).0)
                .then_some(Value::Decimal { digits, scale: *scale })
        }
        other => Some(other.clone()),
    }
}

pub(super) fn round_digits(digits: i128, drop: u64, cut: bool) -> Option<i128> {
    let Ok(drop @ 0..=37) = u8::try_from(drop) else { return Some(0) };
    let unit = number::power(drop);
    let (whole, rest) = (digits / unit, digits % unit);
    let up = if !cut && rest.unsigned_abs() * 2 >= unit.unsigned_abs() { digits.signum() } else { 0 };
    (whole + up).checked_mul(unit)
}
