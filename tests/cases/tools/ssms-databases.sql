-- Expanding Databases, a database's properties, its files.
SELECT dtb.name AS [Name], dtb.database_id AS [ID],
  CAST(has_dbaccess(dtb.name) AS bit) AS [IsAccessible],
  CAST(case when dtb.name in ('master','model','msdb','tempdb') then 1 else dtb.is_distributor end AS bit) AS [IsSystemObject],
  CAST(isnull(dtb.source_database_id, 0) AS bit) AS [IsSnapshot],
  dtb.recovery_model AS [RecoveryModel], ISNULL(suser_sname(dtb.owner_sid), '') AS [Owner],
  dtb.is_read_only AS [ReadOnly], dtb.user_access AS [UserAccess],
  CHARINDEX(N'_CS_', CAST(dtb.collation_name AS nvarchar(255))) AS [CaseSensitive],
  (case when dtb.collation_name is null then 0x200 else 0 end) |
  (case when 1 = dtb.is_in_standby then 0x40 else 0 end) |
  (case dtb.state when 1 then 0x2 when 2 then 0x8 when 3 then 0x4 when 4 then 0x10 when 5 then 0x100 when 6 then 0x20 else 1 end) AS [Status],
  ISNULL(DB_NAME(dtb.source_database_id), N'') AS [SnapshotOf]
FROM master.sys.databases AS dtb
ORDER BY [Name] ASC
GO
SELECT dtb.name, dtb.state, ISNULL(dmi.mirroring_role, 0) AS [Role], ISNULL(dmi.mirroring_state + 1, 0) AS [MirroringStatus],
  CAST(case when dmi.mirroring_partner_name is null then 0 else 1 end AS bit) AS [IsMirrored]
FROM master.sys.databases AS dtb LEFT OUTER JOIN sys.database_mirroring AS dmi ON dmi.database_id = dtb.database_id
WHERE dtb.name = N'Shop'
GO
create table #sync (replica_id uniqueidentifier, database_id int, state tinyint)
if SERVERPROPERTY('IsHadrEnabled') = 1
begin
  insert into #sync select replica_id, database_id, synchronization_state from master.sys.dm_hadr_database_replica_states
end
select count(*) from #sync
drop table #sync
GO
create table #last (database_name nvarchar(128), [type] char(1), backup_finish_date datetime)
insert into #last select database_name, [type], max(backup_finish_date) from msdb..backupset where [type] = 'D' or [type] = 'L' or [type] = 'I' group by database_name, [type]
SELECT (select backup_finish_date from #last where type = 'D' and db_id(database_name) = dtb.database_id) AS [LastFull],
  (select backup_finish_date from #last where type = 'L' and db_id(database_name) = dtb.database_id) AS [LastLog],
  drs.recovery_fork_guid, drs.database_guid, CAST(case when drs.last_log_backup_lsn is not null then 1 else 0 end AS bit) AS [HasFull],
  (select count(*) from master.dbo.sysprocesses p where dtb.database_id = p.dbid) AS [Connections],
  CAST(case LOWER(convert(nvarchar(128), DATABASEPROPERTYEX(dtb.name, 'Updateability'))) when 'read_write' then 1 else 0 end AS bit) AS [Updateable],
  CAST(DATABASEPROPERTYEX(dtb.name, 'Version') AS int) AS [Version],
  dtb.log_reuse_wait AS [LogReuse], dtb.page_verify_option AS [PageVerify], dtb.containment AS [Containment],
  dtb.default_language_lcid, dtb.is_nested_triggers_on, dtb.two_digit_year_cutoff, dtb.target_recovery_time_in_seconds
FROM master.sys.databases AS dtb LEFT OUTER JOIN sys.database_recovery_status AS drs ON drs.database_id = dtb.database_id
WHERE dtb.name = N'Shop'
drop table #last
GO
use [Shop]
SELECT SUM(CAST(df.size as float)) / 128 AS [DbSize], SUM(CASE df.type WHEN 0 THEN df.size ELSE 0 END) AS [Data], SUM(CASE df.type WHEN 1 THEN df.size ELSE 0 END) AS [Log]
FROM sys.database_files AS df WHERE df.type in (0, 1, 2, 4)
GO
use [Shop]
SELECT SUM(a.total_pages) AS [Total],
  SUM(CASE WHEN a.type <> 1 THEN a.used_pages WHEN p.index_id < 2 THEN a.data_pages ELSE 0 END) AS [Used]
FROM sys.allocation_units AS a INNER JOIN sys.partitions AS p
  ON (a.type = 2 AND p.partition_id = a.container_id) OR (a.type IN (1, 3) AND p.hobt_id = a.container_id)
GO
use [Shop]
SELECT s.name AS [Name], s.physical_name AS [FileName], CAST(FILEPROPERTY(s.name, 'SpaceUsed') AS float) * CONVERT(float, 8) AS [UsedKb],
  s.growth, s.max_size, s.size * CONVERT(float, 8) AS [SizeKb], s.file_id, CAST(s.is_percent_growth AS bit), s.is_read_only, s.is_media_read_only, s.is_sparse
FROM sys.filegroups AS g INNER JOIN sys.master_files AS s ON ((s.type = 2 or s.type = 0) and s.database_id = db_id() and (s.drop_lsn IS NULL)) AND (s.data_space_id = g.data_space_id)
ORDER BY s.file_id
GO
use [Shop]
SELECT s.name, s.physical_name, CAST(FILEPROPERTY(s.name, 'SpaceUsed') AS float) * CONVERT(float, 8), s.size FROM sys.master_files AS s WHERE s.type = 1 and s.database_id = db_id()
GO
use [Shop]
select is_member(N'db_owner'), is_member(N'db_datareader'), user_name(), schema_name(), (select name from sys.filegroups as ds where ds.is_default = 1 and ds.type = 'FG')
GO
use [Shop]
SELECT SCHEMA_NAME(tbl.schema_id) AS [Schema], tbl.name AS [Name], tbl.object_id AS [ID],
  CAST(case when tbl.is_ms_shipped = 1 then 1 when (select major_id from sys.extended_properties where major_id = tbl.object_id and minor_id = 0 and class = 1 and name = N'microsoft_database_tools_support') is not null then 1 else 0 end AS bit) AS [IsSystem]
FROM sys.tables AS tbl ORDER BY [Schema], [Name]
GO
SELECT log.name AS [Name], log.principal_id, log.is_disabled, log.type,
  CAST(CASE WHEN N'U' = log.type THEN 0 WHEN N'G' = log.type THEN 1 WHEN N'S' = log.type THEN 2 WHEN N'C' = log.type THEN 3 ELSE 4 END AS int) AS [LoginType],
  log.default_database_name, log.create_date
FROM sys.server_principals AS log
WHERE (log.type in ('U', 'G', 'S', 'C', 'K') AND log.principal_id not between 101 and 255 AND log.name not like N'##%##') ORDER BY [Name]
GO
SELECT srv.name, srv.data_source, srv.is_linked, srv.product, srv.provider, srv.is_rpc_out_enabled, ln.uses_self_credential
FROM sys.servers AS srv LEFT OUTER JOIN sys.linked_logins AS ln ON ln.server_id = srv.server_id WHERE srv.is_linked = 1
