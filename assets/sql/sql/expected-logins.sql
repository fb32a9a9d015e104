-- name:    sql/expected-logins
-- purpose: each login of a list and whether the server has it
-- in:      master
-- param:   @list nvarchar(max)
-- column:  login_name nvarchar(128)
-- column:  is_present int
-- column:  type_desc nvarchar(60)
-- column:  is_disabled bit
-- examines: expected login
-- needs:   VIEW ANY DEFINITION (without it other logins are hidden and look absent)
-- since:   2012
-- reads only
WITH cut (name, rest) AS (
    SELECT CAST(LEFT(@list, CHARINDEX(N'|', @list + N'|') - 1) AS nvarchar(128)),
           CAST(STUFF(@list + N'|', 1, CHARINDEX(N'|', @list + N'|'), N'') AS nvarchar(max))
    UNION ALL
    SELECT CAST(LEFT(c.rest, CHARINDEX(N'|', c.rest) - 1) AS nvarchar(128)),
           CAST(STUFF(c.rest, 1, CHARINDEX(N'|', c.rest), N'') AS nvarchar(max))
    FROM cut AS c
    WHERE c.rest <> N''
)
SELECT c.name AS login_name, CASE WHEN p.sid IS NULL THEN 0 ELSE 1 END AS is_present, p.type_desc, p.is_disabled
FROM cut AS c
LEFT JOIN sys.server_principals AS p ON p.name = c.name AND p.type IN ('S', 'U', 'G')
WHERE c.name <> N''
OPTION (MAXRECURSION 0);
