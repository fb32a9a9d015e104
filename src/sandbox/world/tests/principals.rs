//! Logins, users, roles and permissions: made with statements, and what they then may.

use super::asking::{Estate, ask, check};

#[test]
fn a_login_can_do_what_it_was_given_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    check(
        &estate,
        2019,
        &[
            (
                "CREATE LOGIN reader WITH PASSWORD = 'Only-for-tests-1', SID = 0x00112233445566778899AABBCCDDEEFF",
                "",
            ),
            ("CREATE LOGIN reader WITH PASSWORD = 'x'", "E15025"),
            ("CREATE LOGIN other WITH PASSWORD = 'x', SID = 0x00112233445566778899AABBCCDDEEFF", "E15433"),
            ("CREATE LOGIN [CONTOSO\\bob] WITH PASSWORD = 'x'", "E15006"),
            ("CREATE LOGIN bob FROM WINDOWS", "E15407"),
            ("CREATE LOGIN h WITH PASSWORD = 0x0200AB HASHED", "E59999:not modelled: hashed passwords"),
            ("SELECT sid FROM sys.sql_logins WHERE name = 'reader'", "0x00112233445566778899AABBCCDDEEFF"),
        ],
    );
    let mine = |sql: &str| estate.ask_as(2019, "reader", sql);
    assert_eq!(mine("SELECT COUNT(*) FROM Shop.sys.tables"), "E916");
    assert_eq!(mine("SELECT * FROM sys.dm_os_wait_stats"), "E300; E297");
    assert_eq!(mine("SELECT COUNT(*) FROM sys.dm_exec_connections"), "E300; E297");
    assert_eq!(mine("SELECT COUNT(*) FROM sys.server_principals WHERE type = 'S'"), "2");
    assert_eq!(mine("SELECT COUNT(*) FROM sys.master_files"), "0");
    assert_eq!(mine("SELECT name FROM msdb.dbo.sysjobs"), "E229");
    assert_eq!(mine("SELECT USER_NAME(), HAS_DBACCESS('Shop'), HAS_DBACCESS('master')"), "guest,0,1");
    assert_eq!(mine("CREATE LOGIN x WITH PASSWORD = 'y'"), "E15247");
    assert_eq!(mine("RECONFIGURE"), "E5812");
    let given = "GRANT VIEW SERVER STATE, VIEW ANY DEFINITION TO reader; USE Shop; CREATE USER reader; ALTER ROLE db_datareader ADD MEMBER reader; USE msdb; CREATE USER reader FOR LOGIN reader; ALTER ROLE [db_datareader] ADD MEMBER [reader]";
    assert!(!estate.ask(2019, given).contains('E'), "{}", estate.ask(2019, given));
    assert_eq!(mine("SELECT COUNT(*) FROM Shop.sys.tables"), "0");
    assert_eq!(mine("SELECT COUNT(*) FROM msdb.dbo.sysjobs"), "0");
    assert_eq!(mine("SELECT COUNT(*) FROM sys.master_files WHERE database_id = 5"), "2");
    assert_eq!(
        mine("USE Shop SELECT USER_NAME(), IS_MEMBER('db_datareader'), IS_ROLEMEMBER('db_owner')")
            .split("; ")
            .nth(1),
        Some("reader,1,0")
    );
    assert_eq!(
        mine("SELECT permission_name FROM fn_my_permissions(NULL, 'SERVER')"),
        "CONNECT SQL | VIEW ANY DATABASE | VIEW ANY DEFINITION | VIEW SERVER STATE"
    );
    assert_eq!(
        mine(
            "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY LOGIN')"
        ),
        "1,0"
    );
    assert_eq!(estate.ask(2019, "DENY VIEW SERVER STATE TO reader"), "");
    assert_eq!(mine("SELECT COUNT(*) FROM sys.dm_exec_connections"), "E300; E297");
    assert_eq!(
        estate.ask(2019, "SELECT permission_name, state_desc FROM sys.server_permissions p JOIN sys.server_principals l ON l.principal_id = p.grantee_principal_id WHERE l.name = 'reader' AND state = 'D'"),
        "VIEW SERVER STATE,DENY"
    );
}

#[test]
fn orphaned_users_are_told_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let mut session = estate.session(2022, "sa");
    let mut say = |sql: &str| ask(&mut *session, sql);
    say("CREATE LOGIN app WITH PASSWORD = 'Only-for-tests-1', SID = 0x0102030405060708090A0B0C0D0E0F10");
    say("USE Shop; CREATE USER app; ALTER ROLE db_owner ADD MEMBER app");
    assert_eq!(say("EXEC sp_change_users_login 'Report'"), "");
    assert_eq!(say("DROP LOGIN app"), "");
    assert_eq!(say("EXEC sp_change_users_login 'Report'"), "app,0x0102030405060708090A0B0C0D0E0F10");
    assert_eq!(say("ALTER USER app WITH LOGIN = app"), "E15007");
    say("CREATE LOGIN app WITH PASSWORD = 'Only-for-tests-1'");
    assert_eq!(
        say(
            "SELECT COUNT(*) FROM sys.database_principals u JOIN sys.server_principals l ON l.sid = u.sid WHERE u.name = 'app'"
        ),
        "0"
    );
    assert_eq!(say("ALTER USER app WITH LOGIN = app"), "");
    assert_eq!(
        say(
            "SELECT COUNT(*) FROM sys.database_principals u JOIN sys.server_principals l ON l.sid = u.sid WHERE u.name = 'app'"
        ),
        "1"
    );
    assert_eq!(say("EXEC sp_change_users_login 'Auto_Fix', 'app'").split(':').next(), Some("E59999"));
    assert_eq!(say("EXEC sp_change_users_login 'Mend'"), "E15600");
    assert_eq!(say("DROP USER nobody"), "E15151");
    assert_eq!(say("DROP USER IF EXISTS nobody"), "");
    assert_eq!(
        say("ALTER LOGIN app DISABLE; SELECT is_disabled FROM sys.server_principals WHERE name = 'app'"),
        "1"
    );
    assert_eq!(say("ALTER LOGIN nobody ENABLE"), "E15151");
    assert_eq!(say("DROP LOGIN sa"), "E15405");
}

#[test]
fn reconfigure_puts_options_into_use() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let mut session = estate.session(2019, "sa");
    let mut say = |sql: &str| ask(&mut *session, sql);
    say("EXEC sp_configure 'show advanced options', 1; RECONFIGURE");
    assert_eq!(say("EXEC sp_configure 'max degree'"), "max degree of parallelism,0,32767,0,0");
    say("EXEC sp_configure 'in-doubt xact resolution', 2; RECONFIGURE WITH OVERRIDE");
    assert_eq!(say("EXEC sp_configure 'in-doubt'"), "in-doubt xact resolution,0,2,2,2");
    // One that waits for a restart.
    say("EXEC sp_configure 'remote access', 0; RECONFIGURE");
    assert_eq!(say("EXEC sp_configure 'remote access'"), "remote access,0,1,0,1");
    assert_eq!(say("BEGIN TRAN; RECONFIGURE; ROLLBACK"), "E574");
}
