//! Reading the log again: transactions that are open at a place of it, what they did, and undoing that.
//!
//! Content knows its open transactions, so they travel in backups and survive a crash:
//! - `Content::redo(record)` for each record in [R, stop) of a log backup brings content there;
//! - `Database::recover` then undoes what is open and not prepared (RECOVERY); `Open::prepared` is what is in doubt;
//! - `Content::put_aside` undoes it for a reader and gives the pre-images (STANDBY's undo file), which
//!   `Content::take_up` puts back before the next log.
//!
//! Does not know who decides about a prepared transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Edit, Kind, Record, Tran};
use crate::sandbox::world::ids::{Guid, Lsn};
use crate::sandbox::world::state::Content;

/// The open transactions of a database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Open(pub(crate) BTreeMap<Tran, Unfinished>);

/// An open transaction in one database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unfinished {
    pub(crate) name: Option<String>,
    pub(crate) began: DateTime<Utc>,
    pub(crate) first: Lsn,
    pub(crate) last: Lsn,
    /// Records written so far.
    pub(crate) records: i64,
    /// Unit of work and resource manager, once prepared.
    pub(crate) prepared: Option<(Guid, Guid)>,
    /// What it did and has not undone, in order.
    pub(crate) done: Vec<(Lsn, Edit)>,
}

impl Open {
    /// The first record of the oldest transaction that wrote anything: how far back recovery must read.
    pub(crate) fn oldest(&self) -> Option<Lsn> {
        self.0.values().map(|t| t.first).min()
    }

    /// Transactions that are not prepared, newest first.
    pub(super) fn unprepared(&self) -> Vec<Tran> {
        let mut all: Vec<_> = self.0.iter().filter(|(_, t)| t.prepared.is_none()).collect();
        all.sort_by_key(|(_, t)| std::cmp::Reverse(t.last));
        all.into_iter().map(|(tran, _)| *tran).collect()
    }

    /// Transactions that are prepared: number, unit of work, resource manager.
    pub(crate) fn prepared(&self) -> Vec<(Tran, Guid, Guid)> {
        self.0.iter().filter_map(|(n, t)| t.prepared.map(|(uow, manager)| (*n, uow, manager))).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Content {
    /// Lets a record happen (again). Records must come in order, from the place the content is at.
    pub(crate) fn redo(&mut self, record: &Record) {
        let (tran, lsn) = (record.tran, record.lsn);
        match &record.kind {
            Kind::Begin { name } => {
                let begun = Unfinished {
                    name: name.clone(),
                    began: record.at,
                    first: lsn,
                    last: lsn,
                    records: 0,
                    prepared: None,
                    done: Vec::new(),
                };
                self.open.0.insert(tran, begun);
            }
            Kind::Edit(edit) => {
                self.apply(edit);
                if let Some(open) = self.open.0.get_mut(&tran) {
                    open.done.push((lsn, edit.clone()));
                }
            }
            Kind::Undo(undone, edit) => {
                self.apply(edit);
                if let Some(open) = self.open.0.get_mut(&tran) {
                    open.done.retain(|(lsn, _)| lsn != undone);
                }
            }
            Kind::Prepare { uow, manager } => {
                if let Some(open) = self.open.0.get_mut(&tran) {
                    open.prepared = Some((*uow, *manager));
                }
            }
            Kind::Commit { .. } | Kind::Abort => {
                self.open.0.remove(&tran);
            }
            Kind::File(_) => {}
        }
        if let Some(open) = self.open.0.get_mut(&tran) {
            open.last = lsn;
            open.records += 1;
        }
    }

    /// The newest edit of a transaction at or behind a place, and what undoes it now.
    pub(super) fn last_undone(&self, tran: Tran, place: Lsn) -> Option<(Lsn, Edit)> {
        let (lsn, edit) = self.open.0.get(&tran)?.done.last().filter(|(lsn, _)| *lsn >= place)?;
        Some((*lsn, self.undoing(edit)))
    }

    /// Undoes everything open without a trace in the log, and hands it over: what an undo file holds.
    pub(crate) fn put_aside(&mut self) -> Open {
        let aside = std::mem::take(&mut self.open);
        for (_, edit) in aside.in_order().into_iter().rev() {
            let inverse = self.undoing(&edit);
            self.apply(&inverse);
        }
        aside
    }

    /// Does again what was put aside.
    pub(crate) fn take_up(&mut self, aside: Open) {
        for (_, edit) in aside.in_order() {
            self.apply(&edit);
        }
        self.open = aside;
    }
}

impl Open {
    fn in_order(&self) -> Vec<(Lsn, Edit)> {
        let mut all: Vec<_> = self.0.values().flat_map(|t| t.done.iter().cloned()).collect();
        all.sort_by_key(|(lsn, _)| *lsn);
        all
    }
}
