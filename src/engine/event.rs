//! Events: what happened, in the past tense. This is the file format of the record; changes are additive.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::inputs::{Captured, Inputs};
use crate::check::{Judgement, Verdict};
use crate::clock::DrillClock;
use crate::reading::{Cell, Reading, Trouble};
use crate::runbook::Mode;

/// An event with its place in the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Stamped {
    /// From 1.
    pub seq: u64,
    /// Drill time.
    pub at: DateTime<Utc>,
    /// Real milliseconds since the writing process started.
    pub mono_ms: u64,
    /// Who.
    pub by: By,
    /// What.
    pub event: Event,
}

/// Who made an event happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// A person.
    Operator(String),
    /// The program by itself (an answer came, a follow-up was due).
    Drbook,
}

/// A stage of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The questions of a check or wait.
    Check,
    /// Finding out what exactly will be acted on.
    Resolve,
    /// Waiting for a started job's outcome.
    Outcome,
    /// Proving what was done.
    Prove,
    /// Reading the servers to settle an action of unknown outcome.
    Settle,
}

/// Which round of questions an outcome belongs to. A late one matches nothing and is dropped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoundKey {
    /// Step id.
    pub step: String,
    /// Attempt, from 1.
    pub attempt: u16,
    /// Stage.
    pub stage: Stage,
}

/// Which question of a round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QuestionRef {
    /// Index of the proof within the stage.
    pub proof: usize,
    /// Name of the ask; `hold` for the watch over jobs that appear.
    pub ask: String,
    /// Server, by its name in the estate.
    pub server: String,
    /// Database it is asked in; absent = where the query's header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
}

/// A reading, in the line or in an evidence file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept {
    /// In `evidence/<sha256>`, too large for a line. The reader puts it back to `Whole`.
    Elsewhere {
        /// SHA-256 of the file, hex, which is its name.
        evidence: String,
        /// Its size.
        bytes: u64,
    },
    /// In the line.
    Whole(Arc<Reading>),
}

impl Kept {
    /// The reading, when it is at hand.
    pub fn reading(&self) -> Option<&Arc<Reading>> {
        match self {
            Self::Whole(reading) => Some(reading),
            Self::Elsewhere { .. } => None,
        }
    }
}

/// One thing an action does on one server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Distinguishes the items of one server: a job id, a database, or empty.
    pub id: String,
    /// For people: the job's name, or the query's.
    pub name: String,
    /// The query that acts.
    pub query: String,
    /// Where it runs; absent = where its header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Its parameters, literally.
    pub with: BTreeMap<String, Cell>,
    /// Highest `sysjobhistory.instance_id` of the job seen before acting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<i64>,
}

/// An item on a server, of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Act {
    /// Step id.
    pub step: String,
    /// Attempt.
    pub attempt: u16,
    /// Server.
    pub server: String,
    /// [`Item::id`].
    pub item: String,
}

/// What became of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActOutcome {
    /// The server took it.
    Done,
    /// The server refused it; nothing happened.
    Failed(Trouble),
}

/// How an uncertain action was settled, after the servers were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settlement {
    /// It took effect.
    Happened,
    /// It did not.
    DidNotHappen,
}

/// A second person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Second {
    /// Confirmed by a person.
    Confirmed {
        /// Who.
        name: String,
        /// How they were identified (in the room, called back on a known number, …).
        identified: String,
    },
    /// Nobody could be had.
    NotAvailable {
        /// Why that is acceptable.
        reason: String,
    },
}

/// What a person is in a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Role {
    Lead,
    Operator,
    Approver,
    Observer,
    Scribe,
}

/// The first event of every record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Version of the file format.
    pub format: u32,
    /// The record's id: start time and a few hex digits.
    pub record: String,
    /// Version of drbook.
    pub tool: String,
    /// Versions of the analyses, by name.
    pub analyses: BTreeMap<String, u32>,
    /// The operator at the start.
    pub operator: String,
    /// The computer drbook runs on.
    pub host: String,
    /// What it is for.
    pub mode: Mode,
    /// Runbook id and version.
    pub runbook: String,
    /// See [`crate::runbook::Runbook::version`].
    pub runbook_version: u32,
    /// SHA-256 of `runbook.yaml`, hex.
    pub runbook_sha256: String,
    /// SHA-256 of every query variant, by its file name in `queries/`.
    pub queries: BTreeMap<String, String>,
    /// Judging inputs.
    pub inputs: Inputs,
    /// Recovery time objective, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rto_seconds: Option<f64>,
    /// Recovery point objective, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo_seconds: Option<f64>,
    /// The drill clock.
    pub clock: DrillClock,
    /// Whether the estate is drbook's own sandbox, and where its state lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// Commitment to a hidden fault, hex; see [`Reveal`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault_commitment: Option<String>,
    /// Head of the previous record of this estate, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_head: Option<String>,
}

/// A fault that was hidden from the operator: the commitment is the SHA-256, hex, of the salt followed by the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reveal {
    /// Its name.
    pub fault: String,
    /// What nobody could guess.
    pub salt: String,
}

/// How a drill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// Every step has a verdict or a reason.
    Completed,
    /// Given up on purpose.
    Aborted,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The drill began.
    Opened(Box<Opened>),
    /// Questions were put; a new attempt begins unless the stage continues one.
    Asked {
        /// Which round.
        key: RoundKey,
        /// The step of no return this is a recheck for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recheck_for: Option<String>,
        /// Every question of the round.
        questions: Vec<QuestionRef>,
    },
    /// An answer came.
    Answered {
        /// Which round.
        key: RoundKey,
        /// Which question.
        question: QuestionRef,
        /// What came.
        reading: Kept,
    },
    /// No answer came.
    Unanswered {
        /// Which round.
        key: RoundKey,
        /// Which question.
        question: QuestionRef,
        /// Why.
        trouble: Trouble,
    },
    /// A round was judged. `last` = the attempt's stage is over; otherwise it is asked again.
    Judged {
        /// Which round.
        key: RoundKey,
        /// One per thing judged.
        judgements: Vec<Judgement>,
        /// The worst of them.
        verdict: Verdict,
        /// Polls so far.
        polls: u32,
        /// Whether this is final for the stage.
        last: bool,
    },
    /// A step found a value out, or the operator typed it (`step.field`).
    Captured {
        /// Step id.
        step: String,
        /// Name.
        name: String,
        /// Value.
        value: Captured,
    },
    /// Answers were typed in.
    Entered {
        /// Step id.
        step: String,
        /// Attempt.
        attempt: u16,
        /// By field.
        values: BTreeMap<String, Cell>,
    },
    /// The operator confirmed an action; rechecks follow.
    Confirmed {
        /// Step id.
        step: String,
        /// Attempt.
        attempt: u16,
        /// What was typed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typed: Option<String>,
        /// The second person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<Second>,
    },
    /// What exactly will be acted on, on one server.
    Resolved {
        /// Step id.
        step: String,
        /// Attempt.
        attempt: u16,
        /// Server.
        server: String,
        /// Items in order; may be empty where the runbook allows it.
        items: Vec<Item>,
    },
    /// About to act. Durable before anything is sent.
    Intended {
        /// Which action.
        act: Act,
        /// What is sent.
        item: Item,
    },
    /// The server took it or refused it.
    Acted {
        /// Which action.
        act: Act,
        /// Which.
        outcome: ActOutcome,
    },
    /// Nobody knows whether it took effect.
    Uncertain {
        /// Which action.
        act: Act,
        /// Why.
        trouble: Trouble,
    },
    /// An uncertain action was settled by reading the servers.
    Settled {
        /// Which action.
        act: Act,
        /// How.
        settlement: Settlement,
        /// Why the operator is sure.
        reason: String,
    },
    /// The guard did not hold; nothing was done.
    GuardFailed {
        /// Step id.
        step: String,
        /// Attempt.
        attempt: u16,
        /// Rechecks that did not open, or are too old.
        rechecks: Vec<String>,
    },
    /// The operator did (or attests) a manual step.
    Said {
        /// Step id.
        step: String,
        /// Attempt.
        attempt: u16,
        /// In words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
    },
    /// An attempt was broken off (crash, or the operator stopped asking).
    Interrupted {
        /// Step id.
        step: String,
        /// Attempt.
        attempt: u16,
    },
    /// Skipped with a reason. Opens nothing.
    Skipped {
        /// Step id.
        step: String,
        /// Why.
        reason: String,
    },
    /// The `when` of a step does not hold.
    DoesNotApply {
        /// Step id.
        step: String,
    },
    /// A verdict was overridden.
    Overridden {
        /// Step id.
        step: String,
        /// Only this server's verdict.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// Why.
        reason: String,
        /// Who answers for it.
        name: String,
    },
    /// A note.
    Noted {
        /// Step id, when it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        /// In words.
        text: String,
    },
    /// Another operator took over.
    HandedOver {
        /// From.
        from: String,
        /// To.
        to: String,
        /// What the next one must know.
        brief: String,
    },
    /// The drill was taken up again.
    Resumed {
        /// By whom.
        operator: String,
        /// On which computer.
        host: String,
        /// Version of drbook.
        tool: String,
    },
    /// The clock was found to have stepped back, by so many milliseconds.
    ClockSteppedBack {
        /// Milliseconds.
        ms: i64,
    },
    /// An unterminated last line was set aside.
    TailRecovered {
        /// Its size.
        bytes: u64,
        /// SHA-256 of it, hex.
        sha256: String,
    },
    /// The lock of another process was taken over.
    TakenOver {
        /// What the lock said.
        holder: String,
    },
    /// A seal: everything up to here is `head`.
    Sealed {
        /// SHA-256 of the line before, hex.
        head: String,
        /// Lines before this one.
        lines: u64,
    },
    /// The drill ended.
    Closed {
        /// How.
        closing: Closing,
        /// In words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
        /// The fault that was hidden from the operator, against the commitment of the opening.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reveal: Option<Reveal>,
    },
}
