//! Locks on whole tables: who has which, who waits for whom, and who gives way in a deadlock.
//!
//! SQL Server locks rows and pages first; here a table is the smallest thing that is locked, so sessions wait for
//! each other somewhat sooner than there. Does not know why a lock is wanted, nor how long anybody is ready to wait.

use chrono::{DateTime, Utc};

/// Who holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Session(i16),
    /// A transaction without a session, by its number: shown as session -2.
    Orphan(i64),
}

impl Owner {
    /// As the views show it.
    pub(crate) const fn shown(self) -> i16 {
        match self {
            Self::Session(id) => id,
            Self::Orphan(_) => -2,
        }
    }
}

/// How a table is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

impl Mode {
    pub(crate) const fn letter(self) -> &'static str {
        match self {
            Self::Shared => "S",
            Self::Exclusive => "X",
        }
    }
}

/// What is wanted of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) database: i32,
    /// Key in lower case.
    pub(crate) table: String,
    pub(crate) mode: Mode,
    /// Until the transaction ends, not only the statement.
    pub(crate) holds: bool,
}

impl Want {
    fn same_table(&self, other: &Self) -> bool {
        self.database == other.database && self.table == other.table
    }

    fn conflicts(&self, other: &Self) -> bool {
        self.same_table(other) && (self.mode == Mode::Exclusive || other.mode == Mode::Exclusive)
    }
}

/// A lock that somebody has.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) owner: Owner,
    pub(crate) want: Want,
}

/// A session that waits.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) session: i16,
    pub(crate) want: Want,
    pub(crate) since: DateTime<Utc>,
    pub(crate) priority: i64,
    /// How much its transaction has written.
    pub(crate) cost: i64,
    /// Chosen to give way.
    pub(crate) victim: bool,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Granted,
    Wait,
    /// The session gives way in a deadlock.
    Victim,
}

/// The locks of an instance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Locks {
    pub(crate) granted: Vec<Granted>,
    pub(crate) waiting: Vec<Waiting>,
    /// Something was given back since this was last asked.
    given_back: bool,
}

impl Locks {
    /// Asks for locks for a session: all of them, or it waits for the first that it cannot have.
    pub(crate) fn request(
        &mut self,
        session: i16,
        wants: &[Want],
        priority: i64,
        cost: i64,
        now: DateTime<Utc>,
    ) -> Answer {
        let owner = Owner::Session(session);
        if self.waiting.iter().any(|w| w.session == session && w.victim) {
            self.stop_waiting(session);
            return Answer::Victim;
        }
        if let Some(want) = wants.iter().find(|w| self.holder(owner, w).is_some()) {
            let want = want.clone();
            match self.waiting.iter_mut().find(|w| w.session == session) {
                // it keeps its place in the queue
                Some(known) => known.want = want,
                None => {
                    self.waiting.push(Waiting { session, want, since: now, priority, cost, victim: false });
                }
            }
            return self.break_deadlock(session);
        }
        self.waiting.retain(|w| w.session != session);
        for want in wants {
            self.grant(owner, want.clone());
        }
        Answer::Granted
    }

    /// Gives a lock without asking: a transaction that was there before.
    pub(crate) fn grant(&mut self, owner: Owner, want: Want) {
        let same = |g: &&mut Granted| {
            g.owner == owner
                && g.want.database == want.database
                && g.want.table == want.table
                && g.want.mode == want.mode
        };
        match self.granted.iter_mut().find(same) {
            Some(known) => known.want.holds |= want.holds,
            None => self.granted.push(Granted { owner, want }),
        }
    }

    /// Keeps what a session has of a table until its transaction ends.
    pub(crate) fn hold(&mut self, session: i16, database: i32, table: &str) {
        for g in &mut self.granted {
            if g.owner == Owner::Session(session) && g.want.database == database && g.want.table == table {
                g.want.holds = true;
            }
        }
    }

    /// Who stands in the way of a want: who has the table, or asked for it before.
    fn holder(&self, owner: Owner, want: &Want) -> Option<Owner> {
        let has = self.granted.iter().find(|g| g.owner != owner && g.want.conflicts(want));
        if let Some(has) = has {
            return Some(has.owner);
        }
        if self.granted.iter().any(|g| g.owner == owner && g.want.same_table(want)) {
            // who has a part of the table already goes first
            return None;
        }
        self.waiting
            .iter()
            .take_while(|w| Owner::Session(w.session) != owner)
            .find(|w| w.want.conflicts(want))
            .map(|w| Owner::Session(w.session))
    }

    /// Whether a table is locked against others' writing, or their reading too.
    pub(crate) fn holder_of(&self, database: i32, table: &str, mode: Mode) -> Option<Owner> {
        let want = Want { database, table: table.to_owned(), mode, holds: false };
        self.holder(Owner::Session(i16::MIN), &want)
    }

    /// The wait of a session, with who it waits for.
    pub(crate) fn wait_of(&self, session: i16) -> Option<(&Waiting, Owner)> {
        let waiting = self.waiting.iter().find(|w| w.session == session)?;
        Some((waiting, self.holder(Owner::Session(session), &waiting.want)?))
    }

    /// The end of a session's statement.
    pub(crate) fn end_statement(&mut self, session: i16) {
        self.give_back(|g| g.owner == Owner::Session(session) && !g.want.holds);
        self.stop_waiting(session);
    }

    /// The end of a read: nothing shared stays that is not held.
    pub(crate) fn end_read(&mut self, session: i16) {
        let owner = Owner::Session(session);
        self.give_back(|g| g.owner == owner && g.want.mode == Mode::Shared && !g.want.holds);
    }

    /// The end of an owner's transaction.
    pub(crate) fn end_transaction(&mut self, owner: Owner) {
        self.give_back(|g| g.owner == owner);
    }

    /// A database is not open any more.
    pub(crate) fn leave_database(&mut self, database: i32) {
        self.give_back(|g| g.want.database == database);
    }

    pub(crate) fn stop_waiting(&mut self, session: i16) {
        self.waiting.retain(|w| w.session != session);
    }

    /// Whether waiting sessions should look again.
    pub(crate) fn take_given_back(&mut self) -> bool {
        std::mem::take(&mut self.given_back)
    }

    fn give_back(&mut self, which: impl Fn(&Granted) -> bool) {
        let before = self.granted.len();
        self.granted.retain(|g| !which(g));
        self.given_back |= self.granted.len() < before;
    }

    /// Looks for a circle that the newest wait of a session closes, and chooses who gives way: the lowest
    /// priority, then who has written least, then the one that closed it.
    fn break_deadlock(&mut self, session: i16) -> Answer {
        let mut circle = vec![session];
        loop {
            let last = circle[circle.len() - 1];
            let Some((_, Owner::Session(next))) = self.wait_of(last) else { return Answer::Wait };
            if next == session {
                break;
            }
            if circle.contains(&next) {
                // somebody else's circle: its members see to it
                return Answer::Wait;
            }
            circle.push(next);
        }
        let rank = |id: &i16| {
            let w = self.waiting.iter().find(|w| w.session == *id);
            (w.map_or(0, |w| w.priority), w.map_or(0, |w| w.cost), i32::from(*id != session))
        };
        let Some(victim) = circle.iter().copied().min_by_key(rank) else { return Answer::Wait };
        if victim == session {
            self.stop_waiting(session);
            return Answer::Victim;
        }
        if let Some(w) = self.waiting.iter_mut().find(|w| w.session == victim) {
            w.victim = true;
        }
        self.given_back = true;
        Answer::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn want(table: &str, mode: Mode) -> Want {
        Want { database: 5, table: table.into(), mode, holds: true }
    }

    #[test]
    fn readers_share_and_writers_do_not() {
        let mut locks = Locks::default();
        let now = DateTime::UNIX_EPOCH;
        let mut ask = |s, mode| locks.request(s, &[want("t", mode)], 0, 0, now);
        assert_eq!(ask(51, Mode::Shared), Answer::Granted);
        assert_eq!(ask(52, Mode::Shared), Answer::Granted);
        assert_eq!(ask(53, Mode::Exclusive), Answer::Wait);
        locks.end_transaction(Owner::Session(51));
        assert_eq!(locks.wait_of(53).unwrap().1, Owner::Session(52));
        locks.end_transaction(Owner::Session(52));
        assert!(locks.take_given_back() && !locks.take_given_back());
        assert_eq!(locks.request(53, &[want("t", Mode::Exclusive)], 0, 0, now), Answer::Granted);
        assert!(locks.waiting.is_empty());
    }

    #[test]
    fn a_circle_of_three_is_broken_where_it_costs_least() {
        let mut locks = Locks::default();
        let now = DateTime::UNIX_EPOCH;
        let x = |t: &str| [want(t, Mode::Exclusive)];
        for (s, t) in [(51, "a"), (52, "b"), (53, "c")] {
            assert_eq!(locks.request(s, &x(t), 0, 0, now), Answer::Granted);
        }
        assert_eq!(locks.request(51, &x("b"), 0, 9, now), Answer::Wait);
        assert_eq!(locks.request(52, &x("c"), 0, 1, now), Answer::Wait);
        assert_eq!(locks.request(53, &x("a"), 0, 5, now), Answer::Wait);
        assert_eq!(locks.request(52, &x("c"), 0, 1, now), Answer::Victim);
        locks.end_transaction(Owner::Session(52));
        assert_eq!(locks.request(51, &x("b"), 0, 9, now), Answer::Granted);
        // a low priority goes before cost
        let mut locks = Locks::default();
        for (s, t) in [(51, "a"), (52, "b")] {
            assert_eq!(locks.request(s, &x(t), 0, 0, now), Answer::Granted);
        }
        assert_eq!(locks.request(51, &x("b"), 0, 0, now), Answer::Wait);
        assert_eq!(locks.request(52, &x("a"), -5, 100, now), Answer::Victim);
    }

    #[test]
    fn an_orphan_is_nobodys_victim() {
        let mut locks = Locks::default();
        let now = DateTime::UNIX_EPOCH;
        locks.grant(Owner::Orphan(9), want("t", Mode::Exclusive));
        assert_eq!(locks.request(52, &[want("t", Mode::Shared)], 0, 0, now), Answer::Wait);
        assert_eq!(locks.wait_of(52).unwrap().1.shown(), -2);
        locks.end_transaction(Owner::Orphan(9));
        assert_eq!(locks.request(52, &[want("t", Mode::Shared)], 0, 0, now), Answer::Granted);
    }
}
