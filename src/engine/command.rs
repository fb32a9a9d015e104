//! Commands: what somebody wants to happen, in the imperative; and refusals: why it may not.

use std::collections::BTreeMap;

use serde::Serialize;

use super::event::{Act, Closing, Opened, QuestionRef, RoundKey, Second, Settlement};
use crate::reading::{Reading, Trouble};

/// What somebody wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin a drill; the first command of every session.
    Open(Box<Opened>),
    /// Start the next attempt of a check, wait, or the proof of a done action.
    Ask {
        /// Step id.
        step: String,
    },
    /// Start an action: confirm, recheck, resolve, act, prove.
    Act {
        /// Step id.
        step: String,
        /// What was typed, when the guard wants it.
        typed: Option<String>,
        /// The second person, when the guard wants one.
        second: Option<Second>,
    },
    /// A manual step was done (outside drbook); or an action was done outside drbook and is only to be proved.
    Say {
        /// Step id.
        step: String,
        /// In words; may be empty.
        text: String,
    },
    /// Typed answers.
    Enter {
        /// Step id.
        step: String,
        /// By field, as typed.
        values: BTreeMap<String, String>,
    },
    /// Outside work came home.
    Take(Taken),
    /// What follows by itself; see [`super::Session::follows`].
    Follow {
        /// Step id.
        step: String,
    },
    /// Settle an uncertain action.
    Settle {
        /// Which.
        act: Act,
        /// How.
        settlement: Settlement,
        /// Why.
        reason: String,
    },
    /// Read the servers about the uncertain actions of a step (again).
    LookAgain {
        /// Step id.
        step: String,
    },
    /// Stop asking.
    Cancel {
        /// Step id.
        step: String,
    },
    /// Skip with a reason.
    Skip {
        /// Step id.
        step: String,
        /// Why.
        reason: String,
    },
    /// Override a verdict.
    Override {
        /// Step id.
        step: String,
        /// Only this server's.
        server: Option<String>,
        /// Why.
        reason: String,
        /// Who answers for it.
        name: String,
    },
    /// Write a note.
    Note {
        /// Step id, when it is about one.
        step: Option<String>,
        /// In words.
        text: String,
    },
    /// Hand over.
    HandOver {
        /// To whom.
        to: String,
        /// What they must know.
        brief: String,
    },
    /// Take the drill up again: attempts under way become interrupted, intentions uncertain.
    Resume {
        /// By whom.
        operator: String,
        /// Where.
        host: String,
        /// Version of drbook.
        tool: String,
    },
    /// End the drill.
    Close {
        /// How.
        closing: Closing,
        /// In words.
        text: String,
    },
}

/// What came home.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// A round of answers.
    Round {
        /// Which.
        key: RoundKey,
        /// One per question.
        outcomes: Vec<(QuestionRef, Result<Reading, Trouble>)>,
        /// Which poll of the stage this is, from 1.
        poll: u32,
    },
    /// An action's result.
    Act {
        /// Which.
        act: Act,
        /// What the server said.
        result: ActResult,
    },
    /// An alarm rang.
    Alarm {
        /// Which.
        key: RoundKey,
    },
}

/// What an action's errand learnt.
#[derive(Debug, Clone, PartialEq)]
pub enum ActResult {
    /// The server took it.
    Done,
    /// It certainly did not happen: never sent, or refused by the server as a whole.
    Failed(Trouble),
    /// It was sent and nobody knows.
    Uncertain(Trouble),
}

/// Why a command may not be carried out. Worded in `assets/locales/*/refusals.yaml` by its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The drill has not been opened.
    NotOpen,
    /// The drill is closed.
    Closed,
    /// There is no such step.
    NoSuchStep(String),
    /// Steps it needs have not opened.
    NotReady {
        /// Their ids.
        missing: Vec<String>,
    },
    /// It is under way.
    Busy,
    /// The outcome belongs to nothing that is under way.
    Stale,
    /// The command does not fit the kind of step.
    WrongKind,
    /// The step's condition does not hold.
    DoesNotApply,
    /// A reason is needed.
    ReasonNeeded,
    /// A name is needed.
    NameNeeded,
    /// What was typed is not what must be typed.
    TypeExactly {
        /// What must be typed.
        wanted: String,
    },
    /// A second person must confirm, or a reason why nobody is available.
    NeedsSecondPerson,
    /// The second person is the operator.
    SamePerson,
    /// The recheck of a step of no return cannot be skipped, only overridden.
    OnlyOverride,
    /// An action of this step is uncertain and must be settled first.
    SettleFirst,
    /// There is nothing to settle, override or cancel here.
    NothingThere,
    /// A field is missing or does not read as its kind.
    Field {
        /// Its name.
        field: String,
        /// What is wanted.
        wanted: String,
    },
    /// Ninety-nine attempts are enough.
    TooManyAttempts,
    /// Longer than is kept.
    TooLong {
        /// Characters.
        most: usize,
    },
    /// The runbook may not be walked in this mode.
    WrongMode,
    /// Steps are still open; close as aborted, or go on.
    StillOpen {
        /// Their ids.
        steps: Vec<String>,
    },
    /// The mode forbids acting on this server.
    MayNotAct {
        /// The server.
        server: String,
        /// Why: `not-simulated`, `is-production`, `looks-like-production`, `not-known`.
        why: String,
    },
}
