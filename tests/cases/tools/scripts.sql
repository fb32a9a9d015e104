-- dbatools and the scripts that database administrators run: backups, files, waits of the log, orphaned users.
SELECT d.name, MAX(CASE WHEN b.type = 'D' THEN b.backup_finish_date END) AS last_full, MAX(CASE WHEN b.type = 'I' THEN b.backup_finish_date END) AS last_diff,
  MAX(CASE WHEN b.type = 'L' THEN b.backup_finish_date END) AS last_log, d.recovery_model_desc, d.log_reuse_wait_desc
FROM sys.databases d LEFT OUTER JOIN msdb.dbo.backupset b ON b.database_name = d.name AND b.server_name = SERVERPROPERTY('ServerName') AND b.is_copy_only = 0
WHERE d.database_id <> 2 GROUP BY d.name, d.recovery_model_desc, d.log_reuse_wait_desc ORDER BY d.name
GO
SELECT DISTINCT vs.volume_mount_point, vs.total_bytes / 1048576 AS mb, vs.available_bytes / 1048576 AS free_mb
FROM sys.master_files mf CROSS APPLY sys.dm_os_volume_stats(mf.database_id, mf.file_id) vs ORDER BY 1
GO
SELECT name, size / 128.0 AS mb, size / 128.0 - CAST(FILEPROPERTY(name, 'SpaceUsed') AS int) / 128.0 AS free_mb, physical_name FROM sys.database_files
GO
DBCC SQLPERF(LOGSPACE)
GO
DBCC SQLPERF(LOGSPACE) WITH NO_INFOMSGS
GO
-- refused
DBCC USEROPTIONS
GO
DBCC TRACESTATUS(-1)
GO
DECLARE @me smallint = @@SPID
DBCC INPUTBUFFER(@me)
GO
EXEC sp_who2 'active'
GO
EXEC sp_helpdb
GO
EXEC sp_spaceused
GO
SELECT u.name, u.type_desc FROM sys.database_principals u LEFT JOIN sys.server_principals p ON p.sid = u.sid
WHERE u.type IN ('S', 'U', 'G') AND u.principal_id > 4 AND u.authentication_type_desc IN ('INSTANCE', 'WINDOWS') AND p.sid IS NULL
GO
SELECT p.name, p.type_desc, p.is_disabled, sl.is_policy_checked, LOGINPROPERTY(p.name, 'DefaultDatabase') AS db FROM sys.server_principals p LEFT JOIN sys.sql_logins sl ON sl.principal_id = p.principal_id WHERE p.type IN ('S', 'U', 'G')
GO
SELECT perm.permission_name, perm.state_desc, grantee.name FROM sys.server_permissions perm JOIN sys.server_principals grantee ON grantee.principal_id = perm.grantee_principal_id
GO
SELECT r.name AS role, m.name AS member FROM sys.server_role_members x JOIN sys.server_principals r ON r.principal_id = x.role_principal_id JOIN sys.server_principals m ON m.principal_id = x.member_principal_id
GO
SELECT c.name, c.value, c.value_in_use FROM sys.configurations c WHERE c.value <> c.value_in_use
GO
SELECT cpu_count, hyperthread_ratio, physical_memory_kb, sqlserver_start_time FROM sys.dm_os_sys_info
GO
SELECT registry_key, value_name, value_data FROM sys.dm_server_registry WHERE value_name = N'ImagePath'
GO
SELECT * FROM fn_my_permissions(NULL, 'SERVER')
GO
-- refused
SELECT * FROM sys.fn_helpcollations() WHERE name = N'Latin1_General_CI_AS'
GO
SELECT objtype, objname, name, value FROM fn_listextendedproperty(NULL, NULL, NULL, NULL, NULL, NULL, NULL)
GO
SELECT DbId, FileId, NumberReads FROM fn_virtualfilestats(NULL, NULL)
GO
-- refused
SELECT counter_name, cntr_value FROM sys.dm_os_performance_counters
GO
-- refused
EXEC xp_cmdshell 'dir'
GO
EXEC sp_MSforeachdb 'SELECT 1'
GO
-- refused
SELECT * FROM sys.traces
GO
RECONFIGURE
GO
RECONFIGURE WITH OVERRIDE
GO
CREATE LOGIN tool_login WITH PASSWORD = N'Only-for-tests-1', DEFAULT_DATABASE = [master], CHECK_POLICY = OFF
GO
ALTER SERVER ROLE [dbcreator] ADD MEMBER tool_login
GO
USE [Shop]
CREATE USER tool_login FOR LOGIN tool_login
GO
USE [Shop]
ALTER ROLE [db_datareader] ADD MEMBER [tool_login]
GO
USE [Shop]
ALTER USER tool_login WITH LOGIN = tool_login
GO
USE [master]
GRANT VIEW SERVER STATE TO tool_login
GO
USE [Shop]
DROP USER tool_login
GO
DROP LOGIN tool_login
