//! Why a record cannot be made, read or written.
//!
//! *Damaged* = something cannot be read; *altered* = it can be read, and disagrees with the rest. Never one for the other.

use std::path::PathBuf;

/// Why a record cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Another process writes it.
    #[error("{path} is being written by {holder}")]
    Locked {
        /// The record's folder.
        path: PathBuf,
        /// Host, process and operator in the lock.
        holder: String,
    },
    /// A line cannot be read.
    #[error("{path}: line {line} is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// In words.
        why: String,
    },
    /// Readable, but chain, seals, sums or files disagree.
    #[error("{path}: line {line} was altered: {why}")]
    Altered {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// In words.
        why: String,
    },
    /// A file of the record other than the events cannot be read.
    #[error("{path} is damaged: {why}")]
    FileDamaged {
        /// The file.
        path: PathBuf,
        /// In words.
        why: String,
    },
    /// A file of the record other than the events is not what the record says.
    #[error("{path} was altered: {why}")]
    FileAltered {
        /// The file.
        path: PathBuf,
        /// In words.
        why: String,
    },
    /// Lines that were known to be there are gone.
    #[error("{path} was cut off: it has {lines} lines, and its head file knows of {known}")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Lines it has.
        lines: u64,
        /// Lines it had.
        known: u64,
    },
    /// Written in a newer file format.
    #[error(
        "{path}: line {line} is in format {format} of records, and this drbook reads up to format {read}; use a newer drbook",
        read = super::FORMAT
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// Its format.
        format: u32,
    },
    /// An earlier write failed; nothing more is written.
    #[error("{path} stopped taking events after a failed write: {why}")]
    Broken {
        /// The record's folder.
        path: PathBuf,
        /// The first failure.
        why: String,
    },
    /// Something in it is larger than the limits allow.
    #[error("{what} is larger than the record takes ({most} bytes)")]
    TooLarge {
        /// What.
        what: String,
        /// The limit.
        most: usize,
    },
    /// An event that could not be read back is not written.
    #[error("an event cannot be written as a line that reads back: {why}")]
    Unwritable {
        /// In words.
        why: String,
    },
    /// A name that cannot name a file safely.
    #[error("`{name}` cannot be a file's name; use letters, digits, `-`, `_` and `.`")]
    Name {
        /// The name.
        name: String,
    },
    /// A head to compare with that is none.
    #[error(
        "`{given}` is not a head: give the SHA-256 in hex (8 digits of it at least), with the number of its line if you have it"
    )]
    NotAHead {
        /// What was given.
        given: String,
    },
    /// No record is there.
    #[error("{path} is not a record: it has no events.jsonl")]
    NoRecord {
        /// The folder.
        path: PathBuf,
    },
    /// No record answers to that name.
    #[error("no record in {root} is called `{wanted}`; see `drbook records list`")]
    NotFound {
        /// The records folder.
        root: PathBuf,
        /// What was looked for.
        wanted: String,
    },
    /// Several records do.
    #[error("`{wanted}` fits several records: {candidates}; write more of the name")]
    Ambiguous {
        /// What was looked for.
        wanted: String,
        /// The first of them, with commas.
        candidates: String,
    },
}

impl Trouble {
    /// Whether a part of the record cannot be read.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::FileDamaged { .. })
    }
    /// Whether parts of the record disagree.
    pub fn is_alteration(&self) -> bool {
        matches!(self, Self::Altered { .. } | Self::FileAltered { .. } | Self::Truncated { .. })
    }
}
