//! Reads tokens into statements by recursive descent; accepts only what T-SQL accepts.
//!
//! Does not look names up. Statements that T-SQL has and the sandbox has not end in 59999.

mod availability;
mod change;
mod condition;
mod cursor;
mod database;
mod expression;
mod function;
mod hint;
mod keyword;
mod media;
mod module;
mod query;
#[cfg(test)]
mod recorded;
mod routine;
mod security;
mod setting;
mod shape;
mod source;
mod statement;
mod table;

use super::super::answer::Message;
use super::ast::{Name, Statement};
use super::lexer::{self, Kind, Token};

/// Nesting (parentheses, subqueries, blocks) deeper than this is refused with 191.
const DEPTH: u32 = 40;
/// A chain of joins or set operators longer than this is refused with 191.
const CHAIN: usize = 128;

/// Operators above each other in one expression; more are refused with 191.
const HEIGHT: usize = 128;

type Parsed<T> = Result<T, Message>;

/// Reads a whole batch.
pub(super) fn batch(sql: &str, quoted_identifier: bool, version: u8) -> Parsed<Vec<Statement>> {
    let tokens = lexer::tokens(sql, quoted_identifier)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, height: 0, version };
    let statements = parser.statements(&[])?;
    match parser.kind() {
        Kind::End => {
            #[cfg(test)]
            recorded::keep(sql, quoted_identifier, version);
            Ok(statements)
        }
        _ => Err(parser.unexpected()),
    }
}

/// Reads the parameter declarations of `sp_executesql`.
pub(super) fn parameters(sql: &str, version: u8) -> Parsed<Vec<(String, super::super::value::Type, bool)>> {
    let tokens = lexer::tokens(sql, true)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, height: 0, version };
    parser.parameter_list()
}

/// Reads a CREATE VIEW, PROCEDURE or TABLE that was kept.
pub(super) fn kept(sql: &str, version: u8) -> Parsed<super::ast::What> {
    let tokens = lexer::tokens(sql, true)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, height: 0, version };
    parser.statement().map(|s| s.what)
}

/// Reads a type as texts name it: `value('.', 'int')`.
pub(super) fn kind(text: &str, version: u8) -> Parsed<super::super::value::Type> {
    let tokens = lexer::tokens(text, true)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, height: 0, version };
    let kind = parser.type_name(1)?;
    if *parser.kind() == Kind::End { Ok(kind) } else { Err(parser.unexpected()) }
}

/// Reads a name of up to four parts, and nothing behind it.
pub(super) fn name(text: &str) -> Parsed<Name> {
    let tokens = lexer::tokens(text, true)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, height: 0, version: u8::MAX };
    let name = parser.name()?;
    if *parser.kind() == Kind::End { Ok(name) } else { Err(parser.unexpected()) }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    /// Of the expression read last, in operators.
    height: usize,
    /// Major product version: newer syntax does not exist on it.
    version: u8,
}

impl Parser {
    fn token(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }
    fn ahead(&self, by: usize) -> &Token {
        &self.tokens[(self.at + by).min(self.tokens.len() - 1)]
    }
    fn kind(&self) -> &Kind {
        &self.token().kind
    }
    fn line(&self) -> i32 {
        self.token().line
    }
    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// The next token is this keyword.
    fn peek(&self, word: &str) -> bool {
        self.token().is(word)
    }
    /// The next tokens are these keywords.
    fn peek_all(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(i, word)| self.ahead(i).is(word))
    }
    fn accept(&mut self, word: &str) -> bool {
        let found = self.peek(word);
        if found {
            self.advance();
        }
        found
    }
    fn accept_all(&mut self, words: &[&str]) -> bool {
        let found = self.peek_all(words);
        if found {
            self.at += words.len();
        }
        found
    }
    fn expect(&mut self, word: &str) -> Parsed<()> {
        if self.accept(word) { Ok(()) } else { Err(self.unexpected()) }
    }
    /// One of several words; which one, in capitals.
    fn one_of(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().find(|word| self.peek(word)).copied();
        if found.is_some() {
            self.advance();
        }
        found
    }

    fn peek_symbol(&self, symbol: &str) -> bool {
        matches!(self.kind(), Kind::Symbol(s) if *s == symbol)
    }
    fn ahead_symbol(&self, by: usize, symbol: &str) -> bool {
        matches!(&self.ahead(by).kind, Kind::Symbol(s) if *s == symbol)
    }
    fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }
    fn expect_symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// 102 or 156 at the next token.
    fn unexpected(&self) -> Message {
        match self.kind() {
            // the end itself has no text: the last token is shown, never as a keyword
            Kind::End if self.at > 0 => {
                let last = &self.tokens[self.at - 1];
                let text = format!("Incorrect syntax near '{}'.", shown(last));
                Message { class: 15, line: last.line, ..Message::error(102, text) }
            }
            _ => Self::near(self.token()),
        }
    }
    fn near(token: &Token) -> Message {
        let keyword = token.kind == Kind::Word && keyword::reserved(&token.text);
        let (number, text) = if keyword {
            (156, format!("Incorrect syntax near the keyword '{}'.", token.text))
        } else {
            (102, format!("Incorrect syntax near '{}'.", shown(token)))
        };
        Message { class: 15, line: token.line, ..Message::error(number, text) }
    }
    /// 59999 at this place.
    fn refused(&self, what: impl std::fmt::Display) -> Message {
        Message { line: self.line(), ..Message::not_modelled(what) }
    }
    fn fail(&self, number: i32, text: impl Into<String>) -> Message {
        Message { class: 15, line: self.line(), ..Message::error(number, text) }
    }

    /// One level deeper, and back.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        let result = if self.depth > DEPTH { Err(self.too_deep()) } else { read(self) };
        self.depth -= 1;
        result
    }
    fn too_deep(&self) -> Message {
        self.fail(
            191,
            "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.",
        )
    }

    /// Whether the next token can be a name.
    fn peek_name(&self) -> bool {
        self.name_at(0)
    }
    fn name_at(&self, by: usize) -> bool {
        let token = self.ahead(by);
        match token.kind {
            Kind::Quoted => true,
            Kind::Word => !keyword::reserved(&token.text) && !token.text.starts_with('$'),
            _ => false,
        }
    }
    /// A name of one part.
    fn identifier(&mut self) -> Parsed<String> {
        if !self.peek_name() {
            return Err(self.unexpected());
        }
        let token = self.token();
        if token.text.is_empty() {
            return Err(self.fail(
                1038,
                "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other statements, look for empty alias names. Aliases defined as \"\" or [] are not allowed. Change the alias to a valid name.",
            ));
        }
        let count = token.text.chars().count();
        if count > 128 {
            let start: String = token.text.chars().take(128).collect();
            return Err(self.fail(
                103,
                format!("The identifier that starts with '{start}' is too long. Maximum length is 128."),
            ));
        }
        let name = token.text.clone();
        self.advance();
        Ok(name)
    }
    /// A name of up to four parts.
    fn name(&mut self) -> Parsed<Name> {
        let mut parts = vec![self.identifier()?];
        while self.peek_symbol(".") && parts.len() < 4 {
            self.advance();
            // a part left out: `db..table`
            if self.peek_symbol(".") {
                parts.push(String::new());
            } else {
                parts.push(self.identifier()?);
            }
        }
        if parts.last().is_some_and(String::is_empty) {
            return Err(self.unexpected());
        }
        Ok(parts)
    }
    fn variable(&mut self) -> Parsed<String> {
        if *self.kind() != Kind::Variable {
            return Err(self.unexpected());
        }
        let name = self.token().text.clone();
        self.advance();
        Ok(name)
    }
    /// `(` items separated by commas `)`.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect_symbol("(")?;
        let items = self.commas(&mut item)?;
        self.expect_symbol(")")?;
        Ok(items)
    }
    fn commas<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }
}

/// A token's text as messages show it.
fn shown(token: &Token) -> String {
    token.text.chars().take(64).collect()
}
