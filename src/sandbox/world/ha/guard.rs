//! Job steps that ask whether they run on the primary.
//!
//! Knows the one form in which the shipped worlds and BizTalk's guide write it.

use crate::sandbox::world::state::State;

const ASKS: &str = "fn_hadr_is_primary_replica(";

impl State {
    /// The database that a step works in; None when its guard says that this is not the primary.
    pub(crate) fn guarded(&self, s: usize, command: &str, database: String) -> Option<String> {
        let lower = command.to_lowercase();
        let mut rest = lower.as_str();
        let mut asked = false;
        while let Some((_, behind)) = rest.split_once(ASKS) {
            let name = behind.trim_start_matches([' ', 'n']).strip_prefix('\'')?.split('\'').next()?;
            if self.is_primary_replica(s, name) != Some(true) {
                return None;
            }
            asked = true;
            rest = behind;
        }
        let called = asked.then(|| called_in(command)).flatten();
        Some(called.filter(|d| self.servers[s].database(d).is_some()).unwrap_or(database))
    }
}

/// The database of the first three-part call.
fn called_in(command: &str) -> Option<String> {
    let at = command.to_lowercase().find("exec ")?;
    let mut parts = command[at + 5..].trim_start().split('.');
    let first = parts.next()?.trim_matches(['[', ']']);
    let second = parts.next()?.trim_matches(['[', ']']);
    second.eq_ignore_ascii_case("dbo").then(|| first.to_owned())
}
