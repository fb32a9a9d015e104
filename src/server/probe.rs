//! What `drbook doctor` shows of a server: how far a connection gets, and with what rights.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::pool::Pool;
use super::socket::ms;
use super::tds::Link;
use super::{Credential, Target};
use crate::limits;
use crate::reading::{Cell, ServerFacts, Trouble, TroubleCode};

/// A phase of connecting, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhaseName {
    /// Asking SQL Browser for a named instance's port.
    Browse,
    /// Looking the name up.
    Resolve,
    /// TCP.
    Tcp,
    /// Encryption and login.
    Login,
    /// Asking who the server is.
    Identity,
}

impl PhaseName {
    /// As in files: `browse`, `resolve`, `tcp`, `login`, `identity`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::Resolve => "resolve",
            Self::Tcp => "tcp",
            Self::Login => "login",
            Self::Identity => "identity",
        }
    }
}

/// How a phase went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// Which.
    pub name: PhaseName,
    /// Real milliseconds.
    pub took_ms: u64,
    /// What it found (addresses, encryption, the server's name), or why it failed.
    pub outcome: Result<String, Trouble>,
}

/// A right, and whether the read-only login has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// `sysadmin`, `VIEW SERVER STATE`, `VIEW ANY DEFINITION`, `msdb`, `SQLAgentReaderRole`.
    pub name: &'static str,
    /// Whether it is held; or why nobody can say.
    pub held: Result<bool, Trouble>,
    /// Whether checks go without it. A read-only login should *not* be sysadmin.
    pub wanted: bool,
}

/// What is known of a server after trying everything once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The server's name in the estate.
    pub server: String,
    /// `host:port`.
    pub endpoint: String,
    /// How the connection is protected, in words.
    pub encryption: String,
    /// Whether the certificate is not verified.
    pub trusted_blindly: bool,
    /// Phases of the read-only login, up to the first that failed.
    pub phases: Vec<Phase>,
    /// Who it says it is.
    pub facts: Option<ServerFacts>,
    /// First line of `@@VERSION`.
    pub banner: Option<String>,
    /// Rights of the read-only login.
    pub rights: Vec<Right>,
    /// Whether the operator login gets in; absent when it is the same login.
    pub operator: Option<Result<(), Trouble>>,
    /// Why the read-only login cannot work, when it cannot.
    pub trouble: Option<Trouble>,
    /// Real milliseconds in all.
    pub took_ms: u64,
}

/// Name, whether it is wanted, and a batch whose one cell is 1, 0 or NULL.
const RIGHTS: &[(&str, bool, &str)] = &[
    ("sysadmin", false, "SELECT IS_SRVROLEMEMBER(N'sysadmin') AS held;"),
    ("VIEW SERVER STATE", true, "SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS held;"),
    ("VIEW ANY DEFINITION", true, "SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DEFINITION') AS held;"),
    ("msdb", true, "SELECT HAS_PERMS_BY_NAME(N'msdb.dbo.backupset', N'OBJECT', N'SELECT') AS held;"),
    ("msdb jobs", true, "SELECT HAS_PERMS_BY_NAME(N'msdb.dbo.sysjobs', N'OBJECT', N'SELECT') AS held;"),
];

impl Pool {
    /// Tries a server from the name to its rights, on connections of its own. `Err` only for a name that is not in
    /// the estate.
    pub async fn probe(&self, server: &str) -> Result<Probe, Trouble> {
        let target = self.server_target(server)?;
        let since = Instant::now();
        let mut probe = Probe {
            server: target.name.clone(),
            endpoint: target.endpoint(),
            encryption: target.encryption(),
            trusted_blindly: target.trust,
            phases: Vec::new(),
            facts: None,
            banner: None,
            rights: Vec::new(),
            operator: None,
            trouble: None,
            took_ms: 0,
        };
        match Link::open(target, &target.login, &mut probe.phases).await {
            Err(trouble) => probe.trouble = Some(trouble),
            Ok(mut link) => {
                probe.facts = Some(link.identity.facts());
                probe.banner = link.identity.banner.lines().next().map(|l| l.trim().to_owned());
                for (name, wanted, batch) in RIGHTS {
                    let held = right(&mut link, batch).await;
                    let usable = held.as_ref().err().is_none_or(|t| !t.code.is_unreachable());
                    probe.rights.push(Right { name, held, wanted: *wanted });
                    if !usable {
                        break;
                    }
                }
            }
        }
        if other_login(target) {
            let opened = Link::open(target, &target.operator_login, &mut Vec::new()).await;
            probe.operator = Some(opened.map(|_| ()));
        }
        probe.took_ms = ms(since);
        Ok(probe)
    }
}

async fn right(link: &mut Link, batch: &str) -> Result<bool, Trouble> {
    let limit = Duration::from_millis(limits::QUESTION_DEADLINE_MS);
    let row = timeout(limit, link.one_row(batch)).await.unwrap_or_else(|_| {
        Err(Trouble::new(
            TroubleCode::Timeout,
            format!("no answer about rights within {} s", limit.as_secs()),
        ))
    })?;
    match row.first() {
        Some(Cell::Null) | None => Err(Trouble::new(
            TroubleCode::ObjectMissing,
            "the server does not know this right or object, or does not let this login see it",
        )),
        Some(cell) => Ok(cell.as_bool().unwrap_or(false)),
    }
}

fn other_login(target: &Target) -> bool {
    match (&target.login, &target.operator_login) {
        (
            Credential::Sql { user, password },
            Credential::Sql { user: operator, password: operator_password },
        ) => user != operator || password.expose() != operator_password.expose(),
        (Credential::Windows, Credential::Windows) => false,
        _ => true,
    }
}
