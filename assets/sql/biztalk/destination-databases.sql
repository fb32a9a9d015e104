-- name:    biztalk/destination-databases
-- purpose: each database of the imported history: what was restored of it, holes in its logs, its state here, its last restore
-- in:      master
-- column:  server_name nvarchar(128)
-- column:  database_name nvarchar(128)
-- column:  newest_seen bigint
-- column:  newest_full_restored bigint
-- column:  newest_log_restored bigint
-- column:  open_holes int
-- column:  newest_open_hole bigint
-- column:  repaired_holes int
-- column:  state_desc nvarchar(60)
-- column:  last_restore_type nvarchar(1)
-- column:  last_recovery int
-- column:  last_mark nvarchar(128)
-- column:  last_restore datetime
-- column:  last_file nvarchar(260)
-- examines: database of the imported history
-- needs:   SELECT on master.dbo.bts_LogShippingHistory and on msdb.dbo.restorehistory, backupset, backupmediafamily
-- since:   2012
-- reads only
WITH seen AS (
    SELECT h.ServerName, h.DatabaseName, MAX(h.BackupSetId) AS newest_seen,
           MIN(CASE WHEN h.BackupType = 'db' AND h.Restored = 1 THEN h.BackupSetId END) AS first_full_restored,
           MAX(CASE WHEN h.BackupType = 'db' AND h.Restored = 1 THEN h.BackupSetId END) AS newest_full_restored,
           MAX(CASE WHEN h.BackupType = 'lg' AND h.Restored = 1 THEN h.BackupSetId END) AS newest_log_restored
    FROM master.dbo.bts_LogShippingHistory AS h
    GROUP BY h.ServerName, h.DatabaseName
)
SELECT s.ServerName AS server_name, s.DatabaseName AS database_name, s.newest_seen,
       s.newest_full_restored, s.newest_log_restored,
       -- A full restores the whole database: only logs skipped after the newest restored full leave a hole.
       (SELECT COUNT(*) FROM master.dbo.bts_LogShippingHistory AS g
        WHERE g.ServerName = s.ServerName AND g.DatabaseName = s.DatabaseName AND g.BackupType = 'lg'
          AND ISNULL(g.Restored, 0) = 0 AND g.BackupSetId < s.newest_log_restored
          AND g.BackupSetId > ISNULL(s.newest_full_restored, 0)) AS open_holes,
       (SELECT MAX(g.BackupSetId) FROM master.dbo.bts_LogShippingHistory AS g
        WHERE g.ServerName = s.ServerName AND g.DatabaseName = s.DatabaseName AND g.BackupType = 'lg'
          AND ISNULL(g.Restored, 0) = 0 AND g.BackupSetId < s.newest_log_restored
          AND g.BackupSetId > ISNULL(s.newest_full_restored, 0)) AS newest_open_hole,
       (SELECT COUNT(*) FROM master.dbo.bts_LogShippingHistory AS g
        WHERE g.ServerName = s.ServerName AND g.DatabaseName = s.DatabaseName AND g.BackupType = 'lg'
          AND ISNULL(g.Restored, 0) = 0 AND g.BackupSetId > s.first_full_restored
          AND g.BackupSetId < s.newest_full_restored) AS repaired_holes,
       d.state_desc,
       CAST(l.restore_type AS nvarchar(1)) AS last_restore_type, CAST(l.recovery AS int) AS last_recovery,
       l.stop_at_mark_name AS last_mark, l.restore_date AS last_restore, l.physical_device_name AS last_file
FROM seen AS s
LEFT JOIN sys.databases AS d ON d.name = s.DatabaseName
OUTER APPLY (
    SELECT TOP (1) r.restore_type, r.recovery, r.stop_at_mark_name, r.restore_date, m.physical_device_name
    FROM msdb.dbo.restorehistory AS r
    LEFT JOIN msdb.dbo.backupset AS b ON b.backup_set_id = r.backup_set_id
    LEFT JOIN msdb.dbo.backupmediafamily AS m ON m.media_set_id = b.media_set_id AND m.family_sequence_number = 1
    WHERE r.destination_database_name = s.DatabaseName AND r.restore_type <> 'V'
    ORDER BY r.restore_history_id DESC
) AS l
ORDER BY s.ServerName, s.DatabaseName;
