//! BACKUP and RESTORE as statements: their options, their progress, their last words.
//!
//! Does not know the rules (`backup`, `restore`).

use chrono::NaiveDateTime;

use super::{Call, Done, Options, info, one_disk, with_tuning};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::value::Value;
use crate::sandbox::world::backup::BackupAsk;
use crate::sandbox::world::media::terminated;
use crate::sandbox::world::restore::RestoreAsk;
use crate::sandbox::world::stored::{as_int, as_text};

impl Call<'_> {
    pub(super) fn run_restore(
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

    pub(super) fn run_backup(
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
            ..BackupAsk::default()
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
    pub(super) fn busy(&self, database: &str, what: &str) -> bool {
        self.server()
            .agent
            .jobs
            .iter()
            .filter_map(|j| j.run.as_ref()?.doing.as_ref())
            .any(|x| x.command.starts_with(what) && x.database.eq_ignore_ascii_case(database))
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
