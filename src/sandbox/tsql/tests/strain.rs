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
