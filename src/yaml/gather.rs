//! Reads a part of a document into a type and goes on after a problem, so that every problem is found at once.
//!
//! Knows nothing of what the parts mean. A node that cannot be read is set aside and the rest is read again without it;
//! the problems come with the path of the node (or of the key) they are about.

use std::cell::RefCell;
use std::collections::HashSet;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};

use super::{Segment, Value};
use crate::limits;

/// What kind of problem a node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// A key that is not known there, and the ones that are.
    UnknownKey(String, Vec<String>),
    /// A key that must be there.
    MissingKey(String),
    /// A word that is not one of these.
    UnknownWord(String, Vec<String>),
    /// Anything else: a value of the wrong form.
    Form,
}

/// One problem of a document, with the path of the node it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// In words.
    pub message: String,
    /// The node; for an unknown key the path ends with that key.
    pub path: Vec<Segment>,
}

/// What could be read, and every problem met (at most [`limits::PROBLEMS`]).
#[derive(Debug)]
pub struct Gathered<T> {
    /// The value, without the parts set aside; `None` when nothing whole was left.
    pub value: Option<T>,
    /// The problems in the order they were met.
    pub problems: Vec<Problem>,
    /// Paths of the nodes set aside.
    pub aside: HashSet<Vec<Segment>>,
}

/// Reads `value` as a `T`, setting aside what cannot be read.
///
/// A key of the whole document that must be there, but is not or cannot be read, is stood in for by one of `stand_ins`
/// once its problem is noted, so that the rest is looked at all the same.
pub fn gather<T: DeserializeOwned>(value: &Value, stand_ins: &[(&str, Value)]) -> Gathered<T> {
    let mut gathered = Gathered { value: None, problems: Vec::new(), aside: HashSet::new() };
    let mut patched = value.clone();
    loop {
        let trail = Trail { path: RefCell::default(), failed: RefCell::default(), aside: &gathered.aside };
        let fault = match T::deserialize(Node { value: &patched, trail: &trail }) {
            Ok(read) => {
                gathered.value = Some(read);
                return gathered;
            }
            Err(fault) => fault,
        };
        let path = trail.failed.take().unwrap_or_default();
        // A key that is missing only because its value was set aside has been reported already.
        let follows = matches!(&fault.kind, ProblemKind::MissingKey(key)
            if gathered.aside.contains(&child(&path, Segment::Key(key.clone()))));
        let missing = match &fault.kind {
            ProblemKind::MissingKey(key) if path.is_empty() => Some(key.clone()),
            _ => None,
        };
        if !follows {
            gathered.problems.push(Problem { kind: fault.kind, message: fault.message, path: path.clone() });
        }
        if let Some(key) = missing
            && gathered.problems.len() < limits::PROBLEMS
            && let Some((_, stand_in)) = stand_ins.iter().find(|(name, _)| *name == key)
            && let Value::Mapping(map) = &mut patched
            && map.insert(Value::from(key.as_str()), stand_in.clone()) != Some(stand_in.clone())
        {
            gathered.aside.remove(&[Segment::Key(key)][..]);
            continue;
        }
        if path.is_empty() || gathered.problems.len() >= limits::PROBLEMS || !gathered.aside.insert(path) {
            return gathered;
        }
    }
}

fn child(path: &[Segment], last: Segment) -> Vec<Segment> {
    path.iter().cloned().chain([last]).collect()
}

/// Where reading stands, and where it failed first.
struct Trail<'a> {
    path: RefCell<Vec<Segment>>,
    failed: RefCell<Option<Vec<Segment>>>,
    aside: &'a HashSet<Vec<Segment>>,
}

impl Trail<'_> {
    fn fail_at(&self, last: Option<Segment>) {
        let mut failed = self.failed.borrow_mut();
        if failed.is_none() {
            let mut path = self.path.borrow().clone();
            path.extend(last);
            *failed = Some(path);
        }
    }
    fn is_aside(&self, last: &Segment) -> bool {
        // No path is built: this is asked for every node of every reading.
        let path = self.path.borrow();
        self.aside
            .iter()
            .any(|a| a.len() == path.len() + 1 && a.last() == Some(last) && a[..path.len()] == path[..])
    }
    fn within<'de, S: DeserializeSeed<'de>>(
        &self,
        segment: Segment,
        seed: S,
        value: &'de Value,
    ) -> Result<S::Value, Fault> {
        self.path.borrow_mut().push(segment);
        let read = seed.deserialize(Node { value, trail: self });
        if read.is_err() {
            self.fail_at(None);
        }
        self.path.borrow_mut().pop();
        read
    }
}

/// Why a node could not be read.
#[derive(Debug)]
struct Fault {
    kind: ProblemKind,
    message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Fault {}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

impl serde::de::Error for Fault {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { kind: ProblemKind::Form, message: message.to_string() }
    }
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::custom(format!("{} where {expected} is wanted", named(unexpected)))
    }
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::custom(format!("{} where {expected} is wanted", named(unexpected)))
    }
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self {
            kind: ProblemKind::UnknownKey(field.to_owned(), owned(expected)),
            message: format!("unknown key `{field}`"),
        }
    }
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self {
            kind: ProblemKind::UnknownWord(variant.to_owned(), owned(expected)),
            message: format!("`{variant}` is not known here"),
        }
    }
    fn missing_field(field: &'static str) -> Self {
        Self { kind: ProblemKind::MissingKey(field.to_owned()), message: format!("`{field}` is missing") }
    }
}

fn named(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(b) => format!("`{b}`"),
        Unexpected::Unsigned(n) => format!("the number {n}"),
        Unexpected::Signed(n) => format!("the number {n}"),
        Unexpected::Float(n) => format!("the number {n}"),
        Unexpected::Str(text) => format!("the text `{text}`"),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// A node being read.
struct Node<'a, 'de> {
    value: &'de Value,
    trail: &'a Trail<'a>,
}

impl<'de> Deserializer<'de> for Node<'_, 'de> {
    type Error = Fault;
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(b) => visitor.visit_bool(*b),
            Value::Number(n) => match (n.as_u64(), n.as_i64(), n.as_f64()) {
                (Some(n), ..) => visitor.visit_u64(n),
                (_, Some(n), _) => visitor.visit_i64(n),
                (_, _, Some(n)) => visitor.visit_f64(n),
                _ => Err(Fault::custom("a number that cannot be read")),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Sequence(items) => {
                visitor.visit_seq(Items { rest: items.iter().enumerate(), trail: self.trail })
            }
            Value::Mapping(map) => {
                visitor.visit_map(Entries { rest: map.iter(), held: None, trail: self.trail })
            }
            Value::Tagged(tagged) => Err(Fault::custom(format!("the tag `{}` is not used here", tagged.tag))),
        }
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Value::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(Fault::custom(format!("one of {} is wanted here", variants.join(", ")))),
        }
    }
    /// Only a map: serde would also take the fields from a list by position.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Value::Mapping(_) => self.deserialize_any(visitor),
            _ => {
                Err(Fault::custom(format!("a map with keys such as `{}` is wanted here", keys.join("`, `"))))
            }
        }
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'a, 'de> {
    rest: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
    trail: &'a Trail<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Fault;
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let trail = self.trail;
        match self.rest.find(|(n, _)| !trail.is_aside(&Segment::Index(*n))) {
            Some((n, value)) => trail.within(Segment::Index(n), seed, value).map(Some),
            None => Ok(None),
        }
    }
}

struct Entries<'a, 'de, I: Iterator<Item = (&'de Value, &'de Value)>> {
    rest: I,
    held: Option<(Segment, &'de Value)>,
    trail: &'a Trail<'a>,
}

fn segment(key: &Value) -> Segment {
    match key {
        Value::String(text) => Segment::Key(text.clone()),
        other => Segment::Key(super::write(other).map(|t| t.trim_end().to_owned()).unwrap_or_default()),
    }
}

impl<'de, I: Iterator<Item = (&'de Value, &'de Value)>> MapAccess<'de> for Entries<'_, 'de, I> {
    type Error = Fault;
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let trail = self.trail;
        let Some((key, value)) = self.rest.find(|(key, _)| !trail.is_aside(&segment(key))) else {
            return Ok(None);
        };
        self.held = Some((segment(key), value));
        let read = match key {
            Value::String(text) => seed.deserialize(serde::de::value::BorrowedStrDeserializer::new(text)),
            _ => Err(Fault::custom("a key must be a text")),
        };
        if read.is_err() {
            trail.fail_at(Some(segment(key)));
        }
        // A word in the place of a key, such as a language
        read.map(Some).map_err(|fault| match fault.kind {
            ProblemKind::UnknownWord(word, known) => {
                Fault { message: format!("unknown key `{word}`"), kind: ProblemKind::UnknownKey(word, known) }
            }
            kind => Fault { kind, ..fault },
        })
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        match self.held.take() {
            Some((segment, value)) => self.trail.within(segment, seed, value),
            None => Err(Fault::custom("a value without its key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(default)]
        n: u8,
        must: Option<String>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        list: Vec<Inner>,
        word: Word,
    }
    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        One,
        Two,
    }

    fn shown(text: &str) -> (Option<Outer>, Vec<String>) {
        let all = gather::<Outer>(&super::super::value(text).unwrap(), &[("word", "one".into())]);
        let lines = all.problems.iter().map(|p| format!("{:?}: {}", Path(&p.path), p.message)).collect();
        (all.value, lines)
    }
    struct Path<'a>(&'a [Segment]);
    impl std::fmt::Debug for Path<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            for s in self.0 {
                match s {
                    Segment::Key(k) => write!(f, "/{k}")?,
                    Segment::Index(n) => write!(f, "/{n}")?,
                }
            }
            Ok(())
        }
    }

    #[test]
    fn every_problem_is_met_once_with_its_own_index() {
        let (value, lines) =
            shown("word: two\nlist: [{ n: x, q: 1 }, { n: 300 }, { n: 7, must: [] }]\nmore: 1\n");
        assert_eq!(
            lines,
            [
                "/list/0/n: the text `x` where u8 is wanted",
                "/list/0/q: unknown key `q`",
                "/list/1/n: the number 300 where u8 is wanted",
                "/list/2/must: a list where a string is wanted",
                "/more: unknown key `more`",
            ]
        );
        let value = value.unwrap();
        assert_eq!((value.list[2].n, value.list[2].must.as_deref(), value.word), (7, None, Word::Two));
    }

    #[test]
    fn a_key_set_aside_is_not_reported_missing() {
        assert_eq!(shown("word: three\nlist: []").1, ["/word: `three` is not known here"]);
        assert_eq!(shown("list: []").1, [": `word` is missing"]);
        let (value, lines) = shown("word: three\nlist: [{ n: x }]");
        assert_eq!(
            (value.map(|v| v.word), lines.len()),
            (Some(Word::One), 2),
            "a stand-in lets the rest be read"
        );
        assert_eq!(shown("[1]").1.len(), 1);
    }
}
