-- The queries people run against BizTalk log shipping, one under each number.
-- Every one must parse; see tests in src/sandbox/tsql.
-- Q01
SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS srv, CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(32)) AS ver,
       CAST(SERVERPROPERTY('Edition') AS nvarchar(64)) AS edition, CAST(SERVERPROPERTY('IsClustered') AS int) AS is_fci,
       CAST(SERVERPROPERTY('IsHadrEnabled') AS int) AS hadr_on, SYSUTCDATETIME() AS utc_now,
       DATEDIFF(MINUTE, GETUTCDATE(), GETDATE()) AS utc_offset_min, IS_SRVROLEMEMBER('sysadmin') AS is_sa;
-- Q02
SELECT ServerName, DatabaseName FROM dbo.admv_BackupDatabases ORDER BY ServerName, DatabaseName;
-- Q03
SELECT j.job_id, j.name, j.enabled, SUSER_SNAME(j.owner_sid) AS owner, t.step_id, t.step_name, t.database_name,
       t.command, t.on_success_action, t.on_fail_action
FROM dbo.sysjobs j JOIN dbo.sysjobsteps t ON t.job_id = j.job_id
WHERE j.job_id IN (SELECT job_id FROM dbo.sysjobsteps WHERE command LIKE '%sp[_]MarkAll%' OR command LIKE '%sp[_]BackupAllFull[_]Schedule%')
ORDER BY j.name, t.step_id;
-- Q04
SELECT TOP (40) instance_id, step_id, step_name, run_status, sql_message_id,
       dbo.agent_datetime(run_date, run_time) AS started_local, run_duration, message
FROM dbo.sysjobhistory WHERE job_id = @job_id ORDER BY instance_id DESC;
-- Q05
SELECT j.name, a.start_execution_date, a.last_executed_step_id
FROM dbo.sysjobactivity a JOIN dbo.sysjobs j ON j.job_id = a.job_id
WHERE a.session_id = (SELECT MAX(session_id) FROM dbo.syssessions)
  AND a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL;
-- Q06
SELECT c.name, c.enabled, c.freq_type, c.freq_interval, c.freq_subday_type, c.freq_subday_interval,
       c.active_start_time, c.active_end_time, x.next_run_date, x.next_run_time
FROM dbo.sysjobschedules x JOIN dbo.sysschedules c ON c.schedule_id = x.schedule_id WHERE x.job_id = @job_id;
-- Q07
SELECT BackupSetId, BackupType, MAX(MarkName) AS mark, MIN(BackupDateTime) AS stamp, COUNT(*) AS rows_,
       MIN(CAST(SetComplete AS int)) AS complete
FROM dbo.adm_BackupHistory GROUP BY BackupSetId, BackupType ORDER BY BackupSetId DESC;
-- Q08
SELECT v.ServerName, v.DatabaseName FROM dbo.admv_BackupDatabases v
WHERE NOT EXISTS (SELECT 1 FROM dbo.adm_BackupHistory h WHERE h.DatabaseName = v.DatabaseName AND h.ServerName = v.ServerName
   AND h.BackupSetId = (SELECT MAX(BackupSetId) FROM dbo.adm_BackupHistory WHERE BackupType = @t AND SetComplete = 1));
-- Q09
SELECT p.BackupSetId, p.BackupType, COUNT(*) AS rows_written,
  (SELECT MIN(f.BackupSetId) FROM dbo.adm_BackupHistory f WHERE f.BackupType='db' AND f.SetComplete=1 AND f.BackupSetId > p.BackupSetId) AS next_full
FROM dbo.adm_BackupHistory p WHERE p.SetComplete = 0 GROUP BY p.BackupSetId, p.BackupType ORDER BY p.BackupSetId DESC;
-- Q10
SELECT l.request_session_id, l.request_status, s.host_name, s.program_name, s.last_request_start_time
FROM sys.dm_tran_locks l JOIN sys.dm_exec_sessions s ON s.session_id = l.request_session_id
WHERE l.resource_type = 'APPLICATION' AND l.resource_description LIKE '%BTS_BackupJob%';
-- Q11
SELECT CAST(ForceFull AS int) AS force_full, CAST(UseCompression AS int) AS use_compression FROM dbo.adm_BackupSettings;
SELECT * FROM dbo.adm_ForceFullBackup;
-- Q12
SELECT name, state_desc, recovery_model_desc, is_in_standby, user_access_desc, log_reuse_wait_desc, create_date FROM sys.databases;
-- Q13
SELECT b.database_name, b.type, b.is_copy_only, b.is_snapshot, b.backup_finish_date, b.user_name, m.physical_device_name
FROM dbo.backupset b JOIN dbo.backupmediafamily m ON m.media_set_id = b.media_set_id
WHERE b.backup_finish_date > DATEADD(DAY,-7,GETDATE()) AND b.database_name IN (SELECT value FROM STRING_SPLIT(@names, ','))
  AND m.physical_device_name NOT LIKE '%[_]Full[_]%' AND m.physical_device_name NOT LIKE '%[_]Log[_]%';
-- Q14
SELECT database_name, backup_finish_date, first_lsn, last_lsn, LAG(last_lsn) OVER (PARTITION BY database_name ORDER BY backup_finish_date) AS prev_last_lsn,
       has_backup_checksums, is_damaged, compressed_backup_size
FROM dbo.backupset WHERE type = 'L' AND backup_finish_date > DATEADD(DAY,-2,GETDATE());
-- Q15
SELECT mark_name, COUNT(DISTINCT database_name) AS dbs, MIN(mark_time) AS t0, MAX(mark_time) AS t1
FROM dbo.logmarkhistory WHERE mark_time > DATEADD(HOUR,-24,GETDATE()) GROUP BY mark_name ORDER BY t0 DESC;
-- Q16
SELECT TOP (1) MarkName FROM dbo.MarkLog WHERE MarkName = @mark;   SELECT COUNT_BIG(*) FROM dbo.MarkLog;
-- Q17
SELECT OBJECT_ID('dbo.sp_BackupBizTalkFull'), OBJECT_ID('dbo.sp_BackupBizTalkLog'), OBJECT_ID('dbo.sp_SetMark'),
       OBJECT_ID('dbo.sp_SetMarkRemote'), OBJECT_ID('dbo.MarkLog'), DATABASE_PRINCIPAL_ID('BTS_BACKUP_USERS');
-- Q18
SELECT m.name, m.type_desc FROM sys.database_role_members r JOIN sys.database_principals m ON m.principal_id = r.member_principal_id
WHERE r.role_principal_id = DATABASE_PRINCIPAL_ID('BTS_BACKUP_USERS');
-- Q19
SELECT name, data_source, is_remote_login_enabled, is_rpc_out_enabled, is_data_access_enabled, is_remote_proc_transaction_promotion_enabled,
       connect_timeout, query_timeout FROM sys.servers WHERE is_linked = 1;
-- Q20
SELECT t.name AS tbl, c.column_id, c.name AS col, TYPE_NAME(c.user_type_id) AS typ, c.is_nullable
FROM sys.tables t JOIN sys.columns c ON c.object_id = t.object_id WHERE t.name LIKE 'bts[_]LogShipping%' ORDER BY t.name, c.column_id;
SELECT name, create_date, modify_date FROM sys.procedures WHERE name LIKE 'bts[_]%LogShip%' OR name LIKE 'sp[_]LogShip%';
-- Q21
SELECT BackupSetId, BackupType, COUNT(*) AS rows_, MIN(CAST(SetComplete AS int)) AS complete,
       SUM(CAST(ISNULL(Restored,0) AS int)) AS restored_rows, MAX(RestoredDateTime) AS restored_at, MAX(MarkName) AS mark
FROM dbo.bts_LogShippingHistory GROUP BY BackupSetId, BackupType ORDER BY BackupSetId DESC;
-- Q22
;WITH s AS (SELECT BackupSetId, BackupType, MAX(CAST(ISNULL(Restored,0) AS int)) AS r FROM dbo.bts_LogShippingHistory GROUP BY BackupSetId, BackupType)
SELECT g.BackupSetId AS hole,
  (SELECT MIN(n.BackupSetId) FROM s n WHERE n.BackupType='lg' AND n.r=1 AND n.BackupSetId > g.BackupSetId) AS next_restored_log,
  (SELECT MIN(f.BackupSetId) FROM s f WHERE f.BackupType='db' AND f.r=1 AND f.BackupSetId > g.BackupSetId) AS repairing_full
FROM s g WHERE g.BackupType='lg' AND g.r=0
  AND EXISTS (SELECT 1 FROM s n WHERE n.BackupType='lg' AND n.r=1 AND n.BackupSetId > g.BackupSetId);
-- Q23
SELECT * FROM dbo.bts_LogShippingLastRestoreSet;
-- Q24
SELECT h.destination_database_name, h.restore_type, h.restore_date, h.recovery, h.stop_at_mark_name, h.stop_before,
       b.server_name, b.backup_finish_date, b.first_lsn, b.last_lsn, m.physical_device_name
FROM dbo.restorehistory h JOIN dbo.backupset b ON b.backup_set_id = h.backup_set_id
JOIN dbo.backupmediafamily m ON m.media_set_id = b.media_set_id
WHERE h.restore_date > DATEADD(DAY,-3,GETDATE()) ORDER BY h.restore_history_id DESC;
-- Q25
SELECT x.destination_database_name, x.restore_type, x.recovery, x.stop_at_mark_name, x.restore_date
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY destination_database_name ORDER BY restore_history_id DESC) AS rn FROM msdb.dbo.restorehistory) x
WHERE x.rn = 1;
-- Q26
SELECT file_exists, file_is_a_directory, parent_directory_exists FROM sys.dm_os_file_exists(@path);
-- Q27
SELECT DB_NAME(database_id) AS db, type_desc, name AS logical_name, physical_name, size/128 AS mb FROM sys.master_files WHERE database_id > 4;
-- Q28
SELECT DISTINCT v.volume_mount_point, v.available_bytes/1048576 AS free_mb, v.total_bytes/1048576 AS total_mb
FROM sys.master_files f CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) v;
-- Q29
SELECT name, CAST(value_in_use AS int) AS v FROM sys.configurations
WHERE name IN ('Ad Hoc Distributed Queries','remote access','max degree of parallelism','remote query timeout (s)','backup compression default','backup checksum default','Agent XPs');
-- Q30
SELECT servicename, startup_type_desc, status_desc, service_account, is_clustered FROM sys.dm_server_services;
-- Q31
SELECT d.name, d.type_desc FROM sys.database_principals d LEFT JOIN sys.server_principals s ON s.sid = d.sid
WHERE d.type IN ('S','U','G') AND d.principal_id > 4 AND d.authentication_type IN (1,3) AND s.sid IS NULL;
-- Q32
SELECT e.value AS missing FROM STRING_SPLIT(@list, '|') e LEFT JOIN sys.server_principals p ON p.name = e.value WHERE p.sid IS NULL;
-- Q33
SELECT name, enabled, SUSER_SNAME(owner_sid) AS owner FROM dbo.sysjobs
WHERE name LIKE 'Backup BizTalk Server%' OR name LIKE 'CleanupBTF%' OR name LIKE 'DTA Purge%' OR name LIKE 'MessageBox[_]%' OR name LIKE 'Operations[_]Operate%'
   OR name LIKE 'PurgeSubscriptions%' OR name LIKE 'Rules[_]Database%' OR name LIKE 'TrackedMessages[_]Copy%' OR name LIKE 'Monitor BizTalk%'
   OR name LIKE 'BTS%Log Shipping%' OR name LIKE 'DelAlertHistJob%';
-- Q34
SELECT j.name, t.step_id, t.command FROM dbo.sysjobs j JOIN dbo.sysjobsteps t ON t.job_id = j.job_id WHERE t.command LIKE '%' + @old_server + '%';
-- Q35
SELECT Name, TrackingDBServerName, TrackingDBName, SubscriptionDBServerName, SubscriptionDBName, BamDBServerName, BamDBName,
       RuleEngineDBServerName, RuleEngineDBName, TrackAnalysisServerName, TrackAnalysisDBName, SSOServerName FROM dbo.adm_Group;
SELECT DBServerName, DBName FROM dbo.adm_MessageBox;   SELECT DefaultDatabaseName, ServerName, DatabaseName FROM dbo.adm_OtherBackupDatabases;
-- Q36
SELECT DB_NAME(database_id) AS db, host_name, program_name, login_name, COUNT(*) AS n, MAX(last_request_end_time) AS last_end
FROM sys.dm_exec_sessions WHERE is_user_process = 1 AND database_id > 4 GROUP BY database_id, host_name, program_name, login_name;
-- Q37
SELECT i.Name, h.Name AS host, h.HostTracking, m.IsMapped, i.DisableHostInstance, i.ConfigurationState, i.LoginName
FROM dbo.adm_HostInstance i JOIN dbo.adm_Server2HostMapping m ON m.Id = i.Svr2HostMappingId JOIN dbo.adm_Host h ON h.Id = m.HostId;
SELECT Name, Disabled FROM dbo.adm_ReceiveLocation;
-- Q38
SELECT gi_SecretServer, gi_SSOAdminGroup, gi_update_timestamp FROM dbo.SSOX_GlobalInfo;  SELECT srv_server_name, srv_expire_timestamp FROM dbo.SSOX_Servers;
-- Q39
SELECT serverName, destinationId, partitionId, lastSeqNum FROM dbo.TDDS_StreamStatus;
-- Q40
SET XACT_ABORT ON; BEGIN DISTRIBUTED TRANSACTION; EXEC (N'SELECT TOP (1) name FROM [' + @linked + N'].master.sys.databases'); ROLLBACK TRANSACTION;
-- Q41
SELECT DB_NAME(database_id) AS db, mirroring_role_desc, mirroring_state_desc, mirroring_partner_name FROM sys.database_mirroring WHERE mirroring_guid IS NOT NULL;
SELECT primary_database FROM msdb.dbo.log_shipping_primary_databases;  SELECT secondary_database FROM msdb.dbo.log_shipping_secondary_databases;
SELECT name, DB_NAME(source_database_id) AS of_db FROM sys.databases WHERE source_database_id IS NOT NULL;
-- Q42
SELECT g.name, g.dtc_support, g.basic_features, g.is_distributed, g.automated_backup_preference_desc, r.replica_server_name, r.availability_mode_desc,
       r.failover_mode_desc, r.secondary_role_allow_connections_desc, r.read_only_routing_url
FROM sys.availability_groups g JOIN sys.availability_replicas r ON r.group_id = g.group_id;
SELECT g.name, d.database_name FROM sys.availability_groups g JOIN sys.availability_databases_cluster d ON d.group_id = g.group_id;
SELECT g.name, l.dns_name, l.port, i.ip_address, i.network_subnet_ip, i.state_desc FROM sys.availability_groups g
JOIN sys.availability_group_listeners l ON l.group_id = g.group_id LEFT JOIN sys.availability_group_listener_ip_addresses i ON i.listener_id = l.listener_id;
SELECT DB_NAME(database_id) AS db, is_local, is_primary_replica, synchronization_state_desc, synchronization_health_desc, is_suspended FROM sys.dm_hadr_database_replica_states;
-- Q43
SELECT j.name, t.step_id, CASE WHEN t.command LIKE '%fn_hadr_is_primary_replica%' THEN 1 ELSE 0 END AS guarded
FROM dbo.sysjobs j JOIN dbo.sysjobsteps t ON t.job_id = j.job_id WHERE j.name LIKE '%BizTalk%' OR j.name LIKE 'MessageBox[_]%';
-- Q44
SELECT NodeName, status_description, is_current_owner FROM sys.dm_os_cluster_nodes;
-- Q45
SELECT database_name, MAX(backup_finish_date) AS last_full FROM dbo.backupset WHERE type='D' AND database_name IN ('BAMPrimaryImport','BAMArchive','BAMStarSchema') GROUP BY database_name;
-- Q46
SELECT name FROM sys.tables WHERE name LIKE 'bam[_]%[_]Active';
-- Q47
SELECT BizTalkDBName, DatabaseMajor, DatabaseMinor, DatabaseBuildNumber, DatabaseRevision, ProductMajor, ProductMinor, ProductBuildNumber FROM dbo.BizTalkDBVersion;
-- Q48
SELECT name, is_auto_create_stats_on, is_auto_update_stats_on FROM sys.databases WHERE name = @msgbox;
-- Q49
SELECT r.session_id, r.command, DB_NAME(r.database_id) AS db, r.percent_complete, r.start_time, r.estimated_completion_time/1000 AS sec_left
FROM sys.dm_exec_requests r WHERE r.command LIKE 'RESTORE%' OR r.command LIKE 'BACKUP%';
-- Q50
DBCC CHECKDB (@db) WITH NO_INFOMSGS, PHYSICAL_ONLY;
