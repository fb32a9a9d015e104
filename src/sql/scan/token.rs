//! Cuts T-SQL into tokens: words, quoted names, texts, variables, signs.
//!
//! Knows no statement. Comments nest, as in T-SQL; what is never closed is placed.

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
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }
    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|w| self.is(w))
    }
    pub(super) fn is_sign(&self, sign: &str) -> bool {
        self.kind == TokenKind::Sign && self.text == sign
    }
    /// A local temporary table or a table variable.
    pub(super) fn is_scratch(&self) -> bool {
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
