//! The port to SQL Servers: ask and act, each with a deadline, troubles told apart.
//!
//! Cannot tell the sandbox from a real instance (except by what it says of itself), and knows no steps.
//!
//! ```text
//! pool       how many connections, who waits, which are dropped      knows no bytes
//! tds        one connection: login, question, action                 knows no other connection
//! value      TDS values and cells            statement   the T-SQL of the port itself
//! socket     names, addresses, TCP           trouble     what an error number means
//! target     estate to targets               secret      fetching passwords          probe   what doctor shows
//! ```
//!
//! A question is one sitting on a connection: into its database, the query by RPC, back to master with a look at
//! the server's clock. Whatever may have left a connection out of step (a deadline, a broken answer) drops it.

use crate::reading::Trouble;

mod pool;
mod probe;
mod secret;
mod socket;
mod statement;
mod target;
mod tds;
pub mod trouble;
mod value;

pub use pool::{Pool, Watch};
pub use probe::{Phase, PhaseName, Probe, Right};
pub use target::targets;

/// Where and how to connect; secrets are resolved, never shown.
#[derive(Debug, Clone)]
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
    /// PEM file of its own CA; `None` = the system's roots.
    pub ca_file: Option<std::path::PathBuf>,
    /// Do not verify the certificate.
    pub trust: bool,
    /// What it must call itself.
    pub expect_name: Option<String>,
}

/// A resolved login.
#[derive(Debug, Clone)]
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
