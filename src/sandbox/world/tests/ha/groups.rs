//! A group of three replicas: two synchronous, one not.

use super::{GROUP, SERVERS, Shop};

fn shop(folder: &std::path::Path) -> Shop {
    Shop::new(folder, &format!("{SERVERS}{GROUP}"))
}

const STATES: &str = "SELECT ar.replica_server_name, s.synchronization_state_desc, s.is_suspended FROM sys.dm_hadr_database_replica_states s JOIN sys.availability_replicas ar ON ar.replica_id = s.replica_id WHERE DB_NAME(s.database_id) = 'Orders' ORDER BY 1";

#[test]
fn the_primary_knows_all_replicas_and_a_secondary_itself() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", STATES, "A,SYNCHRONIZED,0 | B,SYNCHRONIZED,0 | C,SYNCHRONIZING,0");
    shop.expect("B", STATES, "B,SYNCHRONIZED,0");
    shop.expect("C", "SELECT role_desc, connected_state_desc, operational_state_desc FROM sys.dm_hadr_availability_replica_states", "SECONDARY,CONNECTED,ONLINE");
    shop.expect("A", "SELECT primary_replica, synchronization_health_desc, primary_recovery_health_desc FROM sys.dm_hadr_availability_group_states", "A,HEALTHY,ONLINE");
    shop.expect("B", "SELECT primary_replica, primary_recovery_health_desc, secondary_recovery_health_desc FROM sys.dm_hadr_availability_group_states", "A,NULL,ONLINE");
    shop.expect("B", "SELECT sys.fn_hadr_is_primary_replica('Orders'), sys.fn_hadr_is_primary_replica('master'), sys.fn_hadr_backup_is_preferred_replica('Orders')", "0,NULL,1");
    shop.expect("A", "SELECT sys.fn_hadr_is_primary_replica('Orders'), sys.fn_hadr_backup_is_preferred_replica('Orders'), SERVERPROPERTY('IsHadrEnabled'), SERVERPROPERTY('HadrManagerStatus')", "1,0,1,1");
    shop.expect("A", "SELECT g.name, g.dtc_support, g.basic_features, g.automated_backup_preference_desc, d.database_name FROM sys.availability_groups g JOIN sys.availability_databases_cluster d ON d.group_id = g.group_id ORDER BY 5", "Shop,1,0,SECONDARY,Orders | Shop,1,0,SECONDARY,Stock");
    shop.expect("B", "SELECT l.dns_name, l.port, i.ip_address, i.network_subnet_ip, i.ip_subnet_mask, i.state_desc FROM sys.availability_group_listeners l JOIN sys.availability_group_listener_ip_addresses i ON i.listener_id = l.listener_id", "SHOP,1433,10.20.0.50,10.20.0.0,255.255.255.0,ONLINE");
    shop.expect(
        "C",
        "SELECT cluster_name, quorum_type_desc, quorum_state_desc FROM sys.dm_hadr_cluster",
        "CLU,NODE_AND_FILE_SHARE_MAJORITY,NORMAL_QUORUM",
    );
    shop.expect("A", "SELECT d.name, ag.name, ar.availability_mode_desc FROM sys.databases d JOIN sys.availability_replicas ar ON ar.replica_id = d.replica_id JOIN sys.availability_groups ag ON ag.group_id = ar.group_id ORDER BY 1", "Orders,Shop,SYNCHRONOUS_COMMIT | Stock,Shop,SYNCHRONOUS_COMMIT");
}

#[test]
fn a_secondary_is_read_as_its_replica_allows_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("B", "SELECT item FROM Orders.dbo.Line", "bolts");
    shop.expect("B", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "E3906");
    shop.expect("B", "SELECT DATABASEPROPERTYEX('Orders', 'Updateability')", "READ_ONLY");
    shop.expect("C", "SELECT item FROM Orders.dbo.Line", "E978");
    shop.expect("C", "USE Orders", "E978");
    let refused = shop.log_in("C", "Orders", false).err().unwrap();
    assert_eq!(refused.iter().map(|m| m.number).collect::<Vec<_>>(), [978, 4060, 18456]);
    let mut reader = shop.log_in("C", "Orders", true).unwrap();
    assert_eq!(super::ask(&mut *reader, "SELECT item FROM Line"), "bolts");
    shop.expect(
        "A",
        "ALTER AVAILABILITY GROUP Shop MODIFY REPLICA ON N'B' WITH (SECONDARY_ROLE (ALLOW_CONNECTIONS = NO))",
        "",
    );
    shop.expect("B", "SELECT item FROM Orders.dbo.Line", "E976");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop MODIFY REPLICA ON N'A' WITH (PRIMARY_ROLE (ALLOW_CONNECTIONS = READ_WRITE))", "");
    assert_eq!(shop.log_in("A", "Orders", true).err().unwrap()[0].number, 979);
}

#[test]
fn a_synchronous_copy_has_a_change_at_once_and_an_asynchronous_one_after_its_lag() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "2");
    let mut reader = shop.log_in("C", "Orders", true).unwrap();
    assert_eq!(super::ask(&mut *reader, "SELECT COUNT(*) FROM Line"), "1");
    shop.wait(29);
    assert_eq!(super::ask(&mut *reader, "SELECT COUNT(*) FROM Line"), "1");
    shop.wait(1);
    assert_eq!(super::ask(&mut *reader, "SELECT COUNT(*) FROM Line"), "2");
}

#[test]
fn a_suspended_copy_stays_behind_and_its_queue_grows_with_the_traffic() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    let queue = "SELECT s.log_send_queue_size FROM sys.dm_hadr_database_replica_states s JOIN sys.availability_replicas ar ON ar.replica_id = s.replica_id WHERE DB_NAME(s.database_id) = 'Orders' AND ar.replica_server_name = 'B'";
    shop.expect("A", queue, "0");
    shop.expect("B", "ALTER DATABASE Orders SET HADR SUSPEND", "");
    shop.expect("B", "SELECT is_suspended, suspend_reason_desc, synchronization_state_desc, synchronization_health_desc FROM sys.dm_hadr_database_replica_states WHERE database_id = DB_ID('Orders')", "1,SUSPEND_FROM_USER,NOT SYNCHRONIZING,NOT_HEALTHY");
    let mut last = 0;
    for _ in 0..3 {
        shop.wait(180);
        let now: i64 = shop.ask("A", queue).parse().unwrap();
        assert!(now > last + 200, "{last} then {now}");
        last = now;
    }
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "1");
    shop.expect("B", "ALTER AVAILABILITY GROUP Shop FAILOVER", "E41142");
    shop.expect("A", "SELECT is_failover_ready FROM sys.dm_hadr_database_replica_cluster_states WHERE database_name = 'Orders' ORDER BY 1 DESC", "1 | 0 | 0");
    let said = shop.ask("A", "BACKUP LOG Orders TO DISK = N'C:\\SQLData\\o.trn'; SELECT log_reuse_wait_desc FROM sys.databases WHERE name = 'Orders'");
    assert!(said.ends_with("; AVAILABILITY_REPLICA"), "{said}");
    shop.expect("B", "ALTER DATABASE Orders SET HADR RESUME; SELECT COUNT(*) FROM Orders.dbo.Line", "2");
    shop.expect("A", queue, "0");
}

#[test]
fn a_planned_failover_keeps_everything_and_the_old_primary_follows() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop FAILOVER", "E41122");
    shop.expect("C", "ALTER AVAILABILITY GROUP Shop FAILOVER", "E41142");
    shop.expect("B", "ALTER AVAILABILITY GROUP Shop FAILOVER", "");
    shop.expect("B", STATES, "A,SYNCHRONIZED,0 | B,SYNCHRONIZED,0 | C,SYNCHRONIZING,0");
    shop.expect("B", "INSERT INTO Orders.dbo.Line VALUES (3, N'pins')", "");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "3");
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "E976");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop SET (DTC_SUPPORT = NONE)", "E41140");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop ADD DATABASE master", "E41190");
    shop.expect("B", "ALTER AVAILABILITY GROUP Shop SET (DTC_SUPPORT = NONE); SELECT dtc_support FROM sys.availability_groups", "0");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop FAILOVER", "");
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "3");
    shop.wait(60);
    let mut reader = shop.log_in("C", "Orders", true).unwrap();
    assert_eq!(super::ask(&mut *reader, "SELECT COUNT(*) FROM Line"), "3");
}

#[test]
fn a_forced_failover_loses_what_was_not_sent_and_suspends_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.wait(60);
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.expect("C", "ALTER AVAILABILITY GROUP Shop FORCE_FAILOVER_ALLOW_DATA_LOSS", "");
    shop.expect("C", "SELECT COUNT(*) FROM Orders.dbo.Line", "1");
    shop.expect("C", STATES, "A,NOT SYNCHRONIZING,1 | B,NOT SYNCHRONIZING,1 | C,SYNCHRONIZED,0");
    shop.expect("A", "SELECT suspend_reason_desc FROM sys.dm_hadr_database_replica_states WHERE database_id = DB_ID('Orders')", "SUSPEND_FROM_PARTNER");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "E976");
    shop.expect("B", "ALTER DATABASE Orders SET HADR RESUME", "");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "1");
    shop.expect("A", "ALTER DATABASE Orders SET HADR RESUME", "");
    shop.expect("C", "INSERT INTO Orders.dbo.Line VALUES (9, N'rods')", "");
    shop.wait(60);
    shop.expect("B", "SELECT id FROM Orders.dbo.Line ORDER BY id", "1 | 9");
    shop.expect("C", STATES, "A,SYNCHRONIZING,0 | B,SYNCHRONIZING,0 | C,SYNCHRONIZED,0");
}

#[test]
fn a_primary_that_is_gone_is_replaced_by_its_automatic_partner() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.down("A", true);
    shop.expect("B", "SELECT role_desc FROM sys.dm_hadr_availability_replica_states", "RESOLVING");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "E983");
    shop.wait(60);
    shop.wait(20);
    shop.expect(
        "B",
        "SELECT role_desc FROM sys.dm_hadr_availability_replica_states ORDER BY role",
        "NULL | PRIMARY | SECONDARY",
    );
    shop.expect(
        "B",
        "INSERT INTO Orders.dbo.Line VALUES (3, N'pins'); SELECT COUNT(*) FROM Orders.dbo.Line",
        "3",
    );
    shop.down("A", false);
    shop.wait(60);
    shop.expect("A", "SELECT role_desc FROM sys.dm_hadr_availability_replica_states", "SECONDARY");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop FAILOVER", "");
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "3");
}

#[test]
fn without_a_majority_nobody_is_primary() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{SERVERS}{GROUP}").replace(", witness: '\\\\FS\\q'", "");
    let shop = Shop::new(folder.path(), &text);
    shop.down("B", true);
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "1");
    shop.down("C", true);
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "E988");
    shop.down("C", false);
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "1");
}

#[test]
fn a_database_of_a_group_is_not_restored_over_dropped_or_switched() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", "DROP DATABASE Orders", "E3752");
    shop.ask("A", "BACKUP DATABASE Orders TO DISK = N'C:\\SQLData\\x.bak' WITH COPY_ONLY");
    let over = "RESTORE DATABASE Orders FROM DISK = N'C:\\SQLData\\x.bak' WITH REPLACE";
    shop.expect("A", over, "E3104; E3013");
    shop.expect("A", "ALTER DATABASE Orders SET RECOVERY SIMPLE", "E1468; E5069");
    shop.expect("A", "ALTER DATABASE Orders SET OFFLINE", "E1468; E5069");
    shop.expect("A", "BACKUP LOG Orders TO DISK = N'C:\\SQLData\\o.trn' WITH NORECOVERY", "E1468; E3013");
}

#[test]
fn a_secondary_takes_copy_only_fulls_and_logs_of_the_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    let numbers = |sql: &str, server: &str| -> Vec<String> {
        shop.ask(server, sql).split("; ").map(|p| p.split(':').next().unwrap().to_owned()).collect()
    };
    assert_eq!(numbers("BACKUP DATABASE Orders TO DISK = N'C:\\SQLData\\o.bak'", "B"), ["E3059", "E3013"]);
    assert_eq!(
        numbers("BACKUP DATABASE Orders TO DISK = N'C:\\SQLData\\o.bak' WITH COPY_ONLY", "B").last().unwrap(),
        "I3014"
    );
    assert_eq!(numbers("BACKUP LOG Orders TO DISK = N'C:\\SQLData\\1.trn'", "B").last().unwrap(), "I3014");
    shop.wait(60);
    assert_eq!(numbers("BACKUP LOG Orders TO DISK = N'C:\\SQLData\\2.trn'", "A").last().unwrap(), "I3014");
    let last = shop.ask("B", "SELECT last_lsn FROM msdb.dbo.backupset WHERE type = 'L'");
    let first = shop.ask("A", "SELECT first_lsn FROM msdb.dbo.backupset WHERE type = 'L'");
    assert_eq!(last, first);
    shop.expect("B", "ALTER DATABASE Orders SET HADR SUSPEND", "");
    assert_eq!(numbers("BACKUP LOG Orders TO DISK = N'C:\\SQLData\\3.trn'", "B"), ["E3062", "E3013"]);
}

#[test]
fn databases_leave_and_join() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop REMOVE DATABASE Stock", "");
    shop.expect("B", "SELECT state_desc FROM sys.databases WHERE name = 'Stock'", "RESTORING");
    shop.expect("A", "SELECT state_desc, replica_id FROM sys.databases WHERE name = 'Stock'", "ONLINE,NULL");
    shop.expect("B", "ALTER DATABASE Stock SET HADR AVAILABILITY GROUP = Shop", "E41132");
    shop.expect("A", "UPDATE Stock.dbo.Item SET [left] = 90", "");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop ADD DATABASE Stock", "");
    shop.expect("B", "ALTER DATABASE Stock SET HADR SUSPEND", "E35242");
    shop.expect("B", "ALTER DATABASE Stock SET HADR AVAILABILITY GROUP = Shop", "");
    shop.expect("B", "SELECT [left] FROM Stock.dbo.Item", "90");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop ADD DATABASE Stock", "E35280");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop ADD DATABASE Nothing", "E35238");
    shop.expect("A", "ALTER AVAILABILITY GROUP Nothing FAILOVER", "E15151");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop REMOVE REPLICA ON N'A'", "E35284");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop REMOVE REPLICA ON N'C'", "");
    shop.expect("C", "SELECT COUNT(*) FROM sys.availability_groups; SELECT DISTINCT state_desc FROM sys.databases WHERE name IN ('Orders', 'Stock')", "0; RESTORING");
    shop.expect("A", "DROP AVAILABILITY GROUP Shop; SELECT COUNT(*) FROM sys.availability_groups", "0");
    shop.expect(
        "B",
        "SELECT DISTINCT state_desc FROM sys.databases WHERE name IN ('Orders', 'Stock')",
        "RESTORING",
    );
}

#[test]
fn a_group_is_made_of_restored_copies() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{SERVERS}{}", GROUP.split("availability_groups").next().unwrap());
    let shop = Shop::new(folder.path(), &text);
    let create = "CREATE AVAILABILITY GROUP G WITH (DTC_SUPPORT = PER_DB) FOR DATABASE Orders REPLICA ON N'A' WITH (ENDPOINT_URL = N'TCP://A:5022', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = MANUAL), N'B' WITH (ENDPOINT_URL = N'TCP://B:5022', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = MANUAL, SECONDARY_ROLE (ALLOW_CONNECTIONS = ALL))";
    shop.expect("A", create, "E1475");
    let path = "\\\\FS\\b\\o.bak";
    shop.world.shared.locked().files.make_folder("FS", "\\\\FS\\b").unwrap();
    shop.ask("A", &format!("BACKUP DATABASE Orders TO DISK = N'{path}'"));
    shop.ask("A", "UPDATE Orders.dbo.Line SET item = N'screws'");
    shop.ask("A", &format!("BACKUP LOG Orders TO DISK = N'{path}.trn'"));
    shop.expect("A", create, "");
    shop.expect("A", create, "E41171");
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.expect("B", "ALTER AVAILABILITY GROUP G JOIN", "");
    shop.expect("B", "ALTER AVAILABILITY GROUP G JOIN", "E41106");
    shop.ask("B", &format!("RESTORE DATABASE Orders FROM DISK = N'{path}' WITH NORECOVERY"));
    shop.expect("B", "ALTER DATABASE Orders SET HADR AVAILABILITY GROUP = G", "E1412");
    shop.ask("B", &format!("RESTORE LOG Orders FROM DISK = N'{path}.trn' WITH NORECOVERY"));
    shop.expect("B", "ALTER DATABASE Orders SET HADR AVAILABILITY GROUP = G", "");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "2");
    shop.expect(
        "B",
        "ALTER AVAILABILITY GROUP G FAILOVER; INSERT INTO Orders.dbo.Line VALUES (3, N'pins')",
        "",
    );
    let shop = shop.saved_and_opened();
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "3");
    shop.expect(
        "B",
        "SELECT role_desc FROM sys.dm_hadr_availability_replica_states WHERE is_local = 1",
        "PRIMARY",
    );
}

#[test]
fn the_log_chain_goes_on_over_a_failover() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    let done = |server: &str, sql: &str| {
        let said = shop.ask(server, sql);
        assert!(said.split("; ").last().unwrap().starts_with("I3014"), "{sql}: {said}");
    };
    shop.world.shared.locked().files.make_folder("FS", "\\\\FS\\b").unwrap();
    done("A", "BACKUP DATABASE Orders TO DISK = N'\\\\FS\\b\\o.bak'");
    shop.ask("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')");
    done("A", "BACKUP LOG Orders TO DISK = N'\\\\FS\\b\\1.trn'");
    shop.ask("A", "INSERT INTO Orders.dbo.Line VALUES (3, N'pins')");
    shop.expect("B", "ALTER AVAILABILITY GROUP Shop FAILOVER", "");
    shop.ask("B", "INSERT INTO Orders.dbo.Line VALUES (4, N'rods')");
    done("B", "BACKUP LOG Orders TO DISK = N'\\\\FS\\b\\2.trn'");
    done(
        "C",
        "RESTORE DATABASE Copied FROM DISK = N'\\\\FS\\b\\o.bak' WITH NORECOVERY, MOVE N'Orders' TO N'C:\\SQLData\\c.mdf', MOVE N'Orders_log' TO N'C:\\SQLLog\\c.ldf'",
    );
    done("C", "RESTORE LOG Copied FROM DISK = N'\\\\FS\\b\\1.trn' WITH NORECOVERY");
    done("C", "RESTORE LOG Copied FROM DISK = N'\\\\FS\\b\\2.trn' WITH RECOVERY");
    shop.expect("C", "SELECT id FROM Copied.dbo.Line ORDER BY id", "1 | 2 | 3 | 4");
}

#[test]
fn an_open_transaction_does_not_outlive_a_failover() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    let mut client = shop.log_in("A", "Orders", false).unwrap();
    super::ask(
        &mut *client,
        "BEGIN TRAN; INSERT INTO Line VALUES (2, N'nuts'); UPDATE Stock.dbo.Item SET [left] = 1",
    );
    shop.expect("B", "ALTER AVAILABILITY GROUP Shop FAILOVER", "");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line; SELECT [left] FROM Stock.dbo.Item", "1; 100");
    super::ask(&mut *client, "COMMIT");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line; SELECT [left] FROM Stock.dbo.Item", "1; 100");
}

#[test]
fn older_servers_have_fewer_columns_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{SERVERS}{GROUP}")
        .replace("15.0.4430.1", "12.0.6024.0")
        .replace("    dtc_support: per_db\n", "");
    let shop = Shop::new(folder.path(), &text);
    shop.expect("A", "SELECT dtc_support FROM sys.availability_groups", "E207");
    shop.expect("A", "ALTER AVAILABILITY GROUP Shop SET (DTC_SUPPORT = PER_DB)", "E102");
    shop.expect(
        "A",
        "SELECT is_primary_replica FROM sys.dm_hadr_database_replica_states WHERE is_local = 1",
        "1 | 1",
    );
    assert!(
        crate::sandbox::world::plan::Plan::read(
            &format!("{SERVERS}{GROUP}").replace("15.0.4430.1", "12.0.6024.0")
        )
        .unwrap_err()
        .contains("2016")
    );
    let early = format!("{SERVERS}{GROUP}").replace("15.0.4430.1", "13.0.4001.0");
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new(folder.path(), &early);
    let said = shop.ask("A", "ALTER AVAILABILITY GROUP Shop SET (DTC_SUPPORT = NONE)");
    assert!(said.starts_with("E59999"), "{said}");
}

#[test]
fn a_server_outside_the_cluster_has_no_groups() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new(folder.path(), SERVERS);
    shop.expect(
        "A",
        "SELECT SERVERPROPERTY('IsHadrEnabled'); SELECT COUNT(*) FROM sys.availability_groups",
        "0; 0",
    );
    shop.expect("A", "CREATE AVAILABILITY GROUP G FOR REPLICA ON N'A' WITH (ENDPOINT_URL = N'TCP://A:5022', AVAILABILITY_MODE = SYNCHRONOUS_COMMIT, FAILOVER_MODE = MANUAL)", "E35221");
}

#[test]
fn a_reader_of_a_secondary_sees_what_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    let mut client = shop.log_in("A", "Orders", false).unwrap();
    super::ask(&mut *client, "BEGIN TRAN; INSERT INTO Line VALUES (2, N'nuts')");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "1");
    super::ask(&mut *client, "COMMIT");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "2");
}

#[test]
fn the_same_calls_at_the_same_times_give_the_same_world() {
    let lived = || {
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(folder.path());
        shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
        shop.wait(90);
        shop.down("A", true);
        shop.wait(60);
        shop.wait(60);
        shop.down("A", false);
        shop.wait(120);
        serde_json::to_string(&*shop.world.shared.locked()).unwrap()
    };
    assert!(lived() == lived());
}
