-- name:    agent/job-state
-- purpose: whether one job may run, and whether it runs or waits to run now
-- in:      msdb
-- param:   @job_id uniqueidentifier
-- column:  job_id uniqueidentifier
-- column:  name nvarchar(128)
-- column:  enabled int
-- column:  running int
-- column:  queued int
-- examines: job
-- needs:   SELECT on msdb.dbo.sysjobs, sysjobactivity, syssessions (db_datareader in msdb)
-- since:   2012
-- reads only
SELECT j.job_id, j.name, CAST(j.enabled AS int) AS enabled,
       CASE WHEN a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL THEN 1 ELSE 0 END AS running,
       CASE WHEN a.run_requested_date IS NOT NULL AND a.start_execution_date IS NULL THEN 1 ELSE 0 END AS queued
FROM msdb.dbo.sysjobs AS j
LEFT JOIN msdb.dbo.sysjobactivity AS a
       ON a.job_id = j.job_id AND a.session_id = (SELECT MAX(x.session_id) FROM msdb.dbo.syssessions AS x)
WHERE j.job_id = @job_id;
