//! The small forms of the runbook format that have more than one way of being written.
//!
//! Knows nothing of where they are used.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::clock::Span;
use crate::reading::Cell;

/// One value, or a list of them.
#[derive(Debug, Clone)]
pub struct OneOrMany<T> {
    /// The values.
    pub items: Vec<T>,
    /// Whether it was written as a list.
    pub listed: bool,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value or a list")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                let one = T::deserialize(serde::de::value::StrDeserializer::new(text))?;
                Ok(OneOrMany { items: vec![one], listed: false })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let one = T::deserialize(MapAccessDeserializer::new(map))?;
                Ok(OneOrMany { items: vec![one], listed: false })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(OneOrMany { items, listed: true })
            }
        }
        d.deserialize_any(Either(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let one = g.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// A map in the order it was written.
#[derive(Debug, Clone)]
pub struct Pairs<T>(pub Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Ordered<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Ordered<T> {
            type Value = Pairs<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    all.push(pair);
                }
                Ok(Pairs(all))
            }
        }
        d.deserialize_any(Ordered(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Pairs<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let one = g.subschema_for::<T>();
        json_schema!({ "type": "object", "minProperties": 1, "additionalProperties": one })
    }
}

/// A value as written: a text, a number, yes or no, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar(pub Cell);

/// Reads scalars; numbers that a float cannot hold exactly are refused.
fn cell_of_float<E: Error>(n: f64) -> Result<Cell, E> {
    // Whole numbers beyond 2^53 have already lost digits here.
    if n.is_finite() && n.abs() < 9_007_199_254_740_992.0 {
        Ok(Cell::Decimal { dec: n.to_string() })
    } else {
        Err(E::custom("a number too large to be kept exactly; write it in quotes"))
    }
}

fn cell_of_unsigned(n: u64) -> Cell {
    i64::try_from(n).map_or_else(|_| Cell::Decimal { dec: n.to_string() }, Cell::Int)
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct One;
        impl Visitor<'_> for One {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true or false")
            }
            fn visit_bool<E>(self, b: bool) -> Result<Scalar, E> {
                Ok(Scalar(Cell::Bit(b)))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Scalar, E> {
                Ok(Scalar(Cell::Int(n)))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Scalar, E> {
                Ok(Scalar(cell_of_unsigned(n)))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Scalar, E> {
                cell_of_float(n).map(Scalar)
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(Cell::text(text)))
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar(Cell::Null))
            }
        }
        d.deserialize_any(One)
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean", "null"] })
    }
}

/// A value in a question: as written, or where it comes from.
#[derive(Debug, Clone)]
pub enum RawValue {
    /// As written.
    Literal(Cell),
    /// From elsewhere.
    Reference(Reference),
}

/// Where a value comes from: exactly one of `from`, `answer`, `captured`, `threshold`, `estate`.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// `do`: what this step's action resolved on that server.
    pub from: Option<String>,
    /// Its column, for `from`; `job_id` when absent.
    pub column: Option<String>,
    /// A typed answer, `step.field`.
    pub answer: Option<String>,
    /// A captured value.
    pub captured: Option<String>,
    /// A threshold of the estate.
    pub threshold: Option<String>,
    /// A fact of the estate: `management-database`, `scope`, `source-names`, `destination-names`.
    pub estate: Option<String>,
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = RawValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, true, false, or a map that says where the value comes from")
            }
            fn visit_bool<E>(self, b: bool) -> Result<RawValue, E> {
                Ok(RawValue::Literal(Cell::Bit(b)))
            }
            fn visit_i64<E>(self, n: i64) -> Result<RawValue, E> {
                Ok(RawValue::Literal(Cell::Int(n)))
            }
            fn visit_u64<E>(self, n: u64) -> Result<RawValue, E> {
                Ok(RawValue::Literal(cell_of_unsigned(n)))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<RawValue, E> {
                cell_of_float(n).map(RawValue::Literal)
            }
            fn visit_str<E>(self, text: &str) -> Result<RawValue, E> {
                Ok(RawValue::Literal(Cell::text(text)))
            }
            fn visit_unit<E>(self) -> Result<RawValue, E> {
                Ok(RawValue::Literal(Cell::Null))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawValue, A::Error> {
                Reference::deserialize(MapAccessDeserializer::new(map)).map(RawValue::Reference)
            }
        }
        d.deserialize_any(Any)
    }
}

impl JsonSchema for RawValue {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let scalar = g.subschema_for::<Scalar>();
        let reference = g.subschema_for::<Reference>();
        json_schema!({ "anyOf": [scalar, reference] })
    }
}

/// A number, a length of time, or a threshold of the estate.
#[derive(Debug, Clone)]
pub struct Bound(pub crate::check::expect::Bound);

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use crate::check::expect::Bound as Checked;
        struct Limit;
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Named {
            threshold: String,
        }
        impl<'de> Visitor<'de> for Limit {
            type Value = Bound;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a length of time such as 15m, or { threshold: name }")
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Bound, E> {
                self.visit_f64(n as f64)
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Bound, E> {
                self.visit_f64(n as f64)
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Bound, E> {
                cell_of_float::<E>(n).map(|_| Bound(Checked::Number(n)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Bound, E> {
                text.parse::<Span>().map(|s| Bound(Checked::Span(s))).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Bound, A::Error> {
                let Named { threshold } = Named::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Bound(Checked::Threshold { threshold }))
            }
        }
        d.deserialize_any(Limit)
    }
}

impl JsonSchema for Bound {
    fn schema_name() -> Cow<'static, str> {
        "Bound".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let span = g.subschema_for::<Span>();
        json_schema!({ "anyOf": [{ "type": "number" }, span, {
            "type": "object", "properties": { "threshold": { "type": "string" } },
            "required": ["threshold"], "additionalProperties": false } ] })
    }
}

/// A count of rows: a number, or `min` and `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRows {
    /// At least.
    pub min: Option<u64>,
    /// At most.
    pub max: Option<u64>,
}

impl<'de> Deserialize<'de> for RawRows {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Count;
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Limits {
            min: Option<u64>,
            max: Option<u64>,
        }
        impl<'de> Visitor<'de> for Count {
            type Value = RawRows;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of rows, or { min: .., max: .. }")
            }
            fn visit_u64<E>(self, n: u64) -> Result<RawRows, E> {
                Ok(RawRows { min: Some(n), max: Some(n) })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawRows, A::Error> {
                let Limits { min, max } = Limits::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawRows { min, max })
            }
        }
        d.deserialize_any(Count)
    }
}

impl JsonSchema for RawRows {
    fn schema_name() -> Cow<'static, str> {
        "Rows".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, {
            "type": "object", "properties": { "min": { "type": "integer", "minimum": 0 },
            "max": { "type": "integer", "minimum": 0 } }, "additionalProperties": false } ] })
    }
}
