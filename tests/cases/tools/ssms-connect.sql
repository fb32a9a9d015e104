-- What Management Studio says when it connects, before anything is opened.
SET ROWCOUNT 0 SET TEXTSIZE 2147483647 SET NOCOUNT OFF SET CONCAT_NULL_YIELDS_NULL ON SET ARITHABORT ON SET LOCK_TIMEOUT -1 SET QUERY_GOVERNOR_COST_LIMIT 0 SET DEADLOCK_PRIORITY NORMAL SET TRANSACTION ISOLATION LEVEL READ COMMITTED SET ANSI_NULLS ON SET ANSI_NULL_DFLT_ON ON SET ANSI_PADDING ON SET ANSI_WARNINGS ON SET CURSOR_CLOSE_ON_COMMIT OFF SET IMPLICIT_TRANSACTIONS OFF SET QUOTED_IDENTIFIER ON
GO
select @@spid;
select SERVERPROPERTY('ProductLevel');
GO
DECLARE @edition sysname;
SET @edition = cast(SERVERPROPERTY(N'EDITION') as sysname);
SELECT case when @edition = N'SQL Azure' then 2 else 1 end as 'EngineType',
  SERVERPROPERTY('EngineEdition') AS EngineEdition,
  SERVERPROPERTY('ProductVersion') AS ProductVersion,
  @@MICROSOFTVERSION AS MicrosoftVersion,
  convert(sysname, SERVERPROPERTY(N'Collation')) AS Collation;
if @edition = N'SQL Azure'
  select 'TCP' as Protocol
else
  exec ('select CONVERT(nvarchar(40),CONNECTIONPROPERTY(''net_transport'')) as Protocol')
GO
SELECT SYSTEM_USER
GO
use [master]
if (db_id() = 1)
begin
  select 0
end
else
begin
  exec('select case when authenticating_database_id = 1 then 0 else 1 end from sys.dm_exec_sessions where session_id = @@SPID')
end;
use [master]
GO
SET LOCK_TIMEOUT 10000
GO
if not (is_srvrolemember(N'sysadmin') = 1 or is_srvrolemember(N'serveradmin') = 1) select 1 as limited else select 0 as limited
GO
SELECT CAST(serverproperty(N'Servername') AS sysname) AS [Name],
  'Server[@Name=' + quotename(CAST(serverproperty(N'Servername') AS sysname), '''') + ']' AS [Urn],
  CAST(0x0001 AS int) AS [Status],
  ISNULL(CAST(serverproperty(N'instancename') AS sysname), N'') AS [Instance],
  CAST(null AS int) AS [ServerType]
GO
SELECT CAST(SERVERPROPERTY('IsClustered') AS bit) AS [IsClustered], CAST(SERVERPROPERTY('IsHadrEnabled') AS bit) AS [IsHadrEnabled],
  CAST(SERVERPROPERTY('IsXTPSupported') AS bit) AS [Xtp], CAST(ISNULL(SERVERPROPERTY('IsFullTextInstalled'), 0) AS bit) AS [Ft],
  (@@microsoftversion / 0x1000000) & 0xff AS [Major], (@@microsoftversion / 0x10000) & 0xff AS [Minor], @@microsoftversion & 0xffff AS [Build]
GO
select case when cfg.configuration_id = 124 then (select lcid from sys.syslanguages as sl where sl.langid = cfg.value_in_use)
  else cfg.value_in_use end as [RunValue], cfg.configuration_id
from sys.configurations as cfg where cfg.configuration_id in (124, 1579, 16384) order by cfg.configuration_id
GO
SELECT ISNULL(HAS_PERMS_BY_NAME(null, null, 'VIEW SERVER STATE'), 0), HAS_PERMS_BY_NAME(N'msdb', N'DATABASE', N'CONNECT'), has_dbaccess(N'msdb')
GO
IF (OBJECT_ID(N'tempdb..#none') IS NULL) SELECT N'none' AS answer
