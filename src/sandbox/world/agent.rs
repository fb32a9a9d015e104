//! SQL Server Agent: jobs, schedules, runs on the drill clock, and their history.
//!
//! Does not know what a step does; `work` carries steps out beat by beat.

mod run;

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

use super::ids::Guid;
use super::work::Beat;

/// History rows kept per job, the agent's own default.
const ROWS_PER_JOB: usize = 100;
/// The agent of one server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Agent {
    pub(crate) stopped: bool,
    /// Agent sessions: (`session_id`, local start).
    pub(crate) sessions: Vec<(i64, NaiveDateTime)>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) next_row: i64,
}

/// A job.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    pub(crate) activity: Option<Activity>,
    pub(crate) run: Option<Run>,
    pub(crate) last: Option<Outcome>,
    /// Rows of sysjobhistory, oldest first.
    #[serde(default)]
    pub(crate) history: VecDeque<Row>,
}

/// A step of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) uid: Guid,
    pub(crate) name: String,
    pub(crate) database: String,
    pub(crate) command: String,
    pub(crate) on_success: u8,
    pub(crate) on_fail: u8,
    pub(crate) last: Option<Outcome>,
}

/// How a run or step ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) status: i64,
    pub(crate) at: NaiveDateTime,
    pub(crate) seconds: i64,
    pub(crate) message: String,
}

/// A schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) id: i64,
    pub(crate) uid: Guid,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    /// 4 daily, 64 at agent start.
    pub(crate) freq_type: i64,
    pub(crate) freq_interval: i64,
    /// 1 at a time, 2 seconds, 4 minutes, 8 hours.
    pub(crate) subday_type: i64,
    pub(crate) subday_interval: i64,
    /// hhmmss
    pub(crate) start_time: i64,
    pub(crate) end_time: i64,
    pub(crate) created: NaiveDateTime,
}

/// A row of sysjobactivity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Activity {
    pub(crate) requested: NaiveDateTime,
    /// 1 schedule, 4 user.
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
}

impl Schedule {
    /// The next time after `after`, both local.
    pub(crate) fn next(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        if !self.enabled || self.freq_type != 4 {
            return None;
        }
        let seconds = |hms: i64| hms / 10_000 * 3600 + hms / 100 % 100 * 60 + hms % 100;
        let (first, last) = (seconds(self.start_time), seconds(self.end_time).max(seconds(self.start_time)));
        let every = match self.subday_type {
            2 => self.subday_interval,
            4 => self.subday_interval * 60,
            8 => self.subday_interval * 3600,
            _ => 86_400,
        }
        .max(1);
        let midnight = after.date().and_hms_opt(0, 0, 0)?;
        let passed = i64::from(after.num_seconds_from_midnight());
        let mut next = if passed < first { first } else { first + ((passed - first) / every + 1) * every };
        if next > last || next >= 86_400 {
            next = 86_400 + first;
        }
        Some(midnight + TimeDelta::seconds(next))
    }
}

impl Agent {
    pub(crate) fn job_named(&self, name: &str) -> Option<usize> {
        self.jobs.iter().position(|j| j.name.eq_ignore_ascii_case(name))
    }

    /// Enters a row of a job's history; its `instance_id`.
    pub(crate) fn record(&mut self, j: usize, mut row: Row) -> i64 {
        self.next_row += 1;
        row.id = self.next_row;
        if let Some(job) = self.jobs.get_mut(j) {
            job.history.push_back(row);
            if job.history.len() > ROWS_PER_JOB {
                job.history.pop_front();
            }
        }
        self.next_row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(subday_type: i64, subday_interval: i64, start_time: i64) -> Schedule {
        Schedule {
            id: 1,
            uid: Guid::default(),
            name: "s".into(),
            enabled: true,
            freq_type: 4,
            freq_interval: 1,
            subday_type,
            subday_interval,
            start_time,
            end_time: 235_959,
            created: NaiveDateTime::default(),
        }
    }

    #[test]
    fn schedules_run_on_the_raster_of_the_local_day() {
        let t =
            |d, h, m, s| chrono::NaiveDate::from_ymd_opt(2026, 3, d).unwrap().and_hms_opt(h, m, s).unwrap();
        let quarter = schedule(4, 15, 0);
        assert_eq!(quarter.next(t(1, 10, 0, 0)), Some(t(1, 10, 15, 0)));
        assert_eq!(quarter.next(t(1, 23, 59, 0)), Some(t(2, 0, 0, 0)));
        assert_eq!(schedule(1, 0, 20_000).next(t(1, 2, 0, 0)), Some(t(2, 2, 0, 0)));
        assert_eq!(schedule(1, 0, 20_000).next(t(1, 1, 59, 59)), Some(t(1, 2, 0, 0)));
        assert_eq!(Schedule { enabled: false, ..quarter }.next(t(1, 0, 0, 0)), None);
    }
}
