//! One turn of the loop that records one event, against a bare write and sync of the same bytes on the same disk.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench prints, and stops where it cannot go on"
)]

mod figures;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::time::Instant;

use drbook::clock::{DrillClock, system_now};
use drbook::drive::Drive;
use drbook::engine::{Act, ActResult, Command, Inputs, Item, Opened, Question};
use drbook::errand::Port;
use drbook::reading::{Reading, Trouble, TroubleCode};
use drbook::record::{self, Embedded, Record};
use drbook::runbook::{Mode, parse::parse};
use figures::Figures;

const BOOK: &str = include_str!("../runbooks/backup-verification.yaml");
const TURNS: usize = 500;

/// Nobody is ever asked.
#[derive(Clone)]
struct Nobody;

impl Port for Nobody {
    async fn ask(&self, _: &Question) -> Result<Reading, Trouble> {
        Err(Trouble::new(TroubleCode::Other, "nobody is asked"))
    }
    async fn act(&self, _: &Act, _: &Item) -> ActResult {
        ActResult::Done
    }
}

fn main() {
    // Beside the program, on a real disk: a temporary folder may lie in memory.
    let beside = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let root = tempfile::tempdir_in(&beside).unwrap();
    let book = Arc::new(parse(BOOK).0.unwrap());
    let embedded = Embedded { runbook: BOOK.to_owned(), queries: BTreeMap::new() };
    let holder = record::holder("bench", "here", std::process::id(), system_now());
    let record = Record::create(root.path(), "bench", &embedded, &holder).unwrap();
    let clock = DrillClock::starting_now(1.0);
    let opened = Opened {
        format: 1,
        record: "bench".into(),
        tool: env!("CARGO_PKG_VERSION").into(),
        analyses: BTreeMap::new(),
        operator: "bench".into(),
        host: "here".into(),
        mode: Mode::Rehearsal,
        runbook: book.id.clone(),
        runbook_version: book.version,
        runbook_sha256: String::new(),
        queries: BTreeMap::new(),
        inputs: Inputs::default(),
        rto_seconds: None,
        rpo_seconds: None,
        clock,
        sandbox: None,
        fault_commitment: None,
        previous_head: None,
    };
    let mut drive = Drive::open(book, record, opened, Nobody, Arc::new(clock), Arc::new(|_| {})).unwrap();
    let mut lines = File::open(drive.folder().join("events.jsonl")).unwrap();
    lines.seek(SeekFrom::End(0)).unwrap();
    let mut bare_file =
        OpenOptions::new().create(true).append(true).open(root.path().join("bare.jsonl")).unwrap();
    let (mut turns, mut bare, mut bytes) = (Vec::new(), Vec::new(), 0);
    for n in 0..TURNS {
        let note =
            Command::Note { step: None, text: format!("Note {n}: the share answers again since 21:04.") };
        let began = Instant::now();
        let recorded = drive.command(note).unwrap();
        turns.push(began.elapsed());
        assert_eq!(recorded.len(), 1);

        let mut line = Vec::new();
        lines.read_to_end(&mut line).unwrap();
        bytes = line.len();
        let began = Instant::now();
        bare_file.write_all(&line).unwrap();
        bare_file.sync_data().unwrap();
        bare.push(began.elapsed());
    }
    let (turns, bare) = (Figures::of(turns), Figures::of(bare));
    bare.print(&format!("baseline: write + fdatasync of {bytes} bytes"));
    turns.print("a turn that records one event");
    println!("ratio of the medians {:.2}", turns.median().as_secs_f64() / bare.median().as_secs_f64());
}
