//! The one door: TUI, plain and headless mode all drive a drill through it.
//!
//! ```text
//! commands ─ decide ─> events ─ record.append (one write, one sync) ─> session.apply ─> errands.settle(owed)
//! ```
//!
//! Knows no server and no screen. Promise: nothing is applied, shown or sent that is not on disk; once the record has
//! failed, nothing more is decided or asked.

use std::sync::Arc;

use crate::clock::{Clock, Stamp};
use crate::engine::{
    self, ActResult, By, Command, Event, Opened, QuestionRef, Refusal, RoundKey, Session, Stamped, Taken,
};
use crate::errand::{Errands, Port};
use crate::reading::{self, TroubleCode};
use crate::record::{self, Record};
use crate::runbook::Runbook;
use crate::server::Pool;

/// What comes from outside while a drill runs. Sent through the closure given to [`Drive`].
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Work came home; hand it to [`Drive::take`].
    Taken(Taken),
    /// One question of a round under way has been answered or not; for the screen only, not recorded yet.
    Progress {
        /// Which round.
        key: RoundKey,
        /// Which question.
        question: QuestionRef,
        /// Rows, or the trouble in words.
        outcome: Result<u64, String>,
    },
}

/// Where news goes; called from tokio's threads.
pub type Post = Arc<dyn Fn(News) + Send + Sync>;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The engine says no.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The record could not take it: the drill stops here.
    #[error(transparent)]
    Record(#[from] record::Trouble),
    /// The computer gives no threads to work with.
    #[error("no threads for asking the servers: {0}")]
    Threads(std::io::Error),
}

/// Follow-ups of one command; more than a runbook of the largest size can need, so that a fault of the engine ends in
/// a standstill that is seen, not in a record that grows for ever.
const FOLLOWS: usize = 10_000;

/// A running drill.
pub struct Drive<P: Port = Pool> {
    session: Session,
    record: Record,
    clock: Arc<dyn Clock>,
    errands: Errands<P>,
    reveal: Option<engine::Reveal>,
}

impl<P: Port> Drive<P> {
    /// Opens a new drill: the record exists, locked and synced, with its `Opened` event when this returns.
    pub fn open(
        book: Arc<Runbook>,
        record: Record,
        opened: Opened,
        pool: P,
        clock: Arc<dyn Clock>,
        post: Post,
    ) -> Result<Self, Trouble> {
        let by = By::Operator(opened.operator.clone());
        let mut drive = Self::over(Session::new(book), record, pool, clock, post)?;
        drive.carry_out(&by, Command::Open(Box::new(opened)))?;
        Ok(drive)
    }

    /// Takes a recorded drill up again.
    #[expect(clippy::too_many_arguments, reason = "each is another thing; one call in each shell")]
    pub fn resume(
        book: Arc<Runbook>,
        record: Record,
        loaded: record::Loaded,
        operator: String,
        host: String,
        pool: P,
        clock: Arc<dyn Clock>,
        post: Post,
    ) -> Result<Self, Trouble> {
        let mut session = Session::new(book);
        for stamped in &loaded.events {
            session.apply(stamped);
        }
        let mut drive = Self::over(session, record, pool, clock, post)?;
        drive.append(&By::Drbook, drive.clock.stamp(), loaded.owed)?;
        let tool = env!("CARGO_PKG_VERSION").to_owned();
        drive.carry_out(&By::Operator(operator.clone()), Command::Resume { operator, host, tool })?;
        Ok(drive)
    }

    fn over(
        session: Session,
        record: Record,
        pool: P,
        clock: Arc<dyn Clock>,
        post: Post,
    ) -> Result<Self, Trouble> {
        let errands = Errands::new(pool, clock.clone(), post).map_err(Trouble::Threads)?;
        Ok(Self { session, record, clock, errands, reveal: None })
    }

    /// The state.
    pub fn session(&self) -> &Session {
        &self.session
    }
    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }
    /// Head of the record, hex.
    pub fn head(&self) -> &str {
        self.record.head()
    }
    /// The record's folder.
    pub fn folder(&self) -> &std::path::Path {
        self.record.folder()
    }
    /// Why the record stopped taking events, once it has.
    pub fn broken(&self) -> Option<&str> {
        self.record.broken()
    }
    /// Who acts now.
    pub fn by(&self) -> By {
        By::Operator(self.session.operator.clone())
    }

    /// What the simulated servers are told when steps are said to be done. Rehearsals only.
    pub fn set_plays(&mut self, plays: crate::errand::Plays) {
        self.errands.set_plays(plays);
    }

    /// The fault that was hidden from the operator: told by the closing event, and by nothing before it.
    pub fn set_reveal(&mut self, reveal: Option<engine::Reveal>) {
        self.reveal = reveal;
    }

    /// Carries an operator's command out, and all that follows from it by itself. Returns what was recorded.
    pub fn command(&mut self, command: Command) -> Result<Vec<Stamped>, Trouble> {
        let by = self.by();
        self.carry_out(&by, command)
    }

    /// Takes what came home, all of one turn together. Stale outcomes are dropped. Returns what was recorded.
    ///
    /// Each outcome is decided on the state that the one before it left, so each has a write and a sync of its own.
    pub fn take(&mut self, taken: Vec<Taken>) -> Result<Vec<Stamped>, Trouble> {
        self.whole()?;
        let mut recorded = Vec::new();
        for one in taken {
            recorded.extend(self.take_one(one)?);
            recorded.extend(self.follow()?);
        }
        self.settle();
        Ok(recorded)
    }

    fn take_one(&mut self, taken: Taken) -> Result<Vec<Stamped>, Trouble> {
        // a refusal is Stale: it belongs to nothing that is under way any more
        // the time it is judged at is the time it is recorded at: judging again must come to the same
        let stamp = self.clock.stamp();
        let decide = |drive: &Self, taken| {
            engine::decide(&drive.session, Command::Take(taken), stamp).unwrap_or_default()
        };
        let events = decide(self, taken.clone());
        match self.append(&By::Drbook, stamp, events) {
            // the record goes on, but not with this: what came home is then as good as not seen
            Err(Trouble::Record(why)) if self.broken().is_none() => {
                let events = decide(self, unseen(taken, &why));
                self.append(&By::Drbook, stamp, events)
            }
            outcome => outcome,
        }
    }

    fn carry_out(&mut self, by: &By, command: Command) -> Result<Vec<Stamped>, Trouble> {
        self.whole()?;
        let stamp = self.clock.stamp();
        let events = engine::decide(&self.session, command, stamp).map_err(Trouble::Refused)?;
        let mut recorded = self.append(by, stamp, events)?;
        recorded.extend(self.follow()?);
        self.settle();
        Ok(recorded)
    }

    /// What follows from the state by itself, until nothing does.
    fn follow(&mut self) -> Result<Vec<Stamped>, Trouble> {
        let mut recorded = Vec::new();
        for _ in 0..FOLLOWS {
            let Some(command) = self.session.follows() else { break };
            let stamp = self.clock.stamp();
            match engine::decide(&self.session, command, stamp) {
                // it would follow again, and again be refused or lead to nothing
                Err(_) => break,
                Ok(events) if events.is_empty() => break,
                Ok(events) => recorded.extend(self.append(&By::Drbook, stamp, events)?),
            }
        }
        Ok(recorded)
    }

    /// To disk, then into the state.
    fn append(&mut self, by: &By, stamp: Stamp, events: Vec<Event>) -> Result<Vec<Stamped>, Trouble> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let mut events = events;
        for event in &mut events {
            if let Event::Closed { reveal, .. } = event {
                reveal.clone_from(&self.reveal);
            }
        }
        let appended = self.record.append(by, stamp, events);
        if self.broken().is_some() {
            self.errands.stop_asking();
        }
        let stamped = appended?;
        for one in &stamped {
            self.session.apply(one);
            if let Event::Said { step, .. } = &one.event {
                self.errands.said(step);
            }
        }
        Ok(stamped)
    }

    fn settle(&mut self) {
        self.errands.settle(self.session.owed());
    }

    /// Refuses everything once the record has failed.
    fn whole(&self) -> Result<(), Trouble> {
        match self.broken() {
            None => Ok(()),
            Some(why) => {
                let path = self.record.folder().to_path_buf();
                Err(record::Trouble::Broken { path, why: why.to_owned() }.into())
            }
        }
    }
}

/// What came home, with what the record does not take replaced by why.
fn unseen(taken: Taken, why: &record::Trouble) -> Taken {
    let trouble =
        || reading::Trouble::new(TroubleCode::Other, format!("it came, and cannot be recorded: {why}"));
    match taken {
        Taken::Round { key, outcomes, poll } => Taken::Round {
            key,
            outcomes: outcomes
                .into_iter()
                .map(|(q, outcome)| (q, outcome.and_then(|_| Err(trouble()))))
                .collect(),
            poll,
        },
        Taken::Act { act, .. } => Taken::Act { act, result: ActResult::Uncertain(trouble()) },
        alarm @ Taken::Alarm { .. } => alarm,
    }
}

#[cfg(test)]
mod tests;
