//! What the agent tells of jobs: sp_help_job and its sisters.

use super::super::bound::Bound;
use super::super::send;
use super::{Given, job, job_if_named};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Column, Table, Value};
use crate::sandbox::world::agent::{Agent, Job, Outcome as Ended, Schedule};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{
    NULL, agent_date, agent_duration, at, count, guid, int, kind_of, or_null, text,
};

/// Columns written as `name type; …`, of procedures whose columns the program itself names.
fn columns(written: &str) -> Vec<Column> {
    written
        .split(';')
        .filter_map(|c| c.trim().split_once(' '))
        .filter_map(|(name, kind)| Some(Column::new(name, kind_of(kind.trim()).ok()?)))
        .collect()
}

const JOBS: &str = "job_id uniqueidentifier; originating_server nvarchar(30); name sysname; enabled tinyint; description nvarchar(512); start_step_id int; category sysname; owner sysname; notify_level_eventlog int; notify_level_email int; notify_level_netsend int; notify_level_page int; notify_email_operator sysname; notify_netsend_operator sysname; notify_page_operator sysname; delete_level int; date_created datetime; date_modified datetime; version_number int; last_run_date int; last_run_time int; last_run_outcome int; next_run_date int; next_run_time int; next_run_schedule_id int; current_execution_status int; current_execution_step sysname; current_retry_attempt int; has_step int; has_schedule int; has_target int; type int";

pub(super) fn jobs(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_help_job",
        &[
            "@job_id",
            "@job_name",
            "@job_aspect",
            "!@job_type",
            "@owner_login_name",
            "@subsystem",
            "@category_name",
            "@enabled",
            "@execution_status",
            "!@date_comparator",
            "!@date_created",
            "!@date_last_modified",
            "!@description",
        ],
        given,
    )?;
    let only = job_if_named(call, &bound)?;
    let aspect = bound.text("@job_aspect").map(|a| a.to_uppercase());
    if aspect.as_ref().is_some_and(|a| !["ALL", "JOB", "STEPS", "SCHEDULES", "TARGETS"].contains(&a.as_str()))
    {
        return Err(bound.one_of("@job_aspect", "ALL, JOB, STEPS, SCHEDULES, TARGETS"));
    }
    if only.is_none() && aspect.as_ref().is_some_and(|a| a != "JOB") {
        return Err(bound.error(14294, "Supply either @job_id or @job_name to identify the job."));
    }
    let aspect = aspect.unwrap_or_else(|| if only.is_some() { "ALL".into() } else { "JOB".into() });
    let wants = |what: &str| aspect == "ALL" || aspect == what;
    let (owner, subsystem, category) =
        (bound.text("@owner_login_name"), bound.text("@subsystem"), bound.text("@category_name"));
    let (enabled, status) = (bound.int("@enabled"), bound.int("@execution_status"));
    let server = call.server();
    let agent = &server.agent;
    if wants("JOB") {
        let picked = agent.jobs.iter().enumerate().filter(|(n, j)| {
            let same = |a: &Option<String>, b: &str| a.as_ref().is_none_or(|x| x.eq_ignore_ascii_case(b));
            only.is_none_or(|o| o == *n)
                && same(&owner, &j.owner)
                && same(&category, agent.category_name(j.category))
                && subsystem
                    .as_ref()
                    .is_none_or(|x| j.steps.iter().any(|s| s.subsystem.eq_ignore_ascii_case(x)))
                && enabled.is_none_or(|e| e == i64::from(j.enabled))
                && match status {
                    None => true,
                    Some(0) => j.run.is_some(),
                    Some(wanted) => execution(j) == wanted,
                }
        });
        let rows = picked.map(|(_, j)| job_row(call, agent, j)).collect();
        send(Table { columns: columns(JOBS), rows }, parts);
    }
    let Some(only) = only else { return Ok(0) };
    let found = &agent.jobs[only];
    if wants("STEPS") {
        send(steps_of(found, false, None), parts);
    }
    if wants("SCHEDULES") {
        let rows = found.schedules.iter().filter_map(|id| agent.schedule(*id));
        let rows = rows.map(|s| schedule_row(call, found, s, false)).collect();
        send(Table { columns: columns(SCHEDULES), rows }, parts);
    }
    if wants("TARGETS") {
        send(targets(call, found), parts);
    }
    Ok(0)
}

/// 1 executing, 3 between retries, 4 idle.
fn execution(job: &Job) -> i64 {
    job.run.as_ref().map_or(4, |r| if r.waiting { 3 } else { 1 })
}

fn job_row(call: &Call<'_>, agent: &Agent, job: &Job) -> Vec<Value> {
    let server = call.server();
    let last = job.last.as_ref().map_or((0, 0), |o| agent_date(o.at));
    let next = job.next_run.filter(|_| job.enabled).map(|n| agent_date(server.local(n)));
    let step = job.run.as_ref().map_or_else(
        || "0 (unknown)".to_owned(),
        |r| format!("{} ({})", r.step, job.steps.get(r.step - 1).map_or("", |s| s.name.as_str())),
    );
    let owner = server.logins.iter().find(|l| l.name == job.owner).map_or(NULL, |l| text(&l.name));
    let told = |id: i64| agent.operators.iter().find(|o| o.id == id).map_or("(unknown)", |o| o.name.as_str());
    vec![
        guid(job.id),
        text(&server.name),
        text(&job.name),
        int(i64::from(job.enabled)),
        text(&job.description),
        count(job.start_step),
        text(agent.category_name(job.category)),
        owner,
        int(job.notify.eventlog),
        int(job.notify.email),
        int(job.notify.netsend),
        int(job.notify.page),
        text(told(job.notify.email_to)),
        text(told(job.notify.netsend_to)),
        text(told(job.notify.page_to)),
        int(job.delete_level),
        at(job.created),
        at(job.modified),
        int(job.version),
        int(last.0),
        int(last.1),
        int(job.last.as_ref().map_or(5, |l| l.status)),
        int(next.map_or(0, |n| n.0)),
        int(next.map_or(0, |n| n.1)),
        int(next.and(job.next_schedule).unwrap_or(0)),
        int(execution(job)),
        text(step),
        int(job.run.as_ref().map_or(0, |r| r.retries)),
        count(job.steps.len()),
        count(job.schedules.len()),
        int(i64::from(!job.untargeted)),
        int(i64::from(!job.untargeted)),
    ]
}

pub(super) fn activity(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_help_jobactivity", &["@job_id", "@job_name", "@session_id"], given)?;
    let only = job_if_named(call, &bound)?;
    let server = call.server();
    let current = server.agent.sessions.last().map_or(0, |s| s.0);
    let asked = bound.int("@session_id").unwrap_or(current);
    // Rows of earlier agent sessions are not kept.
    let mut rows = Vec::new();
    for (n, job) in server.agent.jobs.iter().enumerate() {
        if asked != current || only.is_some_and(|o| o != n) {
            continue;
        }
        let a = job.activity.as_ref();
        let done = a.and_then(|a| a.row).and_then(|id| job.history.iter().find(|r| r.id == id));
        let zero_if = || or_null(done, |_| int(0));
        let next = job.next_run.filter(|_| job.enabled);
        rows.push(vec![
            int(current),
            guid(job.id),
            text(&job.name),
            or_null(a, |a| at(a.requested)),
            or_null(a, |a| text(a.source.to_string())),
            NULL,
            or_null(a, |a| at(a.started)),
            or_null(a.and_then(|a| a.last_step), |s| count(s.0)),
            or_null(a.and_then(|a| a.last_step), |s| at(s.1)),
            or_null(a.and_then(|a| a.stopped), at),
            or_null(next, |n| at(server.local(n))),
            or_null(a.and_then(|a| a.row), int),
            or_null(done, |r| text(&r.message)),
            or_null(done, |r| int(r.status)),
            zero_if(),
            zero_if(),
            zero_if(),
        ]);
    }
    let columns = columns(
        "session_id int; job_id uniqueidentifier; job_name sysname; run_requested_date datetime; run_requested_source sysname; queued_date datetime; start_execution_date datetime; last_executed_step_id int; last_exectued_step_date datetime; stop_execution_date datetime; next_scheduled_run_date datetime; job_history_id int; message nvarchar(1024); run_status int; operator_id_emailed int; operator_id_netsent int; operator_id_paged int",
    );
    send(Table { columns, rows }, parts);
    Ok(0)
}

pub(super) fn history(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_help_jobhistory",
        &[
            "@job_id",
            "@job_name",
            "@step_id",
            "@sql_message_id",
            "@sql_severity",
            "@start_run_date",
            "@end_run_date",
            "@start_run_time",
            "@end_run_time",
            "@minimum_run_duration",
            "@run_status",
            "@minimum_retries",
            "@oldest_first",
            "@server",
            "@mode",
        ],
        given,
    )?;
    let only = job_if_named(call, &bound)?;
    let mode = bound.text("@mode").unwrap_or_else(|| "SUMMARY".into()).to_uppercase();
    let full = match mode.as_str() {
        "FULL" => true,
        "SUMMARY" => false,
        "SEM" => return Err(Message::not_modelled("sp_help_jobhistory @mode = 'SEM'")),
        _ => return Err(bound.one_of("@mode", "SUMMARY, FULL, SEM")),
    };
    let server = call.server();
    let mut all: Vec<_> = server
        .agent
        .jobs
        .iter()
        .enumerate()
        .filter(|(n, _)| only.is_none_or(|o| o == *n))
        .flat_map(|(_, j)| j.history.iter().map(move |r| (j, r)))
        .filter(|(_, r)| {
            let (date, clock) = agent_date(r.at);
            let is = |name: &str, value: i64| bound.int(name).is_none_or(|x| x == value);
            let least = |name: &str, value: i64| bound.int(name).is_none_or(|x| value >= x);
            let most = |name: &str, value: i64| bound.int(name).is_none_or(|x| value <= x);
            is("@step_id", r.step as i64)
                && is("@sql_message_id", r.number)
                && is("@sql_severity", r.severity)
                && is("@run_status", r.status)
                && least("@start_run_date", date)
                && most("@end_run_date", date)
                && least("@start_run_time", clock)
                && most("@end_run_time", clock)
                && least("@minimum_run_duration", agent_duration(r.seconds))
                && least("@minimum_retries", r.retries)
                && bound.text("@server").is_none_or(|x| x.eq_ignore_ascii_case(&server.name))
        })
        .collect();
    all.sort_by_key(|(_, r)| r.id);
    if !bound.flag("@oldest_first", false) {
        all.reverse();
    }
    let rows = all
        .into_iter()
        .map(|(job, r)| {
            let (date, clock) = agent_date(r.at);
            let mut row = vec![];
            if full {
                row.push(int(r.id));
            }
            row.extend([guid(job.id), text(&job.name)]);
            if full {
                row.extend([
                    count(r.step),
                    text(&r.step_name),
                    int(r.number),
                    int(r.severity),
                    text(&r.message),
                ]);
            }
            row.extend([
                int(r.status),
                int(date),
                int(clock),
                int(agent_duration(r.seconds)),
                NULL,
                NULL,
                NULL,
                int(r.retries),
                text(&server.name),
            ]);
            row
        })
        .collect();
    let columns = columns(if full {
        "instance_id int; job_id uniqueidentifier; job_name sysname; step_id int; step_name sysname; sql_message_id int; sql_severity int; message nvarchar(4000); run_status int; run_date int; run_time int; run_duration int; operator_emailed nvarchar(20); operator_netsent nvarchar(20); operator_paged nvarchar(20); retries_attempted int; server nvarchar(30)"
    } else {
        "job_id uniqueidentifier; job_name sysname; run_status int; run_date int; run_time int; run_duration int; operator_emailed nvarchar(20); operator_netsent nvarchar(20); operator_paged nvarchar(20); retries_attempted int; server nvarchar(30)"
    });
    send(Table { columns, rows }, parts);
    Ok(0)
}

pub(super) fn steps(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound =
        Bound::new("sp_help_jobstep", &["@job_id", "@job_name", "@step_id", "@step_name", "@suffix"], given)?;
    let j = job(call, &bound)?;
    let found = &call.server().agent.jobs[j];
    let mut only = match bound.int("@step_id") {
        None => None,
        Some(n) => Some(
            usize::try_from(n)
                .ok()
                .filter(|n| (1..=found.steps.len()).contains(n))
                .ok_or_else(|| bound.no_such("@step_id", &n.to_string()))?,
        ),
    };
    if let Some(name) = bound.text("@step_name") {
        let at = found.steps.iter().position(|s| s.name.eq_ignore_ascii_case(&name));
        only = Some(at.ok_or_else(|| bound.no_such("@step_name", &name))? + 1);
    }
    send(steps_of(found, bound.flag("@suffix", false), only), parts);
    Ok(0)
}

fn steps_of(job: &Job, suffix: bool, only: Option<usize>) -> Table {
    let action = |n: u8| {
        if !suffix {
            return int(n);
        }
        let word = match n {
            1 => "Quit with success",
            2 => "Quit with failure",
            3 => "Goto next step",
            _ => "Goto step",
        };
        text(format!("{n} ({word})"))
    };
    let kind = if suffix { "nvarchar(64)" } else { "tinyint" };
    let whole = if suffix { "nvarchar(64)" } else { "int" };
    let priority = |n: i64| if suffix { text(format!("{n} (Normal)")) } else { int(n) };
    let flags = |n: i64| if suffix { text(format!("{n} (Normal)")) } else { int(n) };
    let columns = columns(&format!(
        "step_id int; step_name sysname; subsystem nvarchar(40); command nvarchar(max); flags {whole}; cmdexec_success_code int; on_success_action {kind}; on_success_step_id int; on_fail_action {kind}; on_fail_step_id int; server sysname; database_name sysname; database_user_name sysname; retry_attempts int; retry_interval int; os_run_priority {whole}; output_file_name nvarchar(200); last_run_outcome int; last_run_duration int; last_run_retries int; last_run_date int; last_run_time int; proxy_id int"
    ));
    let rows = job
        .steps
        .iter()
        .enumerate()
        .filter(|(n, _)| only.is_none_or(|o| o == n + 1))
        .map(|(n, s)| {
            let last = s.last.as_ref();
            let when = last.map_or((0, 0), |o| agent_date(o.at));
            vec![
                count(n + 1),
                text(&s.name),
                text(&s.subsystem),
                text(&s.command),
                flags(s.flags),
                int(s.success_code),
                action(s.on_success),
                count(s.on_success_step),
                action(s.on_fail),
                count(s.on_fail_step),
                s.server.as_ref().map_or(NULL, text),
                text(&s.database),
                s.user.as_ref().map_or(NULL, text),
                int(s.retries),
                int(s.retry_minutes),
                priority(s.priority),
                s.output_file.as_ref().map_or(NULL, text),
                int(last.map_or(5, status_of)),
                int(last.map_or(0, |o| agent_duration(o.seconds))),
                int(last.map_or(0, |o| o.retries)),
                int(when.0),
                int(when.1),
                NULL,
            ]
        })
        .collect();
    Table { columns, rows }
}

const fn status_of(outcome: &Ended) -> i64 {
    outcome.status
}

const SCHEDULES: &str = "schedule_id int; schedule_name sysname; enabled int; freq_type int; freq_interval int; freq_subday_type int; freq_subday_interval int; freq_relative_interval int; freq_recurrence_factor int; active_start_date int; active_end_date int; active_start_time int; active_end_time int; date_created datetime; schedule_description nvarchar(4000); next_run_date int; next_run_time int; schedule_uid uniqueidentifier; job_count int";

fn schedule_row(call: &Call<'_>, job: &Job, s: &Schedule, described: bool) -> Vec<Value> {
    let server = call.server();
    let next = s.next(server.local(call.now)).filter(|_| job.enabled).map(agent_date);
    let mut row = plain_schedule(s);
    row.push(at(s.created));
    row.push(text(if described { describe(s) } else { "(Description not requested)".into() }));
    row.push(int(next.map_or(0, |n| n.0)));
    row.push(int(next.map_or(0, |n| n.1)));
    row.push(guid(s.uid));
    row.push(count(server.agent.jobs.iter().filter(|j| j.schedules.contains(&s.id)).count()));
    row
}

fn plain_schedule(s: &Schedule) -> Vec<Value> {
    vec![
        int(s.id),
        text(&s.name),
        int(i64::from(s.enabled)),
        int(s.freq_type),
        int(s.freq_interval),
        int(s.subday_type),
        int(s.subday_interval),
        int(s.relative),
        int(s.recurrence),
        int(s.start_date),
        int(s.end_date),
        int(s.start_time),
        int(s.end_time),
    ]
}

/// A schedule in words, in the manner of the agent.
fn describe(s: &Schedule) -> String {
    let clock = |n: i64| {
        let (hour, minute, second) = (n / 10_000, n / 100 % 100, n % 100);
        if second == 0 {
            format!("{hour:02}:{minute:02}")
        } else {
            format!("{hour:02}:{minute:02}:{second:02}")
        }
    };
    let day = |n: i64| {
        ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
            .get(usize::try_from(n - 1).unwrap_or(9))
            .copied()
            .unwrap_or(match n {
                8 => "day",
                9 => "weekday",
                _ => "weekend day",
            })
    };
    let days = match s.freq_type {
        1 => return format!("Once on {} at {}", s.start_date, clock(s.start_time)),
        64 => return "Automatically when SQLServerAgent starts.".into(),
        4 if s.freq_interval == 1 => "Every day ".to_owned(),
        4 => format!("Every {} days ", s.freq_interval),
        8 => {
            let on: Vec<&str> =
                (0..7).filter(|n| s.freq_interval >> n & 1 == 1).map(|n| day(n + 1)).collect();
            format!("Every {} week(s) on {} ", s.recurrence, on.join(", "))
        }
        16 => format!("Every {} month(s) on day {} of that month ", s.recurrence, s.freq_interval),
        _ => {
            let which = match s.relative {
                1 => "first",
                2 => "second",
                4 => "third",
                8 => "fourth",
                _ => "last",
            };
            format!("Every {which} {} of every {} month(s) ", day(s.freq_interval), s.recurrence)
        }
    };
    let unit = match s.subday_type {
        2 => "second(s)",
        4 => "minute(s)",
        8 => "hour(s)",
        _ => return format!("{days}at {}", clock(s.start_time)),
    };
    format!(
        "{days}every {} {unit} between {} and {}",
        s.subday_interval,
        clock(s.start_time),
        clock(s.end_time)
    )
}

pub(super) fn schedules(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_help_jobschedule",
        &["@job_id", "@job_name", "@schedule_name", "@schedule_id", "@include_description"],
        given,
    )?;
    let id = bound.int("@schedule_id");
    let j = match (job_if_named(call, &bound)?, id) {
        (Some(j), _) => j,
        (None, Some(id)) => {
            let holds = |j: &Job| j.schedules.contains(&id);
            let found = call.server().agent.jobs.iter().position(holds);
            found.ok_or_else(|| bound.no_such("@schedule_id", &id.to_string()))?
        }
        (None, None) => job(call, &bound)?,
    };
    let name = bound.text("@schedule_name");
    let agent = &call.server().agent;
    let found: Vec<&Schedule> = agent.jobs[j]
        .schedules
        .iter()
        .filter_map(|x| agent.schedule(*x))
        .filter(|x| id.is_none_or(|i| i == x.id))
        .filter(|x| name.as_ref().is_none_or(|n| n.eq_ignore_ascii_case(&x.name)))
        .collect();
    if let Some(name) = name.filter(|_| found.is_empty()) {
        return Err(bound.no_such("@schedule_name", &name));
    }
    let described = bound.flag("@include_description", false);
    let rows = found.into_iter().map(|x| schedule_row(call, &agent.jobs[j], x, described)).collect();
    send(Table { columns: columns(SCHEDULES), rows }, parts);
    Ok(0)
}

pub(super) fn all_schedules(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_help_schedule",
        &["@schedule_id", "@schedule_name", "@attached_schedules_only", "@include_description"],
        given,
    )?;
    let (id, name) = (bound.int("@schedule_id"), bound.text("@schedule_name"));
    let (attached, described) =
        (bound.flag("@attached_schedules_only", false), bound.flag("@include_description", false));
    let agent = &call.server().agent;
    let users = |x: &Schedule| agent.jobs.iter().filter(|j| j.schedules.contains(&x.id)).count();
    let rows: Vec<Vec<Value>> = agent
        .schedules
        .iter()
        .filter(|x| id.is_none_or(|i| i == x.id))
        .filter(|x| name.as_ref().is_none_or(|n| n.eq_ignore_ascii_case(&x.name)))
        .filter(|x| !attached || users(x) > 0)
        .map(|x| {
            let mut row = plain_schedule(x);
            row.insert(1, guid(x.uid));
            row.push(at(x.created));
            row.push(text(if described { describe(x) } else { "(Description not requested)".into() }));
            row.push(count(users(x)));
            row
        })
        .collect();
    if rows.is_empty() {
        if let Some(id) = id {
            return Err(bound.no_such("@schedule_id", &id.to_string()));
        }
        if let Some(name) = name {
            return Err(bound.no_such("@schedule_name", &name));
        }
    }
    let columns = columns(
        "schedule_id int; schedule_uid uniqueidentifier; schedule_name sysname; enabled int; freq_type int; freq_interval int; freq_subday_type int; freq_subday_interval int; freq_relative_interval int; freq_recurrence_factor int; active_start_date int; active_end_date int; active_start_time int; active_end_time int; date_created datetime; schedule_description nvarchar(4000); job_count int",
    );
    send(Table { columns, rows }, parts);
    Ok(0)
}

fn targets(call: &Call<'_>, job: &Job) -> Table {
    let columns = columns(
        "server_id int; server_name nvarchar(30); enlist_date datetime; last_poll_date datetime; last_run_date int; last_run_time int; last_run_duration int; last_run_outcome tinyint; last_outcome_message nvarchar(1024)",
    );
    let last = job.last.as_ref();
    let when = last.map_or((0, 0), |o| agent_date(o.at));
    let row = vec![
        int(0),
        text(&call.server().name),
        NULL,
        NULL,
        int(when.0),
        int(when.1),
        int(last.map_or(0, |o| agent_duration(o.seconds))),
        int(last.map_or(5, |o| o.status)),
        last.map_or(NULL, |o| text(o.message.chars().take(1024).collect::<String>())),
    ];
    Table { columns, rows: if job.untargeted { vec![] } else { vec![row] } }
}

pub(super) fn servers(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_help_jobserver", &["@job_id", "@job_name", "@show_last_run_details"], given)?;
    let j = job(call, &bound)?;
    let mut table = targets(call, &call.server().agent.jobs[j]);
    if !bound.flag("@show_last_run_details", false) {
        table.columns.truncate(4);
        table.rows.iter_mut().for_each(|r| r.truncate(4));
    }
    send(table, parts);
    Ok(0)
}
