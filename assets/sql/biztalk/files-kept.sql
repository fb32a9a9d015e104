-- name:    biztalk/files-kept
-- purpose: the newest complete full set and every later file, and whether a destination sees them with its own service account
-- in:      master
-- column:  set_id bigint
-- column:  type nvarchar(2)
-- column:  database_name nvarchar(128)
-- column:  complete int
-- column:  restored int
-- column:  path nvarchar(max)
-- column:  is_url int
-- column:  file_exists int
-- column:  overridden int
-- examines: backup file
-- needs:   SELECT on master.dbo.bts_LogShippingHistory and master.dbo.bts_LogShippingDatabases; VIEW SERVER STATE
-- since:   2017
-- reads only
SELECT n.set_id, n.type, n.database_name, n.complete, n.restored, n.path, n.is_url,
       CASE WHEN n.is_url = 1 THEN NULL ELSE CAST(x.file_exists AS int) END AS file_exists, n.overridden
FROM (
    SELECT h.BackupSetId AS set_id, CAST(h.BackupType AS nvarchar(2)) AS type, h.DatabaseName AS database_name,
           CAST(h.SetComplete AS int) AS complete, CAST(ISNULL(h.Restored, 0) AS int) AS restored,
           CASE WHEN RIGHT(p.folder, 1) IN (N'\', N'/') THEN p.folder
                WHEN p.folder LIKE N'http%' THEN p.folder + N'/'
                ELSE p.folder + N'\' END + h.BackupFileName AS path,
           CASE WHEN p.folder LIKE N'http%' THEN 1 ELSE 0 END AS is_url, p.overridden
    FROM master.dbo.bts_LogShippingHistory AS h
    LEFT JOIN master.dbo.bts_LogShippingDatabases AS d
           ON d.DatabaseName = h.DatabaseName AND d.ServerName = h.ServerName
    CROSS APPLY (SELECT ISNULL(NULLIF(CASE WHEN h.BackupType = 'lg' THEN d.LogFileLocation ELSE d.DBFileLocation END, N''),
                               h.BackupFileLocation) AS folder,
                        CASE WHEN NULLIF(CASE WHEN h.BackupType = 'lg' THEN d.LogFileLocation ELSE d.DBFileLocation END, N'')
                                  IS NULL THEN 0 ELSE 1 END AS overridden) AS p
    WHERE h.BackupSetId >= (SELECT MAX(f.BackupSetId) FROM master.dbo.bts_LogShippingHistory AS f
                           WHERE f.BackupType = 'db' AND f.SetComplete = 1)
) AS n
OUTER APPLY sys.dm_os_file_exists(n.path) AS x
ORDER BY n.set_id, n.database_name;
