//! msdb's backup and restore history.

use super::super::Call;
use super::databases::model;
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::state::{Model, Set};
use crate::sandbox::world::stored::{
    NULL, OFF, Sheet, at, bit, count, guid, int, lsn, numeric, or_null, text,
};

/// The set's media set: sets of one file share it.
fn media_set(call: &Call<'_>, n: usize) -> usize {
    let server = call.server();
    let set = &call.state.sets[server.msdb.backups[n]];
    if set.position == 1 {
        return n + 1;
    }
    server.msdb.backups.iter().position(|b| call.state.sets[*b].media_uuid == set.media_uuid).unwrap_or(n) + 1
}

pub(super) fn fill(call: &Call<'_>, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    let sets = || server.msdb.backups.iter().enumerate().map(|(n, i)| (n, &call.state.sets[*i]));
    match full {
        "msdb.dbo.backupset" => sets().for_each(|(n, set)| backup_set(call, n, set, sheet)),
        "msdb.dbo.backupmediaset" => {
            for (n, set) in sets().filter(|(n, _)| media_set(call, *n) == n + 1) {
                sheet.row(vec![
                    ("media_set_id", count(n + 1)),
                    ("media_uuid", guid(set.media_uuid)),
                    ("media_family_count", int(1)),
                    ("software_name", text("Microsoft SQL Server")),
                    ("software_vendor_id", int(4608)),
                    ("MTF_major_version", int(1)),
                    ("mirror_count", int(1)),
                    ("is_password_protected", OFF),
                    ("is_compressed", OFF),
                    ("is_encrypted", OFF),
                ]);
            }
        }
        "msdb.dbo.backupmediafamily" => {
            for (n, set) in sets().filter(|(n, _)| media_set(call, *n) == n + 1) {
                sheet.row(vec![
                    ("media_set_id", count(n + 1)),
                    ("family_sequence_number", int(1)),
                    ("media_family_id", guid(family(set))),
                    ("media_count", int(1)),
                    ("physical_device_name", text(&set.path)),
                    ("device_type", int(2)),
                    ("physical_block_size", int(512)),
                    ("mirror", int(0)),
                ]);
            }
        }
        "msdb.dbo.backupfile" => {
            for (n, set) in sets() {
                for file in &call.state.layout(set).files {
                    let here = file.is_log == (set.kind == 'L') || set.kind == 'D';
                    let pages = if here { file.pages } else { 0 };
                    sheet.row(vec![
                        ("backup_set_id", count(n + 1)),
                        ("first_family_number", int(1)),
                        ("first_media_number", int(1)),
                        ("filegroup_name", if file.is_log { NULL } else { text("PRIMARY") }),
                        ("page_size", int(8192)),
                        ("file_number", numeric(file.id)),
                        ("backed_up_page_count", numeric(if file.is_log { 0 } else { pages })),
                        ("file_type", text(if file.is_log { "L" } else { "D" })),
                        ("source_file_block_size", numeric(512)),
                        ("file_size", numeric(file.pages * 8192)),
                        ("logical_name", text(&file.logical)),
                        ("physical_drive", text(&file.physical[..file.physical.len().min(3)])),
                        ("physical_name", text(&file.physical)),
                        ("state", int(0)),
                        ("state_desc", text("ONLINE")),
                        ("create_lsn", lsn(Lsn(0))),
                        ("drop_lsn", lsn(Lsn(0))),
                        ("file_guid", guid(file.guid)),
                        ("backup_size", numeric(pages * 8192)),
                        ("is_readonly", OFF),
                        ("is_present", bit(here)),
                    ]);
                }
            }
        }
        "msdb.dbo.restorehistory" => {
            for (n, r) in server.msdb.restores.iter().enumerate() {
                sheet.row(vec![
                    ("restore_history_id", count(n + 1)),
                    ("restore_date", at(r.at)),
                    ("destination_database_name", text(&r.database)),
                    ("user_name", text(&r.user)),
                    ("backup_set_id", int(r.backup_set_id)),
                    ("restore_type", text(r.kind)),
                    ("replace", bit(r.replace)),
                    ("recovery", bit(r.recovery)),
                    ("restart", OFF),
                    ("stop_at", or_null(r.stop_at, at)),
                    ("device_count", int(1)),
                    ("stop_at_mark_name", r.mark.as_ref().map_or(NULL, text)),
                    ("stop_before", if r.mark.is_some() { bit(r.before) } else { NULL }),
                ]);
            }
        }
        "msdb.dbo.restorefile" => {
            for (n, r) in server.msdb.restores.iter().enumerate().filter(|(_, r)| r.kind == 'D') {
                let set = server.msdb.backups.get(r.backup_set_id as usize - 1).map(|i| &call.state.sets[*i]);
                for file in set.map(|s| call.state.layout(s).files.as_slice()).unwrap_or_default() {
                    sheet.row(vec![
                        ("restore_history_id", count(n + 1)),
                        ("file_number", numeric(file.id)),
                        ("destination_phys_drive", text(&file.physical[..file.physical.len().min(3)])),
                        ("destination_phys_name", text(&file.physical)),
                    ]);
                }
            }
        }
        "msdb.dbo.logmarkhistory" => {
            for m in &server.msdb.marks {
                sheet.row(vec![
                    ("database_name", text(&m.database)),
                    ("mark_name", text(&m.mark)),
                    ("description", text("BTS_LogMark")),
                    ("user_name", text(&m.user)),
                    ("lsn", lsn(m.lsn)),
                    ("mark_time", at(m.at)),
                ]);
            }
        }
        "msdb.dbo.suspect_pages" => {}
        _ => return false,
    }
    true
}

pub(crate) fn family(set: &Set) -> crate::sandbox::world::ids::Guid {
    crate::sandbox::world::ids::Guid(set.media_uuid.0.map(|b| b.rotate_left(3) ^ 0x11))
}

fn backup_set(call: &Call<'_>, n: usize, set: &Set, sheet: &mut Sheet) {
    let layout = call.state.layout(set);
    let model = if layout.model == Model::BulkLogged { "BULK-LOGGED" } else { model(layout.model).1 };
    let flags = i64::from(set.checksums) * 16 + i64::from(set.tail) * (64 + 256) + 512;
    sheet.row(vec![
        ("backup_set_id", count(n + 1)),
        ("backup_set_uuid", guid(set.uuid)),
        ("media_set_id", count(media_set(call, n))),
        ("first_family_number", int(1)),
        ("first_media_number", int(1)),
        ("last_family_number", int(1)),
        ("last_media_number", int(1)),
        ("catalog_family_number", int(1)),
        ("catalog_media_number", int(1)),
        ("position", int(set.position)),
        ("software_vendor_id", int(4608)),
        ("name", set.name.as_ref().map_or(NULL, text)),
        ("user_name", text(&set.user)),
        ("software_major_version", int(layout.software.0)),
        ("software_minor_version", int(layout.software.1)),
        ("software_build_version", int(layout.software.2)),
        ("time_zone", int(layout.offset_minutes / 15)),
        ("mtf_minor_version", int(0)),
        ("first_lsn", lsn(set.first)),
        ("last_lsn", lsn(set.last)),
        ("checkpoint_lsn", lsn(set.checkpoint)),
        ("database_backup_lsn", lsn(set.full_checkpoint)),
        ("database_creation_date", at(layout.created)),
        ("backup_start_date", at(whole_second(set.start))),
        ("backup_finish_date", at(whole_second(set.finish))),
        ("type", text(set.kind)),
        ("sort_order", int(52)),
        ("code_page", int(0)),
        ("compatibility_level", int(layout.compatibility)),
        ("database_version", int(layout.database_version)),
        ("backup_size", numeric(set.size)),
        ("compressed_backup_size", numeric(set.size)),
        ("database_name", text(&layout.database)),
        ("server_name", text(&layout.server)),
        ("machine_name", text(layout.server.split('\\').next().unwrap_or_default())),
        ("flags", int(flags)),
        ("unicode_locale", int(1033)),
        ("unicode_compare_style", int(196_609)),
        ("collation_name", text(&layout.collation)),
        ("is_password_protected", OFF),
        ("recovery_model", text(model)),
        ("has_bulk_logged_data", OFF),
        ("is_snapshot", OFF),
        ("is_readonly", OFF),
        ("is_single_user", OFF),
        ("has_backup_checksums", bit(set.checksums)),
        ("is_damaged", OFF),
        ("begins_log_chain", bit(set.begins_chain)),
        ("has_incomplete_metadata", OFF),
        ("is_force_offline", bit(set.tail)),
        ("is_copy_only", bit(set.copy_only)),
        ("first_recovery_fork_guid", guid(set.first_fork)),
        ("last_recovery_fork_guid", guid(set.last_fork)),
        ("fork_point_lsn", or_null(set.fork_point, lsn)),
        ("database_guid", guid(layout.guid)),
        ("family_guid", guid(layout.family)),
        ("differential_base_lsn", or_null(set.base, |b| lsn(b.0))),
        ("differential_base_guid", or_null(set.base, |b| guid(b.1))),
        ("key_algorithm", text("NO_Encryption")),
    ]);
}

/// Backup times have whole seconds.
pub(crate) fn whole_second(time: chrono::NaiveDateTime) -> chrono::NaiveDateTime {
    use chrono::Timelike as _;
    time.with_nanosecond(0).unwrap_or(time)
}
