//! What faults do to jobs, backups and whole servers, where the world meets it.
//!
//! Does not know the faults by name.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Ending;
use super::files::os_error_text;
use super::state::{Server, State};
use super::trigger::Happening;
use super::work::{Beat, Next};
use crate::clock::Span;
use crate::sandbox::answer::Message;

/// Something wrong with a job from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobTrouble {
    /// The job's name.
    pub(crate) job: String,
    pub(crate) from: DateTime<Utc>,
    pub(crate) how: HowJobsFail,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HowJobsFail {
    /// Each step fails with this error.
    Fails { number: i32, text: String },
    /// The step that is due never ends.
    Hangs,
}

/// Backups of a database that cannot be written for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unwritten {
    pub(crate) database: String,
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
    /// The operating system's error.
    pub(crate) os: i32,
}

impl Server {
    /// Whether the machine is starting at a time.
    pub(crate) fn is_starting(&self, at: DateTime<Utc>) -> bool {
        self.trouble.down_until.is_some_and(|until| at < until)
    }

    /// The operating system's error that keeps a backup from being written, if there is one.
    pub(crate) fn write_trouble(&self, database: &str, path: &str, at: DateTime<Utc>) -> Option<i32> {
        let lower = path.to_lowercase();
        if self.trouble.full.iter().any(|f| lower.starts_with(&f.to_lowercase())) {
            return Some(112);
        }
        let unwritten = self.trouble.unwritten.as_ref()?;
        let now = (unwritten.from..unwritten.until).contains(&at);
        (now && unwritten.database.eq_ignore_ascii_case(database)).then_some(unwritten.os)
    }
}

impl State {
    /// What stands in the way of a backup that begins now.
    pub(crate) fn backup_begins(
        &mut self,
        s: usize,
        database: &str,
        path: &str,
        at: DateTime<Utc>,
    ) -> Result<(), Vec<Message>> {
        self.happens(s, Happening::Backup { database })?;
        match self.servers[s].write_trouble(database, path, at) {
            None => Ok(()),
            Some(os) => Err(vec![Message::error(
                3202,
                format!("Write on \"{path}\" failed: {os}({})", os_error_text(os)),
            )]),
        }
    }

    /// How a step goes on that a fault gets hold of.
    pub(crate) fn trouble_with_job(
        &self,
        s: usize,
        j: usize,
        beat: &Beat,
        now: DateTime<Utc>,
    ) -> Option<Next> {
        let server = &self.servers[s];
        let name = &server.agent.jobs[j].name;
        let found = server.trouble.jobs.iter().find(|t| now >= t.from && t.job.eq_ignore_ascii_case(name))?;
        Some(match &found.how {
            HowJobsFail::Fails { number, text } => {
                Next::Failed(vec![Message { class: 14, ..Message::error(*number, text.clone()) }])
            }
            HowJobsFail::Hangs => Next::later(3_600_000, beat.clone()),
        })
    }

    /// Where the restores or backups of a server are done: the job that a disaster recovery depends on there.
    pub(crate) fn main_job(&self, s: usize) -> Option<usize> {
        let agent = &self.servers[s].agent;
        let named = |part: &str| agent.jobs.iter().position(|j| j.name.to_lowercase().contains(part));
        named("log shipping - restore databases")
            .or_else(|| named("lsrestore"))
            .or_else(|| named("backup biztalk server"))
            .or_else(|| named("lsbackup"))
            .or_else(|| named("backup"))
            .or_else(|| (!agent.jobs.is_empty()).then_some(0))
    }

    /// A machine starts again: sessions and runs end, the agent begins a session of its own.
    pub(crate) fn restart(&mut self, s: usize, down: Span) {
        let at = self.at;
        let up = at + TimeDelta::milliseconds(down.ms);
        for j in 0..self.servers[s].agent.jobs.len() {
            self.end_run(s, j, at, &Ending::Failed, "The service stopped.");
        }
        self.sessions.retain(|x| x.server != s);
        self.recover_instance(s, at);
        let server = &mut self.servers[s];
        server.trouble.down_until = Some(up);
        server.trouble.cuts += 1;
        server.started = up;
        let agent = server.local(up + TimeDelta::seconds(9));
        let next = server.agent.sessions.last().map_or(1, |x| x.0) + 1;
        server.agent.sessions.push((next, agent));
        for j in 0..self.servers[s].agent.jobs.len() {
            self.plan_job(s, j, up);
        }
        self.dirty = true;
    }

    /// All connections of a server are cut.
    pub(crate) fn cut_connections(&mut self, s: usize) {
        self.sessions.retain(|x| x.server != s);
        self.servers[s].trouble.cuts += 1;
        self.dirty = true;
    }
}
