//! The agent as a Windows service: stopped, started, and what that does to its jobs.
//!
//! Does not know who asks.

use chrono::{DateTime, Utc};

use super::run::{Ending, Start};
use crate::sandbox::world::state::State;

impl State {
    /// Stops the agent of a server: what runs ends here, nothing starts until it is back.
    pub(crate) fn stop_agent(&mut self, s: usize, now: DateTime<Utc>) {
        if self.servers[s].agent.stopped {
            return;
        }
        let running: Vec<_> =
            self.servers[s].agent.jobs.iter().filter(|j| j.run.is_some()).map(|j| j.id).collect();
        for id in running {
            let agent = &self.servers[s].agent;
            let Some(j) = agent.jobs.iter().position(|x| x.id == id) else { continue };
            let job = &agent.jobs[j];
            let last = job.run.as_ref().map_or(String::new(), |run| {
                let name = job.steps.get(run.step - 1).map_or("", |x| x.name.as_str());
                format!("The last step to run was step {} ({name}).", run.step)
            });
            self.end_run(s, j, now, &Ending::Stopped("Shutdown Sequence 0".into()), &last);
        }
        self.servers[s].agent.stopped = true;
        self.dirty = true;
    }

    /// Starts it again: a new session, schedules reckoned from now, and the jobs that run at its start.
    pub(crate) fn start_agent(&mut self, s: usize, now: DateTime<Utc>) {
        let server = &mut self.servers[s];
        if !server.agent.stopped {
            return;
        }
        let local = server.local(now);
        server.agent.stopped = false;
        let session = server.agent.sessions.last().map_or(1, |x| x.0 + 1);
        server.agent.sessions.push((session, local));
        for job in &mut server.agent.jobs {
            job.activity = None;
        }
        self.plan_jobs(s, now);
        for j in 0..self.servers[s].agent.jobs.len() {
            let agent = &self.servers[s].agent;
            let job = &agent.jobs[j];
            let at_start = |id: &&i64| agent.schedule(**id).is_some_and(|x| x.enabled && x.freq_type == 64);
            let Some(id) = job.schedules.iter().find(at_start).copied() else { continue };
            if !job.enabled || job.untargeted || job.steps.is_empty() || job.run.is_some() {
                continue;
            }
            let name = agent.schedule(id).map_or("", |x| x.name.as_str());
            let by = format!("Start Sequence 0 using schedule {id} ({name})");
            let step = job.start_step.max(1);
            let start = Start { by, source: 3, step, asked: false, delay_ms: Some(2000) };
            self.start_run(s, j, now, start);
        }
        self.dirty = true;
    }
}
