//! The monitor: how everything stands, the alert job, and history that is sent or cleaned.

use super::super::bound::Bound;
use super::super::send;
use super::{Given, drop_job, every_minutes, make_job, rows};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Type, Value};
use crate::sandbox::world::agent::Step;
use crate::sandbox::world::logship::{
    MONITOR_ALERT, MONITOR_ERRORS, MONITOR_HISTORY, MONITOR_PRIMARY, MONITOR_SECONDARY, PRIMARIES, Record,
    SECONDARY, id, minutes_since, moment, number, primary_overdue, secondary_overdue, word,
};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{NULL, bit, guid, int, or_null, text};

pub(super) fn help(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    Bound::new("sp_help_log_shipping_monitor", &[], given)?;
    let (s, now) = (call.s, call.now);
    let since = |r: &Record, column: &str| or_null(moment(r, column), |t| int(minutes_since(t, now)));
    let cell = |r: &Record, column: &str| r.get(column).cloned().unwrap_or(NULL);
    let mut all: Vec<Record> = Vec::new();
    let mut row = |cells: Vec<(&str, Value)>| {
        all.push(cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    };
    for r in call.state.shipping_rows(s, MONITOR_PRIMARY, &[]) {
        let bad = primary_overdue(&r, now).is_some() || last_failed(call, id(&r, "primary_id"), 0);
        row(vec![
            ("status", bit(bad)),
            ("is_primary", bit(true)),
            ("server", text(word(&r, "primary_server"))),
            ("database_name", text(word(&r, "primary_database"))),
            ("time_since_last_backup", since(&r, "last_backup_date_utc")),
            ("last_backup_file", cell(&r, "last_backup_file")),
            ("backup_threshold", cell(&r, "backup_threshold")),
            ("is_backup_alert_enabled", cell(&r, "threshold_alert_enabled")),
        ]);
    }
    for r in call.state.shipping_rows(s, MONITOR_SECONDARY, &[]) {
        let agent = id(&r, "secondary_id");
        let bad = secondary_overdue(&r, now).is_some()
            || last_failed(call, agent, 1)
            || last_failed(call, agent, 2);
        row(vec![
            ("status", bit(bad)),
            ("is_primary", bit(false)),
            ("server", text(word(&r, "secondary_server"))),
            ("database_name", text(word(&r, "secondary_database"))),
            ("time_since_last_copy", since(&r, "last_copied_date_utc")),
            ("last_copied_file", cell(&r, "last_copied_file")),
            ("time_since_last_restore", since(&r, "last_restored_date_utc")),
            ("last_restored_file", cell(&r, "last_restored_file")),
            ("last_restored_latency", cell(&r, "last_restored_latency")),
            ("restore_threshold", cell(&r, "restore_threshold")),
            ("is_restore_alert_enabled", cell(&r, "threshold_alert_enabled")),
        ]);
    }
    send(
        rows(
            "status bit; is_primary bit; server sysname; database_name sysname; time_since_last_backup int; last_backup_file nvarchar(500); backup_threshold int; is_backup_alert_enabled bit; time_since_last_copy int; last_copied_file nvarchar(500); time_since_last_restore int; last_restored_file nvarchar(500); last_restored_latency int; restore_threshold int; is_restore_alert_enabled bit",
            &all,
        ),
        parts,
    );
    Ok(0)
}

/// Whether the last session of an agent ended with an error.
fn last_failed(call: &Call<'_>, agent: crate::sandbox::world::ids::Guid, kind: i64) -> bool {
    let keys = [("agent_id", guid(agent)), ("agent_type", int(kind))];
    let rows = call.state.shipping_rows(call.s, MONITOR_HISTORY, &keys);
    let last = rows.iter().max_by_key(|r| (number(r, "session_id"), number(r, "session_status") > 1));
    last.is_some_and(|r| number(r, "session_status") == 3)
}

pub(super) fn help_primary(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound =
        Bound::new("sp_help_log_shipping_monitor_primary", &["@primary_server", "@primary_database"], given)?;
    let keys = [
        ("primary_server", text(bound.must("@primary_server")?)),
        ("primary_database", text(bound.must("@primary_database")?)),
    ];
    let all = call.state.shipping_rows(call.s, MONITOR_PRIMARY, &keys);
    send(
        rows(
            "primary_id uniqueidentifier; primary_server sysname; primary_database sysname; backup_threshold int; threshold_alert int; threshold_alert_enabled bit; last_backup_file nvarchar(500); last_backup_date datetime; last_backup_date_utc datetime; history_retention_period int",
            &all,
        ),
        parts,
    );
    Ok(0)
}

pub(super) fn help_secondary(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_help_log_shipping_monitor_secondary",
        &["@secondary_server", "@secondary_database"],
        given,
    )?;
    let keys = [
        ("secondary_server", text(bound.must("@secondary_server")?)),
        ("secondary_database", text(bound.must("@secondary_database")?)),
    ];
    let all = call.state.shipping_rows(call.s, MONITOR_SECONDARY, &keys);
    send(
        rows(
            "secondary_server sysname; secondary_database sysname; secondary_id uniqueidentifier; primary_server sysname; primary_database sysname; restore_threshold int; threshold_alert int; threshold_alert_enabled bit; last_copied_file nvarchar(500); last_copied_date datetime; last_copied_date_utc datetime; last_restored_file nvarchar(500); last_restored_date datetime; last_restored_date_utc datetime; last_restored_latency int; history_retention_period int",
            &all,
        ),
        parts,
    );
    Ok(0)
}

/// Raises 14420 and 14421, one error a row.
pub(super) fn check(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    Bound::new("sp_check_log_shipping_monitor_alert", &[], given)?;
    let mut all = call.state.shipping_alerts(call.s, call.now);
    let Some(last) = all.pop() else { return Ok(0) };
    let named = |m: Message| Message { procedure: "sp_check_log_shipping_monitor_alert".into(), ..m };
    for overdue in all {
        let _ = parts.put(Part::Error(named(overdue.0)));
    }
    Err(named(last.0))
}

pub(super) fn add_alert_job(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_add_log_shipping_alert_job", &["@alert_job_id"], given)?;
    let (s, now) = (call.s, call.now);
    let known = call.state.shipping_row(s, MONITOR_ALERT, &[]);
    let job = if let Some(row) = known {
        id(&row, "alert_job_id")
    } else {
        let name = format!("LSAlert_{}", call.server().name);
        let step = Step {
            name: "Log shipping alert job step.".into(),
            command: "EXEC sys.sp_check_log_shipping_monitor_alert".into(),
            ..Step::default()
        };
        let job = make_job(call, &bound, &name, "Log Shipping Alert", step)?;
        every_minutes(call, job, "Log shipping alert job schedule.", 2);
        call.state.add_shipping(s, MONITOR_ALERT, now, &[("alert_job_id", guid(job))]);
        job
    };
    bound.output("@alert_job_id", Type::UniqueIdentifier, guid(job), parts);
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn delete_alert_job(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    Bound::new("sp_delete_log_shipping_alert_job", &[], given)?;
    let (s, now) = (call.s, call.now);
    let watched = |table| call.state.shipping_row(s, table, &[]).is_some();
    // It stays as long as there is something to watch.
    if watched(MONITOR_PRIMARY) || watched(MONITOR_SECONDARY) {
        return Ok(0);
    }
    if let Some(row) = call.state.shipping_row(s, MONITOR_ALERT, &[]) {
        drop_job(call, id(&row, "alert_job_id"));
        call.state.drop_shipping(s, MONITOR_ALERT, now, &[]);
    }
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn help_alert_job(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    Bound::new("sp_help_log_shipping_alert_job", &[], given)?;
    let all = call.state.shipping_rows(call.s, MONITOR_ALERT, &[]);
    send(rows("alert_job_id uniqueidentifier", &all), parts);
    Ok(0)
}

/// 32016
fn no_pair(bound: &Bound<'_>, agent: &str, kind: i64) -> Message {
    bound.error(
        32016,
        format!(
            "The specified agent_id {agent} or agent_type {kind} do not form a valid pair for log shipping monitoring processing."
        ),
    )
}

/// The agent meant, and the monitor it writes to.
fn agent(call: &Call<'_>, bound: &Bound<'_>) -> Outcome<(crate::sandbox::world::ids::Guid, i64, String)> {
    let agent = bound.guid("@agent_id")?.ok_or_else(|| bound.missing("@agent_id"))?;
    let kind = bound.must_int("@agent_type")?;
    let (table, column) = if kind == 0 { (PRIMARIES, "primary_id") } else { (SECONDARY, "secondary_id") };
    let row = call.state.shipping_row(call.s, table, &[(column, guid(agent))]);
    match row.filter(|_| (0..=2).contains(&kind)) {
        Some(row) => Ok((agent, kind, word(&row, "monitor_server"))),
        None => Err(no_pair(bound, &agent.to_string(), kind)),
    }
}

/// Sends what an agent knows to a monitor elsewhere, or takes it away there.
pub(super) fn refresh(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_refresh_log_shipping_monitor",
        &["@agent_id", "@agent_type", "@database", "@mode"],
        given,
    )?;
    let (agent, kind, monitor) = agent(call, &bound)?;
    let mode = bound.among("@mode", &[1, 2])?.unwrap_or(1);
    let (s, now) = (call.s, call.now);
    let Some(there) = call.state.monitors(s, &monitor).get(1).copied() else { return Ok(0) };
    let (table, column) =
        if kind == 0 { (MONITOR_PRIMARY, "primary_id") } else { (MONITOR_SECONDARY, "secondary_id") };
    let own = [(column, guid(agent))];
    let history = [("agent_id", guid(agent)), ("agent_type", int(kind))];
    for (table, keys) in [(table, &own[..]), (MONITOR_HISTORY, &history[..]), (MONITOR_ERRORS, &history[..])]
    {
        call.state.drop_shipping(there, table, now, keys);
        if mode == 1 {
            for row in call.state.shipping_rows(s, table, keys) {
                let cells: Vec<(&str, Value)> = row.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
                call.state.add_shipping(there, table, now, &cells);
            }
        }
    }
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn clean_up(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_cleanup_log_shipping_history", &["@agent_id", "@agent_type"], given)?;
    let (agent, kind, monitor) = agent(call, &bound)?;
    let (s, now) = (call.s, call.now);
    let (table, column) =
        if kind == 0 { (MONITOR_PRIMARY, "primary_id") } else { (MONITOR_SECONDARY, "secondary_id") };
    for m in call.state.monitors(s, &monitor) {
        let row = call.state.shipping_row(m, table, &[(column, guid(agent))]);
        let keep = row.map_or(14_420, |r| number(&r, "history_retention_period"));
        call.state.shipping_forgets(m, agent, keep, now);
    }
    call.state.dirty = true;
    Ok(0)
}
