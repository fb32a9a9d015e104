//! JSON texts: reading, the paths of JSON_VALUE and its kin, and writing what FOR JSON writes.

use super::super::answer::Message;
use serde_json::Value as Json;

/// A JSON path: lax or strict, and its steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    pub(super) strict: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

fn bad_path(c: char, at: usize) -> Message {
    Message::error(
        13607,
        format!("JSON path is not properly formatted. Unexpected character '{c}' is found at position {at}."),
    )
}

/// Reads `[lax|strict] $.a."b c"[0]`.
pub(super) fn path(text: &str) -> Result<Path, Message> {
    let trimmed = text.trim_start();
    let (strict, rest) = if let Some(rest) = trimmed.strip_prefix("strict ") {
        (true, rest)
    } else {
        (false, trimmed.strip_prefix("lax ").unwrap_or(trimmed))
    };
    let rest = rest.trim();
    let chars: Vec<char> = rest.chars().collect();
    if chars.first() != Some(&'$') {
        return Err(bad_path(chars.first().copied().unwrap_or('.'), 0));
    }
    let mut at = 1;
    let mut steps = Vec::new();
    while at < chars.len() {
        match chars[at] {
            '.' if chars.get(at + 1) == Some(&'"') => {
                let start = at + 2;
                at = start;
                while chars.get(at).is_some_and(|c| *c != '"') {
                    at += 1;
                }
                if at >= chars.len() {
                    return Err(bad_path('"', at));
                }
                steps.push(Step::Key(chars[start..at].iter().collect()));
                at += 1;
            }
            '.' => {
                let start = at + 1;
                at = start;
                while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    at += 1;
                }
                if at == start {
                    return Err(bad_path(chars.get(at).copied().unwrap_or('.'), at));
                }
                steps.push(Step::Key(chars[start..at].iter().collect()));
            }
            '[' => {
                let start = at + 1;
                at = start;
                while chars.get(at).is_some_and(char::is_ascii_digit) {
                    at += 1;
                }
                let digits: String = chars[start..at].iter().collect();
                if chars.get(at) != Some(&']') {
                    return Err(bad_path(chars.get(at).copied().unwrap_or('['), at));
                }
                steps.push(Step::Index(digits.parse().map_err(|_| bad_path('[', start))?));
                at += 1;
            }
            c => return Err(bad_path(c, at)),
        }
    }
    Ok(Path { strict, steps })
}

/// A JSON text, or 13609.
pub(super) fn parse(text: &str) -> Result<Json, Message> {
    serde_json::from_str(text).map_err(|_| {
        let c = text.trim_start().chars().next().unwrap_or(' ');
        Message::error(
            13609,
            format!(
                "JSON text is not properly formatted. Unexpected character '{c}' is found at position 0."
            ),
        )
    })
}

/// What a path leads to.
pub(super) fn follow<'j>(json: &'j Json, path: &Path) -> Result<Option<&'j Json>, Message> {
    let mut at = json;
    for step in &path.steps {
        let next = match (step, at) {
            (Step::Key(key), Json::Object(map)) => map.get(key),
            (Step::Index(n), Json::Array(list)) => list.get(*n),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None if path.strict => {
                return Err(Message::error(13608, "Property cannot be found on the specified JSON path."));
            }
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// A scalar as JSON_VALUE and OPENJSON show it; `None` for NULL, objects and arrays.
pub(super) fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::Null | Json::Array(_) | Json::Object(_) => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A text in quotes as FOR JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// STRING_ESCAPE(…, 'json').
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_into_objects_and_arrays() {
        let json = parse(r#"{"a":{"b c":[1,"x"]}}"#).unwrap();
        let at = |p: &str| follow(&json, &path(p).unwrap()).map(|f| f.and_then(scalar));
        assert_eq!(at("$.a.\"b c\"[1]"), Ok(Some("x".into())));
        assert_eq!(at("$.a.nope"), Ok(None));
        assert_eq!(at("strict $.a.nope").unwrap_err().number, 13608);
        assert_eq!(path("a.b").unwrap_err().number, 13607);
        assert_eq!(parse("nope").unwrap_err().number, 13609);
    }
}
