-- name:    biztalk/group-pointers
-- purpose: every place where the BizTalk group names a server, one row per pointer
-- in:      management
-- column:  pointer nvarchar(300)
-- column:  server_name nvarchar(256)
-- column:  database_name nvarchar(256)
-- examines: pointer to a server
-- needs:   SELECT on dbo.adm_Group, dbo.adm_MessageBox, dbo.adm_OtherBackupDatabases
-- since:   2012
-- reads only
SELECT CAST(p.pointer AS nvarchar(300)) AS pointer, CAST(p.server_name AS nvarchar(256)) AS server_name,
       CAST(p.database_name AS nvarchar(256)) AS database_name
FROM dbo.adm_Group AS g
CROSS APPLY (VALUES (N'adm_Group: tracking', g.TrackingDBServerName, g.TrackingDBName),
                    (N'adm_Group: master MessageBox', g.SubscriptionDBServerName, g.SubscriptionDBName),
                    (N'adm_Group: BAM', g.BamDBServerName, g.BamDBName),
                    (N'adm_Group: rule engine', g.RuleEngineDBServerName, g.RuleEngineDBName)
            ) AS p (pointer, server_name, database_name)
UNION ALL
SELECT N'adm_MessageBox', CAST(m.DBServerName AS nvarchar(256)), CAST(m.DBName AS nvarchar(256))
FROM dbo.adm_MessageBox AS m
UNION ALL
SELECT CAST(N'adm_OtherBackupDatabases: ' + o.DefaultDatabaseName AS nvarchar(300)), CAST(o.ServerName AS nvarchar(256)),
       CAST(o.DatabaseName AS nvarchar(256))
FROM dbo.adm_OtherBackupDatabases AS o;
