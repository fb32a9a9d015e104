//! Cuts T-SQL text into tokens with their lines.
//!
//! Does not know which words are keywords where; the parser asks.

use super::super::answer::Message;

/// What a token is; its spelling stands beside it in [`Token::text`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// An unquoted word; may be a keyword.
    Word,
    /// `name:`, written together.
    Label,
    /// `[name]` or `"name"`; the text is the name.
    Quoted,
    /// `'text'`, and whether it was `N'text'`.
    Text { national: bool },
    /// Digits only.
    Integer,
    /// Digits with a point.
    Decimal,
    /// With an exponent.
    Float,
    /// `$12.50`, without the sign of its currency.
    Money,
    /// `0x…`
    Binary(Vec<u8>),
    /// `@name`
    Variable,
    /// `@@name`
    Global,
    /// An operator or a separator.
    Symbol(&'static str),
    /// After the last token.
    End,
}

/// One token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// The name, the text's content or the spelling.
    pub(super) text: String,
    /// 1-based.
    pub(super) line: i32,
}

impl Token {
    /// Whether it is this keyword.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 38] = [
    "<>", "<=", ">=", "!=", "!<", "!>", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "::", "(", ")", ",",
    ";", ".", "*", "+", "-", "/", "%", "&", "|", "^", "~", "=", "<", ">", ":", "!", "?", "{", "}", "\\",
];

/// Cuts `sql`; the last token is always [`Kind::End`].
pub(super) fn tokens(sql: &str, quoted_identifier: bool) -> Result<Vec<Token>, Message> {
    Lexer { rest: sql, line: 1, out: Vec::new(), quoted_identifier }.run()
}

struct Lexer<'a> {
    rest: &'a str,
    line: i32,
    out: Vec<Token>,
    quoted_identifier: bool,
}

impl Lexer<'_> {
    fn run(mut self) -> Result<Vec<Token>, Message> {
        while let Some(c) = self.rest.chars().next() {
            match c {
                '\n' => {
                    self.line += 1;
                    self.skip(1);
                }
                _ if c.is_whitespace() || c == '\u{feff}' => self.skip(c.len_utf8()),
                '-' if self.rest.starts_with("--") => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.skip(end);
                }
                '/' if self.rest.starts_with("/*") => self.comment()?,
                '\'' => self.text(0)?,
                'N' | 'n' if self.rest[1..].starts_with('\'') => self.text(1)?,
                '[' => self.quoted(']', Kind::Quoted)?,
                '"' if self.quoted_identifier => self.quoted('"', Kind::Quoted)?,
                '"' => self.quoted('"', Kind::Text { national: false })?,
                '0' if self.rest[1..].starts_with(['x', 'X']) => self.binary(),
                '0'..='9' => self.number(),
                '.' if self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) && !self.after_name() => {
                    self.number();
                }
                '$' if self.rest[1..].starts_with(|c: char| c.is_alphabetic()) => self.word(Kind::Word, 1),
                '$' | '€' | '£' | '¥' => {
                    self.skip(c.len_utf8());
                    let digits = |b: &u8| b.is_ascii_digit() || *b == b'.';
                    let at = self.rest.bytes().take_while(|b| digits(b)).count();
                    let text = self.rest[..at].to_owned();
                    self.skip(at);
                    self.push(Kind::Money, text);
                }
                '@' => {
                    let global = self.rest.starts_with("@@");
                    let kind = if global { Kind::Global } else { Kind::Variable };
                    self.word(kind, if global { 2 } else { 1 });
                }
                _ if c.is_alphabetic() || c == '_' || c == '#' => self.word(Kind::Word, 0),
                _ => self.symbol(c)?,
            }
        }
        let line = self.line;
        self.out.push(Token { kind: Kind::End, text: String::new(), line });
        Ok(self.out)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn push(&mut self, kind: Kind, text: impl Into<String>) {
        self.out.push(Token { kind, text: text.into(), line: self.line });
    }

    /// `a.1` cannot occur, `t.5` is a name followed by nonsense: a point after a name separates.
    fn after_name(&self) -> bool {
        matches!(self.out.last().map(|t| &t.kind), Some(Kind::Word | Kind::Quoted))
    }

    fn comment(&mut self) -> Result<(), Message> {
        let (start, bytes) = (self.line, self.rest.as_bytes());
        let (mut depth, mut at) = (0usize, 0usize);
        while at < bytes.len() {
            match (bytes[at], bytes.get(at + 1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        self.skip(at);
                        return Ok(());
                    }
                }
                (byte, _) => {
                    self.line += i32::from(byte == b'\n');
                    at += 1;
                }
            }
        }
        Err(Message {
            class: 15,
            line: start,
            ..Message::error(113, "Missing end comment mark '*/'.".to_owned())
        })
    }

    fn text(&mut self, prefix: usize) -> Result<(), Message> {
        self.skip(prefix);
        self.quoted('\'', Kind::Text { national: prefix == 1 })
    }

    /// Everything up to `end`, which is written twice to mean itself.
    fn quoted(&mut self, end: char, kind: Kind) -> Result<(), Message> {
        let start = self.line;
        let mut name = String::new();
        let mut lines = 0;
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            lines += i32::from(c == '\n');
            if c == end {
                if chars.peek().is_some_and(|(_, next)| *next == end) {
                    chars.next();
                } else {
                    self.skip(at + end.len_utf8());
                    self.out.push(Token { kind, text: name, line: start });
                    self.line += lines;
                    return Ok(());
                }
            }
            // a line that goes on behind a backslash
            if c == '\\' && matches!(kind, Kind::Text { .. }) {
                let rest = &self.rest[at + 1..];
                let skip = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
                if skip > 0 {
                    lines += 1;
                    for _ in 0..skip {
                        chars.next();
                    }
                    continue;
                }
            }
            name.push(c);
        }
        let shown: String = name.chars().take(128).collect();
        Err(Message {
            class: 15,
            line: start,
            ..Message::error(105, format!("Unclosed quotation mark after the character string '{shown}'."))
        })
    }

    fn binary(&mut self) {
        let digits: String = self.rest[2..].chars().take_while(char::is_ascii_hexdigit).collect();
        let text = self.rest[..2 + digits.len()].to_owned();
        self.skip(text.len());
        let even = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
        let bytes = even
            .as_bytes()
            .chunks(2)
            .map(|pair| {
                let digit = |b: u8| (b as char).to_digit(16).unwrap_or(0) as u8;
                digit(pair[0]) << 4 | digit(pair[1])
            })
            .collect();
        self.push(Kind::Binary(bytes), text);
    }

    fn number(&mut self) {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut at = digits(0);
        let mut kind = Kind::Integer;
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            at += digits(at);
            kind = Kind::Decimal;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            at += 1 + sign;
            at += digits(at.min(bytes.len()));
            kind = Kind::Float;
        }
        let text = self.rest[..at].to_owned();
        self.skip(at);
        self.push(kind, text);
    }

    fn word(&mut self, kind: Kind, prefix: usize) {
        let rest = &self.rest[prefix..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '#' | '@' | '$')))
            .unwrap_or(rest.len());
        let text = self.rest[..prefix + end].to_owned();
        self.skip(text.len());
        if kind == Kind::Word && self.rest.starts_with(':') && !self.rest.starts_with("::") {
            self.skip(1);
            self.push(Kind::Label, text);
            return;
        }
        self.push(kind, text);
    }

    fn symbol(&mut self, c: char) -> Result<(), Message> {
        match SYMBOLS.iter().find(|s| self.rest.starts_with(**s)) {
            Some(symbol) => {
                self.skip(symbol.len());
                self.push(Kind::Symbol(symbol), *symbol);
                Ok(())
            }
            None => Err(Message {
                class: 15,
                line: self.line,
                ..Message::error(102, format!("Incorrect syntax near '{c}'."))
            }),
        }
    }
}
