//! Statements about whole databases and backup files, as clients send them.
//!
//! What is asked is put into the words of `backup` and `restore`; results and messages go back in order.

mod headers;

use chrono::NaiveDateTime;

use super::Call;
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::{Command, DiskOption, RestoreInfo};
use crate::sandbox::value::{Table, Value};
use crate::sandbox::world::backup::BackupAsk;
use crate::sandbox::world::media::terminated;
use crate::sandbox::world::restore::RestoreAsk;
use crate::sandbox::world::state::{DbState, Model, State};
use crate::sandbox::world::stored::{as_int, as_text};

type Done = Result<(), Vec<Message>>;

fn info(parts: &mut Kept, number: i32, text: String) {
    let _ = parts.put(Part::Info(Message { class: 0, ..Message::error(number, text) }));
}

fn send(table: Table, parts: &mut Kept) {
    let count = table.rows.len() as u64;
    let _ = parts.put(Part::Columns(table.columns));
    for row in table.rows {
        let _ = parts.put(Part::Row(row));
    }
    let _ = parts.put(Part::Done { rows: Some(count) });
}

/// Options of a statement, each looked for by name.
struct Options<'a>(&'a [DiskOption]);

impl Options<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|o| o.name == name)
    }
    fn text(&self, name: &str) -> Option<String> {
        self.0
            .iter()
            .find(|o| o.name == name)
            .and_then(|o| o.value.as_ref())
            .and_then(as_text)
            .map(str::to_owned)
    }
    fn int(&self, name: &str) -> Option<i64> {
        self.0.iter().find(|o| o.name == name).and_then(|o| o.value.as_ref()).and_then(as_int)
    }
    /// Refuses what is not modelled.
    fn only(&self, verb: &str, known: &[&str]) -> Done {
        match self.0.iter().find(|o| !known.contains(&o.name.as_str())) {
            Some(other) => Err(vec![Message::not_modelled(format_args!("{verb} WITH {}", other.name))]),
            None => Ok(()),
        }
    }
}

/// Tuning options that change nothing here.
const TUNING: &[&str] = &[
    "STATS",
    "BUFFERCOUNT",
    "MAXTRANSFERSIZE",
    "BLOCKSIZE",
    "NO_CHECKSUM",
    "STOP_ON_ERROR",
    "NOUNLOAD",
    "UNLOAD",
    "REWIND",
    "NOREWIND",
    "NOSKIP",
    "SKIP",
    "NOFORMAT",
];

fn with_tuning<'a>(own: &[&'a str]) -> Vec<&'a str> {
    own.iter().copied().chain(TUNING.iter().copied()).collect()
}

/// The one device of a statement; striped media are not modelled.
fn one_disk<'a>(verb: &str, disks: &'a [String]) -> Result<&'a str, Vec<Message>> {
    match disks {
        [one] => Ok(one),
        _ => Err(vec![Message::not_modelled(format_args!("{verb} with {} devices", disks.len()))]),
    }
}

impl Call<'_> {
    pub(super) fn command(&mut self, command: &Command, parts: &mut Kept) -> Done {
        match command {
            Command::RestoreInfo { what, disks, options } => {
                self.look(*what, disks, &Options(options), parts)
            }
            Command::Restore { log, database, disks, options } => {
                self.run_restore(*log, database, disks, &Options(options), parts)
            }
            Command::Backup { log, database, disks, options } => {
                self.run_backup(*log, database, disks, &Options(options), parts)
            }
            Command::Kill(session) => self.kill(*session),
            Command::AlterDatabase { database, set } => self.alter(database, set),
            Command::DropDatabase(database) => self.drop_database(database),
            Command::CheckDb { database, options } => self.check(database, options, parts),
        }
    }

    /// HEADERONLY, FILELISTONLY, LABELONLY, VERIFYONLY.
    fn look(&mut self, what: RestoreInfo, disks: &[String], options: &Options<'_>, parts: &mut Kept) -> Done {
        let verb = match what {
            RestoreInfo::HeaderOnly => "RESTORE HEADERONLY",
            RestoreInfo::FileListOnly => "RESTORE FILELIST",
            RestoreInfo::LabelOnly => "RESTORE LABELONLY",
            RestoreInfo::VerifyOnly => "VERIFY DATABASE",
        };
        options.only(verb, &with_tuning(&["FILE", "CHECKSUM", "LOADHISTORY", "CONTINUE_AFTER_ERROR"]))?;
        if !self.granted("CREATE ANY DATABASE") {
            let denied = Message {
                class: 14,
                ..Message::error(262, "CREATE DATABASE permission denied in database 'master'.")
            };
            return Err(terminated(verb, vec![denied]));
        }
        let path = one_disk(verb, disks)?;
        let failed = |m: Message| terminated(verb, vec![m]);
        let sets = self.state.open_media(self.s, path).map_err(failed)?;
        let position = options.int("FILE");
        let server = self.server();
        match what {
            RestoreInfo::HeaderOnly => send(headers::headers(server, &sets, position), parts),
            RestoreInfo::LabelOnly => send(headers::label(&sets), parts),
            RestoreInfo::FileListOnly => {
                let set = self.state.open_set(self.s, path, position.unwrap_or(1)).map_err(failed)?;
                send(headers::files(server, &set), parts);
            }
            RestoreInfo::VerifyOnly => {
                let set = self.state.open_set(self.s, path, position.unwrap_or(1)).map_err(failed)?;
                if options.has("CHECKSUM") && !set.set.checksums {
                    return Err(failed(Message::error(
                        3187,
                        "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain checksum information.",
                    )));
                }
                if let Some(fault) = State::verify_fault(&set, path) {
                    return Err(failed(fault));
                }
                if options.has("LOADHISTORY") {
                    let number = self.state.know_set(&set.set, &set.layout);
                    let s = self.s;
                    self.state.enter_set(s, number);
                    self.state.dirty = true;
                }
                info(parts, 3262, format!("The backup set on file {} is valid.", set.set.position));
            }
        }
        Ok(())
    }

    fn run_restore(
        &mut self,
        log: bool,
        database: &str,
        disks: &[String],
        options: &Options<'_>,
        parts: &mut Kept,
    ) -> Done {
        let verb = if log { "RESTORE LOG" } else { "RESTORE DATABASE" };
        options.only(
            verb,
            &with_tuning(&[
                "NORECOVERY",
                "RECOVERY",
                "REPLACE",
                "FILE",
                "MOVE",
                "STOPATMARK",
                "STOPBEFOREMARK",
                "STOPAT",
                "CHECKSUM",
            ]),
        )?;
        if !self.granted("CREATE ANY DATABASE") {
            let text = format!("User does not have permission to RESTORE database '{database}'.");
            return Err(terminated(verb, vec![Message { class: 14, ..Message::error(3110, text) }]));
        }
        if self.who.database.eq_ignore_ascii_case(database) {
            let text = format!(
                "RESTORE cannot process database '{database}' because it is in use by this session. It is recommended that the master database be used when performing this operation."
            );
            return Err(terminated(verb, vec![Message::error(3102, text)]));
        }
        if self.server().database(database).is_some_and(|d| d.id <= 4) {
            return Err(vec![Message::not_modelled(format_args!("{verb} of a system database"))]);
        }
        let path = if disks.is_empty() { None } else { Some(one_disk(verb, disks)?.to_owned()) };
        let mark = options.text("STOPATMARK").or_else(|| options.text("STOPBEFOREMARK"));
        if mark.as_ref().is_some_and(|m| m.to_lowercase().starts_with("lsn:")) {
            return Err(vec![Message::not_modelled("STOPATMARK = 'lsn:…'")]);
        }
        let stop_at = match options.0.iter().find(|o| o.name == "STOPAT") {
            Some(option) => Some(moment(option.value.as_ref())?),
            None => None,
        };
        let ask = RestoreAsk {
            log,
            path,
            position: options.int("FILE"),
            recovery: !options.has("NORECOVERY"),
            mark,
            before: options.has("STOPBEFOREMARK"),
            stop_at,
            replace: options.has("REPLACE"),
            moves: options
                .0
                .iter()
                .filter(|o| o.name == "MOVE")
                .filter_map(|o| Some((o.value.as_ref().and_then(as_text)?.to_owned(), o.to.clone()?)))
                .collect(),
            user: self.who.login.clone(),
        };
        let (s, now) = (self.s, self.now);
        if self.busy(database, "RESTORE") {
            return Err(terminated(
                verb,
                vec![Message::error(
                    3101,
                    "Exclusive access could not be obtained because the database is in use.",
                )],
            ));
        }
        let applied = self.state.restore(s, database, &ask, now)?;
        if ask.path.is_some() {
            if let Some(step) = options.0.iter().find(|o| o.name == "STATS") {
                let step = step.value.as_ref().and_then(as_int).unwrap_or(10).clamp(1, 100);
                let mut percent = step;
                while percent < 100 {
                    info(parts, 3211, format!("{percent} percent processed."));
                    percent += step;
                }
                info(parts, 3211, "100 percent processed.".into());
            }
            if let Some(db) = self.server().database(database) {
                let position = ask.position.unwrap_or(1);
                for file in &db.files {
                    let pages = match (log, file.is_log) {
                        (false, false) => file.pages,
                        (true, true) => applied.pages,
                        _ => 0,
                    };
                    if pages > 0 || log {
                        info(
                            parts,
                            4035,
                            format!(
                                "Processed {pages} pages for database '{}', file '{}' on file {position}.",
                                db.name, file.logical
                            ),
                        );
                    }
                }
            }
        }
        for note in applied.notes {
            let _ = parts.put(Part::Info(note));
        }
        info(parts, 3014, success(verb, applied.pages));
        Ok(())
    }

    fn run_backup(
        &mut self,
        log: bool,
        database: &str,
        disks: &[String],
        options: &Options<'_>,
        parts: &mut Kept,
    ) -> Done {
        let verb = if log { "BACKUP LOG" } else { "BACKUP DATABASE" };
        options.only(
            verb,
            &with_tuning(&[
                "INIT",
                "NOINIT",
                "COPY_ONLY",
                "CHECKSUM",
                "NORECOVERY",
                "NAME",
                "DESCRIPTION",
                "COMPRESSION",
                "NO_COMPRESSION",
                "FORMAT",
            ]),
        )?;
        if !self.who.sysadmin {
            let text = format!("{verb} permission denied in database '{database}'.");
            return Err(terminated(verb, vec![Message { class: 14, ..Message::error(262, text) }]));
        }
        let path = one_disk(verb, disks)?.to_owned();
        let ask = BackupAsk {
            log,
            path: self.full_path(&path),
            init: options.has("INIT") || options.has("FORMAT"),
            copy_only: options.has("COPY_ONLY"),
            checksum: options.has("CHECKSUM"),
            norecovery: options.has("NORECOVERY"),
            name: options.text("NAME"),
            user: self.who.login.clone(),
        };
        if ask.norecovery && !log {
            return Err(vec![Message::not_modelled("BACKUP DATABASE WITH NORECOVERY")]);
        }
        if self.busy(database, "BACKUP") {
            let text = "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption changes on a database must be serialized. Reissue the statement after the current backup or file manipulation operation is completed.";
            return Err(terminated(verb, vec![Message::error(3023, text)]));
        }
        let (s, now) = (self.s, self.now);
        let number = self.state.backup(s, database, &ask, now, now)?;
        let set = &self.state.sets[number];
        let pages = (set.size / 8192).max(1);
        let position = set.position;
        if let Some(file) = self.state.layout(set).files.iter().find(|f| f.is_log == log) {
            info(
                parts,
                4035,
                format!(
                    "Processed {pages} pages for database '{database}', file '{}' on file {position}.",
                    file.logical
                ),
            );
        }
        info(parts, 3014, success(verb, pages));
        Ok(())
    }

    /// A relative path is in the default backup folder; those are not modelled as a folder of their own.
    fn full_path(&self, path: &str) -> String {
        if path.starts_with("\\\\") || path.get(1..2) == Some(":") {
            return path.to_owned();
        }
        let folder = self.server().databases.first().and_then(|d| d.files.first());
        let folder = folder.and_then(|f| f.physical.rsplit_once('\\')).map_or("C:", |(f, _)| f);
        format!("{folder}\\{path}")
    }

    /// Whether a job is backing up or restoring that database now.
    fn busy(&self, database: &str, what: &str) -> bool {
        self.server()
            .agent
            .jobs
            .iter()
            .filter_map(|j| j.run.as_ref()?.doing.as_ref())
            .any(|x| x.command.starts_with(what) && x.database.eq_ignore_ascii_case(database))
    }

    fn kill(&mut self, session: i64) -> Done {
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
            return Err(vec![Message::not_modelled("KILL of another client's session")]);
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
        self.state.end_run(s, j, now, 0, "The session was killed.");
        self.state.dirty = true;
        Ok(())
    }

    fn job_session(&self, job: &crate::sandbox::world::agent::Job) -> Option<i64> {
        let n = self.server().agent.jobs.iter().position(|j| j.id == job.id)?;
        Some(super::views::AGENT_SESSIONS + n as i64)
    }

    fn alter(&mut self, database: &str, set: &str) -> Done {
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

    fn drop_database(&mut self, database: &str) -> Done {
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
        let in_it = self
            .state
            .sessions
            .iter()
            .any(|x| x.server == self.s && x.database.eq_ignore_ascii_case(database));
        let biztalk = self.state.biztalk.connected_to == Some(self.s) && !server.databases[d].role.is_empty();
        if in_it || biztalk || self.busy(database, "RESTORE") || self.busy(database, "BACKUP") {
            let text = format!("Cannot drop database \"{database}\" because it is currently in use.");
            return Err(vec![Message { state: 4, ..Message::error(3702, text) }]);
        }
        self.server_mut().databases.remove(d);
        self.state.dirty = true;
        Ok(())
    }

    fn check(&mut self, database: &str, options: &[String], parts: &mut Kept) -> Done {
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

/// The time of a STOPAT.
fn moment(value: Option<&Value>) -> Result<NaiveDateTime, Vec<Message>> {
    let wrong = || {
        vec![Message::error(241, "Conversion failed when converting date and/or time from character string.")]
    };
    match value {
        Some(Value::DateTime(t)) => Ok(*t),
        Some(Value::Text(t)) => {
            ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y%m%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
                .iter()
                .find_map(|f| NaiveDateTime::parse_from_str(t.trim(), f).ok())
                .ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}
