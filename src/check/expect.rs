//! The declarative expectations of a check: small statements about the rows of one reading.
//!
//! Does not know about servers or steps. An expectation that looks at no row proves nothing:
//! `every` and its kin are Unknown on an empty reading unless the rows are counted explicitly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Finding, Verdict};
use crate::reading::{Cell, Reading};

use bench::Bench;

mod bench;
mod compare;

/// A number or time span an expectation compares with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Bound {
    /// `{ threshold: clock_skew }`: the estate's, in the column's unit (spans in seconds).
    Threshold {
        /// Its name.
        threshold: String,
    },
    /// A span such as `60s`, compared in seconds.
    Span(crate::clock::Span),
    /// A number.
    Number(f64),
}

/// One expectation about a reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// What is expected.
    pub what: What,
    /// The verdict when it does not hold: fail, or warn when the runbook says so.
    pub otherwise: Verdict,
}

/// What is expected.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// In every row the column equals one of these (text without case, trailing blanks ignored).
    Every {
        /// Column.
        column: String,
        /// Accepted values.
        one_of: Vec<Cell>,
    },
    /// In no row the column equals one of these. NULL is Unknown, unless it is one of these.
    None {
        /// Column.
        column: String,
        /// Refused values.
        one_of: Vec<Cell>,
    },
    /// In every row the column's number lies within these.
    Within {
        /// Column.
        column: String,
        /// At least.
        min: Option<Bound>,
        /// At most.
        max: Option<Bound>,
    },
    /// In every row the column's time is at most this old by the server's own clock.
    Age {
        /// Column.
        column: String,
        /// At most, in seconds when a number.
        max: Bound,
    },
    /// In every row the column is not NULL and not empty.
    Present {
        /// Column.
        column: String,
    },
    /// All rows have the same value in the column.
    SameAcross {
        /// Column.
        column: String,
    },
    /// The column's numbers grow from row to row.
    Increasing {
        /// Column.
        column: String,
    },
    /// The column holds each of these values at least once.
    Covers {
        /// Column.
        column: String,
        /// Values that must be there.
        values: crate::runbook::Value,
    },
    /// The number of rows lies within these.
    Rows {
        /// At least.
        min: Option<u64>,
        /// At most.
        max: Option<u64>,
    },
}

/// What an expectation may look at beside the reading.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Thresholds in seconds or plain numbers.
    pub thresholds: BTreeMap<String, f64>,
    /// The values of `covers`, already filled in, by expectation index.
    pub covers: BTreeMap<usize, Vec<Cell>>,
}

/// Findings kept of one reading; more are counted in a last one, `and-more`.
pub const FINDINGS: usize = 20;

/// Every code a finding of an expectation may have, for whoever words them.
pub const CODES: &[&str] = &[
    "absent",
    "and-more",
    "column-ambiguous",
    "column-missing",
    "differs",
    "from-the-future",
    "malformed",
    "no-bounds",
    "no-clock",
    "no-expectation",
    "not-a-number",
    "not-a-time",
    "not-covered",
    "not-equal",
    "not-increasing",
    "nothing-examined",
    "nothing-expected",
    "out-of-bounds",
    "refused-value",
    "row-count",
    "threshold-missing",
    "too-old",
    "truncated",
];

/// Judges one reading by all expectations; the worst wins.
///
/// Unknown whenever the reading cannot carry a conclusion: truncated, without the column, without rows to look at.
pub fn judge(
    expectations: &[Expectation],
    reading: &Reading,
    setting: &Setting,
) -> (Verdict, Vec<super::Finding>) {
    if let Some(finding) = unfit(expectations, reading) {
        return (Verdict::Unknown, vec![finding]);
    }
    let mut verdict = None;
    let mut findings = Findings::default();
    for (index, expectation) in expectations.iter().enumerate() {
        let mut bench = Bench { reading, setting, found: Vec::new(), dropped: 0 };
        let seen = bench.judge(&expectation.what, index);
        // Only a proven fault is lowered: what is not known is not known, whatever the runbook hopes.
        let weighed = if seen == Verdict::Fail { expectation.otherwise } else { seen };
        verdict = Some(verdict.map_or(weighed, |v: Verdict| v.worse(weighed)));
        findings.take(bench.found, bench.dropped);
    }
    (verdict.unwrap_or(Verdict::Unknown), findings.done())
}

/// Why no expectation can be judged on this reading at all.
fn unfit(expectations: &[Expectation], reading: &Reading) -> Option<Finding> {
    if expectations.is_empty() {
        return Some(Finding::new("no-expectation"));
    }
    if reading.truncated {
        let kept = i64::try_from(reading.rows.len()).unwrap_or(i64::MAX);
        let sent = i64::try_from(reading.row_count).unwrap_or(i64::MAX);
        return Some(Finding::new("truncated").with("kept", kept).with("sent", sent));
    }
    let width = reading.columns.len();
    let counted = usize::try_from(reading.row_count) == Ok(reading.rows.len());
    if !counted || reading.rows.iter().any(|row| row.len() != width) {
        return Some(Finding::new("malformed"));
    }
    None
}

/// The findings kept so far, and how many were not.
#[derive(Default)]
struct Findings {
    kept: Vec<Finding>,
    more: usize,
}

impl Findings {
    fn take(&mut self, found: Vec<Finding>, dropped: usize) {
        self.more += dropped;
        for finding in found {
            if self.kept.len() < FINDINGS {
                self.kept.push(finding);
            } else {
                self.more += 1;
            }
        }
    }
    fn done(mut self) -> Vec<Finding> {
        if self.more > 0 {
            let count = i64::try_from(self.more).unwrap_or(i64::MAX);
            self.kept.push(Finding::new("and-more").with("count", count));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests;
