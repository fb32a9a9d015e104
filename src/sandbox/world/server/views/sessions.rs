//! Who is connected and what is running.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::Call;
use crate::sandbox::value::Value;
use crate::sandbox::world::agent::Doing;
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, at, bit, guid, int, or_null, text};

struct Shown {
    id: i64,
    login: String,
    host: Option<String>,
    program: String,
    database: i64,
    since: DateTime<Utc>,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    command: Option<String>,
    doing: Option<Doing>,
}

/// First session id of jobs that run.
pub(crate) const AGENT_SESSIONS: i64 = 31_000;
/// First session id of BizTalk's connections.
const BIZTALK_SESSIONS: i64 = 20_000;

/// All user sessions of the server: real ones, BizTalk's, and the agent's.
fn shown(call: &Call<'_>) -> Vec<Shown> {
    let server = call.server();
    let database = |name: &str| server.database(name).map_or(1, |d| i64::from(d.id));
    let mut all: Vec<Shown> = call
        .state
        .sessions
        .iter()
        .filter(|x| x.server == call.s)
        .map(|x| Shown {
            id: x.id.into(),
            login: x.login.clone(),
            host: Some(x.workstation.clone()),
            program: x.application.clone(),
            database: database(&x.database),
            since: x.since,
            started: x.last_start,
            ended: x.last_end,
            command: x.command.clone(),
            doing: None,
        })
        .collect();
    if call.state.biztalk_works_on(call.s) {
        let since = call.state.biztalk.since.unwrap_or(server.started);
        let mut n = BIZTALK_SESSIONS;
        for computer in &call.state.biztalk.computers {
            for (program, role) in &computer.programs {
                for db in server.databases.iter().filter(|d| d.role == *role) {
                    n += 1;
                    let last = call.now - TimeDelta::milliseconds((n * 37) % 900);
                    all.push(Shown {
                        id: n,
                        login: computer.login.clone(),
                        host: Some(computer.name.clone()),
                        program: program.clone(),
                        database: db.id.into(),
                        since: since + TimeDelta::seconds(n - BIZTALK_SESSIONS),
                        started: last - TimeDelta::milliseconds(12),
                        ended: Some(last),
                        command: None,
                        doing: None,
                    });
                }
            }
        }
    }
    if !server.agent.stopped {
        for (n, job) in server.agent.jobs.iter().enumerate() {
            let Some(run) = &job.run else { continue };
            let step = job.steps.get(run.step - 1);
            let id: String = job.id.to_string().chars().filter(|c| *c != '-').collect();
            let home = step.map_or("msdb", |s| s.database.as_str());
            all.push(Shown {
                id: AGENT_SESSIONS + n as i64,
                login: server.agent_account.clone(),
                host: Some(server.machine().to_owned()),
                program: format!("SQLAgent - TSQL JobStep (Job 0x{id} : Step {})", run.step),
                database: run.doing.as_ref().map_or_else(|| database(home), |x| database(&x.database)),
                since: run.step_started,
                started: run.doing.as_ref().map_or(run.step_started, |x| x.from),
                ended: None,
                command: Some(run.doing.as_ref().map_or("EXECUTE", |x| x.command.as_str()).to_owned()),
                doing: run.doing.clone(),
            });
        }
    }
    all
}

pub(super) fn fill(call: &Call<'_>, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    let local = |t| at(server.local(t));
    let all = |x: &Shown| call.granted("VIEW SERVER STATE") || x.id == i64::from(call.who.session_id);
    match full {
        "sys.dm_exec_sessions" => {
            for x in shown(call).iter().filter(|x| all(x)) {
                sheet.row(vec![
                    ("session_id", int(x.id)),
                    ("login_time", local(x.since)),
                    ("host_name", x.host.clone().map_or(NULL, text)),
                    ("program_name", text(&x.program)),
                    ("host_process_id", int(4000 + x.id % 997)),
                    ("client_version", int(7)),
                    ("client_interface_name", text("ODBC")),
                    ("login_name", text(&x.login)),
                    ("nt_domain", x.login.split_once('\\').map_or(NULL, |n| text(n.0))),
                    ("nt_user_name", x.login.split_once('\\').map_or(NULL, |n| text(n.1))),
                    ("status", text(if x.command.is_some() { "running" } else { "sleeping" })),
                    ("cpu_time", int(15)),
                    ("memory_usage", int(4)),
                    ("total_scheduled_time", int(30)),
                    ("total_elapsed_time", int(40)),
                    ("endpoint_id", int(4)),
                    ("last_request_start_time", local(x.started)),
                    ("last_request_end_time", or_null(x.ended, local)),
                    ("reads", int(0)),
                    ("writes", int(0)),
                    ("logical_reads", int(117)),
                    ("is_user_process", ON),
                    ("text_size", int(2_147_483_647)),
                    ("language", text("us_english")),
                    ("date_format", text("mdy")),
                    ("date_first", int(7)),
                    ("quoted_identifier", ON),
                    ("arithabort", OFF),
                    ("ansi_null_dflt_on", ON),
                    ("ansi_defaults", OFF),
                    ("ansi_warnings", ON),
                    ("ansi_padding", ON),
                    ("ansi_nulls", ON),
                    ("concat_null_yields_null", ON),
                    ("transaction_isolation_level", int(2)),
                    ("lock_timeout", int(-1)),
                    ("deadlock_priority", int(0)),
                    ("row_count", int(1)),
                    ("prev_error", int(0)),
                    ("original_login_name", text(&x.login)),
                    ("group_id", int(2)),
                    ("database_id", int(x.database)),
                    ("authenticating_database_id", int(1)),
                    ("open_transaction_count", int(super::open_transactions(call, x.id))),
                ]);
            }
        }
        "sys.dm_exec_connections" => {
            for x in shown(call) {
                sheet.row(vec![
                    ("session_id", int(x.id)),
                    ("most_recent_session_id", int(x.id)),
                    ("connect_time", local(x.since)),
                    ("net_transport", text("TCP")),
                    ("protocol_type", text("TSQL")),
                    ("protocol_version", int(1_946_157_060)),
                    ("endpoint_id", int(4)),
                    ("encrypt_option", text("TRUE")),
                    ("auth_scheme", text(if x.login.contains('\\') { "KERBEROS" } else { "SQL" })),
                    ("node_affinity", int(0)),
                    ("net_packet_size", int(4096)),
                    ("client_net_address", text("127.0.0.1")),
                    ("local_net_address", text("127.0.0.1")),
                    ("local_tcp_port", int(1433)),
                ]);
            }
        }
        "sys.dm_exec_requests" => {
            for x in shown(call).iter().filter(|x| x.command.is_some() && all(x)) {
                request(call, x, sheet);
            }
        }
        _ => return false,
    }
    true
}

fn request(call: &Call<'_>, x: &Shown, sheet: &mut Sheet) {
    let passed = (call.now - x.started).num_milliseconds().max(0);
    let (percent, left, wait) = match &x.doing {
        Some(doing) => {
            let whole = (doing.until - doing.from).num_milliseconds().max(1);
            let percent = (passed as f64 / whole as f64 * 100.0).min(99.9);
            (percent, (whole - passed).max(0), text("BACKUPIO"))
        }
        None => (0.0, 0, NULL),
    };
    let blocked = super::wait_of(call, x.id);
    let transaction = call.server().transactions.of_session(i16::try_from(x.id).unwrap_or_default());
    sheet.row(vec![
        ("session_id", int(x.id)),
        ("request_id", int(0)),
        ("start_time", at(call.server().local(x.started))),
        ("status", text(if x.doing.is_some() || blocked.is_some() { "suspended" } else { "running" })),
        ("command", x.command.as_ref().map_or(NULL, text)),
        ("database_id", int(x.database)),
        ("user_id", int(1)),
        ("blocking_session_id", int(blocked.as_ref().map_or(0, |w| w.blocked_by))),
        ("wait_type", blocked.as_ref().map_or(wait, |w| text(&w.kind))),
        ("wait_time", int(blocked.as_ref().map_or(0, |w| w.ms))),
        ("last_wait_type", text(blocked.as_ref().map_or("MISCELLANEOUS", |w| &w.kind))),
        ("wait_resource", text(blocked.as_ref().map_or("", |w| &w.resource))),
        ("open_transaction_count", int(super::open_transactions(call, x.id))),
        ("open_resultset_count", int(1)),
        ("transaction_id", int(transaction.map_or(90_000 + x.id, |t| t.id))),
        ("percent_complete", Value::Float(percent)),
        ("estimated_completion_time", Value::Int(left)),
        ("cpu_time", int(0)),
        ("total_elapsed_time", Value::Int(passed.min(i64::from(i32::MAX)))),
        ("reads", int(0)),
        ("writes", int(0)),
        ("logical_reads", int(0)),
        ("language", text("us_english")),
        ("quoted_identifier", bit(true)),
        ("transaction_isolation_level", int(2)),
        ("lock_timeout", int(-1)),
        ("row_count", int(0)),
        ("nest_level", int(0)),
    ]);
}

/// The application lock of a backup job that is writing a set.
pub(super) fn application_locks(call: &Call<'_>, sheet: &mut Sheet) {
    let server = call.server();
    if !call.state.writing_set(call.s) {
        return;
    }
    for (n, job) in server.agent.jobs.iter().enumerate() {
        let Some(run) = &job.run else { continue };
        if run.doing.as_ref().is_none_or(|x| !x.command.starts_with("BACKUP")) {
            continue;
        }
        let home = job.steps.get(run.step - 1).map_or("msdb", |s| s.database.as_str());
        sheet.row(vec![
            ("resource_type", text("APPLICATION")),
            ("resource_subtype", text("")),
            ("resource_database_id", int(server.database(home).map_or(1, |d| d.id))),
            ("resource_description", text("0:[BTS_BackupJob_Lock]:(6f4a1c2e)")),
            ("resource_associated_entity_id", int(0)),
            ("resource_lock_partition", int(0)),
            ("request_mode", text("X")),
            ("request_type", text("LOCK")),
            ("request_status", text("GRANT")),
            ("request_reference_count", int(1)),
            ("request_session_id", int(AGENT_SESSIONS + n as i64)),
            ("request_owner_type", text("SESSION")),
            ("request_owner_id", int(0)),
            ("request_owner_guid", guid(crate::sandbox::world::ids::Guid::default())),
        ]);
    }
}
