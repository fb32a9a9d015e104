//! Native log shipping, looked at and driven as administrators do it: in T-SQL on each server.
//!
//! The walk begins at 10:07:30 UTC; backups are at each quarter of an hour, copies five minutes later, restores ten.

use std::path::Path;
use std::sync::Arc;

use super::asking::ask;
use super::{PASSWORD, setup, start};
use crate::clock::FixedClock;
use crate::sandbox::answer::{Conversation, Login, Server as _};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::world::World;

const WORLD: &str = include_str!("../../../../assets/worlds/logship.yaml");

const PRIMARY: usize = 0;
const SECONDARY: usize = 1;
const STANDBY: usize = 2;
const MONITOR: usize = 3;

struct Estate {
    clock: Arc<FixedClock>,
    world: World,
}

impl Estate {
    fn new(folder: &Path, faults: &[&str]) -> Self {
        let clock = Arc::new(FixedClock::at(start()));
        let text = WORLD.replace("history: 26h", "history: 3h");
        let world = World::create_on(&text, folder, &setup(faults), Arc::clone(&clock) as _).unwrap();
        Self { clock, world }
    }
    fn session(&self, server: usize) -> Box<dyn Conversation> {
        let login = Login { user: "sa".into(), password: PASSWORD.into(), ..Login::default() };
        Endpoint::new(Arc::clone(&self.world.hosts()[server])).login(&login).unwrap()
    }
    fn ask(&self, server: usize, sql: &str) -> String {
        ask(&mut *self.session(server), sql)
    }
    /// Lets time pass, five minutes at a time.
    fn wait(&self, minutes: i64) {
        for _ in 0..minutes {
            self.clock.advance_ms(60_000);
            self.world.hosts()[0].now();
        }
    }
}

const PRIMARIES: &str = "SELECT primary_database, LEFT(RIGHT(last_backup_file, 18), 12), DATEDIFF(minute, last_backup_date_utc, GETUTCDATE()), backup_threshold FROM msdb.dbo.log_shipping_monitor_primary ORDER BY primary_database";
const SECONDARIES: &str = "SELECT secondary_server, secondary_database, LEFT(RIGHT(last_copied_file, 18), 12), LEFT(RIGHT(last_restored_file, 18), 12), last_restored_latency FROM msdb.dbo.log_shipping_monitor_secondary ORDER BY secondary_server, secondary_database";

/// Minutes since the last copy and restore, and the verdict, as operators ask for them.
const VERDICT: &str = "SELECT s.secondary_database, DATEDIFF(minute, s.last_copied_date_utc, SYSUTCDATETIME()) AS min_since_copy,
 DATEDIFF(minute, s.last_restored_date_utc, SYSUTCDATETIME()) AS min_since_restore, s.last_restored_latency, s.restore_threshold,
 CASE WHEN s.last_restored_date_utc IS NULL THEN 'NEVER'
      WHEN s.threshold_alert_enabled = 1 AND (DATEDIFF(minute, s.last_restored_date_utc, SYSUTCDATETIME()) > s.restore_threshold
           OR s.last_restored_latency > s.restore_threshold) THEN 'BREACH' ELSE 'OK' END AS verdict
FROM msdb.dbo.log_shipping_monitor_secondary AS s WHERE s.secondary_database = 'Orders'";

const JOBS: &str = "SELECT j.name, c.name, j.enabled, s.subsystem FROM msdb.dbo.sysjobs j JOIN msdb.dbo.syscategories c ON c.category_id = j.category_id JOIN msdb.dbo.sysjobsteps s ON s.job_id = j.job_id ORDER BY j.name";

fn run(job: &str) -> String {
    format!("EXEC msdb.dbo.sp_start_job @job_name = N'{job}', @output_flag = 0")
}
fn enable(job: &str, on: u8) -> String {
    format!("EXEC msdb.dbo.sp_update_job @job_name = N'{job}', @enabled = {on}")
}

#[test]
fn the_monitor_knows_what_every_server_did_last() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    assert_eq!(estate.ask(MONITOR, PRIMARIES), "Billing,202603021000,7,60 | Orders,202603021000,7,60");
    assert_eq!(
        estate.ask(MONITOR, SECONDARIES),
        "LSSEC1,Billing,202603021000,202603020945,10 | LSSEC1,Orders,202603021000,202603020945,10 | LSSEC2,Orders,202603021000,202603020945,10"
    );
    assert_eq!(estate.ask(SECONDARY, VERDICT), "Orders,2,12,10,45,OK");
    assert_eq!(
        estate.ask(PRIMARY, JOBS),
        "LSBackup_Billing,Log Shipping Backup,1,CmdExec | LSBackup_Orders,Log Shipping Backup,1,CmdExec"
    );
    assert_eq!(
        estate.ask(STANDBY, JOBS),
        "LSCopy_LSPRIM_Orders,Log Shipping Copy,1,CmdExec | LSRestore_LSPRIM_Orders,Log Shipping Restore,1,CmdExec"
    );
    assert_eq!(estate.ask(MONITOR, JOBS), "LSAlert_LSMON,Log Shipping Alert,1,TSQL");
    estate.wait(5);
    assert_eq!(estate.ask(SECONDARY, VERDICT), "Orders,7,2,10,45,OK", "restored at ten past");
}

#[test]
fn each_restored_log_is_the_next_of_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    estate.wait(30);
    let applied = "SELECT COUNT(*), SUM(CASE WHEN x.first_lsn = x.before THEN 0 ELSE 1 END), MAX(x.last_lsn) FROM (
        SELECT b.first_lsn, b.last_lsn, LAG(b.last_lsn, 1, b.first_lsn) OVER (ORDER BY h.restore_history_id) AS before
        FROM msdb.dbo.restorehistory h JOIN msdb.dbo.backupset b ON b.backup_set_id = h.backup_set_id
        WHERE h.destination_database_name = 'Orders' AND h.restore_type = 'L') x";
    let said = estate.ask(SECONDARY, applied);
    let (counts, last) = said.rsplit_once(',').unwrap();
    assert_eq!(counts, "13,0", "a log each quarter of an hour, without a hole");
    let redo =
        "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID('Orders') AND file_id = 1";
    assert_eq!(estate.ask(SECONDARY, redo), last);
    let agents = "SELECT agent_type, session_status, COUNT(*) FROM msdb.dbo.log_shipping_monitor_history_detail WHERE session_status > 1 GROUP BY agent_type, session_status ORDER BY agent_type";
    assert_eq!(
        estate.ask(MONITOR, agents),
        "0,2,28 | 1,2,42 | 2,2,42",
        "three hours and a half of everything"
    );
}

#[test]
fn thresholds_are_alerted_by_number_when_a_job_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    assert_eq!(estate.ask(MONITOR, "EXEC sys.sp_check_log_shipping_monitor_alert"), "");
    estate.ask(PRIMARY, &enable("LSBackup_Orders", 0));
    estate.wait(51);
    assert_eq!(estate.ask(SECONDARY, VERDICT), "Orders,53,48,10,45,BREACH");
    assert_eq!(estate.ask(MONITOR, "EXEC sys.sp_check_log_shipping_monitor_alert"), "E14421; E14421");
    let said = estate.ask(
        MONITOR,
        "SELECT TOP 1 message FROM msdb.dbo.sysjobhistory WHERE step_id = 1 ORDER BY instance_id DESC",
    );
    let wanted = "The log shipping secondary database LSSEC1.Orders has restore threshold of 45 minutes and is out of sync. No restore was performed for 47 minutes. Restored latency is 10 minutes. Check agent log and logshipping monitor information. [SQLSTATE 42000] (Error 14421)";
    assert!(said.contains(wanted), "{said}");
    estate.wait(10);
    assert_eq!(
        estate.ask(MONITOR, "EXEC master.sys.sp_check_log_shipping_monitor_alert"),
        "E14420; E14421; E14421"
    );
    let last = "SELECT TOP 1 run_status, sql_message_id FROM msdb.dbo.sysjobhistory WHERE step_id = 1 ORDER BY instance_id DESC";
    assert_eq!(estate.ask(MONITOR, last), "0,14421", "the alert job fails with what it raises");
    let state = "DECLARE @t TABLE (status bit, is_primary bit, server sysname, database_name sysname, a int, b nvarchar(500), c int, d bit, e int, f nvarchar(500), g int, h nvarchar(500), i int, j int, k bit);
        INSERT @t EXEC master.dbo.sp_help_log_shipping_monitor; SELECT server, database_name, status FROM @t ORDER BY is_primary DESC, server, database_name";
    assert_eq!(
        estate.ask(MONITOR, state),
        "LSPRIM,Billing,0 | LSPRIM,Orders,1 | LSSEC1,Billing,0 | LSSEC1,Orders,1 | LSSEC2,Orders,1"
    );
    estate.ask(PRIMARY, "EXEC master.dbo.sp_change_log_shipping_primary_database @database = N'Orders', @threshold_alert_enabled = 0");
    assert_eq!(estate.ask(MONITOR, "EXEC master.sys.sp_check_log_shipping_monitor_alert"), "E14421; E14421");
}

#[test]
fn a_missing_log_stops_the_restores_and_the_copy_of_it_lets_them_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    let copied = folder.path().join("files").join("LSSEC1").join("D").join("LogShip");
    let named = |f: &std::fs::DirEntry| f.file_name().to_string_lossy().starts_with("Orders_202603021000");
    let lost = std::fs::read_dir(&copied).unwrap().flatten().find(named).unwrap().path();
    let aside = folder.path().join("aside");
    std::fs::rename(&lost, &aside).unwrap();
    estate.wait(25);
    let errors = "SELECT DISTINCT LEFT(message, 120) FROM msdb.dbo.log_shipping_monitor_error_detail WHERE agent_type = 2";
    let said = estate.ask(SECONDARY, errors);
    assert!(
        said.contains("is too recent to apply to the secondary database 'Orders'")
            && said.contains("Could not find a log backup file that could be applied"),
        "{said}"
    );
    let job = "SELECT TOP 1 run_status, sql_message_id FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name = 'LSRestore_LSPRIM_Orders' AND step_id = 1 ORDER BY instance_id DESC";
    assert_eq!(estate.ask(SECONDARY, job), "0,0");
    std::fs::rename(&aside, &lost).unwrap();
    estate.ask(SECONDARY, &run("LSRestore_LSPRIM_Orders"));
    estate.wait(1);
    assert_eq!(estate.ask(SECONDARY, job), "1,0");
    assert!(
        estate.ask(MONITOR, SECONDARIES).contains("LSSEC1,Orders,202603021015,202603021015"),
        "{}",
        estate.ask(MONITOR, SECONDARIES)
    );
}

#[test]
fn a_planned_failover_and_the_way_back_can_be_walked_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    estate.ask(PRIMARY, "INSERT Orders.dbo.OrderLine VALUES (3, 'Washer M8', 800)");
    estate.ask(PRIMARY, &enable("LSBackup_Orders", 0));
    let tail = "BACKUP LOG Orders TO DISK = N'\\\\LSFILES\\logship\\Orders_20260302100800.trn' WITH NORECOVERY, NAME = N'tail'";
    let said = estate.ask(PRIMARY, tail);
    assert!(!said.contains('E'), "{said}");
    let state = "SELECT state_desc FROM sys.databases WHERE name = 'Orders'";
    assert_eq!(estate.ask(PRIMARY, state), "RESTORING");
    let last =
        estate.ask(PRIMARY, "SELECT last_lsn, is_force_offline FROM msdb.dbo.backupset WHERE name = 'tail'");
    let last = last.strip_suffix(",1").unwrap().to_owned();

    estate.ask(SECONDARY, &run("LSCopy_LSPRIM_Orders"));
    estate.wait(1);
    estate.ask(SECONDARY, &run("LSRestore_LSPRIM_Orders"));
    estate.wait(1);
    assert!(
        estate.ask(MONITOR, SECONDARIES).contains("LSSEC1,Orders,202603021008,202603021008"),
        "{}",
        estate.ask(MONITOR, SECONDARIES)
    );
    let redo =
        "SELECT redo_start_lsn FROM sys.master_files WHERE database_id = DB_ID('Orders') AND file_id = 1";
    assert_eq!(estate.ask(SECONDARY, redo), last);
    estate.ask(SECONDARY, &enable("LSCopy_LSPRIM_Orders", 0));
    estate.ask(SECONDARY, &enable("LSRestore_LSPRIM_Orders", 0));
    let opened = estate.ask(SECONDARY, "RESTORE DATABASE Orders WITH RECOVERY");
    assert!(!opened.contains('E') || opened.contains("RESTORE DATABASE successfully"), "{opened}");
    assert_eq!(estate.ask(SECONDARY, state), "ONLINE");
    assert_eq!(estate.ask(SECONDARY, "SELECT item FROM Orders.dbo.OrderLine WHERE id = 3"), "Washer M8");
    estate.ask(SECONDARY, "INSERT Orders.dbo.OrderLine VALUES (4, 'Rivet', 12)");

    let primary = "DECLARE @job uniqueidentifier, @id uniqueidentifier; EXEC master.dbo.sp_add_log_shipping_primary_database @database = N'Orders', @backup_directory = N'\\\\LSFILES\\logship', @backup_share = N'\\\\LSFILES\\logship', @backup_job_name = N'LSBackup_Orders', @backup_retention_period = 4320, @monitor_server = N'LSMON', @backup_threshold = 60, @threshold_alert_enabled = 1, @backup_job_id = @job OUTPUT, @primary_id = @id OUTPUT;
        EXEC master.dbo.sp_add_log_shipping_primary_secondary @primary_database = N'Orders', @secondary_server = N'LSPRIM', @secondary_database = N'Orders';
        EXEC msdb.dbo.sp_start_job @job_id = @job, @output_flag = 0;
        SELECT COUNT(*) FROM msdb.dbo.log_shipping_primary_databases WHERE primary_id = @id AND backup_job_id = @job";
    assert_eq!(estate.ask(SECONDARY, primary), "1");
    let back = "DECLARE @copy uniqueidentifier, @restore uniqueidentifier, @id uniqueidentifier; EXEC master.dbo.sp_add_log_shipping_secondary_primary @primary_server = N'LSSEC1', @primary_database = N'Orders', @backup_source_directory = N'\\\\LSFILES\\logship', @backup_destination_directory = N'D:\\SQLData', @copy_job_name = N'', @restore_job_name = N'', @monitor_server = N'LSMON', @copy_job_id = @copy OUTPUT, @restore_job_id = @restore OUTPUT, @secondary_id = @id OUTPUT;
        EXEC master.dbo.sp_add_log_shipping_secondary_database @secondary_database = N'Orders', @primary_server = N'LSSEC1', @primary_database = N'Orders', @restore_mode = 0, @restore_threshold = 45";
    assert_eq!(estate.ask(PRIMARY, back), "");
    estate.wait(1);
    estate.ask(PRIMARY, &run("LSCopy_LSSEC1_Orders"));
    estate.wait(1);
    estate.ask(PRIMARY, &run("LSRestore_LSSEC1_Orders"));
    estate.wait(1);
    let done = "SELECT run_status, LEFT(message, 300) FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name LIKE 'LS%LSSEC1_Orders' AND step_id = 1";
    assert_eq!(
        estate.ask(PRIMARY, done),
        "1,Executed as user: CONTOSO\\svc-sqlagent.  The step succeeded. | 1,Executed as user: CONTOSO\\svc-sqlagent.  The step succeeded."
    );
    let forks = "SELECT TOP 1 CASE WHEN b.first_recovery_fork_guid <> b.last_recovery_fork_guid THEN 'forked' ELSE 'same' END, CASE WHEN b.fork_point_lsn = CAST(LAST AS numeric(25,0)) THEN 'at the tail' ELSE 'elsewhere' END FROM msdb.dbo.restorehistory h JOIN msdb.dbo.backupset b ON b.backup_set_id = h.backup_set_id WHERE h.destination_database_name = 'Orders' ORDER BY h.restore_history_id DESC".replace("LAST", &last);
    assert_eq!(estate.ask(PRIMARY, &forks), "forked,at the tail");
    estate.ask(PRIMARY, "RESTORE DATABASE Orders WITH RECOVERY");
    assert_eq!(estate.ask(PRIMARY, "SELECT item FROM Orders.dbo.OrderLine WHERE id = 4"), "Rivet");
}

#[test]
fn taking_log_shipping_away_goes_in_the_documented_order() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    let all = |server: usize, cases: &[(&str, &str)]| {
        for (sql, wanted) in cases {
            assert_eq!(estate.ask(server, sql), *wanted, "{sql}");
        }
    };
    all(
        PRIMARY,
        &[
            ("EXEC sp_add_log_shipping_primary_secondary 'Orders', 'LSSEC1', 'Orders'", ""),
            ("EXEC sp_add_log_shipping_primary_secondary 'Orders', 'LSSEC1', 'Orders'", "E32012"),
            ("EXEC sp_help_log_shipping_primary_secondary 'Orders'", "LSSEC1,Orders"),
            ("EXEC sp_delete_log_shipping_primary_database 'Orders'", "E32011"),
            ("EXEC sp_delete_log_shipping_primary_database 'master'", "E32010"),
            ("EXEC sp_add_log_shipping_primary_database 'nowhere', 'x', 'x', 'x'", "E15010"),
            ("EXEC sp_add_log_shipping_primary_database 'Orders', 'x', 'x', 'x'", "E32009"),
            ("EXEC sp_delete_log_shipping_primary_secondary 'Orders', 'LSSEC1', 'Orders'", ""),
            ("EXEC sp_delete_log_shipping_primary_database 'Orders'", ""),
            ("SELECT name FROM msdb.dbo.sysjobs", "LSBackup_Billing"),
        ],
    );
    all(
        SECONDARY,
        &[
            ("EXEC sp_add_log_shipping_secondary_database 'Orders', 'LSPRIM', 'Orders'", "E32013"),
            ("EXEC sp_add_log_shipping_secondary_database 'Orders', 'LSPRIM', 'Nothing'", "E32023"),
            ("EXEC sp_delete_log_shipping_secondary_primary 'LSPRIM', 'Orders'", "E32025"),
            ("EXEC sp_delete_log_shipping_secondary_database 'nothing'", "E32014"),
            ("EXEC sp_delete_log_shipping_secondary_database 'Orders'", ""),
            (
                "SELECT name FROM msdb.dbo.sysjobs ORDER BY name",
                "LSCopy_LSPRIM_Billing | LSRestore_LSPRIM_Billing",
            ),
            ("SELECT state_desc FROM sys.databases WHERE name = 'Orders'", "RESTORING"),
        ],
    );
    assert_eq!(
        estate.ask(MONITOR, "SELECT primary_database FROM msdb.dbo.log_shipping_monitor_primary; SELECT secondary_server, secondary_database FROM msdb.dbo.log_shipping_monitor_secondary ORDER BY 1, 2"),
        "Billing; LSSEC1,Billing | LSSEC2,Orders"
    );
    assert_eq!(
        estate
            .ask(SECONDARY, "EXEC sp_refresh_log_shipping_monitor '5E0F1E5A-6E3B-4B6C-9C0E-2C3B7A0D1F01', 1"),
        "E32016"
    );
    assert!(estate.ask(SECONDARY, "EXEC sp_resolve_log_shipping_x").starts_with("E59999"));
}

#[test]
fn a_standby_can_be_read_between_restores_and_its_readers_are_put_out() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    let state = "SELECT state_desc, is_in_standby, is_read_only FROM sys.databases WHERE name = 'Orders'";
    assert_eq!(estate.ask(STANDBY, state), "ONLINE,1,1");
    assert_eq!(estate.ask(STANDBY, "SELECT COUNT(*) FROM Orders.dbo.OrderLine"), "2");
    assert_eq!(estate.ask(SECONDARY, "SELECT COUNT(*) FROM Orders.dbo.OrderLine"), "E927");
    estate.ask(PRIMARY, "INSERT Orders.dbo.OrderLine VALUES (3, 'Washer M8', 800)");
    let mut reader = estate.session(STANDBY);
    assert_eq!(ask(&mut *reader, "USE Orders"), "I5701:Changed database context to 'Orders'.");
    estate.wait(25);
    assert_eq!(estate.ask(STANDBY, "SELECT item FROM Orders.dbo.OrderLine WHERE id = 3"), "Washer M8");
    let undo = "SELECT COUNT(*) FROM msdb.dbo.log_shipping_secondary_databases WHERE restore_mode = 1";
    assert_eq!(estate.ask(STANDBY, undo), "1");

    estate.ask(STANDBY, "EXEC sp_change_log_shipping_secondary_database @secondary_database = 'Orders', @disconnect_users = 0");
    let mut reader = estate.session(STANDBY);
    ask(&mut *reader, "USE Orders");
    estate.wait(15);
    let last = "SELECT TOP 1 run_status, CASE WHEN message LIKE '%Exclusive access could not be obtained%' THEN 'in use' ELSE message END FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name LIKE 'LSRestore%' AND step_id = 1 ORDER BY instance_id DESC";
    assert_eq!(estate.ask(STANDBY, last), "0,in use");
    drop(reader);
    estate.wait(15);
    assert_eq!(estate.ask(STANDBY, last).split(',').next(), Some("1"), "they catch up when he is gone");
}

#[test]
fn a_reader_who_does_not_leave_keeps_the_restores_out_until_he_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &["standby-reader"]);
    estate.wait(35);
    let last = "SELECT TOP 1 run_status, CASE WHEN message LIKE '%Exclusive access could not be obtained%' THEN 'in use' ELSE '' END FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name LIKE 'LSRestore%' AND step_id = 1 ORDER BY instance_id DESC";
    assert_eq!(estate.ask(STANDBY, last), "0,in use");
    let reader = "SELECT session_id FROM sys.dm_exec_sessions WHERE program_name = 'Report Server' AND database_id = DB_ID('Orders')";
    let id = estate.ask(STANDBY, reader);
    assert_eq!(estate.ask(STANDBY, &format!("KILL {id}")), "");
    estate.wait(15);
    assert_eq!(estate.ask(STANDBY, last), "1,");
}

#[test]
fn a_copy_job_without_rights_fails_and_the_restores_run_dry() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &["copy-job-fails"]);
    estate.wait(60);
    let last = "SELECT TOP 1 run_status, CASE WHEN message LIKE '%Access is denied.%' THEN 'denied' ELSE message END FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE j.name = 'LSCopy_LSPRIM_Orders' AND step_id = 1 ORDER BY instance_id DESC";
    assert_eq!(estate.ask(SECONDARY, last), "0,denied");
    assert_eq!(estate.ask(SECONDARY, VERDICT), "Orders,62,57,10,45,BREACH");
    assert_eq!(estate.ask(STANDBY, VERDICT).rsplit(',').next(), Some("OK"));
}
