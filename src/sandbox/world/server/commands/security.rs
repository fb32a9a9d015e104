//! Logins, users, roles, server permissions and RECONFIGURE, once somebody may.

use super::super::Call;
use crate::sandbox::answer::Message;
use crate::sandbox::host::Outcome;
use crate::sandbox::host::security::{LoginChange, Security, Verb};
use crate::sandbox::world::principals::{NewLogin, cannot_find};

/// Server permissions, and the version that brought them.
const PERMISSIONS: &[(&str, u8)] = &[
    ("CONNECT SQL", 0),
    ("SHUTDOWN", 0),
    ("CREATE ENDPOINT", 0),
    ("CREATE ANY DATABASE", 0),
    ("CREATE AVAILABILITY GROUP", 11),
    ("ALTER ANY LOGIN", 0),
    ("ALTER ANY CREDENTIAL", 0),
    ("ALTER ANY ENDPOINT", 0),
    ("ALTER ANY LINKED SERVER", 0),
    ("ALTER ANY CONNECTION", 0),
    ("ALTER ANY DATABASE", 0),
    ("ALTER RESOURCES", 0),
    ("ALTER SETTINGS", 0),
    ("ALTER TRACE", 0),
    ("ALTER ANY AVAILABILITY GROUP", 11),
    ("ADMINISTER BULK OPERATIONS", 0),
    ("AUTHENTICATE SERVER", 0),
    ("EXTERNAL ACCESS ASSEMBLY", 0),
    ("VIEW ANY DATABASE", 0),
    ("VIEW ANY DEFINITION", 0),
    ("VIEW SERVER STATE", 0),
    ("CREATE DDL EVENT NOTIFICATION", 0),
    ("CREATE TRACE EVENT NOTIFICATION", 0),
    ("ALTER ANY EVENT NOTIFICATION", 0),
    ("ALTER SERVER STATE", 0),
    ("UNSAFE ASSEMBLY", 0),
    ("ALTER ANY SERVER AUDIT", 0),
    ("CREATE SERVER ROLE", 11),
    ("ALTER ANY SERVER ROLE", 11),
    ("ALTER ANY EVENT SESSION", 11),
    ("CONNECT ANY DATABASE", 12),
    ("IMPERSONATE ANY LOGIN", 12),
    ("SELECT ALL USER SECURABLES", 12),
    ("CONTROL SERVER", 0),
    ("VIEW ANY ERROR LOG", 16),
    ("VIEW SERVER PERFORMANCE STATE", 16),
    ("VIEW SERVER SECURITY STATE", 16),
    ("VIEW ANY SECURITY DEFINITION", 16),
    ("VIEW ANY PERFORMANCE DEFINITION", 16),
    ("CREATE LOGIN", 16),
];

/// The server permissions of a version.
pub(in super::super) fn permissions(version: u8) -> impl Iterator<Item = &'static str> {
    PERMISSIONS.iter().filter(move |(_, since)| *since <= version).map(|(name, _)| *name)
}

impl Call<'_> {
    pub(super) fn security(&mut self, statement: &Security) -> Result<(), Vec<Message>> {
        self.state.dirty = true;
        self.secure(statement).map_err(|message| vec![message])
    }

    fn may(&self, permission: &str) -> Outcome<()> {
        if self.granted(permission) {
            return Ok(());
        }
        Err(Message::error(15247, "User does not have permission to perform this action."))
    }

    /// The database of the session, when the session may change its users.
    fn own_database(&self) -> Outcome<usize> {
        let d = self.enter(&self.who.database)?;
        let db = &self.server().databases[d];
        if self.owns(d) || self.in_role(db, "db_owner") || self.in_role(db, "db_accessadmin") {
            return Ok(d);
        }
        Err(Message::error(15247, "User does not have permission to perform this action."))
    }

    fn secure(&mut self, statement: &Security) -> Outcome<()> {
        match statement {
            Security::Reconfigure => {
                if !self.granted("ALTER SETTINGS") {
                    let text = "You do not have permission to run the RECONFIGURE statement.";
                    return Err(Message { class: 14, ..Message::error(5812, text) });
                }
                let changed: Vec<String> = self.server().configured.keys().cloned().collect();
                self.server_mut().reconfigure();
                let s = self.s;
                for name in &changed {
                    if self.server().configured.contains_key(name) {
                        continue;
                    }
                    let value = self.server().options.get(name).copied().unwrap_or_default();
                    let line = format!("Configuration option '{name}' is now {value}.");
                    let process = format!("spid{}", self.who.session_id);
                    self.state.log_error_of(s, &process, &line);
                }
                Ok(())
            }
            Security::CreateLogin { name, windows, password, sid, database } => {
                self.may("ALTER ANY LOGIN")?;
                self.make_login(NewLogin {
                    name: name.clone(),
                    windows: *windows,
                    password: password.clone(),
                    sid: sid.clone(),
                    database: database.clone(),
                })
            }
            Security::AlterLogin { name, changes } => self.alter_login(name, changes),
            Security::DropLogin(name) => {
                self.may("ALTER ANY LOGIN")?;
                let s = self.s;
                let busy = |x: &crate::sandbox::world::state::Session| {
                    x.server == s && x.login.eq_ignore_ascii_case(name)
                };
                let special = self.server().login(name).is_some_and(|l| l.id == 1);
                if !special && self.state.sessions.iter().any(busy) {
                    let text = format!("Could not drop login '{name}' as the user is currently logged in.");
                    return Err(Message::error(15434, text));
                }
                self.server_mut().drop_login(name)
            }
            Security::CreateUser { name, login } => {
                let d = self.own_database()?;
                let now = self.server().local(self.now);
                self.server_mut().create_user(d, name, login.as_deref(), now)
            }
            Security::MapUser { name, login } => {
                let d = self.own_database()?;
                self.server_mut().map_user(d, name, login)
            }
            Security::DropUser { name, if_exists } => {
                let d = self.own_database()?;
                match self.server_mut().drop_user(d, name) {
                    Err(message) if *if_exists && message.number == 15151 => Ok(()),
                    other => other,
                }
            }
            Security::Member { server: true, role, member, add } => {
                if !self.who.sysadmin && !self.granted("ALTER ANY SERVER ROLE") {
                    return Err(cannot_find("server role", role, "alter"));
                }
                self.server_mut().server_role(role, member, *add)
            }
            Security::Member { role, member, add, .. } => {
                let d = self.enter(&self.who.database)?;
                if !self.owns(d) && !self.in_role(&self.server().databases[d], "db_owner") {
                    return Err(cannot_find("role", role, "alter"));
                }
                self.server_mut().database_role(d, role, member, *add)
            }
            Security::Permission { verb, permissions, logins } => self.permit(*verb, permissions, logins),
        }
    }

    fn alter_login(&mut self, name: &str, changes: &[LoginChange]) -> Outcome<()> {
        let own = name.eq_ignore_ascii_case(&self.who.login);
        if !self.granted("ALTER ANY LOGIN") && !own {
            return Err(cannot_find("login", name, "alter"));
        }
        if self.server().login(name).is_none_or(|l| l.kind == 'R') {
            return Err(cannot_find("login", name, "alter"));
        }
        let mut name = name.to_owned();
        for change in changes {
            if let LoginChange::Database(database) = change
                && self.server().database(database).is_none()
            {
                let text = format!(
                    "The database '{database}' does not exist. Supply a valid database name. To see available databases, use sys.databases."
                );
                return Err(Message::error(15010, text));
            }
            if let LoginChange::Name(new) = change
                && self.server().login(new).is_some()
            {
                return Err(Message::error(15025, format!("The server principal '{new}' already exists.")));
            }
            let Some(login) = self.server_mut().login_mut(&name) else { continue };
            match change {
                LoginChange::Enable(on) => login.disabled = !on,
                LoginChange::Password(password) => login.password = Some(password.clone()),
                LoginChange::Database(database) => login.database = Some(database.clone()),
                LoginChange::Name(new) => {
                    login.name.clone_from(new);
                    name.clone_from(new);
                }
                LoginChange::Nothing => {}
            }
        }
        Ok(())
    }

    fn permit(&mut self, verb: Verb, wanted: &[String], logins: &[String]) -> Outcome<()> {
        let version = self.server().version.0;
        for permission in wanted {
            if !permissions(version).any(|p| p == permission) {
                return Err(Message::not_modelled(format_args!("the permission {permission}")));
            }
        }
        // Permissions of the server are given in master.
        if !self.who.database.eq_ignore_ascii_case("master") {
            let text =
                "Permissions at the server scope can only be granted when the current database is master";
            return Err(Message::error(4621, text));
        }
        for name in logins {
            if self.server().login(name).is_none() {
                let text = format!(
                    "Cannot find the login '{name}', because it does not exist or you do not have permission."
                );
                return Err(Message::error(15151, text));
            }
        }
        if !self.granted("CONTROL SERVER") {
            return Err(Message::error(4613, "Grantor does not have GRANT permission."));
        }
        for name in logins {
            let Some(login) = self.server_mut().login_mut(name) else { continue };
            if login.id == 1 {
                let text = "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner, information_schema, sys, or yourself.";
                return Err(Message::error(4624, text));
            }
            for permission in wanted {
                login.grants.retain(|g| g != permission);
                login.denies.retain(|g| g != permission);
                match verb {
                    Verb::Grant => login.grants.push(permission.clone()),
                    Verb::Deny => login.denies.push(permission.clone()),
                    Verb::Revoke => {}
                }
            }
        }
        Ok(())
    }
}
