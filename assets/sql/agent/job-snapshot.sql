-- name:    agent/job-snapshot
-- purpose: the jobs a server has now, so that those that appear later are known to be new
-- in:      msdb
-- column:  job_id uniqueidentifier
-- column:  name nvarchar(128)
-- column:  enabled int
-- column:  created datetime
-- examines: job
-- needs:   SELECT on msdb.dbo.sysjobs (db_datareader in msdb)
-- since:   2012
-- reads only
SELECT j.job_id, j.name, CAST(j.enabled AS int) AS enabled, j.date_created AS created
FROM msdb.dbo.sysjobs AS j
ORDER BY j.name;
