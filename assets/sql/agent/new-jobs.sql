-- name:    agent/new-jobs
-- purpose: every job of the server, and whether it was there when the list was taken
-- in:      msdb
-- param:   @known nvarchar(max)
-- column:  job_id uniqueidentifier
-- column:  name nvarchar(128)
-- column:  enabled int
-- column:  known int
-- examines: job
-- needs:   SELECT on msdb.dbo.sysjobs (db_datareader in msdb)
-- since:   2012
-- reads only
SELECT j.job_id, j.name, CAST(j.enabled AS int) AS enabled,
       CASE WHEN CHARINDEX(N'|' + LOWER(CAST(j.job_id AS nvarchar(36))) + N'|', N'|' + LOWER(@known) + N'|') > 0
            THEN 1 ELSE 0 END AS known
FROM msdb.dbo.sysjobs AS j
ORDER BY j.name;
