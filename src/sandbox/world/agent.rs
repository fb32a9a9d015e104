//! SQL Server Agent: jobs, schedules, runs on the drill clock, and their history.
//!
//! Does not know what a step does; `work` carries steps out beat by beat.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

use super::ids::Guid;
use super::state::State;
use super::work::{Beat, Next};
use crate::sandbox::answer::Message;

/// History rows kept per job, the agent's own default.
const ROWS_PER_JOB: usize = 100;
/// A world that was closed longer than this has slept: nothing ran before the last day.
const CATCH_UP_HOURS: i64 = 24;

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
    pub(crate) fn job(&self, id: Guid) -> Option<&Job> {
        self.jobs.iter().find(|j| j.id == id)
    }
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

impl State {
    /// Sets when a job runs next by its schedules.
    pub(crate) fn plan_job(&mut self, s: usize, j: usize, after: DateTime<Utc>) {
        let server = &self.servers[s];
        let job = &server.agent.jobs[j];
        let local = server.local(after);
        // While history is made, the minute jobs are woken once per log set: the outcome is the same.
        let coarse = self.fresh.is_some() && after < self.opened - TimeDelta::minutes(70);
        let next = job
            .schedules
            .iter()
            .filter_map(|id| server.agent.schedules.iter().find(|x| x.id == *id))
            .filter_map(|schedule| {
                if coarse && schedule.subday_type == 4 && schedule.subday_interval < 15 {
                    Schedule { subday_interval: 15, start_time: 1000, ..schedule.clone() }.next(local)
                } else {
                    schedule.next(local)
                }
            })
            .min();
        let offset = TimeDelta::minutes(server.offset_minutes.into());
        self.servers[s].agent.jobs[j].next_run = next.map(|n| (n - offset).and_utc());
    }

    /// Lets everything happen that is due up to `now`.
    pub(crate) fn advance(&mut self, now: DateTime<Utc>) {
        if now <= self.at {
            return;
        }
        if now - self.at > TimeDelta::hours(CATCH_UP_HOURS) && self.fresh.is_none() {
            self.sleep(now - TimeDelta::hours(CATCH_UP_HOURS));
        }
        while let Some((due, s, j)) = self.next_event(now) {
            // What the agent does by itself is made again from the last save, to the letter:
            // only what touches files, and what people ask for, has to be saved at once.
            self.at = self.at.max(due);
            if self.servers[s].agent.jobs[j].run.is_some() {
                self.beat(s, j, due);
            } else {
                self.start_run(s, j, due, 1, "", None);
            }
        }
        self.at = now;
    }

    /// Nothing happened until `until`: runs and schedules move there.
    fn sleep(&mut self, until: DateTime<Utc>) {
        for s in 0..self.servers.len() {
            for j in 0..self.servers[s].agent.jobs.len() {
                if self.servers[s].agent.jobs[j].next_run.is_some_and(|n| n < until) {
                    self.plan_job(s, j, until);
                }
                if let Some(run) = &mut self.servers[s].agent.jobs[j].run {
                    run.due = run.due.max(until);
                }
            }
        }
    }

    fn next_event(&self, now: DateTime<Utc>) -> Option<(DateTime<Utc>, usize, usize)> {
        let mut first: Option<(DateTime<Utc>, usize, usize)> = None;
        for (s, server) in self.servers.iter().enumerate() {
            if server.agent.stopped || server.trouble.refused {
                continue;
            }
            for (j, job) in server.agent.jobs.iter().enumerate() {
                let due = match &job.run {
                    Some(run) => run.due,
                    None if job.enabled => match job.next_run {
                        Some(next) => next,
                        None => continue,
                    },
                    None => continue,
                };
                if due <= now && first.is_none_or(|(best, _, _)| due < best) {
                    first = Some((due, s, j));
                }
            }
        }
        first
    }

    /// Starts a run at a step; `by` = the user, empty for the schedule.
    pub(crate) fn start_run(
        &mut self,
        s: usize,
        j: usize,
        at: DateTime<Utc>,
        step: usize,
        user: &str,
        delay_ms: Option<i64>,
    ) {
        self.plan_job(s, j, at);
        let latency = delay_ms.unwrap_or_else(|| self.dice.between(150, 2500));
        let started = at + TimeDelta::milliseconds(latency);
        let server = &mut self.servers[s];
        let local = server.local(started);
        let agent = &mut server.agent;
        let by = if user.is_empty() {
            let schedule = agent.jobs[j].schedules.first().copied().unwrap_or_default();
            let name = agent.schedules.iter().find(|x| x.id == schedule).map_or("", |x| x.name.as_str());
            format!("Schedule {schedule} ({name})")
        } else {
            format!("User {user}")
        };
        let job = &mut agent.jobs[j];
        job.activity = Some(Activity {
            requested: local,
            source: if user.is_empty() { 1 } else { 4 },
            started: local,
            last_step: None,
            stopped: None,
            row: None,
        });
        job.run = Some(Run {
            by,
            started,
            step,
            step_started: started,
            due: started,
            beat: Beat::Begin,
            doing: None,
        });
        self.dirty = true;
    }

    fn beat(&mut self, s: usize, j: usize, now: DateTime<Utc>) {
        let Some(run) = self.servers[s].agent.jobs[j].run.clone() else { return };
        match self.work(s, j, run.step, run.beat, now) {
            Next::Later { ms, beat, doing } => {
                let due = now + TimeDelta::milliseconds(ms.max(1));
                if let Some(run) = &mut self.servers[s].agent.jobs[j].run {
                    run.beat = beat;
                    run.due = due;
                    run.doing =
                        doing.map(|(command, database)| Doing { command, database, from: now, until: due });
                }
            }
            Next::Done(said) => self.end_step(s, j, now, Ok(said)),
            Next::Failed(messages) => self.end_step(s, j, now, Err(messages)),
        }
    }

    fn end_step(&mut self, s: usize, j: usize, now: DateTime<Utc>, how: Result<String, Vec<Message>>) {
        let server = &mut self.servers[s];
        let local = server.local(now);
        let account = server.agent_account.clone();
        let Some(run) = server.agent.jobs[j].run.clone() else { return };
        let (step_at, seconds) = (server.local(run.step_started), (now - run.step_started).num_seconds());
        let job = &mut server.agent.jobs[j];
        let Some(step) = job.steps.get_mut(run.step - 1) else {
            job.run = None;
            return;
        };
        let (status, number, severity, message) = match &how {
            Ok(said) => {
                let said = if said.is_empty() { String::new() } else { format!(" {said}") };
                (1, 0, 0, format!("Executed as user: {account}.{said}  The step succeeded."))
            }
            Err(all) => {
                let state = |m: &Message| if m.class > 10 { "42000" } else { "01000" };
                let chain: Vec<String> = all
                    .iter()
                    .map(|m| {
                        let word = if m.class > 10 { "Error" } else { "Message" };
                        format!("{} [SQLSTATE {}] ({word} {}).", m.text, state(m), m.number)
                    })
                    .collect();
                let last = all.last();
                (
                    0,
                    last.map_or(0, |m| i64::from(m.number)),
                    last.map_or(16, |m| i64::from(m.class)),
                    format!("Executed as user: {account}. {}  The step failed.", chain.join("  ")),
                )
            }
        };
        let message: String = message.chars().take(4000).collect();
        step.last = Some(Outcome { status, at: step_at, seconds, message: message.clone() });
        let action = if status == 1 { step.on_success } else { step.on_fail };
        let step_name = step.name.clone();
        if let Some(activity) = &mut job.activity {
            activity.last_step = Some((run.step, local));
        }
        let goes_on = action == 3 && run.step < job.steps.len();
        server.agent.record(
            j,
            Row {
                id: 0,
                step: run.step,
                step_name: step_name.clone(),
                number,
                severity,
                message,
                status,
                at: step_at,
                seconds,
            },
        );
        if goes_on {
            if let Some(run) = &mut server.agent.jobs[j].run {
                run.step += 1;
                run.step_started = now;
                run.due = now;
                run.beat = Beat::Begin;
                run.doing = None;
            }
        } else {
            let good = if action == 3 { status == 1 } else { action == 1 };
            let last = format!("The last step to run was step {} ({step_name}).", run.step);
            self.end_run(s, j, now, i64::from(good), &last);
        }
    }

    /// Ends a run: 0 failed, 1 succeeded, 3 stopped.
    pub(crate) fn end_run(&mut self, s: usize, j: usize, now: DateTime<Utc>, status: i64, last: &str) {
        let server = &mut self.servers[s];
        let local = server.local(now);
        let Some(run) = server.agent.jobs[j].run.take() else { return };
        let word = match status {
            1 => "The job succeeded.",
            3 => "The job was stopped prior to completion by a user.",
            _ => "The job failed.",
        };
        let message = format!("{word}  The Job was invoked by {}.  {last}", run.by);
        let (at, seconds) = (server.local(run.started), (now - run.started).num_seconds());
        let row = server.agent.record(
            j,
            Row {
                id: 0,
                step: 0,
                step_name: "(Job outcome)".into(),
                number: 0,
                severity: 0,
                message: message.clone(),
                status,
                at,
                seconds,
            },
        );
        let job = &mut server.agent.jobs[j];
        job.last = Some(Outcome { status, at, seconds, message });
        if let Some(activity) = &mut job.activity {
            activity.stopped = Some(local);
            activity.row = Some(row);
        }
        if job.next_run.is_some_and(|n| n <= now) {
            self.plan_job(s, j, now);
        }
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
