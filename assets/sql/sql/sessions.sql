-- name:    sql/sessions
-- purpose: who is connected to which database, by computer, program and login
-- in:      master
-- column:  database_name nvarchar(128)
-- column:  host_name nvarchar(128)
-- column:  program_name nvarchar(128)
-- column:  login_name nvarchar(128)
-- column:  sessions int
-- column:  last_request datetime
-- column:  sees_all int
-- examines: group of user sessions; the asking session is always among them
-- needs:   VIEW SERVER STATE (without it a server shows a login only its own session, and says nothing)
-- since:   2012
-- reads only
SELECT DB_NAME(s.database_id) AS database_name, s.host_name, s.program_name, s.login_name,
       COUNT(*) AS sessions, MAX(s.last_request_start_time) AS last_request,
       HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS sees_all
FROM sys.dm_exec_sessions AS s
WHERE s.is_user_process = 1
GROUP BY s.database_id, s.host_name, s.program_name, s.login_name
ORDER BY database_name, s.host_name, s.program_name;
