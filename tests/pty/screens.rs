//! What a person sees and does in a terminal.

use std::path::Path;
use std::time::Duration;

use super::{Terminal, signal};
use crate::program::{Home, events};

fn small() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks/small.yaml").display().to_string()
}

/// Kinds of the events so far.
fn kinds(home: &Home) -> Vec<String> {
    let kind =
        |e: &serde_json::Value| e.as_object().and_then(|o| o.keys().next().cloned()).unwrap_or_default();
    events(&home.only_record()).iter().map(kind).filter(|k| k != "sealed").collect()
}

#[test]
fn wrong_keys_and_sizes_do_no_harm_and_q_leaves_the_terminal_as_it_was() {
    let home = Home::new();
    let mut t = Terminal::start(home.command(&["rehearse"]), 24, 80);
    t.sees("Declare");
    t.sees("SIMULATED");
    assert!(t.is_alternate());
    assert!(t.shown().contains("r run") && t.shown().contains("? help"), "{}", t.shown());
    // None of these means anything here, and none of them does anything.
    for keys in ["x", "Z", "%", "\u{1b}[15~", "0", "\u{7f}", "é"] {
        t.types(keys);
    }
    t.types("\u{1b}");
    t.sees("This is the top; q leaves.");
    assert_eq!(kinds(&home), ["opened"], "nothing was recorded by a wrong key");

    t.resize(20, 44);
    t.waits("44 columns", |t| t.shown().contains("REHEARSAL") && t.shown().contains("Declare"));
    t.resize(5, 20);
    t.sees("terminal too small");
    t.resize(40, 120);
    t.sees("Prove and hand over");
    t.resize(24, 80);
    t.waits("80x24 again", |t| !t.shown().contains("Prove and hand over") && t.shown().contains("q quit"));

    t.types("?");
    t.sees("close the drill for good");
    t.types("\u{1b}");
    t.sees("q quit");
    t.types("q");
    t.sees("Cancel");
    t.types("\u{1b}");
    t.sees("q quit");
    t.types("q");
    t.sees("Cancel");
    t.types("\t\r");
    assert_eq!(t.ends(), 12, "{}", t.shown());
    assert!(!t.is_alternate());
    assert!(t.shown().contains("go on with `drbook resume`"), "{}", t.shown());
}

#[test]
fn a_walk_killed_in_the_middle_is_shown_again_by_resume_as_it_was() {
    let home = Home::new();
    let mut t = Terminal::start(home.command(&["rehearse", "--runbook", &small()]), 24, 80);
    t.sees("Who does it");
    t.types("r");
    t.sees("a person");
    t.types("Robin\r\r");
    t.waits("step 1 passed", |t| t.shown().contains("PASS"));
    t.types("t");
    t.sees("2 The servers answer");
    t.types("r");
    t.waits("step 2 passed", |_| kinds(&home).iter().filter(|k| *k == "judged").count() >= 2);
    let before = kinds(&home);
    t.kill();

    let mut t = Terminal::start(home.command(&["resume"]), 24, 80);
    t.sees("Hold one job");
    t.waits("what had passed", |t| t.shown().matches("PASS").count() >= 2);
    assert_eq!(kinds(&home)[..before.len()], before[..], "nothing that was recorded is gone");
    t.types("q");
    t.sees("Cancel");
    t.types("\t\r");
    assert_eq!(t.ends(), 12);
    let verified = home.run(&["records", "verify"]);
    assert!(matches!(verified.code, Some(0 | 32)), "{verified:?}");
}

#[test]
fn a_signal_gives_the_terminal_back_and_exits_130() {
    for name in ["TERM", "HUP"] {
        let home = Home::new();
        let mut t = Terminal::start(home.command(&["rehearse", "--runbook", &small()]), 24, 80);
        t.sees("Who does it");
        signal(name, t.process());
        assert_eq!(t.ends(), 130, "{name}");
        assert!(!t.is_alternate(), "{name}");
        assert!(t.written().contains("\u{1b}[?25h"), "the cursor is back");
        home.run(&["records", "verify"]).exits(0);
    }
}

/// Programs that other tests start meanwhile would inherit this side of the terminal and keep it open.
#[test]
fn a_session_that_is_cut_ends_the_program_at_once() {
    let alone = "pty::screens::a_session_that_is_cut_while_nothing_else_runs";
    let mut tests = std::process::Command::new(std::env::current_exe().unwrap());
    let ran = tests.args(["--ignored", "--exact", alone]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn a_session_that_is_cut_while_nothing_else_runs() {
    for (args, nudge) in
        [(&["rehearse", "--runbook"][..], "\u{c}"), (&["rehearse", "--plain", "--runbook"], "\n")]
    {
        let home = Home::new();
        let mut t = Terminal::start(home.command(&[args, &[&small()]].concat()), 24, 80);
        t.sees("Who does it");
        t.hangs_up(nudge);
        // Two seconds, and more for a machine that is busy with other tests.
        t.ends_within(Duration::from_secs(15));
        let verified = home.run(&["records", "verify"]);
        assert!(matches!(verified.code, Some(0 | 32)), "{verified:?}");
    }
}

#[test]
fn home_starts_a_rehearsal_and_no_colour_is_written_without_colour() {
    let home = Home::new();
    let mut command = home.command(&["--glyphs", "ascii"]);
    command.env("NO_COLOR", "1");
    let mut t = Terminal::start(command, 24, 80);
    t.sees("Restore BizTalk databases to a mark");
    assert!(t.shown().is_ascii(), "{}", t.shown());
    for colour in 30..=37 {
        assert!(!t.written().contains(&format!("\u{1b}[{colour}m")), "colour {colour}");
    }
    t.types("q");
    t.ends();
    assert!(!t.is_alternate());
}
