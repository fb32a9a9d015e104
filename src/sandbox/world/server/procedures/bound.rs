//! Arguments of a procedure against its documented parameters.
//!
//! Names that the procedure does not have, and too many values, are errors of the server's own; a documented
//! parameter that is not modelled is refused where it is given.

use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Type, Value};
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::stored::{as_int, as_text};

/// Arguments by parameter.
pub(crate) struct Bound<'a> {
    procedure: &'static str,
    /// Parameter, value, place, whether it was named.
    values: Vec<(&'static str, &'a Value, usize, bool)>,
}

impl<'a> Bound<'a> {
    /// Puts arguments to parameters in their documented order; `!@name` = documented, not modelled.
    pub(crate) fn new(
        procedure: &'static str,
        parameters: &[&'static str],
        given: &'a [(Option<String>, Value)],
    ) -> Outcome<Self> {
        let mut values = Vec::new();
        for (place, (name, value)) in given.iter().enumerate() {
            let bare = |p: &&'static str| p.trim_start_matches('!');
            let found = match name {
                Some(name) => parameters.iter().find(|p| bare(p).eq_ignore_ascii_case(name)),
                None => parameters.get(place),
            };
            let Some(found) = found else {
                return Err(match name {
                    Some(name) => Message {
                        state: 2,
                        ..in_procedure(
                            8145,
                            procedure,
                            format!("{name} is not a parameter for procedure {procedure}."),
                        )
                    },
                    None => Message {
                        state: 2,
                        ..in_procedure(
                            8144,
                            procedure,
                            format!("Procedure or function {procedure} has too many arguments specified."),
                        )
                    },
                });
            };
            if found.starts_with('!') && *value != Value::Null {
                return Err(Message::not_modelled(format_args!("{procedure} {}", bare(found))));
            }
            values.push((bare(found), value, place, name.is_some()));
        }
        Ok(Self { procedure, values })
    }

    /// The value of a parameter; none when it is NULL or not given.
    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.values.iter().find(|v| v.0 == name).map(|v| v.1).filter(|v| **v != Value::Null)
    }
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Text(t) => Some(t.clone()),
            Value::Int(n) => Some(n.to_string()),
            Value::Guid(g) => Some(Guid(*g).to_string()),
            _ => None,
        }
    }
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(as_int)
    }
    pub(crate) fn flag(&self, name: &str, otherwise: bool) -> bool {
        self.int(name).map_or(otherwise, |n| n != 0)
    }
    /// A uniqueidentifier, also written as text.
    pub(crate) fn guid(&self, name: &str) -> Outcome<Option<Guid>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Guid(g)) => Ok(Some(Guid(*g))),
            Some(other) => as_text(other).and_then(|t| t.trim().parse().ok()).map(Some).ok_or_else(|| {
                Message::error(8114, "Error converting data type nvarchar to uniqueidentifier.")
            }),
        }
    }
    /// A text without which the procedure cannot be called.
    pub(crate) fn must(&self, name: &str) -> Outcome<String> {
        if !self.values.iter().any(|v| v.0 == name) {
            return Err(self.missing(name));
        }
        Ok(self.text(name).unwrap_or_default())
    }
    /// The same for a number.
    pub(crate) fn must_int(&self, name: &str) -> Outcome<i64> {
        self.int(name).ok_or_else(|| self.missing(name))
    }
    /// 201
    pub(crate) fn missing(&self, name: &str) -> Message {
        let text = format!(
            "Procedure or function '{}' expects parameter '{name}', which was not supplied.",
            self.procedure
        );
        Message { state: 4, ..in_procedure(201, self.procedure, text) }
    }
    /// Gives an output parameter its value, if the caller passed it.
    pub(crate) fn output(&self, name: &str, kind: Type, value: Value, parts: &mut Kept) {
        if let Some((own, _, place, named)) = self.values.iter().find(|v| v.0 == name) {
            let name = if *named { (*own).to_owned() } else { format!("#{place}") };
            let _ = parts.put(Part::Output { name, kind, value });
        }
    }
    /// An error of this procedure.
    pub(crate) fn error(&self, number: i32, text: impl Into<String>) -> Message {
        in_procedure(number, self.procedure, text)
    }
    /// 14262
    pub(crate) fn no_such(&self, name: &str, value: &str) -> Message {
        self.error(14262, format!("The specified {name} ('{value}') does not exist."))
    }
    /// 14261
    pub(crate) fn exists(&self, name: &str, value: &str) -> Message {
        self.error(14261, format!("The specified {name} ('{value}') already exists."))
    }
    /// 14266
    pub(crate) fn one_of(&self, name: &str, values: &str) -> Message {
        self.error(14266, format!("The specified '{name}' is invalid (valid values are: {values})."))
    }
    /// A number that is one of a few.
    pub(crate) fn among(&self, name: &str, allowed: &[i64]) -> Outcome<Option<i64>> {
        match self.int(name) {
            Some(n) if !allowed.contains(&n) => {
                let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                Err(self.one_of(name, &list.join(", ")))
            }
            other => Ok(other),
        }
    }
}

fn in_procedure(number: i32, procedure: &str, text: impl Into<String>) -> Message {
    Message { procedure: procedure.into(), ..Message::error(number, text) }
}
