//! Snapshot backups: taken by the volume shadow copy service through a virtual device, without a file anywhere.
//!
//! To the database it is a full backup like any other: unless it is copy-only, differentials go by it from then on.
//! The log chain is not touched.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sandbox::world::backup::{BackupAsk, layout_of};
use crate::sandbox::world::state::{DbState, Rest, Set, State};

/// How long writes are frozen.
const FROZEN_SECONDS: i64 = 2;

impl State {
    /// Takes a snapshot backup of a database; nothing happens to one that is not open, or only a copy.
    pub(crate) fn snapshot_backup(
        &mut self,
        s: usize,
        database: &str,
        copy_only: bool,
        user: &str,
        now: DateTime<Utc>,
    ) -> Option<usize> {
        if !self.reachable(s) || self.follows(s, database) {
            return None;
        }
        self.ship(now);
        let d = self.servers[s].database_index(database)?;
        if self.servers[s].databases[d].state != DbState::Online {
            return None;
        }
        let (uuid, media, device) = (self.dice.guid(), self.dice.guid(), self.dice.guid());
        let server = &mut self.servers[s];
        let (start, finish) = (server.local(now), server.local(now + TimeDelta::seconds(FROZEN_SECONDS)));
        let layout = layout_of(server, &server.databases[d]);
        let db = &mut server.databases[d];
        db.log.flush();
        db.log.checkpoint = db.log.end;
        db.log.end = db.log.end.after(2);
        let oldest = db.content.open.oldest().unwrap_or(db.log.checkpoint);
        let pages: i64 = db.files.iter().filter(|f| !f.is_log).map(|f| f.pages).sum();
        let set = Set {
            uuid,
            media_uuid: media,
            kind: 'D',
            // The device has the name of the snapshot; the digit is the file's number on it.
            path: format!("{{{device}}}{}", db.id),
            position: 1,
            user: user.to_owned(),
            first: db.log.checkpoint.min(oldest),
            last: db.log.end,
            checkpoint: db.log.checkpoint,
            full_checkpoint: db.log.full_checkpoint,
            start,
            finish,
            // Nothing is counted while a volume is copied: the size of the files stands for it.
            size: pages * 8192,
            first_fork: db.fork,
            last_fork: db.fork,
            copy_only,
            rest: Rest { snapshot: true, ..Rest::default() },
            ..Set::default()
        };
        for text in [
            format!(
                "I/O is frozen on database {database}. No user action is required. However, if I/O is not resumed promptly, you could cancel the backup."
            ),
            format!("I/O was resumed on database {database}. No user action is required."),
        ] {
            self.log_error_of(s, "spid61", &text);
        }
        let number = self.know_set(&set, &layout);
        self.enter_set(s, number);
        let ask = BackupAsk { copy_only, user: user.to_owned(), ..BackupAsk::default() };
        self.servers[s].databases[d].backed_up(&set, &ask, finish);
        self.ship(now);
        self.dirty = true;
        Some(number)
    }
}
