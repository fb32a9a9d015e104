//! Faults of backup files and of what they are written to.

use super::rig::{Estate, NONE};

const LARGEST: &str = "BizTalkDTADb";

#[test]
fn without_a_fault_the_newest_log_can_be_restored_and_the_folders_are_there() {
    let estate = Estate::with(&[]);
    let path = estate.newest_log(1, LARGEST);
    let there = format!("SELECT file_exists FROM sys.dm_os_file_exists(N'{path}')");
    assert_eq!(estate.ask(1, &there).cell(), "1");
    assert_eq!(estate.restore_newest(1, LARGEST), NONE);
    assert_eq!(estate.restore_newest(2, "SSODB"), NONE);
    let folder = "SELECT file_is_a_directory FROM sys.dm_os_file_exists(N'D:\\SQLData')";
    assert_eq!(estate.ask(1, folder).cell(), "1");
}

#[test]
fn a_missing_file_cannot_be_opened() {
    let estate = Estate::with(&["missing-file"]);
    assert_eq!(estate.restore_newest(1, LARGEST), [3201, 3013]);
    assert_eq!(estate.restore_newest(1, "SSODB"), NONE);
}

#[test]
fn a_truncated_file_shows_its_header_and_ends_too_early() {
    let estate = Estate::with(&["truncated-file=DRSQL1/SSODB"]);
    let path = estate.newest_log(1, "SSODB");
    assert_eq!(estate.ask(1, &format!("RESTORE HEADERONLY FROM DISK = N'{path}'")).errors, NONE);
    let errors = estate.restore_newest(1, "SSODB");
    assert!(errors.contains(&3203) && errors.last() == Some(&3013), "{errors:?}");
}

#[test]
fn a_flipped_bit_is_found_by_the_restore() {
    let estate = Estate::with(&["flipped-bit"]);
    let path = estate.newest_log(1, LARGEST);
    assert_eq!(estate.ask(1, &format!("RESTORE HEADERONLY FROM DISK = N'{path}'")).errors, NONE);
    let errors = estate.restore_newest(1, LARGEST);
    assert!(errors.contains(&3189) && errors.last() == Some(&3013), "{errors:?}");
}

#[test]
fn a_swapped_file_holds_another_database() {
    let estate = Estate::with(&["swapped-file"]);
    assert_eq!(estate.restore_newest(1, LARGEST), [3154, 3013]);
}

#[test]
fn an_empty_file_has_no_media_header() {
    let estate = Estate::with(&["empty-file"]);
    let errors = estate.restore_newest(1, LARGEST);
    assert!(errors.len() == 2 && [3254, 3241, 3203].contains(&errors[0]), "{errors:?}");
}

#[test]
fn a_share_without_rights_is_closed_to_that_server_alone() {
    let estate = Estate::with(&["share-denied=DRSQL2"]);
    assert_eq!(estate.restore_newest(2, LARGEST), [3201, 3013]);
    assert_eq!(estate.restore_newest(1, LARGEST), NONE);
}

#[test]
fn a_missing_folder_is_seen_by_the_server_and_stops_a_full_restore() {
    let estate = Estate::with(&["folder-missing"]);
    let folder = "SELECT file_is_a_directory FROM sys.dm_os_file_exists(N'D:\\SQLData')";
    assert_eq!(estate.ask(1, folder).cell(), "0");
    assert_eq!(estate.ask(2, folder).cell(), "1");
}

#[test]
fn on_a_full_disk_backups_fail_and_the_set_stays_partial() {
    for (faults, status) in [(&[][..], "1"), (&["disk-full"], "0")] {
        let estate = Estate::with(faults);
        estate.wait(18);
        assert_eq!(estate.runs(0, "Backup BizTalk Server (BizTalkMgmtDb)")[0], status);
    }
    let estate = Estate::with(&["disk-full"]);
    let backup = "BACKUP DATABASE SSODB TO DISK = N'\\\\BACKUP01\\bts\\by-hand.bak' WITH COPY_ONLY";
    assert_eq!(estate.ask(0, backup).errors, [3202, 3013]);
}

#[test]
fn a_full_volume_has_no_room() {
    let free = "SELECT MIN(v.available_bytes) / 1048576 FROM sys.master_files f \
                CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) v WHERE v.volume_mount_point = 'D:\\'";
    assert!(Estate::with(&[]).ask(1, free).number() > 100_000);
    assert!(Estate::with(&["volume-full"]).ask(1, free).number() < 100);
}

#[test]
fn without_the_certificate_an_encrypted_log_cannot_be_restored() {
    let estate = Estate::with(&["missing-certificate"]);
    let errors = estate.restore_newest(1, LARGEST);
    assert!(errors.contains(&33111) && errors.last() == Some(&3013), "{errors:?}");
    assert_eq!(estate.restore_newest(1, "SSODB"), NONE);
    let path = estate.newest_log(1, LARGEST);
    assert_eq!(estate.ask(0, &format!("RESTORE VERIFYONLY FROM DISK = N'{path}'")).errors, NONE);
}
