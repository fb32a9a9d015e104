-- name:    agent/enable-job
-- purpose: lets a job be started by its schedules again
-- in:      msdb
-- param:   @job_id uniqueidentifier
-- examines: job
-- needs:   sysadmin, or SQLAgentOperatorRole in msdb
-- since:   2012
-- writes
EXEC msdb.dbo.sp_update_job @job_id = @job_id, @enabled = 1;
