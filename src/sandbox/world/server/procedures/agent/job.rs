//! Jobs: added, changed, deleted, and given a server to run on.

use super::super::bound::Bound;
use super::{Given, job, touched};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Type;
use crate::sandbox::world::agent::{Job, Notify};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::guid;

const LEVELS: &[i64] = &[0, 1, 2, 3];

pub(super) fn add(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_add_job",
        &[
            "@job_name",
            "@enabled",
            "@description",
            "@start_step_id",
            "@category_name",
            "@category_id",
            "@owner_login_name",
            "@notify_level_eventlog",
            "@notify_level_email",
            "@notify_level_netsend",
            "@notify_level_page",
            "@notify_email_operator_name",
            "@notify_netsend_operator_name",
            "@notify_page_operator_name",
            "@delete_level",
            "@job_id",
            "!@originating_server",
        ],
        given,
    )?;
    call.only_sysadmin("sp_add_job", "msdb")?;
    let name = name_of(&bound, "@job_name")?;
    if call.server().agent.job_named(&name).is_some() {
        return Err(bound.exists("@job_name", &name));
    }
    let local = call.server().local(call.now);
    let mut job = Job {
        name,
        enabled: true,
        description: "No description available.".into(),
        owner: call.who.login.clone(),
        created: local,
        modified: local,
        version: 1,
        start_step: 1,
        untargeted: true,
        ..Job::default()
    };
    settings(call, &bound, &mut job)?;
    job.id = match bound.guid("@job_id")? {
        Some(id) if call.server().agent.jobs.iter().any(|j| j.id == id) => {
            return Err(bound.exists("@job_id", &id.to_string()));
        }
        Some(id) => id,
        None => call.state.dice.guid(),
    };
    bound.output("@job_id", Type::UniqueIdentifier, guid(job.id), parts);
    call.server_mut().agent.jobs.push(job);
    call.state.dirty = true;
    Ok(0)
}

/// A name that is there and not blank.
fn name_of(bound: &Bound<'_>, parameter: &str) -> Outcome<String> {
    let name = bound.must(parameter)?.trim_end().to_owned();
    if name.is_empty() {
        return Err(bound.error(14200, format!("The specified '{parameter}' is invalid.")));
    }
    if name.chars().count() > 128 {
        return Err(bound.error(14200, format!("The specified '{parameter}' is invalid.")));
    }
    Ok(name)
}

/// What sp_add_job and sp_update_job have in common.
fn settings(call: &mut Call<'_>, bound: &Bound<'_>, job: &mut Job) -> Outcome<()> {
    if let Some(enabled) = bound.among("@enabled", &[0, 1])? {
        job.enabled = enabled == 1;
    }
    if let Some(text) = bound.text("@description") {
        job.description = text.chars().take(512).collect();
    }
    if let Some(step) = bound.int("@start_step_id") {
        job.start_step = usize::try_from(step).ok().filter(|n| *n > 0).ok_or_else(|| {
            bound
                .error(14266, "The specified '@start_step_id' is invalid (valid values are: 1..[last step]).")
        })?;
    }
    let server = call.server();
    let agent = &server.agent;
    if let Some(name) = bound.text("@category_name") {
        let known = agent.categories(1).find(|c| c.2.eq_ignore_ascii_case(&name)).map(|c| c.0);
        job.category = known.ok_or_else(|| bound.no_such("@category_name", &name))?;
    } else if let Some(id) = bound.int("@category_id") {
        if !agent.categories(1).any(|c| c.0 == id) {
            return Err(bound.no_such("@category_id", &id.to_string()));
        }
        job.category = id;
    }
    if let Some(owner) = bound.text("@owner_login_name") {
        let login = server.logins.iter().find(|l| l.name.eq_ignore_ascii_case(&owner) && l.kind != 'R');
        job.owner.clone_from(&login.ok_or_else(|| bound.no_such("@owner_login_name", &owner))?.name);
    }
    let level = |name: &str, now: i64| bound.among(name, LEVELS).map(|l| l.unwrap_or(now));
    let operator = |name: &str, now: i64| match bound.text(name).filter(|n| !n.is_empty()) {
        None => Ok(now),
        Some(who) => {
            let known = agent.operators.iter().find(|o| o.name.eq_ignore_ascii_case(&who)).map(|o| o.id);
            known.ok_or_else(|| bound.no_such(name, &who))
        }
    };
    let old = job.notify;
    let notify = Notify {
        eventlog: level("@notify_level_eventlog", old.eventlog)?,
        email: level("@notify_level_email", old.email)?,
        netsend: level("@notify_level_netsend", old.netsend)?,
        page: level("@notify_level_page", old.page)?,
        email_to: operator("@notify_email_operator_name", old.email_to)?,
        netsend_to: operator("@notify_netsend_operator_name", old.netsend_to)?,
        page_to: operator("@notify_page_operator_name", old.page_to)?,
    };
    for (name, level, to) in [
        ("email", notify.email, notify.email_to),
        ("netsend", notify.netsend, notify.netsend_to),
        ("page", notify.page, notify.page_to),
    ] {
        if level > 0 && to == 0 {
            let parameter = format!("@notify_{name}_operator_name");
            return Err(bound.no_such(&parameter, ""));
        }
    }
    job.notify = notify;
    job.delete_level = level("@delete_level", job.delete_level)?;
    Ok(())
}

pub(super) fn update(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_update_job",
        &[
            "@job_id",
            "@job_name",
            "@new_name",
            "@enabled",
            "@description",
            "@start_step_id",
            "@category_name",
            "@owner_login_name",
            "@notify_level_eventlog",
            "@notify_level_email",
            "@notify_level_netsend",
            "@notify_level_page",
            "@notify_email_operator_name",
            "@notify_netsend_operator_name",
            "@notify_page_operator_name",
            "@delete_level",
            "@automatic_post",
        ],
        given,
    )?;
    call.only_sysadmin("sp_update_job", "msdb")?;
    let j = job(call, &bound)?;
    let mut changed = call.server().agent.jobs[j].clone();
    if bound.value("@new_name").is_some() {
        let name = name_of(&bound, "@new_name")?;
        if call.server().agent.job_named(&name).is_some_and(|other| other != j) {
            return Err(bound.exists("@new_name", &name));
        }
        changed.name = name;
    }
    settings(call, &bound, &mut changed)?;
    call.server_mut().agent.jobs[j] = changed;
    touched(call, j);
    Ok(0)
}

pub(super) fn delete(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_delete_job",
        &["@job_id", "@job_name", "!@originating_server", "@delete_history", "@delete_unused_schedule"],
        given,
    )?;
    call.only_sysadmin("sp_delete_job", "msdb")?;
    let j = job(call, &bound)?;
    if !bound.flag("@delete_history", true) {
        return Err(Message::not_modelled("sp_delete_job @delete_history = 0"));
    }
    let unused = bound.flag("@delete_unused_schedule", true);
    let agent = &mut call.server_mut().agent;
    let gone = agent.jobs.remove(j);
    if unused {
        let used = |id: i64| agent.jobs.iter().any(|j| j.schedules.contains(&id));
        let alone: Vec<i64> = gone.schedules.iter().copied().filter(|id| !used(*id)).collect();
        agent.schedules.retain(|x| !alone.contains(&x.id));
    }
    call.state.dirty = true;
    Ok(0)
}

/// Whether a name means this server.
fn is_local(call: &Call<'_>, name: &str) -> bool {
    let name = name.trim();
    name.eq_ignore_ascii_case("(local)") || name == "." || name.eq_ignore_ascii_case(&call.server().name)
}

pub(super) fn add_server(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound =
        Bound::new("sp_add_jobserver", &["@job_id", "@job_name", "@server_name", "@automatic_post"], given)?;
    call.only_sysadmin("sp_add_jobserver", "msdb")?;
    let j = job(call, &bound)?;
    if let Some(server) = bound.text("@server_name").filter(|n| !is_local(call, n)) {
        return Err(bound.no_such("@server_name", &server));
    }
    let name = call.server().name.clone();
    let job = &mut call.server_mut().agent.jobs[j];
    if !job.untargeted {
        let text = format!("Job '{}' is already targeted at server '{name}'.", job.name);
        return Err(bound.error(14269, text));
    }
    job.untargeted = false;
    touched(call, j);
    Ok(0)
}

pub(super) fn delete_server(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_delete_jobserver", &["@job_id", "@job_name", "@server_name"], given)?;
    call.only_sysadmin("sp_delete_jobserver", "msdb")?;
    let j = job(call, &bound)?;
    let server = bound.must("@server_name")?;
    if !is_local(call, &server) {
        return Err(bound.no_such("@server_name", &server));
    }
    let job = &mut call.server_mut().agent.jobs[j];
    if job.untargeted {
        let text = format!("Job '{}' is not currently targeted at server '{server}'.", job.name);
        return Err(bound.error(14270, text));
    }
    job.untargeted = true;
    touched(call, j);
    Ok(0)
}
