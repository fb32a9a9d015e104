-- name:    biztalk/jobs-to-hold
-- purpose: every job of the server, and which are BizTalk's own and must not run before the pointers are new
-- in:      msdb
-- column:  job_id uniqueidentifier
-- column:  name nvarchar(128)
-- column:  start_step nvarchar(128)
-- column:  enabled int
-- column:  running int
-- column:  last_instance_id bigint
-- column:  wanted int
-- examines: job
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
           AS last_instance_id,
       CASE WHEN j.enabled = 1 AND j.name NOT LIKE N'BTS%Log Shipping%'
             AND (j.name LIKE N'Backup BizTalk Server%' OR j.name LIKE N'CleanupBTF%' OR j.name LIKE N'DTA Purge%'
                  OR j.name LIKE N'MessageBox[_]%' OR j.name LIKE N'Operations[_]Operate%' OR j.name LIKE N'PurgeSubscriptions%'
                  OR j.name LIKE N'Rules[_]Database%' OR j.name LIKE N'TrackedMessages[_]Copy%' OR j.name LIKE N'Monitor BizTalk%'
                  OR j.name LIKE N'DelAlertHistJob%'
                  OR EXISTS (SELECT 1 FROM msdb.dbo.sysjobsteps AS s WHERE s.job_id = j.job_id AND s.command LIKE N'%sp[_]MarkAll%'))
            THEN 1 ELSE 0 END AS wanted
FROM msdb.dbo.sysjobs AS j
LEFT JOIN msdb.dbo.sysjobsteps AS t ON t.job_id = j.job_id AND t.step_id = 1
ORDER BY j.name;
