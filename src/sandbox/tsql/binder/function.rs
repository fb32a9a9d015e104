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
            "GREATEST" | "LEAST" if self.world.version >= 16 => return self.extreme(&name, call),
            "CHOOSE" => return self.choose(call),
            "BINARY_CHECKSUM"
            | "NEWSEQUENTIALID"
            | "DIFFERENCE"
            | "COMPRESS"
            | "DECOMPRESS"
            | "DATE_BUCKET"
            | "JSON_OBJECT"
            | "JSON_ARRAY"
            | "JSON_PATH_EXISTS"
            | "LEFT_SHIFT"
            | "RIGHT_SHIFT"
            | "BIT_COUNT"
            | "GET_BIT"
            | "SET_BIT"
            | "CRYPT_GEN_RANDOM"
            | "PWDENCRYPT"
            | "PWDCOMPARE"
            | "ENCRYPTBYKEY"
            | "DECRYPTBYKEY"
            | "TEXTPTR"
            | "TEXTVALID"
            | "EVENTDATA"
            | "UPDATE"
            | "COLUMNS_UPDATED"
            | "REGEXP_LIKE"
            | "REGEXP_REPLACE"
            | "CURRENT_TIMEZONE"
            | "CURRENT_TIMEZONE_ID"
            | "MIN_ACTIVE_ROWVERSION"
            | "NEXT" => {
                if !self.exists_in_version(&name) {
                    return Err(unknown(&call.name[0]));
                }
                return Err(Message::not_modelled(format!("function {name}")));
            }
            _ => {}
        }
        if matches!(name.as_str(), "IDENT_CURRENT" | "IDENT_SEED" | "IDENT_INCR") {
            return self.identity_of(&name, call);
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
                | Function::DateTrunc
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

    /// GREATEST and LEAST: NULLs do not count.
    fn extreme(&mut self, name: &str, call: &Call) -> Binding<Bound> {
        let values = call.arguments.iter().map(|a| self.expression(a)).collect::<Binding<Vec<_>>>()?;
        let kind = meet(values.iter())?;
        let values = values.into_iter().map(|v| coerce(v, kind)).collect::<Binding<Vec<_>>>()?;
        let function = if name == "LEAST" { Function::Least } else { Function::Greatest };
        Ok(Bound { node: Node::Function(function, values), kind, nullable: true })
    }

    fn choose(&mut self, call: &Call) -> Binding<Bound> {
        if call.arguments.len() < 2 {
            return Err(wrong_count("choose", 2, 254));
        }
        let mut values = call.arguments.iter().map(|a| self.expression(a)).collect::<Binding<Vec<_>>>()?;
        let index = coerce(values.remove(0), Type::Int)?;
        let kind = meet(values.iter())?;
        let mut all = vec![index];
        for value in values {
            all.push(coerce(value, kind)?);
        }
        Ok(Bound { node: Node::Function(Function::Choose, all), kind, nullable: true })
    }

    /// IDENT_CURRENT and its kin, of tables of the session.
    fn identity_of(&mut self, name: &str, call: &Call) -> Binding<Bound> {
        let [Expr::Literal(Value::Text(table), _)] = &call.arguments[..] else {
            return Err(Message::not_modelled(format!("{name} of other than a named table")));
        };
        let parts = super::super::parser::name(table)?;
        let kind = Type::Decimal { precision: 38, scale: 0 };
        let none = Bound::constant(Value::Null, kind);
        let Some(found) = self.world.own_table(&parts) else { return Ok(none) };
        let Some((seed, step)) = found.definition.columns.iter().find_map(|c| c.identity) else {
            return Ok(none);
        };
        let number = match name {
            "IDENT_SEED" => seed,
            "IDENT_INCR" => step,
            _ if found.next_identity == seed => seed,
            _ => found.next_identity - step,
        };
        Ok(Bound::constant(Value::Decimal { digits: i128::from(number), scale: 0 }, kind))
    }

    fn exists_in_version(&self, name: &str) -> bool {
        let since = match name {
            "COMPRESS" | "DECOMPRESS" => 13,
            "CURRENT_TIMEZONE" => 15,
            "DATE_BUCKET"
            | "JSON_OBJECT"
            | "JSON_ARRAY"
            | "JSON_PATH_EXISTS"
            | "LEFT_SHIFT"
            | "RIGHT_SHIFT"
            | "BIT_COUNT"
            | "GET_BIT"
            | "SET_BIT"
            | "CURRENT_TIMEZONE_ID" => 16,
            "REGEXP_LIKE" | "REGEXP_REPLACE" => 17,
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
            F::Degrees | F::Radians => first,
            F::Sqrt | F::Log | F::Square | F::Rand | F::Trigonometry(_) => Type::Float,
            F::AtTimeZone => match first {
                Type::DateTimeOffset { scale } | Type::DateTime2 { scale } => Type::DateTimeOffset { scale },
                Type::DateTime => Type::DateTimeOffset { scale: 3 },
                _ => Type::DateTimeOffset { scale: 0 },
            },
            F::Checksum | F::IsJson => Type::Int,
            F::CursorStatus => Type::SmallInt,
            F::Choose | F::Greatest | F::Least => first,
            F::DateTime2FromParts | F::TimeFromParts | F::DateTimeOffsetFromParts => {
                let scale = arguments.last().and_then(constant_int).and_then(|n| u8::try_from(n).ok());
                let scale = scale.filter(|n| *n <= 7).ok_or_else(|| {
                    Message::error(10760, "Scale argument is not valid. Valid expressions for data type scale argument are integer constants and integer constant expressions.")
                })?;
                match function {
                    F::TimeFromParts => Type::Time { scale },
                    F::DateTime2FromParts => Type::DateTime2 { scale },
                    _ => Type::DateTimeOffset { scale },
                }
            }
            F::DateTimeFromParts => Type::DateTime,
            F::SmallDateTimeFromParts => Type::SmallDateTime,
            F::DateTrunc => {
                let kind = arguments[1].kind;
                if types::family(kind) == Family::Time { kind } else { Type::DateTime2 { scale: 7 } }
            }
            F::Format | F::JsonValue => Type::NVarChar(Some(4000)),
            F::FormatMessage => Type::NVarChar(Some(2048)),
            F::HashBytes => Type::VarBinary(Some(8000)),
            F::JsonQuery | F::JsonModify | F::StringEscape => Type::NVarChar(None),
            F::ParseName => Type::SYSNAME,
            F::RowCountBig => Type::BigInt,
            F::ScopeIdentity => Type::Decimal { precision: 38, scale: 0 },
            F::Soundex => Type::VarChar(Some(4)),
            F::VariantProperty => Type::Variant,
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
            F::Trim if arguments.len() > 1 => {
                types::varying(types::is_national(arguments[1].kind), length(1))
            }
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
