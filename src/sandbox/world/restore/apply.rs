//! Carrying a judged restore out: the database made anew or rolled forward, then recovered, left, or in standby.
//!
//! Does not judge any more, but for files that the log itself adds.

use chrono::{DateTime, Utc};

use super::message::salvage_done;
use super::{Applied, RestoreAsk, RestoreBegun};
use crate::sandbox::answer::Message;
use crate::sandbox::world::files::Body;
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::state::{
    BadPage, Content, Database, DbState, Log, Model, More, Redo, State, no_such_database,
};

impl State {
    /// The database is restoring from now on; until the end nothing else can be done with it.
    pub(super) fn take_hold(&mut self, s: usize, begun: &RestoreBegun) -> Result<(), Vec<Message>> {
        let uuid = begun.recording.set.uuid;
        match begun.recording.set.kind {
            'D' => {
                self.make(s, begun, Content::default());
                if let Some(db) = self.servers[s].database_mut(&begun.name) {
                    db.redo = None;
                    db.more.interrupted = Some(uuid);
                }
            }
            kind => {
                let Some(d) = self.servers[s].database_index(&begun.name) else {
                    return Err(vec![no_such_database(&begun.name)]);
                };
                self.leave_standby(s, d).map_err(|m| vec![m])?;
                if kind == 'I' {
                    self.servers[s].databases[d].more.interrupted = Some(uuid);
                }
            }
        }
        Ok(())
    }

    pub(super) fn carry_out(
        &mut self,
        s: usize,
        begun: &RestoreBegun,
        at: DateTime<Utc>,
    ) -> Result<Applied, Vec<Message>> {
        let (ask, set) = (&begun.ask, &begun.recording.set);
        let mut applied = match &begun.recording.body {
            Ok(Body::Full(content)) => {
                self.make(s, begun, content.clone());
                copied(begun)
            }
            Ok(Body::Differential(content)) => {
                self.advance_to(s, begun, content.clone())?;
                copied(begun)
            }
            Ok(Body::Log(_)) => self.roll_forward(s, begun)?,
            _ => return Err(vec![Message::error(3189, "Damage to the backup set was detected.")]),
        };
        let Some(d) = self.servers[s].database_index(&begun.name) else {
            return Err(vec![no_such_database(&begun.name)]);
        };
        let db = &mut self.servers[s].databases[d];
        db.more.interrupted = None;
        let mut damage: Vec<BadPage> = set
            .rest
            .bad_pages
            .iter()
            .map(|(file, page)| BadPage { file: *file, page: *page, table: String::new() })
            .collect();
        if !set.rest.bad_pages.is_empty() {
            db.more.damage.append(&mut damage);
        }
        db.more.salvaged |= begun.salvaged;
        let stays = begun.stop.note.is_some();
        applied.notes.extend(begun.stop.note.clone());
        if db.more.salvaged {
            applied.notes.push(salvage_done());
        }
        let goes_on = RestoreAsk { recovery: ask.recovery && !stays, ..ask.clone() };
        self.remember_restore(s, begun, goes_on.recovery, at);
        self.finish_sequence(s, d, &goes_on, at)?;
        Ok(applied)
    }

    /// What the last words of the statement ask for: RECOVERY, STANDBY, or neither.
    pub(super) fn finish_sequence(
        &mut self,
        s: usize,
        d: usize,
        ask: &RestoreAsk,
        at: DateTime<Utc>,
    ) -> Result<(), Vec<Message>> {
        // Rolled whether it is needed or not, so that a restore always takes as many.
        let fork = self.dice.guid();
        if let Some(path) = &ask.standby {
            self.enter_standby(s, d, path);
        } else if ask.recovery {
            let db = &mut self.servers[s].databases[d];
            db.open(fork, at);
            db.user_access = if ask.restricted_user { 2 } else { db.user_access };
            if ask.broker {
                db.more.options.insert("is_broker_enabled".into(), 1);
            }
            let local = self.servers[s].local(at);
            let db = &mut self.servers[s].databases[d];
            db.more.log_since = Some(local);
            db.more.salvaged = false;
            db.more.version = None;
            let name = db.name.clone();
            let doubts = self.recover_database(s, &name, at);
            if !doubts.is_empty() {
                return Err(doubts);
            }
        }
        Ok(())
    }

    /// The database as a full backup has it.
    fn make(&mut self, s: usize, begun: &RestoreBegun, content: Content) {
        let (set, layout) = (&begun.recording.set, &begun.recording.layout);
        let existing = self.servers[s].database_index(&begun.name);
        let new_guid = if existing.is_none() { self.dice.guid() } else { Guid::default() };
        let at = self.at;
        let server = &mut self.servers[s];
        let before = existing.map(|d| &server.databases[d]);
        let mut options = layout.options.clone();
        // A restored database comes up with its broker off.
        options.remove("is_broker_enabled");
        let database = Database {
            id: before.map_or_else(|| server.databases.iter().map(|d| d.id).max().unwrap_or(4) + 1, |d| d.id),
            name: before.map_or_else(|| begun.name.clone(), |d| d.name.clone()),
            state: DbState::Restoring,
            model: layout.model,
            created: before.map_or_else(|| server.local(at), |d| d.created),
            compatibility: layout.compatibility,
            owner: before.map_or_else(|| begun.ask.user.clone(), |d| d.owner.clone()),
            user_access: u8::from(set.rest.single_user),
            read_only: set.rest.read_only,
            role: layout.role.clone(),
            guid: before.map_or(new_guid, |d| d.guid),
            family: layout.family,
            fork: set.last_fork,
            forked: None,
            redo: Some(Redo { start: set.last, fork: set.last_fork }),
            base: (!set.copy_only).then_some((set.checkpoint, set.uuid)),
            files: begun.files.clone(),
            log: Log { full_checkpoint: set.checkpoint, ..Log::starting(set.last) },
            content,
            traffic: 40,
            more: More {
                options,
                reached: Some(set.finish),
                version: Some(layout.database_version),
                ..More::default()
            },
        };
        match existing {
            Some(d) => server.databases[d] = database,
            None => server.databases.push(database),
        }
    }

    /// The database as a differential has it.
    fn advance_to(&mut self, s: usize, begun: &RestoreBegun, content: Content) -> Result<(), Vec<Message>> {
        let set = &begun.recording.set;
        let Some(db) = self.servers[s].database_mut(&begun.name) else {
            return Err(vec![no_such_database(&begun.name)]);
        };
        db.files.extend(begun.files.iter().cloned());
        db.content = content;
        db.redo = Some(Redo { start: set.last, fork: set.last_fork });
        db.fork = set.last_fork;
        db.log.end = set.last;
        db.model = begun.recording.layout.model;
        db.more.reached = Some(set.finish);
        Ok(())
    }

    /// Does the records of a log from where the database is.
    fn roll_forward(&mut self, s: usize, begun: &RestoreBegun) -> Result<Applied, Vec<Message>> {
        let set = &begun.recording.set;
        let Ok(Body::Log(records)) = &begun.recording.body else { return Ok(Applied::default()) };
        let Some(db) = self.servers[s].database_mut(&begun.name) else {
            return Err(vec![no_such_database(&begun.name)]);
        };
        let Some(redo) = db.redo else { return Ok(Applied::default()) };
        let stop = begun.stop.place;
        for record in records.iter().filter(|r| r.lsn >= redo.start && stop.is_none_or(|s| r.lsn < s)) {
            db.content.redo(record);
        }
        db.files.extend(begun.files.iter().cloned());
        let reached = stop.unwrap_or(set.last).max(redo.start);
        db.redo = Some(Redo { start: reached, fork: set.last_fork });
        db.fork = set.last_fork;
        db.log.end = reached;
        db.model = begun.recording.layout.model;
        db.more.reached = begun.stop.time.or(if stop.is_some() { db.more.reached } else { Some(set.finish) });
        let pages = ((reached.0 - redo.start.0) / 1_600_000).max(0) as i64;
        let files = db.files.iter().map(|f| (f.logical.clone(), if f.is_log { pages } else { 0 })).collect();
        Ok(Applied { notes: Vec::new(), pages, files })
    }
}

/// Pages as a data backup brought them.
fn copied(begun: &RestoreBegun) -> Applied {
    let set = &begun.recording.set;
    let whole = set.kind == 'D';
    let files: Vec<(String, i64)> = begun
        .recording
        .layout
        .files
        .iter()
        .map(|f| {
            let pages = match (f.is_log, whole) {
                (true, _) => 2,
                (false, true) => f.pages,
                (false, false) => (set.size / 8192).min(f.pages),
            };
            (f.logical.clone(), pages)
        })
        .collect();
    Applied { notes: Vec::new(), pages: files.iter().map(|f| f.1).sum(), files }
}

impl Database {
    /// Ends a roll-forward: the database opens on a recovery path of its own.
    pub(crate) fn open(&mut self, fork: Guid, at: DateTime<Utc>) {
        let point = self.redo.map_or(self.log.end, |r| r.start);
        self.forked = Some((self.fork, point));
        self.fork = fork;
        self.state = DbState::Online;
        self.redo = None;
        self.log.end = point.after(1);
        self.log.checkpoint = point;
        self.log.backed_up = (self.model != Model::Simple).then_some(point);
        self.log.records.clear();
        self.log.begins = false;
        self.more.standby = None;
        self.recover(at);
    }
}
