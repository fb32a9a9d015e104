//! A folder as one file, whole or not at all: every part carries its SHA-256, the end one over all of them.
//!
//! Does not know what the files mean. `DRBKWRLD`, then per file: length of its path (2 bytes, little end first), the path with
//! `/`, length (8 bytes), bytes, SHA-256 of path, a zero byte and bytes; at the end a path length of 0 and the SHA-256 of all
//! those sums in order.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

const MAGIC: &[u8; 8] = b"DRBKWRLD";
/// Files in one archive.
const FILES: usize = 1_000_000;
/// No file in an archive is larger (bytes).
const FILE_BYTES: u64 = 1024 * 1024 * 1024;
/// The longest path (bytes).
const PATH_BYTES: usize = 4096;

/// Writes a folder as a file that must not be there yet; how many files it holds. `but` = names left out.
pub(crate) fn pack(folder: &Path, file: &Path, but: &[&str]) -> Result<u64, String> {
    let say = |e: std::io::Error| format!("{}: {e}", file.display());
    let new = File::options().write(true).create_new(true).open(file).map_err(|e| {
        if e.kind() == std::io::ErrorKind::AlreadyExists {
            format!("{} is there already\n  next: name a file that is not", file.display())
        } else {
            say(e)
        }
    })?;
    let done = packed(folder, BufWriter::new(new), but);
    if done.is_err() {
        // A half archive is none; what stands in its way is told by the error.
        let _ = std::fs::remove_file(file);
    }
    done
}

fn packed(folder: &Path, mut out: BufWriter<File>, but: &[&str]) -> Result<u64, String> {
    let say = |e: std::io::Error| format!("the archive cannot be written: {e}");
    out.write_all(MAGIC).map_err(say)?;
    let mut whole = Sha256::new();
    let mut count = 0;
    for path in files(folder)? {
        let name = inner(folder, &path)?;
        if but.contains(&name.as_str()) {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let sum = sum(&name, &bytes);
        whole.update(sum);
        out.write_all(&(name.len() as u16).to_le_bytes()).map_err(say)?;
        out.write_all(name.as_bytes()).map_err(say)?;
        out.write_all(&(bytes.len() as u64).to_le_bytes()).map_err(say)?;
        out.write_all(&bytes).map_err(say)?;
        out.write_all(&sum).map_err(say)?;
        count += 1;
    }
    out.write_all(&0_u16.to_le_bytes()).map_err(say)?;
    out.write_all(&whole.finalize()).map_err(say)?;
    let file = out.into_inner().map_err(|e| say(e.into_error()))?;
    file.sync_all().map_err(say)?;
    Ok(count)
}

/// What keeps a file and its name as they were.
fn sum(name: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(name).chain_update([0]).chain_update(bytes).finalize().into()
}

/// Every file below a folder, in the order of names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).map_err(|e| format!("{}: {e}", next.display()))? {
            let entry = entry.map_err(|e| format!("{}: {e}", next.display()))?;
            let kind = entry.file_type().map_err(|e| format!("{}: {e}", entry.path().display()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                all.push(entry.path());
            }
        }
    }
    all.sort();
    Ok(all)
}

fn inner(folder: &Path, path: &Path) -> Result<String, String> {
    let odd = || format!("{}: its name cannot be kept", path.display());
    let parts: Option<Vec<&str>> =
        path.strip_prefix(folder).map_err(|_| odd())?.components().map(|c| c.as_os_str().to_str()).collect();
    let name = parts.ok_or_else(odd)?.join("/");
    if name.is_empty() || name.len() > PATH_BYTES { Err(odd()) } else { Ok(name) }
}

/// Makes a folder that must be empty or not there of an archive. On an error nothing is left of it.
pub(crate) fn unpack(file: &Path, folder: &Path) -> Result<(), String> {
    let open = File::open(file).map_err(|e| format!("{}: {e}", file.display()))?;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("{} is not empty\n  next: name a folder that is", folder.display()));
    }
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let done = unpacked(BufReader::new(open), folder);
    if done.is_err() {
        let _ = std::fs::remove_dir_all(folder);
    }
    done.map_err(|why| match why {
        Wrong::Damaged(why) => format!(
            "{}: {why}; it is no whole archive of a world\n  next: save it again, or use another copy",
            file.display()
        ),
        Wrong::Here(why) => why,
    })
}

enum Wrong {
    /// The archive.
    Damaged(&'static str),
    /// The folder.
    Here(String),
}

fn unpacked(mut from: impl Read, folder: &Path) -> Result<(), Wrong> {
    let ended = |_| Wrong::Damaged("it ends too early");
    let mut magic = [0; 8];
    from.read_exact(&mut magic).map_err(ended)?;
    if &magic != MAGIC {
        return Err(Wrong::Damaged("it does not begin like one"));
    }
    let mut whole = Sha256::new();
    for _ in 0..FILES {
        let mut length = [0; 2];
        from.read_exact(&mut length).map_err(ended)?;
        let length = usize::from(u16::from_le_bytes(length));
        let mut sum = [0; 32];
        if length == 0 {
            from.read_exact(&mut sum).map_err(ended)?;
            if whole.finalize().as_slice() != sum {
                return Err(Wrong::Damaged("its parts are not those it was made of"));
            }
            return match from.read(&mut [0]) {
                Ok(0) => Ok(()),
                _ => Err(Wrong::Damaged("something follows its end")),
            };
        }
        let mut name = vec![0; length];
        from.read_exact(&mut name).map_err(ended)?;
        let name = String::from_utf8(name).map_err(|_| Wrong::Damaged("a name in it is no text"))?;
        let inside = Path::new(&name).components().all(|c| matches!(c, Component::Normal(_)));
        if length > PATH_BYTES || !inside || name.contains(['\\', ':']) {
            return Err(Wrong::Damaged("a name in it leads out of the folder"));
        }
        let mut size = [0; 8];
        from.read_exact(&mut size).map_err(ended)?;
        let size = u64::from_le_bytes(size);
        if size > FILE_BYTES {
            return Err(Wrong::Damaged("a file in it is larger than any can be"));
        }
        let mut bytes = Vec::new();
        from.by_ref().take(size).read_to_end(&mut bytes).map_err(ended)?;
        from.read_exact(&mut sum).map_err(ended)?;
        let digest = self::sum(&name, &bytes);
        if bytes.len() as u64 != size || digest != sum {
            return Err(Wrong::Damaged("a file in it was changed"));
        }
        whole.update(digest);
        let path = folder.join(&name);
        let put = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            File::options().write(true).create_new(true).open(&path)?.write_all(&bytes)
        };
        put().map_err(|e| Wrong::Here(format!("{}: {e}", path.display())))?;
    }
    Err(Wrong::Damaged("it holds more files than any can"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("f/D x")).unwrap();
        std::fs::write(folder.path().join("world.json"), "{}").unwrap();
        std::fs::write(folder.path().join("f/D x/a"), [7; 9]).unwrap();
        std::fs::write(folder.path().join("lock"), "").unwrap();
        folder
    }

    #[test]
    fn a_folder_comes_back_as_it_was_without_what_was_left_out() {
        let (from, to) = (filled(), tempfile::tempdir().unwrap());
        let file = to.path().join("a.world");
        assert_eq!(pack(from.path(), &file, &["lock"]).unwrap(), 2);
        assert!(pack(from.path(), &file, &[]).unwrap_err().contains("is there already"));
        let again = to.path().join("again");
        unpack(&file, &again).unwrap();
        assert_eq!(std::fs::read(again.join("f/D x/a")).unwrap(), [7; 9]);
        assert!(!again.join("lock").exists());
        assert!(unpack(&file, &again).unwrap_err().contains("is not empty"));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed_and_leaves_nothing() {
        let (from, to) = (filled(), tempfile::tempdir().unwrap());
        let file = to.path().join("a.world");
        pack(from.path(), &file, &[]).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let other = to.path().join("b.world");
        let refused = |bytes: &[u8]| {
            std::fs::write(&other, bytes).unwrap();
            let folder = to.path().join("again");
            let why = unpack(&other, &folder).unwrap_err();
            assert!(why.contains("next: "), "{why}");
            assert!(!folder.exists());
        };
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            refused(&changed);
            refused(&bytes[..at]);
        }
        refused(&[&bytes[..], b"x"].concat());
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        for name in ["../x", "/etc/x", "a/../../x", "C:\\x", "a\\x"] {
            let mut bytes = MAGIC.to_vec();
            bytes.extend((name.len() as u16).to_le_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(1_u64.to_le_bytes());
            bytes.push(b'x');
            bytes.extend(sum(name, b"x"));
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("a.world");
            std::fs::write(&file, bytes).unwrap();
            let why = unpack(&file, &folder.path().join("to")).unwrap_err();
            assert!(why.contains("leads out"), "{name}: {why}");
        }
    }
}
