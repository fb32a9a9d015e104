//! The only user of serde_yaml: reading under limits, and finding where a path stands in the text.
//!
//! Knows nothing of runbooks, estates or worlds. A document is first read into a [`Value`]
//! (so that size, depth and aliases are checked once), then its parts are read one by one,
//! and a problem in a part is placed with [`locate`].

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
pub use serde_yaml::Value;

use crate::limits;

mod gather;
pub use gather::{Gathered, Problem, ProblemKind, gather};

/// One move from a node to its child.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// The value of a key.
    Key(String),
    /// The n-th element, from 0.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A place in a text. Line and column from 1, column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Offset in bytes, from 0.
    pub byte: usize,
}

/// A problem with a YAML text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What is wrong, in words.
    pub message: String,
    /// Where, when the parser said so.
    pub place: Option<Place>,
}

impl Fault {
    fn plain(message: String) -> Self {
        Self { message, place: None }
    }
}

impl From<serde_yaml::Error> for Fault {
    fn from(error: serde_yaml::Error) -> Self {
        let place = error.location().map(|l| Place { line: l.line(), column: l.column(), byte: l.index() });
        let whole = error.to_string();
        // The place is given apart; the parser's own tail would say it twice.
        let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(head, _)| head);
        let message = match message {
            "repetition limit exceeded" => {
                "its aliases (`*name`) repeat more than a file may hold".to_owned()
            }
            "recursion limit exceeded" => format!("nested deeper than {} levels", limits::YAML_DEPTH),
            other => other.to_owned(),
        };
        Self { message, place }
    }
}

/// Reads a text into a value, refusing what is too large, too deep, or explodes through aliases.
pub fn value(text: &str) -> Result<Value, Fault> {
    if text.len() > limits::YAML_BYTES {
        return Err(Fault::plain(format!(
            "the file has {} bytes; {} is the most that is read",
            text.len(),
            limits::YAML_BYTES
        )));
    }
    if let Some(place) = control(text) {
        return Err(Fault { message: "a control character stands here".to_owned(), place: Some(place) });
    }
    let value: Value = serde_yaml::from_str(text).map_err(|e| {
        let fault = Fault::from(e);
        // The parser does not say where aliases grow; the first one is where to begin looking.
        let place = fault.place.or_else(|| text.find('*').map(|byte| at(text, byte)));
        Fault { place, ..fault }
    })?;
    let mut nodes = 0;
    measure(&value, 0, &mut nodes)?;
    Ok(value)
}

/// The first character that YAML does not take.
fn control(text: &str) -> Option<Place> {
    let strange = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    text.find(strange).map(|byte| at(text, byte))
}

/// The place of a byte that begins a character.
pub fn at(text: &str, byte: usize) -> Place {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place { line: before.matches('\n').count() + 1, column: line.chars().count() + 1, byte }
}

fn measure(value: &Value, depth: usize, nodes: &mut usize) -> Result<(), Fault> {
    *nodes += 1;
    if depth > limits::YAML_DEPTH {
        return Err(Fault::plain(format!("nested deeper than {} levels", limits::YAML_DEPTH)));
    }
    if *nodes > limits::YAML_NODES {
        return Err(Fault::plain(format!(
            "more than {} values once aliases are followed",
            limits::YAML_NODES
        )));
    }
    match value {
        Value::Sequence(items) => items.iter().try_for_each(|v| measure(v, depth + 1, nodes)),
        Value::Mapping(map) => map.iter().try_for_each(|(k, v)| {
            measure(k, depth + 1, nodes)?;
            measure(v, depth + 1, nodes)
        }),
        Value::Tagged(tagged) => measure(&tagged.value, depth + 1, nodes),
        _ => Ok(()),
    }
}

/// Reads one part of a document. The fault has no place; find it with [`locate`].
pub fn part<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_yaml::from_value(value).map_err(Fault::from)
}

/// Reads a whole text into a type, under the same limits; faults carry their place.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    value(text)?;
    Ok(serde_yaml::from_str(text)?)
}

/// Writes a value as YAML.
pub fn write<T: serde::Serialize>(value: &T) -> Result<String, Fault> {
    Ok(serde_yaml::to_string(value)?)
}

/// Where the value at `path` begins; of its nearest existing ancestor when the path ends earlier.
pub fn locate(text: &str, path: &[Segment]) -> Option<Place> {
    (0..=path.len()).rev().find_map(|n| {
        let error = Walk { path: &path[..n] }.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
        let found = error.to_string().contains(FOUND);
        let at = error.location()?;
        found.then(|| Place { line: at.line(), column: at.column(), byte: at.index() })
    })
}

/// Where the last key of `path` stands; of the value when the path ends with an index.
pub fn locate_key(text: &str, path: &[Segment]) -> Option<Place> {
    let value = locate(text, path)?;
    let Some(Segment::Key(key)) = path.last() else {
        return Some(value);
    };
    let at = text.get(..value.byte)?.rfind(key.as_str());
    Some(at.map_or(value, |byte| place_at(text, byte)))
}

/// The place of a byte of the text.
pub fn place_at(text: &str, byte: usize) -> Place {
    let before = text.get(..byte).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |n| n + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before[start..].chars().count() + 1,
        byte: before.len(),
    }
}

const FOUND: &str = "\u{1}found";

/// Walks the path and fails on purpose at its end, which makes the parser tell where that is.
struct Walk<'a> {
    path: &'a [Segment],
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.path.is_empty() { FOUND } else { "a map or a list" })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.path.split_first() else {
            return Err(serde::de::Error::custom(FOUND));
        };
        while let Some(key) = map.next_key::<Value>()? {
            if matches!((first, &key), (Segment::Key(k), Value::String(s)) if k == s) {
                return map.next_value_seed(Walk { path: rest });
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.path.split_first() else {
            return Err(serde::de::Error::custom(FOUND));
        };
        let mut index = 0;
        loop {
            if *first == Segment::Index(index) {
                return seq.next_element_seed(Walk { path: rest }).map(|_| ());
            }
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: &str = "title: café\nphases:\n  - steps:\n      - step: one\n        rws: 3\n";

    #[test]
    fn a_path_is_found_in_the_text() {
        let path: Vec<Segment> = vec!["phases".into(), 0.into(), "steps".into(), 0.into(), "rws".into()];
        assert_eq!(locate(BOOK, &path).map(|p| (p.line, p.column)), Some((5, 14)));
        let missing: Vec<Segment> = vec!["phases".into(), 0.into(), "nothing".into()];
        assert_eq!(locate(BOOK, &missing).map(|p| p.line), Some(3));
    }

    #[test]
    fn bombs_depth_size_and_duplicates_are_refused() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for n in 1..9 {
            let alias = format!("*a{}", n - 1);
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![alias; 9].join(","));
        }
        assert!(value(&bomb).is_err());
        assert!(value(&format!("{}{}", "[".repeat(60), "]".repeat(60))).is_err());
        assert!(value(&"#".repeat(limits::YAML_BYTES + 1)).is_err());
        assert!(value("a: 1\na: 2\n").is_err());
    }
}
