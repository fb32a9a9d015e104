//! BTS Log Shipping - Restore To Mark: the last set up to its mark, recovery, and the source's jobs made anew.
//!
//! Does not know what those jobs do, nor whether anybody holds them.

use chrono::{DateTime, Utc};

use super::{Beat, Next};
use crate::sandbox::answer::Message;
use crate::sandbox::world::media::{cannot_read, terminated};
use crate::sandbox::world::restore::RestoreAsk;
use crate::sandbox::world::state::State;

impl State {
    /// Step 1.
    pub(super) fn restore_to_mark(&mut self, s: usize, beat: Beat, now: DateTime<Utc>) -> Next {
        let Beat::ToMark { set, mark, index } = beat else { return self.begin_mark(s, &beat) };
        let scope = self.shipped(s);
        let Some(database) = scope.get(index) else { return Next::Done(String::new()) };
        let Some(path) = self.shipped_path(s, set, database) else {
            return self.mark_beat(s, set, mark, index + 1);
        };
        if self.servers[s].trouble.mark_fails_at == Some(index) {
            return Next::Failed(terminated("RESTORE LOG", vec![cannot_read(&path, 64)]));
        }
        let ask = RestoreAsk {
            log: true,
            path: Some(path),
            recovery: true,
            mark: Some(mark.clone()),
            user: self.servers[s].agent_account.clone(),
            ..RestoreAsk::default()
        };
        match self.restore(s, database, &ask, now) {
            Ok(applied) if applied.notes.iter().any(|m| m.number == 4329) => Next::Failed(applied.notes),
            Ok(_) => {
                self.set_restored(s, now, database, |id| id == set, true);
                self.note_last_set(s, now);
                self.mark_beat(s, set, mark, index + 1)
            }
            Err(messages) => Next::Failed(messages),
        }
    }

    fn begin_mark(&mut self, s: usize, beat: &Beat) -> Next {
        if *beat == Beat::Begin {
            return Next::later(self.dice.between(800, 1600), Beat::End);
        }
        let busy = self.servers[s]
            .agent
            .jobs
            .iter()
            .any(|j| j.run.as_ref().is_some_and(|r| matches!(r.beat, Beat::Restore { .. })));
        if busy {
            return Next::Failed(terminated(
                "RESTORE LOG",
                vec![Message::error(
                    3101,
                    "Exclusive access could not be obtained because the database is in use.",
                )],
            ));
        }
        let scope = self.shipped(s);
        let last = self.imported(s).and_then(|sets| {
            let last = sets.newest_log(&scope)?;
            Some((last.id, sets.mark(last)?.to_owned()))
        });
        match last {
            Some((set, mark)) => self.mark_beat(s, set, mark, 0),
            None => {
                Next::Failed(vec![Message::error(50_000, "There is no complete log backup set to restore.")])
            }
        }
    }

    fn mark_beat(&mut self, s: usize, set: i64, mark: String, from: usize) -> Next {
        let scope = self.shipped(s);
        let sets = self.imported(s);
        let done =
            |d: &String| sets.as_ref().is_some_and(|x| x.set(set).is_some_and(|found| x.restored(found, d)));
        let Some(index) = (from..scope.len()).find(|n| !done(&scope[*n])) else {
            return Next::Done(String::new());
        };
        let doing = Some(("RESTORE LOG".to_owned(), scope[index].clone()));
        Next::Later { ms: self.dice.between(2500, 6000), beat: Beat::ToMark { set, mark, index }, doing }
    }

    /// Step 2: the jobs appear while the job still runs.
    pub(super) fn recreate_jobs(&mut self, s: usize, beat: &Beat, now: DateTime<Utc>) -> Next {
        match beat {
            Beat::Begin => return Next::later(self.dice.between(1500, 4000), Beat::Recreate),
            Beat::Recreate => {}
            _ => return Next::Done(String::new()),
        }
        let copies = self.servers[s].shipping.as_ref().map(|x| x.jobs.clone()).unwrap_or_default();
        let source = self.servers[s]
            .shipping
            .as_ref()
            .and_then(|x| self.server_index(x.only_from.as_ref().unwrap_or(&x.management_server)));
        let schedules = source.map(|m| self.servers[m].agent.schedules.clone()).unwrap_or_default();
        for mut job in copies {
            if self.servers[s].agent.job_named(&job.name).is_some() {
                continue;
            }
            let local = self.servers[s].local(now);
            job.id = self.dice.guid();
            for step in &mut job.steps {
                step.uid = self.dice.guid();
                step.last = None;
            }
            let mut own = Vec::new();
            for old in schedules.iter().filter(|x| job.schedules.contains(&x.id)) {
                let agent = &mut self.servers[s].agent;
                let id = agent.schedules.iter().map(|x| x.id).max().unwrap_or(8) + 1;
                let copy = crate::sandbox::world::agent::Schedule {
                    id,
                    uid: self.dice.guid(),
                    created: local,
                    ..old.clone()
                };
                agent.schedules.push(copy);
                own.push(id);
            }
            job.schedules = own;
            (job.created, job.modified, job.version) = (local, local, 1);
            (job.activity, job.run, job.last, job.next_run) = (None, None, None, None);
            job.history.clear();
            self.servers[s].agent.jobs.push(job);
            let j = self.servers[s].agent.jobs.len() - 1;
            self.plan_job(s, j, now);
        }
        Next::later(self.dice.between(8000, 15_000), Beat::End)
    }
}
