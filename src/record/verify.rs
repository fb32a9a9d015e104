//! Checking a record: chain, seals, sums, evidence, and every verdict judged again from the evidence.
//!
//! Reads only, takes no lock, works on a copy. Its words claim no more than the files can show: a folder that agrees with
//! itself says nothing about who wrote it; only a head that was kept elsewhere does. Does not know how to read a runbook:
//! that is an argument.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::folder::{self, EVENTS, HEAD, SUMS};
use super::walk::{self, Bring, Noted, Walked};
use super::{Embedded, Trouble, line, lock, rejudge};
use crate::engine::{Closing, Event, Opened};
use crate::limits;
use crate::runbook::{Mode, Runbook};

pub use super::rejudge::{Difference, Rejudged};

/// Reads the runbook that a record carries, or says why it cannot.
pub type ReadBook<'a> = &'a dyn Fn(&Embedded) -> Result<Arc<Runbook>, String>;

/// What checking a record came to. The first that applies, worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Written in a newer format than this drbook reads.
    Newer {
        /// Its format.
        format: u32,
        /// The first line that was not understood.
        line: u64,
    },
    /// Something cannot be read.
    Damaged {
        /// Which file of the folder.
        file: String,
        /// Which line of it, from 1.
        line: Option<u64>,
        /// In words.
        why: String,
    },
    /// Everything can be read, and something disagrees.
    Altered {
        /// Which file of the folder.
        file: String,
        /// Which line of it, from 1.
        line: Option<u64>,
        /// In words.
        why: String,
    },
    /// Lines known to have been there are gone.
    Truncated {
        /// Lines there are.
        lines: u64,
        /// Lines there were.
        known: u64,
        /// Who knows: `head-file` or `given`.
        by: &'static str,
    },
    /// No line has the head that was given.
    DiffersFromHead {
        /// What was given.
        given: String,
    },
    /// A recorded verdict does not follow from its recorded evidence, with the same drbook and the same analyses.
    VerdictDiffers {
        /// How many.
        verdicts: usize,
    },
    /// Sound; a crash cut a line short, which was set aside (or still stands at the end).
    RecoveredTail {
        /// How many times.
        tails: usize,
    },
    /// Agrees with itself and with the head that was given.
    MatchesHead {
        /// The line that has it; later ones are younger than the head.
        line: u64,
        /// Lines in all.
        lines: u64,
    },
    /// Agrees with itself. Who wrote it is not established.
    Intact,
}

impl Outcome {
    /// The exit code: 0 sound, 30 damaged, 31 altered, 32 sound after a recovered tail, 11 cannot be told.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Newer { .. } => 11,
            Self::Damaged { .. } => 30,
            Self::Altered { .. }
            | Self::Truncated { .. }
            | Self::DiffersFromHead { .. }
            | Self::VerdictDiffers { .. } => 31,
            Self::RecoveredTail { .. } => 32,
            Self::MatchesHead { .. } | Self::Intact => 0,
        }
    }

    /// In one or two sentences.
    pub fn words(&self) -> String {
        let place = |line: &Option<u64>| line.map_or(String::new(), |n| format!(" at line {n}"));
        match self {
            Self::Newer { format, line } => format!(
                "cannot be told: line {line} is in format {format} of records, and this drbook reads up to format {}. \
                 Use a newer drbook.",
                super::FORMAT
            ),
            Self::Damaged { file, line, why } => format!("damaged{}: {file}: {why}.", place(line)),
            Self::Altered { file, line, why } => format!("altered{}: {file}: {why}.", place(line)),
            Self::Truncated { lines, known, by: "given" } => {
                format!("truncated: the head you gave is of line {known}, and there are {lines} lines.")
            }
            Self::Truncated { lines, known, .. } => {
                format!("truncated: the head file knows of {known} lines, and there are {lines}.")
            }
            Self::DiffersFromHead { given } => format!(
                "differs from the head you gave: no line has {given}. Lines were changed or cut off, or it is the head of \
                 another record."
            ),
            Self::VerdictDiffers { verdicts: 1 } => {
                "verdict differs on re-judging: one recorded verdict does not follow from its evidence.".into()
            }
            Self::VerdictDiffers { verdicts } => format!(
                "verdict differs on re-judging: {verdicts} recorded verdicts do not follow from their evidence."
            ),
            Self::RecoveredTail { tails } => format!(
                "recovered tail: sound, and {} cut short by a crash; nothing that was shown as recorded is missing as far \
                 as the files can show. Authorship is not established.",
                if *tails == 1 { "one line was".into() } else { format!("{tails} lines were") }
            ),
            Self::MatchesHead { line, lines } if line == lines => {
                "matches the head you gave: nothing was changed since that head was taken.".into()
            }
            Self::MatchesHead { line, lines } => format!(
                "matches the head you gave at line {line}: nothing up to there was changed; the {} lines after it are \
                 consistent with it.",
                lines - line
            ),
            Self::Intact => {
                "intact: internally consistent. Authorship is not established: only a head kept elsewhere can do that \
                 (`--head`)."
                    .into()
            }
        }
    }
}

/// What was found out about a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The verdict on the record.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The same in words.
    pub words: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its id.
    pub record: Option<String>,
    /// Runbook id.
    pub runbook: Option<String>,
    /// What it was for.
    pub mode: Option<Mode>,
    /// Version of drbook that opened it.
    pub tool: Option<String>,
    /// Version of its file format.
    pub format: Option<u32>,
    /// Good lines, from the first.
    pub lines: u64,
    /// SHA-256 of the last good line.
    pub head: String,
    /// Lines the last seal covers.
    pub sealed: u64,
    /// Time of the first event.
    pub started: Option<DateTime<Utc>>,
    /// How it was closed; absent = never.
    pub closed: Option<Closing>,
    /// Who writes it now, or left their lock behind.
    pub holder: Option<String>,
    /// Verdicts judged again; absent when that could not be done.
    pub rejudged: Option<Rejudged>,
    /// More to know, in words.
    pub notes: Vec<String>,
}

impl Report {
    /// See [`Outcome::exit_code`].
    pub fn exit_code(&self) -> u8 {
        self.outcome.exit_code()
    }

    /// For people, several lines.
    pub fn text(&self) -> String {
        let mut all = vec![self.words.clone()];
        let mut fact = |name: &str, value: &str| all.push(format!("  {name:<9}{value}"));
        fact("record", self.record.as_deref().unwrap_or("(unknown)"));
        fact("folder", &self.folder.display().to_string());
        fact("lines", &format!("{}, the last seal covers {}", self.lines, self.sealed));
        fact("head", &self.head);
        if let Some(rejudged) = &self.rejudged {
            fact("verdicts", &rejudged.words());
        }
        for note in &self.notes {
            fact("note", note);
        }
        line::plain_lines(&all.join("\n")) + "\n"
    }
}

/// A head somebody kept: the hash or its beginning, and the number of its line when that was kept too.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    hash: String,
    line: Option<u64>,
}

/// Reads `hash`, `hash lines` or `hash:lines`; at least eight digits of the hash.
fn kept(given: &str) -> Result<Kept, Trouble> {
    let wrong = || Trouble::NotAHead { given: crate::text::fit(&line::plain(given), 80, false) };
    let mut parts = given.split([' ', ':', '\t']).map(str::trim).filter(|p| !p.is_empty());
    let hash = parts.next().ok_or_else(wrong)?.to_ascii_lowercase();
    let number = parts.next().map(|n| n.parse().map_err(|_| wrong())).transpose()?;
    let is_hash = (8..=64).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hash || parts.next().is_some() {
        return Err(wrong());
    }
    Ok(Kept { hash, line: number })
}

/// Checks a record. Errors are only about reading the folder as such, and a head that is none.
pub fn verify(folder: &Path, head: Option<&str>, book: Option<ReadBook<'_>>) -> Result<Report, Trouble> {
    let given = head.map(kept).transpose()?;
    let wanted: Vec<String> = given.iter().map(|k| k.hash.clone()).collect();
    let bring = if book.is_some() { Bring::Evidence } else { Bring::Nothing };
    let mut walked = walk::walk(folder, bring, &wanted)?;
    let mut notes = Vec::new();
    let mut fault = walked.trouble.take().map(|t| outcome_of(t, folder)).transpose()?;
    fault = fault.or_else(|| head_fault(&walked, &mut notes));
    for check in [embedded_fault, tails_fault, sums_fault, reveal_fault] {
        if fault.is_none() {
            fault = check(folder, &walked, &mut notes)?;
        }
    }
    // A record that is not sound is not judged again: what it says cannot be trusted.
    let mut rejudged = None;
    if let (None, Some(book)) = (&fault, book) {
        match folder::read_embedded(folder).map_err(|t| t.to_string()).and_then(|e| book(&e)) {
            Ok(book) => rejudged = Some(rejudge::rejudge(&walked.events, book)),
            Err(why) => notes.push(format!("no verdict was judged again: {}", line::plain(&why))),
        }
    }
    let outcome = fault
        .or_else(|| given.as_ref().and_then(|k| against_given(k, &walked)))
        .or_else(|| rejudged.as_ref().and_then(unexplained))
        .or_else(|| tails_seen(&walked))
        .unwrap_or_else(|| match walked.found.first().copied().flatten() {
            Some(line) => Outcome::MatchesHead { line, lines: walked.lines },
            None => Outcome::Intact,
        });
    note_more(&mut notes, folder, &walked, rejudged.as_ref());
    let opened = walked.opened();
    Ok(Report {
        words: outcome.words(),
        outcome,
        folder: folder.to_owned(),
        record: opened.map(|o| line::plain(&o.record)),
        runbook: opened.map(|o| line::plain(&o.runbook)),
        mode: opened.map(|o| o.mode),
        tool: opened.map(|o| line::plain(&o.tool)),
        format: opened.map(|o| o.format),
        lines: walked.lines,
        head: walked.head.clone(),
        sealed: walked.sealed,
        started: walked.events.first().map(|s| s.at),
        closed: closing(&walked),
        holder: lock::holder_now(folder),
        rejudged,
        notes,
    })
}

fn closing(walked: &Walked) -> Option<Closing> {
    walked.events.iter().rev().find_map(|s| match s.event {
        Event::Closed { closing, .. } => Some(closing),
        _ => None,
    })
}

/// A trouble with the record as an outcome; one with the file system stays one.
fn outcome_of(trouble: Trouble, folder: &Path) -> Result<Outcome, Trouble> {
    let name = |path: PathBuf| {
        let inner = path.strip_prefix(folder).unwrap_or(&path);
        line::plain(
            &inner.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"),
        )
    };
    Ok(match trouble {
        Trouble::Damaged { path, line, why } => Outcome::Damaged { file: name(path), line: Some(line), why },
        Trouble::FileDamaged { path, why } => Outcome::Damaged { file: name(path), line: None, why },
        Trouble::Altered { path, line, why } => Outcome::Altered { file: name(path), line: Some(line), why },
        Trouble::FileAltered { path, why } => Outcome::Altered { file: name(path), line: None, why },
        Trouble::Truncated { lines, known, .. } => Outcome::Truncated { lines, known, by: "head-file" },
        Trouble::Newer { line, format, .. } => Outcome::Newer { format, line },
        other => return Err(other),
    })
}

type Fault = Result<Option<Outcome>, Trouble>;

fn embedded_fault(folder: &Path, walked: &Walked, _: &mut Vec<String>) -> Fault {
    let check = |opened: &Opened| walk::check_embedded(folder, opened).err();
    walked.opened().and_then(check).map(|t| outcome_of(t, folder)).transpose()
}

/// Whether the hidden fault that the closing event tells is the one the opening promised.
fn reveal_fault(_: &Path, walked: &Walked, notes: &mut Vec<String>) -> Fault {
    let committed = walked.opened().and_then(|o| o.fault_commitment.as_deref());
    let mut closings = walked.events.iter().filter_map(|s| match &s.event {
        Event::Closed { reveal, .. } => Some((s.seq, reveal.as_ref())),
        _ => None,
    });
    let altered = |line, why: &str| {
        Ok(Some(Outcome::Altered { file: EVENTS.to_owned(), line: Some(line), why: why.to_owned() }))
    };
    match (committed, closings.next_back()) {
        (None, Some((line, Some(_)))) => altered(line, "it reveals a hidden fault that nobody committed to"),
        (Some(_), Some((_, None))) => {
            notes.push(
                "the hidden fault that the opening committed to was not revealed at the end".to_owned(),
            );
            Ok(None)
        }
        (Some(committed), Some((line, Some(reveal)))) => {
            let whole = format!("{}{}", reveal.salt, reveal.fault);
            if super::sha256(whole.as_bytes()).eq_ignore_ascii_case(committed) {
                let fault = line::plain(&reveal.fault);
                notes.push(format!("the hidden fault was {fault}, as the opening committed to"));
                return Ok(None);
            }
            altered(line, "the hidden fault it reveals is not the one that the opening committed to")
        }
        (_, None) | (None, Some((_, None))) => Ok(None),
    }
}

fn tails_fault(folder: &Path, walked: &Walked, notes: &mut Vec<String>) -> Fault {
    match walk::check_tails(folder, &walked.events) {
        Ok(untold) => {
            for (name, ..) in untold {
                notes.push(format!(
                    "{name} was set aside and is not recorded yet: taking the drill up does that"
                ));
            }
            Ok(None)
        }
        Err(trouble) => outcome_of(trouble, folder).map(Some),
    }
}

fn head_fault(walked: &Walked, notes: &mut Vec<String>) -> Option<Outcome> {
    match &walked.noted {
        Noted::Unreadable => {
            let why = "it does not hold a hash and a line number".to_owned();
            return Some(Outcome::Damaged { file: HEAD.into(), line: None, why });
        }
        Noted::Line(hash, 0) if hash != line::GENESIS => {
            let why = "it names a line 0".to_owned();
            return Some(Outcome::Altered { file: HEAD.into(), line: None, why });
        }
        Noted::Nothing if walked.lines > 0 => {
            notes.push("the head file is gone or empty, so nothing vouches for the last line".into());
        }
        Noted::Line(_, known) if *known < walked.lines => {
            notes.push(format!("the head file knows of {known} lines: younger ones rest on the chain alone"));
        }
        _ => {}
    }
    None
}

fn sums_fault(folder: &Path, walked: &Walked, notes: &mut Vec<String>) -> Fault {
    let Some(sums) = folder::read_text(&folder.join(SUMS), limits::SUMS_BYTES)? else {
        if walked.closed() {
            notes.push("SHA256SUMS is not there, though the drill was closed".into());
        }
        return Ok(None);
    };
    let mut named = std::collections::BTreeSet::new();
    for (index, entry) in sums.lines().enumerate() {
        let damaged = |why: &str| Outcome::Damaged {
            file: SUMS.into(),
            line: Some(index as u64 + 1),
            why: why.to_owned(),
        };
        let Some((sum, name)) = entry.split_once("  ").filter(|(sum, _)| line::is_sha256(sum)) else {
            return Ok(Some(damaged("it is not a sum and a file's name")));
        };
        let parts: Vec<&str> = name.split('/').collect();
        if parts.iter().any(|p| p.is_empty() || *p == "." || *p == ".." || p.contains(['\\', ':'])) {
            return Ok(Some(damaged("it names a file outside the record")));
        }
        named.insert(name.to_owned());
        let path = parts.iter().fold(folder.to_owned(), |at, part| at.join(part));
        let file = line::plain(name);
        match folder::sum_of(&path)? {
            Some((found, _)) if found == sum => {}
            Some(_) => {
                let why = format!("it does not have the sum that {SUMS} gives it");
                return Ok(Some(Outcome::Altered { file, line: None, why }));
            }
            None => {
                let why = format!("it is not there, and {SUMS} names it");
                return Ok(Some(Outcome::Damaged { file, line: None, why }));
            }
        }
    }
    if !named.contains(EVENTS) {
        let why = format!("it does not name {EVENTS}");
        return Ok(Some(Outcome::Altered { file: SUMS.into(), line: None, why }));
    }
    for name in folder::files_below(folder)? {
        if !named.contains(&name) && !folder::is_outside_sums(&name) {
            notes.push(format!("{} is no part of the record", line::plain(&name)));
        }
    }
    Ok(None)
}

fn against_given(given: &Kept, walked: &Walked) -> Option<Outcome> {
    match (walked.found.first().copied().flatten(), given.line) {
        (Some(_), _) => None,
        (None, Some(known)) if known > walked.lines => {
            Some(Outcome::Truncated { lines: walked.lines, known, by: "given" })
        }
        (None, _) => Some(Outcome::DiffersFromHead { given: given.hash.clone() }),
    }
}

fn unexplained(rejudged: &Rejudged) -> Option<Outcome> {
    let verdicts = rejudged.differing.len();
    (verdicts > 0 && rejudged.changed.is_empty()).then_some(Outcome::VerdictDiffers { verdicts })
}

fn tails_seen(walked: &Walked) -> Option<Outcome> {
    let told = walked.events.iter().filter(|s| matches!(s.event, Event::TailRecovered { .. })).count();
    let tails = told + usize::from(!walked.tail.is_empty());
    (tails > 0).then_some(Outcome::RecoveredTail { tails })
}

fn note_more(notes: &mut Vec<String>, folder: &Path, walked: &Walked, rejudged: Option<&Rejudged>) {
    if !walked.tail.is_empty() {
        let bytes = walked.tail.len();
        notes.push(format!("{bytes} bytes of an unfinished line {} stand at the end", walked.lines + 1));
    }
    if let Some(rejudged) = rejudged {
        for difference in &rejudged.differing {
            notes.push(difference.words());
        }
        if !rejudged.differing.is_empty() && !rejudged.changed.is_empty() {
            let changed = rejudged.changed.join("; ");
            notes
                .push(format!("that is no alteration as such, for what judges has changed since: {changed}"));
        }
    }
    if walked.lines > 0 && !walked.closed() {
        notes.push("the drill was never closed".into());
    }
    if let Some(holder) = lock::holder_now(folder) {
        notes.push(format!("the lock names {holder}"));
    }
}
