//! Help, lists, streams that close early, and arguments that make no sense.

use crate::program::Home;

#[test]
fn help_names_every_command_and_every_exit_code() {
    let help = Home::new().run(&["--help"]).exits(0);
    for command in
        ["rehearse", "run", "resume", "lint", "doctor", "records", "sandbox", "schema", "completions", "man"]
    {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command}\n{}", help.stdout);
    }
    for code in
        ["0  passed", "1  unexpected", "2  usage", "3  configuration", "10  a check failed", "11  unknown"]
    {
        assert!(help.stdout.contains(code), "{code}\n{}", help.stdout);
    }
    for code in ["12  incomplete", "20  lint", "30  record damaged", "31  record altered", "32  record sound"]
    {
        assert!(help.stdout.contains(code), "{code}\n{}", help.stdout);
    }
    assert!(help.stdout.contains("130  interrupted"));
    assert_eq!(help.stderr, "");
}

#[test]
fn arguments_that_make_no_sense_are_usage_errors_and_touch_nothing() {
    let home = Home::new();
    for args in [
        &["--nope"][..],
        &["frob"],
        &["--no-input"],
        &["--lang", "xx", "records", "list"],
        &["rehearse", "--speed", "0"],
        &["rehearse", "--speed", "NaN"],
        &["sandbox", "serve", "--speed", "NaN"],
        &["completions", "cmd"],
        &["run", "biztalk-restore-to-mark"],
        &["run", "biztalk-restore-to-mark", "--estate", "e.yaml", "--mode", "war"],
        &["lint"],
    ] {
        let ran = home.run(args).exits(2);
        assert_eq!(ran.stdout, "", "{args:?}");
        assert!(!ran.stderr.is_empty(), "{args:?}");
    }
    assert!(!home.path().join("home").exists(), "nothing was made");
}

#[test]
fn a_name_that_is_not_there_is_answered_with_the_names_that_are() {
    let home = Home::new();
    let ran = home.run(&["rehearse", "--no-input", "--runbook", "nosuch"]).exits(3);
    assert_eq!(
        ran.stderr,
        "drbook: there is no runbook called `nosuch`\n  next: there are: backup-verification, biztalk-restore-to-mark\n"
    );
    let ran = home.run(&["rehearse", "--no-input", "mars"]).exits(3);
    let start = "drbook: there is no world called `mars`\n  next: there are: ";
    assert!(ran.stderr.starts_with(start) && ran.stderr.contains("biztalk, "), "{}", ran.stderr);
    let ran = home.run(&["sandbox", "serve", "--world", "mars"]).exits(3);
    let start = "drbook: there is no world called `mars`\n  next: there are: ";
    assert!(ran.stderr.starts_with(start) && ran.stderr.contains("biztalk, "), "{}", ran.stderr);
    let ran = home.run(&["rehearse", "--no-input", "--fault", "nope"]).exits(3);
    assert!(
        ran.stderr.contains(
            "there is no fault `nope`\n  next: these fit world biztalk: agent-stopped, black-hole, "
        ),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_sandbox_lists_its_worlds_and_faults() {
    let home = Home::new();
    let text = home.run(&["sandbox", "worlds"]).exits(0).stdout;
    let json = home.run(&["--json", "sandbox", "worlds"]).exits(0).json();
    for world in ["biztalk", "biztalk-three-sources", "quiet-night", "big"] {
        assert!(text.lines().any(|l| l.starts_with(&format!("{world} "))), "{text}");
        let found = json.as_array().unwrap().iter().find(|w| w["id"] == world).unwrap();
        assert!(found["title"].as_str().is_some_and(|t| t.len() > 10), "{found}");
    }
    let text = home.run(&["sandbox", "faults"]).exits(0).stdout;
    let json = home.run(&["--json", "sandbox", "faults"]).exits(0).json();
    let ids: Vec<&str> = json.as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect();
    for fault in [
        "black-hole",
        "diverged",
        "empty-answer",
        "job-fails",
        "lagging",
        "missing-file",
        "open-gap",
        "server-down",
        "slow",
        "wrong-password",
    ] {
        assert!(ids.contains(&fault) && text.contains(&format!("{fault} ")), "{fault}");
    }
    assert!(ids.len() >= 30, "{ids:?}");
    for fault in json.as_array().unwrap() {
        assert!(!fault["worlds"].as_array().unwrap().is_empty(), "{fault}");
        assert!(["standing", "during"].contains(&fault["when"].as_str().unwrap()), "{fault}");
        assert!(fault["imitates"].as_str().is_some_and(|t| !t.is_empty()), "{fault}");
    }
}

#[test]
fn completions_manual_and_schemas_are_printed_whole() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(home.run(&["completions", shell]).exits(0).stdout.contains("rehearse"), "{shell}");
    }
    let man = home.run(&["man"]).exits(0);
    assert!(man.stdout.contains(".TH drbook") && man.stdout.contains("record altered"));
    for (format, title) in [("runbook", "phases"), ("estate", "servers")] {
        let schema = home.run(&["schema", format]).exits(0).json();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(schema["properties"][title].is_object(), "{format}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_is_no_error() {
    use std::io::{BufRead, BufReader};
    let home = Home::new();
    for args in [&["man"][..], &["--help"], &["schema", "runbook"]] {
        let mut child = home
            .command(args)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let done = child.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&done.stderr), "", "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn data_that_a_full_disk_did_not_take_is_no_success() {
    let home = Home::new();
    let mut command = home.command(&["man"]);
    let done = command
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("No space left") && said.contains("next:"), "{said}");
}

#[test]
fn without_a_terminal_the_program_goes_on_in_plain_lines_without_a_single_escape() {
    let home = Home::new();
    for (name, value) in [("TERM", "dumb"), ("TERM", "xterm"), ("NO_COLOR", "1")] {
        let mut command = home.command(&[]);
        command.env(name, value);
        let ran = crate::program::finish(command, b"", std::time::Duration::from_secs(20)).exits(0);
        assert!(ran.stdout.starts_with("drbook, plain mode."), "{}", ran.stdout);
        assert!(ran.stdout.contains("1. Start: "), "{}", ran.stdout);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'));
    }
}

#[test]
fn plain_mode_says_what_can_be_typed_when_something_else_was() {
    let home = Home::new();
    let ran = home.typed(&["--plain"], "zzz\n99\n-1\n\n0\n").exits(0);
    let again = ran.stdout.matches("That is not one of the numbers. Type a number from 1 to ").count();
    assert!(again >= 4, "{}", ran.stdout);
}

#[test]
fn doctor_without_an_estate_shows_the_folders_and_what_to_name() {
    let home = Home::new();
    let ran = home.run(&["doctor"]).exits(0);
    for part in ["library ", "records ", "sandboxes ", "next: name an estate with --estate FILE"] {
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
    }
    home.run(&["doctor", "--estate", "nope.yaml"]).exits(3);
}
