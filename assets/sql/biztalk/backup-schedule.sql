-- name:    biztalk/backup-schedule
-- purpose: the schedules of the Backup BizTalk Server job; a job without any shows one row of NULLs
-- in:      msdb
-- column:  job_name nvarchar(128)
-- column:  schedule nvarchar(128)
-- column:  enabled int
-- column:  freq_type int
-- column:  freq_subday_type int
-- column:  freq_subday_interval int
-- column:  active_start_time int
-- column:  active_end_time int
-- examines: schedule of the job
-- needs:   SELECT on msdb.dbo.sysjobs, sysjobsteps, sysschedules, sysjobschedules
-- since:   2012
-- reads only
SELECT j.name AS job_name, e.name AS schedule, CAST(e.enabled AS int) AS enabled, e.freq_type, e.freq_subday_type,
       e.freq_subday_interval, e.active_start_time, e.active_end_time
FROM msdb.dbo.sysjobs AS j
LEFT JOIN msdb.dbo.sysjobschedules AS y ON y.job_id = j.job_id
LEFT JOIN msdb.dbo.sysschedules AS e ON e.schedule_id = y.schedule_id
WHERE EXISTS (SELECT 1 FROM msdb.dbo.sysjobsteps AS s WHERE s.job_id = j.job_id AND s.command LIKE N'%sp[_]MarkAll%')
ORDER BY j.name, e.name;
