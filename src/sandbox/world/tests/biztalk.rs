//! BizTalk's backup procedures called by hand, and what destinations make of incomplete sets.

use std::sync::Arc;

use super::asking::ask;
use super::{BACKUP, PASSWORD, RESTORE, Walk};
use crate::sandbox::answer::{Login, Server as _};
use crate::sandbox::tsql::session::Endpoint;

impl Walk {
    fn ask(&self, server: usize, sql: &str) -> String {
        let login = Login { user: "sa".into(), password: PASSWORD.into(), ..Login::default() };
        ask(&mut *Endpoint::new(Arc::clone(&self.hosts[server])).login(&login).unwrap(), sql)
    }
    fn check(&self, server: usize, cases: &[(&str, &str)]) {
        for (sql, wanted) in cases {
            assert_eq!(self.ask(server, sql), *wanted, "{sql}");
        }
    }
}

const NEWEST: &str = "SELECT TOP 1 BackupType, COUNT(*), MIN(CAST(SetComplete AS int)), COUNT(DISTINCT MarkName) FROM BizTalkMgmtDb.dbo.adm_BackupHistory GROUP BY BackupSetId, BackupType ORDER BY BackupSetId DESC";
const FLAG: &str = "SELECT CAST(ForceFull AS int) FROM BizTalkMgmtDb.dbo.adm_BackupSettings";
const FULL: &str = "EXEC BizTalkMgmtDb.dbo.sp_BackupAllFull_Schedule 'd', 'BTS', '\\\\BACKUP01\\bts'";

#[test]
fn the_procedures_of_the_backup_job_can_be_called_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let sets = "SELECT COUNT(DISTINCT BackupSetId) FROM BizTalkMgmtDb.dbo.adm_BackupHistory";
    let before = walk.ask(0, sets);
    walk.check(
        0,
        &[
            (FULL, ""),
            (sets, &before),
            ("EXEC BizTalkMgmtDb.dbo.sp_MarkAll 'BTSTOOLONG', '\\\\BACKUP01\\bts'", ""),
            (NEWEST, "lg,9,1,1"),
            (
                "SELECT TOP 1 LEFT(MarkName, 29), COUNT(DISTINCT h.DatabaseName) FROM BizTalkMgmtDb.dbo.adm_BackupHistory h JOIN msdb.dbo.logmarkhistory m ON m.mark_name = h.MarkName AND m.database_name = h.DatabaseName GROUP BY MarkName ORDER BY MarkName DESC",
                "BTSTOOLO_2026_03_02_10_07_30_,9",
            ),
            ("USE BizTalkMsgBoxDb SELECT TOP 1 LEFT(MarkName, 8) FROM dbo.MarkLog ORDER BY MarkName DESC", "I5701:Changed database context to 'BizTalkMsgBoxDb'.; BTSTOOLO"),
            ("EXEC BizTalkMgmtDb.dbo.sp_ForceFullBackup", ""),
            (FLAG, "1"),
            (FULL, ""),
            (NEWEST, "db,9,1,0"),
            (FLAG, "0"),
            ("EXEC BizTalkMgmtDb.dbo.sp_BackupAllFull_Schedule 'x', 'BTS', 'C:\\'", "E50000; E50000"),
            ("EXEC BizTalkMgmtDb.dbo.sp_BackupAllFull_Schedule @Frequency = 'd', @MarkName = 'BTS'", "E201"),
            ("EXEC BizTalkMgmtDb.dbo.sp_MarkAll 'BTS', 'C:\\', @UseLocaltimes = 1", "E8145"),
            ("EXEC BizTalkMgmtDb.dbo.sp_MarkAll @MarkName = 'BTS', @BackupPath = '<destination path>'", "E3201; E3013; E50000; E50000"),
            ("EXEC BizTalkMgmtDb.dbo.sp_DeleteBackupHistory @DaysToKeep = NULL", ""),
            ("EXEC BizTalkMgmtDb.dbo.sp_DeleteBackupHistory @DaysToKeep = 14, @UseLocalTime = 1", ""),
            ("EXEC BizTalkMgmtDb.dbo.sp_BackupAllFull", "E59999:not modelled: a direct call of sp_backupallfull"),
        ],
    );
}

#[test]
fn a_database_without_the_procedures_makes_the_whole_job_fail_after_others_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.check(
        0,
        &[
            ("INSERT BizTalkMgmtDb.dbo.adm_OtherBackupDatabases VALUES ('Custom', 'model', 'PRODSQL1', 'BTSPROD1')", ""),
            ("SELECT COUNT(*) FROM BizTalkMgmtDb.dbo.admv_BackupDatabases", "10"),
            ("EXEC BizTalkMgmtDb.dbo.sp_ForceFullBackup", ""),
            (FULL, "E2812; E50000; E50000"),
            (NEWEST, "db,9,0,0"),
            (FLAG, "1"),
            ("EXEC BizTalkMgmtDb.dbo.sp_MarkAll 'BTS', '\\\\BACKUP01\\bts'", "E2812; E50000"),
        ],
    );
}

#[test]
fn an_incomplete_log_set_holds_a_destination_until_a_full_set_comes() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &["partial-set=PRODSQL1/SSODB"]);
    let restored = "SELECT MIN(n) FROM (SELECT DatabaseName, MAX(BackupSetId) AS n FROM master.dbo.bts_LogShippingHistory WHERE Restored = 1 GROUP BY DatabaseName) x";
    let partial =
        walk.ask(0, "SELECT MIN(BackupSetId) FROM BizTalkMgmtDb.dbo.adm_BackupHistory WHERE SetComplete = 0");
    walk.wait(35);
    let held: i64 = walk.ask(1, restored).parse().unwrap();
    assert!(held < partial.parse().unwrap(), "{held} {partial}");
    let said = walk.history(1, RESTORE);
    let wanted = format!("Backup set {partial} is not complete.");
    assert!(
        said.last().unwrap().1 == 0 && said.iter().rev().any(|h| h.2.contains(&wanted)),
        "{:?}",
        said.last()
    );

    walk.ask(0, "EXEC BizTalkMgmtDb.dbo.sp_ForceFullBackup");
    walk.start_job(0, BACKUP).unwrap();
    walk.wait(20);
    let (s, i, r) = walk.sets(1);
    assert!(i == s && r == walk.previous(s), "{s} {i} {r}: repaired by the full set and level again");
    assert_eq!(walk.history(1, RESTORE).last().unwrap().1, 1);
}

#[test]
fn a_guarded_step_is_executed_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let guard = "EXEC msdb.dbo.sp_update_jobstep @job_name = N'Backup BizTalk Server (BizTalkMgmtDb)', @step_id = 3, @command = N'IF @@SERVERNAME = N''PRODSQL1'' EXEC dbo.sp_MarkAll ''BTS'', ''\\\\BACKUP01\\bts'' ELSE PRINT ''not here'''";
    walk.check(0, &[(guard, "")]);
    let before = walk.sets(1).0;
    walk.start_job(0, BACKUP).unwrap();
    walk.wait(1);
    let steps: Vec<(i64, i64)> = walk.history(0, BACKUP).iter().rev().take(5).map(|h| (h.0, h.1)).collect();
    assert_eq!(steps, [(0, 1), (4, 1), (3, 1), (2, 1), (1, 1)], "{:?}", walk.history(0, BACKUP).last());
    assert!(walk.sets(1).0 > before);
    walk.check(0, &[(&guard.replace("PRODSQL1", "ELSEWHERE"), "")]);
    walk.start_job(0, BACKUP).unwrap();
    walk.wait(1);
    let said = walk.history(0, BACKUP);
    assert!(
        said.iter().rev().take(5).any(|h| h.0 == 3 && h.2.contains("not here [SQLSTATE 01000] (Message 0)")),
        "{said:?}"
    );
}
