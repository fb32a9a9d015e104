//! Queries beyond the plain SELECT: recursion, groupings, pivots, XML and JSON, functions.

use std::sync::Arc;

use super::host::Fake;
use super::{answer, check, run_in, session_on};

/// The answer of a server of some version.
fn on(version: u8, sql: &str) -> String {
    let fake = Fake { version, ..Fake::default() };
    answer(&run_in(&mut *session_on(Arc::new(fake)), sql))
}

#[test]
fn ctes_read_themselves_round_by_round() {
    check(&[
        ("WITH r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r", "1 | 2 | 3 | 4 | 5"),
        ("WITH r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 101) SELECT COUNT(*) FROM r", "101"),
        ("WITH r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 102) SELECT COUNT(*) FROM r", "; E530"),
        (
            "WITH r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 500) SELECT MAX(n) FROM r OPTION (MAXRECURSION 0)",
            "500",
        ),
        (
            "WITH r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT MAX(n) FROM r OPTION (MAXRECURSION 3)",
            "; E530",
        ),
        (
            "DECLARE @e TABLE (id int, boss int, name varchar(10)) INSERT @e VALUES (1,NULL,'a'),(2,1,'b'),(3,1,'c'),(4,2,'d');
             WITH t AS (SELECT id, name, 0 AS lvl, CAST(name AS varchar(100)) AS path FROM @e WHERE boss IS NULL
               UNION ALL SELECT e.id, e.name, t.lvl + 1, CAST(t.path + '/' + e.name AS varchar(100)) FROM @e e JOIN t ON e.boss = t.id)
             SELECT path, lvl FROM t ORDER BY path",
            "a,0 | a/b,1 | a/b/d,2 | a/c,1",
        ),
        ("WITH r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT n FROM r", "E252"),
        ("WITH r(n) AS (SELECT 1 UNION ALL SELECT n + 1.5 FROM r) SELECT n FROM r", "E240"),
        ("WITH r(n) AS (SELECT 1 UNION ALL SELECT DISTINCT n + 1 FROM r) SELECT n FROM r", "E460"),
        ("WITH r(n) AS (SELECT 1 UNION ALL SELECT TOP 1 n + 1 FROM r) SELECT n FROM r", "E461"),
    ]);
}

#[test]
fn groups_come_in_sets() {
    let rows = "(VALUES ('a','x',1),('a','y',2),('b','x',4)) v(p,q,n)";
    let cases: Vec<(String, &str)> = vec![
        (
            format!(
                "SELECT p, q, SUM(n) FROM {rows} GROUP BY ROLLUP (p, q) ORDER BY GROUPING(p), p, GROUPING(q), q"
            ),
            "a,x,1 | a,y,2 | a,NULL,3 | b,x,4 | b,NULL,4 | NULL,NULL,7",
        ),
        (format!("SELECT p, SUM(n) FROM {rows} GROUP BY p WITH ROLLUP"), "a,3 | b,4 | NULL,7"),
        (format!("SELECT COUNT(*) FROM (SELECT p, q, SUM(n) s FROM {rows} GROUP BY CUBE (p, q)) x"), "8"),
        (
            format!(
                "SELECT p, q, SUM(n) s, GROUPING_ID(p, q) g FROM {rows} GROUP BY GROUPING SETS ((p), (q), ()) ORDER BY g, p, q"
            ),
            "a,NULL,3,1 | b,NULL,4,1 | NULL,x,5,2 | NULL,y,2,2 | NULL,NULL,7,3",
        ),
        (
            format!("SELECT ISNULL(p, 'all'), SUM(n) FROM {rows} GROUP BY ROLLUP (p) HAVING SUM(n) > 3"),
            "b,4 | a,7",
        ),
        (format!("SELECT STDEV(n), VARP(n), STDEVP(p) FROM {rows}"), "E8117"),
        (format!("SELECT ROUND(STDEV(n), 4), ROUND(VAR(n), 4) FROM {rows}"), "1.5275,2.3333"),
    ];
    for (sql, wanted) in cases {
        assert_eq!(answer(&super::run(&sql)), wanted, "{sql}");
    }
}

#[test]
fn rows_turn_into_columns_and_back() {
    check(&[
        (
            "SELECT * FROM (SELECT job_id, run_status FROM msdb.dbo.sysjobhistory) s PIVOT (COUNT(run_status) FOR run_status IN ([0], [1])) p ORDER BY job_id",
            "1,1,2 | 2,0,1",
        ),
        (
            "SELECT job_id, [0], [1] FROM (SELECT job_id, run_status, instance_id FROM msdb.dbo.sysjobhistory) s PIVOT (COUNT(instance_id) FOR run_status IN ([0], [1])) p ORDER BY job_id",
            "1,1,2 | 2,0,1",
        ),
        ("SELECT k, v FROM (SELECT 1 AS a, 2 AS b) s UNPIVOT (v FOR k IN (a, b)) u", "a,1 | b,2"),
        ("SELECT k FROM (SELECT 1 AS a, 'x' AS b) s UNPIVOT (v FOR k IN (a, b)) u", "E8167"),
    ]);
}

#[test]
fn results_become_xml() {
    check(&[
        (
            "SELECT STUFF((SELECT ',' + name FROM t WHERE name IS NOT NULL ORDER BY id FOR XML PATH('')), 1, 1, '')",
            "alpha,beta",
        ),
        (
            "SELECT STUFF((SELECT ', ' + n FROM (VALUES ('a<b'), ('c&d')) v(n) FOR XML PATH(''), TYPE).value('.', 'nvarchar(max)'), 1, 2, '')",
            "a<b, c&d",
        ),
        ("SELECT ', ' + n FROM (VALUES ('a<b')) v(n) FOR XML PATH('')", ", a&lt;b"),
        (
            "SELECT id AS '@id', name AS 'n/first' FROM t WHERE id < 3 FOR XML PATH('row'), ROOT('all')",
            "<all><row id=\"1\"><n><first>alpha</first></n></row><row id=\"2\"><n><first>beta</first></n></row></all>",
        ),
        (
            "SELECT id, name FROM t WHERE id IN (1, 3) FOR XML RAW",
            "<row id=\"1\" name=\"alpha\"/><row id=\"3\"/>",
        ),
        ("SELECT id, name FROM t WHERE id = 1 FOR XML AUTO", "<t id=\"1\" name=\"alpha\"/>"),
        (
            "SELECT id, name FROM t AS z WHERE id = 3 FOR XML AUTO, ELEMENTS XSINIL",
            "<z xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><id>3</id><name xsi:nil=\"true\"/></z>",
        ),
        ("SELECT id FROM t WHERE id = 9 FOR XML PATH", ""),
        ("SELECT (SELECT id FROM t WHERE id = 9 FOR XML PATH(''))", "NULL"),
        (
            "DECLARE @x xml = '<a><b i=\"1\">x</b><b i=\"2\"/></a>' SELECT @x.value('(/a/b/@i)[2]', 'int'), @x.exist('/a/c'), @x.query('/a/b[1]')",
            "2,0,<b i=\"1\">x</b>",
        ),
        (
            "DECLARE @x xml = '<a><b i=\"1\">x</b><b i=\"2\"/></a>' SELECT n.c.value('@i', 'int') FROM @x.nodes('/a/b') n(c)",
            "1 | 2",
        ),
        ("SELECT CAST('<a/>' AS xml) AS x", "<a/>"),
        ("SELECT CAST('<a>' AS xml)", "; E9400"),
        ("DECLARE @x xml SELECT @x.value('/a', 'int')", "E2389"),
        ("SELECT CAST(N'<a>1</a>' AS xml).value('.', 'int')", "E102"),
    ]);
}

#[test]
fn results_become_json_and_json_becomes_rows() {
    check(&[
        (
            "SELECT id, name AS 'who.name' FROM t WHERE id IN (1, 3) FOR JSON PATH",
            "[{\"id\":1,\"who\":{\"name\":\"alpha\"}},{\"id\":3}]",
        ),
        (
            "SELECT id, name FROM t WHERE id = 3 FOR JSON PATH, INCLUDE_NULL_VALUES, WITHOUT_ARRAY_WRAPPER",
            "{\"id\":3,\"name\":null}",
        ),
        ("SELECT 1 FOR JSON PATH", "E13605"),
        (
            "SELECT JSON_VALUE('{\"a\":{\"b\":[1,\"x\"]}}', '$.a.b[1]'), JSON_QUERY('{\"a\":[1]}', '$.a'), ISJSON('[1]'), ISJSON('x')",
            "x,[1],1,0",
        ),
        (
            "SELECT [key], value, type FROM OPENJSON('{\"a\":1,\"b\":\"x\",\"c\":[2]}')",
            "a,1,2 | b,x,1 | c,[2],4",
        ),
        (
            "SELECT id, n FROM OPENJSON('[{\"id\":1,\"n\":\"x\"},{\"id\":2}]') WITH (id int, n varchar(5) '$.n')",
            "1,x | 2,NULL",
        ),
        ("SELECT STRING_ESCAPE('a\"b/c', 'json')", "a\\\"b\\/c"),
    ]);
    assert_eq!(on(12, "SELECT JSON_VALUE('{}', '$.a')"), "E195");
}

#[test]
fn windows_have_frames_and_ranks_have_fractions() {
    check(&[
        (
            "SELECT n, PERCENT_RANK() OVER (ORDER BY n), CUME_DIST() OVER (ORDER BY n) FROM numbers WHERE n <= 3",
            "1,0.0,0.3333333333333333 | 2,0.5,0.6666666666666666 | 3,1.0,1.0",
        ),
        ("SELECT DISTINCT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY n) OVER () FROM numbers", "50.5"),
        ("SELECT DISTINCT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY n) OVER () FROM numbers", "50"),
        ("SELECT n, NTILE(2) OVER (ORDER BY n) FROM numbers WHERE n <= 3", "1,1 | 2,1 | 3,2"),
        (
            "SELECT n, LAST_VALUE(n) OVER (ORDER BY n ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM numbers WHERE n <= 2",
            "1,2 | 2,2",
        ),
        ("SELECT SUM(n) OVER (ORDER BY n ROWS UNBOUNDED FOLLOWING) FROM numbers", "E4193"),
        ("SELECT SUM(n) OVER (ORDER BY n RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM numbers", "E4194"),
    ]);
}

#[test]
fn money_keeps_four_decimals() {
    check(&[
        ("SELECT $12.5, CAST(1.23456 AS money), $1 / 3, $2 * 1.5", "12.5000,1.2346,0.3333,3.00000"),
        (
            "SELECT CAST($1234567.891 AS varchar(20)), CONVERT(varchar(20), $1234567.891, 1), CONVERT(varchar(20), $1.5, 2)",
            "1234567.89,1,234,567.89,1.5000",
        ),
        ("SELECT CAST('$1,234.50' AS money), CAST($1.5 AS int), CAST($2.5 AS int)", "1234.5000,2,3"),
        ("SELECT CAST(300000 AS smallmoney)", "; E8115"),
        ("SELECT CAST('x' AS money)", "; E235"),
        ("SELECT SUM(m), AVG(m) FROM (VALUES ($1), ($2)) v(m)", "3.0000,1.5000"),
    ]);
}

#[test]
fn functions_compute_what_they_are_named_for() {
    check(&[
        ("SELECT CHOOSE(2, 'a', 'b', 'c'), CHOOSE(9, 'a'), IIF(1 > 2, 1, 2)", "b,NULL,2"),
        ("SELECT PARSENAME('s.d.o.t', 1), PARSENAME('s.d.o.t', 4), PARSENAME('[a.b].c', 2)", "t,s,a.b"),
        (
            "SELECT LOG10(100), SQUARE(3), ROUND(PI(), 5), DEGREES(PI()), ATN2(1, 1) * 4 / PI(), EXP(0)",
            "2.0,9.0,3.14159,180.0,1.0,1.0",
        ),
        ("SELECT LOG(0)", "; E3623"),
        (
            "SELECT FORMAT(1234567.891, 'N2'), FORMAT(0.125, 'P1'), FORMAT(5, 'D4'), FORMAT(1234.5, '#,##0.00')",
            "1,234,567.89,12.5%,0005,1,234.50",
        ),
        (
            "SELECT FORMAT(CAST('2026-03-04 15:06:07' AS datetime), 'yyyy-MM-dd HH:mm:ss'), FORMAT(CAST('2026-03-04' AS date), 'dd MMM yyyy')",
            "2026-03-04 15:06:07,04 Mar 2026",
        ),
        ("SELECT FORMAT(1, 'q')", "; E59999"),
        ("SELECT CONVERT(varchar(40), HASHBYTES('MD5', 'abc'), 2)", "900150983CD24FB0D6963F7D28E17F72"),
        (
            "SELECT CONVERT(varchar(64), HASHBYTES('SHA2_256', 'abc'), 2)",
            "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        ),
        (
            "SELECT DATETIMEFROMPARTS(2026, 1, 2, 3, 4, 5, 997), TIMEFROMPARTS(1, 2, 3, 50, 2), DATETIME2FROMPARTS(2026, 1, 2, 3, 4, 5, 1, 3)",
            "2026-01-02 03:04:05.997,01:02:03.500,2026-01-02 03:04:05.001",
        ),
        ("SELECT DATETIMEFROMPARTS(2026, 13, 1, 0, 0, 0, 0)", "; E289"),
        ("SELECT TRIM('x' FROM 'xxaxx'), SOUNDEX('Robert')", "a,R163"),
        ("SELECT {fn NOW()}, {d '2026-01-02'}", "2026-11-20 17:30:00,2026-01-02 00:00:00"),
        ("SELECT TRY_PARSE('12' AS int), TRY_PARSE('x' AS int USING 'en-US')", "12,NULL"),
        (
            "SELECT SQL_VARIANT_PROPERTY(CAST(1 AS bigint), 'BaseType'), SQL_VARIANT_PROPERTY(CAST(1.5 AS decimal(5,2)), 'Scale')",
            "bigint,2",
        ),
        ("SET DATEFIRST 1 SELECT DATEPART(weekday, '2026-11-22'), @@DATEFIRST", "7,1"),
        ("SELECT FORMATMESSAGE('%s has %d', 'x', 5)", "x has 5"),
        ("SELECT 'a\\\nb'", "ab"),
    ]);
    assert_eq!(on(16, "SELECT GREATEST(1, NULL, 3), LEAST('b', 'a')"), "3,a");
    assert_eq!(on(16, "SELECT DATETRUNC(month, CAST('2026-03-04' AS date))"), "2026-03-01");
    assert_eq!(on(16, "SELECT value FROM GENERATE_SERIES(1, 5, 2)"), "1 | 3 | 5");
    assert_eq!(on(16, "SELECT value, ordinal FROM STRING_SPLIT('a,b', ',', 1)"), "a,1 | b,2");
    assert_eq!(on(16, "SELECT 1 WHERE NULL IS NOT DISTINCT FROM NULL"), "1");
    assert_eq!(on(15, "SELECT 1 WHERE NULL IS NOT DISTINCT FROM NULL"), "E156");
    assert_eq!(on(12, "SELECT FORMATMESSAGE('a'), CONCAT_WS(',', 'a', 'b')"), "E195");
}
