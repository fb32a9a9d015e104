//! Output parameters of the host's procedures, on their way back to the caller's variables.
//!
//! Does not know which procedures have some: the host says so part by part.

use super::super::convert::convert;
use super::super::state::Variables;
use super::raised::Raised;
use crate::sandbox::answer::{Message, Part, Sink, Stopped};
use crate::sandbox::value::{Type, Value};

/// Passes an answer on and keeps its output values.
///
/// The host names an output by its parameter (`@job_id`), or by its place (`#0`) where the caller named none.
pub(super) struct Outputs<'a> {
    inner: &'a mut dyn Sink,
    pub(super) values: Vec<(String, Type, Value)>,
}

impl<'a> Outputs<'a> {
    pub(super) fn over(inner: &'a mut dyn Sink) -> Self {
        Self { inner, values: Vec::new() }
    }
}

impl Sink for Outputs<'_> {
    fn put(&mut self, part: Part) -> Result<(), Stopped> {
        if let Part::Output { name, kind, value } = part {
            self.values.push((name, kind, value));
            return Ok(());
        }
        self.inner.put(part)
    }
    fn stopped(&self) -> bool {
        self.inner.stopped()
    }
}

/// An argument whose value the caller wants back.
pub(super) struct Wanted {
    pub(super) place: usize,
    pub(super) name: Option<String>,
    pub(super) variable: String,
}

/// The value kept for an argument.
pub(super) fn found<'v>(
    values: &'v [(String, Type, Value)],
    wanted: &Wanted,
    procedure: &str,
) -> Result<&'v (String, Type, Value), Message> {
    let place = format!("#{}", wanted.place);
    let key = wanted.name.as_deref().unwrap_or(&place);
    values.iter().find(|(name, ..)| name.eq_ignore_ascii_case(key)).ok_or_else(|| {
        Message::not_modelled(format!("output parameter {key} of {}", procedure.to_lowercase()))
    })
}

/// Gives the values back to the caller's variables.
pub(super) fn give_back(
    values: &[(String, Type, Value)],
    wanted: &[Wanted],
    procedure: &str,
    variables: &mut Variables,
) -> Result<(), Raised> {
    for one in wanted {
        let (_, kind, value) = found(values, one, procedure)?;
        if let Some(slot) = variables.scalars.get_mut(&one.variable) {
            slot.1 = convert(value.clone(), *kind, slot.0, 0)?;
        }
    }
    Ok(())
}
