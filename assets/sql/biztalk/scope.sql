-- name:    biztalk/scope
-- purpose: the databases the Backup BizTalk Server job covers
-- in:      management
-- column:  server_name nvarchar(128)
-- column:  database_name nvarchar(128)
-- examines: database; the management database is always among them
-- needs:   SELECT on dbo.admv_BackupDatabases
-- since:   2012
-- reads only
SELECT v.ServerName AS server_name, v.DatabaseName AS database_name
FROM dbo.admv_BackupDatabases AS v
ORDER BY v.ServerName, v.DatabaseName;
