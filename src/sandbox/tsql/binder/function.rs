//! Scalar functions: argument checks and result types.

use super::super::ast::{Call, Expr};
use super::super::function::{self, Function};
use super::super::plan::{Bound, Node};
use super::super::types::{self, Family};
use super::argument::{date_part, date_part_fits, prepare};
use super::expression::constant_int;
use super::host::unknown;
use super::operator::{comparison, meet};
use super::{Binder, Binding, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// 174, 189: the wrong number of arguments.
pub(super) fn wrong_count(name: &str, least: usize, most: usize) -> Message {
    let name = name.to_ascii_lowercase();
    let (number, text) = if least == most {
        (174, format!("The {name} function requires {least} argument(s)."))
    } else {
        (189, format!("The {name} function requires {least} to {most} arguments."))
    };
    Message { class: 15, ..Message::error(number, text) }
}

impl Binder<'_> {
    pub(super) fn call(&mut self, call: &Call) -> Binding<Bound> {
        self.call_by_name(call).map_err(|m| if m.line == 1 { Message { line: call.line, ..m } } else { m })
    }

    fn call_by_name(&mut self, call: &Call) -> Binding<Bound> {
        let name = call.name.join(".").to_uppercase();
        if call.name.len() > 1 {
            return self.host_function(call, name.trim_start_matches("SYS."));
        }
        if let Some(bound) = self.aggregate_call(&name, call)? {
            return Ok(bound);
        }
        if call.star || call.distinct || call.over.is_some() || !call.within.is_empty() {
            return Err(Message {
                class: 15,
                ..Message::error(102, format!("Incorrect syntax near '{}'.", call.name[0]))
            });
        }
        match name.as_str() {
            "COALESCE" => return self.coalesce(call),
            "NULLIF" => return self.null_if(call),
            "FORMAT" | "FORMATMESSAGE" | "CHOOSE" | "HASHBYTES" | "RAND" | "CHECKSUM" | "BINARY_CHECKSUM"
            | "NEWSEQUENTIALID" | "SOUNDEX" | "DIFFERENCE" | "STRING_ESCAPE" | "JSON_VALUE"
            | "JSON_QUERY" | "ISJSON" | "COMPRESS" | "DECOMPRESS" | "DATETRUNC" | "DATE_BUCKET"
            | "GREATEST" | "LEAST" | "DATETIMEFROMPARTS" | "DATETIME2FROMPARTS" | "TIMEFROMPARTS" | "LOG"
            | "LOG10" | "EXP" | "SIN" | "COS" | "TAN" | "PI" | "SQUARE" | "ATN2" | "NEXT"
            | "SCOPE_IDENTITY" | "CURSOR_STATUS" => {
                if !self.exists_in_version(&name) {
                    return Err(unknown(&call.name[0]));
                }
                return Err(Message::not_modelled(format!("function {name}")));
            }
            _ => {}
        }
        if name == "NEWID" {
            // random by nature: only a host that has seeded ids can give one
            let known = self.world.host.scalar(self.world.context, &name, &[]);
            if !matches!(known, Ok(Some(_))) {
                return Err(Message::not_modelled("NEWID (answers are reproducible)"));
            }
            return self.host_function(call, &name);
        }
        let Some((function, least, most)) = function::find(&name, self.world.version) else {
            return self.host_function(call, &name);
        };
        if call.arguments.len() < least || call.arguments.len() > most {
            return Err(wrong_count(&name, least, most));
        }
        let mut arguments = Vec::new();
        let mut rest = &call.arguments[..];
        if matches!(
            function,
            Function::DateAdd
                | Function::DateDiff
                | Function::DateDiffBig
                | Function::DateName
                | Function::DatePart
        ) {
            let part = if call.arguments.len() == 1 {
                name.clone()
            } else {
                rest = &call.arguments[1..];
                match &call.arguments[0] {
                    Expr::Column(part, _) if part.len() == 1 => part[0].clone(),
                    _ => {
                        let text =
                            format!("Invalid parameter 1 specified for {}.", name.to_ascii_lowercase());
                        return Err(Message { class: 15, ..Message::error(1023, text) });
                    }
                }
            };
            arguments.push(date_part(&part, &name)?);
        }
        for argument in rest {
            arguments.push(self.expression(argument)?);
        }
        Self::typed(function, &name, arguments)
    }

    fn exists_in_version(&self, name: &str) -> bool {
        let since = match name {
            "STRING_ESCAPE" | "JSON_VALUE" | "JSON_QUERY" | "ISJSON" | "COMPRESS" | "DECOMPRESS" => 13,
            "DATETRUNC" | "DATE_BUCKET" | "GREATEST" | "LEAST" => 16,
            _ => 0,
        };
        since <= self.world.version
    }

    fn coalesce(&mut self, call: &Call) -> Binding<Bound> {
        let values = call.arguments.iter().map(|a| self.expression(a)).collect::<Binding<Vec<_>>>()?;
        if values.len() < 2 {
            return Err(Message { class: 15, ..Message::error(102, "Incorrect syntax near ')'.") });
        }
        if values.iter().all(Bound::is_bare_null) && self.errors.is_empty() {
            return Err(Message::error(
                4127,
                "At least one of the arguments to COALESCE must be an expression that is not the NULL constant.",
            ));
        }
        let kind = meet(values.iter())?;
        let nullable = values.iter().all(|v| v.nullable);
        let values = values.into_iter().map(|v| coerce(v, kind)).collect::<Binding<Vec<_>>>()?;
        Ok(Bound { node: Node::Coalesce(values), kind, nullable })
    }

    fn null_if(&mut self, call: &Call) -> Binding<Bound> {
        if call.arguments.len() != 2 {
            return Err(wrong_count("nullif", 2, 2));
        }
        let first = self.expression(&call.arguments[0])?;
        let second = self.expression(&call.arguments[1])?;
        if first.is_bare_null() && self.errors.is_empty() {
            return Err(Message::error(
                4151,
                "The type of the first argument to NULLIF cannot be the NULL constant because the type of the first argument has to be known.",
            ));
        }
        let kind = first.kind;
        let same = comparison(super::super::ast::Comparison::Equal, first.clone(), second)?;
        let arms = vec![(same, Bound::constant(Value::Null, kind))];
        Ok(Bound { node: Node::Case { arms, otherwise: Some(Box::new(first)) }, kind, nullable: true })
    }

    fn typed(function: Function, name: &str, arguments: Vec<Bound>) -> Binding<Bound> {
        use Function as F;
        let word = name.to_ascii_lowercase();
        let bad = |at: usize, kind: Type| {
            Message::error(
                8116,
                format!(
                    "Argument data type {} is invalid for argument {at} of {word} function.",
                    types::name(kind)
                ),
            )
        };
        let arguments = prepare(function, arguments, &bad)?;
        date_part_fits(function, &word, &arguments)?;
        let first = arguments.first().map_or(Type::Int, |a| a.kind);
        let length = |at: usize| arguments.get(at).and_then(|a| types::length(a.kind)).map(u32::from);
        let national = types::is_national(first);
        let kind = match function {
            F::Abs | F::Sign | F::Ceiling | F::Floor | F::Power | F::Round => match (function, first) {
                (F::Ceiling | F::Floor, Type::Decimal { precision, scale }) => Type::Decimal {
                    precision: (precision - scale + u8::from(scale == precision)).max(1),
                    scale: 0,
                },
                _ => first,
            },
            F::Sqrt => Type::Float,
            F::Ascii
            | F::Unicode
            | F::DatePart
            | F::DateDiff
            | F::IsDate
            | F::IsNumeric
            | F::ErrorLine
            | F::ErrorNumber
            | F::ErrorSeverity
            | F::ErrorState => Type::Int,
            F::XactState => Type::SmallInt,
            F::CharIndex | F::PatIndex | F::Len | F::DataLength => {
                let at = usize::from(matches!(function, F::CharIndex | F::PatIndex));
                let max = arguments.get(at).is_some_and(|a| {
                    matches!(a.kind, Type::VarChar(None) | Type::NVarChar(None) | Type::VarBinary(None))
                });
                if max { Type::BigInt } else { Type::Int }
            }
            F::DateDiffBig => Type::BigInt,
            F::Char => Type::Char(1),
            F::NChar => Type::NChar(1),
            F::Concat | F::ConcatWs => {
                let national = arguments.iter().any(|a| types::is_national(a.kind));
                let sum = (0..arguments.len()).map(length).sum::<Option<u32>>();
                types::varying(national, sum)
            }
            F::DateAdd => {
                let kind = arguments[2].kind;
                if types::family(kind) == Family::Time { kind } else { Type::DateTime }
            }
            F::DateFromParts | F::EoMonth => Type::Date,
            F::DateName => Type::NVarChar(Some(30)),
            F::ErrorMessage => Type::NVarChar(Some(4000)),
            F::ErrorProcedure => Type::SYSNAME,
            F::GetDate | F::GetUtcDate => Type::DateTime,
            F::SysDateTime | F::SysUtcDateTime => Type::DateTime2 { scale: 7 },
            F::SysDateTimeOffset | F::ToDateTimeOffset | F::SwitchOffset => match first {
                Type::DateTimeOffset { scale } | Type::DateTime2 { scale } => Type::DateTimeOffset { scale },
                _ => Type::DateTimeOffset { scale: 7 },
            },
            F::IsNull | F::NullIf => first,
            F::Left | F::Right => {
                let size = constant_int(&arguments[1]).and_then(|n| u32::try_from(n).ok());
                let size = match (size, length(0)) {
                    (Some(n), Some(most)) => Some(n.min(most)),
                    (Some(n), None) => Some(n),
                    (None, most) => most,
                };
                types::varying(national, size)
            }
            F::Substring => {
                let size = arguments.get(2).and_then(constant_int).and_then(|n| u32::try_from(n).ok());
                let size = match (size, length(0)) {
                    (Some(n), Some(most)) => Some(n.min(most)),
                    (_, most) => most,
                };
                if types::family(first) == Family::Binary {
                    Type::VarBinary(size.map(|n| n.clamp(1, 8000) as u16))
                } else {
                    types::varying(national, size)
                }
            }
            F::Lower | F::Upper | F::Reverse => match first {
                Type::Char(_) | Type::NChar(_) if function != F::Reverse => first,
                _ => types::varying(national, length(0)),
            },
            F::LTrim | F::RTrim | F::Trim | F::Translate => types::varying(national, length(0)),
            F::QuoteName => Type::NVarChar(Some(258)),
            F::Replace => {
                let national = arguments.iter().any(|a| types::is_national(a.kind));
                types::varying(national, length(0).map(|_| 8000))
            }
            F::Replicate => {
                let times = constant_int(&arguments[1]).and_then(|n| u32::try_from(n).ok());
                let size = length(0).map(|n| times.map_or(8000, |t| n.saturating_mul(t)));
                types::varying(national, size)
            }
            F::Space => {
                let size = constant_int(&arguments[0]).and_then(|n| u32::try_from(n).ok()).unwrap_or(8000);
                types::varying(false, Some(size))
            }
            F::Str => {
                let size = arguments.get(1).map_or(Some(10), constant_int).unwrap_or(8000);
                types::varying(false, Some(u32::try_from(size).unwrap_or(10)))
            }
            F::Stuff => {
                let sum = length(0).and_then(|a| length(3).map(|b| a + b));
                types::varying(national || types::is_national(arguments[3].kind), sum)
            }
        };
        let nullable = match function {
            F::IsNull => arguments.iter().all(|a| a.nullable),
            F::GetDate
            | F::GetUtcDate
            | F::SysDateTime
            | F::SysUtcDateTime
            | F::SysDateTimeOffset
            | F::Concat
            | F::ConcatWs => false,
            _ => true,
        };
        let mut bound = Bound { node: Node::Function(function, arguments), kind, nullable };
        if matches!(function, F::Round | F::Power)
            && let Type::TinyInt | Type::SmallInt = kind
        {
            bound.kind = Type::Int;
        }
        Ok(bound)
    }
}
