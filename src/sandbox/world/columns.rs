//! Which system objects there are, with their columns, from `system.columns`.
//!
//! Does not know their rows.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::stored::{Sheet, Spec, specs};

/// How far a system object is modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modelled {
    /// The world has rows for it.
    Filled,
    /// In every world there is, it has no rows.
    Empty,
    /// SQL Server has it, the sandbox does not.
    Not,
}

/// A system object.
#[derive(Debug)]
pub(crate) struct SystemObject {
    pub(crate) modelled: Modelled,
    since: u16,
    columns: Vec<Spec>,
}

/// The object called `name` (`sys.databases`, `msdb.dbo.backupset`, …) on a product of `year`.
pub(crate) fn system_object(name: &str, year: u16) -> Option<&'static SystemObject> {
    all().get(name).filter(|o| o.since <= year)
}

/// Whether a system object takes arguments: it is no table.
pub(crate) fn is_function(name: &str) -> bool {
    matches!(
        name,
        "sys.dm_os_volume_stats"
            | "sys.dm_os_file_exists"
            | "sys.dm_os_enumerate_filesystem"
            | "sys.dm_io_virtual_file_stats"
            | "sys.dm_db_log_info"
            | "sys.dm_db_log_stats"
            | "sys.dm_exec_sql_text"
            | "sys.dm_exec_input_buffer"
    )
}

/// The names of all objects of a product of `year`.
pub(crate) fn system_names(year: u16) -> impl Iterator<Item = &'static str> {
    all().iter().filter(move |(_, o)| o.since <= year).map(|(name, _)| name.as_str())
}

/// An empty sheet of a system object's columns.
pub(crate) fn sheet(name: &str, year: u16) -> Sheet {
    Sheet::new(system_object(name, year).map_or(&[], |o| &o.columns), year)
}

fn all() -> &'static HashMap<String, SystemObject> {
    static ALL: OnceLock<HashMap<String, SystemObject>> = OnceLock::new();
    ALL.get_or_init(|| include_str!("system.columns").lines().filter_map(line).collect())
}

fn line(line: &str) -> Option<(String, SystemObject)> {
    let modelled = match line.chars().next()? {
        '=' => Modelled::Filled,
        '0' => Modelled::Empty,
        '!' => Modelled::Not,
        _ => return None,
    };
    let (head, columns) = line[1..].split_once(':').unwrap_or((&line[1..], ""));
    let mut words = head.split_whitespace();
    let name = words.next()?.to_owned();
    let since = words.next().and_then(|y| y.trim_start_matches('@').parse().ok()).unwrap_or(0);
    Some((name, SystemObject { modelled, since, columns: specs(columns).unwrap_or_default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_catalogue_reads() {
        let source = include_str!("system.columns");
        for text in source.lines().filter(|l| !l.starts_with('#')) {
            let (name, object) = line(text).unwrap_or_else(|| panic!("{text}"));
            assert!(!object.columns.is_empty() || object.modelled == Modelled::Not, "{name}");
            assert!(specs(text[1..].split_once(':').map_or("", |t| t.1)).is_ok(), "{text}");
        }
    }

    #[test]
    fn older_servers_lack_newer_objects() {
        assert!(system_object("sys.dm_os_host_info", 2016).is_none());
        assert!(system_object("sys.dm_os_host_info", 2017).is_some());
        assert_eq!(system_object("sys.traces", 2012).map(|o| o.modelled), Some(Modelled::Not));
    }
}
