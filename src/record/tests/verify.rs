//! What `verify` says, in words and codes.

use std::fs;

use super::super::samples::{
    anna, at, book, closed, copy_of, drill, drill_with, embedded, holder_here, opened, written,
};
use super::super::verify::{Outcome, Report, verify};
use super::super::*;
use crate::check::Verdict;
use crate::engine::{Event, Kept};

fn checked(folder: &Path) -> Report {
    verify(folder, None, Some(&|_| Ok(book()))).unwrap()
}

/// Writes a drill after a change to its events: a forger who knows how to chain.
fn forged(change: impl Fn(&mut Event)) -> Report {
    let mut batches = drill();
    batches.iter_mut().flat_map(|(_, _, events)| events).for_each(change);
    let (_dir, folder) = written(batches);
    checked(&folder)
}

#[test]
fn a_sound_record_is_intact_and_no_more_is_claimed() {
    let (_dir, folder) = closed();
    let report = checked(&folder);
    assert_eq!(report.outcome, Outcome::Intact, "{}", report.text());
    assert_eq!(report.exit_code(), 0);
    assert!(report.words.contains("internally consistent") && report.words.contains("not established"));
    let rejudged = report.rejudged.unwrap();
    assert_eq!((rejudged.verdicts, rejudged.same, rejudged.differing.len()), (1, 1, 0));
    assert_eq!(report.notes, Vec::<String>::new());
}

#[test]
fn a_head_kept_elsewhere_is_matched_whole_short_or_older() {
    let (_dir, folder) = closed();
    let loaded = Record::read(&folder).unwrap();
    let head = checked(&folder).head;
    let lines = loaded.events.len() as u64;
    for given in
        [head.clone(), head[..8].to_uppercase(), format!("{head} {lines}\n"), format!("{head}:{lines}")]
    {
        let report = verify(&folder, Some(&given), None).unwrap();
        assert_eq!(report.outcome, Outcome::MatchesHead { line: lines, lines }, "{given}");
    }
    let seal = loaded.events.iter().find_map(|s| match &s.event {
        Event::Sealed { head, lines } => Some((head.clone(), *lines)),
        _ => None,
    });
    let (older, line) = seal.unwrap();
    let report = verify(&folder, Some(&older), None).unwrap();
    assert_eq!(report.outcome, Outcome::MatchesHead { line, lines });
    for wrong in ["", "xyz", "1234567", "12345678 x", "12345678 1 2"] {
        assert!(matches!(verify(&folder, Some(wrong), None), Err(Trouble::NotAHead { .. })), "{wrong}");
    }
}

#[test]
fn lines_cut_off_are_noticed_by_the_head_file_and_by_a_head_kept_elsewhere() {
    let (_dir, folder) = closed();
    let head = checked(&folder).head;
    let lines = checked(&folder).lines;
    let text = fs::read_to_string(folder.join(EVENTS)).unwrap();
    let fewer: String = text.split_inclusive('\n').take(4).collect();
    fs::write(folder.join(EVENTS), fewer).unwrap();
    let report = checked(&folder);
    assert_eq!(report.outcome, Outcome::Truncated { lines: 4, known: lines, by: "head-file" });
    assert_eq!(report.exit_code(), 31);
    // The forger tidies up after themselves.
    fs::remove_file(folder.join(HEAD)).unwrap();
    fs::remove_file(folder.join(SUMS)).unwrap();
    assert_eq!(checked(&folder).outcome, Outcome::Intact);
    let with = |given: &str| verify(&folder, Some(given), None).unwrap().outcome;
    assert_eq!(with(&format!("{head} {lines}")), Outcome::Truncated { lines: 4, known: lines, by: "given" });
    assert_eq!(with(&head), Outcome::DiffersFromHead { given: head.clone() });
}

#[test]
fn a_recovered_tail_is_sound_and_has_a_code_of_its_own() {
    let (_dir, folder) = written(drill()[..3].to_vec());
    let mut file = OpenOptions::new().append(true).open(folder.join(EVENTS)).unwrap();
    file.write_all(b"{\"seq\":").unwrap();
    drop(file);
    let report = checked(&folder);
    assert_eq!((report.outcome.clone(), report.exit_code()), (Outcome::RecoveredTail { tails: 1 }, 32));
    let (mut record, loaded) = Record::resume(&folder, &holder_here(), false).unwrap();
    assert!(checked(&folder).notes.iter().any(|n| n.contains("not recorded yet")));
    record.append(&anna(), at(100), loaded.owed).unwrap();
    drop(record);
    assert_eq!(checked(&folder).outcome, Outcome::RecoveredTail { tails: 1 });
    let tail = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
    let tail = tail.into_iter().find(|p| p.extension().is_some_and(|e| e == "bin")).unwrap();
    fs::write(&tail, b"{\"seq\":}").unwrap();
    assert!(
        matches!(checked(&folder).outcome, Outcome::Damaged { .. }),
        "the tail the record tells of is gone"
    );
}

#[test]
fn a_verdict_that_does_not_follow_from_its_evidence_is_named() {
    let report = forged(|event| {
        if let Event::Answered { reading, .. } = event {
            *reading = Kept::Whole(super::samples::reading(5));
        }
    });
    assert_eq!(report.outcome, Outcome::VerdictDiffers { verdicts: 1 });
    assert_eq!(report.exit_code(), 31);
    let difference = &report.rejudged.unwrap().differing[0];
    assert_eq!((difference.recorded, difference.now), (Verdict::Pass, Verdict::Fail));
    assert!(report.notes.iter().any(|n| n.contains("step databases") && n.contains("recorded pass")));
}

#[test]
fn a_verdict_without_any_answer_is_named() {
    let mut batches = drill();
    for (_, _, events) in &mut batches {
        events.retain(|e| !matches!(e, Event::Answered { .. }));
    }
    assert_eq!(checked(&written(batches.clone()).1).outcome, Outcome::VerdictDiffers { verdicts: 1 });
    for (_, _, events) in &mut batches {
        events.retain(|e| !matches!(e, Event::Asked { .. }));
    }
    batches.retain(|(_, _, events)| !events.is_empty());
    let (_dir, folder) = written(batches);
    assert_eq!(checked(&folder).outcome, Outcome::VerdictDiffers { verdicts: 1 });
}

#[test]
fn another_verdict_after_the_program_changed_is_no_alteration() {
    let report = forged(|event| match event {
        Event::Opened(opened) => opened.tool = "0.0.1".into(),
        Event::Answered { reading, .. } => *reading = Kept::Whole(super::samples::reading(5)),
        _ => {}
    });
    assert_eq!((report.outcome.clone(), report.exit_code()), (Outcome::Intact, 0));
    assert!(report.notes.iter().any(|n| n.contains("drbook 0.0.1 then")), "{:?}", report.notes);
}

#[test]
fn evidence_is_checked_and_its_absence_is_damage() {
    let (_dir, folder) = written(drill_with(50_000));
    assert_eq!(checked(&folder).outcome, Outcome::Intact);
    let file = fs::read_dir(folder.join(folder::EVIDENCE)).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    bytes[40_000] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(checked(&folder).outcome, Outcome::Altered { line: Some(3), .. }));
    assert!(matches!(Record::read(&folder), Err(Trouble::Altered { line: 3, .. })));
    fs::remove_file(&file).unwrap();
    assert!(matches!(checked(&folder).outcome, Outcome::Damaged { line: Some(3), .. }));
    assert!(matches!(Record::resume(&folder, &holder_here(), false), Err(Trouble::Damaged { line: 3, .. })));
}

#[test]
fn every_other_file_is_checked_too() {
    for (name, code) in [
        ("runbook.yaml", 31),
        ("queries/sql-databases.sql", 31),
        ("README.txt", 31),
        ("SHA256SUMS", 30),
        ("head", 30),
    ] {
        let (_dir, folder) = closed();
        let path = folder.join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[3] ^= 0x40;
        fs::write(&path, bytes).unwrap();
        let report = checked(&folder);
        assert_eq!(report.exit_code(), code, "{name}: {}", report.words);
        assert!(report.words.contains(name), "{name}: {}", report.words);
    }
    let (_dir, folder) = closed();
    fs::write(folder.join("notes.txt"), "x").unwrap();
    assert!(checked(&folder).notes.iter().any(|n| n.contains("notes.txt")));
    fs::write(folder.join(SUMS), format!("{GENESIS}  ../../etc/passwd\n")).unwrap();
    assert_eq!(checked(&folder).exit_code(), 30);
}

#[test]
fn a_seal_that_lies_is_an_alteration() {
    let (_dir, folder) = written(drill()[..2].to_vec());
    let (mut record, _) = Record::resume(&folder, &holder_here(), false).unwrap();
    record.append(&anna(), at(9), vec![Event::Sealed { head: GENESIS.into(), lines: 2 }]).unwrap();
    drop(record);
    assert!(matches!(checked(&folder).outcome, Outcome::Altered { line: Some(3), .. }));
}

#[test]
fn a_record_of_a_newer_format_is_told_apart_from_a_damaged_one() {
    let (_dir, folder) = written(drill()[..1].to_vec());
    let line = fs::read_to_string(folder.join(EVENTS)).unwrap().replace("\"format\":1", "\"format\":9");
    let frame =
        line::Frame { seq: 2, at: at(1).at, mono_ms: 0, by: &By::Drbook, prev: &sha256(line.as_bytes()) };
    let second = frame.write(&serde_json::json!({ "teleported": {} })).unwrap();
    fs::write(folder.join(EVENTS), [line.as_bytes(), &second].concat()).unwrap();
    fs::remove_file(folder.join(HEAD)).unwrap();
    let report = checked(&folder);
    assert_eq!((report.outcome.clone(), report.exit_code()), (Outcome::Newer { format: 9, line: 2 }, 11));
    assert!(report.words.contains("newer drbook"));
    assert!(matches!(Record::resume(&folder, &holder_here(), false), Err(Trouble::Newer { .. })));
    fs::write(folder.join(EVENTS), line.replace("\"operator\"", "\"commander\"")).unwrap();
    assert!(matches!(Record::read(&folder), Err(Trouble::Newer { line: 1, .. })));
}

#[test]
fn the_report_has_a_json_form() {
    let (_dir, folder) = closed();
    let json = serde_json::to_value(checked(&folder)).unwrap();
    assert_eq!(json["outcome"], "intact");
    assert_eq!(json["rejudged"]["same"], 1);
    assert_eq!(json["closed"], "completed");
    let copy = copy_of(&folder);
    fs::write(copy.path().join(EVENTS), "x\n").unwrap();
    let json = serde_json::to_value(checked(copy.path())).unwrap();
    assert_eq!((json["outcome"].as_str(), json["line"].as_u64()), (Some("damaged"), Some(1)));
}

#[test]
fn a_folder_without_events_is_no_record_and_an_empty_one_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(verify(dir.path(), None, None), Err(Trouble::NoRecord { .. })));
    assert!(matches!(Record::resume(dir.path(), &holder_here(), false), Err(Trouble::NoRecord { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left in a folder that is no record");
    let record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    let folder = record.folder().to_owned();
    drop(record);
    let (mut record, loaded) = Record::resume(&folder, &holder_here(), false).unwrap();
    assert!(loaded.events.is_empty() && loaded.embedded == embedded());
    record.append(&anna(), at(0), vec![opened()]).unwrap();
    assert_eq!(Record::read(&folder).unwrap().events.len(), 1);
}
