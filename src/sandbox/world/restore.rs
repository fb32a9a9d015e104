//! RESTORE DATABASE and RESTORE LOG: the rules by which a set may be applied, and its effects.
//!
//! Does not know jobs or BizTalk.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::Happening;
use super::files::{Body, Recording};
use super::ids::Lsn;
use super::log::stop::{at_mark, at_time};
use super::media::terminated;
use super::state::{Content, Database, DbState, Log, Model, More, Redo, Restored, State, no_such_database};
use crate::sandbox::answer::Message;

/// What a RESTORE statement asks for.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct RestoreAsk {
    pub(crate) log: bool,
    /// None: only recover what is restored.
    pub(crate) path: Option<String>,
    pub(crate) position: Option<i64>,
    pub(crate) recovery: bool,
    pub(crate) mark: Option<String>,
    /// STOPBEFOREMARK
    pub(crate) before: bool,
    pub(crate) stop_at: Option<NaiveDateTime>,
    pub(crate) replace: bool,
    pub(crate) moves: Vec<(String, String)>,
    pub(crate) user: String,
}

/// What was done: messages in the order they are sent, and pages per file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Applied {
    pub(crate) notes: Vec<Message>,
    pub(crate) pages: i64,
}

fn note(number: i32, text: impl Into<String>) -> Message {
    Message { class: 0, ..Message::error(number, text) }
}

impl State {
    /// Restores; `at` is when it ends.
    pub(crate) fn restore(
        &mut self,
        s: usize,
        name: &str,
        ask: &RestoreAsk,
        at: DateTime<Utc>,
    ) -> Result<Applied, Vec<Message>> {
        let verb = if ask.log { "RESTORE LOG" } else { "RESTORE DATABASE" };
        if let Some(refused) = self.ha_bars(s, name, super::ha::Barred::Restore) {
            return Err(terminated(verb, vec![refused]));
        }
        self.happens(s, Happening::Restore { database: name, mark: ask.mark.is_some() })?;
        let done = match &ask.path {
            None => self.recover(s, name, ask, at).map_err(|m| vec![m]),
            Some(path) => self.restore_from(s, name, path, ask, at),
        };
        self.dirty = true;
        done.map_err(|first| terminated(verb, first))
    }

    fn recover(
        &mut self,
        s: usize,
        name: &str,
        ask: &RestoreAsk,
        at: DateTime<Utc>,
    ) -> Result<Applied, Message> {
        let fork = self.dice.guid();
        let db = self.servers[s].database_mut(name).ok_or_else(|| no_such_database(name))?;
        match db.state {
            DbState::Online => {
                return Err(Message::error(3153, "The database is already fully recovered."));
            }
            DbState::Restoring => {}
            _ => return Err(db.closed().unwrap_or_else(|| no_such_database(name))),
        }
        if ask.recovery {
            db.open(fork, at);
        }
        Ok(Applied::default())
    }

    fn restore_from(
        &mut self,
        s: usize,
        name: &str,
        path: &str,
        ask: &RestoreAsk,
        at: DateTime<Utc>,
    ) -> Result<Applied, Vec<Message>> {
        let one = |m: Message| vec![m];
        let recording = self.open_set(s, path, ask.position.unwrap_or(1)).map_err(one)?;
        if let Some(fault) = Self::body_fault(&recording, path) {
            return Err(one(fault));
        }
        let (layout, set) = (&recording.layout, &recording.set);
        let server = &self.servers[s];
        if layout.database_version > server.database_version() {
            return Err(one(Message::error(
                3169,
                format!(
                    "The database was backed up on a server running version {}.{:02}.{:04}. That version is incompatible with this server, which is running version {}.{:02}.{:04}. Either restore the database on a server that supports the backup, or use a backup that is compatible with this server.",
                    layout.software.0,
                    layout.software.1,
                    layout.software.2,
                    server.version.0,
                    server.version.1,
                    server.version.2
                ),
            )));
        }
        let existing = server.database_index(name);
        let wrong_kind = |was: &str| {
            Message::error(
                3135,
                format!(
                    "The backup set in file '{path}' was created by {was} and cannot be used for this restore operation."
                ),
            )
        };
        let in_use = self.sessions.iter().any(|x| x.server == s && x.database.eq_ignore_ascii_case(name));
        let applied = match (&recording.body, ask.log) {
            (Ok(Body::Full(content)), false) => {
                let content = content.clone();
                self.may_create(s, name, existing, &recording, ask, in_use)?;
                self.create_from(s, name, existing, &recording, content, ask, at)
            }
            (Ok(Body::Log(_)), true) => {
                let d = existing.ok_or_else(|| one(Message::error(
                    3118,
                    format!("The database \"{name}\" does not exist. RESTORE can only create a database when restoring either a full backup or a file backup of the primary file."),
                )))?;
                self.roll_forward(s, d, &recording, ask)?
            }
            (Ok(Body::Full(_)), true) => return Err(one(wrong_kind("BACKUP DATABASE"))),
            _ => return Err(one(wrong_kind("BACKUP LOG"))),
        };
        let number = self.know_set(set, layout);
        let backup_set_id = self.enter_set(s, number);
        let local = self.servers[s].local(at);
        let fork = self.dice.guid();
        let database = self.servers[s].database_mut(name).ok_or_else(|| one(no_such_database(name)))?;
        let stays = applied.notes.iter().any(|m| m.number == 4329 || m.number == 4322);
        let recovers = ask.recovery && !stays;
        if recovers {
            database.open(fork, at);
        }
        let database = database.name.clone();
        self.servers[s].msdb.restores.push(Restored {
            at: local,
            database,
            user: ask.user.clone(),
            backup_set_id,
            kind: recording.set.kind,
            replace: ask.replace,
            recovery: recovers,
            stop_at: ask.stop_at,
            mark: ask.mark.clone(),
            before: ask.before,
        });
        Ok(applied)
    }

    fn may_create(
        &self,
        s: usize,
        name: &str,
        existing: Option<usize>,
        recording: &Recording,
        ask: &RestoreAsk,
        in_use: bool,
    ) -> Result<(), Vec<Message>> {
        let server = &self.servers[s];
        if let Some(db) = existing.map(|d| &server.databases[d]) {
            if in_use {
                return Err(vec![Message::error(
                    3101,
                    "Exclusive access could not be obtained because the database is in use.",
                )]);
            }
            if db.family != recording.layout.family && !ask.replace {
                return Err(vec![Message::error(
                    3154,
                    format!(
                        "The backup set holds a backup of a database other than the existing '{name}' database."
                    ),
                )]);
            }
            let tail = db.state == DbState::Online
                && db.model != Model::Simple
                && db.log.backed_up.is_some_and(|b| b < db.log.end);
            if tail && !ask.replace && ask.stop_at.is_none() {
                return Err(vec![Message::error(
                    3159,
                    format!(
                        "The tail of the log for the database \"{name}\" has not been backed up. Use BACKUP LOG WITH NORECOVERY to backup the log if it contains work you do not want to lose. Use the WITH REPLACE or WITH STOPAT clause of the RESTORE statement to just overwrite the contents of the log."
                    ),
                )]);
            }
        }
        if ask.mark.is_some() {
            return Err(vec![Message::error(
                4340,
                "The point-in-time clause of this RESTORE statement is restricted for use by RESTORE LOG statements only. Omit the clause or use a clause that includes a timestamp.",
            )]);
        }
        for file in &recording.layout.files {
            let path = moved(file, ask);
            let owner = server.databases.iter().enumerate().find(|(d, db)| {
                Some(*d) != existing && db.files.iter().any(|f| f.physical.eq_ignore_ascii_case(&path))
            });
            if let Some((_, owner)) = owner {
                return Err(vec![
                    Message::error(
                        1834,
                        format!(
                            "The file '{path}' cannot be overwritten.  It is being used by database '{}'.",
                            owner.name
                        ),
                    ),
                    cannot_place(&file.logical, &path),
                    planning(),
                ]);
            }
            let folder = path.rsplit_once('\\').map_or(path.as_str(), |(f, _)| f);
            if !self.files.exists(server.machine(), folder).1 {
                return Err(vec![
                    Message::error(
                        5133,
                        format!(
                            "Directory lookup for the file \"{path}\" failed with the operating system error 2(The system cannot find the file specified.)."
                        ),
                    ),
                    cannot_place(&file.logical, &path),
                    planning(),
                ]);
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one statement")]
    fn create_from(
        &mut self,
        s: usize,
        name: &str,
        existing: Option<usize>,
        recording: &Recording,
        content: Content,
        ask: &RestoreAsk,
        at: DateTime<Utc>,
    ) -> Applied {
        let (set, layout) = (&recording.set, &recording.layout);
        let server = &mut self.servers[s];
        let mut files = layout.files.clone();
        for file in &mut files {
            file.physical = moved(file, ask);
        }
        let id = existing.map_or_else(
            || server.databases.iter().map(|d| d.id).max().unwrap_or(4) + 1,
            |d| server.databases[d].id,
        );
        let database = Database {
            id,
            name: existing.map_or_else(|| name.to_owned(), |d| server.databases[d].name.clone()),
            state: DbState::Restoring,
            model: layout.model,
            created: existing.map_or_else(|| server.local(at), |d| server.databases[d].created),
            compatibility: layout.compatibility,
            owner: existing.map_or_else(|| ask.user.clone(), |d| server.databases[d].owner.clone()),
            user_access: 0,
            read_only: false,
            role: layout.role.clone(),
            guid: existing.map_or_else(|| self.dice.guid(), |d| server.databases[d].guid),
            family: layout.family,
            fork: set.last_fork,
            forked: None,
            redo: Some(Redo { start: set.last, fork: set.last_fork }),
            base: Some((set.checkpoint, set.uuid)),
            files,
            log: Log { full_checkpoint: set.checkpoint, ..Log::starting(set.last) },
            content,
            traffic: 40,
            more: More::default(),
        };
        match existing {
            Some(d) => server.databases[d] = database,
            None => server.databases.push(database),
        }
        Applied { notes: Vec::new(), pages: layout.files.iter().filter(|f| !f.is_log).map(|f| f.pages).sum() }
    }

    /// The apply rule for logs.
    fn roll_forward(
        &mut self,
        s: usize,
        d: usize,
        recording: &Recording,
        ask: &RestoreAsk,
    ) -> Result<Applied, Vec<Message>> {
        let set = &recording.set;
        let Ok(Body::Log(records)) = &recording.body else { return Ok(Applied::default()) };
        let db = &mut self.servers[s].databases[d];
        let one = |number, text: String| vec![Message::error(number, text)];
        let Some(redo) = db.redo.filter(|_| db.state == DbState::Restoring) else {
            return Err(one(3117, "The log or differential backup cannot be restored because no files are ready to rollforward.".into()));
        };
        if recording.layout.family != db.family {
            return Err(one(
                3154,
                format!(
                    "The backup set holds a backup of a database other than the existing '{}' database.",
                    db.name
                ),
            ));
        }
        let (from, to) = (set.first, set.last);
        if from > redo.start {
            return Err(one(
                4305,
                format!(
                    "The log in this backup set begins at LSN {from}, which is too recent to apply to the database. An earlier log backup that includes LSN {} can be restored.",
                    redo.start
                ),
            ));
        }
        if to < redo.start {
            return Err(one(
                4326,
                format!(
                    "The log in this backup set terminates at LSN {to}, which is too early to apply to the database. A more recent log backup that includes LSN {} can be restored.",
                    redo.start
                ),
            ));
        }
        if set.first_fork != redo.fork || set.fork_point.is_some_and(|p| redo.start > p) {
            return Err(one(4330, "This backup set cannot be applied because it is on a recovery path that is inconsistent with the database. The recovery path is the sequence of data and log backups that have brought the database to a particular recovery point. Find a compatible backup to restore, or restore the rest of the database to match a recovery point within this backup set, which will restore the database to a different point in time.  For more information about recovery paths, see SQL Server Books Online.".into()));
        }
        let mut notes = Vec::new();
        let mut stop: Option<Lsn> = None;
        if let Some(mark) = &ask.mark {
            match at_mark(records, redo.start, mark, None, ask.before) {
                Some(place) => stop = Some(place),
                None if at_mark(records, Lsn(0), mark, None, ask.before).is_some() => {
                    return Err(one(4335, "The specified STOPAT time is too early. All or part of the database is already rolled forward beyond that point.".into()));
                }
                None => notes.push(note(4329, "This log file contains records logged before the designated mark. The database is being left in the Restoring state so you can apply another log file.")),
            }
        }
        if let Some(time) = ask.stop_at {
            if set.start < time && set.finish < time {
                notes.push(note(4322, "This backup set contains records that were logged before the designated point in time. The database is being left in the restoring state so that more roll forward can be performed."));
            } else {
                let offset = chrono::TimeDelta::minutes(recording.layout.offset_minutes.into());
                stop = at_time(records, redo.start, (time - offset).and_utc());
            }
        }
        for record in records.iter().filter(|r| r.lsn >= redo.start && stop.is_none_or(|s| r.lsn < s)) {
            db.content.redo(record);
        }
        let reached = stop.unwrap_or(to);
        db.redo = Some(Redo { start: reached, fork: set.last_fork });
        db.fork = set.last_fork;
        db.log.end = reached;
        Ok(Applied { notes, pages: ((reached.0 - redo.start.0) / 1_600_000).max(1) as i64 })
    }
}

impl Database {
    /// Ends a roll-forward: the database opens on a recovery path of its own.
    pub(crate) fn open(&mut self, fork: super::ids::Guid, at: DateTime<Utc>) {
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
        self.recover(at);
    }
}

fn moved(file: &super::state::DbFile, ask: &RestoreAsk) -> String {
    ask.moves
        .iter()
        .find(|(logical, _)| logical.eq_ignore_ascii_case(&file.logical))
        .map_or_else(|| file.physical.clone(), |(_, to)| to.clone())
}

fn cannot_place(logical: &str, path: &str) -> Message {
    Message::error(
        3156,
        format!(
            "File '{logical}' cannot be restored to '{path}'. Use WITH MOVE to identify a valid location for the file."
        ),
    )
}

fn planning() -> Message {
    Message::error(
        3119,
        "Problems were identified while planning for the RESTORE statement. Previous messages provide details.",
    )
}
