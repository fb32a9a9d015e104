//! Logins, users and roles: making, changing and dropping them, with the server's own errors.
//!
//! Does not know who may; the caller asks first.

use chrono::NaiveDateTime;

use super::build::SERVER_ROLES;
use super::ids::{self, Guid};
use super::state::{Database, Login, Server, User};
use crate::sandbox::answer::Message;
use crate::sandbox::host::Outcome;

/// A login to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewLogin {
    pub(crate) name: String,
    /// FROM WINDOWS.
    pub(crate) windows: bool,
    pub(crate) password: Option<String>,
    pub(crate) sid: Option<Vec<u8>>,
    pub(crate) database: Option<String>,
}

/// 15151
pub(crate) fn cannot_find(kind: &str, name: &str, verb: &str) -> Message {
    let text = format!(
        "Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission."
    );
    Message::error(15151, text)
}

/// 15023 of a database, 15025 of the server.
fn exists(number: i32, name: &str) -> Message {
    let text = if number == 15025 {
        format!("The server principal '{name}' already exists.")
    } else {
        format!("User, group, or role '{name}' already exists in the current database.")
    };
    Message::error(number, text)
}

impl Server {
    pub(crate) fn login(&self, name: &str) -> Option<&Login> {
        self.logins.iter().find(|l| l.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn login_mut(&mut self, name: &str) -> Option<&mut Login> {
        self.logins.iter_mut().find(|l| l.name.eq_ignore_ascii_case(name))
    }

    /// CREATE LOGIN. `fresh` becomes the identifier of a SQL login without one.
    pub(crate) fn create_login(
        &mut self,
        new: NewLogin,
        fresh: Guid,
        salt: u64,
        now: NaiveDateTime,
    ) -> Outcome<()> {
        if self.login(&new.name).is_some() {
            return Err(exists(15025, &new.name));
        }
        if new.windows && !new.name.contains('\\') {
            let text = format!(
                "'{}' is not a valid Windows NT name. Give the complete name: <domain\\username>.",
                new.name
            );
            return Err(Message::error(15407, text));
        }
        if !new.windows && new.name.contains('\\') {
            let text = format!("'{}' is not a valid name because it contains invalid characters.", new.name);
            return Err(Message::error(15006, text));
        }
        if let Some(database) = new.database.as_ref().filter(|d| self.database(d).is_none()) {
            let text = format!(
                "The database '{database}' does not exist. Supply a valid database name. To see available databases, use sys.databases."
            );
            return Err(Message::error(15010, text));
        }
        let sid = match new.sid {
            Some(sid) => sid,
            None if new.windows => ids::sid(&new.name, salt),
            None => fresh.0.to_vec(),
        };
        if self.logins.iter().any(|l| l.sid == sid) {
            let text = "Supplied parameter sid is in use.";
            return Err(Message::error(15433, text));
        }
        let id = self.logins.iter().map(|l| l.id).max().unwrap_or(259) + 1;
        self.logins.push(Login {
            id,
            name: new.name,
            sid,
            kind: if new.windows { 'U' } else { 'S' },
            password: new.password,
            disabled: false,
            sysadmin: false,
            grants: Vec::new(),
            denies: Vec::new(),
            roles: Vec::new(),
            database: new.database,
            created: now,
        });
        Ok(())
    }

    /// DROP LOGIN.
    pub(crate) fn drop_login(&mut self, name: &str) -> Outcome<()> {
        let Some(at) = self.logins.iter().position(|l| l.name.eq_ignore_ascii_case(name) && l.kind != 'R')
        else {
            return Err(cannot_find("login", name, "drop"));
        };
        if at == 0 {
            return Err(Message::error(15405, format!("Cannot use the special principal '{name}'.")));
        }
        let owns = |d: &Database| d.owner.eq_ignore_ascii_case(name);
        if self.databases.iter().any(owns) {
            let text = format!(
                "Login '{name}' owns one or more database(s). Change the owner of the database(s) before dropping the login."
            );
            return Err(Message::error(15174, text));
        }
        if self.agent.jobs.iter().any(|j| j.owner.eq_ignore_ascii_case(name)) {
            let text =
                format!("Login '{name}' owns one or more job(s). You cannot drop a login that owns a job.");
            return Err(Message::error(15170, text));
        }
        self.logins.remove(at);
        Ok(())
    }

    /// ALTER SERVER ROLE … ADD | DROP MEMBER.
    pub(crate) fn server_role(&mut self, role: &str, member: &str, add: bool) -> Outcome<()> {
        let Some((_, role)) = SERVER_ROLES.iter().find(|(_, n)| n.eq_ignore_ascii_case(role)) else {
            return Err(cannot_find("server role", role, "alter"));
        };
        if *role == "public" {
            return Err(Message::error(15081, "Membership of the public role cannot be changed."));
        }
        let Some(login) = self.login_mut(member).filter(|l| l.kind != 'R') else {
            let verb = if add { "add" } else { "drop" };
            return Err(cannot_find("server principal", member, verb));
        };
        if login.id == 1 {
            return Err(Message::error(15405, format!("Cannot use the special principal '{member}'.")));
        }
        if *role == "sysadmin" {
            login.sysadmin = add;
        } else {
            login.roles.retain(|r| !r.eq_ignore_ascii_case(role));
            if add {
                login.roles.push((*role).to_owned());
            }
        }
        Ok(())
    }

    /// CREATE USER; without a login it is a user of the database alone.
    pub(crate) fn create_user(
        &mut self,
        d: usize,
        name: &str,
        login: Option<&str>,
        now: NaiveDateTime,
    ) -> Outcome<()> {
        let mut found = None;
        if let Some(login) = login {
            let Some(known) = self.login(login).filter(|l| l.kind != 'R') else {
                let text = format!("'{login}' is not a valid login or you do not have permission.");
                return Err(Message::error(15007, text));
            };
            found = Some((known.sid.clone(), known.kind));
        }
        let users = &mut self.databases[d].content.users;
        if users.iter().any(|u| u.name.eq_ignore_ascii_case(name)) {
            return Err(exists(15023, name));
        }
        if found.as_ref().is_some_and(|f| users.iter().any(|u| u.sid.as_ref() == Some(&f.0))) {
            let text = "The login already has an account under a different user name.";
            return Err(Message::error(15063, text));
        }
        let id = users.iter().map(|u| u.id).filter(|id| *id < 16_384).max().unwrap_or(4).max(4) + 1;
        let (sid, kind) = found.map_or((None, 'S'), |(sid, kind)| (Some(sid), kind));
        users.push(User { id, name: name.to_owned(), sid, kind, roles: Vec::new(), created: now });
        Ok(())
    }

    /// ALTER USER … WITH LOGIN.
    pub(crate) fn map_user(&mut self, d: usize, name: &str, login: &str) -> Outcome<()> {
        let Some((sid, kind)) = self.login(login).filter(|l| l.kind != 'R').map(|l| (l.sid.clone(), l.kind))
        else {
            let text = format!("'{login}' is not a valid login or you do not have permission.");
            return Err(Message::error(15007, text));
        };
        let users = &mut self.databases[d].content.users;
        let Some(at) = users.iter().position(|u| u.kind != 'R' && u.name.eq_ignore_ascii_case(name)) else {
            return Err(cannot_find("user", name, "alter"));
        };
        if users.iter().enumerate().any(|(n, u)| n != at && u.sid.as_ref() == Some(&sid)) {
            return Err(Message::error(
                15063,
                "The login already has an account under a different user name.",
            ));
        }
        if (kind == 'S') != (users[at].kind == 'S') {
            return Err(Message::error(
                33016,
                "The user cannot be remapped to a login. Remapping can only be done for users that were mapped to Windows or SQL logins.",
            ));
        }
        users[at].sid = Some(sid);
        Ok(())
    }

    /// DROP USER.
    pub(crate) fn drop_user(&mut self, d: usize, name: &str) -> Outcome<()> {
        let users = &mut self.databases[d].content.users;
        let Some(at) = users.iter().position(|u| u.kind != 'R' && u.name.eq_ignore_ascii_case(name)) else {
            return Err(cannot_find("user", name, "drop"));
        };
        if users[at].id <= 4 {
            return Err(Message::error(15150, format!("Cannot drop the user '{}'.", users[at].name)));
        }
        users.remove(at);
        Ok(())
    }

    /// ALTER ROLE … ADD | DROP MEMBER.
    pub(crate) fn database_role(&mut self, d: usize, role: &str, member: &str, add: bool) -> Outcome<()> {
        let users = &mut self.databases[d].content.users;
        let Some(role) =
            users.iter().find(|u| u.kind == 'R' && u.name.eq_ignore_ascii_case(role)).map(|r| r.name.clone())
        else {
            return Err(cannot_find("role", role, "alter"));
        };
        if role.eq_ignore_ascii_case("public") {
            return Err(Message::error(15081, "Membership of the public role cannot be changed."));
        }
        let Some(user) = users.iter_mut().find(|u| u.name.eq_ignore_ascii_case(member)) else {
            let verb = if add { "add" } else { "drop" };
            return Err(cannot_find("principal", member, verb));
        };
        user.roles.retain(|r| !r.eq_ignore_ascii_case(&role));
        if add {
            user.roles.push(role);
        }
        Ok(())
    }
}
