//! The records folder: which drills there are, and finding one by what a person types.
//!
//! Cheap: of each record it reads the first line, the last few and the locks, never the whole. So what it says of a record
//! is not verified; `verify` does that.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::folder::{self, EVENTS, io_at};
use super::line::{self, Body, Line, sha256};
use super::{Trouble, evidence, lock};
use crate::engine::{Closing, Event, Opened};
use crate::limits;
use crate::runbook::Mode;

/// How far from its end the last lines of a record are looked for (bytes): a closing batch and its seal fit in.
const TAIL_BYTES: u64 = 4 * limits::LINE_BYTES as u64;

/// A record as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its folder.
    pub folder: PathBuf,
    /// Its id: as recorded, else its folder's name.
    pub id: String,
    /// Runbook id and version.
    pub runbook: Option<String>,
    /// See [`crate::runbook::Runbook::version`].
    pub runbook_version: Option<u32>,
    /// What it is for.
    pub mode: Option<Mode>,
    /// The estate's name.
    pub estate: Option<String>,
    /// Who opened it.
    pub operator: Option<String>,
    /// Whether it walks on drbook's own sandbox.
    pub sandbox: bool,
    /// Real time at which its drill clock was set: what records are sorted by, for drill time may run faster.
    pub opened: Option<DateTime<Utc>>,
    /// Time of the first event.
    pub started: Option<DateTime<Utc>>,
    /// Time of the last one.
    pub latest: Option<DateTime<Utc>>,
    /// How it was closed; absent = still open.
    pub closed: Option<Closing>,
    /// Events.
    pub events: u64,
    /// SHA-256 of the last line.
    pub head: Option<String>,
    /// Who writes it, or left a lock behind.
    pub holder: Option<String>,
    /// Why it cannot be read, when it cannot.
    pub trouble: Option<String>,
}

impl Entry {
    /// Whether it can be gone on with.
    pub fn is_open(&self) -> bool {
        self.closed.is_none() && self.trouble.is_none() && self.started.is_some()
    }
}

/// A folder of records.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The records below `root`, which need not exist yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every record, the newest first; those whose start cannot be read come last.
    pub fn list(&self) -> Result<Vec<Entry>, Trouble> {
        let mut all: Vec<Entry> = self.folders()?.iter().map(|folder| look_at(folder)).collect();
        all.sort_by(|a, b| (b.opened, b.started, &b.id).cmp(&(a.opened, a.started, &a.id)));
        Ok(all)
    }

    /// The record a person means: a folder, an id, the beginning of an id (or any part of it that fits one alone).
    pub fn find(&self, wanted: &str) -> Result<PathBuf, Trouble> {
        let path = Path::new(wanted);
        if !wanted.is_empty() && path.join(EVENTS).is_file() {
            return Ok(path.to_owned());
        }
        let folders = self.folders()?;
        let name = |f: &PathBuf| f.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let not_found = || Trouble::NotFound {
            root: self.root.clone(),
            wanted: crate::text::fit(&line::plain(wanted), 80, false),
        };
        if wanted.is_empty() {
            return Err(not_found());
        }
        let fits: [&dyn Fn(&str) -> bool; 3] =
            [&|n| n == wanted, &|n| n.starts_with(wanted), &|n| n.contains(wanted)];
        for fit in fits {
            let found: Vec<&PathBuf> = folders.iter().filter(|f| fit(&name(f))).collect();
            match found.as_slice() {
                [] => {}
                [one] => return Ok((*one).clone()),
                several => {
                    let candidates = several.iter().take(5).map(|f| name(f)).collect::<Vec<_>>().join(", ");
                    return Err(Trouble::Ambiguous { wanted: line::plain(wanted), candidates });
                }
            }
        }
        Err(not_found())
    }

    /// The drill to go on with: the open one that was begun last.
    pub fn newest_open(&self) -> Result<Option<Entry>, Trouble> {
        Ok(self.list()?.into_iter().find(Entry::is_open))
    }

    /// The youngest record of an estate, to chain the next one to its head.
    pub fn newest_of(&self, estate: &str) -> Result<Option<Entry>, Trouble> {
        Ok(self.list()?.into_iter().find(|e| e.estate.as_deref() == Some(estate) && e.started.is_some()))
    }

    fn folders(&self) -> Result<Vec<PathBuf>, Trouble> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(io_at(&self.root)(e)),
        };
        let mut folders = Vec::new();
        for entry in entries.take(limits::RECORDS) {
            let path = entry.map_err(io_at(&self.root))?.path();
            if path.join(EVENTS).is_file() {
                folders.push(path);
            }
        }
        folders.sort();
        Ok(folders)
    }
}

/// What a list shows of one record. Never fails: what is wrong stands in `trouble`.
pub fn look_at(record: &Path) -> Entry {
    let name = record.file_name().map(|n| line::plain(&n.to_string_lossy())).unwrap_or_default();
    let mut entry = Entry {
        folder: record.to_owned(),
        id: name,
        runbook: None,
        runbook_version: None,
        mode: None,
        estate: None,
        operator: None,
        sandbox: false,
        opened: None,
        started: None,
        latest: None,
        closed: None,
        events: 0,
        head: None,
        holder: lock::holder_now(record),
        trouble: None,
    };
    if let Err(why) = fill(&mut entry, record) {
        entry.trouble = Some(why);
    }
    entry
}

fn fill(entry: &mut Entry, record: &Path) -> Result<(), String> {
    let path = record.join(EVENTS);
    let words = |t: Trouble| t.to_string();
    let file = folder::open_plain(&path).map_err(words)?.ok_or("it has no events.jsonl")?;
    let io = |e: std::io::Error| e.to_string();
    let size = file.metadata().map_err(io)?.len();
    let mut first = Vec::new();
    (&file).take(limits::LINE_BYTES as u64 + 1).read_to_end(&mut first).map_err(io)?;
    let Some(end) = first.iter().position(|b| *b == b'\n') else {
        return Err("it was never opened: its first line is not finished".into());
    };
    let line = line::read(&first[..=end]).map_err(|why| format!("line 1 is damaged: {why}"))?;
    entry.started = Some(line.at);
    let opened = opened(record, line)?;
    entry.opened = Some(opened.clock.since);
    entry.id = line::plain(&opened.record);
    entry.runbook = Some(line::plain(&opened.runbook));
    entry.runbook_version = Some(opened.runbook_version);
    entry.mode = Some(opened.mode);
    entry.estate = Some(line::plain(&opened.inputs.estate));
    entry.operator = Some(line::plain(&opened.operator));
    entry.sandbox = opened.sandbox.is_some();

    let mut last = Vec::new();
    let from = size.saturating_sub(TAIL_BYTES);
    let mut file = file;
    file.seek(SeekFrom::Start(from)).map_err(io)?;
    file.take(TAIL_BYTES).read_to_end(&mut last).map_err(io)?;
    // Whole lines only: the first may be cut by the window, the last by a crash.
    let end = last.iter().rposition(|b| *b == b'\n').ok_or("its last line is longer than any")?;
    let start = if from == 0 { 0 } else { last.iter().position(|b| *b == b'\n').map_or(end, |n| n + 1) };
    let lines: Vec<&[u8]> = last[start.min(end)..=end].split_inclusive(|b| *b == b'\n').collect();
    for (back, bytes) in lines.iter().rev().take(8).enumerate() {
        let line = line::read(bytes).map_err(|why| format!("a line near its end is damaged: {why}"))?;
        if back == 0 {
            entry.events = line.seq;
            entry.latest = Some(line.at);
            entry.head = Some(sha256(bytes));
        }
        if let Body::Here(Event::Closed { closing, .. }) = line.body {
            entry.closed = Some(closing);
            break;
        }
    }
    Ok(())
}

fn opened(record: &Path, line: Line) -> Result<Box<Opened>, String> {
    let event = match line.body {
        Body::Here(event) => event,
        Body::Away(away) => {
            let bytes = evidence::fetch(record, &away).map_err(|f| format!("{f:?}"))?;
            evidence::event(&bytes).map_err(|f| format!("{f:?}"))?
        }
    };
    match event {
        Event::Opened(opened) => Ok(opened),
        _ => Err("line 1 does not open a drill".into()),
    }
}
