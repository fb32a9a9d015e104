-- name:    agent/hold-job
-- purpose: keeps a job from being started by its schedules and stops a run under way (a job that must not run yet)
-- in:      msdb
-- param:   @job_id uniqueidentifier
-- examines: job
-- needs:   sysadmin, or SQLAgentOperatorRole in msdb
-- since:   2012
-- writes
EXEC msdb.dbo.sp_update_job @job_id = @job_id, @enabled = 0;
IF EXISTS (
    SELECT 1 FROM msdb.dbo.sysjobactivity AS a
    WHERE a.job_id = @job_id
      AND a.session_id = (SELECT MAX(x.session_id) FROM msdb.dbo.syssessions AS x)
      AND a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL)
    EXEC msdb.dbo.sp_stop_job @job_id = @job_id;
