//! Faults of availability groups, mirroring and snapshot backups.

use super::rig::Estate;

const AG: &str = include_str!("../../../../assets/worlds/ag-biztalk.yaml");
const MIRRORED: &str = include_str!("../../../../assets/worlds/mirrored.yaml");

fn short(text: &str) -> String {
    text.replace("history: 26h", "history: 140m")
}

fn group(fault: &[&str]) -> Estate {
    Estate::of(&short(AG), fault)
}

fn mirrored(fault: &[&str]) -> Estate {
    Estate::of(&short(MIRRORED), fault)
}

const MODES: &str =
    "SELECT COUNT(*) FROM sys.availability_replicas WHERE availability_mode_desc = 'ASYNCHRONOUS_COMMIT'";

#[test]
fn an_asynchronous_replica_is_behind() {
    assert_eq!(group(&[]).ask(0, MODES).number(), 0);
    let estate = group(&["async-replica"]);
    assert_eq!(estate.ask(0, MODES).number(), 1);
    let queue = "SELECT COUNT(*) FROM sys.dm_hadr_database_replica_states WHERE synchronization_state_desc = 'SYNCHRONIZING' AND log_send_queue_size > 100";
    assert!(estate.ask(0, queue).number() >= 2);
    assert_eq!(estate.ask(1, "ALTER AVAILABILITY GROUP BizTalkAG FAILOVER").errors, [41142]);
}

#[test]
fn dtc_support_is_off() {
    let dtc = "SELECT CAST(dtc_support AS int) FROM sys.availability_groups";
    assert_eq!(group(&[]).ask(0, dtc).number(), 1);
    assert_eq!(group(&["dtc-off"]).ask(2, dtc).number(), 0);
}

#[test]
fn a_suspended_replica_holds_the_log_of_its_primary() {
    let estate = group(&["suspended-replica=SQLAG2/BizTalkMsgBoxDb"]);
    let suspended =
        "SELECT DB_NAME(database_id) FROM sys.dm_hadr_database_replica_states WHERE is_suspended = 1";
    assert_eq!(estate.ask(0, suspended).cell(), "BizTalkMsgBoxDb");
    assert_eq!(
        estate.ask(0, "SELECT log_reuse_wait_desc FROM sys.databases WHERE name = 'BizTalkMsgBoxDb'").cell(),
        "AVAILABILITY_REPLICA"
    );
    assert!(
        estate.ask(0, "SELECT MAX(log_send_queue_size) FROM sys.dm_hadr_database_replica_states").number()
            > 30_000
    );
}

const MIRROR: &str =
    "SELECT mirroring_state_desc FROM sys.database_mirroring WHERE mirroring_guid IS NOT NULL";

#[test]
fn a_mirror_is_disconnected_or_suspended() {
    assert_eq!(mirrored(&[]).ask(0, MIRROR).cell(), "SYNCHRONIZED");
    let estate = mirrored(&["mirror-disconnected"]);
    assert_eq!(estate.ask(0, MIRROR).cell(), "DISCONNECTED");
    assert_eq!(estate.ask(1, MIRROR).cell(), "DISCONNECTED");
    assert_eq!(
        estate.ask(0, "SELECT log_reuse_wait_desc FROM sys.databases WHERE name = 'BizTalkMsgBoxDb'").cell(),
        "DATABASE_MIRRORING"
    );
    // The witness still hears the principal: it stays.
    estate.wait(5);
    assert_eq!(
        estate
            .ask(0, "SELECT mirroring_role_desc FROM sys.database_mirroring WHERE mirroring_guid IS NOT NULL")
            .cell(),
        "PRINCIPAL"
    );
    assert_eq!(mirrored(&["mirror-suspended"]).ask(0, MIRROR).cell(), "SUSPENDED");
}

#[test]
fn a_snapshot_backup_takes_the_base() {
    let estate = Estate::with(&["vss-steals-base=PRODSQL1/SSODB"]);
    let base = "SELECT CAST(b.is_snapshot AS int) FROM sys.master_files f JOIN msdb.dbo.backupset b ON b.backup_set_uuid = f.differential_base_guid WHERE f.database_id = DB_ID('SSODB') AND f.type = 0";
    assert_eq!(estate.ask(0, base).number(), 1);
    assert_eq!(Estate::with(&[]).ask(0, base).number(), 0);
}

#[test]
fn biztalk_names_a_replica() {
    let name = "SELECT SubscriptionDBServerName FROM BizTalkMgmtDb.dbo.adm_Group";
    assert_eq!(group(&[]).ask(0, name).cell(), "BTSAGL");
    assert_eq!(group(&["listener-wrong"]).ask(0, name).cell(), "SQLAG1");
}

#[test]
fn jobs_of_a_secondary_fail_without_their_guard() {
    let outcome = "SELECT TOP (1) run_status FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name LIKE 'PurgeSubscriptions%' AND step_id = 0 ORDER BY instance_id DESC";
    assert_eq!(group(&[]).ask(1, outcome).number(), 1);
    let estate = group(&["job-not-guarded"]);
    assert_eq!(estate.ask(1, outcome).number(), 0);
    assert_eq!(estate.ask(0, outcome).number(), 1);
    let guarded =
        "SELECT COUNT(*) FROM msdb.dbo.sysjobsteps WHERE command LIKE '%fn_hadr_is_primary_replica%'";
    assert_eq!(estate.ask(1, guarded).number(), 0);
    assert!(estate.ask(2, guarded).number() > 10);
}

#[test]
fn replicas_differ_in_logins_and_options() {
    let logins = "SELECT COUNT(*) FROM sys.server_principals WHERE name LIKE '%Host Users' OR name LIKE '%Application Users'";
    let estate = group(&["replica-login-missing", "in-doubt-differs"]);
    assert_eq!((estate.ask(0, logins).number(), estate.ask(1, logins).number()), (2, 0));
    let option =
        "SELECT CAST(value_in_use AS int) FROM sys.configurations WHERE name = 'in-doubt xact resolution'";
    assert_eq!((estate.ask(0, option).number(), estate.ask(1, option).number()), (0, 2));
}

#[test]
fn the_group_fails_over_during_the_walk() {
    let estate = group(&["group-fails-over"]);
    let primary = "SELECT CAST(sys.fn_hadr_is_primary_replica('BizTalkMgmtDb') AS int)";
    estate.wait(6);
    assert_eq!((estate.ask(0, primary).number(), estate.ask(1, primary).number()), (1, 0));
    estate.wait(2);
    assert_eq!((estate.ask(0, primary).number(), estate.ask(1, primary).number()), (0, 1));
}
