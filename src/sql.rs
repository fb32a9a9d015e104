//! Queries: T-SQL files typed by a comment header, and the catalogue of them.
//!
//! Does not know how they are sent. A query has one name and one or more variants by server version.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::reading::Kind;

pub mod header;
pub mod scan;

/// Where a query must run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// `master`.
    Master,
    /// `msdb`.
    Msdb,
    /// The management database of the estate.
    Management,
    /// Any database; the ask says which.
    Any,
    /// A named one.
    Named(String),
}

/// A parameter, as the header declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Without `@`.
    pub name: String,
    /// As written, such as `datetime2` or `nvarchar(128)`.
    pub kind: String,
}

/// A result column, as the header declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// As written, such as `bigint`.
    pub sql_kind: String,
    /// What it becomes in a reading.
    pub kind: Kind,
    /// `column?`: discovered at run time, may be absent.
    pub optional: bool,
}

/// One text of a query, for a range of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// First product year it runs on (2012 at the oldest).
    pub since: u16,
    /// Last product year it runs on; `None` = no end.
    pub until: Option<u16>,
    /// The exact bytes of the file.
    pub text: String,
    /// SHA-256 of them, hex.
    pub sha256: String,
    /// Path it came from, for messages: `assets/sql/…` or the user's own.
    pub path: String,
    /// Result columns in order.
    pub columns: Vec<Column>,
}

/// A query: what it asks, with what, where, and what it returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// `family/name`.
    pub name: String,
    /// One line.
    pub purpose: String,
    /// Where it runs.
    pub place: Place,
    /// Parameters, sent by RPC as `@name`.
    pub parameters: Vec<Parameter>,
    /// What one row is about (`examines:`).
    pub examines: String,
    /// Rights it needs, as prose for people (`needs:`).
    pub needs: Vec<String>,
    /// Whether it changes nothing (`reads only`); otherwise the header says `writes`.
    pub reads_only: bool,
    /// At least one.
    pub variants: Vec<Variant>,
}

impl Query {
    /// The variant for a server of that product year.
    pub fn variant(&self, year: u16) -> Option<&Variant> {
        self.variants.iter().find(|v| v.since <= year && v.until.is_none_or(|u| year <= u))
    }
}

/// The product year of a version number such as `15.0.4430.1` (2019); `None` before 2012.
pub fn product_year(version: &str) -> Option<u16> {
    let major: u16 = version.split('.').next()?.parse().ok()?;
    match major {
        11 => Some(2012),
        12 => Some(2014),
        13 => Some(2016),
        14 => Some(2017),
        15 => Some(2019),
        16 => Some(2022),
        17.. => Some(2025),
        _ => None,
    }
}

/// All queries by name. Lints, the engine and errands get it as a value.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    queries: BTreeMap<String, Arc<Query>>,
}

impl Catalogue {
    /// Of these; a later one replaces an earlier one of the same name.
    pub fn of(queries: impl IntoIterator<Item = Query>) -> Self {
        Self { queries: queries.into_iter().map(|q| (q.name.clone(), Arc::new(q))).collect() }
    }
    /// One by name.
    pub fn get(&self, name: &str) -> Option<&Arc<Query>> {
        self.queries.get(name)
    }
    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Query>> {
        self.queries.values()
    }
    /// The name nearest to a misspelt one, for a hint.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        crate::text::nearest(name, self.queries.keys().map(String::as_str))
    }
}
