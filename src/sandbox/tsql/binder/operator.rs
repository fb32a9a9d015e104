//! Types of operators, and the implicit conversions they need.

use super::super::ast::{Comparison, Operator};
use super::super::convert::convert;
use super::super::number;
use super::super::plan::{Bound, Node};
use super::super::types::{self, Family};
use super::Binding;
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// `value` as a `kind`, by an implicit conversion.
pub(in crate::sandbox::tsql) fn coerce(value: Bound, kind: Type) -> Binding<Bound> {
    if value.kind == kind && !value.is_bare_null() {
        return Ok(value);
    }
    if value.is_bare_null() {
        return Ok(Bound::constant(Value::Null, kind));
    }
    types::check_implicit(value.kind, kind)?;
    Ok(converted(value, kind))
}

/// A conversion, done at once when it can be and does not fail.
fn converted(value: Bound, kind: Type) -> Bound {
    if let Node::Constant(constant) = &value.node
        && let Ok(ready) = convert(constant.clone(), value.kind, kind, 0)
    {
        return Bound { node: Node::Constant(ready), kind, nullable: value.nullable };
    }
    let nullable = value.nullable;
    Bound { node: Node::Convert { value: Box::new(value), style: None, forgiving: false }, kind, nullable }
}

/// Precision and scale as arithmetic sees them: an integer literal is as wide as it is written.
fn decimal_size(value: &Bound) -> (u8, u8) {
    match &value.node {
        Node::Constant(Value::Int(n)) if value.kind == Type::Int => {
            (n.unsigned_abs().to_string().len() as u8, 0)
        }
        _ => types::decimal_size(value.kind),
    }
}

/// The type several values meet in; bare NULLs do not count.
pub(super) fn meet<'b>(values: impl Iterator<Item = &'b Bound>) -> Binding<Type> {
    let mut kinds = values.filter(|v| !v.is_bare_null()).map(|v| v.kind);
    let Some(first) = kinds.next() else { return Ok(Type::Int) };
    kinds.try_fold(first, |a, b| {
        let kind = types::common(a, b);
        types::check_implicit(a, kind)?;
        types::check_implicit(b, kind)?;
        Ok(kind)
    })
}

pub(super) fn arithmetic(operator: Operator, left: Bound, right: Bound) -> Binding<Bound> {
    let nullable = left.nullable || right.nullable;
    if left.is_bare_null() && right.is_bare_null() {
        return Ok(Bound::constant(Value::Null, Type::Int));
    }
    let (left, right) = if left.is_bare_null() {
        (Bound::constant(Value::Null, right.kind), right)
    } else if right.is_bare_null() {
        let kind = left.kind;
        (left, Bound::constant(Value::Null, kind))
    } else {
        (left, right)
    };
    let kind = types::common(left.kind, right.kind);
    let (a, b) = (types::family(left.kind), types::family(right.kind));
    if operator == Operator::Add && types::is_text(kind) {
        return Ok(concatenate(left, right));
    }
    if operator == Operator::Add && a == Family::Binary && b == Family::Binary {
        let size = match (types::length(left.kind), types::length(right.kind)) {
            (Some(x), Some(y)) => Some((x + y).min(8000)),
            _ => None,
        };
        let node = Node::Concatenate(Box::new(left), Box::new(right));
        return Ok(Bound { node, kind: Type::VarBinary(size), nullable });
    }
    let bits = matches!(operator, Operator::BitAnd | Operator::BitOr | Operator::BitXor);
    let whole = |k| types::is_integer(k) || k == Type::Bit;
    if bits && !(whole(kind) && (whole(left.kind) || types::family(left.kind) == Family::Text)) {
        return Err(incompatible(operator, left.kind, right.kind));
    }
    if let Some(result) = date_arithmetic(operator, &left, &right)? {
        return Ok(result);
    }
    match types::family(kind) {
        Family::Exact | Family::Approximate => {}
        Family::Text => return Err(invalid_for(kind, operator)),
        _ if a == b => return Err(invalid_for(kind, operator)),
        Family::Time if matches!(kind, Type::DateTime | Type::SmallDateTime) => {
            return Err(invalid_for(kind, operator));
        }
        Family::Variant => return Err(invalid_for(kind, operator)),
        _ => return Err(types::clash(left.kind, right.kind)),
    }
    for side in [&left, &right] {
        types::check_implicit(side.kind, kind)?;
    }
    if let Type::Decimal { .. } = kind {
        let text_side = |v: &Bound| types::family(v.kind) != Family::Exact;
        let left = if text_side(&left) { coerce(left, kind)? } else { left };
        let right = if text_side(&right) { coerce(right, kind)? } else { right };
        let (precision, scale) = number::result_type(operator, decimal_size(&left), decimal_size(&right));
        let kind = Type::Decimal { precision, scale };
        return Ok(Bound {
            node: Node::Arithmetic(operator, Box::new(left), Box::new(right)),
            kind,
            nullable,
        });
    }
    let kind = if kind == Type::Bit && !bits { Type::Int } else { kind };
    if matches!(kind, Type::Float | Type::Real) && operator == Operator::Modulo {
        return Err(incompatible(operator, left.kind, right.kind));
    }
    let (left, right) = (coerce(left, kind)?, coerce(right, kind)?);
    Ok(Bound { node: Node::Arithmetic(operator, Box::new(left), Box::new(right)), kind, nullable })
}

pub(super) fn negate(value: Bound) -> Binding<Bound> {
    let nullable = value.nullable;
    let kind = match types::family(value.kind) {
        Family::Exact if value.kind == Type::Bit => return Err(invalid_for_text(value.kind, "minus")),
        Family::Exact | Family::Approximate => value.kind,
        _ => return Err(invalid_for_text(value.kind, "minus")),
    };
    let kind = if kind == Type::TinyInt { Type::SmallInt } else { kind };
    match &value.node {
        Node::Constant(Value::Int(n)) => return Ok(Bound::constant(Value::Int(-n), kind)),
        Node::Constant(Value::Decimal { digits, scale }) => {
            return Ok(Bound::constant(Value::Decimal { digits: -digits, scale: *scale }, kind));
        }
        Node::Constant(Value::Float(n)) => return Ok(Bound::constant(Value::Float(-n), kind)),
        _ => {}
    }
    Ok(Bound { node: Node::Negate(Box::new(value)), kind, nullable })
}

pub(super) fn comparison(how: Comparison, left: Bound, right: Bound) -> Binding<Bound> {
    let (left, right) = comparable(left, right, how)?;
    Ok(Bound::condition(Node::Compare(how, Box::new(left), Box::new(right))))
}

/// Two values that can be compared: converted where their kinds compare differently.
pub(super) fn comparable(left: Bound, right: Bound, how: Comparison) -> Binding<(Bound, Bound)> {
    if left.is_bare_null() || right.is_bare_null() {
        let kind = if left.is_bare_null() { right.kind } else { left.kind };
        return Ok((coerce(left, kind)?, coerce(right, kind)?));
    }
    let (a, b) = (types::family(left.kind), types::family(right.kind));
    if a == b
        && matches!(a, Family::Text | Family::Exact | Family::Approximate | Family::Binary | Family::Variant)
    {
        return Ok((left, right));
    }
    let kind = types::common(left.kind, right.kind);
    for side in [&left, &right] {
        types::check_implicit(side.kind, kind).map_err(|m| match m.number {
            206 if a == Family::Time && b == Family::Time => incompatible_compare(how, left.kind, right.kind),
            _ => m,
        })?;
    }
    // a text beside a number takes the number's type, at its own width
    Ok((coerce(left, kind)?, coerce(right, kind)?))
}

fn incompatible_compare(how: Comparison, a: Type, b: Type) -> Message {
    let word = match how {
        Comparison::Equal => "equal to",
        Comparison::NotEqual => "not equal to",
        Comparison::Less => "less than",
        Comparison::LessOrEqual => "less than or equal to",
        Comparison::Greater => "greater than",
        Comparison::GreaterOrEqual => "greater than or equal to",
    };
    Message::error(
        402,
        format!(
            "The data types {} and {} are incompatible in the {word} operator.",
            types::name(a),
            types::name(b)
        ),
    )
}

fn concatenate(left: Bound, right: Bound) -> Bound {
    let national = types::is_national(left.kind) || types::is_national(right.kind);
    let size = match (types::length(left.kind), types::length(right.kind)) {
        (Some(x), Some(y)) => Some(u32::from(x) + u32::from(y)),
        _ => None,
    };
    let kind = types::varying(national, size);
    let nullable = left.nullable || right.nullable;
    Bound { node: Node::Concatenate(Box::new(left), Box::new(right)), kind, nullable }
}

/// datetime ± days, datetime - datetime.
fn date_arithmetic(operator: Operator, left: &Bound, right: &Bound) -> Binding<Option<Bound>> {
    let old = |k| matches!(k, Type::DateTime | Type::SmallDateTime);
    let time = |k| types::family(k) == Family::Time;
    if !(time(left.kind) || time(right.kind)) {
        return Ok(None);
    }
    if !matches!(operator, Operator::Add | Operator::Subtract) {
        return Ok(None);
    }
    let newer = |k| time(k) && !old(k);
    if newer(left.kind) || newer(right.kind) {
        return if time(left.kind) && time(right.kind) {
            Err(if left.kind == right.kind {
                invalid_for(left.kind, operator)
            } else {
                incompatible(operator, left.kind, right.kind)
            })
        } else {
            Err(types::clash(left.kind, right.kind))
        };
    }
    let kind = types::common(left.kind, right.kind);
    let (left, right) = (coerce(left.clone(), Type::DateTime)?, coerce(right.clone(), Type::DateTime)?);
    let node = Node::Arithmetic(operator, Box::new(left), Box::new(right));
    Ok(Some(Bound { node, kind, nullable: true }))
}

fn word(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "add",
        Operator::Subtract => "subtract",
        Operator::Multiply => "multiply",
        Operator::Divide => "divide",
        Operator::Modulo => "modulo",
        Operator::BitAnd => "'&'",
        Operator::BitOr => "'|'",
        Operator::BitXor => "'^'",
    }
}

/// 8117
fn invalid_for(kind: Type, operator: Operator) -> Message {
    invalid_for_text(kind, word(operator))
}

pub(super) fn invalid_for_text(kind: Type, operator: &str) -> Message {
    Message::error(
        8117,
        format!("Operand data type {} is invalid for {operator} operator.", types::name(kind)),
    )
}

/// 402
fn incompatible(operator: Operator, a: Type, b: Type) -> Message {
    Message::error(
        402,
        format!(
            "The data types {} and {} are incompatible in the {} operator.",
            types::name(a),
            types::name(b),
            word(operator)
        ),
    )
}
