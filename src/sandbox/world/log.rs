//! The log of a database: its records, and every change to content as transactions of it.
//!
//! A transaction is `Begin`, edits with the rows as they were and as they became, then `Commit` or `Abort`; what a
//! rollback does is logged too. LSNs grow slot by slot within a block, and a block ends with its commit.
//! Does not know backups or restores, which read it, nor sessions, nor transactions over several databases
//! (`super::transaction`). Reading records again is [`open`]'s: `Content::redo`, `Content::put_aside`,
//! `Content::take_up`, `Database::recover`; where to stop is [`stop`]'s.

mod edit;
mod open;
pub(crate) mod stop;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use edit::Edit;
pub(crate) use open::{Open, Unfinished};

use super::ids::{Dice, Guid, Lsn};
use super::state::{Database, DbState, Log, Model};
use super::stored::Stored;
use crate::sandbox::host::Change;
use crate::sandbox::value::Value;

/// The number of a transaction in one database's log.
pub(crate) type Tran = i64;

/// One record: enough to do it again, and to undo it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) lsn: Lsn,
    pub(crate) at: DateTime<Utc>,
    pub(crate) tran: Tran,
    pub(crate) kind: Kind,
}

/// What a record says of its transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Its first record.
    Begin {
        name: Option<String>,
    },
    Edit(Edit),
    /// The edit of an earlier record is undone by this one.
    Undo(Lsn, Edit),
    /// A distributed transaction promised its coordinator to commit if told to: its unit of work, and the identity
    /// this database answered under.
    Prepare {
        uow: Guid,
        manager: Guid,
    },
    /// Its last record; with the mark of a marked transaction.
    Commit {
        mark: Option<String>,
    },
    /// Its last record when everything was undone.
    Abort,
    /// A file was added to the database, by no transaction of a client's.
    File(Box<super::state::DbFile>),
}

impl Record {
    /// The mark that it sets.
    pub(crate) fn mark(&self) -> Option<&str> {
        match &self.kind {
            Kind::Commit { mark } => mark.as_deref(),
            _ => None,
        }
    }

    pub(crate) const fn commits(&self) -> bool {
        matches!(self.kind, Kind::Commit { .. })
    }
}

impl Log {
    /// A fresh log at a place of its own.
    pub(crate) fn starting(end: Lsn) -> Self {
        Self { end, checkpoint: end, full_checkpoint: Lsn(0), ..Self::default() }
    }

    /// The next record, at the end.
    fn next(&mut self, at: DateTime<Utc>, tran: Tran, kind: Kind) -> Record {
        let lsn = self.end;
        let flushes = matches!(kind, Kind::Prepare { .. } | Kind::Commit { .. } | Kind::Abort);
        self.end = if flushes || lsn.slot_is_last() { lsn.after(1) } else { lsn.next() };
        Record { lsn, at, tran, kind }
    }

    /// Ends the block that is being filled, as a backup does.
    pub(crate) fn flush(&mut self) {
        if !self.end.starts_block() {
            self.end = self.end.after(1);
        }
    }
}

impl Database {
    /// Writes a record, and lets it happen.
    fn put(&mut self, at: DateTime<Utc>, tran: Tran, kind: Kind) -> Lsn {
        let record = self.log.next(at, tran, kind);
        self.content.redo(&record);
        let lsn = record.lsn;
        if self.model != Model::Simple {
            self.log.records.push(record);
        }
        lsn
    }

    /// Begins a transaction in this database.
    pub(crate) fn begin(&mut self, at: DateTime<Utc>, name: Option<&str>) -> Tran {
        self.log.trans += 1;
        let tran = self.log.trans;
        self.put(at, tran, Kind::Begin { name: name.map(str::to_owned) });
        tran
    }

    /// A change within a transaction, as rows of a snapshot; the number of rows changed.
    pub(crate) fn edit(&mut self, at: DateTime<Utc>, tran: Tran, table: &str, change: Change) -> u64 {
        let Some(edit) = self.content.edit_of(table, change) else { return 0 };
        let rows = edit.len() as u64;
        if rows > 0 {
            self.put(at, tran, Kind::Edit(edit));
        }
        rows
    }

    /// Writes that a file was added.
    pub(crate) fn log_file(&mut self, at: DateTime<Utc>, file: super::state::DbFile) {
        self.put(at, 0, Kind::File(Box::new(file)));
    }

    /// Promises to commit.
    pub(crate) fn prepare(&mut self, at: DateTime<Utc>, tran: Tran, uow: Guid, manager: Guid) {
        self.put(at, tran, Kind::Prepare { uow, manager });
    }

    /// Ends a transaction for good; where its commit stands.
    pub(crate) fn commit(&mut self, at: DateTime<Utc>, tran: Tran, mark: Option<String>) -> Lsn {
        self.put(at, tran, Kind::Commit { mark })
    }

    /// Undoes what a transaction did behind a place of the log.
    pub(crate) fn undo_behind(&mut self, at: DateTime<Utc>, tran: Tran, place: Lsn) {
        while let Some((lsn, inverse)) = self.content.last_undone(tran, place) {
            self.put(at, tran, Kind::Undo(lsn, inverse));
        }
    }

    /// Undoes a transaction whole.
    pub(crate) fn abort(&mut self, at: DateTime<Utc>, tran: Tran) {
        self.undo_behind(at, tran, Lsn(0));
        self.put(at, tran, Kind::Abort);
    }

    /// Rolls back every open transaction that is not prepared, newest first: what recovery does.
    pub(crate) fn recover(&mut self, at: DateTime<Utc>) {
        for tran in self.content.open.unprepared() {
            self.abort(at, tran);
        }
    }

    /// A change that is a transaction of its own.
    pub(crate) fn change(&mut self, at: DateTime<Utc>, table: &str, change: Change) -> u64 {
        let tran = self.begin(at, None);
        let rows = self.edit(at, tran, table, change);
        self.commit(at, tran, None);
        rows
    }

    /// Appends a row given by column names.
    pub(crate) fn insert(&mut self, at: DateTime<Utc>, table: &str, cells: &[(&str, Value)]) {
        if let Some(stored) = self.content.tables.get(&table.to_lowercase()) {
            let row = stored.row_of(cells);
            self.change(at, table, Change::Insert(vec![row]));
        }
    }

    /// Sets columns of the rows that a test picks; how many there were.
    pub(crate) fn update(
        &mut self,
        at: DateTime<Utc>,
        table: &str,
        picks: impl Fn(&Stored, &[Value]) -> bool,
        cells: &[(&str, Value)],
    ) -> usize {
        let Some(stored) = self.content.tables.get(&table.to_lowercase()) else { return 0 };
        let mut rows = Vec::new();
        for (n, row) in stored.table.rows.iter().enumerate() {
            if picks(stored, row) {
                let mut new = row.clone();
                for (name, value) in cells {
                    if let Some(c) = stored.column(name) {
                        new[c] = value.clone();
                    }
                }
                if new != *row {
                    rows.push((n, new));
                }
            }
        }
        let changed = rows.len();
        if changed > 0 {
            self.change(at, table, Change::Update(rows));
        }
        changed
    }

    /// Lets the log grow as BizTalk's work since the last call makes it.
    pub(crate) fn work(&mut self, until: DateTime<Utc>, busy: bool, dice: &mut Dice) {
        if self.state != DbState::Online || self.traffic == 0 {
            return;
        }
        // What is nothing of BizTalk's has users of its own.
        let busy = busy || matches!(self.role.as_str(), "" | "user");
        let since = self.log.busy_until.unwrap_or(until);
        let seconds = (until - since).num_seconds().clamp(0, 86_400);
        if seconds == 0 && self.log.busy_until.is_some() {
            return;
        }
        if busy && seconds > 0 {
            let blocks = self.traffic * seconds / 60;
            let wobble = dice.between(0, blocks.max(1) + 1) / 2;
            self.log.end = self.log.end.after(i128::from(blocks / 2 + wobble + 1));
        }
        self.log.busy_until = Some(until);
    }
}

#[cfg(test)]
mod tests;
