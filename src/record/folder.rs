//! What lies where in a record's folder, and how files get there durably.
//!
//! Does not know lines or events.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::line::{hex, sha256};
use super::{Embedded, Trouble};
use crate::limits;

pub(super) const EVENTS: &str = "events.jsonl";
pub(super) const EVIDENCE: &str = "evidence";
pub(super) const QUERIES: &str = "queries";
pub(super) const RUNBOOK: &str = "runbook.yaml";
pub(super) const HEAD: &str = "head";
pub(super) const SUMS: &str = "SHA256SUMS";
pub(super) const LOCK: &str = "lock";
pub(super) const LOCK_PART: &str = "lock.part";
pub(super) const LOCK_HELD: &str = "lock.held";
pub(super) const README: &str = "README.txt";

/// How to check a record without drbook.
pub(super) const README_TEXT: &str = include_str!("readme.txt");

/// Turns an I/O error into a trouble that names the path.
pub(super) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> Trouble + use<> {
    let path = path.to_owned();
    move |source| Trouble::Io { path, source }
}

/// Whether a text can be the name of a file on every system we run on, without leaving its folder.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && !name.ends_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b'+'))
}

/// Writes a new file and makes it durable.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(io_at(path))
}

/// Replaces a file whole: a reader sees the old one or the new one. Durable when this returns.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let write = || {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&part, path)
    };
    write().map_err(io_at(path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Removes a file, durably; none is fine.
pub(super) fn remove(path: &Path) -> Result<(), Trouble> {
    match fs::remove_file(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_folder),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io_at(path)(e)),
    }
}

/// Makes the names in a folder durable. Only Unix has a call for it.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Trouble> {
    #[cfg(unix)]
    File::open(folder).and_then(|f| f.sync_all()).map_err(io_at(folder))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// A file's text when it is one and not larger than `most`; `None` when there is no such file.
pub(super) fn read_text(path: &Path, most: usize) -> Result<Option<String>, Trouble> {
    match read_bytes(path, most) {
        Ok(Some(bytes)) => Ok(Some(String::from_utf8(bytes).map_err(|_| {
            io_at(path)(io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8"))
        })?)),
        Ok(None) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// A file's bytes when it is one and not larger than `most`; `None` when there is no such file.
pub(super) fn read_bytes(path: &Path, most: usize) -> Result<Option<Vec<u8>>, Trouble> {
    let Some(file) = open_plain(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(io_at(path))?;
    if bytes.len() > most {
        return Err(Trouble::TooLarge { what: path.display().to_string(), most });
    }
    Ok(Some(bytes))
}

/// Opens a regular file (never a pipe or a device, which could keep us waiting); `None` when nothing is there.
pub(super) fn open_plain(path: &Path) -> Result<Option<File>, Trouble> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() => File::open(path).map(Some).map_err(io_at(path)),
        Ok(_) => Err(io_at(path)(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io_at(path)(e)),
    }
}

/// SHA-256 (hex) and size of a file, read in pieces; `None` when nothing is there.
pub(super) fn sum_of(path: &Path) -> Result<Option<(String, u64)>, Trouble> {
    let Some(mut file) = open_plain(path)? else { return Ok(None) };
    let mut digest = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(Some((hex(&digest.finalize()), size))),
            Ok(n) => {
                digest.update(&piece[..n]);
                size += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(io_at(path)(e)),
        }
    }
}

/// Makes the folder of a new record with everything but its events and lock. Fails if it exists.
pub(super) fn lay_out(root: &Path, id: &str, embedded: &Embedded) -> Result<PathBuf, Trouble> {
    if !is_plain_name(id) {
        return Err(Trouble::Name { name: crate::text::harmless(id) });
    }
    check_embedded(embedded)?;
    fs::create_dir_all(root).map_err(io_at(root))?;
    let folder = root.join(id);
    fs::create_dir(&folder).map_err(io_at(&folder))?;
    for inner in [EVIDENCE, QUERIES] {
        let inner = folder.join(inner);
        fs::create_dir(&inner).map_err(io_at(&inner))?;
    }
    write_new(&folder.join(RUNBOOK), embedded.runbook.as_bytes())?;
    write_new(&folder.join(README), README_TEXT.as_bytes())?;
    let mut folders = vec![folder.join(QUERIES)];
    for (name, text) in &embedded.queries {
        let path = name.split('/').fold(folder.join(QUERIES), |at, part| at.join(part));
        if let Some(parent) = path.parent()
            && !folders.iter().any(|f| f == parent)
        {
            fs::create_dir_all(parent).map_err(io_at(parent))?;
            folders.push(parent.to_owned());
        }
        write_new(&path, text.as_bytes())?;
    }
    folders.iter().try_for_each(|f| sync_folder(f))?;
    Ok(folder)
}

fn check_embedded(embedded: &Embedded) -> Result<(), Trouble> {
    let too_large = |what: &str| Trouble::TooLarge { what: what.to_owned(), most: limits::YAML_BYTES };
    if embedded.runbook.len() > limits::YAML_BYTES {
        return Err(too_large(RUNBOOK));
    }
    if embedded.queries.len() > limits::RECORD_QUERIES {
        let what = "the number of queries".to_owned();
        return Err(Trouble::TooLarge { what, most: limits::RECORD_QUERIES });
    }
    for (name, text) in &embedded.queries {
        if name.split('/').count() > 3 || !name.split('/').all(is_plain_name) {
            return Err(Trouble::Name { name: crate::text::harmless(name) });
        }
        if text.len() > limits::YAML_BYTES {
            return Err(too_large(name));
        }
    }
    Ok(())
}

/// Runbook and queries of a record; what is missing is empty.
pub(super) fn read_embedded(folder: &Path) -> Result<Embedded, Trouble> {
    let runbook = read_text(&folder.join(RUNBOOK), limits::YAML_BYTES)?.unwrap_or_default();
    let mut queries = BTreeMap::new();
    for name in files_below(&folder.join(QUERIES))? {
        let path = name.split('/').fold(folder.join(QUERIES), |at, part| at.join(part));
        if let Some(text) = read_text(&path, limits::YAML_BYTES)? {
            queries.insert(name, text);
        }
    }
    Ok(Embedded { runbook, queries })
}

/// Every regular file below a folder, as `sub/name` with forward slashes, sorted. Symbolic links are not followed.
pub(super) fn files_below(folder: &Path) -> Result<Vec<String>, Trouble> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((at, prefix, depth)) = open.pop() {
        let entries = match fs::read_dir(&at) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound && depth == 0 => return Ok(found),
            Err(e) => return Err(io_at(&at)(e)),
        };
        for entry in entries {
            let entry = entry.map_err(io_at(&at))?;
            let kind = entry.file_type().map_err(io_at(&at))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if kind.is_dir() && depth < 4 {
                open.push((entry.path(), format!("{prefix}{name}/"), depth + 1));
            } else if kind.is_file() {
                found.push(format!("{prefix}{name}"));
            }
            if found.len() > limits::RECORD_FILES {
                let what = format!("the number of files in {}", folder.display());
                return Err(Trouble::TooLarge { what, most: limits::RECORD_FILES });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Files of a record that are not in its `SHA256SUMS`: the sums themselves, the locks, the head, and left-overs.
pub(super) fn is_outside_sums(name: &str) -> bool {
    [SUMS, LOCK, LOCK_HELD, HEAD].contains(&name)
        || Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("part"))
}

/// Writes `SHA256SUMS` over every file but those of [`is_outside_sums`], in the form `sha256sum -c` reads.
pub(super) fn write_sums(folder: &Path) -> Result<(), Trouble> {
    let mut sums = String::new();
    for name in files_below(folder)? {
        if is_outside_sums(&name) || name.contains(['\n', '\\']) {
            continue;
        }
        let path = name.split('/').fold(folder.to_owned(), |at, part| at.join(part));
        if let Some((sum, _)) = sum_of(&path)? {
            sums.extend([&*sum, "  ", &*name, "\n"]);
        }
    }
    replace(&folder.join(SUMS), sums.as_bytes())
}

/// What `head` says: the hash of the last line it covers, and that line's number.
pub(super) fn parse_head(text: &str) -> Option<(String, u64)> {
    let (hash, lines) = text.strip_suffix('\n')?.split_once(' ')?;
    let plain = super::line::is_sha256(hash) && lines.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| lines.parse().ok().map(|n| (hash.to_owned(), n))).flatten()
}

/// A tail that was set aside: its file's name, size and SHA-256.
pub(super) type Aside = (String, u64, String);

/// Every `tail-….bin` of a folder.
pub(super) fn tails(folder: &Path) -> Result<Vec<Aside>, Trouble> {
    let mut all = Vec::new();
    let entries = fs::read_dir(folder).map_err(io_at(folder))?;
    for entry in entries.take(limits::RECORD_FILES) {
        let entry = entry.map_err(io_at(folder))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_tail = name.strip_prefix("tail-").and_then(|n| n.strip_suffix(".bin")).is_some();
        if is_tail && let Some((sum, size)) = sum_of(&entry.path())? {
            all.push((name, size, sum));
        }
    }
    all.sort();
    Ok(all)
}

/// Copies a torn tail to `tail-<seq>.bin`, durably, unless an earlier opening already did.
pub(super) fn keep_tail(folder: &Path, seq: u64, bytes: &[u8]) -> Result<(), Trouble> {
    let sum = sha256(bytes);
    if tails(folder)?.iter().any(|(name, _, s)| *s == sum && name.starts_with(&format!("tail-{seq}"))) {
        return Ok(());
    }
    let free = (1..1000)
        .map(|n| if n == 1 { format!("tail-{seq}.bin") } else { format!("tail-{seq}-{n}.bin") })
        .map(|name| folder.join(name))
        .find(|path| !path.exists());
    let Some(path) = free else {
        return Err(Trouble::TooLarge { what: "the number of recovered tails".into(), most: 1000 });
    };
    replace(&path, bytes)
}
