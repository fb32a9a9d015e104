//! Lists, and finding one record.

use std::fs;

use super::super::samples::{anna, at, drill, embedded, holder_here, opened};
use super::super::store::{Store, look_at};
use super::super::*;
use crate::engine::Event;

fn record(root: &Path, id: &str, minutes: i64, batches: usize) -> PathBuf {
    let mut record = Record::create(root, id, &embedded(), &holder_here()).unwrap();
    for (by, mut stamp, mut events) in drill().into_iter().take(batches) {
        stamp.at += chrono::TimeDelta::minutes(minutes);
        if let Some(Event::Opened(opened)) = events.first_mut() {
            opened.record = id.into();
        }
        record.append(&by, stamp, events).unwrap();
    }
    record.folder().to_owned()
}

#[test]
fn records_are_listed_newest_first_with_what_stands_in_their_first_and_last_lines() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Store::at(dir.path().join("none")).list().unwrap(), []);
    record(dir.path(), "b-closed", 0, 99);
    let open = record(dir.path(), "a-open", 60, 3);
    let torn = record(dir.path(), "c-torn", 30, 3);
    OpenOptions::new().append(true).open(torn.join(EVENTS)).unwrap().write_all(b"{\"seq\"").unwrap();
    fs::create_dir(dir.path().join("no-record")).unwrap();
    let store = Store::at(dir.path());
    let all = store.list().unwrap();
    let ids: Vec<&str> = all.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids, ["a-open", "c-torn", "b-closed"]);
    let closed = &all[2];
    let loaded = Record::read(&closed.folder).unwrap();
    assert_eq!(closed.events, loaded.events.len() as u64);
    assert_eq!((closed.is_open(), all[0].is_open()), (false, true));
    assert_eq!(
        closed.head.as_deref(),
        Some(Record::resume(&closed.folder, &holder_here(), false).unwrap().0.head())
    );
    assert_eq!(closed.estate.as_deref(), Some("biztalk"));
    assert_eq!(store.newest_open().unwrap().unwrap().folder, open);
    assert_eq!(store.newest_of("biztalk").unwrap().unwrap().id, "a-open");
    assert_eq!(store.newest_of("other").unwrap(), None);
}

#[test]
fn a_record_is_found_by_what_a_person_types() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(dir.path());
    let one = record(dir.path(), "20261120-2000-ab12", 0, 1);
    record(dir.path(), "20261121-2000-cd34", 1, 1);
    for wanted in ["20261120-2000-ab12", "20261120", "ab12", one.to_str().unwrap()] {
        assert_eq!(store.find(wanted).unwrap(), one, "{wanted}");
    }
    assert!(matches!(store.find("2026"), Err(Trouble::Ambiguous { .. })));
    for wanted in ["", "x", "../..", "\u{1b}[2J"] {
        assert!(matches!(store.find(wanted), Err(Trouble::NotFound { .. })), "{wanted}");
    }
}

#[test]
fn a_broken_record_stays_in_the_list_with_its_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let folder = record(dir.path(), "r", 0, 3);
    for bad in [&b""[..], b"{", b"{}\n", b"\xff\n\n\n", &vec![b'x'; 300_000]] {
        fs::write(folder.join(EVENTS), bad).unwrap();
        let entry = look_at(&folder);
        assert!(entry.trouble.is_some() && !entry.is_open(), "{bad:.20?}");
    }
}

#[test]
fn an_opening_too_large_for_a_line_is_kept_and_listed_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    let mut large = opened();
    if let Event::Opened(opened) = &mut large {
        opened.inputs.scope = Some((0..5000).map(|n| format!("database-number-{n}")).collect());
    }
    let written = record.append(&anna(), at(0), vec![large.clone()]).unwrap();
    assert_eq!(written[0].event, large, "what comes back is whole");
    let folder = record.folder().to_owned();
    drop(record);
    assert!(fs::metadata(folder.join(EVENTS)).unwrap().len() < 1000);
    assert_eq!(Record::read(&folder).unwrap().events, written);
    assert_eq!(look_at(&folder).estate.as_deref(), Some("biztalk"));
}
