//! The one door: TUI, plain and headless mode all drive a drill through it.
//!
//! ```text
//! commands ─ decide ─> events ─ record.append (one write, one sync) ─> session.apply ─> errands.settle(owed)
//! ```

use std::sync::Arc;

use crate::clock::Clock;
use crate::engine::{By, Command, Opened, QuestionRef, Refusal, RoundKey, Session, Stamped, Taken};
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
}

/// A running drill.
pub struct Drive {}

impl Drive {
    /// Opens a new drill: the record exists, locked and synced, with its `Opened` event when this returns.
    pub fn open(
        _book: Arc<Runbook>,
        _record: Record,
        _opened: Opened,
        _pool: Pool,
        _clock: Arc<dyn Clock>,
        _post: Post,
    ) -> Result<Self, Trouble> {
        todo!()
    }
    /// Takes a recorded drill up again.
    pub fn resume(
        _book: Arc<Runbook>,
        _record: Record,
        _loaded: record::Loaded,
        _operator: String,
        _host: String,
        _pool: Pool,
        _clock: Arc<dyn Clock>,
        _post: Post,
    ) -> Result<Self, Trouble> {
        todo!()
    }
    /// The state.
    pub fn session(&self) -> &Session {
        todo!()
    }
    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        todo!()
    }
    /// Head of the record, hex.
    pub fn head(&self) -> &str {
        todo!()
    }
    /// The record's folder.
    pub fn folder(&self) -> &std::path::Path {
        todo!()
    }
    /// Carries an operator's command out, and all that follows from it by itself.
    pub fn command(&mut self, _command: Command) -> Result<Vec<Stamped>, Trouble> {
        todo!()
    }
    /// Takes what came home, all of one turn together. Stale outcomes are dropped.
    pub fn take(&mut self, _taken: Vec<Taken>) -> Result<Vec<Stamped>, Trouble> {
        todo!()
    }
    /// Why the record stopped taking events, once it has.
    pub fn broken(&self) -> Option<&str> {
        todo!()
    }
    /// Who acts now.
    pub fn by(&self) -> By {
        todo!()
    }
}
