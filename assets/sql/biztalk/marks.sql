-- name:    biztalk/marks
-- purpose: each database of the scope on this server, and whether its log holds the mark of the newest complete log set
-- in:      management
-- column:  database_name nvarchar(128)
-- column:  set_id bigint
-- column:  mark nvarchar(128)
-- column:  marked int
-- column:  mark_time datetime
-- column:  lsn numeric(25,0)
-- examines: database of the scope on this server; the management database is always among them
-- needs:   SELECT on dbo.admv_BackupDatabases, dbo.adm_BackupHistory and on msdb.dbo.logmarkhistory
-- since:   2012
-- reads only
SELECT v.DatabaseName AS database_name, n.BackupSetId AS set_id, n.mark,
       CASE WHEN l.lsn IS NULL THEN 0 ELSE 1 END AS marked, l.mark_time, l.lsn
FROM dbo.admv_BackupDatabases AS v
LEFT JOIN (SELECT h.BackupSetId, MAX(h.MarkName) AS mark
           FROM dbo.adm_BackupHistory AS h
           WHERE h.BackupSetId = (SELECT MAX(c.BackupSetId) FROM dbo.adm_BackupHistory AS c
                                  WHERE c.BackupType = 'lg' AND c.SetComplete = 1)
           GROUP BY h.BackupSetId) AS n ON 1 = 1
OUTER APPLY (
    SELECT TOP (1) k.mark_time, k.lsn
    FROM msdb.dbo.logmarkhistory AS k
    WHERE k.database_name COLLATE DATABASE_DEFAULT = v.DatabaseName COLLATE DATABASE_DEFAULT
      AND k.mark_name COLLATE DATABASE_DEFAULT = n.mark COLLATE DATABASE_DEFAULT
    ORDER BY k.lsn DESC
) AS l
WHERE v.ServerName COLLATE DATABASE_DEFAULT = CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) COLLATE DATABASE_DEFAULT
ORDER BY v.DatabaseName;
