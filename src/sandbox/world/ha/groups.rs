//! CREATE, ALTER and DROP AVAILABILITY GROUP.
//!
//! Message texts are the server's own. What a group may not have here is refused when it is written.

use chrono::{DateTime, Utc};

use super::{Copy, Group, Member, Replica, Role};
use crate::sandbox::answer::Message;
use crate::sandbox::host::availability::{
    Availability, GroupAction, GroupOption, NewGroup, NewReplica, ReplicaOption,
};
use crate::sandbox::world::state::{DbState, Model, Redo, State};

type Done = Result<(), Message>;

/// 41140
fn not_the_primary(group: &str) -> Message {
    Message::error(
        41140,
        format!(
            "Availability group '{group}' cannot process the ALTER AVAILABILITY GROUP command, because the local availability replica is not the primary replica. Connect to the server instance that is currently hosting the primary replica of this availability group, and rerun the command."
        ),
    )
}

/// 41190
fn not_in_a_state(group: &str, verb: &str, what: &str) -> Message {
    Message::error(
        41190,
        format!(
            "Availability group '{group}' failed to process {verb}-{what} command. The local availability replica is not in a state that could process the command. Verify that the availability group is online and that the local availability replica is the primary replica, then retry the command."
        ),
    )
}

/// 15151
pub(super) fn unknown(verb: &str, group: &str) -> Message {
    Message::error(
        15151,
        format!(
            "Cannot {verb} the availability group '{group}', because it does not exist or you do not have permission."
        ),
    )
}

/// 35221
pub(super) fn disabled() -> Message {
    Message::error(
        35221,
        "Could not process the operation. Always On Availability Groups replica manager is disabled on this instance of SQL Server. Enable Always On Availability Groups, by using the SQL Server Configuration Manager. Then, restart the SQL Server service, and retry the operation. For information about how to enable and disable Always On Availability Groups, see SQL Server Books Online.",
    )
}

impl State {
    /// Whether a server takes part in a cluster, and has availability groups switched on.
    pub(crate) fn hadr_enabled(&self, s: usize) -> bool {
        self.ha.cluster.as_ref().is_some_and(|c| c.nodes.contains(&s))
    }

    /// Carries a statement about a group out on one server.
    pub(crate) fn availability(&mut self, s: usize, what: &Availability, now: DateTime<Utc>) -> Done {
        if !self.hadr_enabled(s) {
            return Err(disabled());
        }
        self.ship(now);
        self.dirty = true;
        match what {
            Availability::Create(new) => self.create_group(s, new, now),
            Availability::Alter { group, action } => {
                let g = self.ha.group(group).filter(|g| self.ha.groups[*g].replica_on(s).is_some());
                let g = g.ok_or_else(|| unknown("alter", group))?;
                self.alter_group(s, g, action, now)
            }
            Availability::Drop(group) => {
                let g = self.ha.group(group).filter(|g| self.ha.groups[*g].replica_on(s).is_some());
                self.drop_group(s, g.ok_or_else(|| unknown("drop", group))?)
            }
            Availability::Hadr { database, action } => self.hadr(s, database, action, now),
            Availability::Partner { database, action } => self.partner(s, database, action, now),
        }
    }

    fn alter_group(&mut self, s: usize, g: usize, action: &GroupAction, now: DateTime<Utc>) -> Done {
        let group = &self.ha.groups[g];
        let name = group.name.clone();
        let Some(r) = group.replica_on(s) else { return Err(unknown("alter", &name)) };
        let primary = self.role(group, r) == Role::Primary;
        match action {
            GroupAction::Join => return self.join_group(g, r, now),
            GroupAction::Failover | GroupAction::Force => {
                return self.fail_over(g, r, *action == GroupAction::Force, now);
            }
            _ => {}
        }
        if !primary {
            return Err(match action {
                GroupAction::AddDatabases(_) => not_in_a_state(&name, "ADD", "DATABASE"),
                GroupAction::RemoveDatabases(_) => not_in_a_state(&name, "REMOVE", "DATABASE"),
                GroupAction::AddReplica(_) => not_in_a_state(&name, "ADD", "REPLICA"),
                GroupAction::RemoveReplica(_) => not_in_a_state(&name, "REMOVE", "REPLICA"),
                _ => not_the_primary(&name),
            });
        }
        self.ha.groups[g].sequence += 1;
        match action {
            GroupAction::Offline => self.ha.groups[g].primary = None,
            GroupAction::Set(option) => self.set_group_option(s, g, option)?,
            GroupAction::AddDatabases(names) => {
                for database in names {
                    self.may_add(s, &name, database)?;
                }
                for database in names {
                    self.add_member(s, g, database, now);
                }
            }
            GroupAction::RemoveDatabases(names) => {
                for database in names {
                    let m = self.ha.groups[g].member(database).ok_or_else(|| {
                        Message::error(35281, format!("Database '{database}' cannot be removed from availability group '{name}'. The database is not joined to the specified availability group. Verify that the database name and the availability group name are correct, then retry the operation."))
                    })?;
                    self.remove_member(g, m);
                }
            }
            GroupAction::AddReplica(new) => {
                let replica = self.new_replica(new, now)?;
                if self.ha.groups[g].replica_on(replica.server).is_some() {
                    return Err(Message::error(
                        35282,
                        format!(
                            "Availability replica '{}' cannot be added to availability group '{name}'. The availability group already contains an availability replica with the specified name. Verify that the availability replica name and the availability group name are correct, then retry the operation.",
                            new.server
                        ),
                    ));
                }
                let group = &mut self.ha.groups[g];
                group.replicas.push(replica);
                group.databases.iter_mut().for_each(|m| m.copies.push(Copy::default()));
            }
            GroupAction::ModifyReplica { server, option } => self.modify_replica(g, server, option, now)?,
            GroupAction::RemoveReplica(server) => self.remove_replica(s, g, server)?,
            GroupAction::Join | GroupAction::Failover | GroupAction::Force => {}
        }
        self.ship(now);
        Ok(())
    }

    fn fail_over(&mut self, g: usize, r: usize, forced: bool, now: DateTime<Utc>) -> Done {
        let group = &self.ha.groups[g];
        let name = &group.name;
        if self.role(group, r) == Role::Primary {
            return Err(Message::error(
                41122,
                format!(
                    "Cannot failover availability group '{name}' to this instance of SQL Server. The local availability replica is already the primary replica of the availability group. To failover this availability group to another instance of SQL Server, run the failover command on that instance of SQL Server. If local instance of SQL Server is intended to host the primary replica of the availability group, then no action is required."
                ),
            ));
        }
        if !self.quorum() {
            return Err(Message::error(
                41146,
                format!(
                    "Failed to bring Availability Group '{name}' online. The Windows Server Failover Clustering (WSFC) service may not be running, or it may not be accessible in its current state. Please verify the local WSFC node is up and then retry the operation."
                ),
            ));
        }
        let ready = (0..group.databases.len()).all(|m| self.failover_ready(group, m, r));
        if !forced && (!ready || !group.replicas[r].joined) {
            return Err(Message::error(
                41142,
                format!(
                    "The availability replica for availability group '{name}' on this instance of SQL Server cannot become the primary replica. One or more databases are not synchronized or have not joined the availability group. If the availability replica uses the asynchronous-commit mode, consider performing a forced manual failover (with possible data loss). Otherwise, once all local secondary databases are joined and synchronized, you can perform a planned manual failover to this secondary replica (without data loss). For more information, see SQL Server Books Online."
                ),
            ));
        }
        if !group.replicas[r].joined {
            return Err(unknown("alter", name));
        }
        self.take_over(g, r, forced, now);
        self.ship(now);
        Ok(())
    }

    fn set_group_option(&mut self, s: usize, g: usize, option: &GroupOption) -> Done {
        let version = self.servers[s].version;
        let group = &mut self.ha.groups[g];
        let name = &group.name;
        match option {
            GroupOption::BackupPreference(word) => group.backup_preference = preference(word),
            GroupOption::FailureConditionLevel(level) => {
                if !(1..=5).contains(level) {
                    return Err(Message::error(
                        35228,
                        format!(
                            "The attempt to set the failure condition level for availability group '{name}' failed. The specified level value is out of the valid range [1, 5]. Reenter the command specifying a valid failure condition level value."
                        ),
                    ));
                }
                group.failure_condition = *level;
            }
            GroupOption::HealthCheckTimeout(ms) => {
                if *ms < 15_000 {
                    return Err(Message::error(
                        35229,
                        format!(
                            "The attempt to set the health check timeout value for availability group '{name}' failed. The specified timeout value is less than 15000 milliseconds. Reenter the command specifying a valid health check timeout value."
                        ),
                    ));
                }
                group.health_timeout = *ms;
            }
            GroupOption::DbFailover(on) => group.db_failover = *on,
            GroupOption::DtcSupport(per_db) => {
                if version.0 == 13 && version.2 < 5026 {
                    return Err(Message::not_modelled(
                        "DTC_SUPPORT of a group that exists, before SQL Server 2016 SP2",
                    ));
                }
                self.set_dtc_support(g, *per_db);
            }
            GroupOption::Basic => return Err(Message::not_modelled("SET (BASIC)")),
        }
        Ok(())
    }

    fn modify_replica(&mut self, g: usize, server: &str, option: &ReplicaOption, now: DateTime<Utc>) -> Done {
        let at = self.replica_named(g, server);
        let group = &mut self.ha.groups[g];
        let Some(r) = at else {
            return Err(Message::error(
                41167,
                format!(
                    "An error occurred while attempting to access availability replica '{server}' in availability group '{}'. The availability replica is not found in the availability group configuration. Verify that the availability group and availability replica names are correct, then retry the command.",
                    group.name
                ),
            ));
        };
        let replica = &mut group.replicas[r];
        apply(replica, option)?;
        replica.modified = now;
        Ok(())
    }

    fn replica_named(&self, g: usize, server: &str) -> Option<usize> {
        self.ha.groups[g]
            .replicas
            .iter()
            .position(|r| self.servers[r.server].name.eq_ignore_ascii_case(server))
    }

    fn remove_replica(&mut self, s: usize, g: usize, server: &str) -> Done {
        let name = self.ha.groups[g].name.clone();
        let Some(r) = self.replica_named(g, server) else {
            return Err(Message::error(
                35283,
                format!(
                    "Availability replica '{server}' cannot be removed from availability group '{name}'. The availability group does not contain an availability replica with the specified name. Verify that the availability replica name is correct, then retry the operation."
                ),
            ));
        };
        if self.ha.groups[g].replicas[r].server == s {
            return Err(Message::error(
                35284,
                format!(
                    "Availability replica '{server}' cannot be removed from availability group '{name}', because this replica is on the local instance of SQL Server. If the local availability replica is a secondary replica, connect to the server instance that is currently hosting the primary replica, and re-run the command."
                ),
            ));
        }
        for m in 0..self.ha.groups[g].databases.len() {
            self.unjoin(g, m, r);
        }
        let group = &mut self.ha.groups[g];
        group.replicas.remove(r);
        group.databases.iter_mut().for_each(|m| drop(m.copies.remove(r)));
        group.primary = group.primary.map(|p| if p > r { p - 1 } else { p });
        Ok(())
    }

    /// A copy leaves: its database is left restoring.
    pub(super) fn unjoin(&mut self, g: usize, m: usize, r: usize) {
        let member = &mut self.ha.groups[g].databases[m];
        let copy = std::mem::take(&mut member.copies[r]);
        let (name, server) = (member.name.clone(), self.ha.groups[g].replicas[r].server);
        if self.ha.groups[g].dtc {
            self.set_resource_manager(server, &name, None);
        }
        if copy.joined
            && let Some(db) = self.servers[server].database_mut(&name)
        {
            db.state = DbState::Restoring;
            db.redo = Some(Redo { start: copy.hardened, fork: db.fork });
        }
    }

    fn remove_member(&mut self, g: usize, m: usize) {
        for r in 0..self.ha.groups[g].replicas.len() {
            if self.ha.groups[g].primary != Some(r) {
                self.unjoin(g, m, r);
            }
        }
        let gone = self.ha.groups[g].databases.remove(m);
        if let Some(primary) = self.ha.groups[g].primary_server().filter(|_| self.ha.groups[g].dtc) {
            self.set_resource_manager(primary, &gone.name, None);
        }
    }

    fn drop_group(&mut self, s: usize, g: usize) -> Done {
        let group = &self.ha.groups[g];
        if group.replica_on(s).is_none_or(|r| self.role(group, r) != Role::Primary) {
            return Err(Message::not_modelled("DROP AVAILABILITY GROUP elsewhere than on its primary"));
        }
        while !self.ha.groups[g].databases.is_empty() {
            self.remove_member(g, 0);
        }
        self.ha.groups.remove(g);
        Ok(())
    }

    /// Whether a database can be put into a group by its primary.
    fn may_add(&self, s: usize, group: &str, database: &str) -> Done {
        let Some(db) = self.servers[s].database(database) else {
            return Err(Message::error(
                35238,
                format!(
                    "Database '{database}' cannot be added to availability group '{group}'. The database does not exist on this SQL Server instance. Verify that the database name is correct, then retry the operation."
                ),
            ));
        };
        if db.id <= 4 {
            return Err(Message::error(
                35249,
                format!(
                    "An attempt to add or join a system database, '{database}', to an availability group failed. Specify only user databases for this operation."
                ),
            ));
        }
        if let Some((g, _)) = self.ha.member(s, database) {
            return Err(if self.ha.groups[g].name.eq_ignore_ascii_case(group) {
                Message::error(
                    35280,
                    format!(
                        "Database '{database}' cannot be added to availability group '{group}'. The database is already joined to the specified availability group. Verify that the database name is correct and that the database is not joined to an availability group, then retry the operation."
                    ),
                )
            } else {
                Message::error(
                    35244,
                    format!(
                        "Database '{database}' cannot be added to availability group '{group}'. The database is currently joined to another availability group. Verify that the database name is correct and that the database is not joined to an availability group, then retry the operation."
                    ),
                )
            });
        }
        if self.ha.session(s, database).is_some() {
            return Err(Message::not_modelled("a mirrored database in an availability group"));
        }
        let incompatible =
            |number, text: &str| Err(Message::error(number, format!("Database \"{database}\" {text}")));
        if db.state != DbState::Online {
            return Err(db.closed().unwrap_or_else(|| {
                Message::not_modelled("a database in emergency mode in an availability group")
            }));
        }
        if db.model != Model::Full {
            return incompatible(
                1465,
                "database is not in full recovery mode on each of the server instances. The full recovery model is required for a database to participate in database mirroring or in an availability group.",
            );
        }
        if db.read_only {
            return incompatible(
                1466,
                "is read-only on one of the server instances which is incompatible with participating in database mirroring or in an availability group. Set the database to read-write mode, and retry the operation.",
            );
        }
        if db.user_access == 1 {
            return incompatible(
                1488,
                "database is in single user mode which is incompatible with participating in database mirroring or in an availability group. Set database to multi-user mode, and retry the operation.",
            );
        }
        if db.log.backed_up.is_none() {
            return incompatible(
                1475,
                "might contain bulk logged changes that have not been backed up. Take a log backup on the principal database or primary database. Then restore this backup either on the mirror database to enable database mirroring or on every secondary database to enable you to join it to the availability group.",
            );
        }
        let basic = self
            .ha
            .group(group)
            .is_some_and(|g| self.ha.groups[g].basic && !self.ha.groups[g].databases.is_empty());
        if basic {
            return Err(Message::not_modelled("a second database in a basic availability group"));
        }
        Ok(())
    }

    fn add_member(&mut self, s: usize, g: usize, database: &str, now: DateTime<Utc>) {
        let id = self.dice.guid();
        let Some(db) = self.servers[s].database(database) else { return };
        let (name, end) = (db.name.clone(), db.log.end);
        let group = &mut self.ha.groups[g];
        let copies = (0..group.replicas.len())
            .map(|r| if group.primary == Some(r) { Copy::level(end, now) } else { Copy::default() })
            .collect();
        group.databases.push(Member { id, name, copies });
        if group.dtc {
            let manager = self.dice.guid();
            let m = self.ha.groups[g].databases.len() - 1;
            self.identify(g, m, Some(manager));
        }
    }

    fn new_replica(&mut self, new: &NewReplica, now: DateTime<Utc>) -> Result<Replica, Message> {
        let server = &new.server;
        let missing = |number, option: &str| Message {
            class: 15,
            ..Message::error(
                number,
                format!(
                    "The {option} option has not been specified for the replica '{server}'. Reenter the command, specifying {} for the replica.",
                    if number == 41197 { "a failover mode" } else { "an availability mode" }
                ),
            )
        };
        let has = |test: fn(&ReplicaOption) -> bool| new.options.iter().any(test);
        if !has(|o| matches!(o, ReplicaOption::EndpointUrl(_))) {
            return Err(Message {
                class: 15,
                ..Message::error(
                    35236,
                    format!(
                        "The endpoint URL was not specified for the availability replica hosted by server instance '{server}'. Reenter the command, specifying the endpoint URL of this instance of SQL Server."
                    ),
                )
            });
        }
        if !has(|o| matches!(o, ReplicaOption::Synchronous(_))) {
            return Err(missing(41198, "AVAILABILITY_MODE"));
        }
        if !has(|o| matches!(o, ReplicaOption::Automatic(_))) {
            return Err(missing(41197, "FAILOVER_MODE"));
        }
        let Some(number) = self.server_index(server).filter(|n| self.hadr_enabled(*n)) else {
            return Err(Message::error(
                35231,
                format!(
                    "The specified server instance name, '{server}', is invalid. Reenter the command specifying a valid instance name."
                ),
            ));
        };
        let mut replica = Replica {
            id: self.dice.guid(),
            server: number,
            endpoint: String::new(),
            // Automatic failover is checked against the mode, which may be written behind it.
            synchronous: true,
            automatic: false,
            session_timeout: 10,
            read_write_only: false,
            readable: 0,
            backup_priority: 50,
            routing_url: None,
            routing_list: Vec::new(),
            joined: false,
            created: now,
            modified: now,
            lag_ms: 400,
        };
        let late = |o: &&ReplicaOption| matches!(o, ReplicaOption::Automatic(_));
        for option in new.options.iter().filter(|o| !late(o)).chain(new.options.iter().filter(late)) {
            apply(&mut replica, option)?;
        }
        Ok(replica)
    }

    fn create_group(&mut self, s: usize, new: &NewGroup, now: DateTime<Utc>) -> Done {
        if self.ha.group(&new.name).is_some() {
            return Err(Message::error(
                41171,
                format!(
                    "Failed to create availability group '{}', because a Windows Server Failover Cluster (WSFC) group with the specified name already exists. The operation has been rolled back successfully. To retry creating an availability group, either remove or rename the existing WSFC group, or retry the operation specifying a different availability group name.",
                    new.name
                ),
            ));
        }
        let mut replicas: Vec<Replica> = Vec::new();
        for replica in &new.replicas {
            let made = self.new_replica(replica, now)?;
            if replicas.iter().any(|r| r.server == made.server) {
                return Err(Message::error(
                    35235,
                    format!(
                        "The system name '{}' was specified more than once in the REPLICA ON clause of this command. Reenter the command, specifying a different instance of SQL Server for each replica.",
                        replica.server
                    ),
                ));
            }
            replicas.push(made);
        }
        let Some(primary) = replicas.iter().position(|r| r.server == s) else {
            return Err(Message::error(
                35237,
                format!(
                    "None of the specified replicas for availability group {} maps to the instance of SQL Server to which you are connected. Reenter the command, specifying this server instance to host one of the replicas. This replica will be the initial primary replica.",
                    new.name
                ),
            ));
        };
        for (n, database) in new.databases.iter().enumerate() {
            if new.databases[..n].iter().any(|d| d.eq_ignore_ascii_case(database)) {
                return Err(Message::error(
                    35234,
                    format!(
                        "Database name '{database}' was specified more than once. Reenter the command, specifying each database name only once."
                    ),
                ));
            }
            self.may_add(s, &new.name, database)?;
        }
        if new.options.contains(&GroupOption::Basic) && (new.databases.len() > 1 || replicas.len() > 2) {
            return Err(Message::not_modelled(
                "a basic availability group of several databases or secondaries",
            ));
        }
        replicas[primary].joined = true;
        let (id, resource, resource_group) = (self.dice.guid(), self.dice.guid(), self.dice.guid());
        self.ha.groups.push(Group {
            id,
            resource,
            resource_group,
            name: new.name.clone(),
            backup_preference: 2,
            failure_condition: 3,
            health_timeout: 30_000,
            basic: new.options.contains(&GroupOption::Basic),
            dtc: false,
            db_failover: false,
            primary: Some(primary),
            replicas,
            databases: Vec::new(),
            listener: None,
            lost: None,
            sequence: 1,
            moves: 0,
        });
        let g = self.ha.groups.len() - 1;
        for option in new.options.iter().filter(|o| **o != GroupOption::Basic) {
            // A group that is being made may have DTC support on any version that knows it.
            if let GroupOption::DtcSupport(per_db) = option {
                self.set_dtc_support(g, *per_db);
            } else if let Err(refused) = self.set_group_option(s, g, option) {
                self.ha.groups.pop();
                return Err(refused);
            }
        }
        for database in &new.databases {
            self.add_member(s, g, database, now);
        }
        Ok(())
    }
}

/// `automated_backup_preference` of a word.
pub(crate) fn preference(word: &str) -> u8 {
    match word {
        "PRIMARY" => 0,
        "SECONDARY_ONLY" => 1,
        "NONE" => 3,
        _ => 2,
    }
}

fn apply(replica: &mut Replica, option: &ReplicaOption) -> Done {
    let together = |synchronous: bool, automatic: bool| {
        if automatic && !synchronous {
            Err(Message::not_modelled("automatic failover of an asynchronous replica"))
        } else {
            Ok(())
        }
    };
    match option {
        ReplicaOption::EndpointUrl(url) => {
            if !url.to_ascii_lowercase().starts_with("tcp://") {
                return Err(Message::error(
                    35232,
                    format!(
                        "The specified endpoint URL '{url}' is invalid. Reenter the command specifying the correct URL. For information about specifying the endpoint URL for an availability replica, see SQL Server Books Online."
                    ),
                ));
            }
            replica.endpoint.clone_from(url);
        }
        ReplicaOption::Synchronous(yes) => {
            together(*yes, replica.automatic)?;
            replica.synchronous = *yes;
        }
        ReplicaOption::Automatic(yes) => {
            together(replica.synchronous, *yes)?;
            replica.automatic = *yes;
        }
        ReplicaOption::BackupPriority(n) if (0..=100).contains(n) => replica.backup_priority = *n,
        ReplicaOption::BackupPriority(n) => {
            return Err(Message::not_modelled(format_args!("BACKUP_PRIORITY = {n}")));
        }
        ReplicaOption::SessionTimeout(seconds) if (5..=32_767).contains(seconds) => {
            replica.session_timeout = *seconds;
        }
        ReplicaOption::SessionTimeout(n) => {
            return Err(Message::not_modelled(format_args!("SESSION_TIMEOUT = {n}")));
        }
        ReplicaOption::SecondaryConnections(word) => {
            replica.readable = match word.as_str() {
                "NO" => 0,
                "READ_ONLY" => 1,
                _ => 2,
            };
        }
        ReplicaOption::RoutingUrl(url) => replica.routing_url = Some(url.clone()),
        ReplicaOption::PrimaryReadWrite(yes) => replica.read_write_only = *yes,
        ReplicaOption::RoutingList(list) => replica.routing_list.clone_from(list),
    }
    Ok(())
}
