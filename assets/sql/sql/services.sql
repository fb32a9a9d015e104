-- name:    sql/services
-- purpose: the services of the instance: running or not, how they start, under which account
-- in:      master
-- column:  service nvarchar(256)
-- column:  is_agent int
-- column:  status_desc nvarchar(256)
-- column:  startup_type_desc nvarchar(256)
-- column:  account nvarchar(256)
-- column:  is_clustered nvarchar(1)
-- examines: service
-- needs:   VIEW SERVER STATE
-- since:   2012
-- reads only
SELECT s.servicename AS service,
       CASE WHEN s.servicename LIKE N'SQL Server Agent%' THEN 1 ELSE 0 END AS is_agent,
       s.status_desc, s.startup_type_desc, s.service_account AS account, s.is_clustered
FROM sys.dm_server_services AS s
ORDER BY s.servicename;
