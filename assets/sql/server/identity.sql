-- name:    server/identity
-- purpose: who a server is, what it runs, its clock, and what this login may see and do
-- in:      master
-- column:  server_name nvarchar(128)
-- column:  machine_name nvarchar(128)
-- column:  version nvarchar(32)
-- column:  edition nvarchar(128)
-- column:  is_clustered int
-- column:  is_hadr_enabled int
-- column:  banner nvarchar(300)
-- column:  clock datetimeoffset
-- column:  offset_minutes int
-- column:  login_name nvarchar(128)
-- column:  is_sysadmin int
-- column:  sees_state int
-- column:  sees_definitions int
-- column:  sees_msdb int
-- examines: server
-- needs:   CONNECT SQL
-- since:   2012
-- reads only
SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS server_name,
       CAST(SERVERPROPERTY('MachineName') AS nvarchar(128)) AS machine_name,
       CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(32)) AS version,
       CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition,
       CAST(SERVERPROPERTY('IsClustered') AS int) AS is_clustered,
       CAST(SERVERPROPERTY('IsHadrEnabled') AS int) AS is_hadr_enabled,
       CAST(@@VERSION AS nvarchar(300)) AS banner,
       SYSDATETIMEOFFSET() AS clock,
       DATEPART(TZOFFSET, SYSDATETIMEOFFSET()) AS offset_minutes,
       SUSER_SNAME() AS login_name,
       IS_SRVROLEMEMBER(N'sysadmin') AS is_sysadmin,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS sees_state,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS sees_definitions,
       HAS_DBACCESS(N'msdb') AS sees_msdb;
