//! Files a person wrote: each fault with its place and what to do, and the right exit code.

use crate::program::Home;

const HEAD: &str = "runbook: mine
version: 1
title: { en: Mine }
modes: [rehearsal]
roles:
  source: { sql: one }
phases:
  - phase: one
    title: { en: One }
    steps:
";

fn step(id: &str, needs: &str, rest: &str) -> String {
    format!(
        "      - step: {id}
        title: {{ en: Step {id} }}
        why: {{ en: Because }}
        remedy: {{ en: Look }}
        needs: [{needs}]
        plan: 1m
{rest}        check:
          on: source
          query: server/identity
          expect: [ {{ every: simulated, equals: 1 }} ]
"
    )
}

/// Lints a text; returns stderr. Exit code and place are asserted.
#[track_caller]
fn lints(text: impl AsRef<[u8]>, code: i32, place: &str, words: &[&str]) {
    let home = Home::new();
    home.write("book.yaml", text);
    let ran = home.run(&["lint", "book.yaml"]).exits(code);
    assert!(ran.stderr.contains(place), "no {place} in\n{}", ran.stderr);
    for words in words {
        assert!(ran.stderr.contains(words), "no {words} in\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("help:") || ran.stderr.contains("next:"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn broken_yaml_is_placed() {
    lints("runbook: a\n  version: [1\n", 20, "book.yaml:2:10", &["error[not-yaml]"]);
}

#[test]
fn unknown_keys_and_a_cycle_are_all_reported_at_once() {
    let text = format!(
        "{}{}{}",
        HEAD.replace("version: 1", "version: 1\ncolour: red"),
        step("a", "b", "        chekc: 1\n"),
        step("b", "a", "")
    );
    let home = Home::new();
    home.write("book.yaml", &text);
    let ran = home.run(&["lint", "--concise", "book.yaml"]).exits(20);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.stderr);
    assert!(lines[0].starts_with("book.yaml:3:1: error[unknown-key]: unknown key `colour`"), "{}", lines[0]);
    assert!(lines[1].contains("these steps wait for each other: a -> b -> a"), "{}", lines[1]);
    assert!(lines[2].contains("unknown key `chekc`"), "{}", lines[2]);
    let json = home.run(&["--json", "lint", "book.yaml"]).exits(20).json();
    let codes: Vec<&str> = json.as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["unknown-key", "cycle", "unknown-key"]);
    assert_eq!((json[0]["line"].as_u64(), json[0]["column"].as_u64()), (Some(3), Some(1)));
}

#[test]
fn an_unknown_query_is_placed() {
    let text = format!("{HEAD}{}", step("a", "", "").replace("server/identity", "server/nothing"));
    lints(text, 20, "book.yaml:19:18", &["unknown-query", "server/nothing"]);
}

#[test]
fn an_alias_bomb_is_refused_at_once_and_placed() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (n, name) in ('b'..='m').enumerate() {
        let before = char::from(b'a' + u8::try_from(n).unwrap());
        text += &format!("{name}: &{name} [*{before}, *{before}, *{before}, *{before}, *{before}]\n");
    }
    lints(text, 20, "book.yaml:2:8", &["aliases"]);
}

#[test]
fn a_file_of_10_mib_is_not_read() {
    lints("# x\n".repeat(10 * 1024 * 1024 / 4), 20, "book.yaml", &["larger than 1048576 bytes"]);
}

#[test]
fn bytes_that_are_no_utf_8_are_placed() {
    lints(b"runbook: x\ntitle: caf\xe9\n", 20, "book.yaml:2:11", &["not UTF-8"]);
}

#[test]
fn deep_nesting_control_characters_and_an_empty_file_are_refused() {
    lints(format!("a: {}{}\n", "[".repeat(5000), "]".repeat(5000)), 20, "book.yaml:1:", &["nested deeper"]);
    lints("runbook: a\nversion: \0\n", 20, "book.yaml:2:10", &["control character"]);
    let home = Home::new();
    home.write("book.yaml", "");
    home.run(&["lint", "book.yaml"]).exits(20);
}

#[test]
fn a_folder_and_a_missing_file_are_configuration_errors() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("folder.yaml")).unwrap();
    let ran = home.run(&["lint", "folder.yaml"]).exits(3);
    assert!(ran.stderr.contains("folder.yaml is not a file\n  next: "), "{}", ran.stderr);
    let ran = home.run(&["lint", "missing.yaml"]).exits(3);
    assert!(ran.stderr.contains("missing.yaml cannot be read") && ran.stderr.contains("next: "));
}

#[test]
fn the_shipped_runbooks_are_clean_by_name_and_by_file() {
    let home = Home::new();
    for name in ["backup-verification", "biztalk-restore-to-mark"] {
        let ran = home.run(&["lint", name]).exits(0);
        assert!(ran.stderr.ends_with(": nothing wrong\n"), "{}", ran.stderr);
        let answers = crate::program::shipped(&format!("{name}.answers.yaml"));
        home.run(&["lint", answers.to_str().unwrap()]).exits(0);
    }
}

const ESTATE: &str = "estate: mine
environment: dr
servers:
  A: { host: 127.0.0.1, port: 1, login: { user: u, password: { env: DRBOOK_TEST_NO_SUCH } }, environment: dr }
roles: { management: A, destination: [A] }
databases: { management: BizTalkMgmtDb, expect: from-management }
";

#[test]
fn run_refuses_before_it_writes_a_record() {
    let home = Home::new();
    home.write("estate.yaml", ESTATE);
    home.write("half.yaml", ESTATE.replace(", destination: [A]", ""));
    home.write("broken.yaml", ESTATE.replace("port: 1", "port: many"));
    let book = std::fs::read_to_string(crate::program::shipped("backup-verification.yaml")).unwrap();
    home.write("only.yaml", book.replace("modes: [rehearsal, drill, incident]", "modes: [rehearsal]"));
    let answers = crate::program::shipped("backup-verification.answers.yaml");
    let run = |book: &str, estate: &str, mode: &str, code: i32, words: &[&str]| {
        let ran = home
            .run(&[
                "run",
                book,
                "--estate",
                estate,
                "--mode",
                mode,
                "--no-input",
                "--answers",
                answers.to_str().unwrap(),
            ])
            .exits(code);
        for words in words {
            assert!(ran.stderr.contains(words), "no {words} in\n{}", ran.stderr);
        }
    };
    run("backup-verification", "nope.yaml", "drill", 3, &["nope.yaml cannot be read", "next: "]);
    run("backup-verification", "broken.yaml", "drill", 3, &["broken.yaml:4:", "next: repair it"]);
    run(
        "backup-verification",
        "half.yaml",
        "drill",
        3,
        &["names nobody for the role `destination`", "next: "],
    );
    run("only.yaml", "estate.yaml", "drill", 3, &["may not be walked as drill; its modes are: rehearsal"]);
    let ran = home.run(&[
        "run",
        "backup-verification",
        "--estate",
        "estate.yaml",
        "--mode",
        "drill",
        "--no-input",
        "--answers",
        "nope.yaml",
    ]);
    assert!(ran.exits(3).stderr.contains("nope.yaml cannot be read"));
    assert!(!home.records().exists(), "no record was begun");
}

#[test]
fn a_dry_run_prints_every_step_and_connects_to_nothing() {
    let home = Home::new();
    home.write("estate.yaml", ESTATE);
    let ran = home
        .run(&["run", "biztalk-restore-to-mark", "--estate", "estate.yaml", "--mode", "drill", "--dry-run"])
        .exits(0);
    assert!(ran.stdout.contains("Nothing is connected to") && ran.stdout.contains("NO WAY BACK"));
    assert!(!home.records().exists());
}

/// Red or unknown, never green, and nothing was done to a server that cannot be asked.
#[test]
fn an_estate_that_cannot_be_reached_ends_unknown_and_acts_on_nothing() {
    let home = Home::new();
    home.write("estate.yaml", ESTATE);
    let book = std::fs::read_to_string(crate::program::shipped("backup-verification.yaml")).unwrap();
    home.write("book.yaml", book.replace("repeat: { every: 30s, for: 5m }", ""));
    let answers = crate::program::shipped("backup-verification.answers.yaml");
    let ran = home
        .run(&[
            "run",
            "book.yaml",
            "--estate",
            "estate.yaml",
            "--mode",
            "drill",
            "--no-input",
            "--answers",
            answers.to_str().unwrap(),
        ])
        .exits(11);
    assert!(ran.stderr.contains("environment variable DRBOOK_TEST_NO_SUCH is not set"), "{}", ran.stderr);
    let record = home.only_record();
    assert_eq!(ran.last_line(), record.display().to_string());
    assert!(crate::program::events(&record).iter().all(|e| e.get("intended").is_none()));
    home.run(&["records", "verify"]).exits(0);
    home.run(&["doctor", "--estate", "estate.yaml", "--no-input"]).exits(11);
}
