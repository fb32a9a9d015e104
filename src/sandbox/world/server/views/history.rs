//! msdb's backup and restore history.

use super::super::Call;
use super::databases::model;
use crate::sandbox::value::Value;
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::state::{Layout, Model, Set};
use crate::sandbox::world::stored::{
    NULL, OFF, Sheet, at, bit, count, guid, int, lsn, numeric, or_null, text,
};

/// The media set of each backup set: sets of one file share the first one's number.
fn media_sets(call: &Call<'_>) -> Vec<usize> {
    let mut first = std::collections::HashMap::new();
    let sets = call.server().msdb.backups.iter().enumerate();
    sets.map(|(n, i)| *first.entry(call.state.sets[*i].media_uuid).or_insert(n) + 1).collect()
}

pub(super) fn fill(call: &Call<'_>, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    let sets = || server.msdb.backups.iter().enumerate().map(|(n, i)| (n, &call.state.sets[*i]));
    match full {
        "msdb.dbo.backupset" => {
            let media = media_sets(call);
            let entry =
                |(n, set): (usize, _)| Entry { n, media: media[n], set, layout: call.state.layout(set) };
            backup_sets(sets().map(entry), sheet);
        }
        "msdb.dbo.backupmediaset" => {
            let media = media_sets(call);
            sheet.each(
                sets().filter(|(n, _)| media[*n] == n + 1),
                &[
                    ("media_set_id", |(n, _)| count(n + 1)),
                    ("media_uuid", |(_, set)| guid(set.media_uuid)),
                    ("media_family_count", |(_, set)| count(set.families())),
                    ("name", |(_, set)| set.rest.media_name.as_ref().map_or(NULL, text)),
                    ("description", |(_, set)| set.rest.media_description.as_ref().map_or(NULL, text)),
                    ("software_name", |_| text("Microsoft SQL Server")),
                    ("software_vendor_id", |_| int(4608)),
                    ("MTF_major_version", |_| int(1)),
                    ("mirror_count", |_| int(1)),
                    ("is_password_protected", |_| OFF),
                    ("is_compressed", |(_, set)| bit(set.rest.compressed.is_some())),
                    ("is_encrypted", |(_, set)| bit(set.rest.encryption.is_some())),
                ],
            );
        }
        "msdb.dbo.backupmediafamily" => {
            let media = media_sets(call);
            let members = sets()
                .filter(|(n, _)| media[*n] == n + 1)
                .flat_map(|(n, set)| set.stripes().into_iter().enumerate().map(move |(k, d)| (n, set, k, d)));
            sheet.each(
                members,
                &[
                    ("media_set_id", |(n, ..)| count(n + 1)),
                    ("family_sequence_number", |(_, _, k, _)| count(k + 1)),
                    ("media_family_id", |(_, set, k, _)| guid(family(set, *k))),
                    ("media_count", |_| int(1)),
                    ("logical_device_name", |(.., device)| device.1.map_or(NULL, text)),
                    ("physical_device_name", |(.., device)| text(device.0)),
                    ("device_type", |(_, set, _, device)| int(device_type(set, device.1.is_some()))),
                    ("physical_block_size", |(_, set, ..)| int(set.rest.block_size.unwrap_or(512))),
                    ("mirror", |_| int(0)),
                ],
            );
        }
        "msdb.dbo.backupfile" => {
            let files = sets().flat_map(|(n, set)| {
                call.state.layout(set).files.iter().map(move |file| {
                    let here = file.is_log == (set.kind == 'L') || set.kind == 'D';
                    (n, file, here, if here { file.pages } else { 0 })
                })
            });
            sheet.each(
                files,
                &[
                    ("backup_set_id", |(n, ..)| count(n + 1)),
                    ("first_family_number", |_| int(1)),
                    ("first_media_number", |_| int(1)),
                    ("filegroup_name", |(_, f, ..)| if f.is_log { NULL } else { text("PRIMARY") }),
                    ("page_size", |_| int(8192)),
                    ("file_number", |(_, f, ..)| numeric(f.id)),
                    ("backed_up_page_count", |(_, f, _, pages)| numeric(if f.is_log { 0 } else { *pages })),
                    ("file_type", |(_, f, ..)| text(if f.is_log { "L" } else { "D" })),
                    ("source_file_block_size", |_| numeric(512)),
                    ("file_size", |(_, f, ..)| numeric(f.pages * 8192)),
                    ("logical_name", |(_, f, ..)| text(&f.logical)),
                    ("physical_drive", |(_, f, ..)| text(f.physical.get(..3).unwrap_or(&f.physical))),
                    ("physical_name", |(_, f, ..)| text(&f.physical)),
                    ("state", |_| int(0)),
                    ("state_desc", |_| text("ONLINE")),
                    ("create_lsn", |_| lsn(Lsn(0))),
                    ("drop_lsn", |_| lsn(Lsn(0))),
                    ("file_guid", |(_, f, ..)| guid(f.guid)),
                    ("backup_size", |(.., pages)| numeric(*pages * 8192)),
                    ("is_readonly", |_| OFF),
                    ("is_present", |(_, _, here, _)| bit(*here)),
                ],
            );
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
                    ("device_count", count(r.devices.max(1))),
                    ("stop_at_mark_name", r.mark.as_ref().map_or(NULL, text)),
                    ("stop_before", if r.mark.is_some() { bit(r.before) } else { NULL }),
                ]);
            }
        }
        "msdb.dbo.restorefile" => {
            for (n, r) in server.msdb.restores.iter().enumerate() {
                for (id, path) in &r.files {
                    sheet.row(vec![
                        ("restore_history_id", count(n + 1)),
                        ("file_number", numeric(*id)),
                        ("destination_phys_drive", text(path.get(..3).unwrap_or(path))),
                        ("destination_phys_name", text(path)),
                    ]);
                }
            }
            let told = |r: &&crate::sandbox::world::state::Restored| r.kind == 'D' && r.files.is_empty();
            for (n, r) in server.msdb.restores.iter().enumerate().filter(|(_, r)| told(r)) {
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
                    ("description", text(&m.description)),
                    ("user_name", text(&m.user)),
                    ("lsn", lsn(m.lsn)),
                    ("mark_time", at(m.at)),
                ]);
            }
        }
        "msdb.dbo.suspect_pages" => {
            for p in &server.suspect_pages {
                sheet.row(vec![
                    ("database_id", int(p.database)),
                    ("file_id", int(p.file)),
                    ("page_id", Value::Int(p.page)),
                    ("event_type", int(p.kind)),
                    ("error_count", int(p.count)),
                    ("last_update_date", at(p.at)),
                ]);
            }
        }
        "msdb.dbo.backupfilegroup" => {
            for (n, set) in sets() {
                let incremental = set.kind == 'L';
                sheet.row(vec![
                    ("backup_set_id", count(n + 1)),
                    ("name", text("PRIMARY")),
                    ("filegroup_id", int(1)),
                    ("type", text("FG")),
                    ("type_desc", text("ROWS_FILEGROUP")),
                    ("is_default", bit(true)),
                    ("is_readonly", bit(set.rest.read_only && !incremental)),
                ]);
            }
        }
        "msdb.dbo.restorefilegroup" => {
            for (n, _) in server.msdb.restores.iter().enumerate().filter(|(_, r)| r.kind == 'D') {
                sheet.row(vec![("restore_history_id", count(n + 1)), ("filegroup_name", text("PRIMARY"))]);
            }
        }
        _ => return false,
    }
    true
}

/// The identity of a stripe, from 0.
pub(crate) fn family(set: &Set, stripe: usize) -> crate::sandbox::world::ids::Guid {
    let n = stripe as u8;
    crate::sandbox::world::ids::Guid(set.media_uuid.0.map(|b| b.rotate_left(3) ^ 0x11 ^ n))
}

/// 2 disk, 7 virtual device; 102 when it has a name of its own.
pub(crate) fn device_type(set: &Set, logical: bool) -> i64 {
    if set.rest.snapshot { 7 } else { 2 + i64::from(logical) * 100 }
}

/// A backup set as one server remembers it.
struct Entry<'a> {
    /// 0-based.
    n: usize,
    media: usize,
    set: &'a Set,
    layout: &'a Layout,
}

const fn model_name(kind: Model) -> &'static str {
    if matches!(kind, Model::BulkLogged) { "BULK-LOGGED" } else { model(kind).1 }
}

fn backup_sets<'a>(entries: impl Iterator<Item = Entry<'a>>, sheet: &mut Sheet) {
    sheet.each(
        entries,
        &[
            ("backup_set_id", |e| count(e.n + 1)),
            ("backup_set_uuid", |e| guid(e.set.uuid)),
            ("media_set_id", |e| count(e.media)),
            ("first_family_number", |_| int(1)),
            ("first_media_number", |_| int(1)),
            ("last_family_number", |e| count(e.set.families())),
            ("last_media_number", |_| int(1)),
            ("catalog_family_number", |_| int(1)),
            ("catalog_media_number", |_| int(1)),
            ("position", |e| int(e.set.position)),
            ("software_vendor_id", |_| int(4608)),
            ("name", |e| e.set.name.as_ref().map_or(NULL, text)),
            ("description", |e| e.set.rest.description.as_ref().map_or(NULL, text)),
            ("expiration_date", |e| or_null(e.set.rest.expires, at)),
            ("user_name", |e| text(&e.set.user)),
            ("software_major_version", |e| int(e.layout.software.0)),
            ("software_minor_version", |e| int(e.layout.software.1)),
            ("software_build_version", |e| int(e.layout.software.2)),
            ("time_zone", |e| int(e.layout.offset_minutes / 15)),
            ("mtf_minor_version", |_| int(0)),
            ("first_lsn", |e| lsn(e.set.first)),
            ("last_lsn", |e| lsn(e.set.last)),
            ("checkpoint_lsn", |e| lsn(e.set.checkpoint)),
            ("database_backup_lsn", |e| lsn(e.set.full_checkpoint)),
            ("database_creation_date", |e| at(e.layout.created)),
            ("backup_start_date", |e| at(whole_second(e.set.start))),
            ("backup_finish_date", |e| at(whole_second(e.set.finish))),
            ("type", |e| text(e.set.kind)),
            ("sort_order", |_| int(52)),
            ("code_page", |_| int(0)),
            ("compatibility_level", |e| int(e.layout.compatibility)),
            ("database_version", |e| int(e.layout.database_version)),
            ("backup_size", |e| numeric(e.set.size)),
            ("compressed_backup_size", |e| numeric(e.set.rest.compressed.unwrap_or(e.set.size))),
            ("database_name", |e| text(&e.layout.database)),
            ("server_name", |e| text(&e.layout.server)),
            ("machine_name", |e| text(e.layout.server.split('\\').next().unwrap_or_default())),
            ("flags", |e| int(e.set.flags())),
            ("unicode_locale", |_| int(1033)),
            ("unicode_compare_style", |_| int(196_609)),
            ("collation_name", |e| text(&e.layout.collation)),
            ("is_password_protected", |_| OFF),
            ("recovery_model", |e| text(model_name(e.layout.model))),
            ("has_bulk_logged_data", |e| bit(e.set.rest.bulk_logged)),
            ("is_snapshot", |e| bit(e.set.rest.snapshot)),
            ("is_readonly", |e| bit(e.set.rest.read_only)),
            ("is_single_user", |e| bit(e.set.rest.single_user)),
            ("has_backup_checksums", |e| bit(e.set.checksums)),
            ("is_damaged", |e| bit(e.set.rest.damaged)),
            ("begins_log_chain", |e| bit(e.set.begins_chain)),
            ("has_incomplete_metadata", |e| bit(e.set.rest.incomplete_metadata)),
            ("is_force_offline", |e| bit(e.set.tail)),
            ("is_copy_only", |e| bit(e.set.copy_only)),
            ("first_recovery_fork_guid", |e| guid(e.set.first_fork)),
            ("last_recovery_fork_guid", |e| guid(e.set.last_fork)),
            ("fork_point_lsn", |e| or_null(e.set.fork_point, lsn)),
            ("database_guid", |e| guid(e.layout.guid)),
            ("family_guid", |e| guid(e.layout.family)),
            ("differential_base_lsn", |e| or_null(e.set.base, |b| lsn(b.0))),
            ("differential_base_guid", |e| or_null(e.set.base, |b| guid(b.1))),
            ("key_algorithm", |e| {
                e.set.rest.encryption.as_ref().map_or_else(|| text("NO_Encryption"), |x| text(&x.0))
            }),
            ("encryptor_thumbprint", |e| {
                e.set.rest.encryption.as_ref().map_or(NULL, |x| Value::Binary(x.1.clone()))
            }),
            ("encryptor_type", |e| e.set.rest.encryption.as_ref().map_or(NULL, |_| text("CERTIFICATE"))),
            ("last_valid_restore_time", |e| {
                if e.set.kind == 'L' { at(whole_second(e.set.finish)) } else { NULL }
            }),
            ("compression_algorithm", |e| e.set.rest.compressed.map_or(NULL, |_| text("MS_XPRESS"))),
        ],
    );
}

/// Backup times have whole seconds.
pub(crate) fn whole_second(time: chrono::NaiveDateTime) -> chrono::NaiveDateTime {
    use chrono::Timelike as _;
    time.with_nanosecond(0).unwrap_or(time)
}
