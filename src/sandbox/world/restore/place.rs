//! Where the files of a restored database go: MOVE, and what is in the way there.
//!
//! Does not know the content of files; only the folders are real.

use super::RestoreAsk;
use super::message::planning;
use crate::sandbox::answer::Message;
use crate::sandbox::world::files::Recording;
use crate::sandbox::world::state::{DbFile, State};

fn cannot_place(logical: &str, path: &str) -> Message {
    Message::error(
        3156,
        format!(
            "File '{logical}' cannot be restored to '{path}'. Use WITH MOVE to identify a valid location for the file."
        ),
    )
}

/// MOVE clauses that contradict each other, or name what is not there.
pub(super) fn moves(ask: &RestoreAsk, files: &[DbFile], database: &str) -> Result<(), Vec<Message>> {
    for (n, (logical, _)) in ask.moves.iter().enumerate() {
        if ask.moves[..n].iter().any(|(other, _)| other.eq_ignore_ascii_case(logical)) {
            return Err(vec![Message::error(
                4353,
                format!(
                    "Conflicting file relocations have been specified for file '{logical}'. Only a single WITH MOVE clause should be specified for any logical file name."
                ),
            )]);
        }
    }
    for (logical, _) in &ask.moves {
        if !files.iter().any(|f| f.logical.eq_ignore_ascii_case(logical)) {
            return Err(vec![Message {
                state: 2,
                ..Message::error(
                    3234,
                    format!(
                        "Logical file '{logical}' is not part of database '{database}'. Use RESTORE FILELISTONLY to list the logical file names."
                    ),
                )
            }]);
        }
    }
    Ok(())
}

impl State {
    /// The files of a full backup at the places they will have.
    pub(super) fn places(
        &self,
        s: usize,
        existing: Option<usize>,
        recording: &Recording,
        ask: &RestoreAsk,
    ) -> Vec<DbFile> {
        let server = &self.servers[s];
        // The same database keeps its files where they are now.
        let here = existing.map(|d| &server.databases[d]).filter(|db| db.family == recording.layout.family);
        recording
            .layout
            .files
            .iter()
            .map(|file| {
                let moved = ask.moves.iter().find(|(l, _)| l.eq_ignore_ascii_case(&file.logical));
                let stays =
                    || here.and_then(|db| db.files.iter().find(|f| f.id == file.id && f.guid == file.guid));
                let physical = match moved {
                    Some((_, to)) => to.clone(),
                    None => stays().map_or_else(|| file.physical.clone(), |f| f.physical.clone()),
                };
                DbFile { physical, ..file.clone() }
            })
            .collect()
    }

    /// The files that a log or differential adds to a database, where they will be.
    pub(super) fn new_files(
        &self,
        s: usize,
        d: usize,
        recording: &Recording,
        ask: &RestoreAsk,
    ) -> Result<Vec<DbFile>, Vec<Message>> {
        let db = &self.servers[s].databases[d];
        moves(ask, &recording.layout.files, &db.name)?;
        let known = |f: &&DbFile| db.files.iter().any(|k| k.guid == f.guid || k.id == f.id);
        let old = |logical: &String| {
            recording.layout.files.iter().filter(known).any(|f| f.logical.eq_ignore_ascii_case(logical))
        };
        if let Some((logical, _)) = ask.moves.iter().find(|(logical, _)| old(logical)) {
            let text = format!("The file '{logical}' cannot be moved by this RESTORE operation.");
            return Err(vec![Message::error(3174, text)]);
        }
        let files: Vec<DbFile> = recording
            .layout
            .files
            .iter()
            .filter(|f| !known(f))
            .map(|file| {
                let moved = ask.moves.iter().find(|(l, _)| l.eq_ignore_ascii_case(&file.logical));
                let physical = moved.map_or_else(|| file.physical.clone(), |(_, to)| to.clone());
                DbFile { physical, ..file.clone() }
            })
            .collect();
        let mut all: Vec<Message> = files.iter().flat_map(|f| self.in_the_way(s, None, f, false)).collect();
        if all.is_empty() {
            return Ok(files);
        }
        all.push(planning());
        Err(all)
    }

    /// What is in the way of the files.
    pub(super) fn collisions(
        &self,
        s: usize,
        existing: Option<usize>,
        files: &[DbFile],
        replace: bool,
    ) -> Result<(), Vec<Message>> {
        for (n, file) in files.iter().enumerate() {
            let twice = files[..n].iter().find(|o| o.physical.eq_ignore_ascii_case(&file.physical));
            if let Some(other) = twice {
                return Err(vec![Message::error(
                    3176,
                    format!(
                        "File '{}' is claimed by '{}'({}) and '{}'({}). The WITH MOVE clause can be used to relocate one or more files.",
                        file.physical, file.logical, file.id, other.logical, other.id
                    ),
                )]);
            }
        }
        let mut all: Vec<Message> =
            files.iter().flat_map(|f| self.in_the_way(s, existing, f, replace)).collect();
        if all.is_empty()
            && let Some(full) = self.no_space(s, existing, files)
        {
            all.push(full);
        }
        if all.is_empty() {
            return Ok(());
        }
        all.push(planning());
        Err(all)
    }

    pub(super) fn in_the_way(
        &self,
        s: usize,
        existing: Option<usize>,
        file: &DbFile,
        replace: bool,
    ) -> Vec<Message> {
        let (server, path) = (&self.servers[s], &file.physical);
        let mut others = server.databases.iter().enumerate().filter(|(d, _)| Some(*d) != existing);
        if let Some((_, owner)) =
            others.find(|(_, db)| db.files.iter().any(|f| f.physical.eq_ignore_ascii_case(path)))
        {
            let text = format!(
                "The file '{path}' cannot be overwritten.  It is being used by database '{}'.",
                owner.name
            );
            return vec![Message::error(1834, text), cannot_place(&file.logical, path)];
        }
        if let Some(os) = self.no_folder(s, path) {
            let text = format!(
                "Directory lookup for the file \"{path}\" failed with the operating system error {os}({}).",
                crate::sandbox::world::files::os_error_text(os)
            );
            return vec![Message::error(5133, text), cannot_place(&file.logical, path)];
        }
        let own = existing
            .is_some_and(|d| server.databases[d].files.iter().any(|f| f.physical.eq_ignore_ascii_case(path)));
        if !replace && !own && self.files.exists(server.machine(), path).0 {
            return vec![Message::error(
                3142,
                format!(
                    "File \"{}\" cannot be restored over the existing \"{path}\". Reissue the RESTORE statement using WITH REPLACE to overwrite pre-existing files, or WITH MOVE to identify an alternate location.",
                    file.logical
                ),
            )];
        }
        Vec::new()
    }

    /// The operating system's error when the folder of a path is not there.
    pub(crate) fn no_folder(&self, s: usize, path: &str) -> Option<i32> {
        let server = &self.servers[s];
        let Some((folder, _)) = path.rsplit_once('\\') else { return Some(123) };
        let folder = if folder.ends_with(':') { format!("{folder}\\") } else { folder.to_owned() };
        if server.denies(path) {
            return Some(5);
        }
        if self.files.exists(server.machine(), &folder).1 {
            return None;
        }
        let drive = path.get(..3).unwrap_or_default();
        let there = path.starts_with("\\\\")
            || server.volumes.iter().any(|v| v.mount.to_lowercase().starts_with(&drive.to_lowercase()));
        Some(if there { 2 } else { 3 })
    }

    fn no_space(&self, s: usize, existing: Option<usize>, files: &[DbFile]) -> Option<Message> {
        let server = &self.servers[s];
        let on = |volume: &crate::sandbox::world::state::Volume, all: &[DbFile]| -> i64 {
            let here = |f: &&DbFile| server.volume_of(&f.physical).is_some_and(|v| v.mount == volume.mount);
            all.iter().filter(here).map(|f| f.pages * 8192).sum()
        };
        for volume in &server.volumes {
            let before = existing.map_or(0, |d| on(volume, &server.databases[d].files));
            let more = on(volume, files) - before;
            if more > volume.free_bytes {
                return Some(Message::error(
                    3257,
                    format!(
                        "There is insufficient free space on disk volume '{}' to create the database. The database requires {more} additional free bytes, while only {} bytes are available.",
                        volume.mount, volume.free_bytes
                    ),
                ));
            }
        }
        None
    }
}
