//! Statements that take time: begun under the world's lock, waited for without it, ended under it again.
//!
//! Meanwhile other sessions see how far they are; a client that gives up, or KILL, breaks them off.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Call, Course, Kept, Message, check, info, transfer};
use crate::clock::mono_ms;
use crate::sandbox::answer::{Part, Sink};
use crate::sandbox::host::Context;
use crate::sandbox::world::Shared;
use crate::sandbox::world::agent::Doing;
use crate::sandbox::world::backup::BackupBegun;
use crate::sandbox::world::files::Recording;
use crate::sandbox::world::media::terminated;
use crate::sandbox::world::restore::RestoreBegun;

/// Megabytes a drill second where the world does not say otherwise.
const THROUGHPUT: i64 = 500;
/// Real milliseconds between two looks.
const LOOK_MS: u64 = 15;

/// What is being done.
pub(crate) enum Deed {
    Backup(Box<BackupBegun>),
    Restore(Box<RestoreBegun>),
    Verify { set: Box<Recording>, load: bool },
    Check(Box<check::Checking>),
}

/// Work under way.
pub(crate) struct Work {
    deed: Deed,
    from: DateTime<Utc>,
    /// Drill milliseconds.
    ms: i64,
    /// Percent between two messages.
    step: Option<i64>,
}

impl Deed {
    const fn verb(&self) -> Option<&'static str> {
        match self {
            Self::Backup(begun) => Some(begun.verb()),
            Self::Restore(begun) => Some(begun.verb()),
            Self::Verify { .. } => Some("VERIFY DATABASE"),
            Self::Check(_) => None,
        }
    }
}

impl Call<'_> {
    /// Work of so many megabytes begins now.
    pub(super) fn takes(
        &mut self,
        command: &str,
        database: &str,
        megabytes: i64,
        step: Option<i64>,
        deed: Deed,
    ) -> Course {
        let rate = self.server().throughput.unwrap_or(THROUGHPUT).max(1);
        let ms = megabytes.max(0).saturating_mul(1000) / rate;
        let (s, id, from) = (self.s, self.who.session_id, self.now);
        let until = from + TimeDelta::milliseconds(ms);
        if let Some(session) = self.state.sessions.iter_mut().find(|x| x.server == s && x.id == id) {
            session.doing =
                Some(Doing { command: command.to_owned(), database: database.to_owned(), from, until });
        }
        Course::Takes(Box::new(Work { deed, from, ms, step }))
    }

    fn idle(&mut self) {
        let (s, id) = (self.s, self.who.session_id);
        if let Some(session) = self.state.sessions.iter_mut().find(|x| x.server == s && x.id == id) {
            session.doing = None;
        }
    }

    fn end(&mut self, work: &Work, parts: &mut Kept) -> Result<(), Vec<Message>> {
        self.idle();
        let at = self.now.max(work.from + TimeDelta::milliseconds(work.ms));
        let s = self.s;
        match &work.deed {
            Deed::Backup(begun) => {
                let number = self.state.end_backup(s, begun, at)?;
                self.told_backup(begun, number, work.step.is_some(), parts);
            }
            Deed::Restore(begun) => {
                let applied = self.state.end_restore(s, begun, at)?;
                transfer::told_restore(begun, &applied, parts);
            }
            Deed::Verify { set, load } => {
                if *load {
                    let number = self.state.know_set(&set.set, &set.layout);
                    self.state.enter_set(s, number);
                    self.state.dirty = true;
                }
                if set.set.rest.damaged {
                    let text =
                        "The backup set was written with damaged data by a BACKUP WITH CONTINUE_AFTER_ERROR.";
                    info(parts, 3188, text.into());
                }
                info(parts, 3262, format!("The backup set on file {} is valid.", set.set.position));
            }
            Deed::Check(checking) => return self.checked(checking, parts),
        }
        Ok(())
    }

    fn break_off(&mut self, work: &Work) {
        self.idle();
        if let Deed::Backup(begun) = &work.deed {
            self.state.break_backup(self.s, begun);
        }
    }
}

/// Waits for work and ends it; how it went.
pub(crate) fn see_through(
    shared: &Shared,
    number: usize,
    who: &Context,
    work: &Work,
    sink: &mut dyn Sink,
) -> Result<(), Vec<Message>> {
    let call = |then: &mut dyn FnMut(&mut Call<'_>)| {
        shared.now(|state, now| then(&mut Call { state, s: number, who, now }));
    };
    let messages = work.step.unwrap_or(0);
    let mut next = messages;
    let real_ms = (work.ms as f64 / shared.speed()).ceil();
    let began = mono_ms();
    let cuts = shared.still(|state| state.servers[number].trouble.cuts);
    // An agent's step counts the time and does not wait.
    let counted = shared.pass(work.ms.unsigned_abs());
    loop {
        let passed = mono_ms().saturating_sub(began) as f64;
        let drill = (shared.time() - work.from).num_milliseconds() as f64;
        let done = if real_ms < 1.0 || counted {
            1.0
        } else {
            (passed / real_ms).max(drill / work.ms.max(1) as f64)
        };
        while messages > 0 && next < 100 && next as f64 <= done * 100.0 {
            let part = Message { class: 0, ..Message::error(3211, format!("{next} percent processed.")) };
            if sink.put(Part::Info(part)).is_err() {
                break;
            }
            next += messages;
        }
        let gone = shared.still(|state| {
            state.servers[number].trouble.cuts != cuts
                || state.sessions.iter().any(|x| x.server == number && x.id == who.session_id && x.killed)
        });
        if sink.stopped() || gone {
            call(&mut |call| call.break_off(work));
            let aborted = Message::error(3204, "The backup or restore was aborted.");
            return Err(work.deed.verb().map_or_else(Vec::new, |verb| terminated(verb, vec![aborted])));
        }
        if done >= 1.0 {
            break;
        }
        let left = (real_ms - passed).max(1.0) as u64;
        std::thread::sleep(std::time::Duration::from_millis(left.min(LOOK_MS)));
    }
    let mut parts = Kept::default();
    if messages > 0 && !matches!(work.deed, Deed::Backup(_)) {
        info(&mut parts, 3211, "100 percent processed.".into());
    }
    let mut outcome = Ok(());
    call(&mut |call| outcome = call.end(work, &mut parts));
    for part in parts.0 {
        if sink.stopped() || sink.put(part).is_err() {
            break;
        }
    }
    outcome
}
