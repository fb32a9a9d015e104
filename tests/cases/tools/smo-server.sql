-- The server object of SMO: what Object Explorer, PowerShell's SqlServer module and dbatools ask for.
declare @HkeyLocal nvarchar(18), @ServicesRegPath nvarchar(34), @SqlServiceRegPath sysname, @BrowserServiceRegPath sysname,
  @MSSqlServerRegPath nvarchar(31), @InstanceNamesRegPath nvarchar(59), @InstanceRegPath sysname, @SetupRegPath sysname, @NpRegPath sysname, @TcpRegPath sysname
select @HkeyLocal = N'HKEY_LOCAL_MACHINE'
select @MSSqlServerRegPath = N'SOFTWARE\Microsoft\MSSQLServer'
select @InstanceRegPath = @MSSqlServerRegPath + N'\MSSQLServer'
select @SetupRegPath = @MSSqlServerRegPath + N'\Setup'
select @ServicesRegPath = N'SYSTEM\CurrentControlSet\Services'
select @SqlServiceRegPath = @ServicesRegPath + N'\MSSQLSERVER'
select @BrowserServiceRegPath = @ServicesRegPath + N'\SQLBrowser'
select @InstanceNamesRegPath = N'SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL'
select @NpRegPath = @InstanceRegPath + N'\SuperSocketNetLib\Np'
select @TcpRegPath = @InstanceRegPath + N'\SuperSocketNetLib\Tcp'
declare @LoginMode int, @AuditLevel int, @NumErrorLogs int, @MailProfile nvarchar(512), @PerfMon int, @SqlRoot nvarchar(512), @DataRoot nvarchar(512)
declare @ServiceInstanceId nvarchar(512), @ServiceAccount nvarchar(512), @ServiceStartMode int, @Np int, @Tcp int, @BrowserStart int, @LogSize int
exec master.dbo.xp_instance_regread @HkeyLocal, @InstanceRegPath, N'LoginMode', @LoginMode OUTPUT
exec master.dbo.xp_instance_regread @HkeyLocal, @InstanceRegPath, N'AuditLevel', @AuditLevel OUTPUT
exec master.dbo.xp_instance_regread @HkeyLocal, @InstanceRegPath, N'NumErrorLogs', @NumErrorLogs OUTPUT
exec master.dbo.xp_instance_regread @HkeyLocal, @InstanceRegPath, N'MailAccountName', @MailProfile OUTPUT
exec master.dbo.xp_instance_regread @HkeyLocal, @InstanceRegPath, N'Performance', @PerfMon OUTPUT
if @PerfMon is null
begin
  set @PerfMon = 1000
end
exec master.dbo.xp_instance_regread @HkeyLocal, @InstanceRegPath, N'ErrorLogSizeInKb', @LogSize OUTPUT
exec master.dbo.xp_instance_regread @HkeyLocal, @SetupRegPath, N'SQLPath', @SqlRoot OUTPUT
exec master.dbo.xp_instance_regread @HkeyLocal, @SetupRegPath, N'SQLDataRoot', @DataRoot OUTPUT
EXEC master.sys.xp_regread @HkeyLocal, @InstanceNamesRegPath, @@SERVICENAME, @ServiceInstanceId OUTPUT
EXEC master.sys.xp_instance_regread @HkeyLocal, @SqlServiceRegPath, N'ObjectName', @ServiceAccount OUTPUT
EXEC master.sys.xp_instance_regread @HkeyLocal, @SqlServiceRegPath, N'Start', @ServiceStartMode OUTPUT
EXEC master.sys.xp_regread @HkeyLocal, @BrowserServiceRegPath, N'Start', @BrowserStart OUTPUT
exec master.dbo.xp_instance_regread @HkeyLocal, @NpRegPath, N'Enabled', @Np OUTPUT
EXEC master.sys.xp_instance_regread @HkeyLocal, @TcpRegPath, N'Enabled', @Tcp OUTPUT
declare @MasterPath nvarchar(512), @LogPath nvarchar(512), @ErrorLog nvarchar(512), @ErrorLogPath nvarchar(512)
select @MasterPath = substring(physical_name, 1, len(physical_name) - charindex('\', reverse(physical_name))) from master.sys.database_files where name = N'master'
select @LogPath = substring(physical_name, 1, len(physical_name) - charindex('\', reverse(physical_name))) from master.sys.database_files where name = N'mastlog'
select @ErrorLog = cast(SERVERPROPERTY(N'errorlogfilename') as nvarchar(512))
select @ErrorLogPath = IIF(@ErrorLog IS NULL, N'', substring(@ErrorLog, 1, len(@ErrorLog) - charindex('\', reverse(@ErrorLog))))
SELECT @LoginMode AS [LoginMode], @AuditLevel AS [AuditLevel], ISNULL(@NumErrorLogs, -1) AS [Logs], @PerfMon AS [PerfMon], @SqlRoot AS [Root], @DataRoot AS [Data],
  @ServiceInstanceId AS [InstanceId], ISNULL(@ServiceAccount, N'') AS [Account], @ServiceStartMode AS [Start], @Np AS [Np], @Tcp AS [Tcp], @BrowserStart AS [Browser],
  @MasterPath AS [Master], @LogPath AS [MasterLog], @ErrorLogPath AS [ErrorLogPath], ISNULL(@LogSize, 0) AS [LogSize]
GO
create table #SVer (ID int, Name sysname, Internal_Value int, Value nvarchar(512))
insert #SVer exec master.dbo.xp_msver
SELECT (select Value from #SVer where Name = N'ProductName') AS [Product], (select Value from #SVer where Name = N'Language') AS [Language],
  (select Value from #SVer where Name = N'Platform') AS [Platform], CAST((select Internal_Value from #SVer where Name = N'ProcessorCount') AS int) AS [Processors],
  (select Value from #SVer where Name = N'WindowsVersion') AS [OS], (select Internal_Value from #SVer where Name = N'PhysicalMemory') AS [Memory]
drop table #SVer
GO
-- refused
SELECT CAST(FULLTEXTSERVICEPROPERTY('IsFullTextInstalled') AS bit) AS [FullText]
GO
SELECT CAST(SERVERPROPERTY(N'BuildClrVersionString') AS sysname), CAST(SERVERPROPERTY(N'BuildClrVersion') AS sysname), CAST(SERVERPROPERTY('CollationID') AS int),
  CAST(SERVERPROPERTY('ComparisonStyle') AS int), CAST(SERVERPROPERTY('SqlCharSet') AS tinyint), CAST(SERVERPROPERTY('SqlCharSetName') AS sysname),
  CAST(SERVERPROPERTY('SqlSortOrder') AS tinyint), CAST(SERVERPROPERTY('SqlSortOrderName') AS sysname), CAST(SERVERPROPERTY('IsSingleUser') AS bit),
  CAST(SERVERPROPERTY('ResourceVersion') AS sysname), SERVERPROPERTY('ResourceLastUpdateDateTime'), CAST(SERVERPROPERTY('ComputerNamePhysicalNetBIOS') AS sysname),
  CAST(SERVERPROPERTY('EditionID') AS bigint), SERVERPROPERTY('FilestreamEffectiveLevel'), @@MAX_PRECISION, @@SERVICENAME
GO
SELECT CAST(CASE WHEN 'a' <> 'A' THEN 1 ELSE 0 END AS bit) AS [CaseSensitive], CAST(SERVERPROPERTY(N'Collation') AS sysname) AS [Collation],
  CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(512)) AS [DefaultFile], CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(512)) AS [DefaultLog]
GO
select value_in_use from sys.configurations where configuration_id = 16384
GO
exec sp_configure 'show advanced options'
GO
SELECT status, servicename, service_account, startup_type_desc, last_startup_time FROM sys.dm_server_services
GO
SELECT name, protocol_desc, type_desc, state_desc, is_admin_endpoint FROM sys.endpoints
