//! The rough shape of a text: how many result sets it returns, which variables it wants from outside.
//!
//! Follows keywords and parentheses only; does not parse statements.

use super::token::{Token, TokenKind};
use super::{STARTERS, target};

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
