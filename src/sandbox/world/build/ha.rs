//! Makes the cluster, availability groups and mirroring sessions of a world file, when everything else stands.
//!
//! Copies begin level with their first one; what follows them is `crate::sandbox::world::ha`.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Making, Plan};
use crate::sandbox::world::agent::Job;
use crate::sandbox::world::ha::{Address, Cluster, Copy, Group, Listening, Member, Mirror, Replica};
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::plan::ha as planned;
use crate::sandbox::world::state::{Database, DbState, State};

/// How far behind an asynchronous copy is where the world does not say.
const LAG_MS: i64 = 400;

pub(super) fn add(making: &Making<'_>, state: &mut State, began: DateTime<Utc>) -> Result<(), String> {
    let plan = making.plan;
    if let Some(cluster) = &plan.cluster {
        let (_, mask, network, prefix) = planned::address(&cluster.network)?;
        state.ha.cluster = Some(Cluster {
            name: cluster.name.clone(),
            nodes: cluster.nodes.iter().filter_map(|n| plan.server_index(n)).collect(),
            witness: cluster.witness.clone(),
            network,
            mask,
            prefix,
        });
    }
    for group in &plan.availability_groups {
        add_group(plan, state, group, began)?;
    }
    for mirror in &plan.mirrors {
        add_mirror(plan, state, mirror, began)?;
    }
    if !state.ha.is_empty() {
        guard_jobs(state);
        state.ha.next_beat = Some(began);
    }
    Ok(())
}

/// A database that others follow has been backed up before the history begins.
fn begin_chain(state: &mut State, s: usize, name: &str) -> Option<Lsn> {
    let set = state.dice.guid();
    let db = state.servers[s].database_mut(name)?;
    if db.log.backed_up.is_none() {
        db.log.backed_up = Some(db.log.end);
        db.log.full_checkpoint = db.log.checkpoint;
        db.base = Some((db.log.checkpoint, set));
    }
    Some(db.log.end)
}

/// A copy of a database on another server.
fn copy(state: &mut State, from: usize, to: usize, name: &str, kept: DbState) {
    let Some(first) = state.servers[from].database(name).cloned() else { return };
    let id = state.servers[to].databases.iter().map(|d| d.id).max().unwrap_or(4) + 1;
    let owner = if state.servers[to].logins.iter().any(|l| l.name == first.owner) {
        first.owner.clone()
    } else {
        "sa".into()
    };
    let created = first.created + TimeDelta::hours(3);
    state.servers[to].databases.push(Database { id, owner, created, state: kept, traffic: 0, ..first });
}

fn add_group(
    plan: &Plan,
    state: &mut State,
    group: &planned::Group,
    began: DateTime<Utc>,
) -> Result<(), String> {
    let home = plan.databases.iter().find(|d| d.name.eq_ignore_ascii_case(&group.databases[0]));
    let home = home.and_then(|d| plan.server_index(&d.server));
    let mut replicas = Vec::new();
    for replica in &group.replicas {
        let server = plan.server_index(&replica.server).ok_or("a replica is on no server")?;
        let created = began - TimeDelta::days(40);
        replicas.push(Replica {
            id: state.dice.guid(),
            server,
            endpoint: format!("TCP://{}.contoso.local:5022", state.servers[server].machine()),
            synchronous: replica.mode == planned::Mode::Sync,
            automatic: replica.failover == planned::Failover::Automatic,
            session_timeout: 10,
            read_write_only: false,
            readable: match replica.readable {
                planned::Readable::None => 0,
                planned::Readable::ReadOnly => 1,
                planned::Readable::All => 2,
            },
            backup_priority: replica.backup_priority,
            routing_url: None,
            routing_list: Vec::new(),
            joined: true,
            created,
            modified: created,
            lag_ms: planned::span(replica.lag.as_ref())?.unwrap_or(LAG_MS),
        });
    }
    let primary = replicas.iter().position(|r| Some(r.server) == home);
    let mut databases = Vec::new();
    for name in &group.databases {
        let id = state.dice.guid();
        let Some(end) = home.and_then(|s| begin_chain(state, s, name)) else { continue };
        // One identity with MS DTC for the database, wherever it is.
        if group.dtc_support == planned::Dtc::PerDb {
            let manager = state.dice.guid();
            if let Some(db) = home.and_then(|s| state.servers[s].database_mut(name)) {
                db.more.manager = Some(manager);
            }
        }
        for replica in replicas.iter().filter(|r| Some(r.server) != home) {
            copy(state, home.unwrap_or_default(), replica.server, name, DbState::Online);
        }
        let copies = replicas.iter().map(|_| Copy::level(end, began)).collect();
        databases.push(Member { id, name: name.clone(), copies });
    }
    let listener = match &group.listener {
        None => None,
        Some(listener) => {
            let mut addresses = Vec::new();
            for text in &listener.addresses {
                let (ip, mask, subnet, prefix) = planned::address(text)?;
                addresses.push(Address { ip, mask, subnet, prefix });
            }
            let id = state.dice.guid();
            Some(Listening { id, name: listener.name.clone(), port: listener.port.into(), addresses })
        }
    };
    let (id, resource, resource_group) = (state.dice.guid(), state.dice.guid(), state.dice.guid());
    state.ha.groups.push(Group {
        id,
        resource,
        resource_group,
        name: group.name.clone(),
        backup_preference: match group.backup_preference {
            planned::Preference::Primary => 0,
            planned::Preference::SecondaryOnly => 1,
            planned::Preference::Secondary => 2,
            planned::Preference::None => 3,
        },
        failure_condition: 3,
        health_timeout: 30_000,
        basic: group.basic,
        dtc: group.dtc_support == planned::Dtc::PerDb,
        db_failover: group.db_failover,
        primary,
        replicas,
        databases,
        listener,
        lost: None,
        sequence: 4_294_967_301,
        moves: 0,
    });
    Ok(())
}

fn add_mirror(
    plan: &Plan,
    state: &mut State,
    mirror: &planned::Mirror,
    began: DateTime<Utc>,
) -> Result<(), String> {
    let home = plan.databases.iter().find(|d| d.name.eq_ignore_ascii_case(&mirror.database));
    let principal = home.and_then(|d| plan.server_index(&d.server)).ok_or("a mirror has no principal")?;
    let other = plan.server_index(&mirror.mirror).ok_or("a mirror is on no server")?;
    let end = begin_chain(state, principal, &mirror.database).ok_or("a mirror has no database")?;
    copy(state, principal, other, &mirror.database, DbState::Restoring);
    let id = state.dice.guid();
    state.ha.mirrors.push(Mirror {
        id,
        database: mirror.database.clone(),
        principal,
        mirror: other,
        witness: mirror.witness.as_ref().and_then(|w| plan.server_index(w)),
        safe: mirror.safety == planned::Safety::Full,
        suspended: false,
        role_sequence: 1,
        safety_sequence: 1,
        timeout: 10,
        failover: end,
        lost: None,
        copy: Copy::level(end, began),
        lag_ms: planned::span(mirror.lag.as_ref())?.unwrap_or(LAG_MS),
    });
    Ok(())
}

/// The jobs of a group's databases are on every replica, each step behind the question who is primary.
fn guard_jobs(state: &mut State) {
    for g in 0..state.ha.groups.len() {
        let group = state.ha.groups[g].clone();
        let Some(primary) = group.primary_server() else { continue };
        let mut copies: Vec<Job> = Vec::new();
        for job in &mut state.servers[primary].agent.jobs {
            let mut guarded = false;
            for step in &mut job.steps {
                if group.member(&step.database).is_some() {
                    let database = std::mem::replace(&mut step.database, "master".into());
                    step.command = guarded_command(&step.command, &database);
                    guarded = true;
                }
            }
            if guarded {
                copies.push(job.clone());
            }
        }
        let schedules = state.servers[primary].agent.schedules.clone();
        for replica in group.replicas.iter().filter(|r| r.server != primary) {
            for job in &copies {
                let mut job = Job { id: state.dice.guid(), ..job.clone() };
                for step in &mut job.steps {
                    step.uid = state.dice.guid();
                }
                let agent = &mut state.servers[replica.server].agent;
                let mut own = Vec::new();
                for schedule in schedules.iter().filter(|s| job.schedules.contains(&s.id)) {
                    let id = agent.schedules.iter().map(|x| x.id).max().unwrap_or(8) + 1;
                    let uid = state.dice.guid();
                    agent.schedules.push(crate::sandbox::world::agent::Schedule {
                        id,
                        uid,
                        ..schedule.clone()
                    });
                    own.push(id);
                }
                job.schedules = own;
                agent.jobs.push(job);
                let j = agent.jobs.len() - 1;
                let at = state.at;
                state.plan_job(replica.server, j, at);
            }
        }
    }
}

/// A step's command behind its guard: run in master, it calls the database by name.
fn guarded_command(command: &str, database: &str) -> String {
    let rest = command.trim_start();
    let calls = rest.get(..5).filter(|w| w.eq_ignore_ascii_case("exec ")).and(rest.get(5..));
    let full = match calls.map(str::trim_start) {
        Some(call) if call.starts_with("[dbo].") => format!("exec [{database}].{call}"),
        Some(call) if call.to_lowercase().starts_with("dbo.") => format!("exec [{database}].{call}"),
        Some(call) => format!("exec [{database}].[dbo].{call}"),
        None => command.to_owned(),
    };
    format!("IF (sys.fn_hadr_is_primary_replica('{database}') = 1)\nBEGIN\n{full};\nEND")
}
