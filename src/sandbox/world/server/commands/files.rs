//! CREATE DATABASE, and the files and name of one that is there.
//!
//! Files are remembered, not made; their folders are real.

use super::databases::may_not_alter;
use super::{Call, Done, info};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::{DatabaseChange, FileSpec};
use crate::sandbox::world::files::os_error_text;
use crate::sandbox::world::ha::Barred;
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::state::{DbFile, FileLimits, Model};

/// Pages of a file that says no size.
const PAGES: i64 = 1024;

impl Call<'_> {
    pub(super) fn create_database(
        &mut self,
        name: &str,
        specs: &[FileSpec],
        collation: Option<&str>,
    ) -> Done {
        let one = |m| vec![m];
        if !self.granted("CREATE ANY DATABASE") && !self.granted("DBCREATOR") {
            let text = "CREATE DATABASE permission denied in database 'master'.";
            return Err(vec![Message { class: 14, ..Message::error(262, text) }]);
        }
        if self.server().database(name).is_some() {
            let text = format!("Database '{name}' already exists. Choose a different database name.");
            return Err(vec![Message { state: 3, ..Message::error(1801, text) }]);
        }
        if collation.is_some_and(|c| !c.eq_ignore_ascii_case(&self.server().collation)) {
            return Err(one(Message::not_modelled("a database with a collation of its own")));
        }
        let mut specs = specs.to_vec();
        if !specs.iter().any(|s| !s.log) {
            specs.insert(0, FileSpec { name: name.to_owned(), ..FileSpec::default() });
        }
        if !specs.iter().any(|s| s.log) {
            specs.push(FileSpec { name: format!("{name}_log"), log: true, ..FileSpec::default() });
        }
        let mut files: Vec<DbFile> = Vec::new();
        // The first data file is 1, the first log file 2.
        specs.sort_by_key(|s| s.log);
        let mut data = specs.iter().filter(|s| !s.log);
        let order: Vec<&FileSpec> =
            data.next().into_iter().chain(specs.iter().filter(|s| s.log)).chain(data).collect();
        for (n, spec) in order.into_iter().enumerate() {
            let mut file = self.made(name, spec, n as i32 + 1);
            file.guid = self.state.dice.guid();
            if let Err(first) = self.placed(&file, &files) {
                let text = "CREATE DATABASE failed. Some file names listed could not be created. Check related errors.";
                return Err(vec![first, Message { state: 4, ..Message::error(1802, text) }]);
            }
            files.push(file);
        }
        let s = self.s;
        let server = &self.state.servers[s];
        let id = server.databases.iter().map(|d| d.id).max().unwrap_or(4) + 1;
        let (created, compatibility) = (server.local(self.now), server.version.0 * 10);
        let owner = self.who.login.clone();
        let mut db = crate::sandbox::world::build::empty_database(
            &mut self.state.dice,
            id.max(5),
            name,
            Model::Full,
            &owner,
        );
        (db.created, db.compatibility, db.files) = (created, compatibility, files);
        db.log = crate::sandbox::world::state::Log::starting(Lsn::new(34, 512, 1));
        self.server_mut().databases.push(db);
        self.state.dirty = true;
        Ok(())
    }

    /// A file as its description has it.
    fn made(&self, database: &str, spec: &FileSpec, id: i32) -> DbFile {
        let server = self.server();
        let home = server.databases.first().and_then(|d| d.files.first());
        let home = home.and_then(|f| f.physical.rsplit_once('\\')).map_or("C:", |(folder, _)| folder);
        let extension = match (spec.log, id) {
            (true, _) => "ldf",
            (false, 1) => "mdf",
            _ => "ndf",
        };
        let logical = if spec.name.is_empty() { database.to_owned() } else { spec.name.clone() };
        DbFile {
            id,
            guid: crate::sandbox::world::ids::Guid::default(),
            physical: spec.path.clone().unwrap_or_else(|| format!("{home}\\{logical}.{extension}")),
            logical,
            is_log: spec.log,
            pages: spec.size_kb.map_or(PAGES, |kb| (kb / 8).max(64)),
            limits: FileLimits {
                max_pages: spec.max_kb.map(|kb| if kb < 0 { -1 } else { kb / 8 }),
                growth: spec.growth.map(|(n, percent)| if percent { (n, true) } else { (n / 8, false) }),
                filegroup: spec.filegroup.clone().filter(|g| !g.eq_ignore_ascii_case("PRIMARY")),
            },
        }
    }

    /// What is in the way of a new file.
    fn placed(&self, file: &DbFile, beside: &[DbFile]) -> Result<(), Message> {
        let path = &file.physical;
        if let Some(os) = self.state.no_folder(self.s, path) {
            return Err(Message::error(
                5133,
                format!(
                    "Directory lookup for the file \"{path}\" failed with the operating system error {os}({}).",
                    os_error_text(os)
                ),
            ));
        }
        let mut all = self.server().databases.iter().flat_map(|d| &d.files).chain(beside);
        if all.any(|f| f.physical.eq_ignore_ascii_case(path)) {
            return Err(Message::error(
                5170,
                format!(
                    "Cannot create file '{path}' because it already exists. Change the file path or the file name, and retry the operation."
                ),
            ));
        }
        Ok(())
    }

    pub(super) fn change_database(
        &mut self,
        database: &str,
        change: &DatabaseChange,
        parts: &mut Kept,
    ) -> Done {
        let trailing = |m: Message| vec![m, Message::error(5069, "ALTER DATABASE statement failed.")];
        let Some(d) = self.server().database_index(database).filter(|_| self.may_alter(database)) else {
            return Err(trailing(may_not_alter(database)));
        };
        let state = self.server().databases[d].state;
        if let DatabaseChange::Rename(new) = change {
            return self.rename(d, new, parts);
        }
        if state == crate::sandbox::world::state::DbState::Restoring {
            let text = "ALTER DATABASE is not permitted while a database is in the Restoring state.";
            return Err(trailing(Message::error(5052, text)));
        }
        self.enter(database).map_err(|m| vec![m])?;
        if self.server().databases[d].read_only {
            return Err(vec![Message::error(
                5004,
                "To use ALTER DATABASE, the database must be in a writable state in which a checkpoint can be executed.",
            )]);
        }
        if self.busy(database, "BACKUP DATABASE") {
            let text = "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption changes on a database must be serialized. Reissue the statement after the current backup or file manipulation operation is completed.";
            return Err(vec![Message::error(3023, text)]);
        }
        self.state.dirty = true;
        match change {
            DatabaseChange::AddFiles(specs) => self.add_files(d, specs),
            DatabaseChange::RemoveFile(logical) => self.remove_file(d, logical, parts),
            DatabaseChange::ModifyFile(spec) => self.modify_file(d, spec, parts),
            DatabaseChange::AddFilegroup(_)
            | DatabaseChange::RemoveFilegroup(_)
            | DatabaseChange::Rename(_) => Err(vec![Message::not_modelled("filegroups beside PRIMARY")]),
        }
    }

    pub(in crate::sandbox::world::server) fn rename(
        &mut self,
        d: usize,
        new: &str,
        parts: &mut Kept,
    ) -> Done {
        let db = &self.server().databases[d];
        let (id, old) = (db.id, db.name.clone());
        if id <= 4 {
            let text = format!("Cannot change the name of the system database {old}.");
            return Err(vec![Message::error(5016, text)]);
        }
        if self.server().databases.iter().enumerate().any(|(n, o)| n != d && o.name.eq_ignore_ascii_case(new))
        {
            let text = format!("Database '{new}' already exists. Choose a different database name.");
            return Err(vec![Message { state: 3, ..Message::error(1801, text) }]);
        }
        if let Some(refused) = self.state.ha_bars(self.s, &old, Barred::Rename) {
            return Err(vec![refused]);
        }
        self.enter(&old).map_err(|m| vec![m])?;
        if !self.others_in(&old).is_empty() || self.biztalk_in(&old) {
            return Err(vec![Message {
                state: 2,
                ..Message::error(
                    5030,
                    "The database could not be exclusively locked to perform the operation.",
                )
            }]);
        }
        let local = self.server().local(self.now);
        let s = self.s;
        for session in self.state.sessions.iter_mut().filter(|x| x.server == s) {
            if session.database.eq_ignore_ascii_case(&old) {
                new.clone_into(&mut session.database);
            }
        }
        let db = &mut self.server_mut().databases[d];
        (db.name, db.created) = (new.to_owned(), local);
        self.state.dirty = true;
        info(parts, 5021, format!("The database name '{new}' has been set."));
        Ok(())
    }

    fn add_files(&mut self, d: usize, specs: &[FileSpec]) -> Done {
        for spec in specs {
            if spec.filegroup.as_ref().is_some_and(|g| !g.eq_ignore_ascii_case("PRIMARY")) {
                return Err(vec![Message::not_modelled("filegroups beside PRIMARY")]);
            }
            let db = &self.server().databases[d];
            if db.files.iter().any(|f| f.logical.eq_ignore_ascii_case(&spec.name)) {
                let text = format!(
                    "The logical file name \"{}\" is already in use. Choose a different name.",
                    spec.name
                );
                return Err(vec![Message { state: 4, ..Message::error(1828, text) }]);
            }
            let id = db.files.iter().map(|f| f.id).max().unwrap_or(2) + 1;
            let name = db.name.clone();
            let mut file = self.made(&name, spec, id);
            if let Err(first) = self.placed(&file, &[]) {
                let text = "One or more files listed in the statement could not be found or could not be initialized.";
                return Err(vec![first, Message::error(5009, text)]);
            }
            file.guid = self.state.dice.guid();
            let now = self.now;
            let db = &mut self.server_mut().databases[d];
            db.files.push(file.clone());
            db.log_file(now, file);
        }
        Ok(())
    }

    fn remove_file(&mut self, d: usize, logical: &str, parts: &mut Kept) -> Done {
        let db = &mut self.server_mut().databases[d];
        let Some(n) = db.files.iter().position(|f| f.logical.eq_ignore_ascii_case(logical)) else {
            let text =
                "One or more files listed in the statement could not be found or could not be initialized.";
            return Err(vec![Message::error(5009, text)]);
        };
        if db.files[n].id <= 2 {
            let text = "The primary data or log file cannot be removed from a database.";
            return Err(vec![Message::error(5020, text)]);
        }
        let name = db.files.remove(n).logical;
        info(parts, 5044, format!("The file '{name}' has been removed."));
        Ok(())
    }

    fn modify_file(&mut self, d: usize, spec: &FileSpec, parts: &mut Kept) -> Done {
        let wrong = |number, text: String| Err(vec![Message::error(number, text)]);
        if spec.name.is_empty() {
            return wrong(5036, "MODIFY FILE failed. Specify logical name.".into());
        }
        let db = &mut self.server_mut().databases[d];
        if let Some(new) = &spec.new_name
            && db.files.iter().any(|f| f.logical.eq_ignore_ascii_case(new))
        {
            let text = format!("The logical file name \"{new}\" is already in use. Choose a different name.");
            return wrong(1828, text);
        }
        let Some(file) = db.files.iter_mut().find(|f| f.logical.eq_ignore_ascii_case(&spec.name)) else {
            return wrong(5041, format!("MODIFY FILE failed. File '{}' does not exist.", spec.name));
        };
        if *spec == (FileSpec { name: spec.name.clone(), ..FileSpec::default() }) {
            let text = format!(
                "MODIFY FILE failed for file \"{}\". At least one property per file must be specified.",
                spec.name
            );
            return wrong(5038, text);
        }
        if let Some(kb) = spec.size_kb {
            if kb / 8 <= file.pages {
                let text = "MODIFY FILE failed. Specified size is less than or equal to current size.";
                return wrong(5039, text.into());
            }
            file.pages = kb / 8;
        }
        if let Some(kb) = spec.max_kb {
            file.limits.max_pages = Some(if kb < 0 { -1 } else { kb / 8 });
        }
        if let Some((n, percent)) = spec.growth {
            file.limits.growth = Some(if percent { (n, true) } else { (n / 8, false) });
        }
        if let Some(path) = &spec.path {
            file.physical.clone_from(path);
            let text = format!(
                "The file \"{}\" has been modified in the system catalog. The new path will be used the next time the database is started.",
                spec.name
            );
            info(parts, 5018, text);
        }
        let db = &mut self.server_mut().databases[d];
        if let Some(new) = &spec.new_name
            && let Some(file) = db.files.iter_mut().find(|f| f.logical.eq_ignore_ascii_case(&spec.name))
        {
            file.logical.clone_from(new);
            info(parts, 5021, format!("The file name '{new}' has been set."));
        }
        Ok(())
    }
}
