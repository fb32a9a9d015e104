//! sp_start_job, sp_stop_job, sp_purge_jobhistory, and the agent as a service.

use super::super::bound::Bound;
use super::super::send;
use super::{Given, job, job_if_named, say};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Column, Table, Type, Value};
use crate::sandbox::world::agent::run::{Ending, Start};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{agent_date, as_int, count, guid, int, text};

/// 22022 of a server whose agent does not run.
fn not_running() -> Message {
    Message {
        procedure: "xp_sqlagent_notify".into(),
        ..Message::error(
            22022,
            "SQLServerAgent is not currently running so it cannot be notified of this action.",
        )
    }
}

pub(super) fn start(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_start_job",
        &["@job_name", "@job_id", "@error_flag", "!@server_name", "@step_name", "@output_flag"],
        given,
    )?;
    call.only_sysadmin("sp_start_job", "msdb")?;
    let j = job(call, &bound)?;
    let who = call.who.login.clone();
    let agent = &call.server().agent;
    let found = &agent.jobs[j];
    if found.untargeted {
        return Err(bound.error(
            14256,
            format!(
                "Cannot start the job \"{}\" (ID {}) because it does not have any job server or servers associated with it. Associate the job with a job server by calling sp_add_jobserver.",
                found.name, found.id
            ),
        ));
    }
    let asked = bound.text("@step_name").filter(|s| !s.is_empty());
    let step = match &asked {
        None => found.start_step.max(1),
        Some(name) => {
            let at = found.steps.iter().position(|s| s.name.eq_ignore_ascii_case(name));
            at.ok_or_else(|| bound.no_such("@step_name", name))? + 1
        }
    };
    if agent.stopped {
        return Err(not_running());
    }
    let refused = |why: &str| {
        bound.error(
            22022,
            format!(
                "SQLServerAgent Error: Request to run job {} (from User {who}) refused because {why}.",
                found.name
            ),
        )
    };
    if let Some(run) = &found.run {
        return Err(refused(&format!("the job is already running from a request by {}", run.by)));
    }
    if found.steps.is_empty() {
        return Err(refused("the job has no job steps"));
    }
    let message = format!("Job '{}' started successfully.", found.name);
    let (s, now) = (call.s, call.now);
    let latency = call.state.dice.between(150, 900);
    let by = format!("User {who}");
    let how = Start { by, source: 4, step, asked: asked.is_some(), delay_ms: Some(latency) };
    call.state.start_run(s, j, now, how);
    call.state.dirty = true;
    if bound.flag("@output_flag", true) {
        say(parts, message);
    }
    Ok(0)
}

pub(super) fn stop(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound =
        Bound::new("sp_stop_job", &["@job_name", "@job_id", "!@originating_server", "!@server_name"], given)?;
    call.only_sysadmin("sp_stop_job", "msdb")?;
    let j = job(call, &bound)?;
    if call.server().agent.stopped {
        return Err(not_running());
    }
    let found = &call.server().agent.jobs[j];
    let name = found.name.clone();
    let who = call.who.login.clone();
    let Some(run) = &found.run else {
        return Err(bound.error(
            22022,
            format!(
                "SQLServerAgent Error: Request to stop job {name} (from User {who}) refused because the job is not currently running."
            ),
        ));
    };
    let step = found.steps.get(run.step - 1).map_or("", |s| s.name.as_str());
    let last = format!("The last step to run was step {} ({step}).", run.step);
    let (s, now) = (call.s, call.now);
    call.state.stop_step(s, j, now);
    call.state.end_run(s, j, now, &Ending::Stopped(format!("User {who}")), &last);
    call.state.dirty = true;
    say(parts, format!("Job '{name}' stopped successfully."));
    Ok(0)
}

/// All of the history, of one job or of all, or what is older than a date.
pub(super) fn purge(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_purge_jobhistory", &["@job_name", "@job_id", "@oldest_date"], given)?;
    call.only_sysadmin("sp_purge_jobhistory", "msdb")?;
    let only = job_if_named(call, &bound)?;
    let oldest = match bound.value("@oldest_date") {
        None => None,
        Some(Value::DateTime(at)) => Some(*at),
        Some(Value::Date(day)) => day.and_hms_opt(0, 0, 0),
        Some(Value::Text(written)) => Some(
            moment(written)
                .ok_or_else(|| Message::error(8114, "Error converting data type nvarchar to datetime."))?,
        ),
        Some(_) => return Err(Message::error(8114, "Error converting data type int to datetime.")),
    };
    let mut gone = 0;
    for (j, job) in call.server_mut().agent.jobs.iter_mut().enumerate() {
        if only.is_none_or(|o| o == j) {
            let before = job.history.len();
            job.history.retain(|row| oldest.is_some_and(|o| row.at >= o));
            gone += before - job.history.len();
        }
    }
    call.state.dirty = true;
    say(parts, format!("{gone} history entries purged."));
    Ok(0)
}

fn moment(written: &str) -> Option<chrono::NaiveDateTime> {
    let written = written.trim();
    let days = ["%Y-%m-%d", "%Y%m%d"];
    let day = |f: &&str| chrono::NaiveDate::parse_from_str(written, f).ok()?.and_hms_opt(0, 0, 0);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y%m%d %H:%M:%S%.f"]
        .iter()
        .find_map(|f| chrono::NaiveDateTime::parse_from_str(written, f).ok())
        .or_else(|| days.iter().find_map(day))
}

/// master.dbo.xp_sqlagent_enum_jobs: the state of every job.
pub(in super::super) fn enumerate(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    call.only_sysadmin("xp_sqlagent_enum_jobs", "master")?;
    let wanted = given.get(2).map(|v| v.1.clone()).filter(|v| *v != Value::Null);
    if given.len() < 2 || given.first().is_some_and(|v| as_int(&v.1).is_none()) {
        return Err(Message {
            procedure: "xp_sqlagent_enum_jobs".into(),
            ..Message::error(
                22001,
                "Usage: EXECUTE xp_sqlagent_enum_jobs <is sysadmin (0 or 1)>, <job owner name> [, <job id>]",
            )
        });
    }
    if call.server().agent.stopped {
        return Err(not_running());
    }
    let columns = [
        ("Job ID", Type::Binary(16)),
        ("Last Run Date", Type::Int),
        ("Last Run Time", Type::Int),
        ("Next Run Date", Type::Int),
        ("Next Run Time", Type::Int),
        ("Next Run Schedule ID", Type::Int),
        ("Requested To Run", Type::Int),
        ("Request Source", Type::Int),
        ("Request Source ID", Type::NVarChar(Some(128))),
        ("Running", Type::Int),
        ("Current Step", Type::Int),
        ("Current Retry Attempt", Type::Int),
        ("State", Type::Int),
    ];
    let server = call.server();
    let mut rows = Vec::new();
    for job in &server.agent.jobs {
        if wanted.as_ref().is_some_and(|w| *w != guid(job.id)) {
            continue;
        }
        let last = job.last.as_ref().map_or((0, 0), |o| agent_date(o.at));
        let next = job.next_run.filter(|_| job.enabled).map(|n| agent_date(server.local(n)));
        let run = job.run.as_ref();
        let source = job.activity.as_ref().filter(|_| run.is_some()).map_or(0, |a| a.source);
        let state = run.map_or(4, |r| if r.waiting { 3 } else { 1 });
        // A uniqueidentifier as binary: its first three parts from the low byte up.
        let mut id = job.id.0;
        id[..4].reverse();
        id[4..6].reverse();
        id[6..8].reverse();
        rows.push(vec![
            Value::Binary(id.to_vec()),
            int(last.0),
            int(last.1),
            int(next.map_or(0, |n| n.0)),
            int(next.map_or(0, |n| n.1)),
            int(next.and(job.next_schedule).unwrap_or(0)),
            int(0),
            int(source),
            run.map_or(Value::Null, |r| text(&r.by)),
            int(i64::from(run.is_some())),
            run.map_or(int(0), |r| count(r.step)),
            int(run.map_or(0, |r| r.retries)),
            int(state),
        ]);
    }
    let columns = columns.into_iter().map(|(n, k)| Column::new(n, k)).collect();
    send(Table { columns, rows }, parts);
    Ok(0)
}

/// master.dbo.xp_servicecontrol: asks for the state of a service, starts or stops the agent.
pub(in super::super) fn service_control(
    call: &mut Call<'_>,
    given: Given<'_>,
    parts: &mut Kept,
) -> Outcome<i32> {
    call.only_sysadmin("xp_servicecontrol", "master")?;
    let word = |n: usize| match given.get(n) {
        Some((_, Value::Text(t))) => Some(t.trim().to_uppercase()),
        _ => None,
    };
    let (Some(what), Some(service)) = (word(0), word(1)) else {
        return Err(Message::error(22001, "Usage: xp_servicecontrol <action>, <service name>"));
    };
    let (s, now) = (call.s, call.now);
    let agent = service.contains("SQLSERVERAGENT") || service.starts_with("SQLAGENT");
    let engine = service.starts_with("MSSQL");
    match (what.as_str(), agent, engine) {
        ("QUERYSTATE", true, _) | ("QUERYSTATE", _, true) => {
            let running = engine || !call.server().agent.stopped;
            let state = if running { "Running." } else { "Stopped." };
            let columns = vec![Column::new("Current Service State", Type::VarChar(Some(30)))];
            send(Table { columns, rows: vec![vec![text(state)]] }, parts);
        }
        ("START", true, _) if call.server().agent.stopped => {
            call.state.start_agent(s, now);
            say(parts, "Service started.");
        }
        ("STOP", true, _) if !call.server().agent.stopped => {
            call.state.stop_agent(s, now);
            say(parts, "Service stopped.");
        }
        ("START", true, _) => {
            return Err(Message::error(
                22003,
                "StartService() returned error 1056, 'An instance of the service is already running.'",
            ));
        }
        ("STOP", true, _) => {
            return Err(Message::error(
                22003,
                "ControlService() returned error 1062, 'The service has not been started.'",
            ));
        }
        _ => return Err(Message::not_modelled(format_args!("xp_servicecontrol '{what}', '{service}'"))),
    }
    Ok(0)
}
