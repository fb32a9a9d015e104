//! System objects have exactly the documented columns, in order, with the documented types, on every version.

use super::asking::{Estate, YEARS, columns};
use crate::sandbox::value::Type;
use crate::sandbox::world::columns::{Modelled, is_function, system_object};
use crate::sandbox::world::stored::kind_of;

const CATALOGUE: &str = include_str!("../../../../tests/cases/system-catalogue.tsv");
const TYPES: &str = include_str!("../../../../tests/cases/system-types.tsv");

/// Functions are asked with these arguments.
fn asked(object: &str) -> String {
    let arguments = match object {
        _ if !is_function(object) => "",
        "sys.dm_os_file_exists" => r"(N'C:\x')",
        "sys.dm_db_log_info" | "sys.dm_db_log_stats" | "sys.dm_exec_sql_text" => "(NULL)",
        "sys.dm_os_enumerate_filesystem" => r"(N'C:\', N'*')",
        _ => "(NULL, NULL)",
    };
    // Names bare of their schema's database: msdb.dbo.backupset, sys.databases, INFORMATION_SCHEMA.TABLES.
    format!("SELECT * FROM {object}{arguments} WHERE 1 = 0")
}

#[test]
fn every_object_has_the_documented_columns_on_every_version() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (year, _) in YEARS {
        let mut session = estate.session(year, "sa");
        for line in CATALOGUE.lines().filter(|l| !l.starts_with('#')) {
            let mut parts = line.split('\t');
            let (object, since) = (parts.next().unwrap(), parts.next().unwrap());
            let wanted: Vec<&str> = parts
                .next()
                .unwrap()
                .split(' ')
                .filter_map(|c| match c.split_once('@') {
                    Some((name, since)) => (since.parse::<u16>().unwrap() <= year).then_some(name),
                    None => Some(c),
                })
                .collect();
            let there = since.is_empty() || since.parse::<u16>().unwrap() <= year;
            let known = system_object(object, year);
            if !there {
                let got = super::asking::ask(&mut *session, &asked(object));
                if got != "E208" {
                    wrong.push(format!("{object} should not be on {year}: {got}"));
                }
                continue;
            }
            match known.map(|o| o.modelled) {
                None => wrong.push(format!("{object} is not known on {year}")),
                Some(Modelled::Not) => {
                    let got = super::asking::ask(&mut *session, &asked(object));
                    if !got.starts_with("E59999:not modelled: ") {
                        wrong.push(format!("{object} is not modelled, and answers {got}"));
                    }
                }
                Some(_) => {
                    let got: Vec<String> = columns(&mut *session, &asked(object))
                        .into_iter()
                        .map(|(name, _)| name.to_lowercase())
                        .collect();
                    compared += 1;
                    if got != wanted {
                        wrong.push(format!("{object} on {year}\n  wanted {wanted:?}\n  got    {got:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 700, "only {compared} objects were compared");
}

#[test]
fn columns_have_the_documented_types() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let mut session = estate.session(2025, "sa");
    let mut wrong = Vec::new();
    let mut last = (String::new(), Vec::new());
    for line in TYPES.lines().filter(|l| !l.starts_with('#')) {
        let [object, column, wanted] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        if last.0 != object {
            last = (object.to_owned(), columns(&mut *session, &asked(object)));
        }
        if last.1.is_empty() && system_object(object, 2025).unwrap().modelled == Modelled::Not {
            continue;
        }
        let wanted: Type = kind_of(wanted).unwrap();
        let got = last.1.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        if got.is_none_or(|(_, kind)| *kind != wanted) {
            wrong.push(format!("{object}.{column}: wanted {wanted:?}, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_column_newer_than_the_server_is_unknown_there() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let column = "SELECT is_query_store_on FROM sys.databases WHERE database_id = 5";
    assert_eq!(estate.ask(2014, column), "E207");
    assert_eq!(estate.ask(2016, column), "0");
    assert_eq!(estate.ask(2016, "SELECT host_platform FROM sys.dm_os_host_info"), "E208");
    assert_eq!(estate.ask(2017, "SELECT host_platform FROM sys.dm_os_host_info"), "Windows");
    assert_eq!(estate.ask(2017, "SELECT * FROM sys.no_such_view"), "E208");
    assert_eq!(estate.ask(2012, "SELECT * FROM sys.traces"), "E59999:not modelled: sys.traces");
}
