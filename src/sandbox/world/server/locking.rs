//! Reading and changing tables under locks: asking, waiting without holding the world up, and giving up.
//!
//! Does not know who gives way in a deadlock (`world::locks`).

use super::{Call, SimulatedServer};
use crate::sandbox::answer::Message;
use crate::sandbox::host::{Change, Context, Lock, ObjectName, Outcome, Patience, Scan, Scanned};
use crate::sandbox::world::locks::{Answer, Mode, Want};

/// How often a waiting call looks up, in real milliseconds; it is woken sooner when locks are given back.
const LOOK_MS: u64 = 20;

impl SimulatedServer {
    pub(super) fn scan_patiently(
        &self,
        who: &Context,
        scans: &[Scan],
        patience: Patience<'_>,
    ) -> Outcome<Vec<Scanned>> {
        let at_once = scans.iter().any(|s| s.at_once);
        let patience = if at_once { Patience { lock_timeout: 0, ..patience } } else { patience };
        self.patiently(who, patience, |call| {
            let wants = call.wanted(scans)?;
            if call.lock(&wants, patience.priority)? { call.scan(scans).map(Some) } else { Ok(None) }
        })
    }

    pub(super) fn change_patiently(
        &self,
        who: &Context,
        name: &ObjectName,
        change: Change,
        patience: Patience<'_>,
    ) -> Outcome<u64> {
        let mut change = Some(change);
        self.patiently(who, patience, |call| {
            let Some(asked) = &change else { return Ok(None) };
            let d = call.may_change(name, asked)?;
            let want = call.want(d, &name.name, Mode::Exclusive, false);
            if !call.lock(&[want], patience.priority)? {
                return Ok(None);
            }
            let rows = change.take().map(|change| call.change_rows(d, &name.name, change));
            let session = call.who.session_id;
            if call.server().transactions.of_session(session).is_none() {
                call.server_mut().locks.end_statement(session);
            }
            Ok(rows)
        })
    }

    /// Tries until it is granted, refused, too late, or no longer wanted.
    fn patiently<T>(
        &self,
        who: &Context,
        patience: Patience<'_>,
        mut attempt: impl FnMut(&mut Call<'_>) -> Outcome<Option<T>>,
    ) -> Outcome<T> {
        let mut waited = 0;
        loop {
            if let Some(done) = self.call(who, |call| call.alive().and_then(|()| attempt(call)))? {
                return Ok(done);
            }
            let late = u64::try_from(patience.lock_timeout).is_ok_and(|most| waited >= most);
            let stopped = (patience.stopped)();
            if late || stopped {
                self.call(who, |call| {
                    let session = call.who.session_id;
                    call.server_mut().locks.stop_waiting(session);
                });
                return Err(if stopped { canceled() } else { timed_out() });
            }
            let left = u64::try_from(patience.lock_timeout).map_or(LOOK_MS, |most| most - waited);
            let slice = left.clamp(1, LOOK_MS);
            if !self.shared.pause(slice) {
                return Err(canceled());
            }
            waited += slice;
        }
    }
}

impl Call<'_> {
    fn want(&self, d: usize, table: &str, mode: Mode, holds: bool) -> Want {
        Want { database: self.server().databases[d].id, table: table.to_lowercase(), mode, holds }
    }

    /// The locks that some reads ask for.
    fn wanted(&self, scans: &[Scan]) -> Outcome<Vec<Want>> {
        let mut wants = Vec::new();
        let transaction = self.server().transactions.of_session(self.who.session_id).is_some();
        for scan in scans.iter().filter(|s| s.name.schema == "dbo") {
            let d = self.enter(&scan.name.database)?;
            if !self.server().databases[d].content.tables.contains_key(&scan.name.name.to_lowercase()) {
                continue;
            }
            let (mode, holds) = match scan.lock {
                Lock::None => continue,
                Lock::Shared => (Mode::Shared, false),
                Lock::Held => (Mode::Shared, transaction),
                Lock::Exclusive => (Mode::Exclusive, false),
                Lock::Claimed => (Mode::Exclusive, transaction),
            };
            wants.push(self.want(d, &scan.name.name, mode, holds));
        }
        Ok(wants)
    }

    /// Asks for locks; false = wait. What only the read itself needs is not kept: nothing comes between.
    fn lock(&mut self, wants: &[Want], priority: i64) -> Outcome<bool> {
        let (session, now) = (self.who.session_id, self.now);
        let cost = self.cost_of(session);
        match self.server_mut().locks.request(session, wants, priority, cost, now) {
            Answer::Granted => {
                let brief = |w: &Want| w.mode == Mode::Shared && !w.holds;
                if wants.iter().any(brief) {
                    self.server_mut().locks.end_read(session);
                }
                Ok(true)
            }
            Answer::Wait => Ok(false),
            Answer::Victim => Err(victim(session)),
        }
    }

    /// How many records a session's transaction has written.
    fn cost_of(&self, session: i16) -> i64 {
        let server = self.server();
        let Some(transaction) = server.transactions.of_session(session) else { return 0 };
        let records = |(database, tran): (&i32, &i64)| {
            let db = server.databases.iter().find(|d| d.id == *database)?;
            Some(db.content.open.0.get(tran)?.records)
        };
        transaction.parts.iter().filter_map(records).sum()
    }

    /// 596 for a session that was killed.
    pub(super) fn alive(&self) -> Outcome<()> {
        if !self.is_killed() {
            return Ok(());
        }
        let text = "Cannot continue the execution because the session is in the kill state.";
        Err(Message { class: 21, ..Message::error(596, text) })
    }

    pub(super) fn is_killed(&self) -> bool {
        let own = |x: &&crate::sandbox::world::state::Session| {
            x.server == self.s && x.id == self.who.session_id && x.killed
        };
        self.state.sessions.iter().any(|x| own(&x))
    }
}

/// 1205
fn victim(session: i16) -> Message {
    let text = format!(
        "Transaction (Process ID {session}) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction."
    );
    Message { class: 13, state: 45, ..Message::error(1205, text) }
}

/// 1222
fn timed_out() -> Message {
    Message { state: 45, ..Message::error(1222, "Lock request time out period exceeded.") }
}

/// Never sent: nobody wants the answer any more.
fn canceled() -> Message {
    Message::error(3617, "The statement was canceled.")
}
