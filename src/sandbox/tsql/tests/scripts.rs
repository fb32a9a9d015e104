//! Scripts as administrators write them: cursors, labels, OUTPUT, MERGE, tables with rules.

use super::check;

const ENDED: &str = "I3621:The statement has been terminated.";

#[test]
fn cursors_walk_their_rows() {
    check(&[
        (
            "DECLARE @n sysname, @all varchar(100) = '' DECLARE c CURSOR LOCAL FAST_FORWARD FOR SELECT name FROM sys.databases ORDER BY database_id
             OPEN c FETCH NEXT FROM c INTO @n WHILE @@FETCH_STATUS = 0 BEGIN SET @all += @n + ';' FETCH NEXT FROM c INTO @n END CLOSE c DEALLOCATE c SELECT @all, @@FETCH_STATUS",
            "master;tempdb;model;msdb;BizTalkMgmtDb;,-1",
        ),
        (
            "DECLARE c INSENSITIVE CURSOR LOCAL FOR SELECT n FROM numbers ORDER BY n",
            "E1049",
        ),
        (
            "DECLARE c SCROLL CURSOR FOR SELECT n FROM numbers ORDER BY n OPEN c FETCH LAST FROM c FETCH PRIOR FROM c FETCH ABSOLUTE 5 FROM c FETCH RELATIVE -2 FROM c FETCH FIRST FROM c SELECT @@CURSOR_ROWS CLOSE c",
            "100; 99; 5; 3; 1; 100",
        ),
        ("OPEN c", "E16916"),
        ("DECLARE c CURSOR FOR SELECT 1 FETCH NEXT FROM c", "E16917"),
        ("DECLARE c CURSOR FOR SELECT 1 OPEN c OPEN c", "E16905"),
        ("DECLARE c CURSOR FOR SELECT 1 DECLARE c CURSOR FOR SELECT 1", "E16915"),
        ("DECLARE @i int, @j int DECLARE c CURSOR FOR SELECT 1 OPEN c FETCH c INTO @i, @j", "E16924"),
        ("DECLARE c CURSOR FORWARD_ONLY FOR SELECT 1 OPEN c FETCH PRIOR FROM c", "E16911"),
        (
            "DECLARE @c CURSOR, @i int SET @c = CURSOR FOR SELECT n FROM numbers WHERE n < 3 OPEN @c FETCH NEXT FROM @c INTO @i SELECT @i CLOSE @c DEALLOCATE @c",
            "1",
        ),
        ("DECLARE c CURSOR GLOBAL FOR SELECT 1 AS a EXEC ('OPEN c FETCH NEXT FROM c') SELECT CURSOR_STATUS('global', 'c')", "1; 1"),
    ]);
}

#[test]
fn labels_are_jumped_to() {
    check(&[
        ("DECLARE @i int = 0 again: SET @i += 1 IF @i < 3 GOTO again SELECT @i", "3"),
        ("GOTO done SELECT 1 done: SELECT 2", "2"),
        (
            "DECLARE @i int = 0 WHILE 1 = 1 BEGIN SET @i += 1 IF @i = 4 GOTO out_of_it END out_of_it: SELECT @i",
            "4",
        ),
        ("GOTO nowhere", "E133"),
        ("a: a: SELECT 1", "E132"),
    ]);
}

#[test]
fn output_tells_what_was_changed() {
    check(&[
        (
            "CREATE TABLE #t (a int IDENTITY, b int) INSERT #t (b) OUTPUT inserted.a, inserted.b VALUES (5), (6)",
            "1,5 | 2,6",
        ),
        (
            "SELECT id INTO #t FROM t UPDATE #t SET id = id * 2 OUTPUT deleted.id, inserted.id WHERE id > 1",
            "2,4 | 3,6",
        ),
        (
            "SELECT id INTO #t FROM t DECLARE @g TABLE (i int) DELETE #t OUTPUT deleted.id INTO @g WHERE id < 3 SELECT i FROM @g",
            "1 | 2",
        ),
        ("SELECT id INTO #t FROM t DELETE TOP (1) FROM #t OUTPUT deleted.*", "1"),
        ("SELECT id INTO #t FROM t DELETE #t OUTPUT inserted.id", "E4104"),
        (
            "SELECT id INTO #t FROM t UPDATE x SET id = 9 OUTPUT u.name FROM #t x JOIN t u ON u.id = x.id WHERE x.id = 1",
            "alpha",
        ),
    ]);
}

#[test]
fn merge_does_what_each_when_says() {
    check(&[
        (
            "SELECT id, name INTO #t FROM t MERGE #t AS d USING (VALUES (1, N'one'), (9, N'nine')) AS s(id, name) ON d.id = s.id
             WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)
             WHEN NOT MATCHED BY SOURCE AND d.id = 2 THEN DELETE OUTPUT $action, inserted.id, deleted.id; SELECT id, name FROM #t ORDER BY id",
            "UPDATE,1,1 | INSERT,9,NULL | DELETE,NULL,2; 1,one | 3,NULL | 9,nine",
        ),
        ("SELECT 1 AS a INTO #t MERGE #t USING (VALUES (1), (1)) s(a) ON s.a = #t.a WHEN MATCHED THEN DELETE;", &format!("E8672; {ENDED}")[..]),
        ("SELECT 1 AS a INTO #t MERGE #t USING (VALUES (1)) s(a) ON s.a = #t.a WHEN MATCHED THEN DELETE", "E10713"),
    ]);
}

#[test]
fn rows_are_changed_through_ctes() {
    check(&[
        (
            "SELECT v INTO #t FROM (VALUES (1), (1), (2)) x(v); WITH d AS (SELECT v, ROW_NUMBER() OVER (PARTITION BY v ORDER BY v) AS rn FROM #t) DELETE FROM d WHERE rn > 1 SELECT v FROM #t",
            "1 | 2",
        ),
        (
            "SELECT id, name INTO #t FROM t; WITH d AS (SELECT TOP (1) id, name FROM #t ORDER BY id DESC) UPDATE d SET name = 'last' SELECT id, name FROM #t ORDER BY id",
            "1,alpha | 2,beta | 3,last",
        ),
    ]);
}

#[test]
fn variables_gather_rows() {
    check(&[
        (
            "DECLARE @s nvarchar(100) = '' SELECT @s = @s + name + ',' FROM t WHERE name IS NOT NULL ORDER BY id SELECT @s",
            "alpha,beta,",
        ),
        (
            "DECLARE @s nvarchar(100) SELECT @s = COALESCE(@s + ',', '') + name FROM t WHERE name IS NOT NULL SELECT @s",
            "alpha,beta",
        ),
        ("DECLARE @n int = 0 SELECT @n += n FROM numbers SELECT @n, @@ROWCOUNT", "5050,100"),
        (
            "SELECT id INTO #t FROM t DECLARE @n int = 0 UPDATE #t SET @n = id = @n + 10 SELECT id FROM #t",
            "10 | 20 | 30",
        ),
    ]);
}

#[test]
fn tables_keep_their_rules() {
    check(&[
        (
            "CREATE TABLE #t (a int PRIMARY KEY, b varchar(5)) INSERT #t VALUES (1, 'x'), (1, 'y') SELECT COUNT(*) FROM #t",
            &format!("E2627; {ENDED}; 0")[..],
        ),
        (
            "CREATE TABLE #t (a int, CONSTRAINT u UNIQUE (a)) INSERT #t VALUES (1) INSERT #t VALUES (1)",
            &format!("E2627; {ENDED}")[..],
        ),
        (
            "CREATE TABLE #t (a int) CREATE UNIQUE INDEX i ON #t (a) INSERT #t VALUES (1) INSERT #t VALUES (1)",
            &format!("E2601; {ENDED}")[..],
        ),
        ("CREATE TABLE #t (a int CHECK (a > 0)) INSERT #t VALUES (-1)", &format!("E547; {ENDED}")[..]),
        ("CREATE TABLE #t (a int PRIMARY KEY) INSERT #t VALUES (NULL)", &format!("E515; {ENDED}")[..]),
        (
            "CREATE TABLE #t (a int, b AS a * 2) INSERT #t (a) VALUES (4) UPDATE #t SET a = 5 SELECT a, b FROM #t",
            "5,10",
        ),
        ("CREATE TABLE #t (a int, b AS a * 2) INSERT #t (b) VALUES (4)", "E271"),
        (
            "CREATE TABLE #t (a int DEFAULT 7, b int) INSERT #t VALUES (DEFAULT, 1) UPDATE #t SET b = DEFAULT SELECT a, b FROM #t",
            "7,NULL",
        ),
        (
            "CREATE TABLE #t (a int IDENTITY(1,1), b int) INSERT #t VALUES (1) SELECT SCOPE_IDENTITY(), @@IDENTITY, IDENT_CURRENT('#t')",
            "1,1,1",
        ),
        ("CREATE TABLE #t (a int IDENTITY, b int) INSERT #t (a, b) VALUES (5, 1)", "E544"),
        (
            "CREATE TABLE #t (a int IDENTITY, b int) SET IDENTITY_INSERT #t ON INSERT #t (a, b) VALUES (5, 1) SET IDENTITY_INSERT #t OFF INSERT #t VALUES (2) SELECT a FROM #t",
            "5 | 6",
        ),
        (
            "CREATE TABLE #t (a int) INSERT #t VALUES (1) ALTER TABLE #t ADD b int NOT NULL DEFAULT 3 SELECT * FROM #t",
            "1,3",
        ),
        (
            "CREATE TABLE #t (a int, b int) ALTER TABLE #t DROP COLUMN b INSERT #t VALUES (1) SELECT * FROM #t",
            "1",
        ),
        ("CREATE TABLE #t (a int, a int)", "E2705"),
        ("CREATE TABLE #t (a int) INSERT TOP (2) #t SELECT n FROM numbers SELECT COUNT(*) FROM #t", "2"),
    ]);
}

#[test]
fn settings_change_what_follows() {
    check(&[
        ("SET ROWCOUNT 2 SELECT n FROM numbers SET ROWCOUNT 0 SELECT COUNT(*) FROM numbers", "1 | 2; 100"),
        ("SET PARSEONLY ON SELECT nope FROM nowhere SET PARSEONLY OFF SELECT 1", "E208"),
        ("SET NOEXEC ON SELECT 1 SET NOEXEC OFF SELECT 2", "2"),
        ("SET FMTONLY ON SELECT id FROM t SET FMTONLY OFF", ""),
        ("SET SHOWPLAN_TEXT ON", "E59999"),
        ("RAISERROR ('x', 19, 1)", "E2754"),
        ("RAISERROR ('x', 19, 1) WITH LOG", "E50000"),
    ]);
}
