-- name:    sql/orphaned-users
-- purpose: the users of a database that come from a login, and whether the server has that login
-- in:      any
-- column:  database_name nvarchar(128)
-- column:  user_name nvarchar(128)
-- column:  type_desc nvarchar(60)
-- column:  is_orphan int
-- column:  roles int
-- examines: database user; dbo is always among them and never counted as orphaned, for its owner changes with a restore
-- needs:   VIEW ANY DEFINITION (without it logins are hidden and every user looks orphaned)
-- since:   2012
-- reads only
SELECT DB_NAME() AS database_name, u.name AS user_name, u.type_desc,
       CASE WHEN p.sid IS NULL AND u.name <> N'dbo' THEN 1 ELSE 0 END AS is_orphan,
       (SELECT COUNT(*) FROM sys.database_role_members AS r WHERE r.member_principal_id = u.principal_id) AS roles
FROM sys.database_principals AS u
LEFT JOIN sys.server_principals AS p ON p.sid = u.sid
WHERE u.name = N'dbo'
   OR (u.type IN ('S', 'U', 'G') AND u.principal_id > 4 AND u.authentication_type IN (1, 3))
ORDER BY u.name;
