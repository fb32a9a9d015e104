//! The record of a drill on disk: one folder, one writer, a chain of lines.
//!
//! Does not know what the events mean. Promise: what [`Record::append`] has returned is on disk and chained.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::clock::Stamp;
use crate::engine::{By, Event, Stamped};

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
}

/// What goes into the folder beside the events, exact bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Embedded {
    /// `runbook.yaml`.
    pub runbook: String,
    /// `queries/<file name>`: text.
    pub queries: BTreeMap<String, String>,
}

/// A record open for writing.
#[derive(Debug)]
pub struct Record {
    folder: PathBuf,
}

/// What opening an existing record gives.
#[derive(Debug)]
pub struct Loaded {
    /// Every event, evidence put back in.
    pub events: Vec<Stamped>,
    /// Runbook and queries.
    pub embedded: Embedded,
    /// Events that opening itself made (`TailRecovered`, `TakenOver`), to be appended first.
    pub owed: Vec<Event>,
}

impl Record {
    /// Makes `root/<id>/` with its embedded files, locked for this process. Fails if it exists.
    pub fn create(_root: &Path, _id: &str, _embedded: &Embedded, _holder: &str) -> Result<Self, Trouble> {
        todo!()
    }
    /// Opens a record to go on writing: takes the lock, walks the chain, sets a torn tail aside.
    pub fn resume(_folder: &Path, _holder: &str, _take_over: bool) -> Result<(Self, Loaded), Trouble> {
        todo!()
    }
    /// Reads a record without locking it. A torn tail is left alone (and reported in `owed`).
    pub fn read(_folder: &Path) -> Result<Loaded, Trouble> {
        todo!()
    }
    /// Appends events as lines: one write, one sync. On an error nothing more is ever written.
    pub fn append(&mut self, _by: &By, _stamp: Stamp, _events: Vec<Event>) -> Result<Vec<Stamped>, Trouble> {
        todo!()
    }
    /// Chain head: SHA-256 of the last line, hex.
    pub fn head(&self) -> &str {
        todo!()
    }
    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
