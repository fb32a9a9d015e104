//! Cuts T-SQL into tokens and says which of them write, or read what must not be trusted.
//!
//! A rough fence for people who mean well: the true one is the read-only login. Does not parse statements.

use crate::diagnostic::Diagnostic;
use crate::yaml::place_at;

pub use shape::{free_variables, result_sets};
pub use token::{Token, TokenKind, tokens};

mod shape;
mod token;

/// Procedures that only read, beside `sp_help…`.
const READERS: [&str; 9] = [
    "xp_fileexist",
    "xp_dirtree",
    "xp_fixeddrives",
    "xp_readerrorlog",
    "xp_msver",
    "xp_instance_regread",
    "xp_logininfo",
    "xp_sqlagent_enum_jobs",
    "sp_spaceused",
];
/// `DBCC` commands that only read.
const DBCC_READERS: [&str; 10] = [
    "CHECKDB",
    "OPENTRAN",
    "SQLPERF",
    "LOGINFO",
    "DBINFO",
    "USEROPTIONS",
    "TRACESTATUS",
    "SHOW_STATISTICS",
    "INPUTBUFFER",
    "PAGE",
];
/// Words that never stand in a text that only reads.
const WRITERS: [&str; 20] = [
    "BACKUP",
    "KILL",
    "SHUTDOWN",
    "RECONFIGURE",
    "GRANT",
    "DENY",
    "REVOKE",
    "WRITETEXT",
    "UPDATETEXT",
    "BULK",
    "OPENROWSET",
    "OPENQUERY",
    "OPENDATASOURCE",
    "CHECKPOINT",
    "RECEIVE",
    "SETUSER",
    "REVERT",
    "WAITFOR",
    "DUMP",
    "LOAD",
];
/// Words a batch may begin with; anything else there is the name of a procedure.
const STARTERS: [&str; 19] = [
    "SELECT", "WITH", "DECLARE", "SET", "IF", "BEGIN", "EXEC", "EXECUTE", "RESTORE", "DBCC", "WHILE",
    "INSERT", "CREATE", "UPDATE", "DELETE", "MERGE", "ALTER", "DROP", "TRUNCATE",
];

/// Problems of any query, reading or writing: untrusted reads, batch separators, a change of database.
pub fn trust(text: &str, tokens: &[Token<'_>]) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        let next = |words: &[&str]| tokens.get(n + 1).is_some_and(|t| t.is_any(words));
        let place = Some(place_at(text, token.byte));
        if token.is_any(&["NOLOCK", "READUNCOMMITTED", "READPAST"])
            || (token.is("READ") && next(&["UNCOMMITTED"]))
        {
            all.push(
                Diagnostic::error(
                    "untrusted-read",
                    format!("`{}` reads what is not committed, or skips what is locked", token.text),
                    "evidence is read committed: leave it out; a lock timeout is shown as unknown",
                )
                .at(place),
            );
        } else if token.is("GO") && stands_alone(text, token) {
            all.push(
                Diagnostic::error(
                    "batch-separator",
                    "`GO` is a word of the tools, not of the server",
                    "a query is one batch: leave `GO` out",
                )
                .at(place),
            );
        } else if token.is("USE") && tokens.get(n + 1).is_some_and(|t| t.kind != TokenKind::Sign) {
            // `OPTION (USE HINT (..))` and `USE PLAN` are hints
            if !next(&["HINT", "PLAN"]) {
                all.push(
                    Diagnostic::error(
                        "changes-database",
                        "`USE` changes the database",
                        "say where the query runs in its `in:` header",
                    )
                    .at(place),
                );
            }
        }
    }
    all
}

fn stands_alone(text: &str, token: &Token<'_>) -> bool {
    let line_start = text[..token.byte].rfind('\n').map_or(0, |n| n + 1);
    text[line_start..].lines().next().is_some_and(|l| l.trim().eq_ignore_ascii_case("GO"))
}

/// Problems of a text that says it only reads: every word that writes.
pub fn writes(text: &str, tokens: &[Token<'_>]) -> Vec<Diagnostic> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut dynamic = false;
    for (n, token) in tokens.iter().enumerate() {
        let rest = &tokens[n + 1..];
        if n == 0 && token.kind == TokenKind::Word && !token.is_any(&STARTERS) {
            found
                .push((token.byte, format!("the text begins with `{}`, which runs a procedure", token.text)));
        }
        if token.kind == TokenKind::Word && writes_here(token, rest, &mut dynamic) {
            let next = rest.first().map_or(String::new(), |t| format!(" {}", t.text));
            found.push((token.byte, format!("`{}{next}` writes, or may", token.text)));
        }
    }
    if dynamic {
        found.extend(pasted(tokens));
        // What is run from a text is in the texts of the file.
        for token in tokens.iter().filter(|t| t.kind == TokenKind::Text) {
            let inner = token.text.replace("''", "'");
            let mut deeper = false;
            if let Ok(words) = self::tokens(&inner) {
                for (n, word) in words.iter().enumerate() {
                    if word.kind == TokenKind::Word && writes_here(word, &words[n + 1..], &mut deeper) {
                        found.push((
                            token.byte,
                            format!("`{}` inside a text that is run writes, or may", word.text),
                        ));
                    }
                }
            }
        }
    }
    found
        .into_iter()
        .map(|(byte, what)| {
            Diagnostic::error(
                "writes-in-reads-only",
                what,
                "take it out, or say `-- writes` instead of `-- reads only`",
            )
            .at(Some(place_at(text, byte)))
        })
        .collect()
}

/// Whether `token`, followed by `rest`, changes anything beyond temporary tables and variables.
fn writes_here(token: &Token<'_>, rest: &[Token<'_>], dynamic: &mut bool) -> bool {
    let next = |words: &[&str]| rest.first().is_some_and(|t| t.is_any(words));
    match token.text.to_ascii_uppercase().as_str() {
        "INSERT" => !target(rest, &["INTO"]).is_some_and(Token::is_scratch),
        "DELETE" => !target(rest, &["FROM"]).is_some_and(Token::is_scratch),
        "UPDATE" => !target(rest, &[]).is_some_and(Token::is_scratch),
        "MERGE" => !next(&["JOIN", "UNION"]) && !target(rest, &["INTO"]).is_some_and(Token::is_scratch),
        "TRUNCATE" | "ALTER" => !target(rest, &["TABLE"]).is_some_and(Token::is_scratch),
        "DROP" => !target(rest, &["TABLE", "IF", "EXISTS"]).is_some_and(Token::is_scratch),
        "CREATE" => !creates_scratch(rest),
        "INTO" => !rest.first().is_some_and(Token::is_scratch),
        "EXEC" | "EXECUTE" => !runs_a_reader(rest, dynamic),
        "RESTORE" => !next(&["HEADERONLY", "FILELISTONLY", "LABELONLY", "VERIFYONLY", "REWINDONLY"]),
        "DBCC" => {
            !next(&DBCC_READERS)
                || rest
                    .iter()
                    .take(24)
                    .any(|t| t.is_any(&["CLEAR", "REPAIR_ALLOW_DATA_LOSS", "REPAIR_REBUILD", "REPAIR_FAST"]))
        }
        "NEXT" => next(&["VALUE"]),
        "SEND" => next(&["ON"]),
        "BEGIN" => next(&["DIALOG", "CONVERSATION"]),
        "END" => next(&["CONVERSATION"]),
        "ENABLE" | "DISABLE" => next(&["TRIGGER"]),
        "XP_CMDSHELL" => true,
        other => WRITERS.contains(&other),
    }
}

/// Texts that are run and contain a parameter: whoever sets it writes the statement.
fn pasted(tokens: &[Token<'_>]) -> Vec<(usize, String)> {
    let free = free_variables(tokens);
    let mut all = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        let run = token.is_any(&["EXEC", "EXECUTE"]) && tokens.get(n + 1).is_some_and(|t| t.is_sign("("));
        let end = match (run, token.is("sp_executesql")) {
            (true, _) => ")",
            (_, true) => ",",
            _ => continue,
        };
        let text = tokens[n + 1..].iter().take_while(|t| !t.is_sign(end) && !t.is_sign(";"));
        for part in text.filter(|t| t.kind == TokenKind::Variable) {
            if free.iter().any(|f| part.text[1..].eq_ignore_ascii_case(f)) {
                all.push((part.byte, format!("`{}` is run as part of a statement", part.text)));
            }
        }
    }
    all
}

/// The first token after `TOP (..)` and the given words.
fn target<'t, 'a>(rest: &'t [Token<'a>], skip: &[&str]) -> Option<&'t Token<'a>> {
    let mut rest = rest;
    if rest.first()?.is("TOP") {
        let close = rest.iter().position(|t| t.is_sign(")"))?;
        rest = &rest[close + 1..];
    }
    while rest.first()?.is_any(skip) {
        rest = &rest[1..];
    }
    rest.first()
}

fn creates_scratch(rest: &[Token<'_>]) -> bool {
    match rest.first() {
        Some(t) if t.is("TABLE") => rest.get(1).is_some_and(Token::is_scratch),
        // CREATE [UNIQUE] [CLUSTERED] INDEX name ON #t
        Some(_) => {
            let head = &rest[..rest.len().min(6)];
            head.iter().any(|t| t.is("INDEX"))
                && head.windows(2).any(|pair| pair[0].is("ON") && pair[1].text.starts_with('#'))
        }
        None => false,
    }
}

fn runs_a_reader(rest: &[Token<'_>], dynamic: &mut bool) -> bool {
    // EXEC @result = procedure
    let rest = match rest {
        [v, eq, tail @ ..] if v.kind == TokenKind::Variable && eq.is_sign("=") => tail,
        all => all,
    };
    if rest.first().is_some_and(|t| t.is_sign("(")) {
        *dynamic = true;
        return true;
    }
    let mut name = None;
    for token in rest {
        match token.kind {
            TokenKind::Word | TokenKind::Quoted if name.is_none() => name = Some(token.text),
            TokenKind::Sign if token.text == "." => name = None,
            _ => break,
        }
    }
    let name = name.unwrap_or_default().to_ascii_lowercase();
    if name == "sp_executesql" {
        *dynamic = true;
        return true;
    }
    name.starts_with("sp_help") || READERS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> usize {
        writes(text, &tokens(text).unwrap()).len()
    }

    #[test]
    fn words_that_write_are_found() {
        for text in [
            "INSERT INTO dbo.t SELECT 1",
            "insert t values (1)",
            "UPDATE t SET a = 1 FROM #t t",
            "DELETE TOP (5) FROM dbo.t",
            "MERGE dbo.t USING #s ON 1=1 WHEN MATCHED THEN DELETE;",
            "TRUNCATE TABLE dbo.t",
            "SELECT * INTO dbo.copy FROM sys.objects",
            "EXEC sp_configure 'x', 1",
            "EXECUTE msdb.dbo.sp_start_job @job_name = 'x'",
            "EXEC [master]..[xp_cmdshell] 'dir'",
            "sp_who2",
            "BACKUP DATABASE x TO DISK = 'x'",
            "RESTORE DATABASE x FROM DISK = 'x'",
            "KILL 52",
            "DBCC CHECKDB (x, REPAIR_REBUILD)",
            "DBCC SHRINKFILE (1)",
            "DBCC SQLPERF('sys.dm_os_wait_stats', CLEAR)",
            "SHUTDOWN",
            "RECONFIGURE",
            "GRANT SELECT TO x",
            "SELECT NEXT VALUE FOR s",
            "SELECT * FROM OPENROWSET(BULK 'x', SINGLE_BLOB) AS x",
            "CREATE TABLE dbo.t (a int)",
            "CREATE VIEW v AS SELECT 1 AS a",
            "DROP TABLE IF EXISTS dbo.t",
            "ALTER DATABASE x SET ONLINE",
            "EXEC sp_executesql N'UPDATE dbo.t SET a = 1'",
            "EXEC (N'DROP TABLE t')",
            "SELECT 1; /* /* nested */ */ DELETE t",
            "EXEC (@sql)",
            "EXEC (N'SELECT * FROM ' + @table)",
            "EXEC sp_executesql @sql, N'@a int', @a = 1",
            "END CONVERSATION @h",
        ] {
            assert!(written(text) > 0, "{text}");
        }
    }

    #[test]
    fn texts_comments_names_and_scratch_tables_are_left_alone() {
        for text in [
            "SELECT 'DELETE FROM t' AS a, [update], \"drop\" FROM t -- INSERT INTO t",
            "SELECT 1 /* UPDATE t /* DELETE t */ SET */ AS a",
            "CREATE TABLE #t (a int); INSERT INTO #t SELECT 1; UPDATE #t SET a = 2; DELETE #t; DROP TABLE #t",
            "CREATE UNIQUE CLUSTERED INDEX i ON #t (a)",
            "DECLARE @t TABLE (a int); INSERT @t EXEC master.dbo.xp_fileexist @path; SELECT a FROM @t",
            "RESTORE HEADERONLY FROM DISK = @path",
            "DBCC CHECKDB (x) WITH NO_INFOMSGS",
            "SELECT a FROM x INNER MERGE JOIN y ON 1 = 1",
            "EXEC sp_executesql N'SELECT a FROM t WHERE b = ''x''', N'@b int', @b = 1",
            "DECLARE @q nvarchar(max) = N'SELECT a FROM t WHERE b = @b'; EXEC sp_executesql @q, N'@b int', @b = @b",
            "EXEC msdb.dbo.sp_help_log_shipping_monitor",
            "SELECT updated, inserted_at, is_deleted FROM t",
            "SELECT N'it''s; DROP TABLE t' AS a",
        ] {
            let all = writes(text, &tokens(text).unwrap());
            assert!(all.is_empty(), "{text}: {all:?}");
        }
    }

    #[test]
    fn untrusted_reads_and_batches_are_refused() {
        let codes = |text: &str| -> Vec<&str> {
            trust(text, &tokens(text).unwrap()).iter().map(|d| d.code).collect()
        };
        assert_eq!(codes("SELECT 1 FROM t WITH (NOLOCK)"), ["untrusted-read"]);
        assert_eq!(codes("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED SELECT 1"), ["untrusted-read"]);
        assert_eq!(codes("SELECT 1\nGO\n"), ["batch-separator"]);
        assert_eq!(codes("USE msdb SELECT 1"), ["changes-database"]);
        assert!(codes("SELECT go FROM t OPTION (USE HINT ('x')) -- nolock").is_empty());
    }

    #[test]
    fn result_sets_are_counted() {
        for (count, text) in [
            (1, "SELECT 1 AS a"),
            (2, "SELECT 1 AS a; SELECT 2 AS b"),
            (1, "WITH c AS (SELECT 1 AS a) SELECT a FROM c UNION ALL SELECT 2"),
            (1, "DECLARE @x int; SELECT @x = a FROM t; SELECT TOP (1) @x = 2; SELECT @x AS x"),
            (1, "IF 1 = 1 SELECT 1 AS a ELSE SELECT CASE WHEN 1 = 1 THEN 2 ELSE 3 END AS a"),
            (1, "CREATE TABLE #t (a int) INSERT #t SELECT 1 SELECT a FROM #t"),
            (1, "SELECT a INTO #t FROM x SELECT a FROM #t"),
            (1, "BEGIN TRY SELECT 1 AS a END TRY BEGIN CATCH SELECT 2 AS a END CATCH"),
            (0, "DECLARE @x int SET @x = (SELECT 1)"),
            (1, "EXEC sp_executesql N'SELECT 1'"),
        ] {
            assert_eq!(result_sets(&tokens(text).unwrap()), count, "{text}");
        }
    }

    #[test]
    fn variables_that_are_not_declared_are_parameters() {
        let text =
            "DECLARE @a int = @p, @t TABLE (x int, y int), @b int SELECT @a, @b, @@ROWCOUNT, @Q, @p FROM @t";
        assert_eq!(free_variables(&tokens(text).unwrap()), ["p", "Q"]);
        let text = "EXEC msdb.dbo.sp_update_job @job_id = @job, @enabled = 0; SELECT @job_id";
        assert_eq!(free_variables(&tokens(text).unwrap()), ["job", "job_id"]);
        assert_eq!(free_variables(&tokens("EXEC @rc = sp_x").unwrap()), ["rc"]);
    }

    #[test]
    fn what_is_never_closed_is_placed() {
        assert_eq!(tokens("SELECT 1\n  'abc").unwrap_err().line, 2);
        assert!(tokens("/* /* */").is_err());
        assert!(tokens("SELECT [a").is_err());
    }
}
