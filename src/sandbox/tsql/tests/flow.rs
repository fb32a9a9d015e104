//! Batches: variables, control flow, errors and what they end, tables of the session, transactions.

use std::sync::Arc;

use super::host::Fake;
use super::{answer, check, run, run_in, session, session_on};
use crate::sandbox::answer::{Kept, Login, Parameter, Part, Server};
use crate::sandbox::host::{Command, Device, Mood, RestoreInfo};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::value::{Type, Value};

#[test]
fn statements_follow_each_other_without_semicolons() {
    check(&[
        ("SET NOCOUNT ON DECLARE @a int = 1, @b varchar(10) SELECT @b = 'x' SELECT @a, @b", "1,x"),
        ("IF 1 = 0 SELECT 1 ELSE SELECT 2", "2"),
        ("IF 1 = 0 SELECT 1; ELSE BEGIN SELECT 2 SELECT 3 END", "2; 3"),
        (
            "DECLARE @i int = 0 WHILE @i < 5 BEGIN SET @i += 1 IF @i = 2 CONTINUE IF @i = 4 BREAK END SELECT @i",
            "4",
        ),
        ("PRINT 'a' + 'b' PRINT 5", "I0:ab; I0:5"),
        ("DECLARE @x int SELECT @x = id FROM t ORDER BY id SELECT @x", "3"),
        ("DECLARE @x int = 9 SELECT @x = id FROM empty SELECT @x", "9"),
        ("SELECT id FROM t WHERE id > 1 SELECT @@ROWCOUNT", "2 | 3; 2"),
        ("RETURN SELECT 1", ""),
        ("DECLARE @x varchar(2) = 'abcdef' SELECT @x", "ab"),
        ("USE msdb SELECT DB_NAME()", "I5701:Changed database context to 'msdb'.; msdb"),
        ("USE msdb; SELECT COUNT(*) FROM sysjobs", "I5701:Changed database context to 'msdb'.; 3"),
        ("USE nowhere SELECT 1", "E911; 1"),
        ("WAITFOR DELAY '00:00:00.010' SELECT 1", "1"),
        (
            "SET LOCK_TIMEOUT 5000; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT @@LOCK_TIMEOUT",
            "5000",
        ),
        (
            "SET DEADLOCK_PRIORITY LOW SET ANSI_NULLS, QUOTED_IDENTIFIER ON SET TEXTSIZE 2147483647 SELECT 1",
            "1",
        ),
        ("SELECT @@SPID, @@SERVERNAME, @@TRANCOUNT", "51,FAKE1,0"),
    ]);
}

#[test]
fn an_error_ends_what_sql_server_lets_it_end() {
    check(&[
        // the statement
        ("SELECT 1/0 SELECT 2", "; E8134; 2"),
        ("SELECT 2147483647 + 1 SELECT 2", "; E8115; 2"),
        ("SELECT (SELECT id FROM t) SELECT 2", "; E512; 2"),
        ("EXEC nowhere SELECT 2", "E2812; 2"),
        ("SELECT 1/0 SELECT @@ERROR SELECT @@ERROR", "; E8134; 8134; 0"),
        // the batch
        ("SELECT CAST('x' AS int) SELECT 2", "; E245"),
        ("SELECT 1 SELECT * FROM nowhere SELECT 2", "1; E208"),
        ("SET XACT_ABORT ON SELECT 1/0 SELECT 2", "; E8134"),
        ("THROW 50001, 'mine', 1; SELECT 2", "E50001"),
        // nothing of a batch that does not compile
        ("SELECT 1 SELECT nope FROM t", "E207"),
        ("SELECT 1 SELECT @nope", "E137"),
        ("SELECT 1 SELEKT 2", "E102"),
        ("SELECT 1 SELECT LEN(1, 2)", "E174"),
        ("SELECT nope, nix FROM t", "E207; E207"),
        ("SELECT nope FROM empty", "E207"),
        ("SELECT nope FROM nowhere", "E208"),
        // its own scope only
        ("EXEC ('SELECT 1 SELECT nope FROM t') SELECT 2", "E207; 2"),
        ("EXEC ('SELECT * FROM nowhere') SELECT 2", "E208; 2"),
        ("EXEC ('SELECT CAST(''x'' AS int)') SELECT 2", "; E245"),
        ("EXEC sp_executesql N'SELEKT 1 2' SELECT 2", "E102; 2"),
        // RAISERROR goes on
        ("RAISERROR ('a %d', 16, 1, 5) SELECT @@ERROR", "E50000; 50000"),
        ("RAISERROR ('a', 10, 1) SELECT @@ERROR", "I50000:a; 0"),
        ("RAISERROR (N'%s is %d', 0, 1, N'x', 3) WITH NOWAIT", "I50000:x is 3"),
    ]);
}

#[test]
fn catch_catches_what_try_lets_fall() {
    check(&[
        (
            "BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_SEVERITY(), ERROR_LINE() END CATCH",
            "; 8134,16,1",
        ),
        (
            "BEGIN TRY SELECT CAST('x' AS int) END TRY BEGIN CATCH SELECT 'caught' END CATCH SELECT 2",
            "; caught; 2",
        ),
        (
            "BEGIN TRY RAISERROR ('mine', 16, 3) SELECT 1 END TRY BEGIN CATCH SELECT ERROR_MESSAGE(), ERROR_STATE() END CATCH",
            "mine,3",
        ),
        (
            "BEGIN TRY RAISERROR ('mine', 10, 3) SELECT 1 END TRY BEGIN CATCH SELECT 2 END CATCH",
            "I50000:mine; 1",
        ),
        ("BEGIN TRY THROW 50001, 'x', 2 END TRY BEGIN CATCH THROW END CATCH", "E50001"),
        (
            "BEGIN TRY EXEC ('SELECT * FROM nowhere') END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH",
            "208",
        ),
        ("BEGIN TRY SELECT * FROM nowhere END TRY BEGIN CATCH SELECT 'no' END CATCH SELECT 2", "E208"),
        (
            "BEGIN TRY EXEC sp_fail END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_PROCEDURE() END CATCH",
            "14262,sp_fail",
        ),
        ("SELECT ERROR_NUMBER()", "NULL"),
        (
            "BEGIN TRY BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH THROW END CATCH END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH",
            "; 8134",
        ),
        (
            "BEGIN TRY RESTORE LOG x FROM DISK = 'a' END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH",
            "3013",
        ),
    ]);
}

#[test]
fn dynamic_sql_and_procedures_take_arguments() {
    check(&[
        ("EXEC ('SELECT ' + '1')", "1"),
        ("DECLARE @s nvarchar(50) = N'SELECT @a + 1', @r int EXEC sp_executesql @s, N'@a int', @a = 4", "5"),
        ("DECLARE @r int EXEC sp_executesql N'SET @o = 7', N'@o int OUTPUT', @o = @r OUTPUT SELECT @r", "7"),
        ("DECLARE @r int EXEC sp_executesql N'SELECT @a, @b', N'@a int, @b varchar(5)', 1, 'abc'", "1,abc"),
        ("EXEC sp_executesql N'SELECT @a', N'@a int'", "E8178"),
        ("EXEC sp_executesql 'SELECT 1'", "E214"),
        ("EXEC msdb.dbo.sp_two @x = 1, @y = 'z'", "2 | 2"),
        ("sp_two 1, 'z'", "2 | 2"),
        ("DECLARE @rc int EXEC @rc = sp_seven SELECT @rc", "7"),
        ("DECLARE @p sysname = 'sp_two' EXEC @p", "0 | 2"),
        ("EXEC sp_fail SELECT 1", "E14262; 1"),
        (
            "CREATE TABLE #r (a int) INSERT #r EXEC sp_two INSERT INTO #r EXEC ('SELECT 9') SELECT a FROM #r",
            "0 | 2 | 9",
        ),
        ("EXEC ('USE msdb') SELECT DB_NAME()", "I5701:Changed database context to 'msdb'.; master"),
        ("EXEC ('SELECT 1') AT LINKED", "E59999"),
        ("EXEC srv.master.dbo.sp_two", "E59999"),
    ]);
}

#[test]
fn sessions_have_tables_of_their_own() {
    check(&[
        (
            "CREATE TABLE #t (a int NOT NULL, b varchar(5) DEFAULT 'x') INSERT #t (a) VALUES (1), (2) SELECT * FROM #t",
            "1,x | 2,x",
        ),
        (
            "DECLARE @t TABLE (a int IDENTITY(10, 5), b int) INSERT @t VALUES (7), (8) SELECT a, b FROM @t",
            "10,7 | 15,8",
        ),
        (
            "SELECT id, name INTO #x FROM t WHERE id < 3 SELECT COUNT(*) FROM #x DROP TABLE #x SELECT * FROM #x",
            "2; E208",
        ),
        (
            "SELECT id INTO #x FROM t UPDATE #x SET id = id * 10 WHERE id > 1 DELETE #x WHERE id = 1 SELECT id FROM #x",
            "20 | 30",
        ),
        (
            "SELECT id INTO #x FROM t UPDATE x SET id += n.n FROM #x x JOIN numbers n ON n.n = x.id WHERE n.n = 3 SELECT id FROM #x",
            "1 | 2 | 6",
        ),
        (
            "SELECT id INTO #x FROM t DELETE x FROM #x AS x WHERE EXISTS (SELECT 1 FROM t WHERE t.id = x.id AND t.name IS NULL) SELECT id FROM #x",
            "1 | 2",
        ),
        (
            "CREATE TABLE #t (a int NOT NULL) INSERT #t VALUES (NULL) SELECT 1",
            "E515; I3621:The statement has been terminated.; 1",
        ),
        (
            "CREATE TABLE #t (a varchar(2)) INSERT #t VALUES ('abc') SELECT COUNT(*) FROM #t",
            "E2628; I3621:The statement has been terminated.; 0",
        ),
        ("CREATE TABLE #t (a int) INSERT #t VALUES (1, 2)", "E213"),
        ("CREATE TABLE #t (a int) INSERT #t (b) VALUES (1)", "E207"),
        ("CREATE TABLE #t (a int) CREATE TABLE #t (a int)", "E2714"),
        ("CREATE TABLE #t (a int) TRUNCATE TABLE #t SELECT COUNT(*) FROM #t", "0"),
        ("INSERT INTO t (id, name) VALUES (9, 'new') SELECT name FROM t WHERE id = 9", "new"),
        ("INSERT t SELECT n, 'x', NULL FROM numbers WHERE n = 50 SELECT COUNT(*) FROM t", "4"),
        ("UPDATE t SET amount = NULL WHERE id = 1 SELECT @@ROWCOUNT, COUNT(amount) FROM t", "1,1"),
        ("INSERT t (id, nope) VALUES (1, 2) SELECT 1", "E207"),
        ("INSERT t (id, name) VALUES (1) SELECT 1", "E109"),
        ("CREATE TABLE permanent (a int)", "E59999"),
    ]);
}

#[test]
fn transactions_count_and_roll_back() {
    check(&[
        (
            "BEGIN TRAN BEGIN TRAN SELECT @@TRANCOUNT COMMIT SELECT @@TRANCOUNT COMMIT SELECT @@TRANCOUNT",
            "2; 1; 0",
        ),
        (
            "BEGIN TRAN UPDATE t SET name = 'z' DELETE t WHERE id = 2 INSERT t (id) VALUES (7) ROLLBACK SELECT id, name FROM t ORDER BY id",
            "1,alpha | 2,beta | 3,NULL",
        ),
        ("BEGIN TRAN DELETE t COMMIT SELECT COUNT(*) FROM t", "0"),
        ("CREATE TABLE #x (a int) BEGIN TRAN INSERT #x VALUES (1) ROLLBACK SELECT COUNT(*) FROM #x", "0"),
        ("COMMIT", "E3902"),
        ("ROLLBACK", "E3903"),
        ("BEGIN TRAN a ROLLBACK TRAN b", "E6401"),
        ("BEGIN TRAN a WITH MARK 'x' COMMIT", ""),
        ("BEGIN TRAN a SAVE TRAN b DELETE t ROLLBACK TRAN b SELECT COUNT(*), @@TRANCOUNT FROM t", "3,1"),
        (
            "BEGIN TRAN DELETE t WHERE id = 1 SAVE TRAN b DELETE t ROLLBACK TRAN b COMMIT SELECT COUNT(*) FROM t",
            "2",
        ),
        (
            "CREATE TABLE #x (a int) BEGIN TRAN INSERT #x VALUES (1) SAVE TRAN s INSERT #x VALUES (2) ROLLBACK TRAN s COMMIT SELECT a FROM #x",
            "1",
        ),
        ("SAVE TRAN s", "E628"),
        ("BEGIN TRAN a SAVE TRAN a DELETE t ROLLBACK TRAN a SELECT @@TRANCOUNT", "1"),
        ("BEGIN TRAN A ROLLBACK TRAN a", "E6401"),
        (
            "DECLARE @n varchar(50) = REPLICATE('x', 40) BEGIN TRAN @n ROLLBACK TRAN @n SELECT @@TRANCOUNT",
            "0",
        ),
        ("BEGIN TRAN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "E103"),
        ("EXEC ('BEGIN TRAN') SELECT @@TRANCOUNT", "E266; 1"),
        ("BEGIN TRAN EXEC sp_executesql N'COMMIT' SELECT @@TRANCOUNT", "E266; 0"),
        ("SET IMPLICIT_TRANSACTIONS ON SELECT 1 SELECT @@TRANCOUNT", "1; 0"),
        ("SET IMPLICIT_TRANSACTIONS ON SELECT id FROM t WHERE id = 1 SELECT @@TRANCOUNT", "1; 1"),
        ("SET IMPLICIT_TRANSACTIONS ON DELETE t ROLLBACK SELECT COUNT(*) FROM t", "3"),
        ("SET IMPLICIT_TRANSACTIONS ON BEGIN TRAN SELECT @@TRANCOUNT", "2"),
        (
            "BEGIN TRAN SAVE TRAN s BEGIN TRY SELECT CAST('x' AS int) END TRY BEGIN CATCH ROLLBACK TRAN s END CATCH",
            "; E3931; E3998",
        ),
        (
            "BEGIN TRAN BEGIN TRY SELECT CAST('x' AS int) END TRY BEGIN CATCH DELETE t END CATCH",
            "; E3930; E3998",
        ),
        ("BEGIN TRAN RESTORE HEADERONLY FROM DISK = 'x'", "E3021; E3013"),
        ("SET XACT_ABORT ON BEGIN TRAN UPDATE t SET name = 'z' SELECT 1/0", "; E8134"),
        (
            "BEGIN TRAN BEGIN TRY SELECT CAST('x' AS int) END TRY BEGIN CATCH SELECT XACT_STATE() COMMIT END CATCH",
            "; -1; E3930; E3998",
        ),
    ]);
    let parts = run("BEGIN TRAN COMMIT");
    assert!(
        matches!(parts[..], [Part::Begun(a), Part::Ended { id: b, committed: true }] if a == b),
        "{parts:?}"
    );
}

#[test]
fn commands_reach_the_host_with_their_values() {
    let fake = Arc::new(Fake::default());
    let mut session = session_on(fake.clone());
    let sql = "DECLARE @db sysname = 'x', @f nvarchar(100) = N'C:\\b.bak'
        RESTORE DATABASE @db FROM DISK = @f WITH MOVE 'a' TO 'C:\\a.mdf', NORECOVERY, STATS = 5, REPLACE
        RESTORE HEADERONLY FROM DISK = @f
        KILL 57 KILL -2
        ALTER DATABASE [x] SET SINGLE_USER WITH ROLLBACK IMMEDIATE
        BACKUP LOG x TO DISK = 'NUL', DISK = 'b' WITH NORECOVERY, NO_TRUNCATE
        DBCC CHECKDB (@db) WITH NO_INFOMSGS, PHYSICAL_ONLY
        DROP DATABASE x";
    assert_eq!(answer(&run_in(&mut *session, sql)), "");
    let commands = fake.commands.lock().unwrap();
    let Command::Restore { log: false, database, disks, options } = &commands[0] else { panic!() };
    assert_eq!((database.as_str(), disks.len()), ("x", 1));
    assert_eq!(
        options.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(),
        ["MOVE", "NORECOVERY", "STATS", "REPLACE"]
    );
    assert_eq!(options[0].to.as_deref(), Some("C:\\a.mdf"));
    assert_eq!(options[2].value, Some(Value::Int(5)));
    assert!(matches!(&commands[1], Command::RestoreInfo { what: RestoreInfo::HeaderOnly, .. }));
    assert_eq!(commands[2..4], [Command::Kill(57), Command::Kill(-2)]);
    assert_eq!(
        commands[4],
        Command::AlterDatabase { database: "x".into(), set: "SINGLE_USER WITH ROLLBACK IMMEDIATE".into() }
    );
    assert!(matches!(&commands[5], Command::Backup { log: true, disks, .. } if disks.len() == 2));
    assert!(
        matches!(&commands[6], Command::CheckDb { database, options } if database == "x" && options.len() == 2)
    );
    assert_eq!(commands[7], Command::DropDatabase("x".into()));
}

#[test]
fn errors_of_a_command_come_in_order() {
    check(&[
        ("RESTORE LOG x FROM DISK = 'a' WITH STOPATMARK = 'm', NORECOVERY SELECT 1", "E4305; E3013; 1"),
        ("RESTORE DATABASE x FROM DISK = 'a' WITH NONSENSE", "E155"),
        ("RESTORE DATABASE x FROM URL = 'a'", "E59999"),
        ("RESTORE DATABASE x FROM DISK = a", "E102"),
    ]);
}

#[test]
fn logins_end_in_a_session_or_in_two_errors() {
    let endpoint = Endpoint::new(Arc::new(Fake::default()));
    let login = |user: &str, database: &str| {
        endpoint
            .login(&Login { user: user.into(), database: database.into(), ..Login::default() })
            .map(|s| (s.session_id(), s.database()))
            .map_err(|e| e.iter().map(|m| (m.number, m.class)).collect::<Vec<_>>())
    };
    assert_eq!(login("sa", ""), Ok((51, "master".into())));
    assert_eq!(login("sa", "msdb"), Ok((52, "msdb".into())));
    assert_eq!(login("sa", "restoring"), Err(vec![(4060, 11), (18456, 14)]));
    assert_eq!(login("who", ""), Err(vec![(18456, 14)]));
}

#[test]
fn prepared_statements_run_again() {
    let mut session = session();
    let text = |text: &str| Parameter {
        name: String::new(),
        kind: Type::NVarChar(None),
        value: Value::Text(text.into()),
        output: false,
    };
    let int = |n: i64, output: bool| Parameter {
        name: String::new(),
        kind: Type::Int,
        value: Value::Int(n),
        output,
    };
    let null = Parameter { value: Value::Null, ..int(0, true) };
    let mut call = |procedure: &str, parameters: &[Parameter]| {
        let mut kept = Kept::default();
        session.rpc(procedure, parameters, &mut kept);
        kept.0
    };
    let parts = call("sp_prepexec", &[null.clone(), text("@a int"), text("SELECT @a"), int(4, false)]);
    assert_eq!(answer(&parts), "4");
    assert!(parts.iter().any(|p| matches!(p, Part::Output { value: Value::Int(1), .. })));
    assert_eq!(answer(&call("sp_execute", &[int(1, false), int(5, false)])), "5");
    assert_eq!(answer(&call("sp_unprepare", &[int(1, false)])), "");
    assert_eq!(answer(&call("sp_execute", &[int(1, false), int(5, false)])), "E8179");
    let parts = call("sp_prepare", &[null, text("@a int"), text("SELECT @a + 1"), int(1, false)]);
    assert!(parts.iter().any(|p| matches!(p, Part::Output { value: Value::Int(2), .. })));
    assert_eq!(answer(&call("sp_execute", &[int(2, false), int(5, false)])), "6");
    assert_eq!(answer(&call("[sys].sp_two", &[int(5, false)])), "1 | 2");
    assert_eq!(answer(&call("sp_nowhere", &[])), "E2812");
    assert_eq!(answer(&call("sp_executesql", &[text("SELECT * FROM nowhere")])), "E208");
}

#[test]
fn output_parameters_of_a_remote_statement_come_back() {
    let mut session = session();
    let named = |name: &str, value: Value, kind, output| Parameter { name: name.into(), kind, value, output };
    let text = |name: &str, t: &str| named(name, Value::Text(t.into()), Type::NVarChar(Some(4000)), false);
    let parameters = [
        text("@statement", "SET @n = @n * 2 SELECT 1"),
        text("@params", "@n int OUTPUT"),
        named("@n", Value::Int(21), Type::Int, true),
    ];
    let mut kept = Kept::default();
    session.rpc("sp_executesql", &parameters, &mut kept);
    let output = kept.0.iter().find_map(|p| match p {
        Part::Output { name, value, .. } => Some((name.clone(), value.clone())),
        _ => None,
    });
    assert_eq!(output, Some(("@n".into(), Value::Int(42))));
}

#[test]
fn counts_are_told_unless_nocount_says_not() {
    let done = |sql: &str| {
        run(sql)
            .into_iter()
            .filter_map(|p| if let Part::Done { rows } = p { Some(rows) } else { None })
            .collect::<Vec<_>>()
    };
    assert_eq!(done("SELECT id FROM t"), [Some(3)]);
    assert_eq!(done("SET NOCOUNT ON SELECT id FROM t"), [None]);
    assert_eq!(done("UPDATE t SET name = 'x' WHERE id = 1 SELECT 1"), [Some(1), Some(1)]);
}

#[test]
fn a_server_that_loses_its_rows_still_names_its_columns() {
    let fake = Arc::new(Fake::default());
    *fake.mood.lock().unwrap() = Mood { empty_answers: true, delay_ms: 30 };
    let mut session = session_on(fake);
    let parts = run_in(&mut *session, "SELECT COUNT(*) AS n FROM t SELECT 1 WITH_ SELECT nope FROM t");
    assert_eq!(answer(&parts), "E207");
    let parts = run_in(&mut *session, "SELECT COUNT(*) AS n FROM t SELECT 1");
    assert_eq!(answer(&parts), "; 1");
    assert!(matches!(&parts[..2], [Part::Columns(c), Part::Done { rows: Some(0) }] if c[0].name == "n"));
}

#[test]
fn lines_of_errors_are_those_of_the_text() {
    let lines = |sql: &str| {
        run(sql)
            .into_iter()
            .filter_map(|p| if let Part::Error(m) = p { Some(m.line) } else { None })
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("SELECT 1\n\nSELECT 1/0"), [3]);
    assert_eq!(lines("SELECT id,\n nope\nFROM t"), [2]);
    assert_eq!(lines("SELECT 1\nFROM"), [2]);
    assert_eq!(lines("/* a\n b */ SELECT\n 'x\n' + @y"), [2]);
}

#[test]
fn a_reset_session_is_as_good_as_new() {
    let mut session = session();
    run_in(&mut *session, "USE msdb SET NOCOUNT ON SET LOCK_TIMEOUT 5 CREATE TABLE #t (a int) BEGIN TRAN");
    session.reset();
    assert_eq!(
        answer(&run_in(&mut *session, "SELECT DB_NAME(), @@LOCK_TIMEOUT, @@TRANCOUNT")),
        "master,-1,0"
    );
    assert_eq!(answer(&run_in(&mut *session, "SELECT * FROM #t")), "E208");
}

/// A client that loses interest after some rows.
struct Impatient(usize);

impl crate::sandbox::answer::Sink for Impatient {
    fn put(&mut self, _: Part) -> Result<(), crate::sandbox::answer::Stopped> {
        if self.0 == 0 {
            return Err(crate::sandbox::answer::Stopped);
        }
        self.0 -= 1;
        Ok(())
    }
    fn stopped(&self) -> bool {
        self.0 == 0
    }
}

#[test]
fn a_stopped_client_ends_loops_and_waits() {
    let mut session = session();
    session.batch("WHILE 1 = 1 PRINT 'x'", &mut Impatient(5));
    session.batch("PRINT 'a' WAITFOR DELAY '01:00:00'", &mut Impatient(1));
    assert_eq!(answer(&run_in(&mut *session, "SELECT 1")), "1");
}

#[test]
fn statements_about_databases_as_tools_write_them_reach_the_host() {
    let fake = Arc::new(Fake::default());
    let mut session = session_on(fake.clone());
    let sql = "CREATE DATABASE [new] CONTAINMENT = NONE ON  PRIMARY
        ( NAME = N'new', FILENAME = N'C:\\d\\new.mdf' , SIZE = 8192KB , FILEGROWTH = 65536KB )
        LOG ON ( NAME = N'new_log', FILENAME = N'C:\\d\\new.ldf' , SIZE = 8MB , MAXSIZE = UNLIMITED, FILEGROWTH = 10% )
        WITH CATALOG_COLLATION = DATABASE_DEFAULT
        ALTER DATABASE new ADD FILE (NAME = n2, FILENAME = 'C:\\d\\n2.ndf') TO FILEGROUP [PRIMARY]
        ALTER DATABASE new MODIFY NAME = newer
        DROP DATABASE IF EXISTS a, b
        ALTER AUTHORIZATION ON DATABASE::[x] TO [sa]
        BACKUP DATABASE x TO tapes, DISK = 'b' WITH COMPRESSION
        DBCC DBINFO (N'x') WITH TABLERESULTS, NO_INFOMSGS
        ALTER DATABASE x SET TARGET_RECOVERY_TIME = 2 MINUTES";
    assert_eq!(answer(&run_in(&mut *session, sql)), "");
    let commands = fake.commands.lock().unwrap();
    let Command::CreateDatabase { name, files, .. } = &commands[0] else { panic!() };
    assert_eq!((name.as_str(), files.len(), files[1].log, files[1].max_kb), ("new", 2, true, Some(-1)));
    assert_eq!((files[0].size_kb, files[1].growth), (Some(8192), Some((10, true))));
    assert!(
        matches!(&commands[5], Command::Backup { disks, .. } if disks[0] == Device::Logical("tapes".into()))
    );
    assert_eq!(
        commands[7],
        Command::AlterDatabase { database: "x".into(), set: "TARGET_RECOVERY_TIME 120".into() }
    );
}
