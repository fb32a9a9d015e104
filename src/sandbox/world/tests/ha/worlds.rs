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
