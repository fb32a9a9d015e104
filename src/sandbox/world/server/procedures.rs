//! Stored procedures: the agent's, BizTalk's that people call, the file probes, and the sandbox's own.
//!
//! What jobs call inside their steps is in `work`.

mod agent;
mod biztalk;
pub(crate) mod bound;
mod files;
mod logship;
mod rowsets;
mod system;

use super::Call;
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::{ObjectName, Outcome};
use crate::sandbox::value::{Table, Value};
use crate::sandbox::world::stored::{NULL, as_int, as_text};

/// Arguments of a call.
struct Arguments<'a>(&'a [(Option<String>, Value)]);

impl Arguments<'_> {
    fn value(&self, name: &str, position: usize) -> Option<&Value> {
        self.0
            .iter()
            .find(|(n, _)| n.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name)))
            .or_else(|| self.0.get(position).filter(|(n, _)| n.is_none()))
            .map(|(_, v)| v)
            .filter(|v| **v != NULL)
    }
    fn text(&self, name: &str, position: usize) -> Option<String> {
        self.value(name, position).and_then(as_text).map(str::to_owned)
    }
    fn int(&self, name: &str, position: usize) -> Option<i64> {
        self.value(name, position).and_then(as_int)
    }
    /// Refuses names that the procedure does not have, as far as it is modelled.
    fn only(&self, procedure: &str, known: &[&str]) -> Outcome<()> {
        for (name, _) in self.0 {
            if let Some(name) = name.as_ref().filter(|n| !known.iter().any(|k| k.eq_ignore_ascii_case(n))) {
                return Err(Message::not_modelled(format_args!("{procedure} {name}")));
            }
        }
        Ok(())
    }
}

/// Sends a table as a result set.
fn send(table: Table, parts: &mut Kept) {
    let count = table.rows.len() as u64;
    let all = std::iter::once(Part::Columns(table.columns))
        .chain(table.rows.into_iter().map(Part::Row))
        .chain(std::iter::once(Part::Done { rows: Some(count) }));
    for part in all {
        let _ = parts.put(part);
    }
}

impl Call<'_> {
    pub(super) fn procedure(
        &mut self,
        name: &ObjectName,
        arguments: &[(Option<String>, Value)],
        parts: &mut Kept,
    ) -> Outcome<Option<i32>> {
        let given = Arguments(arguments);
        let lower = name.name.to_lowercase();
        if !matches!(name.schema.as_str(), "dbo" | "sys") {
            return Ok(None);
        }
        match lower.as_str() {
            // Extended procedures live in master and are called from anywhere as master..xp_…
            "xp_fileexist" | "xp_dirtree" | "xp_fixeddrives"
                if name.database.eq_ignore_ascii_case("master") =>
            {
                return files::run(self, &lower, &given, parts).map(Some);
            }
            "xp_sqlagent_enum_jobs" if name.database.eq_ignore_ascii_case("master") => {
                return agent::enumerate(self, arguments, parts).map(Some);
            }
            "xp_servicecontrol" if name.database.eq_ignore_ascii_case("master") => {
                return agent::service_control(self, arguments, parts).map(Some);
            }
            // The monitor of database mirroring.
            name if name.starts_with("sp_dbmmonitor") => return Err(Message::not_modelled(lower)),
            _ => {}
        }
        if let Some(status) = logship::run(self, &lower, arguments, parts)? {
            return Ok(Some(status));
        }
        if let Some(status) = system::run(self, name, arguments, parts)? {
            return Ok(Some(status));
        }
        if name.database.eq_ignore_ascii_case("msdb") {
            return agent::run(self, &lower, arguments, parts);
        }
        let d = self.enter(&name.database)?;
        let there = self.server().databases[d]
            .content
            .procedures
            .iter()
            .any(|(p, _)| p.eq_ignore_ascii_case(&name.name));
        if !there {
            return Ok(None);
        }
        biztalk::run(self, d, &lower, &given, parts).map(Some)
    }
}
