//! A copy becomes the first one: planned, forced, and by itself when a server is gone.
//!
//! Does not know who asked.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Copy, Why};
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::state::{DbState, State};

/// How long a server must have been gone before another takes its place by itself.
const PATIENCE_SECONDS: i64 = 10;

impl State {
    /// Makes a replica the primary of its group. What it has not hardened is lost to it.
    pub(crate) fn take_over(&mut self, g: usize, r: usize, forced: bool, now: DateTime<Utc>) {
        self.ship(now);
        self.change_primary(g, r, forced, now);
    }

    /// The same with the log that the replica has, and nothing sent before.
    pub(crate) fn take_over_as_it_is(&mut self, g: usize, r: usize, now: DateTime<Utc>) {
        self.change_primary(g, r, false, now);
    }

    fn change_primary(&mut self, g: usize, r: usize, forced: bool, now: DateTime<Utc>) {
        let group = &self.ha.groups[g];
        let (from, to) = (group.primary, group.replicas[r].server);
        let old = group.primary_server();
        let names: Vec<String> = group.databases.iter().map(|m| m.name.clone()).collect();
        for (m, name) in names.iter().enumerate() {
            let copy = self.ha.groups[g].databases[m].copies[r].clone();
            if !copy.joined {
                continue;
            }
            let old = old.filter(|s| *s != to);
            let point = match old.and_then(|s| self.servers[s].database(name)) {
                // Nothing is missing: the log goes on as it was.
                Some(first) if copy.hardened >= first.log.end && !copy.diverged => {
                    let first = first.clone();
                    if let Some(second) = self.servers[to].database_mut(name) {
                        *second = second.mirror_of(&first);
                    }
                    first.log.end
                }
                _ => copy.hardened,
            };
            self.begin_anew(old, to, name, point, now);
            for other in 0..self.ha.groups[g].replicas.len() {
                let end = self.servers[self.ha.groups[g].replicas[other].server]
                    .database(name)
                    .map_or(point, |d| d.log.end);
                let copy = &mut self.ha.groups[g].databases[m].copies[other];
                if other == r {
                    *copy = Copy { joined: true, ..Copy::level(point, now) };
                    continue;
                }
                if !copy.joined && Some(other) != from {
                    continue;
                }
                if Some(other) == from {
                    *copy = Copy { diverged: end > point, ..Copy::level(end.min(point), now) };
                } else {
                    copy.diverged |= copy.hardened > point;
                    copy.cut_back(point);
                }
                if forced {
                    copy.suspended = Some(Why::Partner);
                }
            }
        }
        let group = &mut self.ha.groups[g];
        group.primary = Some(r);
        group.lost = None;
        group.sequence += 1;
        group.moves += 1;
        if let Some(old) = old {
            self.move_biztalk(old, to, &names);
        }
        self.dirty = true;
    }

    /// The database opens on a server as the first one, on a recovery fork of its own.
    pub(super) fn begin_anew(
        &mut self,
        from: Option<usize>,
        to: usize,
        name: &str,
        point: Lsn,
        now: DateTime<Utc>,
    ) {
        if let Some(from) = from {
            self.break_off(from, name, now);
        }
        let fork = self.dice.guid();
        let traffic = from
            .and_then(|s| self.servers[s].database_mut(name))
            .map_or(0, |first| std::mem::take(&mut first.traffic));
        let Some(db) = self.servers[to].database_mut(name) else { return };
        db.state = DbState::Online;
        db.redo = None;
        db.log.end = point;
        db.log.records.retain(|r| r.lsn < point);
        // A log backup over several takeovers tells the oldest fork.
        db.forked = db.forked.or(Some((db.fork, point)));
        db.more.first_fork = Some(db.fork);
        db.more.fork_point = Some(point);
        db.fork = fork;
        db.log.end = point.after(1);
        if traffic > 0 {
            db.traffic = traffic;
        }
        let (kind, was, is) = if self.ha.session(to, name).is_some() {
            ("mirrored", "MIRROR", "PRINCIPAL")
        } else {
            ("availability group", "RESOLVING", "PRIMARY")
        };
        let text = format!(
            "The {kind} database \"{name}\" is changing roles from \"{was}\" to \"{is}\" because the mirroring session or availability group failed over due to role synchronization. This is an informational message only. No user action is required."
        );
        self.log_error(to, &text);
        // What is prepared may leave it suspect; the error log tells.
        self.recover_database(to, name, now);
    }

    /// The transactions of sessions that were in a database end with it: what they did elsewhere is undone.
    fn break_off(&mut self, s: usize, name: &str, now: DateTime<Utc>) {
        let server = &mut self.servers[s];
        let Some(id) = server.database(name).map(|d| d.id) else { return };
        let mut broken = Vec::new();
        server.locks.leave_database(id);
        for transaction in &mut server.transactions.all {
            // what is prepared elsewhere waits for its coordinator
            if transaction.parts.remove(&id).is_some()
                && (!transaction.prepared || transaction.parts.is_empty())
            {
                broken.push(transaction.id);
            }
        }
        for id in broken {
            server.roll_back(id, now);
        }
    }

    /// BizTalk goes on where its management database is.
    pub(super) fn move_biztalk(&mut self, from: usize, to: usize, names: &[String]) {
        let management =
            names.iter().any(|n| self.servers[to].database(n).is_some_and(|d| d.role == "management"));
        if self.biztalk.connected_to == Some(from) && management {
            self.biztalk.connected_to = Some(to);
        }
    }

    /// Servers that are gone: another takes their place when it may and has everything.
    pub(super) fn watch(&mut self, now: DateTime<Utc>) {
        let patience = TimeDelta::seconds(PATIENCE_SECONDS);
        for g in 0..self.ha.groups.len() {
            let Some(p) = self.ha.groups[g].primary else { continue };
            if self.reachable(self.ha.groups[g].replicas[p].server) {
                self.ha.groups[g].lost = None;
                continue;
            }
            let since = *self.ha.groups[g].lost.get_or_insert(now);
            if now < since + patience || !self.quorum() {
                continue;
            }
            let group = &self.ha.groups[g];
            let fits = |r: &usize| {
                let replica = &group.replicas[*r];
                let both = |x: usize| group.replicas[x].synchronous && group.replicas[x].automatic;
                *r != p
                    && both(*r)
                    && both(p)
                    && self.reachable(replica.server)
                    && group.databases.iter().all(|m| {
                        let copy = &m.copies[*r];
                        copy.joined && copy.suspended.is_none() && copy.level_with_what_it_saw()
                    })
            };
            if let Some(r) = (0..group.replicas.len()).find(fits) {
                self.take_over(g, r, false, now);
            }
        }
        self.watch_mirrors(now, patience);
    }
}

impl Copy {
    /// Forgets what lies behind a point that is no longer on the first one's path.
    pub(super) fn cut_back(&mut self, point: Lsn) {
        self.held.retain(|r| r.lsn < point);
        self.due.retain(|(_, lsn)| *lsn <= point);
        self.seen = self.seen.min(point);
        self.hardened = self.hardened.min(point);
    }
}
