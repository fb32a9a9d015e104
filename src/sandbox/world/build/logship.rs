//! Sets native log shipping up as a management tool would: by script, on primary, secondaries and monitor.
//!
//! Does not know what the jobs do when they run.

use chrono::{DateTime, Utc};

use super::Making;
use crate::clock::Span;
use crate::sandbox::world::plan::{Shipped, ShippedTo};
use crate::sandbox::world::state::State;

/// Minutes after the backup at which the copy and restore jobs run.
const COPY_AFTER: i64 = 5;
const RESTORE_AFTER: i64 = 10;

pub(super) fn set_up(making: &Making<'_>, state: &mut State, began: DateTime<Utc>) -> Result<(), String> {
    for shipped in &making.plan.log_shipping {
        one(making, state, shipped, began)?;
    }
    Ok(())
}

fn run(state: &mut State, server: &str, sql: &str, now: DateTime<Utc>) -> Result<(), String> {
    let s = state.server_index(server).ok_or_else(|| format!("no server {server}"))?;
    state.run_script(s, "master", sql, now).map_err(|all| {
        let words: Vec<String> = all.iter().map(|m| format!("{} {}", m.number, m.text)).collect();
        format!("log shipping cannot be set up on {server}: {}", words.join("; "))
    })
}

fn text(value: &str) -> String {
    format!("N'{}'", value.replace('\'', "''"))
}

/// `hhmmss` of so many minutes after midnight.
const fn clock(minutes: i64) -> i64 {
    minutes / 60 * 10_000 + minutes % 60 * 100
}

fn schedule(job: &str, name: &str, every: i64, first: i64) -> String {
    format!(
        "EXEC msdb.dbo.sp_add_jobschedule @job_id = {job}, @name = {}, @enabled = 1, @freq_type = 4, @freq_interval = 1, @freq_subday_type = 4, @freq_subday_interval = {every}, @active_start_time = {}, @active_end_time = 235900;
EXEC msdb.dbo.sp_update_job @job_id = {job}, @enabled = 1;\n",
        text(name),
        clock(first),
    )
}

fn one(making: &Making<'_>, state: &mut State, shipped: &Shipped, now: DateTime<Utc>) -> Result<(), String> {
    let every = shipped.every.parse::<Span>()?.ms / 60_000;
    let keep = shipped.keep.parse::<Span>()?.ms / 60_000;
    let monitor =
        shipped.monitor.as_ref().map_or(String::new(), |m| format!(", @monitor_server = {}", text(m)));
    let folders = std::iter::once((&shipped.primary, &shipped.share))
        .chain(shipped.secondaries.iter().map(|s| (&s.server, &s.folder)));
    for (server, folder) in folders {
        let machine = state.server_index(server).map_or("", |s| state.servers[s].machine()).to_owned();
        making.files.make_folder(&machine, folder).map_err(|e| format!("folder {folder}: {e}"))?;
    }
    let database = &shipped.database;
    let first = format!("{}\\{database}_initial.bak", shipped.share.trim_end_matches('\\'));
    let script = format!(
        "DECLARE @job uniqueidentifier, @primary uniqueidentifier;
BACKUP DATABASE [{database}] TO DISK = {first} WITH INIT;
EXEC master.dbo.sp_add_log_shipping_primary_database @database = {name}, @backup_directory = {share}, @backup_share = {share}, @backup_job_name = {job}, @backup_retention_period = {keep}, @backup_threshold = {threshold}, @threshold_alert_enabled = 1, @history_retention_period = 5760, @backup_job_id = @job OUTPUT, @primary_id = @primary OUTPUT{monitor};
{schedule}",
        first = text(&first),
        name = text(database),
        share = text(&shipped.share),
        job = text(&format!("LSBackup_{database}")),
        threshold = shipped.backup_threshold,
        schedule = schedule("@job", &format!("LSBackupSchedule_{}", shipped.primary), every, 0),
    );
    run(state, &shipped.primary, &script, now)?;
    for to in &shipped.secondaries {
        secondary(state, shipped, to, &Rhythm { every, keep, monitor: &monitor, first: &first }, now)?;
    }
    let watchers: Vec<&String> = match &shipped.monitor {
        Some(monitor) => vec![monitor],
        None => {
            std::iter::once(&shipped.primary).chain(shipped.secondaries.iter().map(|s| &s.server)).collect()
        }
    };
    for server in watchers {
        run(
            state,
            server,
            "DECLARE @job uniqueidentifier; EXEC master.dbo.sp_add_log_shipping_alert_job @alert_job_id = @job OUTPUT",
            now,
        )?;
    }
    Ok(())
}

/// What all secondaries of a database share.
struct Rhythm<'a> {
    every: i64,
    keep: i64,
    monitor: &'a str,
    first: &'a str,
}

fn secondary(
    state: &mut State,
    shipped: &Shipped,
    to: &ShippedTo,
    rhythm: &Rhythm<'_>,
    now: DateTime<Utc>,
) -> Result<(), String> {
    let source = &shipped.database;
    let database = to.database.as_ref().unwrap_or(source);
    let mode = if to.standby {
        format!(
            "STANDBY = {}",
            text(&format!("{}\\{database}_initial.tuf", to.folder.trim_end_matches('\\')))
        )
    } else {
        "NORECOVERY".to_owned()
    };
    let name = format!("{}_{source}", shipped.primary);
    let script = format!(
        "RESTORE DATABASE [{database}] FROM DISK = {first} WITH {mode};
DECLARE @copy uniqueidentifier, @restore uniqueidentifier, @secondary uniqueidentifier;
EXEC master.dbo.sp_add_log_shipping_secondary_primary @primary_server = {primary}, @primary_database = {source}, @backup_source_directory = {share}, @backup_destination_directory = {folder}, @copy_job_name = {copy}, @restore_job_name = {restore}, @file_retention_period = {keep}, @copy_job_id = @copy OUTPUT, @restore_job_id = @restore OUTPUT, @secondary_id = @secondary OUTPUT{monitor};
{copies}{restores}EXEC master.dbo.sp_add_log_shipping_secondary_database @secondary_database = {target}, @primary_server = {primary}, @primary_database = {source}, @restore_delay = {delay}, @restore_all = {all}, @restore_mode = {standby}, @disconnect_users = {out}, @restore_threshold = {threshold}, @threshold_alert_enabled = 1, @history_retention_period = 5760;",
        first = text(rhythm.first),
        primary = text(&shipped.primary),
        source = text(source),
        share = text(&shipped.share),
        folder = text(&to.folder),
        copy = text(&format!("LSCopy_{name}")),
        restore = text(&format!("LSRestore_{name}")),
        keep = rhythm.keep,
        monitor = rhythm.monitor,
        copies = schedule("@copy", "DefaultCopyJobSchedule", rhythm.every, COPY_AFTER % rhythm.every),
        restores =
            schedule("@restore", "DefaultRestoreJobSchedule", rhythm.every, RESTORE_AFTER % rhythm.every),
        target = text(database),
        delay = to.delay,
        all = i64::from(to.restore_all),
        standby = i64::from(to.standby),
        out = i64::from(to.disconnect_users),
        threshold = to.restore_threshold,
    );
    run(state, &to.server, &script, now)
}
