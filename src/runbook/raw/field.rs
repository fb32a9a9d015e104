//! The fields of an `enter` step, short (`at: time`) or long (`{ type: time, prompt: .. }`).
//!
//! Does not know what is typed into them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::super::FieldKind;
use crate::text::Text;

/// A field of an `enter` step: its kind, or a map with its kind and more.
#[derive(Debug, Clone)]
pub struct RawField {
    /// What may be typed.
    pub kind: FieldKind,
    /// What is asked for, in words.
    pub prompt: Text,
    /// Whether it may be left empty.
    pub optional: bool,
}

/// The kinds that need no more than their name.
#[derive(Debug, Clone, Copy, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KindName {
    /// Anything.
    Text,
    /// A person's name.
    Person,
    /// A time.
    Time,
    /// A whole number.
    Number,
}

/// `one_of`, or `type` with `prompt` and `optional`.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LongField {
    /// One of these words.
    one_of: Option<Vec<String>>,
    /// What may be typed.
    r#type: Option<RawKind>,
    /// What is asked for, in words.
    #[serde(default)]
    prompt: Text,
    /// Whether it may be left empty.
    #[serde(default)]
    optional: bool,
}

struct RawKind(FieldKind);

#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    /// The words.
    one_of: Vec<String>,
}

fn named<E: Error>(text: &str) -> Result<FieldKind, E> {
    Ok(match KindName::deserialize(serde::de::value::StrDeserializer::new(text))? {
        KindName::Text => FieldKind::Text,
        KindName::Person => FieldKind::Person,
        KindName::Time => FieldKind::Time,
        KindName::Number => FieldKind::Number,
    })
}

const KINDS: &str = "text, person, time, number or { one_of: [..] }";

impl<'de> Deserialize<'de> for RawKind {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = RawKind;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(KINDS)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<RawKind, E> {
                named(text).map(RawKind)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawKind, A::Error> {
                let Words { one_of } = Words::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawKind(FieldKind::OneOf(one_of)))
            }
        }
        d.deserialize_any(One)
    }
}

impl JsonSchema for RawKind {
    fn schema_name() -> Cow<'static, str> {
        "FieldKind".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let name = g.subschema_for::<KindName>();
        let words = g.subschema_for::<Words>();
        json_schema!({ "anyOf": [name, words] })
    }
}

impl<'de> Deserialize<'de> for RawField {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = RawField;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{KINDS}, or {{ type: .., prompt: .., optional: .. }}")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<RawField, E> {
                Ok(RawField { kind: named(text)?, prompt: Text::default(), optional: false })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawField, A::Error> {
                let long = LongField::deserialize(MapAccessDeserializer::new(map))?;
                let kind = match (long.one_of, long.r#type) {
                    (Some(words), None) => FieldKind::OneOf(words),
                    (None, Some(RawKind(kind))) => kind,
                    (None, None) => return Err(A::Error::missing_field("type")),
                    (Some(_), Some(_)) => {
                        return Err(A::Error::custom("`type` and `one_of` exclude each other; keep one"));
                    }
                };
                Ok(RawField { kind, prompt: long.prompt, optional: long.optional })
            }
        }
        d.deserialize_any(One)
    }
}

impl JsonSchema for RawField {
    fn schema_name() -> Cow<'static, str> {
        "Field".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let name = g.subschema_for::<KindName>();
        let long = g.subschema_for::<LongField>();
        json_schema!({ "anyOf": [name, long] })
    }
}
