-- name:    sql/configurations
-- purpose: the server options that BizTalk and its log shipping depend on
-- in:      master
-- column:  name nvarchar(35)
-- column:  value int
-- examines: server option
-- needs:   CONNECT SQL
-- since:   2012
-- reads only
SELECT c.name, CAST(c.value_in_use AS int) AS value
FROM sys.configurations AS c
WHERE c.name IN (N'Ad Hoc Distributed Queries', N'remote access', N'max degree of parallelism',
                 N'remote query timeout (s)', N'backup compression default', N'Agent XPs',
                 N'in-doubt xact resolution')
ORDER BY c.name;
