//! The built-in scalar functions.

use super::super::convert::{convert, parse_datetime, parse_decimal, units};
use super::super::function::Function;
use super::super::plan::{Bound, Fault};
use super::super::state::Caught;
use super::super::{json, types};
use super::numeric::numeric;
use super::{Around, Evaluated, Run, like, moment};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// The longest text a function makes when its type has no end.
pub(super) const LONGEST: usize = 4 * 1024 * 1024;

impl Run<'_> {
    pub(super) fn function(
        &self,
        function: Function,
        arguments: &[Bound],
        kind: Type,
        scope: Around<'_>,
    ) -> Evaluated<Value> {
        use Function as F;
        if function == F::IsNull {
            let first = self.value(&arguments[0], scope)?;
            return if first == Value::Null { self.value(&arguments[1], scope) } else { Ok(first) };
        }
        if function == F::Choose {
            let index = match self.value(&arguments[0], scope)? {
                Value::Int(n) => usize::try_from(n).unwrap_or(0),
                _ => 0,
            };
            return arguments
                .get(index)
                .filter(|_| index > 0)
                .map_or(Ok(Value::Null), |a| self.value(a, scope));
        }
        let values = arguments.iter().map(|a| self.value(a, scope)).collect::<Evaluated<Vec<_>>>()?;
        if let Some(value) = self.without_arguments(function)? {
            return Ok(value);
        }
        match function {
            F::Concat | F::ConcatWs => return Self::concat(function, &values, arguments, kind),
            F::Greatest | F::Least => {
                let collation = self.world.collation;
                let mut best = Value::Null;
                for value in values {
                    let order = collation.values(&value, &best);
                    let better = if function == F::Greatest { order.is_gt() } else { order.is_lt() };
                    if value != Value::Null && (best == Value::Null || better) {
                        best = value;
                    }
                }
                return Ok(best);
            }
            F::Rand
            | F::Checksum
            | F::FormatMessage
            | F::CursorStatus
            | F::VariantProperty
            | F::JsonModify => {
                return self.session_function(function, &values, arguments);
            }
            F::IsNumeric => return Ok(Value::Int(i64::from(is_numeric(&values[0])))),
            F::IsDate => {
                let date = matches!(&values[0], Value::DateTime(_))
                    || matches!(&values[0], Value::Text(t) if parse_datetime(t).is_some() && !t.trim().is_empty());
                return Ok(Value::Int(i64::from(date)));
            }
            F::Substring | F::Stuff | F::Replace | F::QuoteName | F::Round if values.len() < 2 => {}
            _ => {}
        }
        if values.contains(&Value::Null) && !matches!(function, F::Stuff) {
            return Ok(Value::Null);
        }
        if moment::takes(function) {
            return moment::compute(function, &values, arguments, kind, self.world.globals.date_first)
                .map_err(Fault::from);
        }
        let result = match function {
            F::HashBytes => super::hash::hash_bytes(&values[0], &values[1], arguments[1].kind)?,
            F::Format => super::format::format(&values, arguments[0].kind)?,
            F::JsonValue | F::JsonQuery | F::IsJson | F::StringEscape => json_function(function, &values)?,
            F::Abs
            | F::Sign
            | F::Ceiling
            | F::Floor
            | F::Power
            | F::Round
            | F::Sqrt
            | F::Str
            | F::Degrees
            | F::Radians
            | F::Log
            | F::Square
            | F::Trigonometry(_) => numeric(function, &values, kind)?,
            F::DataLength => Value::Int(data_length(&values[0], arguments[0].kind)),
            _ => self.text_function(function, &values)?,
        };
        if types::is_text(kind) {
            // keeps char padded and varchar inside its code page
            return Ok(convert(result, Type::NVarChar(None), kind, 0)?);
        }
        Ok(result)
    }

    fn without_arguments(&self, function: Function) -> Evaluated<Option<Value>> {
        use Function as F;
        let world = self.world;
        if function == F::ScopeIdentity {
            let last = world.globals.scope_identity;
            return Ok(Some(
                last.map_or(Value::Null, |n| Value::Decimal { digits: i128::from(n), scale: 0 }),
            ));
        }
        if function == F::RowCountBig {
            return Ok(Some(Value::Int(world.globals.row_count)));
        }
        if let F::Trigonometry(super::super::function::Trigonometry::Pi) = function {
            return Ok(Some(Value::Float(std::f64::consts::PI)));
        }
        let caught = world.globals.caught.as_ref().map(|Caught(m)| m);
        let text = |text: &str| if text.is_empty() { Value::Null } else { Value::Text(text.to_owned()) };
        let int = |n: Option<i32>| n.map_or(Value::Null, |n| Value::Int(i64::from(n)));
        Ok(Some(match function {
            F::GetDate | F::GetUtcDate | F::SysDateTime | F::SysUtcDateTime | F::SysDateTimeOffset => {
                moment::now(function, world.now, world.host.utc_offset_minutes())
            }
            F::ErrorNumber => int(caught.map(|m| m.number)),
            F::ErrorSeverity => int(caught.map(|m| i32::from(m.class))),
            F::ErrorState => int(caught.map(|m| i32::from(m.state))),
            F::ErrorLine => int(caught.map(|m| m.line)),
            F::ErrorMessage => caught.map_or(Value::Null, |m| text(&m.text)),
            F::ErrorProcedure => caught.map_or(Value::Null, |m| text(&m.procedure)),
            F::XactState => Value::Int(match world.globals.transactions {
                0 => 0,
                _ if world.globals.doomed => -1,
                _ => 1,
            }),
            _ => return Ok(None),
        }))
    }

    fn concat(function: Function, values: &[Value], arguments: &[Bound], kind: Type) -> Evaluated<Value> {
        let mut texts = Vec::new();
        for (value, argument) in values.iter().zip(arguments) {
            match convert(value.clone(), argument.kind, Type::NVarChar(None), 0)? {
                Value::Text(text) => texts.push(Some(text)),
                _ => texts.push(None),
            }
        }
        let joined = if function == Function::Concat {
            texts.into_iter().flatten().collect::<String>()
        } else {
            let separator = texts.remove(0).unwrap_or_default();
            texts.into_iter().flatten().collect::<Vec<_>>().join(&separator)
        };
        Ok(convert(Value::Text(joined), Type::NVarChar(None), kind, 0)?)
    }

    fn text_function(&self, function: Function, values: &[Value]) -> Evaluated<Value> {
        use Function as F;
        let collation = self.world.collation;
        let text = |at: usize| match values.get(at) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let int = |at: usize| match values.get(at) {
            Some(Value::Int(n)) => *n,
            _ => 0,
        };
        let size = |n: i64| usize::try_from(n).unwrap_or(0);
        let negative = |function: &str| -> Fault {
            Message::error(537, format!("Invalid length parameter passed to the {function} function.")).into()
        };
        Ok(match function {
            F::Ascii => text(0).chars().next().map_or(Value::Null, |c| {
                Value::Int(if u32::from(c) < 256 { i64::from(u32::from(c)) } else { 63 })
            }),
            F::Unicode => text(0).encode_utf16().next().map_or(Value::Null, |u| Value::Int(i64::from(u))),
            F::Char => match u8::try_from(int(0)) {
                Ok(byte) => Value::Text(char::from(byte).to_string()),
                Err(_) => Value::Null,
            },
            F::NChar => u32::try_from(int(0))
                .ok()
                .filter(|n| *n <= 0xffff)
                .and_then(char::from_u32)
                .map_or(Value::Null, |c| Value::Text(c.to_string())),
            F::Len => match &values[0] {
                Value::Binary(bytes) => Value::Int(bytes.len() as i64),
                _ => Value::Int(units(text(0).trim_end_matches(' ')) as i64),
            },
            F::Lower => Value::Text(text(0).to_lowercase()),
            F::Upper => Value::Text(text(0).to_uppercase()),
            F::LTrim => Value::Text(text(0).trim_start_matches(' ').to_owned()),
            F::RTrim => Value::Text(text(0).trim_end_matches(' ').to_owned()),
            F::Trim if values.len() > 1 => {
                let set = text(0);
                let within = |c: char| set.chars().any(|s| collation.same_char(s, c));
                Value::Text(text(1).trim_matches(within).to_owned())
            }
            F::Trim => Value::Text(text(0).trim_matches(' ').to_owned()),
            F::ParseName => {
                let Ok(parts) = super::super::parser::name(&text(0)) else { return Ok(Value::Null) };
                let at = size(int(1));
                match parts.len().checked_sub(at).filter(|_| at > 0).map(|n| parts[n].clone()) {
                    Some(part) if !part.is_empty() => Value::Text(part),
                    _ => Value::Null,
                }
            }
            F::Soundex => Value::Text(soundex(&text(0))),
            F::Reverse => Value::Text(text(0).chars().rev().collect()),
            F::Left | F::Right if int(1) < 0 => {
                return Err(negative(if function == F::Left { "left" } else { "right" }));
            }
            F::Left => Value::Text(text(0).chars().take(size(int(1))).collect()),
            F::Right => {
                let text = text(0);
                let skip = text.chars().count().saturating_sub(size(int(1)));
                Value::Text(text.chars().skip(skip).collect())
            }
            F::Substring => {
                let length = if values.len() > 2 { int(2) } else { i64::MAX / 2 };
                if length < 0 {
                    return Err(negative("substring"));
                }
                let (start, end) = (int(1).max(1), int(1).saturating_add(length).max(1));
                let (skip, take) = (size(start - 1), size(end - start));
                match &values[0] {
                    Value::Binary(bytes) => {
                        Value::Binary(bytes.iter().skip(skip).take(take).copied().collect())
                    }
                    _ => Value::Text(text(0).chars().skip(skip).take(take).collect()),
                }
            }
            F::CharIndex => {
                let within: Vec<char> = text(1).chars().collect();
                let wanted: Vec<char> = text(0).chars().collect();
                let from = size(int(2).max(1) - 1);
                let found = if wanted.is_empty() || from > within.len() {
                    None
                } else {
                    within[from..]
                        .windows(wanted.len())
                        .position(|w| w.iter().zip(&wanted).all(|(a, b)| collation.same_char(*a, *b)))
                };
                Value::Int(found.map_or(0, |at| (from + at + 1) as i64))
            }
            F::PatIndex => Value::Int(like::place(collation, &text(1), &text(0)) as i64),
            F::Replace => {
                let (within, wanted) = (text(0), text(1));
                Value::Text(replace(collation, &within, &wanted, &text(2))?)
            }
            F::Translate => {
                let (from, to): (Vec<char>, Vec<char>) =
                    (text(1).chars().collect(), text(2).chars().collect());
                if from.len() != to.len() {
                    return Err(Message::error(
                        9828,
                        "The second and third arguments of the TRANSLATE built-in function must contain an equal number of characters.",
                    )
                    .into());
                }
                let swap =
                    |c: char| from.iter().position(|f| collation.same_char(*f, c)).map_or(c, |at| to[at]);
                Value::Text(text(0).chars().map(swap).collect())
            }
            F::Replicate | F::Space => {
                let (what, times) =
                    if function == F::Space { (" ".to_owned(), int(0)) } else { (text(0), int(1)) };
                if times < 0 {
                    return Ok(Value::Null);
                }
                let fits = LONGEST / what.len().max(1);
                if size(times) > fits {
                    return Err(Message::not_modelled("texts of more than 4 MiB").into());
                }
                Value::Text(what.repeat(size(times)))
            }
            F::Stuff => {
                if values[0] == Value::Null || values[1] == Value::Null || values[2] == Value::Null {
                    return Ok(Value::Null);
                }
                let chars: Vec<char> = text(0).chars().collect();
                let (start, length) = (int(1), int(2));
                if start < 1 || length < 0 || size(start) > chars.len() {
                    return Ok(Value::Null);
                }
                let from = size(start) - 1;
                let to = (from + size(length)).min(chars.len());
                let mut out: String = chars[..from].iter().collect();
                out.push_str(&text(3));
                out.extend(&chars[to..]);
                Value::Text(out)
            }
            F::QuoteName => quote_name(&text(0), &if values.len() > 1 { text(1) } else { "[".to_owned() }),
            _ => return Err(Message::not_modelled(format!("function {function:?}")).into()),
        })
    }
}

fn json_function(function: Function, values: &[Value]) -> Evaluated<Value> {
    use Function as F;
    let text = |at: usize| match values.get(at) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "$",
    };
    let whole = text(0);
    Ok(match function {
        F::StringEscape => {
            if !text(1).eq_ignore_ascii_case("json") {
                let text = "An invalid value was specified for argument 2.";
                return Err(Message::error(1761, text).into());
            }
            Value::Text(json::escaped(whole))
        }
        F::IsJson => {
            let is = json::parse(whole).is_ok_and(|j| j.is_object() || j.is_array());
            Value::Int(i64::from(is))
        }
        _ => {
            let path = json::path(if values.len() > 1 { text(1) } else { "$" })?;
            let parsed = json::parse(whole)?;
            let found = json::follow(&parsed, &path)?;
            let shown = match (function, found) {
                (F::JsonValue, Some(found)) => json::scalar(found),
                (_, Some(found)) if found.is_object() || found.is_array() => Some(found.to_string()),
                _ => None,
            };
            match shown {
                Some(shown) => Value::Text(shown),
                None if path.strict => {
                    let (number, text) = if function == F::JsonValue {
                        (13623, "Scalar value cannot be found in the specified JSON path.")
                    } else {
                        (13624, "Object or array cannot be found in the specified JSON path.")
                    };
                    return Err(Message::error(number, text).into());
                }
                None => Value::Null,
            }
        }
    })
}

/// The English sound of a word, a letter and three digits.
fn soundex(word: &str) -> String {
    let code = |c: char| match c.to_ascii_uppercase() {
        'B' | 'F' | 'P' | 'V' => Some('1'),
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => Some('2'),
        'D' | 'T' => Some('3'),
        'L' => Some('4'),
        'M' | 'N' => Some('5'),
        'R' => Some('6'),
        _ => None,
    };
    let mut letters = word.chars().take_while(char::is_ascii_alphabetic);
    let Some(first) = letters.next() else { return "0000".to_owned() };
    let mut out = first.to_ascii_uppercase().to_string();
    let mut last = code(first);
    for c in letters {
        let now = code(c);
        if let Some(digit) = now.filter(|_| now != last) {
            out.push(digit);
        }
        if !matches!(c.to_ascii_uppercase(), 'H' | 'W') {
            last = now;
        }
    }
    format!("{:0<4}", out.chars().take(4).collect::<String>())
}

fn replace(
    collation: super::super::compare::Collation,
    within: &str,
    wanted: &str,
    by: &str,
) -> Result<String, Message> {
    if wanted.is_empty() {
        return Ok(within.to_owned());
    }
    let chars: Vec<char> = within.chars().collect();
    let wanted: Vec<char> = wanted.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let here = chars.get(at..at + wanted.len());
        if here.is_some_and(|h| h.iter().zip(&wanted).all(|(a, b)| collation.same_char(*a, *b))) {
            out.push_str(by);
            at += wanted.len();
        } else {
            out.push(chars[at]);
            at += 1;
        }
        if out.len() > LONGEST {
            return Err(Message::not_modelled("texts of more than 4 MiB"));
        }
    }
    Ok(out)
}

fn quote_name(name: &str, quote: &str) -> Value {
    if units(name) > 128 {
        return Value::Null;
    }
    let (open, close) = match quote {
        "[" | "]" => ("[", "]"),
        "'" => ("'", "'"),
        "\"" => ("\"", "\""),
        "(" | ")" => ("(", ")"),
        "<" | ">" => ("<", ">"),
        "{" | "}" => ("{", "}"),
        "`" => ("`", "`"),
        _ => return Value::Null,
    };
    Value::Text(format!("{open}{}{close}", name.replace(close, &close.repeat(2))))
}

fn is_numeric(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::Bit(_) | Value::Decimal { .. } | Value::Float(_) => true,
        Value::Text(text) => {
            let text = text.trim();
            parse_decimal(text).is_some()
                || text.parse::<f64>().is_ok_and(f64::is_finite)
                    && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
        }
        _ => false,
    }
}

fn data_length(value: &Value, kind: Type) -> i64 {
    match value {
        Value::Text(text) if types::is_national(kind) => units(text) as i64 * 2,
        Value::Text(text) => text.chars().count() as i64,
        Value::Binary(bytes) => bytes.len() as i64,
        Value::Guid(_) => 16,
        Value::Bit(_) => 1,
        Value::Float(_) if kind == Type::Real => 4,
        Value::Date(_) => 3,
        Value::Decimal { .. } => match types::decimal_size(kind).0 {
            0..=9 => 5,
            10..=19 => 9,
            20..=28 => 13,
            _ => 17,
        },
        Value::Int(_) => match kind {
            Type::TinyInt => 1,
            Type::SmallInt => 2,
            Type::BigInt => 8,
            _ => 4,
        },
        _ => 8,
    }
}
