//! Who may do what: logins, entering databases, and the permissions of a login that is no sysadmin.
//!
//! Roughly: server permissions by name, and what they open.

use super::Call;
use crate::sandbox::answer::{Login, Message};
use crate::sandbox::host::{Context, Outcome};
use crate::sandbox::world::state::{DbState, no_such_database};

impl Call<'_> {
    /// Checks a login; the context of its session.
    pub(super) fn log_in(&self, login: &Login, session_id: i16) -> Result<Context, Vec<Message>> {
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

    /// Whether a login has a server permission.
    pub(super) fn grants(&self, who: &Context, permission: &str) -> bool {
        who.sysadmin
            || self.server().logins.iter().any(|l| {
                l.name.eq_ignore_ascii_case(&who.login)
                    && l.grants.iter().any(|g| {
                        g == permission
                            || g == "CONTROL SERVER"
                            || (g == "VIEW SERVER STATE" && permission == "VIEW SERVER PERFORMANCE STATE")
                    })
            })
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
        if db.id > 4 && !self.granted("CONNECT ANY DATABASE") {
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
        if self.granted("SELECT ALL USER SECURABLES") {
            return Ok(());
        }
        Err(self.denied("SELECT", object, &self.server().databases[d].name.clone()))
    }

    /// May the session read a system object?
    pub(super) fn may_see(&self, full: &str) -> Outcome<()> {
        if full.starts_with("sys.dm_") && !full.starts_with("sys.dm_os_host_info") {
            let own = matches!(full, "sys.dm_exec_sessions" | "sys.dm_exec_requests");
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
            if !public && !self.granted("SELECT ALL USER SECURABLES") {
                return Err(self.denied("SELECT", object, "msdb"));
            }
        }
        Ok(())
    }

    /// Only sysadmin may run this procedure.
    pub(super) fn only_sysadmin(&self, procedure: &str, database: &str) -> Outcome<()> {
        if self.who.sysadmin { Ok(()) } else { Err(self.denied("EXECUTE", procedure, database)) }
    }
}
