//! sys.databases, sys.master_files and their like.

use super::super::Call;
use crate::sandbox::value::{Table, Value};
use crate::sandbox::world::ids::{Guid, Lsn};
use crate::sandbox::world::state::{Database, DbState, Model, Server};
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, at, bit, guid, int, lsn, or_null, text};

pub(super) fn fill(call: &Call<'_>, d: usize, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    match full {
        "sys.databases" => server.databases.iter().for_each(|db| database(call, server, db, sheet)),
        "sys.database_recovery_status" => server.databases.iter().for_each(|db| recovery(db, sheet)),
        "sys.master_files" => {
            if call.granted("VIEW ANY DEFINITION") {
                server.databases.iter().for_each(|db| files(db, true, sheet));
            }
        }
        "sys.database_files" => files(&server.databases[d], false, sheet),
        "sys.filegroups" => sheet.row(vec![
            ("name", text("PRIMARY")),
            ("data_space_id", int(1)),
            ("type", text("FG")),
            ("type_desc", text("ROWS_FILEGROUP")),
            ("is_default", ON),
            ("is_system", OFF),
            ("is_read_only", OFF),
            ("is_autogrow_all_files", OFF),
        ]),
        _ => return false,
    }
    true
}

/// state and state_desc
fn state(db: &Database) -> (Value, Value) {
    (int(db.state.number()), text(db.state.word()))
}

pub(crate) const fn model(model: Model) -> (i64, &'static str) {
    match model {
        Model::Full => (1, "FULL"),
        Model::BulkLogged => (2, "BULK_LOGGED"),
        Model::Simple => (3, "SIMPLE"),
    }
}

/// log_reuse_wait and its name.
pub(super) fn holdup(call: &Call<'_>, db: &Database) -> (i64, &'static str) {
    let online = db.state == DbState::Online;
    let running = call.state.servers[call.s]
        .agent
        .jobs
        .iter()
        .filter_map(|j| j.run.as_ref()?.doing.as_ref())
        .chain(call.state.sessions.iter().filter(|x| x.server == call.s).filter_map(|x| x.doing.as_ref()))
        .any(|x| x.database == db.name && !x.command.starts_with("DBCC"));
    if running && db.id > 4 {
        (3, "ACTIVE_BACKUP_OR_RESTORE")
    } else if let Some(held) = call.state.log_held(call.s, db) {
        held
    } else if online {
        super::log_wait(db)
    } else {
        (0, "NOTHING")
    }
}

fn database(call: &Call<'_>, server: &Server, db: &Database, sheet: &mut Sheet) {
    let online = db.state == DbState::Online;
    let (state, state_desc) = state(db);
    let (model, model_desc) = model(db.model);
    let owner = server.logins.iter().find(|l| l.name == db.owner).map(|l| l.sid.clone());
    let (wait, wait_desc) = holdup(call, db);
    let messagebox = db.role == "messagebox";
    let access = ["MULTI_USER", "SINGLE_USER", "RESTRICTED_USER"][usize::from(db.user_access.min(2))];
    let mut cells = vec![
        ("name", text(&db.name)),
        ("database_id", int(db.id)),
        ("owner_sid", or_null(owner, Value::Binary)),
        ("create_date", at(db.created)),
        ("compatibility_level", int(db.compatibility)),
        ("collation_name", if online { text(&server.collation) } else { NULL }),
        ("user_access", int(db.user_access)),
        ("user_access_desc", text(access)),
        ("is_read_only", bit(db.read_only)),
        ("state", state),
        ("state_desc", state_desc),
        ("recovery_model", int(model)),
        ("recovery_model_desc", text(model_desc)),
        ("snapshot_isolation_state", int(0)),
        ("snapshot_isolation_state_desc", text("OFF")),
        ("page_verify_option", int(if db.id == 2 { 0 } else { 2 })),
        ("page_verify_option_desc", text(if db.id == 2 { "NONE" } else { "CHECKSUM" })),
        ("is_auto_create_stats_on", bit(!messagebox)),
        ("is_auto_update_stats_on", bit(!messagebox)),
        ("is_fulltext_enabled", ON),
        ("is_db_chaining_on", bit(matches!(db.id, 1 | 2 | 4))),
        ("is_trustworthy_on", bit(db.id == 4)),
        ("service_broker_guid", guid(Guid(db.guid.0.map(|b| b ^ 0x5A)))),
        // A restored database comes up with its broker off.
        ("is_broker_enabled", bit(matches!(db.id, 2 | 4))),
        ("log_reuse_wait", int(wait)),
        ("log_reuse_wait_desc", text(wait_desc)),
        ("containment", int(0)),
        ("containment_desc", text("NONE")),
        ("target_recovery_time_in_seconds", int(60)),
        ("delayed_durability", int(0)),
        ("delayed_durability_desc", text("DISABLED")),
        ("is_mixed_page_allocation_on", bit(db.id < 5 && db.id != 2)),
        ("is_temporal_history_retention_enabled", ON),
        ("catalog_collation_type", int(0)),
        ("catalog_collation_type_desc", text("DATABASE_DEFAULT")),
        ("physical_database_name", text(&db.name)),
    ];
    if let Some((replica, member)) = call.state.ha_ids(call.s, &db.name) {
        cells.extend([("replica_id", guid(replica)), ("group_database_id", guid(member))]);
    }
    cells.push(("is_in_standby", bit(db.in_standby())));
    for off in [
        "is_auto_close_on",
        "is_auto_shrink_on",
        "is_cleanly_shutdown",
        "is_supplemental_logging_enabled",
        "is_read_committed_snapshot_on",
        "is_auto_create_stats_incremental_on",
        "is_auto_update_stats_async_on",
        "is_ansi_null_default_on",
        "is_ansi_nulls_on",
        "is_ansi_padding_on",
        "is_ansi_warnings_on",
        "is_arithabort_on",
        "is_concat_null_yields_null_on",
        "is_numeric_roundabort_on",
        "is_quoted_identifier_on",
        "is_recursive_triggers_on",
        "is_cursor_close_on_commit_on",
        "is_local_cursor_default",
        "is_parameterization_forced",
        "is_master_key_encrypted_by_server",
        "is_query_store_on",
        "is_published",
        "is_subscribed",
        "is_merge_published",
        "is_distributor",
        "is_sync_with_backup",
        "is_date_correlation_on",
        "is_cdc_enabled",
        "is_encrypted",
        "is_honor_broker_priority_on",
        "is_memory_optimized_elevate_to_snapshot_on",
        "is_federation_member",
        "is_remote_data_archive_enabled",
        "is_result_set_caching_on",
        "is_accelerated_database_recovery_on",
        "is_tempdb_spill_to_remote_store",
        "is_stale_page_detection_on",
        "is_memory_optimized_enabled",
        "is_data_retention_enabled",
        "is_ledger_on",
        "is_change_feed_enabled",
        "is_data_lake_replication_enabled",
        "is_event_stream_enabled",
        "is_optimized_locking_on",
    ] {
        cells.push((off, OFF));
    }
    set_options(db, &mut cells);
    sheet.row(cells);
}

/// What ALTER DATABASE and restores have set.
fn set_options(db: &Database, cells: &mut Vec<(&'static str, Value)>) {
    let mut put = |name: &str, value: Value| {
        if let Some(cell) = cells.iter_mut().find(|(n, _)| *n == name) {
            cell.1 = value;
        }
    };
    put("is_in_standby", bit(db.in_standby()));
    for (column, value) in &db.more.options {
        let word = |words: &[&str]| text(*words.get(*value as usize).unwrap_or(&""));
        match column.as_str() {
            "page_verify_option" => {
                put("page_verify_option_desc", word(&["NONE", "TORN_PAGE_DETECTION", "CHECKSUM"]));
            }
            "snapshot_isolation_state" => put("snapshot_isolation_state_desc", word(&["OFF", "ON"])),
            "delayed_durability" => put("delayed_durability_desc", word(&["DISABLED", "ALLOWED", "FORCED"])),
            _ => {}
        }
        put(column, if column.starts_with("is_") { bit(*value != 0) } else { Value::Int(*value) });
    }
}

fn recovery(db: &Database, sheet: &mut Sheet) {
    if db.state != DbState::Online {
        sheet.row(vec![("database_id", int(db.id))]);
        return;
    }
    sheet.row(vec![
        ("database_id", int(db.id)),
        ("database_guid", guid(db.guid)),
        ("family_guid", guid(db.family)),
        ("last_log_backup_lsn", or_null(db.log.backed_up.filter(|_| db.model != Model::Simple), lsn)),
        ("recovery_fork_guid", guid(db.fork)),
        ("first_recovery_fork_guid", or_null(db.forked, |f| guid(f.0))),
        ("fork_point_lsn", or_null(db.forked, |f| lsn(f.1))),
    ]);
}

fn files(db: &Database, master: bool, sheet: &mut Sheet) {
    let (state, state_desc) = state(db);
    for file in &db.files {
        let base = db.base.filter(|_| !file.is_log);
        let limits = &file.limits;
        // A standby database is online: it shows no place to roll forward from.
        let redo = db.redo.filter(|_| db.state != DbState::Online);
        let mut cells = vec![
            ("file_id", int(file.id)),
            ("file_guid", guid(file.guid)),
            ("type", int(i64::from(file.is_log))),
            ("type_desc", text(if file.is_log { "LOG" } else { "ROWS" })),
            ("data_space_id", int(i64::from(!file.is_log))),
            ("name", text(&file.logical)),
            ("physical_name", text(&file.physical)),
            ("state", state.clone()),
            ("state_desc", state_desc.clone()),
            ("size", Value::Int(file.pages)),
            ("max_size", Value::Int(limits.max_pages.unwrap_or(if file.is_log { 268_435_456 } else { -1 }))),
            ("growth", Value::Int(limits.growth.map_or(8192, |g| g.0))),
            ("is_media_read_only", OFF),
            ("is_read_only", bit(db.read_only)),
            ("is_sparse", OFF),
            ("is_percent_growth", bit(limits.growth.is_some_and(|g| g.1))),
            ("is_name_reserved", OFF),
            ("differential_base_lsn", or_null(base, |b: (Lsn, Guid)| lsn(b.0))),
            ("differential_base_guid", or_null(base, |b: (Lsn, Guid)| guid(b.1))),
            ("redo_start_lsn", or_null(redo, |r| lsn(r.start))),
            ("redo_start_fork_guid", or_null(redo, |r| guid(r.fork))),
            ("redo_target_lsn", or_null(redo, |r| lsn(r.start))),
            ("redo_target_fork_guid", or_null(redo, |r| guid(r.fork))),
        ];
        if master {
            cells.push(("database_id", int(db.id)));
        }
        sheet.row(cells);
    }
}

/// `sys.dm_os_volume_stats(database, file)`: the volume that holds the file.
pub(in super::super) fn volume_stats(call: &Call<'_>, database: Option<i64>, file: Option<i64>) -> Table {
    let mut sheet = super::sheet(call, "sys.dm_os_volume_stats");
    let server = call.server();
    let found = server
        .databases
        .iter()
        .find(|d| Some(i64::from(d.id)) == database)
        .and_then(|d| d.files.iter().find(|f| Some(i64::from(f.id)) == file).map(|f| (d, f)));
    if let Some((db, file)) = found {
        let path = file.physical.to_lowercase();
        let volume = server.volumes.iter().filter(|v| path.starts_with(&v.mount.to_lowercase()));
        if let Some(volume) = volume.max_by_key(|v| v.mount.len()) {
            sheet.row(vec![
                ("database_id", int(db.id)),
                ("file_id", int(file.id)),
                ("volume_mount_point", text(&volume.mount)),
                ("volume_id", text(format!("\\\\?\\Volume{{{}}}\\", file_volume(&volume.mount)))),
                ("logical_volume_name", text("")),
                ("file_system_type", text("NTFS")),
                ("total_bytes", Value::Int(volume.total_bytes)),
                ("available_bytes", Value::Int(volume.free_bytes)),
                ("supports_compression", int(1)),
                ("supports_alternate_streams", int(1)),
                ("supports_sparse_files", int(1)),
                ("is_read_only", int(0)),
                ("is_compressed", int(0)),
                ("incurs_seek_penalty", int(0)),
            ]);
        }
    }
    sheet.table
}

fn file_volume(mount: &str) -> String {
    let n = mount.bytes().fold(0u64, |h, b| h.wrapping_mul(131).wrapping_add(b.into()));
    crate::sandbox::world::ids::Dice::new(n).guid().to_string().to_lowercase()
}
