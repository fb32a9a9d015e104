//! The two every-minute jobs of a log-shipping destination: import the history, restore what may be restored.
//!
//! Does not know how the last set is restored (`mark_job`).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Beat, Next};
use crate::sandbox::answer::Message;
use crate::sandbox::world::biztalk::{BackupSet, Entry, HISTORY, IMPORTED, entries, sets};
use crate::sandbox::world::restore::RestoreAsk;
use crate::sandbox::world::state::State;
use crate::sandbox::world::stored::{NULL, as_int, as_text, at, bit, int, text};

impl State {
    /// BTS Log Shipping - Get Backup History.
    pub(super) fn import_history(&mut self, s: usize, beat: Beat, now: DateTime<Utc>) -> Next {
        if beat == Beat::Begin {
            return Next::later(self.dice.between(250, 1200), Beat::End);
        }
        let Some(shipping) = self.servers[s].shipping.clone() else { return Next::Done(String::new()) };
        let name = &shipping.management_server;
        let link = self.servers[s].linked.iter().find(|l| l.name.eq_ignore_ascii_case(name));
        let source = link.and_then(|l| self.server_index(&l.data_source)).filter(|m| self.reachable(*m));
        let Some(source) = source else {
            return Next::Failed(vec![
                Message {
                    class: 0,
                    ..Message::error(
                        7412,
                        format!(
                            "OLE DB provider \"MSOLEDBSQL\" for linked server \"{name}\" returned message \"Login timeout expired\"."
                        ),
                    )
                },
                Message::error(53, "Named Pipes Provider: Could not open a connection to SQL Server [53]."),
            ]);
        };
        // The reader takes the lock that the writer holds while a set is being written.
        if self.writing_set(source) {
            return Next::later(5000, Beat::End);
        }
        let Some(history) = self.servers[source].table(&shipping.management_database, HISTORY).cloned()
        else {
            return Next::Failed(vec![Message::error(
                208,
                format!("Invalid object name '{}.dbo.{HISTORY}'.", shipping.management_database),
            )]);
        };
        let Some(imported) = self.servers[s].table("master", IMPORTED) else {
            return Next::Failed(vec![Message::error(208, format!("Invalid object name 'dbo.{IMPORTED}'."))]);
        };
        let known = entries(imported).iter().map(|e| e.set).max().unwrap_or(0);
        let fresh: Vec<_> = history
            .table
            .rows
            .iter()
            .filter(|row| as_int(history.cell(row, "BackupSetId")).is_some_and(|id| id > known))
            .cloned()
            .collect();
        let mut shipped = self.shipped(s);
        for row in fresh {
            let cell = |name: &str| history.cell(&row, name).clone();
            let (server, database) = (cell("ServerName"), cell("DatabaseName"));
            let wanted = shipping
                .only_from
                .as_ref()
                .is_none_or(|only| as_text(&server).is_some_and(|x| x.eq_ignore_ascii_case(only)));
            let Some(master) = self.servers[s].database_mut("master") else { continue };
            if wanted
                && as_text(&database).is_some_and(|d| !shipped.iter().any(|k| k.eq_ignore_ascii_case(d)))
            {
                shipped.extend(as_text(&database).map(str::to_owned));
                master.insert(
                    now,
                    "bts_LogShippingDatabases",
                    &[
                        ("SourceID", text(&shipping.source_id)),
                        ("ServerName", server.clone()),
                        ("DatabaseName", database.clone()),
                    ],
                );
            }
            let mut cells = vec![
                ("SourceID", text(&shipping.source_id)),
                ("Restored", bit(false)),
                ("RestoredDateTime", NULL),
            ];
            for name in [
                "BackupId",
                "BackupSetId",
                "MarkName",
                "DatabaseName",
                "ServerName",
                "BackupFileName",
                "BackupFileLocation",
                "BackupType",
                "BackupDateTime",
                "SetComplete",
            ] {
                cells.push((name, cell(name)));
            }
            master.insert(now, IMPORTED, &cells);
        }
        Next::Done(String::new())
    }

    /// Whether a server's backup job is writing a set now (it holds `BTS_BackupJob_Lock`).
    pub(crate) fn writing_set(&self, s: usize) -> bool {
        self.servers[s]
            .agent
            .jobs
            .iter()
            .any(|j| j.run.as_ref().is_some_and(|r| matches!(r.beat, Beat::Backup { .. })))
    }

    /// BTS Log Shipping - Restore Databases: one run goes on while there are files to restore.
    pub(super) fn restore_databases(&mut self, s: usize, beat: Beat, now: DateTime<Utc>) -> Next {
        let Beat::Restore { set, database } = beat else {
            return match beat {
                Beat::Begin => Next::later(self.dice.between(200, 900), Beat::End),
                _ => self.next_restore(s, now),
            };
        };
        let all = self.imported(s);
        let entry = all
            .get(&set)
            .and_then(|x| x.entries.iter().find(|e| e.database.eq_ignore_ascii_case(&database)))
            .cloned();
        let Some(entry) = entry else { return self.next_restore(s, now) };
        let full = entry.kind == "db";
        let ask = RestoreAsk {
            log: !full,
            path: Some(self.shipped_path(s, &entry)),
            replace: full,
            user: self.servers[s].agent_account.clone(),
            ..RestoreAsk::default()
        };
        match self.restore(s, &database, &ask, now) {
            Ok(_) => {
                if full {
                    self.set_restored(s, now, &database, |id| id >= set, false);
                }
                self.set_restored(s, now, &database, |id| id == set, true);
                self.note_last_set(s, now);
                self.next_restore(s, now)
            }
            Err(messages) => {
                // A later valid full repairs; without one each run fails here.
                let repair = valid_full(&self.imported(s), set, &database);
                match repair {
                    Some(full) => self.restore_beat(s, full, database),
                    None => Next::Failed(messages),
                }
            }
        }
    }

    pub(crate) fn imported(&self, s: usize) -> BTreeMap<i64, BackupSet> {
        self.servers[s].table("master", IMPORTED).map(sets).unwrap_or_default()
    }

    fn next_restore(&mut self, s: usize, now: DateTime<Utc>) -> Next {
        if self.servers[s].trouble.paused_from.is_some_and(|p| now >= p && now < self.opened) {
            return Next::Done(String::new());
        }
        match self.restore_due(s) {
            Some((set, database)) => self.restore_beat(s, set, database),
            None => Next::Done(String::new()),
        }
    }

    /// The next set and database to restore, lowest set first.
    fn restore_due(&self, s: usize) -> Option<(i64, String)> {
        let scope = self.shipped(s);
        let all = self.imported(s);
        let held = newest_log(&all, &scope)?;
        let mut best: Option<(i64, String)> = None;
        for database in scope {
            let of = |x: &BackupSet| {
                x.entries.iter().find(|e| e.database.eq_ignore_ascii_case(&database)).cloned()
            };
            let there = self.servers[s].database(&database).is_some();
            let last = all.values().filter(|x| of(x).is_some_and(|e: Entry| e.restored)).map(|x| x.id).max();
            let next = match last.filter(|_| there) {
                None => valid_full(&all, 0, &database),
                Some(last) => all
                    .values()
                    .find(|x| x.kind == "lg" && x.complete && x.id > last && x.id < held && of(x).is_some())
                    .map(|x| x.id),
            };
            if let Some(next) = next {
                if best.as_ref().is_none_or(|(set, _)| next < *set) {
                    best = Some((next, database));
                }
            }
        }
        best
    }

    fn restore_beat(&mut self, s: usize, set: i64, database: String) -> Next {
        let full = self.imported(s).get(&set).is_some_and(|x| x.kind == "db");
        let command = if full { "RESTORE DATABASE" } else { "RESTORE LOG" };
        let ms = match self.servers[s].trouble.restore_ms {
            Some(ms) if !full && self.fresh.is_none() => ms,
            _ if full => self.dice.between(9000, 22_000),
            _ => self.dice.between(700, 2400),
        };
        let doing = Some((command.into(), database.clone()));
        Next::Later { ms, beat: Beat::Restore { set, database }, doing }
    }

    /// Sets `Restored` of a database's rows in the sets picked.
    pub(crate) fn set_restored(
        &mut self,
        s: usize,
        now: DateTime<Utc>,
        database: &str,
        picks: impl Fn(i64) -> bool,
        restored: bool,
    ) {
        let local = self.servers[s].local(now);
        let Some(master) = self.servers[s].database_mut("master") else { return };
        master.update(
            now,
            IMPORTED,
            |t, row| {
                as_int(t.cell(row, "BackupSetId")).is_some_and(&picks)
                    && as_text(t.cell(row, "DatabaseName")).is_some_and(|d| d.eq_ignore_ascii_case(database))
            },
            &[("Restored", bit(restored)), ("RestoredDateTime", if restored { at(local) } else { NULL })],
        );
    }

    /// Notes the last set that every database here has.
    pub(crate) fn note_last_set(&mut self, s: usize, now: DateTime<Utc>) {
        let scope = self.shipped(s);
        let all = self.imported(s);
        let done = |x: &&BackupSet| {
            scope.iter().all(|d| x.entries.iter().any(|e| e.restored && e.database.eq_ignore_ascii_case(d)))
        };
        let Some(last) = all.values().filter(done).map(|x| x.id).max() else { return };
        let Some(id) = self.servers[s].shipping.as_ref().map(|x| x.source_id.clone()) else { return };
        let local = self.servers[s].local(now);
        let Some(master) = self.servers[s].database_mut("master") else { return };
        let cells = [("SourceID", text(id)), ("BackupSetId", int(last)), ("RestoredDateTime", at(local))];
        let table = "bts_LogShippingLastRestoreSet";
        let row = master
            .content
            .tables
            .get(&table.to_lowercase())
            .and_then(|t| t.table.rows.first().map(|r| as_int(t.cell(r, "BackupSetId"))));
        match row {
            None => master.insert(now, table, &cells),
            Some(known) if known != Some(last) => {
                master.update(now, table, |_, _| true, &cells);
            }
            Some(_) => {}
        }
    }
}

/// The newest complete log set that has every database of the scope.
pub(super) fn newest_log(all: &BTreeMap<i64, BackupSet>, scope: &[String]) -> Option<i64> {
    all.values()
        .rev()
        .find(|x| {
            x.kind == "lg"
                && x.complete
                && scope.iter().all(|d| x.entries.iter().any(|e| e.database.eq_ignore_ascii_case(d)))
        })
        .map(|x| x.id)
}

/// The newest complete full set after `after` that has the database and a complete log set behind it.
fn valid_full(all: &BTreeMap<i64, BackupSet>, after: i64, database: &str) -> Option<i64> {
    let last_log = all.values().rev().find(|x| x.kind == "lg" && x.complete)?.id;
    all.values()
        .rev()
        .find(|x| {
            x.kind == "db"
                && x.complete
                && x.id > after
                && x.id < last_log
                && x.entries.iter().any(|e| e.database.eq_ignore_ascii_case(database))
        })
        .map(|x| x.id)
}
