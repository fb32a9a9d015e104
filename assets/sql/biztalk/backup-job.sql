-- name:    biztalk/backup-job
-- purpose: the steps of the Backup BizTalk Server job, found by what they run; without such a job one row of NULLs
-- in:      msdb
-- column:  job_id uniqueidentifier
-- column:  job_name nvarchar(128)
-- column:  enabled int
-- column:  owner nvarchar(128)
-- column:  step_id int
-- column:  step_name nvarchar(128)
-- column:  database_name nvarchar(128)
-- column:  command nvarchar(max)
-- column:  on_success_action int
-- column:  on_fail_action int
-- examines: job step
-- needs:   SELECT on msdb.dbo.sysjobs and sysjobsteps (db_datareader in msdb)
-- since:   2012
-- reads only
SELECT b.job_id, b.name AS job_name, CAST(b.enabled AS int) AS enabled, SUSER_SNAME(b.owner_sid) AS owner,
       b.step_id, b.step_name, b.database_name, b.command,
       CAST(b.on_success_action AS int) AS on_success_action, CAST(b.on_fail_action AS int) AS on_fail_action
FROM (SELECT 1 AS one) AS o
LEFT JOIN (SELECT 1 AS one, j.job_id, j.name, j.enabled, j.owner_sid, t.step_id, t.step_name, t.database_name,
                  t.command, t.on_success_action, t.on_fail_action
           FROM msdb.dbo.sysjobs AS j
           JOIN msdb.dbo.sysjobsteps AS t ON t.job_id = j.job_id
           WHERE j.job_id IN (SELECT s.job_id FROM msdb.dbo.sysjobsteps AS s
                              WHERE s.command LIKE N'%sp[_]MarkAll%' OR s.command LIKE N'%sp[_]BackupAllFull[_]Schedule%')) AS b
       ON b.one = o.one
ORDER BY b.name, b.step_id;
