//! The shipped worlds with high availability: opened, asked, walked, saved and opened again.

use super::Shop;

const AG: &str = include_str!("../../../../../assets/worlds/ag-biztalk.yaml");

fn short(text: &str) -> String {
    text.replace("history: 26h", "history: 140m")
}

#[test]
fn the_backup_job_runs_on_the_primary_alone_and_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new(folder.path(), &short(AG));
    let sets = |server: &str| {
        shop.ask(server, "SELECT COUNT(*) FROM msdb.dbo.backupset WHERE type = 'L'").parse::<i64>().unwrap()
    };
    assert!(sets("SQLAG1") > 9);
    assert_eq!(sets("SQLAG2"), 0);
    let outcome = "SELECT TOP (1) h.run_status FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name LIKE 'Backup%' AND h.step_id = 0 ORDER BY h.instance_id DESC";
    shop.expect("SQLAG1", outcome, "1");
    shop.expect("SQLAG2", outcome, "1");
    shop.expect("SQLAG2", "ALTER AVAILABILITY GROUP BizTalkAG FAILOVER", "");
    let before = sets("SQLAG1");
    for _ in 0..8 {
        shop.wait(300);
    }
    assert_eq!(sets("SQLAG1"), before);
    assert!(sets("SQLAG2") >= 9);
    shop.expect("SQLAG2", outcome, "1");
    shop.expect("SQLAG2", "SELECT COUNT(DISTINCT ServerName) FROM BizTalkMgmtDb.dbo.adm_BackupHistory", "3");
}

#[test]
fn biztalk_knows_the_listener_and_the_destination_follows() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new(folder.path(), &short(AG));
    shop.expect(
        "SQLAG1",
        "SELECT SubscriptionDBServerName, TrackingDBServerName FROM BizTalkMgmtDb.dbo.adm_Group",
        "BTSAGL,BTSAGL",
    );
    let restored = "SELECT MAX(BackupSetId) FROM master.dbo.bts_LogShippingHistory WHERE Restored = 1";
    let number = |text: String| text.parse::<i64>().unwrap();
    let first = number(shop.ask("DRSQL1", restored));
    shop.expect("SQLAG2", "ALTER AVAILABILITY GROUP BizTalkAG FAILOVER", "");
    for _ in 0..12 {
        shop.wait(300);
    }
    assert!(number(shop.ask("DRSQL1", restored)) > first);
    let shop = shop.saved_and_opened();
    shop.expect("SQLAG2", "SELECT sys.fn_hadr_is_primary_replica('BizTalkMgmtDb')", "1");
}

const SPLIT: &str = include_str!("../../../../../assets/worlds/split-transaction.yaml");
const MIRRORED: &str = include_str!("../../../../../assets/worlds/mirrored.yaml");

#[test]
fn a_transaction_over_a_mirrored_database_and_another_is_kept_in_one_and_lost_in_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new(folder.path(), SPLIT);
    shop.wait(290);
    shop.expect(
        "SQLA",
        "SELECT COUNT(*) FROM Orders.dbo.OrderLine; SELECT COUNT(*) FROM Shipping.dbo.Parcel",
        "2; 2",
    );
    shop.wait(20);
    // The other database has its half, the mirror never heard of it.
    shop.expect("SQLA", "SELECT Status FROM Shipping.dbo.Parcel WHERE OrderId = 4711", "booked");
    shop.expect("SQLB", "SELECT COUNT(*) FROM Orders.dbo.OrderLine WHERE OrderId = 4711", "0");
    shop.expect("SQLA", "SELECT COUNT(*) FROM Orders.dbo.OrderLine", "E954");
    let state = "SELECT mirroring_role_desc, mirroring_state_desc FROM sys.database_mirroring WHERE database_id = DB_ID('Orders')";
    shop.expect("SQLB", state, "PRINCIPAL,SYNCHRONIZED");
    shop.expect("SQLA", state, "MIRROR,SYNCHRONIZED");
    let shop = shop.saved_and_opened();
    shop.expect("SQLB", "ALTER DATABASE Orders SET PARTNER FAILOVER", "");
    shop.expect(
        "SQLA",
        "SELECT OrderId FROM Orders.dbo.OrderLine; SELECT OrderId FROM Shipping.dbo.Parcel",
        "4709 | 4710; 4709 | 4710 | 4711",
    );
}

#[test]
fn a_snapshot_backup_steals_the_differential_base_and_leaves_the_log_chain_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = MIRRORED.replace("history: 26h", "history: 140m").replace("last: 7h", "last: 30m");
    let shop = Shop::new(folder.path(), &text);
    shop.expect("SQLM1", "SELECT s.type, s.is_snapshot, s.is_copy_only, f.device_type, s.user_name FROM msdb.dbo.backupset s JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = s.media_set_id WHERE s.database_name = 'SSODB' AND s.is_snapshot = 1", "D,1,0,7,NT AUTHORITY\\SYSTEM");
    let device = shop.ask("SQLM1", "SELECT f.physical_device_name FROM msdb.dbo.backupset s JOIN msdb.dbo.backupmediafamily f ON f.media_set_id = s.media_set_id WHERE s.database_name = 'SSODB' AND s.is_snapshot = 1");
    assert!(device.starts_with('{') && device.len() == 39, "{device}");
    shop.expect("SQLM1", "SELECT CASE WHEN f.differential_base_guid = s.backup_set_uuid THEN 1 ELSE 0 END FROM sys.master_files f, msdb.dbo.backupset s WHERE f.database_id = DB_ID('SSODB') AND f.type = 0 AND s.database_name = 'SSODB' AND s.is_snapshot = 1", "1");
    // Every log begins where the one before it ended.
    shop.expect("SQLM1", "WITH l AS (SELECT first_lsn, LAG(last_lsn) OVER (ORDER BY backup_set_id) AS before FROM msdb.dbo.backupset WHERE database_name = 'SSODB' AND type = 'L') SELECT COUNT(*) FROM l WHERE before <> first_lsn", "0");
    let said = shop.ask("SQLM1", &format!("RESTORE DATABASE X FROM DISK = N'{device}'"));
    assert!(said.starts_with("E3201"), "{said}");
}

#[test]
fn the_mirrored_world_is_walked_saved_and_opened() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new(folder.path(), &MIRRORED.replace("history: 26h", "history: 140m"));
    shop.expect("SQLM1", "SELECT DB_NAME(database_id), mirroring_role_desc, mirroring_state_desc FROM sys.database_mirroring WHERE mirroring_guid IS NOT NULL", "BizTalkMsgBoxDb,PRINCIPAL,SYNCHRONIZED");
    shop.wait(600);
    let shop = shop.saved_and_opened();
    shop.wait(600);
    shop.expect("SQLM2", "SELECT mirroring_role_desc, mirroring_state_desc FROM sys.database_mirroring WHERE mirroring_guid IS NOT NULL", "MIRROR,SYNCHRONIZED");
}
