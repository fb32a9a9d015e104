//! High availability as a world's author writes it: `cluster`, `availability_groups`, `mirrors`.
//!
//! Checked here against the rest of the file; made in `build::ha`.

use serde::Deserialize;

use super::Plan;

/// `cluster`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    /// Servers of the world.
    pub(crate) nodes: Vec<String>,
    /// A file share with a vote.
    #[serde(default)]
    pub(crate) witness: Option<String>,
    /// `10.20.0.0/24`
    #[serde(default = "network")]
    pub(crate) network: String,
}

fn network() -> String {
    "10.20.0.0/24".into()
}

/// One of `availability_groups`; its databases stand on the server that is primary.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) databases: Vec<String>,
    #[serde(default)]
    pub(crate) dtc_support: Dtc,
    #[serde(default)]
    pub(crate) backup_preference: Preference,
    #[serde(default)]
    pub(crate) basic: bool,
    #[serde(default)]
    pub(crate) db_failover: bool,
    #[serde(default)]
    pub(crate) listener: Option<Listener>,
    pub(crate) replicas: Vec<Replica>,
}

/// `dtc_support`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dtc {
    #[default]
    None,
    PerDb,
}

/// `backup_preference`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Preference {
    Primary,
    SecondaryOnly,
    #[default]
    Secondary,
    None,
}

/// The name clients connect to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listener {
    pub(crate) name: String,
    #[serde(default = "port")]
    pub(crate) port: u16,
    /// One address, or one per subnet: `10.20.0.50/24`.
    pub(crate) addresses: Vec<String>,
}

const fn port() -> u16 {
    1433
}

/// A replica.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replica {
    pub(crate) server: String,
    #[serde(default)]
    pub(crate) mode: Mode,
    #[serde(default)]
    pub(crate) failover: Failover,
    #[serde(default)]
    pub(crate) readable: Readable,
    #[serde(default = "fifty")]
    pub(crate) backup_priority: i64,
    /// How far behind an asynchronous copy is.
    #[serde(default)]
    pub(crate) lag: Option<String>,
}

const fn fifty() -> i64 {
    50
}

/// `mode`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    #[default]
    Sync,
    Async,
}

/// `failover`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failover {
    Automatic,
    #[default]
    Manual,
}

/// `readable`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Readable {
    #[default]
    None,
    ReadOnly,
    All,
}

/// One of `mirrors`; the database stands on the server that is principal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mirror {
    pub(crate) database: String,
    /// The server with the mirror.
    pub(crate) mirror: String,
    #[serde(default)]
    pub(crate) witness: Option<String>,
    #[serde(default)]
    pub(crate) safety: Safety,
    /// How far behind the mirror is without safety.
    #[serde(default)]
    pub(crate) lag: Option<String>,
}

/// `safety`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Safety {
    #[default]
    Full,
    Off,
}

/// `10.20.0.50/24`: the address, its mask, the subnet and the length of the prefix.
pub(crate) fn address(text: &str) -> Result<(String, String, String, i64), String> {
    let wrong = || format!("`{text}` is not an address written like 10.20.0.50/24");
    let (ip, prefix) = text.split_once('/').ok_or_else(wrong)?;
    let parsed: std::net::Ipv4Addr = ip.parse().map_err(|_| wrong())?;
    let prefix: u32 = prefix.parse().ok().filter(|p| (1..=32).contains(p)).ok_or_else(wrong)?;
    let mask = u32::MAX << (32 - prefix);
    let dotted = |bits: u32| std::net::Ipv4Addr::from(bits).to_string();
    Ok((ip.to_owned(), dotted(mask), dotted(u32::from(parsed) & mask), prefix.into()))
}

impl Group {
    /// Whether its databases have an identity of their own with MS DTC.
    pub(crate) fn has_dtc(&self) -> bool {
        self.dtc_support == Dtc::PerDb
    }
}

impl Plan {
    /// The server of a database and the name it is known by to others: its listener's, if it has one.
    pub(crate) fn address_of(&self, database: &super::Database) -> String {
        let group = self
            .availability_groups
            .iter()
            .find(|g| g.databases.iter().any(|d| d.eq_ignore_ascii_case(&database.name)));
        group.and_then(|g| g.listener.as_ref()).map_or_else(|| database.server.clone(), |l| l.name.clone())
    }

    /// Whether a name is a listener's.
    pub(super) fn is_listener(&self, name: &str) -> bool {
        self.availability_groups
            .iter()
            .filter_map(|g| g.listener.as_ref())
            .any(|l| l.name.eq_ignore_ascii_case(name))
    }

    /// What is wrong with the parts about high availability.
    pub(super) fn check_ha(&self) -> Result<(), String> {
        let server = |name: &str| {
            self.server_index(name).ok_or_else(|| format!("`{name}` is no server of this world"))
        };
        let home = |name: &str| {
            self.databases
                .iter()
                .find(|d| d.name.eq_ignore_ascii_case(name))
                .map(|d| d.server.as_str())
                .ok_or_else(|| format!("`{name}` is no database of this world"))
        };
        let mut taken: Vec<&str> = Vec::new();
        let mut once = |name| {
            if taken.iter().any(|t: &&str| t.eq_ignore_ascii_case(name)) {
                return Err(format!("database {name} is in two groups or mirroring sessions"));
            }
            taken.push(name);
            Ok(())
        };
        if let Some(cluster) = &self.cluster {
            address(&cluster.network)?;
            cluster.nodes.iter().try_for_each(|n| server(n).map(|_| ()))?;
        } else if !self.availability_groups.is_empty() {
            return Err("availability_groups need a `cluster`".into());
        }
        for group in &self.availability_groups {
            let nodes = self.cluster.as_ref().map_or(&[][..], |c| &c.nodes);
            let in_cluster = |r: &&Replica| !nodes.iter().any(|n| n.eq_ignore_ascii_case(&r.server));
            if let Some(out) = group.replicas.iter().find(in_cluster) {
                return Err(format!("group {}: {} is no node of the cluster", group.name, out.server));
            }
            if group.replicas.is_empty() || group.databases.is_empty() {
                return Err(format!("group {} has no replicas or no databases", group.name));
            }
            let primary = home(&group.databases[0])?;
            for database in &group.databases {
                once(database)?;
                if !home(database)?.eq_ignore_ascii_case(primary) {
                    return Err(format!("group {}: its databases are not all on one server", group.name));
                }
            }
            if !group.replicas.iter().any(|r| r.server.eq_ignore_ascii_case(primary)) {
                return Err(format!(
                    "group {}: {primary}, which has its databases, is no replica",
                    group.name
                ));
            }
            for replica in &group.replicas {
                let n = server(&replica.server)?;
                let major: u16 =
                    self.servers[n].version.split('.').next().and_then(|v| v.parse().ok()).unwrap_or(0);
                if (group.basic || group.dtc_support == Dtc::PerDb) && major < 13 {
                    return Err(format!(
                        "group {}: dtc_support and basic came with SQL Server 2016",
                        group.name
                    ));
                }
                if replica.mode == Mode::Async && replica.failover == Failover::Automatic {
                    return Err(format!(
                        "group {}: automatic failover is of synchronous replicas",
                        group.name
                    ));
                }
                span(replica.lag.as_ref())?;
            }
            if group.basic && (group.replicas.len() > 2 || group.databases.len() > 1) {
                return Err(format!("group {}: a basic one has one database and two replicas", group.name));
            }
            for ip in group.listener.iter().flat_map(|l| &l.addresses) {
                address(ip)?;
            }
        }
        for mirror in &self.mirrors {
            once(&mirror.database)?;
            let (a, b) = (server(home(&mirror.database)?)?, server(&mirror.mirror)?);
            let witness = mirror.witness.as_ref().map(|w| server(w)).transpose()?;
            if a == b || witness == Some(a) || witness == Some(b) {
                return Err(format!(
                    "mirror {}: principal, mirror and witness are different servers",
                    mirror.database
                ));
            }
            span(mirror.lag.as_ref())?;
        }
        Ok(())
    }
}

/// A lag in milliseconds.
pub(crate) fn span(text: Option<&String>) -> Result<Option<i64>, String> {
    text.map(|t| t.parse::<crate::clock::Span>().map(|s| s.ms)).transpose()
}
