//! The record of a drill on disk: one folder, one writer, a chain of lines.
//!
//! ```text
//! root/<id>/  events.jsonl   the truth: one line per event, each with the SHA-256 of the line before
//!             evidence/      readings (and events) too large for a line, named by their SHA-256; on disk before the line
//!             runbook.yaml   queries/        README.txt      exact bytes, written when the record is made
//!             head           SHA-256 and number of the newest line, rewritten in place after every append
//!             SHA256SUMS     all other files, once the drill is closed
//!             lock           lock.held       see `lock`
//!             tail-<n>.bin   an unfinished line n that a crash left behind
//! ```
//!
//! A batch that ends something (a final verdict, a skip, an override, the close) is followed by a `Sealed` line in the same
//! write; a clock that ran back by more than a second is recorded before the batch. Both come back from [`Record::append`].
//!
//! Does not know what the events mean. Promise: what [`Record::append`] has returned is on disk and chained.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::clock::Stamp;
use crate::engine::{By, Event, Stamped};
use crate::limits;

mod evidence;
mod folder;
mod line;
mod lock;
mod medium;
mod rejudge;
#[cfg(test)]
pub(crate) mod samples;
pub mod store;
mod trouble;
pub mod verify;
mod walk;

pub use line::{GENESIS, is_sha256, sha256};
pub use lock::holder;
pub use trouble::Trouble;
pub use walk::fetch_reading;

use evidence::{Evidence, Packed};
use folder::{EVENTS, HEAD, SUMS, io_at};
use line::Frame;
use lock::Lock;
use medium::Medium;
use walk::{Bring, Walked};

/// The version of the file format that is written; lines of newer formats are read only as far as they are understood.
pub const FORMAT: u32 = 1;

/// A clock that runs back further than this is recorded (milliseconds).
const CLOCK_SLACK_MS: i64 = 1000;

/// What goes into the folder beside the events, exact bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Embedded {
    /// `runbook.yaml`.
    pub runbook: String,
    /// `queries/<file name>`: text. A name may have up to two folders before it, parted by `/`.
    pub queries: BTreeMap<String, String>,
}

/// A record open for writing.
#[derive(Debug)]
pub struct Record {
    folder: PathBuf,
    lock: Lock,
    events: Box<dyn Medium>,
    head_file: File,
    evidence: Evidence,
    head: String,
    lines: u64,
    bytes: u64,
    last_at: Option<DateTime<Utc>>,
    closed: bool,
    broken: Option<String>,
}

/// What opening an existing record gives.
#[derive(Debug)]
pub struct Loaded {
    /// Every event, evidence put back in (up to [`limits::EVIDENCE_LOADED_BYTES`]; see [`fetch_reading`] for the rest).
    pub events: Vec<Stamped>,
    /// Runbook and queries.
    pub embedded: Embedded,
    /// Events that opening itself made (`TailRecovered`, `TakenOver`), to be appended first.
    pub owed: Vec<Event>,
}

impl Record {
    /// Makes `root/<id>/` with its embedded files, locked for this process. Fails if it exists.
    ///
    /// `holder` is best made by [`holder`]; the computer in it decides whether a lock left behind is stale.
    pub fn create(root: &Path, id: &str, embedded: &Embedded, holder: &str) -> Result<Self, Trouble> {
        let folder = folder::lay_out(root, id, embedded)?;
        let lock = lock::take(&folder, holder, false)?.lock;
        folder::write_new(&folder.join(EVENTS), b"")?;
        folder::sync_folder(&folder)?;
        folder::sync_folder(root)?;
        Self::on(folder, lock, None)
    }

    /// Opens a record to go on writing: takes the lock, walks the chain, sets a torn tail aside.
    ///
    /// `take_over` takes it from a process on another computer (or one that cannot be seen); a live process on this
    /// computer keeps it.
    pub fn resume(folder: &Path, holder: &str, take_over: bool) -> Result<(Self, Loaded), Trouble> {
        // Looked at before the lock, so that a folder that is no record is left without a lock file.
        folder::open_plain(&folder.join(EVENTS))?.ok_or(Trouble::NoRecord { path: folder.to_owned() })?;
        let taken = lock::take(folder, holder, take_over)?;
        let mut walked = walk::walk(folder, Bring::Evidence, &[])?;
        if let Some(trouble) = walked.trouble.take() {
            return Err(trouble);
        }
        if let Some(opened) = walked.opened() {
            if opened.format > FORMAT {
                let path = folder.join(EVENTS);
                return Err(Trouble::Newer { path, line: 1, format: opened.format });
            }
            walk::check_embedded(folder, opened)?;
        }
        if !walked.tail.is_empty() {
            folder::keep_tail(folder, walked.lines + 1, &walked.tail)?;
            let path = folder.join(EVENTS);
            let file = OpenOptions::new().write(true).open(&path).map_err(io_at(&path))?;
            file.set_len(walked.bytes).and_then(|()| file.sync_all()).map_err(io_at(&path))?;
        }
        let mut owed: Vec<Event> = walk::check_tails(folder, &walked.events)?
            .into_iter()
            .map(|(_, bytes, sha256)| Event::TailRecovered { bytes, sha256 })
            .collect();
        owed.extend(taken.from.map(|holder| Event::TakenOver { holder }));
        let embedded = folder::read_embedded(folder)?;
        let mut record = Self::on(folder.to_owned(), taken.lock, Some(&walked))?;
        if record.closed && owed.is_empty() && !folder.join(SUMS).exists() {
            // The close itself was the last thing a crash let through.
            record.finish()?;
        }
        Ok((record, Loaded { events: walked.events, embedded, owed }))
    }

    /// Reads a record without locking it. A torn tail is left alone (and reported in `owed`).
    pub fn read(folder: &Path) -> Result<Loaded, Trouble> {
        let mut walked = walk::walk(folder, Bring::Evidence, &[])?;
        if let Some(trouble) = walked.trouble.take() {
            return Err(trouble);
        }
        if let Some(opened) = walked.opened() {
            walk::check_embedded(folder, opened)?;
        }
        let mut owed: Vec<Event> = walk::check_tails(folder, &walked.events)?
            .into_iter()
            .map(|(_, bytes, sha256)| Event::TailRecovered { bytes, sha256 })
            .collect();
        if !walked.tail.is_empty() {
            let (bytes, sha256) = (walked.tail.len() as u64, sha256(&walked.tail));
            let tail = Event::TailRecovered { bytes, sha256 };
            if !owed.contains(&tail) {
                owed.push(tail);
            }
        }
        Ok(Loaded { events: walked.events, embedded: folder::read_embedded(folder)?, owed })
    }

    fn on(folder: PathBuf, lock: Lock, walked: Option<&Walked>) -> Result<Self, Trouble> {
        let path = folder.join(EVENTS);
        let events = OpenOptions::new().append(true).open(&path).map_err(io_at(&path))?;
        let path = folder.join(HEAD);
        let head_file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io_at(&path))?;
        Ok(Self {
            evidence: Evidence::of(&folder),
            folder,
            lock,
            events: Box::new(events),
            head_file,
            head: walked.map_or_else(|| GENESIS.to_owned(), |w| w.head.clone()),
            lines: walked.map_or(0, |w| w.lines),
            bytes: walked.map_or(0, |w| w.bytes),
            last_at: walked.and_then(Walked::last_at),
            closed: walked.is_some_and(Walked::closed),
            broken: None,
        })
    }

    /// Appends events as lines: one write, one sync. Once a write or sync has failed nothing more is ever written; an event
    /// refused before that ([`Trouble::TooLarge`], [`Trouble::Unwritable`]) leaves the record as it was.
    ///
    /// Returns every event that was written, in order: the given ones, and those the record adds by itself.
    pub fn append(&mut self, by: &By, stamp: Stamp, events: Vec<Event>) -> Result<Vec<Stamped>, Trouble> {
        if let Some(why) = &self.broken {
            return Err(Trouble::Broken { path: self.folder.clone(), why: why.clone() });
        }
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let written = self.batch(by, stamp, events).and_then(|batch| self.write(batch));
        if let Err(trouble) = &written
            && !matches!(trouble, Trouble::TooLarge { .. } | Trouble::Unwritable { .. })
        {
            self.broken = Some(trouble.to_string());
        }
        written
    }

    /// Chain head: SHA-256 of the last line, hex.
    pub fn head(&self) -> &str {
        &self.head
    }
    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }
    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
    /// Why it takes no more events, once a write has failed.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// The lines of a batch; evidence is on disk when this returns, nothing else is.
    fn batch(&mut self, by: &By, stamp: Stamp, events: Vec<Event>) -> Result<Batch, Trouble> {
        // Live state and replayed state must see the same time.
        let at = stamp.at.trunc_subsecs(3);
        let mut batch = Batch {
            bytes: Vec::new(),
            stamped: Vec::with_capacity(events.len() + 1),
            head: self.head.clone(),
            lines: self.lines,
            at,
            mono_ms: stamp.mono_ms,
            closes: self.closed,
        };
        if let Some(last) = self.last_at {
            let back = (last - at).num_milliseconds();
            if back > CLOCK_SLACK_MS {
                batch.add(&mut self.evidence, &By::Drbook, Event::ClockSteppedBack { ms: back })?;
            }
        }
        let mut seals = self.closed;
        for event in events {
            batch.closes |= matches!(event, Event::Closed { .. });
            seals |= is_sealed_after(&event);
            batch.add(&mut self.evidence, by, event)?;
        }
        if seals {
            let seal = Event::Sealed { head: batch.head.clone(), lines: batch.lines };
            batch.add(&mut self.evidence, &By::Drbook, seal)?;
        }
        Ok(batch)
    }

    fn write(&mut self, batch: Batch) -> Result<Vec<Stamped>, Trouble> {
        let path = self.folder.join(EVENTS);
        if let Some(holder) = self.lock.lost_to() {
            return Err(Trouble::Locked { path: self.folder.clone(), holder });
        }
        if self.events.size().map_err(io_at(&path))? != self.bytes {
            let holder = "somebody else: it has grown or shrunk under our hands".to_owned();
            return Err(Trouble::Locked { path: self.folder.clone(), holder });
        }
        if self.closed {
            // The sums no longer hold from here on; a crash must not leave them behind to cry alteration.
            folder::remove(&self.folder.join(SUMS))?;
        }
        self.events.append(&batch.bytes).map_err(io_at(&path))?;
        self.events.sync().map_err(io_at(&path))?;
        self.bytes += batch.bytes.len() as u64;
        self.head = batch.head;
        self.lines = batch.lines;
        self.last_at = Some(batch.at);
        self.closed = batch.closes;
        self.note_head()?;
        if self.closed {
            self.finish()?;
        }
        Ok(batch.stamped)
    }

    /// Rewrites `head` in place: it only ever grows, so that no byte of an older one is left over.
    fn note_head(&mut self) -> Result<(), Trouble> {
        let text = format!("{} {}\n", self.head, self.lines);
        let write = |file: &mut File| {
            file.rewind()?;
            file.write_all(text.as_bytes())
        };
        write(&mut self.head_file).map_err(io_at(&self.folder.join(HEAD)))
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        self.note_head()?;
        self.head_file.sync_all().map_err(io_at(&self.folder.join(HEAD)))?;
        folder::write_sums(&self.folder)
    }
}

/// Lines ready to be written.
struct Batch {
    bytes: Vec<u8>,
    stamped: Vec<Stamped>,
    head: String,
    lines: u64,
    at: DateTime<Utc>,
    mono_ms: u64,
    closes: bool,
}

impl Batch {
    fn add(&mut self, evidence: &mut Evidence, by: &By, event: Event) -> Result<(), Trouble> {
        let seq = self.lines + 1;
        let unwritable = |e: serde_json::Error| Trouble::Unwritable { why: line::words(&e) };
        let frame = Frame { seq, at: self.at, mono_ms: self.mono_ms, by, prev: &self.head };
        let mut bytes = match evidence.pack(&event)? {
            Packed::Whole(event) => frame.write(event),
            Packed::Slim(event) => frame.write(&event),
        }
        .map_err(unwritable)?;
        if bytes.len() > limits::LINE_BYTES {
            bytes = frame.write(&evidence.pack_whole(&event)?).map_err(unwritable)?;
        }
        // What cannot be read back must not be written: it would make the whole record damaged.
        line::read(&bytes).map_err(|why| Trouble::Unwritable { why })?;
        if bytes.len() > limits::LINE_BYTES {
            return Err(Trouble::TooLarge { what: "a line".into(), most: limits::LINE_BYTES });
        }
        self.head = sha256(&bytes);
        self.lines = seq;
        self.bytes.extend_from_slice(&bytes);
        self.stamped.push(Stamped { seq, at: self.at, mono_ms: self.mono_ms, by: by.clone(), event });
        Ok(())
    }
}

/// Whether a seal follows: what ends something is worth a head that can be kept elsewhere.
fn is_sealed_after(event: &Event) -> bool {
    matches!(
        event,
        Event::Judged { last: true, .. }
            | Event::Skipped { .. }
            | Event::Overridden { .. }
            | Event::Closed { .. }
    )
}

#[cfg(test)]
mod tests;
