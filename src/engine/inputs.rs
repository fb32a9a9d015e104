//! Judging inputs: the estate without its secrets, fixed when a drill opens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::reading::Cell;

/// Everything a verdict may rest on beside the readings. Recorded whole in `Opened`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Inputs {
    /// The estate's name.
    pub estate: String,
    /// What the estate file claims: `production`, `dr`, `test`, `sandbox`.
    pub environment: String,
    /// Servers by name.
    pub servers: BTreeMap<String, ServerInput>,
    /// Computers by name.
    pub hosts: BTreeMap<String, HostInput>,
    /// Who holds each role, in order.
    pub roles: BTreeMap<String, Vec<String>>,
    /// The management database.
    pub management_database: String,
    /// The expected databases when the estate lists them; otherwise they are read from the servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
    /// What the servers are called after the switch.
    pub names: Names,
    /// Thresholds: spans in seconds, or plain numbers.
    pub thresholds: BTreeMap<String, f64>,
}

/// A SQL Server of the estate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerInput {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Named instance, when the port is to be looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What the file claims it is: `production`, `dr`, `test`, `sandbox`.
    pub environment: String,
    /// What `SERVERPROPERTY('ServerName')` must say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_name: Option<String>,
    /// `verified`, `own-ca`, or `trusted` (not verified: a visible warning).
    pub tls: String,
}

/// A computer of the estate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HostInput {
    /// Its address.
    pub host: String,
    /// What the file claims it is.
    pub environment: String,
}

/// What "the pointers are new" means.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Names {
    /// How names change.
    pub strategy: Strategy,
    /// Old server name to new server name, as the servers call themselves.
    pub new: BTreeMap<String, String>,
}

/// See [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// UpdateDatabase.vbs rewrites the names.
    #[default]
    UpdateDatabase,
    /// SQL aliases on the BizTalk computers keep the old names.
    Alias,
    /// The cluster name moves.
    ClusterName,
}

/// A value that a step found out and later steps use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Captured {
    /// One value.
    One(Cell),
    /// Several.
    List(Vec<String>),
    /// Several for each server (or other name).
    PerServer(BTreeMap<String, Vec<String>>),
}

impl Captured {
    /// As one text: a list joined with `|`, the form queries take lists in; per server for that server.
    pub fn for_server(&self, server: &str) -> Option<Cell> {
        match self {
            Self::One(cell) => Some(cell.clone()),
            Self::List(all) => Some(Cell::Text(all.join("|"))),
            Self::PerServer(map) => map.get(server).map(|all| Cell::Text(all.join("|"))),
        }
    }
}
