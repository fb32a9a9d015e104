-- name:    sql/file-paths
-- purpose: data and log files of the scope: the paths that must exist on a destination too
-- in:      master
-- param:   @scope nvarchar(max)
-- column:  database_name nvarchar(128)
-- column:  type_desc nvarchar(60)
-- column:  logical_name nvarchar(128)
-- column:  path nvarchar(260)
-- column:  size_mb bigint
-- examines: database file
-- needs:   VIEW ANY DEFINITION
-- since:   2012
-- reads only
SELECT DB_NAME(f.database_id) AS database_name, f.type_desc, f.name AS logical_name,
       f.physical_name AS path, CAST(f.size AS bigint) / 128 AS size_mb
FROM sys.master_files AS f
WHERE CHARINDEX(N'|' + DB_NAME(f.database_id) + N'|', N'|' + @scope + N'|') > 0
ORDER BY database_name, f.file_id;
