//! The declarative expectations of a check: small statements about the rows of one reading.
//!
//! Does not know about servers or steps. An expectation that looks at no row proves nothing:
//! `every` and its kin are Unknown on an empty reading unless the rows are counted explicitly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::reading::{Cell, Reading};

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
    /// In no row the column equals one of these.
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

/// Judges one reading by all expectations; the worst wins.
pub fn judge(
    expectations: &[Expectation],
    reading: &Reading,
    _setting: &Setting,
) -> (Verdict, Vec<super::Finding>) {
    if reading.rows.is_empty() {
        return (Verdict::Unknown, vec![]);
    }
    for e in expectations {
        if let What::Every { column, one_of } = &e.what {
            for c in reading.cells(column).into_iter().flatten() {
                if !one_of.contains(c) {
                    return (Verdict::Fail, vec![]);
                }
            }
        }
    }
    (Verdict::Pass, vec![])
}
