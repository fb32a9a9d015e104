//! System procedures and the views of old, as clients ask for them.

use super::asking::{Estate, ask, check, columns};
use crate::sandbox::value::Type;

#[test]
fn options_are_set_in_two_steps() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    check(
        &estate,
        2019,
        &[
            ("EXEC sp_configure 'show advanced options'", "show advanced options,0,1,0,0"),
            ("EXEC sp_configure 'max degree of parallelism'", "E15123"),
            (
                "EXEC sp_configure 'show advanced options', 1",
                "I15457:Configuration option 'show advanced options' changed from 0 to 1. Run the RECONFIGURE statement to install.",
            ),
            ("EXEC sp_configure 'show advanced options'", "show advanced options,0,1,1,0"),
            (
                "EXEC sp_configure 'remote'",
                "remote access,0,1,1,1 | remote admin connections,0,1,0,0 | remote data archive,0,1,0,0 | remote login timeout (s),0,2147483647,10,10 | remote proc trans,0,1,0,0 | remote query timeout (s),0,2147483647,600,600; E15124",
            ),
            ("EXEC sp_configure 'nested triggers', 7", "E15129"),
            ("EXEC sp_configure 'no such option'", "E15123"),
            ("EXEC sp_configure @nonsense = 1", "E8145"),
            ("EXEC sp_configure 'a', 1, 2", "E8144"),
            (
                "SELECT CAST(value AS int), CAST(value_in_use AS int) FROM sys.configurations WHERE name = 'show advanced options'",
                "1,0",
            ),
            (
                "SELECT COUNT(*) FROM sys.configurations WHERE is_advanced = 0 AND name = 'backup compression algorithm'",
                "0",
            ),
        ],
    );
    assert_eq!(estate.ask_as(2019, "low", "EXEC sp_configure 'remote access', 0"), "E15247");
    let rows = "SELECT COUNT(*) FROM sys.configurations WHERE name = 'backup compression algorithm'";
    assert_eq!(estate.ask(2022, rows), "1");
    let mut session = estate.session(2019, "sa");
    assert_eq!(
        columns(&mut *session, "EXEC sp_configure"),
        [
            ("name".to_owned(), Type::NVarChar(Some(35))),
            ("minimum".to_owned(), Type::Int),
            ("maximum".to_owned(), Type::Int),
            ("config_value".to_owned(), Type::Int),
            ("run_value".to_owned(), Type::Int),
        ]
    );
}

#[test]
fn the_registry_answers_as_tools_ask() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let backup = r"DECLARE @d nvarchar(512)
        EXEC master.dbo.xp_instance_regread N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\MSSQLServer', N'BackupDirectory', @d OUTPUT
        SELECT @d";
    assert_eq!(
        estate.ask(2019, backup),
        r"C:\Program Files\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQL\Backup"
    );
    let arguments = r"DECLARE @n int, @arg sysname, @param nvarchar(512), @found nvarchar(4000)
        SELECT @n = 0, @param = 'dummy', @found = ''
        WHILE (NOT @param IS NULL)
        BEGIN
          SELECT @param = NULL
          SELECT @arg = 'SqlArg' + CONVERT(nvarchar, @n)
          EXEC master.dbo.xp_instance_regread N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\MSSQLServer\Parameters', @arg, @param OUTPUT
          IF (@param LIKE '-d%') SELECT @found = SUBSTRING(@param, 3, 255)
          SELECT @n = @n + 1
        END
        SELECT @n, @found";
    assert_eq!(
        estate.ask(2019, arguments),
        r"4,C:\Program Files\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQL\DATA\master.mdf"
    );
    check(
        &estate,
        2022,
        &[
            (
                r"EXEC xp_regread N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL', N'MSSQLSERVER'",
                "MSSQLSERVER,MSSQL16.MSSQLSERVER",
            ),
            (
                r"EXEC xp_instance_regread N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Microsoft\MSSQLServer\MSSQLServer', N'LoginMode'",
                "LoginMode,2",
            ),
            (r"EXEC xp_regread N'HKEY_LOCAL_MACHINE', N'SOFTWARE\Nothing', N'here'", "E22001"),
            (
                "CREATE TABLE #v (id int, name sysname, internal_value int, value nvarchar(512)); INSERT #v EXEC master.dbo.xp_msver; SELECT value FROM #v WHERE name = N'ProductVersion'; SELECT COUNT(*) FROM #v",
                "16.0.4125.3; 20",
            ),
            ("EXEC xp_msver 'Platform'", "4,Platform,NULL,NT x64"),
        ],
    );
}

#[test]
fn the_error_log_tells_of_the_start_and_of_failed_logins() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    estate.refused(2019, "nobody");
    let log = "CREATE TABLE #log (LogDate datetime, ProcessInfo nvarchar(50), Text nvarchar(4000));
        INSERT #log EXEC xp_readerrorlog 0, 1, N'login failed';
        SELECT ProcessInfo, Text FROM #log";
    assert_eq!(estate.ask(2019, log), "Logon,Login failed for user 'nobody'. [CLIENT: 127.0.0.1]");
    assert_eq!(
        estate
            .ask(2019, "EXEC sp_readerrorlog 0, 1, N'Starting up database', N'Shop'")
            .split(',')
            .next_back()
            .unwrap(),
        "Starting up database 'Shop'."
    );
    assert!(estate.ask(2019, "EXEC sp_cycle_errorlog").starts_with("I2528:"));
    assert_eq!(estate.ask(2019, "EXEC xp_readerrorlog 0, 1, N'login failed'"), "");
    assert!(
        estate
            .ask(2019, "EXEC xp_readerrorlog 1, 1, N'login failed', N'nobody'")
            .ends_with("[CLIENT: 127.0.0.1]")
    );
    assert_eq!(estate.ask_as(2019, "low", "EXEC sp_readerrorlog"), "E15003");
    assert_eq!(estate.ask_as(2019, "low", "EXEC master..xp_readerrorlog"), "E229");
}

#[test]
fn databases_and_their_files_are_described() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let mut session = estate.session(2019, "sa");
    let parts = ask(&mut *session, "EXEC sp_helpdb N'Shop'");
    let (first, files) = parts.split_once("; ").unwrap();
    assert!(first.starts_with("Shop,"), "{first}");
    assert!(first.contains("Status=ONLINE, Updateability=READ_WRITE, UserAccess=MULTI_USER, Recovery=FULL"));
    assert_eq!(files.split(" | ").count(), 2, "{files}");
    check(
        &estate,
        2019,
        &[
            ("EXEC sp_helpdb 'nowhere'", "E15010"),
            ("USE Shop EXEC sp_helpfile 'nofile'", "I5701:Changed database context to 'Shop'.; E15325"),
            (
                "SELECT name, dbid, cmptlevel FROM master..sysdatabases WHERE dbid < 3",
                "master,1,150 | tempdb,2,150",
            ),
            ("SELECT COUNT(*) FROM Shop..sysobjects WHERE xtype = 'P'", "0"),
            ("USE Shop SELECT COUNT(*) FROM sysdatabases", "I5701:Changed database context to 'Shop'.; E208"),
            ("SELECT COUNT(*) FROM Shop.sys.sysfiles WHERE groupid = 0", "1"),
            ("EXEC sp_nonsense", "E2812"),
            ("EXEC sp_helptext 'x'", "E59999:not modelled: sp_helptext"),
            ("EXEC sp_server_info 16", "16,IDENTIFIER_CASE,MIXED"),
            ("SELECT loginame FROM master.dbo.sysprocesses WHERE spid = @@SPID", "sa"),
            (
                "SELECT t.text FROM sys.dm_exec_requests r CROSS APPLY sys.dm_exec_sql_text(r.sql_handle) t WHERE r.session_id = @@SPID",
                "SELECT t.text FROM sys.dm_exec_requests r CROSS APPLY sys.dm_exec_sql_text(r.sql_handle) t WHERE r.session_id = @@SPID",
            ),
        ],
    );
}

#[test]
fn linked_servers_are_made_tested_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    check(
        &estate,
        2019,
        &[
            (
                "EXEC sp_linkedservers",
                "S2019,SQLNCLI,SQL Server,S2019,NULL,NULL,NULL | S2012,SQLNCLI,SQL Server,S2012,NULL,NULL,NULL",
            ),
            ("EXEC sp_addlinkedserver 'S2012'", "E15028"),
            (
                "EXEC sp_addlinkedserver @server = N'DR', @srvproduct = N'', @provider = N'SQLNCLI', @datasrc = N'S2022'",
                "",
            ),
            ("EXEC sp_serveroption 'DR', 'rpc out', 'true'", ""),
            ("SELECT data_source, is_rpc_out_enabled FROM sys.servers WHERE name = 'DR'", "S2022,1"),
            ("EXEC sp_testlinkedserver N'DR'", ""),
            ("EXEC sp_testlinkedserver N'elsewhere'", "E7202"),
            (
                "EXEC sp_addlinkedserver 'O', 'Oracle', 'OraOLEDB.Oracle', 'x'",
                "E59999:not modelled: linked servers that are no SQL Server",
            ),
            ("EXEC sp_dropserver 'DR', 'droplogins'", ""),
            ("EXEC sp_dropserver 'DR'", "E15015"),
            ("EXEC sp_testlinkedserver", "E201"),
        ],
    );
}

#[test]
fn logins_and_roles_are_made_by_procedure() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    check(
        &estate,
        2019,
        &[
            ("EXEC sp_addlogin 'newcomer', 'Only-for-tests-1', 'Shop'", ""),
            ("EXEC sp_addlogin 'newcomer', 'x'", "E15025"),
            ("EXEC sp_addsrvrolemember 'newcomer', 'dbcreator'", ""),
            ("EXEC sp_addsrvrolemember 'newcomer', 'nosuchrole'", "E15402"),
            ("SELECT default_database_name FROM sys.server_principals WHERE name = 'newcomer'", "Shop"),
            (
                "SELECT IS_SRVROLEMEMBER('dbcreator', 'newcomer'), IS_SRVROLEMEMBER('sysadmin', 'newcomer')",
                "1,0",
            ),
            ("EXEC sp_droplogin 'newcomer'", ""),
            ("EXEC sp_droplogin 'newcomer'", "E15151"),
        ],
    );
    assert_eq!(estate.ask_as(2019, "low", "EXEC sp_addlogin 'x', 'y'"), "E15247");
}

#[test]
fn backups_are_written_down_and_files_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let mut session = estate.session(2019, "sa");
    let told = ask(&mut *session, r"BACKUP DATABASE Shop TO DISK = 'D:\shop.bak'");
    assert!(!told.contains("; E") && !told.starts_with('E'), "{told}");
    estate.wait(120);
    let line = ask(&mut *session, "EXEC xp_readerrorlog 0, 1, N'Database backed up', N'Shop'");
    assert!(line.contains(r"device information: (FILE=1, TYPE=DISK: {'D:\shop.bak'})"), "{line}");
    let there =
        r"DECLARE @there int EXEC master.dbo.xp_fileexist N'D:\shop.bak', @there OUTPUT SELECT @there";
    assert_eq!(ask(&mut *session, there), "1");
    assert!(ask(&mut *session, r"EXEC master.sys.xp_dirtree N'D:\', 1, 1").contains("shop.bak,1,1"));
    let gone = r"DECLARE @before datetime = DATEADD(day, 1, GETDATE()) EXEC master.sys.xp_delete_file 0, N'D:\shop.bak', N'bak', @before, 0 EXEC xp_fileexist N'D:\shop.bak'";
    assert_eq!(ask(&mut *session, gone), "0,0,1");
}
