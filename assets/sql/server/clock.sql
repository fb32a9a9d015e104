-- name:    server/clock
-- purpose: the clock of a server and its offset from UTC
-- in:      master
-- column:  server_name nvarchar(128)
-- column:  clock datetimeoffset
-- column:  offset_minutes int
-- examines: server
-- needs:   CONNECT SQL
-- since:   2012
-- reads only
SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS server_name,
       SYSDATETIMEOFFSET() AS clock,
       DATEPART(TZOFFSET, SYSDATETIMEOFFSET()) AS offset_minutes;
