//! BACKUP and RESTORE as statements: who may, their options, and their last words.
//!
//! Does not know the rules (`backup`, `restore`), nor how time passes (`long`).

use super::{Call, Course, Coursed, Options, info, long, with_tuning};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::Device;
use crate::sandbox::world::backup::{BackupAsk, BackupBegun};
use crate::sandbox::world::media::terminated;
use crate::sandbox::world::restore::{Applied, RestoreAsk, RestoreBegun};
use crate::sandbox::world::state::no_such_database;
use crate::sandbox::world::stored::as_text;

/// What RESTORE DATABASE and RESTORE LOG know.
const RESTORE: &[&str] = &[
    "NORECOVERY",
    "RECOVERY",
    "STANDBY",
    "REPLACE",
    "FILE",
    "MOVE",
    "STOPATMARK",
    "STOPBEFOREMARK",
    "STOPAT",
    "CHECKSUM",
    "CONTINUE_AFTER_ERROR",
    "RESTRICTED_USER",
    "KEEP_REPLICATION",
    "KEEP_CDC",
    "KEEP_TEMPORAL_RETENTION",
    "ENABLE_BROKER",
    "NEW_BROKER",
    "ERROR_BROKER_CONVERSATIONS",
    "MEDIANAME",
    "RESTART",
];

/// What BACKUP knows.
const BACKUP: &[&str] = &[
    "INIT",
    "NOINIT",
    "COPY_ONLY",
    "DIFFERENTIAL",
    "CHECKSUM",
    "CONTINUE_AFTER_ERROR",
    "NORECOVERY",
    "STANDBY",
    "NO_TRUNCATE",
    "NAME",
    "DESCRIPTION",
    "COMPRESSION",
    "NO_COMPRESSION",
    "FORMAT",
    "ENCRYPTION",
    "EXPIREDATE",
    "RETAINDAYS",
    "MEDIANAME",
    "MEDIADESCRIPTION",
];

impl Call<'_> {
    pub(super) fn run_restore(
        &mut self,
        log: bool,
        database: &str,
        disks: &[Device],
        options: &Options<'_>,
        parts: &mut Kept,
    ) -> Coursed {
        let verb = if log { "RESTORE LOG" } else { "RESTORE DATABASE" };
        let failed = |m: Message| terminated(verb, vec![m]);
        options.only(verb, &with_tuning(RESTORE))?;
        self.may_restore(database).map_err(failed)?;
        restore_options_agree(options, disks.is_empty()).map_err(failed)?;
        let id = self.server().database(database).map(|d| d.id);
        match id {
            Some(2) => {
                let text = "Backup and restore operations are not allowed on database tempdb.";
                return Err(failed(Message::error(3147, text)));
            }
            Some(1) => {
                return Err(failed(Message::error(
                    3108,
                    "To restore the master database, the server must be running in single-user mode. For information on starting in single-user mode, see \"How to: Start an Instance of SQL Server (sqlservr.exe)\" in Books Online.",
                )));
            }
            Some(3 | 4) => {
                return Err(vec![Message::not_modelled(format_args!("{verb} of a system database"))]);
            }
            _ => {}
        }
        let mut paths = self.paths(disks).map_err(failed)?.into_iter();
        let ask = RestoreAsk {
            log,
            path: paths.next(),
            stripes: paths.collect(),
            position: options.int("FILE"),
            recovery: !options.has("NORECOVERY") && !options.has("STANDBY"),
            standby: options.text("STANDBY").map(|f| self.full_path(&f)),
            mark: options.text("STOPATMARK").or_else(|| options.text("STOPBEFOREMARK")),
            before: options.has("STOPBEFOREMARK"),
            mark_after: mark_after(options).map_err(failed)?,
            stop_at: options.moment("STOPAT").map_err(failed)?,
            replace: options.has("REPLACE"),
            moves: options
                .0
                .iter()
                .filter(|o| o.name == "MOVE")
                .filter_map(|o| Some((o.value.as_ref().and_then(as_text)?.to_owned(), o.to.clone()?)))
                .collect(),
            checksum: options.has("CHECKSUM"),
            continue_after_error: options.has("CONTINUE_AFTER_ERROR"),
            restricted_user: options.has("RESTRICTED_USER"),
            broker: options.has("ENABLE_BROKER") || options.has("NEW_BROKER"),
            media_name: options.text("MEDIANAME"),
            user: self.who.login.clone(),
            session: Some(self.who.session_id),
        };
        let (s, now) = (self.s, self.now);
        if self.busy(database, "RESTORE") || self.busy(database, "BACKUP") {
            return Err(failed(Message::error(
                3101,
                "Exclusive access could not be obtained because the database is in use.",
            )));
        }
        if ask.path.is_none() {
            let applied = self.state.recover(s, database, &ask, now)?;
            for note in applied.notes {
                let _ = parts.put(Part::Info(note));
            }
            info(parts, 3014, success(verb, 0));
            return Ok(Course::Done);
        }
        let begun = self.state.begin_restore(s, database, &ask)?;
        let (name, megabytes) = (begun.name().to_owned(), begun.megabytes);
        Ok(self.takes(verb, &name, megabytes, options.step(), long::Deed::Restore(Box::new(begun))))
    }

    pub(super) fn run_backup(
        &mut self,
        log: bool,
        database: &str,
        disks: &[Device],
        options: &Options<'_>,
    ) -> Coursed {
        let verb = if log { "BACKUP LOG" } else { "BACKUP DATABASE" };
        let failed = |m: Message| terminated(verb, vec![m]);
        options.only(verb, &with_tuning(BACKUP))?;
        if self.server().database(database).is_none() {
            return Err(failed(no_such_database(database)));
        }
        if !self.may_back_up(database) {
            let text = format!("{verb} permission denied in database '{database}'.");
            return Err(failed(Message { class: 14, ..Message::error(262, text) }));
        }
        backup_options_agree(log, options).map_err(failed)?;
        let local = self.server().local(self.now);
        let devices = self.devices(disks).map_err(failed)?;
        let Some((path, _)) = devices.first().cloned() else { return Err(failed(super::no_device())) };
        let encryption = options
            .0
            .iter()
            .find(|o| o.name == "ENCRYPTION")
            .and_then(|o| Some((o.value.as_ref().and_then(as_text)?.to_uppercase(), o.to.clone()?)));
        let format = options.has("FORMAT");
        let ask = BackupAsk {
            log,
            differential: options.has("DIFFERENTIAL"),
            path,
            devices,
            init: options.has("INIT") || format,
            format,
            skip: options.has("SKIP") || format,
            copy_only: options.has("COPY_ONLY"),
            checksum: options.either("CHECKSUM", "NO_CHECKSUM"),
            compression: options.either("COMPRESSION", "NO_COMPRESSION"),
            encryption,
            norecovery: options.has("NORECOVERY"),
            standby: options.text("STANDBY").map(|f| self.full_path(&f)),
            no_truncate: options.has("NO_TRUNCATE"),
            continue_after_error: options.has("CONTINUE_AFTER_ERROR") || options.has("NO_TRUNCATE"),
            name: options.text("NAME"),
            description: options.text("DESCRIPTION"),
            expires: options.expires(local).map_err(failed)?,
            media_name: options.text("MEDIANAME"),
            media_description: options.text("MEDIADESCRIPTION"),
            block_size: options.int("BLOCKSIZE"),
            user: self.who.login.clone(),
            session: Some(self.who.session_id),
            ..BackupAsk::default()
        };
        // A log may be backed up while data are, nothing else twice.
        let rival = if log { "BACKUP LOG" } else { "BACKUP DATABASE" };
        if self.busy(database, rival) {
            let text = "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption changes on a database must be serialized. Reissue the statement after the current backup or file manipulation operation is completed.";
            return Err(failed(Message::error(3023, text)));
        }
        let (s, now) = (self.s, self.now);
        let begun = self.state.begin_backup(s, database, &ask, now)?;
        let megabytes = begun.megabytes;
        Ok(self.takes(verb, database, megabytes, options.step(), long::Deed::Backup(Box::new(begun))))
    }

    /// The last words of a backup that went well.
    pub(super) fn told_backup(&self, begun: &BackupBegun, number: usize, stats: bool, parts: &mut Kept) {
        let set = &self.state.sets[number];
        let layout = self.state.layout(set);
        let mut pages = 0;
        for log in [false, true] {
            if log && stats {
                info(parts, 3211, "100 percent processed.".into());
            }
            for file in layout.files.iter().filter(|f| f.is_log == log) {
                let n = match (set.kind, log) {
                    ('L', false) => continue,
                    ('L', true) => (set.size / 8192).max(1),
                    ('I', false) => (set.size / 8192).min(file.pages),
                    (_, false) => file.pages,
                    (_, true) => 2,
                };
                pages += n;
                info(
                    parts,
                    4035,
                    format!(
                        "Processed {n} pages for database '{}', file '{}' on file {}.",
                        layout.database, file.logical, set.position
                    ),
                );
            }
        }
        if set.rest.damaged {
            info(parts, 3042, "BACKUP WITH CONTINUE_AFTER_ERROR successfully generated a backup of the damaged database. Refer to the SQL Server error log for information about the errors that were encountered.".into());
        }
        let said = if set.kind == 'I' { "BACKUP DATABASE WITH DIFFERENTIAL" } else { begun.verb() };
        info(parts, 3014, success(said, pages));
    }

    /// Whether a job or session is backing up or restoring that database now.
    pub(super) fn busy(&self, database: &str, what: &str) -> bool {
        let fits = |x: &crate::sandbox::world::agent::Doing| {
            x.command.starts_with(what) && x.database.eq_ignore_ascii_case(database)
        };
        let jobs = self.server().agent.jobs.iter().filter_map(|j| j.run.as_ref()?.doing.as_ref());
        let sessions = self.state.sessions.iter().filter(|x| x.server == self.s);
        jobs.chain(sessions.filter_map(|x| x.doing.as_ref())).any(fits)
    }

    /// 3110 over a database that is there, 262 for a new one.
    fn may_restore(&self, database: &str) -> Result<(), Message> {
        let existing = self.server().database(database);
        let creator = self.granted("DBCREATOR") || self.granted("ALTER ANY DATABASE");
        let allowed = match existing {
            Some(db) => creator || db.owner.eq_ignore_ascii_case(&self.who.login),
            None => creator || self.granted("CREATE ANY DATABASE"),
        };
        if allowed {
            return Ok(());
        }
        let (number, text) = match existing {
            Some(db) => (3110, format!("User does not have permission to RESTORE database '{}'.", db.name)),
            None => (262, "CREATE DATABASE permission denied in database 'master'.".to_owned()),
        };
        Err(Message { class: 14, ..Message::error(number, text) })
    }

    /// sysadmin, the owner, or a member of `db_owner` or `db_backupoperator`.
    fn may_back_up(&self, database: &str) -> bool {
        self.in_database_roles(database, &["db_owner", "db_backupoperator"])
    }

    /// Whether the login owns a database or its user there is in one of the roles.
    pub(super) fn in_database_roles(&self, database: &str, roles: &[&str]) -> bool {
        if self.who.sysadmin {
            return true;
        }
        let server = self.server();
        let Some(db) = server.database(database) else { return false };
        let login = server.logins.iter().find(|l| l.name.eq_ignore_ascii_case(&self.who.login));
        let sid = login.map(|l| &l.sid);
        db.owner.eq_ignore_ascii_case(&self.who.login)
            || db.content.users.iter().any(|u| {
                u.sid.as_ref() == sid
                    && sid.is_some()
                    && u.roles.iter().any(|r| roles.iter().any(|w| w.eq_ignore_ascii_case(r)))
            })
    }
}

fn mark_after(options: &Options<'_>) -> Result<Option<chrono::NaiveDateTime>, Message> {
    let text = options.0.iter().find(|o| o.name.ends_with("MARK")).and_then(|o| o.to.clone());
    text.map(|t| super::options::moment(Some(&crate::sandbox::value::Value::Text(t)))).transpose()
}

fn restore_options_agree(options: &Options<'_>, without_device: bool) -> Result<(), Message> {
    options.agree(&[
        ("RECOVERY", "NORECOVERY"),
        ("RECOVERY", "STANDBY"),
        ("NORECOVERY", "STANDBY"),
        ("STOPAT", "STOPATMARK"),
        ("STOPAT", "STOPBEFOREMARK"),
        ("STOPATMARK", "STOPBEFOREMARK"),
        ("CHECKSUM", "NO_CHECKSUM"),
        ("STOP_ON_ERROR", "CONTINUE_AFTER_ERROR"),
        ("NORECOVERY", "KEEP_REPLICATION"),
        ("NORECOVERY", "KEEP_CDC"),
        ("ENABLE_BROKER", "NEW_BROKER"),
        ("ENABLE_BROKER", "ERROR_BROKER_CONVERSATIONS"),
        ("NEW_BROKER", "ERROR_BROKER_CONVERSATIONS"),
    ])?;
    if without_device {
        options.without(&[
            "FILE",
            "MOVE",
            "REPLACE",
            "STOPAT",
            "STOPATMARK",
            "STOPBEFOREMARK",
            "CHECKSUM",
        ])?;
    }
    options.in_range()
}

fn backup_options_agree(log: bool, options: &Options<'_>) -> Result<(), Message> {
    options.agree(&[
        ("INIT", "NOINIT"),
        ("FORMAT", "NOFORMAT"),
        ("FORMAT", "NOINIT"),
        ("SKIP", "NOSKIP"),
        ("CHECKSUM", "NO_CHECKSUM"),
        ("COMPRESSION", "NO_COMPRESSION"),
        ("STOP_ON_ERROR", "CONTINUE_AFTER_ERROR"),
        ("NORECOVERY", "STANDBY"),
        ("EXPIREDATE", "RETAINDAYS"),
    ])?;
    if log {
        options.without(&["DIFFERENTIAL"])?;
    } else {
        options.without(&["NORECOVERY", "STANDBY", "NO_TRUNCATE"])?;
    }
    options.in_range()
}

/// The last words of a restore that went well.
pub(super) fn told_restore(begun: &RestoreBegun, applied: &Applied, parts: &mut Kept) {
    for (file, pages) in &applied.files {
        info(
            parts,
            4035,
            format!(
                "Processed {pages} pages for database '{}', file '{file}' on file {}.",
                begun.name(),
                begun.position()
            ),
        );
    }
    for note in &applied.notes {
        let _ = parts.put(Part::Info(note.clone()));
    }
    info(parts, 3014, success(begun.verb(), applied.pages));
}

fn success(verb: &str, pages: i64) -> String {
    let ms = pages / 40 + 11;
    let rate = pages * 8 * 1000 / 1024 * 1000 / ms.max(1) / 1000;
    format!(
        "{verb} successfully processed {pages} pages in {}.{:03} seconds ({}.{:03} MB/sec).",
        ms / 1000,
        ms % 1000,
        rate,
        pages % 1000
    )
}
