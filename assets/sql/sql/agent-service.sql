-- name:    sql/agent-service
-- purpose: whether SQL Server Agent runs, and how it starts
-- in:      master
-- column:  service nvarchar(256)
-- column:  status_desc nvarchar(256)
-- column:  startup_type_desc nvarchar(256)
-- column:  account nvarchar(256)
-- examines: agent service; exactly one per instance
-- needs:   VIEW SERVER STATE
-- since:   2012
-- reads only
SELECT s.servicename AS service, s.status_desc, s.startup_type_desc, s.service_account AS account
FROM sys.dm_server_services AS s
WHERE s.servicename LIKE N'SQL Server Agent%';
