-- Queries over backup history, log shipping and distributed transactions.
-- S01
SELECT l.request_owner_guid AS uow, DB_NAME(l.resource_database_id) AS db, COUNT(*) AS locks,
       MIN(a.transaction_begin_time) AS began, MAX(a.transaction_state) AS tran_state, MAX(a.dtc_state) AS dtc_state
FROM sys.dm_tran_locks AS l
LEFT JOIN sys.dm_tran_active_transactions AS a ON a.transaction_uow = l.request_owner_guid
WHERE l.request_session_id = -2 AND l.request_owner_guid <> '00000000-0000-0000-0000-000000000000'
GROUP BY l.request_owner_guid, l.resource_database_id;
SELECT a.transaction_uow, DB_NAME(d.database_id) AS db, a.transaction_begin_time, a.transaction_state, d.database_transaction_state
FROM sys.dm_tran_active_transactions a JOIN sys.dm_tran_database_transactions d ON d.transaction_id = a.transaction_id
LEFT JOIN sys.dm_tran_session_transactions s ON s.transaction_id = a.transaction_id
WHERE a.transaction_type = 4 AND s.session_id IS NULL;
-- S02
SELECT u.name, u.type_desc, u.sid FROM sys.database_principals u
LEFT JOIN sys.server_principals p ON p.sid = u.sid
WHERE u.type IN ('S','U','G') AND u.principal_id > 4 AND u.authentication_type_desc IN ('INSTANCE','WINDOWS') AND p.sid IS NULL;
-- S03
SELECT mark_name, MIN(mark_time) AS t0, MAX(mark_time) AS t1, COUNT(DISTINCT database_name) AS dbs
FROM msdb.dbo.logmarkhistory WHERE database_name IN ('A', 'B')
GROUP BY mark_name HAVING COUNT(DISTINCT database_name) = 2 ORDER BY t1 DESC;
-- S04
WITH f AS (SELECT TOP (1) * FROM msdb.dbo.backupset
  WHERE database_name = @db AND server_name = @@SERVERNAME AND type = 'D' AND is_copy_only = 0 AND is_snapshot = 0 AND is_damaged = 0
  ORDER BY backup_finish_date DESC, backup_set_id DESC)
SELECT b.backup_set_id, b.type, b.position, b.first_lsn, b.last_lsn, b.checkpoint_lsn, b.database_backup_lsn, b.first_recovery_fork_guid,
       b.last_recovery_fork_guid, b.fork_point_lsn, b.has_backup_checksums, b.backup_finish_date, m.family_sequence_number, m.physical_device_name, m.device_type
FROM f JOIN msdb.dbo.backupset b ON b.family_guid = f.family_guid AND b.server_name = f.server_name
  AND (b.backup_set_id = f.backup_set_id OR (b.type = 'L' AND b.last_lsn >= f.last_lsn) OR (b.type = 'I' AND b.differential_base_guid = f.backup_set_uuid))
JOIN msdb.dbo.backupmediafamily m ON m.media_set_id = b.media_set_id AND m.mirror = 0
ORDER BY b.last_lsn, b.type, m.family_sequence_number;
-- S05
SELECT s.secondary_database, s.primary_server, s.primary_database, s.last_restored_file, s.last_restored_date_utc, s.last_copied_file, s.last_copied_date_utc,
       DATEDIFF(minute, s.last_copied_date_utc,   SYSUTCDATETIME()) AS min_since_copy,
       DATEDIFF(minute, s.last_restored_date_utc, SYSUTCDATETIME()) AS min_since_restore,
       s.last_restored_latency, s.restore_threshold,
       CASE WHEN s.last_restored_date_utc IS NULL THEN 'NEVER'
            WHEN s.threshold_alert_enabled = 1 AND (DATEDIFF(minute, s.last_restored_date_utc, SYSUTCDATETIME()) > s.restore_threshold
                 OR s.last_restored_latency > s.restore_threshold) THEN 'BREACH' ELSE 'OK' END AS verdict
FROM msdb.dbo.log_shipping_monitor_secondary AS s;
-- S06
SELECT d.name, d.state_desc, d.is_in_standby, d.is_read_only, d.user_access_desc, f.redo_start_lsn, f.redo_start_fork_guid, sd.restore_mode, sd.restore_delay, sd.disconnect_users
FROM sys.databases d LEFT JOIN sys.master_files f ON f.database_id = d.database_id AND f.file_id = 1
LEFT JOIN msdb.dbo.log_shipping_secondary_databases sd ON sd.secondary_database = d.name
WHERE d.name = @db;
-- S07
SELECT TOP (1) rh.restore_date, bs.backup_start_date, bs.backup_finish_date, bs.first_lsn, bs.last_lsn, bs.last_recovery_fork_guid, bs.server_name, rh.stop_at_mark_name, rh.recovery
FROM msdb.dbo.restorehistory rh JOIN msdb.dbo.backupset bs ON bs.backup_set_id = rh.backup_set_id
WHERE rh.destination_database_name = @db AND rh.restore_type = 'L' ORDER BY rh.restore_history_id DESC;
-- S08
CREATE LOGIN [dr_reader] WITH PASSWORD = N'Reads-only-2026', CHECK_POLICY = ON;
GRANT VIEW SERVER STATE TO [dr_reader];
GRANT VIEW ANY DEFINITION TO [dr_reader];
GRANT CONNECT ANY DATABASE TO [dr_reader];
USE msdb; CREATE USER [dr_reader] FOR LOGIN [dr_reader]; ALTER ROLE db_datareader ADD MEMBER [dr_reader];
