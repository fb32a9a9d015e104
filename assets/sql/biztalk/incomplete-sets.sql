-- name:    biztalk/incomplete-sets
-- purpose: how many sets there are and whether an incomplete one has no complete full and log behind it; always one row
-- in:      management
-- column:  sets_seen bigint
-- column:  incomplete bigint
-- column:  newest_set bigint
-- column:  newest_incomplete bigint
-- column:  newest_full bigint
-- column:  newest_log bigint
-- column:  job_running int
-- examines: backup history as a whole
-- needs:   SELECT on dbo.adm_BackupHistory and on msdb.dbo.sysjobsteps, sysjobactivity, syssessions
-- since:   2012
-- reads only
SELECT COUNT_BIG(DISTINCT h.BackupSetId) AS sets_seen,
       COUNT_BIG(DISTINCT CASE WHEN h.SetComplete = 0 THEN h.BackupSetId END) AS incomplete,
       MAX(h.BackupSetId) AS newest_set,
       MAX(CASE WHEN h.SetComplete = 0 THEN h.BackupSetId END) AS newest_incomplete,
       MAX(CASE WHEN h.SetComplete = 1 AND h.BackupType = 'db' THEN h.BackupSetId END) AS newest_full,
       MAX(CASE WHEN h.SetComplete = 1 AND h.BackupType = 'lg' THEN h.BackupSetId END) AS newest_log,
       (SELECT COUNT(*) FROM msdb.dbo.sysjobactivity AS a
        WHERE a.session_id = (SELECT MAX(x.session_id) FROM msdb.dbo.syssessions AS x)
          AND a.start_execution_date IS NOT NULL AND a.stop_execution_date IS NULL
          AND EXISTS (SELECT 1 FROM msdb.dbo.sysjobsteps AS s
                      WHERE s.job_id = a.job_id AND s.command LIKE N'%sp[_]MarkAll%')) AS job_running
FROM dbo.adm_BackupHistory AS h;
