//! High availability as data: the cluster, availability groups, mirroring sessions, and how far each copy is.
//!
//! Does not know how copies follow (`follow`), nor what statements do to them (`groups`, `sessions`).

mod beat;
mod follow;
mod gate;
mod groups;
mod guard;
mod joining;
mod mirroring;
mod roles;
mod snapshot;
mod spoil;
mod takeover;

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ids::{Guid, Lsn};
use super::log::Record;

pub(crate) use gate::Barred;
pub(crate) use roles::{Role, Sync};

/// Everything about high availability that is saved.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ha {
    pub(crate) cluster: Option<Cluster>,
    pub(crate) groups: Vec<Group>,
    pub(crate) mirrors: Vec<Mirror>,
    /// Pairs of servers that do not hear each other over their endpoints.
    pub(crate) cut: Vec<(usize, usize)>,
    /// Mirrors that wait for their principal: server, database, principal's server.
    pub(crate) offers: Vec<(usize, String, usize)>,
    /// When copies are looked after next by themselves.
    pub(crate) next_beat: Option<DateTime<Utc>>,
}

/// A Windows Server failover cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    /// Server numbers.
    pub(crate) nodes: Vec<usize>,
    /// A file share with a vote.
    pub(crate) witness: Option<String>,
    pub(crate) network: String,
    pub(crate) mask: String,
    pub(crate) prefix: i64,
}

/// An availability group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct Group {
    pub(crate) id: Guid,
    pub(crate) resource: Guid,
    pub(crate) resource_group: Guid,
    pub(crate) name: String,
    /// 0 primary, 1 secondary only, 2 secondary, 3 none.
    pub(crate) backup_preference: u8,
    pub(crate) failure_condition: i64,
    pub(crate) health_timeout: i64,
    pub(crate) basic: bool,
    pub(crate) dtc: bool,
    pub(crate) db_failover: bool,
    /// Number of the primary replica; none while the group is offline.
    pub(crate) primary: Option<usize>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) databases: Vec<Member>,
    pub(crate) listener: Option<Listening>,
    /// Since when the primary does not answer.
    pub(crate) lost: Option<DateTime<Utc>>,
    /// Changes with the configuration.
    pub(crate) sequence: i64,
    /// How often the primary changed.
    #[serde(default)]
    pub(crate) moves: u64,
}

/// A replica of a group: a server of the world.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct Replica {
    pub(crate) id: Guid,
    pub(crate) server: usize,
    pub(crate) endpoint: String,
    pub(crate) synchronous: bool,
    pub(crate) automatic: bool,
    pub(crate) session_timeout: i64,
    /// As primary: connections with read-only intent are refused.
    pub(crate) read_write_only: bool,
    /// As secondary: 0 none, 1 with read-only intent, 2 all.
    pub(crate) readable: u8,
    pub(crate) backup_priority: i64,
    pub(crate) routing_url: Option<String>,
    /// As primary, by server name.
    pub(crate) routing_list: Vec<String>,
    /// Has joined the group.
    pub(crate) joined: bool,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
    /// How far behind an asynchronous copy is on its line, in drill milliseconds.
    pub(crate) lag_ms: i64,
}

/// A database of a group, and its copies in the order of the replicas.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: Guid,
    pub(crate) name: String,
    pub(crate) copies: Vec<Copy>,
}

/// The address of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listening {
    pub(crate) id: Guid,
    pub(crate) name: String,
    pub(crate) port: i64,
    pub(crate) addresses: Vec<Address>,
}

/// One address of a listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) ip: String,
    pub(crate) mask: String,
    pub(crate) subnet: String,
    pub(crate) prefix: i64,
}

/// One copy of a database: how much of the first one's log it has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Copy {
    pub(crate) joined: bool,
    /// Data movement is suspended, and why.
    pub(crate) suspended: Option<Why>,
    /// It holds log that the first one never had: it must be reverted before it can follow.
    pub(crate) diverged: bool,
    /// The first one's log up to here was seen.
    pub(crate) seen: Lsn,
    /// The log up to here is on this copy's disk, and done.
    pub(crate) hardened: Lsn,
    pub(crate) hardened_at: Option<DateTime<Utc>>,
    pub(crate) sent_at: Option<DateTime<Utc>>,
    /// When the newest log it has was written by the first one.
    pub(crate) committed_at: Option<DateTime<Utc>>,
    /// Ends of the log that were seen and are not hardened yet, oldest first.
    pub(crate) due: VecDeque<(DateTime<Utc>, Lsn)>,
    /// Records of that part of the log.
    pub(crate) held: VecDeque<Record>,
    /// Hardened in the last minute, in log blocks.
    pub(crate) rate: i64,
}

/// Why data movement is suspended, by its number in `suspend_reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Why {
    User,
    /// After a forced failover.
    Partner,
}

impl Why {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::User => 0,
            Self::Partner => 1,
        }
    }
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::User => "SUSPEND_FROM_USER",
            Self::Partner => "SUSPEND_FROM_PARTNER",
        }
    }
}

/// A database mirroring session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Mirror {
    pub(crate) id: Guid,
    pub(crate) database: String,
    /// Server numbers.
    pub(crate) principal: usize,
    pub(crate) mirror: usize,
    /// A server of the world that only votes.
    pub(crate) witness: Option<usize>,
    /// Safety FULL: a commit waits for the mirror.
    pub(crate) safe: bool,
    pub(crate) suspended: bool,
    pub(crate) role_sequence: i64,
    pub(crate) safety_sequence: i64,
    pub(crate) timeout: i64,
    /// Where the roles last changed.
    pub(crate) failover: Lsn,
    /// Since when the principal does not answer.
    pub(crate) lost: Option<DateTime<Utc>>,
    pub(crate) copy: Copy,
    /// How far behind the mirror is without safety, in drill milliseconds.
    pub(crate) lag_ms: i64,
}

/// Where a listener leads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BehindListener {
    /// The server that is primary.
    pub(crate) server: Option<usize>,
    /// How often it moved.
    pub(crate) moves: u64,
    /// Readers are sent elsewhere.
    pub(crate) routes: bool,
}

impl Ha {
    /// Whether the world has nothing of it.
    pub(crate) const fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.mirrors.is_empty()
    }

    pub(crate) fn group(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|g| g.name.eq_ignore_ascii_case(name))
    }

    /// The group and member that a database of a server is: by its replica and name.
    pub(crate) fn member(&self, server: usize, database: &str) -> Option<(usize, usize)> {
        self.groups.iter().enumerate().find_map(|(g, group)| {
            let r = group.replica_on(server)?;
            let m = group.databases.iter().position(|m| m.name.eq_ignore_ascii_case(database))?;
            let takes_part = group.primary == Some(r) || group.databases[m].copies[r].joined;
            takes_part.then_some((g, m))
        })
    }

    /// The mirroring session of a database on one of its two partners.
    pub(crate) fn session(&self, server: usize, database: &str) -> Option<usize> {
        self.mirrors.iter().position(|m| {
            (m.principal == server || m.mirror == server) && m.database.eq_ignore_ascii_case(database)
        })
    }
}

impl Group {
    pub(crate) fn replica_on(&self, server: usize) -> Option<usize> {
        self.replicas.iter().position(|r| r.server == server)
    }
    /// The server that is primary now.
    pub(crate) fn primary_server(&self) -> Option<usize> {
        self.primary.map(|r| self.replicas[r].server)
    }
    pub(crate) fn member(&self, database: &str) -> Option<usize> {
        self.databases.iter().position(|m| m.name.eq_ignore_ascii_case(database))
    }
}

impl Copy {
    /// A copy that has everything up to `end`.
    pub(crate) fn level(end: Lsn, at: DateTime<Utc>) -> Self {
        Self {
            joined: true,
            seen: end,
            hardened: end,
            hardened_at: Some(at),
            sent_at: Some(at),
            committed_at: Some(at),
            ..Self::default()
        }
    }
}
