-- name:    biztalk/source-sets
-- purpose: backup sets the source knows, newest first: the newest 200 and the newest complete full
-- in:      management
-- column:  set_id bigint
-- column:  type nvarchar(2)
-- column:  mark nvarchar(128)
-- column:  databases int
-- column:  complete int
-- column:  stamp nvarchar(23)
-- column:  age_if_utc_seconds bigint
-- column:  age_if_local_seconds bigint
-- examines: backup set
-- needs:   SELECT on dbo.adm_BackupHistory
-- since:   2012
-- reads only
SELECT s.BackupSetId AS set_id, CAST(s.BackupType AS nvarchar(2)) AS type, s.mark, s.databases, s.complete,
       CONVERT(nvarchar(23), s.stamp, 126) AS stamp,
       CAST(DATEDIFF(SECOND, s.stamp, GETUTCDATE()) AS bigint) AS age_if_utc_seconds,
       CAST(DATEDIFF(SECOND, s.stamp, GETDATE()) AS bigint) AS age_if_local_seconds
FROM (SELECT h.BackupSetId, h.BackupType, MAX(h.MarkName) AS mark, COUNT(*) AS databases,
             MIN(CAST(h.SetComplete AS int)) AS complete, MIN(h.BackupDateTime) AS stamp,
             ROW_NUMBER() OVER (ORDER BY h.BackupSetId DESC) AS place
      FROM dbo.adm_BackupHistory AS h
      GROUP BY h.BackupSetId, h.BackupType) AS s
WHERE s.place <= 200
   OR s.BackupSetId = (SELECT MAX(f.BackupSetId) FROM dbo.adm_BackupHistory AS f
                       WHERE f.BackupType = 'db' AND f.SetComplete = 1)
ORDER BY s.BackupSetId DESC;
