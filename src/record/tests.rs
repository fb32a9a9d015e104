//! What only the inside can show: failing media, torn tails at every byte, flipped bits.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::samples::{self, at, embedded, holder_here, opened};
use super::*;
use crate::engine::Event;

mod store;
mod verify;

/// Takes so many bytes, then fails as a full disk does; or fails every sync.
#[derive(Debug)]
struct Failing {
    file: File,
    room: usize,
    syncs_fail: bool,
}

impl Medium for Failing {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fits = bytes.len().min(self.room);
        self.file.write_all(&bytes[..fits])?;
        self.room -= fits;
        if fits < bytes.len() {
            Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"))
        } else {
            Ok(())
        }
    }
    fn sync(&mut self) -> io::Result<()> {
        if self.syncs_fail { Err(io::Error::other("input/output error")) } else { self.file.sync_data() }
    }
    fn size(&self) -> io::Result<u64> {
        self.file.metadata().map(|m| m.len())
    }
}

fn break_it(record: &mut Record, room: usize, syncs_fail: bool) {
    let file = OpenOptions::new().append(true).open(record.folder.join(EVENTS)).unwrap();
    record.events = Box::new(Failing { file, room, syncs_fail });
}

fn note(text: &str) -> Vec<Event> {
    vec![Event::Noted { step: None, text: text.into() }]
}

#[test]
fn a_disk_that_fills_at_any_byte_stops_the_record_and_loses_nothing_acknowledged() {
    for room in (0..700).step_by(13) {
        let dir = tempfile::tempdir().unwrap();
        let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
        record.append(&By::Drbook, at(0), vec![opened()]).unwrap();
        break_it(&mut record, room, false);
        let two = [note("one"), note("two")].concat();
        let first = record.append(&By::Drbook, at(1), two);
        let acknowledged = first.is_ok();
        if let Err(trouble) = first {
            assert!(matches!(trouble, Trouble::Io { .. }), "{trouble}");
            assert!(matches!(record.append(&By::Drbook, at(2), note("x")), Err(Trouble::Broken { .. })));
            assert!(record.broken().unwrap().contains("no space left"));
        }
        let folder = record.folder().to_owned();
        drop(record);
        let (mut record, loaded) = Record::resume(&folder, &holder_here(), false).unwrap();
        assert!(loaded.events.len() == 3 || (!acknowledged && loaded.events.len() < 3), "{room}");
        assert_eq!(
            loaded.owed.is_empty(),
            fs::read_dir(&folder)
                .unwrap()
                .all(|e| { !e.unwrap().file_name().to_str().unwrap().starts_with("tail-") })
        );
        record.append(&By::Drbook, at(3), [loaded.owed, note("after")].concat()).unwrap();
        assert_eq!(Record::read(&folder).unwrap().owed, [], "{room}");
        if acknowledged {
            break;
        }
    }
}

#[test]
fn a_failed_sync_is_as_final_as_a_failed_write() {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    record.append(&By::Drbook, at(0), vec![opened()]).unwrap();
    let head = record.head().to_owned();
    break_it(&mut record, usize::MAX, true);
    assert!(matches!(record.append(&By::Drbook, at(1), note("x")), Err(Trouble::Io { .. })));
    assert_eq!(record.head(), head, "an event that may not be on disk is not part of the head");
    break_it(&mut record, usize::MAX, false);
    assert!(matches!(record.append(&By::Drbook, at(2), note("y")), Err(Trouble::Broken { .. })));
}

#[test]
fn evidence_that_cannot_be_written_stops_the_record_before_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    record.append(&By::Drbook, at(0), vec![opened()]).unwrap();
    fs::remove_dir(record.folder().join(folder::EVIDENCE)).unwrap();
    assert!(matches!(
        record.append(&By::Drbook, at(1), vec![samples::answered(40_000)]),
        Err(Trouble::Io { .. })
    ));
    assert!(record.broken().is_some());
    assert_eq!(Record::read(record.folder()).unwrap().events.len(), 1);
}

#[test]
fn a_second_process_writing_the_same_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    record.append(&By::Drbook, at(0), vec![opened()]).unwrap();
    let mut other = OpenOptions::new().append(true).open(record.folder().join(EVENTS)).unwrap();
    other.write_all(b"{}").unwrap();
    assert!(matches!(record.append(&By::Drbook, at(1), note("x")), Err(Trouble::Locked { .. })));
    assert!(matches!(record.append(&By::Drbook, at(1), note("x")), Err(Trouble::Broken { .. })));
}

#[test]
fn appending_never_reads_the_file_again() {
    #[derive(Debug)]
    struct Counting(File, Arc<AtomicUsize>, Arc<AtomicUsize>);
    impl Medium for Counting {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.write_all(bytes)
        }
        fn sync(&mut self) -> io::Result<()> {
            self.2.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
        fn size(&self) -> io::Result<u64> {
            self.0.metadata().map(|m| m.len())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    record.append(&By::Drbook, at(0), vec![opened()]).unwrap();
    let (writes, syncs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Opened for appending only: a read would fail.
    let file = OpenOptions::new().append(true).open(record.folder().join(EVENTS)).unwrap();
    record.events = Box::new(Counting(file, writes.clone(), syncs.clone()));
    for n in 1..=20 {
        record.append(&By::Drbook, at(n), [note("a"), note("b"), note("c")].concat()).unwrap();
    }
    assert_eq!((writes.load(Ordering::SeqCst), syncs.load(Ordering::SeqCst)), (20, 20));
    assert_eq!(Record::read(record.folder()).unwrap().events.len(), 61);
}

#[test]
fn every_prefix_of_an_unsealed_last_line_is_a_recovered_tail_or_the_whole_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    record.append(&By::Drbook, at(0), vec![opened()]).unwrap();
    let events = record.folder().join(EVENTS);
    let before = fs::read(&events).unwrap();
    // As after a crash between the write and the head.
    let head = fs::read(record.folder().join(HEAD)).unwrap();
    record.append(&By::Drbook, at(1), note("the last one")).unwrap();
    let folder = record.folder().to_owned();
    drop(record);
    fs::write(folder.join(HEAD), head).unwrap();
    let whole = fs::read(&events).unwrap();
    for cut in before.len()..=whole.len() {
        let copy = samples::copy_of(&folder);
        fs::write(copy.path().join(EVENTS), &whole[..cut]).unwrap();
        let torn = cut > before.len() && cut < whole.len();
        let read = Record::read(copy.path()).unwrap();
        assert_eq!(read.owed.len(), usize::from(torn), "cut at {cut}");
        assert_eq!(fs::read(copy.path().join(EVENTS)).unwrap().len(), cut, "reading changes nothing");
        let (mut record, loaded) = Record::resume(copy.path(), &holder_here(), false).unwrap();
        assert_eq!(loaded.owed, read.owed);
        assert_eq!(loaded.events.len(), if cut == whole.len() { 2 } else { 1 });
        if torn {
            assert_eq!(fs::read(copy.path().join("tail-2.bin")).unwrap(), &whole[before.len()..cut]);
            let written = record.append(&By::Drbook, at(2), loaded.owed).unwrap();
            assert_eq!(written[0].seq, 2);
        }
        record.append(&By::Drbook, at(3), note("on we go")).unwrap();
        drop(record);
        assert_eq!(Record::read(copy.path()).unwrap().owed, []);
    }
}

#[test]
fn a_crash_between_setting_a_tail_aside_and_recording_it_is_made_good() {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    record.append(&By::Drbook, at(0), vec![opened()]).unwrap();
    let folder = record.folder().to_owned();
    drop(record);
    OpenOptions::new().append(true).open(folder.join(EVENTS)).unwrap().write_all(b"{\"seq\":2,").unwrap();
    let (record, first) = Record::resume(&folder, &holder_here(), false).unwrap();
    drop(record); // The crash: nothing was appended.
    let (mut record, second) = Record::resume(&folder, &holder_here(), false).unwrap();
    assert_eq!(second.owed, first.owed);
    assert!(matches!(second.owed[0], Event::TailRecovered { bytes: 9, .. }));
    record.append(&By::Drbook, at(1), second.owed).unwrap();
    drop(record);
    assert_eq!(Record::resume(&folder, &holder_here(), false).unwrap().1.owed, []);
}

#[test]
fn a_terminated_last_line_that_cannot_be_read_is_damage_not_a_tail() {
    let dir = tempfile::tempdir().unwrap();
    let mut record = Record::create(dir.path(), "r", &embedded(), &holder_here()).unwrap();
    record.append(&By::Drbook, at(0), vec![opened()]).unwrap();
    let folder = record.folder().to_owned();
    drop(record);
    let good = fs::read(folder.join(EVENTS)).unwrap();
    for bad in [&b"\n"[..], b"{\"seq\":2,\n", b"\xff\n", b"null\n", b"{\"seq\":2,\ntail"] {
        fs::write(folder.join(EVENTS), [&good, bad].concat()).unwrap();
        assert!(matches!(Record::read(&folder), Err(Trouble::Damaged { line: 2, .. })), "{bad:?}");
        assert!(matches!(
            Record::resume(&folder, &holder_here(), false),
            Err(Trouble::Damaged { line: 2, .. })
        ));
    }
    for (tail, line) in [(limits::LINE_BYTES + 1, b'x'), (limits::LINE_BYTES * 3, b'\0')] {
        fs::write(folder.join(EVENTS), [good.clone(), vec![line; tail]].concat()).unwrap();
        assert!(matches!(Record::read(&folder), Err(Trouble::Damaged { line: 2, .. })));
    }
}

#[test]
fn an_acknowledged_line_that_lost_its_newline_is_damage_and_one_that_is_gone_is_truncation() {
    let (_dir, folder) = samples::closed();
    let bytes = fs::read(folder.join(EVENTS)).unwrap();
    fs::write(folder.join(EVENTS), &bytes[..bytes.len() - 1]).unwrap();
    assert!(Record::read(&folder).unwrap_err().is_damage());
    let last = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    fs::write(folder.join(EVENTS), &bytes[..last]).unwrap();
    assert!(matches!(Record::read(&folder), Err(Trouble::Truncated { .. })));
}

/// Flips bits of a closed sample record and says whether each was noticed, and at the right line.
fn flip(every: usize) {
    let (_dir, folder) = samples::closed();
    let path = folder.join(EVENTS);
    let good = fs::read(&path).unwrap();
    let sound = Record::read(&folder).unwrap().events;
    for bit in (0..good.len() * 8).step_by(every) {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bad).unwrap();
        let line = 1 + good[..bit / 8].iter().filter(|b| **b == b'\n').count() as u64;
        match Record::read(&folder) {
            Err(Trouble::Damaged { line: at, .. }) => assert_eq!(at, line, "bit {bit}"),
            Err(Trouble::Altered { line: at, .. }) => assert_eq!(at, line, "bit {bit}"),
            Err(Trouble::FileDamaged { .. } | Trouble::FileAltered { .. } | Trouble::Newer { .. }) => {
                panic!("bit {bit}: named a file instead of line {line}")
            }
            Err(other) => panic!("bit {bit}: {other}"),
            Ok(read) => panic!("bit {bit} of line {line} went unnoticed: {}", read.events == sound),
        }
        assert!(Record::resume(&folder, &holder_here(), false).is_err(), "bit {bit}: taken up again");
    }
}

#[test]
fn a_flipped_bit_is_noticed_and_its_line_named() {
    flip(97);
}

#[test]
#[ignore = "a campaign: every bit, about a minute"]
fn every_flipped_bit_is_noticed_and_its_line_named() {
    flip(1);
}
