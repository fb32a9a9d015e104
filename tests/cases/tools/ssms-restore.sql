-- The Restore dialog: what databases have backups, which sets there are, and the planner's queries.
SELECT DISTINCT bs.database_name FROM msdb.dbo.backupset AS bs WHERE bs.server_name = CAST(SERVERPROPERTY(N'Servername') AS nvarchar(512)) ORDER BY bs.database_name
GO
SELECT bkps.name AS [Name], bkps.backup_set_id AS [ID], bkps.backup_set_uuid, bkps.media_set_id, bkps.position,
  CASE bkps.type WHEN 'D' THEN 1 WHEN 'I' THEN 2 WHEN 'L' THEN 3 WHEN 'F' THEN 4 WHEN 'G' THEN 5 END AS [Kind],
  bkps.first_lsn, bkps.last_lsn, bkps.checkpoint_lsn, bkps.database_backup_lsn, bkps.backup_start_date, bkps.backup_finish_date,
  bkps.is_damaged, bkps.is_copy_only, bkps.is_snapshot, bkps.begins_log_chain, bkps.has_bulk_logged_data, bkps.differential_base_guid,
  bkps.first_recovery_fork_guid, bkps.last_recovery_fork_guid, bkps.fork_point_lsn, bkps.family_guid, bkps.compressed_backup_size
FROM msdb.dbo.backupset bkps WHERE bkps.database_name = N'Shop' ORDER BY bkps.backup_set_id
GO
SELECT bkpmf.media_family_id, bkpmf.family_sequence_number, bkpmf.logical_device_name, bkpmf.physical_device_name,
  CASE WHEN bkpmf.device_type > 100 THEN bkpmf.device_type - 100 ELSE bkpmf.device_type END AS [Kind],
  CAST(CASE WHEN bkpmf.device_type > 100 THEN 1 ELSE 0 END AS bit) AS [Permanent], bkpmf.physical_block_size
FROM msdb.dbo.backupmediaset bkpms INNER JOIN msdb.dbo.backupmediafamily bkpmf ON bkpmf.media_set_id = bkpms.media_set_id
ORDER BY bkpmf.family_sequence_number
GO
declare @db_name sysname, @restore_to datetime, @server_name nvarchar(512)
select @db_name = N'Shop', @restore_to = GETDATE(), @server_name = cast(serverproperty(N'Servername') as nvarchar(512))
DECLARE @full_id INTEGER, @full_start DATETIME, @full_fork UNIQUEIDENTIFIER, @count INTEGER, @loop BIT
CREATE TABLE #sets (
  backup_set_id INTEGER NOT NULL, is_in_restore_plan BIT NOT NULL, backup_start_date DATETIME NOT NULL, type CHAR(1) NOT NULL,
  database_name NVARCHAR(256) NOT NULL, database_guid UNIQUEIDENTIFIER, family_guid UNIQUEIDENTIFIER,
  first_recovery_fork_guid UNIQUEIDENTIFIER, last_recovery_fork_guid UNIQUEIDENTIFIER, first_lsn NUMERIC(25, 0), last_lsn NUMERIC(25, 0),
  checkpoint_lsn NUMERIC(25, 0), database_backup_lsn NUMERIC(25, 0), fork_point_lsn NUMERIC(25, 0), restore_till_lsn NUMERIC(25, 0),
  backup_set_uuid UNIQUEIDENTIFIER, differential_base_guid UNIQUEIDENTIFIER)
/* the last full backup that is no copy */
SELECT @full_id = o.backup_set_id, @full_start = o.backup_start_date
FROM msdb.dbo.backupset o
WHERE o.database_name = @db_name AND o.server_name = @server_name AND o.type = 'D' -- full
  AND o.backup_start_date = (SELECT MAX(i.backup_start_date) FROM msdb.dbo.backupset i
    WHERE i.database_name = o.database_name AND i.server_name = @server_name AND i.type = o.type AND i.backup_start_date <= @restore_to AND i.is_copy_only = 0)
  AND o.is_copy_only = 0
INSERT #sets (backup_set_id, is_in_restore_plan, backup_start_date, type, database_name, last_recovery_fork_guid)
SELECT backup_set_id, 1, backup_start_date, type, database_name, last_recovery_fork_guid
FROM msdb.dbo.backupset
WHERE msdb.dbo.backupset.backup_set_id = @full_id AND msdb.dbo.backupset.server_name = @server_name
/* what came after it */
INSERT #sets (backup_set_id, is_in_restore_plan, backup_start_date, type, database_name, last_recovery_fork_guid)
SELECT backup_set_id, 0, backup_start_date, type, database_name, last_recovery_fork_guid
FROM msdb.dbo.backupset
WHERE msdb.dbo.backupset.database_name = @db_name AND msdb.dbo.backupset.server_name = @server_name
  AND msdb.dbo.backupset.type IN ('I', 'L') AND msdb.dbo.backupset.backup_start_date >= @full_start
UPDATE #sets SET is_in_restore_plan = 1 WHERE type = 'L' AND backup_start_date <= @restore_to
SELECT @count = COUNT(DISTINCT last_recovery_fork_guid) FROM #sets
SELECT @loop = 1
WHILE (@loop = 1)
BEGIN
  SELECT TOP (1) @full_fork = last_recovery_fork_guid FROM #sets WHERE type = 'D' ORDER BY backup_start_date DESC
  IF @@ROWCOUNT = 0 OR @count < 2 SELECT @loop = 0
  SELECT @count = @count - 1
END
SELECT btmp.backup_set_id, bkps.backup_set_uuid, bkps.type, btmp.is_in_restore_plan
FROM #sets AS btmp INNER JOIN msdb.dbo.backupset AS bkps ON bkps.backup_set_id = btmp.backup_set_id
ORDER BY bkps.backup_set_id
DROP TABLE #sets
GO
SELECT rthist.restore_history_id, rthist.restore_date, rthist.destination_database_name,
  CASE rthist.restore_type WHEN 'D' THEN 1 WHEN 'F' THEN 2 WHEN 'L' THEN 3 WHEN 'V' THEN 4 END AS [Kind],
  rthist.replace, rthist.recovery, rthist.restart, rthist.stop_at, rthist.device_count, rthist.stop_at_mark_name, rthist.stop_before
FROM msdb.dbo.restorehistory rthist ORDER BY rthist.restore_history_id
GO
SELECT bkpf.file_number, bkpf.logical_name, bkpf.physical_name, bkpf.file_type, bkpf.file_size, bkpf.filegroup_name FROM msdb.dbo.backupfile bkpf WHERE bkpf.backup_set_id = 1
GO
create table #errlog (ArchiveNo int, CreateDate nvarchar(24), Size int)
insert #errlog exec master.dbo.sp_enumerrorlogs
SELECT 'Server[@Name=' + quotename(CAST(serverproperty(N'Servername') AS sysname), '''') + ']/ErrorLog[@ArchiveNo=''' + CAST(er.ArchiveNo AS sysname) + ''']' AS [Urn], er.ArchiveNo AS [Name]
FROM #errlog er ORDER BY [ArchiveNo] ASC
drop table #errlog
GO
create table #smo (LogDate datetime null, ErrorCode int null, Text nvarchar(4000) null)
create table #raw (LogDate datetime null, ProcessInfo nvarchar(100) null, Text nvarchar(4000) null)
declare @log int
select @log = 0
insert #raw (LogDate, ProcessInfo, Text) exec master.dbo.sp_readerrorlog @log
SELECT COUNT(*) FROM #raw
drop table #raw
drop table #smo
