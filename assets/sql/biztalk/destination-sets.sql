-- name:    biztalk/destination-sets
-- purpose: imported backup sets, one row per set and database, from the last restored set (or the newest full) on
-- in:      master
-- column:  set_id bigint
-- column:  type nvarchar(2)
-- column:  mark nvarchar(128)
-- column:  server_name nvarchar(128)
-- column:  database_name nvarchar(128)
-- column:  complete int
-- column:  restored int
-- column:  restored_at datetime
-- column:  file_name nvarchar(500)
-- column:  stamp nvarchar(23)
-- examines: database in a backup set
-- needs:   SELECT on master.dbo.bts_LogShippingHistory
-- since:   2012
-- reads only
SELECT h.BackupSetId AS set_id, CAST(h.BackupType AS nvarchar(2)) AS type, h.MarkName AS mark,
       h.ServerName AS server_name, h.DatabaseName AS database_name,
       CAST(h.SetComplete AS int) AS complete, CAST(ISNULL(h.Restored, 0) AS int) AS restored,
       h.RestoredDateTime AS restored_at, h.BackupFileName AS file_name,
       CONVERT(nvarchar(23), h.BackupDateTime, 126) AS stamp
FROM master.dbo.bts_LogShippingHistory AS h
WHERE h.BackupSetId >= (
    SELECT MIN(b.first_set)
    FROM (SELECT MIN(p.newest) AS first_set
          FROM (SELECT MAX(r.BackupSetId) AS newest FROM master.dbo.bts_LogShippingHistory AS r
                WHERE r.Restored = 1 AND r.BackupType = 'lg'
                GROUP BY r.ServerName, r.DatabaseName) AS p
          UNION ALL
          SELECT MAX(f.BackupSetId) FROM master.dbo.bts_LogShippingHistory AS f
          WHERE f.BackupType = 'db' AND f.SetComplete = 1
            AND NOT EXISTS (SELECT 1 FROM master.dbo.bts_LogShippingHistory AS r
                            WHERE r.Restored = 1 AND r.BackupType = 'lg')
          UNION ALL
          SELECT MIN(t.BackupSetId)
          FROM (SELECT DISTINCT TOP (6) n.BackupSetId FROM master.dbo.bts_LogShippingHistory AS n
                ORDER BY n.BackupSetId DESC) AS t) AS b)
ORDER BY h.BackupSetId DESC, h.ServerName, h.DatabaseName;
