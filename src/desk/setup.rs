//! What `cli` hands a front end, and what it gets back. Plain values; nothing here opens anything.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use chrono::{DateTime, Utc};

use super::door::Door;
use crate::check::Verdict;
use crate::drive::News;
use crate::runbook::Mode;
use crate::sql::Catalogue;
use crate::text::Language;

/// Everything a front end needs.
pub struct Setup {
    /// A drill to show at once; without one the home screen opens.
    pub started: Option<Started>,
    /// Starts or resumes what was picked at home.
    pub open: Opener,
    /// What the home screen offers.
    pub home: Home,
    /// How things look.
    pub look: Look,
    /// What comes from outside.
    pub news: Receiver<News>,
}

/// Starts or resumes a drill; an error is in words, with the next step.
pub type Opener = Box<dyn FnMut(&Pick) -> Result<Started, String>>;

/// A running drill, and the texts of its queries.
pub struct Started {
    /// The drill.
    pub door: Box<dyn Door>,
    /// Its queries, to show and copy.
    pub catalogue: Arc<Catalogue>,
}

/// How things look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The language.
    pub language: Language,
    /// Signs, bars and marks.
    pub glyphs: Glyphs,
    /// Frames; apart from the signs because their width is ambiguous on some terminals.
    pub frames: Glyphs,
    /// Whether colours are used; words and signs never depend on them.
    pub colour: bool,
    /// The operator's local time, minutes from UTC.
    pub local_offset_minutes: i32,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            language: Language::En,
            glyphs: Glyphs::Unicode,
            frames: Glyphs::Unicode,
            colour: true,
            local_offset_minutes: 0,
        }
    }
}

/// A set of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// Any.
    #[default]
    Unicode,
    /// Seven bits.
    Ascii,
}

/// What the home screen offers.
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// Drills that are not closed, newest first.
    pub open: Vec<OpenDrill>,
    /// Runbooks with estates they can be walked on.
    pub starts: Vec<Start>,
    /// Closed drills, newest first.
    pub recent: Vec<Recent>,
}

/// A drill that can be resumed.
#[derive(Debug, Clone)]
pub struct OpenDrill {
    /// The record's id.
    pub record: String,
    /// The runbook's title.
    pub title: String,
    /// The estate.
    pub estate: String,
    /// What it is for.
    pub mode: Mode,
    /// When it was opened.
    pub opened: DateTime<Utc>,
    /// Steps nothing more is expected of, and all steps.
    pub steps: (usize, usize),
}

/// A runbook on an estate.
#[derive(Debug, Clone)]
pub struct Start {
    /// The runbook's id or file.
    pub runbook: String,
    /// Its title.
    pub title: String,
    /// The estate's name or file.
    pub estate: String,
    /// The estate's environment.
    pub environment: String,
    /// Modes in which it may be walked there; the first is proposed.
    pub modes: Vec<Mode>,
}

/// A closed drill.
#[derive(Debug, Clone)]
pub struct Recent {
    /// The record's id.
    pub record: String,
    /// The runbook's title.
    pub title: String,
    /// The estate.
    pub estate: String,
    /// What it was for.
    pub mode: Mode,
    /// When it was closed.
    pub closed: DateTime<Utc>,
    /// What came of it.
    pub verdict: Verdict,
    /// The record's folder, for people.
    pub folder: String,
}

/// What was picked at home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// A drill to go on with.
    Resume {
        /// The record's id.
        record: String,
    },
    /// A new drill.
    Begin {
        /// [`Start::runbook`].
        runbook: String,
        /// [`Start::estate`].
        estate: String,
        /// The mode.
        mode: Mode,
    },
}

/// How a front end ended, with the drill as it stands.
pub struct End {
    /// The drill, when one was running.
    pub started: Option<Started>,
    /// How.
    pub how: How,
}

/// See [`End`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The operator left; a drill that is not closed stays open.
    Left,
    /// A signal asked to end.
    Signal(i32),
    /// The terminal, or the input, is gone.
    Gone,
}

/// Why a front end cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The terminal cannot be used.
    #[error("the terminal cannot be used: {0}; try --plain, which needs no cursor movement")]
    Terminal(std::io::Error),
    /// Output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(std::io::Error),
}
