//! Schedules, shared or of one job.

use super::super::bound::Bound;
use super::{Given, job, touched};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Type;
use crate::sandbox::world::agent::{FOREVER, Schedule};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{agent_date, guid, int};

/// The parameters by which every one of these procedures describes a schedule.
const TIMES: &[&str] = &[
    "@enabled",
    "@freq_type",
    "@freq_interval",
    "@freq_subday_type",
    "@freq_subday_interval",
    "@freq_relative_interval",
    "@freq_recurrence_factor",
    "@active_start_date",
    "@active_end_date",
    "@active_start_time",
    "@active_end_time",
];

fn with_times(first: &[&'static str], last: &[&'static str]) -> Vec<&'static str> {
    first.iter().chain(TIMES).chain(last).copied().collect()
}

pub(super) fn add(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let list = with_times(
        &["@schedule_name"],
        &["@owner_login_name", "@schedule_uid", "@schedule_id", "!@originating_server"],
    );
    let bound = Bound::new("sp_add_schedule", &list, given)?;
    call.only_sysadmin("sp_add_schedule", "msdb")?;
    let name = bound.must("@schedule_name")?;
    make(call, &bound, name, parts)?;
    Ok(0)
}

pub(super) fn add_to_job(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let list =
        with_times(&["@job_id", "@job_name", "@name"], &["@schedule_id", "@automatic_post", "@schedule_uid"]);
    let bound = Bound::new("sp_add_jobschedule", &list, given)?;
    call.only_sysadmin("sp_add_jobschedule", "msdb")?;
    let j = job(call, &bound)?;
    let name = bound.must("@name")?;
    let id = make(call, &bound, name, parts)?;
    call.server_mut().agent.jobs[j].schedules.push(id);
    touched(call, j);
    Ok(0)
}

fn make(call: &mut Call<'_>, bound: &Bound<'_>, name: String, parts: &mut Kept) -> Outcome<i64> {
    let local = call.server().local(call.now);
    let mut schedule = Schedule {
        name,
        owner: call.who.login.clone(),
        freq_type: 0,
        freq_interval: 0,
        subday_type: 0,
        start_date: 0,
        end_date: FOREVER,
        created: local,
        modified: local,
        ..Schedule::default()
    };
    settings(call, bound, &mut schedule)?;
    schedule.uid = match bound.guid("@schedule_uid")? {
        Some(uid) => uid,
        None => call.state.dice.guid(),
    };
    schedule.id = call.server().agent.next_schedule_id();
    let (id, uid) = (schedule.id, schedule.uid);
    call.server_mut().agent.schedules.push(schedule);
    bound.output("@schedule_id", Type::Int, int(id), parts);
    bound.output("@schedule_uid", Type::UniqueIdentifier, guid(uid), parts);
    call.state.dirty = true;
    Ok(id)
}

/// Takes what is given and judges the whole.
fn settings(call: &Call<'_>, bound: &Bound<'_>, schedule: &mut Schedule) -> Outcome<()> {
    let invalid = |name: &str| bound.error(14200, format!("The specified '{name}' is invalid."));
    if let Some(n) = bound.among("@enabled", &[0, 1])? {
        schedule.enabled = n == 1;
    }
    for (name, to) in [
        ("@freq_type", &mut schedule.freq_type),
        ("@freq_interval", &mut schedule.freq_interval),
        ("@freq_subday_type", &mut schedule.subday_type),
        ("@freq_subday_interval", &mut schedule.subday_interval),
        ("@freq_relative_interval", &mut schedule.relative),
        ("@freq_recurrence_factor", &mut schedule.recurrence),
        ("@active_start_date", &mut schedule.start_date),
        ("@active_end_date", &mut schedule.end_date),
        ("@active_start_time", &mut schedule.start_time),
        ("@active_end_time", &mut schedule.end_time),
    ] {
        if let Some(n) = bound.int(name) {
            *to = n;
        }
    }
    if let Some(owner) = bound.text("@owner_login_name") {
        let login = call.server().logins.iter().find(|l| l.name.eq_ignore_ascii_case(&owner));
        schedule.owner.clone_from(&login.ok_or_else(|| bound.no_such("@owner_login_name", &owner))?.name);
    }
    if ![1, 4, 8, 16, 32, 64, 128].contains(&schedule.freq_type) {
        return Err(bound.one_of("@freq_type", "1, 4, 8, 16, 32, 64, 128"));
    }
    if schedule.freq_type == 128 {
        return Err(Message::not_modelled("schedules that run when the CPUs are idle"));
    }
    if schedule.start_date == 0 {
        schedule.start_date = agent_date(call.server().local(call.now)).0;
    }
    if schedule.end_date == 0 {
        schedule.end_date = FOREVER;
    }
    if schedule.subday_type == 0 {
        schedule.subday_type = 1;
    }
    let day = |n: i64| crate::sandbox::world::agent::date(n).is_some();
    if !day(schedule.start_date) || schedule.start_date < 19_900_101 {
        return Err(invalid("@active_start_date"));
    }
    if schedule.end_date != FOREVER && !day(schedule.end_date) {
        return Err(invalid("@active_end_date"));
    }
    if schedule.end_date < schedule.start_date {
        return Err(bound.error(14288, "'@active_end_date' cannot be before '@active_start_date'."));
    }
    let time = |n: i64| (0..240_000).contains(&n) && n / 100 % 100 < 60 && n % 100 < 60;
    if !time(schedule.start_time) {
        return Err(invalid("@active_start_time"));
    }
    if !time(schedule.end_time) {
        return Err(invalid("@active_end_time"));
    }
    if schedule.freq_type == 64 {
        return Ok(());
    }
    if ![1, 2, 4, 8].contains(&schedule.subday_type) {
        return Err(bound.one_of("@freq_subday_type", "0x1, 0x2, 0x4, 0x8"));
    }
    if schedule.subday_type != 1 {
        let most = if schedule.subday_type == 8 { 24 } else { 1439 };
        let least = if schedule.subday_type == 2 { 10 } else { 1 };
        if !(least..=if schedule.subday_type == 2 { 86_399 } else { most })
            .contains(&schedule.subday_interval)
        {
            return Err(invalid("@freq_subday_interval"));
        }
        if schedule.start_time == schedule.end_time {
            return Err(bound.error(14202, "'@active_end_time' cannot be the same as '@active_start_time'."));
        }
    }
    let fits = match schedule.freq_type {
        1 => true,
        4 => (1..=366).contains(&schedule.freq_interval),
        8 => (1..=127).contains(&schedule.freq_interval),
        16 => (1..=31).contains(&schedule.freq_interval),
        _ => (1..=10).contains(&schedule.freq_interval),
    };
    if !fits {
        return Err(invalid("@freq_interval"));
    }
    if schedule.freq_type == 32 && ![1, 2, 4, 8, 16].contains(&schedule.relative) {
        return Err(bound.one_of("@freq_relative_interval", "0x1, 0x2, 0x4, 0x8, 0x10"));
    }
    if matches!(schedule.freq_type, 8 | 16 | 32) && !(1..=100).contains(&schedule.recurrence) {
        return Err(invalid("@freq_recurrence_factor"));
    }
    Ok(())
}

/// The schedule meant by `@schedule_id` or its name.
fn schedule_of(call: &Call<'_>, bound: &Bound<'_>, named: &str) -> Outcome<usize> {
    let all = &call.server().agent.schedules;
    match (bound.int("@schedule_id"), bound.text(named)) {
        (Some(id), None) => {
            all.iter().position(|x| x.id == id).ok_or_else(|| bound.no_such("@schedule_id", &id.to_string()))
        }
        (None, Some(name)) => {
            let mut found = all.iter().enumerate().filter(|(_, x)| x.name.eq_ignore_ascii_case(&name));
            let first = found.next().map(|x| x.0).ok_or_else(|| bound.no_such(named, &name))?;
            if found.next().is_some() {
                return Err(bound.error(
                    14371,
                    format!(
                        "There are two or more schedules named '{name}'. Specify @schedule_id instead of {named} to uniquely identify the schedule."
                    ),
                ));
            }
            Ok(first)
        }
        _ => {
            Err(bound
                .error(14294, format!("Supply either @schedule_id or {named} to identify the schedule.")))
        }
    }
}

pub(super) fn update(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let list = with_times(&["@schedule_id", "@name", "@new_name"], &["@owner_login_name", "@automatic_post"]);
    let bound = Bound::new("sp_update_schedule", &list, given)?;
    call.only_sysadmin("sp_update_schedule", "msdb")?;
    let n = schedule_of(call, &bound, "@name")?;
    change(call, &bound, n)
}

fn change(call: &mut Call<'_>, bound: &Bound<'_>, n: usize) -> Outcome<i32> {
    let local = call.server().local(call.now);
    let mut schedule = call.server().agent.schedules[n].clone();
    if let Some(name) = bound.text("@new_name") {
        schedule.name = name;
    }
    settings(call, bound, &mut schedule)?;
    schedule.modified = local;
    schedule.version += 1;
    call.server_mut().agent.schedules[n] = schedule;
    let (s, now) = (call.s, call.now);
    call.state.plan_jobs(s, now);
    call.state.dirty = true;
    Ok(0)
}

/// Takes a schedule away for good.
fn remove(call: &mut Call<'_>, id: i64) {
    let agent = &mut call.server_mut().agent;
    agent.schedules.retain(|x| x.id != id);
    for job in &mut agent.jobs {
        job.schedules.retain(|x| *x != id);
    }
    let (s, now) = (call.s, call.now);
    call.state.plan_jobs(s, now);
    call.state.dirty = true;
}

pub(super) fn delete(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_delete_schedule",
        &["@schedule_id", "@schedule_name", "@force_delete", "@automatic_post"],
        given,
    )?;
    call.only_sysadmin("sp_delete_schedule", "msdb")?;
    let n = schedule_of(call, &bound, "@schedule_name")?;
    let id = call.server().agent.schedules[n].id;
    let used = call.server().agent.jobs.iter().any(|j| j.schedules.contains(&id));
    if used && !bound.flag("@force_delete", false) {
        return Err(
            bound.error(14372, "The schedule was not deleted because it is being used by one or more jobs.")
        );
    }
    remove(call, id);
    Ok(0)
}

pub(super) fn attach(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_attach_schedule",
        &["@job_id", "@job_name", "@schedule_id", "@schedule_name", "@automatic_post"],
        given,
    )?;
    call.only_sysadmin("sp_attach_schedule", "msdb")?;
    let j = job(call, &bound)?;
    let n = schedule_of(call, &bound, "@schedule_name")?;
    let id = call.server().agent.schedules[n].id;
    let job = &mut call.server_mut().agent.jobs[j];
    if !job.schedules.contains(&id) {
        job.schedules.push(id);
        touched(call, j);
    }
    Ok(0)
}

pub(super) fn detach(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_detach_schedule",
        &[
            "@job_id",
            "@job_name",
            "@schedule_id",
            "@schedule_name",
            "@delete_unused_schedule",
            "@automatic_post",
        ],
        given,
    )?;
    call.only_sysadmin("sp_detach_schedule", "msdb")?;
    let j = job(call, &bound)?;
    let n = schedule_of(call, &bound, "@schedule_name")?;
    let (id, name) = {
        let x = &call.server().agent.schedules[n];
        (x.id, x.name.clone())
    };
    let job = &mut call.server_mut().agent.jobs[j];
    if !job.schedules.contains(&id) {
        let text = format!(
            "The specified schedule name \"{name}\" is not associated with the job \"{}\".",
            job.name
        );
        return Err(bound.error(14374, text));
    }
    job.schedules.retain(|x| *x != id);
    touched(call, j);
    if bound.flag("@delete_unused_schedule", false)
        && !call.server().agent.jobs.iter().any(|j| j.schedules.contains(&id))
    {
        remove(call, id);
    }
    Ok(0)
}

/// The schedule of a job by its name (the procedures of before 2005, still there).
fn named_of_job(call: &Call<'_>, bound: &Bound<'_>) -> Outcome<usize> {
    let j = job(call, bound)?;
    let name = bound.must("@name")?;
    let agent = &call.server().agent;
    let here = |x: &&Schedule| agent.jobs[j].schedules.contains(&x.id) && x.name.eq_ignore_ascii_case(&name);
    let id = agent.schedules.iter().find(here).map(|x| x.id);
    let at = id.and_then(|id| agent.schedules.iter().position(|x| x.id == id));
    at.ok_or_else(|| bound.no_such("@name", &name))
}

pub(super) fn update_of_job(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let list = with_times(&["@job_id", "@job_name", "@name", "@new_name"], &["@automatic_post"]);
    let bound = Bound::new("sp_update_jobschedule", &list, given)?;
    call.only_sysadmin("sp_update_jobschedule", "msdb")?;
    let n = named_of_job(call, &bound)?;
    change(call, &bound, n)
}

pub(super) fn delete_of_job(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_delete_jobschedule",
        &["@job_id", "@job_name", "@name", "@keep_schedule", "@automatic_post"],
        given,
    )?;
    call.only_sysadmin("sp_delete_jobschedule", "msdb")?;
    let (j, n) = (job(call, &bound)?, named_of_job(call, &bound)?);
    let id = call.server().agent.schedules[n].id;
    call.server_mut().agent.jobs[j].schedules.retain(|x| *x != id);
    touched(call, j);
    let used = call.server().agent.jobs.iter().any(|j| j.schedules.contains(&id));
    if !used && !bound.flag("@keep_schedule", false) {
        remove(call, id);
    }
    Ok(0)
}
