//! Opening backup media: the messages SQL Server has for what it finds there, and the sets a file holds.
//!
//! Does not judge whether a set fits a database; that is `restore`.

pub(crate) mod family;

use std::sync::Arc;

use super::files::{Damage, Recording, Unreadable, os_error_text};
use super::state::{Layout, Set, State};
use crate::sandbox::answer::Message;

/// An error and its trailer 3013.
pub(crate) fn terminated(verb: &str, first: Vec<Message>) -> Vec<Message> {
    let mut all = first;
    all.push(Message::error(3013, format!("{verb} is terminating abnormally.")));
    all
}

/// 3201 with the operating system's error.
pub(crate) fn cannot_open(path: &str, os: i32) -> Message {
    Message {
        state: 2,
        ..Message::error(
            3201,
            format!(
                "Cannot open backup device '{path}'. Operating system error {os}({}).",
                os_error_text(os)
            ),
        )
    }
}

/// 3203: the file ends too early.
pub(crate) fn cannot_read(path: &str, os: i32) -> Message {
    Message::error(3203, format!("Read on \"{path}\" failed: {os}({})", os_error_text(os)))
}

impl State {
    /// The sets of a file as a server sees it.
    pub(crate) fn open_media(&self, server: usize, path: &str) -> Result<Arc<Vec<Recording>>, Message> {
        let host = &self.servers[server];
        if host.denies(path) {
            return Err(cannot_open(path, 5));
        }
        if let Some(known) = self.fresh.as_ref().and_then(|f| f.get(path)) {
            return Ok(Arc::clone(known));
        }
        self.files.read(host.machine(), path).map(Arc::new).map_err(|why| match why {
            Unreadable::Os(number) => cannot_open(path, number),
            Unreadable::Empty => Message::error(3254, format!("The volume on device '{path}' is empty.")),
            Unreadable::NotABackup => Message::error(
                3241,
                format!(
                    "The media family on device '{path}' is incorrectly formed. SQL Server cannot process this media family."
                ),
            ),
        })
    }

    /// What a damaged body does to a restore.
    pub(crate) fn body_fault(recording: &Recording, path: &str) -> Option<Message> {
        match recording.body {
            Err(Damage::Truncated) => Some(cannot_read(path, 38)),
            Err(Damage::Altered) if recording.set.kind == 'L' => {
                Some(Message::error(3189, "Damage to the backup set was detected."))
            }
            Err(Damage::Altered) => Some(Message {
                state: 2,
                ..Message::error(
                    3183,
                    format!(
                        "RESTORE detected an error on page (1:118) in database \"{}\" as read from the backup set.",
                        recording.layout.database
                    ),
                )
            }),
            Ok(_) => None,
        }
    }

    /// What VERIFYONLY finds. Without checksums it sees that the set is whole, not that its pages are good.
    pub(crate) fn verify_fault(recording: &Recording, path: &str) -> Option<Message> {
        match recording.body {
            Err(Damage::Truncated) => Some(cannot_read(path, 38)),
            Err(Damage::Altered) if recording.set.checksums => {
                Some(Message::error(3189, "Damage to the backup set was detected."))
            }
            _ => None,
        }
    }

    /// The number of a set in the world's list, entered if it is new.
    pub(crate) fn know_set(&mut self, set: &Set, layout: &Layout) -> usize {
        if let Some(known) = self.set_of.get(&set.uuid) {
            return *known;
        }
        let layout = self.layouts.iter().position(|l| l == layout).unwrap_or_else(|| {
            self.layouts.push(layout.clone());
            self.layouts.len() - 1
        });
        self.set_of.insert(set.uuid, self.sets.len());
        self.sets.push(Set { layout, ..set.clone() });
        self.sets.len() - 1
    }

    /// The set's `backup_set_id` in a server's msdb, entered if it is new there.
    pub(crate) fn enter_set(&mut self, server: usize, set: usize) -> i64 {
        let backups = &mut self.servers[server].msdb.backups;
        let n = backups.iter().rposition(|s| *s == set).unwrap_or_else(|| {
            backups.push(set);
            backups.len() - 1
        });
        n as i64 + 1
    }
}
