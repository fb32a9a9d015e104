//! Estates: the servers of one company, as a checked value.
//!
//! `parse` reads `estate.yaml`. Does not resolve secrets; it only says where they come from.

use std::collections::BTreeMap;

use crate::engine::{HostInput, Names};

pub mod parse;
pub mod raw;

/// A checked estate.
#[derive(Debug, Clone, PartialEq)]
pub struct Estate {
    /// Its name.
    pub name: String,
    /// `production`, `dr`, `test`, `sandbox`: a claim.
    pub environment: String,
    /// Servers by name.
    pub servers: BTreeMap<String, Server>,
    /// Computers by name.
    pub hosts: BTreeMap<String, HostInput>,
    /// Who holds each role.
    pub roles: BTreeMap<String, Vec<String>>,
    /// The management database.
    pub management_database: String,
    /// The expected databases, when listed.
    pub scope: Option<Vec<String>>,
    /// Names after the switch.
    pub names: Names,
    /// Thresholds in seconds or plain numbers.
    pub thresholds: BTreeMap<String, f64>,
}

/// A SQL Server.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// Port, when given (default 1433).
    pub port: Option<u16>,
    /// Named instance; looked up through SQL Browser when no port is given.
    pub instance: Option<String>,
    /// Read-only login for checks.
    pub login: Login,
    /// Login for actions; the other one when absent.
    pub operator_login: Option<Login>,
    /// Encryption.
    pub tls: Tls,
    /// A claim, as for the estate.
    pub environment: String,
    /// What `SERVERPROPERTY('ServerName')` must say.
    pub expect_name: Option<String>,
}

/// How to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A SQL login.
    Sql {
        /// User.
        user: String,
        /// Where the password comes from.
        password: Password,
    },
    /// The operator's own Windows account (SSPI; Windows only).
    Windows,
}

/// Where a password comes from. Never a value, except in a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// An environment variable.
    Env(String),
    /// The operator types it.
    Prompt,
    /// First line of what a program prints.
    Command(Vec<String>),
    /// In the file; allowed in an estate whose environment is `sandbox`.
    Plain(String),
}

/// Encryption of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tls {
    /// Encrypted, certificate verified against the system's roots.
    #[default]
    Verified,
    /// Encrypted, certificate verified against this CA file (PEM).
    Ca(String),
    /// Encrypted, certificate not verified: warned about everywhere.
    Trust,
}
