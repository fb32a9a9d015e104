//! SET: variables and options.

use super::super::ast::{Expr, Isolation, SetOption, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::value::{Type, Value};

impl Parser {
    pub(super) fn set(&mut self) -> Parsed<What> {
        if *self.kind() == Kind::Variable {
            let name = self.variable()?;
            let operator = self.assign_operator()?;
            if operator.is_none()
                && let Some(to) = self.cursor_value()?
            {
                return Ok(What::SetCursor { variable: name, to });
            }
            return Ok(What::SetVariable { name, operator, value: self.value()? });
        }
        if self.accept_all(&["TRANSACTION", "ISOLATION", "LEVEL"]) {
            let levels: [(&[&str], Isolation); 4] = [
                (&["READ", "UNCOMMITTED"], Isolation::ReadUncommitted),
                (&["READ", "COMMITTED"], Isolation::ReadCommitted),
                (&["REPEATABLE", "READ"], Isolation::RepeatableRead),
                (&["SERIALIZABLE"], Isolation::Serializable),
            ];
            if self.peek("SNAPSHOT") {
                return Err(self.refused("SET TRANSACTION ISOLATION LEVEL SNAPSHOT"));
            }
            let level = levels.iter().find(|(words, _)| self.accept_all(words)).map(|(_, level)| *level);
            return Ok(What::SetOption(SetOption::Isolation(level.ok_or_else(|| self.unexpected())?)));
        }
        if *self.kind() != Kind::Word {
            return Err(self.unexpected());
        }
        let first = self.token().text.to_ascii_uppercase();
        match first.as_str() {
            "IDENTITY_INSERT" => {
                self.advance();
                let name = self.name()?;
                let on = self.one_of(&["ON", "OFF"]).ok_or_else(|| self.unexpected())? == "ON";
                Ok(What::SetOption(SetOption::IdentityInsert(name, on)))
            }
            "STATISTICS" => {
                self.advance();
                self.commas(|p| {
                    if p.peek("XML") || p.peek("PROFILE") {
                        return Err(p.refused("SET STATISTICS XML or PROFILE"));
                    }
                    p.one_of(&["IO", "TIME"]).ok_or_else(|| p.unexpected())
                })?;
                let on = self.one_of(&["ON", "OFF"]).ok_or_else(|| self.unexpected())? == "ON";
                if on {
                    return Err(self.refused("SET STATISTICS IO or TIME ON"));
                }
                Ok(What::SetOption(SetOption::Statistics))
            }
            "CONTEXT_INFO" => {
                self.advance();
                let value = self.constant()?;
                Ok(What::SetOption(SetOption::Value(first, value)))
            }
            "LOCK_TIMEOUT" | "DATEFIRST" | "TEXTSIZE" | "ROWCOUNT" | "QUERY_GOVERNOR_COST_LIMIT" => {
                self.advance();
                let minus = self.accept_symbol("-");
                let value = match self.kind() {
                    Kind::Integer | Kind::Variable => self.constant()?,
                    _ => return Err(self.unexpected()),
                };
                let value = if minus { Expr::Negate(Box::new(value)) } else { value };
                Ok(What::SetOption(SetOption::Value(first, value)))
            }
            "DEADLOCK_PRIORITY" | "LANGUAGE" | "DATEFORMAT" => {
                self.advance();
                let minus = self.accept_symbol("-");
                let value = if self.peek_name() {
                    let text = self.identifier()?;
                    Expr::Literal(Value::Text(text), Type::SYSNAME)
                } else {
                    self.constant()?
                };
                let value = if minus { Expr::Negate(Box::new(value)) } else { value };
                Ok(What::SetOption(SetOption::Value(first, value)))
            }
            "OFFSETS" => Err(self.refused(format!("SET {first}"))),
            _ => {
                let names = self.commas(|p| {
                    if *p.kind() != Kind::Word {
                        return Err(p.unexpected());
                    }
                    let name = p.token().text.to_ascii_uppercase();
                    if !SWITCHES.contains(&name.as_str()) {
                        if REFUSED_SWITCHES.contains(&name.as_str()) {
                            return Err(p.refused(format!("SET {name}")));
                        }
                        let text = format!("'{}' is not a recognized SET option.", p.token().text);
                        return Err(p.fail(195, text));
                    }
                    p.advance();
                    Ok(name)
                })?;
                match self.one_of(&["ON", "OFF"]) {
                    Some(word) => Ok(What::SetOption(SetOption::Switch(names, word == "ON"))),
                    None => Err(self.unexpected()),
                }
            }
        }
    }
}

/// SET options with ON or OFF.
pub(super) const SWITCHES: [&str; 21] = [
    "FMTONLY",
    "FORCEPLAN",
    "NOEXEC",
    "PARSEONLY",
    "REMOTE_PROC_TRANSACTIONS",
    "NOCOUNT",
    "XACT_ABORT",
    "ANSI_NULLS",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ANSI_NULL_DFLT_ON",
    "ANSI_NULL_DFLT_OFF",
    "ANSI_DEFAULTS",
    "ARITHABORT",
    "ARITHIGNORE",
    "CONCAT_NULL_YIELDS_NULL",
    "CURSOR_CLOSE_ON_COMMIT",
    "IMPLICIT_TRANSACTIONS",
    "NUMERIC_ROUNDABORT",
    "QUOTED_IDENTIFIER",
    "NO_BROWSETABLE",
];

/// Those that would change an answer in a way the sandbox does not follow.
pub(super) const REFUSED_SWITCHES: [&str; 3] = ["SHOWPLAN_ALL", "SHOWPLAN_TEXT", "SHOWPLAN_XML"];
