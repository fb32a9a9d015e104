//! msdb's agent tables.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::Call;
use crate::sandbox::value::Value;
use crate::sandbox::world::agent::{Job, Outcome};
use crate::sandbox::world::stored::{
    NULL, Sheet, agent_date, agent_duration, at, count, guid, int, or_null, text,
};

pub(super) fn fill(call: &Call<'_>, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    let agent = &server.agent;
    let sid_of = |name: &str| {
        server
            .logins
            .iter()
            .find(|l| l.name.eq_ignore_ascii_case(name))
            .map_or(NULL, |l| Value::Binary(l.sid.clone()))
    };
    match full {
        "msdb.dbo.sysjobs" => {
            for job in &agent.jobs {
                sheet.row(vec![
                    ("job_id", guid(job.id)),
                    ("originating_server_id", int(0)),
                    ("name", text(&job.name)),
                    ("enabled", int(i64::from(job.enabled))),
                    ("description", text(&job.description)),
                    ("start_step_id", count(job.start_step)),
                    ("category_id", int(job.category)),
                    ("owner_sid", sid_of(&job.owner)),
                    ("notify_level_eventlog", int(2)),
                    ("notify_level_email", int(0)),
                    ("notify_level_netsend", int(0)),
                    ("notify_level_page", int(0)),
                    ("notify_email_operator_id", int(0)),
                    ("notify_netsend_operator_id", int(0)),
                    ("notify_page_operator_id", int(0)),
                    ("delete_level", int(0)),
                    ("date_created", at(job.created)),
                    ("date_modified", at(job.modified)),
                    ("version_number", int(job.version)),
                ]);
            }
        }
        "msdb.dbo.sysjobsteps" => agent.jobs.iter().for_each(|job| steps(job, sheet)),
        "msdb.dbo.sysjobhistory" => {
            let mut all: Vec<_> =
                agent.jobs.iter().flat_map(|j| j.history.iter().map(move |r| (j.id, r))).collect();
            all.sort_by_key(|(_, r)| r.id);
            for (job, row) in all {
                let (date, clock) = agent_date(row.at);
                sheet.row(vec![
                    ("instance_id", int(row.id)),
                    ("job_id", guid(job)),
                    ("step_id", count(row.step)),
                    ("step_name", text(&row.step_name)),
                    ("sql_message_id", int(row.number)),
                    ("sql_severity", int(row.severity)),
                    ("message", text(&row.message)),
                    ("run_status", int(row.status)),
                    ("run_date", int(date)),
                    ("run_time", int(clock)),
                    ("run_duration", int(agent_duration(row.seconds))),
                    ("operator_id_emailed", int(0)),
                    ("operator_id_netsent", int(0)),
                    ("operator_id_paged", int(0)),
                    ("retries_attempted", int(0)),
                    ("server", text(&server.name)),
                ]);
            }
        }
        "msdb.dbo.sysjobactivity" => {
            let session = agent.sessions.last().map_or(0, |s| s.0);
            for job in &agent.jobs {
                let mut cells = vec![
                    ("session_id", int(session)),
                    ("job_id", guid(job.id)),
                    ("next_scheduled_run_date", next_run(call, job)),
                ];
                if let Some(a) = &job.activity {
                    cells.extend([
                        ("run_requested_date", at(a.requested)),
                        ("run_requested_source", text(a.source.to_string())),
                        ("start_execution_date", at(a.started)),
                        ("last_executed_step_id", or_null(a.last_step, |s| count(s.0))),
                        ("last_executed_step_date", or_null(a.last_step, |s| at(s.1))),
                        ("stop_execution_date", or_null(a.stopped, at)),
                        ("job_history_id", or_null(a.row, int)),
                    ]);
                }
                sheet.row(cells);
            }
        }
        "msdb.dbo.sysjobservers" => {
            for job in &agent.jobs {
                let (outcome, message, date, clock, duration) = last(job.last.as_ref());
                sheet.row(vec![
                    ("job_id", guid(job.id)),
                    ("server_id", int(0)),
                    ("last_run_outcome", outcome),
                    ("last_outcome_message", message),
                    ("last_run_date", date),
                    ("last_run_time", clock),
                    ("last_run_duration", duration),
                ]);
            }
        }
        "msdb.dbo.sysschedules" => {
            for s in &agent.schedules {
                sheet.row(vec![
                    ("schedule_id", int(s.id)),
                    ("schedule_uid", guid(s.uid)),
                    ("originating_server_id", int(0)),
                    ("name", text(&s.name)),
                    ("owner_sid", sid_of("sa")),
                    ("enabled", int(i64::from(s.enabled))),
                    ("freq_type", int(s.freq_type)),
                    ("freq_interval", int(s.freq_interval)),
                    ("freq_subday_type", int(s.subday_type)),
                    ("freq_subday_interval", int(s.subday_interval)),
                    ("freq_relative_interval", int(0)),
                    ("freq_recurrence_factor", int(0)),
                    ("active_start_date", int(20_240_503)),
                    ("active_end_date", int(99_991_231)),
                    ("active_start_time", int(s.start_time)),
                    ("active_end_time", int(s.end_time)),
                    ("date_created", at(s.created)),
                    ("date_modified", at(s.created)),
                    ("version_number", int(1)),
                ]);
            }
        }
        "msdb.dbo.sysjobschedules" => {
            for job in &agent.jobs {
                let next = job.next_run.map(|n| agent_date(server.local(n)));
                for schedule in &job.schedules {
                    sheet.row(vec![
                        ("schedule_id", int(*schedule)),
                        ("job_id", guid(job.id)),
                        ("next_run_date", int(next.map_or(0, |n| n.0))),
                        ("next_run_time", int(next.map_or(0, |n| n.1))),
                    ]);
                }
            }
        }
        "msdb.dbo.syssessions" => {
            for (id, started) in &agent.sessions {
                sheet.row(vec![("session_id", int(*id)), ("agent_start_date", at(*started))]);
            }
        }
        "msdb.dbo.syscategories" => {
            for (id, name) in
                [(0, "[Uncategorized (Local)]"), (3, "Database Maintenance"), (6, "Log Shipping")]
            {
                sheet.row(vec![
                    ("category_id", int(id)),
                    ("category_class", int(1)),
                    ("category_type", int(1)),
                    ("name", text(name)),
                ]);
            }
        }
        _ => return false,
    }
    true
}

/// When the job runs next, as the agent shows it.
fn next_run(call: &Call<'_>, job: &Job) -> Value {
    let shown = |n: DateTime<Utc>| n > DateTime::UNIX_EPOCH + TimeDelta::days(1);
    or_null(job.next_run.filter(|n| job.enabled && shown(*n)), |n| at(call.server().local(n)))
}

fn last(outcome: Option<&Outcome>) -> (Value, Value, Value, Value, Value) {
    match outcome {
        Some(o) => {
            let (date, clock) = agent_date(o.at);
            (int(o.status), text(&o.message), int(date), int(clock), int(agent_duration(o.seconds)))
        }
        None => (int(5), NULL, int(0), int(0), int(0)),
    }
}

fn steps(job: &Job, sheet: &mut Sheet) {
    for (n, step) in job.steps.iter().enumerate() {
        let (outcome, _, date, clock, duration) = last(step.last.as_ref());
        sheet.row(vec![
            ("job_id", guid(job.id)),
            ("step_id", count(n + 1)),
            ("step_name", text(&step.name)),
            ("subsystem", text("TSQL")),
            ("command", text(&step.command)),
            ("flags", int(0)),
            ("cmdexec_success_code", int(0)),
            ("on_success_action", int(step.on_success)),
            ("on_success_step_id", int(0)),
            ("on_fail_action", int(step.on_fail)),
            ("on_fail_step_id", int(0)),
            ("database_name", text(&step.database)),
            ("retry_attempts", int(0)),
            ("retry_interval", int(0)),
            ("os_run_priority", int(0)),
            ("last_run_outcome", outcome),
            ("last_run_duration", duration),
            ("last_run_retries", int(0)),
            ("last_run_date", date),
            ("last_run_time", clock),
            ("step_uid", guid(step.uid)),
        ]);
    }
}
