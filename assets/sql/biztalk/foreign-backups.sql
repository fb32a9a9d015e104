-- name:    biztalk/foreign-backups
-- purpose: the backups this server took of the scope in the last days, and whether the backup job's own history knows the file
-- in:      management
-- param:   @days int
-- column:  database_name nvarchar(128)
-- column:  type nvarchar(1)
-- column:  is_copy_only bit
-- column:  is_snapshot bit
-- column:  finished datetime
-- column:  user_name nvarchar(128)
-- column:  file_path nvarchar(260)
-- column:  is_own int
-- column:  before_history int
-- examines: backup
-- needs:   SELECT on dbo.adm_BackupHistory, dbo.admv_BackupDatabases and on msdb.dbo.backupset, backupmediafamily
-- since:   2012
-- reads only
SELECT b.database_name, CAST(b.type AS nvarchar(1)) AS type, b.is_copy_only, b.is_snapshot,
       b.backup_finish_date AS finished, b.user_name, m.physical_device_name AS file_path,
       CASE WHEN EXISTS (
           SELECT 1 FROM dbo.adm_BackupHistory AS h
           WHERE h.DatabaseName COLLATE DATABASE_DEFAULT = b.database_name COLLATE DATABASE_DEFAULT
             AND h.BackupFileName COLLATE DATABASE_DEFAULT
                 = RIGHT(m.physical_device_name,
                         CHARINDEX(N'\', REVERSE(N'\' + REPLACE(m.physical_device_name, N'/', N'\'))) - 1) COLLATE DATABASE_DEFAULT
       ) THEN 1 ELSE 0 END AS is_own,
       CASE WHEN b.backup_start_date < (SELECT DATEADD(HOUR, 15, MIN(o.BackupDateTime)) FROM dbo.adm_BackupHistory AS o)
            THEN 1 ELSE 0 END AS before_history
FROM msdb.dbo.backupset AS b
JOIN msdb.dbo.backupmediafamily AS m
  ON m.media_set_id = b.media_set_id AND m.family_sequence_number = 1 AND m.mirror = 0
WHERE b.server_name = CAST(SERVERPROPERTY('ServerName') AS nvarchar(128))
  AND EXISTS (SELECT 1 FROM dbo.admv_BackupDatabases AS v
              WHERE v.DatabaseName COLLATE DATABASE_DEFAULT = b.database_name COLLATE DATABASE_DEFAULT)
  AND b.backup_finish_date > DATEADD(DAY, -@days, GETDATE())
ORDER BY b.database_name, b.backup_set_id;
