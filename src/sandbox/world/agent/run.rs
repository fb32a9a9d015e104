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

/// What starts a run.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// As history names it: `Schedule 9 (nightly)`, `User sa`.
    pub(crate) by: String,
    /// 1 schedule, 3 agent start, 4 user.
    pub(crate) source: i64,
    pub(crate) step: usize,
    /// Somebody asked for that step by name.
    pub(crate) asked: bool,
    pub(crate) delay_ms: Option<i64>,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Succeeded,
    Failed,
    /// By whom, as history says it.
    Stopped(String),
}

/// Stands for the BizTalk computers where a server's number is asked for.
const BIZTALK: usize = usize::MAX;
/// Stands for availability groups and mirroring.
const HA: usize = usize::MAX - 2;
/// Stands for what the world file lets happen.
const PLAY: usize = usize::MAX - 3;
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
            .filter_map(|id| server.agent.schedule(*id))
            .filter_map(|schedule| {
                let at = if coarse && schedule.subday_type == 4 && schedule.subday_interval < 15 {
                    Schedule { subday_interval: 15, start_time: 1000, ..schedule.clone() }.next(local)
                } else {
                    schedule.next(local)
                };
                at.map(|at| (at, schedule.id))
            })
            .min();
        let next = next.map(|n| (server.moment(n.0), n.1));
        let job = &mut self.servers[s].agent.jobs[j];
        job.next_run = next.map(|n| n.0);
        job.next_schedule = next.map(|n| n.1);
    }

    /// The same for every job of a server.
    pub(crate) fn plan_jobs(&mut self, s: usize, after: DateTime<Utc>) {
        for j in 0..self.servers[s].agent.jobs.len() {
            self.plan_job(s, j, after);
        }
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
            } else if s == PLAY {
                self.perform(j, due);
            } else if s == FAULT {
                // There is no statement to end: a fault that comes at a time changes the world alone.
                let _ = self.strike(j);
            } else if self.servers[s].agent.jobs[j].run.is_some() {
                self.beat(s, j, due);
            } else {
                self.start_scheduled(s, j, due);
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
            self.next_play().filter(|(at, _)| *at <= now && first.is_none_or(|f| *at < f.0))
        {
            first = Some((at, PLAY, n));
        }
        if let Some((at, n)) =
            self.next_strike().filter(|(at, _)| *at <= now && first.is_none_or(|f| *at < f.0))
        {
            first = Some((at, FAULT, n));
        }
        for (s, server) in self.servers.iter().enumerate() {
            if server.agent.stopped || server.trouble.refused || server.is_starting(now) {
                continue;
            }
            for (j, job) in server.agent.jobs.iter().enumerate() {
                let due = match &job.run {
                    Some(run) => run.due,
                    None if job.enabled && !job.untargeted && !job.steps.is_empty() => match job.next_run {
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

    fn start_scheduled(&mut self, s: usize, j: usize, due: DateTime<Utc>) {
        let agent = &self.servers[s].agent;
        let job = &agent.jobs[j];
        let id = job.next_schedule.or_else(|| job.schedules.first().copied()).unwrap_or_default();
        let name = agent.schedule(id).map_or("", |x| x.name.as_str());
        let by = format!("Schedule {id} ({name})");
        let step = job.start_step.max(1);
        self.start_run(s, j, due, Start { by, source: 1, step, asked: false, delay_ms: None });
    }

    /// Starts a run.
    pub(crate) fn start_run(&mut self, s: usize, j: usize, at: DateTime<Utc>, how: Start) {
        self.plan_job(s, j, at);
        let latency = how.delay_ms.unwrap_or_else(|| self.dice.between(150, 2500));
        let started = at + TimeDelta::milliseconds(latency);
        let server = &mut self.servers[s];
        let local = server.local(started);
        let job = &mut server.agent.jobs[j];
        job.activity = Some(Activity {
            requested: local,
            source: how.source,
            started: local,
            last_step: None,
            stopped: None,
            row: None,
        });
        let name = job.name.clone();
        job.run = Some(Run {
            by: how.by,
            started,
            step: how.step,
            step_started: started,
            due: started,
            beat: Beat::Begin,
            doing: None,
            asked: how.asked.then_some(how.step),
            retries: 0,
            waiting: false,
        });
        if let Err(messages) = self.happens(s, Happening::Run { job: &name }) {
            self.end_step(s, j, started, &Err(messages));
        }
    }

    fn beat(&mut self, s: usize, j: usize, now: DateTime<Utc>) {
        let Some(run) = &mut self.servers[s].agent.jobs[j].run else { return };
        run.waiting = false;
        let (step, beat) = (run.step, run.beat.clone());
        match self.work(s, j, step, beat, now) {
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
        let count = job.steps.len();
        let Some(step) = job.steps.get_mut(run.step - 1) else {
            job.run = None;
            return;
        };
        let (status, number, severity, message) = said(&account, how);
        let again = status == 0 && run.retries < step.retries;
        let status = if again { 2 } else { status };
        step.last =
            Some(Outcome { status, at: step_at, seconds, message: message.clone(), retries: run.retries });
        let (action, to) = if status == 1 {
            (step.on_success, step.on_success_step)
        } else {
            (step.on_fail, step.on_fail_step)
        };
        let (step_name, pause) = (step.name.clone(), step.retry_minutes.max(0));
        if let Some(activity) = &mut job.activity {
            activity.last_step = Some((run.step, local));
        }
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
                retries: run.retries,
            },
        );
        let next = match action {
            _ if again => Some((run.step, run.retries + 1, now + TimeDelta::minutes(pause))),
            3 if run.step < count => Some((run.step + 1, 0, now)),
            4 if (1..=count).contains(&to) => Some((to, 0, now)),
            _ => None,
        };
        if let Some((step, retries, due)) = next {
            if let Some(run) = &mut server.agent.jobs[j].run {
                // A step that goes back for ever must not stop time.
                let pause = if step <= run.step { TimeDelta::seconds(1) } else { TimeDelta::zero() };
                run.step = step;
                run.step_started = due.max(now + pause);
                run.due = run.step_started;
                run.beat = Beat::Begin;
                run.doing = None;
                run.retries = retries;
                run.waiting = again && due > now;
            }
        } else {
            let good = if matches!(action, 3 | 4) { status == 1 } else { action == 1 };
            let last = format!("The last step to run was step {} ({step_name}).", run.step);
            let how = if good { Ending::Succeeded } else { Ending::Failed };
            self.end_run(s, j, now, &how, &last);
        }
    }

    /// The step under way was stopped by somebody.
    pub(crate) fn stop_step(&mut self, s: usize, j: usize, now: DateTime<Utc>) {
        let server = &mut self.servers[s];
        let account = server.agent_account.clone();
        let Some(run) = server.agent.jobs[j].run.clone() else { return };
        let (at, seconds) = (server.local(run.step_started), (now - run.step_started).num_seconds().max(0));
        let Some(step) = server.agent.jobs[j].steps.get_mut(run.step - 1) else { return };
        let message = format!(
            "Executed as user: {account}. The step was cancelled (stopped) as the result of a stop job request."
        );
        let row = Row {
            step: run.step,
            step_name: step.name.clone(),
            message: message.clone(),
            status: 3,
            at,
            seconds,
            retries: run.retries,
            ..Row::default()
        };
        step.last = Some(Outcome { status: 3, at, seconds, message, retries: run.retries });
        server.agent.record(j, row);
    }

    /// Ends a run.
    pub(crate) fn end_run(&mut self, s: usize, j: usize, now: DateTime<Utc>, how: &Ending, last: &str) {
        let server = &mut self.servers[s];
        let local = server.local(now);
        let Some(run) = server.agent.jobs[j].run.take() else { return };
        let (status, word) = match how {
            Ending::Succeeded => (1, "The job succeeded.".to_owned()),
            Ending::Failed => (0, "The job failed.".to_owned()),
            Ending::Stopped(by) => (3, format!("The job was stopped prior to completion by {by}.")),
        };
        let job = &server.agent.jobs[j];
        let mut message = format!("{word}  The Job was invoked by {}.  {last}", run.by);
        if let Some(asked) = run.asked {
            let name = job.steps.get(asked - 1).map_or("", |x| x.name.as_str());
            message.push_str(&format!("  The job was requested to start at step {asked} ({name})."));
        }
        // Nothing here can send mail: the agent says so, as it does where Database Mail is not set up.
        let told = |level: i64| level == 3 || (level == 1 && status == 1) || (level == 2 && status == 0);
        for (level, to, way) in [
            (job.notify.email, job.notify.email_to, "email"),
            (job.notify.page, job.notify.page_to, "pager"),
            (job.notify.netsend, job.notify.netsend_to, "net send"),
        ] {
            let operator = server.agent.operators.iter().find(|o| o.id == to);
            if let Some(operator) = operator.filter(|_| told(level)) {
                message.push_str(&format!("  NOTE: Failed to notify '{}' via {way}.", operator.name));
            }
        }
        let message: String = message.chars().take(4000).collect();
        let (at, seconds) = (server.local(run.started), (now - run.started).num_seconds());
        let row = server.agent.record(
            j,
            Row {
                step_name: "(Job outcome)".into(),
                message: message.clone(),
                status,
                at,
                seconds,
                ..Row::default()
            },
        );
        let job = &mut server.agent.jobs[j];
        job.last = Some(Outcome { status, at, seconds, message, retries: 0 });
        if let Some(activity) = &mut job.activity {
            activity.stopped = Some(local);
            activity.row = Some(row);
        }
        if told(job.delete_level) {
            server.agent.jobs.remove(j);
            return;
        }
        if job.next_run.is_some_and(|n| n <= now) {
            self.plan_job(s, j, now);
        }
    }
}

/// How a step ended, as its history says: status, last number, its severity, and the words.
fn said(account: &str, how: &Result<String, Vec<Message>>) -> (i64, i64, i64, String) {
    let (status, number, severity, message) = match how {
        Ok(said) => {
            let said = if said.is_empty() { String::new() } else { format!(" {said}") };
            (1, 0, 0, format!("Executed as user: {account}.{said}  The step succeeded."))
        }
        Err(all) => {
            let last = all.iter().rev().find(|m| m.class > 10).or(all.last());
            (
                0,
                last.map_or(0, |m| i64::from(m.number)),
                last.map_or(16, |m| i64::from(m.class)),
                format!("Executed as user: {account}. {}.  The step failed.", spoken(all)),
            )
        }
    };
    (status, number, severity, message.chars().take(4000).collect())
}

/// Messages as a step's history writes them.
pub(crate) fn spoken(all: &[Message]) -> String {
    let one = |m: &Message| {
        let (state, word) = if m.class > 10 { ("42000", "Error") } else { ("01000", "Message") };
        // What a program prints has no number.
        if m.class > 10 && m.number == 0 {
            return m.text.clone();
        }
        format!("{} [SQLSTATE {state}] ({word} {})", m.text, m.number)
    };
    all.iter().map(one).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_tells_every_message_and_the_number_of_the_last_error() {
        let info = Message { class: 0, ..Message::error(0, "begun") };
        let all = vec![info, Message::error(3201, "Cannot open."), Message::error(3013, "Terminated.")];
        let (status, number, severity, text) = said("A\\b", &Err(all));
        assert_eq!((status, number, severity), (0, 3013, 16));
        assert_eq!(
            text,
            "Executed as user: A\\b. begun [SQLSTATE 01000] (Message 0)  Cannot open. [SQLSTATE 42000] (Error 3201)  Terminated. [SQLSTATE 42000] (Error 3013).  The step failed."
        );
    }
}
