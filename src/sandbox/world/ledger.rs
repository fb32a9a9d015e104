//! Lists that only grow, saved by adding lines to a file of their own.
//!
//! The snapshot says how many entries count; lines behind them were written before a save that never came
//! about, and are cut off. Does not know what an entry is.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::ops::Deref;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list that only grows.
#[derive(Debug, Clone)]
pub(crate) struct Ledger<T> {
    entries: Vec<T>,
    /// How many of them are in the file, and how long it is up to there.
    written: usize,
    bytes: u64,
    /// Read from a snapshot, and not yet from the file.
    expected: usize,
}

impl<T> Default for Ledger<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), written: 0, bytes: 0, expected: 0 }
    }
}

impl<T> Deref for Ledger<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.entries
    }
}

impl<T> Ledger<T> {
    pub(crate) fn push(&mut self, entry: T) {
        self.entries.push(entry);
    }
}

impl<T: Serialize> Ledger<T> {
    /// Adds what is new to the file.
    pub(crate) fn write(&mut self, path: &Path) -> std::io::Result<()> {
        if self.written == self.entries.len() && path.is_file() {
            return Ok(());
        }
        let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
        // What lies behind was written before a save that never came about.
        file.set_len(self.bytes)?;
        file.seek(SeekFrom::End(0))?;
        let mut out = BufWriter::with_capacity(64 * 1024, file);
        for entry in &self.entries[self.written..] {
            serde_json::to_writer(&mut out, entry)?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
        self.bytes = out.get_mut().stream_position()?;
        self.written = self.entries.len();
        Ok(())
    }
}

impl<T: DeserializeOwned> Ledger<T> {
    /// Reads the entries that the snapshot counts; `Err` says what is wrong.
    pub(crate) fn read(&mut self, path: &Path) -> Result<(), String> {
        if self.expected == 0 {
            return Ok(());
        }
        let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut lines = BufReader::with_capacity(64 * 1024, file);
        let mut line = Vec::new();
        self.entries.reserve(self.expected.min(1 << 20));
        while self.entries.len() < self.expected {
            line.clear();
            let read = lines.read_until(b'\n', &mut line).map_err(|e| format!("{}: {e}", path.display()))?;
            if line.last() != Some(&b'\n') {
                let at = self.entries.len();
                return Err(format!("{} ends after {at} of {} entries", path.display(), self.expected));
            }
            let entry = serde_json::from_slice(&line)
                .map_err(|e| format!("{}: line {}: {e}", path.display(), self.entries.len() + 1))?;
            self.entries.push(entry);
            self.bytes += read as u64;
        }
        self.written = self.expected;
        self.expected = 0;
        Ok(())
    }
}

impl<T> Serialize for Ledger<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.len().serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Ledger<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { expected: usize::deserialize(deserializer)?, ..Self::default() })
    }
}

/// Numbers that mostly follow each other, as pairs of the first and how many.
pub(crate) mod runs {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    /// More numbers than this are no backup history.
    const MOST: usize = 10_000_000;

    pub(crate) fn serialize<S: Serializer>(numbers: &[usize], serializer: S) -> Result<S::Ok, S::Error> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for number in numbers {
            match runs.last_mut() {
                Some((first, count)) if *first + *count == *number => *count += 1,
                _ => runs.push((*number, 1)),
            }
        }
        runs.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
        let runs: Vec<(usize, usize)> = Vec::deserialize(deserializer)?;
        let total = runs.iter().try_fold(0_usize, |sum, (_, count)| sum.checked_add(*count));
        if total.is_none_or(|t| t > MOST) || runs.iter().any(|(first, n)| first.checked_add(*n).is_none()) {
            return Err(serde::de::Error::custom("a history of more backups than there can be"));
        }
        Ok(runs.into_iter().flat_map(|(first, count)| first..first + count).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reopened(ledger: &Ledger<u32>, path: &Path) -> Result<Vec<u32>, String> {
        let text = serde_json::to_string(ledger).unwrap();
        let mut again: Ledger<u32> = serde_json::from_str(&text).unwrap();
        again.read(path)?;
        again.write(path).unwrap();
        Ok(again.to_vec())
    }

    #[test]
    fn what_was_added_is_there_again_and_what_no_snapshot_counts_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        let mut ledger = Ledger::default();
        ledger.push(1);
        ledger.push(2);
        ledger.write(&path).unwrap();
        let saved = ledger.clone();
        ledger.push(3);
        ledger.write(&path).unwrap();
        assert_eq!(reopened(&ledger, &path).unwrap(), [1, 2, 3]);
        // Killed between the list and the snapshot: the snapshot counts two.
        let mut again: Ledger<u32> = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
        again.read(&path).unwrap();
        again.push(9);
        again.write(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n9\n");
    }

    #[test]
    fn a_list_that_ends_too_early_or_says_nonsense_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        let mut ledger = Ledger::default();
        ledger.push(1);
        ledger.push(2);
        std::fs::write(&path, "1\n").unwrap();
        assert!(reopened(&ledger, &path).unwrap_err().contains("after 1 of 2"));
        std::fs::write(&path, "1\nx\n").unwrap();
        assert!(reopened(&ledger, &path).unwrap_err().contains("line 2"));
    }

    #[test]
    fn numbers_in_a_row_are_kept_as_runs() {
        #[derive(Serialize, Deserialize)]
        struct Kept(#[serde(with = "runs")] Vec<usize>);
        let text = serde_json::to_string(&Kept(vec![4, 5, 6, 9, 2, 3])).unwrap();
        assert_eq!(text, "[[4,3],[9,1],[2,2]]");
        assert_eq!(serde_json::from_str::<Kept>(&text).unwrap().0, [4, 5, 6, 9, 2, 3]);
        assert!(serde_json::from_str::<Kept>("[[0,99999999999]]").is_err());
    }
}
