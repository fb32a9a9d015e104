//! What is too large for a line: whole readings, and whole events, in `evidence/<sha256>`.
//!
//! Does not know lines' places in the chain.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Trouble;
use super::folder::{self, EVIDENCE};
use super::line::{Away, Elsewhere, sha256};
use crate::engine::{Event, Kept};
use crate::limits;
use crate::reading::{Cell, Reading};

/// The evidence folder of a record that is being written.
#[derive(Debug)]
pub(super) struct Evidence {
    folder: PathBuf,
    /// Files known to be there with their content, so that the same evidence is written once.
    known: BTreeSet<String>,
}

/// An event in the form that goes into a line.
#[derive(Debug)]
pub(super) enum Packed<'a> {
    /// As it is.
    Whole(&'a Event),
    /// Its reading is in a file.
    Slim(Box<Event>),
}

impl Evidence {
    pub(super) fn of(record: &Path) -> Self {
        Self { folder: record.join(EVIDENCE), known: BTreeSet::new() }
    }

    /// The event, its reading moved to a file when it is too large for a line.
    pub(super) fn pack<'a>(&mut self, event: &'a Event) -> Result<Packed<'a>, Trouble> {
        let Event::Answered { key, question, reading: Kept::Whole(reading) } = event else {
            return Ok(Packed::Whole(event));
        };
        if reading.rows.iter().flatten().any(|c| matches!(c, Cell::Float { float } if !float.is_finite())) {
            return Err(Trouble::Unwritable { why: "a number in it is not finite".into() });
        }
        let json = json(reading.as_ref())?;
        let roomy = json.len() > limits::READING_INLINE_BYTES || reading.rows.iter().flatten().any(is_large);
        if !roomy {
            return Ok(Packed::Whole(event));
        }
        let Away { evidence, bytes } = self.keep(&json)?;
        let reading = Kept::Elsewhere { evidence, bytes };
        let slim = Event::Answered { key: key.clone(), question: question.clone(), reading };
        Ok(Packed::Slim(Box::new(slim)))
    }

    /// The whole event moved to a file.
    pub(super) fn pack_whole(&mut self, event: &Event) -> Result<Elsewhere, Trouble> {
        Ok(Elsewhere { elsewhere: self.keep(&json(event)?)? })
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<Away, Trouble> {
        if bytes.len() > limits::EVIDENCE_BYTES {
            return Err(Trouble::TooLarge { what: "a reading".into(), most: limits::EVIDENCE_BYTES });
        }
        let evidence = sha256(bytes);
        let path = self.folder.join(&evidence);
        if !self.known.contains(&evidence) {
            // A file of that name with other content is the remains of something; it is replaced.
            let there = folder::sum_of(&path)?.is_some_and(|(sum, _)| sum == evidence);
            if !there {
                folder::replace(&path, bytes)?;
            }
            self.known.insert(evidence.clone());
        }
        Ok(Away { evidence, bytes: bytes.len() as u64 })
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(value).map_err(|e| Trouble::Unwritable { why: super::line::words(&e) })
}

fn is_large(cell: &Cell) -> bool {
    let bytes = match cell {
        Cell::Text(text) => text.len(),
        Cell::Binary { hex } => hex.len(),
        Cell::Decimal { dec } => dec.len(),
        _ => 0,
    };
    bytes > limits::CELL_INLINE_BYTES
}

/// What is wrong with a file of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// It cannot be read.
    Damaged(String),
    /// It has another content than the record says.
    Altered(String),
}

/// Reads evidence and checks it against its name and size.
pub(super) fn fetch(record: &Path, away: &Away) -> Result<Vec<u8>, Fault> {
    let path = path_of(record, away)?;
    let name = &away.evidence;
    match folder::read_bytes(&path, limits::EVIDENCE_BYTES) {
        Ok(Some(bytes)) if sha256(&bytes) == *name && bytes.len() as u64 == away.bytes => Ok(bytes),
        Ok(Some(_)) => Err(other_content(name)),
        Ok(None) => Err(missing(name)),
        Err(trouble) => Err(Fault::Damaged(trouble.to_string())),
    }
}

/// Checks evidence against its name and size without keeping it in memory.
pub(super) fn check(record: &Path, away: &Away) -> Result<(), Fault> {
    let path = path_of(record, away)?;
    match folder::sum_of(&path) {
        Ok(Some((sum, bytes))) if sum == away.evidence && bytes == away.bytes => Ok(()),
        Ok(Some(_)) => Err(other_content(&away.evidence)),
        Ok(None) => Err(missing(&away.evidence)),
        Err(trouble) => Err(Fault::Damaged(trouble.to_string())),
    }
}

fn path_of(record: &Path, away: &Away) -> Result<PathBuf, Fault> {
    if super::line::is_sha256(&away.evidence) {
        Ok(record.join(EVIDENCE).join(&away.evidence))
    } else {
        Err(Fault::Damaged("the name of its evidence is not a SHA-256".into()))
    }
}

fn other_content(name: &str) -> Fault {
    Fault::Altered(format!("evidence/{name} does not have the content this line names"))
}

fn missing(name: &str) -> Fault {
    Fault::Damaged(format!("evidence/{name}, which this line names, is not there"))
}

/// A reading from its evidence.
pub(super) fn reading(bytes: &[u8]) -> Result<Arc<Reading>, Fault> {
    serde_json::from_slice(bytes).map(Arc::new).map_err(|e| Fault::Damaged(super::line::words(&e)))
}

/// An event from its evidence.
pub(super) fn event(bytes: &[u8]) -> Result<Event, Fault> {
    serde_json::from_slice(bytes).map_err(|e| Fault::Damaged(super::line::words(&e)))
}
