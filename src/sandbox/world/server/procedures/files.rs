//! What the server's service account sees of files: xp_fileexist, xp_dirtree, xp_fixeddrives, and the
//! table-valued functions of the same kind.

use super::{Arguments, send};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::{ObjectName, Outcome};
use crate::sandbox::value::{Table, Type, Value};
use crate::sandbox::world::columns::{self, system_object};
use crate::sandbox::world::server::{Call, views};
use crate::sandbox::world::stored::{as_int, as_text, int, text};

/// Entries of one listing at most.
const ENTRIES: usize = 20_000;

#[allow(clippy::unnecessary_wraps, reason = "the form of every procedure")]
pub(super) fn run(call: &Call<'_>, name: &str, given: &Arguments<'_>, parts: &mut Kept) -> Outcome<i32> {
    let year = call.server().year();
    let path = given.0.first().map(|(_, v)| v).and_then(as_text).unwrap_or_default().to_owned();
    match name {
        "xp_fileexist" => {
            let (file, folder, parent) = call.seen(&path);
            // With a second argument the answer goes there.
            if let Some((parameter, _)) = given.0.get(1) {
                let name = parameter.clone().unwrap_or_else(|| "#1".to_owned());
                let value = int(i64::from(file));
                let _ = parts.put(Part::Output { name, kind: Type::Int, value });
                return Ok(0);
            }
            let mut sheet = columns::sheet("master.dbo.xp_fileexist", year);
            sheet.row(vec![
                ("File Exists", int(i64::from(file))),
                ("File is a Directory", int(i64::from(folder))),
                ("Parent Directory Exists", int(i64::from(parent))),
            ]);
            send(sheet.table, parts);
        }
        "xp_fixeddrives" => {
            let mut sheet = columns::sheet("master.dbo.xp_fixeddrives", year);
            views::drives(call, &mut sheet);
            send(sheet.table, parts);
        }
        _ => {
            // Without a depth, or with 0, all the way down.
            let depth = given.int("@depth", 1).filter(|d| *d > 0).unwrap_or(i64::MAX);
            let files = given.int("@file", 2).unwrap_or(0) != 0;
            let mut sheet = columns::sheet("master.dbo.xp_dirtree", year);
            let level = |folder: &str, n: i64| -> Vec<(String, String, bool, i64)> {
                let mut inside = call.listed(folder);
                inside.reverse();
                inside.into_iter().map(|(name, file)| (format!("{folder}\\{name}"), name, file, n)).collect()
            };
            let mut open = level(path.trim_end_matches('\\'), 1);
            while let Some((whole, name, is_file, n)) = open.pop() {
                if sheet.table.rows.len() >= ENTRIES {
                    break;
                }
                if files || !is_file {
                    sheet.row(vec![
                        ("subdirectory", text(name)),
                        ("depth", int(n)),
                        ("file", int(i64::from(is_file))),
                    ]);
                }
                if !is_file && n < depth {
                    open.extend(level(&whole, n + 1));
                }
            }
            if !files {
                sheet.table.columns.truncate(2);
                sheet.table.rows.iter_mut().for_each(|r| r.truncate(2));
            }
            send(sheet.table, parts);
        }
    }
    Ok(0)
}

impl Call<'_> {
    /// (is a file, is a folder, parent exists), as the service account sees it.
    pub(super) fn seen(&self, path: &str) -> (bool, bool, bool) {
        let server = self.server();
        if server.denies(path) {
            (false, false, true)
        } else {
            self.state.files.exists(server.machine(), path)
        }
    }

    /// Names in a folder and whether each is a file, sorted.
    pub(super) fn listed(&self, path: &str) -> Vec<(String, bool)> {
        let Ok(real) = self.state.files.place(self.server().machine(), path) else { return vec![] };
        let Ok(entries) = std::fs::read_dir(real) else { return vec![] };
        let mut all: Vec<(String, bool)> = entries
            .flatten()
            .take(ENTRIES)
            .map(|e| (e.file_name().to_string_lossy().into_owned(), e.path().is_file()))
            .collect();
        all.sort();
        all
    }

    pub(in crate::sandbox::world::server) fn rowset(
        &self,
        name: &ObjectName,
        arguments: &[Value],
    ) -> Outcome<Option<Table>> {
        let lower = name.name.to_lowercase();
        if let Some(found) = self.system_rowset(&name.schema, &lower, arguments)? {
            return Ok(Some(found));
        }
        let full = format!("{}.{lower}", name.schema);
        let year = self.server().year();
        if name.schema != "sys" || system_object(&full, year).is_none() {
            return Ok(None);
        }
        let first = arguments.first();
        Ok(Some(match full.as_str() {
            "sys.dm_os_volume_stats" => {
                self.may_see(&full)?;
                views::volume_stats(self, first.and_then(as_int), arguments.get(1).and_then(as_int))
            }
            "sys.dm_os_file_exists" => {
                self.may_see(&full)?;
                let mut sheet = columns::sheet(&full, year);
                if let Some(path) = first.and_then(as_text) {
                    let (file, folder, parent) = self.seen(path);
                    sheet.row(vec![
                        ("file_exists", int(i64::from(file))),
                        ("file_is_a_directory", int(i64::from(folder))),
                        ("parent_directory_exists", int(i64::from(parent))),
                    ]);
                }
                sheet.table
            }
            "sys.dm_os_enumerate_filesystem" => {
                self.may_see(&full)?;
                self.enumerated(
                    first.and_then(as_text).unwrap_or_default(),
                    arguments.get(1).and_then(as_text),
                )?
            }
            "sys.dm_io_virtual_file_stats" => {
                self.may_see(&full)?;
                views::file_stats(self, first.and_then(as_int), arguments.get(1).and_then(as_int))
            }
            "sys.dm_db_log_info" | "sys.dm_db_log_stats" => {
                self.may_see(&full)?;
                let id = first.and_then(as_int);
                let here = self.server().database(&self.who.database);
                let db = match id {
                    None => here,
                    Some(id) => self.server().databases.iter().find(|d| i64::from(d.id) == id),
                };
                let db = db.filter(|d| d.closed().is_none());
                if full == "sys.dm_db_log_info" {
                    views::log_info(self, db)
                } else {
                    views::log_stats(self, db)
                }
            }
            "sys.dm_exec_sql_text" | "sys.dm_exec_input_buffer" => views::texts(self, &full, arguments)?,
            _ => return Err(Message::not_modelled(full)),
        }))
    }

    fn enumerated(&self, folder: &str, pattern: Option<&str>) -> Outcome<Table> {
        let pattern = pattern.unwrap_or("*").to_lowercase();
        let fits: Box<dyn Fn(&str) -> bool> = match pattern.split_once('*') {
            None => Box::new(move |n| n == pattern),
            Some((a, b)) if !b.contains('*') && !pattern.contains('?') => {
                let (a, b) = (a.to_owned(), b.to_owned());
                Box::new(move |n| n.len() >= a.len() + b.len() && n.starts_with(&a) && n.ends_with(&b))
            }
            Some(_) => {
                return Err(Message::not_modelled("dm_os_enumerate_filesystem with several wildcards"));
            }
        };
        let mut sheet = views::sheet(self, "sys.dm_os_enumerate_filesystem");
        let folder = folder.trim_end_matches('\\');
        for (name, is_file) in self.listed(folder) {
            if !fits(&name.to_lowercase()) {
                continue;
            }
            let real = self.state.files.place(self.server().machine(), &format!("{folder}\\{name}"));
            let size = real.ok().and_then(|p| std::fs::metadata(p).ok()).map_or(0, |m| m.len() as i64);
            let no = Value::Bit(false);
            sheet.row(vec![
                ("full_filesystem_path", text(format!("{folder}\\{name}"))),
                ("parent_directory", text(folder)),
                ("file_or_directory_name", text(name)),
                ("level", int(0)),
                ("is_directory", Value::Bit(!is_file)),
                ("is_read_only", no.clone()),
                ("is_system", no.clone()),
                ("is_hidden", no.clone()),
                ("has_integrity_stream", no.clone()),
                ("is_temporary", no.clone()),
                ("is_sparse", no),
                ("size_in_bytes", Value::Int(if is_file { size } else { 0 })),
            ]);
        }
        Ok(sheet.table)
    }
}
