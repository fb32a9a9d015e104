//! OPTION (…) and table hints: what an optimizer or a lock manager is told.
//!
//! Hints change how, never what; only MAXRECURSION is kept.

use super::super::ast::Hint;
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::host::Lock;

impl Parser {
    /// `OPTION (…)`; the number of MAXRECURSION if it was told.
    pub(super) fn option_clause(&mut self) -> Parsed<Option<u32>> {
        if !self.accept("OPTION") {
            return Ok(None);
        }
        let mut recursion = None;
        self.expect_symbol("(")?;
        loop {
            if self.accept("MAXRECURSION") {
                let n = self.token().text.parse::<u32>().ok();
                if *self.kind() != Kind::Integer {
                    return Err(self.unexpected());
                }
                let Some(n) = n.filter(|n| *n <= 32767) else {
                    return Err(self.fail(
                        310,
                        format!(
                            "The value {} specified for the MAXRECURSION option exceeds the allowed maximum of 32767.",
                            self.token().text
                        ),
                    ));
                };
                self.advance();
                recursion = Some(n);
            } else {
                self.query_hint()?;
            }
            if !self.accept_symbol(",") {
                break;
            }
        }
        self.expect_symbol(")")?;
        Ok(recursion)
    }

    fn query_hint(&mut self) -> Parsed<()> {
        const PLAIN: [&[&str]; 14] = [
            &["RECOMPILE"],
            &["FORCE", "ORDER"],
            &["KEEP", "PLAN"],
            &["KEEPFIXED", "PLAN"],
            &["EXPAND", "VIEWS"],
            &["ROBUST", "PLAN"],
            &["PARAMETERIZATION", "SIMPLE"],
            &["PARAMETERIZATION", "FORCED"],
            &["OPTIMIZE", "FOR", "UNKNOWN"],
            &["NO_PERFORMANCE_SPOOL"],
            &["IGNORE_NONCLUSTERED_COLUMNSTORE_INDEX"],
            &["ORDER", "GROUP"],
            &["CONCAT", "UNION"],
            &["DISABLE", "EXTERNALPUSHDOWN"],
        ];
        if PLAIN.iter().any(|words| self.accept_all(words)) {
            return Ok(());
        }
        if self.one_of(&["LOOP", "HASH", "MERGE"]).is_some() {
            return self.one_of(&["JOIN", "GROUP", "UNION"]).map(|_| ()).ok_or_else(|| self.unexpected());
        }
        if self.one_of(&["MAXDOP", "FAST", "QUERYTRACEON"]).is_some() {
            if !matches!(self.kind(), Kind::Integer | Kind::Variable) {
                return Err(self.unexpected());
            }
            self.advance();
            return Ok(());
        }
        if self.one_of(&["MAX_GRANT_PERCENT", "MIN_GRANT_PERCENT"]).is_some() {
            self.expect_symbol("=")?;
            if !matches!(self.kind(), Kind::Integer | Kind::Decimal) {
                return Err(self.unexpected());
            }
            self.advance();
            return Ok(());
        }
        if self.accept_all(&["USE", "HINT"]) {
            self.list(|p| match p.kind() {
                Kind::Text { .. } => {
                    p.advance();
                    Ok(())
                }
                _ => Err(p.unexpected()),
            })?;
            return Ok(());
        }
        if self.peek_all(&["OPTIMIZE", "FOR"]) && self.ahead_symbol(2, "(") {
            self.at += 2;
            self.list(|p| {
                p.variable()?;
                if p.accept("UNKNOWN") {
                    return Ok(());
                }
                p.expect_symbol("=")?;
                p.constant().map(|_| ())
            })?;
            return Ok(());
        }
        for word in ["USE", "TABLE", "LABEL", "FORCE"] {
            if self.peek(word) {
                return Err(self.refused(format!("query hint {word}")));
            }
        }
        Err(self.unexpected())
    }

    /// `FROM t (NOLOCK)`: the old way to write a hint.
    pub(super) fn old_hint(&self) -> bool {
        self.peek_symbol("(")
            && HINTS.iter().any(|hint| self.ahead(1).is(hint))
            && (self.ahead_symbol(2, ")") || self.ahead_symbol(2, ","))
    }

    /// Table hints: the strongest lock they ask for.
    pub(super) fn hints(&mut self) -> Parsed<Hint> {
        let with = self.peek("WITH") && self.ahead_symbol(1, "(");
        let mut out = Hint::default();
        if !with && !self.old_hint() {
            return Ok(out);
        }
        if with {
            self.advance();
        }
        self.expect_symbol("(")?;
        loop {
            if self.peek("READPAST") || self.peek("SNAPSHOT") {
                return Err(self.refused(format!("the hint {}", self.token().text.to_uppercase())));
            }
            if let Some(word) = self.one_of(&HINTS) {
                match word {
                    "NOLOCK" | "READUNCOMMITTED" => out.lock = out.lock.max(Some(Lock::None)),
                    "REPEATABLEREAD" | "SERIALIZABLE" | "HOLDLOCK" => {
                        out.lock = out.lock.max(Some(Lock::Held));
                    }
                    "UPDLOCK" | "XLOCK" | "TABLOCKX" => out.lock = Some(Lock::Claimed),
                    "NOWAIT" => out.at_once = true,
                    "READCOMMITTED" | "READCOMMITTEDLOCK" | "ROWLOCK" | "PAGLOCK" | "TABLOCK" => {
                        out.lock = out.lock.max(Some(Lock::Shared));
                    }
                    _ => {}
                }
            } else if self.accept("INDEX") {
                if self.accept_symbol("=") && !self.peek_symbol("(") {
                    self.index_name()?;
                } else {
                    self.list(Self::index_name)?;
                }
            } else if self.accept("FORCESEEK") {
                if self.accept_symbol("(") {
                    self.index_name()?;
                    self.list(Self::identifier)?;
                    self.expect_symbol(")")?;
                }
            } else {
                return Err(if self.peek("SPATIAL_WINDOW_MAX_CELLS") {
                    self.refused("spatial hints")
                } else {
                    self.unexpected()
                });
            }
            if self.accept_symbol(")") {
                return Ok(out);
            }
            self.accept_symbol(",");
        }
    }

    fn index_name(&mut self) -> Parsed<()> {
        if *self.kind() == Kind::Integer {
            self.advance();
            return Ok(());
        }
        self.identifier().map(|_| ())
    }
}

const HINTS: [&str; 23] = [
    "NOLOCK",
    "READUNCOMMITTED",
    "READCOMMITTED",
    "REPEATABLEREAD",
    "SERIALIZABLE",
    "HOLDLOCK",
    "READPAST",
    "ROWLOCK",
    "PAGLOCK",
    "TABLOCK",
    "TABLOCKX",
    "UPDLOCK",
    "XLOCK",
    "NOWAIT",
    "READCOMMITTEDLOCK",
    "SNAPSHOT",
    "FORCESCAN",
    "NOEXPAND",
    "KEEPIDENTITY",
    "KEEPDEFAULTS",
    "IGNORE_CONSTRAINTS",
    "IGNORE_TRIGGERS",
    "FASTFIRSTROW",
];
