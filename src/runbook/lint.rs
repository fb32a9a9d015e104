//! What is unwise or impossible about a runbook that reads well: one rule per file in `lint/`.
//!
//! Knows the queries (a catalogue given as a value) and the analyses; knows no estate and no server.
//! A new rule is one file, one line in [`RULES`], and one bad example in `tests/lints/`.

use super::Runbook;
use crate::analysis::Analysis;
use crate::diagnostic::{Diagnostic, Severity};
use crate::limits;
use crate::sql::Catalogue;
use crate::yaml::{self, Segment};

use site::Site;

mod action_in_read_only;
mod captured_never_captured;
mod check_that_cannot_fail;
mod do_without_prove;
mod drill_acts_without_production_check;
mod expectation_kind;
mod job_columns;
mod missing_plan;
mod missing_translation;
mod no_return_without_loss;
mod no_return_without_recheck;
mod parameter_mismatch;
mod query_place;
mod reads_query_in_do;
mod recheck_not_needed;
mod site;
mod unknown_analysis;
mod unknown_column;
mod unknown_query;
mod unreachable_step;
mod unused_role;
mod writes_query_in_check;

/// A rule.
pub struct Rule {
    /// The code of its findings, and the name of its bad example.
    pub name: &'static str,
    /// Why it is a rule, in one sentence.
    pub reason: &'static str,
    run: fn(&Site<'_>) -> Vec<Spot>,
}

/// All rules, by name.
pub const RULES: &[Rule] = &[
    action_in_read_only::RULE,
    captured_never_captured::RULE,
    check_that_cannot_fail::RULE,
    do_without_prove::RULE,
    drill_acts_without_production_check::RULE,
    expectation_kind::RULE,
    job_columns::RULE,
    missing_plan::RULE,
    missing_translation::RULE,
    no_return_without_loss::RULE,
    no_return_without_recheck::RULE,
    parameter_mismatch::RULE,
    query_place::RULE,
    reads_query_in_do::RULE,
    recheck_not_needed::RULE,
    unknown_analysis::RULE,
    unknown_column::RULE,
    unknown_query::RULE,
    unreachable_step::RULE,
    unused_role::RULE,
    writes_query_in_check::RULE,
];

/// A finding of a rule, with the path it is about.
struct Spot {
    path: Vec<Segment>,
    /// Whether the last key of the path is meant rather than its value.
    key: bool,
    severity: Severity,
    message: String,
    help: String,
}

impl Spot {
    fn error(path: Vec<Segment>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { path, key: false, severity: Severity::Error, message: message.into(), help: help.into() }
    }
    fn warning(path: Vec<Segment>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, message, help) }
    }
    fn on_key(self) -> Self {
        Self { key: true, ..self }
    }
}

/// Every finding of every rule, in the order of the text; beyond [`limits::PROBLEMS`], errors before warnings.
pub fn lint(book: &Runbook, text: &str, catalogue: &Catalogue) -> Vec<Diagnostic> {
    lint_with(book, text, catalogue, crate::analysis::ALL)
}

fn lint_with(book: &Runbook, text: &str, catalogue: &Catalogue, analyses: &[Analysis]) -> Vec<Diagnostic> {
    let Ok(value) = yaml::value(text) else { return Vec::new() };
    let site = Site { book, value: &value, catalogue, analyses };
    let mut spots: Vec<(&'static str, Spot)> =
        RULES.iter().flat_map(|rule| (rule.run)(&site).into_iter().map(|s| (rule.name, s))).collect();
    spots.sort_by_key(|(_, spot)| std::cmp::Reverse(spot.severity));
    spots.truncate(limits::PROBLEMS);
    let mut all: Vec<Diagnostic> = spots
        .into_iter()
        .map(|(code, spot)| {
            let Spot { path, key, severity, message, help } = spot;
            let place = if key { yaml::locate_key(text, &path) } else { yaml::locate(text, &path) };
            Diagnostic { code, severity, place, message, help }
        })
        .collect();
    all.sort_by_key(|d| d.place.map_or(0, |p| p.byte));
    all
}

#[cfg(test)]
mod tests;
