//! Random and extreme texts: an answer or an error, never a panic, never an endless run.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{answer, run, session};
use crate::sandbox::answer::{Kept, Part, Sink, Stopped};

/// Stops after a number of questions, so that random loops end.
struct Patient {
    kept: Kept,
    left: std::cell::Cell<u32>,
}

impl Sink for Patient {
    fn put(&mut self, part: Part) -> Result<(), Stopped> {
        if self.stopped() {
            return Err(Stopped);
        }
        self.kept.put(part)
    }
    fn stopped(&self) -> bool {
        self.left.set(self.left.get().saturating_sub(1));
        self.left.get() == 0
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "t",
    "id",
    "name",
    "numbers",
    "n",
    "(",
    ")",
    ",",
    "*",
    "1",
    "'a'",
    "NULL",
    "=",
    "<",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "IS",
    "BETWEEN",
    "EXISTS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "AS",
    "JOIN",
    "LEFT",
    "ON",
    "GROUP",
    "BY",
    "ORDER",
    "HAVING",
    "COUNT",
    "MAX",
    "OVER",
    "PARTITION",
    "TOP",
    "DISTINCT",
    "UNION",
    "ALL",
    "VALUES",
    "@x",
    "DECLARE",
    "int",
    "SET",
    "IF",
    "BEGIN",
    "WHILE",
    "PRINT",
    "EXEC",
    "sp_two",
    "CAST",
    "varchar",
    "+",
    "-",
    "/",
    ".",
    ";",
    "#t",
    "INTO",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "TABLE",
    "TRY",
    "CATCH",
    "RETURN",
    "RESTORE",
    "LOG",
    "DISK",
    "WITH",
    "DATEADD",
    "day",
    "LEN",
    "0x1F",
    "1.5",
    "N'b'",
    "[x]",
    "x",
    "@@ROWCOUNT",
    "CROSS",
    "APPLY",
    "ROLLBACK",
    "TRAN",
    "RAISERROR",
    "THROW",
    "SUBSTRING",
    "ROW_NUMBER",
    "OFFSET",
    "9999999999",
    "-",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn token_soup_never_panics(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
        let sql = words.join(" ");
        let mut sink = Patient { kept: Kept::default(), left: std::cell::Cell::new(2000) };
        session().batch(&sql, &mut sink);
    }

    #[test]
    fn any_text_never_panics(sql in "\\PC{0,60}") {
        let mut sink = Patient { kept: Kept::default(), left: std::cell::Cell::new(2000) };
        session().batch(&sql, &mut sink);
    }

    #[test]
    fn expressions_never_panic(
        function in prop::sample::select(&["LEFT", "RIGHT", "SUBSTRING", "STUFF", "REPLICATE", "STR", "ROUND", "CHARINDEX",
            "REPLACE", "POWER", "DATEADD", "DATEDIFF", "CONVERT", "QUOTENAME", "CHAR", "NCHAR", "LAG", "EOMONTH",
            "DATEFROMPARTS", "SPACE", "ISNULL", "PATINDEX"][..]),
        arguments in prop::collection::vec(prop::sample::select(&["NULL", "-1", "0", "5", "2147483647", "9999999999999",
            "-9223372036854775808", "'abc'", "N'é漢'", "1.5", "1e300", "-1e-300", "GETDATE()", "day", "year", "'2026-01-01'",
            "0x00FF", "int", "date", "varchar(3)", "99999999999999999999999999999999999999", "''"][..]), 0..5),
        operator in prop::sample::select(&["+", "-", "*", "/", "%", "&", "=", "LIKE"][..]),
    ) {
        let call = format!("{function}({})", arguments.join(", "));
        let rest = arguments.first().copied().unwrap_or("1");
        answer(&run(&format!("SELECT {call}")));
        run(&format!("SELECT CASE WHEN {call} {operator} {rest} THEN 1 ELSE 2 END"));
        answer(&run(&format!("SELECT {call} {operator} {rest}")));
        run(&format!("SELECT CAST({rest} AS decimal(38, 10)) * CAST({call} AS decimal(38, 20))"));
    }
}

#[test]
fn deep_and_long_texts_are_refused_or_answered() {
    let nested = |open: &str, inner: &str, close: &str, n: usize| {
        format!("SELECT {}{inner}{}", open.repeat(n), close.repeat(n))
    };
    assert_eq!(answer(&run(&nested("(", "1", ")", 30))), "1");
    for sql in [
        nested("(", "1", ")", 20_000),
        nested("-(", "1", ")", 10_000),
        nested("- ", "1", "", 20_000),
        nested("(SELECT ", "1", ")", 10_000),
        nested("CASE WHEN 1=1 THEN ", "1", " END", 20_000),
        nested("LEN(", "1", ")", 10_000),
        format!("SELECT 1{}", " + 1".repeat(40_000)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(20_000)),
        format!("SELECT 1 WHERE {} 1 = 1", "NOT ".repeat(20_000)),
        format!("{} SELECT 1", "IF 1 = 1 ".repeat(10_000)),
        format!("{} SELECT 1 {}", "BEGIN ".repeat(10_000), " END".repeat(10_000)),
        format!("SELECT * FROM t{}", " CROSS JOIN t".repeat(5_000)),
        format!("SELECT * FROM {}t{}", "(".repeat(10_000), ")".repeat(10_000)),
    ] {
        let got = answer(&run(&sql));
        assert!(got == "E191" || got == "E102" || got == "E1013", "{} … gives {got}", &sql[..60]);
    }
    // high and deep at once: what the limits let through must fit the stack
    for (operators, levels) in [(2, 40), (120, 1), (3, 40), (120, 40), (4, 28), (120, 30)] {
        let mut high = "1".to_owned();
        for _ in 0..levels {
            high = format!("({high}{})", " + 1".repeat(operators));
        }
        let got = answer(&run(&format!("SELECT LEN(REPLACE('a', 'b', {high}))")));
        assert!(got == "1" || got == "E191", "{operators} × {levels} gives {got}");
        let mut cases = "1".to_owned();
        for _ in 0..levels.min(20) {
            cases = format!("CASE WHEN {cases}{} > 0 THEN 1 END", " - 1".repeat(operators));
        }
        let got = answer(&run(&format!("SELECT COUNT({cases})")));
        assert!(["0", "1", "E191"].contains(&got.as_str()), "{operators} × {levels} gives {got}");
        let mut queries = "SELECT 1".to_owned();
        for _ in 0..levels {
            queries = format!("SELECT a.x{} FROM ({queries}) a(x)", " - 1".repeat(operators));
        }
        let got = answer(&run(&queries));
        assert!(got == "E191" || got.parse::<i64>().is_ok(), "{got}");
        let mut scalar = "SELECT 1".to_owned();
        for _ in 0..levels {
            scalar = format!("SELECT ({scalar}){}", " - 1".repeat(operators));
        }
        let got = answer(&run(&scalar));
        assert!(got == "E191" || got.parse::<i64>().is_ok(), "{got}");
        let mut exists = "SELECT 1".to_owned();
        for _ in 0..levels {
            exists = format!("SELECT 1 WHERE EXISTS ({exists}) AND 1{} < 5", " - 1".repeat(operators));
        }
        let got = answer(&run(&exists));
        assert!(got == "1" || got == "E191", "{operators} × {levels} gives {got}");
    }
    let comment = format!("SELECT 1 {}x{}", "/*".repeat(20_000), "*/".repeat(20_000));
    assert_eq!(answer(&run(&comment)), "1");
}

#[test]
fn a_megabyte_of_statements_and_lists_is_answered() {
    let mut list = String::from("SELECT COUNT(*) FROM numbers WHERE n IN (0");
    for n in 0..20_000 {
        let _ = write!(list, ",{}", n * 2);
    }
    list.push(')');
    assert_eq!(answer(&run(&list)), "50");
    let any = format!("SELECT COUNT(*) FROM numbers WHERE n = -1{}", " OR n = 5".repeat(5_000));
    assert_eq!(answer(&run(&any)), "1");
    let text = format!("SELECT LEN('{}')", "x".repeat(1 << 20));
    assert_eq!(answer(&run(&text)), "1048576");
    let many = "SET NOCOUNT ON ".repeat(5_000) + "SELECT 1";
    assert_eq!(answer(&run(&many)), "1");
}

#[test]
fn equality_is_never_quadratic() {
    let start = Instant::now();
    let big = "SELECT b.n * 100 + c.n AS k INTO #b FROM numbers b CROSS JOIN numbers c WHERE b.n <= 30 ";
    let sql = format!(
        "{big} SELECT COUNT(*) FROM #b x JOIN #b y ON x.k = y.k
         SELECT COUNT(*) FROM #b x, #b y WHERE x.k = y.k
         SELECT COUNT(*) FROM #b x WHERE EXISTS (SELECT 1 FROM #b y WHERE y.k = x.k)
         SELECT COUNT(*) FROM #b x WHERE x.k = (SELECT MAX(y.k) FROM #b y WHERE y.k = x.k)
         SELECT COUNT(*) FROM #b x WHERE x.k IN (SELECT k FROM #b)
         SELECT COUNT(*) FROM #b x CROSS APPLY (SELECT k FROM #b y WHERE y.k = x.k) z"
    );
    assert_eq!(answer(&run(&sql)), ["3000"; 6].join("; "));
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
}

#[test]
fn dynamic_sql_that_calls_itself_ends_at_the_nesting_limit() {
    let sql = "DECLARE @s nvarchar(max) = N'BEGIN IF 1 = 1 BEGIN EXEC sp_executesql @s, N''@s nvarchar(max)'', @s END END'
        EXEC sp_executesql @s, N'@s nvarchar(max)', @s SELECT 1";
    assert_eq!(answer(&run(sql)), "E217; 1");
    let caught = "DECLARE @s nvarchar(max) = N'BEGIN TRY EXEC sp_executesql @s, N''@s nvarchar(max)'', @s END TRY BEGIN CATCH THROW END CATCH'
        EXEC sp_executesql @s, N'@s nvarchar(max)', @s";
    assert_eq!(answer(&run(caught)), "E217");
}

/// Statements of every kind, to be broken.
const SEEDS: &[&str] = &[
    "SELECT TOP (3) WITH TIES a.id AS x, COUNT(*) OVER (PARTITION BY a.name ORDER BY a.id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM dbo.t AS a WITH (NOLOCK) LEFT OUTER JOIN numbers n ON a.id = n.n WHERE a.name LIKE 'a%' ESCAPE '!' AND a.id NOT IN (1, 2) ORDER BY a.id DESC",
    "WITH r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r OPTION (MAXRECURSION 10)",
    "SELECT name, SUM(id) AS s FROM t GROUP BY GROUPING SETS ((name), ()) HAVING SUM(id) > 1 ORDER BY s OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY",
    "SELECT STUFF((SELECT ',' + name FROM t FOR XML PATH(''), TYPE).value('.', 'nvarchar(max)'), 1, 1, '')",
    "SELECT p.[0], p.[1] FROM (SELECT id, name FROM t) s PIVOT (COUNT(name) FOR id IN ([0], [1])) AS p",
    "SELECT k, v FROM (SELECT 1 AS a, 2 AS b) s UNPIVOT (v FOR k IN (a, b)) AS u",
    "DECLARE @x int = 1 DECLARE @t TABLE (a int PRIMARY KEY, b varchar(10) NULL DEFAULT 'x') IF @x > 0 BEGIN SET @x += 1 END ELSE PRINT 'no'",
    "DECLARE c CURSOR LOCAL FAST_FORWARD FOR SELECT id FROM t OPEN c FETCH NEXT FROM c CLOSE c DEALLOCATE c",
    "BEGIN TRY RAISERROR ('x %d', 16, 1, 5) WITH NOWAIT END TRY BEGIN CATCH SELECT ERROR_MESSAGE() END CATCH",
    "CREATE TABLE #x (a int IDENTITY (1, 1) NOT NULL, b AS a * 2, CONSTRAINT k PRIMARY KEY CLUSTERED (a ASC), CHECK (a > 0))",
    "INSERT INTO #x (a, b) OUTPUT inserted.a VALUES (1, DEFAULT), (2, NULL)",
    "UPDATE x SET x.name = 'b', x.id += 1 OUTPUT deleted.id INTO @d (i) FROM t AS x INNER JOIN numbers n ON n.n = x.id WHERE x.id = 1",
    "DELETE TOP (1) FROM x OUTPUT deleted.* FROM t AS x WHERE EXISTS (SELECT 1 FROM numbers WHERE n = x.id)",
    "MERGE INTO #t AS d USING (SELECT 1 AS id) AS s ON d.id = s.id WHEN MATCHED AND s.id > 0 THEN UPDATE SET d.id = 2 WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id) OUTPUT $action;",
    "EXEC @rc = msdb.dbo.sp_two @a = 1, @b = N'x' OUTPUT WITH RECOMPILE",
    "SELECT CASE id WHEN 1 THEN 'a' ELSE 'b' END, CAST(id AS decimal(10, 2)), CONVERT(varchar(10), GETDATE(), 112), IIF(id > 1, 1, 0) FROM t",
    "SELECT x.value FROM t CROSS APPLY STRING_SPLIT(name, ',') AS x WHERE x.value BETWEEN 'a' AND 'b' AND t.id >= ALL (SELECT id FROM t)",
    "RESTORE DATABASE x FROM DISK = 'a', DISK = N'b' WITH NORECOVERY, MOVE 'l' TO 'p', STATS = 5, REPLACE",
    "SELECT j.[key] FROM OPENJSON('{}', '$.a') WITH (a int '$.a', b nvarchar(max) '$.b' AS JSON) AS j",
    "IF @@ROWCOUNT = 0 PRINT 5 WAITFOR DELAY '00:00:00' WHILE 1 = 1 BREAK RETURN 5",
    "ALTER TABLE #x ADD c int NOT NULL DEFAULT 1, d varchar(5) SET IDENTITY_INSERT #x ON DROP TABLE IF EXISTS #x",
];

fn pieces(sql: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut quoted = false;
    for c in sql.chars() {
        let word = |c: char| c.is_alphanumeric() || "@_#$".contains(c);
        let joins = out.last().is_some_and(|l: &String| quoted || l.ends_with(word) && word(c));
        if c == '\'' {
            quoted = !quoted;
            if quoted {
                out.push(c.to_string());
                continue;
            }
        } else if !joins {
            out.push(c.to_string());
            continue;
        }
        if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out.retain(|p| !p.trim().is_empty());
    out
}

/// More of them where the environment asks: what the parser accepts can then be shown to others.
fn mutations() -> u32 {
    std::env::var("DRBOOK_TSQL_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: mutations(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_statements_never_panic(
        seed in prop::sample::select(SEEDS),
        how in prop::collection::vec((0..4u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::sample::select(WORDS)), 1..4),
    ) {
        let mut parts = pieces(seed);
        for (what, a, b, word) in how {
            if parts.is_empty() {
                break;
            }
            let (a, b) = (a.index(parts.len()), b.index(parts.len()));
            match what {
                0 => {
                    parts.remove(a);
                }
                1 => parts.swap(a, b),
                2 => parts.insert(a, word.to_owned()),
                _ => {
                    let copy = parts[b].clone();
                    parts.insert(a, copy);
                }
            }
        }
        let mut sink = Patient { kept: Kept::default(), left: std::cell::Cell::new(2000) };
        session().batch(&parts.join(" "), &mut sink);
    }
}

#[test]
fn what_would_grow_without_end_is_refused_or_stopped() {
    let start = Instant::now();
    for (sql, wanted) in [
        ("SELECT LEN(REPLICATE(CAST('x' AS varchar(max)), 2000000000))", "; E59999"),
        ("SELECT LEN(REPLICATE(REPLICATE(CAST('x' AS varchar(max)), 100000), 100000))", "; E59999"),
        ("WITH r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT COUNT(*) FROM r", "; E530"),
        (
            "DECLARE @s nvarchar(100) = N'EXEC (@s)' EXEC ('DECLARE @s nvarchar(100) = N''SELECT 1'' EXEC (@s)')",
            "1",
        ),
    ] {
        let mut sink = Patient { kept: Kept::default(), left: std::cell::Cell::new(20_000_000) };
        session().batch(sql, &mut sink);
        let got = answer(&sink.kept.0);
        assert!(got == wanted || got.ends_with(wanted) || got.contains("E59999"), "{sql}: {got}");
    }
    let long = format!("SELECT 1 WHERE '{}b' LIKE '{}c'", "a".repeat(3000), "%a".repeat(1000));
    assert_eq!(answer(&run(&long)), "");
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
}
