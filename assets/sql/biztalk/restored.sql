-- name:    biztalk/restored
-- purpose: each database of the imported history: its state here and how its last restore ended
-- in:      master
-- column:  database_name nvarchar(128)
-- column:  state_desc nvarchar(60)
-- column:  restore_type nvarchar(1)
-- column:  recovery int
-- column:  stop_at_mark nvarchar(128)
-- column:  restored_at datetime
-- column:  taken_on nvarchar(128)
-- column:  taken_at nvarchar(23)
-- column:  taken_offset_minutes int
-- column:  file_path nvarchar(260)
-- examines: database of the imported history
-- needs:   SELECT on master.dbo.bts_LogShippingHistory and on msdb.dbo.restorehistory, backupset, backupmediafamily
-- since:   2012
-- reads only
SELECT s.DatabaseName AS database_name, d.state_desc,
       CAST(l.restore_type AS nvarchar(1)) AS restore_type, CAST(l.recovery AS int) AS recovery,
       l.stop_at_mark_name AS stop_at_mark, l.restore_date AS restored_at, l.server_name AS taken_on,
       CONVERT(nvarchar(23), l.backup_start_date, 126) AS taken_at,
       CASE WHEN l.time_zone BETWEEN -48 AND 56 THEN l.time_zone * 15 END AS taken_offset_minutes,
       l.physical_device_name AS file_path
FROM (SELECT DISTINCT h.DatabaseName FROM master.dbo.bts_LogShippingHistory AS h) AS s
LEFT JOIN sys.databases AS d ON d.name = s.DatabaseName
OUTER APPLY (
    SELECT TOP (1) r.restore_type, r.recovery, r.stop_at_mark_name, r.restore_date,
           b.server_name, b.backup_start_date, b.time_zone, m.physical_device_name
    FROM msdb.dbo.restorehistory AS r
    LEFT JOIN msdb.dbo.backupset AS b ON b.backup_set_id = r.backup_set_id
    LEFT JOIN msdb.dbo.backupmediafamily AS m ON m.media_set_id = b.media_set_id AND m.family_sequence_number = 1
    WHERE r.destination_database_name = s.DatabaseName AND r.restore_type IN ('D', 'I', 'L', 'F', 'G')
    ORDER BY r.restore_history_id DESC
) AS l
ORDER BY s.DatabaseName;
