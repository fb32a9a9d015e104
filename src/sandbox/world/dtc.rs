//! Distributed transactions: who coordinates them, what is prepared, and what becomes of that when nobody answers.
//!
//! A database that prepared a transaction has promised to follow its coordinator. While the coordinator is silent,
//! the transaction keeps its locks without a session (-2). When the database is recovered meanwhile (its server
//! starts, it is restored, its group fails over, SET ONLINE), MS DTC is asked; without an answer 'in-doubt xact
//! resolution' decides, and when it says nothing the database is SUSPECT until somebody does (KILL of the unit of
//! work) and it is brought online again.
//!
//! For whoever brings a database up: [`State::recover_database`]. For faults and plays: [`State::leave_in_doubt`],
//! [`State::coordinator_says`], [`State::run_dtc`], [`State::set_resource_manager`].
//!
//! Does not know client statements, nor transactions of other kinds.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ids::Guid;
use super::locks::{Mode, Owner, Want};
use super::state::{Database, DbState, Server, State};
use crate::sandbox::answer::Message;
use crate::sandbox::host::Change;

/// MS DTC of a server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Dtc {
    /// The service does not run.
    pub(crate) stopped: bool,
    /// What an administrator has decided with KILL about a unit of work: whether it committed.
    pub(crate) decided: Vec<(Guid, bool)>,
}

/// What the coordinator of a unit of work would say. Of a unit that nobody remembers it says "aborted".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Coordinator {
    /// It is gone, or cannot be reached.
    Gone,
    Committed,
    Aborted,
}

/// A unit of work somebody coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) uow: Guid,
    pub(crate) coordinator: Coordinator,
}

/// What MS DTC answers about a prepared transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Committed,
    Aborted,
    /// The service does not run here.
    NoService,
    /// The transaction was prepared under another resource manager.
    OtherManager,
    /// The coordinator does not answer.
    NoAnswer,
}

impl Server {
    /// The identity that databases without one of their own answer to MS DTC under.
    pub(crate) fn resource_manager(&self) -> Guid {
        let digest = Sha256::digest(format!("resource manager of {}", self.name));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Guid(bytes)
    }

    /// The identity a database of this server answers under.
    pub(crate) fn manager_of(&self, db: &Database) -> Guid {
        db.more.manager.unwrap_or_else(|| self.resource_manager())
    }

    /// 'in-doubt xact resolution' in use: whether to commit.
    fn presumption(&self) -> Option<bool> {
        match self.options.get("in-doubt xact resolution") {
            Some(1) => Some(true),
            Some(2) => Some(false),
            _ => None,
        }
    }

    /// Gives transactions without a session their locks.
    pub(crate) fn lock_orphans(&mut self) {
        for t in self.transactions.all.iter().filter(|t| t.session.is_none()) {
            for (database, tran) in &t.parts {
                let Some(db) = self.databases.iter().find(|d| d.id == *database) else { continue };
                if db.state != DbState::Online {
                    continue;
                }
                let Some(open) = db.content.open.0.get(tran) else { continue };
                for (_, edit) in &open.done {
                    let table = edit.table().to_owned();
                    let want = Want { database: *database, table, mode: Mode::Exclusive, holds: true };
                    self.locks.grant(Owner::Orphan(t.id), want);
                }
            }
        }
    }
}

impl State {
    /// Brings a database through recovery: what is open and not prepared is undone, what is prepared follows its
    /// coordinator. It comes up ONLINE, or SUSPECT with the errors that say why. The log it recovers on must be
    /// its own already (a fork of its own after a restore).
    pub(crate) fn recover_database(&mut self, s: usize, name: &str, at: DateTime<Utc>) -> Vec<Message> {
        let Some(d) = self.servers[s].database_index(name) else { return Vec::new() };
        let server = &mut self.servers[s];
        server.locks.leave_database(server.databases[d].id);
        server.databases[d].recover(at);
        let prepared = self.servers[s].databases[d].content.open.prepared();
        let mut errors = Vec::new();
        let mut doubts = false;
        if !prepared.is_empty() {
            self.told(s, 8560);
        }
        for (tran, uow, manager) in prepared {
            let outcome = self.ask(s, d, uow, manager);
            let commit = match outcome {
                Outcome::Committed => Some(true),
                Outcome::Aborted => Some(false),
                _ => self.servers[s].presumption(),
            };
            let server = &mut self.servers[s];
            let db = &mut server.databases[d];
            match commit {
                Some(true) => {
                    db.commit(at, tran, None);
                }
                Some(false) => db.abort(at, tran),
                None => {
                    doubts = true;
                    errors.extend(unresolved(db, outcome, uow));
                    let id = db.id;
                    server.transactions.leave(uow, id, tran, at);
                    continue;
                }
            }
            let id = db.id;
            server.transactions.drop_part(uow, id);
            let how = if commit == Some(true) { "committed" } else { "rolled back" };
            if matches!(outcome, Outcome::NoService | Outcome::OtherManager | Outcome::NoAnswer) {
                let why = format!(
                    "The distributed transaction with UOW {uow} in database '{name}' was in doubt; it was presumed {how} ('in-doubt xact resolution')."
                );
                self.write_error_log(s, &why);
            }
        }
        let db = &mut self.servers[s].databases[d];
        let (id, shown) = (db.id, db.name.clone());
        if doubts {
            db.state = DbState::Suspect;
            errors.push(Message {
                class: 21,
                ..Message::error(
                    3431,
                    format!(
                        "Could not recover database '{shown}' (database ID {id}) because of unresolved transaction outcomes. Microsoft Distributed Transaction Coordinator (MS DTC) transactions were prepared, but MS DTC was unable to determine the resolution. To resolve, either fix MS DTC, restore from a full backup, or repair the database."
                    ),
                )
            });
            errors.push(Message {
                class: 21,
                ..Message::error(
                    3414,
                    format!(
                        "An error occurred during recovery, preventing the database '{shown}' ({id}:0) from restarting. Diagnose the recovery errors and fix them, or restore from a known good backup. If errors are not corrected or expected, contact Technical Support."
                    ),
                )
            });
        } else {
            db.state = DbState::Online;
            self.servers[s].lock_orphans();
        }
        for error in &errors {
            let text = format!(
                "Error: {}, Severity: {}, State: {}. {}",
                error.number, error.class, error.state, error.text
            );
            self.write_error_log(s, &text);
        }
        // What a log-reader may tell a client: 8568 stands in the error log alone.
        errors.retain(|e| e.number != 8568);
        self.dirty = true;
        errors
    }

    /// Every online database of a server goes through recovery, as at a start of the instance.
    pub(crate) fn recover_instance(&mut self, s: usize, at: DateTime<Utc>) {
        let server = &mut self.servers[s];
        let mine: Vec<i64> = server.transactions.all.iter().filter(|t| !t.prepared).map(|t| t.id).collect();
        for id in mine {
            server.roll_back(id, at);
        }
        server.locks = super::locks::Locks::default();
        let open =
            |d: &&Database| matches!(d.state, DbState::Online | DbState::Suspect | DbState::Recovering);
        let names: Vec<String> = server
            .databases
            .iter()
            .filter(open)
            .filter(|d| d.state == DbState::Online || !d.content.open.prepared().is_empty())
            .filter(|d| !d.read_only && d.more.standby.is_none())
            .map(|d| d.name.clone())
            .collect();
        for name in names {
            self.recover_database(s, &name, at);
        }
    }

    /// What MS DTC of a server says about a transaction that a database of it has prepared.
    fn ask(&self, s: usize, d: usize, uow: Guid, manager: Guid) -> Outcome {
        let server = &self.servers[s];
        if let Some((_, commit)) = server.dtc.decided.iter().find(|(known, _)| *known == uow) {
            return if *commit { Outcome::Committed } else { Outcome::Aborted };
        }
        if server.dtc.stopped {
            return Outcome::NoService;
        }
        if server.manager_of(&server.databases[d]) != manager {
            return Outcome::OtherManager;
        }
        match self.units.iter().find(|u| u.uow == uow).map(|u| u.coordinator) {
            Some(Coordinator::Gone) => Outcome::NoAnswer,
            Some(Coordinator::Committed) => Outcome::Committed,
            Some(Coordinator::Aborted) | None => Outcome::Aborted,
        }
    }

    /// Leaves a transaction behind whose session is gone: its changes (database, table, rows) are made, and
    /// `prepared` says whether it promised to commit. Its number on that server.
    pub(crate) fn leave_in_doubt(
        &mut self,
        s: usize,
        uow: Guid,
        coordinator: Coordinator,
        prepared: bool,
        changes: Vec<(String, String, Change)>,
        at: DateTime<Utc>,
    ) -> i64 {
        if !self.units.iter().any(|u| u.uow == uow) {
            self.units.push(Unit { uow, coordinator });
        }
        let shared = self.servers[s].resource_manager();
        let server = &mut self.servers[s];
        let user = server.engine_account.clone();
        let id = server.transactions.begin(None, &user, None, at);
        if let Some(t) = server.transactions.get_mut(id) {
            t.uow = Some(uow);
        }
        for (database, table, change) in changes {
            if let Some(d) = server.database_index(&database) {
                server.change_in(id, d, &table, change, at);
            }
        }
        if prepared {
            let parts = server.transactions.get(id).map(|t| t.parts.clone()).unwrap_or_default();
            for (database, tran) in parts {
                if let Some(db) = server.databases.iter_mut().find(|d| d.id == database) {
                    let manager = db.more.manager.unwrap_or(shared);
                    db.prepare(at, tran, uow, manager);
                }
            }
            if let Some(t) = server.transactions.get_mut(id) {
                t.prepared = true;
            }
        }
        server.lock_orphans();
        self.dirty = true;
        id
    }

    /// The coordinator of a unit of work is there again and says how it ended: every server with a running MS DTC
    /// follows at once.
    pub(crate) fn coordinator_says(&mut self, uow: Guid, commit: bool, at: DateTime<Utc>) {
        let coordinator = if commit { Coordinator::Committed } else { Coordinator::Aborted };
        self.units.retain(|u| u.uow != uow);
        self.units.push(Unit { uow, coordinator });
        for s in 0..self.servers.len() {
            self.follow_coordinators(s, at);
        }
    }

    /// MS DTC of a server starts or stops.
    pub(crate) fn run_dtc(&mut self, s: usize, runs: bool, at: DateTime<Utc>) {
        if self.servers[s].dtc.stopped != runs {
            return;
        }
        self.servers[s].dtc.stopped = !runs;
        self.dirty = true;
        if runs {
            self.told(s, 8560);
            self.follow_coordinators(s, at);
            self.told(s, 8561);
        } else {
            self.told(s, 8562);
        }
    }

    /// Ends what is prepared on a server and whose coordinator answers.
    fn follow_coordinators(&mut self, s: usize, at: DateTime<Utc>) {
        let prepared: Vec<(i64, Guid)> = self.servers[s]
            .transactions
            .all
            .iter()
            .filter(|t| t.prepared)
            .filter_map(|t| Some((t.id, t.uow?)))
            .collect();
        for (id, uow) in prepared {
            let parts = self.servers[s].open_parts(id);
            let answers: Vec<Outcome> =
                parts.iter().map(|(d, manager)| self.ask(s, *d, uow, *manager)).collect();
            if answers.is_empty() {
                continue;
            }
            if answers.iter().all(|a| *a == Outcome::Committed) {
                self.end_unit(s, id, true, at);
            } else if answers.iter().all(|a| *a == Outcome::Aborted) {
                self.end_unit(s, id, false, at);
            }
        }
    }

    /// Ends a transaction without a session; databases that are not open follow when they are recovered.
    pub(crate) fn end_unit(&mut self, s: usize, id: i64, commit: bool, at: DateTime<Utc>) {
        let server = &mut self.servers[s];
        let Some(t) = server.transactions.get(id) else { return };
        let (uow, all) = (t.uow, t.parts.len());
        let shut: Vec<i32> = server
            .databases
            .iter()
            .filter(|d| t.parts.contains_key(&d.id) && d.state != DbState::Online)
            .map(|d| d.id)
            .collect();
        if let Some(uow) = uow.filter(|_| !shut.is_empty() || all == 0) {
            server.dtc.decided.retain(|(known, _)| *known != uow);
            server.dtc.decided.push((uow, commit));
        }
        if let Some(t) = server.transactions.get_mut(id) {
            t.parts.retain(|database, _| !shut.contains(database));
        }
        if commit {
            server.commit(id, at);
        } else {
            server.roll_back(id, at);
        }
        server.locks.end_transaction(Owner::Orphan(id));
        self.dirty = true;
    }

    /// Gives a database an identity of its own with MS DTC (`DTC_SUPPORT = PER_DB`), or takes it away. What it
    /// has prepared cannot be matched any more: the next recovery finds it in doubt.
    pub(crate) fn set_resource_manager(&mut self, s: usize, database: &str, manager: Option<Guid>) {
        let Some(db) = self.servers[s].database_mut(database) else { return };
        let old = std::mem::replace(&mut db.more.manager, manager);
        let name = db.name.clone();
        if let Some(old) = old.filter(|o| Some(*o) != manager) {
            let text = format!(
                "Microsoft Distributed Transaction Coordinator (MS DTC) resource manager [{old}] has been released. This is an informational message only. No user action is required."
            );
            self.write_error_log(s, &text);
        }
        if let Some(new) = manager.filter(|m| Some(*m) != old) {
            let text = format!(
                "Initializing Microsoft Distributed Transaction Coordinator (MS DTC) resource manager [{new}] for database '{name}'. This is an informational message only. No user action is required."
            );
            self.write_error_log(s, &text);
        }
        self.dirty = true;
    }

    fn told(&mut self, s: usize, number: i32) {
        let text = match number {
            8560 => {
                "Attempting to recover in-doubt distributed transactions involving Microsoft Distributed Transaction Coordinator (MS DTC). This is an informational message only. No user action is required."
            }
            8561 => {
                "Recovery of any in-doubt distributed transactions involving Microsoft Distributed Transaction Coordinator (MS DTC) has completed. This is an informational message only. No user action is required."
            }
            _ => {
                "The connection has been lost with Microsoft Distributed Transaction Coordinator (MS DTC). Recovery of any in-doubt distributed transactions involving Microsoft Distributed Transaction Coordinator (MS DTC) will begin once the connection is re-established. This is an informational message only. No user action is required."
            }
        };
        self.write_error_log(s, text);
    }

    /// A line of a server's error log.
    pub(crate) fn write_error_log(&mut self, s: usize, text: &str) {
        self.log_error(s, text);
    }
}

/// Why a prepared transaction could not be resolved.
fn unresolved(db: &Database, outcome: Outcome, uow: Guid) -> Option<Message> {
    let severe = |number, class, text: String| Some(Message { class, ..Message::error(number, text) });
    match outcome {
        Outcome::NoService => severe(
            3437,
            21,
            format!(
                "An error occurred while recovering database '{}'. Unable to connect to Microsoft Distributed Transaction Coordinator (MS DTC) to check the completion status of transaction {uow}. Fix MS DTC, and run recovery again.",
                db.name
            ),
        ),
        Outcome::OtherManager => severe(
            8568,
            10,
            format!(
                "Microsoft Distributed Transaction Coordinator (MS DTC) failed to reenlist citing that the database RMID does not match the RMID [{}] associated with the transaction.  Please manually resolve the transaction.",
                db.content.open.prepared().iter().find(|p| p.1 == uow).map_or_else(Guid::default, |p| p.2)
            ),
        ),
        _ => None,
    }
}
