//! What job steps do, beat by beat, found by what their commands call.
//!
//! Does not know schedules or history (`agent`), nor the rules of backup and restore.

mod backup_job;
mod batch;
mod mark_job;
mod restore_job;
pub(crate) mod upkeep;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::state::State;
use crate::sandbox::answer::Message;

/// Arguments of a call: by name, or in their order.
pub(crate) type Given = [(Option<String>, String)];

/// A procedure called by hand has no more beats than this (databases times sets).
const BEATS_BY_HAND: usize = 100_000;

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
    /// The n-th database's backup of an upkeep job begins now; those before it that failed.
    Upkeep { index: usize, failed: Vec<String> },
    /// The source's jobs are created now.
    Recreate,
    /// A statement has waited long enough; what it said (number, class and text of each message).
    Over { said: String, failed: bool },
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
    pub(crate) fn work(&mut self, s: usize, j: usize, n: usize, beat: Beat, now: DateTime<Utc>) -> Next {
        if let Some(next) = self.trouble_with_job(s, j, &beat, now) {
            return next;
        }
        let Some(step) = self.servers[s].agent.jobs[j].steps.get(n - 1) else {
            return Next::Done(String::new());
        };
        let (command, database) = (step.command.clone(), step.database.clone());
        let Some((command, database)) = self.guarded(s, command, database) else {
            return Next::Done(String::new());
        };
        if let Some(closed) = self.ha_closed(s, &database, false) {
            return Next::Failed(vec![closed]);
        }
        let (simulated, subsystem) = (step.simulated, step.subsystem.to_uppercase());
        match subsystem.as_str() {
            "TSQL" => {}
            "CMDEXEC" if command.to_lowercase().contains("sqllogship") => {
                return self.run_sqllogship(s, j, &command, &beat, now);
            }
            other => return batch::unstarted(n, &format!("not modelled: the {other} subsystem")),
        }
        if let Some(closed) = self.servers[s].database(&database).and_then(super::state::Database::closed) {
            return Next::Failed(vec![closed]);
        }
        if self.servers[s].database(&database).is_none() {
            return Next::Failed(vec![super::state::no_such_database(&database)]);
        }
        if simulated {
            return self.play(&command, &beat);
        }
        let called = sole_call(&command);
        if called.as_deref() == Some("upkeepbackup") {
            return self.upkeep(s, &command, beat, now);
        }
        if let Some(procedure) = called.filter(|p| self.is_there(s, &database, p)) {
            let given = arguments(&command, &procedure);
            if let Some(next) = self.biztalk_call(s, &database, &procedure, &given, beat.clone(), now) {
                return next;
            }
        }
        self.tsql_step(s, j, n, beat, now)
    }

    /// Whether a database has that procedure.
    fn is_there(&self, s: usize, database: &str, procedure: &str) -> bool {
        self.servers[s]
            .database(database)
            .is_some_and(|d| d.content.procedures.iter().any(|(p, _)| p.eq_ignore_ascii_case(procedure)))
    }

    /// Carries on one of BizTalk's procedures that take their time; None when it is none of them.
    fn biztalk_call(
        &mut self,
        s: usize,
        database: &str,
        procedure: &str,
        given: &Given,
        beat: Beat,
        now: DateTime<Utc>,
    ) -> Option<Next> {
        Some(match procedure {
            "sp_backupallfull_schedule" => self.back_up_all(s, database, given, beat, now),
            "sp_markall" => self.mark_and_back_up(s, database, given, beat, now),
            "sp_deletebackuphistory" => self.clear_history(s, database, given, now),
            "bts_getbackuphistory" => self.import_history(s, &beat, now),
            "bts_restoredatabases" => self.restore_databases(s, beat, now),
            "bts_restoretomark" => self.restore_to_mark(s, beat, now),
            "bts_createagentjobs" => self.recreate_jobs(s, &beat, now),
            _ => return None,
        })
    }

    /// The same called by somebody, or out of a longer text: from its beginning to its end at one moment.
    pub(crate) fn by_hand(
        &mut self,
        s: usize,
        database: &str,
        procedure: &str,
        given: &Given,
        now: DateTime<Utc>,
    ) -> Option<Result<(), Vec<Message>>> {
        let mut beat = Beat::Begin;
        let mut waits = 0;
        for _ in 0..BEATS_BY_HAND {
            match self.biztalk_call(s, database, procedure, given, beat.clone(), now)? {
                Next::Later { beat: next, .. } => {
                    waits = if next == beat { waits + 1 } else { 0 };
                    if waits > 1 {
                        break;
                    }
                    beat = next;
                }
                Next::Done(_) => return Some(Ok(())),
                Next::Failed(messages) => return Some(Err(messages)),
            }
        }
        Some(Err(vec![Message::not_modelled(format_args!("{procedure} waiting for BTS_BackupJob_Lock"))]))
    }

    /// A step that the world file declares to be played only.
    fn play(&mut self, command: &str, beat: &Beat) -> Next {
        if command.to_lowercase().contains("managemessagerefcountlog") {
            // By design this one never ends.
            Next::later(3_600_000, Beat::Begin)
        } else if *beat == Beat::Begin {
            Next::later(self.dice.between(200, 3000), Beat::End)
        } else {
            Next::Done(String::new())
        }
    }

    /// Whether a server answers another one.
    pub(crate) fn reachable(&self, server: usize) -> bool {
        let trouble = &self.servers[server].trouble;
        !trouble.refused && !trouble.silent && trouble.down_until.is_none_or(|until| self.at >= until)
    }
}

/// The procedure (lower case, last part of its name) that a command calls, if it does nothing else.
fn sole_call(command: &str) -> Option<String> {
    let clean = without_comments(command);
    let text = clean.trim().trim_end_matches(';').trim_end();
    let (word, rest) = text.split_once(char::is_whitespace)?;
    if !word.eq_ignore_ascii_case("exec") && !word.eq_ignore_ascii_case("execute") {
        return None;
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (name, arguments) = rest.trim_start().split_at_checked(end.min(rest.trim_start().len()))?;
    // Values only: anything computed, and a second statement, are the evaluator's.
    let mut quoted = false;
    let plain = arguments.chars().all(|c| {
        quoted ^= c == '\'';
        quoted || c != ';' && c != '('
    });
    let second = |w: &str| {
        ["exec", "execute", "if", "select", "print", "begin", "declare", "set", "return", "waitfor"]
            .contains(&w.to_lowercase().as_str())
    };
    let outside: String = arguments.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let more = outside.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '@').any(second);
    let last = name.rsplit('.').next()?.trim_matches(['[', ']', '"']);
    (plain && !more && !last.is_empty()).then(|| last.to_lowercase())
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
    fn only_a_command_that_is_one_call_is_known_by_its_procedure() {
        let call = |text: &str| sole_call(text);
        assert_eq!(call("exec [dbo].[sp_MarkAll] 'BTS' /* x */, '\\\\b\\s';").as_deref(), Some("sp_markall"));
        assert_eq!(call("EXECUTE bts_GetBackupHistory").as_deref(), Some("bts_getbackuphistory"));
        assert_eq!(call("exec sp_MarkAll 'a', 'b' exec sp_other"), None);
        assert_eq!(call("if 1 = 1 exec sp_MarkAll 'a', 'b'"), None);
        assert_eq!(call("select 1"), None);
    }

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
