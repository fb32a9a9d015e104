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
DECLARE @names TABLE (name nvarchar(128) NOT NULL);
DECLARE @rest nvarchar(max) = @list + N'|', @at int;
WHILE @rest <> N''
BEGIN
    SET @at = CHARINDEX(N'|', @rest);
    IF @at > 1
        INSERT INTO @names (name) VALUES (LEFT(@rest, @at - 1));
    SET @rest = STUFF(@rest, 1, @at, N'');
END;
SELECT c.name AS login_name, CASE WHEN p.sid IS NULL THEN 0 ELSE 1 END AS is_present, p.type_desc, p.is_disabled
FROM @names AS c
LEFT JOIN sys.server_principals AS p
       ON p.name = c.name AND p.type IN ('S', 'U', 'G')
ORDER BY c.name;
