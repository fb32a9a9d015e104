//! What is no T-SQL, or not modelled, is said so.

use super::check;

#[test]
fn what_is_no_tsql_is_refused() {
    check(&[
        ("SELECT", "E102"),
        ("SELECT FROM t", "E156"),
        ("SELECT * FORM t", "E102"),
        ("SELECT * FROM", "E102"),
        ("SELECT 1 = 1", "E102"),
        ("SELECT a b c FROM t", "E102"),
        ("SELECT id FROM t WHERE", "E102"),
        ("SELECT id FROM t WHERE id", "E4145"),
        ("SELECT id FROM t WHERE 1", "E4145"),
        ("SELECT id FROM t WHERE (id = 1) + 2 = 3", "E102"),
        ("SELECT id FROM t WHERE id == 1", "E102"),
        ("SELECT id FROM t LIMIT 5", "E102"),
        ("SELECT id FROM t WHERE name ILIKE 'a'", "E4145"),
        ("SELECT id FROM t GROUP id", "E102"),
        ("SELECT id FROM t ORDER id", "E102"),
        ("SELECT id, FROM t", "E156"),
        ("SELECT (1", "E102"),
        ("SELECT 1)", "E102"),
        ("SELECT 'abc", "E105"),
        ("SELECT [abc", "E105"),
        ("SELECT /* abc", "E113"),
        ("SELECT CASE WHEN 1 THEN 2 END", "E4145"),
        ("SELECT CASE 1 THEN 2 END", "E156"),
        ("SELECT CASE WHEN 1 = 1 THEN 2", "E102"),
        ("SELECT CAST(1 AS nonsense)", "E243"),
        ("SELECT CAST(1 int)", "E102"),
        ("SELECT CAST(1 AS varchar(9000))", "E131"),
        ("SELECT CAST(1 AS decimal(39,0))", "E2750"),
        ("SELECT CAST(1 AS decimal(5,6))", "E192"),
        ("SELECT 1::int", "E102"),
        ("SELECT 'a' || 'b'", "E102"),
        ("SELECT true", "E207"),
        ("SELECT now()", "E195"),
        ("SELECT id FROM t USING (id)", "E102"),
        ("SELECT * FROM t JOIN t u", "E102"),
        ("SELECT * FROM t u JOIN t v ON", "E102"),
        ("SELECT * FROM (SELECT 1 AS a)", "E102"),
        ("SELECT * FROM (SELECT 1) x", "E8155"),
        ("SELECT * FROM (SELECT 1 AS a, 2 AS a) x", "E8156"),
        ("SELECT * FROM (VALUES (1), (2, 3)) x(a)", "E10709"),
        ("SELECT * FROM (SELECT id FROM t ORDER BY id) x", "E1033"),
        ("INSERT t", "E102"),
        ("INSERT INTO t VALUES", "E102"),
        ("UPDATE t name = 'x'", "E102"),
        ("UPDATE SET name = 'x'", "E156"),
        ("DELETE WHERE id = 1", "E156"),
        ("DECLARE x int", "E102"),
        ("DECLARE @x", "E102"),
        ("DECLARE @x int DECLARE @x int", "E134"),
        ("SET @x = 1", "E137"),
        ("SET NONSENSE ON", "E195"),
        ("SET NOCOUNT", "E102"),
        ("IF 1 SELECT 2", "E4145"),
        ("IF 1 = 1", "E102"),
        ("BEGIN END", "E156"),
        ("BEGIN SELECT 1", "E102"),
        ("BEGIN TRY SELECT 1 END TRY", "E102"),
        ("WHILE 1 = 1", "E102"),
        ("END", "E156"),
        ("ELSE SELECT 1", "E156"),
        ("USE msdb\nGO", "E102"),
        ("SELECT 1 WITH a AS (SELECT 1 AS b) SELECT b FROM a", "E319"),
        ("SELECT n FROM numbers OFFSET 1 ROWS", "E102"),
        ("SELECT TOP 1 WITH TIES n FROM numbers", "E1062"),
        ("RESTORE DATABASE", "E102"),
        ("RESTORE DATABASE x WITH RECOVERY NORECOVERY", "E102"),
        ("BACKUP DATABASE x", "E102"),
        ("KILL", "E102"),
        ("KILL @x", "E102"),
        ("EXEC", "E102"),
        ("EXEC sp_two 1 + 1", "E102"),
        ("EXEC sp_two @a = 1, 2", "E119"),
        ("THROW 50001", "E102"),
        ("RAISERROR ('x')", "E102"),
        ("WAITFOR", "E102"),
        ("1 + 1", "E102"),
        ("@x = 1", "E102"),
        ("SELECT 'a' COLLATE", "E102"),
        ("SELECT N 'a' 'b'", "E102"),
        ("SELECT ! 1", "E102"),
        ("SELECT \u{1}", "E102"),
        ("", ""),
        ("-- nothing", ""),
    ]);
}

#[test]
fn names_and_types_are_checked_without_rows() {
    check(&[
        ("SELECT x.id FROM empty", "E4104"),
        ("SELECT e.nope FROM empty e", "E207"),
        ("SELECT empty.id FROM empty e", "E4104"),
        ("SELECT id FROM t, empty", "E209"),
        ("SELECT x.* FROM empty", "E107"),
        ("SELECT *", "E263"),
        ("SELECT id, COUNT(*) FROM empty", "E8120"),
        ("SELECT id FROM empty GROUP BY name", "E8120"),
        ("SELECT name FROM empty GROUP BY name HAVING id = 1", "E8121"),
        ("SELECT name FROM empty GROUP BY name ORDER BY id", "E8127"),
        ("SELECT (SELECT MAX(n) FROM numbers WHERE n < e.id) FROM empty e GROUP BY e.name", "E8120"),
        ("SELECT id FROM empty WHERE COUNT(*) > 1", "E147"),
        ("SELECT SUM(COUNT(*)) FROM empty", "E130"),
        ("SELECT id FROM empty GROUP BY MAX(id)", "E144"),
        ("SELECT id FROM empty WHERE ROW_NUMBER() OVER (ORDER BY id) = 1", "E4108"),
        ("SELECT ROW_NUMBER() FROM empty", "E10753"),
        ("SELECT ROW_NUMBER() OVER (PARTITION BY id) FROM empty", "E4112"),
        ("SELECT nosuch(1) FROM empty", "E195"),
        ("SELECT dbo.nosuch(1) FROM empty", "E4121"),
        ("SELECT LEN() FROM empty", "E174"),
        ("SELECT CHARINDEX('a') FROM empty", "E189"),
        ("SELECT id FROM empty UNION SELECT 1, 2", "E205"),
        ("SELECT id FROM empty WHERE id IN (SELECT 1, 2)", "E116"),
        ("SELECT id FROM empty ORDER BY 2", "E108"),
        ("SELECT DISTINCT name FROM empty ORDER BY id", "E145"),
        ("SELECT id AS a, name AS a FROM empty ORDER BY a", "E209"),
        ("SELECT id FROM empty UNION SELECT 1 ORDER BY id + 1", "E104"),
        ("SELECT * FROM empty, empty", "E1013"),
        ("SELECT * FROM t a, empty a", "E1011"),
        ("SELECT @x = 1, id FROM empty", "E137"),
        ("DECLARE @x int SELECT @x = 1, id FROM empty", "E141"),
        ("SELECT * FROM upto(1) x JOIN nowhere n ON 1 = 1", "E208"),
        ("SELECT * FROM t a JOIN numbers b ON a.id = c.n JOIN numbers c ON 1 = 1", "E4104"),
        ("SELECT * FROM t a CROSS JOIN (SELECT a.id AS i) b", "E4104"),
        ("SELECT NULLIF(NULL, 1)", "E4151"),
        ("SELECT CASE WHEN 1 = 1 THEN NULL END", "E8133"),
        ("SELECT COALESCE(NULL, NULL)", "E4127"),
        ("SELECT id FROM empty WHERE name = GETDATE() AND nope = 1", "E207"),
        ("SELECT * FROM restoring.dbo.t", "E927"),
    ]);
}

#[test]
fn what_is_not_modelled_is_refused_by_name() {
    check(&[
        ("SELECT * FROM OPENQUERY(x, 'SELECT 1')", "E59999"),
        ("SELECT * FROM srv.master.dbo.t", "E59999"),
        ("SELECT NEWID()", "E59999"),
        ("CREATE FUNCTION f() RETURNS int AS BEGIN RETURN 1 END", "E59999"),
        ("GRANT SELECT ON t TO x", "E59999"),
        ("SET ANSI_NULLS OFF", "E59999"),
        ("SELECT 'a' COLLATE Latin1_General_BIN", "E59999"),
        ("SELECT 1 WHERE 'a' = 'A' COLLATE Latin1_General_CI_AS", "1"),
        ("DBCC SHRINKFILE (1)", "E59999"),
        ("SELECT CONVERT(varchar(30), GETDATE(), 130)", "; E59999"),
    ]);
}

#[test]
fn what_other_clients_send_parses() {
    let text = include_str!("../../../../tests/cases/tsql/clients.sql");
    let mut count = 0;
    for sql in text.split("-- next\n").skip(1) {
        if let Err(m) = super::super::parser::batch(sql, true, 15) {
            panic!("{} {} in\n{sql}", m.number, m.text);
        }
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn every_query_of_the_library_parses() {
    let files = [
        (include_str!("../../../../tests/cases/tsql/biztalk.sql"), "-- Q", 50),
        (include_str!("../../../../tests/cases/tsql/sqlserver.sql"), "-- S", 8),
    ];
    for (text, mark, wanted) in files {
        let mut count = 0;
        for query in text.split(mark).skip(1) {
            let (number, sql) = query.split_once('\n').unwrap();
            match super::super::parser::batch(sql, true, 15) {
                Ok(statements) => assert!(!statements.is_empty(), "{mark}{number} is empty"),
                Err(m) => {
                    assert!(
                        m.number == 59999 && (number == "40" || number == "08"),
                        "{mark}{number}: {} {}",
                        m.number,
                        m.text
                    );
                }
            }
            count += 1;
        }
        assert_eq!(count, wanted, "{mark}");
    }
}

#[test]
fn every_statement_of_the_invalid_corpus_is_refused() {
    let text = include_str!("../../../../tests/cases/tsql/invalid.sql");
    let mut count = 0;
    let mut wrong = Vec::new();
    for sql in text.lines().filter(|l| !l.is_empty() && !l.starts_with("-- ")) {
        count += 1;
        let got = super::answer(&super::run(sql));
        if !got.starts_with('E') || got.starts_with("E59999") {
            wrong.push(format!("{got} for {sql}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 300, "{count}");
}
