-- name: agent/start-job
-- purpose: start it
-- in: msdb
-- param: @job_id uniqueidentifier
-- examines: job
-- writes
EXEC dbo.sp_update_job @job_id = @job_id, @enabled = 0;
