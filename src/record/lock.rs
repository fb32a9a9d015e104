//! One writer at a time: who holds a record, and when it may be taken from them.
//!
//! Two files, because Windows lets nobody read a locked one: `lock.held` carries the operating system's lock and is
//! empty; `lock` says in words who holds it. The words go when the holder ends in order. After a crash they stay, but the
//! system has dropped the lock: on the same computer that is proof enough that nobody writes. Words from *another*
//! computer prove nothing (locks may not travel over a share, and the folder may be a copy), so they ask for a take-over.
//!
//! Does not know what is written under the lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::folder::{self, LOCK, LOCK_HELD, io_at};
use super::{Trouble, line};

/// The longest text of a lock that is read or written (bytes).
const HOLDER_BYTES: usize = 4096;

/// The holder of a lock in words: `anna on JUMP01, process 4711, since 2026-11-20T21:04:05.123Z`.
pub fn holder(operator: &str, host: &str, process: u32, since: DateTime<Utc>) -> String {
    format!("{operator} on {host}, process {process}, since {}", crate::clock::iso(since))
}

/// The computer in a holder's words.
fn host_of(holder: &str) -> Option<&str> {
    holder.rsplit_once(", process ").and_then(|(head, _)| head.rsplit_once(" on ")).map(|(_, host)| host)
}

/// A lock held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    words: PathBuf,
    mine: String,
    /// `None` when it was taken over from another computer whose lock the system still reports.
    _held: Option<File>,
}

/// What taking a lock led to.
#[derive(Debug)]
pub(super) struct TakenLock {
    pub(super) lock: Lock,
    /// Whose words were replaced, when that took a take-over.
    pub(super) from: Option<String>,
}

/// Takes the lock of a record's folder.
pub(super) fn take(at: &Path, holder: &str, take_over: bool) -> Result<TakenLock, Trouble> {
    let mine = one_line(holder);
    let words = at.join(LOCK);
    let held_path = at.join(LOCK_HELD);
    let held = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&held_path)
        .map_err(io_at(&held_path))?;
    let locked = held.try_lock();
    let theirs = folder::read_bytes(&words, HOLDER_BYTES)?
        .map(|bytes| one_line(&String::from_utf8_lossy(&bytes)))
        .filter(|t| !t.is_empty());
    let elsewhere = match (theirs.as_deref().and_then(host_of), host_of(&mine)) {
        (Some(a), Some(b)) => !a.eq_ignore_ascii_case(b),
        _ => false,
    };
    let refused = |theirs: Option<String>| Trouble::Locked {
        path: at.to_owned(),
        holder: theirs.unwrap_or_else(|| "another process".into()),
    };
    let (held, from) = match locked {
        // The system vouches that nobody on this computer has it.
        Ok(()) if !elsewhere => (Some(held), None),
        Ok(()) if take_over => (Some(held), theirs),
        // A live process has it. Only a lock that another computer left on a share may be overruled.
        Err(TryLockError::WouldBlock) if take_over && elsewhere => (None, theirs),
        // No locks on this file system: the words are all there is.
        Err(TryLockError::Error(_)) if theirs.is_none() || take_over => (None, theirs),
        _ => return Err(refused(theirs)),
    };
    // Renamed into place, so that nobody reads half of it; not synced, for no crash needs it.
    let part = at.join(folder::LOCK_PART);
    fs::write(&part, format!("{mine}\n")).and_then(|()| fs::rename(&part, &words)).map_err(io_at(&words))?;
    Ok(TakenLock { lock: Lock { words, mine, _held: held }, from })
}

/// Who holds a record, or left their words behind.
pub(super) fn holder_now(at: &Path) -> Option<String> {
    let bytes = folder::read_bytes(&at.join(LOCK), HOLDER_BYTES).ok()??;
    Some(one_line(&String::from_utf8_lossy(&bytes))).filter(|t| !t.is_empty())
}

impl Lock {
    /// Who took it from us, if somebody did.
    pub(super) fn lost_to(&self) -> Option<String> {
        let now = folder::read_bytes(&self.words, HOLDER_BYTES).ok()??;
        let now = one_line(&String::from_utf8_lossy(&now));
        (now != self.mine).then_some(now)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.lost_to().is_none() {
            // Nothing to be done when it fails: the words stay, as after a crash.
            let _ = fs::remove_file(&self.words);
        }
    }
}

fn one_line(text: &str) -> String {
    let cut: String = line::plain(text.trim()).chars().take(HOLDER_BYTES / 8).collect();
    cut.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_763_672_645_123).unwrap()
    }

    #[test]
    fn the_computer_is_found_in_the_holders_words() {
        let words = holder("Anna on call, process owner", "JUMP01", 7, since());
        assert_eq!(host_of(&words), Some("JUMP01"));
        assert_eq!(host_of("whoever"), None);
    }

    #[test]
    fn a_live_holder_is_named_and_cannot_be_taken_over_on_the_same_computer() {
        let dir = tempfile::tempdir().unwrap();
        let anna = holder("anna", "JUMP01", 1, since());
        let first = take(dir.path(), &anna, false).unwrap();
        for take_over in [false, true] {
            match take(dir.path(), &holder("ben", "jump01", 2, since()), take_over) {
                Err(Trouble::Locked { holder, .. }) => assert_eq!(holder, anna),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(first.lock.lost_to(), None);
    }

    #[test]
    fn a_live_lock_of_another_computer_yields_to_a_take_over_only_and_notices_it() {
        let dir = tempfile::tempdir().unwrap();
        let anna = holder("anna", "JUMP01", 1, since());
        let ben = holder("ben", "JUMP02", 2, since());
        let first = take(dir.path(), &anna, false).unwrap();
        assert!(matches!(take(dir.path(), &ben, false), Err(Trouble::Locked { .. })));
        let second = take(dir.path(), &ben, true).unwrap();
        assert_eq!(second.from.as_deref(), Some(&*anna));
        assert_eq!(first.lock.lost_to().as_deref(), Some(&*ben));
        drop(first);
        assert_eq!(second.lock.lost_to(), None, "the loser leaves the winner's words alone");
    }

    #[test]
    fn words_left_by_a_crash_do_not_hold_a_lock_on_the_same_computer() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(LOCK), holder("anna", "JUMP01", 1, since())).unwrap();
        assert!(matches!(
            take(dir.path(), &holder("ben", "JUMP02", 2, since()), false),
            Err(Trouble::Locked { .. })
        ));
        let taken = take(dir.path(), &holder("ben", "JUMP01", 2, since()), false).unwrap();
        assert_eq!(taken.from, None);
        drop(taken);
        assert!(!dir.path().join(LOCK).exists());
    }
}
