//! Job steps that ask whether they run on the primary, in the form in which BizTalk's guide has them written.
//!
//! Any other form is T-SQL like any other, and the evaluator's.

use crate::sandbox::world::state::State;

impl State {
    /// What a step does and where: of a guarded one, what stands behind its guard, in the database it calls.
    /// None when the guard says that this is not the primary.
    pub(crate) fn guarded(&self, s: usize, command: String, database: String) -> Option<(String, String)> {
        let Some((asked, inner)) = behind_guard(&command) else { return Some((command, database)) };
        if self.is_primary_replica(s, asked) != Some(true) {
            return None;
        }
        let called = called_in(inner).filter(|d| self.servers[s].database(d).is_some());
        Some((inner.to_owned(), called.unwrap_or(database)))
    }
}

/// `IF (sys.fn_hadr_is_primary_replica('X') = 1) BEGIN … END`: X, and what stands between.
pub(super) fn behind_guard(command: &str) -> Option<(&str, &str)> {
    let skip = |text: &str, word: &str| {
        text.get(..word.len()).filter(|w| w.eq_ignore_ascii_case(word)).map(|_| word.len())
    };
    let mut rest = command.trim();
    for part in ["if", "(", "sys.fn_hadr_is_primary_replica", "("] {
        rest = rest[skip(rest, part)?..].trim_start();
    }
    rest = rest.strip_prefix(['N', 'n']).unwrap_or(rest).strip_prefix('\'')?;
    let (name, behind) = rest.split_once('\'')?;
    rest = behind.trim_start();
    for part in [")", "=", "1", ")", "begin"] {
        rest = rest[skip(rest, part)?..].trim_start();
    }
    let inner = rest.trim_end_matches([' ', ';', '\n', '\r']);
    let cut = inner.len().checked_sub(3)?;
    let end = inner.get(cut..)?;
    end.eq_ignore_ascii_case("end").then(|| (name, inner[..cut].trim()))
}

/// The database of a three-part call.
fn called_in(command: &str) -> Option<String> {
    let at = command.to_lowercase().find("exec ")?;
    let mut parts = command[at + 5..].trim_start().split('.');
    let first = parts.next()?.trim_matches(['[', ']']);
    let second = parts.next()?.trim_matches(['[', ']']);
    second.eq_ignore_ascii_case("dbo").then(|| first.to_owned())
}
