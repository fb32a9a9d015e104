//! Arithmetic with T-SQL's overflow and division errors.

use chrono::{NaiveDate, NaiveTime};

use super::super::ast::Operator;
use super::super::convert::{datetime_round, integer_range};
use super::super::{compare, number, types};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// 8115
fn overflow(kind: Type) -> Message {
    Message::error(
        8115,
        format!("Arithmetic overflow error converting expression to data type {}.", types::name(kind)),
    )
}

fn by_zero() -> Message {
    Message::error(8134, "Divide by zero error encountered.")
}

/// `-value`
pub(super) fn negate(value: Value, kind: Type) -> Result<Value, Message> {
    Ok(match value {
        Value::Int(n) => Value::Int(
            n.checked_neg().filter(|n| integer_range(kind).contains(n)).ok_or_else(|| overflow(kind))?,
        ),
        Value::Decimal { digits, scale } => Value::Decimal { digits: -digits, scale },
        Value::Float(n) => Value::Float(-n),
        other => other,
    })
}

/// Both sides have been converted as the binder decided; `kind` is the result's type.
pub(super) fn compute(operator: Operator, left: &Value, right: &Value, kind: Type) -> Result<Value, Message> {
    if *left == Value::Null || *right == Value::Null {
        return Ok(Value::Null);
    }
    match (left, right) {
        (Value::DateTime(a), Value::DateTime(b)) => {
            let epoch = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN);
            let by = *b - epoch;
            let moment =
                if operator == Operator::Add { a.checked_add_signed(by) } else { a.checked_sub_signed(by) };
            let moment = moment.filter(|m| (1753..=9999).contains(&chrono::Datelike::year(m)));
            moment.map(|m| Value::DateTime(datetime_round(m))).ok_or_else(|| overflow(kind))
        }
        (Value::Float(a), Value::Float(b)) => float(operator, *a, *b, kind),
        (Value::Bit(a), Value::Bit(b)) => Ok(Value::Bit(match operator {
            Operator::BitAnd => a & b,
            Operator::BitOr => a | b,
            _ => a ^ b,
        })),
        _ => {
            let (Some(a), Some(b)) = (compare::exact(left), compare::exact(right)) else {
                return Err(Message::not_modelled("arithmetic over these values"));
            };
            match kind {
                Type::Decimal { precision, scale } => {
                    let digits = decimal(operator, a, b, scale)?;
                    digits
                        .filter(|d| number::within(*d, precision))
                        .map(|digits| Value::Decimal { digits, scale })
                        .ok_or_else(|| overflow(kind))
                }
                Type::Money | Type::SmallMoney => decimal(operator, a, b, 4)?
                    .filter(|d| super::super::convert::money_range(kind).contains(d))
                    .map(|digits| Value::Decimal { digits, scale: 4 })
                    .ok_or_else(|| overflow(kind)),
                _ => integer(operator, a.0 as i64, b.0 as i64, kind),
            }
        }
    }
}

fn float(operator: Operator, a: f64, b: f64, kind: Type) -> Result<Value, Message> {
    let result = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b == 0.0 => return Err(by_zero()),
        Operator::Divide => a / b,
        _ => return Err(Message::not_modelled("this operator of floats")),
    };
    let result = if kind == Type::Real { f64::from(result as f32) } else { result };
    if result.is_finite() { Ok(Value::Float(result)) } else { Err(overflow(kind)) }
}

fn integer(operator: Operator, a: i64, b: i64, kind: Type) -> Result<Value, Message> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide | Operator::Modulo if b == 0 => return Err(by_zero()),
        Operator::Divide => a.checked_div(b),
        Operator::Modulo => Some(a.checked_rem(b).unwrap_or(0)),
        Operator::BitAnd => Some(a & b),
        Operator::BitOr => Some(a | b),
        Operator::BitXor => Some(a ^ b),
    };
    result.filter(|n| integer_range(kind).contains(n)).map(Value::Int).ok_or_else(|| overflow(kind))
}

fn decimal(
    operator: Operator,
    (a, p): (i128, u8),
    (b, q): (i128, u8),
    scale: u8,
) -> Result<Option<i128>, Message> {
    if matches!(operator, Operator::Divide | Operator::Modulo) && b == 0 {
        return Err(by_zero());
    }
    let common = p.max(q);
    let aligned = || Some((number::rescale(a, p, common)?, number::rescale(b, q, common)?));
    Ok(match operator {
        Operator::Add => {
            aligned().and_then(|(a, b)| number::add(a, b)).and_then(|d| number::rescale(d, common, scale))
        }
        Operator::Subtract => {
            aligned().and_then(|(a, b)| number::add(a, -b)).and_then(|d| number::rescale(d, common, scale))
        }
        Operator::Multiply if p + q >= scale => number::multiply(a, b, p + q - scale),
        Operator::Multiply => number::multiply(a, b, 0).and_then(|d| number::rescale(d, p + q, scale)),
        Operator::Divide => number::divide(a, p, b, q, scale),
        Operator::Modulo => aligned().map(|(a, b)| a % b).and_then(|d| number::rescale(d, common, scale)),
        _ => None,
    })
}
