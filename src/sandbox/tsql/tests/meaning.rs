//! What T-SQL means: one line per rule, the answer as SQL Server gives it.

use super::check;

#[test]
fn null_is_unknown() {
    check(&[
        ("SELECT 1 WHERE NULL = NULL", ""),
        ("SELECT 1 WHERE NOT (1 = NULL)", ""),
        ("SELECT 1 WHERE 1 = NULL OR 1 = 1", "1"),
        ("SELECT 1 WHERE 3 NOT IN (1, 2, NULL)", ""),
        ("SELECT 1 WHERE 1 IN (1, NULL)", "1"),
        (
            "SELECT n FROM numbers WHERE n IN (1,2,3,4,5,6,7,8,9,200) AND n NOT IN (1,2,3,4,5,6,7,11,12,13)",
            "8 | 9",
        ),
        ("SELECT n FROM numbers WHERE n NOT IN (1,2,3,4,5,6,7,8,9,NULL)", ""),
        ("SELECT id FROM t WHERE name IN ('b','c','d','e','f','g','h','i','ALPHA ')", "1"),
        ("SELECT COUNT(*), COUNT(name), COUNT(amount) FROM t", "3,2,2"),
        ("SELECT COUNT(*) FROM t WHERE name <> 'alpha'", "1"),
        ("SELECT id FROM t WHERE name NOT IN (SELECT name FROM t WHERE id = 3)", ""),
        ("SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM empty)", "1 | 2 | 3"),
        ("SELECT SUM(id), MAX(id), COUNT(*) FROM empty", "NULL,NULL,0"),
        ("SELECT ISNULL(NULL, 'x'), COALESCE(NULL, NULL, 3), NULLIF(1, 1), NULLIF(2, 1)", "x,3,NULL,2"),
        ("SELECT 'a' + NULL, CONCAT('a', NULL, 'b')", "NULL,ab"),
        ("SELECT id FROM t ORDER BY name", "3 | 1 | 2"),
        ("SELECT id FROM t ORDER BY name DESC", "2 | 1 | 3"),
        ("SELECT CASE NULL WHEN NULL THEN 'same' ELSE 'not' END", "not"),
        ("SELECT name, COUNT(*) FROM t GROUP BY name ORDER BY name", "NULL,1 | alpha,1 | beta,1"),
        ("SELECT 1 WHERE NULL > ALL (SELECT id FROM empty)", "1"),
        ("SELECT 1 WHERE 1 = ANY (SELECT id FROM t)", "1"),
        ("SELECT 1 WHERE 5 > ALL (SELECT id FROM t)", "1"),
        ("SELECT (SELECT name FROM empty)", "NULL"),
    ]);
}

#[test]
fn numbers_keep_their_types() {
    check(&[
        ("SELECT 7 / 2, -7 / 2, 7 % 3, -7 % 3", "3,-3,1,-1"),
        ("SELECT 7 / 2.0", "3.500000"),
        ("SELECT 1.0 / 3", "0.333333"),
        ("SELECT 2.0 / 3", "0.666666"),
        ("SELECT 1.5 + 2", "3.5"),
        ("SELECT 1.25 * 1.1", "1.375"),
        ("SELECT CAST(10 AS decimal(10,2)) / 4", "2.500000"),
        ("SELECT 1 / 2.5e0", "0.4"),
        ("SELECT 30000000019200037 + 1", "30000000019200038"),
        ("SELECT last_lsn - first_lsn FROM lsns", "1 | 799963"),
        ("SELECT COUNT(*) FROM lsns a JOIN lsns b ON a.first_lsn = b.last_lsn", "1"),
        ("SELECT first_lsn FROM lsns WHERE first_lsn = 30000000019200037", "30000000019200037"),
        (
            "SELECT CAST(1.5 AS int), CAST(-1.5 AS int), CAST(2.5 AS decimal(3,0)), CAST(-2.5 AS decimal(3,0))",
            "1,-1,3,-3",
        ),
        (
            "SELECT CAST(99999999999999999999999999999999999999 AS decimal(38,0))",
            "99999999999999999999999999999999999999",
        ),
        ("SELECT SUM(amount), AVG(amount) FROM t", "11.50,5.750000"),
        ("SELECT AVG(id) FROM t WHERE id < 3", "1"),
        ("SELECT 2147483647 + 1", "; E8115"),
        ("SELECT CAST(2147483647 AS bigint) + 1", "2147483648"),
        ("SELECT 1 / 0", "; E8134"),
        ("SELECT 1 / 0.0", "; E8134"),
        ("SELECT CAST(300 AS tinyint)", "; E220"),
        ("SELECT CAST(40000 AS smallint)", "; E220"),
        ("SELECT CAST(99999999999 AS int)", "; E8115"),
        ("SELECT CAST(1234.5 AS decimal(5,2))", "; E8115"),
        ("SELECT SUM(CAST(2147483647 AS int)) FROM t", "; E8115"),
        ("SELECT SUM(CAST(2147483647 AS bigint)) FROM t", "6442450941"),
        (
            "SELECT ROUND(123.456, 1), ROUND(123.456, 1, 1), ROUND(-1.55, 1), ROUND(1250, -2)",
            "123.500,123.400,-1.60,1300",
        ),
        ("SELECT CEILING(1.2), FLOOR(-1.2), ABS(-5), SIGN(-2.5)", "2,-2,5,-1.0"),
        ("SELECT 5 & 3, 5 | 3, 5 ^ 3, ~5", "1,7,6,-6"),
        ("SELECT +5, - -5, -(5)", "5,5,-5"),
        ("SELECT 10 - 2 * 3, (10 - 2) * 3", "4,24"),
        ("SELECT 0x10 + 1", "17"),
        ("SELECT CAST('12' AS int) + '3'", "15"),
        ("SELECT '1' + '2', 1 + '2'", "12,3"),
        ("SELECT CAST(1 AS bit) + 1", "2"),
    ]);
}

#[test]
fn texts_compare_by_collation_and_are_padded() {
    check(&[
        ("SELECT 1 WHERE 'abc' = 'ABC  '", "1"),
        ("SELECT 1 WHERE 'abc' LIKE 'ABC'", "1"),
        ("SELECT 1 WHERE 'abc ' LIKE 'abc'", "1"),
        ("SELECT 1 WHERE 'abc' LIKE 'abc '", ""),
        ("SELECT 1 WHERE ' a' = 'a'", ""),
        ("SELECT CAST('ab' AS char(4)) + '|'", "ab  |"),
        ("SELECT LEN('ab  '), DATALENGTH('ab  '), DATALENGTH(N'ab')", "2,4,4"),
        ("SELECT SUBSTRING('abcdef', 2, 3), SUBSTRING('abc', 0, 2), SUBSTRING('abc', 5, 2)", "bcd,a,"),
        ("SELECT LEFT('abc', 2), RIGHT('abc', 2), REVERSE('abc')", "ab,bc,cba"),
        ("SELECT CHARINDEX('B', 'abcb'), CHARINDEX('b', 'abcb', 3), CHARINDEX('z', 'abc')", "2,4,0"),
        ("SELECT PATINDEX('%[0-9]%', 'ab1'), PATINDEX('%x%', 'ab1')", "3,0"),
        ("SELECT REPLACE('aBab', 'AB', '-'), STUFF('abcdef', 2, 3, 'X')", "--,aXef"),
        ("SELECT UPPER('aé'), LOWER('AÉ')", "AÉ,aé"),
        ("SELECT '[' + LTRIM('  a ') + '][' + RTRIM(' a  ') + ']'", "[a ][ a]"),
        ("SELECT QUOTENAME('a]b'), QUOTENAME('a''b', '''')", "[a]]b],'a''b'"),
        ("SELECT REPLICATE('ab', 3), SPACE(2) + '.', STR(12.5, 6, 1)", "ababab,  .,  12.5"),
        ("SELECT CHAR(65), NCHAR(8364), ASCII('A'), UNICODE(N'€')", "A,€,65,8364"),
        ("SELECT CAST(N'漢字' AS varchar(10))", "??"),
        ("SELECT DISTINCT v FROM (VALUES ('a'), ('A'), ('a '), ('b')) x(v)", "a | b"),
        ("SELECT MAX(v) FROM (VALUES ('a'), ('B'), ('_')) x(v)", "B"),
        ("SELECT v FROM (VALUES ('b'), ('A'), ('_x'), ('1')) x(v) ORDER BY v", "_x | 1 | A | b"),
        ("SELECT CAST('abcdef' AS varchar(3)), CONVERT(varchar(10), 12345)", "abc,12345"),
        ("SELECT CAST(12345 AS varchar(3))", "*"),
        ("SELECT CAST(12345 AS nvarchar(3))", "; E8115"),
        ("SELECT ISNULL(CAST(NULL AS varchar(2)), 'abc')", "ab"),
        ("SELECT CASE WHEN 1 = 0 THEN 1 ELSE 2.50 END", "2.50"),
        ("SELECT CASE WHEN 1 = 1 THEN 1 ELSE 2.50 END", "1.00"),
        ("SELECT COALESCE(1, 'x')", "1"),
        ("SELECT IIF(2 > 1, 'yes', 'no')", "yes"),
        ("SELECT ISNUMERIC('1e5'), ISNUMERIC('abc'), ISNUMERIC('-1.5')", "1,0,1"),
        ("SELECT value FROM STRING_SPLIT('a,b,,c', ',')", "a | b |  | c"),
        ("SELECT STRING_AGG(name, ', ') WITHIN GROUP (ORDER BY id DESC) FROM t", "beta, alpha"),
        ("SELECT 'it''s', N'''', [name] FROM t WHERE [id] = 1", "it's,',alpha"),
        ("SELECT 1 AS [a]]b], 2 AS \"c\"\"d\"", "1,2"),
        ("SELECT 1 /* outer /* inner */ still */ + 1 -- rest", "2"),
    ]);
}

#[test]
fn conversions_fail_with_their_numbers() {
    check(&[
        ("SELECT CAST('abc' AS int)", "; E245"),
        ("SELECT 1 WHERE 'abc' = 1", "; E245"),
        ("SELECT CAST('abc' AS bigint)", "; E8114"),
        ("SELECT CAST('abc' AS decimal(5,2))", "; E8114"),
        ("SELECT CAST('abc' AS float)", "; E8114"),
        ("SELECT CAST('99999999999' AS int)", "; E248"),
        ("SELECT CAST('300' AS tinyint)", "; E244"),
        ("SELECT CAST('2026-13-01' AS datetime)", "; E242"),
        ("SELECT CAST('nonsense' AS datetime)", "; E241"),
        ("SELECT CAST('2026-02-30' AS date)", "; E241"),
        ("SELECT CAST('zzz' AS uniqueidentifier)", "; E8169"),
        ("SELECT CAST(GETDATE() AS date) + 1", "E206"),
        ("SELECT CAST(CAST('2026-01-01' AS date) AS int)", "E529"),
        ("SELECT TRY_CAST('abc' AS int), TRY_CAST('12' AS int), TRY_CONVERT(date, 'x')", "NULL,12,NULL"),
        ("SELECT CAST('' AS int), CAST(' 12 ' AS int), CAST('' AS datetime)", "0,12,1900-01-01 00:00:00"),
        ("SELECT SERVERPROPERTY('IsClustered') + 1", "E8117"),
        ("SELECT CAST(SERVERPROPERTY('IsClustered') AS int) + 1", "1"),
        ("SELECT SUM(name) FROM t", "E8117"),
        ("SELECT LEFT(0x01, 1)", "E8116"),
        ("SELECT CAST('abc' AS varbinary(2))", "[61, 62]"),
        ("SELECT CONVERT(varchar(10), 0x0AFF, 1), CONVERT(varbinary(4), '0x0aff', 1)", "0x0AFF,[0a, ff]"),
        ("SELECT CAST('true' AS bit), CAST(5 AS bit)", "1,1"),
    ]);
}

#[test]
fn dates_are_computed_and_shown() {
    check(&[
        (
            "SELECT GETUTCDATE(), GETDATE(), SYSUTCDATETIME()",
            "2026-11-20 16:30:00,2026-11-20 17:30:00,2026-11-20 16:30:00",
        ),
        ("SELECT DATEDIFF(MINUTE, GETUTCDATE(), GETDATE())", "60"),
        ("SELECT DATEADD(DAY, -7, CAST('2026-03-03' AS datetime))", "2026-02-24 00:00:00"),
        ("SELECT DATEADD(month, 1, CAST('2026-01-31' AS date))", "2026-02-28"),
        ("SELECT DATEDIFF(year, '2025-12-31', '2026-01-01'), DATEDIFF(hour, '10:59', '11:00')", "1,1"),
        ("SELECT YEAR('2026-11-20'), MONTH('20261120'), DAY('2026-11-20')", "2026,11,20"),
        (
            "SELECT DATEPART(weekday, '2026-11-20'), DATENAME(weekday, '2026-11-20'), DATENAME(month, '2026-11-20')",
            "6,Friday,November",
        ),
        ("SELECT CONVERT(char(8), CAST('2026-11-20T10:11:12.345' AS datetime), 112)", "20261120"),
        (
            "SELECT CONVERT(varchar(30), CAST('2026-11-20T10:11:12.345' AS datetime), 121)",
            "2026-11-20 10:11:12.347",
        ),
        (
            "SELECT CONVERT(varchar(30), CAST('2026-11-20T10:11:12.345' AS datetime), 126)",
            "2026-11-20T10:11:12.347",
        ),
        ("SELECT CONVERT(varchar(30), CAST('2026-11-20T10:11:12' AS datetime), 126)", "2026-11-20T10:11:12"),
        ("SELECT CONVERT(varchar(30), CAST('2026-11-20 10:11:12' AS datetime), 120)", "2026-11-20 10:11:12"),
        ("SELECT CAST(CAST('2026-11-02 16:05:00' AS datetime) AS varchar(30))", "Nov  2 2026  4:05PM"),
        (
            "SELECT CAST(CAST('2026-11-20' AS date) AS varchar(20)), CAST(CAST('2026-11-20 01:02:03' AS datetime2(3)) AS varchar(30))",
            "2026-11-20,2026-11-20 01:02:03.000",
        ),
        ("SELECT CAST('2026-11-20 10:11:12.999' AS datetime)", "2026-11-20 10:11:13"),
        ("SELECT CAST('2026-11-20 10:11:30' AS smalldatetime)", "2026-11-20 10:12:00"),
        (
            "SELECT CAST(0 AS datetime), CAST('2026-01-01' AS datetime) + 1",
            "1900-01-01 00:00:00,2026-01-02 00:00:00",
        ),
        ("SELECT CAST(SYSDATETIMEOFFSET() AS varchar(40))", "2026-11-20 17:30:00.0000000 +01:00"),
        (
            "SELECT SWITCHOFFSET(CAST('2026-01-01 12:00:00 +01:00' AS datetimeoffset), '+00:00')",
            "2026-01-01 11:00:00 0",
        ),
        ("SELECT EOMONTH('2026-02-10'), DATEFROMPARTS(2026, 2, 28)", "2026-02-28,2026-02-28"),
        ("SELECT DATEADD(nonsense, 1, GETDATE())", "E155"),
        ("SELECT DATEADD(hour, 1, CAST('2026-01-01' AS date))", "E9810"),
        ("SELECT DATEADD(year, 8000, GETDATE())", "; E517"),
        ("SELECT DATEDIFF(second, '1900-01-01', '2026-01-01')", "; E535"),
        ("SELECT CONVERT(date, '20/11/2026', 103)", "2026-11-20"),
        ("SELECT 1 WHERE CAST('2026-01-01' AS date) = '2026-01-01'", "1"),
    ]);
}

#[test]
fn joins_and_applies_combine_rows() {
    check(&[
        ("SELECT a.id, b.n FROM t a JOIN numbers b ON a.id = b.n WHERE b.n > 1", "2,2 | 3,3"),
        ("SELECT a.id, e.name FROM t a LEFT JOIN empty e ON e.id = a.id", "1,NULL | 2,NULL | 3,NULL"),
        (
            "SELECT e.id, a.id FROM empty e RIGHT JOIN t a ON e.id = a.id AND a.id > 5",
            "NULL,1 | NULL,2 | NULL,3",
        ),
        (
            "SELECT a.n, b.n FROM (VALUES (1), (2)) a(n) FULL JOIN (VALUES (2), (3)) b(n) ON a.n = b.n",
            "1,NULL | 2,2 | NULL,3",
        ),
        ("SELECT COUNT(*) FROM t CROSS JOIN t u", "9"),
        ("SELECT COUNT(*) FROM t, t u WHERE t.id = u.id", "3"),
        ("SELECT a.id, x.i FROM t a CROSS APPLY dbo.upto(a.id) x WHERE a.id < 3", "1,1 | 2,1 | 2,2"),
        (
            "SELECT a.id, x.n FROM t a OUTER APPLY (SELECT n FROM numbers b WHERE b.n = a.id AND b.n > 2) x",
            "1,NULL | 2,NULL | 3,3",
        ),
        (
            "SELECT a.id, x.n FROM t a CROSS APPLY (SELECT TOP (1) n FROM numbers b WHERE b.n > a.id ORDER BY n) x",
            "1,2 | 2,3 | 3,4",
        ),
        ("SELECT t.id FROM t JOIN (t u JOIN numbers n ON n.n = u.id) ON t.id = n.n WHERE t.id = 2", "2"),
        ("SELECT t.id FROM t JOIN t u JOIN numbers n ON n.n = u.id ON t.id = n.n WHERE t.id = 2", "2"),
        ("SELECT file_exists FROM sys.dm_os_file_exists('C:\\b.bak')", "1"),
        (
            "SELECT a.id FROM t a INNER LOOP JOIN t b WITH (NOLOCK) ON a.id = b.id OPTION (RECOMPILE)",
            "1 | 2 | 3",
        ),
        ("SELECT v.a, v.b FROM (VALUES (1, 'x'), (2, NULL)) AS v(a, b)", "1,x | 2,NULL"),
        (
            ";WITH a AS (SELECT id FROM t WHERE id > 1), b(x) AS (SELECT id * 10 FROM a) SELECT x FROM b ORDER BY x",
            "20 | 30",
        ),
        ("WITH a AS (SELECT id FROM t) SELECT COUNT(*) FROM a JOIN a b ON a.id = b.id", "3"),
        ("SELECT name FROM t WHERE id = (SELECT MAX(id) FROM t u WHERE u.name IS NOT NULL)", "beta"),
        ("SELECT a.id, (SELECT COUNT(*) FROM numbers b WHERE b.n < a.id) FROM t a", "1,0 | 2,1 | 3,2"),
        ("SELECT id FROM t a WHERE EXISTS (SELECT * FROM numbers b WHERE b.n = a.id AND b.n <> 2)", "1 | 3"),
        ("SELECT (SELECT id FROM t)", "; E512"),
        ("SELECT id FROM t UNION SELECT 2 UNION ALL SELECT 2", "1 | 2 | 3 | 2"),
        ("SELECT id FROM t EXCEPT SELECT 2", "1 | 3"),
        ("SELECT id FROM t INTERSECT SELECT n FROM numbers WHERE n > 1 ORDER BY 1 DESC", "3 | 2"),
        ("SELECT 1 AS a UNION ALL SELECT 2.5 ORDER BY a DESC", "2.5 | 1.0"),
        ("SELECT NULL AS a UNION ALL SELECT 'x'", "NULL | x"),
    ]);
}

#[test]
fn groups_windows_and_tops_select_rows() {
    check(&[
        ("SELECT id % 2 AS odd, COUNT(*) AS n FROM t GROUP BY id % 2 ORDER BY odd", "0,1 | 1,2"),
        ("SELECT id % 2 + 1, MAX(id) FROM t GROUP BY id % 2 HAVING COUNT(*) > 1", "2,3"),
        ("SELECT COUNT(DISTINCT run_date) FROM msdb.dbo.sysjobhistory", "3"),
        ("SELECT COUNT(*) FROM t HAVING COUNT(*) > 5", ""),
        ("SELECT 'x' FROM empty HAVING 1 = 1", "x"),
        ("SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) FROM t ORDER BY id", "1,3 | 2,2 | 3,1"),
        (
            "SELECT v, RANK() OVER (ORDER BY v), DENSE_RANK() OVER (ORDER BY v), ROW_NUMBER() OVER (ORDER BY v) FROM (VALUES (1), (1), (2)) x(v)",
            "1,1,1,1 | 1,1,1,2 | 2,3,2,3",
        ),
        (
            "SELECT n, LAG(n) OVER (ORDER BY n), LEAD(n, 2, -1) OVER (ORDER BY n) FROM numbers WHERE n < 4",
            "1,NULL,3 | 2,1,-1 | 3,2,-1",
        ),
        (
            "SELECT n, SUM(n) OVER (ORDER BY n), COUNT(*) OVER () FROM numbers WHERE n < 4",
            "1,1,3 | 2,3,3 | 3,6,3",
        ),
        (
            "SELECT n, SUM(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM numbers WHERE n < 4",
            "1,1 | 2,3 | 3,5",
        ),
        ("SELECT v, SUM(v) OVER (ORDER BY v) FROM (VALUES (1), (1), (2)) x(v)", "1,2 | 1,2 | 2,4"),
        (
            "SELECT job_id, FIRST_VALUE(instance_id) OVER (PARTITION BY job_id ORDER BY instance_id DESC) FROM msdb.dbo.sysjobhistory ORDER BY instance_id",
            "1,13 | 1,13 | 2,12 | 1,13",
        ),
        (
            "SELECT job_id, SUM(COUNT(*)) OVER () FROM msdb.dbo.sysjobhistory GROUP BY job_id ORDER BY job_id",
            "1,4 | 2,4",
        ),
        (
            "SELECT x.instance_id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY job_id ORDER BY instance_id DESC) AS rn FROM msdb.dbo.sysjobhistory) x WHERE x.rn = 1 ORDER BY 1",
            "12 | 13",
        ),
        ("SELECT TOP (1) WITH TIES v FROM (VALUES (2), (1), (1)) x(v) ORDER BY v", "1 | 1"),
        ("SELECT TOP 50 PERCENT n FROM numbers WHERE n <= 3 ORDER BY n", "1 | 2"),
        ("SELECT TOP (0) n FROM numbers", ""),
        ("SELECT TOP (1) v % 2 FROM (VALUES (3), (1)) x(v) ORDER BY v", "1"),
        ("SELECT n FROM numbers ORDER BY n OFFSET 2 ROWS FETCH NEXT 2 ROWS ONLY", "3 | 4"),
        ("SELECT n FROM numbers ORDER BY n OFFSET 98 ROWS", "99 | 100"),
        ("SELECT DISTINCT job_id FROM msdb.dbo.sysjobhistory ORDER BY job_id DESC", "2 | 1"),
        ("SELECT name AS id FROM t ORDER BY id", "NULL | alpha | beta"),
        ("SELECT TOP (2) id FROM t ORDER BY id * -1", "3 | 2"),
        ("SELECT MAX(name) AS m FROM t GROUP BY id ORDER BY MAX(id) DESC", "NULL | beta | alpha"),
    ]);
}

#[test]
fn nothing_built_in_exists_before_its_version() {
    use super::host::Fake;
    use std::sync::Arc;
    let on = |version: u8, sql: &str| {
        let fake = Fake { version, ..Fake::default() };
        super::answer(&super::run_in(&mut *super::session_on(Arc::new(fake)), sql))
    };
    assert_eq!(on(11, "SELECT value FROM STRING_SPLIT('a', ',')"), "E208");
    assert_eq!(on(13, "SELECT value FROM STRING_SPLIT('a', ',')"), "a");
    assert_eq!(on(13, "SELECT STRING_AGG(name, ',') FROM t"), "E195");
    assert_eq!(on(13, "SELECT TRIM('a ')"), "E195");
    assert_eq!(on(11, "DROP TABLE IF EXISTS #t"), "E156");
    assert_eq!(on(11, "SELECT GREATEST(1, 2)"), "E195");
    assert_eq!(on(16, "SELECT GREATEST(1, 2)"), "2");
}

#[test]
fn a_case_sensitive_server_compares_with_case() {
    use super::host::Fake;
    use std::sync::Arc;
    let on = |sql: &str| {
        let fake = Fake { case_sensitive: true, ..Fake::default() };
        super::answer(&super::run_in(&mut *super::session_on(Arc::new(fake)), sql))
    };
    assert_eq!(on("SELECT 1 WHERE 'a' = 'A'"), "");
    assert_eq!(on("SELECT 1 WHERE 'a' LIKE 'A'"), "");
    assert_eq!(on("SELECT NAME FROM t"), "E207");
    assert_eq!(on("SELECT 1 WHERE 'a ' = 'a'"), "1");
    assert_eq!(on("SELECT DISTINCT v FROM (VALUES ('a'), ('A')) x(v)"), "a | A");
}
