-- Activity Monitor and Job Activity Monitor.
SELECT [Session] = s.session_id, [User process] = CONVERT(CHAR(1), s.is_user_process), [Login] = s.login_name,
  [Database] = ISNULL(db_name(p.dbid), N''), [State] = ISNULL(r.status, N''), [Command] = ISNULL(r.command, N''),
  [Application] = ISNULL(s.program_name, N''), [Wait] = ISNULL(r.wait_time, 0), [Wait type] = ISNULL(r.wait_type, N''),
  [Blocked by] = ISNULL(CONVERT(varchar, r.blocking_session_id), ''), [Memory] = s.memory_usage * 8192 / 1024,
  [Host] = ISNULL(s.host_name, N''), [Net] = ISNULL(c.client_net_address, N''), [Percent] = r.percent_complete
FROM sys.dm_exec_sessions s LEFT OUTER JOIN sys.dm_exec_connections c ON (s.session_id = c.session_id)
  LEFT OUTER JOIN sys.dm_exec_requests r ON (s.session_id = r.session_id)
  LEFT OUTER JOIN sys.sysprocesses p ON (s.session_id = p.spid)
ORDER BY s.session_id
GO
SELECT w.session_id, w.wait_duration_ms, w.wait_type, w.blocking_session_id, w.resource_description,
  ROW_NUMBER() OVER (PARTITION BY w.waiting_task_address ORDER BY w.wait_duration_ms DESC) AS n
FROM sys.dm_os_waiting_tasks w
GO
SELECT DB_NAME(fs.database_id) AS [Database], f.physical_name, fs.num_of_bytes_read, fs.num_of_bytes_written, fs.io_stall,
  fs.num_of_reads + fs.num_of_writes AS [Operations]
FROM sys.dm_io_virtual_file_stats(default, default) fs INNER JOIN sys.master_files f ON fs.database_id = f.database_id AND fs.file_id = f.file_id
GO
SELECT DB_NAME(fs.database_id) AS [Database], f.physical_name, fs.num_of_bytes_read, fs.io_stall
FROM sys.dm_io_virtual_file_stats(NULL, NULL) fs INNER JOIN sys.master_files f ON fs.database_id = f.database_id AND fs.file_id = f.file_id
GO
-- refused
SELECT wait_type, waiting_tasks_count, wait_time_ms FROM sys.dm_os_wait_stats
GO
-- refused
SELECT TOP 20 qs.execution_count, qs.total_worker_time, st.text FROM sys.dm_exec_query_stats qs CROSS APPLY sys.dm_exec_sql_text(qs.sql_handle) st
GO
EXEC msdb.dbo.sp_help_job
GO
EXEC msdb.dbo.sp_help_jobactivity
GO
SELECT sv.name, sv.job_id, sv.enabled, sv.category_id, sv.date_created FROM msdb.dbo.sysjobs_view AS sv ORDER BY sv.name
GO
SELECT a.session_id, a.job_id, a.start_execution_date, a.stop_execution_date, h.run_status
FROM msdb.dbo.sysjobactivity a LEFT JOIN msdb.dbo.sysjobhistory h ON a.job_history_id = h.instance_id
WHERE a.session_id = (SELECT TOP 1 session_id FROM msdb.dbo.syssessions ORDER BY agent_start_date DESC)
GO
execute master.dbo.xp_sqlagent_enum_jobs 1, N'sa'
