//! The two every-minute jobs of a log-shipping destination: import the history, restore what may be restored.
//!
//! Does not know how the last set is restored (`mark_job`).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Beat, Next};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Table, Value};
use crate::sandbox::world::biztalk::{BackupSet, HISTORY, IMPORTED, Sets};
use crate::sandbox::world::restore::RestoreAsk;
use crate::sandbox::world::state::State;
use crate::sandbox::world::stored::{NULL, Stored, as_int, as_text, at, bit, int, text};

impl State {
    /// BTS Log Shipping - Get Backup History.
    pub(super) fn import_history(&mut self, s: usize, beat: &Beat, now: DateTime<Utc>) -> Next {
        if *beat == Beat::Begin {
            return Next::later(self.dice.between(250, 1200), Beat::End);
        }
        let Some(shipping) = &self.servers[s].shipping else { return Next::Done(String::new()) };
        let (name, management) = (&shipping.management_server, &shipping.management_database);
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
        let Some(history) = self.servers[source].table(management, HISTORY) else {
            return Next::Failed(vec![Message::error(
                208,
                format!("Invalid object name '{management}.dbo.{HISTORY}'."),
            )]);
        };
        let Some(imported) = self.servers[s].table("master", IMPORTED) else {
            return Next::Failed(vec![Message::error(208, format!("Invalid object name 'dbo.{IMPORTED}'."))]);
        };
        let known = Sets::of(imported).and_then(|x| x.all.last().map(|l| l.id)).unwrap_or(0);
        let Some(id) = history.column("BackupSetId") else { return Next::Done(String::new()) };
        let is_new = |row: &&Vec<Value>| as_int(&row[id]).is_some_and(|id| id > known);
        let fresh = Stored {
            table: Arc::new(Table {
                columns: history.table.columns.clone(),
                rows: history.table.rows.iter().filter(is_new).cloned().collect(),
            }),
            ..Stored::named(&history.name)
        };
        if fresh.table.rows.is_empty() {
            return Next::Done(String::new());
        }
        let (source_id, only_from) = (shipping.source_id.clone(), shipping.only_from.clone());
        let mut shipped = self.shipped(s);
        for row in &fresh.table.rows {
            let cell = |name: &str| fresh.cell(row, name).clone();
            let (server, database) = (cell("ServerName"), cell("DatabaseName"));
            let ours = |only: &String| as_text(&server).is_some_and(|x| x.eq_ignore_ascii_case(only));
            let wanted = only_from.as_ref().is_none_or(ours);
            let Some(master) = self.servers[s].database_mut("master") else { continue };
            if wanted
                && as_text(&database).is_some_and(|d| !shipped.iter().any(|k| k.eq_ignore_ascii_case(d)))
            {
                shipped.extend(as_text(&database).map(str::to_owned));
                master.insert(
                    now,
                    "bts_LogShippingDatabases",
                    &[
                        ("SourceID", text(&source_id)),
                        ("ServerName", server.clone()),
                        ("DatabaseName", database.clone()),
                    ],
                );
            }
            let mut cells =
                vec![("SourceID", text(&source_id)), ("Restored", bit(false)), ("RestoredDateTime", NULL)];
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
        let full = self.imported(s).and_then(|x| x.set(set).map(|x| !x.log)).unwrap_or(false);
        let Some(path) = self.shipped_path(s, set, &database) else { return self.next_restore(s, now) };
        let ask = RestoreAsk {
            log: !full,
            path: Some(path),
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
                let repair = self.imported(s).and_then(|x| x.valid_full(set, &database));
                match repair {
                    Some(full) => self.restore_beat(s, full, database),
                    None => Next::Failed(messages),
                }
            }
        }
    }

    fn next_restore(&mut self, s: usize, now: DateTime<Utc>) -> Next {
        if self.servers[s].trouble.paused_from.is_some_and(|p| now >= p && now < self.opened) {
            return Next::Done(String::new());
        }
        match self.restore_due(s) {
            Ok(Some((set, database))) => self.restore_beat(s, set, database),
            Ok(None) => Next::Done(String::new()),
            Err(partial) => Next::Failed(vec![Message::error(
                50_000,
                format!(
                    "Backup set {partial} is not complete. The databases wait for a complete full backup set after it."
                ),
            )]),
        }
    }

    /// The next set and database to restore, lowest set first. `Err` = nothing is, for want of a full set behind an
    /// incomplete log set: what follows one cannot be restored.
    fn restore_due(&self, s: usize) -> Result<Option<(i64, String)>, i64> {
        let scope = self.shipped(s);
        let Some(sets) = self.imported(s) else { return Ok(None) };
        let Some(held) = sets.newest_log(&scope).map(|x| x.id) else { return Ok(None) };
        let mut best: Option<(i64, String)> = None;
        let mut stuck = None;
        for database in scope {
            let there = self.servers[s].database(&database).is_some();
            let next = match sets.last_restored(&database).filter(|_| there) {
                None => sets.valid_full(0, &database),
                Some(last) => {
                    let from = sets.all.partition_point(|x| x.id <= last);
                    let fits = |x: &&BackupSet| x.log && x.complete && x.id < held && sets.has(x, &database);
                    let next = sets.all[from..].iter().find(fits).map(|x| x.id);
                    let broken = |x: &&BackupSet| x.log && !x.complete && x.id < next.unwrap_or(held);
                    match sets.all[from..].iter().find(broken) {
                        None => next,
                        Some(partial) => {
                            let full = sets.valid_full(partial.id, &database);
                            if full.is_none() {
                                stuck = Some(partial.id);
                            }
                            full
                        }
                    }
                }
            };
            if let Some(next) = next.filter(|n| best.as_ref().is_none_or(|(set, _)| n < set)) {
                best = Some((next, database));
            }
        }
        match (best, stuck) {
            (None, Some(partial)) => Err(partial),
            (best, _) => Ok(best),
        }
    }

    fn restore_beat(&mut self, s: usize, set: i64, database: String) -> Next {
        let full = self.imported(s).and_then(|x| x.set(set).map(|x| !x.log)).unwrap_or(false);
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
        let Some(stored) = master.content.tables.get(&IMPORTED.to_lowercase()) else { return };
        let (Some(id), Some(name)) = (stored.column("BackupSetId"), stored.column("DatabaseName")) else {
            return;
        };
        let wanted = |row: &[Value]| {
            as_int(&row[id]).is_some_and(&picks)
                && as_text(&row[name]).is_some_and(|d| d.eq_ignore_ascii_case(database))
        };
        let cells =
            [("Restored", bit(restored)), ("RestoredDateTime", if restored { at(local) } else { NULL })];
        master.update(now, IMPORTED, |_, row| wanted(row), &cells);
    }

    /// Notes the last set that every database here has.
    pub(crate) fn note_last_set(&mut self, s: usize, now: DateTime<Utc>) {
        let scope = self.shipped(s);
        let last = self.imported(s).and_then(|sets| {
            let done = |x: &&BackupSet| scope.iter().all(|d| sets.restored(x, d));
            sets.all.iter().rev().find(done).map(|x| x.id)
        });
        let Some(last) = last else { return };
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
