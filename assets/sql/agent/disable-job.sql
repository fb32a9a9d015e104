-- name:    agent/disable-job
-- purpose: keeps a job from being started by its schedules; a run under way goes on
-- in:      msdb
-- param:   @job_id uniqueidentifier
-- examines: job
-- needs:   sysadmin, or SQLAgentOperatorRole in msdb
-- since:   2012
-- writes
EXEC msdb.dbo.sp_update_job @job_id = @job_id, @enabled = 0;
