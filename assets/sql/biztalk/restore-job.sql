-- name:    biztalk/restore-job
-- purpose: the job that restores the imported sets
-- in:      msdb
-- column:  job_id uniqueidentifier
-- column:  name nvarchar(128)
-- column:  start_step nvarchar(128)
-- column:  enabled int
-- column:  running int
-- column:  last_instance_id bigint
-- examines: job; exactly one is expected
-- needs:   SELECT on msdb.dbo.sysjobs, sysjobsteps, sysjobactivity, syssessions, sysjobhistory (db_datareader in msdb)
-- since:   2012
-- reads only
SELECT j.job_id, j.name, t.step_name AS start_step, CAST(j.enabled AS int) AS enabled,
       CASE WHEN EXISTS (SELECT 1 FROM msdb.dbo.sysjobactivity AS a
                         WHERE a.job_id = j.job_id
                           AND a.session_id = (SELECT MAX(x.session_id) FROM msdb.dbo.syssessions AS x)
                           AND a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL)
            THEN 1 ELSE 0 END AS running,
       CAST(ISNULL((SELECT MAX(h.instance_id) FROM msdb.dbo.sysjobhistory AS h WHERE h.job_id = j.job_id), 0) AS bigint)
           AS last_instance_id
FROM msdb.dbo.sysjobs AS j
LEFT JOIN msdb.dbo.sysjobsteps AS t ON t.job_id = j.job_id AND t.step_id = 1
WHERE j.name LIKE N'BTS%Log Shipping%Restore Database%'
ORDER BY j.name;
