//! Reports of a drill, all from one [`Document`]: the same facts in every form, the same bytes for the same record.
//!
//! Does not read records, and does not know the time: nothing in a report depends on when or where it was written.

use crate::check::Finding;
use crate::engine::{Session, Stamped};
use crate::text::Language;

pub mod document;
mod evidence;
mod fill;
pub mod json;
pub mod markdown;
mod phrases;
mod steps;

pub use document::Document;

/// What a report is made from.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// The state of the drill: the fold of `events`.
    pub session: &'a Session,
    /// Every event, evidence put back in.
    pub events: &'a [Stamped],
    /// SHA-256 of the last line of the record, hex.
    pub head: &'a str,
    /// Findings as sentences.
    pub words: &'a dyn Fn(&Finding) -> String,
    /// Language of titles.
    pub language: Language,
}

impl std::fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export")
            .field("events", &self.events.len())
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The template does not work.
    #[error("the report template does not work: {0}")]
    Template(String),
    /// The report has no such form as JSON.
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

#[cfg(test)]
mod tests;
