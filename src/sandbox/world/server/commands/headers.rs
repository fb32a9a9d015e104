//! The result sets of RESTORE HEADERONLY, FILELISTONLY and LABELONLY.

use super::super::views::{device_type, family, whole_second};
use crate::sandbox::value::{Table, Value};
use crate::sandbox::world::files::Recording;
use crate::sandbox::world::ids::{Guid, Lsn};
use crate::sandbox::world::state::{Model, Server};
use crate::sandbox::world::stored::{
    NULL, Sheet, at, bit, count, guid, int, lsn, numeric, or_null, specs, text,
};

const HEADERS: &str = "BackupName nvarchar(128); BackupDescription nvarchar(255); BackupType smallint; ExpirationDate datetime; Compressed bit; Position smallint; DeviceType tinyint; UserName nvarchar(128); ServerName nvarchar(128); DatabaseName nvarchar(128); DatabaseVersion int; DatabaseCreationDate datetime; BackupSize numeric(20.0); FirstLSN lsn; LastLSN lsn; CheckpointLSN lsn; DatabaseBackupLSN lsn; BackupStartDate datetime; BackupFinishDate datetime; SortOrder smallint; CodePage smallint; UnicodeLocaleId int; UnicodeComparisonStyle int; CompatibilityLevel tinyint; SoftwareVendorId int; SoftwareVersionMajor int; SoftwareVersionMinor int; SoftwareVersionBuild int; MachineName nvarchar(128); Flags int; BindingID uniqueidentifier; RecoveryForkID uniqueidentifier; Collation nvarchar(128); FamilyGUID uniqueidentifier; HasBulkLoggedData bit; IsSnapshot bit; IsReadOnly bit; IsSingleUser bit; HasBackupChecksums bit; IsDamaged bit; BeginsLogChain bit; HasIncompleteMetaData bit; IsForceOffline bit; IsCopyOnly bit; FirstRecoveryForkID uniqueidentifier; ForkPointLSN lsn; RecoveryModel nvarchar(60); DifferentialBaseLSN lsn; DifferentialBaseGUID uniqueidentifier; BackupTypeDescription nvarchar(60); BackupSetGUID uniqueidentifier; CompressedBackupSize bigint; containment tinyint; KeyAlgorithm nvarchar(32) @2014; EncryptorThumbprint varbinary(20) @2014; EncryptorType nvarchar(32) @2014; LastValidRestoreTime datetime @2022; TimeZone nvarchar(32) @2022; CompressionAlgorithm nvarchar(32) @2022";

const FILES: &str = "LogicalName nvarchar(128); PhysicalName nvarchar(260); Type char(1); FileGroupName nvarchar(128); Size numeric(20.0); MaxSize numeric(20.0); FileID bigint; CreateLSN lsn; DropLSN lsn; UniqueID uniqueidentifier; ReadOnlyLSN lsn; ReadWriteLSN lsn; BackupSizeInBytes bigint; SourceBlockSize int; FileGroupID int; LogGroupGUID uniqueidentifier; DifferentialBaseLSN lsn; DifferentialBaseGUID uniqueidentifier; IsReadOnly bit; IsPresent bit; TDEThumbprint varbinary(32); SnapshotUrl nvarchar(360) @2016";

const LABEL: &str = "MediaName nvarchar(128); MediaSetId uniqueidentifier; FamilyCount int; FamilySequenceNumber int; MediaFamilyId uniqueidentifier; MediaSequenceNumber int; MediaLabelPresent tinyint; MediaDescription nvarchar(255); SoftwareName nvarchar(128); SoftwareVendorId int; MediaDate datetime; Mirror_Count int; IsCompressed bit";

fn sheet(columns: &str, year: u16) -> Sheet {
    Sheet::new(&specs(columns).unwrap_or_default(), year)
}

pub(super) fn headers(server: &Server, sets: &[Recording], position: Option<i64>) -> Table {
    let mut sheet = sheet(HEADERS, server.year());
    for r in sets.iter().filter(|r| position.is_none_or(|p| p == r.set.position)) {
        let (set, layout) = (&r.set, &r.layout);
        let (kind, described) = match set.kind {
            'L' => (2, "Transaction Log"),
            'I' => (5, "Database Differential"),
            _ => (1, "Database"),
        };
        let model = match layout.model {
            Model::Full => "FULL",
            Model::BulkLogged => "BULK-LOGGED",
            Model::Simple => "SIMPLE",
        };
        sheet.row(vec![
            ("BackupName", set.name.as_ref().map_or(NULL, text)),
            ("BackupType", int(kind)),
            ("BackupDescription", set.rest.description.as_ref().map_or(NULL, text)),
            ("ExpirationDate", or_null(set.rest.expires, at)),
            ("Compressed", bit(set.rest.compressed.is_some())),
            ("Position", int(set.position)),
            ("DeviceType", int(device_type(set, set.rest.devices.iter().any(|d| d.1.is_some())))),
            ("UserName", text(&set.user)),
            ("ServerName", text(&layout.server)),
            ("DatabaseName", text(&layout.database)),
            ("DatabaseVersion", int(layout.database_version)),
            ("DatabaseCreationDate", at(layout.created)),
            ("BackupSize", numeric(set.size)),
            ("FirstLSN", lsn(set.first)),
            ("LastLSN", lsn(set.last)),
            ("CheckpointLSN", lsn(set.checkpoint)),
            ("DatabaseBackupLSN", lsn(set.full_checkpoint)),
            ("BackupStartDate", at(whole_second(set.start))),
            ("BackupFinishDate", at(whole_second(set.finish))),
            ("SortOrder", int(52)),
            ("CodePage", int(0)),
            ("UnicodeLocaleId", int(1033)),
            ("UnicodeComparisonStyle", int(196_609)),
            ("CompatibilityLevel", int(layout.compatibility)),
            ("SoftwareVendorId", int(4608)),
            ("SoftwareVersionMajor", int(layout.software.0)),
            ("SoftwareVersionMinor", int(layout.software.1)),
            ("SoftwareVersionBuild", int(layout.software.2)),
            ("MachineName", text(layout.server.split('\\').next().unwrap_or_default())),
            ("Flags", int(set.flags())),
            ("BindingID", guid(layout.guid)),
            ("RecoveryForkID", guid(set.last_fork)),
            ("Collation", text(&layout.collation)),
            ("FamilyGUID", guid(layout.family)),
            ("HasBulkLoggedData", bit(set.rest.bulk_logged)),
            ("IsSnapshot", bit(set.rest.snapshot)),
            ("IsReadOnly", bit(set.rest.read_only)),
            ("IsSingleUser", bit(set.rest.single_user)),
            ("HasBackupChecksums", bit(set.checksums)),
            ("IsDamaged", bit(set.rest.damaged)),
            ("BeginsLogChain", bit(set.begins_chain)),
            ("HasIncompleteMetaData", bit(set.rest.incomplete_metadata)),
            ("IsForceOffline", bit(set.tail)),
            ("IsCopyOnly", bit(set.copy_only)),
            ("FirstRecoveryForkID", guid(set.first_fork)),
            ("ForkPointLSN", or_null(set.fork_point, lsn)),
            ("RecoveryModel", text(model)),
            ("DifferentialBaseLSN", or_null(set.base, |b| lsn(b.0))),
            ("DifferentialBaseGUID", or_null(set.base, |b| guid(b.1))),
            ("BackupTypeDescription", text(described)),
            ("BackupSetGUID", guid(set.uuid)),
            ("CompressedBackupSize", Value::Int(set.rest.compressed.unwrap_or(set.size))),
            ("containment", int(0)),
            ("KeyAlgorithm", set.rest.encryption.as_ref().map_or(NULL, |e| text(&e.0))),
            (
                "EncryptorThumbprint",
                set.rest.encryption.as_ref().map_or(NULL, |e| Value::Binary(e.1.clone())),
            ),
            ("EncryptorType", set.rest.encryption.as_ref().map_or(NULL, |_| text("CERTIFICATE"))),
            ("LastValidRestoreTime", if set.kind == 'L' { at(whole_second(set.finish)) } else { NULL }),
            ("TimeZone", text((layout.offset_minutes / 15).to_string())),
            ("CompressionAlgorithm", set.rest.compressed.map_or(NULL, |_| text("MS_XPRESS"))),
        ]);
    }
    sheet.table
}

pub(super) fn files(server: &Server, r: &Recording) -> Table {
    let mut sheet = sheet(FILES, server.year());
    for file in &r.layout.files {
        let here = r.set.kind != 'L' || file.is_log;
        let base = r.set.base.filter(|_| !file.is_log);
        sheet.row(vec![
            ("LogicalName", text(&file.logical)),
            ("PhysicalName", text(&file.physical)),
            ("Type", text(if file.is_log { "L" } else { "D" })),
            ("FileGroupName", if file.is_log { NULL } else { text("PRIMARY") }),
            ("Size", numeric(file.pages * 8192)),
            ("MaxSize", numeric(if file.is_log { 2_199_023_255_552_i64 } else { 35_184_372_080_640 })),
            ("FileID", int(file.id)),
            ("CreateLSN", lsn(Lsn(0))),
            ("DropLSN", lsn(Lsn(0))),
            ("UniqueID", guid(file.guid)),
            ("ReadOnlyLSN", lsn(Lsn(0))),
            ("ReadWriteLSN", lsn(Lsn(0))),
            ("BackupSizeInBytes", Value::Int(if here && !file.is_log { file.pages * 6963 } else { 0 })),
            ("SourceBlockSize", int(512)),
            ("FileGroupID", int(i64::from(!file.is_log))),
            ("DifferentialBaseLSN", or_null(base, |b| lsn(b.0)).or_zero()),
            ("DifferentialBaseGUID", or_null(base, |b| guid(b.1)).or_none()),
            ("IsReadOnly", bit(r.set.rest.read_only && !file.is_log)),
            ("IsPresent", bit(here)),
        ]);
    }
    sheet.table
}

/// FILELISTONLY writes zeros where there is no base.
trait Zeros {
    fn or_zero(self) -> Self;
    fn or_none(self) -> Self;
}

impl Zeros for Value {
    fn or_zero(self) -> Self {
        if self == NULL { lsn(Lsn(0)) } else { self }
    }
    fn or_none(self) -> Self {
        if self == NULL { guid(Guid::default()) } else { self }
    }
}

pub(super) fn label(sets: &[Recording]) -> Table {
    let mut sheet = sheet(LABEL, 0);
    if let Some(first) = sets.first() {
        sheet.row(vec![
            ("MediaSetId", guid(first.set.media_uuid)),
            ("MediaName", first.set.rest.media_name.as_ref().map_or(NULL, text)),
            ("MediaDescription", first.set.rest.media_description.as_ref().map_or(NULL, text)),
            ("FamilyCount", count(first.set.families())),
            ("FamilySequenceNumber", count(first.set.family())),
            ("MediaFamilyId", guid(family(&first.set, first.set.family() - 1))),
            ("MediaSequenceNumber", int(1)),
            ("MediaLabelPresent", int(0)),
            ("SoftwareName", text("Microsoft SQL Server")),
            ("SoftwareVendorId", int(4608)),
            ("MediaDate", at(whole_second(first.set.start))),
            ("Mirror_Count", int(1)),
            ("IsCompressed", bit(first.set.rest.compressed.is_some())),
        ]);
    }
    sheet.table
}
