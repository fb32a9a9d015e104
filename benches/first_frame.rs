//! From the start of the process to its first frame, in a pseudo-terminal.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench prints, and stops where it cannot go on"
)]

mod figures;
mod terminal;

use std::time::Instant;

use figures::Figures;
use terminal::Terminal;

const DRBOOK: &str = env!("CARGO_BIN_EXE_drbook");

fn main() {
    let home = tempfile::tempdir().unwrap();
    let (mut bare, mut start, mut rehearsal) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..40 {
        let began = Instant::now();
        let mut terminal = Terminal::start(DRBOOK, &["--version"], home.path());
        terminal.wait("the version", |shown| shown.contains("drbook 0."));
        bare.push(began.elapsed());
        terminal.end();

        let began = Instant::now();
        let mut terminal = Terminal::start(DRBOOK, &[], home.path());
        // the last line is drawn last
        terminal.wait("home", |shown| shown.contains(" q quit"));
        start.push(began.elapsed());
        terminal.press("q");
        terminal.end();
    }
    for _ in 0..5 {
        let home = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let mut terminal = Terminal::start(DRBOOK, &["rehearse"], home.path());
        terminal.wait("the drill", |shown| shown.contains("recorded") && shown.contains(" r run"));
        rehearsal.push(began.elapsed());
    }
    let bare = Figures::of(bare);
    bare.print("baseline: process start to `--version` read");
    let start = Figures::of(start);
    start.print("process start to the first frame (home)");
    Figures::of(rehearsal).print("`rehearse`: servers made, drill opened, first frame");
}
