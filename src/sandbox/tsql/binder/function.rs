//! Scalar functions: argument checks and result types.

use super::super::ast::{Call, Expr};
use super::super::function::{self, Function};
use super::super::plan::{Bound, Node};
use super::super::types::{self, Family};
use super::expression::constant_int;
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
        self.typed(function, &name, arguments)
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
        let kind = self.meet(values.iter())?;
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
        let same = self.comparison(super::super::ast::Comparison::Equal, first.clone(), second)?;
        let arms = vec![(same, Bound::constant(Value::Null, kind))];
        Ok(Bound { node: Node::Case { arms, otherwise: Some(Box::new(first)) }, kind, nullable: true })
    }

    /// A function the world computes.
    fn host_function(&mut self, call: &Call, name: &str) -> Binding<Bound> {
        let arguments = call.arguments.iter().map(|a| self.expression(a)).collect::<Binding<Vec<_>>>()?;
        // does it exist? errors about the NULLs it is asked with do not matter
        let nulls = vec![Value::Null; arguments.len()];
        let probe = self.world.host.scalar(self.world.context, name, &nulls);
        if let Ok(None) = probe {
            let shown = &call.name;
            return Err(if shown.len() == 1 {
                unknown(&shown[0])
            } else {
                Message::error(
                    4121,
                    format!(
                        "Cannot find either column \"{}\" or the user-defined function or aggregate \"{}\", or the name is ambiguous.",
                        shown[0],
                        shown.join(".")
                    ),
                )
            });
        }
        let kind = match (host_type(name), probe) {
            (Some(kind), _) => kind,
            (None, Ok(Some(value))) if value != Value::Null => super::super::convert::natural(&value),
            _ => return Err(Message::not_modelled(format!("the type of function {name}"))),
        };
        Ok(Bound { node: Node::Host(name.to_owned(), arguments), kind, nullable: true })
    }

    fn typed(&mut self, function: Function, name: &str, arguments: Vec<Bound>) -> Binding<Bound> {
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
        let arguments = self.prepare(function, arguments, &bad)?;
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
            F::IsNull => first,
            F::NewId => Type::UniqueIdentifier,
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
            F::LTrim | F::RTrim | F::Trim => types::varying(national, length(0)),
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
            F::Translate => types::varying(national, length(0)),
            F::NullIf => first,
        };
        let nullable = match function {
            F::IsNull => arguments.iter().all(|a| a.nullable),
            F::GetDate
            | F::GetUtcDate
            | F::SysDateTime
            | F::SysUtcDateTime
            | F::SysDateTimeOffset
            | F::NewId
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

    /// Converts arguments to what the function computes with.
    fn prepare(
        &self,
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
        let wide =
            |bound: Bound, at: usize| text(bound, at).and_then(|b| coerce(b, Type::NVarChar(Some(4000))));
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
                (F::Abs | F::Sign | F::Ceiling | F::Floor | F::Power | F::Round, 0) => number(bound, n)?,
                (F::Sqrt | F::Str, 0) | (F::Power, _) => coerce(bound, Type::Float)?,
                (F::Round | F::Str, _) => int(bound)?,
                (F::Char | F::NChar | F::Space, _) => int(bound)?,
                (F::Substring, 0) if types::family(bound.kind) == Family::Binary => bound,
                (F::Substring, 0) if !types::is_text(bound.kind) && !bound.is_bare_null() => {
                    return Err(bad(n, bound.kind));
                }
                (F::Left | F::Right | F::Replicate, 1)
                | (F::Substring | F::Stuff, 1 | 2)
                | (F::CharIndex, 2)
                | (F::DateFromParts, _)
                | (F::EoMonth, 1)
                | (F::DateAdd, 1) => int(bound)?,
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
                | (F::DateName | F::DatePart, 1)
                | (F::EoMonth, 0)
                | (F::ToDateTimeOffset | F::SwitchOffset, 0) => {
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
}

/// 195
fn unknown(name: &str) -> Message {
    Message {
        class: 15,
        ..Message::error(195, format!("'{name}' is not a recognized built-in function name."))
    }
}

/// The canonical word of a date part, as a constant argument.
fn date_part(part: &str, function: &str) -> Binding<Bound> {
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

/// The result types of functions that the world computes.
fn host_type(name: &str) -> Option<Type> {
    Some(match name {
        "SERVERPROPERTY"
        | "DATABASEPROPERTYEX"
        | "CONNECTIONPROPERTY"
        | "SESSIONPROPERTY"
        | "SQL_VARIANT_PROPERTY"
        | "FILEGROUPPROPERTY_EX"
        | "SESSION_CONTEXT"
        | "COLLATIONPROPERTY" => Type::Variant,
        "DB_NAME"
        | "OBJECT_NAME"
        | "OBJECT_SCHEMA_NAME"
        | "SCHEMA_NAME"
        | "TYPE_NAME"
        | "COL_NAME"
        | "FILE_NAME"
        | "USER_NAME"
        | "SUSER_NAME"
        | "SUSER_SNAME"
        | "ORIGINAL_LOGIN"
        | "HOST_NAME"
        | "APP_NAME"
        | "CURRENT_USER"
        | "SESSION_USER"
        | "SYSTEM_USER"
        | "USER"
        | "FILEGROUP_NAME"
        | "PARSENAME"
        | "DBO.SQLAGENT_SUSER_SNAME" => Type::SYSNAME,
        "OBJECT_DEFINITION" => Type::NVarChar(None),
        "DB_ID"
        | "SCHEMA_ID"
        | "OBJECT_ID"
        | "TYPE_ID"
        | "USER_ID"
        | "DATABASE_PRINCIPAL_ID"
        | "HAS_PERMS_BY_NAME"
        | "IS_SRVROLEMEMBER"
        | "IS_MEMBER"
        | "IS_ROLEMEMBER"
        | "HAS_DBACCESS"
        | "DATABASEPROPERTY"
        | "OBJECTPROPERTY"
        | "COLUMNPROPERTY"
        | "FILE_ID"
        | "FILE_IDEX"
        | "FILEPROPERTY"
        | "INDEXPROPERTY"
        | "TYPEPROPERTY"
        | "COL_LENGTH"
        | "SUSER_ID"
        | "IS_OBJECTSIGNED" => Type::Int,
        "SUSER_SID" => Type::VarBinary(Some(85)),
        "HOST_ID" => Type::Char(10),
        "DBO.AGENT_DATETIME" | "MSDB.DBO.AGENT_DATETIME" => Type::DateTime,
        "FN_HADR_IS_PRIMARY_REPLICA"
        | "FN_HADR_BACKUP_IS_PREFERRED_REPLICA"
        | "MASTER.SYS.FN_HADR_IS_PRIMARY_REPLICA"
        | "MASTER.SYS.FN_HADR_BACKUP_IS_PREFERRED_REPLICA" => Type::Bit,
        "CONTEXT_INFO" => Type::VarBinary(Some(128)),
        "GET_FILESTREAM_TRANSACTION_CONTEXT" => Type::VarBinary(None),
        _ => return None,
    })
}
