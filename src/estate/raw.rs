//! An estate exactly as written: one struct per map of the YAML, unknown keys refused.
//!
//! Knows forms only; `parse` checks what refers to what. The JSON Schema for editors is derived from these types.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::clock::Span;
use crate::engine::Strategy;
use crate::runbook::raw::OneOrMany;

/// The servers of one company: where they are, how to log in, what they are for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "drbook estate")]
pub struct RawEstate {
    /// Its name.
    pub estate: String,
    /// What it claims to be; checked against what the servers look like.
    pub environment: Environment,
    /// SQL Servers by name.
    #[serde(default)]
    pub servers: BTreeMap<String, RawServer>,
    /// Computers by name.
    #[serde(default)]
    pub hosts: BTreeMap<String, RawHost>,
    /// Who holds each role of a runbook: one name, or a list in order.
    #[serde(default)]
    pub roles: BTreeMap<String, OneOrMany<String>>,
    /// Databases.
    #[serde(default)]
    pub databases: RawDatabases,
    /// What the servers are called after the switch.
    #[serde(default)]
    pub names: RawNames,
    /// Thresholds of checks: a length of time, or a number.
    #[serde(default)]
    pub thresholds: BTreeMap<String, Threshold>,
}

/// What servers claim to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// What the company works on.
    Production,
    /// What takes over in a disaster.
    Dr,
    /// Neither.
    Test,
    /// Simulated.
    Sandbox,
}

impl Environment {
    /// As in files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Dr => "dr",
            Self::Test => "test",
            Self::Sandbox => "sandbox",
        }
    }
}

/// A SQL Server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawServer {
    /// Host name or address.
    pub host: String,
    /// Port; 1433 when neither it nor `instance` is given.
    pub port: Option<u16>,
    /// Named instance, looked up through SQL Browser when no port is given.
    pub instance: Option<String>,
    /// Read-only login for checks.
    pub login: RawLogin,
    /// Login for actions; the other one when absent.
    pub operator_login: Option<RawLogin>,
    /// Encryption; verified against the system's roots when absent.
    pub tls: Option<RawTls>,
    /// What it claims to be; as the estate when absent.
    pub environment: Option<Environment>,
    /// What `SERVERPROPERTY('ServerName')` must say.
    pub expect_name: Option<String>,
}

/// A login: `{ windows: true }`, or a user and where the password comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLogin {
    /// The operator's own Windows account.
    #[serde(default)]
    pub windows: bool,
    /// SQL login.
    pub user: Option<String>,
    /// Where its password comes from.
    pub password: Option<RawPassword>,
}

/// Where a password comes from: exactly one of these.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPassword {
    /// An environment variable.
    pub env: Option<String>,
    /// The operator types it.
    #[serde(default)]
    pub prompt: bool,
    /// The first line of what a program prints.
    pub command: Option<Vec<String>>,
    /// Here; only in a sandbox.
    pub plain: Option<String>,
}

impl fmt::Debug for RawPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Encryption: exactly one of these.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTls {
    /// PEM file of the CA that signed the server's certificate.
    pub ca: Option<String>,
    /// `false`: the certificate is not verified.
    pub verify: Option<bool>,
}

/// A computer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawHost {
    /// Its address.
    pub host: String,
    /// What it claims to be; as the estate when absent.
    pub environment: Option<Environment>,
}

/// Databases.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDatabases {
    /// The management database; `BizTalkMgmtDb` when absent.
    pub management: Option<String>,
    /// The databases that must be there.
    #[serde(default)]
    pub expect: Expected,
}

/// `from-management` (asked of the servers), or a list.
#[derive(Debug, Clone, Default)]
pub enum Expected {
    /// Read from the management database.
    #[default]
    FromManagement,
    /// These.
    Listed(Vec<String>),
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Expected;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`from-management`, or a list of databases")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Expected, E> {
                if text == "from-management" {
                    Ok(Expected::FromManagement)
                } else {
                    Err(E::unknown_variant(text, &["from-management"]))
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Expected, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = seq.next_element()? {
                    all.push(name);
                }
                Ok(Expected::Listed(all))
            }
        }
        d.deserialize_any(Either)
    }
}

impl JsonSchema for Expected {
    fn schema_name() -> Cow<'static, str> {
        "Expected".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": "from-management" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

/// Names after the switch.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawNames {
    /// How names change.
    #[serde(default)]
    pub strategy: Strategy,
    /// Old server name to new server name, as the servers call themselves.
    #[serde(default)]
    pub new: BTreeMap<String, String>,
}

/// A threshold in seconds or as a plain number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold(pub f64);

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Limit;
        impl Visitor<'_> for Limit {
            type Value = Threshold;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as 30m, or a number")
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Threshold, E> {
                self.visit_f64(n as f64)
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Threshold, E> {
                self.visit_f64(n as f64)
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Threshold, E> {
                // Beyond 2^53 a float skips whole numbers.
                if n.is_finite() && (0.0..9_007_199_254_740_992.0).contains(&n) {
                    Ok(Threshold(n))
                } else {
                    Err(E::custom(format!("{n} is not a threshold; write a number from 0")))
                }
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Threshold, E> {
                text.parse::<Span>().map(|s| Threshold(s.ms as f64 / 1000.0)).map_err(E::custom)
            }
        }
        d.deserialize_any(Limit)
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> Cow<'static, str> {
        "Threshold".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let span = g.subschema_for::<Span>();
        json_schema!({ "anyOf": [span, { "type": "number", "minimum": 0 }] })
    }
}
