//! The agent jobs of a source and of its destinations.
//!
//! The commands inside the log-shipping jobs are the sandbox's own: the product's are not documented.

use chrono::{DateTime, TimeDelta, Timelike, Utc};

use super::Making;
use crate::clock::Span;
use crate::sandbox::world::agent::{Job, Schedule, Step};
use crate::sandbox::world::plan::Backup;
use crate::sandbox::world::state::{Role, State};

pub(crate) const GET_HISTORY: &str = "BTS Log Shipping - Get Backup History";
pub(crate) const RESTORE_DATABASES: &str = "BTS Log Shipping - Restore Databases";
pub(crate) const RESTORE_TO_MARK: &str = "BTS Log Shipping - Restore To Mark";

/// How often, as (subday type, interval, first time of the day as hhmmss).
pub(super) type Raster = (i64, i64, i64);

pub(super) struct Draft {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) enabled: bool,
    pub(super) category: i64,
    pub(super) schedule: Option<(String, Raster)>,
    /// name, database, command, on success, on failure
    pub(super) steps: Vec<(String, String, String, u8, u8)>,
    /// Which steps are only played.
    pub(super) simulated: Vec<bool>,
}

pub(super) fn add(making: &Making<'_>, state: &mut State, began: DateTime<Utc>) -> Result<(), String> {
    let plan = making.plan;
    let management = plan.management().and_then(|m| Some((m, plan.backup.as_ref()?)));
    let source = management.and_then(|(m, _)| state.server_index(&m.server)).unwrap_or(0);
    let mut drafts = Vec::new();
    if let Some((management, backup)) = management {
        let every = backup.log_every()?;
        let offset = TimeDelta::minutes(state.servers[source].offset_minutes.into());
        let first = raster_start((making.opened + backup.next_log_in()?.delta() + offset).naive_utc(), every);
        drafts.push((source, backup_job(backup, &management.name, every, first)));
    }
    for job in &plan.jobs {
        let steps = job.steps.iter().enumerate().map(|(n, s)| {
            let last = n + 1 == job.steps.len();
            let (server, location) =
                management.map_or((String::new(), ""), |(m, b)| (plan.address_of(m), b.location.as_str()));
            let command = s.command.replace("{source}", &server).replace("{location}", location);
            (s.name.clone(), s.database.clone(), command, if last { 1 } else { 3 }, 2)
        });
        let schedule = match &job.every {
            Some(text) => Some((format!("Schedule of {}", job.name), raster(text.parse::<Span>()?))),
            None => None,
        };
        let there = job.server.as_ref().and_then(|name| state.server_index(name)).unwrap_or(source);
        let draft = Draft {
            name: job.name.clone(),
            description: job.description.clone(),
            enabled: job.enabled,
            category: 3,
            schedule,
            steps: steps.collect(),
            simulated: job.steps.iter().map(|s| s.simulated || job.simulated).collect(),
        };
        drafts.push((there, draft));
    }
    for (s, draft) in drafts {
        enter(state, s, draft, began);
    }
    for s in 0..state.servers.len() {
        if state.servers[s].role != Role::Destination || management.is_none() {
            continue;
        }
        let only = state.servers[s].shipping.as_ref().and_then(|x| x.only_from.clone());
        let from = only.and_then(|name| state.server_index(&name)).unwrap_or(source);
        let copies = state.servers[from].agent.jobs.clone();
        for draft in shipping_jobs() {
            enter(state, s, draft, began);
        }
        if let Some(shipping) = &mut state.servers[s].shipping {
            shipping.jobs = copies;
        }
    }
    Ok(())
}

/// The first time of the day on the raster that meets `next`, as hhmmss.
fn raster_start(next: chrono::NaiveDateTime, every: Span) -> i64 {
    let minutes = i64::from(next.hour()) * 60 + i64::from(next.minute());
    let first = minutes % (every.ms / 60_000).clamp(1, 1440);
    first / 60 * 10_000 + first % 60 * 100
}

pub(super) fn raster(every: Span) -> Raster {
    let minutes = (every.ms / 60_000).max(1);
    match minutes {
        1440.. => (1, 0, 20_000),
        60.. if minutes % 60 == 0 => (8, minutes / 60, 0),
        _ => (4, minutes, 0),
    }
}

fn backup_job(backup: &Backup, management: &str, every: Span, first: i64) -> Draft {
    let location = &backup.location;
    let name = &backup.mark;
    let force = i64::from(backup.force_full_after_partial);
    let local = if backup.local_time { ", @UseLocalTime = 1" } else { "" };
    let full = format!(
        "exec [dbo].[sp_BackupAllFull_Schedule] '{}' /* Frequency */, '{name}' /* Name */, '{location}' /* location of backup files */{}{local}",
        backup.full,
        if force == 1 { ", 1 /* force a full backup after a partial set */" } else { "" },
    );
    let step =
        |name: &str, command: String, ok, fail| (name.to_owned(), management.to_owned(), command, ok, fail);
    Draft {
        name: format!("Backup BizTalk Server ({management})"),
        description: "Backs up all BizTalk databases: full, or marks and logs.".into(),
        enabled: true,
        category: 3,
        schedule: Some(("MarkAndBackupLogSched".into(), {
            let (kind, interval, _) = raster(every);
            (kind, interval, first)
        })),
        simulated: Vec::new(),
        steps: vec![
            step(
                "Set Compression Option",
                format!(
                    "exec [dbo].[sp_SetBackupCompression] @bCompression = {} /*0 - Do not use Compression, 1 - Use Compression */",
                    i64::from(backup.compression)
                ),
                3,
                3,
            ),
            step("BackupFull", full, 3, 2),
            step(
                "MarkAndBackupLog",
                format!(
                    "exec [dbo].[sp_MarkAll] '{name}' /* Log mark name */, '{location}' /* location of backup files */{local}"
                ),
                3,
                2,
            ),
            step(
                "Clear Backup History",
                format!("exec [dbo].[sp_DeleteBackupHistory] @DaysToKeep={}{local}", backup.days_to_keep),
                1,
                2,
            ),
        ],
    }
}

fn shipping_jobs() -> Vec<Draft> {
    let job = |name: &str, description: &str, schedule: Option<&str>, steps: Vec<(&str, &str)>| {
        let last = steps.len();
        Draft {
            name: name.to_owned(),
            description: description.to_owned(),
            enabled: true,
            category: 6,
            schedule: schedule.map(|s| (s.to_owned(), (4, 1, 0))),
            simulated: Vec::new(),
            steps: steps
                .into_iter()
                .enumerate()
                .map(|(n, (step, command))| {
                    let ok = if n + 1 == last { 1 } else { 3 };
                    (step.to_owned(), "master".to_owned(), command.to_owned(), ok, 2)
                })
                .collect(),
        }
    };
    vec![
        job(
            GET_HISTORY,
            "Reads the backup history of the source.",
            Some("Every minute, history"),
            vec![("Get Backup History", "exec dbo.bts_GetBackupHistory")],
        ),
        job(
            RESTORE_DATABASES,
            "Restores backup sets, all but the newest.",
            Some("Every minute, restore"),
            vec![("Restore Databases", "exec dbo.bts_RestoreDatabases")],
        ),
        job(
            RESTORE_TO_MARK,
            "Ends log shipping: restores the last set to its mark and recovers. Start it at its first step.",
            None,
            vec![
                ("Restore To Mark", "exec dbo.bts_RestoreToMark"),
                ("Recreate Agent Jobs", "exec dbo.bts_CreateAgentJobs"),
            ],
        ),
    ]
}

pub(super) fn enter(state: &mut State, s: usize, draft: Draft, began: DateTime<Utc>) {
    let created = super::installed() + TimeDelta::minutes(20);
    let uid = state.dice.guid();
    let id = state.dice.guid();
    let mut schedules = Vec::new();
    if let Some((name, (subday_type, subday_interval, start_time))) = draft.schedule {
        let agent = &mut state.servers[s].agent;
        let id = agent.schedules.iter().map(|x| x.id).max().unwrap_or(8) + 1;
        agent.schedules.push(Schedule {
            id,
            uid,
            name,
            subday_type,
            subday_interval,
            start_time,
            created,
            modified: created,
            ..Schedule::default()
        });
        schedules.push(id);
    }
    let steps = draft
        .steps
        .into_iter()
        .enumerate()
        .map(|(n, (name, database, command, on_success, on_fail))| Step {
            simulated: draft.simulated.get(n) == Some(&true),
            uid: state.dice.guid(),
            name,
            database,
            command,
            on_success,
            on_fail,
            ..Step::default()
        })
        .collect();
    let owner = state.servers[s].agent_account.clone();
    let owner = if state.servers[s].logins.iter().any(|l| l.name == owner) { owner } else { "sa".into() };
    state.servers[s].agent.jobs.push(Job {
        id,
        name: draft.name,
        enabled: draft.enabled,
        description: draft.description,
        category: draft.category,
        owner,
        created,
        modified: created,
        version: 4,
        start_step: 1,
        steps,
        schedules,
        ..Job::default()
    });
    let j = state.servers[s].agent.jobs.len() - 1;
    state.plan_job(s, j, began);
}
