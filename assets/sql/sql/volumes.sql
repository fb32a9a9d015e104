-- name:    sql/volumes
-- purpose: free and total space of every volume that holds a database file
-- in:      master
-- column:  volume nvarchar(512)
-- column:  total_mb bigint
-- column:  free_mb bigint
-- column:  free_percent float
-- column:  database_mb bigint
-- examines: volume
-- needs:   VIEW SERVER STATE, VIEW ANY DEFINITION
-- since:   2012
-- reads only
SELECT v.volume_mount_point AS volume,
       MAX(v.total_bytes) / 1048576 AS total_mb,
       MAX(v.available_bytes) / 1048576 AS free_mb,
       CASE WHEN MAX(v.total_bytes) > 0
            THEN CAST(MAX(v.available_bytes) AS float) * 100 / MAX(v.total_bytes) END AS free_percent,
       SUM(CAST(f.size AS bigint)) / 128 AS database_mb
FROM sys.master_files AS f
CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v
GROUP BY v.volume_mount_point
ORDER BY v.volume_mount_point;
