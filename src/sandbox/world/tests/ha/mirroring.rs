//! A mirrored database with a witness.

use super::{SERVERS, Shop};

const MIRRORS: &str = "
mirrors:
  - { database: Orders, mirror: B, witness: C, safety: full }
";

const STATE: &str = "SELECT mirroring_role_desc, mirroring_state_desc, mirroring_safety_level_desc, mirroring_partner_instance, mirroring_witness_state_desc FROM sys.database_mirroring WHERE mirroring_guid IS NOT NULL";

fn shop(folder: &std::path::Path) -> Shop {
    Shop::new(folder, &format!("{SERVERS}{MIRRORS}"))
}

#[test]
fn both_partners_and_the_witness_show_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", STATE, "PRINCIPAL,SYNCHRONIZED,FULL,B,CONNECTED");
    shop.expect("B", STATE, "MIRROR,SYNCHRONIZED,FULL,A,CONNECTED");
    shop.expect("C", STATE, "");
    shop.expect("C", "SELECT database_name, principal_server_name, mirror_server_name, safety_level_desc, is_suspended FROM sys.database_mirroring_witnesses", "Orders,A,B,FULL,0");
    shop.expect("B", "SELECT state_desc FROM sys.databases WHERE name = 'Orders'", "RESTORING");
    shop.expect("B", "SELECT * FROM Orders.dbo.Line", "E954");
    shop.expect("B", "BACKUP DATABASE Orders TO DISK = N'C:\\x.bak'", "E954; E3013");
    shop.expect("A", "DROP DATABASE Orders", "E3743");
    shop.expect("B", "RESTORE DATABASE Orders WITH RECOVERY", "E3104; E3013");
    shop.expect("A", "ALTER DATABASE Orders SET RECOVERY SIMPLE", "E1468; E5069");
    shop.expect("A", "SELECT mirroring_guid FROM sys.database_mirroring WHERE database_id = 1", "NULL");
    let said = shop.ask("A", "SELECT * FROM sys.dm_db_mirroring_connections");
    assert!(said.ends_with("E59999:not modelled: sys.dm_db_mirroring_connections"), "{said}");
    shop.expect(
        "A",
        "EXEC msdb.dbo.sp_dbmmonitorresults N'Orders'",
        "E59999:not modelled: sp_dbmmonitorresults",
    );
}

#[test]
fn a_failover_swaps_the_partners_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.expect("B", "ALTER DATABASE Orders SET PARTNER FAILOVER", "E1470");
    shop.expect("A", "ALTER DATABASE Stock SET PARTNER FAILOVER", "E1416");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER FAILOVER", "");
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "2");
    shop.expect("B", STATE, "PRINCIPAL,SYNCHRONIZED,FULL,A,CONNECTED");
    shop.expect("A", "SELECT * FROM Orders.dbo.Line", "E954");
    shop.expect("B", "INSERT INTO Orders.dbo.Line VALUES (3, N'pins')", "");
    shop.expect("B", "ALTER DATABASE Orders SET PARTNER FAILOVER", "");
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "3");
    shop.expect(
        "A",
        "SELECT mirroring_role_sequence FROM sys.database_mirroring WHERE database_id = DB_ID('Orders')",
        "3",
    );
}

#[test]
fn a_witness_lets_the_mirror_take_over_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.down("A", true);
    shop.wait(60);
    shop.wait(20);
    shop.expect("B", "SELECT COUNT(*) FROM Orders.dbo.Line", "2");
    shop.expect("B", STATE, "PRINCIPAL,DISCONNECTED,FULL,A,CONNECTED");
    shop.down("A", false);
    shop.wait(60);
    shop.expect("A", STATE, "MIRROR,SYNCHRONIZED,FULL,B,CONNECTED");
}

#[test]
fn without_quorum_the_principal_serves_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let shop = shop(folder.path());
    shop.cut("A", "B");
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "1");
    shop.expect("A", STATE, "PRINCIPAL,DISCONNECTED,FULL,B,CONNECTED");
    shop.cut("A", "C");
    shop.expect("A", "SELECT COUNT(*) FROM Orders.dbo.Line", "E955");
}

#[test]
fn forcing_the_service_loses_what_the_mirror_had_not() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new(
        folder.path(),
        &format!("{SERVERS}{}", MIRRORS.replace("witness: C, safety: full", "safety: off, lag: 20s")),
    );
    shop.wait(60);
    shop.expect("A", "INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')", "");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER FAILOVER", "E1477");
    shop.expect("B", "ALTER DATABASE Orders SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS", "E1455");
    shop.cut("A", "B");
    shop.expect("B", "ALTER DATABASE Orders SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS", "");
    shop.expect("B", "SELECT id FROM Orders.dbo.Line", "1");
    shop.world.shared.locked().ha.cut.clear();
    shop.expect("B", STATE, "PRINCIPAL,SUSPENDED,OFF,A,UNKNOWN");
    shop.expect("B", "ALTER DATABASE Orders SET PARTNER RESUME; ALTER DATABASE Orders SET PARTNER SAFETY FULL; ALTER DATABASE Orders SET PARTNER FAILOVER", "");
    shop.expect("A", "SELECT id FROM Orders.dbo.Line", "1");
}

#[test]
fn mirroring_is_made_suspended_and_ended_by_statements() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::new(folder.path(), SERVERS);
    shop.world.shared.locked().files.make_folder("FS", "\\\\FS\\b").unwrap();
    shop.ask("A", "BACKUP DATABASE Orders TO DISK = N'\\\\FS\\b\\o.bak'");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER = N'TCP://NOBODY.contoso.local:5022'", "E1418");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER = N'TCP://B.contoso.local:5022'", "E1448");
    shop.ask("B", "RESTORE DATABASE Orders FROM DISK = N'\\\\FS\\b\\o.bak' WITH NORECOVERY");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER = N'TCP://B.contoso.local:5022'", "E1416");
    shop.expect("B", "ALTER DATABASE Orders SET PARTNER = N'TCP://A.contoso.local:5022'", "");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER = N'TCP://B.contoso.local:5022'", "");
    shop.expect("A", STATE, "PRINCIPAL,SYNCHRONIZED,FULL,B,UNKNOWN");
    shop.expect("A", "ALTER DATABASE Orders SET WITNESS = N'TCP://C:5022'", "");
    shop.expect("B", STATE, "MIRROR,SYNCHRONIZED,FULL,A,CONNECTED");
    shop.expect(
        "A",
        "ALTER DATABASE Orders SET PARTNER SUSPEND; INSERT INTO Orders.dbo.Line VALUES (2, N'nuts')",
        "",
    );
    shop.expect("A", STATE, "PRINCIPAL,SUSPENDED,FULL,B,CONNECTED");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER FAILOVER", "E1422");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER RESUME; ALTER DATABASE Orders SET PARTNER TIMEOUT 20; ALTER DATABASE Orders SET WITNESS OFF", "");
    shop.expect("A", "SELECT mirroring_connection_timeout, mirroring_state_desc, mirroring_witness_name FROM sys.database_mirroring WHERE mirroring_guid IS NOT NULL", "20,SYNCHRONIZED,");
    shop.expect("A", "ALTER DATABASE Orders SET PARTNER OFF", "");
    shop.expect("B", "SELECT state_desc FROM sys.databases WHERE name = 'Orders'", "RESTORING");
    let said = shop.ask("B", "RESTORE DATABASE Orders WITH RECOVERY; SELECT COUNT(*) FROM Orders.dbo.Line");
    assert!(said.ends_with("; 2"), "{said}");
}
