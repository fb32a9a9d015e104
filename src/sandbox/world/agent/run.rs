//! Runs: what is due happens in the order of time, step after step, and is written into history.
//!
//! Does not know what a step does.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Activity, Doing, Outcome, Row, Run, Schedule};
use crate::sandbox::answer::Message;
use crate::sandbox::world::Happening;
use crate::sandbox::world::state::State;
use crate::sandbox::world::work::{Beat, Next};

/// A world that was closed longer than this has slept: nothing ran before the last day.
const CATCH_UP_HOURS: i64 = 24;

/// Stands for the BizTalk computers where a server's number is asked for.
const BIZTALK: usize = usize::MAX;
/// Stands for availability groups and mirroring.
const HA: usize = usize::MAX - 2;
/// Stands for a fault whose time has come, where a server's number is asked for.
const FAULT: usize = usize::MAX - 1;

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
            if s == BIZTALK {
                self.beat_of_biztalk(due);
            } else if s == HA {
                self.beat_of_ha(due);
            } else if s == FAULT {
                // There is no statement to end: a fault that comes at a time changes the world alone.
                let _ = self.strike(j);
            } else if self.servers[s].agent.jobs[j].run.is_some() {
                self.beat(s, j, due);
            } else {
                self.start_run(s, j, due, 1, "", None);
            }
        }
        self.at = now;
    }

    /// Nothing happened until `until`: runs and schedules move there.
    fn sleep(&mut self, until: DateTime<Utc>) {
        self.biztalk.next_beat = self.biztalk.next_beat.map(|b| b.max(until));
        self.ha.next_beat = self.ha.next_beat.map(|b| b.max(until));
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
        let mut first: Option<(DateTime<Utc>, usize, usize)> =
            self.biztalk.next_beat.filter(|b| *b <= now).map(|b| (b, BIZTALK, 0));
        if let Some(beat) = self.ha.next_beat.filter(|b| *b <= now)
            && first.is_none_or(|(best, _, _)| beat < best)
        {
            first = Some((beat, HA, 0));
        }
        if let Some((at, n)) =
            self.next_strike().filter(|(at, _)| *at <= now && first.is_none_or(|f| *at < f.0))
        {
            first = Some((at, FAULT, n));
        }
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
        let name = job.name.clone();
        job.run = Some(Run {
            by,
            started,
            step,
            step_started: started,
            due: started,
            beat: Beat::Begin,
            doing: None,
        });
        if let Err(messages) = self.happens(s, Happening::Run { job: &name }) {
            self.end_step(s, j, started, &Err(messages));
        }
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
            Next::Done(said) => self.end_step(s, j, now, &Ok(said)),
            Next::Failed(messages) => self.end_step(s, j, now, &Err(messages)),
        }
    }

    fn end_step(&mut self, s: usize, j: usize, now: DateTime<Utc>, how: &Result<String, Vec<Message>>) {
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
        let (status, number, severity, message) = match how {
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
