//! Transactions, locks and waits.
//!
//! Does not show the transactions that statements without one are while they run, nor locks below the table.

use chrono::TimeDelta;

use super::super::Call;
use super::sessions::AGENT_SESSIONS;
use crate::sandbox::value::Value;
use crate::sandbox::world::ids::{Guid, Lsn};
use crate::sandbox::world::locks::{Mode, Owner, Want};
use crate::sandbox::world::log::Unfinished;
use crate::sandbox::world::state::{Database, Model, Server};
use crate::sandbox::world::stored::{NULL, Sheet, at, bit, count, guid, int, lsn, or_null, text};
use crate::sandbox::world::transaction::Transaction;

/// A session's wait, as the views show it.
pub(in crate::sandbox::world::server) struct Wait {
    pub(in crate::sandbox::world::server) blocked_by: i64,
    pub(in crate::sandbox::world::server) kind: String,
    pub(in crate::sandbox::world::server) ms: i64,
    pub(in crate::sandbox::world::server) resource: String,
}

/// What a session waits for, if it does.
pub(in crate::sandbox::world::server) fn wait_of(call: &Call<'_>, session: i64) -> Option<Wait> {
    let server = call.server();
    let (waiting, owner) = server.locks.wait_of(i16::try_from(session).ok()?)?;
    Some(Wait {
        blocked_by: owner.shown().into(),
        kind: format!("LCK_M_{}", waiting.want.mode.letter()),
        ms: (call.now - waiting.since).max(TimeDelta::zero()).num_milliseconds(),
        resource: format!("OBJECT: {}:{}:0 ", waiting.want.database, object_of(server, &waiting.want)),
    })
}

/// How many transactions a session has open: its `@@TRANCOUNT`.
pub(in crate::sandbox::world::server) fn open_transactions(call: &Call<'_>, session: i64) -> i64 {
    let session = i16::try_from(session).unwrap_or_default();
    call.server().transactions.of_session(session).map_or(0, |t| t.depth)
}

/// `log_reuse_wait` of a database, as far as its log alone decides.
pub(in crate::sandbox::world::server) fn log_wait(db: &Database) -> (i64, &'static str) {
    let oldest = db.content.open.oldest();
    let backed_up = db.log.backed_up.filter(|_| db.model != Model::Simple);
    match (oldest, backed_up) {
        (Some(oldest), Some(backed_up)) if oldest < backed_up => (4, "ACTIVE_TRANSACTION"),
        (_, Some(backed_up)) if backed_up < db.log.end => (2, "LOG_BACKUP"),
        (Some(_), _) => (4, "ACTIVE_TRANSACTION"),
        _ => (0, "NOTHING"),
    }
}

fn object_of(server: &Server, want: &Want) -> i64 {
    let db = server.databases.iter().find(|d| d.id == want.database);
    db.and_then(|d| d.content.tables.get(&want.table)).map_or(0, |t| t.object_id.into())
}

pub(super) fn fill(call: &Call<'_>, full: &str, sheet: &mut Sheet) -> bool {
    match full {
        "sys.dm_tran_active_transactions" => active(call, sheet),
        "sys.dm_tran_database_transactions" => in_databases(call, sheet),
        "sys.dm_tran_session_transactions" => of_sessions(call, sheet),
        "sys.dm_tran_current_transaction" => current(call, sheet),
        "sys.dm_tran_locks" => {
            locks(call, sheet);
            super::sessions::application_locks(call, sheet);
        }
        "sys.dm_os_waiting_tasks" => waiting_tasks(call, sheet),
        _ => return false,
    }
    true
}

fn active(call: &Call<'_>, sheet: &mut Sheet) {
    let server = call.server();
    for t in &server.transactions.all {
        let distributed = t.uow.is_some();
        let default = if distributed { "DTCXact" } else { "user_transaction" };
        sheet.row(vec![
            ("transaction_id", int(t.id)),
            ("name", text(t.name.as_deref().unwrap_or(default))),
            ("transaction_begin_time", at(server.local(t.began))),
            ("transaction_type", int(if distributed { 4 } else { 1 })),
            ("transaction_uow", or_null(t.uow, guid)),
            ("transaction_state", int(if t.prepared { 5 } else { 2 })),
            ("transaction_status", int(0)),
            ("transaction_status2", int(if distributed { 0x102 } else { 0x2 })),
            ("dtc_state", int(i64::from(distributed) + i64::from(t.prepared))),
            ("dtc_status", int(0)),
            ("dtc_isolation_level", int(if distributed { 2 } else { -1 })),
            ("filestream_transaction_id", NULL),
        ]);
    }
}

/// The parts of a transaction with what their logs know of them.
fn parts<'a>(server: &'a Server, t: &'a Transaction) -> impl Iterator<Item = (&'a Database, &'a Unfinished)> {
    t.parts.iter().filter_map(|(database, tran)| {
        let db = server.databases.iter().find(|d| d.id == *database)?;
        Some((db, db.content.open.0.get(tran)?))
    })
}

fn in_databases(call: &Call<'_>, sheet: &mut Sheet) {
    let server = call.server();
    for t in &server.transactions.all {
        for (db, part) in parts(server, t) {
            let saved = t.last_savepoint(db.id).filter(|place| *place > Lsn(0));
            sheet.row(vec![
                ("transaction_id", int(t.id)),
                ("database_id", int(db.id)),
                ("database_transaction_begin_time", at(server.local(part.began))),
                ("database_transaction_type", int(1)),
                ("database_transaction_state", int(if part.prepared.is_some() { 5 } else { 4 })),
                ("database_transaction_status", int(0)),
                ("database_transaction_status2", int(0)),
                ("database_transaction_log_record_count", int(part.records)),
                ("database_transaction_replicate_record_count", int(0)),
                ("database_transaction_log_bytes_used", int(part.records * 124)),
                ("database_transaction_log_bytes_reserved", int(part.records * 78)),
                ("database_transaction_log_bytes_used_system", int(0)),
                ("database_transaction_log_bytes_reserved_system", int(0)),
                ("database_transaction_begin_lsn", lsn(part.first)),
                ("database_transaction_last_lsn", lsn(part.last)),
                ("database_transaction_most_recent_savepoint_lsn", or_null(saved, lsn)),
                (
                    "database_transaction_next_undo_lsn",
                    lsn(part.done.last().map_or(part.first, |(place, _)| *place)),
                ),
            ]);
        }
    }
}

fn of_sessions(call: &Call<'_>, sheet: &mut Sheet) {
    for t in &call.server().transactions.all {
        let Some(session) = t.session else { continue };
        let enlisted = t.uow.is_some();
        sheet.row(vec![
            ("session_id", int(session)),
            ("transaction_id", int(t.id)),
            ("transaction_descriptor", Value::Binary(t.id.to_le_bytes().to_vec())),
            ("enlist_count", int(i64::from(enlisted))),
            ("is_user_transaction", bit(true)),
            ("is_local", bit(!enlisted)),
            ("is_enlisted", bit(enlisted)),
            ("is_bound", bit(false)),
            ("open_transaction_count", int(t.depth)),
        ]);
    }
}

fn current(call: &Call<'_>, sheet: &mut Sheet) {
    // A SELECT alone is a transaction too.
    let own = call.server().transactions.of_session(call.who.session_id);
    sheet.row(vec![
        ("transaction_id", int(own.map_or_else(|| call.server().transactions.next(), |t| t.id))),
        ("transaction_sequence_num", int(0)),
        ("transaction_is_snapshot", bit(false)),
        ("first_snapshot_sequence_num", NULL),
        ("last_transaction_sequence_num", NULL),
        ("first_useful_sequence_num", NULL),
    ]);
}

fn locks(call: &Call<'_>, sheet: &mut Sheet) {
    let server = call.server();
    for x in call.state.sessions.iter().filter(|x| x.server == call.s) {
        if let Some(db) = server.database(&x.database).filter(|d| d.id > 2) {
            row(
                sheet,
                "DATABASE",
                db.id,
                0,
                "S",
                "GRANT",
                (x.id.into(), "SHARED_TRANSACTION_WORKSPACE", 0, None),
            );
        }
    }
    for granted in &server.locks.granted {
        let transaction = match granted.owner {
            Owner::Session(session) => server.transactions.of_session(session),
            Owner::Orphan(id) => server.transactions.get(id),
        };
        let owner = (
            i64::from(granted.owner.shown()),
            "TRANSACTION",
            transaction.map_or(0, |t| t.id),
            transaction.and_then(|t| t.uow),
        );
        let want = &granted.want;
        row(sheet, "OBJECT", want.database, object_of(server, want), want.mode.letter(), "GRANT", owner);
    }
    for waiting in &server.locks.waiting {
        let transaction = server.transactions.of_session(waiting.session);
        let owner = (
            i64::from(waiting.session),
            "TRANSACTION",
            transaction.map_or(0, |t| t.id),
            transaction.and_then(|t| t.uow),
        );
        let want = &waiting.want;
        row(sheet, "OBJECT", want.database, object_of(server, want), want.mode.letter(), "WAIT", owner);
    }
}

fn row(
    sheet: &mut Sheet,
    resource: &str,
    database: i32,
    object: i64,
    mode: &str,
    status: &str,
    (session, owner, owner_id, uow): (i64, &str, i64, Option<Guid>),
) {
    sheet.row(vec![
        ("resource_type", text(resource)),
        ("resource_subtype", text("")),
        ("resource_database_id", int(database)),
        ("resource_description", text("")),
        ("resource_associated_entity_id", int(object)),
        ("resource_lock_partition", int(0)),
        ("request_mode", text(mode)),
        ("request_type", text("LOCK")),
        ("request_status", text(status)),
        ("request_reference_count", int(1)),
        ("request_lifetime", int(if owner == "TRANSACTION" { 0x0200_0000 } else { 0 })),
        ("request_session_id", int(session)),
        ("request_exec_context_id", int(0)),
        ("request_request_id", int(0)),
        ("request_owner_type", text(owner)),
        ("request_owner_id", int(owner_id)),
        ("request_owner_guid", guid(uow.unwrap_or_default())),
    ]);
}

fn waiting_tasks(call: &Call<'_>, sheet: &mut Sheet) {
    for (n, waiting) in call.server().locks.waiting.iter().enumerate() {
        let Some(wait) = wait_of(call, waiting.session.into()) else { continue };
        let lock = format!(
            "objectlock lockPartition=0 objid={} subresource=FULL dbid={} id=lock{n} mode={} associatedObjectId={}",
            object_of(call.server(), &waiting.want),
            waiting.want.database,
            if waiting.want.mode == Mode::Exclusive { "S" } else { "X" },
            object_of(call.server(), &waiting.want),
        );
        sheet.row(vec![
            ("session_id", int(waiting.session)),
            ("exec_context_id", int(0)),
            ("wait_duration_ms", int(wait.ms)),
            ("wait_type", text(wait.kind)),
            ("blocking_session_id", int(wait.blocked_by)),
            ("resource_description", text(lock)),
        ]);
    }
    let running = call.server().agent.jobs.iter().enumerate().filter_map(|(n, j)| Some((n, j.run.as_ref()?)));
    for (n, run) in running.filter(|(_, run)| run.doing.is_some()) {
        let since = run.doing.as_ref().map_or(call.now, |x| x.from);
        sheet.row(vec![
            ("session_id", count(n + AGENT_SESSIONS as usize)),
            ("exec_context_id", int(0)),
            ("wait_duration_ms", int((call.now - since).num_milliseconds().max(0))),
            ("wait_type", text("BACKUPIO")),
        ]);
    }
}
