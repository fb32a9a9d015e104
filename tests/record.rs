//! Records as others meet them: golden folders of every format version, the README's commands, two processes.

use std::fs;
use std::path::{Path, PathBuf};

use drbook::engine::{By, Event};
use drbook::record::verify::{Outcome, verify};
use drbook::record::{Embedded, Record, Trouble, holder};

fn golden(version: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records").join(version).join(name)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn working_copy(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&golden("v1", name), dir.path());
    dir
}

#[test]
fn records_of_version_1_are_read_as_they_were_written() {
    for (name, events, code) in [("closed", 10, 0), ("evidence", 10, 0), ("torn", 5, 32)] {
        let folder = golden("v1", name);
        let report = verify(&folder, None, None).unwrap();
        assert_eq!(report.exit_code(), code, "{name}: {}", report.text());
        let loaded = Record::read(&folder).unwrap();
        assert_eq!(loaded.events.len(), events, "{name}");
        assert_eq!(loaded.embedded.queries.len(), 1);
        assert!(matches!(&loaded.events[0].event, Event::Opened(o) if o.record == "20261120-200000-ab12"));
        let whole = loaded.events.iter().any(|s| match &s.event {
            Event::Answered { reading, .. } => reading.reading().is_some_and(|r| r.rows.len() == 1),
            _ => false,
        });
        assert!(whole, "{name}: the evidence is put back");
    }
}

#[test]
fn a_record_of_version_1_is_gone_on_with_here() {
    let dir = working_copy("torn");
    let who = holder("ben", "JUMP02", 7, drbook::clock::system_now());
    let (mut record, loaded) = Record::resume(dir.path(), &who, false).unwrap();
    assert!(matches!(loaded.owed.as_slice(), [Event::TailRecovered { bytes: 30, .. }]), "{:?}", loaded.owed);
    let stamp = drbook::clock::Stamp { at: loaded.events[4].at, mono_ms: 0 };
    record.append(&By::Drbook, stamp, loaded.owed).unwrap();
    drop(record);
    assert_eq!(verify(dir.path(), None, None).unwrap().outcome, Outcome::RecoveredTail { tails: 1 });
}

#[test]
fn a_clock_that_ran_back_is_recorded_before_what_follows() {
    let dir = working_copy("torn");
    let who = holder("ben", "JUMP02", 7, drbook::clock::system_now());
    let (mut record, loaded) = Record::resume(dir.path(), &who, false).unwrap();
    let earlier = loaded.events[4].at - chrono::TimeDelta::seconds(90);
    let note = |text: &str| vec![Event::Noted { step: None, text: text.into() }];
    let mut stamp = drbook::clock::Stamp { at: earlier, mono_ms: 0 };
    let written = record.append(&By::Drbook, stamp, note("back")).unwrap();
    assert!(matches!(written[0].event, Event::ClockSteppedBack { ms: 90_000 }));
    assert_eq!(written.len(), 2);
    stamp.at -= chrono::TimeDelta::milliseconds(900);
    assert_eq!(record.append(&By::Drbook, stamp, note("a little")).unwrap().len(), 1);
}

#[test]
fn a_record_cannot_be_made_twice_nor_outside_its_root() {
    let dir = tempfile::tempdir().unwrap();
    let who = holder("ben", "JUMP02", 7, drbook::clock::system_now());
    let made = Record::create(dir.path(), "one", &Embedded::default(), &who).unwrap();
    assert!(matches!(Record::create(dir.path(), "one", &Embedded::default(), &who), Err(Trouble::Io { .. })));
    for wrong in ["", ".", "..", "a/b", "a\\b", "C:", "x\n"] {
        let refused = Record::create(dir.path(), wrong, &Embedded::default(), &who);
        assert!(matches!(refused, Err(Trouble::Name { .. })), "{wrong:?}");
    }
    let queries = [("../x.sql".to_owned(), String::new())].into();
    let outside = Embedded { runbook: String::new(), queries };
    assert!(matches!(Record::create(dir.path(), "two", &outside, &who), Err(Trouble::Name { .. })));
    assert!(matches!(Record::resume(made.folder(), &who, true), Err(Trouble::Locked { .. })));
}

/// The commands of README.txt, as a reader would copy them.
#[cfg(unix)]
fn readme_commands(folder: &Path) -> String {
    let readme = fs::read_to_string(folder.join("README.txt")).unwrap();
    let commands = readme.lines().filter_map(|l| l.strip_prefix("    "));
    commands.fold(String::new(), |all, line| all + line + "\n")
}

#[cfg(unix)]
fn run(folder: &Path) -> (bool, String) {
    let done = std::process::Command::new("sh")
        .args(["-c", &readme_commands(folder)])
        .current_dir(folder)
        .output()
        .unwrap();
    (
        done.status.success(),
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr),
    )
}

#[test]
#[cfg(unix)]
fn the_commands_of_the_readme_check_a_record_without_drbook() {
    for name in ["closed", "evidence"] {
        let dir = working_copy(name);
        let who = holder("ben", "JUMP02", 7, drbook::clock::system_now());
        // The README as it is written today, in a record made today.
        let made = Record::create(&dir.path().join("new"), "r", &Embedded::default(), &who).unwrap();
        fs::copy(made.folder().join("README.txt"), dir.path().join("README.txt")).unwrap();
        drop(made);
        fs::remove_dir_all(dir.path().join("new")).unwrap();
        let sums = fs::read_to_string(dir.path().join("SHA256SUMS")).unwrap();
        let without: String =
            sums.lines().filter(|l| !l.ends_with("README.txt")).map(|l| format!("{l}\n")).collect();
        fs::write(dir.path().join("SHA256SUMS"), without).unwrap();

        let head = fs::read_to_string(dir.path().join("head")).unwrap();
        let (fine, said) = run(dir.path());
        assert!(fine, "{name}: {said}");
        let (hash, lines) = head.trim().split_once(' ').unwrap();
        assert!(said.contains(&format!("{lines} lines, head {hash}")), "{name}: {said}");

        let events = fs::read_to_string(dir.path().join("events.jsonl")).unwrap();
        fs::write(dir.path().join("events.jsonl"), events.replacen("\"attempt\":1", "\"attempt\":2", 1))
            .unwrap();
        let (fine, said) = run(dir.path());
        assert!(!fine && said.contains("line 3 does not follow"), "{name}: {said}");
        fs::write(dir.path().join("events.jsonl"), events).unwrap();
        fs::write(dir.path().join("runbook.yaml"), "x").unwrap();
        assert!(!run(dir.path()).0, "{name}: SHA256SUMS is checked too");
    }
}
