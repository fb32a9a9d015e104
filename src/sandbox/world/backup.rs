//! BACKUP DATABASE and BACKUP LOG: what is written, and what that does to the database.
//!
//! Does not know jobs or BizTalk.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::files::{Body, Recording, Unreadable, os_error_text};
use super::ha::Barred;
use super::media::{cannot_open, terminated};
use super::state::{Database, DbState, Layout, Model, Rest, Server, Set, State, no_such_database};
use crate::sandbox::answer::Message;

/// What a BACKUP statement asks for.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct BackupAsk {
    pub(crate) log: bool,
    pub(crate) path: String,
    pub(crate) init: bool,
    pub(crate) copy_only: bool,
    pub(crate) checksum: bool,
    /// Tail: leaves the database restoring.
    pub(crate) norecovery: bool,
    pub(crate) name: Option<String>,
    pub(crate) user: String,
    /// Of history: the file is deleted again before anybody can look.
    pub(crate) unkept: bool,
}

impl BackupAsk {
    const fn verb(&self) -> &'static str {
        if self.log { "BACKUP LOG" } else { "BACKUP DATABASE" }
    }
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
        if let Some(refused) = self.ha_bars(s, database, Barred::of_backup(ask)) {
            return Err(terminated(ask.verb(), vec![refused]));
        }
        // Others read the log before a backup cuts it off.
        self.ship(to);
        let follows = self.follows(s, database);
        let d = self.may_back_up(s, database, ask).map_err(|m| terminated(ask.verb(), vec![m]))?;
        self.backup_begins(s, database, &ask.path, to).map_err(|first| terminated(ask.verb(), first))?;
        let made = self.fresh.as_ref().map(|f| f.contains_key(&ask.path));
        let there = !ask.init && made.unwrap_or_else(|| self.files.has(self.servers[s].machine(), &ask.path));
        let earlier = if there { self.open_media(s, &ask.path).ok() } else { None };
        let (uuid, new_media) = (self.dice.guid(), self.dice.guid());
        // Written just before the program was killed: the same set again, not a second one.
        let earlier = earlier.filter(|e| e.last().is_none_or(|r| r.set.uuid != uuid));
        let media_uuid = earlier.as_ref().and_then(|e| e.first()).map(|r| r.set.media_uuid);
        let position = earlier.as_ref().and_then(|e| e.last()).map_or(1, |r| r.set.position + 1);
        let busy = self.biztalk_works_on(s);
        let server = &mut self.servers[s];
        let (start, finish) = (server.local(from), server.local(to));
        let layout = layout_of(server, &server.databases[d]);
        let db = &mut server.databases[d];
        if !follows {
            db.work(to, busy, &mut self.dice);
            db.log.flush();
        }
        let (first, body) = if ask.log {
            (db.log.backed_up.unwrap_or(db.log.end), Body::Log(db.log.records.clone()))
        } else if follows {
            // A copy writes no checkpoint of its own.
            let oldest = db.content.open.oldest().unwrap_or(db.log.checkpoint);
            (db.log.checkpoint.min(oldest), Body::Full(db.content.clone()))
        } else {
            db.log.checkpoint = db.log.end;
            db.log.end = db.log.end.after(2);
            let oldest = db.content.open.oldest().unwrap_or(db.log.checkpoint);
            (db.log.checkpoint.min(oldest), Body::Full(db.content.clone()))
        };
        let pages: i64 = db.files.iter().filter(|f| !f.is_log).map(|f| f.pages).sum();
        let size =
            if ask.log { ((db.log.end.0 - first.0) / 100_000) as i64 * 512 + 86_016 } else { pages * 6963 };
        let forked = if ask.log { db.log_fork() } else { None };
        let set = Set {
            layout: 0,
            uuid,
            media_uuid: media_uuid.unwrap_or(new_media),
            kind: if ask.log { 'L' } else { 'D' },
            path: ask.path.clone(),
            position,
            name: ask.name.clone(),
            user: ask.user.clone(),
            first,
            last: db.log.end,
            checkpoint: db.log.checkpoint,
            full_checkpoint: db.log.full_checkpoint,
            start,
            finish,
            size,
            first_fork: forked.map_or(db.fork, |f| f.0),
            last_fork: db.fork,
            fork_point: forked.map(|f| f.1),
            base: None,
            copy_only: ask.copy_only,
            checksums: ask.checksum,
            begins_chain: ask.log && db.log.begins,
            tail: ask.norecovery,
            rest: Rest::default(),
        };
        let recording = Recording { set, layout, body: Ok(body) };
        let machine = server.machine().to_owned();
        if !ask.unkept {
            self.files
                .write(&machine, &ask.path, position > 1, &recording)
                .map_err(|why| terminated(ask.verb(), vec![unwritable(&ask.path, why)]))?;
        }
        if let Some(fresh) = self.fresh.as_mut().filter(|_| !ask.unkept) {
            let mut sets = earlier.map_or_else(Vec::new, |e| e.to_vec());
            sets.push(recording.clone());
            fresh.insert(ask.path.clone(), Arc::new(sets));
        }
        let number = self.know_set(&recording.set, &recording.layout);
        self.servers[s].msdb.backups.push(number);
        self.servers[s].databases[d].backed_up(&recording.set, ask);
        if follows && ask.log {
            self.backed_up_on_copy(s, database, &recording.set);
        }
        self.dirty = true;
        Ok(number)
    }

    fn may_back_up(&self, s: usize, database: &str, ask: &BackupAsk) -> Result<usize, Message> {
        let server = &self.servers[s];
        let d = server.database_index(database).ok_or_else(|| no_such_database(database))?;
        let db = &server.databases[d];
        if let Some(closed) = db.closed() {
            return Err(closed);
        }
        if ask.log && db.model == Model::Simple {
            return Err(Message::error(
                4208,
                "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use BACKUP DATABASE or change the recovery model using ALTER DATABASE.",
            ));
        }
        if ask.log && db.log.backed_up.is_none() {
            return Err(Message::error(
                4214,
                "BACKUP LOG cannot be performed because there is no current database backup.",
            ));
        }
        if db.name == "tempdb" {
            return Err(Message::error(
                3147,
                "Backup and restore operations are not allowed on database tempdb.",
            ));
        }
        Ok(d)
    }
}

impl Database {
    /// The fork change that the next log backup has to tell.
    const fn log_fork(&self) -> Option<(super::ids::Guid, super::ids::Lsn)> {
        self.forked
    }

    fn backed_up(&mut self, set: &Set, ask: &BackupAsk) {
        if ask.log {
            if !ask.copy_only {
                self.log.backed_up = Some(set.last);
                self.log.records.clear();
                self.log.begins = false;
                self.forked = None;
            }
        } else if !ask.copy_only {
            self.log.full_checkpoint = set.checkpoint;
            self.base = Some((set.checkpoint, set.uuid));
            if self.model != Model::Simple && self.log.backed_up.is_none() {
                self.log.backed_up = Some(set.first);
                self.log.begins = true;
                self.log.records.retain(|r| r.lsn >= set.first);
            }
        }
        if ask.norecovery {
            self.state = DbState::Restoring;
            self.redo = Some(super::state::Redo { start: set.last, fork: self.fork });
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
