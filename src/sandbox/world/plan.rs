//! A world as its author writes it: the YAML of `assets/worlds`.
//!
//! Does not know how an estate is made of it (`build`).

mod check;
pub(crate) mod ha;
pub(crate) mod play;
mod upkeep;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::state::Role;
use crate::clock::Span;
use crate::limits;
pub(crate) use upkeep::Upkeep;

/// A world file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) world: String,
    /// For those who choose a world.
    #[serde(default)]
    #[allow(dead_code, reason = "read by people")]
    pub(crate) title: String,
    /// How much history there is when the walk begins.
    #[serde(default)]
    pub(crate) history: Option<String>,
    /// The backups of a BizTalk group; of worlds that have one.
    #[serde(default)]
    pub(crate) backup: Option<Backup>,
    pub(crate) servers: Vec<Server>,
    #[serde(default)]
    pub(crate) logins: Vec<Login>,
    pub(crate) databases: Vec<Database>,
    /// Backups of servers that are nobody's BizTalk.
    #[serde(default)]
    pub(crate) upkeep: Vec<Upkeep>,
    #[serde(default)]
    pub(crate) computers: Vec<Computer>,
    #[serde(default)]
    pub(crate) jobs: Vec<Job>,
    /// Databases shipped by SQL Server's own log shipping.
    #[serde(default)]
    pub(crate) log_shipping: Vec<Shipped>,
    /// database → table → contents
    #[serde(default)]
    pub(crate) tables: BTreeMap<String, BTreeMap<String, Table>>,
    /// The failover cluster that availability groups stand on.
    #[serde(default)]
    pub(crate) cluster: Option<ha::Cluster>,
    #[serde(default)]
    pub(crate) availability_groups: Vec<ha::Group>,
    /// Database mirroring.
    #[serde(default)]
    pub(crate) mirrors: Vec<ha::Mirror>,
    /// Snapshot backups by other products.
    #[serde(default)]
    pub(crate) snapshots: Vec<play::Snapshots>,
    /// What happens while the world is walked.
    #[serde(default)]
    pub(crate) events: Vec<play::Event>,
}

/// The Backup BizTalk Server job.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backup {
    /// Folder of the backup files, as a UNC or drive path.
    pub(crate) location: String,
    #[serde(default = "fifteen_minutes")]
    pub(crate) log_every: String,
    /// The next log set after the walk begins.
    #[serde(default = "nine_minutes")]
    pub(crate) next_log_in: String,
    #[serde(default = "daily")]
    pub(crate) full: String,
    #[serde(default = "bts")]
    pub(crate) mark: String,
    #[serde(default)]
    pub(crate) force_full_after_partial: bool,
    #[serde(default)]
    pub(crate) local_time: bool,
    #[serde(default)]
    pub(crate) compression: bool,
    #[serde(default = "fortnight")]
    pub(crate) days_to_keep: u16,
}

fn fifteen_minutes() -> String {
    "15m".into()
}
fn nine_minutes() -> String {
    "9m".into()
}
fn daily() -> String {
    "d".into()
}
fn bts() -> String {
    "BTS".into()
}
const fn fortnight() -> u16 {
    14
}

/// A server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// `15.0.4430.1`
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) update: String,
    #[serde(default = "enterprise")]
    pub(crate) edition: String,
    /// Minutes east of Greenwich.
    #[serde(default)]
    pub(crate) utc_offset: i16,
    #[serde(default)]
    pub(crate) case_sensitive: bool,
    #[serde(default = "agent_account")]
    pub(crate) agent_account: String,
    #[serde(default = "engine_account")]
    pub(crate) engine_account: String,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, i64>,
    #[serde(default)]
    pub(crate) volumes: Vec<Volume>,
    /// Linked servers; of a destination also the management server.
    #[serde(default)]
    pub(crate) linked: Vec<String>,
    /// A destination that restores only this source's databases.
    #[serde(default)]
    pub(crate) only_from: Option<String>,
    /// In master, for backup encryption; the same name is the same certificate everywhere.
    #[serde(default)]
    pub(crate) certificates: Vec<Certificate>,
    /// What backups and restores move in a drill second.
    #[serde(default)]
    pub(crate) mb_per_second: Option<i64>,
}

/// A certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certificate {
    pub(crate) name: String,
    /// Until it expires, from the beginning of the walk.
    #[serde(default = "year")]
    pub(crate) days_left: i64,
    #[serde(default = "yes")]
    pub(crate) private_key: bool,
}

const fn year() -> i64 {
    365
}

fn enterprise() -> String {
    "Enterprise Edition: Core-based Licensing (64-bit)".into()
}
fn agent_account() -> String {
    "NT SERVICE\\SQLSERVERAGENT".into()
}
fn engine_account() -> String {
    "NT SERVICE\\MSSQLSERVER".into()
}

/// A disk.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Volume {
    pub(crate) mount: String,
    pub(crate) total_gb: i64,
    pub(crate) free_gb: i64,
}

/// A login, on every server unless `servers` names some.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    pub(crate) name: String,
    /// `sql`, `user` or `group`
    pub(crate) kind: LoginKind,
    #[serde(default)]
    pub(crate) sysadmin: bool,
    #[serde(default)]
    pub(crate) grants: Vec<String>,
    #[serde(default)]
    pub(crate) servers: Vec<String>,
    /// Servers that lack it.
    #[serde(default)]
    pub(crate) missing_on: Vec<String>,
    /// Database roles: in every BizTalk database a user with these.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
}

/// What kind of principal a login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LoginKind {
    Sql,
    User,
    Group,
}

/// A BizTalk or custom database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    pub(crate) name: String,
    /// management, messagebox, tracking, rules, bam, sso or other (covered through `adm_OtherBackupDatabases`);
    /// user = nothing of BizTalk's.
    #[serde(default)]
    pub(crate) role: DatabaseRole,
    pub(crate) server: String,
    /// So many of them, numbered: `Sales` becomes `Sales001`, `Sales002`, …
    #[serde(default)]
    pub(crate) count: Option<u16>,
    /// Of `other`: its default name there.
    #[serde(default)]
    pub(crate) default_name: Option<String>,
    #[serde(default = "hundred")]
    pub(crate) size_mb: i64,
    /// Log blocks a minute.
    #[serde(default = "hundred")]
    pub(crate) traffic: i64,
    /// The number of its current virtual log file.
    #[serde(default = "hundred")]
    pub(crate) vlf: i64,
    #[serde(default)]
    pub(crate) data_folder: Option<String>,
    #[serde(default)]
    pub(crate) log_folder: Option<String>,
}

const fn hundred() -> i64 {
    100
}

/// What a database is to BizTalk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DatabaseRole {
    Management,
    MessageBox,
    Tracking,
    Rules,
    Bam,
    Sso,
    Other,
    #[default]
    User,
}

impl DatabaseRole {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Management => "management",
            Self::MessageBox => "messagebox",
            Self::Tracking => "tracking",
            Self::Rules => "rules",
            Self::Bam => "bam",
            Self::Sso => "sso",
            Self::Other => "other",
            Self::User => "user",
        }
    }
}

/// A BizTalk computer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Computer {
    pub(crate) name: String,
    pub(crate) login: String,
    /// program → roles of the databases it is connected to
    pub(crate) programs: BTreeMap<String, Vec<DatabaseRole>>,
}

/// A database under SQL Server's own log shipping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shipped {
    pub(crate) database: String,
    /// The server it is on.
    pub(crate) primary: String,
    /// Folder of the log backups: the same for the backup job and for whoever copies.
    pub(crate) share: String,
    #[serde(default = "fifteen_minutes")]
    pub(crate) every: String,
    /// How long files are kept.
    #[serde(default = "three_days")]
    pub(crate) keep: String,
    /// Minutes without a backup before an alert.
    #[serde(default = "hour")]
    pub(crate) backup_threshold: i64,
    /// The monitor server; none = each server watches itself.
    #[serde(default)]
    pub(crate) monitor: Option<String>,
    pub(crate) secondaries: Vec<ShippedTo>,
}

/// One of its secondaries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShippedTo {
    pub(crate) server: String,
    /// Its name there; none = as on the primary.
    #[serde(default)]
    pub(crate) database: Option<String>,
    /// Where files are copied to.
    pub(crate) folder: String,
    /// STANDBY: can be read between restores.
    #[serde(default)]
    pub(crate) standby: bool,
    #[serde(default)]
    pub(crate) disconnect_users: bool,
    #[serde(default = "yes")]
    pub(crate) restore_all: bool,
    /// Minutes that a file must be old.
    #[serde(default)]
    pub(crate) delay: i64,
    #[serde(default = "three_quarters")]
    pub(crate) restore_threshold: i64,
}

fn three_days() -> String {
    "72h".into()
}
const fn hour() -> i64 {
    60
}
const fn three_quarters() -> i64 {
    45
}

/// Another agent job.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) name: String,
    /// Where it runs; none = the management server, else the first one.
    #[serde(default)]
    pub(crate) server: Option<String>,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    /// `1m`, `12h`, … ; none = not scheduled
    #[serde(default)]
    pub(crate) every: Option<String>,
    /// All its steps are only played.
    #[serde(default)]
    pub(crate) simulated: bool,
    pub(crate) steps: Vec<Step>,
}

const fn yes() -> bool {
    true
}

/// A step of one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) database: String,
    pub(crate) command: String,
    /// Only played: it takes its time and succeeds. Else its text is executed, and fails where it cannot be.
    #[serde(default)]
    pub(crate) simulated: bool,
}

/// A table with its rows. Columns as `name type; …`; `{source}` in a text is the management server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) columns: String,
    #[serde(default)]
    pub(crate) rows: Vec<Vec<Json>>,
}

impl Plan {
    /// Databases one by one, and what is checked where the part is known.
    fn whole(mut self) -> Result<Self, String> {
        self.databases = counted(self.databases)?;
        self.checked()
    }

    fn checked(self) -> Result<Self, String> {
        if self.servers.is_empty() || self.servers.len() > limits::SERVERS {
            return Err(format!("a world has 1 to {} servers", limits::SERVERS));
        }
        if self.databases.len() > limits::WORLD_DATABASES {
            return Err(format!("a world has at most {} databases", limits::WORLD_DATABASES));
        }
        let server = |name: &str| self.servers.iter().any(|s| s.name.eq_ignore_ascii_case(name));
        for (n, s) in self.servers.iter().enumerate() {
            if self.servers[..n].iter().any(|o| o.name.eq_ignore_ascii_case(&s.name)) {
                return Err(format!("server {} is there twice", s.name));
            }
            for linked in s.linked.iter().chain(&s.only_from) {
                if !server(linked) && !self.is_listener(linked) {
                    return Err(format!(
                        "server {} names `{linked}`, which is no server of this world",
                        s.name
                    ));
                }
            }
            if s.utc_offset.abs() > 14 * 60 {
                return Err(format!("server {}: utc_offset is in minutes, at most 840", s.name));
            }
        }
        for shipped in &self.log_shipping {
            let on = |d: &&Database| d.name == shipped.database && d.server == shipped.primary;
            if !self.databases.iter().any(|d| on(&d)) {
                return Err(format!(
                    "log_shipping: there is no database {} on {}",
                    shipped.database, shipped.primary
                ));
            }
            for name in shipped.monitor.iter().chain(shipped.secondaries.iter().map(|s| &s.server)) {
                if !server(name) {
                    return Err(format!("log_shipping: `{name}` is no server of this world"));
                }
            }
            for text in [&shipped.every, &shipped.keep] {
                let span: Span = text.parse()?;
                if span.ms < 60_000 || span.ms > 40 * 86_400_000 {
                    return Err(format!("log_shipping: `{text}` is not between 1m and 40d"));
                }
            }
        }
        for upkeep in &self.upkeep {
            if !server(&upkeep.server) {
                return Err(format!("upkeep names `{}`, which is no server of this world", upkeep.server));
            }
            upkeep.checked()?;
        }
        for d in &self.databases {
            if !server(&d.server) {
                return Err(format!(
                    "database {} is on `{}`, which is no server of this world",
                    d.name, d.server
                ));
            }
            if !(1..=90_000).contains(&d.vlf) || !(0..=100_000).contains(&d.traffic) {
                return Err(format!("database {}: vlf is 1 to 90000, traffic 0 to 100000", d.name));
            }
        }
        for job in &self.jobs {
            if let Some(other) = job.server.as_ref().filter(|s| !server(s)) {
                return Err(format!("job {} is on `{other}`, which is no server of this world", job.name));
            }
        }
        let management = self.databases.iter().filter(|d| d.role == DatabaseRole::Management).count();
        if management > 1 {
            return Err(format!("a world has one database of role management, not {management}"));
        }
        match &self.backup {
            None if management == 1 => {
                return Err("a world with a database of role management has a part `backup`".into());
            }
            Some(_) if management == 0 => {
                return Err(
                    "`backup` is of a BizTalk group, and there is no database of role management".into()
                );
            }
            None if self.databases.iter().any(|d| d.role != DatabaseRole::User) => {
                return Err("databases of BizTalk roles need one of role management among them".into());
            }
            None => {}
            Some(backup) => {
                let every = backup.log_every()?;
                if every.ms < 60_000 || every.ms > 86_400_000 || every.ms % 60_000 != 0 {
                    return Err("backup.log_every is in whole minutes, from 1m to 24h".into());
                }
            }
        }
        if self.history()?.ms > 40 * 86_400_000 {
            return Err("history is at most 40 days".into());
        }
        self.check_ha()?;
        self.check_plays()?;
        Ok(self)
    }

    pub(crate) fn history(&self) -> Result<Span, String> {
        self.history.as_deref().unwrap_or("26h").parse()
    }
    /// The number of a server.
    pub(crate) fn server_index(&self, name: &str) -> Option<usize> {
        self.servers.iter().position(|s| s.name.eq_ignore_ascii_case(name))
    }
    /// The databases that the Backup BizTalk Server job covers.
    pub(crate) fn covered(&self) -> impl Iterator<Item = &Database> {
        self.databases.iter().filter(|d| d.role != DatabaseRole::User)
    }
    pub(crate) fn management(&self) -> Option<&Database> {
        self.databases.iter().find(|d| d.role == DatabaseRole::Management)
    }
}

impl Backup {
    pub(crate) fn log_every(&self) -> Result<Span, String> {
        self.log_every.parse()
    }
    pub(crate) fn next_log_in(&self) -> Result<Span, String> {
        self.next_log_in.parse()
    }
}

/// Databases with a count, one by one.
fn counted(databases: Vec<Database>) -> Result<Vec<Database>, String> {
    let mut all = Vec::with_capacity(databases.len());
    for database in databases {
        let Some(count) = database.count else {
            all.push(database);
            continue;
        };
        if !(1..=999).contains(&count) || database.role != DatabaseRole::User {
            return Err(format!("database {}: count is 1 to 999, of role user", database.name));
        }
        let one = |n| Database { name: format!("{}{n:03}", database.name), count: None, ..database.clone() };
        all.extend((1..=count).map(one));
    }
    Ok(all)
}
