//! sp_start_job, sp_stop_job, sp_update_job, sp_help_job.

use super::{Arguments, send};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Column, Table, Type, Value};
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{NULL, agent_date, as_text, count, guid, int, text};

fn raised(number: i32, procedure: &str, text: impl Into<String>) -> Message {
    Message { procedure: procedure.into(), ..Message::error(number, text) }
}

pub(super) fn run(
    call: &mut Call<'_>,
    name: &str,
    given: &Arguments<'_>,
    parts: &mut Kept,
) -> Outcome<Option<i32>> {
    match name {
        "sp_start_job" => {
            given.only(
                name,
                &["@job_name", "@job_id", "@step_name", "@error_flag", "@server_name", "@output_flag"],
            )?;
            start(call, given, parts)
        }
        "sp_stop_job" => {
            given.only(name, &["@job_name", "@job_id"])?;
            stop(call, given, parts)
        }
        "sp_update_job" => {
            given.only(name, &["@job_id", "@job_name", "@new_name", "@enabled", "@description"])?;
            update(call, given)
        }
        "sp_help_job" => help(call, given, parts),
        "sp_help_jobactivity"
        | "sp_help_jobhistory"
        | "sp_help_jobschedule"
        | "sp_help_jobstep"
        | "sp_add_job"
        | "sp_add_jobstep"
        | "sp_add_jobschedule"
        | "sp_add_jobserver"
        | "sp_delete_job"
        | "sp_update_jobstep"
        | "sp_update_schedule"
        | "sp_purge_jobhistory"
        | "sp_send_dbmail"
        | "sp_delete_backuphistory"
        | "sp_delete_database_backuphistory" => Err(Message::not_modelled(name)),
        _ => return Ok(None),
    }
    .map(Some)
}

/// The job that is meant. Positional order is the caller's.
fn job(call: &Call<'_>, given: &Arguments<'_>, procedure: &str, name_first: bool) -> Outcome<usize> {
    let jobs = &call.server().agent.jobs;
    let (name_at, id_at) = if name_first { (0, 1) } else { (1, 0) };
    let id = match given.value("@job_id", id_at) {
        Some(Value::Guid(g)) => Some(Guid(*g)),
        Some(other) => as_text(other).and_then(|t| t.parse().ok()),
        None => None,
    };
    if let Some(id) = id {
        return jobs.iter().position(|j| j.id == id).ok_or_else(|| {
            raised(14262, procedure, format!("The specified @job_id ('{id}') does not exist."))
        });
    }
    let Some(name) = given.text("@job_name", name_at) else {
        return Err(raised(14294, procedure, "Supply either @job_id or @job_name to identify the job."));
    };
    call.server().agent.job_named(&name).ok_or_else(|| {
        raised(14262, procedure, format!("The specified @job_name ('{name}') does not exist."))
    })
}

fn start(call: &mut Call<'_>, given: &Arguments<'_>, parts: &mut Kept) -> Outcome<i32> {
    call.only_sysadmin("sp_start_job", "msdb")?;
    let j = job(call, given, "sp_start_job", true)?;
    let who = call.who.login.clone();
    let agent = &call.server().agent;
    let found = &agent.jobs[j];
    let refused = |why: &str| {
        raised(
            22022,
            "sp_start_job",
            format!(
                "SQLServerAgent Error: Request to run job {} (from User {who}) refused because {why}.",
                found.name
            ),
        )
    };
    if agent.stopped {
        return Err(raised(
            22022,
            "xp_sqlagent_is_starting",
            "SQLServerAgent is not currently running so it cannot be notified of this action.",
        ));
    }
    if let Some(run) = &found.run {
        return Err(refused(&format!("the job is already running from a request by {}", run.by)));
    }
    let step = match given.text("@step_name", 4).filter(|s| !s.is_empty()) {
        None => found.start_step.max(1),
        Some(name) => {
            let n = found.steps.iter().position(|s| s.name.eq_ignore_ascii_case(&name)).ok_or_else(|| {
                raised(14262, "sp_start_job", format!("The specified @step_name ('{name}') does not exist."))
            })?;
            n + 1
        }
    };
    let message = format!("Job '{}' started successfully.", found.name);
    let (s, now) = (call.s, call.now);
    let latency = call.state.dice.between(150, 900);
    call.state.start_run(s, j, now, step, &who, Some(latency));
    call.state.dirty = true;
    let _ = parts.put(Part::Info(Message { class: 0, ..Message::error(0, message) }));
    Ok(0)
}

fn stop(call: &mut Call<'_>, given: &Arguments<'_>, parts: &mut Kept) -> Outcome<i32> {
    call.only_sysadmin("sp_stop_job", "msdb")?;
    let j = job(call, given, "sp_stop_job", true)?;
    let found = &call.server().agent.jobs[j];
    let name = found.name.clone();
    let Some(run) = &found.run else {
        return Err(raised(
            22022,
            "sp_stop_job",
            format!(
                "SQLServerAgent Error: Request to stop job {name} (from User {}) refused because the job is not currently running.",
                call.who.login
            ),
        ));
    };
    let step = found.steps.get(run.step - 1).map_or("", |s| s.name.as_str());
    let last = format!("The last step to run was step {} ({step}).", run.step);
    let (s, now) = (call.s, call.now);
    call.state.end_run(s, j, now, 3, &last);
    call.state.dirty = true;
    let message = format!("Job '{name}' stopped successfully.");
    let _ = parts.put(Part::Info(Message { class: 0, ..Message::error(0, message) }));
    Ok(0)
}

fn update(call: &mut Call<'_>, given: &Arguments<'_>) -> Outcome<i32> {
    call.only_sysadmin("sp_update_job", "msdb")?;
    let j = job(call, given, "sp_update_job", false)?;
    let (s, now) = (call.s, call.now);
    let local = call.server().local(now);
    let job = &mut call.server_mut().agent.jobs[j];
    if let Some(enabled) = given.int("@enabled", 3) {
        job.enabled = enabled == 1;
    }
    if let Some(name) = given.text("@new_name", 2) {
        job.name = name;
    }
    if let Some(description) = given.text("@description", 4) {
        job.description = description;
    }
    job.modified = local;
    job.version += 1;
    call.state.plan_job(s, j, now);
    call.state.dirty = true;
    Ok(0)
}

fn help(call: &mut Call<'_>, given: &Arguments<'_>, parts: &mut Kept) -> Outcome<i32> {
    given.only("sp_help_job", &["@job_id", "@job_name"])?;
    let only = if given.value("@job_id", 0).is_some() || given.value("@job_name", 1).is_some() {
        Some(job(call, given, "sp_help_job", false)?)
    } else {
        None
    };
    let columns = [
        ("job_id", Type::UniqueIdentifier),
        ("originating_server", Type::NVarChar(Some(30))),
        ("name", Type::SYSNAME),
        ("enabled", Type::TinyInt),
        ("description", Type::NVarChar(Some(512))),
        ("start_step_id", Type::Int),
        ("category", Type::SYSNAME),
        ("owner", Type::SYSNAME),
        ("date_created", Type::DateTime),
        ("date_modified", Type::DateTime),
        ("version_number", Type::Int),
        ("last_run_date", Type::Int),
        ("last_run_time", Type::Int),
        ("last_run_outcome", Type::Int),
        ("next_run_date", Type::Int),
        ("next_run_time", Type::Int),
        ("current_execution_status", Type::Int),
        ("current_execution_step", Type::SYSNAME),
        ("has_step", Type::Int),
        ("has_schedule", Type::Int),
    ];
    let server = call.server();
    let rows =
        server.agent.jobs.iter().enumerate().filter(|(n, _)| only.is_none_or(|o| o == *n)).map(|(_, job)| {
            let last = job.last.as_ref().map(|o| agent_date(o.at));
            let next = job.next_run.filter(|_| job.enabled).map(|n| agent_date(server.local(n)));
            let step = job.run.as_ref().map_or_else(
                || "0 (unknown)".to_owned(),
                |r| format!("{} ({})", r.step, job.steps.get(r.step - 1).map_or("", |s| s.name.as_str())),
            );
            let category = match job.category {
                3 => "Database Maintenance",
                6 => "Log Shipping",
                _ => "[Uncategorized (Local)]",
            };
            let sound = server.logins.iter().any(|l| l.name == job.owner);
            vec![
                guid(job.id),
                text(&server.name),
                text(&job.name),
                int(i64::from(job.enabled)),
                text(&job.description),
                count(job.start_step),
                text(category),
                if sound { text(&job.owner) } else { NULL },
                crate::sandbox::world::stored::at(job.created),
                crate::sandbox::world::stored::at(job.modified),
                int(job.version),
                int(last.map_or(0, |l| l.0)),
                int(last.map_or(0, |l| l.1)),
                int(job.last.as_ref().map_or(5, |l| l.status)),
                int(next.map_or(0, |l| l.0)),
                int(next.map_or(0, |l| l.1)),
                int(if job.run.is_some() { 1 } else { 4 }),
                text(step),
                count(job.steps.len()),
                count(job.schedules.len()),
            ]
        });
    let table = Table {
        columns: columns.into_iter().map(|(n, k)| Column::new(n, k)).collect(),
        rows: rows.collect(),
    };
    send(table, parts);
    Ok(0)
}
