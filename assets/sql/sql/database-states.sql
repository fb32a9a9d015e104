-- name:    sql/database-states
-- purpose: every database of the server with its state, recovery model and access
-- in:      master
-- column:  database_name nvarchar(128)
-- column:  state_desc nvarchar(60)
-- column:  recovery_model_desc nvarchar(60)
-- column:  user_access_desc nvarchar(60)
-- column:  is_read_only bit
-- column:  is_in_standby bit
-- column:  log_reuse_wait_desc nvarchar(60)
-- column:  create_date datetime
-- column:  is_system int
-- examines: database
-- needs:   VIEW ANY DATABASE (public has it)
-- since:   2012
-- reads only
SELECT d.name AS database_name, d.state_desc, d.recovery_model_desc, d.user_access_desc,
       d.is_read_only, d.is_in_standby, d.log_reuse_wait_desc, d.create_date,
       CASE WHEN d.database_id <= 4 THEN 1 ELSE 0 END AS is_system
FROM sys.databases AS d
ORDER BY d.name;
