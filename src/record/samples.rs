//! Small records for tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Embedded, Record, sha256};
use crate::check::Verdict;
use crate::check::expect::{Expectation, What};
use crate::clock::{DrillClock, Span, Stamp};
use crate::engine::{
    By, Closing, Command, Event, Inputs, Kept, Opened, QuestionRef, RoundKey, ServerInput, Session, Stage,
    Stamped, Taken, decide,
};
use crate::reading::{Cell, Column, Kind, Reading, ServerFacts, Source};
use crate::runbook::{Ask, Judge, Measure, Mode, Phase, Proof, Role, RoleKind, Runbook, Step, StepKind};
use crate::text::Text;

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_795_209_600_000).unwrap()
}

/// So many seconds after the start.
pub(crate) fn at(seconds: i64) -> Stamp {
    Stamp { at: start() + TimeDelta::seconds(seconds), mono_ms: seconds.max(0) as u64 * 1000 }
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
        inputs: Inputs {
            estate: "biztalk".into(),
            environment: "sandbox".into(),
            servers: BTreeMap::from([("DR01".into(), ServerInput::default())]),
            roles: BTreeMap::from([("dr".into(), vec!["DR01".into()])]),
            ..Inputs::default()
        },
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

/// Two steps: a check of the databases, and a word that all is accepted.
pub(crate) fn book() -> Arc<Runbook> {
    let what = What::Every { column: "n".into(), one_of: vec![Cell::text("xxxx")] };
    let ask = Ask {
        name: "it".into(),
        on: "dr".into(),
        query: "sql/databases".into(),
        place: None,
        with: BTreeMap::new(),
        deadline: None,
    };
    let proof =
        Proof { asks: vec![ask], judge: Judge::Expect(vec![Expectation { what, otherwise: Verdict::Fail }]) };
    let step = |number, id: &str, kind| Step {
        number,
        id: id.into(),
        phase: 0,
        title: Text::en(format!("Step {id}")),
        why: Text::default(),
        remedy: Text::default(),
        needs: Vec::new(),
        when: None,
        plan: Some(Span::minutes(5)),
        kind,
        repeat: None,
        guard: None,
    };
    let role = Role { kind: RoleKind::Sql, many: true, may_be_down: false };
    Arc::new(Runbook {
        id: "two-steps".into(),
        version: 1,
        title: Text::en("Two steps"),
        modes: vec![Mode::Rehearsal, Mode::Drill, Mode::Incident],
        read_only: true,
        roles: BTreeMap::from([("dr".into(), role)]),
        rto: None,
        rpo: None,
        measure: Measure::default(),
        phases: vec![Phase { id: "all".into(), title: Text::en("All") }],
        steps: vec![
            step(1, "databases", StepKind::Check(vec![proof])),
            step(2, "accepted", StepKind::Manual { text: Text::en("Say so."), prove: Vec::new() }),
        ],
    })
}

/// The events of a small drill as the engine makes them, in batches; the answer is a text of so many bytes.
pub(crate) fn drill_with(answer_bytes: usize) -> Vec<(By, Stamp, Vec<Event>)> {
    let Event::Opened(open) = opened() else { unreachable!() };
    let outcomes = vec![(question(), Ok((*reading(answer_bytes)).clone()))];
    let taken = Taken::Round { key: key("databases"), outcomes, poll: 1 };
    let skip = Command::Skip { step: "accepted".into(), reason: "nobody | at <home>".into() };
    let commands = vec![
        (anna(), at(0), Command::Open(open)),
        (anna(), at(5), Command::Ask { step: "databases".into() }),
        (By::Drbook, at(6), Command::Take(taken)),
        (anna(), at(30), Command::Note { step: None, text: "café\n`x` | y".into() }),
        (anna(), at(60), skip),
        (anna(), at(61), Command::Close { closing: Closing::Completed, text: String::new() }),
    ];
    let mut session = Session::new(book());
    let mut batches = Vec::new();
    for (by, stamp, command) in commands {
        let mut events = decide(&session, command, stamp).unwrap();
        let mut done = 0;
        loop {
            for event in events[done..].iter().cloned() {
                let (seq, by) = (session.events + 1, by.clone());
                session.apply(&Stamped { seq, at: stamp.at, mono_ms: stamp.mono_ms, by, event });
            }
            done = events.len();
            let Some(next) = session.follows() else { break };
            events.extend(decide(&session, next, stamp).unwrap());
        }
        batches.push((by, stamp, events));
    }
    batches
}

/// The same with an answer that passes.
pub(crate) fn drill() -> Vec<(By, Stamp, Vec<Event>)> {
    drill_with(4)
}

/// Writes batches as a record.
pub(crate) fn written(batches: Vec<(By, Stamp, Vec<Event>)>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "20261120-200000-ab12", &embedded(), &holder_here()).unwrap();
    for (by, stamp, events) in batches {
        record.append(&by, stamp, events).unwrap();
    }
    let folder = record.folder().to_owned();
    (dir, folder)
}

/// A small closed record.
pub(crate) fn closed() -> (tempfile::TempDir, PathBuf) {
    written(drill())
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
