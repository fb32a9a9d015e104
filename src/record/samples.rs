//! Small records for tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Embedded, Record, sha256};
use crate::check::{Finding, Judgement, Verdict};
use crate::clock::{DrillClock, Stamp};
use crate::engine::{By, Closing, Event, Inputs, Kept, Opened, QuestionRef, RoundKey, Stage};
use crate::reading::{Cell, Column, Kind, Reading, ServerFacts, Source};
use crate::runbook::Mode;

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_209_600_000).unwrap()
}

/// So many seconds after the start.
pub(crate) fn at(seconds: i64) -> Stamp {
    Stamp { at: start() + TimeDelta::seconds(seconds), mono_ms: seconds as u64 * 1000 }
}

pub(crate) fn anna() -> By {
    By::Operator("anna".into())
}

pub(crate) fn holder_here() -> String {
    super::holder("anna", "JUMP01", 4711, start())
}

pub(crate) fn embedded() -> Embedded {
    Embedded {
        runbook: "runbook: two-steps\n".into(),
        queries: BTreeMap::from([("sql-databases.sql".into(), "SELECT 1 AS n;\n".into())]),
    }
}

pub(crate) fn opened() -> Event {
    Event::Opened(Box::new(Opened {
        format: super::FORMAT,
        record: "20261120-200000-ab12".into(),
        tool: "0.1.0".into(),
        analyses: BTreeMap::new(),
        operator: "anna".into(),
        host: "JUMP01".into(),
        mode: Mode::Rehearsal,
        runbook: "two-steps".into(),
        runbook_version: 1,
        runbook_sha256: sha256(embedded().runbook.as_bytes()),
        queries: embedded().queries.iter().map(|(n, t)| (n.clone(), sha256(t.as_bytes()))).collect(),
        inputs: Inputs { estate: "biztalk".into(), environment: "sandbox".into(), ..Inputs::default() },
        rto_seconds: Some(14_400.0),
        rpo_seconds: Some(1800.0),
        clock: DrillClock { origin: start(), since: start(), speed: 1.0 },
        sandbox: None,
        fault_commitment: None,
        previous_head: None,
    }))
}

pub(crate) fn key(step: &str) -> RoundKey {
    RoundKey { step: step.into(), attempt: 1, stage: Stage::Check }
}

pub(crate) fn question() -> QuestionRef {
    QuestionRef { proof: 0, ask: "it".into(), server: "DR01".into(), database: None }
}

/// A reading of one text cell of so many bytes.
pub(crate) fn reading(bytes: usize) -> Arc<Reading> {
    Arc::new(Reading {
        source: Source::Sql,
        server: Some(ServerFacts {
            name: "DR01\\BTS".into(),
            version: "15.0.4430.1".into(),
            simulated: true,
            clock: start(),
            offset_minutes: 60,
        }),
        query_sha256: Some(sha256(b"SELECT 1 AS n;\n")),
        columns: vec![Column { name: "n".into(), kind: Kind::Text }],
        rows: vec![vec![Cell::text("x".repeat(bytes))]],
        row_count: 1,
        truncated: false,
        took_ms: 12,
        messages: Vec::new(),
    })
}

pub(crate) fn answered(bytes: usize) -> Event {
    Event::Answered { key: key("databases"), question: question(), reading: Kept::Whole(reading(bytes)) }
}

pub(crate) fn judged(verdict: Verdict, last: bool) -> Event {
    let finding = Finding::new("state-is").with("state", "ONLINE");
    Event::Judged {
        key: key("databases"),
        judgements: vec![Judgement::of_server(verdict, "DR01", vec![finding])],
        verdict,
        polls: 1,
        last,
    }
}

/// The events of a small drill, in batches.
pub(crate) fn drill() -> Vec<(By, Stamp, Vec<Event>)> {
    let asked = Event::Asked { key: key("databases"), recheck_for: None, questions: vec![question()] };
    let skip = Event::Skipped { step: "accepted".into(), reason: "nobody | at <home>".into() };
    vec![
        (anna(), at(0), vec![opened()]),
        (anna(), at(5), vec![asked]),
        (By::Drbook, at(6), vec![answered(4)]),
        (By::Drbook, at(6), vec![judged(Verdict::Pass, true)]),
        (anna(), at(30), vec![Event::Noted { step: None, text: "café\n`x` | y".into() }]),
        (anna(), at(60), vec![skip]),
        (anna(), at(61), vec![Event::Closed { closing: Closing::Completed, text: String::new() }]),
    ]
}

/// A small closed record.
pub(crate) fn closed() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "20261120-200000-ab12", &embedded(), &holder_here()).unwrap();
    for (by, stamp, events) in drill() {
        record.append(&by, stamp, events).unwrap();
    }
    let folder = record.folder().to_owned();
    (dir, folder)
}

/// A copy of a record's folder.
pub(crate) fn copy_of(folder: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(folder, dir.path());
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
