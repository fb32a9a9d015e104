//! Cursors: DECLARE, OPEN, FETCH, CLOSE, DEALLOCATE, cursor variables.

use super::super::ast::{CursorDefinition, CursorName, Expr, Fetch, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};

impl Parser {
    /// Stands on CURSOR, or on INSENSITIVE or SCROLL before it.
    pub(super) fn cursor_definition(&mut self) -> Parsed<CursorDefinition> {
        let mut scroll = false;
        let mut any = false;
        while let Some(word) = self.one_of(&["INSENSITIVE", "SCROLL"]) {
            scroll |= word == "SCROLL";
            any = true;
        }
        self.expect("CURSOR")?;
        let mut local = None;
        let mut forward = false;
        let mut back = false;
        while let Some(word) = self.one_of(&[
            "LOCAL",
            "GLOBAL",
            "FORWARD_ONLY",
            "SCROLL",
            "STATIC",
            "KEYSET",
            "DYNAMIC",
            "FAST_FORWARD",
            "READ_ONLY",
            "SCROLL_LOCKS",
            "OPTIMISTIC",
            "TYPE_WARNING",
        ]) {
            if any {
                return Err(
                    self.fail(1049, "Mixing old and new syntax to specify cursor options is not allowed.")
                );
            }
            match word {
                "LOCAL" | "GLOBAL" => local = Some(word == "LOCAL"),
                "FORWARD_ONLY" | "FAST_FORWARD" => forward = true,
                "SCROLL" | "STATIC" | "KEYSET" => back = true,
                _ => {}
            }
            if word == "SCROLL" && forward {
                return Err(self.fail(1048, "Conflicting cursor options SCROLL and FORWARD_ONLY."));
            }
        }
        self.expect("FOR")?;
        let mut query = self.query()?;
        query.recursion = self.option_clause()?;
        if self.accept("FOR") {
            if self.accept("READ") {
                self.expect("ONLY")?;
            } else {
                self.expect("UPDATE")?;
                if self.accept("OF") {
                    self.commas(Self::name)?;
                }
            }
        }
        Ok(CursorDefinition { local, scroll: scroll || back && !forward, query })
    }

    pub(super) fn cursor_name(&mut self) -> Parsed<CursorName> {
        if *self.kind() == Kind::Variable {
            return self.variable().map(CursorName::Variable);
        }
        let global = self.accept("GLOBAL");
        Ok(CursorName::Named { name: self.identifier()?, global })
    }

    /// Stands behind FETCH.
    pub(super) fn fetch(&mut self) -> Parsed<What> {
        let words = ["NEXT", "PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE"];
        let told = words.iter().any(|w| self.peek(w))
            && (self.ahead(1).is("FROM")
                || self.peek("ABSOLUTE")
                || self.peek("RELATIVE")
                || self.name_at(1)
                || self.ahead(1).kind == Kind::Variable);
        let word = if told { self.one_of(&words) } else { None };
        let number = |p: &mut Self| {
            let minus = p.accept_symbol("-");
            let value = p.constant()?;
            Ok(if minus { Expr::Negate(Box::new(value)) } else { value })
        };
        let where_to = match word {
            None | Some("NEXT") => Fetch::Next,
            Some("PRIOR") => Fetch::Prior,
            Some("FIRST") => Fetch::First,
            Some("LAST") => Fetch::Last,
            Some("ABSOLUTE") => Fetch::Absolute(number(self)?),
            Some(_) => Fetch::Relative(number(self)?),
        };
        if word.is_some() {
            self.expect("FROM")?;
        } else {
            self.accept("FROM");
        }
        let cursor = self.cursor_name()?;
        let into = if self.accept("INTO") { Some(self.commas(Self::variable)?) } else { None };
        Ok(What::Fetch { cursor, where_to, into })
    }

    /// Behind `SET @c =`, when a cursor follows.
    pub(super) fn cursor_value(&mut self) -> Parsed<Option<Box<CursorDefinition>>> {
        if self.peek("CURSOR") {
            return Ok(Some(Box::new(self.cursor_definition()?)));
        }
        Ok(None)
    }
}
