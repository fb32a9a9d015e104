//! Arguments of functions: what they are converted to, which date parts fit.

use super::super::function::Function;
use super::super::plan::{Bound, Node};
use super::super::types::{self, Family};
use super::{Binding, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// Converts arguments to what the function computes with.
pub(super) fn prepare(
    function: Function,
    arguments: Vec<Bound>,
    bad: &dyn Fn(usize, Type) -> Message,
) -> Binding<Vec<Bound>> {
    use Function as F;
    let text = |bound: Bound, at: usize| {
        if types::is_text(bound.kind) && !bound.is_bare_null() {
            return Ok(bound);
        }
        match types::family(bound.kind) {
            Family::Variant => Err(bad(at, bound.kind)),
            Family::Binary if function != F::Len => Err(bad(at, bound.kind)),
            _ => coerce(bound, Type::VarChar(Some(8000))),
        }
    };
    let wide = |bound: Bound, at: usize| text(bound, at).and_then(|b| coerce(b, Type::NVarChar(Some(4000))));
    let int = |bound: Bound| coerce(bound, Type::BigInt);
    let number = |bound: Bound, at: usize| match types::family(bound.kind) {
        Family::Exact if bound.kind == Type::Bit => coerce(bound, Type::Float),
        Family::Exact | Family::Approximate => Ok(bound),
        Family::Text => coerce(bound, Type::Float),
        _ => Err(bad(at, bound.kind)),
    };
    let time = |bound: Bound, at: usize| match types::family(bound.kind) {
        Family::Time => Ok(bound),
        Family::Text => coerce(bound, Type::DateTime2 { scale: 7 }),
        Family::Exact | Family::Approximate => coerce(bound, Type::DateTime),
        _ => Err(bad(at, bound.kind)),
    };
    let mut out = Vec::with_capacity(arguments.len());
    let first_kind = arguments.first().map(|a| a.kind);
    for (at, bound) in arguments.into_iter().enumerate() {
        let n = at + 1;
        out.push(match (function, at) {
            (F::Abs | F::Sign | F::Ceiling | F::Floor | F::Power | F::Round | F::Degrees | F::Radians, 0) => {
                number(bound, n)?
            }
            (F::Log | F::Square | F::Trigonometry(_), _) => coerce(bound, Type::Float)?,
            (F::Rand, _) => int(bound)?,
            (
                F::DateTimeFromParts
                | F::DateTime2FromParts
                | F::TimeFromParts
                | F::SmallDateTimeFromParts
                | F::DateTimeOffsetFromParts,
                _,
            ) => int(bound)?,
            (F::JsonValue | F::JsonQuery | F::JsonModify | F::IsJson | F::StringEscape | F::ParseName, 0)
            | (F::JsonValue | F::JsonQuery | F::JsonModify | F::StringEscape | F::VariantProperty, 1) => {
                text(bound, n).and_then(|b| coerce(b, Type::NVarChar(None)))?
            }
            (F::ParseName, 1) => int(bound)?,
            (F::Format, 1 | 2) => text(bound, n).and_then(|b| coerce(b, Type::NVarChar(Some(4000))))?,
            (F::Format, 0) => match types::family(bound.kind) {
                Family::Exact | Family::Approximate | Family::Time => bound,
                _ => return Err(bad(n, bound.kind)),
            },
            (F::AtTimeZone, 0) => time(bound, n)?,
            (F::AtTimeZone, 1) | (F::Soundex | F::CursorStatus, _) => text(bound, n)?,
            (F::HashBytes, 0) => text(bound, n)?,
            (F::HashBytes, 1) => match types::family(bound.kind) {
                Family::Text | Family::Binary => bound,
                _ => return Err(bad(n, bound.kind)),
            },
            (F::VariantProperty, 0) => coerce(bound, Type::Variant)?,
            (F::Sqrt | F::Str, 0) | (F::Power, _) => coerce(bound, Type::Float)?,
            (F::Substring, 0) if types::family(bound.kind) == Family::Binary => bound,
            (F::Substring, 0) if !types::is_text(bound.kind) && !bound.is_bare_null() => {
                return Err(bad(n, bound.kind));
            }
            (F::Left | F::Right | F::Replicate | F::EoMonth | F::DateAdd, 1)
            | (F::Substring | F::Stuff, 1 | 2)
            | (F::CharIndex, 2)
            | (F::Round | F::Str | F::Char | F::NChar | F::Space | F::DateFromParts, _) => int(bound)?,
            (
                F::Ascii
                | F::Unicode
                | F::CharIndex
                | F::PatIndex
                | F::Len
                | F::Left
                | F::Right
                | F::Lower
                | F::Upper
                | F::LTrim
                | F::RTrim
                | F::Trim
                | F::Reverse
                | F::Replace
                | F::Replicate
                | F::Stuff
                | F::Substring
                | F::Translate
                | F::Concat
                | F::ConcatWs,
                _,
            ) => text(bound, n)?,
            (F::QuoteName, _) => wide(bound, n)?,
            (F::DateAdd, 2)
            | (F::DateDiff | F::DateDiffBig, 1 | 2)
            | (F::DateName | F::DatePart | F::DateTrunc, 1)
            | (F::EoMonth | F::ToDateTimeOffset | F::SwitchOffset, 0) => {
                let bound = time(bound, n)?;
                if matches!(function, F::SwitchOffset) {
                    coerce(bound, Type::DateTimeOffset { scale: 7 })?
                } else {
                    bound
                }
            }
            (F::IsNull, 1) => {
                let kind = first_kind.unwrap_or(bound.kind);
                let bare = out.first().is_some_and(Bound::is_bare_null);
                if bare { bound } else { coerce(bound, kind)? }
            }
            _ => bound,
        });
    }
    if function == F::IsNull && out[0].is_bare_null() {
        let kind = out[1].kind;
        out[0] = Bound::constant(Value::Null, kind);
    }
    Ok(out)
}

/// The canonical word of a date part, as a constant argument.
pub(super) fn date_part(part: &str, function: &str) -> Binding<Bound> {
    let word = match part.to_ascii_lowercase().as_str() {
        "year" | "yy" | "yyyy" => "year",
        "quarter" | "qq" | "q" => "quarter",
        "month" | "mm" | "m" => "month",
        "dayofyear" | "dy" | "y" => "dayofyear",
        "day" | "dd" | "d" => "day",
        "week" | "wk" | "ww" => "week",
        "weekday" | "dw" | "w" => "weekday",
        "iso_week" | "isowk" | "isoww" => "iso_week",
        "hour" | "hh" => "hour",
        "minute" | "mi" | "n" => "minute",
        "second" | "ss" | "s" => "second",
        "millisecond" | "ms" => "millisecond",
        "microsecond" | "mcs" => "microsecond",
        "nanosecond" | "ns" => "nanosecond",
        "tzoffset" | "tz" => "tzoffset",
        _ => {
            let text = format!("'{part}' is not a recognized {} option.", function.to_ascii_lowercase());
            return Err(Message { class: 15, ..Message::error(155, text) });
        }
    };
    Ok(Bound::constant(Value::Text(word.to_owned()), Type::VarChar(Some(20))))
}

/// 9810: a part of the day of a date, a part of the date of a time.
pub(super) fn date_part_fits(function: Function, word: &str, arguments: &[Bound]) -> Binding<()> {
    let of = match function {
        Function::DateAdd => arguments.get(2),
        Function::DatePart | Function::DateName => arguments.get(1),
        _ => None,
    };
    let (Some(of), Some(Node::Constant(Value::Text(part)))) = (of, arguments.first().map(|a| &a.node)) else {
        return Ok(());
    };
    let small =
        matches!(part.as_str(), "hour" | "minute" | "second" | "millisecond" | "microsecond" | "nanosecond");
    let old = matches!(of.kind, Type::DateTime | Type::SmallDateTime);
    let tiny = matches!(part.as_str(), "microsecond" | "nanosecond");
    let zone = part == "tzoffset" && !matches!(of.kind, Type::DateTimeOffset { .. } | Type::DateTime2 { .. });
    let unfit = small && of.kind == Type::Date
        || !small && matches!(of.kind, Type::Time { .. })
        || tiny && old && function == Function::DateAdd
        || zone
        || function == Function::DateAdd && matches!(part.as_str(), "tzoffset" | "iso_week");
    if unfit {
        let kind = types::name(of.kind);
        let text =
            format!("The datepart {part} is not supported by date function {word} for data type {kind}.");
        return Err(Message::error(9810, text));
    }
    Ok(())
}
