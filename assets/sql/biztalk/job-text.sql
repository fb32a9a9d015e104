-- name:    biztalk/job-text
-- purpose: every job step of the server with its text, to look for names of servers in
-- in:      msdb
-- column:  job_name nvarchar(128)
-- column:  enabled int
-- column:  step_id int
-- column:  step_name nvarchar(128)
-- column:  subsystem nvarchar(40)
-- column:  server nvarchar(128)
-- column:  command nvarchar(max)
-- examines: job step
-- needs:   SELECT on msdb.dbo.sysjobs and sysjobsteps (db_datareader in msdb)
-- since:   2012
-- reads only
SELECT j.name AS job_name, CAST(j.enabled AS int) AS enabled, t.step_id, t.step_name, t.subsystem, t.server, t.command
FROM msdb.dbo.sysjobs AS j
JOIN msdb.dbo.sysjobsteps AS t ON t.job_id = j.job_id
ORDER BY j.name, t.step_id;
