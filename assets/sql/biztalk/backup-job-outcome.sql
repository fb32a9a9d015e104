-- name:    biztalk/backup-job-outcome
-- purpose: whether the Backup BizTalk Server job may run, runs now, and how its newest finished run ended; without such a job one row of NULLs
-- in:      msdb
-- column:  job_id uniqueidentifier
-- column:  job_name nvarchar(128)
-- column:  enabled int
-- column:  running int
-- column:  running_seconds int
-- column:  run_status int
-- column:  started datetime
-- column:  duration_seconds int
-- column:  age_seconds int
-- column:  message nvarchar(4000)
-- column:  last_success_age_seconds int
-- column:  interval_seconds int
-- column:  schedules int
-- examines: job
-- needs:   SELECT on msdb.dbo.sysjobs, sysjobsteps, sysjobactivity, syssessions, sysjobhistory, sysschedules, sysjobschedules
-- since:   2012
-- reads only
SELECT j.job_id, j.name AS job_name, CAST(j.enabled AS int) AS enabled,
       CASE WHEN a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL THEN 1 ELSE 0 END AS running,
       CASE WHEN a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL
            THEN DATEDIFF(SECOND, a.start_execution_date, GETDATE()) END AS running_seconds,
       h.run_status, h.started, h.duration_seconds, DATEDIFF(SECOND, h.started, GETDATE()) AS age_seconds, h.message,
       DATEDIFF(SECOND, g.started, GETDATE()) AS last_success_age_seconds,
       c.interval_seconds, ISNULL(c.schedules, 0) AS schedules
FROM (SELECT 1 AS one) AS o
LEFT JOIN (SELECT 1 AS one, k.job_id, k.name, k.enabled FROM msdb.dbo.sysjobs AS k
           WHERE EXISTS (SELECT 1 FROM msdb.dbo.sysjobsteps AS s
                         WHERE s.job_id = k.job_id AND s.command LIKE N'%sp[_]MarkAll%')) AS j ON j.one = o.one
LEFT JOIN msdb.dbo.sysjobactivity AS a
       ON a.job_id = j.job_id AND a.session_id = (SELECT MAX(x.session_id) FROM msdb.dbo.syssessions AS x)
OUTER APPLY (
    SELECT TOP (1) r.run_status, r.message,
           DATEADD(SECOND, r.run_time / 10000 * 3600 + r.run_time / 100 % 100 * 60 + r.run_time % 100,
                   CONVERT(datetime, CONVERT(char(8), r.run_date), 112)) AS started,
           r.run_duration / 10000 * 3600 + r.run_duration / 100 % 100 * 60 + r.run_duration % 100 AS duration_seconds
    FROM msdb.dbo.sysjobhistory AS r
    WHERE r.job_id = j.job_id AND r.step_id = 0
    ORDER BY r.instance_id DESC
) AS h
OUTER APPLY (
    SELECT TOP (1) DATEADD(SECOND, r.run_time / 10000 * 3600 + r.run_time / 100 % 100 * 60 + r.run_time % 100,
                           CONVERT(datetime, CONVERT(char(8), r.run_date), 112)) AS started
    FROM msdb.dbo.sysjobhistory AS r
    WHERE r.job_id = j.job_id AND r.step_id = 0 AND r.run_status = 1
    ORDER BY r.instance_id DESC
) AS g
OUTER APPLY (
    SELECT COUNT(*) AS schedules,
           MIN(CASE e.freq_subday_type WHEN 2 THEN e.freq_subday_interval
                                       WHEN 4 THEN e.freq_subday_interval * 60
                                       WHEN 8 THEN e.freq_subday_interval * 3600
                                       ELSE 86400 END) AS interval_seconds
    FROM msdb.dbo.sysjobschedules AS y
    JOIN msdb.dbo.sysschedules AS e ON e.schedule_id = y.schedule_id
    WHERE y.job_id = j.job_id AND e.enabled = 1 AND e.freq_type = 4
) AS c
ORDER BY j.name;
