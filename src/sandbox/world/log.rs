//! The log of a database: writing records, doing them again, and the traffic of a busy system.
//!
//! Does not know backups or restores, which read it.

use chrono::{DateTime, Utc};

use super::ids::{Dice, Lsn};
use super::state::{Content, Database, DbState, Edit, Log, Model, Record};
use super::stored::Stored;
use crate::sandbox::host::Change;
use crate::sandbox::value::Value;

impl Content {
    /// Does an edit. Rows that are not there are left out, as nothing else could be done.
    pub(crate) fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Insert(table, rows) => {
                if let Some(stored) = self.tables.get_mut(table) {
                    stored.rows_mut().extend(rows.iter().cloned());
                }
            }
            Edit::Update(table, rows) => {
                if let Some(stored) = self.tables.get_mut(table) {
                    for (n, row) in rows {
                        if let Some(old) = stored.rows_mut().get_mut(*n) {
                            old.clone_from(row);
                        }
                    }
                }
            }
            Edit::Delete(table, gone) => {
                if let Some(stored) = self.tables.get_mut(table) {
                    let mut n = 0;
                    stored.rows_mut().retain(|_| {
                        n += 1;
                        gone.binary_search(&(n - 1)).is_err()
                    });
                }
            }
            Edit::Mark(_) => {}
        }
    }
}

impl Log {
    /// A fresh log at a place of its own.
    pub(crate) fn starting(end: Lsn) -> Self {
        Self { end, checkpoint: end, full_checkpoint: Lsn(0), ..Self::default() }
    }

    pub(crate) fn record(&mut self, at: DateTime<Utc>, edit: Edit) -> Lsn {
        let lsn = self.end;
        self.records.push(Record { lsn, at, edit });
        self.end = lsn.after(1);
        lsn
    }
}

impl Database {
    /// Changes content through the log.
    pub(crate) fn write(&mut self, at: DateTime<Utc>, edit: Edit) {
        self.content.apply(&edit);
        if self.model != Model::Simple {
            self.log.record(at, edit);
        }
    }

    /// A change asked for by a client, as rows of a snapshot; the number of rows changed.
    pub(crate) fn change(&mut self, at: DateTime<Utc>, table: &str, change: Change) -> u64 {
        let table = table.to_lowercase();
        let (rows, edit) = match change {
            Change::Insert(rows) => (rows.len(), Edit::Insert(table, rows)),
            Change::Update(rows) => (rows.len(), Edit::Update(table, rows)),
            Change::Delete(mut rows) => {
                rows.sort_unstable();
                rows.dedup();
                (rows.len(), Edit::Delete(table, rows))
            }
        };
        self.write(at, edit);
        rows as u64
    }

    /// Appends a row given by column names.
    pub(crate) fn insert(&mut self, at: DateTime<Utc>, table: &str, cells: &[(&str, Value)]) {
        if let Some(stored) = self.content.tables.get(&table.to_lowercase()) {
            let row = stored.row_of(cells);
            self.write(at, Edit::Insert(table.to_lowercase(), vec![row]));
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
            self.write(at, Edit::Update(table.to_lowercase(), rows));
        }
        changed
    }

    /// Lets the log grow as BizTalk's work since the last call makes it.
    pub(crate) fn work(&mut self, until: DateTime<Utc>, busy: bool, dice: &mut Dice) {
        if self.state != DbState::Online || self.traffic == 0 {
            return;
        }
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
