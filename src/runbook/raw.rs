//! A runbook exactly as written: one struct per map of the YAML, unknown keys refused, one key per kind.
//!
//! Knows forms only. What refers to what, and which keys exclude each other, is `parse`'s business.
//! The JSON Schema for editors is derived from these types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Mode;
use crate::clock::Span;
use crate::text::Text;

pub use field::{KindName, RawField};
pub use value::{Bound, OneOrMany, Pairs, RawRows, RawValue, Reference, Scalar};

mod field;
mod value;

/// A runbook: what is done to bring an estate back, in which order, and how each step is proved.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "drbook runbook")]
pub struct RawRunbook {
    /// Its name: lower case, digits, hyphens.
    pub runbook: String,
    /// Counts up with every change of meaning.
    pub version: u32,
    /// Its title.
    pub title: Text,
    /// What it may be walked for.
    pub modes: Vec<Mode>,
    /// A promise that no step acts.
    #[serde(default)]
    pub read_only: bool,
    /// What servers and computers are to this runbook, by name.
    pub roles: BTreeMap<String, RawRole>,
    /// Objectives.
    #[serde(default)]
    pub targets: RawTargets,
    /// Where the report's headline numbers come from.
    #[serde(default)]
    pub measure: RawMeasure,
    /// Phases in order.
    pub phases: Vec<RawPhase>,
}

/// A role: `sql` or `hosts`, held by one or many.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRole {
    /// SQL Servers.
    pub sql: Option<Number>,
    /// Computers an operator works on.
    pub hosts: Option<Number>,
    /// Whether its absence reaches analyses as a missing answer.
    #[serde(default)]
    pub may_be_down: bool,
}

/// How many may hold a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Number {
    /// Exactly one.
    One,
    /// One or more.
    Many,
}

/// Objectives.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTargets {
    /// Recovery time objective.
    pub rto: Option<Span>,
    /// Recovery point objective.
    pub rpo: Option<Span>,
}

/// Where the achieved times come from.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawMeasure {
    /// Recovery time.
    pub rto: Option<RawSpanOf>,
    /// Recovery point.
    pub rpo: Option<RawSpanOf>,
}

/// From one moment to another: `step.at`, `step.field` or a captured value's name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSpanOf {
    /// The earlier moment.
    pub from: String,
    /// The later moment.
    pub to: String,
}

/// A group of steps.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPhase {
    /// Its name.
    pub phase: String,
    /// Its title.
    pub title: Text,
    /// Its steps in order.
    pub steps: Vec<RawStep>,
}

/// A step: exactly one of `check`, `do`, `manual`, `enter`, `wait`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStep {
    /// Its name, unique in the runbook.
    pub step: String,
    /// Its title.
    pub title: Text,
    /// Why it is done.
    #[serde(default)]
    pub why: Text,
    /// What to do when it is not green.
    #[serde(default)]
    pub remedy: Text,
    /// Steps that must open before this one starts.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Whether the step applies.
    pub when: Option<RawWhen>,
    /// Planned time.
    pub plan: Option<Span>,
    /// Asked again until green.
    pub repeat: Option<RawRepeat>,
    /// What must hold before it acts.
    pub guard: Option<RawGuard>,
    /// Ask and judge.
    pub check: Option<OneOrMany<RawProof>>,
    /// Act, then prove.
    pub r#do: Option<RawDo>,
    /// The operator acts; this says what.
    pub manual: Option<Text>,
    /// Typed answers, by field.
    pub enter: Option<Pairs<RawField>>,
    /// Wait for a time, or until something holds.
    pub wait: Option<RawWait>,
    /// How `do` or `manual` is proved.
    pub prove: Option<OneOrMany<RawProof>>,
}

/// Ask again.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRepeat {
    /// Between two polls.
    pub every: Span,
    /// From the first poll.
    pub r#for: Span,
}

/// What must hold before a step acts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawGuard {
    /// There is no way back.
    #[serde(default)]
    pub no_return: bool,
    /// What becomes impossible.
    #[serde(default)]
    pub loses: Text,
    /// Checks asked again just before.
    #[serde(default)]
    pub recheck: Vec<String>,
    /// What must be typed.
    pub r#type: Option<RawTyped>,
    /// Modes in which a second person must confirm.
    pub second_person: Option<OneOrMany<Mode>>,
}

/// What the operator types.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RawTyped {
    /// The names of the servers acted on.
    Server,
    /// The estate's name.
    Estate,
}

/// A condition: exactly one of `answer`, `captured`, `reachable`, `not`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawWhen {
    /// An answer, `step.field`.
    pub answer: Option<String>,
    /// A captured value.
    pub captured: Option<String>,
    /// The accepted value.
    pub equals: Option<Scalar>,
    /// The accepted values.
    pub one_of: Option<Vec<Scalar>>,
    /// A role of which some server answered when last asked.
    pub reachable: Option<String>,
    /// Not that.
    pub not: Option<Box<RawWhen>>,
}

/// Questions and how their answers are judged. Either one question (`on`, `query`, …) or several under `ask`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawProof {
    /// The role that is asked.
    pub on: Option<String>,
    /// The query.
    pub query: Option<String>,
    /// `master`, `msdb`, `management`, `each scope database`, or a database's name.
    pub r#in: Option<String>,
    /// Parameters.
    #[serde(default)]
    pub with: BTreeMap<String, RawValue>,
    /// Real-time deadline.
    pub deadline: Option<Span>,
    /// Several questions, by name.
    pub ask: Option<Pairs<RawAsk>>,
    /// What is expected of each answer.
    pub expect: Option<Vec<RawExpect>>,
    /// An analysis over all answers.
    pub judge: Option<RawJudge>,
}

/// A named question.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAsk {
    /// The role that is asked.
    pub on: String,
    /// The query.
    pub query: String,
    /// `master`, `msdb`, `management`, `each scope database`, or a database's name.
    pub r#in: Option<String>,
    /// Parameters.
    #[serde(default)]
    pub with: BTreeMap<String, RawValue>,
    /// Real-time deadline.
    pub deadline: Option<Span>,
}

/// A named analysis.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawJudge {
    /// Its name.
    pub analysis: String,
    /// What it should say.
    pub expect: Option<String>,
    /// More of its arguments.
    #[serde(default)]
    pub with: BTreeMap<String, RawValue>,
}

/// What is expected of a reading: exactly one of `every`, `none`, `within`, `age`, `present`, `same_across`,
/// `increasing`, `covers`, `rows`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawExpect {
    /// In every row this column equals one of the values.
    pub every: Option<String>,
    /// In no row this column equals one of the values.
    pub none: Option<String>,
    /// In every row this column's number lies between `min` and `max`.
    pub within: Option<String>,
    /// In every row this column's time is at most `max` old by the server's clock.
    pub age: Option<String>,
    /// In every row this column has a value.
    pub present: Option<String>,
    /// All rows have the same value in this column.
    pub same_across: Option<String>,
    /// This column's numbers grow from row to row.
    pub increasing: Option<String>,
    /// This column holds each of `values` at least once.
    pub covers: Option<String>,
    /// How many rows there are. Alone it proves nothing about what they say.
    pub rows: Option<RawRows>,
    /// The value, for `every` and `none`.
    pub equals: Option<Scalar>,
    /// The values, for `every` and `none`.
    pub one_of: Option<Vec<Scalar>>,
    /// At least, for `within`.
    pub min: Option<Bound>,
    /// At most, for `within` and `age`.
    pub max: Option<Bound>,
    /// What must be there, for `covers`.
    pub values: Option<RawValue>,
    /// The verdict when it does not hold: `fail`, or `warn`.
    pub otherwise: Option<RawOtherwise>,
}

/// The verdict when an expectation does not hold.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RawOtherwise {
    /// Worth knowing.
    Warn,
    /// Proven bad.
    Fail,
}

/// An action: exactly one of `job` and `sql`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDo {
    /// The role it acts on.
    pub on: String,
    /// Something done to an agent job.
    pub job: Option<RawJob>,
    /// A query whose header says `writes`.
    pub sql: Option<RawResolve>,
    /// While it runs: jobs that appear are disabled.
    pub hold: Option<RawResolve>,
}

/// An agent job: exactly one of `disable`, `enable`, `start`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawJob {
    /// Disable the job this query finds.
    pub disable: Option<RawResolve>,
    /// Enable it.
    pub enable: Option<RawResolve>,
    /// Start it.
    pub start: Option<RawResolve>,
    /// Whether any number of jobs may be found; otherwise exactly one.
    #[serde(default)]
    pub every: bool,
    /// How long a started job's outcome is waited for.
    pub wait: Option<Span>,
}

/// The query of an action.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawResolve {
    /// The query.
    pub query: String,
    /// `master`, `msdb`, `management`, `each scope database`, or a database's name.
    pub r#in: Option<String>,
    /// Parameters.
    #[serde(default)]
    pub with: BTreeMap<String, RawValue>,
    /// Real-time deadline.
    pub deadline: Option<Span>,
}

/// A wait: exactly one of `pause` and `until`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawWait {
    /// A time.
    pub pause: Option<Span>,
    /// What must hold; needs `repeat`.
    pub until: Option<OneOrMany<RawProof>>,
}
