//! The tables of a BizTalk group and of its destinations, with their first rows.
//!
//! Column lists are those of the product as far as they are known; the world file adds more tables.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::Making;
use crate::sandbox::value::Table;
use crate::sandbox::world::ids::sid;
use crate::sandbox::world::plan::{self, DatabaseRole, LoginKind};
use crate::sandbox::world::state::{Content, Role, Server, State, User};
use crate::sandbox::world::stored::{Stored, from_scalar, int, specs, text};

const MANAGEMENT: &[(&str, &str)] = &[
    (
        "adm_BackupHistory",
        "BackupId bigint not null; BackupSetId bigint not null; MarkName nvarchar(32); DatabaseName nvarchar(128) not null; ServerName nvarchar(128); BackupFileName nvarchar(500) not null; BackupFileLocation nvarchar(3000) not null; BackupType char(2) not null; BackupDateTime datetime not null; SetComplete bit not null",
    ),
    ("adm_BackupSettings", "UseCompression bit not null; ForceFull bit not null"),
    ("adm_BackupSetId", "NextBackupSetId bigint not null"),
    (
        "adm_OtherBackupDatabases",
        "DefaultDatabaseName nvarchar(128) not null; DatabaseName nvarchar(128) not null; ServerName nvarchar(80) not null; BTSServerName nvarchar(80) not null",
    ),
    (
        "adm_OtherDatabases",
        "DefaultDatabaseName nvarchar(128) not null; DatabaseName nvarchar(128) not null; ServerName nvarchar(80) not null; BTSServerName nvarchar(80) not null",
    ),
    (
        "adm_Group",
        "Id int not null; Name nvarchar(256) not null; BizTalkAdminGroup nvarchar(256); BizTalkOperatorGroup nvarchar(256); BizTalkB2BOperatorGroup nvarchar(256); TrackingDBServerName nvarchar(80); TrackingDBName nvarchar(128); SubscriptionDBServerName nvarchar(80); SubscriptionDBName nvarchar(128); TrackAnalysisServerName nvarchar(80); TrackAnalysisDBName nvarchar(128); BamDBServerName nvarchar(80); BamDBName nvarchar(128); RuleEngineDBServerName nvarchar(80); RuleEngineDBName nvarchar(128); SSOServerName nvarchar(256)",
    ),
    (
        "adm_MessageBox",
        "Id int not null; DBServerName nvarchar(80) not null; DBName nvarchar(128) not null; IsMasterMsgBox int not null",
    ),
];

const EVERY: &[(&str, &str)] = &[
    ("MarkLog", "MarkName nvarchar(128) not null"),
    (
        "BizTalkDBVersion",
        "BizTalkDBName nvarchar(64) not null; DatabaseMajor int not null; DatabaseMinor int not null; DatabaseBuildNumber int; DatabaseRevision int; ProductMajor int not null; ProductMinor int not null; ProductBuildNumber int not null; ProductRevision int not null; ProductLanguage nvarchar(256); Description nvarchar(256)",
    ),
];

const DESTINATION: &[(&str, &str)] = &[
    (
        "bts_LogShippingDatabases",
        "SourceID nvarchar(128) not null; ServerName nvarchar(128) not null; DatabaseName nvarchar(128) not null; LogFileLocation nvarchar(3000); DBFileLocation nvarchar(3000)",
    ),
    (
        "bts_LogShippingHistory",
        "SourceID nvarchar(128) not null; BackupId bigint not null; BackupSetId bigint not null; MarkName nvarchar(32); DatabaseName nvarchar(128) not null; ServerName nvarchar(128); BackupFileName nvarchar(500) not null; BackupFileLocation nvarchar(3000) not null; BackupType char(2) not null; BackupDateTime datetime not null; SetComplete bit not null; Restored bit not null; RestoredDateTime datetime",
    ),
    (
        "bts_LogShippingLastRestoreSet",
        "SourceID nvarchar(128) not null; BackupSetId bigint not null; RestoredDateTime datetime",
    ),
];

/// The procedures that plumb a database into the backup job.
const PLUMBING: &[&str] =
    &["sp_BackupBizTalk", "sp_BackupBizTalkFull", "sp_BackupBizTalkLog", "sp_SetMark", "sp_SetMarkRemote"];

const MANAGEMENT_PROCEDURES: &[&str] = &[
    "sp_BackupAllFull",
    "sp_BackupAllFull_Schedule",
    "sp_DeleteBackupHistory",
    "sp_ForceFullBackup",
    "sp_GetBackupHistory",
    "sp_MarkAll",
    "sp_MarkBTSLogs",
    "sp_SetBackupCompression",
];

const DESTINATION_PROCEDURES: &[&str] = &[
    "bts_ConfigureBizTalkLogShipping",
    "bts_CreateAgentJobs",
    "bts_GetBackupHistory",
    "bts_RestoreDatabases",
    "bts_RestoreToMark",
    "sp_LogShippingClean",
];

/// Procedures that play the part of people and computers outside SQL Server.
pub(crate) const SANDBOX_PROCEDURES: &[&str] = &[
    "sandbox_Clock",
    "sandbox_Coordinator",
    "sandbox_CreateLogins",
    "sandbox_StartBizTalk",
    "sandbox_StopBizTalk",
    "sandbox_UpdateDatabase",
];

pub(super) fn make(
    server: &mut Server,
    content: &mut Content,
    name: &str,
    columns: &str,
) -> Result<(), String> {
    let columns = specs(columns).map_err(|e| format!("table {name}: {e}"))?;
    let table = Table { columns: columns.into_iter().map(|s| s.column).collect(), rows: Vec::new() };
    let stored = Stored { name: name.to_owned(), object_id: server.next_object_id(), table: table.into() };
    content.tables.insert(name.to_lowercase(), stored);
    Ok(())
}

fn add_row(content: &mut Content, table: &str, cells: &[(&str, crate::sandbox::value::Value)]) {
    if let Some(stored) = content.tables.get_mut(&table.to_lowercase()) {
        let row = stored.row_of(cells);
        stored.rows_mut().push(row);
    }
}

fn procedures(server: &mut Server, content: &mut Content, names: &[&str]) {
    for name in names {
        content.procedures.push(((*name).to_owned(), server.next_object_id()));
    }
}

/// What a new BizTalk database holds.
pub(super) fn content(
    making: &Making<'_>,
    server: &mut Server,
    plan: &plan::Database,
) -> Result<Content, String> {
    if plan.role == DatabaseRole::User {
        let mut content = Content { users: fixed_users(), ..Content::default() };
        own_tables(making, server, &mut content, plan)?;
        return Ok(content);
    }
    let mut content = Content { users: users(making), ..Content::default() };
    for (name, columns) in EVERY {
        make(server, &mut content, name, columns)?;
    }
    let title = match plan.role {
        DatabaseRole::Management => "Management DB",
        DatabaseRole::MessageBox => "MessageBox DB",
        DatabaseRole::Tracking => "Tracking DB",
        DatabaseRole::Rules => "Rule Engine DB",
        DatabaseRole::Bam => "BAM Primary Import DB",
        DatabaseRole::Sso => "SSO DB",
        DatabaseRole::Other | DatabaseRole::User => plan.name.as_str(),
    };
    add_row(
        &mut content,
        "BizTalkDBVersion",
        &[
            ("BizTalkDBName", text(title)),
            ("DatabaseMajor", int(3)),
            ("DatabaseMinor", int(13)),
            ("DatabaseBuildNumber", int(717)),
            ("DatabaseRevision", int(0)),
            ("ProductMajor", int(3)),
            ("ProductMinor", int(13)),
            ("ProductBuildNumber", int(717)),
            ("ProductRevision", int(0)),
            ("ProductLanguage", text("en-US")),
        ],
    );
    procedures(server, &mut content, PLUMBING);
    if plan.role == DatabaseRole::Management {
        for (name, columns) in MANAGEMENT {
            make(server, &mut content, name, columns)?;
        }
        procedures(server, &mut content, MANAGEMENT_PROCEDURES);
        content.views.push(("admv_BackupDatabases".into(), server.next_object_id()));
    }
    own_tables(making, server, &mut content, plan)?;
    Ok(content)
}

/// The tables that the world file adds to a database.
fn own_tables(
    making: &Making<'_>,
    server: &mut Server,
    content: &mut Content,
    plan: &plan::Database,
) -> Result<(), String> {
    let source = making.plan.management().map_or_else(String::new, |m| making.plan.address_of(m));
    for (name, table) in making.plan.tables.get(&plan.name).into_iter().flatten() {
        make(server, content, name, &table.columns)?;
        let Some(stored) = content.tables.get_mut(&name.to_lowercase()) else { continue };
        for row in &table.rows {
            if row.len() != stored.table.columns.len() {
                return Err(format!(
                    "table {name}: a row has {} cells for {} columns",
                    row.len(),
                    stored.table.columns.len()
                ));
            }
            let cells = row
                .iter()
                .zip(&stored.table.columns)
                .map(|(cell, column)| from_scalar(&named(cell, &source), column.kind))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|e| format!("table {name}: {e}"))?;
            stored.rows_mut().push(cells);
        }
    }
    Ok(())
}

fn named(cell: &Json, source: &str) -> Json {
    match cell {
        Json::String(text) => Json::String(text.replace("{source}", source)),
        other => other.clone(),
    }
}

/// dbo, the fixed ones, and a user per login that has roles.
fn users(making: &Making<'_>) -> Vec<User> {
    let created = super::installed();
    let user = |id, name: &str, kind, sid: Option<Vec<u8>>| User {
        id,
        name: name.to_owned(),
        sid,
        kind,
        roles: Vec::new(),
        created,
    };
    let mut all = fixed_users();
    let mut next = 5;
    let mut roles: Vec<String> = Vec::new();
    for role in making.plan.logins.iter().flat_map(|l| &l.roles) {
        if !roles.contains(role) {
            roles.push(role.clone());
        }
    }
    if !roles.iter().any(|r| r == "BTS_BACKUP_USERS") {
        roles.push("BTS_BACKUP_USERS".into());
    }
    for role in roles {
        all.push(user(next, &role, 'R', None));
        next += 1;
    }
    for login in making.plan.logins.iter().filter(|l| !l.roles.is_empty()) {
        let kind = match login.kind {
            LoginKind::Sql => 'S',
            LoginKind::User => 'U',
            LoginKind::Group => 'G',
        };
        all.push(User {
            roles: login.roles.clone(),
            ..user(next, &login.name, kind, Some(sid(&login.name, making.seed)))
        });
        next += 1;
    }
    all
}

/// The principals that every database has.
pub(crate) fn fixed_users() -> Vec<User> {
    let created = chrono::NaiveDate::from_ymd_opt(2003, 4, 8)
        .and_then(|d| d.and_hms_opt(9, 10, 42))
        .unwrap_or_default();
    let user =
        |id, name: &str, kind, sid| User { id, name: name.into(), sid, kind, roles: Vec::new(), created };
    let mut all = vec![
        user(0, "public", 'R', None),
        User { roles: vec!["db_owner".into()], ..user(1, "dbo", 'S', Some(vec![1])) },
        user(2, "guest", 'S', Some(vec![0])),
        user(3, "INFORMATION_SCHEMA", 'S', None),
        user(4, "sys", 'S', None),
    ];
    for (n, name) in [
        "db_owner",
        "db_accessadmin",
        "db_securityadmin",
        "db_ddladmin",
        "db_backupoperator",
        "db_datareader",
        "db_datawriter",
        "db_denydatareader",
        "db_denydatawriter",
    ]
    .iter()
    .enumerate()
    {
        let id = 16_384 + if n < 3 { n as i32 } else { n as i32 + 1 };
        all.push(user(id, name, 'R', None));
    }
    all
}

/// The rows that tie databases and servers together.
pub(super) fn fill(making: &Making<'_>, state: &mut State, _began: DateTime<Utc>) -> Result<(), String> {
    for server in &mut state.servers {
        let destination = server.role == Role::Destination;
        let mut content = Content { users: fixed_users(), ..Content::default() };
        procedures(server, &mut content, SANDBOX_PROCEDURES);
        if destination && making.plan.management().is_some() {
            for (name, columns) in DESTINATION {
                make(server, &mut content, name, columns)?;
            }
            procedures(server, &mut content, DESTINATION_PROCEDURES);
        }
        for database in server.databases.iter_mut().filter(|d| d.id <= 4) {
            database.content.users = fixed_users();
        }
        if let Some(master) = server.database_mut("master") {
            master.content = content;
        }
    }
    let (Some(management), Some(backup)) = (making.plan.management(), &making.plan.backup) else {
        return Ok(());
    };
    let place = |role: DatabaseRole| {
        making
            .plan
            .databases
            .iter()
            .find(|d| d.role == role)
            .map_or((text(""), text("")), |d| (text(making.plan.address_of(d)), text(&d.name)))
    };
    let (tracking, messagebox) = (place(DatabaseRole::Tracking), place(DatabaseRole::MessageBox));
    let (bam, rules) = (place(DatabaseRole::Bam), place(DatabaseRole::Rules));
    let sso = making.plan.computers.first().map_or("", |c| c.name.as_str());
    let group = [
        ("Id", int(1)),
        ("Name", text("BizTalkGroup")),
        ("BizTalkAdminGroup", text("CONTOSO\\BizTalk Server Administrators")),
        ("BizTalkOperatorGroup", text("CONTOSO\\BizTalk Server Operators")),
        ("BizTalkB2BOperatorGroup", text("CONTOSO\\BizTalk B2B Operators")),
        ("TrackingDBServerName", tracking.0),
        ("TrackingDBName", tracking.1),
        ("SubscriptionDBServerName", messagebox.0),
        ("SubscriptionDBName", messagebox.1),
        ("BamDBServerName", bam.0),
        ("BamDBName", bam.1),
        ("RuleEngineDBServerName", rules.0),
        ("RuleEngineDBName", rules.1),
        ("SSOServerName", text(sso)),
    ];
    let Some(s) = state.server_index(&management.server) else { return Ok(()) };
    let Some(db) = state.servers[s].database_mut(&management.name) else { return Ok(()) };
    let content = &mut db.content;
    add_row(content, "adm_Group", &group);
    let compress = int(i64::from(backup.compression));
    let bit = |v: &crate::sandbox::value::Value| crate::sandbox::value::Value::Bit(*v == int(1));
    add_row(
        content,
        "adm_BackupSettings",
        &[("UseCompression", bit(&compress)), ("ForceFull", bit(&int(0)))],
    );
    add_row(content, "adm_BackupSetId", &[("NextBackupSetId", int(1 + (making.seed % 40_000) as i64))]);
    let mut boxes = 0;
    for d in &making.plan.databases {
        match d.role {
            DatabaseRole::MessageBox => {
                boxes += 1;
                let master = int(if boxes == 1 { -1 } else { 0 });
                add_row(
                    content,
                    "adm_MessageBox",
                    &[
                        ("Id", int(boxes)),
                        ("DBServerName", text(making.plan.address_of(d))),
                        ("DBName", text(&d.name)),
                        ("IsMasterMsgBox", master),
                    ],
                );
            }
            DatabaseRole::Sso | DatabaseRole::Other => add_row(
                content,
                "adm_OtherBackupDatabases",
                &[
                    ("DefaultDatabaseName", text(d.default_name.as_deref().unwrap_or(&d.name))),
                    ("DatabaseName", text(&d.name)),
                    ("ServerName", text(making.plan.address_of(d))),
                    ("BTSServerName", text(sso)),
                ],
            ),
            _ => {}
        }
    }
    Ok(())
}
