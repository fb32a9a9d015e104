//! What job steps do, beat by beat, found by what their commands call.
//!
//! Does not know schedules or history (`agent`), nor the rules of backup and restore.

mod backup_job;
mod mark_job;
mod restore_job;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::state::State;
use crate::sandbox::answer::Message;

/// Where a step stands; saved, so that a run goes on after a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Beat {
    /// The step has just begun.
    Begin,
    /// It ends now.
    End,
    /// A backup of the n-th database of the scope ends now.
    Backup { log: bool, set: i64, mark: String, location: String, index: usize, from: DateTime<Utc> },
    /// The restore of a database from a set ends now.
    Restore { set: i64, database: String },
    /// The last restore of the n-th database ends now.
    ToMark { set: i64, mark: String, index: usize },
    /// The source's jobs are created now.
    Recreate,
}

/// How a step goes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// After so many drill milliseconds; `doing` = the statement and database under way until then.
    Later {
        ms: i64,
        beat: Beat,
        doing: Option<(String, String)>,
    },
    Done(String),
    Failed(Vec<Message>),
}

impl Next {
    pub(crate) const fn later(ms: i64, beat: Beat) -> Self {
        Self::Later { ms, beat, doing: None }
    }
}

impl State {
    /// Carries a step of a job on.
    pub(crate) fn work(&mut self, s: usize, j: usize, step: usize, beat: Beat, now: DateTime<Utc>) -> Next {
        let Some(step) = self.servers[s].agent.jobs[j].steps.get(step - 1) else {
            return Next::Done(String::new());
        };
        let (command, database) = (step.command.clone(), step.database.clone());
        if let Some(closed) = self.servers[s].database(&database).and_then(super::state::Database::closed) {
            return Next::Failed(vec![closed]);
        }
        if self.servers[s].database(&database).is_none() {
            return Next::Failed(vec![super::state::no_such_database(&database)]);
        }
        let calls = |name: &str| command.to_lowercase().contains(&name.to_lowercase());
        if calls("sp_BackupAllFull_Schedule") {
            self.back_up_all(s, &database, &command, beat, now)
        } else if calls("sp_MarkAll") {
            self.mark_and_back_up(s, &database, &command, beat, now)
        } else if calls("sp_DeleteBackupHistory") {
            self.clear_history(s, &database, &command, now)
        } else if calls("bts_GetBackupHistory") {
            self.import_history(s, &beat, now)
        } else if calls("bts_RestoreDatabases") {
            self.restore_databases(s, beat, now)
        } else if calls("bts_RestoreToMark") {
            self.restore_to_mark(s, beat, now)
        } else if calls("bts_CreateAgentJobs") {
            self.recreate_jobs(s, &beat, now)
        } else if calls("ManageMessageRefCountLog") {
            // By design this one never ends.
            Next::later(3_600_000, Beat::Begin)
        } else if beat == Beat::Begin {
            Next::later(self.dice.between(200, 3000), Beat::End)
        } else {
            Next::Done(String::new())
        }
    }

    /// Whether a server answers another one.
    pub(crate) fn reachable(&self, server: usize) -> bool {
        let trouble = &self.servers[server].trouble;
        !trouble.refused && !trouble.silent
    }
}

/// The arguments of the first call of `procedure`: by `@name` (lower case) or position.
pub(crate) fn arguments(command: &str, procedure: &str) -> Vec<(Option<String>, String)> {
    let clean = without_comments(command);
    let Some(start) = clean.to_lowercase().find(&procedure.to_lowercase()) else { return vec![] };
    let tail = clean[start + procedure.len()..].trim_start_matches([']', ' ']);
    let mut all = Vec::new();
    let mut rest = tail.trim_start();
    while !rest.is_empty() && !rest.starts_with(';') {
        let mut name = None;
        if rest.starts_with('@') {
            let Some((n, r)) = rest.split_once('=') else { break };
            name = Some(n.trim().to_lowercase());
            rest = r.trim_start();
        }
        let value;
        let literal = rest.strip_prefix('N').filter(|r| r.starts_with('\'')).unwrap_or(rest);
        if let Some(r) = literal.strip_prefix('\'') {
            let Some((v, r)) = r.split_once('\'') else { break };
            value = v.to_owned();
            rest = r.trim_start();
        } else {
            let end = rest.find([',', ';', '\n']).unwrap_or(rest.len());
            value = rest[..end].trim().to_owned();
            rest = rest[end..].trim_start();
        }
        all.push((name, value));
        match rest.strip_prefix(',') {
            Some(r) => rest = r.trim_start(),
            None => break,
        }
    }
    all
}

fn without_comments(command: &str) -> String {
    let mut out = String::new();
    let mut rest = command;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, r)| r);
    }
    out.push_str(rest);
    out
}

/// An argument by name, else by position.
pub(crate) fn argument<'a>(
    all: &'a [(Option<String>, String)],
    name: &str,
    position: usize,
) -> Option<&'a str> {
    all.iter()
        .find(|(n, _)| n.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name)))
        .or_else(|| all.get(position).filter(|(n, _)| n.is_none()))
        .map(|(_, v)| v.as_str())
        .filter(|v| !v.eq_ignore_ascii_case("null"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_past_comments_by_name_and_position() {
        let command = "exec [dbo].[sp_BackupAllFull_Schedule] 'd' /* Frequency, really */, 'BTS', '\\\\b\\s' /* x */, 1, NULL, @UseLocalTime = 1";
        let all = arguments(command, "sp_BackupAllFull_Schedule");
        assert_eq!(argument(&all, "@Frequency", 0), Some("d"));
        assert_eq!(argument(&all, "@BackupPath", 2), Some("\\\\b\\s"));
        assert_eq!(argument(&all, "@x", 4), None);
        assert_eq!(argument(&all, "@UseLocalTime", 5), Some("1"));
        assert!(arguments("exec other", "sp_MarkAll").is_empty());
    }
}
