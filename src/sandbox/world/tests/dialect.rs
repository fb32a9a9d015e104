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
