//! The file the lines go to, behind a seam small enough to break on purpose in tests.
//!
//! Does not know lines.

use std::fs::File;
use std::io::{self, Write as _};

/// A file that is only ever appended to.
pub(super) trait Medium: std::fmt::Debug + Send {
    /// Appends all the bytes, in one write where the system takes them in one.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Its size in bytes now, whoever wrote it.
    fn size(&self) -> io::Result<u64>;
}

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
    fn size(&self) -> io::Result<u64> {
        self.metadata().map(|m| m.len())
    }
}
