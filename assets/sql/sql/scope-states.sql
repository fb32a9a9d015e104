-- name:    sql/scope-states
-- purpose: the databases of the scope that this server has, with state, recovery model and access
-- in:      master
-- param:   @scope nvarchar(max)
-- column:  database_name nvarchar(128)
-- column:  state_desc nvarchar(60)
-- column:  recovery_model_desc nvarchar(60)
-- column:  user_access_desc nvarchar(60)
-- column:  is_read_only bit
-- column:  is_in_standby bit
-- column:  log_reuse_wait_desc nvarchar(60)
-- examines: database
-- needs:   VIEW ANY DATABASE (public has it)
-- since:   2012
-- reads only
SELECT d.name AS database_name, d.state_desc, d.recovery_model_desc, d.user_access_desc,
       d.is_read_only, d.is_in_standby, d.log_reuse_wait_desc
FROM sys.databases AS d
WHERE CHARINDEX(N'|' + d.name + N'|', N'|' + @scope + N'|') > 0
ORDER BY d.name;
