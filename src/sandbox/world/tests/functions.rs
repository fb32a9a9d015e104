//! Functions about the server, its databases, objects, files and types.

use super::asking::{Estate, check};

#[test]
fn properties_answer_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    check(
        &estate,
        2019,
        &[
            (
                "SELECT DATABASEPROPERTYEX('Shop', 'Status'), DATABASEPROPERTYEX('Shop', 'IsAutoClose'), DATABASEPROPERTYEX('Shop', 'IsFulltextEnabled'), DATABASEPROPERTYEX('Shop', 'nonsense'), DATABASEPROPERTYEX('nowhere', 'Status')",
                "ONLINE,0,1,NULL,NULL",
            ),
            (
                "SELECT DATABASEPROPERTYEX('Shop', 'LastGoodCheckDbTime'), DATABASEPROPERTYEX('Shop', 'IsTornPageDetectionEnabled')",
                "1900-01-01 00:00:00,0",
            ),
            ("SELECT DATABASEPROPERTY('Shop', 'IsOffline'), DATABASEPROPERTY('master', 'IsTruncLog')", "0,1"),
            (
                "SELECT TYPE_ID('int'), TYPE_NAME(231), TYPE_ID('sysname'), TYPEPROPERTY('decimal', 'Precision')",
                "56,nvarchar,256,38",
            ),
            (
                "SELECT COL_LENGTH('sys.databases', 'name'), COL_LENGTH('sys.databases', 'nothing'), COL_NAME(OBJECT_ID('sys.databases'), 2)",
                "256,NULL,database_id",
            ),
            (
                "SELECT OBJECTPROPERTY(OBJECT_ID('sys.databases'), 'IsView'), OBJECTPROPERTY(OBJECT_ID('sys.databases'), 'IsTable'), OBJECTPROPERTY(1234567, 'IsView')",
                "1,0,NULL",
            ),
            (
                "SELECT COLUMNPROPERTY(OBJECT_ID('sys.databases'), 'name', 'Precision'), COLUMNPROPERTY(OBJECT_ID('sys.databases'), 'database_id', 'ColumnId')",
                "128,2",
            ),
            (
                "SELECT FILE_ID('master'), FILE_NAME(2), FILEPROPERTY('mastlog', 'IsLogFile'), FILEPROPERTY('none', 'IsLogFile'), FILEGROUP_NAME(1)",
                "1,mastlog,1,NULL,PRIMARY",
            ),
            (
                "SELECT LOGINPROPERTY('sa', 'DefaultDatabase'), LOGINPROPERTY('sa', 'IsLocked'), LOGINPROPERTY('nobody', 'IsLocked')",
                "master,0,NULL",
            ),
            (
                "SELECT COLLATIONPROPERTY('Latin1_General_CI_AS', 'CodePage'), COLLATIONPROPERTY('SQL_Latin1_General_CP1_CI_AS', 'LCID')",
                "1252,1033",
            ),
            (
                "SELECT COLLATIONPROPERTY('Klingon_CI_AS', 'LCID')",
                "; E59999:not modelled: the collation Klingon_CI_AS",
            ),
            (
                "SELECT GETANSINULL(), SESSION_CONTEXT(N'k'), CONTEXT_INFO(), ORIGINAL_DB_NAME()",
                "1,NULL,NULL,master",
            ),
            (
                "SELECT SERVERPROPERTY('PathSeparator'), SERVERPROPERTY('nonsense'), SERVERPROPERTY('IsSingleUser'), SERVERPROPERTY('InstanceDefaultBackupPath')",
                r"\,NULL,0,C:\Program Files\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQL\Backup\",
            ),
            ("SELECT OBJECT_DEFINITION(1)", "; E59999:not modelled: the text of objects"),
            ("SELECT NEWSEQUENTIALID()", "E59999:not modelled: function NEWSEQUENTIALID"),
            ("SELECT @@SERVICENAME, @@MAX_PRECISION, @@MICROSOFTVERSION / 0x1000000", "MSSQLSERVER,38,15"),
        ],
    );
    assert_eq!(estate.ask(2012, "SELECT SESSION_CONTEXT(N'k')"), "E195");
}

#[test]
fn the_log_tells_its_size_and_its_virtual_files() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    check(
        &estate,
        2019,
        &[
            (
                "SELECT COUNT(*), SUM(CASE WHEN vlf_active = 1 THEN 1 ELSE 0 END) FROM sys.dm_db_log_info(DB_ID('Shop'))",
                "8,1",
            ),
            ("SELECT recovery_model, total_vlf_count FROM sys.dm_db_log_stats(DB_ID('Shop'))", "FULL,8"),
            (
                "SELECT d.name FROM sys.databases d CROSS APPLY sys.dm_db_log_stats(d.database_id) s WHERE s.recovery_model = 'SIMPLE' AND d.database_id <> 3 ORDER BY 1",
                "master | msdb | tempdb",
            ),
            (
                "SELECT CASE WHEN used_log_space_in_bytes < total_log_size_in_bytes THEN 1 END FROM sys.dm_db_log_space_usage",
                "1",
            ),
            (
                "SELECT total_page_count - allocated_extent_page_count - unallocated_extent_page_count FROM sys.dm_db_file_space_usage",
                "0",
            ),
        ],
    );
    assert_eq!(estate.ask(2014, "SELECT * FROM sys.dm_db_log_info(5)"), "E208");
}
