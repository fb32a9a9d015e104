-- The Backup dialog.
declare @HkeyLocal nvarchar(18), @InstanceRegPath sysname, @BackupDirectory nvarchar(512)
select @HkeyLocal = N'HKEY_LOCAL_MACHINE'
select @InstanceRegPath = N'SOFTWARE\Microsoft\MSSQLServer' + N'\MSSQLServer'
if 1 = isnull(cast(SERVERPROPERTY('IsLocalDB') as bit), 0)
  select @BackupDirectory = cast(SERVERPROPERTY('instancedefaultdatapath') as nvarchar(512))
else
  exec master.dbo.xp_instance_regread @HkeyLocal, @InstanceRegPath, N'BackupDirectory', @BackupDirectory OUTPUT
SELECT @BackupDirectory AS [BackupDirectory]
GO
SELECT o.name AS [Name], o.physical_name AS [Location], o.type AS [Kind] FROM sys.backup_devices o ORDER BY [Name] ASC
GO
select top 1 bs.backup_set_id, bs.name, bs.media_set_id, bmf.physical_device_name, bmf.device_type
from msdb.dbo.backupset bs inner join msdb.dbo.backupmediafamily bmf on bs.media_set_id = bmf.media_set_id
where bs.database_name = N'Shop' and bs.type = 'D' order by bs.backup_start_date desc
GO
SELECT CAST(cfg.value_in_use AS int) FROM sys.configurations AS cfg WHERE cfg.name = N'backup compression default'
GO
exec master.dbo.xp_fixeddrives
GO
EXEC master.dbo.xp_dirtree N'C:\', 1, 1
GO
declare @Path nvarchar(255), @Name nvarchar(255)
select @Path = N'C:\Program Files\Microsoft SQL Server'
select @Name = N'x.bak'
declare @FullName nvarchar(4000)
select @FullName = @Path + N'\' + @Name
create table #exists (FileExists bit, IsFolder bit, ParentExists bit)
insert #exists exec master.dbo.xp_fileexist @FullName
SELECT FileExists, IsFolder FROM #exists
drop table #exists
GO
SELECT name, thumbprint, expiry_date FROM master.sys.certificates WHERE pvt_key_encryption_type <> N'NA' and name NOT LIKE N'##%'
