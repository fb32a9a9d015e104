//! SQL Server Agent: jobs, schedules, runs on the drill clock, and their history.
//!
//! Does not know what a step does; `work` carries steps out beat by beat.

pub(crate) mod run;
mod schedule;
mod service;

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::Guid;
use super::work::Beat;

pub(crate) use schedule::{FOREVER, Schedule, date};

/// Where the agent of a server keeps more history than this of one job, the oldest rows go.
const ROWS_PER_JOB: usize = 100;
/// The same for all jobs together, as administrators of BizTalk set it; the product's own default is 1000.
const ROWS: usize = 10_000;

/// The agent of one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Agent {
    pub(crate) stopped: bool,
    /// Agent sessions: (`session_id`, local start).
    pub(crate) sessions: Vec<(i64, NaiveDateTime)>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) next_row: i64,
    /// Categories that were added to the product's own.
    pub(crate) categories: Vec<Category>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) rows_per_job: usize,
    pub(crate) rows: usize,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            stopped: false,
            sessions: Vec::new(),
            jobs: Vec::new(),
            schedules: Vec::new(),
            next_row: 0,
            categories: Vec::new(),
            operators: Vec::new(),
            rows_per_job: ROWS_PER_JOB,
            rows: ROWS,
        }
    }
}

/// A category of jobs (class 1), alerts (2) or operators (3).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Category {
    pub(crate) id: i64,
    pub(crate) class: i64,
    pub(crate) kind: i64,
    pub(crate) name: String,
}

/// Somebody who is told of things.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Operator {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) email: Option<String>,
}

/// The categories every server has: id, class, type, name.
pub(crate) const CATEGORIES: &[(i64, i64, i64, &str)] = &[
    (0, 1, 1, "[Uncategorized (Local)]"),
    (1, 1, 1, "Jobs from MSX"),
    (2, 1, 2, "[Uncategorized (Multi-Server)]"),
    (3, 1, 1, "Database Maintenance"),
    (4, 1, 1, "Web Assistant"),
    (5, 1, 1, "Full-Text"),
    (6, 1, 1, "Log Shipping"),
    (7, 1, 1, "Database Engine Tuning Advisor"),
    (8, 1, 1, "Data Collector"),
    (10, 1, 1, "REPL-Distribution"),
    (11, 1, 1, "REPL-Distribution Cleanup"),
    (12, 1, 1, "REPL-History Cleanup"),
    (13, 1, 1, "REPL-LogReader"),
    (14, 1, 1, "REPL-Merge"),
    (15, 1, 1, "REPL-Snapshot"),
    (16, 1, 1, "REPL-Checkup"),
    (17, 1, 1, "REPL-Subscription Cleanup"),
    (18, 1, 1, "REPL-Alert Response"),
    (19, 1, 1, "REPL-QueueReader"),
    (20, 2, 3, "Replication"),
    (98, 2, 3, "[Uncategorized]"),
    (99, 3, 3, "[Uncategorized]"),
];

/// A job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Job {
    pub(crate) id: Guid,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) description: String,
    pub(crate) category: i64,
    pub(crate) owner: String,
    pub(crate) created: NaiveDateTime,
    pub(crate) modified: NaiveDateTime,
    pub(crate) version: i64,
    pub(crate) start_step: usize,
    pub(crate) steps: Vec<Step>,
    /// Schedule ids.
    pub(crate) schedules: Vec<i64>,
    pub(crate) next_run: Option<DateTime<Utc>>,
    /// The schedule that makes it run next.
    pub(crate) next_schedule: Option<i64>,
    pub(crate) activity: Option<Activity>,
    pub(crate) run: Option<Run>,
    pub(crate) last: Option<Outcome>,
    /// Rows of sysjobhistory, oldest first.
    pub(crate) history: VecDeque<Row>,
    /// No server was named for it: it cannot run.
    pub(crate) untargeted: bool,
    pub(crate) notify: Notify,
    /// 0 never, 1 on success, 2 on failure, 3 always.
    pub(crate) delete_level: i64,
}

/// Who is told how a job ended: levels 0 never, 1 on success, 2 on failure, 3 always; and operator ids.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Notify {
    pub(crate) eventlog: i64,
    pub(crate) email: i64,
    pub(crate) netsend: i64,
    pub(crate) page: i64,
    pub(crate) email_to: i64,
    pub(crate) netsend_to: i64,
    pub(crate) page_to: i64,
}

impl Default for Notify {
    fn default() -> Self {
        Self { eventlog: 2, email: 0, netsend: 0, page: 0, email_to: 0, netsend_to: 0, page_to: 0 }
    }
}

/// A step of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    pub(crate) uid: Guid,
    pub(crate) name: String,
    /// `TSQL`, `CmdExec`, …
    pub(crate) subsystem: String,
    pub(crate) database: String,
    pub(crate) user: Option<String>,
    pub(crate) command: String,
    /// 1 quit with success, 2 quit with failure, 3 next step, 4 the step named beside it.
    pub(crate) on_success: u8,
    pub(crate) on_success_step: usize,
    pub(crate) on_fail: u8,
    pub(crate) on_fail_step: usize,
    pub(crate) retries: i64,
    /// Minutes.
    pub(crate) retry_minutes: i64,
    pub(crate) flags: i64,
    pub(crate) success_code: i64,
    pub(crate) priority: i64,
    pub(crate) output_file: Option<String>,
    pub(crate) server: Option<String>,
    /// The world file says that this step is only played: it takes its time and succeeds.
    pub(crate) simulated: bool,
    pub(crate) last: Option<Outcome>,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            uid: Guid::default(),
            name: String::new(),
            subsystem: "TSQL".into(),
            database: "master".into(),
            user: None,
            command: String::new(),
            on_success: 1,
            on_success_step: 0,
            on_fail: 2,
            on_fail_step: 0,
            retries: 0,
            retry_minutes: 0,
            flags: 0,
            success_code: 0,
            priority: 0,
            output_file: None,
            server: None,
            simulated: false,
            last: None,
        }
    }
}

/// How a run or step ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) status: i64,
    pub(crate) at: NaiveDateTime,
    pub(crate) seconds: i64,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) retries: i64,
}

/// A row of sysjobactivity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Activity {
    pub(crate) requested: NaiveDateTime,
    /// 1 schedule, 3 agent start, 4 user.
    pub(crate) source: i64,
    pub(crate) started: NaiveDateTime,
    pub(crate) last_step: Option<(usize, NaiveDateTime)>,
    pub(crate) stopped: Option<NaiveDateTime>,
    pub(crate) row: Option<i64>,
}

/// A run under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) by: String,
    pub(crate) started: DateTime<Utc>,
    pub(crate) step: usize,
    pub(crate) step_started: DateTime<Utc>,
    pub(crate) due: DateTime<Utc>,
    pub(crate) beat: Beat,
    pub(crate) doing: Option<Doing>,
    /// The step that a user asked to start at.
    #[serde(default)]
    pub(crate) asked: Option<usize>,
    /// How often the step was tried again.
    #[serde(default)]
    pub(crate) retries: i64,
    /// Waiting between two tries.
    #[serde(default)]
    pub(crate) waiting: bool,
}

/// The statement a run is executing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Doing {
    pub(crate) command: String,
    pub(crate) database: String,
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

/// A row of sysjobhistory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) step: usize,
    pub(crate) step_name: String,
    pub(crate) number: i64,
    pub(crate) severity: i64,
    pub(crate) message: String,
    pub(crate) status: i64,
    pub(crate) at: NaiveDateTime,
    pub(crate) seconds: i64,
    #[serde(default)]
    pub(crate) retries: i64,
}

impl Agent {
    pub(crate) fn job_named(&self, name: &str) -> Option<usize> {
        self.jobs.iter().position(|j| j.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn schedule(&self, id: i64) -> Option<&Schedule> {
        self.schedules.iter().find(|x| x.id == id)
    }

    pub(crate) fn next_schedule_id(&self) -> i64 {
        self.schedules.iter().map(|x| x.id).max().unwrap_or(8) + 1
    }

    /// All categories of a class: id, type and name.
    pub(crate) fn categories(&self, class: i64) -> impl Iterator<Item = (i64, i64, &str)> {
        let fixed = CATEGORIES.iter().filter(move |c| c.1 == class).map(|c| (c.0, c.2, c.3));
        fixed.chain(
            self.categories.iter().filter(move |c| c.class == class).map(|c| (c.id, c.kind, c.name.as_str())),
        )
    }

    pub(crate) fn category_name(&self, id: i64) -> &str {
        self.categories(1).find(|c| c.0 == id).map_or("[Uncategorized (Local)]", |c| c.2)
    }

    /// The id of a job category, made if nobody has it yet.
    pub(crate) fn category_called(&mut self, name: &str) -> i64 {
        if let Some(known) = self.categories(1).find(|c| c.2.eq_ignore_ascii_case(name)).map(|c| c.0) {
            return known;
        }
        self.add_category(1, 1, name)
    }

    pub(crate) fn add_category(&mut self, class: i64, kind: i64, name: &str) -> i64 {
        let id = self.categories.iter().map(|c| c.id).max().unwrap_or(99) + 1;
        self.categories.push(Category { id, class, kind, name: name.to_owned() });
        id
    }

    /// Enters a row of a job's history; its `instance_id`.
    pub(crate) fn record(&mut self, j: usize, mut row: Row) -> i64 {
        self.next_row += 1;
        row.id = self.next_row;
        let per_job = self.rows_per_job.max(1);
        if let Some(job) = self.jobs.get_mut(j) {
            job.history.push_back(row);
            while job.history.len() > per_job {
                job.history.pop_front();
            }
        }
        if self.rows < self.jobs.len() * per_job {
            self.drop_oldest();
        }
        self.next_row
    }

    fn drop_oldest(&mut self) {
        while self.jobs.iter().map(|j| j.history.len()).sum::<usize>() > self.rows.max(1) {
            let oldest = self.jobs.iter_mut().filter(|j| !j.history.is_empty());
            let Some(job) = oldest.min_by_key(|j| j.history.front().map(|r| r.id)) else { return };
            job.history.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_what_its_limits_allow() {
        let job = |name: &str| Job { name: name.into(), ..Job::default() };
        let mut agent =
            Agent { jobs: vec![job("often"), job("seldom")], rows_per_job: 3, rows: 4, ..Agent::default() };
        agent.record(1, Row::default());
        for _ in 0..5 {
            agent.record(0, Row::default());
        }
        let ids = |j: usize| agent.jobs[j].history.iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!((ids(0), ids(1)), (vec![4, 5, 6], vec![1]), "three of one job");
        agent.rows = 3;
        agent.record(0, Row::default());
        assert_eq!(agent.jobs[1].history.len(), 0, "the oldest of all goes first");
    }
}
