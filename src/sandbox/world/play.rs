//! What a world file lets happen by itself: snapshot backups, transactions of applications, servers and lines that fail.
//!
//! Each play has its time on the drill clock. Does not know clients; what happens here happens to databases.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::dtc::{Coordinator, Unit};
use super::ids::Guid;
use super::state::State;
use crate::sandbox::host::Change;
use crate::sandbox::value::Value;

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Play {
    pub(crate) at: DateTime<Utc>,
    /// And again after so many drill milliseconds.
    pub(crate) every_ms: Option<i64>,
    pub(crate) what: Scene,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Scene {
    /// A snapshot backup of databases of a server.
    Snapshot { server: usize, databases: Vec<String>, copy_only: bool, user: String },
    /// A transaction of an application.
    Transaction(Cross),
    /// A server goes, or comes back.
    Server { server: usize, up: bool },
    /// Two servers stop or begin to hear each other.
    Line { between: (usize, usize), up: bool },
}

/// A transaction over several databases, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cross {
    /// MS DTC carries it: each server has prepared before anybody commits.
    pub(crate) distributed: bool,
    /// Server, database, table, row.
    pub(crate) writes: Vec<(usize, String, String, Vec<Value>)>,
    /// The database whose copy takes over in the middle of the commit.
    pub(crate) breaks: Option<(usize, String)>,
}

impl State {
    /// The next play and its time.
    pub(crate) fn next_play(&self) -> Option<(DateTime<Utc>, usize)> {
        self.plays.iter().enumerate().map(|(n, p)| (p.at, n)).min()
    }

    /// Lets a play happen.
    pub(crate) fn perform(&mut self, n: usize, now: DateTime<Utc>) {
        let Some(play) = self.plays.get(n).cloned() else { return };
        match play.every_ms {
            Some(ms) => self.plays[n].at = play.at + TimeDelta::milliseconds(ms.max(60_000)),
            None => drop(self.plays.remove(n)),
        }
        self.dirty = true;
        match &play.what {
            Scene::Snapshot { server, databases, copy_only, user } => {
                for database in databases {
                    self.snapshot_backup(*server, database, *copy_only, user, now);
                }
            }
            Scene::Transaction(cross) => self.cross(cross, now),
            Scene::Server { server, up } => {
                self.ship(now);
                self.servers[*server].trouble.refused = !up;
                self.beat_of_ha(now);
            }
            Scene::Line { between, up } => {
                self.ship(now);
                self.ha.cut.retain(|pair| pair != between);
                if !up {
                    self.ha.cut.push(*between);
                }
                self.ship(now);
            }
        }
    }

    /// A transaction over several databases. One that breaks is on disk everywhere but in one database, whose copy
    /// takes over before it has heard of the commit.
    fn cross(&mut self, cross: &Cross, now: DateTime<Utc>) {
        let uow = self.dice.guid();
        let mut parts: Vec<(usize, usize, i64)> = Vec::new();
        self.ship(now);
        for (s, database, table, row) in &cross.writes {
            let Some(d) = self.servers[*s].database_index(database) else { continue };
            let known = parts.iter().find(|p| (p.0, p.1) == (*s, d)).map(|p| p.2);
            let db = &mut self.servers[*s].databases[d];
            let tran = known.unwrap_or_else(|| {
                let tran = db.begin(now, cross.distributed.then_some("DTCXact"));
                parts.push((*s, d, tran));
                tran
            });
            db.edit(now, tran, table, Change::Insert(vec![row.clone()]));
        }
        if cross.distributed {
            for &(s, d, tran) in &parts {
                let manager = self.manager(s, d);
                self.servers[s].databases[d].prepare(now, tran, uow, manager);
            }
            // A promise counts when the copies have it as well.
            self.ship(now);
            self.decide(uow);
        }
        let broken =
            cross.breaks.as_ref().and_then(|(s, name)| Some((*s, self.servers[*s].database_index(name)?)));
        for &(s, d, tran) in &parts {
            if cross.distributed && Some((s, d)) == broken {
                continue;
            }
            self.servers[s].databases[d].commit(now, tran, None);
        }
        match &cross.breaks {
            // Nothing of the commit is sent: the copy takes over with the log that it has.
            Some((s, name)) => self.lose_first_copy(*s, name, now),
            None => self.ship(now),
        }
    }

    /// The first copy of a database becomes unavailable; the copy that may takes over as it is.
    fn lose_first_copy(&mut self, s: usize, name: &str, now: DateTime<Utc>) {
        if let Some(n) = self.ha.session(s, name).filter(|n| self.ha.mirrors[*n].principal == s) {
            self.swap_partners(n, false, now);
        } else if let Some((g, _)) = self.ha.member(s, name) {
            let group = &self.ha.groups[g];
            let next = group.replicas.iter().position(|r| r.server != s && r.joined && r.automatic);
            if let Some(r) = next.filter(|_| group.primary_server() == Some(s)) {
                self.take_over_as_it_is(g, r, now);
            }
        }
        self.ship(now);
    }

    /// The identity under which a database answers to MS DTC.
    fn manager(&self, s: usize, d: usize) -> Guid {
        let server = &self.servers[s];
        server.manager_of(&server.databases[d])
    }

    /// The coordinator decides that a unit of work commits.
    fn decide(&mut self, uow: Guid) {
        self.units.push(Unit { uow, coordinator: Coordinator::Committed });
    }
}
