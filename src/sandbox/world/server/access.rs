//! Who may do what: logins, entering databases, and the permissions of a login that is no sysadmin.
//!
//! Roughly: server permissions by name, and what they open.

use super::Call;
use crate::sandbox::answer::{Login, Message};
use crate::sandbox::host::{Context, Outcome};
use crate::sandbox::world::state::{DbState, no_such_database};

/// Whether a granted server permission gives another.
fn covers(granted: &str, wanted: &str) -> bool {
    granted == wanted
        || match granted {
            "CONTROL SERVER" => true,
            "VIEW SERVER STATE" => {
                matches!(wanted, "VIEW SERVER PERFORMANCE STATE" | "VIEW SERVER SECURITY STATE")
            }
            "ALTER ANY DATABASE" => matches!(wanted, "CREATE ANY DATABASE" | "VIEW ANY DATABASE"),
            "ALTER SERVER STATE" => wanted.starts_with("VIEW SERVER"),
            "VIEW ANY DEFINITION" => wanted.starts_with("VIEW ANY") && wanted.ends_with("DEFINITION"),
            _ => false,
        }
}

/// What the fixed server roles may do.
fn role_grants(role: &str, wanted: &str) -> bool {
    match role.to_lowercase().as_str() {
        "securityadmin" => matches!(wanted, "ALTER ANY LOGIN" | "VIEW ANY ERROR LOG"),
        "serveradmin" => {
            matches!(wanted, "ALTER SETTINGS" | "SHUTDOWN" | "ALTER ANY ENDPOINT" | "ALTER RESOURCES")
                || covers("ALTER SERVER STATE", wanted)
        }
        "setupadmin" => wanted == "ALTER ANY LINKED SERVER",
        "processadmin" => wanted == "ALTER ANY CONNECTION" || covers("ALTER SERVER STATE", wanted),
        "dbcreator" => matches!(wanted, "CREATE ANY DATABASE" | "ALTER ANY DATABASE"),
        "bulkadmin" => wanted == "ADMINISTER BULK OPERATIONS",
        _ => false,
    }
}

impl Call<'_> {
    /// Checks a login; the context of its session.
    pub(super) fn log_in(&mut self, login: &Login, session_id: i16) -> Result<Context, Vec<Message>> {
        let result = self.check_login(login, session_id);
        if let Err(messages) = &result {
            let s = self.s;
            let last = messages.last();
            let (number, state) = last.map_or((18456, 1), |m| (m.number, m.state));
            self.state.log_error_of(s, "Logon", &format!("Error: {number}, Severity: 14, State: {state}."));
            let line = format!("Login failed for user '{}'. [CLIENT: 127.0.0.1]", login.user);
            self.state.log_error_of(s, "Logon", &line);
        }
        result
    }

    fn check_login(&self, login: &Login, session_id: i16) -> Result<Context, Vec<Message>> {
        let server = self.server();
        let failed = || Message {
            class: 14,
            ..Message::error(18456, format!("Login failed for user '{}'.", login.user))
        };
        let known = server.logins.iter().find(|l| l.name.eq_ignore_ascii_case(&login.user) && l.kind == 'S');
        let Some(known) = known.filter(|l| {
            !server.trouble.wrong_password && l.password.as_ref().is_some_and(|p| *p == login.password)
        }) else {
            return Err(vec![failed()]);
        };
        if known.disabled {
            let text = format!("Login failed for user '{}'. Reason: The account is disabled.", login.user);
            return Err(vec![Message { class: 14, ..Message::error(18470, text) }]);
        }
        let mut who = Context {
            session_id,
            login: known.name.clone(),
            application: login.application.clone(),
            workstation: login.workstation.clone(),
            database: "master".into(),
            sysadmin: known.sysadmin,
            read_intent: login.read_intent,
        };
        let barred = self.state.ha_closed(self.s, &login.database, login.read_intent);
        if !login.database.is_empty() {
            let asked = server.database(&login.database);
            let open = asked.filter(|d| {
                d.state == DbState::Online
                    && barred.is_none()
                    && (who.sysadmin || self.grants(&who, "CONNECT ANY DATABASE") || d.id <= 4)
            });
            let Some(open) = open else {
                let cannot = Message {
                    class: 11,
                    ..Message::error(
                        4060,
                        format!(
                            "Cannot open database \"{}\" requested by the login. The login failed.",
                            login.database
                        ),
                    )
                };
                // Why a copy is closed comes first, then that the login failed by it.
                return Err(barred.into_iter().chain([cannot, failed()]).collect());
            };
            who.database.clone_from(&open.name);
        }
        Ok(who)
    }

    /// Whether a login has a server permission: granted to it, or by a server role it is in.
    pub(super) fn grants(&self, who: &Context, permission: &str) -> bool {
        who.sysadmin
            || self.server().logins.iter().any(|l| {
                l.name.eq_ignore_ascii_case(&who.login)
                    && !l.denies.iter().any(|d| d == permission)
                    && (l.grants.iter().any(|g| covers(g, permission))
                        || l.roles.iter().any(|r| role_grants(r, permission)))
            })
    }

    /// Without VIEW ANY DEFINITION a login sees sa, the roles and itself.
    pub(super) fn sees_login(&self, login: &crate::sandbox::world::state::Login) -> bool {
        self.granted("VIEW ANY DEFINITION")
            || login.kind == 'R'
            || login.id == 1
            || login.name.eq_ignore_ascii_case(&self.who.login)
    }

    pub(super) fn granted(&self, permission: &str) -> bool {
        self.grants(self.who, permission)
    }

    /// The number of a database that the session may be in.
    pub(super) fn enter(&self, database: &str) -> Outcome<usize> {
        let server = self.server();
        let d = server.database_index(database).ok_or_else(|| no_such_database(database))?;
        let db = &server.databases[d];
        if let Some(closed) = self.state.ha_closed(self.s, &db.name, self.who.read_intent) {
            return Err(closed);
        }
        if let Some(closed) = db.closed() {
            return Err(closed);
        }
        if db.user_access == 1 && !self.others_in(&db.name).is_empty() {
            let text =
                format!("Database '{}' is already open and can only have one user at a time.", db.name);
            return Err(Message { class: 14, ..Message::error(924, text) });
        }
        let owns = || self.who.sysadmin || db.owner.eq_ignore_ascii_case(&self.who.login);
        if db.user_access == 2 && !owns() && !self.granted("ALTER ANY DATABASE") {
            let text = format!(
                "Database '{}' is in restricted mode. Only the database owner and members of the dbcreator and sysadmin roles can access it.",
                db.name
            );
            return Err(Message { class: 14, ..Message::error(923, text) });
        }
        if self.user_in(db).is_none() && db.id != 3 {
            let text = format!(
                "The server principal \"{}\" is not able to access the database \"{}\" under the current security context.",
                self.who.login, db.name
            );
            return Err(Message { class: 14, ..Message::error(916, text) });
        }
        Ok(d)
    }

    pub(super) fn denied(&self, verb: &str, object: &str, database: &str) -> Message {
        let database = self.server().database(database).map_or(database, |d| d.name.as_str());
        Message {
            class: 14,
            state: 5,
            ..Message::error(
                229,
                format!(
                    "The {verb} permission was denied on the object '{object}', database '{database}', schema 'dbo'."
                ),
            )
        }
    }

    /// May the session read a user's table of a database?
    pub(super) fn may_read(&self, d: usize, object: &str) -> Outcome<()> {
        let db = &self.server().databases[d];
        if self.granted("SELECT ALL USER SECURABLES")
            || self.in_role(db, "db_datareader")
            || self.in_role(db, "db_owner")
        {
            return Ok(());
        }
        Err(self.denied("SELECT", object, &self.server().databases[d].name.clone()))
    }

    /// May the session read a system object?
    pub(super) fn may_see(&self, full: &str) -> Outcome<()> {
        if full.starts_with("sys.dm_") {
            // What a session may always see of itself, and what public reads.
            let own = matches!(
                full,
                "sys.dm_exec_sessions"
                    | "sys.dm_exec_requests"
                    | "sys.dm_exec_sql_text"
                    | "sys.dm_exec_input_buffer"
                    | "sys.dm_os_host_info"
            );
            if !own && !self.granted("VIEW SERVER STATE") {
                let permission = if self.server().version.0 >= 16 {
                    "VIEW SERVER PERFORMANCE STATE"
                } else {
                    "VIEW SERVER STATE"
                };
                return Err(Message {
                    class: 14,
                    ..Message::error(
                        300,
                        format!("{permission} permission was denied on object 'server', database 'master'."),
                    )
                });
            }
        }
        if let Some(object) = full.strip_prefix("msdb.dbo.") {
            let public = object.starts_with("backup")
                || object.starts_with("restore")
                || matches!(object, "suspect_pages" | "logmarkhistory");
            let reads = |db| self.in_role(db, "db_datareader") || self.in_role(db, "db_owner");
            let reader = self.server().database("msdb").is_some_and(reads);
            if !public && !reader && !self.granted("SELECT ALL USER SECURABLES") {
                return Err(self.denied("SELECT", object, "msdb"));
            }
        }
        Ok(())
    }

    /// Whether the session is the owner of a database.
    pub(super) fn owns(&self, d: usize) -> bool {
        self.who.sysadmin || self.server().databases[d].owner.eq_ignore_ascii_case(&self.who.login)
    }

    /// Only sysadmin may run this procedure.
    pub(super) fn only_sysadmin(&self, procedure: &str, database: &str) -> Outcome<()> {
        if self.who.sysadmin { Ok(()) } else { Err(self.denied("EXECUTE", procedure, database)) }
    }
}
