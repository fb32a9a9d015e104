-- sqlcmd, Azure Data Studio, the VS Code extension, mssql-cli, DBeaver, JDBC and ODBC catalogue calls.
SET QUOTED_IDENTIFIER OFF
GO
select @@version; select @@servername as name, db_name() as db
GO
SELECT SERVERPROPERTY('EngineEdition'), SERVERPROPERTY('productversion'), SERVERPROPERTY('productlevel'), SERVERPROPERTY('edition'), SERVERPROPERTY('MachineName'),
  (SELECT CASE WHEN EXISTS (SELECT TOP 1 1 from [sys].[all_columns] WITH (NOLOCK) WHERE name = N'xml_index_type' AND OBJECT_ID(N'sys.xml_indexes') = object_id) THEN 1 ELSE 0 END AS xml_index)
GO
SELECT d.name, d.database_id, d.state_desc, d.user_access_desc, d.is_read_only, d.compatibility_level, d.recovery_model_desc FROM sys.databases d WHERE HAS_DBACCESS(d.name) = 1 ORDER BY d.name
GO
select name from sys.schemas order by name
GO
SELECT name FROM sys.databases WHERE database_id > 4 OR name = 'master'
GO
SELECT SCHEMA_NAME(o.schema_id), o.name, o.type, o.create_date FROM sys.all_objects o WHERE o.type IN ('U', 'S', 'V', 'IT') AND o.schema_id = SCHEMA_ID(N'dbo') ORDER BY o.name
GO
SELECT TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES
GO
SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.CHARACTER_MAXIMUM_LENGTH, c.IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS c
GO
SELECT DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS collation, SERVERPROPERTY('IsIntegratedSecurityOnly') AS mode
GO
SELECT t.name, t.system_type_id, t.user_type_id, t.max_length, t.precision, t.scale FROM sys.types t LEFT OUTER JOIN sys.types u ON t.system_type_id = u.user_type_id ORDER BY t.user_type_id
GO
exec sp_tables @table_type = N'''TABLE'''
GO
exec sp_columns_100 N'Shop', N'dbo'
GO
exec [sys].sp_databases
GO
exec sp_server_info 18
GO
SELECT ep.value, ep.major_id FROM sys.extended_properties ep WHERE ep.class = 1 AND ep.minor_id = 0 AND ep.name = 'MS_Description'
GO
SELECT i.name, i.type_desc, ic.key_ordinal, c.name FROM sys.indexes i LEFT JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id LEFT JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id
GO
SELECT fk.name, OBJECT_NAME(fk.parent_object_id), OBJECT_NAME(fk.referenced_object_id) FROM sys.foreign_keys fk
GO
SELECT p.name, p.object_id, SCHEMA_NAME(p.schema_id) FROM sys.procedures p
GO
SELECT dp.name, dp.type_desc, dp.default_schema_name, sp.name FROM sys.database_principals dp LEFT JOIN sys.server_principals sp ON sp.sid = dp.sid
GO
SELECT ORIGINAL_LOGIN(), SUSER_NAME(), USER_NAME(), HOST_NAME(), APP_NAME(), ORIGINAL_DB_NAME(), @@LANGUAGE, @@LANGID, @@DATEFIRST, @@OPTIONS, @@TEXTSIZE, @@LOCK_TIMEOUT
