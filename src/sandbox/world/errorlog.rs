//! The error log of a server: what it writes down of itself, the newest of it, in files that are cycled.
//!
//! Does not know who reads it.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::state::{Layout, Set, State};

/// Lines kept of each file.
const LINES: usize = 400;
/// Files kept: the current one and six older.
const FILES: usize = 7;

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) at: DateTime<Utc>,
    /// `Server`, `Logon`, `Backup`, `spid51`.
    pub(crate) process: String,
    pub(crate) text: String,
}

/// The error logs, the current one first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ErrorLog {
    pub(crate) files: VecDeque<VecDeque<Line>>,
}

impl ErrorLog {
    /// Appends a line to the current log.
    pub(crate) fn write(&mut self, at: DateTime<Utc>, process: &str, text: &str) {
        if self.files.is_empty() {
            self.files.push_front(VecDeque::new());
        }
        let Some(current) = self.files.front_mut() else { return };
        if current.len() == LINES {
            current.pop_front();
        }
        current.push_back(Line { at, process: process.to_owned(), text: text.to_owned() });
    }

    /// Begins a new log, as a restart and sp_cycle_errorlog do.
    pub(crate) fn cycle(&mut self) {
        self.files.push_front(VecDeque::new());
        self.files.truncate(FILES);
    }
}

impl State {
    /// Writes a line of the engine into a server's error log.
    pub(crate) fn log_error(&mut self, server: usize, text: &str) {
        self.log_error_of(server, "Server", text);
    }

    /// The same of one of its processes (`Backup`, `Logon`, `spid51`).
    pub(crate) fn log_error_of(&mut self, server: usize, process: &str, text: &str) {
        let at = self.at;
        if let Some(server) = self.servers.get_mut(server) {
            server.error_log.write(at, process, text);
            self.dirty = true;
        }
    }

    /// What a server says of a backup it took. History before the walk is in no log.
    pub(crate) fn log_backup(&mut self, server: usize, set: &Set, layout: &Layout) {
        if self.at < self.opened {
            return;
        }
        let what = match set.kind {
            'L' => "Log was backed up",
            'I' => "Database differential changes were backed up",
            _ => "Database backed up",
        };
        let line = format!(
            "{what}. {} This is an informational message only. No user action is required.",
            told(set, layout, &layout.database)
        );
        self.log_error_of(server, "Backup", &line);
    }

    /// What it says of a restore.
    pub(crate) fn log_restore(
        &mut self,
        server: usize,
        set: &Set,
        layout: &Layout,
        name: &str,
        recovered: bool,
    ) {
        if self.at < self.opened {
            return;
        }
        let what = match set.kind {
            'L' => "Log was restored",
            'I' => "Database changes were restored",
            _ => "Database was restored",
        };
        let line =
            format!("{what}. {} Informational message. No user action required.", told(set, layout, name));
        self.log_error_of(server, "Backup", &line);
        if recovered {
            let line = format!("Restore is complete on database '{name}'.  The database is now available.");
            self.log_error_of(server, "Backup", &line);
        }
    }

    /// A new log with what a server said when it started.
    pub(crate) fn log_startup(&mut self, server: usize) {
        let Some(server) = self.servers.get_mut(server) else { return };
        let at = server.started;
        server.error_log.cycle();
        let (major, minor, build, revision) = server.version;
        let lines = [
            format!(
                "Microsoft SQL Server {} - {major}.{minor}.{build}.{revision} (X64), simulated by the drbook sandbox",
                server.year()
            ),
            format!(
                "Server name is '{}'. This is an informational message only. No user action is required.",
                server.name
            ),
            format!("Logging SQL Server messages in file '{}'.", server.error_log_path()),
            format!(
                "The service account is '{}'. This is an informational message; no user action is required.",
                server.engine_account
            ),
            "Authentication mode is MIXED.".to_owned(),
        ];
        for line in lines {
            server.error_log.write(at, "Server", &line);
        }
        for database in &server.databases {
            let line = format!("Starting up database '{}'.", database.name);
            server.error_log.write(at, "spid9s", &line);
        }
        let ready = "SQL Server is now ready for client connections. This is an informational message; no user action is required.";
        server.error_log.write(at, "Server", ready);
        self.dirty = true;
    }
}

/// A set as the log tells it.
fn told(set: &Set, layout: &Layout, database: &str) -> String {
    let lsn = |lsn: super::ids::Lsn| {
        let (file, block, slot) = lsn.parts();
        format!("{file}:{block}:{slot}")
    };
    format!(
        "Database: {database}, creation date(time): {}, first LSN: {}, last LSN: {}, number of dump devices: 1, device information: (FILE={}, TYPE=DISK: {{'{}'}}).",
        layout.created.format("%Y/%m/%d(%H:%M:%S)"),
        lsn(set.first),
        lsn(set.last),
        set.position,
        set.path
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_cycles() {
        let mut log = ErrorLog::default();
        for n in 0..LINES + 5 {
            log.write(DateTime::UNIX_EPOCH, "Server", &n.to_string());
        }
        assert_eq!((log.files[0].len(), log.files[0][0].text.as_str()), (LINES, "5"));
        for _ in 0..10 {
            log.cycle();
        }
        assert_eq!((log.files.len(), log.files[0].len()), (FILES, 0));
    }
}
