//! The document as Markdown, through a template that a user can replace.
//!
//! Every value a template prints is escaped unless it says `| safe`: texts came from servers and people. Does not know what
//! the template says.

use std::collections::BTreeMap;

use chrono::DateTime;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use super::{Document, Export, Trouble};
use crate::clock::Span;

/// The template that is used unless another is given.
pub const TEMPLATE: &str = include_str!("../../assets/reports/report.md.j2");

/// The report of a drill. `template` replaces [`TEMPLATE`].
pub fn markdown(export: &Export<'_>, template: Option<&str>) -> Result<Vec<u8>, Trouble> {
    let document = serde_json::to_value(Document::of(export))?;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|e| Trouble::Template(words(&e)))?);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_formatter(|out, _, value| {
        let text = value.to_string();
        let written = match value {
            v if v.is_safe() => out.write_str(&text),
            v if v.is_none() => out.write_str("–"),
            _ => out.write_str(&escape(&text)),
        };
        written.map_err(minijinja::Error::from)
    });
    environment.add_filter("span", |seconds: Option<f64>| seconds.map(span));
    environment.add_filter("signed", |seconds: f64| format!("{seconds:+.1} s"));
    environment.add_filter("utc", |text: Option<String>| text.map(|t| utc(&t)));
    environment.add_filter("cell", |text: Option<String>| text.filter(|t| !t.is_empty()));
    let text = environment
        .render_named_str("report.md.j2", template.unwrap_or(TEMPLATE), value(document))
        .map_err(|e| Trouble::Template(words(&e)))?;
    Ok(tidy(&text).into_bytes())
}

fn words(error: &minijinja::Error) -> String {
    let line = error.line().map_or(String::new(), |n| format!("line {n}: "));
    crate::text::harmless(&format!("{line}{error}"))
}

/// JSON as template values; their own conversion would cost a feature.
fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(b) => Value::from(b),
        serde_json::Value::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => Value::from(i),
            (_, Some(u)) => Value::from(u),
            _ => Value::from(n.as_f64().unwrap_or_default()),
        },
        serde_json::Value::String(s) => Value::from(s),
        serde_json::Value::Array(all) => all.into_iter().map(value).collect(),
        serde_json::Value::Object(map) => {
            Value::from(map.into_iter().map(|(k, v)| (k, value(v))).collect::<BTreeMap<String, Value>>())
        }
    }
}

fn span(seconds: f64) -> String {
    Span { ms: (seconds * 1000.0).round() as i64 }.clock_face()
}

/// `2026-11-20 21:04:05` from an ISO time in UTC; anything else as it is.
fn utc(text: &str) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.naive_utc().format("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// Text that reads as itself in Markdown: no markup, no HTML, no line of its own, no control characters, nothing that turns
/// the direction of writing round.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let all: Vec<char> = text.trim_end().chars().collect();
    let word = |at: Option<usize>| at.and_then(|i| all.get(i)).is_some_and(|c| c.is_alphanumeric());
    let opens_a_list = {
        let digits = all.iter().take_while(|c| c.is_ascii_digit()).count();
        let ends = all.get(digits + 1).is_none_or(|c| c.is_whitespace());
        (digits > 0 && ends && matches!(all.get(digits), Some('.' | ')'))).then_some(digits)
    };
    for (i, c) in all.iter().copied().enumerate() {
        match c {
            '\n' => out.push_str("<br>"),
            '\r' => {}
            '\t' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => out.extend(['\\', c]),
            // Within a word it is only itself.
            '_' if word(i.checked_sub(1)) && word(Some(i + 1)) => out.push('_'),
            '_' => out.push_str("\\_"),
            // What would make a link of a text: `https://`, `www.`, `a@b`.
            ':' if all.get(i + 1) == Some(&'/') => out.push_str("&#58;"),
            '.' if i >= 3 && all[i - 3..i].iter().all(|w| w.eq_ignore_ascii_case(&'w')) => {
                out.push_str("&#46;");
            }
            '@' => out.push_str("&#64;"),
            '#' | '+' | '-' | '=' if i == 0 && all.get(1).is_none_or(|n| *n == c || n.is_whitespace()) => {
                out.extend(['\\', c]);
            }
            '!' if all.get(i + 1) == Some(&'[') => out.push_str("\\!"),
            '.' | ')' if opens_a_list == Some(i) => out.extend(['\\', c]),
            c if c.is_control() => out.push('?'),
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' => {
                out.push('\u{FFFD}');
            }
            c => out.push(c),
        }
    }
    // Leading blanks could make code of a line.
    let lead = out.len() - out.trim_start().len();
    out.drain(..lead);
    out
}

/// At most one empty line in a row, none at the end of a line of blanks, one newline at the end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && empty) {
            out.push_str(line);
            out.push('\n');
        }
        empty = line.is_empty();
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_place() {
        for (text, escaped) in [
            ("a|b", "a\\|b"),
            ("`rm -rf`", "\\`rm -rf\\`"),
            ("one\ntwo\r\n", "one<br>two"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("state_desc _x_ **b**", "state_desc \\_x\\_ \\*\\*b\\*\\*"),
            ("[click](http://evil)", "\\[click\\](http&#58;//evil)"),
            ("www.evil.example a@b.c", "www&#46;evil.example a&#64;b.c"),
            ("# not a heading", "\\# not a heading"),
            ("1. not a list", "1\\. not a list"),
            ("- nor this", "\\- nor this"),
            ("---", "\\---"),
            ("-61.0 s, 15.0.4430.1", "-61.0 s, 15.0.4430.1"),
            ("   indented", "indented"),
            ("\u{1b}[31mred\u{0}", "?\\[31mred?"),
            ("\u{202E}txt.exe", "\u{FFFD}txt.exe"),
            ("&lt;", "&amp;lt;"),
            ("C:\\SQL\\Backup", "C:\\\\SQL\\\\Backup"),
            ("", ""),
        ] {
            assert_eq!(escape(text), escaped, "{text:?}");
        }
    }
}
