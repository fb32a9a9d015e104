//! Replicas join their group and databases join it after them: JOIN, and ALTER DATABASE … SET HADR.
//!
//! Does not know how the copy that joins was made: it was restored WITH NORECOVERY.

use chrono::{DateTime, Utc};

use super::{Copy, Role, Why};
use crate::sandbox::answer::Message;
use crate::sandbox::host::availability::HadrAction;
use crate::sandbox::world::state::{DbState, State, no_such_database};

type Done = Result<(), Message>;

/// 35242
fn not_joined(database: &str) -> Message {
    Message::error(
        35242,
        format!(
            "Cannot complete this ALTER DATABASE <database-name> SET HADR operation on database '{database}'. The database is not joined to an availability group. After the database has joined the availability group, retry the command."
        ),
    )
}

impl State {
    /// ALTER AVAILABILITY GROUP … JOIN on a secondary.
    pub(super) fn join_group(&mut self, g: usize, r: usize, now: DateTime<Utc>) -> Done {
        let group = &self.ha.groups[g];
        let name = &group.name;
        if group.replicas[r].joined {
            return Err(Message::error(
                41106,
                format!(
                    "Cannot create an availability replica for availability group '{name}'. An availability replica of the specified availability group already exists on this instance of SQL Server. Verify that the specified availability group name is correct and unique, then retry the operation. To remove the existing availability replica, run DROP AVAILABILITY GROUP command."
                ),
            ));
        }
        if group.primary.is_none() {
            return Err(Message::error(
                41136,
                format!(
                    "Failed to join the availability replica to availability group '{name}' because the group is not online. Either bring the availability group online, or drop and recreate it. Then retry the join operation."
                ),
            ));
        }
        self.ha.groups[g].replicas[r].joined = true;
        self.ha.groups[g].replicas[r].modified = now;
        Ok(())
    }

    /// Carries out what stands after SET HADR.
    pub(super) fn hadr(&mut self, s: usize, database: &str, action: &HadrAction, now: DateTime<Utc>) -> Done {
        let Some(db) = self.servers[s].database(database) else { return Err(no_such_database(database)) };
        let name = db.name.clone();
        if let HadrAction::Join(group) = action {
            return self.join_database(s, &name, group, now);
        }
        let (g, m) = self.ha.member(s, &name).ok_or_else(|| not_joined(&name))?;
        let group = &self.ha.groups[g];
        let Some(r) = group.replica_on(s) else { return Err(not_joined(&name)) };
        match action {
            HadrAction::Off => {
                if group.primary == Some(r) {
                    return Err(Message::error(
                        35240,
                        format!(
                            "Database '{name}' cannot be joined to or unjoined from availability group '{}'. This operation is not supported on the primary replica of the availability group.",
                            group.name
                        ),
                    ));
                }
                self.unjoin(g, m, r);
            }
            HadrAction::Suspend => {
                let copy = &mut self.ha.groups[g].databases[m].copies[r];
                copy.suspended = copy.suspended.or(Some(Why::User));
            }
            HadrAction::Resume => {
                self.ha.groups[g].databases[m].copies[r].suspended = None;
                self.ship(now);
            }
            HadrAction::Join(_) => {}
        }
        Ok(())
    }

    fn join_database(&mut self, s: usize, name: &str, group: &str, now: DateTime<Utc>) -> Done {
        let g = self.ha.group(group).filter(|g| {
            self.ha.groups[*g].replica_on(s).is_some_and(|r| self.ha.groups[*g].replicas[r].joined)
        });
        let Some(g) = g else {
            return Err(Message::error(
                41100,
                format!(
                    "The availability group '{group}' and/or its local availability replica does not exist. Verify that the specified availability group name is correct, and that the local availability replica has joined the availability group, then retry the operation."
                ),
            ));
        };
        let found = &self.ha.groups[g];
        let Some(r) = found.replica_on(s) else { return Err(not_joined(name)) };
        if self.role(found, r) == Role::Primary {
            return Err(Message::error(
                35240,
                format!(
                    "Database '{name}' cannot be joined to or unjoined from availability group '{}'. This operation is not supported on the primary replica of the availability group.",
                    found.name
                ),
            ));
        }
        let Some(m) = found.member(name) else {
            return Err(Message::error(
                41132,
                format!(
                    "Cannot join database '{name}' to availability group '{}'. The specified database does not belong to the availability group. Verify the names of the database and the availability group, and retry the command specifying the correct names.",
                    found.name
                ),
            ));
        };
        if found.databases[m].copies[r].joined {
            return Err(Message::not_modelled("SET HADR AVAILABILITY GROUP of a database that has joined"));
        }
        if !self.connected(found, r) {
            return Err(Message::error(
                35250,
                "The connection to the primary replica is not active.  The command cannot be processed.",
            ));
        }
        let primary = found.primary_server().and_then(|p| self.servers[p].database(name));
        let Some(first) = primary else { return Err(not_joined(name)) };
        let Some(db) = self.servers[s].database(name) else { return Err(no_such_database(name)) };
        let Some(redo) = db.redo.filter(|_| db.state == DbState::Restoring) else {
            return Err(Message::error(
                1464,
                format!(
                    "Database \"{name}\" is not in a recovering state which is required for a mirror database or secondary database. The remote database must be restored using WITH NORECOVERY."
                ),
            ));
        };
        if db.family != first.family {
            return Err(Message::error(
                1407,
                format!(
                    "The remote copy of database \"{name}\" is not related to the local copy of the database."
                ),
            ));
        }
        if first.log.backed_up.is_none_or(|b| redo.start < b)
            || redo.start > first.log.end
            || redo.fork != first.fork
        {
            return Err(Message::error(
                1412,
                format!(
                    "The remote copy of database \"{name}\" has not been rolled forward to a point in time that is encompassed in the local copy of the database log."
                ),
            ));
        }
        let manager = first.more.manager;
        if let Some(db) = self.servers[s].database_mut(name) {
            db.state = DbState::Online;
            db.redo = None;
            db.log.end = redo.start;
            db.log.records.clear();
        }
        self.ha.groups[g].databases[m].copies[r] = Copy::level(redo.start, now);
        self.set_resource_manager(s, name, manager);
        self.ship(now);
        Ok(())
    }
}
