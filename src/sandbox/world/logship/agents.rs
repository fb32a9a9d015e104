//! The backup, copy and restore agents of native log shipping: what `sqllogship` does when a job runs it.
//!
//! Backups and restores are the server's own statements. Does not know thresholds.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{
    MONITOR_PRIMARY, MONITOR_SECONDARY, PRIMARIES, Record, SECONDARIES, SECONDARY, Told, file_of, join,
    number, stamp_of, word,
};
use crate::sandbox::answer::Message;
use crate::sandbox::world::files::os_error_text;
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::state::{DbState, State};
use crate::sandbox::world::stored::{at, guid, int, text};
use crate::sandbox::world::work::{Beat, Next};

/// What a command line of `sqllogship` asks for: `-Backup`, `-Copy` or `-Restore`, and the agent's id.
fn asked(command: &str) -> Option<(i64, Guid)> {
    let words: Vec<&str> = command.split_whitespace().collect();
    ["-backup", "-copy", "-restore"].iter().enumerate().find_map(|(kind, option)| {
        let at = words.iter().position(|w| w.eq_ignore_ascii_case(option))?;
        Some((kind as i64, words.get(at + 1)?.trim_matches('"').parse().ok()?))
    })
}

/// A name in brackets.
fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}
/// A text in quotes.
fn literal(value: &str) -> String {
    format!("N'{}'", value.replace('\'', "''"))
}

/// An error in the words of the agents.
fn said(what: &str) -> String {
    format!("*** Error: {what} ***")
}

impl State {
    /// Carries a step on that runs `sqllogship`.
    pub(crate) fn run_sqllogship(
        &mut self,
        s: usize,
        j: usize,
        command: &str,
        beat: &Beat,
        now: DateTime<Utc>,
    ) -> Next {
        let Some((kind, agent)) = asked(command) else {
            return Next::Failed(vec![Message::not_modelled(format_args!("the command {command}"))]);
        };
        if *beat == Beat::Begin {
            let (ms, doing) = match kind {
                0 => (self.dice.between(1200, 4200), Some("BACKUP LOG")),
                1 => (self.dice.between(700, 2500), None),
                _ => (self.dice.between(1500, 5200), Some("RESTORE LOG")),
            };
            let database = match kind {
                0 => self
                    .shipping_row(s, PRIMARIES, &[("primary_id", guid(agent))])
                    .map(|r| word(&r, "primary_database")),
                _ => self
                    .shipping_row(s, SECONDARIES, &[("secondary_id", guid(agent))])
                    .map(|r| word(&r, "secondary_database")),
            };
            let doing = doing.zip(database).map(|(command, database)| (command.to_owned(), database));
            return Next::Later { ms, beat: Beat::End, doing };
        }
        // From here the statement itself says what is under way.
        if let Some(run) = &mut self.servers[s].agent.jobs[j].run {
            run.doing = None;
        }
        let began = self.servers[s].agent.jobs[j].run.as_ref().map_or(now, |r| r.step_started);
        let done = match kind {
            0 => self.ship_backup(s, agent, began, now),
            1 => self.ship_copy(s, agent, now),
            _ => self.ship_restore(s, agent, now),
        };
        self.dirty = true;
        match done {
            Ok(words) => Next::Done(words),
            Err(errors) => {
                // What the program printed stands in the history; there is no number.
                let mut all: Vec<String> = errors;
                all.push("Process Exit Code 1".into());
                Next::Failed(vec![Message::error(0, all.join("  "))])
            }
        }
    }

    fn ship_backup(
        &mut self,
        s: usize,
        agent: Guid,
        began: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<String, Vec<String>> {
        let row = self.shipping_row(s, PRIMARIES, &[("primary_id", guid(agent))]).ok_or_else(|| {
            vec![said(&format!("Could not retrieve backup settings for primary ID '{agent}'.(Microsoft.SqlServer.Management.LogShipping)"))]
        })?;
        let (database, folder, monitor) =
            (word(&row, "primary_database"), word(&row, "backup_directory"), word(&row, "monitor_server"));
        let told = Told {
            server: s,
            monitor: &monitor,
            agent,
            kind: 0,
            session: self.shipping_session(s, agent),
            database: &database,
        };
        self.shipping_says(&told, 0, now, &format!("Starting transaction log backup. Primary ID: '{agent}'"));
        let state = self.servers[s].database(&database).map(|d| d.state);
        if state.is_some_and(|x| x != DbState::Online) {
            let text = format!(
                "Database {database} is not ONLINE. The backup job will not be performed until this database is brought online."
            );
            self.shipping_says(&told, 4, now, &text);
            return Ok(text);
        }
        let path = join(&folder, &file_of(&database, began));
        let compress = match number(&row, "backup_compression") {
            0 => ", NO_COMPRESSION",
            1 => ", COMPRESSION",
            _ => "",
        };
        let sql = format!(
            "BACKUP LOG {} TO DISK = {} WITH NAME = {}{compress}",
            quoted(&database),
            literal(&path),
            literal(&format!("LogShip-{database}")),
        );
        if let Err(errors) = self.run_script(s, "master", &sql, now) {
            let mut all = vec![said(&format!(
                "Could not perform the log backup of primary database '{database}'.(Microsoft.SqlServer.Management.LogShipping)"
            ))];
            all.extend(errors.iter().map(|m| said(&format!("{}(.Net SqlClient Data Provider)", m.text))));
            return Err(self.shipping_ends(&told, now, all));
        }
        let local = self.servers[s].local(now);
        let file = [("last_backup_file", text(&path)), ("last_backup_date", at(local))];
        self.set_shipping(s, PRIMARIES, now, &[("primary_id", guid(agent))], &file);
        let mut keep = 0;
        for m in self.monitors(s, &monitor) {
            let cells = [
                ("last_backup_file", text(&path)),
                ("last_backup_date", at(local)),
                ("last_backup_date_utc", at(now.naive_utc())),
            ];
            let keys = [("primary_id", guid(agent))];
            self.set_shipping(m, MONITOR_PRIMARY, now, &keys, &cells);
            let kept = self.shipping_row(m, MONITOR_PRIMARY, &keys);
            keep = kept.map_or(keep, |r| number(&r, "history_retention_period"));
        }
        self.shipping_cleans(s, &folder, &database, number(&row, "backup_retention_period"), now);
        let words = format!(
            "The backup operation was successful. Primary Database: '{database}', Log Backup File: '{path}'"
        );
        self.shipping_says(&told, 2, now, &words);
        self.shipping_ages(&told, keep, now);
        Ok(String::new())
    }

    /// Deletes log backups of a database that are older than so many minutes.
    fn shipping_cleans(&self, s: usize, folder: &str, database: &str, minutes: i64, now: DateTime<Utc>) {
        let machine = self.servers[s].machine();
        let limit = now.naive_utc() - TimeDelta::minutes(minutes.clamp(0, 5_000_000));
        for name in self.files.list(machine, folder).unwrap_or_default() {
            if stamp_of(database, &name).is_some_and(|t| t < limit) {
                let _ = self.files.delete(machine, &join(folder, &name));
            }
        }
    }

    fn shipping_ages(&mut self, told: &Told<'_>, minutes: i64, now: DateTime<Utc>) {
        for m in self.monitors(told.server, told.monitor) {
            self.shipping_forgets(m, told.agent, minutes, now);
        }
    }

    /// An agent's session ends with errors.
    fn shipping_ends(&mut self, told: &Told<'_>, now: DateTime<Utc>, errors: Vec<String>) -> Vec<String> {
        self.shipping_fails(told, now, &errors);
        let first = errors.first().cloned().unwrap_or_default();
        self.shipping_says(told, 3, now, &first);
        errors
    }

    fn ship_copy(&mut self, s: usize, agent: Guid, now: DateTime<Utc>) -> Result<String, Vec<String>> {
        let row = self.shipping_row(s, SECONDARY, &[("secondary_id", guid(agent))]).ok_or_else(|| {
            vec![said(&format!("Could not retrieve copy settings for secondary ID '{agent}'.(Microsoft.SqlServer.Management.LogShipping)"))]
        })?;
        let (database, from, to, monitor) = (
            word(&row, "primary_database"),
            word(&row, "backup_source_directory"),
            word(&row, "backup_destination_directory"),
            word(&row, "monitor_server"),
        );
        let told = Told {
            server: s,
            monitor: &monitor,
            agent,
            kind: 1,
            session: self.shipping_session(s, agent),
            database: "",
        };
        self.shipping_says(&told, 0, now, &format!("Starting transaction log copy. Secondary ID: '{agent}'"));
        let machine = self.servers[s].machine().to_owned();
        let last = stamp_of(&database, &word(&row, "last_copied_file"));
        let names = match self.shipping_folder(s, &from) {
            Ok(names) => names,
            Err(os) => {
                let errors = vec![said(&format!("Could not copy files: {}(mscorlib)", os_error_text(os)))];
                return Err(self.shipping_ends(&told, now, errors));
            }
        };
        let new = |name: &&String| stamp_of(&database, name).is_some_and(|t| last.is_none_or(|l| t > l));
        let mut copied = 0;
        for name in names.iter().filter(new) {
            let (source, target) = (join(&from, name), join(&to, name));
            let done = match self.shipping_denied(s, &source) {
                Some(os) => Err(os),
                None => self.files.copy(&machine, &source, &target),
            };
            if let Err(os) = done {
                let errors = vec![said(&format!(
                    "Could not copy the file '{source}' to '{target}': {}(mscorlib)",
                    os_error_text(os)
                ))];
                return Err(self.shipping_ends(&told, now, errors));
            }
            copied += 1;
            if let Some(fresh) = &mut self.fresh
                && let Some(known) = fresh.get(&source).cloned()
            {
                fresh.insert(target.clone(), known);
            }
            let local = self.servers[s].local(now);
            let cells = [("last_copied_file", text(&target)), ("last_copied_date", at(local))];
            self.set_shipping(s, SECONDARY, now, &[("secondary_id", guid(agent))], &cells);
            for m in self.monitors(s, &monitor) {
                let cells = [
                    ("last_copied_file", text(&target)),
                    ("last_copied_date", at(local)),
                    ("last_copied_date_utc", at(now.naive_utc())),
                ];
                self.set_shipping(m, MONITOR_SECONDARY, now, &[("secondary_id", guid(agent))], &cells);
            }
        }
        self.shipping_cleans(s, &to, &database, number(&row, "file_retention_period"), now);
        let words = format!(
            "The copy operation was successful. Secondary ID: '{agent}', Number of log backup files copied: {copied}"
        );
        self.shipping_says(&told, 2, now, &words);
        self.shipping_ages(&told, self.shipping_keeps(s, agent), now);
        Ok(String::new())
    }

    fn shipping_keeps(&self, s: usize, agent: Guid) -> i64 {
        let row = self.shipping_row(s, MONITOR_SECONDARY, &[("secondary_id", guid(agent))]);
        row.map_or(5760, |r| number(&r, "history_retention_period"))
    }

    /// Why a path cannot be read from here just now.
    fn shipping_denied(&self, s: usize, path: &str) -> Option<i32> {
        let path = path.to_lowercase();
        let denied = &self.servers[s].trouble.denied;
        denied.iter().any(|d| path.contains(&d.to_lowercase())).then_some(5)
    }

    /// The folders that the copy jobs of a server read.
    pub(crate) fn copied_from(&self, s: usize) -> Vec<String> {
        let mut all: Vec<String> = self
            .shipping_rows(s, SECONDARY, &[])
            .iter()
            .map(|r| word(r, "backup_source_directory"))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn shipping_folder(&self, s: usize, folder: &str) -> Result<Vec<String>, i32> {
        match self.shipping_denied(s, folder) {
            Some(os) => Err(os),
            None => self.files.list(self.servers[s].machine(), folder),
        }
    }

    fn ship_restore(&mut self, s: usize, agent: Guid, now: DateTime<Utc>) -> Result<String, Vec<String>> {
        let row = self.shipping_row(s, SECONDARY, &[("secondary_id", guid(agent))]).ok_or_else(|| {
            vec![said(&format!("Could not retrieve restore settings for secondary ID '{agent}'.(Microsoft.SqlServer.Management.LogShipping)"))]
        })?;
        let mut failed = Vec::new();
        for database in self.shipping_rows(s, SECONDARIES, &[("secondary_id", guid(agent))]) {
            if let Err(errors) = self.ship_restore_one(s, agent, &row, &database, now) {
                failed.extend(errors);
            }
        }
        if failed.is_empty() { Ok(String::new()) } else { Err(failed) }
    }

    fn ship_restore_one(
        &mut self,
        s: usize,
        agent: Guid,
        row: &Record,
        settings: &Record,
        now: DateTime<Utc>,
    ) -> Result<(), Vec<String>> {
        let (primary, folder, monitor) = (
            word(row, "primary_database"),
            word(row, "backup_destination_directory"),
            word(row, "monitor_server"),
        );
        let database = word(settings, "secondary_database");
        let told = Told {
            server: s,
            monitor: &monitor,
            agent,
            kind: 2,
            session: self.shipping_session(s, agent),
            database: &database,
        };
        self.shipping_says(
            &told,
            0,
            now,
            &format!("Starting transaction log restore. Secondary ID: '{agent}'"),
        );
        let names = match self.shipping_folder(s, &folder) {
            Ok(names) => names,
            Err(os) => {
                let errors = vec![said(&format!(
                    "Could not find the folder '{folder}': {}(mscorlib)",
                    os_error_text(os)
                ))];
                return Err(self.shipping_ends(&told, now, errors));
            }
        };
        let delay = TimeDelta::minutes(number(settings, "restore_delay").clamp(0, 5_000_000));
        let last = stamp_of(&primary, &word(settings, "last_restored_file"));
        let ripe = |t: NaiveDateTime| t <= now.naive_utc() - delay;
        let all: Vec<(NaiveDateTime, &String)> = names
            .iter()
            .filter_map(|n| Some((stamp_of(&primary, n)?, n)))
            .filter(|(t, _)| ripe(*t))
            .collect();
        let mut waiting: Vec<&(NaiveDateTime, &String)> =
            all.iter().filter(|(t, _)| last.is_none_or(|l| *t > l)).collect();
        if !waiting.is_empty() && number(settings, "disconnect_users") == 1 {
            self.shipping_disconnects(s, &database, now);
        }
        let mut restored = 0;
        let mut searched = false;
        let mut n = 0;
        while let Some((stamp, name)) = waiting.get(n).copied() {
            n += 1;
            let path = join(&folder, name);
            match self.ship_apply(s, &database, &path, &folder, settings, now) {
                Ok(()) => {
                    restored += 1;
                    self.shipping_restored(&told, &path, *stamp, now);
                    if number(settings, "restore_all") != 1 {
                        break;
                    }
                }
                Err(errors) if errors.iter().any(|m| m.number == 4326) => {
                    let text = format!("Skipped log backup file. Secondary DB: '{database}', File: '{path}'");
                    self.shipping_says(&told, 1, now, &text);
                }
                Err(errors) if errors.iter().any(|m| m.number == 4305) && !searched => {
                    // Something is missing in between: look once through everything that is here.
                    searched = true;
                    let text = format!(
                        "The file '{path}' is too recent to apply to the secondary database '{database}'.(Microsoft.SqlServer.Management.LogShipping)"
                    );
                    self.shipping_fails(&told, now, &[said(&text)]);
                    waiting = all.iter().collect();
                    n = 0;
                }
                Err(errors) => {
                    let too_recent = errors.iter().any(|m| m.number == 4305);
                    let mut words = vec![if too_recent {
                        said(&format!(
                            "Could not find a log backup file that could be applied to secondary database '{database}'.(Microsoft.SqlServer.Management.LogShipping)"
                        ))
                    } else {
                        said(&format!(
                            "Could not apply log backup file '{path}' to secondary database '{database}'.(Microsoft.SqlServer.Management.LogShipping)"
                        ))
                    }];
                    words.extend(
                        errors.iter().map(|m| said(&format!("{}(.Net SqlClient Data Provider)", m.text))),
                    );
                    return Err(self.shipping_ends(&told, now, words));
                }
            }
        }
        let words = format!(
            "The restore operation was successful. Secondary Database: '{database}', Number of log backup files restored: {restored}"
        );
        self.shipping_says(&told, 2, now, &words);
        self.shipping_ages(&told, self.shipping_keeps(s, agent), now);
        Ok(())
    }

    fn ship_apply(
        &mut self,
        s: usize,
        database: &str,
        path: &str,
        folder: &str,
        settings: &Record,
        now: DateTime<Utc>,
    ) -> Result<(), Vec<Message>> {
        let mode = if number(settings, "restore_mode") == 1 {
            let undo = join(folder, &format!("{database}_{}.tuf", now.format("%Y%m%d%H%M%S")));
            format!("STANDBY = {}", literal(&undo))
        } else {
            "NORECOVERY".to_owned()
        };
        let sql = format!("RESTORE LOG {} FROM DISK = {} WITH {mode}", quoted(database), literal(path));
        self.run_script(s, "master", &sql, now)
    }

    /// Notes a restored file, here and on the monitor.
    fn shipping_restored(&mut self, told: &Told<'_>, path: &str, stamp: NaiveDateTime, now: DateTime<Utc>) {
        let s = told.server;
        let local = self.servers[s].local(now);
        let latency = (now.naive_utc() - stamp).num_seconds().max(0) / 60;
        let keys = [("secondary_id", guid(told.agent)), ("secondary_database", text(told.database))];
        let cells = [("last_restored_file", text(path)), ("last_restored_date", at(local))];
        self.set_shipping(s, SECONDARIES, now, &keys, &cells);
        for m in self.monitors(s, told.monitor) {
            let cells = [
                ("last_restored_file", text(path)),
                ("last_restored_date", at(local)),
                ("last_restored_date_utc", at(now.naive_utc())),
                ("last_restored_latency", int(latency)),
            ];
            self.set_shipping(m, MONITOR_SECONDARY, now, &keys, &cells);
        }
    }

    /// Everybody out of a database.
    fn shipping_disconnects(&mut self, s: usize, database: &str, now: DateTime<Utc>) {
        let inside = |x: &&crate::sandbox::world::state::Session| {
            x.server == s && x.database.eq_ignore_ascii_case(database)
        };
        let readers: Vec<i16> = self.sessions.iter().filter(inside).map(|x| x.id).collect();
        for id in readers {
            // Whoever has gone by himself meanwhile needs no killing.
            let _ = self.run_script(s, "master", &format!("KILL {id}"), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_names_the_agent() {
        let (kind, agent) = asked(
            "\"C:\\Program Files\\Microsoft SQL Server\\150\\Tools\\Binn\\sqllogship.exe\" -Restore 5E0F1E5A-6E3B-4B6C-9C0E-2C3B7A0D1F01 -server LSSEC1",
        )
        .unwrap();
        assert_eq!((kind, agent.to_string().as_str()), (2, "5E0F1E5A-6E3B-4B6C-9C0E-2C3B7A0D1F01"));
        assert!(asked("sqllogship.exe -Backup").is_none() && asked("dir").is_none());
    }
}
