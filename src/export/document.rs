//! The facts of a report, as JSON writes them and templates read them. Keys are stable; changes are additive.
//!
//! Times are UTC in the form `2026-11-20T21:04:05.123Z`, spans are seconds. Texts are as they came: whoever writes them into
//! another form escapes them.

use std::collections::BTreeMap;

use serde::Serialize;

/// Version of these keys.
pub const VERSION: u32 = 1;
/// Rows of an answer that a report shows; the record has all.
pub const ROWS_SHOWN: usize = 50;
/// Columns of text of a cell that a report shows.
pub const CELL_SHOWN: usize = 200;

/// Everything a report says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Document {
    pub document_version: u32,
    pub record_version: u32,
    pub record_id: String,
    pub mode: String,
    /// Whether simulated servers took part: it stands on every page then.
    pub simulated: bool,
    pub title: String,
    pub program: Program,
    pub scope: Scope,
    pub scenario: Scenario,
    pub objectives: Vec<Objective>,
    pub targets: Targets,
    pub clocks: Clocks,
    pub achieved: Achieved,
    pub people: Vec<Person>,
    pub handovers: Vec<Handover>,
    pub resumes: Vec<Resume>,
    pub runbook: Book,
    pub tool: Tool,
    pub phases: Vec<Phase>,
    pub steps: Vec<Step>,
    pub timeline: Vec<Moment>,
    pub deviations: Vec<Deviation>,
    pub notes: Vec<Note>,
    /// Judgements about single databases, by step.
    pub backups: Vec<DatabaseFinding>,
    pub issues: Vec<Unrecorded>,
    pub actions: Vec<Unrecorded>,
    pub lessons: Vec<Unrecorded>,
    pub cleanup: Vec<Unrecorded>,
    pub signoff: Vec<Unrecorded>,
    pub result: Result,
    pub evidence: Vec<Evidence>,
    pub integrity: Integrity,
}

/// Stands for what this version of the record does not hold: such lists are empty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Unrecorded {}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Program {
    pub previous_head_sha256: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Scope {
    pub estate: String,
    pub environment: String,
    pub management_database: String,
    /// As the estate lists them; empty = read from the servers.
    pub databases: Vec<String>,
    pub servers: Vec<Server>,
    pub hosts: Vec<Host>,
    pub thresholds: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Server {
    pub name: String,
    pub roles: Vec<String>,
    pub address: String,
    pub environment: String,
    pub tls: String,
    /// As the server itself said; absent = it never answered.
    pub called: Option<String>,
    pub version: Option<String>,
    pub simulated: Option<bool>,
    pub in_reach: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Host {
    pub name: String,
    pub roles: Vec<String>,
    pub address: String,
    pub environment: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct HiddenFault {
    pub fault: String,
    pub salt: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Scenario {
    pub sandbox: bool,
    pub hidden_faults_sha256: Option<String>,
    /// The fault, once the closing event has told it.
    pub hidden_fault: Option<HiddenFault>,
    pub clock_speed: f64,
    /// What was typed in, by step and field.
    pub typed: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Objective {
    pub id: &'static str,
    pub text: String,
    pub success_criteria: String,
    /// `met`, `partly`, `not_met`, `not_tested`.
    pub result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Targets {
    pub rto_s: Option<f64>,
    pub rpo_s: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Clocks {
    pub started_at: Option<String>,
    pub first_action_at: Option<String>,
    pub last_event_at: Option<String>,
    pub closed_at: Option<String>,
    pub elapsed_s: Option<f64>,
    pub skew: Vec<Skew>,
}

/// A server's clock against that of the computer drbook ran on, at its last answer. Includes the answer's travel time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Skew {
    pub server: String,
    pub offset_s: f64,
    pub measured_at: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Achieved {
    pub rto: Figure,
    pub rpo: Figure,
    /// R25: had the failure come just before the first backup that the drill started.
    pub rpo_without_own_backups: Option<OwnBackup>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Figure {
    pub target_s: Option<f64>,
    pub achieved_s: Option<f64>,
    /// `met`, `met-in-part`, `missed`, `no-target`, `not-measured`.
    pub met: &'static str,
    /// The same in words.
    pub text: String,
    pub from: Option<Input>,
    pub to: Option<Input>,
    /// Steps that leave a gap, by how.
    pub gaps: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Input {
    pub moment: String,
    pub at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct OwnBackup {
    pub started_at: String,
    pub name: String,
    pub server: String,
    pub mark_at: Option<String>,
    pub achieved_s: Option<f64>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Person {
    pub name: String,
    pub role: String,
    /// Where the record names them first.
    pub since: String,
    pub how: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Handover {
    pub at: String,
    pub from: String,
    pub to: String,
    pub brief: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Resume {
    pub at: String,
    pub operator: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Book {
    pub id: String,
    pub version: u32,
    pub title: String,
    pub sha256: String,
    pub queries: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Tool {
    pub name: &'static str,
    pub version: String,
    pub host: String,
    pub analyses: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Phase {
    pub id: String,
    pub title: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Step {
    pub number: u16,
    pub id: String,
    pub title: String,
    pub why: String,
    pub phase: String,
    /// `check`, `do`, `manual`, `enter`, `wait`.
    pub kind: &'static str,
    /// `passed`, `warned`, `failed`, `unknown`, `not_applicable`, `overridden`, `skipped`, `not_reached`, `interrupted`,
    /// `uncertain`, `running`.
    pub status: &'static str,
    pub verdict: Option<&'static str>,
    pub first_verdict: Option<&'static str>,
    pub attested: bool,
    pub planned_s: Option<f64>,
    pub actual_s: Option<f64>,
    pub over_plan_s: Option<f64>,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    pub skip: Option<Skip>,
    pub overrides: Vec<Override>,
    pub attempts: Vec<Attempt>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Skip {
    pub at: String,
    pub by: String,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Override {
    pub at: String,
    pub by: String,
    pub name: String,
    pub reason: String,
    pub server: Option<String>,
    pub of: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Attempt {
    pub n: u16,
    pub started_at: String,
    pub ended_at: Option<String>,
    pub operator: String,
    pub recheck_for: Option<String>,
    pub verdict: Option<&'static str>,
    pub first_verdict: Option<&'static str>,
    pub polls: u32,
    pub judgements: Vec<Judgement>,
    pub actions: Vec<Action>,
    pub typed: Option<String>,
    pub second_person: Option<String>,
    pub said: Option<String>,
    pub entered: BTreeMap<String, String>,
    /// Ids of evidence.
    pub evidence: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Judgement {
    pub verdict: &'static str,
    pub server: Option<String>,
    pub database: Option<String>,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Finding {
    pub code: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Action {
    pub server: String,
    pub name: String,
    pub query: String,
    pub database: Option<String>,
    pub with: BTreeMap<String, String>,
    pub intended_at: String,
    /// `intended`, `done`, `failed`, `uncertain`, `settled-happened`, `settled-did-not-happen`.
    pub state: &'static str,
    pub trouble: Option<String>,
    /// Intended in an attempt before this one.
    pub carried: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Moment {
    pub at: String,
    /// Since the first event.
    pub after_s: f64,
    pub line: u64,
    pub by: String,
    pub step: Option<String>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Deviation {
    pub line: u64,
    pub at: String,
    pub by: String,
    pub step: Option<String>,
    pub kind: &'static str,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Note {
    pub at: String,
    pub by: String,
    pub step: Option<String>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct DatabaseFinding {
    pub step: String,
    pub server: Option<String>,
    pub database: String,
    pub verdict: &'static str,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Result {
    /// `passed`, `passed-with-findings`, `failed`, `unknown`, `incomplete`, `aborted`.
    pub overall: &'static str,
    pub statement: String,
    pub closing_words: String,
    pub counts: BTreeMap<&'static str, usize>,
    pub limits_of_test: Vec<Limit>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Limit {
    pub code: &'static str,
    pub names: Vec<String>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Evidence {
    /// `E1`, `E2`, … in the order recorded.
    pub id: String,
    pub line: u64,
    pub at: String,
    pub step: String,
    pub attempt: u16,
    pub stage: String,
    pub ask: String,
    pub server: String,
    pub database: Option<String>,
    pub source: Option<String>,
    pub called: Option<String>,
    pub version: Option<String>,
    pub simulated: Option<bool>,
    pub server_time: Option<String>,
    pub server_offset_minutes: Option<i32>,
    /// The file in `queries/`.
    pub query: Option<String>,
    pub query_sha256: Option<String>,
    pub took_ms: Option<u64>,
    pub row_count: Option<u64>,
    pub truncated: bool,
    pub columns: Vec<String>,
    /// At most [`ROWS_SHOWN`] of them, cells cut to [`CELL_SHOWN`].
    pub rows: Vec<Vec<String>>,
    pub messages: Vec<String>,
    /// Why there was no answer.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Integrity {
    pub entries: u64,
    pub head_sha256: String,
    pub last_seal: Option<Seal>,
    pub recovered_tails: usize,
    pub verifier: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the keys say it")]
pub struct Seal {
    pub entries: u64,
    pub head_sha256: String,
}
