-- name:    agent/job-outcome
-- purpose: how the newest run of a job after a known history row ended, and whether it runs now; always one row
-- in:      msdb
-- param:   @job_id uniqueidentifier
-- param:   @baseline bigint
-- column:  job_id uniqueidentifier
-- column:  name nvarchar(128)
-- column:  enabled int
-- column:  running int
-- column:  queued int
-- column:  run_status int
-- column:  instance_id bigint
-- column:  message nvarchar(4000)
-- column:  started datetime
-- column:  ended datetime
-- column:  duration_seconds int
-- examines: job
-- needs:   SELECT on msdb.dbo.sysjobs, sysjobactivity, syssessions, sysjobhistory (db_datareader in msdb)
-- since:   2012
-- reads only
SELECT q.job_id, j.name, CAST(j.enabled AS int) AS enabled,
       CASE WHEN a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL THEN 1 ELSE 0 END AS running,
       CASE WHEN a.run_requested_date IS NOT NULL AND a.start_execution_date IS NULL THEN 1 ELSE 0 END AS queued,
       h.run_status, CAST(h.instance_id AS bigint) AS instance_id, h.message, h.started,
       DATEADD(SECOND, h.duration_seconds, h.started) AS ended, h.duration_seconds
FROM (SELECT @job_id AS job_id) AS q
LEFT JOIN msdb.dbo.sysjobs AS j ON j.job_id = q.job_id
LEFT JOIN msdb.dbo.sysjobactivity AS a
       ON a.job_id = q.job_id AND a.session_id = (SELECT MAX(x.session_id) FROM msdb.dbo.syssessions AS x)
OUTER APPLY (
    SELECT TOP (1) r.run_status, r.instance_id, r.message,
           DATEADD(SECOND, r.run_time / 10000 * 3600 + r.run_time / 100 % 100 * 60 + r.run_time % 100,
                   CONVERT(datetime, CONVERT(char(8), r.run_date), 112)) AS started,
           r.run_duration / 10000 * 3600 + r.run_duration / 100 % 100 * 60 + r.run_duration % 100 AS duration_seconds
    FROM msdb.dbo.sysjobhistory AS r
    WHERE r.job_id = q.job_id AND r.step_id = 0 AND r.instance_id > @baseline
    ORDER BY r.instance_id DESC
) AS h;
