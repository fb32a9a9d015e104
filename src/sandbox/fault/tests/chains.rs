//! Faults of the chain of backups.

use super::rig::Estate;

const LARGEST: &str = "BizTalkDTADb";
const RESTORE: &str = "BTS Log Shipping - Restore Databases";

/// Log backups of the largest database that are not the job's.
const FOREIGN: &str = "SELECT COUNT(*) FROM msdb.dbo.backupset s JOIN msdb.dbo.backupmediafamily m \
    ON m.media_set_id = s.media_set_id WHERE s.database_name = 'BizTalkDTADb' AND s.type = 'L' \
    AND m.physical_device_name NOT LIKE '\\\\BACKUP01\\%'";

#[test]
fn without_a_fault_nobody_else_backs_up_and_every_set_is_complete() {
    let estate = Estate::with(&[]);
    assert_eq!(estate.ask(0, FOREIGN).number(), 0);
    assert_eq!(estate.ask(0, PARTIAL).number(), 0);
    estate.wait(3);
    assert_eq!(estate.runs(1, RESTORE)[0], "1");
    assert_eq!(estate.ask(0, MODEL).cell(), "FULL");
    assert_eq!(estate.ask(0, FORKS).number(), 1);
}

#[test]
fn a_stolen_log_is_in_the_history_and_the_destination_cannot_go_on() {
    for (fault, place) in [("stolen-log", "D:\\OtherBackup\\BizTalkDTADb.trn"), ("nul-backup", "NUL")] {
        let estate = Estate::with(&[fault]);
        assert_eq!(estate.ask(0, FOREIGN).number(), 1, "{fault}");
        let sql = FOREIGN.replace("COUNT(*)", "m.physical_device_name");
        assert_eq!(estate.ask(0, &sql).cell(), place);
        estate.wait(3);
        assert_eq!(estate.runs(1, RESTORE)[0], "0", "{fault}");
        let text = "SELECT TOP (1) message FROM msdb.dbo.sysjobhistory WHERE run_status = 0 AND step_id = 1 \
                    ORDER BY instance_id DESC";
        assert!(estate.ask(1, text).cell().contains("4305"), "{fault}");
    }
}

const MODEL: &str = "SELECT recovery_model_desc FROM sys.databases WHERE name = 'BizTalkDTADb'";

#[test]
fn a_database_in_the_simple_model_has_no_log_to_back_up() {
    let estate = Estate::with(&["simple-recovery"]);
    assert_eq!(estate.ask(0, MODEL).cell(), "SIMPLE");
    let backup = "BACKUP LOG BizTalkDTADb TO DISK = N'\\\\BACKUP01\\bts\\by-hand.trn' WITH COPY_ONLY";
    assert_eq!(estate.ask(0, backup).errors, [4208, 3013]);
    estate.wait(16);
    assert_eq!(estate.runs(0, "Backup BizTalk Server (BizTalkMgmtDb)")[0], "0");
}

/// Recovery forks that the log backups of the largest database are on.
const FORKS: &str = "SELECT COUNT(DISTINCT last_recovery_fork_guid) FROM msdb.dbo.backupset \
    WHERE database_name = 'BizTalkDTADb' AND type = 'L'";

#[test]
fn a_production_database_taken_back_is_on_another_recovery_path() {
    let estate = Estate::with(&["forked"]);
    assert_eq!(estate.ask(0, FORKS).number(), 2);
    estate.wait(3);
    let text = "SELECT TOP (1) message FROM msdb.dbo.sysjobhistory WHERE run_status = 0 AND step_id = 1 \
                ORDER BY instance_id DESC";
    assert!(estate.ask(1, text).cell().contains("(Error 4330)"), "{:?}", estate.ask(1, text));
}

/// Rows of sets that are not complete.
const PARTIAL: &str = "SELECT COUNT(*) FROM BizTalkMgmtDb.dbo.adm_BackupHistory WHERE SetComplete = 0";

#[test]
fn a_partial_set_lacks_the_databases_after_the_one_that_failed() {
    let estate = Estate::with(&["partial-set=PRODSQL1/SSODB"]);
    let rows = estate.ask(0, PARTIAL).number();
    assert!((1..9).contains(&rows), "{rows}");
    assert_eq!(estate.runs(0, "Backup BizTalk Server (BizTalkMgmtDb)")[0], "0");
}

#[test]
fn an_open_gap_is_a_set_below_the_last_that_was_never_restored() {
    let sql = "SELECT COUNT(*) FROM master.dbo.bts_LogShippingHistory a WHERE DatabaseName = 'BizTalkDTADb' AND \
               BackupType = 'lg' AND Restored = 0 AND EXISTS (SELECT * FROM master.dbo.bts_LogShippingHistory b \
               WHERE b.DatabaseName = a.DatabaseName AND b.Restored = 1 AND b.BackupSetId > a.BackupSetId)";
    let before_all = |estate: &Estate| estate.ask(1, sql).number();
    let healthy = before_all(&Estate::with(&[]));
    assert_eq!(before_all(&Estate::with(&["open-gap"])), healthy + 1);
}

/// The newest set that a destination has restored of the largest database.
fn restored(estate: &Estate, server: usize) -> i64 {
    let sql = format!(
        "SELECT MAX(BackupSetId) FROM master.dbo.bts_LogShippingHistory WHERE DatabaseName = '{LARGEST}' AND Restored = 1"
    );
    estate.ask(server, &sql).number()
}

#[test]
fn diverged_and_lagging_destinations_are_behind_the_other_one() {
    let healthy = Estate::with(&[]);
    assert_eq!(restored(&healthy, 1), restored(&healthy, 2));
    for fault in ["diverged", "lagging"] {
        let estate = Estate::with(&[fault]);
        estate.wait(1);
        assert!(restored(&estate, 1) > restored(&estate, 2), "{fault}");
    }
}

#[test]
fn a_stolen_base_is_a_full_backup_of_somebody_else_that_is_not_copy_only() {
    let fulls = "SELECT COUNT(*) FROM msdb.dbo.backupset s JOIN msdb.dbo.backupmediafamily m \
                 ON m.media_set_id = s.media_set_id WHERE s.database_name = 'BizTalkDTADb' AND s.type = 'D' \
                 AND s.is_copy_only = 0 AND m.physical_device_name LIKE 'D:\\Temp\\%'";
    assert_eq!(Estate::with(&[]).ask(0, fulls).number(), 0);
    let estate = Estate::with(&["stolen-base"]);
    assert_eq!(estate.ask(0, fulls).number(), 1);
    let backup = "BACKUP DATABASE BizTalkDTADb TO DISK = N'D:\\Temp\\d.bak' WITH DIFFERENTIAL";
    assert!(estate.ask(0, backup).errors.is_empty());
    let base = "SELECT COUNT(*) FROM msdb.dbo.backupset d JOIN msdb.dbo.backupset f \
                ON f.backup_set_uuid = d.differential_base_guid JOIN msdb.dbo.backupmediafamily m \
                ON m.media_set_id = f.media_set_id WHERE d.type = 'I' AND m.physical_device_name LIKE 'D:\\Temp\\%'";
    assert_eq!(estate.ask(0, base).number(), 1);
}
