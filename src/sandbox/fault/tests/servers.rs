//! Faults of servers, logins, jobs and connections.

use super::rig::{Estate, NONE, say};

const RESTORE: &str = "BTS Log Shipping - Restore Databases";
const HISTORY: &str = "BTS Log Shipping - Get Backup History";

#[test]
fn without_a_fault_servers_answer_and_their_jobs_run() {
    let estate = Estate::with(&[]);
    for server in 0..3 {
        assert_eq!(estate.ask(server, "SELECT 1").cell(), "1");
    }
    estate.wait(3);
    assert_eq!(estate.runs(1, RESTORE)[0], "1");
    assert_eq!(estate.runs(1, HISTORY)[0], "1");
    assert_eq!(estate.ask(1, AGENT).cell(), "Running");
    assert_eq!(estate.ask(1, OWNER).number(), 0);
    assert_eq!(estate.ask(1, LOGINS).number(), 1);
}

#[test]
fn doors_that_are_shut_let_nobody_in() {
    use crate::sandbox::answer::{Door, Server as _};
    let door = |fault: &str| Estate::with(&[fault]).servers[1].door();
    assert_eq!(door("slow"), Door::Open);
    assert_eq!(door("server-down"), Door::Refused);
    assert_eq!(door("black-hole"), Door::Silent);
    assert_eq!(Estate::with(&["wrong-password"]).ask(1, "SELECT 1").errors, [18456]);
}

#[test]
fn an_empty_answer_and_a_slow_one_are_the_servers_mood() {
    let estate = Estate::with(&["empty-answer"]);
    assert_eq!(estate.ask(1, "SELECT name FROM sys.databases").rows.len(), 0);
    assert!(!estate.ask(2, "SELECT name FROM sys.databases").rows.is_empty());
    let slow = Estate::with(&["slow"]);
    let hosts = slow.world.hosts();
    assert!(hosts[1].mood().delay_ms > 10_000 && hosts[2].mood().delay_ms == 0);
}

const OWNER: &str = "SELECT COUNT(*) FROM sys.databases d WHERE database_id > 4 AND \
    NOT EXISTS (SELECT * FROM sys.server_principals p WHERE p.sid = d.owner_sid)";

#[test]
fn a_wrong_owner_is_nobody_the_server_knows() {
    assert_eq!(Estate::with(&["wrong-owner"]).ask(1, OWNER).number(), 1);
}

const LOGINS: &str =
    "SELECT COUNT(*) FROM sys.server_principals WHERE name = 'CONTOSO\\BizTalk Application Users'";

#[test]
fn orphaned_logins_are_not_on_the_server() {
    let estate = Estate::with(&["orphaned-logins"]);
    assert_eq!(estate.ask(1, LOGINS).number(), 0);
    assert_eq!(estate.ask(0, LOGINS).number(), 1);
    assert_eq!(estate.ask(1, "SELECT 1").cell(), "1");
}

#[test]
fn a_skewed_clock_is_wrong_on_its_server_alone_and_its_jobs_still_run() {
    let clock = "SELECT CONVERT(varchar(19), SYSUTCDATETIME(), 126)";
    let estate = Estate::with(&["clock-skew"]);
    assert_eq!(estate.ask(0, clock).cell(), "2026-03-02T10:07:30");
    assert_eq!(estate.ask(1, clock).cell(), "2026-03-02T09:56:30");
    let newest = "SELECT MAX(instance_id) FROM msdb.dbo.sysjobhistory";
    let before = estate.ask(1, newest).number();
    estate.wait(3);
    assert!(estate.ask(1, newest).number() > before);
    assert_eq!(estate.runs(1, RESTORE)[0], "1");
}

const AGENT: &str =
    "SELECT status_desc FROM sys.dm_server_services WHERE servicename LIKE 'SQL Server Agent%'";

#[test]
fn a_stopped_agent_runs_no_job() {
    let estate = Estate::with(&["agent-stopped"]);
    assert_eq!(estate.ask(1, AGENT).cell(), "Stopped");
    let newest = "SELECT MAX(instance_id) FROM msdb.dbo.sysjobhistory";
    let before = estate.ask(1, newest).number();
    estate.wait(3);
    assert_eq!(estate.ask(1, newest).number(), before);
}

#[test]
fn a_job_that_is_disabled_renamed_failing_or_hanging_shows_in_msdb() {
    let enabled = format!("SELECT enabled FROM msdb.dbo.sysjobs WHERE name = '{RESTORE}'");
    assert_eq!(Estate::with(&[]).ask(1, &enabled).cell(), "1");
    assert_eq!(Estate::with(&["job-disabled"]).ask(1, &enabled).cell(), "0");
    assert!(Estate::with(&["renamed-job"]).ask(1, &enabled).rows.is_empty());
    assert_eq!(Estate::with(&["job-failing"]).runs(1, RESTORE)[0], "0");
    let running = format!(
        "SELECT COUNT(*) FROM msdb.dbo.sysjobactivity a JOIN msdb.dbo.sysjobs j ON j.job_id = a.job_id \
         WHERE j.name = '{RESTORE}' AND a.start_execution_date < DATEADD(minute, -30, GETDATE()) \
         AND a.stop_execution_date IS NULL"
    );
    assert_eq!(Estate::with(&[]).ask(1, &running).number(), 0);
    let hanging = Estate::with(&["job-hangs"]);
    assert_eq!(hanging.ask(1, &running).number(), 1);
    hanging.wait(20);
    assert_eq!(hanging.ask(1, &running).number(), 1);
    // The source's own job, when that server is named.
    let backup = "SELECT enabled FROM msdb.dbo.sysjobs WHERE name = 'Backup BizTalk Server (BizTalkMgmtDb)'";
    assert_eq!(Estate::with(&["job-disabled=PRODSQL1"]).ask(0, backup).cell(), "0");
}

#[test]
fn a_job_fails_half_way_through_the_last_restore() {
    for (faults, status) in [(&[][..], "1"), (&["job-fails"], "0")] {
        let estate = Estate::with(faults);
        for job in [HISTORY, RESTORE] {
            let sql = format!("EXEC msdb.dbo.sp_update_job @job_name = N'{job}', @enabled = 0");
            assert_eq!(estate.ask(1, &sql).errors, NONE);
        }
        estate.wait(2);
        let mark = "BTS Log Shipping - Restore To Mark";
        assert_eq!(estate.ask(1, &format!("EXEC msdb.dbo.sp_start_job @job_name = N'{mark}'")).errors, NONE);
        estate.wait(3);
        assert_eq!(estate.runs(1, mark)[0], status, "{faults:?}");
    }
}

#[test]
fn a_linked_server_that_is_down_brings_no_history() {
    let estate = Estate::with(&["linked-server-down"]);
    assert_eq!(estate.runs(1, HISTORY)[0], "0");
    assert_eq!(estate.runs(2, HISTORY)[0], "1");
    let newest = "SELECT MAX(BackupSetId) FROM master.dbo.bts_LogShippingHistory";
    assert!(estate.ask(1, newest).number() < estate.ask(2, newest).number());
}

#[test]
fn a_purged_history_tells_of_nothing() {
    for table in ["backupset", "restorehistory", "sysjobhistory"] {
        let count = format!("SELECT COUNT(*) FROM msdb.dbo.{table}");
        assert!(Estate::with(&[]).ask(1, &count).number() > 0, "{table}");
        assert_eq!(Estate::with(&["history-purged"]).ask(1, &count).number(), 0, "{table}");
    }
    let estate = Estate::with(&["history-purged"]);
    estate.wait(16);
    assert!(estate.ask(1, "SELECT COUNT(*) FROM msdb.dbo.restorehistory").number() > 0);
}

#[test]
fn a_login_without_rights_gets_in_and_sees_little() {
    let sessions = "SELECT COUNT(*) FROM sys.dm_os_volume_stats(1, 1)";
    assert_eq!(Estate::with(&[]).ask(1, sessions).errors, NONE);
    let estate = Estate::with(&["permission-denied"]);
    assert_eq!(estate.ask(1, "SELECT 1").cell(), "1");
    assert_eq!(estate.ask(1, sessions).errors, [300, 297]);
    assert_eq!(estate.ask(1, "SELECT IS_SRVROLEMEMBER('sysadmin')").cell(), "0");
    assert_eq!(estate.ask(2, sessions).errors, NONE);
}

#[test]
fn a_server_restarts_at_the_third_restore_and_comes_back() {
    use crate::sandbox::answer::{Door, Server as _};
    let estate = Estate::with(&["server-restart"]);
    let started = "SELECT CONVERT(varchar(19), sqlserver_start_time, 126) FROM sys.dm_os_sys_info";
    let before = estate.ask(1, started);
    assert_eq!(estate.servers[1].cuts(), 0);
    assert_eq!(estate.restore_newest(1, "SSODB"), NONE);
    assert_eq!(estate.restore_newest(1, "BAMPrimaryImport"), NONE);
    let errors = estate.restore_newest(1, "BizTalkDTADb");
    assert_eq!(errors[0], 596, "{errors:?}");
    assert_eq!((estate.servers[1].door(), estate.servers[1].cuts()), (Door::Refused, 1));
    estate.clock.advance_ms(121_000);
    assert_eq!(estate.servers[1].door(), Door::Open);
    assert_ne!(estate.ask(1, started), before);
    assert_eq!(estate.restore_newest(1, "BizTalkDTADb"), NONE);
    assert_eq!(estate.servers[2].cuts(), 0);
}

#[test]
fn connections_are_dropped_once_at_the_fifth_statement_after_the_first_minute() {
    use crate::sandbox::answer::Server as _;
    let estate = Estate::with(&["dropped-connection"]);
    let mut session = estate.login(1).unwrap();
    for _ in 0..6 {
        assert_eq!(say(&mut *session, "SELECT 1").cell(), "1");
    }
    estate.wait(1);
    for _ in 0..4 {
        assert_eq!(say(&mut *session, "SELECT 1").cell(), "1");
    }
    assert_eq!(say(&mut *session, "SELECT 1").errors, [596]);
    assert_eq!(estate.servers[1].cuts(), 1);
    assert_eq!(estate.ask(1, "SELECT 1").cell(), "1");
}

#[test]
fn a_transaction_in_doubt_holds_its_locks_for_nobody() {
    let locks = "SELECT COUNT(*) FROM sys.dm_tran_locks WHERE request_session_id = -2";
    assert_eq!(Estate::with(&[]).ask(0, locks).number(), 0);
    assert!(Estate::with(&["in-doubt-transaction"]).ask(0, locks).number() > 0);
}
