-- name:    biztalk/backup-chain
-- purpose: the backups this server took of the scope in the last days, with their LSNs and who took them
-- in:      msdb
-- param:   @scope nvarchar(max)
-- param:   @days int
-- column:  backup_set_id int
-- column:  database_name nvarchar(128)
-- column:  type nvarchar(1)
-- column:  is_copy_only bit
-- column:  is_snapshot bit
-- column:  is_damaged bit
-- column:  begins_log_chain bit
-- column:  first_lsn numeric(25,0)
-- column:  last_lsn numeric(25,0)
-- column:  first_recovery_fork_guid uniqueidentifier
-- column:  last_recovery_fork_guid uniqueidentifier
-- column:  family_guid uniqueidentifier
-- column:  started datetime
-- column:  finished datetime
-- column:  user_name nvarchar(128)
-- column:  file_path nvarchar(260)
-- examines: backup
-- needs:   SELECT on msdb.dbo.backupset and backupmediafamily
-- since:   2012
-- reads only
SELECT b.backup_set_id, b.database_name, CAST(b.type AS nvarchar(1)) AS type, b.is_copy_only, b.is_snapshot, b.is_damaged,
       b.begins_log_chain, b.first_lsn, b.last_lsn, b.first_recovery_fork_guid, b.last_recovery_fork_guid,
       b.family_guid, b.backup_start_date AS started, b.backup_finish_date AS finished, b.user_name,
       m.physical_device_name AS file_path
FROM msdb.dbo.backupset AS b
LEFT JOIN msdb.dbo.backupmediafamily AS m
       ON m.media_set_id = b.media_set_id AND m.family_sequence_number = 1 AND m.mirror = 0
WHERE b.server_name = CAST(SERVERPROPERTY('ServerName') AS nvarchar(128))
  AND CHARINDEX(N'|' + b.database_name + N'|', N'|' + @scope + N'|') > 0
  AND b.backup_finish_date > DATEADD(DAY, -@days, GETDATE())
ORDER BY b.database_name, b.last_lsn, b.backup_set_id;
