//! Cuts T-SQL into tokens and says which of them write, or read what must not be trusted.
//!
//! A rough fence for people who mean well: the true one is the read-only login. Does not parse statements.

use crate::diagnostic::Diagnostic;
use crate::yaml::{Place, place_at};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A bare word or a number: keyword, name, `#temp`.
    Word,
    /// `[name]` or `"name"`.
    Quoted,
    /// `'text'`, without its quotes.
    Text,
    /// `@name` or `@@name`.
    Variable,
    /// Any other single character.
    Sign,
}

/// A token of a T-SQL text; comments and blanks are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// Its text; inner text for quoted names and texts, doubled quotes left as they are.
    pub text: &'a str,
    /// Byte offset of its first character.
    pub byte: usize,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }
    fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|w| self.is(w))
    }
    fn is_sign(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }
    /// A local temporary table or a table variable.
    fn is_scratch(&self) -> bool {
        match self.kind {
            TokenKind::Word | TokenKind::Quoted => self.text.starts_with('#'),
            TokenKind::Variable => !self.text.starts_with("@@"),
            _ => false,
        }
    }
}

/// The tokens, or where a comment, text or quoted name that is never closed begins.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, Place> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let open = || place_at(text, at);
        let (kind, skip, length, end) = if c.is_whitespace() || c == '\u{feff}' {
            at += c.len_utf8();
            continue;
        } else if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if rest.starts_with("/*") {
            at += comment(rest).ok_or_else(open)?;
            continue;
        } else if c == '\'' || c == '"' || c == '[' {
            let close = if c == '[' { ']' } else { c };
            let inner = quoted(&rest[1..], close).ok_or_else(open)?;
            (if c == '\'' { TokenKind::Text } else { TokenKind::Quoted }, 1, inner, 1)
        } else if c == '@' {
            (TokenKind::Variable, 0, word(rest), 0)
        } else if is_word(c) {
            (TokenKind::Word, 0, word(rest), 0)
        } else {
            (TokenKind::Sign, 0, c.len_utf8(), 0)
        };
        let start = at + skip;
        all.push(Token { kind, text: &text[start..start + length], byte: at });
        at = start + length + end;
        // N'text': the prefix belongs to the text
        if let [.., before, last] = all.as_slice()
            && last.kind == TokenKind::Text
            && before.is("N")
            && before.byte + 1 == last.byte
        {
            let last = *last;
            all.truncate(all.len() - 2);
            all.push(last);
        }
    }
    Ok(all)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '#' | '$' | '@')
}

fn word(rest: &str) -> usize {
    rest.find(|c| !is_word(c)).unwrap_or(rest.len())
}

/// Bytes up to the closing quote; a doubled one stands for itself.
fn quoted(rest: &str, close: char) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + rest[from..].find(close)?;
        if !rest[at + 1..].starts_with(close) {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Bytes of a block comment; T-SQL nests them.
fn comment(rest: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        let tail = &rest[at..];
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += tail.chars().next()?.len_utf8();
        }
    }
}

/// Procedures that only read.
const READERS: [&str; 14] = [
    "xp_fileexist",
    "xp_dirtree",
    "xp_fixeddrives",
    "xp_readerrorlog",
    "xp_msver",
    "xp_instance_regread",
    "xp_sqlagent_enum_jobs",
    "sp_help",
    "sp_helptext",
    "sp_help_job",
    "sp_help_jobactivity",
    "sp_help_jobhistory",
    "sp_helpsrvrolemember",
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
        "ENABLE" | "DISABLE" => next(&["TRIGGER"]),
        "XP_CMDSHELL" => true,
        other => WRITERS.contains(&other),
    }
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
    READERS.contains(&name.as_str())
}

/// How many result sets the text returns, roughly: branches of one IF count once, assignments not at all.
pub fn result_sets(tokens: &[Token<'_>]) -> usize {
    let (mut depth, mut sets, mut branches) = (0_u32, 0_usize, 0_usize);
    let mut inserting = false;
    let mut blocks: Vec<bool> = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        }
        if token.is("CASE") {
            blocks.push(true);
        } else if token.is("BEGIN") && !tokens.get(n + 1).is_some_and(|t| t.is_any(&["TRAN", "TRANSACTION"]))
        {
            blocks.push(false);
        } else if token.is("END") {
            blocks.pop();
        } else if depth == 0 && token.is_any(&["ELSE", "RETURN", "CATCH"]) && blocks.last() != Some(&true) {
            // BEGIN CATCH … END CATCH names it twice; one branch is enough to allow
            branches += usize::from(!token.is("CATCH") || tokens[n.saturating_sub(1)].is("BEGIN"));
        } else if token.is("INSERT") {
            inserting = true;
        } else if depth == 0 && token.is_any(&["VALUES", "EXEC", "EXECUTE"]) {
            sets += usize::from(!inserting && !token.is("VALUES"));
            inserting = false;
        } else if depth == 0 && token.is_any(&["RESTORE", "DBCC"]) {
            sets += 1;
        } else if depth == 0 && token.is("SELECT") {
            let before = n.checked_sub(1).map(|b| &tokens[b]);
            let continues = before.is_some_and(|b| b.is_any(&["UNION", "ALL", "EXCEPT", "INTERSECT", "FOR"]));
            if inserting || continues {
                inserting = false;
            } else if !assigns(&tokens[n + 1..]) {
                sets += 1;
            }
        }
    }
    if sets == 0 { 0 } else { sets.saturating_sub(branches).max(1) }
}

/// Whether the SELECT whose list begins here fills variables or a table instead of returning rows.
fn assigns(rest: &[Token<'_>]) -> bool {
    let first = target(rest, &["DISTINCT", "ALL"]);
    let from = first.map_or(0, |f| rest.iter().position(|t| t.byte == f.byte).unwrap_or(0));
    if let [v, sign, ..] = &rest[from..]
        && v.kind == TokenKind::Variable
        && (sign.is_sign("=") || rest.get(from + 2).is_some_and(|t| t.is_sign("=")))
    {
        return true;
    }
    let mut depth = 0_u32;
    for token in rest {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is("INTO") {
            return true;
        } else if depth == 0 && (token.is_any(&["FROM", "SELECT"]) || token.is_sign(";")) {
            return false;
        }
    }
    false
}

/// The variables the text uses without declaring them, without `@`, in order of appearance, each once.
pub fn free_variables<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let mut declared: Vec<&str> = Vec::new();
    let mut free: Vec<&str> = Vec::new();
    let (mut declaring, mut running, mut depth) = (false, false, 0_u32);
    for (n, token) in tokens.iter().enumerate() {
        let before = n.checked_sub(1).map(|b| &tokens[b]);
        let assigned = tokens.get(n + 1).is_some_and(|t| t.is_sign("="));
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.saturating_sub(1);
        } else if token.is("DECLARE") {
            (declaring, running) = (true, false);
        } else if token.is_any(&["EXEC", "EXECUTE"]) {
            (declaring, running) = (false, true);
        } else if token.is_sign(";") || (depth == 0 && token.is_any(&STARTERS)) {
            (declaring, running) = (false, false);
        } else if token.kind == TokenKind::Variable && !token.text.starts_with("@@") {
            let name = &token.text[1..];
            let starts = depth == 0 && before.is_some_and(|b| b.is("DECLARE") || b.is_sign(","));
            // EXEC procedure @name = value: the procedure's own parameter
            let named =
                running && depth == 0 && assigned && !before.is_some_and(|b| b.is_any(&["EXEC", "EXECUTE"]));
            if declaring && starts {
                declared.push(name);
            } else if !named && !has(&declared, name) && !has(&free, name) {
                free.push(name);
            }
        }
    }
    free
}

fn has(all: &[&str], name: &str) -> bool {
    all.iter().any(|a| a.eq_ignore_ascii_case(name))
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
