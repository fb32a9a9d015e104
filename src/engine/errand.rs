//! Errands: outside work that should be under way now. Found by [`super::Session::owed`], run by `errand`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::event::{Act, Item, QuestionRef, RoundKey};
use crate::clock::Span;
use crate::reading::{Cell, Trouble};

/// One question, ready to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Which.
    pub reference: QuestionRef,
    /// Query name.
    pub query: String,
    /// Parameters filled in; or why they cannot be (the question is then not sent).
    pub with: Result<BTreeMap<String, Cell>, Trouble>,
    /// Real milliseconds.
    pub deadline_ms: u64,
}

/// A round of questions, asked side by side; its outcomes come home together.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Which.
    pub key: RoundKey,
    /// What is asked.
    pub questions: Vec<Question>,
    /// Whether it is asked again, and until when. The runner keeps the rhythm; the engine says when to stop.
    pub again: Option<Again>,
}

/// How a round is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// Drill time between the starts of two polls.
    pub every: Span,
    /// Drill time after which the last poll's verdict stands.
    pub until: DateTime<Utc>,
}

/// Outside work.
#[derive(Debug, Clone, PartialEq)]
pub enum Errand {
    /// Ask.
    Ask(Round),
    /// Act, once. Never started twice for the same [`Act`] in one process; after a restart it is uncertain instead.
    Act {
        /// Which.
        act: Act,
        /// What.
        item: Item,
    },
    /// Wake the step when this drill time comes (a wait without questions).
    Alarm {
        /// Which.
        key: RoundKey,
        /// When.
        at: DateTime<Utc>,
    },
}
