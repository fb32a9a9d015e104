//! Verdicts and findings, and how they fold; `check::expect` holds the declarative expectations.
//!
//! Does not know where readings come from or how findings are worded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::reading::Cell;

pub mod expect;

/// What a reading amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Proven good.
    Pass,
    /// Good enough to go on, worth knowing.
    Warn,
    /// Proven bad.
    Fail,
    /// Could not be proven either way. Never a pass.
    Unknown,
    /// The question does not arise here.
    NotApplicable,
}

impl Verdict {
    /// Fail > Unknown > Warn > Pass > NotApplicable.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Fail => 4,
            Self::Unknown => 3,
            Self::Warn => 2,
            Self::Pass => 1,
            Self::NotApplicable => 0,
        }
    }
    /// The worse of two.
    #[must_use]
    pub const fn worse(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
    /// The worst of many; `Unknown` of none, for nothing was proven.
    pub fn worst(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().reduce(Self::worse).unwrap_or(Self::Unknown)
    }
    /// Whether steps that need this one may start.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::NotApplicable)
    }
    /// As in files: `not-applicable`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// One thing found: a code and its data, never prose. Codes are worded in `assets/locales/*/findings.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// A short stable name, such as `set-behind`.
    pub code: String,
    /// The numbers and names to show, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Cell>,
}

impl Finding {
    /// A finding without data.
    pub fn new(code: impl Into<String>) -> Self {
        Self { code: code.into(), data: BTreeMap::new() }
    }
    /// The same with one more datum.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Cell>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }
}

/// The verdict on one thing: a server, a database of it, or (neither) the whole question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The server it is about, by its name in the estate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The database it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Judgement {
    /// About the whole question.
    pub fn whole(verdict: Verdict, findings: Vec<Finding>) -> Self {
        Self { verdict, server: None, database: None, findings }
    }
    /// About one server.
    pub fn of_server(verdict: Verdict, server: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self { verdict, server: Some(server.into()), database: None, findings }
    }
    /// About one database of a server.
    pub fn of_database(
        verdict: Verdict,
        server: impl Into<String>,
        database: impl Into<String>,
        findings: Vec<Finding>,
    ) -> Self {
        Self { verdict, server: Some(server.into()), database: Some(database.into()), findings }
    }
}
