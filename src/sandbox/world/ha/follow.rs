//! Copies follow: the log of the first database comes to them, is hardened there and done again.
//!
//! Log is read before anything can cut it off (`ship`); what is not sent yet waits with the copy, as the
//! primary's own log file would keep it.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Copy, Ha};
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::state::{Database, State};

/// How the line between two copies is.
#[derive(Debug, Clone, Copy)]
struct Line {
    flows: bool,
    /// Commits wait for it.
    synchronous: bool,
    lag_ms: i64,
}

impl Copy {
    /// Reads the first one's log as far as it goes.
    fn see(&mut self, first: &Database, now: DateTime<Utc>) {
        let end = first.log.end;
        if end <= self.seen {
            return;
        }
        let from = first.log.records.partition_point(|r| r.lsn < self.seen);
        self.held.extend(first.log.records[from..].iter().cloned());
        self.seen = end;
        match self.due.back_mut() {
            Some(last) if last.0 == now => last.1 = end,
            _ => self.due.push_back((now, end)),
        }
    }

    /// How far the line has brought the log by now.
    fn arrived(&self, line: Line, now: DateTime<Utc>) -> Option<(DateTime<Utc>, Lsn)> {
        if !line.flows {
            return None;
        }
        let lag = TimeDelta::milliseconds(if line.synchronous { 0 } else { line.lag_ms });
        self.due.iter().take_while(|(at, _)| *at + lag <= now).last().map(|(at, lsn)| (*at + lag, *lsn))
    }

    /// Hardens and redoes the log up to a point.
    fn harden(&mut self, to: Lsn, at: DateTime<Utc>, first: &Database, second: &mut Database) {
        while self.due.front().is_some_and(|(_, lsn)| *lsn <= to) {
            self.due.pop_front();
        }
        let arrived = self.held.partition_point(|r| r.lsn < to);
        for record in self.held.drain(..arrived) {
            second.content.redo(&record);
            second.log.records.push(record);
        }
        self.hardened = to;
        self.hardened_at = Some(at);
        self.sent_at = Some(at);
        second.log.end = to;
        second.adopt_chain(first);
    }
}

impl Database {
    /// Learns where the first one's backups are, as far as this copy's log reaches.
    fn adopt_chain(&mut self, first: &Self) {
        let reached = self.log.end;
        if first.log.backed_up.is_none_or(|b| b <= reached) && self.log.backed_up != first.log.backed_up {
            self.log.backed_up = first.log.backed_up;
            self.log.begins = first.log.begins;
            self.forked = first.forked;
            let keep = self.log.backed_up.unwrap_or(reached);
            self.log.records.retain(|r| r.lsn >= keep);
        }
        if first.log.checkpoint <= reached {
            self.log.checkpoint = first.log.checkpoint;
        }
        if first.log.full_checkpoint <= reached {
            self.log.full_checkpoint = first.log.full_checkpoint;
            self.base = first.base;
        }
        self.log.trans = first.log.trans;
        self.fork = first.fork;
        self.model = first.model;
    }

    /// Becomes what the first one is, keeping what belongs to this server.
    pub(super) fn mirror_of(&self, first: &Self) -> Self {
        Self {
            id: self.id,
            name: self.name.clone(),
            state: self.state,
            created: self.created,
            owner: self.owner.clone(),
            files: self.files.clone(),
            redo: self.redo,
            traffic: self.traffic,
            more: self.more.clone(),
            ..first.clone()
        }
    }
}

impl State {
    /// Lets every copy catch up as far as its line lets it by now.
    pub(crate) fn ship(&mut self, now: DateTime<Utc>) {
        if self.ha.is_empty() {
            return;
        }
        let mut ha = std::mem::take(&mut self.ha);
        let lines = self.lines(&mut ha);
        for (copy, from, to, name, line) in lines {
            self.ship_one(copy, from, to, &name, line, now);
        }
        self.ha = ha;
    }

    /// Every copy with its two servers, the database's name, and its line. `ha` is the state's own, taken out.
    #[allow(clippy::type_complexity, reason = "a row of a table that is used once")]
    fn lines<'a>(&mut self, ha: &'a mut Ha) -> Vec<(&'a mut Copy, usize, usize, String, Line)> {
        // Roles are read from the state, which has to be whole for that.
        self.ha = Ha { groups: Vec::new(), mirrors: Vec::new(), ..ha.clone_wiring() };
        let mut lines = Vec::new();
        for group in &ha.groups {
            let Some(p) = group.primary else { continue };
            for m in 0..group.databases.len() {
                for r in (0..group.replicas.len()).filter(|r| *r != p) {
                    if !group.databases[m].copies[r].joined {
                        continue;
                    }
                    lines.push(Line {
                        flows: self.flows(group, m, r),
                        synchronous: group.replicas[r].synchronous && group.replicas[p].synchronous,
                        lag_ms: group.replicas[r].lag_ms,
                    });
                }
            }
        }
        for mirror in &ha.mirrors {
            lines.push(Line {
                flows: !mirror.suspended && self.hears(mirror.principal, mirror.mirror),
                synchronous: mirror.safe,
                lag_ms: mirror.lag_ms,
            });
        }
        let mut lines = lines.into_iter();
        let mut all = Vec::new();
        for group in &mut ha.groups {
            let Some(p) = group.primary else { continue };
            let servers: Vec<usize> = group.replicas.iter().map(|r| r.server).collect();
            for member in &mut group.databases {
                for (r, copy) in member.copies.iter_mut().enumerate().filter(|(r, c)| *r != p && c.joined) {
                    if let Some(line) = lines.next() {
                        all.push((copy, servers[p], servers[r], member.name.clone(), line));
                    }
                }
            }
        }
        for mirror in &mut ha.mirrors {
            if let Some(line) = lines.next() {
                let (p, m) = (mirror.principal, mirror.mirror);
                all.push((&mut mirror.copy, p, m, mirror.database.clone(), line));
            }
        }
        all
    }

    fn ship_one(
        &mut self,
        copy: &mut Copy,
        from: usize,
        to: usize,
        name: &str,
        line: Line,
        now: DateTime<Utc>,
    ) {
        let (Some(a), Some(b)) =
            (self.servers[from].database_index(name), self.servers[to].database_index(name))
        else {
            return;
        };
        if copy.diverged {
            if line.flows {
                self.revert(copy, (from, a), (to, b), now);
            }
            return;
        }
        let [first, second] = match self.servers.get_disjoint_mut([from, to]) {
            Ok([first, second]) => [&mut first.databases[a], &mut second.databases[b]],
            Err(_) => return,
        };
        copy.see(first, now);
        if let Some((at, lsn)) = copy.arrived(line, now) {
            copy.rate = copy.hardened.blocks_to(lsn).max(1);
            copy.committed_at = copy.due.iter().rfind(|(_, l)| *l <= lsn).map(|(t, _)| *t);
            copy.harden(lsn, at, first, second);
            self.dirty = true;
        } else if line.flows {
            second.adopt_chain(first);
        }
    }

    /// Undoes what only this copy had, and takes the first one's log from there.
    fn revert(&mut self, copy: &mut Copy, from: (usize, usize), to: (usize, usize), now: DateTime<Utc>) {
        let first = self.servers[from.0].databases[from.1].clone();
        let second = &mut self.servers[to.0].databases[to.1];
        *second = second.mirror_of(&first);
        *copy = Copy { joined: true, suspended: copy.suspended, ..Copy::level(first.log.end, now) };
        self.dirty = true;
    }
}

impl Ha {
    /// What roles are read from, without the groups themselves.
    fn clone_wiring(&self) -> Self {
        Self { cluster: self.cluster.clone(), cut: self.cut.clone(), ..Self::default() }
    }
}

impl Lsn {
    /// Log blocks from here to there, 0 when it lies behind.
    pub(crate) fn blocks_to(self, other: Self) -> i64 {
        let place =
            |lsn: Self| lsn.0 / 1_000_000_000_000_000 * 1_000_000 + lsn.0 % 1_000_000_000_000_000 / 100_000;
        i64::try_from((place(other) - place(self)).max(0)).unwrap_or(i64::MAX)
    }
}
