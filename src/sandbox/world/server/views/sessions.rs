//! Who is connected and what is running.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::Call;
use crate::sandbox::answer::Message;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Table, Value};
use crate::sandbox::world::agent::Doing;
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, at, bit, guid, int, or_null, text};

struct Shown {
    id: i64,
    login: String,
    host: Option<String>,
    program: String,
    database: i64,
    since: DateTime<Utc>,
    encrypted: bool,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    command: Option<String>,
    doing: Option<Doing>,
    /// The batch it sent last.
    handle: Option<Vec<u8>>,
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
            database: database(x.doing.as_ref().map_or(&x.database, |d| &d.database)),
            since: x.since,
            encrypted: x.encrypted,
            started: x.last_start,
            ended: x.last_end,
            command: x.doing.as_ref().map_or_else(|| x.command.clone(), |d| Some(d.command.clone())),
            doing: x.doing.clone(),
            handle: x.text.as_ref().map(|t| handle(x.id.into(), t)),
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
                        encrypted: false,
                        started: last - TimeDelta::milliseconds(12),
                        ended: Some(last),
                        command: None,
                        doing: None,
                        handle: None,
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
                encrypted: false,
                started: run.doing.as_ref().map_or(run.step_started, |x| x.from),
                ended: None,
                command: Some(run.doing.as_ref().map_or("EXECUTE", |x| x.command.as_str()).to_owned()),
                doing: run.doing.clone(),
                handle: None,
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
                    ("most_recent_sql_handle", or_null(x.handle.clone(), Value::Binary)),
                    ("connect_time", local(x.since)),
                    ("net_transport", text("TCP")),
                    ("protocol_type", text("TSQL")),
                    ("protocol_version", int(1_946_157_060)),
                    ("endpoint_id", int(4)),
                    ("encrypt_option", text(if x.encrypted { "TRUE" } else { "FALSE" })),
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
        ("sql_handle", or_null(x.handle.clone(), Value::Binary)),
        ("statement_start_offset", int(0)),
        ("statement_end_offset", int(-1)),
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

/// sys.sysprocesses: the system's own first, as on any server.
pub(in super::super) fn processes(call: &Call<'_>, sheet: &mut Sheet) {
    let server = call.server();
    let local = |t| at(server.local(t));
    let zero = |width| Value::Binary(vec![0; width]);
    let sees = |id: i64| call.granted("VIEW SERVER STATE") || id == i64::from(call.who.session_id);
    for x in shown(call).iter().filter(|x| sees(x.id)) {
        let sid = server.logins.iter().find(|l| l.name.eq_ignore_ascii_case(&x.login)).map(|l| {
            let mut sid = l.sid.clone();
            sid.resize(86, 0);
            sid
        });
        let (domain, user) = x.login.split_once('\\').unwrap_or(("", ""));
        sheet.row(vec![
            ("spid", int(x.id)),
            ("kpid", int(0)),
            ("blocked", int(0)),
            ("waittype", zero(2)),
            ("waittime", int(0)),
            ("lastwaittype", text("MISCELLANEOUS")),
            ("waitresource", text("")),
            ("dbid", int(x.database)),
            ("uid", int(1)),
            ("cpu", int(15)),
            ("physical_io", int(0)),
            ("memusage", int(4)),
            ("login_time", local(x.since)),
            ("last_batch", local(x.started)),
            ("ecid", int(0)),
            ("open_tran", int(0)),
            (
                "status",
                text(if x.doing.is_some() {
                    "suspended"
                } else if x.command.is_some() {
                    "runnable"
                } else {
                    "sleeping"
                }),
            ),
            ("sid", or_null(sid, Value::Binary)),
            ("hostname", text(x.host.clone().unwrap_or_default())),
            ("program_name", text(&x.program)),
            ("hostprocess", text((4000 + x.id % 997).to_string())),
            ("cmd", text(x.command.as_deref().unwrap_or("AWAITING COMMAND"))),
            ("nt_domain", text(domain)),
            ("nt_username", text(user)),
            ("net_address", text("000000000000")),
            ("net_library", text("TCP/IP")),
            ("loginame", text(&x.login)),
            ("context_info", zero(128)),
            ("sql_handle", zero(20)),
            ("stmt_start", int(0)),
            ("stmt_end", int(0)),
            ("request_id", int(0)),
        ]);
    }
}

/// The handle of the batch a session sent last.
fn handle(id: i64, text: &str) -> Vec<u8> {
    let hash = text
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    let mut handle = vec![2, 0, 0, 0];
    handle.extend_from_slice(&hash.to_be_bytes());
    handle.extend_from_slice(&id.to_be_bytes());
    handle
}

/// sys.dm_exec_sql_text and sys.dm_exec_input_buffer: what sessions sent last.
pub(in super::super) fn texts(call: &Call<'_>, full: &str, arguments: &[Value]) -> Outcome<Table> {
    let mut sheet = super::sheet(call, full);
    let server = call.server();
    let mut sent = call.state.sessions.iter().filter(|x| x.server == call.s);
    let may = |id: i16| call.granted("VIEW SERVER STATE") || id == call.who.session_id;
    match (full, arguments.first()) {
        ("sys.dm_exec_sql_text", Some(Value::Binary(wanted))) => {
            let fits = |x: &&crate::sandbox::world::state::Session| {
                may(x.id) && x.text.as_ref().is_some_and(|t| handle(x.id.into(), t) == *wanted)
            };
            let Some(found) = sent.find(fits) else {
                return Err(Message::not_modelled("the text of a handle that no session's last batch has"));
            };
            sheet.row(vec![
                ("dbid", server.database(&found.database).map_or(NULL, |d| int(d.id))),
                ("encrypted", OFF),
                ("text", found.text.clone().map_or(NULL, text)),
            ]);
        }
        ("sys.dm_exec_input_buffer", Some(Value::Int(id))) => {
            if let Some(found) = sent.find(|x| may(x.id) && i64::from(x.id) == *id) {
                sheet.row(vec![
                    ("event_type", text("Language Event")),
                    ("parameters", int(0)),
                    ("event_info", found.text.clone().map_or(NULL, text)),
                ]);
            }
        }
        _ => {}
    }
    Ok(sheet.table)
}
