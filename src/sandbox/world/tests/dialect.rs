//! What users make in the world's databases, linked servers, and the table of `tsql`'s dialect page.

use super::*;
use crate::sandbox::answer::{Conversation, Server as _};
use crate::sandbox::tsql::session::Endpoint;

fn session(walk: &Walk, server: usize) -> Box<dyn Conversation> {
    let login = Login { user: "sa".into(), password: PASSWORD.into(), ..Login::default() };
    Endpoint::new(Arc::clone(&walk.hosts[server])).login(&login).unwrap()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Text(t) => t.clone(),
        Value::Int(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

/// Rows as `a,b | c,d`, errors as `E207`, messages as `I0:text`; all in order.
fn ask(session: &mut dyn Conversation, sql: &str) -> String {
    let mut kept = Kept::default();
    session.batch(sql, &mut kept);
    let shown = kept.0.iter().filter_map(|part| match part {
        Part::Row(row) => Some(row.iter().map(cell).collect::<Vec<_>>().join(",")),
        Part::Error(m) => Some(format!("E{}", m.number)),
        Part::Info(m) if m.number == 0 => Some(format!("I{}", m.text)),
        _ => None,
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[test]
fn users_make_tables_views_and_procedures() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut own = session(&walk, 0);
    let mut check = |sql: &str, wanted: &str| assert_eq!(ask(&mut *own, sql), wanted, "{sql}");
    check(
        "CREATE TABLE dbo.notes (id int IDENTITY(1,1) PRIMARY KEY, body nvarchar(20) NOT NULL DEFAULT 'none', at datetime NULL)",
        "",
    );
    check(
        "INSERT dbo.notes (body) VALUES ('a'), (DEFAULT) SELECT SCOPE_IDENTITY() SELECT id, body FROM notes",
        "Decimal { digits: 2, scale: 0 } | 1,a | 2,none",
    );
    check("INSERT notes (id, body) VALUES (9, 'x')", "E544");
    check(
        "UPDATE notes SET body = 'b' WHERE id = 1 DELETE notes WHERE id = 2 INSERT notes (body) VALUES ('c') SELECT id, body FROM notes",
        "1,b | 2,c",
    );
    check("CREATE TABLE notes (a int)", "E2714");
    check("CREATE VIEW dbo.v_notes AS SELECT id, UPPER(body) AS big FROM dbo.notes", "");
    check(
        "SELECT big FROM v_notes WHERE id = 1 SELECT x.big FROM master.dbo.v_notes AS x ORDER BY x.id DESC",
        "B | C | B",
    );
    check("SELECT 1 CREATE VIEW dbo.w AS SELECT 1 AS a", "E111");
    check("CREATE VIEW dbo.w AS SELECT 1", "E4511");
    check(
        "CREATE PROCEDURE dbo.add_note @body nvarchar(20) = N'default', @id int OUTPUT AS\nSET NOCOUNT ON\nINSERT dbo.notes (body) VALUES (@body)\nSET @id = SCOPE_IDENTITY()\nRETURN 7",
        "",
    );
    check(
        "DECLARE @i int, @rc int EXEC @rc = dbo.add_note @body = N'p', @id = @i OUTPUT SELECT @i, @rc EXEC add_note DEFAULT, @i OUTPUT SELECT body FROM notes WHERE id = @i",
        "3,7 | default",
    );
    check("EXEC add_note", "E201");
    check("EXEC add_note @nope = 1", "E8145");
    check("CREATE PROC dbo.add_note AS SELECT 1", "E2714");
    check("ALTER PROC dbo.add_note @a int AS SELECT @a * 2 AS b", "");
    check("EXEC add_note 21", "42");
    check("CREATE PROC dbo.broken AS SELECT nope FROM dbo.notes", "E207");
    check("CREATE PROC dbo.late AS SELECT a FROM dbo.not_yet", "");
    check("EXEC late SELECT 1", "E208 | 1");
    check("CREATE PROC dbo.err AS\nSELECT 1/0", "");
    check(
        "BEGIN TRY EXEC dbo.err END TRY BEGIN CATCH SELECT ERROR_PROCEDURE(), ERROR_LINE() END CATCH",
        "err,2",
    );
    check("CREATE PROC dbo.deep AS EXEC dbo.deep", "");
    check("EXEC dbo.deep", "E217");
    check("CREATE PROC #tmp @a int AS SELECT @a + 1", "");
    check("EXEC #tmp 4", "5");
    check("SELECT COUNT(*) FROM sys.objects WHERE name IN ('notes', 'v_notes', 'add_note')", "3");
    check("DROP VIEW v_notes DROP PROCEDURE add_note, late DROP TABLE notes SELECT 1 FROM notes", "E208");
    check("DROP PROC add_note", "E3701");
    check("DROP PROC IF EXISTS add_note SELECT 2", "2");
    check(
        "SELECT name INTO dbo.kept FROM sys.databases WHERE database_id < 3 SELECT name FROM kept ORDER BY name DROP TABLE kept",
        "master | tempdb",
    );
    check("BEGIN TRAN CREATE TABLE dbo.t1 (a int)", "E59999");
}

#[test]
fn what_users_make_is_saved_and_dies_with_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    ask(&mut *session(&walk, 0), "CREATE TABLE dbo.n (a int)");
    assert_eq!(ask(&mut *session(&walk, 0), "INSERT n VALUES (1) SELECT a FROM n"), "1");
    assert_eq!(ask(&mut *session(&walk, 1), "SELECT a FROM n"), "E208");
}

#[test]
fn every_database_gets_its_command() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut own = session(&walk, 0);
    let all = ask(&mut *own, "EXEC sp_MSforeachdb 'USE [?]; SELECT DB_NAME()'");
    assert!(all.starts_with("master | tempdb | model | msdb | BizTalk"), "{all}");
    assert_eq!(ask(&mut *own, "EXEC sp_MSforeachdb @command1 = 'IF ''?'' = ''msdb'' PRINT ''?'''"), "Imsdb");
}

#[test]
fn linked_servers_of_the_world_answer() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut own = session(&walk, 1);
    let linked = walk.rows(1, "master", "sys.servers", &["name", "is_linked"]);
    let name = linked.iter().find(|r| r[1] == Value::Bit(true)).map(|r| word(&r[0])).unwrap();
    let there = ask(&mut *own, &format!("SELECT COUNT(*) FROM [{name}].msdb.dbo.sysjobs"));
    assert_ne!(there, "0", "{there}");
    assert!(there.parse::<u32>().is_ok(), "{there}");
    let sql = format!("SELECT n FROM OPENQUERY([{name}], 'SELECT @@SERVERNAME AS n')");
    assert_eq!(ask(&mut *own, &sql).to_lowercase(), walk.hosts[0].name().to_lowercase());
    assert_eq!(ask(&mut *own, "SELECT * FROM nowhere.master.dbo.t"), "E7202");
}

/// Language by feature: an example of each, and whether it runs.
const FEATURES: &[(&str, &str)] = &[
    (
        "joins, APPLY, derived tables, VALUES",
        "SELECT d.name, x.n FROM sys.databases d CROSS APPLY (VALUES (1), (2)) x(n) LEFT JOIN sys.master_files f ON f.database_id = d.database_id",
    ),
    (
        "CTEs, also recursive",
        "WITH r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT SUM(n) FROM r OPTION (MAXRECURSION 50)",
    ),
    (
        "aggregates, GROUP BY, HAVING",
        "SELECT state_desc, COUNT(*), STDEV(database_id) FROM sys.databases GROUP BY state_desc HAVING COUNT(*) > 0",
    ),
    (
        "ROLLUP, CUBE, GROUPING SETS",
        "SELECT state, COUNT(*), GROUPING(state) FROM sys.databases GROUP BY ROLLUP (state)",
    ),
    ("STRING_AGG", "SELECT STRING_AGG(name, ',') WITHIN GROUP (ORDER BY name) FROM sys.databases"),
    (
        "windows with frames, ranks, LAG, PERCENTILE_CONT",
        "SELECT name, LAG(name) OVER (ORDER BY name), SUM(database_id) OVER (ORDER BY name ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM sys.databases",
    ),
    (
        "TOP, PERCENT, WITH TIES, OFFSET … FETCH",
        "SELECT TOP (10) PERCENT WITH TIES name FROM sys.databases ORDER BY state",
    ),
    ("UNION, EXCEPT, INTERSECT", "SELECT 1 AS a UNION SELECT 2 EXCEPT SELECT 2"),
    (
        "PIVOT, UNPIVOT",
        "SELECT [0] FROM (SELECT database_id, state FROM sys.databases) s PIVOT (COUNT(database_id) FOR state IN ([0])) p",
    ),
    (
        "FOR XML PATH, RAW, AUTO",
        "SELECT STUFF((SELECT ',' + name FROM sys.databases FOR XML PATH(''), TYPE).value('.', 'nvarchar(max)'), 1, 1, '')",
    ),
    ("FOR JSON, OPENJSON, JSON_VALUE", "SELECT name FROM sys.databases FOR JSON PATH"),
    (
        "xml values: value, query, exist, nodes over plain paths",
        "DECLARE @x xml = '<a b=\"1\"/>' SELECT @x.value('(/a/@b)[1]', 'int')",
    ),
    ("XQuery beyond paths, modify()", "DECLARE @x xml = '<a/>' SELECT @x.query('for $i in /a return $i')"),
    ("FOR XML EXPLICIT", "SELECT 1 AS Tag, NULL AS Parent, 1 AS [a!1!b] FOR XML EXPLICIT"),
    (
        "exact decimals, money, overflow and division errors",
        "SELECT CAST(1 AS decimal(38, 10)) / 3, $1.5 * 2",
    ),
    (
        "CONVERT styles 0 to 14, 20 to 25, 100 to 114, 120, 121, 126, 127; binary 0 to 2",
        "SELECT CONVERT(varchar(30), GETDATE(), 126), CONVERT(varchar(10), 0x0A, 1)",
    ),
    ("Hijri dates (styles 130, 131)", "SELECT CONVERT(varchar(40), GETDATE(), 130)"),
    (
        "FORMAT with standard and custom patterns, en-US",
        "SELECT FORMAT(GETDATE(), 'yyyy-MM-dd'), FORMAT(1234.5, 'N1')",
    ),
    ("FORMAT in other cultures", "SELECT FORMAT(1, 'N', 'de-DE')"),
    ("HASHBYTES: MD5, SHA1, SHA2_256, SHA2_512", "SELECT HASHBYTES('SHA2_256', 'a')"),
    ("CHECKSUM, BINARY_CHECKSUM, CHECKSUM_AGG", "SELECT CHECKSUM('a')"),
    ("AT TIME ZONE 'UTC'", "SELECT GETDATE() AT TIME ZONE 'UTC'"),
    ("other time zones", "SELECT GETDATE() AT TIME ZONE 'Central European Standard Time'"),
    ("COLLATE that the server has anyway", "SELECT name COLLATE DATABASE_DEFAULT FROM sys.databases"),
    ("other collations", "SELECT name FROM sys.databases ORDER BY name COLLATE Latin1_General_BIN"),
    (
        "IF, WHILE, GOTO, TRY … CATCH, THROW, RAISERROR, PRINT",
        "DECLARE @i int = 0 again: SET @i += 1 IF @i < 3 GOTO again PRINT @i",
    ),
    ("WAITFOR DELAY and TIME, on the drill's clock", "WAITFOR DELAY '00:00:00'"),
    (
        "cursors, also as variables; every one is a picture of its rows at OPEN",
        "DECLARE @n sysname DECLARE c CURSOR LOCAL FOR SELECT name FROM sys.databases OPEN c FETCH NEXT FROM c INTO @n CLOSE c DEALLOCATE c",
    ),
    ("UPDATE … WHERE CURRENT OF", "DECLARE c CURSOR FOR SELECT 1 AS a UPDATE x SET a = 1 WHERE CURRENT OF c"),
    (
        "temporary tables and table variables with keys, checks, identity, computed columns",
        "CREATE TABLE #t (a int IDENTITY PRIMARY KEY, b int CHECK (b > 0), c AS b * 2) INSERT #t (b) VALUES (1) DROP TABLE #t",
    ),
    ("global temporary tables", "CREATE TABLE ##t (a int)"),
    ("FOREIGN KEY", "CREATE TABLE #t (a int REFERENCES #u (a))"),
    (
        "INSERT, UPDATE, DELETE with OUTPUT; through CTEs",
        "SELECT 1 AS a INTO #t; WITH c AS (SELECT a FROM #t) DELETE c OUTPUT deleted.a",
    ),
    (
        "MERGE",
        "SELECT 1 AS a INTO #t MERGE #t USING (VALUES (2)) s(a) ON s.a = #t.a WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a) OUTPUT $action;",
    ),
    (
        "CREATE, ALTER and DROP of tables, views and procedures (not in the log, not within a transaction)",
        "CREATE PROCEDURE #p @a int AS SELECT @a",
    ),
    (
        "functions, triggers, types, synonyms, sequences, schemas of users",
        "CREATE FUNCTION dbo.f() RETURNS int AS BEGIN RETURN 1 END",
    ),
    (
        "EXEC of texts, sp_executesql, output parameters, return codes",
        "DECLARE @r int EXEC sp_executesql N'SET @r = 1', N'@r int OUTPUT', @r OUTPUT",
    ),
    ("sp_MSforeachdb", "EXEC sp_MSforeachdb 'PRINT ''?'''"),
    ("EXECUTE AS, REVERT", "EXECUTE AS LOGIN = 'sa'"),
    (
        "SET ROWCOUNT, DATEFIRST, NOEXEC, PARSEONLY, FMTONLY, IDENTITY_INSERT",
        "SET ROWCOUNT 2 SELECT name FROM sys.databases SET ROWCOUNT 0",
    ),
    ("SET ANSI_NULLS OFF, CONCAT_NULL_YIELDS_NULL OFF, ANSI_WARNINGS OFF", "SET ANSI_NULLS OFF"),
    ("SET SHOWPLAN_*, STATISTICS IO or TIME", "SET SHOWPLAN_TEXT ON"),
    ("other languages and date formats", "SET DATEFORMAT dmy"),
    ("OPENROWSET, OPENDATASOURCE, BULK INSERT", "SELECT * FROM OPENROWSET('x', 'y', 'z') AS a"),
    ("EXEC … AT, procedures of linked servers", "EXEC ('SELECT 1') AT [SRV]"),
    (
        "table hints and OPTION (…)",
        "SELECT name FROM sys.databases WITH (NOLOCK) OPTION (RECOMPILE, MAXDOP 1)",
    ),
    ("full-text search", "SELECT 1 FROM sys.databases WHERE CONTAINS(name, 'a')"),
];

/// The first refusal of an answer, or nothing.
fn refusal(session: &mut dyn Conversation, sql: &str) -> Option<(i32, String)> {
    let mut kept = Kept::default();
    session.batch(sql, &mut kept);
    kept.0.into_iter().find_map(|p| if let Part::Error(m) = p { Some((m.number, m.text)) } else { None })
}

/// A query on the server and in the database it is for: `runs`, or why not.
fn verdict(walk: &Walk, sql: &str) -> String {
    const PARAMETERS: &[(&str, &str)] = &[
        ("@db", "sysname = N'BizTalkMgmtDb'"),
        ("@job_id", "uniqueidentifier"),
        ("@path", "nvarchar(260) = N'C:\\x'"),
        ("@old_server", "sysname"),
        ("@msgbox", "sysname = N'BizTalkMsgBoxDb'"),
        ("@mark", "nvarchar(128)"),
        ("@linked", "sysname"),
        ("@t", "char(2) = 'lg'"),
        ("@names", "nvarchar(max) = N'a,b'"),
        ("@list", "nvarchar(max) = N'a|b'"),
    ];
    let mut declared = String::new();
    for (name, kind) in PARAMETERS {
        if sql.contains(name) && !sql.contains(&format!("DECLARE {name} ")) {
            declared.push_str(&format!("DECLARE {name} {kind}; "));
        }
    }
    let mut worst: Option<(i32, String)> = None;
    for (server, database) in
        [(0, "BizTalkMgmtDb"), (0, "msdb"), (1, "master"), (1, "msdb"), (0, "BizTalkMsgBoxDb")]
    {
        let mut session = session(walk, server);
        ask(&mut *session, &format!("USE [{database}]"));
        match refusal(&mut *session, &format!("{declared}{sql}")) {
            None => return "runs".to_owned(),
            Some(found) if found.0 == 59999 => worst = Some(found),
            Some(found) => worst = worst.or(Some(found)),
        }
    }
    let (number, text) = worst.unwrap_or_default();
    if number == 59999 {
        format!("refused: {}", text.trim_start_matches("not modelled: "))
    } else {
        format!("refused: {number}, {text}")
    }
}

/// The page as it should be.
fn page(walk: &Walk) -> String {
    let mut out = String::from(
        "# What T-SQL the sandbox speaks\n\nEvery line below is proved by a test (`world/tests/dialect.rs`), on the world `biztalk`. *Runs* means with SQL Server's\nmeaning; everything else is refused with error 59999, `not modelled: <what>`, or with the number the server has for it.\nFunctions and syntax newer than a server's version do not exist on it.\n\n## Language\n\n| what | |\n|---|---|\n",
    );
    for (feature, sql) in FEATURES {
        let mut session = session(walk, 0);
        let shown = match refusal(&mut *session, sql) {
            None => "runs",
            Some((59999, _)) => "refused",
            Some((number, text)) => panic!("{feature}: {number} {text}"),
        };
        out.push_str(&format!("| {feature} | {shown} |\n"));
    }
    out.push_str("\n## The queries of the trade\n\nBy their numbers in `tests/cases/tsql`: Q of `biztalk.sql`, S of `sqlserver.sql`.\n\n| query | |\n|---|---|\n");
    let files = [
        (include_str!("../../../../tests/cases/tsql/biztalk.sql"), "Q"),
        (include_str!("../../../../tests/cases/tsql/sqlserver.sql"), "S"),
    ];
    for (text, mark) in files {
        for query in text.split(&format!("-- {mark}")).skip(1) {
            let Some((number, sql)) = query.split_once('\n') else { continue };
            out.push_str(&format!("| {mark}{number} | {} |\n", verdict(walk, sql)));
        }
    }
    out
}

#[test]
fn the_page_about_the_dialect_tells_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let made = page(&Walk::on(folder.path(), &[]));
    if let Some(path) = std::env::var_os("DRBOOK_DIALECT_PAGE") {
        std::fs::write(path, &made).unwrap();
    }
    let wrong: Vec<&str> = made
        .lines()
        .filter(|l| l.starts_with('|') && !l.contains("| runs |") && !l.contains("| refused"))
        .skip(4)
        .collect();
    assert!(wrong.is_empty(), "neither runs nor is refused:\n{}", wrong.join("\n"));
    let written = include_str!("../../DIALECT.md").replace("\r\n", "\n");
    for (own, other) in made.lines().zip(written.lines()) {
        assert_eq!(own, other, "write it anew with DRBOOK_DIALECT_PAGE=src/sandbox/DIALECT.md");
    }
    assert_eq!(made.lines().count(), written.lines().count());
}
