//! Faults that wait: for a time of the drill, or for something to happen on a server.
//!
//! Saved with the world, so a walk that is taken up again meets them. Does not know what they do.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::state::State;
use crate::clock::Span;
use crate::sandbox::answer::Message;
use crate::sandbox::fault::{Aim, named};

/// What a waiting fault waits for, on its server. Counts begin with the walk: 1 = the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Trigger {
    /// That time of the drill.
    At(DateTime<Utc>),
    /// The n-th restore that begins, of the fault's database if it has one.
    Restore { nth: u32 },
    /// The n-th restore to a mark that begins.
    MarkRestore { nth: u32 },
    /// The n-th backup that begins, of the fault's database if it has one.
    Backup { nth: u32 },
    /// The n-th connection that logs in after a time.
    Connection { nth: u32, after: DateTime<Utc> },
    /// The n-th statement that begins after a time.
    Statement { nth: u32, after: DateTime<Utc> },
    /// The n-th run that begins of a job whose name holds this.
    Run { nth: u32, job: String },
}

/// A fault that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) fault: String,
    pub(crate) server: usize,
    pub(crate) database: Option<String>,
    pub(crate) trigger: Trigger,
}

/// Something that begins on a server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happening<'a> {
    /// A restore; `mark` = it stops at or before a mark.
    Restore { database: &'a str, mark: bool },
    /// A backup.
    Backup { database: &'a str },
    /// A session.
    Connection,
    /// A batch or call of a client.
    Statement,
    /// A run of a job.
    Run { job: &'a str },
}

impl State {
    /// Lets a fault wait.
    pub(crate) fn wait_for(&mut self, fault: &str, aim: &Aim, trigger: Trigger) {
        self.pending.push(Pending {
            fault: fault.to_owned(),
            server: aim.server,
            database: aim.database.clone(),
            trigger,
        });
        self.dirty = true;
    }

    /// A time of the drill, counted from when the walk began.
    pub(crate) fn after_opening(&self, span: Span) -> DateTime<Utc> {
        self.opened + TimeDelta::milliseconds(span.ms)
    }

    /// When the next fault that waits for a time strikes.
    pub(crate) fn next_strike(&self) -> Option<(DateTime<Utc>, usize)> {
        let times = self.pending.iter().enumerate().filter_map(|(n, p)| match p.trigger {
            Trigger::At(at) => Some((at, n)),
            _ => None,
        });
        times.min()
    }

    /// The n-th waiting fault strikes.
    pub(crate) fn strike(&mut self, n: usize) -> Result<(), Vec<Message>> {
        let pending = self.pending.remove(n);
        self.dirty = true;
        let aim = Aim { server: pending.server, database: pending.database };
        named(&pending.fault).map_or(Ok(()), |fault| (fault.strike)(self, &aim))
    }

    /// Tells the waiting faults of a server what begins there; `Err` ends it with these messages.
    pub(crate) fn happens(&mut self, s: usize, event: Happening<'_>) -> Result<(), Vec<Message>> {
        if self.pending.is_empty() || self.fresh.is_some() {
            return Ok(());
        }
        let now = self.at;
        let mut due = None;
        for (n, pending) in self.pending.iter_mut().enumerate().filter(|(_, p)| p.server == s) {
            let about =
                |database: &str| pending.database.as_deref().is_none_or(|d| d.eq_ignore_ascii_case(database));
            let left = match (&mut pending.trigger, event) {
                (Trigger::Restore { nth }, Happening::Restore { database, .. })
                | (Trigger::MarkRestore { nth }, Happening::Restore { database, mark: true })
                | (Trigger::Backup { nth }, Happening::Backup { database })
                    if about(database) =>
                {
                    nth
                }
                (Trigger::Connection { nth, after }, Happening::Connection)
                | (Trigger::Statement { nth, after }, Happening::Statement)
                    if now >= *after =>
                {
                    nth
                }
                (Trigger::Run { nth, job: wanted }, Happening::Run { job })
                    if job.to_lowercase().contains(&wanted.to_lowercase()) =>
                {
                    nth
                }
                _ => continue,
            };
            *left = left.saturating_sub(1);
            self.dirty = true;
            if *left == 0 && due.is_none() {
                due = Some(n);
            }
        }
        due.map_or(Ok(()), |n| self.strike(n))
    }
}
