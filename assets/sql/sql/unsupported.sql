-- name:    sql/unsupported
-- purpose: every database with what BizTalk does not support on its own: mirroring, SQL Server's log shipping, snapshots
-- in:      master
-- column:  database_name nvarchar(128)
-- column:  mirroring_role_desc nvarchar(60)
-- column:  ships_log int
-- column:  receives_log int
-- column:  snapshots int
-- examines: database
-- needs:   VIEW ANY DEFINITION, SELECT on msdb.dbo.log_shipping_primary_databases and msdb.dbo.log_shipping_secondary_databases
-- since:   2012
-- reads only
SELECT d.name AS database_name, m.mirroring_role_desc,
       (SELECT COUNT(*) FROM msdb.dbo.log_shipping_primary_databases AS p WHERE p.primary_database = d.name) AS ships_log,
       (SELECT COUNT(*) FROM msdb.dbo.log_shipping_secondary_databases AS s WHERE s.secondary_database = d.name) AS receives_log,
       (SELECT COUNT(*) FROM sys.databases AS c WHERE c.source_database_id = d.database_id) AS snapshots
FROM sys.databases AS d
LEFT JOIN sys.database_mirroring AS m ON m.database_id = d.database_id
ORDER BY d.name;
