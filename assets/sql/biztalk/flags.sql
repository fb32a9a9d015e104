-- name:    biztalk/flags
-- purpose: the switches of the backup job: a full is asked for, compression
-- in:      management
-- column:  force_full int
-- column:  use_compression int
-- examines: settings of the backup job; one row
-- needs:   SELECT on dbo.adm_BackupSettings
-- since:   2012
-- reads only
SELECT CAST(s.ForceFull AS int) AS force_full, CAST(s.UseCompression AS int) AS use_compression
FROM dbo.adm_BackupSettings AS s;
