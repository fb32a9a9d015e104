//! Statements about whole databases and backup files, as clients send them.
//!
//! What is asked is put into the words of `backup` and `restore`; results and messages go back in order.

mod access_mode;
mod availability;
mod check;
mod databases;
mod dbcc;
mod files;
mod headers;
pub(crate) mod long;
mod options;
pub(super) mod security;
mod transfer;
mod unit;

use super::Call;
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::{Command, Device, DiskOption, RestoreInfo};
use crate::sandbox::value::Table;
use crate::sandbox::world::backup::is_nul;
use crate::sandbox::world::media::terminated;
use crate::sandbox::world::state::State;
use crate::sandbox::world::stored::{as_int, as_text};

pub(super) type Done = Result<(), Vec<Message>>;

fn info(parts: &mut Kept, number: i32, text: String) {
    let _ = parts.put(Part::Info(Message { class: 0, ..Message::error(number, text) }));
}

fn send(table: Table, parts: &mut Kept) {
    let count = table.rows.len() as u64;
    let _ = parts.put(Part::Columns(table.columns));
    for row in table.rows {
        let _ = parts.put(Part::Row(row));
    }
    let _ = parts.put(Part::Done { rows: Some(count) });
}

/// Options of a statement, each looked for by name.
struct Options<'a>(&'a [DiskOption]);

impl Options<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|o| o.name == name)
    }
    fn text(&self, name: &str) -> Option<String> {
        self.0
            .iter()
            .find(|o| o.name == name)
            .and_then(|o| o.value.as_ref())
            .and_then(as_text)
            .map(str::to_owned)
    }
    fn int(&self, name: &str) -> Option<i64> {
        self.0.iter().find(|o| o.name == name).and_then(|o| o.value.as_ref()).and_then(as_int)
    }
    /// STATS: after how many percent a message comes.
    fn step(&self) -> Option<i64> {
        let found = self.0.iter().find(|o| o.name == "STATS")?;
        Some(found.value.as_ref().and_then(as_int).unwrap_or(10).clamp(1, 100))
    }
    /// Numbers that are out of range.
    fn in_range(&self) -> Result<(), Message> {
        let power = |n: i64| n > 0 && n & (n - 1) == 0;
        if let Some(n) = self.int("BLOCKSIZE") {
            if !power(n) {
                let text = "The block size parameter must supply a value that is a power of 2.";
                return Err(Message::error(3253, text));
            }
            if !(512..=65_536).contains(&n) {
                let text = format!("The value '{n}' is not within range for the BLOCKSIZE parameter.");
                return Err(Message::error(3250, text));
            }
        }
        if let Some(n) =
            self.int("MAXTRANSFERSIZE").filter(|n| n % 65_536 != 0 || !(65_536..=20_971_520).contains(n))
        {
            let text = format!("The value '{n}' is not within range for the MAXTRANSFERSIZE parameter.");
            return Err(Message::error(3250, text));
        }
        if let Some(n) = self.int("STATS").filter(|n| !(1..=100).contains(n)) {
            let text = format!("The value '{n}' is not within range for the STATS parameter.");
            return Err(Message::error(3250, text));
        }
        if self.int("BUFFERCOUNT").is_some_and(|n| n < 1) {
            return Err(Message::error(
                3273,
                "The BUFFERCOUNT parameter must supply a value that allows at least one buffer per backup device.",
            ));
        }
        Ok(())
    }
    /// Options that exclude each other.
    fn agree(&self, pairs: &[(&str, &str)]) -> Result<(), Message> {
        match pairs.iter().find(|(a, b)| self.has(a) && self.has(b)) {
            Some((a, b)) => Err(Message::error(
                3031,
                format!(
                    "Option '{}' conflicts with option(s) '{}'. Remove the conflicting option and reissue the statement.",
                    a.to_lowercase(),
                    b.to_lowercase()
                ),
            )),
            None => Ok(()),
        }
    }
    /// Options that belong to another statement.
    fn without(&self, names: &[&str]) -> Result<(), Message> {
        match names.iter().find(|n| self.has(n)) {
            Some(name) => Err(Message::error(
                3032,
                format!(
                    "One or more of the options ({}) are not supported for this statement. Review the documentation for supported options.",
                    name.to_lowercase()
                ),
            )),
            None => Ok(()),
        }
    }
    /// Refuses what is not modelled.
    fn only(&self, verb: &str, known: &[&str]) -> Done {
        match self.0.iter().find(|o| !known.contains(&o.name.as_str())) {
            Some(other) => Err(vec![Message::not_modelled(format_args!("{verb} WITH {}", other.name))]),
            None => Ok(()),
        }
    }
}

/// Options that change nothing here.
const TUNING: &[&str] = &[
    "STATS",
    "BUFFERCOUNT",
    "MAXTRANSFERSIZE",
    "BLOCKSIZE",
    "NO_CHECKSUM",
    "STOP_ON_ERROR",
    "NOUNLOAD",
    "UNLOAD",
    "REWIND",
    "NOREWIND",
    "NOSKIP",
    "SKIP",
    "NOFORMAT",
];

fn with_tuning<'a>(own: &[&'a str]) -> Vec<&'a str> {
    own.iter().copied().chain(TUNING.iter().copied()).collect()
}

/// What a command comes to: all of it, or work that takes time.
pub(crate) enum Course {
    Done,
    /// It takes time.
    Takes(Box<long::Work>),
    /// Others are in the way; it begins when they are not.
    Blocked,
}

type Coursed = Result<Course, Vec<Message>>;

impl Call<'_> {
    /// Carries a command out, or begins one that takes time.
    pub(super) fn command(&mut self, command: &Command, parts: &mut Kept) -> Coursed {
        let done = match command {
            Command::RestoreInfo { what, disks, options } => {
                return self.look(*what, disks, &Options(options), parts);
            }
            Command::Restore { log, database, disks, options } => {
                return self.run_restore(*log, database, disks, &Options(options), parts);
            }
            Command::Backup { log, database, disks, options } => {
                return self.run_backup(*log, database, disks, &Options(options));
            }
            Command::CheckDb { database, options } => return self.check(database, options),
            Command::Kill(session) => self.kill(*session),
            Command::KillStatus(session) => self.kill_status(*session),
            Command::KillUnit { uow, how } => self.kill_unit(uow, *how),
            Command::Dbcc { what, arguments, options } if what == "OPENTRAN" => {
                self.open_tran(arguments, options, parts)
            }
            Command::AlterDatabase { database, set } => return self.alter(database, set, parts),
            Command::Availability(statement) => self.availability(statement),
            Command::DropDatabase(database) => self.drop_database(database),
            Command::DropDatabases { names, if_exists } => self.drop_databases(names, *if_exists),
            Command::ChangeDatabase { database, change } => self.change_database(database, change, parts),
            Command::CreateDatabase { name, files, collation } => {
                self.create_database(name, files, collation.as_deref())
            }
            Command::SetOwner { database, owner } => self.set_owner(database, owner),
            Command::Security(statement) => self.security(statement),
            Command::Dbcc { what, arguments, options } => self.dbcc(what, arguments, options, parts),
        };
        done.map(|()| Course::Done)
    }

    /// The paths of devices, each with its logical name.
    fn devices(&self, devices: &[Device]) -> Result<Vec<(String, Option<String>)>, Message> {
        let known = &self.server().backup_devices;
        devices
            .iter()
            .map(|device| match device {
                Device::Disk(path) => Ok((self.full_path(path), None)),
                Device::Logical(name) => {
                    let found = known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
                    found.map(|(name, path)| (path.clone(), Some(name.clone()))).ok_or_else(|| {
                        Message::error(
                            3206,
                            format!(
                                "Backup device '{name}' does not exist. To view existing backup devices, use the sys.backup_devices catalog view. To create a new backup device use either sp_addumpdevice or SQL Server Management Studio."
                            ),
                        )
                    })
                }
            })
            .collect()
    }

    fn paths(&self, devices: &[Device]) -> Result<Vec<String>, Message> {
        Ok(self.devices(devices)?.into_iter().map(|(path, _)| path).collect())
    }

    /// A relative path is in the server's backup folder.
    fn full_path(&self, path: &str) -> String {
        if path.starts_with("\\\\") || path.get(1..2) == Some(":") || is_nul(path) || path.is_empty() {
            return path.to_owned();
        }
        let data = self.server().databases.first().and_then(|d| d.files.first());
        let home = data.and_then(|f| f.physical.rsplit_once("\\DATA\\")).map_or("C:", |(home, _)| home);
        let rest = path.trim_start_matches(['\\', '/']);
        format!("{home}\\Backup\\{rest}")
    }

    /// HEADERONLY, FILELISTONLY, LABELONLY, VERIFYONLY.
    fn look(
        &mut self,
        what: RestoreInfo,
        disks: &[Device],
        options: &Options<'_>,
        parts: &mut Kept,
    ) -> Coursed {
        let verb = match what {
            RestoreInfo::HeaderOnly => "RESTORE HEADERONLY",
            RestoreInfo::FileListOnly => "RESTORE FILELIST",
            RestoreInfo::LabelOnly => "RESTORE LABELONLY",
            RestoreInfo::VerifyOnly => "VERIFY DATABASE",
        };
        let failed = |m: Message| terminated(verb, vec![m]);
        let verifies = what == RestoreInfo::VerifyOnly;
        let own: &[&str] = if verifies {
            &["FILE", "CHECKSUM", "LOADHISTORY", "CONTINUE_AFTER_ERROR", "MEDIANAME", "MOVE"]
        } else {
            &["FILE", "CHECKSUM", "CONTINUE_AFTER_ERROR", "MEDIANAME"]
        };
        options.only(verb, &with_tuning(own))?;
        if !self.granted("CREATE ANY DATABASE") {
            let denied = Message {
                class: 14,
                ..Message::error(262, "CREATE DATABASE permission denied in database 'master'.")
            };
            return Err(failed(denied));
        }
        options.in_range().map_err(failed)?;
        let paths = self.paths(disks).map_err(failed)?;
        let opened = self.state.open_devices(self.s, &paths).map_err(failed)?;
        let Some(first) = opened.first() else { return Err(failed(no_device())) };
        let position = options.int("FILE");
        let server = self.server();
        if what == RestoreInfo::LabelOnly {
            send(headers::label(first), parts);
            return Ok(Course::Done);
        }
        if what == RestoreInfo::HeaderOnly {
            if let Some(message) = first.iter().find_map(|r| server.cannot_decrypt(&r.set)) {
                return Err(failed(message));
            }
            if let Some(n) = position.filter(|n| !first.iter().any(|r| r.set.position == *n)) {
                let text = format!("Cannot find file ID {n} on device '{}'.", paths[0]);
                return Err(failed(Message { state: 2, ..Message::error(4038, text) }));
            }
            send(headers::headers(server, first, position), parts);
            return Ok(Course::Done);
        }
        State::one_medium(&paths, &opened).map_err(failed)?;
        let set = State::set_of(&paths, &opened, position.unwrap_or(1)).map_err(failed)?;
        if let Some(message) = server.cannot_decrypt(&set.set) {
            return Err(failed(message));
        }
        if verifies {
            if options.has("CHECKSUM") && !set.set.checksums {
                return Err(failed(Message::error(
                    3187,
                    "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain checksum information.",
                )));
            }
            if let Some(fault) = State::verify_fault(&set, &paths[0]) {
                return Err(failed(fault));
            }
        }
        if let Some(message) = server.too_old_for(&set) {
            return Err(failed(message));
        }
        if !verifies {
            send(headers::files(server, &set), parts);
            return Ok(Course::Done);
        }
        let load = options.has("LOADHISTORY");
        Ok(self.takes(
            "RESTORE VERIFYONLY",
            "master",
            set.set.size / 1_048_576,
            options.step(),
            long::Deed::Verify { set: Box::new(set), load },
        ))
    }
}

fn no_device() -> Message {
    Message::error(
        3207,
        "Backup or restore requires at least one backup device. Rerun your statement specifying a backup device.",
    )
}

/// The command as it goes on when those in its way have had their time.
pub(super) fn without_patience(command: &Command, drill_ms: f64) -> Option<Command> {
    let Command::AlterDatabase { database, set } = command else { return None };
    let (options, seconds) = set.split_once(" WITH ROLLBACK AFTER ")?;
    let seconds: f64 = seconds.trim().parse().ok()?;
    (drill_ms >= seconds * 1000.0).then(|| Command::AlterDatabase {
        database: database.clone(),
        set: format!("{options} WITH ROLLBACK IMMEDIATE"),
    })
}
