//! Steps of jobs.

use super::super::bound::Bound;
use super::{Given, job, touched};
use crate::sandbox::answer::Kept;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Type;
use crate::sandbox::world::agent::Step;
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::guid;

const SUBSYSTEMS: &[&str] = &[
    "TSQL",
    "CmdExec",
    "PowerShell",
    "SSIS",
    "Snapshot",
    "LogReader",
    "Distribution",
    "Merge",
    "QueueReader",
    "ANALYSISCOMMAND",
    "ANALYSISQUERY",
    "ActiveScripting",
];

const STEPS: &[&str] = &[
    "@job_id",
    "@job_name",
    "@step_id",
    "@step_name",
    "@subsystem",
    "@command",
    "@additional_parameters",
    "@cmdexec_success_code",
    "@on_success_action",
    "@on_success_step_id",
    "@on_fail_action",
    "@on_fail_step_id",
    "@server",
    "@database_name",
    "@database_user_name",
    "@retry_attempts",
    "@retry_interval",
    "@os_run_priority",
    "@output_file_name",
    "@flags",
    "!@proxy_id",
    "!@proxy_name",
    "@step_uid",
];

pub(super) fn add(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_add_jobstep", STEPS, given)?;
    call.only_sysadmin("sp_add_jobstep", "msdb")?;
    let j = job(call, &bound)?;
    let name = bound.must("@step_name")?;
    let known = &call.server().agent.jobs[j].steps;
    let count = known.len();
    if known.iter().any(|s| s.name.eq_ignore_ascii_case(&name)) {
        return Err(bound.exists("@step_name", &name));
    }
    let place = match bound.int("@step_id") {
        None => count + 1,
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=count + 1).contains(n))
            .ok_or_else(|| bound.one_of("@step_id", &format!("1..{}", count + 1)))?,
    };
    let mut step = Step { name, ..Step::default() };
    settings(call, &bound, &mut step, place)?;
    step.uid = call.state.dice.guid();
    bound.output("@step_uid", Type::UniqueIdentifier, guid(step.uid), parts);
    let steps = &mut call.server_mut().agent.jobs[j].steps;
    // Steps behind it move on, and so do the places that others point at.
    let between = place <= steps.len();
    for other in steps.iter_mut().filter(|_| between) {
        for to in [&mut other.on_success_step, &mut other.on_fail_step] {
            if *to >= place {
                *to += 1;
            }
        }
    }
    steps.insert(place - 1, step);
    touched(call, j);
    Ok(0)
}

/// What sp_add_jobstep and sp_update_jobstep have in common.
fn settings(call: &Call<'_>, bound: &Bound<'_>, step: &mut Step, place: usize) -> Outcome<()> {
    if let Some(subsystem) = bound.text("@subsystem") {
        let known = SUBSYSTEMS.iter().find(|x| x.eq_ignore_ascii_case(&subsystem));
        let known = known.ok_or_else(|| {
            bound.error(
                14234,
                "The specified '@subsystem' is invalid (valid values are returned by sp_enum_sqlagent_subsystems).",
            )
        })?;
        (*known).clone_into(&mut step.subsystem);
    }
    if let Some(command) = bound.text("@command") {
        step.command = command;
    }
    let code = |n: i64| i64::clamp(n, i64::from(i32::MIN), i64::from(i32::MAX));
    if let Some(n) = bound.int("@cmdexec_success_code") {
        step.success_code = code(n);
    }
    for (action, to, set, goes) in [
        ("@on_success_action", "@on_success_step_id", &mut step.on_success, &mut step.on_success_step),
        ("@on_fail_action", "@on_fail_step_id", &mut step.on_fail, &mut step.on_fail_step),
    ] {
        if let Some(n) = bound.among(action, &[1, 2, 3, 4])? {
            *set = n as u8;
        }
        if let Some(n) = bound.int(to) {
            *goes = usize::try_from(n).unwrap_or(0);
        }
        if *set == 4 && (*goes == 0 || *goes == place) {
            return Err(bound.error(
                14235,
                format!(
                    "The specified '{to}' is invalid (valid values are greater than 0 but excluding {place})."
                ),
            ));
        }
    }
    if let Some(name) = bound.text("@database_name").filter(|n| !n.is_empty()) {
        step.database = call.server().database(&name).map_or(name, |d| d.name.clone());
    }
    if let Some(user) = bound.text("@database_user_name") {
        step.user = Some(user).filter(|u| !u.is_empty());
    }
    if step.user.is_some() {
        return Err(crate::sandbox::answer::Message::not_modelled("a job step that runs as another user"));
    }
    if let Some(n) = bound.int("@retry_attempts") {
        step.retries = n.clamp(0, 9999);
    }
    if let Some(n) = bound.int("@retry_interval") {
        step.retry_minutes = n.clamp(0, 999_999);
    }
    if let Some(n) = bound.int("@os_run_priority") {
        step.priority = n;
    }
    if let Some(n) = bound.int("@flags") {
        step.flags = n;
    }
    if let Some(file) = bound.text("@output_file_name").filter(|f| !f.is_empty()) {
        step.output_file = Some(file);
    }
    if let Some(server) = bound.text("@server").filter(|f| !f.is_empty()) {
        step.server = Some(server);
    }
    Ok(())
}

/// The step meant by `@step_id`.
fn step_of(call: &Call<'_>, bound: &Bound<'_>, j: usize) -> Outcome<usize> {
    let n = bound.must_int("@step_id")?;
    let count = call.server().agent.jobs[j].steps.len();
    usize::try_from(n)
        .ok()
        .filter(|n| (1..=count).contains(n))
        .ok_or_else(|| bound.no_such("@step_id", &n.to_string()))
}

pub(super) fn update(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_update_jobstep", &STEPS[..STEPS.len() - 1], given)?;
    call.only_sysadmin("sp_update_jobstep", "msdb")?;
    let j = job(call, &bound)?;
    let n = step_of(call, &bound, j)?;
    let steps = &call.server().agent.jobs[j].steps;
    let mut step = steps[n - 1].clone();
    if let Some(name) = bound.text("@step_name") {
        if steps.iter().enumerate().any(|(k, s)| k + 1 != n && s.name.eq_ignore_ascii_case(&name)) {
            return Err(bound.exists("@step_name", &name));
        }
        step.name = name;
    }
    if bound.value("@command").is_some() {
        // Somebody's own text is executed, whatever the world file played before.
        step.simulated = false;
    }
    settings(call, &bound, &mut step, n)?;
    call.server_mut().agent.jobs[j].steps[n - 1] = step;
    touched(call, j);
    Ok(0)
}

pub(super) fn delete(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_delete_jobstep", &["@job_id", "@job_name", "@step_id"], given)?;
    call.only_sysadmin("sp_delete_jobstep", "msdb")?;
    let j = job(call, &bound)?;
    let jobs = &mut call.server_mut().agent.jobs;
    if jobs[j].run.is_some() {
        return Err(crate::sandbox::answer::Message::not_modelled("sp_delete_jobstep of a job that runs"));
    }
    // 0 = all of them
    if bound.must_int("@step_id")? == 0 {
        jobs[j].steps.clear();
    } else {
        let n = step_of(call, &bound, j)?;
        let steps = &mut call.server_mut().agent.jobs[j].steps;
        steps.remove(n - 1);
        for other in steps.iter_mut() {
            for (action, to) in [
                (&mut other.on_success, &mut other.on_success_step),
                (&mut other.on_fail, &mut other.on_fail_step),
            ] {
                if *to == n {
                    // What pointed at it quits instead.
                    *to = 0;
                    *action = if *action == 4 { 1 } else { *action };
                } else if *to > n {
                    *to -= 1;
                }
            }
        }
    }
    touched(call, j);
    Ok(0)
}
