//! RESTORE DATABASE and RESTORE LOG: what is asked, and the way through it.
//!
//! Judged in [`judge`] in SQL Server's order, stopped by [`stop`], carried out in [`apply`], undo files in [`standby`].
//! Does not know jobs or BizTalk.

mod apply;
mod judge;
mod message;
mod place;
mod standby;
mod stop;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::Happening;
use super::files::Recording;
use super::ha::Barred;
use super::media::terminated;
use super::state::{DbState, Restored, State, no_such_database};
use crate::sandbox::answer::Message;

/// What a RESTORE statement asks for.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct RestoreAsk {
    pub(crate) log: bool,
    /// None: only recover what is restored.
    pub(crate) path: Option<String>,
    /// The other stripes.
    pub(crate) stripes: Vec<String>,
    pub(crate) position: Option<i64>,
    pub(crate) recovery: bool,
    /// STANDBY: the undo file.
    pub(crate) standby: Option<String>,
    pub(crate) mark: Option<String>,
    /// STOPBEFOREMARK
    pub(crate) before: bool,
    /// AFTER: local time of the source.
    pub(crate) mark_after: Option<NaiveDateTime>,
    pub(crate) stop_at: Option<NaiveDateTime>,
    pub(crate) replace: bool,
    pub(crate) moves: Vec<(String, String)>,
    /// CHECKSUM
    pub(crate) checksum: bool,
    pub(crate) continue_after_error: bool,
    pub(crate) restricted_user: bool,
    /// ENABLE_BROKER or NEW_BROKER.
    pub(crate) broker: bool,
    pub(crate) media_name: Option<String>,
    pub(crate) user: String,
    /// Whose session asks.
    pub(crate) session: Option<i16>,
}

/// What was done: messages in the order they are sent, pages in all, and per file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Applied {
    pub(crate) notes: Vec<Message>,
    pub(crate) pages: i64,
    pub(crate) files: Vec<(String, i64)>,
}

/// A restore that has been judged and begun.
#[derive(Debug, Clone)]
pub(crate) struct RestoreBegun {
    name: String,
    ask: RestoreAsk,
    recording: Recording,
    /// Where each file goes.
    files: Vec<super::state::DbFile>,
    stop: stop::Stop,
    salvaged: bool,
    /// Megabytes to move.
    pub(crate) megabytes: i64,
}

impl RestoreAsk {
    /// As SQL Server names the statement.
    pub(crate) const fn verb(&self) -> &'static str {
        if self.log { "RESTORE LOG" } else { "RESTORE DATABASE" }
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.path.iter().chain(&self.stripes).cloned().collect()
    }
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
        if ask.path.is_none() {
            return self.recover(s, name, ask, at);
        }
        let begun = self.begin_restore(s, name, ask)?;
        self.end_restore(s, &begun, at)
    }

    /// RESTORE DATABASE … WITH RECOVERY, NORECOVERY or STANDBY, without FROM.
    pub(crate) fn recover(
        &mut self,
        s: usize,
        name: &str,
        ask: &RestoreAsk,
        at: DateTime<Utc>,
    ) -> Result<Applied, Vec<Message>> {
        if let Some(refused) = self.ha_bars(s, name, Barred::Restore) {
            return Err(terminated(ask.verb(), vec![refused]));
        }
        self.happens(s, Happening::Restore { database: name, mark: false })?;
        self.dirty = true;
        self.recover_what_is_there(s, name, ask, at).map_err(|first| terminated(ask.verb(), first))
    }

    fn recover_what_is_there(
        &mut self,
        s: usize,
        name: &str,
        ask: &RestoreAsk,
        at: DateTime<Utc>,
    ) -> Result<Applied, Vec<Message>> {
        let one = |m: Message| vec![m];
        let d = self.servers[s].database_index(name).ok_or_else(|| one(no_such_database(name)))?;
        let db = &self.servers[s].databases[d];
        let name = db.name.clone();
        let open = db.state == DbState::Online && !db.in_standby();
        if open {
            return Err(one(Message::error(3153, "The database is already fully recovered.")));
        }
        if db.state != DbState::Restoring && !db.in_standby() {
            return Err(one(db.closed().unwrap_or_else(|| no_such_database(&name))));
        }
        self.alone_in(s, &name, ask.session, "RESTORE").map_err(one)?;
        self.not_interrupted(s, d, None).map_err(one)?;
        if db.more.salvaged && !ask.continue_after_error {
            return Err(one(message::salvaged()));
        }
        if ask.standby.is_some() && db.more.version.is_some_and(|v| v < self.servers[s].database_version()) {
            return Err(one(message::needs_upgrade()));
        }
        self.check_undo_file(s, ask.standby.as_deref()).map_err(one)?;
        self.leave_standby(s, d).map_err(one)?;
        let salvaged = self.servers[s].databases[d].more.salvaged;
        self.finish_sequence(s, d, ask, at)?;
        let mut applied = Applied::default();
        if salvaged && ask.recovery {
            applied.notes.push(message::salvage_done());
        }
        Ok(applied)
    }

    /// Judges a restore and begins it: the database is restoring from here on.
    pub(crate) fn begin_restore(
        &mut self,
        s: usize,
        name: &str,
        ask: &RestoreAsk,
    ) -> Result<RestoreBegun, Vec<Message>> {
        self.happens(s, Happening::Restore { database: name, mark: ask.mark.is_some() })?;
        let begun = self.judge(s, name, ask).map_err(|first| terminated(ask.verb(), first))?;
        self.take_hold(s, &begun).map_err(|first| terminated(ask.verb(), first))?;
        self.dirty = true;
        Ok(begun)
    }

    /// Ends a restore that was begun.
    pub(crate) fn end_restore(
        &mut self,
        s: usize,
        begun: &RestoreBegun,
        at: DateTime<Utc>,
    ) -> Result<Applied, Vec<Message>> {
        self.dirty = true;
        self.carry_out(s, begun, at).map_err(|first| terminated(begun.ask.verb(), first))
    }

    fn remember_restore(&mut self, s: usize, begun: &RestoreBegun, recovered: bool, at: DateTime<Utc>) {
        let number = self.know_set(&begun.recording.set, &begun.recording.layout);
        let backup_set_id = self.enter_set(s, number);
        let local = self.servers[s].local(at);
        let database = self.servers[s].database(&begun.name).map_or(&begun.name, |d| &d.name).clone();
        let whole = begun.recording.set.kind == 'D';
        self.log_restore(s, &begun.recording.set, &begun.recording.layout, &database, recovered);
        self.servers[s].msdb.restores.push(Restored {
            at: local,
            database,
            user: begun.ask.user.clone(),
            backup_set_id,
            kind: begun.recording.set.kind,
            replace: begun.ask.replace,
            recovery: recovered,
            stop_at: begun.ask.stop_at,
            mark: begun.ask.mark.clone(),
            before: begun.ask.before,
            files: if whole {
                begun.files.iter().map(|f| (f.id, f.physical.clone())).collect()
            } else {
                Vec::new()
            },
            devices: 1 + begun.ask.stripes.len(),
        });
    }
}

impl RestoreBegun {
    pub(crate) const fn verb(&self) -> &'static str {
        self.ask.verb()
    }
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
    pub(crate) const fn position(&self) -> i64 {
        self.recording.set.position
    }
}
