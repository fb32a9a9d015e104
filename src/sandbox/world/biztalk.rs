//! BizTalk's tables as its jobs see them: backup history, sets, marks, and who is in the group.
//!
//! Does not know when jobs run.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::state::{Database, State};
use super::stored::{NULL, Stored, as_int, as_text, at, bit, int, text};
use crate::sandbox::value::Value;

/// A row of backup history to be written.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) set: i64,
    pub(crate) mark: Option<String>,
    pub(crate) database: String,
    pub(crate) server: String,
    pub(crate) file: String,
    pub(crate) location: String,
    pub(crate) log: bool,
    pub(crate) stamp: Option<NaiveDateTime>,
}

pub(crate) const HISTORY: &str = "adm_BackupHistory";
pub(crate) const IMPORTED: &str = "bts_LogShippingHistory";

/// A history table, on the source or as imported, by sets.
pub(crate) struct Sets<'a> {
    rows: &'a [Vec<Value>],
    mark: usize,
    database: usize,
    file: usize,
    location: usize,
    restored: Option<usize>,
    stamp: usize,
    /// Set id and row, by set.
    order: Vec<(i64, usize)>,
    /// In the order of their ids.
    pub(crate) all: Vec<BackupSet>,
}

/// One set: which rows of the table it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BackupSet {
    pub(crate) id: i64,
    pub(crate) log: bool,
    pub(crate) complete: bool,
    /// Where its rows stand in [`Sets::order`].
    from: usize,
    to: usize,
}

impl<'a> Sets<'a> {
    /// The sets of a history table; none when it lacks a column that every such table has.
    pub(crate) fn of(stored: &'a Stored) -> Option<Self> {
        let set = stored.column("BackupSetId")?;
        let kind = stored.column("BackupType")?;
        let complete = stored.column("SetComplete")?;
        let all_rows = &stored.table.rows;
        let mut order: Vec<(i64, usize)> = Vec::with_capacity(all_rows.len());
        order.extend(all_rows.iter().enumerate().filter_map(|(n, row)| Some((as_int(&row[set])?, n))));
        order.sort_by_key(|(id, _)| *id);
        let mut all: Vec<BackupSet> = Vec::new();
        for (at, (id, n)) in order.iter().enumerate() {
            let row = &all_rows[*n];
            let done = row[complete] == Value::Bit(true);
            match all.last_mut() {
                Some(last) if last.id == *id => {
                    last.complete &= done;
                    last.to = at + 1;
                }
                _ => {
                    let log = as_text(&row[kind]) == Some("lg");
                    all.push(BackupSet { id: *id, log, complete: done, from: at, to: at + 1 });
                }
            }
        }
        Some(Self {
            rows: &stored.table.rows,
            mark: stored.column("MarkName")?,
            database: stored.column("DatabaseName")?,
            file: stored.column("BackupFileName")?,
            location: stored.column("BackupFileLocation")?,
            restored: stored.column("Restored"),
            stamp: stored.column("BackupDateTime")?,
            order,
            all,
        })
    }

    /// The set of that id.
    pub(crate) fn set(&self, id: i64) -> Option<&BackupSet> {
        self.all.binary_search_by_key(&id, |x| x.id).ok().map(|n| &self.all[n])
    }
    fn rows_of(&self, set: &BackupSet) -> impl Iterator<Item = usize> + '_ {
        self.order[set.from..set.to].iter().map(|(_, n)| *n)
    }
    /// A database's row in a set.
    pub(crate) fn row(&self, set: &BackupSet, database: &str) -> Option<usize> {
        self.rows_of(set).find(|n| {
            as_text(&self.rows[*n][self.database]).is_some_and(|d| d.eq_ignore_ascii_case(database))
        })
    }
    pub(crate) fn has(&self, set: &BackupSet, database: &str) -> bool {
        self.row(set, database).is_some()
    }
    /// Whether a database has that set.
    pub(crate) fn restored(&self, set: &BackupSet, database: &str) -> bool {
        let Some(column) = self.restored else { return false };
        self.row(set, database).is_some_and(|n| self.rows[n][column] == Value::Bit(true))
    }
    /// The newest set that a database has.
    pub(crate) fn last_restored(&self, database: &str) -> Option<i64> {
        self.all.iter().rev().find(|x| self.restored(x, database)).map(|x| x.id)
    }
    pub(crate) fn mark(&self, set: &BackupSet) -> Option<&'a str> {
        self.rows_of(set).find_map(|n| as_text(&self.rows[n][self.mark]))
    }
    pub(crate) fn stamp(&self, set: &BackupSet) -> Option<NaiveDateTime> {
        self.rows_of(set).find_map(|n| match self.rows[n][self.stamp] {
            Value::DateTime(t) => Some(t),
            _ => None,
        })
    }
    /// Folder and name of a row's file.
    pub(crate) fn place(&self, row: usize) -> (&'a str, &'a str) {
        let word = |column: usize| as_text(&self.rows[row][column]).unwrap_or_default();
        (word(self.location), word(self.file))
    }
    /// The newest complete log set that has every database of the scope.
    pub(crate) fn newest_log(&self, scope: &[String]) -> Option<&BackupSet> {
        self.all.iter().rev().find(|x| x.log && x.complete && scope.iter().all(|d| self.has(x, d)))
    }
    /// The newest complete full set after `after` that has the database and a complete log set behind it.
    pub(crate) fn valid_full(&self, after: i64, database: &str) -> Option<i64> {
        let last_log = self.all.iter().rev().find(|x| x.log && x.complete)?.id;
        let fits = |x: &&BackupSet| !x.log && x.complete && x.id < last_log && self.has(x, database);
        self.all.iter().rev().take_while(|x| x.id > after).find(fits).map(|x| x.id)
    }
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
                ("BackupType", text(if entry.log { "lg" } else { "db" })),
                ("BackupDateTime", entry.stamp.map_or(NULL, at)),
                ("SetComplete", bit(false)),
            ],
        );
    }

    /// Marks all rows of a set complete.
    pub(crate) fn complete_set(&mut self, s: usize, management: &str, now: DateTime<Utc>, set: i64) {
        let Some(db) = self.servers[s].database_mut(management) else { return };
        let Some(stored) = db.content.tables.get(&HISTORY.to_lowercase()) else { return };
        let Some(id) = stored.column("BackupSetId") else { return };
        db.update(now, HISTORY, |_, row| as_int(&row[id]) == Some(set), &[("SetComplete", bit(true))]);
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

    /// What a destination has imported.
    pub(crate) fn imported(&self, s: usize) -> Option<Sets<'_>> {
        Sets::of(self.servers[s].table("master", IMPORTED)?)
    }

    /// Where a destination looks for the file of a history row: the override of its database, else the
    /// history's location.
    pub(crate) fn shipped_path(&self, s: usize, set: i64, database: &str) -> Option<String> {
        let sets = self.imported(s)?;
        let found = sets.set(set)?;
        let (location, file) = sets.place(sets.row(found, database)?);
        let column = if found.log { "LogFileLocation" } else { "DBFileLocation" };
        let elsewhere = self.servers[s].table("master", "bts_LogShippingDatabases").and_then(|t| {
            let (name, at) = (t.column("DatabaseName")?, t.column(column)?);
            let fits = |r: &&Vec<Value>| as_text(&r[name]).is_some_and(|d| d.eq_ignore_ascii_case(database));
            t.table.rows.iter().find(fits).and_then(|r| as_text(&r[at]))
        });
        Some(path(elsewhere.filter(|e| !e.is_empty()).unwrap_or(location), file))
    }
}

/// What running BizTalk computers do.
impl State {
    /// Tracking data moves to where it is kept, once a minute while BizTalk runs.
    pub(crate) fn beat_of_biztalk(&mut self, now: DateTime<Utc>) {
        let coarse = self.fresh.is_some() && now < self.opened - chrono::TimeDelta::minutes(70);
        let next = now + chrono::TimeDelta::minutes(if coarse { 15 } else { 1 });
        self.biztalk.next_beat = Some(next);
        let Some(home) = self.biztalk.connected_to else { return };
        let moved = self.dice.between(40, 400);
        let online = |d: &&Database| d.role == "tracking" && d.state == super::state::DbState::Online;
        let tracks = |s: &usize| self.servers[*s].databases.iter().any(|d| online(&d));
        let Some(s) = std::iter::once(home).chain(self.biztalk.also.iter().copied()).find(tracks) else {
            return;
        };
        let Some(db) = self.servers[s].databases.iter_mut().find(|d| online(&&**d)) else { return };
        let table = "tdds_streamstatus";
        let Some(stored) = db.content.tables.get(table) else { return };
        let Some(column) = stored.column("lastSeqNum") else { return };
        let mut rows = Vec::new();
        for (n, row) in stored.table.rows.iter().enumerate() {
            let mut row = row.clone();
            row[column] = int(as_int(&row[column]).unwrap_or(0) + moved + n as i64);
            rows.push((n, row));
        }
        db.change(now, table, crate::sandbox::host::Change::Update(rows));
    }
}

/// What faults need to find.
impl State {
    /// Where a destination would read the newest log of a database that it has not restored.
    pub(crate) fn held_back_path(&self, s: usize, database: &str) -> Option<String> {
        let sets = self.imported(s)?;
        let newest = sets.all.iter().rev().find(|x| x.log && x.complete)?;
        if sets.restored(newest, database) {
            return None;
        }
        self.shipped_path(s, newest.id, database)
    }

    /// The real file of that log; `Err` = there is none, in words.
    pub(crate) fn held_back_file(&self, s: usize, database: &str) -> Result<std::path::PathBuf, String> {
        let server = &self.servers[s];
        let none = || format!("{} has no set of {database} that is still to be restored", server.name);
        let path = self.held_back_path(s, database).ok_or_else(none)?;
        self.files.place(server.machine(), &path).map_err(|_| none())
    }

    /// Takes one restored log of a database back, `back` sets before the last: its flag, its history,
    /// and with it everything that came after in truth.
    pub(crate) fn tear_gap(&mut self, s: usize, database: &str, back: usize) -> Option<()> {
        let sets = self.imported(s)?;
        let logs: Vec<i64> =
            sets.all.iter().filter(|x| x.log && sets.restored(x, database)).map(|x| x.id).collect();
        let hole = *logs.get(logs.len().checked_sub(back + 1)?)?;
        let path = self.shipped_path(s, hole, database)?;
        let set = self.sets.iter().find(|x| x.path == path)?.clone();
        let now = self.at;
        self.set_restored(s, now, database, |id| id == hole, false);
        let later = |x: &super::state::Set| x.kind == 'L' && x.first >= set.first;
        let gone: Vec<bool> = self.sets.iter().map(later).collect();
        let server = &mut self.servers[s];
        let backups = server.msdb.backups.clone();
        server.msdb.restores.retain(|r| {
            !r.database.eq_ignore_ascii_case(database)
                || backups.get(r.backup_set_id as usize - 1).is_none_or(|n| !gone[*n])
        });
        let db = server.database_mut(database)?;
        db.redo = db.redo.map(|r| super::state::Redo { start: set.first, ..r });
        self.dirty = true;
        Some(())
    }
}
