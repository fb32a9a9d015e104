//! What a world's author lets happen: `snapshots` and `events`.
//!
//! Checked here against the rest of the file; made in `build::play`.

use serde::Deserialize;
use serde_json::Value as Json;

use super::Plan;
use crate::clock::Span;

/// One of `snapshots`: a product that takes snapshot backups.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snapshots {
    pub(crate) server: String,
    /// All of the server's, unless some are named.
    #[serde(default)]
    pub(crate) databases: Vec<String>,
    #[serde(default = "daily")]
    pub(crate) every: String,
    /// How long before the walk the last one was.
    #[serde(default = "hours")]
    pub(crate) last: String,
    #[serde(default)]
    pub(crate) copy_only: bool,
    #[serde(default = "system")]
    pub(crate) user: String,
}

fn daily() -> String {
    "24h".into()
}
fn hours() -> String {
    "5h".into()
}
fn system() -> String {
    "NT AUTHORITY\\SYSTEM".into()
}

/// One of `events`: so long after the walk has begun, one thing happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    #[serde(rename = "in")]
    pub(crate) after: String,
    #[serde(default)]
    pub(crate) transaction: Option<Cross>,
    #[serde(default)]
    pub(crate) server_down: Option<String>,
    #[serde(default)]
    pub(crate) server_up: Option<String>,
    /// Two servers that stop hearing each other.
    #[serde(default)]
    pub(crate) line_down: Option<[String; 2]>,
    #[serde(default)]
    pub(crate) line_up: Option<[String; 2]>,
}

/// A transaction over several databases.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cross {
    #[serde(default)]
    pub(crate) distributed: bool,
    pub(crate) writes: Vec<Write>,
    /// The database whose copy takes over in the middle of the commit.
    #[serde(default)]
    pub(crate) breaks: Option<String>,
}

/// A row that it inserts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Write {
    pub(crate) database: String,
    pub(crate) table: String,
    pub(crate) row: Vec<Json>,
}

impl Plan {
    /// What is wrong with the plays.
    pub(super) fn check_plays(&self) -> Result<(), String> {
        let server = |name: &String| {
            self.server_index(name).map(|_| ()).ok_or_else(|| format!("`{name}` is no server of this world"))
        };
        let database = |name: &str| {
            let found = self.databases.iter().find(|d| d.name.eq_ignore_ascii_case(name));
            found.ok_or_else(|| format!("`{name}` is no database of this world"))
        };
        for snapshots in &self.snapshots {
            server(&snapshots.server)?;
            for name in &snapshots.databases {
                database(name)?;
            }
            let every: Span = snapshots.every.parse()?;
            snapshots.last.parse::<Span>()?;
            if every.ms < 600_000 {
                return Err("snapshots.every is at least 10m".into());
            }
        }
        for event in &self.events {
            event.after.parse::<Span>()?;
            let one = [
                event.transaction.is_some(),
                event.server_down.is_some(),
                event.server_up.is_some(),
                event.line_down.is_some(),
                event.line_up.is_some(),
            ];
            if one.iter().filter(|x| **x).count() != 1 {
                return Err(
                    "an event is one of transaction, server_down, server_up, line_down, line_up".into()
                );
            }
            event.server_down.iter().chain(&event.server_up).try_for_each(server)?;
            event.line_down.iter().chain(&event.line_up).flatten().try_for_each(server)?;
            let Some(cross) = &event.transaction else { continue };
            let mut homes = Vec::new();
            for write in &cross.writes {
                let home = &database(&write.database)?.server;
                if !homes.contains(&home) {
                    homes.push(home);
                }
                let columns = self.tables.get(&write.database).and_then(|t| t.get(&write.table));
                let Some(table) = columns else {
                    return Err(format!("`{}` is no table of {} in this file", write.table, write.database));
                };
                let wanted = table.columns.split(';').filter(|c| !c.trim().is_empty()).count();
                if write.row.len() != wanted {
                    return Err(format!("a row of {} has {wanted} cells", write.table));
                }
            }
            if homes.len() > 1 && !cross.distributed {
                return Err("a transaction over several servers is distributed".into());
            }
            if let Some(breaks) = &cross.breaks {
                let copied = self.mirrors.iter().any(|m| m.database.eq_ignore_ascii_case(breaks))
                    || self
                        .availability_groups
                        .iter()
                        .any(|g| g.databases.iter().any(|d| d.eq_ignore_ascii_case(breaks)));
                if !copied || !cross.writes.iter().any(|w| w.database.eq_ignore_ascii_case(breaks)) {
                    return Err(format!("`{breaks}` breaks, and is neither written nor copied"));
                }
            }
        }
        Ok(())
    }
}
