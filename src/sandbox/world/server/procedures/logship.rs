//! Log shipping's procedures in master: primaries, secondaries, and the monitor.
//!
//! Each against its documented parameters, columns and errors; the ones for internal use are refused.

mod monitor;
mod primary;
mod secondary;

use super::bound::Bound;
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Column, Table, Value};
use crate::sandbox::world::agent::{Job, Schedule, Step};
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::logship::{Record, word};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::kind_of;

type Given<'a> = &'a [(Option<String>, Value)];

/// `Ok(None)` = it is none of these.
pub(super) fn run(
    call: &mut Call<'_>,
    name: &str,
    given: Given<'_>,
    parts: &mut Kept,
) -> Outcome<Option<i32>> {
    let act = match name {
        "sp_add_log_shipping_primary_database" => primary::add,
        "sp_change_log_shipping_primary_database" => primary::change,
        "sp_delete_log_shipping_primary_database" => primary::delete,
        "sp_help_log_shipping_primary_database" => primary::help,
        "sp_add_log_shipping_primary_secondary" => primary::add_secondary,
        "sp_delete_log_shipping_primary_secondary" => primary::delete_secondary,
        "sp_help_log_shipping_primary_secondary" => primary::help_secondaries,
        "sp_add_log_shipping_secondary_primary" => secondary::add_primary,
        "sp_change_log_shipping_secondary_primary" => secondary::change_primary,
        "sp_delete_log_shipping_secondary_primary" => secondary::delete_primary,
        "sp_help_log_shipping_secondary_primary" => secondary::help_primary,
        "sp_add_log_shipping_secondary_database" => secondary::add,
        "sp_change_log_shipping_secondary_database" => secondary::change,
        "sp_delete_log_shipping_secondary_database" => secondary::delete,
        "sp_help_log_shipping_secondary_database" => secondary::help,
        "sp_add_log_shipping_alert_job" => monitor::add_alert_job,
        "sp_delete_log_shipping_alert_job" => monitor::delete_alert_job,
        "sp_help_log_shipping_alert_job" => monitor::help_alert_job,
        "sp_help_log_shipping_monitor" => monitor::help,
        "sp_help_log_shipping_monitor_primary" => monitor::help_primary,
        "sp_help_log_shipping_monitor_secondary" => monitor::help_secondary,
        "sp_check_log_shipping_monitor_alert" => monitor::check,
        "sp_refresh_log_shipping_monitor" => monitor::refresh,
        "sp_cleanup_log_shipping_history" => monitor::clean_up,
        _ if name.contains("log_shipping") || name.starts_with("sp_processlogshipping") => {
            return Err(Message::not_modelled(name));
        }
        _ => return Ok(None),
    };
    call.only_sysadmin(name, "master")?;
    act(call, given, parts).map(Some)
}

/// Rows as a result set; columns written as `name type; …`, each taken from the row by its name.
fn rows(columns: &str, records: &[Record]) -> Table {
    let columns: Vec<Column> = columns
        .split(';')
        .filter_map(|c| c.trim().split_once(' '))
        .filter_map(|(name, kind)| Some(Column::new(name, kind_of(kind.trim()).ok()?)))
        .collect();
    let row = |r: &Record| columns.iter().map(|c| r.get(&c.name).cloned().unwrap_or(Value::Null)).collect();
    let rows = records.iter().map(row).collect();
    Table { columns, rows }
}

/// A new job of log shipping, disabled, without a schedule; its id.
fn make_job(call: &mut Call<'_>, bound: &Bound<'_>, name: &str, category: &str, step: Step) -> Outcome<Guid> {
    let agent = &call.server().agent;
    if let Some(j) = agent.job_named(name) {
        // A job of that category is taken over, another is in the way.
        if agent.category_name(agent.jobs[j].category) != category {
            return Err(bound.error(
                32022,
                format!(
                    "Cannot add a log shipping job with name {name}. A job with same name already exists in the system and this job does not belong to log shipping category."
                ),
            ));
        }
        let id = agent.jobs[j].id;
        call.server_mut().agent.jobs[j].steps = vec![step];
        return Ok(id);
    }
    let id = call.state.dice.guid();
    let uid = call.state.dice.guid();
    let local = call.server().local(call.now);
    let owner = call.who.login.clone();
    let known = call.server().logins.iter().any(|l| l.name == owner);
    let agent = &mut call.server_mut().agent;
    let category = agent.category_called(category);
    agent.jobs.push(Job {
        id,
        name: name.to_owned(),
        enabled: false,
        category,
        owner: if known { owner } else { "sa".into() },
        created: local,
        modified: local,
        version: 1,
        start_step: 1,
        steps: vec![Step { uid, ..step }],
        ..Job::default()
    });
    call.state.dirty = true;
    Ok(id)
}

/// The step that runs the program of log shipping.
fn program(call: &Call<'_>, name: &str, option: &str, id: Guid) -> Step {
    let server = call.server();
    Step {
        name: name.to_owned(),
        subsystem: "CmdExec".into(),
        command: format!(
            "\"C:\\Program Files\\Microsoft SQL Server\\{}0\\Tools\\Binn\\sqllogship.exe\" -{option} {id} -server {}",
            server.version.0, server.name
        ),
        ..Step::default()
    }
}

/// Deletes a job by id, with the schedules that only it had.
fn drop_job(call: &mut Call<'_>, id: Guid) {
    let agent = &mut call.server_mut().agent;
    let Some(j) = agent.jobs.iter().position(|x| x.id == id) else { return };
    let gone = agent.jobs.remove(j);
    let alone: Vec<i64> = gone
        .schedules
        .iter()
        .copied()
        .filter(|s| !agent.jobs.iter().any(|x| x.schedules.contains(s)))
        .collect();
    agent.schedules.retain(|x| !alone.contains(&x.id));
}

/// A schedule every so many minutes, for a job.
fn every_minutes(call: &mut Call<'_>, job: Guid, name: &str, minutes: i64) {
    let uid = call.state.dice.guid();
    let (s, now) = (call.s, call.now);
    let local = call.server().local(now);
    let agent = &mut call.server_mut().agent;
    let id = agent.next_schedule_id();
    agent.schedules.push(Schedule {
        id,
        uid,
        name: name.to_owned(),
        subday_type: 4,
        subday_interval: minutes,
        created: local,
        modified: local,
        ..Schedule::default()
    });
    let Some(j) = agent.jobs.iter().position(|x| x.id == job) else { return };
    agent.jobs[j].schedules.push(id);
    agent.jobs[j].enabled = true;
    call.state.plan_job(s, j, now);
}

/// Columns of a row put over those of another.
fn merged(first: &Record, second: Option<&Record>) -> Record {
    let mut all = first.clone();
    for (name, value) in second.into_iter().flatten() {
        if all.get(name).is_none_or(|v| *v == Value::Null) {
            all.insert(name.clone(), value.clone());
        }
    }
    all
}

/// The monitor that a row names.
fn monitor_of(record: &Record) -> String {
    word(record, "monitor_server")
}

/// 32028
fn alert_number(bound: &Bound<'_>, otherwise: i64) -> Outcome<i64> {
    match bound.int("@threshold_alert") {
        // 0 = the agents' own message
        None | Some(0) => Ok(otherwise),
        Some(n) if n > 13_000 => Ok(n),
        Some(n) => {
            Err(bound
                .error(32028, format!("Invalid value = {n} for parameter @threshold_alert was specified.")))
        }
    }
}
