//! Analyses: pure, versioned functions over several named readings.
//!
//! Each says what a table of cells cannot say for itself. They know no servers, no clock but the one given,
//! and no prose: findings are codes and data.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::check::Judgement;
use crate::engine::{Captured, Inputs};
use crate::reading::{Cell, Reading, Trouble};

pub mod agent;
pub mod biztalk;
pub mod capacity;
#[cfg(test)]
mod cases;
pub mod clock;
pub mod estate;
pub mod looks_like_production;
mod names;
pub mod restore;
mod rows;

/// One answer to a named question: who was asked, where, and what came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The server, by its name in the estate.
    pub server: String,
    /// The database it was asked in.
    pub database: Option<String>,
    /// The reading, or why there is none.
    pub outcome: Result<Arc<Reading>, Trouble>,
}

/// Everything an analysis may look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Answers by the name of the ask, in the order of the role's servers.
    pub answers: &'a BTreeMap<String, Vec<Answer>>,
    /// What the runbook expects it to say.
    pub expect: Option<&'a str>,
    /// Arguments from the runbook, filled in.
    pub with: &'a BTreeMap<String, Cell>,
    /// Servers, roles, names, thresholds.
    pub inputs: &'a Inputs,
    /// Values captured so far, by name.
    pub captured: &'a BTreeMap<String, Captured>,
    /// Answers typed so far: step, field.
    pub typed: &'a BTreeMap<String, BTreeMap<String, Cell>>,
    /// Drill time now.
    pub now: DateTime<Utc>,
}

/// What an analysis says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conclusion {
    /// One per thing judged; none at all is Unknown.
    pub judgements: Vec<Judgement>,
    /// Values for later steps, by name.
    pub captures: BTreeMap<String, Captured>,
}

/// A registered analysis.
#[derive(Debug)]
pub struct Analysis {
    /// `family/name`.
    pub name: &'static str,
    /// Counts up when the same readings may get another verdict.
    pub version: u32,
    /// What it says, in one sentence.
    pub purpose: &'static str,
    /// Ask names it must have.
    pub needs: &'static [&'static str],
    /// Ask names it can use.
    pub uses: &'static [&'static str],
    /// Values `expect` may have; empty = none is taken.
    pub expects: &'static [&'static str],
    /// Names it may capture.
    pub captures: &'static [&'static str],
    /// The function.
    pub run: fn(&Case<'_>) -> Conclusion,
}

/// All analyses.
pub const ALL: &[Analysis] = &[
    agent::snapshot::ANALYSIS,
    agent::jobs_held::ANALYSIS,
    biztalk::backup_job::ANALYSIS,
    biztalk::connections::ANALYSIS,
    biztalk::coverage::ANALYSIS,
    biztalk::destination_state::ANALYSIS,
    biztalk::files_readable::ANALYSIS,
    biztalk::job_text::ANALYSIS,
    biztalk::linked_back::ANALYSIS,
    biztalk::no_old_server::ANALYSIS,
    biztalk::options::ANALYSIS,
    biztalk::pointers::ANALYSIS,
    biztalk::scope::ANALYSIS,
    biztalk::set_age::ANALYSIS,
    biztalk::shipping_jobs::ANALYSIS,
    biztalk::unsupported::ANALYSIS,
    biztalk::whole_sets::ANALYSIS,
    capacity::ANALYSIS,
    clock::skew::ANALYSIS,
    estate::servers_answer::ANALYSIS,
    looks_like_production::ANALYSIS,
    restore::chain::ANALYSIS,
    restore::foreign_backups::ANALYSIS,
    restore::one_mark::ANALYSIS,
];

/// One by name.
pub fn find(name: &str) -> Option<&'static Analysis> {
    ALL.iter().find(|a| a.name == name)
}
