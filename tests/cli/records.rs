//! Records: listed, shown, exported, and checked after somebody or something touched them.

use std::path::{Path, PathBuf};

use crate::program::{Home, shipped};

fn small() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks/small.yaml")
}

/// A home with one closed record of a small rehearsal.
fn walked() -> (Home, PathBuf) {
    let home = Home::new();
    let ran = home.run(&["rehearse", "--no-input", "--runbook", small().to_str().unwrap()]).exits(0);
    let record = home.only_record();
    assert_eq!(ran.stdout, format!("{}\n", record.display()));
    (home, record)
}

/// A copy of a record with other events.
fn changed(home: &Home, record: &Path, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> PathBuf {
    let copy = home.path().join(name);
    copy_folder(record, &copy);
    let events = copy.join("events.jsonl");
    let bytes = change(std::fs::read(&events).unwrap());
    std::fs::write(&events, bytes).unwrap();
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_empty_folder_has_no_records_and_says_how_to_get_one() {
    let home = Home::new();
    let ran = home.run(&["records", "list"]).exits(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr),
        ("", format!("no records in {}\n", home.records().display()))
    );
    assert_eq!(home.run(&["--json", "records", "list"]).exits(0).stdout, "[]\n");
    for command in ["show", "verify", "export"] {
        let ran = home.run(&["records", command]).exits(3);
        assert!(ran.stderr.contains("next: `drbook rehearse` makes one"), "{}", ran.stderr);
        let ran = home.run(&["records", command, "nope"]).exits(3);
        assert!(ran.stderr.contains("is called `nope`"), "{}", ran.stderr);
    }
    let ran = home.run(&["resume"]).exits(3);
    assert!(ran.stderr.contains("no drill is open in ") && ran.stderr.contains("next: "), "{}", ran.stderr);
}

#[test]
fn a_record_is_listed_shown_exported_and_verified_and_each_change_has_its_own_exit_code() {
    let (home, record) = walked();
    let id = record.file_name().unwrap().to_str().unwrap().to_owned();

    let list = home.run(&["records", "list"]).exits(0);
    assert!(list.stdout.contains(&id) && list.stdout.contains("completed (SIMULATED)"), "{}", list.stdout);
    assert_eq!(home.run(&["records", "list", "--open"]).exits(0).stdout, "");
    let json = home.run(&["--json", "records", "list"]).exits(0).json();
    assert_eq!((json[0]["id"].as_str(), json[0]["runbook"].as_str()), (Some(id.as_str()), Some("small")));

    let verified = home.run(&["--json", "records", "verify", &id]).exits(0).json();
    assert!(verified.is_object(), "{verified}");
    let text = home.run(&["records", "verify"]).exits(0).stdout;
    assert!(text.starts_with("intact: internally consistent. Authorship is not established"), "{text}");
    let head = std::fs::read_to_string(record.join("head")).unwrap();
    let head = head.split_whitespace().next().unwrap();
    home.run(&["records", "verify", "--head", head]).exits(0);
    let other = head.chars().rev().collect::<String>();
    home.run(&["records", "verify", "--head", &other]).exits(31);

    assert!(home.run(&["records", "show"]).exits(0).stdout.contains("SIMULATED"));
    let file = home.path().join("report.md");
    home.run(&["records", "export", "-o", file.to_str().unwrap()]).exits(0);
    assert!(std::fs::read_to_string(&file).unwrap().contains("The history job is off"));
    home.run(&["records", "export", "--format", "json"]).exits(0).json();
    // A closed drill is not resumed.
    assert!(home.run(&["resume", &id, "--no-input"]).exits(3).stderr.contains("is closed"));

    let verify = |name: &str, code: i32, word: &str, change: fn(Vec<u8>) -> Vec<u8>| {
        let copy = changed(&home, &record, name, change);
        let path = copy.to_str().unwrap();
        let ran = home.run(&["records", "verify", path]).exits(code);
        assert!(ran.stdout.starts_with(word), "{name}: {}", ran.stdout);
        // Neither shown as if it were sound, nor gone on with.
        if code != 32 {
            assert_eq!(home.run(&["records", "show", path]).exits(code).stdout, "", "{name}");
            assert_eq!(home.run(&["resume", path, "--no-input"]).exits(code).stdout, "", "{name}");
        }
    };
    verify("middle", 31, "altered at line ", |mut bytes| {
        let at = find(&bytes, b"Robin");
        bytes[at] ^= 1;
        bytes
    });
    verify("unreadable", 30, "damaged at line ", |mut bytes| {
        let at = find(&bytes, b"\"event\":{\"entered\"");
        bytes[at] = b'!';
        bytes
    });
    verify("last", 31, "altered at line ", |mut bytes| {
        let at = bytes.len() - 20;
        bytes[at] ^= 1;
        bytes
    });
    verify("last-newline", 30, "damaged at line ", |mut bytes| {
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    });
    verify("unterminated", 30, "damaged at line ", |mut bytes| {
        bytes.pop();
        bytes
    });
    verify("cut", 31, "truncated: ", |mut bytes| {
        bytes.truncate(bytes.len() * 2 / 3);
        bytes
    });
    verify("empty", 31, "truncated: ", |_| Vec::new());
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|w| w == what).unwrap()
}

#[test]
fn a_line_that_was_never_finished_is_set_aside_and_the_drill_goes_on() {
    let home = Home::new();
    home.typed(&["rehearse", "--plain", "--runbook", small().to_str().unwrap()], "").exits(12);
    let record = home.only_record();
    let events = record.join("events.jsonl");
    let mut bytes = std::fs::read(&events).unwrap();
    bytes.extend_from_slice(b"{\"seq\":99,\"at\":\"2026-");
    std::fs::write(&events, bytes).unwrap();
    let ran = home.run(&["records", "verify"]).exits(32);
    assert!(ran.stdout.contains("unfinished line"), "{}", ran.stdout);
    let answers = small().with_file_name("small.answers.yaml");
    home.run(&["resume", "--no-input", "--answers", answers.to_str().unwrap()]).exits(0);
    let ran = home.run(&["records", "verify"]).exits(32);
    assert!(ran.stdout.contains("tail"), "{}", ran.stdout);
    assert!(
        std::fs::read_dir(&record)
            .unwrap()
            .any(|e| { e.unwrap().file_name().to_string_lossy().starts_with("tail-") })
    );
}

#[test]
fn a_records_folder_that_cannot_be_written_is_said_before_the_first_step() {
    let home = Home::new();
    home.write("file", "in the way");
    for (args, path) in [
        (&["--records", "file/x", "rehearse", "--no-input"][..], "file/x"),
        (&["--records", "file", "rehearse", "--no-input"], "file"),
        (&["--home", "file/x", "rehearse", "--no-input"], "file/x"),
        (&["--records", "file", "records", "list"], "file"),
    ] {
        let ran = home.run(args).exits(3);
        assert!(ran.stderr.contains(path) && ran.stderr.contains("next: "), "{args:?}\n{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

/// With the right to write taken away. Root writes anywhere, so there it shows nothing.
#[cfg(unix)]
#[test]
fn a_read_only_records_folder_is_a_configuration_error() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let folder = home.path().join("records");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o555)).unwrap();
    if std::fs::write(folder.join("probe"), "").is_ok() {
        return;
    }
    let ran = home.run(&["--records", "records", "rehearse", "--no-input"]).exits(3);
    assert!(ran.stderr.contains("next: "), "{}", ran.stderr);
}

#[test]
fn a_record_that_somebody_writes_is_refused_to_the_second_with_the_first_ones_name() {
    use std::io::{BufRead, BufReader, Write};
    let home = Home::new();
    let book = shipped("backup-verification.yaml");
    let mut command = home.command(&["rehearse", "--plain", "--runbook", book.to_str().unwrap()]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut first = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    // The drill is open once the first step is told.
    assert!(lines.any(|l| l.unwrap().starts_with("Step 1 of ")));
    let ran = home.run(&["resume", "--no-input"]).exits(3);
    let holder = format!("process {}", first.id());
    assert!(ran.stderr.contains("Tester on ") && ran.stderr.contains(&holder), "{}", ran.stderr);
    assert!(ran.stderr.contains("next: close the other drbook"), "{}", ran.stderr);
    let list = home.run(&["records", "list"]).exits(0);
    assert!(list.stdout.contains("open, held by Tester on "), "{}", list.stdout);
    // Its name for the last choice differs with the step; the end of input leaves as well.
    drop(first.stdin.take().map(|mut i| i.flush()));
    while lines.next().is_some_and(|l| l.is_ok()) {}
    assert_eq!(first.wait().unwrap().code(), Some(12));
    home.run(&["records", "verify"]).exits(0);
}

#[test]
fn a_hidden_fault_is_committed_to_at_the_opening_told_at_the_end_and_checked_by_verify() {
    let home = Home::new();
    let runbook = small();
    let args =
        ["rehearse", "--no-input", "--fault", "random", "--runbook", runbook.to_str().unwrap(), "--seed"];
    // A seed whose fault lets the small runbook come to its end.
    let mut seeds = (1..20).map(|n| n.to_string());
    let (record, closed) = seeds
        .find_map(|seed| {
            let ran = home.run(&[&args[..], &[seed.as_str()]].concat());
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            let record = PathBuf::from(ran.stdout.trim_end());
            let events = crate::program::events(&record);
            let closed = events.iter().find(|e| e["closed"].is_object())?["closed"].clone();
            Some((record, closed))
        })
        .unwrap();
    let events = crate::program::events(&record);
    let commitment = events[0]["opened"]["fault_commitment"].as_str().unwrap().to_owned();
    let (fault, salt) =
        (closed["reveal"]["fault"].as_str().unwrap(), closed["reveal"]["salt"].as_str().unwrap());
    assert_eq!(drbook::record::sha256(format!("{salt}{fault}").as_bytes()), commitment);
    let all = std::fs::read_to_string(record.join("events.jsonl")).unwrap();
    let (before, _) = all.split_once("\"event\":{\"closed\"").unwrap();
    assert!(!before.contains(salt) && !before.contains("reveal"), "nothing before the end tells");

    let path = record.to_str().unwrap();
    let verified = home.run(&["records", "verify", path]).exits(0).stdout;
    assert!(
        verified.contains(&format!("the hidden fault was {fault}, as the opening committed to")),
        "{verified}"
    );
    let report = home.run(&["records", "show", path]).exits(0).stdout;
    assert!(report.contains(&commitment) && report.contains(&format!("It was `{fault}`")), "{report}");
    let json = home.run(&["records", "export", path, "--format", "json"]).exits(0).json();
    assert_eq!(json["scenario"]["hidden_fault"]["fault"], *fault);
}
