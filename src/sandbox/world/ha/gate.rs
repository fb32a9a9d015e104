//! What high availability forbids: sessions in databases that are not theirs to read, and statements about them.
//!
//! Message texts are the server's own.

use super::Role;
use crate::sandbox::answer::Message;
use crate::sandbox::world::backup::BackupAsk;
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::state::{Database, Set, State};

/// What a statement wants with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Barred {
    Restore,
    Drop,
    Rename,
    /// SET options that mirroring and availability groups do not go along with.
    Alter,
    /// A full or differential backup that is not copy-only.
    FullBackup,
    /// A full backup WITH COPY_ONLY.
    CopyOnly,
    /// A log backup.
    LogBackup,
    /// A log backup WITH COPY_ONLY.
    CopyOnlyLog,
    /// A log backup that leaves the database restoring.
    TailBackup,
}

impl Barred {
    /// What a BACKUP statement is to a copy.
    pub(crate) const fn of_backup(ask: &BackupAsk) -> Self {
        match (ask.log, ask.copy_only) {
            (true, _) if ask.norecovery => Self::TailBackup,
            (true, true) => Self::CopyOnlyLog,
            (true, false) => Self::LogBackup,
            (false, true) if !ask.differential => Self::CopyOnly,
            (false, _) => Self::FullBackup,
        }
    }
}

fn said(number: i32, class: u8, text: String) -> Message {
    Message { class, ..Message::error(number, text) }
}

impl State {
    /// Why a session may not be in a database of a server, if it is a copy that others may not read.
    pub(crate) fn ha_closed(&self, s: usize, database: &str, read_intent: bool) -> Option<Message> {
        if self.ha.is_empty() {
            return None;
        }
        let name = self.servers[s].database(database).map_or(database, |d| d.name.as_str());
        if let Some(session) = self.ha.session(s, name) {
            let mirror = &self.ha.mirrors[session];
            if mirror.mirror == s {
                return Some(said(
                    954,
                    14,
                    format!("The database \"{name}\" cannot be opened. It is acting as a mirror database."),
                ));
            }
            let partner = self.hears(s, mirror.mirror);
            let witness = mirror.witness.is_some_and(|w| self.hears(s, w));
            if mirror.witness.is_some() && !partner && !witness {
                return Some(said(
                    955,
                    14,
                    format!(
                        "Database {name} is enabled for Database Mirroring, but the database lacks quorum: the database cannot be opened.  Check the partner and witness connections if configured."
                    ),
                ));
            }
        }
        let (g, m) = self.ha.member(s, name)?;
        let group = &self.ha.groups[g];
        let r = group.replica_on(s)?;
        let replica = &group.replicas[r];
        match self.role(group, r) {
            Role::Primary if replica.read_write_only && read_intent => Some(said(
                979,
                14,
                format!(
                    "The target database ('{name}') is in an availability group and currently does not allow read only connections. For more information about application intent, see SQL Server Books Online."
                ),
            )),
            Role::Primary => None,
            Role::Resolving if !self.quorum() => Some(said(
                988,
                14,
                format!(
                    "Unable to access database '{name}' because it lacks a quorum of nodes for high availability. Try the operation again later."
                ),
            )),
            Role::Resolving => Some(said(
                983,
                14,
                format!(
                    "Unable to access availability database '{name}' because the database replica is not in the PRIMARY or SECONDARY role. Connections to an availability database is permitted only when the database replica is in the PRIMARY or SECONDARY role. Try the operation again later."
                ),
            )),
            Role::Secondary if replica.readable == 0 || group.databases[m].copies[r].diverged => Some(said(
                976,
                14,
                format!(
                    "The target database, '{name}', is participating in an availability group and is currently not accessible for queries. Either data movement is suspended or the availability replica is not enabled for read access. To allow read-only access to this and other databases in the availability group, enable read access to one or more secondary availability replicas in the group.  For more information, see the ALTER AVAILABILITY GROUP statement in SQL Server Books Online."
                ),
            )),
            Role::Secondary if replica.readable == 1 && !read_intent => Some(said(
                978,
                14,
                format!(
                    "The target database ('{name}') is in an availability group and is currently accessible for connections when the application intent is set to read only. For more information about application intent, see SQL Server Books Online."
                ),
            )),
            Role::Secondary => None,
        }
    }

    /// Whether a database is a copy that only follows: nobody but its first one changes it.
    pub(crate) fn follows(&self, s: usize, database: &str) -> bool {
        if self.ha.session(s, database).is_some_and(|n| self.ha.mirrors[n].mirror == s) {
            return true;
        }
        self.ha.member(s, database).is_some_and(|(g, _)| self.ha.groups[g].primary_server() != Some(s))
    }

    /// 3906 for a change to a secondary database.
    pub(crate) fn ha_read_only(&self, s: usize, database: &str) -> Option<Message> {
        (!self.ha.is_empty() && self.follows(s, database)).then(|| {
            let name = self.servers[s].database(database).map_or(database, |d| d.name.as_str());
            Message {
                state: 2,
                ..Message::error(
                    3906,
                    format!("Failed to update database \"{name}\" because the database is read-only."),
                )
            }
        })
    }

    /// Why a statement about a whole database is refused because the database is mirrored or in a group.
    pub(crate) fn ha_bars(&self, s: usize, database: &str, what: Barred) -> Option<Message> {
        let mirrored = self.ha.session(s, database);
        let member = self.ha.member(s, database);
        if mirrored.is_none() && member.is_none() {
            return None;
        }
        let name = self.servers[s].database(database).map_or(database, |d| d.name.as_str());
        match what {
            Barred::Restore => Some(said(
                3104,
                16,
                format!(
                    "RESTORE cannot operate on database '{name}' because it is configured for database mirroring or has joined an availability group. If you intend to restore the database, use ALTER DATABASE to remove mirroring or to remove the database from its availability group."
                ),
            )),
            Barred::Drop if mirrored.is_some() => Some(said(
                3743,
                16,
                format!(
                    "The database '{name}' is enabled for database mirroring. Database mirroring must be removed before you drop the database."
                ),
            )),
            Barred::Drop => Some(said(
                3752,
                16,
                format!(
                    "The database '{name}' is currently joined to an availability group.  Before you can drop the database, you need to remove it from the availability group."
                ),
            )),
            Barred::Rename => Some(said(
                957,
                17,
                format!(
                    "Database '{name}' is enabled for database mirroring or has joined an availability group. The name of the database cannot be changed."
                ),
            )),
            Barred::Alter => Some(said(
                1468,
                16,
                format!(
                    "The operation cannot be performed on database \"{name}\" because it is involved in a database mirroring session or an availability group. Some operations are not allowed on a database that is participating in a database mirroring session or in an availability group."
                ),
            )),
            _ if !self.follows(s, database) => match what {
                // The principal and the primary must stay open.
                Barred::TailBackup => self.ha_bars(s, name, Barred::Alter),
                _ => None,
            },
            _ if mirrored.is_some() => self.ha_closed(s, database, false),
            Barred::FullBackup | Barred::CopyOnlyLog | Barred::TailBackup => Some(said(
                3059,
                16,
                "This BACKUP or RESTORE command is not supported on a database mirror or secondary replica."
                    .into(),
            )),
            Barred::CopyOnly | Barred::LogBackup => {
                let (g, m) = member?;
                let group = &self.ha.groups[g];
                let r = group.replica_on(s)?;
                (self.sync_of(group, m, r) == super::Sync::Not).then(|| {
                    said(
                        3062,
                        16,
                        "Cannot backup from a HADRON secondary because it is not in Synchronizing or Synchronized state.".into(),
                    )
                })
            }
        }
    }

    /// A log backup taken on a secondary counts for the primary: the chain is one.
    pub(crate) fn backed_up_on_copy(&mut self, s: usize, database: &str, set: &Set) {
        let first = self.ha.member(s, database).and_then(|(g, _)| self.ha.groups[g].primary_server());
        if let Some(db) = first.and_then(|p| self.servers[p].database_mut(database)) {
            db.log.backed_up = Some(set.last);
            db.log.records.retain(|r| r.lsn >= set.last);
            db.log.begins = false;
            db.forked = None;
        }
    }

    /// `sys.fn_hadr_is_primary_replica`; None when the database is in no group.
    pub(crate) fn is_primary_replica(&self, s: usize, database: &str) -> Option<bool> {
        let (g, _) = self.ha.member(s, database)?;
        let group = &self.ha.groups[g];
        group.replica_on(s).map(|r| self.role(group, r) == Role::Primary)
    }

    /// `sys.fn_hadr_backup_is_preferred_replica`
    pub(crate) fn is_preferred_for_backups(&self, s: usize, database: &str) -> bool {
        let Some((g, m)) = self.ha.member(s, database) else { return true };
        let group = &self.ha.groups[g];
        let Some(here) = group.replica_on(s) else { return true };
        let usable = |r: usize| {
            group.replicas[r].backup_priority > 0
                && group.databases[m].copies[r].joined
                && self.connected(group, r)
        };
        // Of equal priority, the first by name.
        let best = |candidates: &mut dyn Iterator<Item = usize>| {
            candidates.filter(|r| usable(*r)).max_by_key(|r| {
                let replica = &group.replicas[*r];
                (replica.backup_priority, std::cmp::Reverse(self.servers[replica.server].name.to_lowercase()))
            })
        };
        let all = 0..group.replicas.len();
        let secondary = best(&mut all.clone().filter(|r| group.primary != Some(*r)));
        let chosen = match group.backup_preference {
            0 => group.primary,
            1 => secondary,
            2 => secondary.or(group.primary),
            _ => best(&mut all.clone()),
        };
        chosen == Some(here)
    }

    /// Replica and group database id of a database that takes part.
    pub(crate) fn ha_ids(&self, s: usize, database: &str) -> Option<(Guid, Guid)> {
        let (g, m) = self.ha.member(s, database)?;
        let group = &self.ha.groups[g];
        group.replica_on(s).map(|r| (group.replicas[r].id, group.databases[m].id))
    }

    /// `log_reuse_wait` of a log that a copy still needs.
    pub(crate) fn log_held(&self, s: usize, db: &Database) -> Option<(i64, &'static str)> {
        let kept = db.log.backed_up.unwrap_or(db.log.end);
        if let Some(n) = self.ha.session(s, &db.name) {
            let mirror = &self.ha.mirrors[n];
            return (mirror.principal == s && mirror.copy.hardened < kept)
                .then_some((5, "DATABASE_MIRRORING"));
        }
        let (g, m) = self.ha.member(s, &db.name)?;
        let group = &self.ha.groups[g];
        if group.primary_server() != Some(s) {
            return None;
        }
        let behind = |(r, copy): (usize, &super::Copy)| {
            copy.joined && group.primary != Some(r) && copy.hardened < kept
        };
        group.databases[m].copies.iter().enumerate().any(behind).then_some((9, "AVAILABILITY_REPLICA"))
    }

    /// Where the n-th listener leads.
    pub(crate) fn behind_listener(&self, number: usize) -> super::BehindListener {
        let Some(group) = self.ha.groups.iter().filter(|g| g.listener.is_some()).nth(number) else {
            return super::BehindListener::default();
        };
        let primary = group.primary.filter(|p| self.role(group, *p) == Role::Primary);
        super::BehindListener {
            server: primary.map(|p| group.replicas[p].server),
            moves: group.moves,
            routes: primary.is_some_and(|p| !group.replicas[p].routing_list.is_empty()),
        }
    }

    /// The server that a listener's name leads to now.
    pub(crate) fn listener_server(&self, name: &str) -> Option<usize> {
        self.ha.groups.iter().find_map(|g| {
            let listener = g.listener.as_ref()?;
            let primary = g.primary?;
            let plain = name.split([',', '.']).next().unwrap_or(name);
            (listener.name.eq_ignore_ascii_case(plain) && self.role(g, primary) == Role::Primary)
                .then(|| g.primary_server())
                .flatten()
        })
    }
}
