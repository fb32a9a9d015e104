-- name:    biztalk/share-files
-- purpose: each folder the backups come from: how many files a destination sees there, and how many it knows nothing of
-- in:      master
-- column:  folder nvarchar(max)
-- column:  files_seen int
-- column:  not_imported int
-- column:  newest_not_imported nvarchar(512)
-- examines: folder of the newest imported sets
-- needs:   SELECT on master.dbo.bts_LogShippingHistory; VIEW SERVER STATE
-- since:   2017
-- reads only
SELECT f.folder, COUNT(e.file_or_directory_name) AS files_seen,
       SUM(CASE WHEN e.file_or_directory_name IS NOT NULL AND k.BackupFileName IS NULL THEN 1 ELSE 0 END) AS not_imported,
       MAX(CASE WHEN k.BackupFileName IS NULL THEN e.file_or_directory_name END) AS newest_not_imported
FROM (SELECT DISTINCT h.BackupFileLocation AS folder
      FROM master.dbo.bts_LogShippingHistory AS h
      WHERE h.BackupSetId >= (SELECT MAX(c.BackupSetId) FROM master.dbo.bts_LogShippingHistory AS c
                              WHERE c.SetComplete = 1 AND c.BackupType = 'db')) AS f
OUTER APPLY sys.dm_os_enumerate_filesystem(f.folder, N'*.bak') AS e
LEFT JOIN master.dbo.bts_LogShippingHistory AS k ON k.BackupFileName = e.file_or_directory_name
GROUP BY f.folder
ORDER BY f.folder;
