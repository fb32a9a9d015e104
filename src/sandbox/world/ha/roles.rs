//! Who is what now: quorum, roles of replicas, and how healthy each copy is.
//!
//! Nothing here is kept; it follows from who answers whom.

use super::{Copy, Group, Mirror};
use crate::sandbox::world::state::State;

/// The role of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Resolving,
    Primary,
    Secondary,
}

impl Role {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Resolving => 0,
            Self::Primary => 1,
            Self::Secondary => 2,
        }
    }
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Resolving => "RESOLVING",
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
        }
    }
}

/// `synchronization_state`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Not,
    Synchronizing,
    Synchronized,
}

impl Sync {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Not => 0,
            Self::Synchronizing => 1,
            Self::Synchronized => 2,
        }
    }
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Not => "NOT SYNCHRONIZING",
            Self::Synchronizing => "SYNCHRONIZING",
            Self::Synchronized => "SYNCHRONIZED",
        }
    }
}

/// `synchronization_health`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    Not,
    Partially,
    Healthy,
}

impl Health {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Not => 0,
            Self::Partially => 1,
            Self::Healthy => 2,
        }
    }
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Not => "NOT_HEALTHY",
            Self::Partially => "PARTIALLY_HEALTHY",
            Self::Healthy => "HEALTHY",
        }
    }
}

impl State {
    /// Whether two servers hear each other over their endpoints.
    pub(crate) fn hears(&self, a: usize, b: usize) -> bool {
        self.reachable(a)
            && self.reachable(b)
            && !self.ha.cut.iter().any(|&(x, y)| (x, y) == (a, b) || (x, y) == (b, a))
    }

    /// Whether a majority of the cluster's votes is there.
    pub(crate) fn quorum(&self) -> bool {
        let Some(cluster) = &self.ha.cluster else { return false };
        let share = usize::from(cluster.witness.is_some());
        let votes = cluster.nodes.len() + share;
        let up = cluster.nodes.iter().filter(|n| self.reachable(**n)).count() + share;
        up * 2 > votes
    }

    /// The role of a replica as its own server knows it.
    pub(crate) fn role(&self, group: &Group, r: usize) -> Role {
        let replica = &group.replicas[r];
        let Some(primary) = group.primary_server() else { return Role::Resolving };
        if !self.quorum() || !self.reachable(replica.server) {
            return Role::Resolving;
        }
        if group.primary == Some(r) {
            return Role::Primary;
        }
        if replica.joined && self.reachable(primary) { Role::Secondary } else { Role::Resolving }
    }

    /// Whether a secondary replica has its connection to the primary.
    pub(crate) fn connected(&self, group: &Group, r: usize) -> bool {
        group.primary_server().is_some_and(|p| {
            p == group.replicas[r].server
                || (group.replicas[r].joined && self.hears(p, group.replicas[r].server))
        }) && self.quorum()
    }

    /// Whether log flows to a copy.
    pub(crate) fn flows(&self, group: &Group, m: usize, r: usize) -> bool {
        let copies = &group.databases[m].copies;
        let held_up = group.primary.is_none_or(|p| copies[p].suspended.is_some());
        copies[r].joined && copies[r].suspended.is_none() && !held_up && self.connected(group, r)
    }

    /// How a copy stands towards the primary.
    pub(crate) fn sync_of(&self, group: &Group, m: usize, r: usize) -> Sync {
        if group.primary == Some(r) {
            // The primary calls itself what its commits are.
            return match (self.role(group, r), group.databases[m].copies[r].suspended) {
                (Role::Primary, None) => Sync::Synchronized,
                _ => Sync::Not,
            };
        }
        if !self.flows(group, m, r) || group.databases[m].copies[r].diverged {
            return Sync::Not;
        }
        let synchronous = |r: usize| group.replicas[r].synchronous;
        let both = synchronous(r) && group.primary.is_some_and(synchronous);
        if both && group.databases[m].copies[r].level_with_what_it_saw() {
            Sync::Synchronized
        } else {
            Sync::Synchronizing
        }
    }

    /// Whether a copy is as it should be for its commit mode.
    pub(crate) fn health_of(&self, group: &Group, m: usize, r: usize) -> Health {
        let wanted =
            group.replicas[r].synchronous && group.primary.is_none_or(|p| group.replicas[p].synchronous);
        match (self.sync_of(group, m, r), wanted) {
            (Sync::Synchronized, _) | (Sync::Synchronizing, false) => Health::Healthy,
            (Sync::Synchronizing, true) => Health::Partially,
            (Sync::Not, _) => Health::Not,
        }
    }

    /// The same of a replica: its worst database.
    pub(crate) fn replica_health(&self, group: &Group, r: usize) -> Health {
        if !self.connected(group, r) {
            return Health::Not;
        }
        (0..group.databases.len()).map(|m| self.health_of(group, m, r)).min().unwrap_or(Health::Healthy)
    }

    /// Whether a planned failover to that replica would lose nothing.
    pub(crate) fn failover_ready(&self, group: &Group, m: usize, r: usize) -> bool {
        group.databases[m].copies[r].joined && self.sync_of(group, m, r) == Sync::Synchronized
    }

    /// `mirroring_state`: 0 suspended, 1 disconnected, 2 synchronizing, 4 synchronized.
    pub(crate) fn mirror_state(&self, mirror: &Mirror) -> (i64, &'static str) {
        if !self.hears(mirror.principal, mirror.mirror) {
            (1, "DISCONNECTED")
        } else if mirror.suspended {
            (0, "SUSPENDED")
        } else if mirror.copy.level_with_what_it_saw() {
            (4, "SYNCHRONIZED")
        } else {
            (2, "SYNCHRONIZING")
        }
    }
}

impl Copy {
    /// Everything that was seen of the log is on its disk.
    pub(crate) fn level_with_what_it_saw(&self) -> bool {
        self.hardened >= self.seen && !self.diverged
    }
}
