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
                    ("notify_level_eventlog", int(job.notify.eventlog)),
                    ("notify_level_email", int(job.notify.email)),
                    ("notify_level_netsend", int(job.notify.netsend)),
                    ("notify_level_page", int(job.notify.page)),
                    ("notify_email_operator_id", int(job.notify.email_to)),
                    ("notify_netsend_operator_id", int(job.notify.netsend_to)),
                    ("notify_page_operator_id", int(job.notify.page_to)),
                    ("delete_level", int(job.delete_level)),
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
                    ("retries_attempted", int(row.retries)),
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
            for job in agent.jobs.iter().filter(|j| !j.untargeted) {
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
                    ("owner_sid", sid_of(&s.owner)),
                    ("enabled", int(i64::from(s.enabled))),
                    ("freq_type", int(s.freq_type)),
                    ("freq_interval", int(s.freq_interval)),
                    ("freq_subday_type", int(s.subday_type)),
                    ("freq_subday_interval", int(s.subday_interval)),
                    ("freq_relative_interval", int(s.relative)),
                    ("freq_recurrence_factor", int(s.recurrence)),
                    ("active_start_date", int(s.start_date)),
                    ("active_end_date", int(s.end_date)),
                    ("active_start_time", int(s.start_time)),
                    ("active_end_time", int(s.end_time)),
                    ("date_created", at(s.created)),
                    ("date_modified", at(s.modified.max(s.created))),
                    ("version_number", int(s.version)),
                ]);
            }
        }
        "msdb.dbo.sysjobschedules" => {
            for job in &agent.jobs {
                for schedule in &job.schedules {
                    let own = job.next_run.filter(|_| job.next_schedule.is_none_or(|n| n == *schedule));
                    let later = || agent.schedule(*schedule).and_then(|x| x.next(server.local(call.now)));
                    let next = own.map(|n| server.local(n)).or_else(later).map(agent_date);
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
            for class in 1..=3 {
                for (id, kind, name) in agent.categories(class) {
                    sheet.row(vec![
                        ("category_id", int(id)),
                        ("category_class", int(class)),
                        ("category_type", int(kind)),
                        ("name", text(name)),
                    ]);
                }
            }
        }
        "msdb.dbo.sysoperators" => {
            for o in &agent.operators {
                let mut cells = vec![
                    ("id", int(o.id)),
                    ("name", text(&o.name)),
                    ("enabled", int(i64::from(o.enabled))),
                    ("email_address", o.email.as_ref().map_or(NULL, text)),
                    ("category_id", int(99)),
                    ("pager_days", int(0)),
                ];
                for never in [
                    "last_email_date",
                    "last_email_time",
                    "last_pager_date",
                    "last_pager_time",
                    "last_netsend_date",
                    "last_netsend_time",
                ] {
                    cells.push((never, int(0)));
                }
                for day in ["weekday", "saturday", "sunday"] {
                    let (from, to) = match day {
                        "weekday" => ("weekday_pager_start_time", "weekday_pager_end_time"),
                        "saturday" => ("saturday_pager_start_time", "saturday_pager_end_time"),
                        _ => ("sunday_pager_start_time", "sunday_pager_end_time"),
                    };
                    cells.extend([(from, int(90_000)), (to, int(180_000))]);
                }
                sheet.row(cells);
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
            ("subsystem", text(&step.subsystem)),
            ("command", text(&step.command)),
            ("flags", int(step.flags)),
            ("cmdexec_success_code", int(step.success_code)),
            ("on_success_action", int(step.on_success)),
            ("on_success_step_id", count(step.on_success_step)),
            ("on_fail_action", int(step.on_fail)),
            ("on_fail_step_id", count(step.on_fail_step)),
            ("server", step.server.as_ref().map_or(NULL, text)),
            ("database_name", text(&step.database)),
            ("database_user_name", step.user.as_ref().map_or(NULL, text)),
            ("retry_attempts", int(step.retries)),
            ("retry_interval", int(step.retry_minutes)),
            ("os_run_priority", int(step.priority)),
            ("output_file_name", step.output_file.as_ref().map_or(NULL, text)),
            ("last_run_outcome", outcome),
            ("last_run_duration", duration),
            ("last_run_retries", int(step.last.as_ref().map_or(0, |o| o.retries))),
            ("last_run_date", date),
            ("last_run_time", clock),
            ("step_uid", guid(step.uid)),
        ]);
    }
}
