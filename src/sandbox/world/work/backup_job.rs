//! The steps of the Backup BizTalk Server job: full when due, mark and log backups, clear history.
//!
//! Does not know destinations. It goes where the group's tables send it, linked servers included.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Timelike, Utc};

use super::{Beat, Given, Next, argument};
use crate::sandbox::answer::Message;
use crate::sandbox::host::Change;
use crate::sandbox::value::Value;
use crate::sandbox::world::backup::BackupAsk;
use crate::sandbox::world::biztalk::{Entry, HISTORY, Sets, file_name, mark_name, path};
use crate::sandbox::world::locks::Mode;
use crate::sandbox::world::state::{Marked, State};
use crate::sandbox::world::stored::{Stored, as_int, bit, text};

fn raised(text: impl Into<String>) -> Message {
    Message::error(50_000, text)
}

impl State {
    fn backup_stamp(&self, s: usize, local: bool, now: DateTime<Utc>) -> NaiveDateTime {
        if local { self.servers[s].local(now) } else { self.servers[s].own_clock(now).naive_utc() }
    }

    fn flag(&self, s: usize, management: &str, column: &str) -> bool {
        self.servers[s]
            .table(management, "adm_BackupSettings")
            .is_some_and(|t| t.table.rows.first().is_some_and(|r| as_int(t.cell(r, column)) == Some(1)))
    }

    /// Step 2.
    pub(super) fn back_up_all(
        &mut self,
        s: usize,
        management: &str,
        given: &Given,
        beat: Beat,
        now: DateTime<Utc>,
    ) -> Next {
        if beat != Beat::Begin {
            return self.back_up_one(s, management, beat, now);
        }
        let frequency = argument(given, "@Frequency", 0).unwrap_or_default().to_lowercase();
        let name = argument(given, "@MarkName", 1).unwrap_or("BTS").to_owned();
        let location = cut(argument(given, "@BackupPath", 2).unwrap_or_default());
        let after_partial = argument(given, "@ForceFullBackupAfterPartialSetFailure", 3) == Some("1");
        // Out of range is midnight.
        let hour: Option<u32> =
            argument(given, "@BackupHour", 4).map(|h| h.parse().ok().filter(|h| *h < 24).unwrap_or(0));
        let local = argument(given, "@UseLocalTime", 5) == Some("1");
        if !["h", "d", "w", "m", "y"].contains(&frequency.as_str()) {
            return Next::Failed(vec![
                raised("Unknown value for the parameter @Frequency"),
                raised("sp_BackupAllFull_Schedule failed"),
            ]);
        }
        let stamp = self.backup_stamp(s, local, now);
        if !self.full_is_due(s, management, &frequency, after_partial, hour, stamp, now) {
            return Next::Done(String::new());
        }
        let set = self.next_set_id(s, management, now);
        let mark = mark_name(&name, stamp);
        self.backup_beat(s, management, false, set, mark, location, 0, now)
    }

    #[allow(clippy::too_many_arguments, reason = "the parameters of the procedure")]
    fn full_is_due(
        &self,
        s: usize,
        management: &str,
        frequency: &str,
        after_partial: bool,
        hour: Option<u32>,
        stamp: NaiveDateTime,
        now: DateTime<Utc>,
    ) -> bool {
        if self.flag(s, management, "ForceFull") {
            return true;
        }
        let Some(sets) = self.servers[s].table(management, HISTORY).and_then(Sets::of) else { return false };
        if after_partial {
            let partial = sets.all.iter().filter(|x| !x.complete).map(|x| x.id).max();
            let repaired = |p: i64| sets.all.iter().any(|x| !x.log && x.complete && x.id > p);
            if partial.is_some_and(|p| !repaired(p)) {
                return true;
            }
        }
        let Some(newest) = sets.all.iter().rev().find(|x| !x.log).and_then(|x| sets.stamp(x)) else {
            return true;
        };
        let period = |t: NaiveDateTime| match frequency {
            "h" => t.format("%Y%m%d%H"),
            "w" => t.format("%G%V"),
            "m" => t.format("%Y%m"),
            "y" => t.format("%Y"),
            _ => t.format("%Y%m%d"),
        };
        if period(newest).to_string() == period(stamp).to_string() {
            return false;
        }
        let local_hour = self.servers[s].local(now).hour();
        frequency == "h" || hour.is_none_or(|h| h == local_hour)
    }

    /// Step 3.
    pub(super) fn mark_and_back_up(
        &mut self,
        s: usize,
        management: &str,
        given: &Given,
        beat: Beat,
        now: DateTime<Utc>,
    ) -> Next {
        if beat != Beat::Begin {
            return self.back_up_one(s, management, beat, now);
        }
        let name = argument(given, "@MarkName", 0).unwrap_or("BTS").to_owned();
        let location = cut(argument(given, "@BackupPath", 1).unwrap_or_default());
        let local = argument(given, "@UseLocalTime", 2) == Some("1");
        if self.marks_wait(s, management) {
            return Next::later(1000, Beat::Begin);
        }
        let set = self.next_set_id(s, management, now);
        let mark = mark_name(&name, self.backup_stamp(s, local, now));
        if let Err(mut first) = self.set_marks(s, management, &mark, now) {
            first.push(raised("sp_MarkAll failed running sp_MarkBTSLogs"));
            return Next::Failed(first);
        }
        self.backup_beat(s, management, true, set, mark, location, 0, now)
    }

    /// Whether somebody's transaction stands in the way of the marks.
    fn marks_wait(&self, s: usize, management: &str) -> bool {
        self.scope_of(s, management).iter().any(|(server, database)| {
            let Ok(other) = self.linked(s, server) else { return false };
            let server = &self.servers[other];
            server
                .database(database)
                .is_some_and(|d| server.locks.holder_of(d.id, "marklog", Mode::Exclusive).is_some())
        })
    }

    /// One marked transaction over all databases of the scope.
    fn set_marks(
        &mut self,
        s: usize,
        management: &str,
        mark: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Vec<Message>> {
        let scope = self.scope_of(s, management);
        let mut places = Vec::new();
        for (server, database) in scope {
            let other = self.linked(s, &server).map_err(|m| vec![m])?;
            let db = self.servers[other].database(&database);
            match db.map(|d| (d.state, d.content.tables.contains_key("marklog"))) {
                None => return Err(vec![crate::sandbox::world::state::no_such_database(&database)]),
                Some((crate::sandbox::world::state::DbState::Online, true)) => {}
                Some((crate::sandbox::world::state::DbState::Online, false)) => {
                    return Err(vec![Message {
                        procedure: "sp_MarkBTSLogs".into(),
                        ..Message::error(2812, "Could not find stored procedure 'dbo.sp_SetMark'.")
                    }]);
                }
                Some(_) => return Err(vec![crate::sandbox::world::state::in_restore(&database)]),
            }
            places.push((other, database));
        }
        if let Some((away, _)) = places.iter().find(|(other, _)| *other != s)
            && (self.servers[s].dtc.stopped || self.servers[*away].dtc.stopped)
        {
            let text = format!(
                "The operation could not be performed because OLE DB provider \"SQLNCLI11\" for linked server \"{}\" was unable to begin a distributed transaction.",
                self.servers[*away].name
            );
            return Err(vec![Message { state: 2, ..Message::error(7391, text) }]);
        }
        let user = self.servers[s].agent_account.clone();
        for (other, database) in places {
            let busy = self.biztalk_works_on(other);
            let server = &mut self.servers[other];
            let local = server.local(now);
            let Some(db) = server.database_mut(&database) else { continue };
            db.work(now, busy, &mut self.dice);
            let tran = db.begin(now, Some(mark));
            if let Some(row) = db.content.tables.get("marklog").map(|t| t.row_of(&[("MarkName", text(mark))]))
            {
                db.edit(now, tran, "MarkLog", Change::Insert(vec![row]));
            }
            let lsn = db.commit(now, tran, Some(mark.to_owned()));
            let database = db.name.clone();
            server.msdb.marks.push(Marked {
                database,
                mark: mark.to_owned(),
                description: "BTS_LogMark".into(),
                user: user.clone(),
                lsn,
                at: local,
            });
        }
        Ok(())
    }

    fn scope_of(&self, s: usize, management: &str) -> Vec<(String, String)> {
        self.servers[s].database(management).map(|db| self.backup_scope(s, db)).unwrap_or_default()
    }

    /// The server of that name as this one reaches it.
    fn linked(&self, s: usize, name: &str) -> Result<usize, Message> {
        let this = &self.servers[s];
        if this.name.eq_ignore_ascii_case(name) {
            return Ok(s);
        }
        let link = this.linked.iter().find(|l| l.name.eq_ignore_ascii_case(name));
        let Some(link) = link else {
            return Err(Message {
                state: 2,
                class: 11,
                ..Message::error(
                    7202,
                    format!(
                        "Could not find server '{name}' in sys.servers. Verify that the correct server name was specified. If necessary, execute the stored procedure sp_addlinkedserver to add the server to sys.servers."
                    ),
                )
            });
        };
        if !link.rpc_out {
            return Err(Message::error(7411, format!("Server '{name}' is not configured for RPC.")));
        }
        self.server_index(&link.data_source).filter(|other| self.reachable(*other)).ok_or_else(|| Message {
            class: 16,
            ..Message::error(53, "Named Pipes Provider: Could not open a connection to SQL Server [53].")
        })
    }

    #[allow(clippy::too_many_arguments, reason = "the place in a run")]
    fn backup_beat(
        &mut self,
        s: usize,
        management: &str,
        log: bool,
        set: i64,
        mark: String,
        location: String,
        index: usize,
        now: DateTime<Utc>,
    ) -> Next {
        let scope = self.scope_of(s, management);
        let Some((_, database)) = scope.get(index) else {
            return self.end_of_set(s, management, log, set, now);
        };
        let command = if log { "BACKUP LOG" } else { "BACKUP DATABASE" };
        let ms = if log { self.dice.between(900, 3200) } else { self.dice.between(6000, 16_000) };
        Next::Later {
            ms,
            beat: Beat::Backup { log, set, mark, location, index, from: now },
            doing: Some((command.into(), database.clone())),
        }
    }

    fn back_up_one(&mut self, s: usize, management: &str, beat: Beat, now: DateTime<Utc>) -> Next {
        let Beat::Backup { log, set, mark, location, index, from } = beat else {
            return Next::Done(String::new());
        };
        let scope = self.scope_of(s, management);
        let Some((server, database)) = scope.get(index).cloned() else {
            return self.end_of_set(s, management, log, set, now);
        };
        let what = if log { "Failed running the log backup on" } else { "Failed running the backup on" };
        let failed = |mut first: Vec<Message>| {
            first.push(raised(format!("{what} {server}.{database}")));
            first.push(raised(if log { "sp_MarkAll failed" } else { "Failed running sp_BackupAllFull" }));
            Next::Failed(first)
        };
        let other = match self.linked(s, &server) {
            Ok(other) => other,
            Err(message) => return failed(vec![message]),
        };
        let procedure = if log { "sp_BackupBizTalkLog" } else { "sp_BackupBizTalkFull" };
        let plumbed = |d: &crate::sandbox::world::state::Database| {
            d.content.procedures.iter().any(|(p, _)| p.eq_ignore_ascii_case(procedure))
        };
        if self.servers[other].database(&database).is_some_and(|d| d.closed().is_none() && !plumbed(d)) {
            let text = format!("Could not find stored procedure '{database}.dbo.{procedure}'.");
            return failed(vec![Message { state: 62, ..Message::error(2812, text) }]);
        }
        let file = file_name(&self.servers[other].name, &database, log, &mark);
        let ask = BackupAsk {
            log,
            path: path(&location, &file),
            user: self.servers[s].agent_account.clone(),
            ..BackupAsk::default()
        };
        if let Err(messages) = self.backup(other, &database, &ask, from, now) {
            return failed(messages);
        }
        let stamp = stamp_of(&mark);
        let entry = Entry {
            set,
            mark: log.then(|| mark.clone()),
            database,
            server,
            file,
            location: location.clone(),
            log,
            stamp,
        };
        self.history_row(s, management, now, &entry);
        self.backup_beat(s, management, log, set, mark, location, index + 1, now)
    }

    fn end_of_set(&mut self, s: usize, management: &str, log: bool, set: i64, now: DateTime<Utc>) -> Next {
        self.complete_set(s, management, now, set);
        if !log && let Some(db) = self.servers[s].database_mut(management) {
            db.update(now, "adm_BackupSettings", |_, _| true, &[("ForceFull", bit(false))]);
        }
        Next::Done(String::new())
    }

    /// Step 4: rows of whole sets that are older, if a later full set exists.
    pub(super) fn clear_history(
        &mut self,
        s: usize,
        management: &str,
        given: &Given,
        now: DateTime<Utc>,
    ) -> Next {
        let local = argument(given, "@UseLocalTime", 1) == Some("1");
        let clock = self.backup_stamp(s, local, now);
        let days = argument(given, "@DaysToKeep", 0).and_then(|d| d.parse::<i64>().ok()).unwrap_or(0);
        let Some(db) = self.servers[s].database_mut(management) else { return Next::Done(String::new()) };
        let Some(history) = db.content.tables.get("adm_backuphistory") else {
            return Next::Done(String::new());
        };
        if days > 0 {
            let limit = clock - TimeDelta::days(days.min(100_000));
            let last_full = Sets::of(history)
                .and_then(|sets| sets.all.iter().rev().find(|x| !x.log && x.complete).map(|x| x.id));
            let old = |t: &Stored, row: &[Value]| {
                matches!(t.cell(row, "BackupDateTime"), Value::DateTime(d) if *d < limit)
                    && as_int(t.cell(row, "BackupSetId")) < last_full
            };
            let gone: Vec<usize> = history
                .table
                .rows
                .iter()
                .enumerate()
                .filter(|(_, row)| old(history, row))
                .map(|(n, _)| n)
                .collect();
            if !gone.is_empty() {
                db.change(now, "adm_backuphistory", Change::Delete(gone));
            }
        }
        Next::Done(String::new())
    }
}

/// The parameter holds so much of a path and no more, without a word.
fn cut(path: &str) -> String {
    path.chars().take(128).collect()
}

/// The time inside a mark.
fn stamp_of(mark: &str) -> Option<NaiveDateTime> {
    let parts: Vec<&str> = mark.rsplitn(8, '_').collect();
    let [ms, second, minute, hour, day, month, year, ..] = parts.as_slice() else { return None };
    let time = format!("{year}-{month}-{day} {hour}:{minute}:{second}.{ms}");
    NaiveDateTime::parse_from_str(&time, "%Y-%m-%d %H:%M:%S%.f").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_in_a_mark_reads_back() {
        let stamp =
            chrono::NaiveDate::from_ymd_opt(2024, 3, 1).unwrap().and_hms_milli_opt(2, 0, 5, 123).unwrap();
        let mark = mark_name("BTS_LONGER", stamp);
        assert_eq!(mark, "BTS_LONG_2024_03_01_02_00_05_123");
        assert_eq!(stamp_of(&mark), Some(stamp));
    }
}
