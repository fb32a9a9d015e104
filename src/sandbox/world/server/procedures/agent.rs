//! The agent's procedures in msdb.
//!
//! Each against its documented parameters, result columns and errors; what is left out is refused.

mod category;
mod help;
mod job;
mod running;
mod schedule;
mod step;

use super::bound::Bound;
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Value;
use crate::sandbox::world::server::Call;

pub(super) use running::{enumerate, service_control};

/// `Ok(None)` = there is no such procedure here.
pub(super) fn run(
    call: &mut Call<'_>,
    name: &str,
    given: &[(Option<String>, Value)],
    parts: &mut Kept,
) -> Outcome<Option<i32>> {
    let act = match name {
        "sp_start_job" => running::start,
        "sp_stop_job" => running::stop,
        "sp_add_job" => job::add,
        "sp_update_job" => job::update,
        "sp_delete_job" => job::delete,
        "sp_add_jobserver" => job::add_server,
        "sp_delete_jobserver" => job::delete_server,
        "sp_add_jobstep" => step::add,
        "sp_update_jobstep" => step::update,
        "sp_delete_jobstep" => step::delete,
        "sp_add_schedule" => schedule::add,
        "sp_update_schedule" => schedule::update,
        "sp_delete_schedule" => schedule::delete,
        "sp_attach_schedule" => schedule::attach,
        "sp_detach_schedule" => schedule::detach,
        "sp_add_jobschedule" => schedule::add_to_job,
        "sp_update_jobschedule" => schedule::update_of_job,
        "sp_delete_jobschedule" => schedule::delete_of_job,
        "sp_purge_jobhistory" => running::purge,
        "sp_help_job" => help::jobs,
        "sp_help_jobactivity" => help::activity,
        "sp_help_jobhistory" => help::history,
        "sp_help_jobstep" => help::steps,
        "sp_help_jobschedule" => help::schedules,
        "sp_help_schedule" => help::all_schedules,
        "sp_help_jobserver" => help::servers,
        "sp_help_category" => category::help,
        "sp_add_category" => category::add,
        "sp_delete_category" => category::delete,
        "sp_add_operator" => category::add_operator,
        "sp_delete_operator" => category::delete_operator,
        "sp_help_operator" => category::help_operator,
        "sp_send_dbmail"
        | "sp_add_alert"
        | "sp_update_alert"
        | "sp_delete_alert"
        | "sp_help_alert"
        | "sp_add_notification"
        | "sp_update_operator"
        | "sp_update_category"
        | "sp_apply_job_to_targets"
        | "sp_add_proxy"
        | "sp_manage_jobs_by_login"
        | "sp_notify_operator"
        | "sp_get_composite_job_info"
        | "sp_help_jobcount"
        | "sp_help_jobs_in_schedule"
        | "sp_set_sqlagent_properties"
        | "sp_get_sqlagent_properties"
        | "sp_delete_backuphistory"
        | "sp_delete_database_backuphistory" => return Err(Message::not_modelled(name)),
        _ => return Ok(None),
    };
    act(call, given, parts).map(Some)
}

type Given<'a> = &'a [(Option<String>, Value)];

/// The job that is meant by `@job_id` or `@job_name`.
fn job(call: &Call<'_>, bound: &Bound<'_>) -> Outcome<usize> {
    match job_if_named(call, bound)? {
        Some(j) => Ok(j),
        None => Err(bound.error(14294, "Supply either @job_id or @job_name to identify the job.")),
    }
}

/// The same where it may be left out.
fn job_if_named(call: &Call<'_>, bound: &Bound<'_>) -> Outcome<Option<usize>> {
    let agent = &call.server().agent;
    let (id, name) = (bound.guid("@job_id")?, bound.text("@job_name"));
    match (id, name) {
        (Some(_), Some(_)) => {
            Err(bound.error(14294, "Supply either @job_id or @job_name to identify the job."))
        }
        (Some(id), None) => {
            let found = agent.jobs.iter().position(|j| j.id == id);
            found.map(Some).ok_or_else(|| bound.no_such("@job_id", &id.to_string()))
        }
        (None, Some(name)) => {
            agent.job_named(name.trim_end()).map(Some).ok_or_else(|| bound.no_such("@job_name", &name))
        }
        (None, None) => Ok(None),
    }
}

/// Notes that a job was changed.
fn touched(call: &mut Call<'_>, j: usize) {
    let (s, now) = (call.s, call.now);
    let local = call.server().local(now);
    let job = &mut call.server_mut().agent.jobs[j];
    job.modified = local;
    job.version += 1;
    call.state.plan_job(s, j, now);
    call.state.dirty = true;
}

fn say(parts: &mut Kept, text: impl Into<String>) {
    let _ = parts.put(Part::Info(Message { class: 0, ..Message::error(0, text) }));
}
