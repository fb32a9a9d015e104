//! Reading `events.jsonl` from its first byte to its last: every line, its place in the chain, its seals and evidence.
//!
//! Does not write, and does not know what a step or a verdict is.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::evidence::{self, Fault};
use super::folder::{self, EVENTS, HEAD, io_at};
use super::line::{self, Away, Body, GENESIS, Line, sha256};
use super::{FORMAT, Trouble};
use crate::engine::{Event, Kept, Opened, Stamped};
use crate::limits;

/// How much of the evidence a walk brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bring {
    /// Put back into the events, as far as [`limits::EVIDENCE_LOADED_BYTES`] goes.
    Evidence,
    /// Checked and left where it is.
    Nothing,
}

/// What was found, up to the end or to the first trouble.
#[derive(Debug)]
pub(super) struct Walked {
    /// The events of good lines.
    pub(super) events: Vec<Stamped>,
    /// Good lines.
    pub(super) lines: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// SHA-256 of the last good line; [`GENESIS`] when there is none.
    pub(super) head: String,
    /// Bytes after the last newline.
    pub(super) tail: Vec<u8>,
    /// Lines covered by the last seal.
    pub(super) sealed: u64,
    /// The lines (from 1) whose hash was asked for and found, in the order asked.
    pub(super) found: Vec<Option<u64>>,
    /// What the `head` file says.
    pub(super) noted: Noted,
    /// The first thing that is wrong.
    pub(super) trouble: Option<Trouble>,
}

/// What the `head` file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Noted {
    /// There is none, or it is empty.
    Nothing,
    /// It cannot be made out.
    Unreadable,
    /// Hash and number of a line.
    Line(String, u64),
}

impl Walked {
    /// How the record was opened.
    pub(super) fn opened(&self) -> Option<&Opened> {
        match self.events.first().map(|s| &s.event) {
            Some(Event::Opened(opened)) => Some(opened),
            _ => None,
        }
    }
    /// Whether the drill was closed.
    pub(super) fn closed(&self) -> bool {
        self.events.iter().rev().any(|s| matches!(s.event, Event::Closed { .. }))
    }
    /// Time of the last event.
    pub(super) fn last_at(&self) -> Option<DateTime<Utc>> {
        self.events.last().map(|s| s.at)
    }
}

struct Walker<'a> {
    record: &'a Path,
    path: PathBuf,
    bring: Bring,
    loaded: u64,
    format: Option<u32>,
    wanted: &'a [String],
    walked: Walked,
}

/// Walks a record. `wanted` are hashes of lines to look out for.
pub(super) fn walk(record: &Path, bring: Bring, wanted: &[String]) -> Result<Walked, Trouble> {
    let path = record.join(EVENTS);
    let Some(file) = folder::open_plain(&path)? else {
        return Err(Trouble::NoRecord { path: record.to_owned() });
    };
    if file.metadata().map_err(io_at(&path))?.len() > limits::EVENTS_BYTES {
        let most = usize::try_from(limits::EVENTS_BYTES).unwrap_or(usize::MAX);
        return Err(Trouble::TooLarge { what: path.display().to_string(), most });
    }
    let noted = match folder::read_bytes(&record.join(HEAD), 4096) {
        Ok(None) => Noted::Nothing,
        Ok(Some(bytes)) if bytes.iter().all(|b| *b == 0) => Noted::Nothing,
        Ok(Some(bytes)) => std::str::from_utf8(&bytes)
            .ok()
            .and_then(folder::parse_head)
            .map_or(Noted::Unreadable, |(hash, lines)| Noted::Line(hash, lines)),
        Err(_) => Noted::Unreadable,
    };
    let walked = Walked {
        events: Vec::new(),
        lines: 0,
        bytes: 0,
        head: GENESIS.to_owned(),
        tail: Vec::new(),
        sealed: 0,
        found: vec![None; wanted.len()],
        noted,
        trouble: None,
    };
    let mut walk = Walker { record, path, bring, loaded: 0, format: None, wanted, walked };
    walk.all(&mut BufReader::with_capacity(256 * 1024, file))?;
    Ok(walk.walked)
}

impl Walker<'_> {
    fn all(&mut self, file: &mut BufReader<std::fs::File>) -> Result<(), Trouble> {
        let mut next = Vec::new();
        loop {
            self.one(file, &mut next)?;
            let Some(last) = next.last() else { break };
            if *last != b'\n' {
                self.unterminated(std::mem::take(&mut next));
                break;
            }
            if let Err(trouble) = self.take(&next, file)? {
                self.walked.trouble = Some(trouble);
                return Ok(());
            }
        }
        if self.walked.trouble.is_none() {
            self.walked.trouble = self.against_head().err();
        }
        Ok(())
    }

    /// The next line with its newline, or what there is of it, or nothing at the end; cut when it is too long.
    fn one(&self, file: &mut BufReader<std::fs::File>, into: &mut Vec<u8>) -> Result<(), Trouble> {
        into.clear();
        let most = limits::LINE_BYTES as u64 + 1;
        file.take(most).read_until(b'\n', into).map(|_| ()).map_err(io_at(&self.path))
    }

    fn unterminated(&mut self, tail: Vec<u8>) {
        let line = self.walked.lines + 1;
        if tail.len() > limits::LINE_BYTES {
            self.walked.trouble =
                Some(self.damaged(line, format!("it is longer than {} bytes", limits::LINE_BYTES)));
        } else {
            self.walked.tail = tail;
        }
    }

    /// Takes a line in. The outer error is the file system's, the inner one the record's.
    fn take(
        &mut self,
        bytes: &[u8],
        file: &mut BufReader<std::fs::File>,
    ) -> Result<Result<(), Trouble>, Trouble> {
        let number = self.walked.lines + 1;
        let line = match line::read(bytes) {
            Ok(line) => line,
            Err(why) => return Ok(Err(self.unreadable(number, bytes, why))),
        };
        let hash = sha256(bytes);
        if line.seq != number || line.prev != self.walked.head {
            return self.misplaced(&line, &hash, file).map(Err);
        }
        if let Noted::Line(head, at) = &self.walked.noted
            && *at == number
            && *head != hash
        {
            let why = "the head file names another content for it".to_owned();
            return Ok(Err(self.altered(number, why)));
        }
        let event = match self.whole(line.body) {
            Ok(event) => event,
            Err(Fault::Damaged(why)) => return Ok(Err(self.damaged(number, why))),
            Err(Fault::Altered(why)) => return Ok(Err(self.altered(number, why))),
        };
        match &event {
            Event::Opened(opened) if number == 1 => self.format = Some(opened.format),
            Event::Opened(_) => {
                return Ok(Err(self.altered(number, "a drill is opened once, in line 1".into())));
            }
            _ if number == 1 => {
                return Ok(Err(self.altered(number, "the first line does not open a drill".into())));
            }
            Event::Sealed { head, lines } if *head != self.walked.head || *lines != self.walked.lines => {
                let why = "its seal does not agree with the lines before it".to_owned();
                return Ok(Err(self.altered(number, why)));
            }
            Event::Sealed { lines, .. } => self.walked.sealed = *lines,
            _ => {}
        }
        for (wanted, found) in self.wanted.iter().zip(&mut self.walked.found) {
            if hash.starts_with(wanted.as_str()) {
                *found = Some(number);
            }
        }
        self.walked.head = hash;
        self.walked.lines = number;
        self.walked.bytes += bytes.len() as u64;
        let Line { seq, at, mono_ms, by, .. } = line;
        self.walked.events.push(Stamped { seq, at, mono_ms, by, event });
        Ok(Ok(()))
    }

    fn unreadable(&self, number: u64, bytes: &[u8], why: String) -> Trouble {
        let format = self.format.or_else(|| if number == 1 { line::format_of(bytes) } else { None });
        match format {
            Some(format) if format > FORMAT => {
                Trouble::Newer { path: self.path.clone(), line: number, format }
            }
            _ if bytes.last() != Some(&b'\n') || bytes.len() > limits::LINE_BYTES => {
                self.damaged(number, format!("it is longer than {} bytes", limits::LINE_BYTES))
            }
            _ => self.damaged(number, why),
        }
    }

    /// Which line was changed when one does not follow the line before it: the next one tells.
    fn misplaced(
        &self,
        line: &Line,
        hash: &str,
        file: &mut BufReader<std::fs::File>,
    ) -> Result<Trouble, Trouble> {
        let number = self.walked.lines + 1;
        if line.seq != number {
            let why = format!("it is numbered {}: lines are missing, added or in another order", line.seq);
            return Ok(self.altered(number, why));
        }
        if number == 1 {
            return Ok(self.altered(1, "the first line must follow 64 zeros".into()));
        }
        let mut next = Vec::new();
        self.one(file, &mut next)?;
        let vouched = match (line::read(&next), &self.walked.noted) {
            (Ok(next), _) => Some(next.prev == hash),
            (Err(_), Noted::Line(head, at)) if *at == number => Some(head == hash),
            (Err(_), _) => None,
        };
        Ok(if vouched == Some(false) {
            self.altered(number, "it does not follow the line before it".into())
        } else {
            let why = format!("line {number} names another content for it");
            self.altered(number - 1, why)
        })
    }

    /// The event, its evidence checked and, as far as wanted, put back.
    fn whole(&mut self, body: Body) -> Result<Event, Fault> {
        match body {
            Body::Away(away) => evidence::event(&evidence::fetch(self.record, &away)?),
            Body::Here(Event::Answered { key, question, reading: Kept::Elsewhere { evidence, bytes } }) => {
                let away = Away { evidence, bytes };
                let room = self.loaded.saturating_add(bytes) <= limits::EVIDENCE_LOADED_BYTES;
                let reading = if self.bring == Bring::Evidence && room {
                    self.loaded += bytes;
                    Kept::Whole(evidence::reading(&evidence::fetch(self.record, &away)?)?)
                } else {
                    evidence::check(self.record, &away)?;
                    Kept::Elsewhere { evidence: away.evidence, bytes }
                };
                Ok(Event::Answered { key, question, reading })
            }
            Body::Here(event) => Ok(event),
        }
    }

    /// `head` is written after the lines are durable, so lines it knows of cannot be missing after a crash.
    fn against_head(&self) -> Result<(), Trouble> {
        let Noted::Line(_, known) = self.walked.noted else { return Ok(()) };
        let lines = self.walked.lines;
        if known <= lines {
            Ok(())
        } else if known == lines + 1 && !self.walked.tail.is_empty() {
            Err(self
                .damaged(known, "it was written whole, as the head file shows, and is not whole now".into()))
        } else {
            Err(Trouble::Truncated { path: self.path.clone(), lines, known })
        }
    }

    fn damaged(&self, line: u64, why: String) -> Trouble {
        Trouble::Damaged { path: self.path.clone(), line, why }
    }

    fn altered(&self, line: u64, why: String) -> Trouble {
        Trouble::Altered { path: self.path.clone(), line, why }
    }
}

/// Checks that the embedded runbook and queries are those the record was opened with.
pub(super) fn check_embedded(record: &Path, opened: &Opened) -> Result<(), Trouble> {
    let named = opened.queries.iter().map(|(name, sum)| (format!("{}/{name}", folder::QUERIES), sum));
    let runbook = std::iter::once((folder::RUNBOOK.to_owned(), &opened.runbook_sha256));
    for (name, sum) in runbook.chain(named) {
        let parts: Vec<&str> = name.split('/').collect();
        let path = parts.iter().fold(record.to_owned(), |at, part| at.join(part));
        if !line::is_sha256(sum) || !parts.iter().all(|p| folder::is_plain_name(p)) {
            continue;
        }
        match folder::sum_of(&path)? {
            Some((found, _)) if found == *sum => {}
            Some(_) => {
                let why = "it is not the one the drill was opened with".to_owned();
                return Err(Trouble::FileAltered { path, why });
            }
            None => return Err(Trouble::FileDamaged { path, why: "it is not there".into() }),
        }
    }
    Ok(())
}

/// Tails that were set aside and of which the record does not tell yet, and those it tells of that are gone.
pub(super) fn check_tails(record: &Path, events: &[Stamped]) -> Result<Vec<folder::Aside>, Trouble> {
    let aside = folder::tails(record)?;
    for stamped in events {
        if let Event::TailRecovered { bytes, sha256 } = &stamped.event
            && !aside.iter().any(|(_, size, sum)| size == bytes && sum == sha256)
        {
            let line = stamped.seq;
            let why = format!("no tail-….bin has the {bytes} bytes that line {line} tells of");
            return Err(Trouble::FileDamaged { path: record.join(format!("tail-{line}.bin")), why });
        }
    }
    let told = |sum: &str| {
        events.iter().any(|s| matches!(&s.event, Event::TailRecovered { sha256, .. } if sha256 == sum))
    };
    Ok(aside.into_iter().filter(|(_, _, sum)| !told(sum)).collect())
}

/// Puts a reading that was left in its file back, for those who look at it later.
pub fn fetch_reading(
    record: &Path,
    evidence: &str,
    bytes: u64,
) -> Result<Arc<crate::reading::Reading>, Trouble> {
    let away = Away { evidence: evidence.to_owned(), bytes };
    let path = record.join(folder::EVIDENCE).join(if line::is_sha256(evidence) { evidence } else { "?" });
    evidence::fetch(record, &away).and_then(|bytes| evidence::reading(&bytes)).map_err(|fault| match fault {
        Fault::Damaged(why) => Trouble::FileDamaged { path, why },
        Fault::Altered(why) => Trouble::FileAltered { path, why },
    })
}
