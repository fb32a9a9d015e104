//! The transaction of a session, as it asks for it.
//!
//! Does not know nesting: a session has one transaction or none.

use super::Call;
use crate::sandbox::answer::Message;
use crate::sandbox::host::{Begin, Change, Outcome};
use crate::sandbox::world::locks::Owner;
use crate::sandbox::world::transaction::Mark;

impl Call<'_> {
    /// The number of the session's transaction.
    fn transaction(&self) -> Option<i64> {
        self.server().transactions.of_session(self.who.session_id).map(|t| t.id)
    }

    pub(super) fn begin(&mut self, begin: &Begin) -> Outcome<u64> {
        if begin.distributed {
            self.has_dtc()?;
        }
        let (session, user, now) = (self.who.session_id, self.who.login.clone(), self.now);
        let id = self.transaction().unwrap_or_else(|| {
            self.server_mut().transactions.begin(Some(session), &user, begin.name.clone(), now)
        });
        if begin.distributed {
            let uow = self.state.dice.guid();
            if let Some(transaction) = self.server_mut().transactions.get_mut(id) {
                transaction.uow.get_or_insert(uow);
            }
        }
        self.state.dirty = true;
        Ok(id.unsigned_abs())
    }

    pub(super) fn mark(&mut self, name: &str, description: &str) -> bool {
        let Some(id) = self.transaction() else { return false };
        self.state.dirty = true;
        let Some(transaction) = self.server_mut().transactions.get_mut(id) else { return false };
        if transaction.mark.is_some() {
            return false;
        }
        transaction.mark =
            Some(Mark { name: name.to_owned(), description: description.chars().take(128).collect() });
        transaction.name = Some(name.to_owned());
        true
    }

    pub(super) fn save(&mut self, name: &str) {
        if let Some(id) = self.transaction() {
            self.server_mut().save(id, name);
            self.state.dirty = true;
        }
    }

    pub(super) fn roll_back_to(&mut self, name: &str) -> bool {
        let (id, now) = (self.transaction(), self.now);
        self.state.dirty = true;
        id.is_some_and(|id| self.server_mut().roll_back_to(id, name, now))
    }

    /// 8501 when MS DTC does not run here.
    fn has_dtc(&self) -> Outcome<()> {
        if !self.server().dtc.stopped {
            return Ok(());
        }
        let text = format!("MSDTC on server '{}' is unavailable.", self.server().name);
        Err(Message { state: 3, ..Message::error(8501, text) })
    }

    /// Commits; a distributed transaction needs its MS DTC for that, and is undone without it.
    pub(super) fn commit(&mut self, session: i16) -> Outcome<()> {
        let now = self.now;
        let distributed = self.server().transactions.of_session(session).is_some_and(|t| t.uow.is_some());
        if distributed && self.server().dtc.stopped {
            self.roll_back(session);
            let text = "Microsoft Distributed Transaction Coordinator (MS DTC) has stopped this transaction.";
            return Err(Message { class: 20, state: 3, ..Message::error(8522, text) });
        }
        if let Some(id) = self.transaction() {
            self.server_mut().commit(id, now);
            self.unlock(session);
            self.state.dirty = true;
        }
        Ok(())
    }

    /// Undoes the transaction of a session, if it has one.
    pub(super) fn roll_back(&mut self, session: i16) {
        let now = self.now;
        if let Some(id) = self.server().transactions.of_session(session).map(|t| t.id) {
            self.server_mut().roll_back(id, now);
            self.state.dirty = true;
        }
        self.unlock(session);
    }

    fn unlock(&mut self, session: i16) {
        self.server_mut().locks.end_transaction(Owner::Session(session));
        self.server_mut().locks.stop_waiting(session);
    }

    /// Changes rows, in the session's transaction or one of its own.
    pub(super) fn change_rows(&mut self, d: usize, table: &str, change: Change) -> u64 {
        let (id, now) = (self.transaction(), self.now);
        self.state.dirty = true;
        match id {
            Some(id) => {
                let rows = self.server_mut().change_in(id, d, table, change, now);
                if rows > 0 {
                    let (session, server) = (self.who.session_id, self.server_mut());
                    let database = server.databases[d].id;
                    server.locks.hold(session, database, &table.to_lowercase());
                }
                rows
            }
            None => self.server_mut().databases[d].change(now, table, change),
        }
    }
}
