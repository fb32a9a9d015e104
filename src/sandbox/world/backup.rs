//! BACKUP DATABASE and BACKUP LOG: what is asked, what is written, and what that does to the database.
//!
//! Does not know jobs or BizTalk. Whether it may be done is judged in [`judge`], the medium in [`target`].

mod judge;
mod target;

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::files::{Body, Recording, Unreadable, os_error_text};
use super::ha::Barred;
use super::ids::{Guid, Lsn};
use super::media::{cannot_open, terminated};
use super::state::{Database, DbState, Layout, Model, Redo, Rest, Server, Set, State, no_such_database};
use crate::sandbox::answer::Message;
use target::Target;

/// What a BACKUP statement asks for.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct BackupAsk {
    pub(crate) log: bool,
    pub(crate) differential: bool,
    pub(crate) path: String,
    /// Every device with its logical name; empty = the one at `path`.
    pub(crate) devices: Vec<(String, Option<String>)>,
    pub(crate) init: bool,
    pub(crate) format: bool,
    pub(crate) skip: bool,
    pub(crate) copy_only: bool,
    /// None = as the server is set.
    pub(crate) checksum: Option<bool>,
    /// None = as the server is set.
    pub(crate) compression: Option<bool>,
    /// Algorithm and certificate.
    pub(crate) encryption: Option<(String, String)>,
    /// Tail: leaves the database restoring.
    pub(crate) norecovery: bool,
    /// Tail: leaves it in standby, with this undo file.
    pub(crate) standby: Option<String>,
    pub(crate) no_truncate: bool,
    pub(crate) continue_after_error: bool,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) expires: Option<NaiveDateTime>,
    pub(crate) media_name: Option<String>,
    pub(crate) media_description: Option<String>,
    pub(crate) block_size: Option<i64>,
    pub(crate) user: String,
    /// Whose session asks.
    pub(crate) session: Option<i16>,
    /// Of history: the file is deleted again before anybody can look.
    pub(crate) unkept: bool,
}

/// A backup that has begun.
#[derive(Debug, Clone)]
pub(crate) struct BackupBegun {
    database: String,
    ask: BackupAsk,
    target: Target,
    from: DateTime<Utc>,
    checkpoint: Option<Lsn>,
    uuid: Guid,
    new_media: Guid,
    /// Megabytes to move.
    pub(crate) megabytes: i64,
}

impl BackupAsk {
    /// As SQL Server names the statement.
    pub(crate) const fn verb(&self) -> &'static str {
        if self.log { "BACKUP LOG" } else { "BACKUP DATABASE" }
    }

    pub(super) fn all_devices(&self) -> Vec<(String, Option<String>)> {
        if self.devices.is_empty() { vec![(self.path.clone(), None)] } else { self.devices.clone() }
    }

    /// A copy of the log that leaves no trace.
    const fn copies(&self) -> bool {
        self.copy_only || self.no_truncate
    }
}

/// Thrown away as it is written.
pub(crate) fn is_nul(path: &str) -> bool {
    let name = path.rsplit('\\').next().unwrap_or(path).trim_end_matches(':');
    name.eq_ignore_ascii_case("NUL")
}

pub(crate) fn layout_of(server: &Server, db: &Database) -> Layout {
    Layout {
        server: server.name.clone(),
        database: db.name.clone(),
        collation: server.collation.clone(),
        created: db.created,
        compatibility: db.compatibility,
        software: (server.version.0, server.version.1, server.version.2),
        database_version: server.database_version(),
        offset_minutes: server.offset_minutes,
        model: db.model,
        guid: db.guid,
        family: db.family,
        role: db.role.clone(),
        files: db.files.clone(),
        options: db.more.options.clone(),
    }
}

impl State {
    /// Takes a backup that ran from `from` to `to`; the set's number in the world's list.
    pub(crate) fn backup(
        &mut self,
        s: usize,
        database: &str,
        ask: &BackupAsk,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<usize, Vec<Message>> {
        let begun = self.begin_backup(s, database, ask, from)?;
        self.end_backup(s, &begun, to)
    }

    /// Judges a backup and begins it: the checkpoint is taken.
    pub(crate) fn begin_backup(
        &mut self,
        s: usize,
        database: &str,
        ask: &BackupAsk,
        from: DateTime<Utc>,
    ) -> Result<BackupBegun, Vec<Message>> {
        let failed = |m: Message| terminated(ask.verb(), vec![m]);
        if let Some(refused) = self.ha_bars(s, database, Barred::of_backup(ask)) {
            return Err(failed(refused));
        }
        // Others read the log before a backup cuts it off.
        self.ship(from);
        let follows = self.follows(s, database);
        let d = self.may_back_up(s, database, ask).map_err(failed)?;
        self.backup_begins(s, database, &ask.all_devices()[0].0, from)
            .map_err(|first| terminated(ask.verb(), first))?;
        let (uuid, new_media) = (self.dice.guid(), self.dice.guid());
        let target = self.target(s, ask, uuid).map_err(failed)?;
        self.read_pages(s, d, ask).map_err(failed)?;
        let busy = self.biztalk_works_on(s);
        let db = &mut self.servers[s].databases[d];
        if !follows {
            if ask.session.is_some() {
                db.work(from, busy, &mut self.dice);
            }
            db.log.flush();
        }
        let checkpoint = (!ask.log).then(|| {
            // A copy writes no checkpoint of its own.
            if !follows {
                db.log.checkpoint = db.log.end;
                db.log.end = db.log.end.after(2);
            }
            db.log.checkpoint
        });
        let megabytes = if ask.log {
            ((db.log.end.0 - db.log.backed_up.unwrap_or(db.log.end).0) / 100_000 / 2048) as i64
        } else {
            db.data_pages() / 128 / if ask.differential { 10 } else { 1 }
        };
        self.dirty = true;
        let database = db.name.clone();
        Ok(BackupBegun { database, ask: ask.clone(), target, from, checkpoint, uuid, new_media, megabytes })
    }

    /// Writes what was begun.
    pub(crate) fn end_backup(
        &mut self,
        s: usize,
        begun: &BackupBegun,
        to: DateTime<Utc>,
    ) -> Result<usize, Vec<Message>> {
        let ask = &begun.ask;
        let failed = |m: Message| terminated(ask.verb(), vec![m]);
        let Some(d) = self.servers[s].database_index(&begun.database) else {
            return Err(failed(no_such_database(&begun.database)));
        };
        let busy = self.biztalk_works_on(s);
        let follows = self.follows(s, &begun.database);
        if !follows {
            let db = &mut self.servers[s].databases[d];
            db.work(to, busy, &mut self.dice);
            db.log.flush();
        }
        self.ship(to);
        let (set, body) = self.set_of_backup(s, d, begun, to);
        let layout = layout_of(&self.servers[s], &self.servers[s].databases[d]);
        let recording = Recording { set, layout, body: Ok(body) };
        if ask.standby.is_some() || ask.norecovery {
            self.check_undo_file(s, ask.standby.as_deref()).map_err(failed)?;
        }
        self.put_on_media(s, begun, &recording).map_err(failed)?;
        let number = self.know_set(&recording.set, &recording.layout);
        self.servers[s].msdb.backups.push(number);
        self.log_backup(s, &recording.set, &recording.layout);
        let local = self.servers[s].local(to);
        self.servers[s].databases[d].backed_up(&recording.set, ask, local);
        if follows && ask.log {
            self.backed_up_on_copy(s, &begun.database, &recording.set);
        }
        if let Some(path) = &ask.standby {
            self.enter_standby(s, d, path);
        }
        self.dirty = true;
        Ok(number)
    }

    /// Leaves what a backup leaves that was broken off.
    pub(crate) fn break_backup(&self, s: usize, begun: &BackupBegun) {
        let machine = self.servers[s].machine();
        for (path, _) in begun.ask.all_devices().iter().filter(|(path, _)| !is_nul(path)) {
            self.files.write_broken(machine, path, begun.target.position > 1);
        }
    }

    fn set_of_backup(&self, s: usize, d: usize, begun: &BackupBegun, to: DateTime<Utc>) -> (Set, Body) {
        let (ask, server) = (&begun.ask, &self.servers[s]);
        let db = &server.databases[d];
        let data = begun.checkpoint.is_some();
        let oldest = db.content.open.oldest();
        let checkpoint = begun.checkpoint.unwrap_or(db.log.checkpoint);
        let first = if data {
            oldest.map_or(checkpoint, |o| o.min(checkpoint))
        } else {
            db.log.backed_up.unwrap_or(db.log.end)
        };
        let (kind, body) = match (ask.log, ask.differential) {
            (true, _) => ('L', Body::Log(db.log.records.clone())),
            (false, true) => ('I', Body::Differential(db.content.clone())),
            (false, false) => ('D', Body::Full(db.content.clone())),
        };
        let pages = db.data_pages();
        let size = match kind {
            'L' => ((db.log.end.0 - first.0).max(0) / 100_000) as i64 * 512 + 86_016,
            'I' => {
                let since = db.base.map_or(0, |b| (db.log.end.0 - b.0.0) / 100_000) as i64;
                (pages * 6963).min(1_110_016 + since.clamp(0, 1 << 40) * 2048)
            }
            _ => pages * 6963,
        };
        let forked = if ask.log { db.forked } else { None };
        let damaged = !db.more.damage.is_empty() && !ask.log && ask.continue_after_error;
        let lost = db.state != DbState::Online || db.more.files_lost;
        let encryption = ask.encryption.as_ref().and_then(|(algorithm, name)| {
            let found = server.certificates.iter().find(|c| c.name.eq_ignore_ascii_case(name))?;
            Some((algorithm.clone(), found.thumbprint.clone()))
        });
        let devices = ask.all_devices();
        let plain = devices.len() == 1 && devices[0].1.is_none();
        let target = &begun.target;
        let set = Set {
            layout: 0,
            uuid: begun.uuid,
            media_uuid: target.media_uuid.unwrap_or(begun.new_media),
            kind,
            path: devices[0].0.clone(),
            position: target.position,
            name: ask.name.clone(),
            user: ask.user.clone(),
            first,
            last: db.log.end,
            checkpoint,
            full_checkpoint: db.log.full_checkpoint,
            start: server.local(begun.from),
            finish: server.local(to),
            size,
            first_fork: forked.map_or(db.fork, |f| f.0),
            last_fork: db.fork,
            fork_point: forked.map(|f| f.1),
            base: db.base.filter(|_| ask.differential),
            copy_only: ask.copies() && !ask.differential,
            checksums: ask.checksum.unwrap_or_else(|| server.option("backup checksum default")),
            begins_chain: ask.log && db.log.begins,
            tail: ask.norecovery || ask.standby.is_some(),
            rest: Rest {
                description: ask.description.clone(),
                expires: ask.expires,
                media_name: target.name.clone(),
                media_description: target.description.clone(),
                devices: if plain { Vec::new() } else { devices },
                compressed: target.compressed.then_some(size * 23 / 100),
                encryption,
                block_size: ask.block_size,
                bulk_logged: ask.log && db.more.bulk_logged,
                read_only: db.read_only,
                single_user: db.user_access == 1,
                damaged,
                incomplete_metadata: ask.log && lost,
                since: db.more.log_since.filter(|_| ask.log),
                bad_pages: if ask.log {
                    Vec::new()
                } else {
                    db.more.damage.iter().map(|p| (p.file, p.page)).collect()
                },
                ..Rest::default()
            },
        };
        (set, body)
    }

    fn put_on_media(&mut self, s: usize, begun: &BackupBegun, recording: &Recording) -> Result<(), Message> {
        let devices = begun.ask.all_devices();
        let machine = self.servers[s].machine().to_owned();
        let share = recording.set.rest.compressed.unwrap_or(recording.set.size) / devices.len() as i64;
        for (n, (path, _)) in devices.iter().enumerate() {
            if is_nul(path) || begun.ask.unkept {
                continue;
            }
            if self.servers[s].denies(path) {
                return Err(cannot_open(path, 5));
            }
            if self.servers[s].volume_of(path).is_some_and(|v| v.free_bytes < share) {
                return Err(unwritable(path, Unreadable::Os(112)));
            }
            let mut stripe = recording.clone();
            if n > 0 {
                stripe.set.rest.family = u8::try_from(n + 1).unwrap_or(u8::MAX);
                stripe.body = Ok(Body::Stripe);
            }
            let position = begun.target.position;
            self.files.write(&machine, path, position > 1, &stripe).map_err(|why| unwritable(path, why))?;
            if let Some(fresh) = &mut self.fresh {
                let mut sets = fresh.get(path).filter(|_| position > 1).map_or_else(Vec::new, |e| e.to_vec());
                sets.push(stripe);
                fresh.insert(path.clone(), Arc::new(sets));
            }
        }
        Ok(())
    }
}

impl Server {
    /// Whether an option of `sys.configurations` is on.
    pub(crate) fn option(&self, name: &str) -> bool {
        self.options.get(name).is_some_and(|v| *v != 0)
    }

    /// The volume that a local path is on.
    pub(crate) fn volume_of(&self, path: &str) -> Option<&super::state::Volume> {
        let path = path.to_lowercase();
        let fits = self.volumes.iter().filter(|v| path.starts_with(&v.mount.to_lowercase()));
        fits.max_by_key(|v| v.mount.len())
    }
}

impl Database {
    /// 8 KB pages of its data files.
    pub(crate) fn data_pages(&self) -> i64 {
        self.files.iter().filter(|f| !f.is_log).map(|f| f.pages).sum()
    }

    pub(crate) fn backed_up(&mut self, set: &Set, ask: &BackupAsk, local: NaiveDateTime) {
        if ask.log {
            if !ask.copies() {
                self.log.backed_up = Some(set.last);
                self.log.records.clear();
                self.log.begins = false;
                self.forked = None;
                self.more.log_since = Some(local);
                self.more.bulk_logged = false;
            }
        } else if !ask.copy_only || ask.differential {
            if !ask.differential {
                self.log.full_checkpoint = set.checkpoint;
                self.base = Some((set.checkpoint, set.uuid));
            }
            if self.model != Model::Simple && self.log.backed_up.is_none() {
                self.log.backed_up = Some(set.first);
                self.log.begins = true;
                self.log.records.retain(|r| r.lsn >= set.first);
                self.more.log_since = Some(set.start);
            }
        }
        if ask.norecovery || ask.standby.is_some() {
            self.state = DbState::Restoring;
            self.redo = Some(Redo { start: set.last, fork: self.fork });
            self.more.reached = Some(set.finish);
        }
    }
}

fn unwritable(path: &str, why: Unreadable) -> Message {
    match why {
        Unreadable::Os(112) => {
            Message::error(3202, format!("Write on \"{path}\" failed: 112({})", os_error_text(112)))
        }
        Unreadable::Os(number) => Message { state: 1, ..cannot_open(path, number) },
        Unreadable::Empty | Unreadable::NotABackup => cannot_open(path, 5),
    }
}

impl BackupBegun {
    pub(crate) const fn verb(&self) -> &'static str {
        self.ask.verb()
    }
}
