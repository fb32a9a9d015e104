//! Several devices as one medium: whether they belong together, and a set of it by position.
//!
//! Does not judge whether a set fits a database; that is `restore`.

use std::sync::Arc;

use crate::sandbox::answer::Message;
use crate::sandbox::world::files::{Body, Recording};
use crate::sandbox::world::state::{Server, Set, State};

/// No medium has more members.
pub(crate) const DEVICES: usize = 64;

/// The sets of one device.
pub(crate) type Sets = Arc<Vec<Recording>>;

impl Set {
    /// How many stripes the medium has.
    pub(crate) fn families(&self) -> usize {
        self.rest.devices.len().max(1)
    }

    /// Its bits in `flags`; 512 is always set.
    pub(crate) fn flags(&self) -> i64 {
        let bits = [
            (self.rest.bulk_logged, 1),
            (self.rest.snapshot, 2),
            (self.rest.read_only, 4),
            (self.rest.single_user, 8),
            (self.checksums, 16),
            (self.rest.damaged, 32),
            (self.tail, 64),
            (self.rest.incomplete_metadata, 128),
            (self.tail, 256),
        ];
        512 + bits.iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum::<i64>()
    }

    /// Path and logical name of each stripe.
    pub(crate) fn stripes(&self) -> Vec<(&str, Option<&str>)> {
        if self.rest.devices.is_empty() {
            return vec![(&self.path, None)];
        }
        self.rest.devices.iter().map(|(path, name)| (path.as_str(), name.as_deref())).collect()
    }

    /// Which of them this is, from 1.
    pub(crate) fn family(&self) -> usize {
        usize::from(self.rest.family.max(1))
    }
}

impl Server {
    /// 33111 when a set is encrypted and the certificate is not here.
    pub(crate) fn cannot_decrypt(&self, set: &Set) -> Option<Message> {
        let (_, thumbprint) = set.rest.encryption.as_ref()?;
        if self.certificates.iter().any(|c| c.thumbprint == *thumbprint && c.private_key) {
            return None;
        }
        let shown: String = thumbprint.iter().map(|b| format!("{b:02X}")).collect();
        Some(Message {
            state: 3,
            ..Message::error(33111, format!("Cannot find server certificate with thumbprint '0x{shown}'."))
        })
    }

    /// 3169 when a set is of a newer server.
    pub(crate) fn too_old_for(&self, recording: &Recording) -> Option<Message> {
        let layout = &recording.layout;
        let (theirs, ours) = (layout.database_version, self.database_version());
        if theirs <= ours {
            return None;
        }
        let text = if self.year() >= 2022 {
            format!(
                "The database was backed up on a server running database version {theirs}. That version is incompatible with this server, which supports version {ours}. Either restore the database on a server that supports the backup, or use a backup that is compatible with this server."
            )
        } else {
            let shown = |(major, minor, build): (u8, u8, u16)| format!("{major}.{minor:02}.{build:04}");
            let (major, minor, build, _) = self.version;
            let (theirs, ours) = (shown(layout.software), shown((major, minor, build)));
            format!(
                "The database was backed up on a server running version {theirs}. That version is incompatible with this server, which is running version {ours}. Either restore the database on a server that supports the backup, or use a backup that is compatible with this server."
            )
        };
        Some(Message::error(3169, text))
    }
}

impl State {
    /// Opens every device, each as it stands in the statement.
    pub(crate) fn open_devices(&self, server: usize, paths: &[String]) -> Result<Vec<Sets>, Message> {
        if paths.len() > DEVICES {
            let text = format!(
                "Too many backup devices specified for backup or restore; only {DEVICES} are allowed."
            );
            return Err(Message::error(3205, text));
        }
        paths.iter().map(|path| self.open_media(server, path)).collect()
    }

    /// Whether the devices are one medium, whole.
    pub(crate) fn one_medium(paths: &[String], opened: &[Sets]) -> Result<(), Message> {
        let firsts: Vec<(&String, &Set)> =
            paths.iter().zip(opened).filter_map(|(p, sets)| Some((p, &sets.first()?.set))).collect();
        let Some((_, first)) = firsts.first() else { return Ok(()) };
        let given = paths.len();
        for (n, (path, set)) in firsts.iter().enumerate() {
            let wanted = set.families();
            if wanted < given && set.media_uuid == first.media_uuid {
                return Err(Message::error(
                    3231,
                    format!(
                        "The media loaded on \"{path}\" is formatted to support {wanted} media families, but {given} media families are expected according to the backup device specification."
                    ),
                ));
            }
            if set.media_uuid != first.media_uuid {
                return Err(Message::error(
                    3258,
                    format!(
                        "The volume on the device \"{path}\" is not part of the media set that is currently being processed. Ensure that the backup devices are loaded with the correct media."
                    ),
                ));
            }
            if let Some((other, _)) = firsts[..n].iter().find(|(_, o)| o.family() == set.family()) {
                return Err(Message::error(
                    3227,
                    format!(
                        "The backup media on \"{path}\" is part of media family {} which has already been processed on \"{other}\". Ensure that backup devices are correctly specified. For tape devices, ensure that the correct volumes are loaded.",
                        set.family()
                    ),
                ));
            }
        }
        if first.families() > given {
            return Err(Message::error(
                3132,
                format!(
                    "The media set has {} media families but only {given} are provided. All members must be provided.",
                    first.families()
                ),
            ));
        }
        Ok(())
    }

    /// A set by position, its stripes put together; 4038 when there is none.
    pub(crate) fn set_of(paths: &[String], opened: &[Sets], position: i64) -> Result<Recording, Message> {
        let mut whole: Option<Recording> = None;
        let mut fault = None;
        for (path, sets) in paths.iter().zip(opened) {
            let Some(found) = sets.iter().find(|r| r.set.position == position) else {
                return Err(Message {
                    state: 2,
                    ..Message::error(4038, format!("Cannot find file ID {position} on device '{path}'."))
                });
            };
            match &found.body {
                Ok(Body::Stripe) => {
                    whole.get_or_insert_with(|| found.clone());
                }
                Ok(_) => whole = Some(found.clone()),
                Err(damage) => {
                    fault.get_or_insert(*damage);
                    whole.get_or_insert_with(|| found.clone());
                }
            }
        }
        let mut whole = whole.ok_or_else(|| {
            let path = paths.first().map_or("", String::as_str);
            Message::error(4038, format!("Cannot find file ID {position} on device '{path}'."))
        })?;
        if let Some(damage) = fault {
            whole.body = Err(damage);
        }
        Ok(whole)
    }
}

/// The device that a damage shows on: the first whose stripe is not whole.
pub(crate) fn damaged_device<'a>(paths: &'a [String], opened: &[Sets], position: i64) -> &'a str {
    let broken = |sets: &Sets| sets.iter().any(|r| r.set.position == position && r.body.is_err());
    let found = paths.iter().zip(opened).find(|(_, sets)| broken(sets));
    found.or_else(|| paths.iter().zip(opened).next()).map_or("", |(path, _)| path)
}
