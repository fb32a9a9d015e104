//! KILL, ALTER DATABASE, DROP DATABASE, DBCC CHECKDB.

use super::{Call, Done, info};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::world::Ending;
use crate::sandbox::world::ha::Barred;
use crate::sandbox::world::server::views;
use crate::sandbox::world::state::{DbState, Model};

impl Call<'_> {
    pub(super) fn kill(&mut self, session: i64) -> Done {
        if !self.granted("ALTER ANY CONNECTION") {
            return Err(vec![Message {
                class: 14,
                ..Message::error(6102, "User does not have permission to use the KILL statement.")
            }]);
        }
        if session == i64::from(self.who.session_id) {
            return Err(vec![Message::error(6104, "Cannot use KILL to kill your own process.")]);
        }
        if self.state.sessions.iter().any(|x| x.server == self.s && i64::from(x.id) == session) {
            self.roll_back(session as i16);
            let s = self.s;
            let theirs =
                |x: &&mut crate::sandbox::world::state::Session| x.server == s && i64::from(x.id) == session;
            self.state.sessions.iter_mut().filter(theirs).for_each(|x| x.killed = true);
            return Ok(());
        }
        let killed = self
            .server()
            .agent
            .jobs
            .iter()
            .position(|j| j.run.is_some() && self.job_session(j) == Some(session));
        let Some(j) = killed else {
            let text = format!("Process ID {session} is not an active process ID.");
            return Err(vec![Message::error(6106, text)]);
        };
        let (s, now) = (self.s, self.now);
        self.state.end_run(s, j, now, &Ending::Failed, "The session was killed.");
        self.state.dirty = true;
        Ok(())
    }

    fn job_session(&self, job: &crate::sandbox::world::agent::Job) -> Option<i64> {
        let n = self.server().agent.jobs.iter().position(|j| j.id == job.id)?;
        Some(views::AGENT_SESSIONS + n as i64)
    }

    pub(super) fn alter(&mut self, database: &str, set: &str) -> Done {
        let words: Vec<String> = set.split_whitespace().map(str::to_uppercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let failed = |first: Message| vec![first, Message::error(5069, "ALTER DATABASE statement failed.")];
        if !self.who.sysadmin {
            let text = format!(
                "User does not have permission to alter database '{database}', the database does not exist, or the database is not in a state that allows access checks."
            );
            return Err(failed(Message { class: 14, ..Message::error(5011, text) }));
        }
        let busy = self.state.sessions.iter().any(|x| {
            x.server == self.s && x.id != self.who.session_id && x.database.eq_ignore_ascii_case(database)
        });
        let barred_by_ha = self.state.ha_bars(self.s, database, Barred::Alter);
        let Some(db) = self.state.servers[self.s].database_mut(database) else {
            let text = format!(
                "User does not have permission to alter database '{database}', the database does not exist, or the database is not in a state that allows access checks."
            );
            return Err(failed(Message { class: 14, ..Message::error(5011, text) }));
        };
        if db.state == DbState::Restoring {
            return Err(failed(Message::error(
                5052,
                "ALTER DATABASE is not permitted while a database is in the Restoring state.",
            )));
        }
        let barred = matches!(
            words.first(),
            Some(&("RECOVERY" | "READ_ONLY" | "SINGLE_USER" | "RESTRICTED_USER" | "OFFLINE" | "EMERGENCY"))
        );
        if barred && let Some(refused) = barred_by_ha {
            return Err(failed(refused));
        }
        match words.as_slice() {
            ["RECOVERY", "FULL"] => {
                if db.model == Model::Simple {
                    // Until the next full there is no chain.
                    db.log.backed_up = None;
                }
                db.model = Model::Full;
            }
            ["RECOVERY", "BULK_LOGGED"] => db.model = Model::BulkLogged,
            ["RECOVERY", "SIMPLE"] => {
                db.model = Model::Simple;
                db.log.backed_up = None;
                db.log.records.clear();
            }
            ["READ_ONLY"] => db.read_only = true,
            ["READ_WRITE"] => db.read_only = false,
            ["MULTI_USER", ..] => db.user_access = 0,
            ["SINGLE_USER", rest @ ..] if !busy || !rest.is_empty() => db.user_access = 1,
            ["RESTRICTED_USER", ..] => db.user_access = 2,
            ["ONLINE"] => db.state = DbState::Online,
            ["OFFLINE", rest @ ..] if !busy || !rest.is_empty() => db.state = DbState::Offline,
            ["SINGLE_USER" | "OFFLINE", ..] => {
                let text = format!(
                    "ALTER DATABASE failed because a lock could not be placed on database '{database}'. Try again later."
                );
                return Err(failed(Message::error(5061, text)));
            }
            _ => return Err(vec![Message::not_modelled(format_args!("ALTER DATABASE … SET {set}"))]),
        }
        self.state.dirty = true;
        Ok(())
    }

    pub(super) fn drop_databases(&mut self, names: &[String], if_exists: bool) -> Done {
        let mut all = Vec::new();
        for name in names {
            if if_exists && self.server().database(name).is_none() {
                continue;
            }
            if let Err(messages) = self.drop_database(name) {
                all.extend(messages);
            }
        }
        if all.is_empty() { Ok(()) } else { Err(all) }
    }

    pub(super) fn drop_database(&mut self, database: &str) -> Done {
        let server = self.server();
        let Some(d) = server.database_index(database) else {
            let text = format!(
                "Cannot drop the database '{database}', because it does not exist or you do not have permission."
            );
            return Err(vec![Message { class: 11, ..Message::error(3701, text) }]);
        };
        if !self.who.sysadmin {
            let text = format!(
                "Cannot drop the database '{database}', because it does not exist or you do not have permission."
            );
            return Err(vec![Message { class: 11, ..Message::error(3701, text) }]);
        }
        if server.databases[d].id <= 4 {
            let text = format!("Cannot drop database '{database}' because it is a system database.");
            return Err(vec![Message::error(3708, text)]);
        }
        if let Some(refused) = self.state.ha_bars(self.s, database, Barred::Drop) {
            return Err(vec![refused]);
        }
        let in_it = self
            .state
            .sessions
            .iter()
            .any(|x| x.server == self.s && x.database.eq_ignore_ascii_case(database));
        let biztalk = self.state.biztalk_works_on(self.s) && !server.databases[d].role.is_empty();
        if in_it || biztalk || self.busy(database, "RESTORE") || self.busy(database, "BACKUP") {
            let text = format!("Cannot drop database \"{database}\" because it is currently in use.");
            return Err(vec![Message { state: 4, ..Message::error(3702, text) }]);
        }
        self.server_mut().databases.remove(d);
        self.state.dirty = true;
        Ok(())
    }

    pub(super) fn check(&mut self, database: &str, options: &[String], parts: &mut Kept) -> Done {
        let name = if database.is_empty() { self.who.database.clone() } else { database.to_owned() };
        self.enter(&name).map_err(|m| vec![m])?;
        if !self.who.sysadmin {
            let text = format!(
                "User '{}' does not have permission to run DBCC CHECKDB for database '{name}'.",
                self.who.login
            );
            return Err(vec![Message { class: 14, ..Message::error(7983, text) }]);
        }
        let known = [
            "NO_INFOMSGS",
            "ALL_ERRORMSGS",
            "PHYSICAL_ONLY",
            "TABLOCK",
            "DATA_PURITY",
            "EXTENDED_LOGICAL_CHECKS",
        ];
        if let Some(other) = options.iter().find(|o| !known.contains(&o.to_uppercase().as_str())) {
            return Err(vec![Message::not_modelled(format_args!("DBCC CHECKDB WITH {other}"))]);
        }
        if !options.iter().any(|o| o.eq_ignore_ascii_case("NO_INFOMSGS")) {
            info(
                parts,
                8989,
                format!("CHECKDB found 0 allocation errors and 0 consistency errors in database '{name}'."),
            );
            info(parts, 2528, "DBCC execution completed. If DBCC printed error messages, contact your system administrator.".into());
        }
        Ok(())
    }
}
