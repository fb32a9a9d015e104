-- name: agent/job-outcome
-- purpose: how the job ended
-- in: msdb
-- column: run_status int
-- examines: job
-- reads only
SELECT run_status FROM dbo.sysjobhistory;
