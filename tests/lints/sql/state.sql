-- name: agent/state
-- purpose: one job
-- in: msdb
-- param: @job uniqueidentifier
-- column: enabled tinyint
-- examines: job
-- reads only
SELECT enabled FROM dbo.sysjobs WHERE job_id = @job;
