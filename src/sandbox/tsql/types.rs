//! T-SQL's types among each other: names, families, precedence, what converts to what.
//!
//! Does not know values.

use super::super::answer::Message;
use super::super::value::Type;

/// Types that behave alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    /// bit, the integers, decimal.
    Exact,
    Approximate,
    /// date, time and everything with both.
    Time,
    Guid,
    Binary,
    Xml,
    Variant,
}

/// The family of a type.
pub(super) fn family(kind: Type) -> Family {
    match kind {
        Type::Bit
        | Type::TinyInt
        | Type::SmallInt
        | Type::Int
        | Type::BigInt
        | Type::Decimal { .. }
        | Type::Money
        | Type::SmallMoney => Family::Exact,
        Type::Real | Type::Float => Family::Approximate,
        Type::Date
        | Type::Time { .. }
        | Type::SmallDateTime
        | Type::DateTime
        | Type::DateTime2 { .. }
        | Type::DateTimeOffset { .. } => Family::Time,
        Type::UniqueIdentifier => Family::Guid,
        Type::Char(_) | Type::VarChar(_) | Type::NChar(_) | Type::NVarChar(_) => Family::Text,
        Type::Binary(_) | Type::VarBinary(_) => Family::Binary,
        Type::Xml => Family::Xml,
        Type::Variant => Family::Variant,
    }
}

/// The type's name in messages.
pub(super) fn name(kind: Type) -> &'static str {
    match kind {
        Type::Bit => "bit",
        Type::TinyInt => "tinyint",
        Type::SmallInt => "smallint",
        Type::Int => "int",
        Type::BigInt => "bigint",
        Type::Decimal { .. } => "numeric",
        Type::Real => "real",
        Type::Float => "float",
        Type::Date => "date",
        Type::Time { .. } => "time",
        Type::SmallDateTime => "smalldatetime",
        Type::DateTime => "datetime",
        Type::DateTime2 { .. } => "datetime2",
        Type::DateTimeOffset { .. } => "datetimeoffset",
        Type::UniqueIdentifier => "uniqueidentifier",
        Type::Char(_) => "char",
        Type::VarChar(Some(_)) => "varchar",
        Type::VarChar(None) => "varchar(max)",
        Type::NChar(_) => "nchar",
        Type::NVarChar(Some(_)) => "nvarchar",
        Type::NVarChar(None) => "nvarchar(max)",
        Type::Binary(_) => "binary",
        Type::VarBinary(Some(_)) => "varbinary",
        Type::VarBinary(None) => "varbinary(max)",
        Type::Money => "money",
        Type::SmallMoney => "smallmoney",
        Type::Xml => "xml",
        Type::Variant => "sql_variant",
    }
}

fn precedence(kind: Type) -> u8 {
    match kind {
        Type::Variant => 24,
        Type::Xml => 23,
        Type::DateTimeOffset { .. } => 22,
        Type::DateTime2 { .. } => 21,
        Type::DateTime => 20,
        Type::SmallDateTime => 19,
        Type::Date => 18,
        Type::Time { .. } => 17,
        Type::Float => 16,
        Type::Real => 15,
        Type::Decimal { .. } => 14,
        Type::Money => 13,
        Type::SmallMoney => 12,
        Type::BigInt => 11,
        Type::Int => 10,
        Type::SmallInt => 9,
        Type::TinyInt => 8,
        Type::Bit => 7,
        Type::UniqueIdentifier => 6,
        Type::NVarChar(_) => 5,
        Type::NChar(_) => 4,
        Type::VarChar(_) => 3,
        Type::Char(_) => 2,
        Type::VarBinary(_) => 1,
        Type::Binary(_) => 0,
    }
}

pub(super) fn is_integer(kind: Type) -> bool {
    matches!(kind, Type::TinyInt | Type::SmallInt | Type::Int | Type::BigInt)
}

pub(super) fn is_money(kind: Type) -> bool {
    matches!(kind, Type::Money | Type::SmallMoney)
}

pub(super) fn is_text(kind: Type) -> bool {
    family(kind) == Family::Text
}

pub(super) fn is_national(kind: Type) -> bool {
    matches!(kind, Type::NChar(_) | Type::NVarChar(_))
}

/// Length in characters or bytes; `None` = max.
pub(super) fn length(kind: Type) -> Option<u16> {
    match kind {
        Type::Char(n) | Type::NChar(n) | Type::Binary(n) => Some(n),
        Type::VarChar(n) | Type::NVarChar(n) | Type::VarBinary(n) => n,
        Type::Bit => Some(1),
        Type::TinyInt => Some(3),
        Type::SmallInt => Some(6),
        Type::Int => Some(12),
        Type::BigInt => Some(24),
        Type::Decimal { .. } => Some(41),
        Type::Real | Type::Float => Some(23),
        Type::Date => Some(10),
        Type::Time { .. } => Some(16),
        Type::SmallDateTime | Type::DateTime => Some(19),
        Type::DateTime2 { .. } => Some(27),
        Type::DateTimeOffset { .. } => Some(34),
        Type::UniqueIdentifier => Some(36),
        Type::Money | Type::SmallMoney => Some(30),
        Type::Xml => None,
        Type::Variant => Some(4000),
    }
}

/// A varying text of the kind (n or not) of `like`, at most as long as its kind allows before max.
pub(super) fn varying(national: bool, length: Option<u32>) -> Type {
    let most = if national { 4000 } else { 8000 };
    let size = length.map(|n| n.clamp(1, most) as u16);
    if national { Type::NVarChar(size) } else { Type::VarChar(size) }
}

/// Precision and scale of an exact number.
pub(super) fn decimal_size(kind: Type) -> (u8, u8) {
    match kind {
        Type::Decimal { precision, scale } => (precision, scale),
        Type::Bit => (1, 0),
        Type::TinyInt => (3, 0),
        Type::SmallInt => (5, 0),
        Type::BigInt => (19, 0),
        Type::Money => (19, 4),
        Type::SmallMoney => (10, 4),
        _ => (10, 0),
    }
}

fn time_scale(kind: Type) -> u8 {
    match kind {
        Type::Time { scale } | Type::DateTime2 { scale } | Type::DateTimeOffset { scale } => scale,
        Type::DateTime => 3,
        _ => 0,
    }
}

/// The type two values meet in: CASE, UNION, comparison.
pub(super) fn common(a: Type, b: Type) -> Type {
    if a == b {
        return a;
    }
    let (high, low) = if precedence(a) >= precedence(b) { (a, b) } else { (b, a) };
    match high {
        Type::Decimal { precision, scale } if family(low) == Family::Exact => {
            let (p, s) = decimal_size(low);
            let scale_both = scale.max(s);
            let whole = (precision - scale).max(p - s);
            let scale = scale_both.min(38 - whole);
            Type::Decimal { precision: (whole + scale).min(38), scale }
        }
        _ if is_text(high) && (is_text(low) || family(low) == Family::Binary) => {
            let size = match (length(high), length(low)) {
                (Some(x), Some(y)) => Some(u32::from(x.max(y))),
                _ => None,
            };
            let same = matches!(
                (high, low),
                (Type::NChar(_), Type::NChar(_) | Type::Char(_)) | (Type::Char(_), Type::Char(_))
            );
            match varying(is_national(high), size) {
                Type::NVarChar(Some(n)) if same => Type::NChar(n),
                Type::VarChar(Some(n)) if same => Type::Char(n),
                kind => kind,
            }
        }
        _ if family(high) == Family::Binary => match (length(high), length(low)) {
            (Some(x), Some(y)) => Type::VarBinary(Some(x.max(y))),
            _ => Type::VarBinary(None),
        },
        Type::Time { scale } if family(low) == Family::Time => {
            Type::Time { scale: scale.max(time_scale(low)) }
        }
        Type::DateTime2 { scale } if family(low) == Family::Time => {
            Type::DateTime2 { scale: scale.max(time_scale(low)) }
        }
        Type::DateTimeOffset { scale } if family(low) == Family::Time => {
            Type::DateTimeOffset { scale: scale.max(time_scale(low)) }
        }
        _ => high,
    }
}

/// How a conversion may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Implicit,
    /// Only with CAST or CONVERT (257 otherwise).
    Explicit,
    /// Never; implicit attempts are a type clash (206), explicit ones 529.
    Never,
}

fn way(from: Type, to: Type) -> Way {
    use Family as F;
    let old_time = |kind| matches!(kind, Type::DateTime | Type::SmallDateTime);
    let max = matches!(from, Type::VarChar(None) | Type::NVarChar(None) | Type::VarBinary(None) | Type::Xml);
    match (family(from), family(to)) {
        (F::Variant, F::Variant)
        | (F::Exact | F::Approximate, F::Exact | F::Approximate | F::Text)
        | (F::Exact, F::Binary)
        | (F::Time, F::Text)
        | (F::Guid, F::Text | F::Binary | F::Guid)
        | (F::Binary, F::Text | F::Binary | F::Guid | F::Exact) => Way::Implicit,
        (_, F::Variant) if max => Way::Never,
        (_, F::Variant) => Way::Implicit,
        (F::Xml | F::Text | F::Binary, F::Xml) => Way::Implicit,
        (F::Xml, F::Text | F::Binary) => Way::Explicit,
        (F::Xml, _) | (_, F::Xml) => Way::Never,
        (F::Variant, _) | (F::Text | F::Approximate | F::Time, F::Binary) => Way::Explicit,
        (F::Text, _) => Way::Implicit,
        (F::Exact | F::Approximate | F::Binary, F::Time) if old_time(to) => Way::Implicit,
        (F::Time, F::Exact | F::Approximate) if old_time(from) => Way::Explicit,
        (F::Binary, F::Time) => Way::Explicit,
        (F::Time, F::Time) => match (from, to) {
            (Type::Date, Type::Time { .. }) | (Type::Time { .. }, Type::Date) => Way::Never,
            _ => Way::Implicit,
        },
        _ => Way::Never,
    }
}

/// Checks an implicit conversion.
pub(super) fn check_implicit(from: Type, to: Type) -> Result<(), Message> {
    match way(from, to) {
        Way::Implicit => Ok(()),
        Way::Explicit => Err(Message::error(
            257,
            format!(
                "Implicit conversion from data type {} to {} is not allowed. Use the CONVERT function to run this query.",
                name(from),
                name(to)
            ),
        )),
        Way::Never => Err(clash(from, to)),
    }
}

/// 206.
pub(super) fn clash(from: Type, to: Type) -> Message {
    Message::error(206, format!("Operand type clash: {} is incompatible with {}", name(from), name(to)))
}

/// Checks CAST and CONVERT.
pub(super) fn check_explicit(from: Type, to: Type) -> Result<(), Message> {
    match way(from, to) {
        Way::Never => Err(Message::error(
            529,
            format!("Explicit conversion from data type {} to {} is not allowed.", name(from), name(to)),
        )),
        _ => Ok(()),
    }
}
