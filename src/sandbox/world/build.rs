//! Makes an estate of a world file: servers, databases, tables and jobs as they are before any history.
//!
//! Does not know time beyond the moment it is given; history is made by letting the jobs run.

mod ha;
mod jobs;
mod logship;
mod play;
mod tables;
mod upkeep;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use super::agent::Agent;
use super::files::Files;
use super::ids::{Dice, Lsn, sid};
use super::ledger::Ledger;
use super::plan::{self, DatabaseRole, LoginKind, Plan};
use super::state::{
    Certificate, Computer, Computers, Content, Database, DbFile, DbState, FileLimits, History, Linked, Log,
    Login, Model, More, Role, Server, Shipping, State, Trouble, Volume,
};
use crate::clock::DrillClock;

/// Options whose value on a server with its agent running is not the product's default.
const OPTIONS: &[(&str, i64)] = &[("Agent XPs", 1)];

/// What a world is made with.
#[derive(Debug)]
pub(crate) struct Making<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) clock: DrillClock,
    pub(crate) opened: DateTime<Utc>,
    pub(crate) seed: u64,
    pub(crate) password: &'a str,
    pub(crate) files: Files,
}

/// The estate when its history begins.
pub(crate) fn build(making: &Making<'_>) -> Result<State, String> {
    let plan = making.plan;
    let began = making.opened - plan.history()?.delta();
    let mut state = State {
        world: plan.world.clone(),
        seed: making.seed,
        dice: Dice::new(making.seed),
        clock: making.clock,
        ahead_ms: 0,
        by_hand: false,
        at: began,
        opened: making.opened,
        servers: Vec::new(),
        sets: Ledger::default(),
        set_of: HashMap::new(),
        layouts: Vec::new(),
        biztalk: Computers::default(),
        units: Vec::new(),
        faults: Vec::new(),
        ha: super::ha::Ha::default(),
        plays: Vec::new(),
        pending: Vec::new(),
        files: making.files.clone(),
        fresh: Some(HashMap::new()),
        sessions: Vec::new(),
        dirty: true,
    };
    for (n, server) in plan.servers.iter().enumerate() {
        let server = make_server(making, server, n, began, &mut state.dice)?;
        state.servers.push(server);
    }
    state.servers.iter_mut().for_each(super::logship::make_tables);
    for (n, database) in plan.databases.iter().enumerate() {
        make_database(making, &mut state, database, n, began)?;
    }
    tables::fill(making, &mut state, began)?;
    jobs::add(making, &mut state, began)?;
    upkeep::add(making, &mut state, began)?;
    ha::add(making, &mut state, began)?;
    play::add(making, &mut state, began)?;
    make_folders(making, &state).map_err(|e| format!("the folder for backup files cannot be made: {e}"))?;
    state.biztalk = computers(plan, &state);
    state.biztalk.since = Some(began);
    logship::set_up(making, &mut state, began)?;
    Ok(state)
}

fn installed() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2024, 5, 3).and_then(|d| d.and_hms_milli_opt(7, 12, 40, 307)).unwrap_or_default()
}

/// The four numbers of a version.
pub(crate) fn version(text: &str) -> Result<(u8, u8, u16, u16), String> {
    let wrong = || format!("version `{text}` is not written like 15.0.4430.1");
    let parts: Vec<u16> =
        text.split('.').map(|p| p.parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    match parts.as_slice() {
        [major, minor, build, rest @ ..] if rest.len() < 2 && (11..=17).contains(major) && *minor < 100 => {
            Ok((*major as u8, *minor as u8, *build, rest.first().copied().unwrap_or(1)))
        }
        _ => Err(wrong()),
    }
}

fn make_server(
    making: &Making<'_>,
    plan: &plan::Server,
    number: usize,
    began: DateTime<Utc>,
    dice: &mut Dice,
) -> Result<Server, String> {
    let started = began - TimeDelta::days(11) - TimeDelta::seconds(dice.between(0, 80_000));
    let mut options: BTreeMap<String, i64> = OPTIONS.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
    for (name, value) in &plan.options {
        options.insert(name.clone(), *value);
    }
    let offset = TimeDelta::minutes(plan.utc_offset.into());
    let collation = if plan.case_sensitive { "Latin1_General_CS_AS" } else { "SQL_Latin1_General_CP1_CI_AS" };
    let mut server = Server {
        name: plan.name.clone(),
        version: version(&plan.version)?,
        edition: plan.edition.clone(),
        update_level: plan.update.clone(),
        offset_minutes: plan.utc_offset,
        case_sensitive: plan.case_sensitive,
        collation: collation.into(),
        role: plan.role,
        started,
        agent_account: plan.agent_account.clone(),
        engine_account: plan.engine_account.clone(),
        logins: logins(making, plan, number),
        linked: Vec::new(),
        options,
        volumes: volumes(plan),
        databases: Vec::new(),
        msdb: History::default(),
        agent: Agent {
            sessions: vec![(14, (started + TimeDelta::seconds(9)).naive_utc() + offset)],
            ..Agent::default()
        },
        shipping: None,
        trouble: Trouble::default(),
        next_object_id: 901_578_250,
        configured: BTreeMap::new(),
        error_log: super::errorlog::ErrorLog::default(),
        transactions: super::transaction::Transactions::default(),
        locks: super::locks::Locks::default(),
        dtc: super::dtc::Dtc::default(),
        certificates: plan.certificates.iter().map(|c| certificate(c, making)).collect(),
        backup_devices: Vec::new(),
        throughput: plan.mb_per_second,
        suspect_pages: Vec::new(),
    };
    for linked in &plan.linked {
        link(&mut server, linked);
    }
    let management = making.plan.management();
    if plan.role == Role::Destination
        && let Some(management) = management
    {
        let address = making.plan.address_of(management);
        link(&mut server, &address);
        server.shipping = Some(Shipping {
            source_id: address.clone(),
            management_server: address,
            management_database: management.name.clone(),
            only_from: plan.only_from.clone(),
            jobs: Vec::new(),
        });
    }
    for (id, name) in [(1, "master"), (2, "tempdb"), (3, "model"), (4, "msdb")] {
        let mut database = empty_database(dice, id, name, Model::Simple, "sa");
        database.files = system_files(dice, &server, name);
        database.created = if id == 2 {
            server.local(started)
        } else if id == 1 {
            NaiveDate::from_ymd_opt(2003, 4, 8).and_then(|d| d.and_hms_opt(9, 13, 36)).unwrap_or_default()
        } else {
            installed()
        };
        database.compatibility = server.version.0 * 10;
        database.log = Log::starting(Lsn::new(35, 700, 1));
        server.databases.push(database);
    }
    Ok(server)
}

fn certificate(plan: &plan::Certificate, making: &Making<'_>) -> Certificate {
    let opened = making.opened.naive_utc();
    let until = opened + TimeDelta::days(plan.days_left.clamp(-3650, 36_500));
    let mut thumbprint = sid(&plan.name, 0x5EA1);
    thumbprint.extend(sid(&plan.name, 0x5EA2).into_iter().take(4));
    thumbprint.truncate(20);
    Certificate {
        name: plan.name.clone(),
        thumbprint,
        from: until - TimeDelta::days(730),
        until,
        private_key: plan.private_key,
        saved: Some(opened - TimeDelta::days(300)),
    }
}

fn link(server: &mut Server, name: &str) {
    if server.name.eq_ignore_ascii_case(name)
        || server.linked.iter().any(|l| l.name.eq_ignore_ascii_case(name))
    {
        return;
    }
    server.linked.push(Linked {
        name: name.to_owned(),
        data_source: name.to_owned(),
        rpc_out: true,
        created: installed(),
    });
}

fn volumes(plan: &plan::Server) -> Vec<Volume> {
    let gb = 1_073_741_824;
    if plan.volumes.is_empty() {
        return vec![Volume { mount: "C:\\".into(), total_bytes: 500 * gb, free_bytes: 300 * gb }];
    }
    plan.volumes
        .iter()
        .map(|v| Volume { mount: v.mount.clone(), total_bytes: v.total_gb * gb, free_bytes: v.free_gb * gb })
        .collect()
}

/// Server roles and their principal ids.
pub(crate) const SERVER_ROLES: &[(i32, &str)] = &[
    (2, "public"),
    (3, "sysadmin"),
    (4, "securityadmin"),
    (5, "serveradmin"),
    (6, "setupadmin"),
    (7, "processadmin"),
    (8, "diskadmin"),
    (9, "dbcreator"),
    (10, "bulkadmin"),
];

fn logins(making: &Making<'_>, server: &plan::Server, number: usize) -> Vec<Login> {
    let login = |id, name: &str, kind, sysadmin| Login {
        id,
        name: name.to_owned(),
        sid: sid(name, making.seed.wrapping_add(number as u64)),
        kind,
        password: None,
        disabled: false,
        sysadmin,
        grants: Vec::new(),
        denies: Vec::new(),
        roles: Vec::new(),
        database: None,
        created: installed(),
    };
    let mut all = vec![Login { password: Some(making.password.to_owned()), ..login(1, "sa", 'S', true) }];
    all.extend(
        SERVER_ROLES.iter().map(|(id, name)| Login { sid: vec![*id as u8], ..login(*id, name, 'R', false) }),
    );
    for (n, name) in [
        "NT SERVICE\\SQLWriter",
        "NT SERVICE\\Winmgmt",
        "NT SERVICE\\MSSQLSERVER",
        "NT SERVICE\\SQLSERVERAGENT",
    ]
    .iter()
    .enumerate()
    {
        all.push(login(259 + n as i32, name, 'U', true));
    }
    for (n, plan) in making.plan.logins.iter().enumerate() {
        let has = |list: &[String]| list.iter().any(|x| x.eq_ignore_ascii_case(&server.name));
        if has(&plan.missing_on) || (!plan.servers.is_empty() && !has(&plan.servers)) {
            continue;
        }
        let kind = match plan.kind {
            LoginKind::Sql => 'S',
            LoginKind::User => 'U',
            LoginKind::Group => 'G',
        };
        // A SQL login of a log-shipping pair was made with its SID, so that users find it.
        all.push(Login {
            sid: sid(&plan.name, making.seed),
            password: (kind == 'S').then(|| making.password.to_owned()),
            grants: plan.grants.iter().map(|g| g.to_uppercase()).collect(),
            ..login(268 + n as i32, &plan.name, kind, plan.sysadmin)
        });
    }
    all
}

pub(crate) fn empty_database(dice: &mut Dice, id: i32, name: &str, model: Model, owner: &str) -> Database {
    let guid = dice.guid();
    Database {
        id,
        name: name.to_owned(),
        state: DbState::Online,
        model,
        created: installed(),
        compatibility: 150,
        owner: owner.to_owned(),
        user_access: 0,
        read_only: false,
        role: String::new(),
        guid,
        family: guid,
        fork: dice.guid(),
        forked: None,
        redo: None,
        base: None,
        files: Vec::new(),
        log: Log::default(),
        content: Content { users: tables::fixed_users(), ..Content::default() },
        traffic: 0,
        more: More::default(),
    }
}

fn system_files(dice: &mut Dice, server: &Server, name: &str) -> Vec<DbFile> {
    let folder = format!(
        "C:\\Program Files\\Microsoft SQL Server\\MSSQL{}.{}\\MSSQL\\DATA",
        server.version.0,
        server.name.split_once('\\').map_or("MSSQLSERVER", |(_, i)| i)
    );
    let (data, log) = match name {
        "master" => ("master", "mastlog"),
        "tempdb" => ("tempdev", "templog"),
        "model" => ("modeldev", "modellog"),
        _ => ("MSDBData", "MSDBLog"),
    };
    let (data_file, log_file) = match name {
        "tempdb" => ("tempdb.mdf", "templog.ldf".to_owned()),
        "model" => ("model.mdf", "modellog.ldf".to_owned()),
        _ => (if name == "master" { "master.mdf" } else { "MSDBData.mdf" }, format!("{log}.ldf")),
    };
    let file = |dice: &mut Dice, id, logical: &str, physical: &str, is_log, pages| DbFile {
        id,
        guid: dice.guid(),
        logical: logical.to_owned(),
        physical: format!("{folder}\\{physical}"),
        is_log,
        pages,
        limits: FileLimits::default(),
    };
    vec![
        file(dice, 1, data, data_file, false, if name == "tempdb" { 131_072 } else { 2560 }),
        file(dice, 2, log, &log_file, true, 1024),
    ]
}

fn make_database(
    making: &Making<'_>,
    state: &mut State,
    plan: &plan::Database,
    number: usize,
    began: DateTime<Utc>,
) -> Result<(), String> {
    let s = state.server_index(&plan.server).ok_or_else(|| format!("no server {}", plan.server))?;
    let id = state.servers[s].databases.iter().map(|d| d.id).max().unwrap_or(4) + 1;
    let owner = if matches!(plan.role, DatabaseRole::Other | DatabaseRole::User) {
        "sa"
    } else {
        "CONTOSO\\svc-sqlagent"
    };
    let owner = if state.servers[s].logins.iter().any(|l| l.name == owner) { owner } else { "sa" };
    let mut database = empty_database(&mut state.dice, id, &plan.name, Model::Full, owner);
    // What BizTalk has nothing to do with has no role in it.
    let word = if plan.role == DatabaseRole::User { "" } else { plan.role.word() };
    word.clone_into(&mut database.role);
    database.created = installed() + TimeDelta::seconds(47 * number as i64);
    database.compatibility = state.servers[s].version.0 * 10;
    database.traffic = plan.traffic;
    let data = plan.data_folder.clone().unwrap_or_else(|| folder(&state.servers[s], 'D', "Data"));
    let log = plan.log_folder.clone().unwrap_or_else(|| folder(&state.servers[s], 'L', "Log"));
    let pages = plan.size_mb.max(8) * 128;
    for (id, suffix, folder, is_log, pages) in
        [(1, ".mdf", data, false, pages), (2, "_log.ldf", log, true, (pages / 4).max(1024))]
    {
        let logical = if is_log { format!("{}_log", plan.name) } else { plan.name.clone() };
        database.files.push(DbFile {
            id,
            guid: state.dice.guid(),
            logical,
            physical: format!("{folder}\\{}{suffix}", plan.name),
            is_log,
            pages,
            limits: FileLimits::default(),
        });
    }
    let start = Lsn::new(plan.vlf.into(), i128::from(state.dice.between(2000, 60_000)), 1);
    database.log = Log::starting(start);
    database.log.busy_until = Some(began);
    database.content = tables::content(making, &mut state.servers[s], plan)?;
    state.servers[s].databases.push(database);
    Ok(())
}

/// A folder on the drive if the server has it, else on C:.
fn folder(server: &Server, drive: char, name: &str) -> String {
    let there = server.volumes.iter().any(|v| v.mount.to_uppercase().starts_with(drive));
    format!("{}:\\SQL{name}", if there { drive } else { 'C' })
}

fn make_folders(making: &Making<'_>, state: &State) -> std::io::Result<()> {
    let files = &making.files;
    let home = state.servers.first().map_or("", Server::machine);
    if let Some(backup) = &making.plan.backup {
        files.make_folder(home, &backup.location)?;
    }
    for upkeep in &making.plan.upkeep {
        let server = state.server_index(&upkeep.server).map_or(home, |s| state.servers[s].machine());
        files.make_folder(server, &upkeep.location)?;
    }
    for server in &state.servers {
        let user = state.servers.iter().flat_map(|o| o.databases.iter().filter(|d| d.id > 4));
        for file in server.databases.iter().chain(user).flat_map(|d| &d.files) {
            if let Some((folder, _)) = file.physical.rsplit_once('\\') {
                files.make_folder(server.machine(), folder)?;
                if let Some(home) = folder.strip_suffix("\\MSSQL\\DATA") {
                    files.make_folder(server.machine(), &format!("{home}\\MSSQL\\Backup"))?;
                }
            }
        }
    }
    Ok(())
}

fn computers(plan: &Plan, state: &State) -> Computers {
    let computers = plan
        .computers
        .iter()
        .map(|c| Computer {
            name: c.name.clone(),
            login: c.login.clone(),
            programs: c
                .programs
                .iter()
                .flat_map(|(p, roles)| roles.iter().map(|r| (p.clone(), r.word().to_owned())))
                .collect(),
        })
        .collect();
    let management = plan.management().and_then(|m| state.server_index(&m.server));
    let mut also: Vec<usize> = plan.covered().filter_map(|d| state.server_index(&d.server)).collect();
    also.sort_unstable();
    also.dedup();
    also.retain(|s| Some(*s) != management);
    Computers { computers, connected_to: management, also, since: None, next_beat: Some(state.at) }
}
