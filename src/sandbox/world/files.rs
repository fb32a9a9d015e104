//! Backup files: real files under the state folder, UNC and drive paths mapped to it, and their format.
//!
//! Does not know what a restore makes of them. A file is a row of sets; each is
//! `DRBKSIM1`, header length, header (JSON), its checksum, body length, body (JSON), its checksum.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::behind::{Behind, Writing, put};
use super::state::{Content, Layout, Record, Set};

/// The folder that stands for every disk and share of the estate.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    pub(crate) root: PathBuf,
    /// While history is made, files are written behind its back.
    pub(crate) behind: Option<Arc<Behind>>,
}

/// One set as written: header and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) set: Set,
    pub(crate) layout: Layout,
    /// `Err` = the header can be read, the rest cannot.
    pub(crate) body: Result<Body, Damage>,
}

/// What a set holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Body {
    Full(Content),
    Log(Vec<Record>),
    /// Everything, as the sandbox keeps it; a server would write what changed since the base.
    Differential(Content),
    /// A stripe: what the set holds is on the first.
    Stripe,
}

#[derive(Serialize, Deserialize)]
struct Header {
    set: Set,
    layout: Layout,
}

/// What is wrong behind a good header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The file ends too early.
    Truncated,
    /// Bytes were changed.
    Altered,
}

/// Why a file cannot be read or written at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The operating system's error number.
    Os(i32),
    Empty,
    NotABackup,
}

const MAGIC: &[u8; 8] = b"DRBKSIM1";
/// No part of a backup file is larger (bytes).
const PART_BYTES: usize = 64 * 1024 * 1024;

/// Windows' words for an error number, as SQL Server prints them.
pub(crate) const fn os_error_text(number: i32) -> &'static str {
    match number {
        2 => "The system cannot find the file specified.",
        3 => "The system cannot find the path specified.",
        5 => "Access is denied.",
        32 => "The process cannot access the file because it is being used by another process.",
        38 => "Reached the end of the file.",
        53 => "The network path was not found.",
        64 => "The specified network name is no longer available.",
        112 => "There is not enough space on the disk.",
        123 => "The filename, directory name, or volume label syntax is incorrect.",
        _ => "failed to retrieve text for this error.",
    }
}

impl Files {
    /// Where a path of a server lives; `Err` = the operating system's error number for a name it cannot be.
    pub(crate) fn place(&self, machine: &str, path: &str) -> Result<PathBuf, i32> {
        let place = self.place_as_named(machine, path)?;
        if place.exists() {
            return Ok(place);
        }
        // Not by that name: look for it in any case, as Windows would.
        let rest = place.strip_prefix(&self.root).map_err(|_| 3)?;
        Ok(rest
            .components()
            .fold(self.root.clone(), |real, part| child(&real, &part.as_os_str().to_string_lossy())))
    }

    fn place_as_named(&self, machine: &str, path: &str) -> Result<PathBuf, i32> {
        let path = path.replace('/', "\\");
        let mut real = self.root.clone();
        let rest = if let Some(unc) = path.strip_prefix("\\\\") {
            if unc.split('\\').filter(|p| !p.is_empty()).count() < 2 {
                return Err(53);
            }
            unc.to_owned()
        } else {
            let drive = path.chars().next().filter(char::is_ascii_alphabetic).ok_or(3)?;
            if path.get(1..2) != Some(":") {
                return Err(3);
            }
            format!("{machine}\\{}\\{}", drive.to_ascii_uppercase(), &path[2..])
        };
        for part in rest.split('\\').filter(|p| !p.is_empty()) {
            let odd = |c: char| c.is_control() || "<>:\"|?*".contains(c);
            if part.contains(odd) || part == "." || part == ".." || part.len() > 255 {
                return Err(123);
            }
            real.push(part);
        }
        Ok(real)
    }

    /// Whether there is a file of exactly that name.
    pub(crate) fn has(&self, machine: &str, path: &str) -> bool {
        self.settle();
        self.place_as_named(machine, path).is_ok_and(|real| real.is_file())
    }

    /// (exists, is a directory, parent exists)
    pub(crate) fn exists(&self, machine: &str, path: &str) -> (bool, bool, bool) {
        self.settle();
        let Ok(real) = self.place(machine, path) else { return (false, false, false) };
        let parent = real.parent().is_some_and(Path::is_dir);
        (real.is_file(), real.is_dir(), parent || real.exists())
    }

    /// The sets of a file.
    pub(crate) fn read(&self, machine: &str, path: &str) -> Result<Vec<Recording>, Unreadable> {
        self.settle();
        let real = self.place(machine, path).map_err(Unreadable::Os)?;
        if real.is_dir() {
            return Err(Unreadable::Os(5));
        }
        match std::fs::read(&real) {
            Ok(bytes) => parse(&bytes),
            Err(error) => Err(Unreadable::Os(match error.kind() {
                std::io::ErrorKind::NotFound if real.parent().is_some_and(Path::is_dir) => 2,
                std::io::ErrorKind::NotFound if path.starts_with("\\\\") && self.no_share(path) => 53,
                std::io::ErrorKind::NotFound => 3,
                std::io::ErrorKind::PermissionDenied => 5,
                _ => 1117,
            })),
        }
    }

    fn no_share(&self, path: &str) -> bool {
        let host = path.trim_start_matches('\\').split('\\').next().unwrap_or_default();
        !child(&self.root, host).is_dir()
    }

    /// Writes a set: at the end of the file, or instead of it. The folder must exist.
    pub(crate) fn write(
        &self,
        machine: &str,
        path: &str,
        append: bool,
        recording: &Recording,
    ) -> Result<(), Unreadable> {
        if path.eq_ignore_ascii_case("NUL") {
            return Ok(());
        }
        let mut real = self.place_as_named(machine, path).map_err(Unreadable::Os)?;
        if !real.parent().is_some_and(Path::is_dir) {
            real = self.place(machine, path).map_err(Unreadable::Os)?;
        }
        if !real.parent().is_some_and(Path::is_dir) {
            return Err(Unreadable::Os(if path.starts_with("\\\\") && self.no_share(path) { 53 } else { 3 }));
        }
        if let Some(behind) = &self.behind {
            let recording = recording.clone();
            let bytes = Box::new(move || written(&recording));
            let taken = behind.write(Writing { place: real, append, bytes });
            return taken.then_some(()).ok_or(Unreadable::Os(1117));
        }
        let done = put(&real, append, &written(recording));
        done.map_err(|error| {
            Unreadable::Os(match error.kind() {
                std::io::ErrorKind::PermissionDenied => 5,
                std::io::ErrorKind::StorageFull => 112,
                _ => 1117,
            })
        })
    }

    /// Writes what a set leaves behind when its backup is broken off: a beginning and no more.
    pub(crate) fn write_broken(&self, machine: &str, path: &str, append: bool) {
        self.settle();
        if let Ok(real) = self.place_as_named(machine, path) {
            let _ = put(&real, append, &MAGIC[..7]);
        }
    }

    /// Whether something stands behind the last set that is none.
    pub(crate) fn is_ragged(&self, machine: &str, path: &str) -> bool {
        self.settle();
        let Some(bytes) = self.place(machine, path).ok().and_then(|real| std::fs::read(real).ok()) else {
            return false;
        };
        let mut rest = bytes.as_slice();
        while let Some((_, behind)) = one(rest) {
            rest = behind;
        }
        !rest.is_empty()
    }

    /// The bytes of a file that is no backup.
    pub(crate) fn read_plain(&self, machine: &str, path: &str) -> Result<Vec<u8>, i32> {
        self.settle();
        let real = self.place(machine, path)?;
        std::fs::read(&real).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound if real.parent().is_some_and(Path::is_dir) => 2,
            std::io::ErrorKind::NotFound => 3,
            _ => 5,
        })
    }

    /// Writes a file that is no backup; the folder must exist.
    pub(crate) fn write_plain(&self, machine: &str, path: &str, bytes: &[u8]) -> Result<(), i32> {
        self.settle();
        let real = self.place(machine, path)?;
        if !real.parent().is_some_and(Path::is_dir) {
            return Err(3);
        }
        put(&real, false, bytes).map_err(|_| 5)
    }

    /// Deletes a file, if it is there.
    pub(crate) fn remove(&self, machine: &str, path: &str) {
        self.settle();
        if let Ok(real) = self.place(machine, path) {
            let _ = std::fs::remove_file(real);
        }
    }

    /// Waits for what is being written behind.
    pub(crate) fn settle(&self) {
        if let Some(behind) = &self.behind {
            behind.settle();
        }
    }

    /// Makes a folder, so that backups can go there.
    pub(crate) fn make_folder(&self, machine: &str, path: &str) -> std::io::Result<()> {
        match self.place(machine, path) {
            Ok(real) => std::fs::create_dir_all(real),
            Err(number) => Err(std::io::Error::other(format!("`{path}`: {}", os_error_text(number)))),
        }
    }
}

/// The child of that name in any case, as Windows would find it.
fn child(folder: &Path, name: &str) -> PathBuf {
    let exact = folder.join(name);
    if exact.exists() {
        return exact;
    }
    let found = std::fs::read_dir(folder).ok().and_then(|entries| {
        entries.flatten().find(|e| e.file_name().to_string_lossy().eq_ignore_ascii_case(name))
    });
    found.map_or(exact, |e| e.path())
}

fn written(recording: &Recording) -> Vec<u8> {
    let header = Header { set: recording.set.clone(), layout: recording.layout.clone() };
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let body = recording.body.as_ref().map(|b| serde_json::to_vec(b).unwrap_or_default()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(header.len() + body.len() + 96);
    bytes.extend_from_slice(MAGIC);
    for part in [&header, &body] {
        bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(&Sha256::digest(part));
    }
    bytes
}

fn parse(mut bytes: &[u8]) -> Result<Vec<Recording>, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::Empty);
    }
    let mut sets = Vec::new();
    while !bytes.is_empty() {
        match one(bytes) {
            Some((recording, rest)) => {
                sets.push(recording);
                bytes = rest;
            }
            None if sets.is_empty() => return Err(Unreadable::NotABackup),
            None => break,
        }
    }
    Ok(sets)
}

fn one(bytes: &[u8]) -> Option<(Recording, &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (header, good, rest) = part(rest)?;
    let mut header: Header = serde_json::from_slice(header).ok().filter(|_| good)?;
    header.set.layout = usize::MAX;
    let (body, rest) = match part(rest) {
        None => (Err(Damage::Truncated), &[][..]),
        Some((_, false, rest)) => (Err(Damage::Altered), rest),
        Some((body, true, rest)) => (serde_json::from_slice(body).map_err(|_| Damage::Altered), rest),
    };
    Some((Recording { set: header.set, layout: header.layout, body }, rest))
}

/// A length, that many bytes, whether their checksum is right, and what follows.
fn part(bytes: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    if length > PART_BYTES {
        return None;
    }
    let (part, rest) = rest.split_at_checked(length)?;
    let (sum, rest) = rest.split_at_checked(32)?;
    Some((part, Sha256::digest(part).as_slice() == sum, rest))
}
