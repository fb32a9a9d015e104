//! Full screen, plain lines and unattended: the same drill gives the same events.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Home, events};
use crate::pty::Terminal;

fn small() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks/small.yaml").display().to_string()
}

#[test]
fn the_three_ways_to_walk_a_drill_give_the_same_events() {
    let headless = {
        let home = Home::new();
        home.run(&["rehearse", "--no-input", "--runbook", &small()]).exits(0);
        told(&home)
    };
    let plain = {
        let home = Home::new();
        walk_plain(&home);
        told(&home)
    };
    assert_eq!(headless, plain, "headless on the left, plain on the right");
    let screen = {
        let home = Home::new();
        walk_screen(&home);
        told(&home)
    };
    assert_eq!(headless, screen, "headless on the left, full screen on the right");
    assert!(headless.len() > 15 && headless.iter().any(|l| l.contains("intended")), "{headless:#?}");
}

/// Answers plain mode's questions as a person would: by what is asked, not by counting.
fn walk_plain(home: &Home) {
    let mut child = home
        .command(&["rehearse", "--plain", "--runbook", &small()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut keys, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (post, bytes) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut byte = [0];
        while matches!(std::io::Read::read(&mut out, &mut byte), Ok(1)) {
            if post.send(byte[0]).is_err() {
                break;
            }
        }
    });
    let (mut all, mut new) = (Vec::new(), Vec::new());
    loop {
        match bytes.recv_timeout(std::time::Duration::from_millis(150)) {
            Ok(byte) => new.push(byte),
            // Silence after a colon and a blank is a question; other silence is waiting.
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) if new.ends_with(b": ") => {
                let told = String::from_utf8_lossy(&new).into_owned();
                let said = answer(&told);
                all.append(&mut new);
                all.extend_from_slice(format!("<<{said}>>").as_bytes());
                writeln!(keys, "{said}").unwrap();
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => assert!(all.len() < 100_000),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    let all = format!("{}{}", String::from_utf8_lossy(&all), String::from_utf8_lossy(&new));
    assert_eq!(child.wait().unwrap().code(), Some(0), "{all}");
}

/// What to type after all this was told.
fn answer(told: &str) -> String {
    let question = told.lines().next_back().unwrap_or_default();
    if question.starts_with("Who does it (") {
        return "Robin".to_owned();
    }
    if question.starts_with("Type yes") {
        return "yes".to_owned();
    }
    if question.starts_with("Closing words") {
        return String::new();
    }
    if !question.starts_with("Your choice") {
        return "Told by phone".to_owned();
    }
    let ready = told.lines().any(|l| l.starts_with("Step ") && l.ends_with(" ready."));
    let wanted: &[&str] = if ready {
        &["run this step"]
    } else {
        &["completed", "go to the next step", "close the drill", "leave"]
    };
    let entry =
        |what: &&str| told.lines().find_map(|l| l.split_once(". ").filter(|(_, w)| w.starts_with(what)));
    wanted.iter().find_map(entry).map_or_else(|| panic!("{told}"), |(n, _)| n.to_owned())
}

fn walk_screen(home: &Home) {
    let mut t = Terminal::start(home.command(&["rehearse", "--runbook", &small()]), 24, 80);
    let passed = |step: &'static str| {
        move |t: &Terminal| {
            let judged = events(&home.only_record());
            let passed = |e: &Value| {
                e["judged"]["key"]["step"] == step
                    && e["judged"]["key"]["stage"] != "resolve"
                    && e["judged"]["verdict"] == "pass"
            };
            // The record is ahead of the screen.
            judged.iter().any(passed) && (step == "still" || t.shown().contains("ready"))
        }
    };
    t.sees("Who does it");
    t.types("r");
    t.sees("a person");
    // To the button, then the button.
    t.types("Robin\r\r");
    t.waits("1 passed", passed("named"));
    t.types("t");
    t.sees("2 The servers answer ─");
    t.types("r");
    t.waits("2 passed", passed("answers"));
    t.types("t");
    t.sees("3 The history job is off ─");
    t.types("r");
    t.sees("Cancel");
    t.types("\t\r");
    t.waits("3 passed", passed("held"));
    t.types("t");
    t.sees("4 The others have been told ─");
    t.types("r");
    t.sees("Cancel");
    t.types("Told by phone\t\t\r");
    t.waits("4 passed", passed("told"));
    t.types("t");
    t.sees("5 The agent still runs ─");
    t.types("r");
    t.waits("5 passed", passed("still"));
    t.types("X");
    t.sees("Close the drill");
    for _ in 0..3 {
        if t.shown().contains("< completed >") {
            break;
        }
        t.types("\u{1b}[C");
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    t.sees("< completed >");
    t.types("\t\t\t\r");
    t.sees("closed");
    t.types("q");
    assert_eq!(t.ends(), 0, "{}", t.shown());
}

/// Kinds and payloads, without times, ids and places that differ from run to run.
fn told(home: &Home) -> Vec<String> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for event in events(&home.only_record()) {
        let Some((kind, body)) = event.as_object().and_then(|o| o.iter().next()) else { continue };
        // How often the head is sealed, and what differs by front end on purpose.
        if ["sealed", "opened"].contains(&kind.as_str()) {
            continue;
        }
        let attempt = format!(
            "{}/{}",
            body["key"]["step"].as_str().or(body["step"].as_str()).unwrap_or_default(),
            body["key"]["stage"].as_str().unwrap_or_default()
        );
        lines.push((attempt, format!("{kind} {}", plain_value(body))));
    }
    // Answers of one round, and outcomes of one step's actions, come in any order.
    let mut out: Vec<String> = Vec::new();
    let kind = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let together = |a: &(String, String), b: &(String, String)| {
        a.0 == b.0 && kind(&a.1) == kind(&b.1) && ["answered", "acted"].contains(&kind(&a.1).as_str())
    };
    for chunk in lines.chunk_by(together) {
        let mut chunk: Vec<String> = chunk.iter().map(|(_, l)| l.clone()).collect();
        chunk.sort();
        out.extend(chunk);
    }
    out
}

fn plain_value(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(k, _)| !["took_ms", "clock", "at", "head", "baseline"].contains(&k.as_str()))
            .map(|(k, v)| (k.clone(), plain_value(v)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        // A job: whether its every-minute run is under way depends on the second it was asked in.
        Value::Array(all) if all.len() == 6 && all[0]["guid"].is_string() => {
            let mut job: Vec<Value> = all.iter().map(plain_value).collect();
            job[4] = "(running or not)".into();
            job.into()
        }
        Value::Array(all) => all.iter().map(plain_value).collect(),
        // How often a job of the world has run depends on the minute it was made in.
        Value::Number(n) if n.as_i64().is_some_and(|n| n > 100) => "(a count)".into(),
        Value::String(text) if is_time(text) => "(a time)".into(),
        other => other.clone(),
    }
}

fn is_time(text: &str) -> bool {
    text.len() > 15 && text.as_bytes()[4] == b'-' && text.as_bytes()[10] == b'T'
}
