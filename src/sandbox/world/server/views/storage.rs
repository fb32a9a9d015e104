//! Space: filegroups, partitions, files as they are read and written, and the virtual files of a log.
//!
//! How full a data file is, the world does not know; it takes one figure for all (see [`used_pages`]).

use super::super::Call;
use super::objects::own_tables;
use crate::sandbox::value::{Table, Value};
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::state::{Database, DbFile, Model};
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, at, bit, int, or_null, text};

/// Virtual files of a log that is not told otherwise.
const VIRTUAL_FILES: i64 = 8;
const PAGE: i64 = 8192;
const MEGABYTE: f64 = 1_048_576.0;

/// Pages of a data file that are in use: 85 of 100, in whole extents.
pub(in super::super) const fn used_pages(file: &DbFile) -> i64 {
    file.pages * 85 / 100 / 8 * 8
}

/// Bytes of log that cannot be used again yet.
pub(in super::super) fn used_log(db: &Database) -> i64 {
    let from = match db.model {
        Model::Simple => db.log.checkpoint,
        _ => db.log.backed_up.unwrap_or(db.log.checkpoint).min(db.log.checkpoint.max(Lsn(1))),
    };
    let size = log_pages(db) * PAGE;
    (db.log.end.bytes_since(from) + 65_536).min(size)
}

fn log_pages(db: &Database) -> i64 {
    db.files.iter().filter(|f| f.is_log).map(|f| f.pages).sum()
}

pub(super) fn fill(call: &Call<'_>, d: usize, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    let db = &server.databases[d];
    match full {
        "sys.data_spaces" => sheet.row(vec![
            ("name", text("PRIMARY")),
            ("data_space_id", int(1)),
            ("type", text("FG")),
            ("type_desc", text("ROWS_FILEGROUP")),
            ("is_default", ON),
            ("is_system", OFF),
        ]),
        "sys.indexes" => {
            for t in own_tables(db) {
                sheet.row(vec![
                    ("object_id", int(t.object_id)),
                    ("index_id", int(0)),
                    ("type", int(0)),
                    ("type_desc", text("HEAP")),
                    ("is_unique", OFF),
                    ("data_space_id", int(1)),
                    ("ignore_dup_key", OFF),
                    ("is_primary_key", OFF),
                    ("is_unique_constraint", OFF),
                    ("fill_factor", int(0)),
                    ("is_padded", OFF),
                    ("is_disabled", OFF),
                    ("is_hypothetical", OFF),
                    ("allow_row_locks", ON),
                    ("allow_page_locks", ON),
                    ("has_filter", OFF),
                    ("auto_created", OFF),
                ]);
            }
        }
        "sys.index_columns" => {}
        "sys.partitions" => {
            for t in own_tables(db) {
                let id = partition(t.object_id);
                sheet.row(vec![
                    ("partition_id", int(id)),
                    ("object_id", int(t.object_id)),
                    ("index_id", int(0)),
                    ("partition_number", int(1)),
                    ("hobt_id", int(id)),
                    ("rows", int(t.table.rows.len() as i64)),
                    ("filestream_filegroup_id", int(0)),
                    ("data_compression", int(0)),
                    ("data_compression_desc", text("NONE")),
                ]);
            }
        }
        "sys.allocation_units" => {
            for t in own_tables(db) {
                let pages = table_pages(t.table.rows.len());
                sheet.row(vec![
                    ("allocation_unit_id", int(partition(t.object_id) + 1)),
                    ("type", int(1)),
                    ("type_desc", text("IN_ROW_DATA")),
                    ("container_id", int(partition(t.object_id))),
                    ("data_space_id", int(1)),
                    ("total_pages", int(pages.1)),
                    ("used_pages", int(pages.0)),
                    ("data_pages", int((pages.0 - 1).max(0))),
                ]);
            }
        }
        "sys.dm_db_partition_stats" => {
            for t in own_tables(db) {
                let rows = t.table.rows.len();
                let (used, reserved) = table_pages(rows);
                sheet.row(vec![
                    ("partition_id", int(partition(t.object_id))),
                    ("object_id", int(t.object_id)),
                    ("index_id", int(0)),
                    ("partition_number", int(1)),
                    ("in_row_data_page_count", int((used - 1).max(0))),
                    ("in_row_used_page_count", int(used)),
                    ("in_row_reserved_page_count", int(reserved)),
                    ("lob_used_page_count", int(0)),
                    ("lob_reserved_page_count", int(0)),
                    ("row_overflow_used_page_count", int(0)),
                    ("row_overflow_reserved_page_count", int(0)),
                    ("used_page_count", int(used)),
                    ("reserved_page_count", int(reserved)),
                    ("row_count", int(rows as i64)),
                ]);
            }
        }
        "sys.dm_db_file_space_usage" => {
            for f in db.files.iter().filter(|f| !f.is_log) {
                let used = used_pages(f);
                sheet.row(vec![
                    ("database_id", int(db.id)),
                    ("file_id", int(f.id)),
                    ("filegroup_id", int(1)),
                    ("total_page_count", int(f.pages)),
                    ("allocated_extent_page_count", int(used)),
                    ("unallocated_extent_page_count", int(f.pages - used)),
                    ("version_store_reserved_page_count", int(0)),
                    ("user_object_reserved_page_count", int(if db.id == 2 { 0 } else { used })),
                    ("internal_object_reserved_page_count", int(0)),
                    ("mixed_extent_page_count", int(0)),
                    ("modified_extent_page_count", NULL),
                ]);
            }
        }
        "sys.dm_db_log_space_usage" => {
            let total = log_pages(db) * PAGE;
            let used = used_log(db);
            sheet.row(vec![
                ("database_id", int(db.id)),
                ("total_log_size_in_bytes", int(total)),
                ("used_log_space_in_bytes", int(used)),
                ("used_log_space_in_percent", Value::Float(used as f64 / total.max(1) as f64 * 100.0)),
                (
                    "log_space_in_bytes_since_last_backup",
                    db.log.backed_up.map_or(int(0), |b| int(db.log.end.bytes_since(b))),
                ),
            ]);
        }
        _ => return false,
    }
    true
}

/// The partition of a table; a table has one.
fn partition(object: i32) -> i64 {
    72_057_594_037_927_936 + i64::from(object) % 1_000_000 * 65_536
}

/// Pages of a table that are in use and that are reserved for it.
pub(in super::super) const fn table_pages(rows: usize) -> (i64, i64) {
    if rows == 0 {
        return (0, 0);
    }
    let data = rows as i64 / 50 + 1;
    let used = data + 1;
    (used, (used + 7) / 8 * 8)
}

/// `sys.dm_io_virtual_file_stats(database, file)`; NULL means every one.
pub(in super::super) fn file_stats(call: &Call<'_>, database: Option<i64>, file: Option<i64>) -> Table {
    let mut sheet = super::sheet(call, "sys.dm_io_virtual_file_stats");
    let server = call.server();
    let up = (call.now - server.started).num_milliseconds();
    for db in server.databases.iter().filter(|d| database.is_none_or(|id| id == i64::from(d.id))) {
        for f in db.files.iter().filter(|f| file.is_none_or(|id| id == i64::from(f.id))) {
            let (reads, writes) =
                if f.is_log { (12, 400 + f.pages / 32) } else { (64 + f.pages / 16, f.pages / 64) };
            sheet.row(vec![
                ("database_id", int(db.id)),
                ("file_id", int(f.id)),
                ("sample_ms", int(up)),
                ("num_of_reads", int(reads)),
                ("num_of_bytes_read", int(reads * 65_536)),
                ("io_stall_read_ms", int(reads * 2)),
                ("num_of_writes", int(writes)),
                ("num_of_bytes_written", int(writes * 32_768)),
                ("io_stall_write_ms", int(writes)),
                ("io_stall", int(reads * 2 + writes)),
                ("size_on_disk_bytes", int(f.pages * PAGE)),
                (
                    "file_handle",
                    Value::Binary(vec![0, 0, 0, 0, 0, 0, (db.id % 256) as u8, (f.id % 256) as u8]),
                ),
                ("io_stall_queued_read_ms", int(0)),
                ("io_stall_queued_write_ms", int(0)),
            ]);
        }
    }
    sheet.table
}

/// A virtual file of a log: its number, where it begins, its size in bytes, whether it is active.
pub(in super::super) struct VirtualFile {
    pub(in super::super) sequence: i64,
    pub(in super::super) offset: i64,
    pub(in super::super) size: i64,
    pub(in super::super) active: bool,
    pub(in super::super) first: Option<Lsn>,
}

/// The virtual files of a database's log, in the order they lie in the file.
pub(in super::super) fn virtual_files(db: &Database) -> Vec<VirtualFile> {
    let size = log_pages(db) * PAGE / VIRTUAL_FILES;
    let now = db.log.end.file();
    let oldest = db.log.backed_up.unwrap_or(db.log.checkpoint).file().max(now - VIRTUAL_FILES + 1);
    let mut all: Vec<VirtualFile> = (0..VIRTUAL_FILES)
        .map(|n| {
            // The newest number that falls on this place of the ring.
            let place = now - (now - n).rem_euclid(VIRTUAL_FILES);
            let used = place > 0;
            VirtualFile {
                sequence: if used { place } else { 0 },
                offset: 8192 + n * size,
                size,
                active: used && place >= oldest,
                first: used.then(|| Lsn::new(place.into(), 16, 1)),
            }
        })
        .collect();
    all.sort_by_key(|v| v.offset);
    all
}

/// `vvvvvvvv:bbbbbbbb:ssss`
fn hex(lsn: Lsn) -> Value {
    let (file, block, slot) = lsn.parts();
    text(format!("{file:08x}:{block:08x}:{slot:04x}"))
}

/// `sys.dm_db_log_info(database)`
pub(in super::super) fn log_info(call: &Call<'_>, db: Option<&Database>) -> Table {
    let mut sheet = super::sheet(call, "sys.dm_db_log_info");
    for (db, v) in db.into_iter().flat_map(|db| virtual_files(db).into_iter().map(move |v| (db, v))) {
        sheet.row(vec![
            ("database_id", int(db.id)),
            ("file_id", int(2)),
            ("vlf_begin_offset", int(v.offset)),
            ("vlf_size_mb", Value::Float((v.size as f64 / MEGABYTE * 100.0).round() / 100.0)),
            ("vlf_sequence_number", int(v.sequence)),
            ("vlf_active", bit(v.active)),
            ("vlf_status", int(if v.active { 2 } else { 0 })),
            (
                "vlf_parity",
                int(if v.sequence == 0 {
                    0
                } else if v.sequence / VIRTUAL_FILES % 2 == 0 {
                    64
                } else {
                    128
                }),
            ),
            ("vlf_first_lsn", v.first.map_or_else(|| text("00000000:00000000:0000"), hex)),
            ("vlf_create_lsn", text("00000000:00000000:0000")),
        ]);
    }
    sheet.table
}

/// `sys.dm_db_log_stats(database)`
pub(in super::super) fn log_stats(call: &Call<'_>, db: Option<&Database>) -> Table {
    let mut sheet = super::sheet(call, "sys.dm_db_log_stats");
    let Some(db) = db else { return sheet.table };
    let all = virtual_files(db);
    let size = all.first().map_or(0, |v| v.size);
    let mb = |bytes: i64| Value::Float(bytes as f64 / MEGABYTE);
    let active = all.iter().filter(|v| v.active).count() as i64;
    let used = all.iter().filter(|v| v.sequence > 0).count() as i64;
    let (_, model) = super::databases::model(db.model);
    let oldest = db.log.backed_up.unwrap_or(db.log.checkpoint);
    let server = call.server();
    let last = server
        .msdb
        .backups
        .iter()
        .rev()
        .map(|i| &call.state.sets[*i])
        .find(|s| s.kind == 'L' && call.state.layout(s).family == db.family);
    let simple = db.model == Model::Simple;
    let holds = super::databases::holdup(call, db).1;
    sheet.row(vec![
        ("database_id", int(db.id)),
        ("recovery_model", text(model)),
        ("log_min_lsn", hex(oldest)),
        ("log_end_lsn", hex(db.log.end)),
        ("current_vlf_sequence_number", int(db.log.end.file())),
        ("current_vlf_size_mb", mb(size)),
        ("total_vlf_count", int(used.max(1))),
        ("total_log_size_mb", mb(size * used.max(1))),
        ("active_vlf_count", int(active)),
        ("active_log_size_mb", mb(used_log(db))),
        ("log_truncation_holdup_reason", text(holds)),
        ("log_backup_time", or_null(last.filter(|_| !simple), |s| at(s.finish))),
        ("log_backup_lsn", or_null(db.log.backed_up.filter(|_| !simple), hex)),
        ("log_since_last_log_backup_mb", mb(db.log.backed_up.map_or(0, |b| db.log.end.bytes_since(b)))),
        ("log_checkpoint_lsn", hex(db.log.checkpoint)),
        ("log_since_last_checkpoint_mb", mb(db.log.end.bytes_since(db.log.checkpoint))),
        ("log_recovery_lsn", hex(db.log.checkpoint)),
        ("log_recovery_size_mb", mb(db.log.end.bytes_since(db.log.checkpoint))),
        ("recovery_vlf_count", int(1)),
    ]);
    sheet.table
}
