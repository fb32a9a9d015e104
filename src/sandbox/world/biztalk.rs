//! BizTalk's tables as its jobs see them: backup history, sets, marks, and who is in the group.
//!
//! Does not know when jobs run.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::state::{Database, State};
use super::stored::{NULL, Stored, as_int, as_text, at, bit, int, text};
use crate::sandbox::value::Value;

/// A row of backup history, on the source or as imported.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) set: i64,
    pub(crate) mark: Option<String>,
    pub(crate) database: String,
    pub(crate) server: String,
    pub(crate) file: String,
    pub(crate) location: String,
    /// `db` or `lg`
    pub(crate) kind: String,
    pub(crate) complete: bool,
    pub(crate) restored: bool,
    pub(crate) stamp: Option<NaiveDateTime>,
}

/// All rows of a set.
#[derive(Debug, Clone, Default)]
pub(crate) struct BackupSet {
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) complete: bool,
    pub(crate) entries: Vec<Entry>,
}

pub(crate) const HISTORY: &str = "adm_BackupHistory";
pub(crate) const IMPORTED: &str = "bts_LogShippingHistory";

/// The rows of a history table.
pub(crate) fn entries(stored: &Stored) -> Vec<Entry> {
    let word = |row: &[Value], name| as_text(stored.cell(row, name)).unwrap_or_default().trim().to_owned();
    stored
        .table
        .rows
        .iter()
        .map(|row| Entry {
            set: as_int(stored.cell(row, "BackupSetId")).unwrap_or_default(),
            mark: as_text(stored.cell(row, "MarkName")).map(str::to_owned),
            database: word(row, "DatabaseName"),
            server: word(row, "ServerName"),
            file: word(row, "BackupFileName"),
            location: word(row, "BackupFileLocation"),
            kind: word(row, "BackupType"),
            complete: as_int(stored.cell(row, "SetComplete")) == Some(1),
            restored: as_int(stored.cell(row, "Restored")) == Some(1),
            stamp: match stored.cell(row, "BackupDateTime") {
                Value::DateTime(t) => Some(*t),
                _ => None,
            },
        })
        .collect()
}

/// The sets of a history table by id.
pub(crate) fn sets(stored: &Stored) -> BTreeMap<i64, BackupSet> {
    let mut all: BTreeMap<i64, BackupSet> = BTreeMap::new();
    for entry in entries(stored) {
        let set = all.entry(entry.set).or_insert_with(|| BackupSet {
            id: entry.set,
            kind: entry.kind.clone(),
            complete: true,
            entries: Vec::new(),
        });
        set.complete &= entry.complete;
        set.entries.push(entry);
    }
    all
}

/// `BTS_2024_03_01_02_00_00_123`
pub(crate) fn mark_name(name: &str, stamp: NaiveDateTime) -> String {
    let name: String = name.chars().take(8).collect();
    format!("{name}_{}", stamp.format("%Y_%m_%d_%H_%M_%S_%3f"))
}

/// `SQL01_INST_Db_Log_<mark>.bak`
pub(crate) fn file_name(server: &str, database: &str, log: bool, mark: &str) -> String {
    let kind = if log { "Log" } else { "Full" };
    format!("{}_{database}_{kind}_{mark}.bak", server.replace('\\', "_"))
}

/// A path from folder and file.
pub(crate) fn path(location: &str, file: &str) -> String {
    format!("{}\\{file}", location.trim_end_matches('\\'))
}

impl State {
    /// What the backup job of this management database covers: the rows of `admv_BackupDatabases`.
    pub(crate) fn backup_scope(&self, s: usize, management: &Database) -> Vec<(String, String)> {
        let mut rows = vec![(self.servers[s].name.clone(), management.name.clone())];
        let tables = &management.content.tables;
        let mut add = |server: Option<&str>, database: Option<&str>| {
            if let (Some(server), Some(database)) = (server, database) {
                let known = |(a, b): &(String, String)| {
                    a.eq_ignore_ascii_case(server) && b.eq_ignore_ascii_case(database)
                };
                if !server.is_empty() && !database.is_empty() && !rows.iter().any(known) {
                    rows.push((server.to_owned(), database.to_owned()));
                }
            }
        };
        if let Some(group) = tables.get("adm_group") {
            for row in &group.table.rows {
                for pair in ["TrackingDB", "BamDB", "RuleEngineDB"] {
                    add(
                        as_text(group.cell(row, &format!("{pair}ServerName"))),
                        as_text(group.cell(row, &format!("{pair}Name"))),
                    );
                }
            }
        }
        for (table, server, database) in [
            ("adm_messagebox", "DBServerName", "DBName"),
            ("adm_otherbackupdatabases", "ServerName", "DatabaseName"),
        ] {
            if let Some(stored) = tables.get(table) {
                for row in &stored.table.rows {
                    add(as_text(stored.cell(row, server)), as_text(stored.cell(row, database)));
                }
            }
        }
        rows
    }

    /// Burns the next set id of a management database.
    pub(crate) fn next_set_id(&mut self, s: usize, management: &str, now: DateTime<Utc>) -> i64 {
        let Some(db) = self.servers[s].database_mut(management) else { return 0 };
        let id = db
            .content
            .tables
            .get("adm_backupsetid")
            .and_then(|t| t.table.rows.first().and_then(|r| as_int(t.cell(r, "NextBackupSetId"))))
            .unwrap_or(1);
        db.update(now, "adm_BackupSetId", |_, _| true, &[("NextBackupSetId", int(id + 1))]);
        id
    }

    /// Writes a row of backup history.
    pub(crate) fn history_row(&mut self, s: usize, management: &str, now: DateTime<Utc>, entry: &Entry) {
        let Some(db) = self.servers[s].database_mut(management) else { return };
        let next = db
            .content
            .tables
            .get("adm_backuphistory")
            .and_then(|t| t.table.rows.last().and_then(|r| as_int(t.cell(r, "BackupId"))))
            .unwrap_or(0)
            + 1;
        db.insert(
            now,
            HISTORY,
            &[
                ("BackupId", int(next)),
                ("BackupSetId", int(entry.set)),
                ("MarkName", entry.mark.clone().map_or(NULL, text)),
                ("DatabaseName", text(&entry.database)),
                ("ServerName", text(&entry.server)),
                ("BackupFileName", text(&entry.file)),
                ("BackupFileLocation", text(&entry.location)),
                ("BackupType", text(&entry.kind)),
                ("BackupDateTime", entry.stamp.map_or(NULL, at)),
                ("SetComplete", bit(false)),
            ],
        );
    }

    /// Marks all rows of a set complete.
    pub(crate) fn complete_set(&mut self, s: usize, management: &str, now: DateTime<Utc>, set: i64) {
        if let Some(db) = self.servers[s].database_mut(management) {
            db.update(
                now,
                HISTORY,
                |t, row| as_int(t.cell(row, "BackupSetId")) == Some(set),
                &[("SetComplete", bit(true))],
            );
        }
    }

    /// The databases a destination restores, in the order of their list.
    pub(crate) fn shipped(&self, s: usize) -> Vec<String> {
        let Some(stored) = self.servers[s].table("master", "bts_LogShippingDatabases") else { return vec![] };
        let only = self.servers[s].shipping.as_ref().and_then(|x| x.only_from.clone());
        stored
            .table
            .rows
            .iter()
            .filter(|row| {
                only.as_ref().is_none_or(|o| {
                    as_text(stored.cell(row, "ServerName")).is_some_and(|x| x.eq_ignore_ascii_case(o))
                })
            })
            .filter_map(|row| as_text(stored.cell(row, "DatabaseName")).map(str::to_owned))
            .collect()
    }

    /// Where a destination looks for a file: the override of its database, else the history's location.
    pub(crate) fn shipped_path(&self, s: usize, entry: &Entry) -> String {
        let column = if entry.kind == "lg" { "LogFileLocation" } else { "DBFileLocation" };
        let elsewhere = self.servers[s].table("master", "bts_LogShippingDatabases").and_then(|t| {
            t.table
                .rows
                .iter()
                .find(|r| {
                    as_text(t.cell(r, "DatabaseName"))
                        .is_some_and(|d| d.eq_ignore_ascii_case(&entry.database))
                })
                .and_then(|r| as_text(t.cell(r, column)).map(str::to_owned))
        });
        path(elsewhere.as_deref().filter(|e| !e.is_empty()).unwrap_or(&entry.location), &entry.file)
    }
}

/// What faults need to find.
impl State {
    /// The largest database that a destination restores.
    pub(crate) fn largest_shipped(&self, s: usize) -> Option<String> {
        let server = &self.servers[s];
        let pages =
            |d: &String| server.database(d).map_or(0, |d| d.files.iter().map(|f| f.pages).sum::<i64>());
        self.shipped(s).into_iter().max_by_key(pages)
    }

    /// Where a destination would read the newest log of a database that it has not restored.
    pub(crate) fn held_back_path(&self, s: usize, database: &str) -> Option<String> {
        let all = self.imported(s);
        let newest = all.values().rev().find(|x| x.kind == "lg" && x.complete)?;
        let entry =
            newest.entries.iter().find(|e| e.database.eq_ignore_ascii_case(database) && !e.restored)?;
        Some(self.shipped_path(s, entry))
    }

    /// Takes one restored log of a database back, `back` sets before the last: its flag, its history,
    /// and with it everything that came after in truth.
    pub(crate) fn tear_gap(&mut self, s: usize, database: &str, back: usize) -> Option<()> {
        let all = self.imported(s);
        let logs: Vec<Entry> = all
            .values()
            .filter(|x| x.kind == "lg")
            .filter_map(|x| {
                x.entries.iter().find(|e| e.restored && e.database.eq_ignore_ascii_case(database)).cloned()
            })
            .collect();
        let hole = logs.get(logs.len().checked_sub(back + 1)?)?.clone();
        let path = self.shipped_path(s, &hole);
        let set = self.sets.iter().find(|x| x.path == path)?.clone();
        let now = self.at;
        self.set_restored(s, now, database, |id| id == hole.set, false);
        let later: Vec<usize> = (0..self.sets.len())
            .filter(|n| self.sets[*n].first >= set.first && self.sets[*n].kind == 'L')
            .collect();
        let server = &mut self.servers[s];
        let backups = server.msdb.backups.clone();
        server.msdb.restores.retain(|r| {
            !r.database.eq_ignore_ascii_case(database)
                || backups.get(r.backup_set_id as usize - 1).is_none_or(|n| !later.contains(n))
        });
        let db = server.database_mut(database)?;
        db.redo = db.redo.map(|r| super::state::Redo { start: set.first, ..r });
        self.dirty = true;
        Some(())
    }
}
