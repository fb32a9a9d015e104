//! Native log shipping: its tables in msdb on primary, secondary and monitor, and what is told to the monitor.
//!
//! What the jobs do is in [`agents`]; the procedures are among the server's. Does not know schedules.

mod agents;
mod alert;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::ids::Guid;
use super::state::State;
use super::stored::{Stored, as_int, as_text, at, guid, int, specs, text};
use crate::sandbox::host::Change;
use crate::sandbox::value::{Table, Value};

pub(crate) use alert::{minutes_since, primary_overdue, secondary_overdue};

pub(crate) const PRIMARIES: &str = "log_shipping_primary_databases";
pub(crate) const PRIMARY_SECONDARIES: &str = "log_shipping_primary_secondaries";
pub(crate) const SECONDARY: &str = "log_shipping_secondary";
pub(crate) const SECONDARIES: &str = "log_shipping_secondary_databases";
pub(crate) const MONITOR_PRIMARY: &str = "log_shipping_monitor_primary";
pub(crate) const MONITOR_SECONDARY: &str = "log_shipping_monitor_secondary";
pub(crate) const MONITOR_HISTORY: &str = "log_shipping_monitor_history_detail";
pub(crate) const MONITOR_ERRORS: &str = "log_shipping_monitor_error_detail";
pub(crate) const MONITOR_ALERT: &str = "log_shipping_monitor_alert";

/// The tables of msdb that log shipping keeps its settings and history in.
pub(crate) const TABLES: &[(&str, &str)] = &[
    (
        PRIMARIES,
        "primary_id uniqueidentifier not null; primary_database sysname not null; backup_directory nvarchar(500) not null; backup_share nvarchar(500) not null; backup_retention_period int not null; backup_job_id uniqueidentifier not null; monitor_server sysname not null; monitor_server_security_mode bit not null; last_backup_file nvarchar(500); last_backup_date datetime; user_specified_monitor bit; backup_compression tinyint not null",
    ),
    (
        PRIMARY_SECONDARIES,
        "primary_id uniqueidentifier not null; secondary_server sysname not null; secondary_database sysname not null",
    ),
    (
        SECONDARY,
        "secondary_id uniqueidentifier not null; primary_server sysname not null; primary_database sysname not null; backup_source_directory nvarchar(500) not null; backup_destination_directory nvarchar(500) not null; file_retention_period int not null; copy_job_id uniqueidentifier not null; restore_job_id uniqueidentifier not null; monitor_server sysname not null; monitor_server_security_mode bit not null; last_copied_file nvarchar(500); last_copied_date datetime",
    ),
    (
        SECONDARIES,
        "secondary_database sysname not null; secondary_id uniqueidentifier not null; restore_delay int not null; restore_all bit not null; restore_mode bit not null; disconnect_users bit not null; block_size int; buffer_count int; max_transfer_size int; last_restored_file nvarchar(500); last_restored_date datetime",
    ),
    (
        MONITOR_PRIMARY,
        "primary_id uniqueidentifier not null; primary_server sysname not null; primary_database sysname not null; backup_threshold int not null; threshold_alert int not null; threshold_alert_enabled bit not null; last_backup_file nvarchar(500); last_backup_date datetime; last_backup_date_utc datetime; history_retention_period int not null",
    ),
    (
        MONITOR_SECONDARY,
        "secondary_server sysname not null; secondary_database sysname not null; secondary_id uniqueidentifier not null; primary_server sysname not null; primary_database sysname not null; restore_threshold int not null; threshold_alert int not null; threshold_alert_enabled bit not null; last_copied_file nvarchar(500); last_copied_date datetime; last_copied_date_utc datetime; last_restored_file nvarchar(500); last_restored_date datetime; last_restored_date_utc datetime; last_restored_latency int; history_retention_period int not null",
    ),
    (
        MONITOR_HISTORY,
        "agent_id uniqueidentifier not null; agent_type tinyint not null; session_id int not null; database_name sysname; session_status tinyint not null; log_time datetime not null; log_time_utc datetime not null; message nvarchar(max) not null",
    ),
    (
        MONITOR_ERRORS,
        "agent_id uniqueidentifier not null; agent_type tinyint not null; session_id int not null; database_name sysname; sequence_number int not null; log_time datetime not null; log_time_utc datetime not null; message nvarchar(max) not null; source nvarchar(4000); help_url nvarchar(4000)",
    ),
    (MONITOR_ALERT, "alert_job_id uniqueidentifier not null"),
];

/// A row by its columns.
pub(crate) type Record = BTreeMap<String, Value>;

/// A text of a row; empty where it is NULL.
pub(crate) fn word(record: &Record, column: &str) -> String {
    record.get(column).and_then(as_text).unwrap_or_default().to_owned()
}
/// A number of a row.
pub(crate) fn number(record: &Record, column: &str) -> i64 {
    record.get(column).and_then(as_int).unwrap_or(0)
}
/// An id of a row.
pub(crate) fn id(record: &Record, column: &str) -> Guid {
    match record.get(column) {
        Some(Value::Guid(g)) => Guid(*g),
        _ => Guid::default(),
    }
}
pub(crate) fn moment(record: &Record, column: &str) -> Option<NaiveDateTime> {
    match record.get(column) {
        Some(Value::DateTime(t)) => Some(*t),
        _ => None,
    }
}

/// What picks rows: columns and the values they have. Texts compare without case.
pub(crate) type Keys<'a> = &'a [(&'a str, Value)];

fn fits(stored: &Stored, row: &[Value], keys: Keys<'_>) -> bool {
    keys.iter().all(|(column, wanted)| match (stored.cell(row, column), wanted) {
        (Value::Text(a), Value::Text(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => a == b,
    })
}

/// Makes the tables in msdb of a server that lacks them.
pub(crate) fn make_tables(server: &mut super::state::Server) {
    let Some(msdb) = server.database_mut("msdb") else { return };
    for (n, (name, columns)) in TABLES.iter().enumerate() {
        let columns = specs(columns).unwrap_or_default().into_iter().map(|s| s.column).collect();
        let stored = Stored {
            name: (*name).to_owned(),
            object_id: 1_333_579_789 + 16 * n as i32,
            table: std::sync::Arc::new(Table { columns, rows: Vec::new() }),
        };
        msdb.content.tables.entry((*name).to_owned()).or_insert(stored);
    }
}

impl State {
    /// Rows of a table of log shipping on a server.
    pub(crate) fn shipping_rows(&self, s: usize, table: &str, keys: Keys<'_>) -> Vec<Record> {
        let Some(stored) = self.servers[s].table("msdb", table) else { return Vec::new() };
        let of = |row: &Vec<Value>| {
            stored.table.columns.iter().zip(row).map(|(c, v)| (c.name.clone(), v.clone())).collect()
        };
        stored.table.rows.iter().filter(|row| fits(stored, row, keys)).map(of).collect()
    }

    /// The first of them.
    pub(crate) fn shipping_row(&self, s: usize, table: &str, keys: Keys<'_>) -> Option<Record> {
        self.shipping_rows(s, table, keys).into_iter().next()
    }

    pub(crate) fn add_shipping(&mut self, s: usize, table: &str, now: DateTime<Utc>, cells: Keys<'_>) {
        if let Some(msdb) = self.servers[s].database_mut("msdb") {
            msdb.insert(now, table, cells);
        }
    }

    /// Sets columns of rows; how many there were.
    pub(crate) fn set_shipping(
        &mut self,
        s: usize,
        table: &str,
        now: DateTime<Utc>,
        keys: Keys<'_>,
        cells: Keys<'_>,
    ) -> usize {
        let Some(msdb) = self.servers[s].database_mut("msdb") else { return 0 };
        msdb.update(now, table, |stored, row| fits(stored, row, keys), cells)
    }

    pub(crate) fn drop_shipping(
        &mut self,
        s: usize,
        table: &str,
        now: DateTime<Utc>,
        keys: Keys<'_>,
    ) -> usize {
        let Some(msdb) = self.servers[s].database_mut("msdb") else { return 0 };
        let Some(stored) = msdb.content.tables.get(table) else { return 0 };
        let rows = &stored.table.rows;
        let gone: Vec<usize> =
            rows.iter().enumerate().filter(|(_, row)| fits(stored, row, keys)).map(|(n, _)| n).collect();
        let count = gone.len();
        if count > 0 {
            msdb.change(now, table, Change::Delete(gone));
        }
        count
    }

    /// The servers whose monitor tables a server writes: its own, and the monitor's if it answers.
    pub(crate) fn monitors(&self, s: usize, monitor: &str) -> Vec<usize> {
        let other = self.server_index(monitor).filter(|m| *m != s && self.reachable(*m));
        std::iter::once(s).chain(other).collect()
    }

    /// Enters a line of an agent's history, here and on the monitor.
    pub(crate) fn shipping_says(&mut self, told: &Told<'_>, status: i64, now: DateTime<Utc>, message: &str) {
        let local = self.servers[told.server].local(now);
        for m in self.monitors(told.server, told.monitor) {
            self.add_shipping(
                m,
                MONITOR_HISTORY,
                now,
                &[
                    ("agent_id", guid(told.agent)),
                    ("agent_type", int(told.kind)),
                    ("session_id", int(told.session)),
                    ("database_name", text(told.database)),
                    ("session_status", int(status)),
                    ("log_time", at(local)),
                    ("log_time_utc", at(now.naive_utc())),
                    ("message", text(message)),
                ],
            );
        }
    }

    /// Enters errors of an agent, here and on the monitor.
    pub(crate) fn shipping_fails(&mut self, told: &Told<'_>, now: DateTime<Utc>, errors: &[String]) {
        let local = self.servers[told.server].local(now);
        for m in self.monitors(told.server, told.monitor) {
            for (n, error) in errors.iter().enumerate() {
                self.add_shipping(
                    m,
                    MONITOR_ERRORS,
                    now,
                    &[
                        ("agent_id", guid(told.agent)),
                        ("agent_type", int(told.kind)),
                        ("session_id", int(told.session)),
                        ("database_name", text(told.database)),
                        ("sequence_number", int(n as i64 + 1)),
                        ("log_time", at(local)),
                        ("log_time_utc", at(now.naive_utc())),
                        ("message", text(error)),
                        ("source", text("Microsoft.SqlServer.Management.LogShipping")),
                        ("help_url", text("")),
                    ],
                );
            }
        }
    }

    /// The next session of an agent.
    pub(crate) fn shipping_session(&self, s: usize, agent: Guid) -> i64 {
        let rows = self.shipping_rows(s, MONITOR_HISTORY, &[("agent_id", guid(agent))]);
        rows.iter().map(|r| number(r, "session_id")).max().unwrap_or(0) + 1
    }

    /// Forgets history that is older than its retention, in minutes.
    pub(crate) fn shipping_forgets(&mut self, s: usize, agent: Guid, minutes: i64, now: DateTime<Utc>) {
        let limit = now.naive_utc() - chrono::TimeDelta::minutes(minutes.clamp(0, 5_000_000));
        for table in [MONITOR_HISTORY, MONITOR_ERRORS] {
            let Some(msdb) = self.servers[s].database_mut("msdb") else { return };
            let Some(stored) = msdb.content.tables.get(table) else { continue };
            let old = |row: &[Value]| {
                *stored.cell(row, "agent_id") == guid(agent)
                    && matches!(stored.cell(row, "log_time_utc"), Value::DateTime(t) if *t < limit)
            };
            let gone: Vec<usize> =
                stored.table.rows.iter().enumerate().filter(|(_, r)| old(r)).map(|(n, _)| n).collect();
            if !gone.is_empty() {
                msdb.change(now, table, Change::Delete(gone));
            }
        }
    }
}

/// Who writes history: an agent's session on a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) server: usize,
    pub(crate) monitor: &'a str,
    pub(crate) agent: Guid,
    /// 0 backup, 1 copy, 2 restore.
    pub(crate) kind: i64,
    pub(crate) session: i64,
    pub(crate) database: &'a str,
}

/// `<database>_<yyyymmddhhmmss>.trn`, the time in UTC.
pub(crate) fn file_of(database: &str, at: DateTime<Utc>) -> String {
    format!("{database}_{}.trn", at.format("%Y%m%d%H%M%S"))
}

/// The time in such a name, if it is a log backup of that database.
pub(crate) fn stamp_of(database: &str, file: &str) -> Option<NaiveDateTime> {
    let name = file.rsplit('\\').next()?;
    let rest =
        name.get(..database.len()).filter(|n| n.eq_ignore_ascii_case(database)).map(|n| &name[n.len()..])?;
    let digits = rest.strip_prefix('_')?.strip_suffix(".trn")?;
    if digits.len() != 14 {
        return None;
    }
    NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S").ok()
}

/// A folder and a file of it.
pub(crate) fn join(folder: &str, file: &str) -> String {
    format!("{}\\{file}", folder.trim_end_matches('\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_in_a_file_name_reads_back() {
        let at: DateTime<Utc> = "2026-03-02T10:15:00Z".parse().unwrap();
        let file = file_of("Orders", at);
        assert_eq!(file, "Orders_20260302101500.trn");
        assert_eq!(stamp_of("orders", &join("D:\\x\\", &file)), Some(at.naive_utc()));
        assert_eq!(stamp_of("Order", &file), None);
        assert_eq!(stamp_of("Orders", "Orders_20260302101500.tuf"), None);
        assert_eq!(stamp_of("Orders", "Orders_Archive_20260302101500.trn"), None);
    }

    #[test]
    fn the_tables_have_the_documented_columns() {
        for (name, columns) in TABLES {
            let own: Vec<String> = specs(columns).unwrap().into_iter().map(|s| s.column.name).collect();
            let known = super::super::columns::sheet(&format!("msdb.dbo.{name}"), 2019);
            let documented: Vec<String> = known.table.columns.iter().map(|c| c.name.clone()).collect();
            assert_eq!(own, documented, "{name}");
        }
    }
}
