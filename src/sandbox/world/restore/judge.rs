//! Whether a set may be restored, in the order in which SQL Server finds fault: devices, format, families, position,
//! encryption, checksums, version, target, use, identity and tail, files, LSNs and forks, stop clause.
//!
//! Changes nothing. Permission is looked at before.

use super::message::{
    needs_upgrade, no_database, not_ready, other_database, other_path, salvaged, too_early, too_recent,
    wrong_kind,
};
use super::{RestoreAsk, RestoreBegun, place, stop};
use crate::sandbox::answer::Message;
use crate::sandbox::world::files::{Damage, Recording};
use crate::sandbox::world::ha::Barred;
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::media::family::damaged_device;
use crate::sandbox::world::state::{Database, DbState, Model, State};

type Judged<T> = Result<T, Vec<Message>>;

fn one(message: Message) -> Vec<Message> {
    vec![message]
}

impl State {
    pub(super) fn judge(&self, s: usize, name: &str, ask: &RestoreAsk) -> Judged<RestoreBegun> {
        let server = &self.servers[s];
        let paths = ask.paths();
        let position = ask.position.unwrap_or(1);
        let opened = self.open_devices(s, &paths).map_err(one)?;
        if let (Some(wanted), Some(first)) = (&ask.media_name, opened.first().and_then(|o| o.first()))
            && first.set.rest.media_name.as_ref() != Some(wanted)
        {
            let is = first.set.rest.media_name.clone().unwrap_or_default();
            let text = format!(
                "User-specified volume ID '{wanted}' does not match the volume ID '{is}' of the device '{}'.",
                paths[0]
            );
            return Err(one(Message::error(4037, text)));
        }
        Self::one_medium(&paths, &opened).map_err(one)?;
        let recording = Self::set_of(&paths, &opened, position).map_err(one)?;
        if let Some(missing) = server.cannot_decrypt(&recording.set) {
            return Err(one(missing));
        }
        if ask.checksum && !recording.set.checksums {
            return Err(one(Message::error(
                3187,
                "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain checksum information.",
            )));
        }
        let salvaged_now = damage(&recording, ask, damaged_device(&paths, &opened, position))?;
        if let Some(newer) = server.too_old_for(&recording) {
            return Err(one(newer));
        }
        let older = recording.layout.database_version < server.database_version();
        if ask.standby.is_some() && older {
            return Err(one(needs_upgrade()));
        }
        let existing = server.database_index(name);
        let kind = recording.set.kind;
        if (ask.log || kind == 'I') && existing.is_none() {
            return Err(one(no_database(name)));
        }
        let path = &paths[0];
        match (ask.log, kind) {
            (true, 'D') => return Err(one(wrong_kind(path, "BACKUP DATABASE"))),
            (true, 'I') => return Err(one(wrong_kind(path, "BACKUP DATABASE WITH DIFFERENTIAL"))),
            (false, 'L') => return Err(one(wrong_kind(path, "BACKUP LOG"))),
            _ => {}
        }
        if let Some(db) = existing.map(|d| &server.databases[d]) {
            self.alone_in(s, &db.name, ask.session, "RESTORE").map_err(one)?;
            if let Some(refused) = self.ha_bars(s, &db.name, Barred::Restore) {
                return Err(one(refused));
            }
        }
        let mut begun = RestoreBegun {
            name: existing.map_or_else(|| name.to_owned(), |d| server.databases[d].name.clone()),
            ask: ask.clone(),
            files: Vec::new(),
            stop: stop::Stop::default(),
            salvaged: salvaged_now,
            megabytes: recording.set.size / 1_048_576,
            recording,
        };
        if ask.standby.is_some() {
            self.check_undo_file(s, ask.standby.as_deref()).map_err(one)?;
        }
        match existing.map(|d| (d, &server.databases[d])) {
            Some((d, db)) if kind != 'D' => {
                self.judge_roll_forward(s, d, db, &mut begun)?;
            }
            other => {
                if let Some((_, db)) = other {
                    self.judge_overwriting(s, db, &begun)?;
                }
                begun.stop = stop::of_data(ask, &begun.recording).map_err(one)?;
                place::moves(ask, &begun.recording.layout.files, name)?;
                begun.files = self.places(s, existing, &begun.recording, ask);
                self.collisions(s, existing, &begun.files, ask.replace)?;
            }
        }
        Ok(begun)
    }

    /// Identity and tail.
    fn judge_overwriting(&self, s: usize, db: &Database, begun: &RestoreBegun) -> Judged<()> {
        let ask = &begun.ask;
        if ask.replace {
            return Ok(());
        }
        if db.family != begun.recording.layout.family {
            return Err(one(other_database(&db.name)));
        }
        let online = db.state == DbState::Online && !db.in_standby();
        let tail = online && db.model != Model::Simple && db.log.backed_up.is_some_and(|b| b < db.log.end);
        if tail {
            let Some(time) = ask.stop_at else {
                return Err(one(Message::error(
                    3159,
                    format!(
                        "The tail of the log for the database \"{}\" has not been backed up. Use BACKUP LOG WITH NORECOVERY to backup the log if it contains work you do not want to lose. Use the WITH REPLACE or WITH STOPAT clause of the RESTORE statement to just overwrite the contents of the log.",
                        db.name
                    ),
                )));
            };
            let covered = db.more.log_since.unwrap_or_else(|| self.servers[s].local(self.at));
            if time > covered {
                return Err(one(Message::error(
                    3173,
                    format!(
                        "The STOPAT clause provided with this RESTORE statement indicates that the tail of the log contains changes that must be backed up to reach the target point in time. The tail of the log for the database \"{}\" has not been backed up. Use BACKUP LOG WITH NORECOVERY to back up the log, or use the WITH REPLACE clause in your RESTORE statement to overwrite the tail of the log.",
                        db.name
                    ),
                )));
            }
        }
        let was = &begun.recording.layout.database;
        if online && !was.eq_ignore_ascii_case(&db.name) {
            return Err(one(Message::error(
                3141,
                format!(
                    "The database to be restored was named '{was}'. Reissue the statement using the WITH REPLACE option to overwrite the '{}' database.",
                    db.name
                ),
            )));
        }
        Ok(())
    }

    /// The rule for logs and differentials.
    fn judge_roll_forward(&self, s: usize, d: usize, db: &Database, begun: &mut RestoreBegun) -> Judged<()> {
        let (ask, set, layout) = (&begun.ask, &begun.recording.set, &begun.recording.layout);
        let rolling = db.state == DbState::Restoring || db.in_standby();
        if !rolling {
            return Err(one(not_ready()));
        }
        self.not_interrupted(s, d, Some(set.uuid)).map_err(one)?;
        let Some(redo) = db.redo else { return Err(one(not_ready())) };
        if db.more.salvaged && !ask.continue_after_error {
            return Err(one(salvaged()));
        }
        if layout.family != db.family {
            return Err(one(other_database(&db.name)));
        }
        if set.kind == 'I' {
            if set.base.map(|b| b.1) != db.base.map(|b| b.1) {
                return Err(one(Message::error(
                    3136,
                    "This differential backup cannot be restored because the database has not been restored to the correct earlier state.",
                )));
            }
            if set.last <= redo.start {
                return Err(one(Message::error(
                    3120,
                    "This backup set will not be restored because all data has already been restored to a point beyond the time covered by this backup set.",
                )));
            }
            begun.stop = stop::of_data(ask, &begun.recording).map_err(one)?;
            begun.files = self.new_files(s, d, &begun.recording, ask)?;
            return Ok(());
        }
        if set.first > redo.start {
            return Err(one(too_recent(set.first, redo.start)));
        }
        if set.last < redo.start {
            return Err(one(too_early(set.last, redo.start)));
        }
        if set.first_fork != redo.fork || set.fork_point.is_some_and(|p| redo.start > p) {
            return Err(one(other_path()));
        }
        begun.stop = stop::of_log(ask, &begun.recording, redo.start, db.more.reached).map_err(one)?;
        begun.files = self.new_files(s, d, &begun.recording, ask)?;
        Ok(())
    }

    /// 4319 when an earlier restore was broken off and this is not the same again.
    pub(super) fn not_interrupted(&self, s: usize, d: usize, set: Option<Guid>) -> Result<(), Message> {
        let db = &self.servers[s].databases[d];
        if db.more.interrupted.is_none() || db.more.interrupted == set {
            return Ok(());
        }
        let file = db.files.first().map_or("", |f| f.logical.as_str());
        Err(Message {
            state: 3,
            ..Message::error(
                4319,
                format!(
                    "A previous restore operation was interrupted and did not complete processing on file '{file}'. Either restore the backup set that was interrupted or restart the restore sequence."
                ),
            )
        })
    }
}

/// Damage of the set: an error, or whether the restore goes on over it.
fn damage(recording: &Recording, ask: &RestoreAsk, path: &str) -> Judged<bool> {
    let set = &recording.set;
    match &recording.body {
        Err(Damage::Altered) if ask.continue_after_error => {
            return Err(one(Message::not_modelled(
                "RESTORE WITH CONTINUE_AFTER_ERROR from a set whose bytes were changed",
            )));
        }
        Err(_) => return Err(one(State::body_fault(recording, path).unwrap_or_else(not_ready))),
        Ok(_) => {}
    }
    if set.rest.damaged && !ask.continue_after_error {
        return Err(one(Message::error(
            3182,
            "The backup set cannot be restored because the database was damaged when the backup occurred. Salvage attempts may exploit WITH CONTINUE_AFTER_ERROR.",
        )));
    }
    Ok(set.rest.damaged)
}
