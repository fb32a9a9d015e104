-- name:    agent/start-job
-- purpose: asks the agent to run a job from the named step on; returns before the job ends
-- in:      msdb
-- param:   @job_id uniqueidentifier
-- param:   @step_name nvarchar(128)
-- examines: job
-- needs:   sysadmin, or SQLAgentOperatorRole in msdb
-- since:   2012
-- writes
EXEC msdb.dbo.sp_start_job @job_id = @job_id, @step_name = @step_name;
