-- name:    biztalk/coverage
-- purpose: each database the backup job should cover, and whether the newest complete full and log set hold it
-- in:      management
-- column:  server_name nvarchar(128)
-- column:  database_name nvarchar(128)
-- column:  newest_full bigint
-- column:  in_full int
-- column:  newest_log bigint
-- column:  in_log int
-- examines: database; the management database is always among them
-- needs:   SELECT on dbo.admv_BackupDatabases and dbo.adm_BackupHistory
-- since:   2012
-- reads only
SELECT v.ServerName AS server_name, v.DatabaseName AS database_name,
       n.newest_full,
       (SELECT COUNT(*) FROM dbo.adm_BackupHistory AS h
        WHERE h.BackupSetId = n.newest_full AND h.DatabaseName = v.DatabaseName AND h.ServerName = v.ServerName) AS in_full,
       n.newest_log,
       (SELECT COUNT(*) FROM dbo.adm_BackupHistory AS h
        WHERE h.BackupSetId = n.newest_log AND h.DatabaseName = v.DatabaseName AND h.ServerName = v.ServerName) AS in_log
FROM dbo.admv_BackupDatabases AS v
CROSS JOIN (SELECT MAX(CASE WHEN a.BackupType = 'db' THEN a.BackupSetId END) AS newest_full,
                   MAX(CASE WHEN a.BackupType = 'lg' THEN a.BackupSetId END) AS newest_log
            FROM dbo.adm_BackupHistory AS a
            WHERE a.SetComplete = 1) AS n
ORDER BY v.ServerName, v.DatabaseName;
