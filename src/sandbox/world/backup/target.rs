//! The medium a backup goes to: a new one, or one that sets are added to or that is written over.
//!
//! Does not write.

use super::{BackupAsk, is_nul};
use crate::sandbox::answer::Message;
use crate::sandbox::world::files::Recording;
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::media::cannot_open;
use crate::sandbox::world::media::family::Sets;
use crate::sandbox::world::state::State;

/// Where the set goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    /// None = a new medium.
    pub(super) media_uuid: Option<Guid>,
    pub(super) position: i64,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) compressed: bool,
}

impl State {
    pub(super) fn target(&self, s: usize, ask: &BackupAsk, uuid: Guid) -> Result<Target, Message> {
        let compression =
            ask.compression.unwrap_or_else(|| self.servers[s].option("backup compression default"));
        let new = Target {
            media_uuid: None,
            position: 1,
            name: ask.media_name.clone(),
            description: ask.media_description.clone(),
            compressed: compression,
        };
        let paths: Vec<String> = ask.all_devices().into_iter().map(|(path, _)| path).collect();
        for (n, path) in paths.iter().enumerate() {
            if path.is_empty() {
                return Err(Message::error(
                    3044,
                    "Invalid zero-length device name. Reissue the BACKUP statement with a valid device name.",
                ));
            }
            if !is_nul(path) && paths[..n].iter().any(|o| o.eq_ignore_ascii_case(path)) {
                return Err(cannot_open(path, 32));
            }
        }
        if ask.format {
            return Ok(new);
        }
        let real: Vec<String> = paths.iter().filter(|p| !is_nul(p)).cloned().collect();
        let mut opened = Vec::new();
        let mut there = Vec::new();
        for path in &real {
            match self.device_there(s, path, uuid)? {
                Some(sets) => {
                    opened.push(sets);
                    there.push(path.clone());
                }
                None if there.is_empty() => {}
                None => {
                    let sets: &Sets = &opened[0];
                    let wanted = sets.first().map_or(1, |r| r.set.families());
                    return Err(Message::error(
                        3132,
                        format!(
                            "The media set has {wanted} media families but only {} are provided. All members must be provided.",
                            there.len()
                        ),
                    ));
                }
            }
        }
        if there.is_empty() {
            return Ok(new);
        }
        // As many devices as the statement names, also those that were not there.
        if there.len() < paths.len()
            && opened.iter().any(|o| o.first().is_some_and(|r| r.set.families() < paths.len()))
        {
            let wanted = opened[0].first().map_or(1, |r| r.set.families());
            return Err(Message::error(
                3231,
                format!(
                    "The media loaded on \"{}\" is formatted to support {wanted} media families, but {} media families are expected according to the backup device specification.",
                    there[0],
                    paths.len()
                ),
            ));
        }
        Self::one_medium(&there, &opened)?;
        self.onto(s, ask, &there[0], &opened, &new)
    }

    /// The sets of a device that is there; an empty file is as good as none.
    fn device_there(&self, s: usize, path: &str, uuid: Guid) -> Result<Option<Sets>, Message> {
        let made = self.fresh.as_ref().map(|f| f.contains_key(path));
        if !made.unwrap_or_else(|| self.files.has(self.servers[s].machine(), path)) {
            return Ok(None);
        }
        match self.open_media(s, path) {
            // Written just before the program was killed: the same set again, not a second one.
            Ok(sets) if sets.last().is_some_and(|r| r.set.uuid == uuid) => Ok(None),
            Ok(sets) => Ok(Some(sets)),
            Err(message) if message.number == 3254 => Ok(None),
            Err(message) => Err(message),
        }
    }

    fn onto(
        &self,
        s: usize,
        ask: &BackupAsk,
        path: &str,
        opened: &[Sets],
        new: &Target,
    ) -> Result<Target, Message> {
        let first: &Recording = &opened[0][0];
        let media = &first.set.rest;
        if !ask.skip
            && let Some(wanted) = &ask.media_name
            && media.media_name.as_ref() != Some(wanted)
        {
            let is = media.media_name.clone().unwrap_or_default();
            return Err(Message::error(
                4037,
                format!(
                    "User-specified volume ID '{wanted}' does not match the volume ID '{is}' of the device '{path}'."
                ),
            ));
        }
        match (ask.encryption.is_some(), media.encryption.is_some()) {
            (true, false) => {
                return Err(Message::error(
                    3095,
                    "The backup cannot be performed because 'ENCRYPTION' was requested after the media was formatted with an incompatible structure. To append to this media set, either omit 'ENCRYPTION' or create a new media set by using WITH FORMAT in your BACKUP statement. If you use WITH FORMAT on an existing media set, all its backup sets will be overwritten.",
                ));
            }
            (false, true) => {
                return Err(Message::error(
                    3097,
                    "The Backup cannot be performed because the existing media set is formatted with an incompatible version.",
                ));
            }
            _ => {}
        }
        let compressed = media.compressed.is_some();
        if let Some(wanted) = ask.compression.filter(|w| *w != compressed) {
            let word = |yes| if yes { "COMPRESSION" } else { "NO_COMPRESSION" };
            let (asked, other) = (word(wanted), word(!wanted));
            return Err(Message::error(
                3098,
                format!(
                    "The backup cannot be performed because '{asked}' was requested after the media was formatted with an incompatible structure. To append to this media set, either omit '{asked}' or specify '{other}'. Alternatively, you can create a new media set by using WITH FORMAT in your BACKUP statement. If you use WITH FORMAT on an existing media set, all its backup sets will be overwritten."
                ),
            ));
        }
        let now = self.servers[s].local(self.at);
        if ask.init {
            let held = opened[0].iter().filter_map(|r| r.set.rest.expires).find(|e| *e > now);
            if let Some(until) = held.filter(|_| !ask.skip) {
                return Err(Message::error(
                    4030,
                    format!(
                        "The medium on device '{path}' expires on {} and cannot be overwritten.",
                        until.format("%b %e %Y %I:%M:%S:%3f%p")
                    ),
                ));
            }
            return Ok(Target {
                media_uuid: Some(first.set.media_uuid),
                name: media.media_name.clone(),
                description: media.media_description.clone(),
                compressed,
                ..new.clone()
            });
        }
        let made = self.fresh.is_some();
        if !made && self.files.is_ragged(self.servers[s].machine(), path) {
            return Err(Message::error(
                3266,
                format!(
                    "The backup data at the end of \"{path}\" is incorrectly formatted. Backup sets on the media might be damaged and unusable. To determine the backup sets on the media, use RESTORE HEADERONLY. To determine the usability of the backup sets, run RESTORE VERIFYONLY. If all of the backup sets are incomplete, reformat the media using BACKUP WITH FORMAT, which destroys all the backup sets."
                ),
            ));
        }
        Ok(Target {
            media_uuid: Some(first.set.media_uuid),
            position: opened[0].last().map_or(1, |r| r.set.position + 1),
            name: media.media_name.clone(),
            description: media.media_description.clone(),
            compressed,
        })
    }
}
