-- name:    biztalk/destination-jobs
-- purpose: the three log-shipping jobs of a destination: whether they may run, run now, and how they last ended; a missing one is a row of NULLs
-- in:      msdb
-- column:  job nvarchar(10)
-- column:  job_id uniqueidentifier
-- column:  name nvarchar(128)
-- column:  enabled int
-- column:  running int
-- column:  queued int
-- column:  run_status int
-- column:  age_seconds int
-- column:  message nvarchar(4000)
-- column:  schedules int
-- examines: log-shipping job
-- needs:   SELECT on msdb.dbo.sysjobs, sysjobactivity, syssessions, sysjobhistory, sysschedules, sysjobschedules
-- since:   2012
-- reads only
SELECT w.job, j.job_id, j.name, CAST(j.enabled AS int) AS enabled,
       CASE WHEN j.job_id IS NULL THEN NULL
            WHEN a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL THEN 1 ELSE 0 END AS running,
       CASE WHEN j.job_id IS NULL THEN NULL
            WHEN a.run_requested_date IS NOT NULL AND a.start_execution_date IS NULL THEN 1 ELSE 0 END AS queued,
       h.run_status, DATEDIFF(SECOND, h.started, GETDATE()) AS age_seconds, h.message,
       (SELECT COUNT(*) FROM msdb.dbo.sysjobschedules AS y
        JOIN msdb.dbo.sysschedules AS e ON e.schedule_id = y.schedule_id
        WHERE y.job_id = j.job_id AND e.enabled = 1) AS schedules
FROM (VALUES (N'history', N'BTS%Log Shipping%Get Backup History%'),
             (N'restore', N'BTS%Log Shipping%Restore Database%'),
             (N'mark', N'BTS%Log Shipping%Restore To Mark%')) AS w (job, pattern)
LEFT JOIN msdb.dbo.sysjobs AS j ON j.name LIKE w.pattern
LEFT JOIN msdb.dbo.sysjobactivity AS a
       ON a.job_id = j.job_id AND a.session_id = (SELECT MAX(x.session_id) FROM msdb.dbo.syssessions AS x)
OUTER APPLY (
    SELECT TOP (1) r.run_status, r.message,
           DATEADD(SECOND, r.run_time / 10000 * 3600 + r.run_time / 100 % 100 * 60 + r.run_time % 100
                           + r.run_duration / 10000 * 3600 + r.run_duration / 100 % 100 * 60 + r.run_duration % 100,
                   CONVERT(datetime, CONVERT(char(8), r.run_date), 112)) AS started
    FROM msdb.dbo.sysjobhistory AS r
    WHERE r.job_id = j.job_id AND r.step_id = 0
    ORDER BY r.instance_id DESC
) AS h
ORDER BY w.job;
