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
-- needs:   SELECT on master.dbo.bts_LogShippingHistory and master.dbo.bts_LogShippingDatabases; EXECUTE on xp_fileexist (public has it)
-- since:   2012
-- until:   2016
-- reads only
SET NOCOUNT ON;
CREATE TABLE #seen (file_exists int, is_directory int, parent_exists int);
CREATE TABLE #needed (n int IDENTITY(1, 1), set_id bigint, type nvarchar(2), database_name nvarchar(128),
                      complete int, restored int, path nvarchar(3600), is_url int, overridden int, file_exists int);
INSERT INTO #needed (set_id, type, database_name, complete, restored, path, is_url, overridden)
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
                           WHERE f.BackupType = 'db' AND f.SetComplete = 1);
DECLARE @n int = 1, @last int, @path nvarchar(3600);
SELECT @last = MAX(q.n) FROM #needed AS q;
WHILE @n <= @last
BEGIN
    SELECT @path = q.path FROM #needed AS q WHERE q.n = @n AND q.is_url = 0;
    IF @path IS NOT NULL
    BEGIN
        DELETE FROM #seen;
        INSERT INTO #seen EXEC master.dbo.xp_fileexist @path;
        UPDATE #needed SET file_exists = (SELECT MAX(s.file_exists) FROM #seen AS s) WHERE n = @n;
    END;
    SET @path = NULL;
    SET @n = @n + 1;
END;
SELECT q.set_id, q.type, q.database_name, q.complete, q.restored, q.path, q.is_url, q.file_exists, q.overridden
FROM #needed AS q
ORDER BY q.set_id, q.database_name;
