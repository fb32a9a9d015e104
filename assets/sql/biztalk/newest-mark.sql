-- name:    biztalk/newest-mark
-- purpose: the newest mark inside a database, ordered by the backup set it belongs to; always one row
-- in:      any
-- column:  database_name nvarchar(128)
-- column:  marks bigint
-- column:  newest_mark nvarchar(128)
-- column:  newest_set bigint
-- column:  unknown_marks bigint
-- column:  newest_unknown_mark nvarchar(128)
-- examines: MarkLog of the database
-- needs:   SELECT on dbo.MarkLog and on master.dbo.bts_LogShippingHistory
-- since:   2012
-- reads only
SELECT DB_NAME() AS database_name,
       (SELECT COUNT_BIG(*) FROM dbo.MarkLog AS a) AS marks,
       n.MarkName AS newest_mark, n.set_id AS newest_set,
       u.unknown_marks, u.newest_unknown_mark
FROM (SELECT COUNT_BIG(*) AS unknown_marks, MAX(m.MarkName) AS newest_unknown_mark
      FROM dbo.MarkLog AS m
      WHERE NOT EXISTS (SELECT 1 FROM master.dbo.bts_LogShippingHistory AS h
                        WHERE h.MarkName COLLATE DATABASE_DEFAULT = m.MarkName)) AS u
OUTER APPLY (
    SELECT TOP (1) k.MarkName, h.BackupSetId AS set_id
    FROM dbo.MarkLog AS k
    JOIN master.dbo.bts_LogShippingHistory AS h ON h.MarkName COLLATE DATABASE_DEFAULT = k.MarkName
    ORDER BY h.BackupSetId DESC
) AS n;
