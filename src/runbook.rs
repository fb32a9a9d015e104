//! A checked runbook: immutable, every reference resolved or refused at load.
//!
//! `raw` is the YAML as written, `parse` turns it into this, `lint` says what is unwise about it.
//! Does not know servers by name (roles only), nor what has happened in a drill.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Span;
use crate::reading::Cell;
use crate::text::Text;

pub mod lint;
pub mod parse;
pub mod raw;
pub mod schema;

/// What a drill is for; what it may act on follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// On simulated servers only.
    Rehearsal,
    /// A planned exercise; never acts on what is or looks like production.
    Drill,
    /// The real thing.
    Incident,
}

impl Mode {
    /// As in files and on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Rehearsal => "rehearsal",
            Self::Drill => "drill",
            Self::Incident => "incident",
        }
    }
}

/// A whole runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// Its name, such as `biztalk-restore-to-mark`.
    pub id: String,
    /// Counts up with every change of meaning.
    pub version: u32,
    /// Its title.
    pub title: Text,
    /// Modes it may be walked in.
    pub modes: Vec<Mode>,
    /// The file promises that no step acts; a lint holds it to that.
    pub read_only: bool,
    /// Roles, by name.
    pub roles: BTreeMap<String, Role>,
    /// Recovery time objective.
    pub rto: Option<Span>,
    /// Recovery point objective.
    pub rpo: Option<Span>,
    /// Where the achieved times come from.
    pub measure: Measure,
    /// Phases in order.
    pub phases: Vec<Phase>,
    /// Steps in order; `steps[n].number == n + 1`.
    pub steps: Vec<Step>,
}

impl Runbook {
    /// A step by its id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|s| s.id == id)
    }
    /// Names of every query its steps name.
    pub fn queries(&self) -> std::collections::BTreeSet<&str> {
        fn of(proofs: &[Proof]) -> Vec<&str> {
            proofs.iter().flat_map(|p| &p.asks).map(|a| a.query.as_str()).collect()
        }
        self.steps
            .iter()
            .flat_map(|step| match &step.kind {
                StepKind::Check(proofs)
                | StepKind::Manual { prove: proofs, .. }
                | StepKind::Wait { until: proofs, .. } => of(proofs),
                StepKind::Do(work) => {
                    let mut names = of(&work.prove);
                    names.extend(work.hold.iter().map(|h| h.query.as_str()));
                    let (Action::Sql(ask) | Action::Job { resolve: ask, .. }) = &work.action;
                    names.push(&ask.query);
                    names
                }
                StepKind::Enter(_) => Vec::new(),
            })
            .collect()
    }
    /// Whether no step acts.
    pub fn is_read_only(&self) -> bool {
        self.steps.iter().all(|s| !matches!(s.kind, StepKind::Do(_)))
    }
}

/// What a server or host is, in a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// A SQL Server or a computer.
    pub kind: RoleKind,
    /// Whether several may hold it.
    pub many: bool,
    /// Whether its absence reaches analyses as missing readings instead of making the verdict unknown at once.
    pub may_be_down: bool,
}

/// See [`Role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleKind {
    /// A SQL Server instance, asked over TDS.
    Sql,
    /// A computer an operator works on.
    Hosts,
}

/// Where the report's headline numbers come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measure {
    /// Recovery time: from, to.
    pub rto: Option<(Moment, Moment)>,
    /// Recovery point: from (the mark), to (the failure).
    pub rpo: Option<(Moment, Moment)>,
}

/// A moment of the drill: `step.at` (when the step was done), `step.field` (typed in), or a captured value's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// When a step got its final verdict.
    Done(String),
    /// An answer typed in step.field.
    Answer(String, String),
    /// A captured value.
    Captured(String),
}

/// A group of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: Text,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// From 1, fixed: two people on the phone say "step 9".
    pub number: u16,
    /// Its name, unique in the runbook.
    pub id: String,
    /// Index into `Runbook::phases`.
    pub phase: usize,
    /// Its title.
    pub title: Text,
    /// Why it is done.
    pub why: Text,
    /// What to do when it is not green.
    pub remedy: Text,
    /// Steps that must open before this one starts.
    pub needs: Vec<String>,
    /// Whether the step applies.
    pub when: Option<When>,
    /// Planned time.
    pub plan: Option<Span>,
    /// What it is.
    pub kind: StepKind,
    /// Asked again until green.
    pub repeat: Option<Repeat>,
    /// What must hold before it acts.
    pub guard: Option<Guard>,
}

/// Ask again `every`, for at most `during`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// Between two polls, drill time.
    pub every: Span,
    /// From the first poll, drill time.
    pub during: Span,
}

/// What a step is.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a runbook has a few dozen steps; a box would be in every reader's way"
)]
pub enum StepKind {
    /// Ask and judge.
    Check(Vec<Proof>),
    /// Act, then prove.
    Do(Do),
    /// The operator acts (text says what), then it is proved, or attested when `prove` is empty.
    Manual {
        /// What to do.
        text: Text,
        /// How it is proved.
        prove: Vec<Proof>,
    },
    /// Typed answers.
    Enter(Vec<Field>),
    /// Wait until the proofs hold (with `repeat`), or, without proofs, for a time.
    Wait {
        /// What must hold.
        until: Vec<Proof>,
        /// How long to wait when there is nothing to ask.
        pause: Option<Span>,
    },
}

/// An action of the tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Do {
    /// What.
    pub action: Action,
    /// Role it acts on.
    pub on: String,
    /// While it runs: jobs that appear are disabled as they are seen (R1).
    pub hold: Option<Ask>,
    /// How it is proved afterwards.
    pub prove: Vec<Proof>,
}

/// See [`Do`].
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Run a query whose header says `writes`, once per server (and database).
    Sql(Ask),
    /// Do something to an agent job that `resolve` finds. Its rows have `job_id`, `name`, `start_step`, `last_instance_id`.
    Job {
        /// What to do.
        verb: JobVerb,
        /// How the job is found.
        resolve: Ask,
        /// Whether any number of jobs may be found (0 too); otherwise exactly one.
        every: bool,
        /// For `Start`: how long its outcome is waited for, drill time.
        wait: Option<Span>,
    },
}

/// What to do to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobVerb {
    /// `sp_update_job @enabled = 0`.
    Disable,
    /// `sp_update_job @enabled = 1`.
    Enable,
    /// `sp_start_job` at its first step.
    Start,
}

/// One or more named questions and how their answers are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// The questions; a single unnamed one is called `it`.
    pub asks: Vec<Ask>,
    /// How they are judged.
    pub judge: Judge,
}

/// A question to a role.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Its name within the proof.
    pub name: String,
    /// The role that is asked.
    pub on: String,
    /// The query.
    pub query: String,
    /// The database or databases; `None` = where the query's header says.
    pub place: Option<Place>,
    /// Parameters.
    pub with: BTreeMap<String, Value>,
    /// Real-time deadline.
    pub deadline: Option<Span>,
}

/// In which database a question is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `master`.
    Master,
    /// `msdb`.
    Msdb,
    /// The estate's management database.
    Management,
    /// Each database of the scope that the server holds.
    EachScopeDatabase,
    /// That one.
    Named(String),
}

/// A value in a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// As written.
    Literal(Cell),
    /// An answer: step, field.
    Answer(String, String),
    /// A captured value by name; a list arrives joined with `|`.
    Captured(String),
    /// A threshold of the estate; durations arrive in seconds.
    Threshold(String),
    /// A column of the row this step's action resolved on that server (`{ from: do }` = `job_id`).
    Resolved(String),
    /// A fact of the estate: `management-database`, `scope` (`|`-joined), `source-names`, `destination-names`.
    Estate(String),
}

/// How answers are judged.
#[derive(Debug, Clone, PartialEq)]
pub enum Judge {
    /// Every expectation, on each answer apart.
    Expect(Vec<crate::check::expect::Expectation>),
    /// A named analysis over all answers together.
    Analysis {
        /// Its name, such as `biztalk/destination-state`.
        name: String,
        /// What it should say.
        expect: Option<String>,
        /// More of its arguments.
        with: BTreeMap<String, Value>,
    },
}

/// A field of an `enter` step.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What is asked for, in words; empty = the name.
    pub prompt: Text,
    /// What may be typed.
    pub kind: FieldKind,
    /// Whether it may be left empty.
    pub optional: bool,
}

/// What may be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// Anything.
    Text,
    /// A person's name.
    Person,
    /// A time, RFC 3339 or `YYYY-MM-DD HH:MM[:SS]` UTC; `now`.
    Time,
    /// A whole number.
    Number,
    /// One of these.
    OneOf(Vec<String>),
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// An answer (step, field) is one of these.
    Answer(String, String, Vec<String>),
    /// A captured value is one of these.
    Captured(String, Vec<String>),
    /// Some server of the role answered when last asked.
    Reachable(String),
    /// Not that.
    Not(Box<When>),
}

/// What must hold before a step acts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guard {
    /// There is no way back.
    pub no_return: bool,
    /// What becomes impossible, in words.
    pub loses: Text,
    /// Checks asked again just before.
    pub recheck: Vec<String>,
    /// What must be typed.
    pub typed: Option<Typed>,
    /// Modes in which a second person must confirm.
    pub second_person: Vec<Mode>,
}

/// What the operator types before a step of no return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The names of the servers acted on, in order, separated by blanks or commas.
    Server,
    /// The estate's name.
    Estate,
}
