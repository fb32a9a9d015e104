//! The transactions of an instance: over any of its databases, each of which logs its own part.
//!
//! Does not know nesting or `@@TRANCOUNT`, which a session counts for itself. A transaction gets its part in a
//! database with the first change there, as in SQL Server.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{Guid, Lsn};
use super::log::Tran;
use super::state::{Marked, Server};
use crate::sandbox::host::Change;

/// The transactions that have not ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Transactions {
    /// The last number given.
    last: i64,
    pub(crate) all: Vec<Transaction>,
}

/// A transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) id: i64,
    /// Whose it is; None = nobody's any more.
    pub(crate) session: Option<i16>,
    pub(crate) name: Option<String>,
    pub(crate) mark: Option<Mark>,
    pub(crate) user: String,
    pub(crate) began: DateTime<Utc>,
    /// Database id → its number in that database's log.
    pub(crate) parts: BTreeMap<i32, Tran>,
    savepoints: Vec<Savepoint>,
    /// `@@TRANCOUNT` of its session.
    pub(crate) depth: i64,
    /// Unit of work of a distributed one.
    #[serde(default)]
    pub(crate) uow: Option<Guid>,
    #[serde(default)]
    pub(crate) prepared: bool,
}

/// What WITH MARK said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) name: String,
    pub(crate) description: String,
}

/// A savepoint: how far each log was.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Savepoint {
    name: String,
    places: BTreeMap<i32, Lsn>,
}

impl Transaction {
    /// How far a database's log was at the newest savepoint.
    pub(crate) fn last_savepoint(&self, database: i32) -> Option<Lsn> {
        self.savepoints.last()?.places.get(&database).copied()
    }
}

impl Transactions {
    /// The number that the next one gets.
    pub(crate) const fn next(&self) -> i64 {
        self.last + 1
    }

    pub(crate) fn begin(
        &mut self,
        session: Option<i16>,
        user: &str,
        name: Option<String>,
        at: DateTime<Utc>,
    ) -> i64 {
        self.last += 1;
        self.all.push(Transaction {
            id: self.last,
            session,
            name,
            mark: None,
            user: user.to_owned(),
            began: at,
            parts: BTreeMap::new(),
            savepoints: Vec::new(),
            depth: 1,
            uow: None,
            prepared: false,
        });
        self.last
    }

    pub(crate) fn of_session(&self, session: i16) -> Option<&Transaction> {
        self.all.iter().find(|t| t.session == Some(session))
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Transaction> {
        self.all.iter().find(|t| t.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: i64) -> Option<&mut Transaction> {
        self.all.iter_mut().find(|t| t.id == id)
    }

    /// A prepared transaction that recovery found in a database, and nobody ends.
    pub(crate) fn leave(&mut self, uow: Guid, database: i32, tran: Tran, at: DateTime<Utc>) {
        let known = self.all.iter().find(|t| t.uow == Some(uow)).map(|t| t.id);
        let id = known.unwrap_or_else(|| self.begin(None, "", None, at));
        if let Some(t) = self.get_mut(id) {
            (t.uow, t.prepared, t.session) = (Some(uow), true, None);
            t.parts.insert(database, tran);
        }
    }

    /// A database is done with its part; a transaction without parts is over.
    pub(crate) fn drop_part(&mut self, uow: Guid, database: i32) {
        for t in self.all.iter_mut().filter(|t| t.uow == Some(uow)) {
            t.parts.remove(&database);
        }
        self.all.retain(|t| t.uow != Some(uow) || !t.parts.is_empty());
    }

    pub(super) fn take(&mut self, id: i64) -> Option<Transaction> {
        let place = self.all.iter().position(|t| t.id == id)?;
        Some(self.all.remove(place))
    }
}

impl Server {
    /// A change within a transaction to a table of the `d`-th database; the number of rows.
    pub(crate) fn change_in(
        &mut self,
        id: i64,
        d: usize,
        table: &str,
        change: Change,
        at: DateTime<Utc>,
    ) -> u64 {
        let Some(transaction) = self.transactions.get_mut(id) else { return 0 };
        let db = &mut self.databases[d];
        let name = transaction.name.as_deref();
        let tran = *transaction.parts.entry(db.id).or_insert_with(|| db.begin(at, name));
        db.edit(at, tran, table, change)
    }

    /// Commits, in every database it changed; a marked one leaves its mark there.
    pub(crate) fn commit(&mut self, id: i64, at: DateTime<Utc>) {
        let Some(transaction) = self.transactions.take(id) else { return };
        let local = self.local(at);
        for (database, tran) in &transaction.parts {
            let Some(db) = self.databases.iter_mut().find(|d| d.id == *database) else { continue };
            let mark = transaction.mark.as_ref();
            let lsn = db.commit(at, *tran, mark.map(|m| m.name.clone()));
            if let Some(mark) = mark {
                self.msdb.marks.push(Marked {
                    database: db.name.clone(),
                    mark: mark.name.clone(),
                    description: mark.description.clone(),
                    user: transaction.user.clone(),
                    lsn,
                    at: local,
                });
            }
        }
    }

    /// Undoes a transaction whole.
    pub(crate) fn roll_back(&mut self, id: i64, at: DateTime<Utc>) {
        let Some(transaction) = self.transactions.take(id) else { return };
        for (database, tran) in transaction.parts {
            if let Some(db) = self.databases.iter_mut().find(|d| d.id == database) {
                db.abort(at, tran);
            }
        }
    }

    /// Sets a savepoint.
    pub(crate) fn save(&mut self, id: i64, name: &str) {
        let databases = &self.databases;
        let Some(transaction) = self.transactions.all.iter_mut().find(|t| t.id == id) else { return };
        let end = |database: &i32| databases.iter().find(|d| d.id == *database).map(|d| d.log.end);
        let places = transaction.parts.keys().filter_map(|d| Some((*d, end(d)?))).collect();
        transaction.savepoints.push(Savepoint { name: name.to_owned(), places });
    }

    /// Undoes what came behind the newest savepoint of that name; false when there is none.
    pub(crate) fn roll_back_to(&mut self, id: i64, name: &str, at: DateTime<Utc>) -> bool {
        let Some(transaction) = self.transactions.get_mut(id) else { return false };
        let Some(n) = transaction.savepoints.iter().rposition(|s| s.name == name) else { return false };
        transaction.savepoints.truncate(n + 1);
        let places = transaction.savepoints[n].places.clone();
        for (database, tran) in transaction.parts.clone() {
            let place = places.get(&database).copied().unwrap_or_default();
            if let Some(db) = self.databases.iter_mut().find(|d| d.id == database) {
                db.undo_behind(at, tran, place);
            }
        }
        true
    }

    /// The world was closed, and every session with it: only what is prepared goes on.
    pub(crate) fn reopen(&mut self, at: DateTime<Utc>) {
        for db in &mut self.databases {
            if db.state == super::state::DbState::Online {
                db.recover(at);
            }
        }
        self.transactions.all.retain(|t| t.prepared);
        self.lock_orphans();
    }

    /// The open databases in which a transaction is prepared, and under which resource manager.
    pub(crate) fn open_parts(&self, id: i64) -> Vec<(usize, Guid)> {
        let Some(t) = self.transactions.get(id) else { return Vec::new() };
        let part = |(database, tran): (&i32, &Tran)| {
            let d = self.databases.iter().position(|d| d.id == *database)?;
            Some((d, self.databases[d].content.open.0.get(tran)?.prepared?.1))
        };
        t.parts.iter().filter_map(part).collect()
    }
}
