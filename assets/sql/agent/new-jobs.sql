-- name:    agent/new-jobs
-- purpose: every job of the server, whether it was there when the list was taken, and whether it runs
-- in:      msdb
-- param:   @known nvarchar(max)
-- column:  job_id uniqueidentifier
-- column:  name nvarchar(128)
-- column:  enabled int
-- column:  known int
-- column:  running int
-- examines: job
-- needs:   SELECT on msdb.dbo.sysjobs, sysjobactivity, syssessions (db_datareader in msdb)
-- since:   2012
-- reads only
SELECT j.job_id, j.name, CAST(j.enabled AS int) AS enabled,
       CASE WHEN CHARINDEX(N'|' + LOWER(CAST(j.job_id AS nvarchar(36))) + N'|', N'|' + LOWER(@known) + N'|') > 0
            THEN 1 ELSE 0 END AS known,
       CASE WHEN a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL THEN 1 ELSE 0 END AS running
FROM msdb.dbo.sysjobs AS j
LEFT JOIN msdb.dbo.sysjobactivity AS a
       ON a.job_id = j.job_id AND a.session_id = (SELECT MAX(x.session_id) FROM msdb.dbo.syssessions AS x)
ORDER BY j.name;
