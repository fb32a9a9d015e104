-- What clients and management tools send, one batch between the marks.
-- next
select SERVERPROPERTY(N'servername')
-- next
set quoted_identifier on set textsize 2147483647 set language us_english set dateformat mdy set datefirst 7 set lock_timeout -1 set transaction isolation level read committed
-- next
SET ARITHABORT ON
SET CONCAT_NULL_YIELDS_NULL ON
SET QUERY_GOVERNOR_COST_LIMIT 0
SET DEADLOCK_PRIORITY NORMAL
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
-- next
select @@spid;
select SERVERPROPERTY('ProductLevel');
-- next
            DECLARE @edition sysname;
            SET @edition = cast(SERVERPROPERTY(N'EDITION') as sysname);
            SELECT case when @edition = N'SQL Azure' then 2 else 1 end as 'DatabaseEngineType',
            SERVERPROPERTY('EngineEdition') AS DatabaseEngineEdition,
            SERVERPROPERTY('ProductVersion') AS ProductVersion,
            @@MICROSOFTVERSION AS MicrosoftVersion;
            select host_platform from sys.dm_os_host_info
            if @edition = N'SQL Azure' 
              select 'TCP' as ConnectionProtocol
            else
              exec ('select CONVERT(nvarchar(40),CONNECTIONPROPERTY(''net_transport'')) as ConnectionProtocol')
-- next
use [master];
if not (is_srvrolemember(N'sysadmin') = 1)
begin raiserror(N'x',16,1) end
-- next
SELECT dtb.name AS [Name], dtb.database_id AS [ID], CAST(has_dbaccess(dtb.name) AS bit) AS [IsAccessible] FROM master.sys.databases AS dtb ORDER BY [Name] ASC
-- next
RESTORE DATABASE [x] FROM  DISK = N'C:\a.bak' WITH  FILE = 1,  MOVE N'a' TO N'C:\a.mdf',  NOUNLOAD,  STATS = 5
-- next
RESTORE LOG [x] FROM DISK = N'C:\a.trn' WITH FILE = 1, NOUNLOAD, STATS = 10, STOPATMARK = N'm' AFTER N'2026-01-01T00:00:00'
-- next
declare @f int; select top 1 @f = database_id from sys.databases where name = 'x' order by database_id desc; if @f is null print 'none' else print 'some'
-- next
if object_id('tempdb..#x') is not null drop table #x
-- next
exec sp_executesql N'select @p1', N'@p1 int', @p1=1
-- next
SELECT ISNULL(HAS_PERMS_BY_NAME(null, null, 'VIEW SERVER STATE'), 0)
-- next
select top 10 * from (select 1 as a union all select 2) as x order by a
-- next
WAITFOR DELAY '00:00:01'
-- next
begin tran; commit tran; begin transaction x; rollback transaction x
-- next
SELECT CASE WHEN EXISTS (SELECT * FROM sys.databases) THEN 1 ELSE 0 END
-- next
SELECT COUNT(CASE WHEN 1=1 THEN 1 END), SUM(DISTINCT database_id), MIN(name) FROM sys.databases d (NOLOCK) WHERE name COLLATE DATABASE_DEFAULT NOT LIKE N'%x!_%' ESCAPE N'!'
-- next
SELECT name, [state] = state_desc FROM sys.databases
-- next
IF EXISTS (SELECT 1 FROM sys.databases WHERE name = N'x') ALTER DATABASE [x] SET OFFLINE WITH ROLLBACK AFTER 30 SECONDS
-- next
SELECT IIF(1=1,1,2)
-- next
SELECT * FROM sys.databases WHERE (name = 'a' OR name = 'b') AND NOT (database_id > 4 AND (database_id < 10))
-- next
SELECT a.name FROM sys.databases AS a INNER JOIN sys.master_files AS b ON a.database_id = b.database_id AND (b.type = 0) LEFT OUTER JOIN msdb.dbo.backupset s ON s.database_name = a.name GROUP BY a.name HAVING MAX(s.backup_finish_date) IS NULL OR MAX(s.backup_finish_date) < DATEADD(hh, -24, GETDATE())
