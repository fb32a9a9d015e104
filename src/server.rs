//! The port to SQL Servers: ask and act, each with a deadline, troubles told apart.
//!
//! Cannot tell the sandbox from a real instance (except by what it says of itself), and knows no steps.

use std::collections::BTreeMap;

use crate::reading::{Cell, Reading, Trouble};
use crate::sql::Catalogue;

/// Where and how to connect; secrets are resolved, never shown.
#[derive(Clone)]
pub struct Target {
    /// The server's name in the estate.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// Port, or `None` to ask SQL Browser for `instance`.
    pub port: Option<u16>,
    /// Named instance.
    pub instance: Option<String>,
    /// How to log in for checks.
    pub login: Credential,
    /// How to log in for actions.
    pub operator_login: Credential,
    /// PEM bytes of its own CA; `None` = the system's roots.
    pub ca_file: Option<std::path::PathBuf>,
    /// Do not verify the certificate.
    pub trust: bool,
    /// What it must call itself.
    pub expect_name: Option<String>,
}

/// A resolved login.
#[derive(Clone)]
pub enum Credential {
    /// SQL login.
    Sql {
        /// User.
        user: String,
        /// Password; never printed.
        password: Secret,
    },
    /// The process's own Windows account.
    Windows,
    /// The secret could not be had; questions get this trouble.
    Missing(Trouble),
}

/// A text that does not show itself.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A small pool of connections to the servers of an estate. Cheap to clone.
#[derive(Clone)]
pub struct Pool {}

impl Pool {
    /// For these targets; connects lazily.
    pub fn new(_targets: Vec<Target>, _catalogue: std::sync::Arc<Catalogue>, _management: String) -> Self {
        todo!()
    }
    /// Asks a query of the catalogue; picks the variant for the server's version.
    pub async fn ask(
        &self,
        _server: &str,
        _query: &str,
        _database: Option<&str>,
        _with: &BTreeMap<String, Cell>,
        _deadline_ms: u64,
    ) -> Result<Reading, Trouble> {
        todo!()
    }
    /// Sends a query whose header says `writes`, on a connection of its own with the operator login.
    pub async fn act(
        &self,
        _server: &str,
        _query: &str,
        _database: Option<&str>,
        _with: &BTreeMap<String, Cell>,
    ) -> Result<Sent, Trouble> {
        todo!()
    }
}

/// How far an action got.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// The server finished it without an error.
    Done,
    /// It certainly did not take effect: never sent, or the server refused it.
    Failed(Trouble),
    /// It was sent, and the answer is missing.
    Uncertain(Trouble),
}
