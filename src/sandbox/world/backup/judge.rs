//! Whether a backup may be taken: the state of the database and what was asked of it, in order.
//!
//! Does not know the medium (`target`) nor permissions.

use super::BackupAsk;
use crate::sandbox::answer::Message;
use crate::sandbox::world::state::{Database, DbState, Model, State, Suspect, no_such_database};

impl State {
    /// The number of the database, or the first thing that speaks against it.
    pub(super) fn may_back_up(&self, s: usize, database: &str, ask: &BackupAsk) -> Result<usize, Message> {
        let server = &self.servers[s];
        let d = server.database_index(database).ok_or_else(|| no_such_database(database))?;
        let db = &server.databases[d];
        if db.name == "tempdb" {
            return Err(Message::error(
                3147,
                "Backup and restore operations are not allowed on database tempdb.",
            ));
        }
        let salvages = ask.log && (ask.no_truncate || ask.continue_after_error);
        let broken = matches!(db.state, DbState::Suspect | DbState::RecoveryPending | DbState::Emergency);
        if !(salvages && broken)
            && let Some(closed) = db.closed()
        {
            return Err(closed);
        }
        if db.in_standby() {
            return Err(Message::error(
                3036,
                format!(
                    "The database \"{}\" is in warm-standby state (set by executing RESTORE WITH STANDBY) and cannot be backed up until the entire restore sequence is completed.",
                    db.name
                ),
            ));
        }
        if db.state == DbState::Emergency && !ask.log {
            return Err(Message::error(
                3033,
                "BACKUP DATABASE cannot be used on a database opened in emergency mode.",
            ));
        }
        if db.id == 1 && (ask.log || ask.differential) {
            return Err(Message::error(
                3024,
                "You can only perform a full backup of the master database. Use BACKUP DATABASE to back up the entire master database.",
            ));
        }
        if ask.log {
            may_back_up_log(db)?;
        } else if ask.differential && db.base.is_none() {
            return Err(Message::error(
                3035,
                format!(
                    "Cannot perform a differential backup for database \"{}\", because a current database backup does not exist. Perform a full database backup by reissuing BACKUP DATABASE, omitting the WITH DIFFERENTIAL option.",
                    db.name
                ),
            ));
        }
        if db.more.files_lost && !salvages {
            return Err(Message::error(
                3046,
                "Inconsistent metadata has been encountered. The only possible backup operation is a tail-log backup using the WITH CONTINUE_AFTER_ERROR or NO_TRUNCATE option.",
            ));
        }
        if let Some((_, name)) = &ask.encryption {
            self.may_encrypt(s, name)?;
        }
        if ask.norecovery || ask.standby.is_some() {
            self.alone_in(s, &db.name, ask.session, ask.verb())?;
        }
        Ok(d)
    }

    fn may_encrypt(&self, s: usize, name: &str) -> Result<(), Message> {
        let server = &self.servers[s];
        let Some(found) = server.certificates.iter().find(|c| c.name.eq_ignore_ascii_case(name)) else {
            return Err(Message::error(
                15151,
                format!(
                    "Cannot find the certificate '{name}', because it does not exist or you do not have permission."
                ),
            ));
        };
        if !found.private_key {
            return Err(Message::error(
                33101,
                format!(
                    "Cannot use certificate '{name}', because its private key is not present or it is not protected by the database master key. SQL Server requires the ability to automatically access the private key of the certificate used for this operation."
                ),
            ));
        }
        if found.until < server.local(self.at) {
            return Err(Message::error(3096, "The Certificate specified for backup encryption has expired."));
        }
        Ok(())
    }

    /// 3102 when the asking session is in the database, 3101 when others are.
    pub(crate) fn alone_in(
        &self,
        s: usize,
        database: &str,
        session: Option<i16>,
        verb: &str,
    ) -> Result<(), Message> {
        let server = &self.servers[s];
        let here = |x: &&crate::sandbox::world::state::Session| {
            x.server == s && !x.killed && x.database.eq_ignore_ascii_case(database)
        };
        if self.sessions.iter().filter(here).any(|x| Some(x.id) == session) {
            return Err(Message::error(
                3102,
                format!(
                    "{} cannot process database '{database}' because it is in use by this session. It is recommended that the master database be used when performing this operation.",
                    if verb.starts_with("BACKUP") { "BACKUP" } else { "RESTORE" }
                ),
            ));
        }
        let biztalk = self.biztalk_works_on(s)
            && server.database(database).is_some_and(|d| {
                d.user_access == 0 && d.state == DbState::Online && self.biztalk_uses(&d.role)
            });
        // A transaction holds the database it has changed, wherever its session is.
        let held = server
            .database(database)
            .is_some_and(|d| server.transactions.all.iter().any(|t| t.parts.contains_key(&d.id)));
        if biztalk || held || self.sessions.iter().any(|x| here(&x)) {
            return Err(Message::error(
                3101,
                "Exclusive access could not be obtained because the database is in use.",
            ));
        }
        Ok(())
    }

    /// Whether a BizTalk computer has connections to databases of that role.
    pub(crate) fn biztalk_uses(&self, role: &str) -> bool {
        !role.is_empty()
            && self.biztalk.computers.iter().any(|c| c.programs.iter().any(|(_, roles)| roles == role))
    }

    /// Reads the pages: a bad one is found when checksums are asked for.
    pub(super) fn read_pages(&mut self, s: usize, d: usize, ask: &BackupAsk) -> Result<(), Message> {
        let server = &self.servers[s];
        let db = &server.databases[d];
        let checks = ask.checksum.unwrap_or_else(|| server.option("backup checksum default"));
        let Some(bad) = db.more.damage.first().filter(|_| checks && !ask.log) else { return Ok(()) };
        let file = db.files.iter().find(|f| f.id == bad.file).map_or("", |f| f.physical.as_str());
        let message = Message::error(
            3043,
            format!(
                "BACKUP '{}' detected an error on page ({}:{}) in file '{file}'.",
                db.name, bad.file, bad.page
            ),
        );
        let (id, at) = (db.id, server.local(self.at));
        let pages: Vec<(i32, i64)> = db.more.damage.iter().map(|p| (p.file, p.page)).collect();
        for (file, page) in pages {
            self.servers[s].suspect(Suspect { database: id, file, page, kind: 2, count: 1, at });
        }
        self.dirty = true;
        if ask.continue_after_error { Ok(()) } else { Err(message) }
    }
}

fn may_back_up_log(db: &Database) -> Result<(), Message> {
    if db.model == Model::Simple {
        return Err(Message::error(
            4208,
            "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use BACKUP DATABASE or change the recovery model using ALTER DATABASE.",
        ));
    }
    if db.log.backed_up.is_none() {
        return Err(Message::error(
            4214,
            "BACKUP LOG cannot be performed because there is no current database backup.",
        ));
    }
    if db.more.log_lost {
        return Err(Message::error(
            3447,
            format!("Could not activate or scan all of the log files for database '{}'.", db.name),
        ));
    }
    if db.more.bulk_logged && db.more.files_lost {
        return Err(Message::error(
            4202,
            "BACKUP LOG is not possible because bulk logged changes exist in the database and one or more filegroups are unavailable.",
        ));
    }
    Ok(())
}
