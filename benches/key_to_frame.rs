//! From a key to the frame that answers it: a runbook of 500 steps, a question under way to a server that never answers.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench prints, and stops where it cannot go on"
)]

mod figures;
mod terminal;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use figures::Figures;
use terminal::Terminal;

const STEPS: usize = 500;
const KEYS: usize = 400;

fn book() -> String {
    let mut book = String::from(
        "runbook: long\nversion: 1\ntitle: A long runbook\nmodes: [drill]\nroles:\n  server: { sql: many }\n\
         phases:\n  - phase: all\n    title: All\n    steps:\n",
    );
    for n in 1..=STEPS {
        write!(
            book,
            "      - step: step-{n}\n        title: Title {n:03}\n        why: Because of {n:03}.\n        plan: 1m\n        \
             check:\n          on: server\n          query: server/clock\n          deadline: 10m\n          \
             expect: [ {{ present: clock }} ]\n"
        )
        .unwrap();
    }
    book
}

fn main() {
    let home = tempfile::tempdir().unwrap();
    // Takes connections into its backlog and never says a word.
    let hole = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let estate = format!(
        "estate: hole\nenvironment: test\nservers:\n  HOLE:\n    host: 127.0.0.1\n    port: {}\n    \
         login: {{ user: u, password: {{ env: BENCH_SECRET }} }}\nroles:\n  server: [HOLE]\n",
        hole.local_addr().unwrap().port()
    );
    let (book_file, estate_file) = (home.path().join("long.yaml"), home.path().join("estate.yaml"));
    std::fs::write(&book_file, book()).unwrap();
    std::fs::write(&estate_file, estate).unwrap();

    let mut echo = Terminal::start("cat", &[], home.path());
    let mut baseline = Vec::new();
    for n in 0..KEYS {
        let began = Instant::now();
        echo.press(&format!("\r{n:04}"));
        echo.wait("an echo", |shown| shown.contains(&format!("{n:04}")));
        baseline.push(began.elapsed());
    }
    echo.press("\r\u{4}");
    echo.end();

    let arguments =
        ["run", book_file.to_str().unwrap(), "--estate", estate_file.to_str().unwrap(), "--mode", "drill"];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_drbook"), &arguments, home.path());
    terminal.wait("the drill", |shown| shown.contains("Because of 001") && shown.contains(" r run"));
    terminal.press("r");
    terminal.wait("a question under way", |shown| !shown.contains(" r run"));
    let mut frames = Vec::new();
    let mut under_way = 0;
    for key in 0..KEYS {
        // the deadline of connecting ends a question; it is put again, so that one is always under way
        if key % 20 == 0 {
            terminal.press("g");
            terminal.wait("the first step", |shown| shown.contains("Because of 001"));
            terminal.press("r");
            std::thread::sleep(Duration::from_millis(100));
        }
        let at = key % 20 + 2;
        let began = Instant::now();
        terminal.press("j");
        terminal.wait("the next step", |shown| shown.contains(&format!("Because of {at:03}")));
        frames.push(began.elapsed());
        under_way += 1;
    }
    assert_eq!(under_way, KEYS);
    Figures::of(baseline).print("baseline: key to echo of `cat` in the same terminal");
    Figures::of(frames).print("key to frame, 500 steps, one server silent");
    drop(terminal);
    drop(hole);
}
