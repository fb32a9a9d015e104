//! Statements about whole databases and backup files, as clients send them.
//!
//! What is asked is put into the words of `backup` and `restore`; results and messages go back in order.

mod availability;
mod databases;
mod headers;
mod transfer;

use super::Call;
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::{Command, Device, DiskOption, RestoreInfo};
use crate::sandbox::value::Table;
use crate::sandbox::world::media::terminated;
use crate::sandbox::world::state::State;
use crate::sandbox::world::stored::{as_int, as_text};

type Done = Result<(), Vec<Message>>;

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
    /// Refuses what is not modelled.
    fn only(&self, verb: &str, known: &[&str]) -> Done {
        match self.0.iter().find(|o| !known.contains(&o.name.as_str())) {
            Some(other) => Err(vec![Message::not_modelled(format_args!("{verb} WITH {}", other.name))]),
            None => Ok(()),
        }
    }
}

/// Tuning options that change nothing here.
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

/// The one device of a statement; striped media are not modelled.
fn one_disk<'a>(verb: &str, disks: &'a [String]) -> Result<&'a str, Vec<Message>> {
    match disks {
        [one] => Ok(one),
        _ => Err(vec![Message::not_modelled(format_args!("{verb} with {} devices", disks.len()))]),
    }
}

impl Call<'_> {
    pub(super) fn command(&mut self, command: &Command, parts: &mut Kept) -> Done {
        match command {
            Command::RestoreInfo { what, disks, options } => {
                let disks = self.paths(disks)?;
                self.look(*what, &disks, &Options(options), parts)
            }
            Command::Restore { log, database, disks, options } => {
                let disks = self.paths(disks)?;
                self.run_restore(*log, database, &disks, &Options(options), parts)
            }
            Command::Backup { log, database, disks, options } => {
                let disks = self.paths(disks)?;
                self.run_backup(*log, database, &disks, &Options(options), parts)
            }
            Command::Kill(session) => self.kill(*session),
            Command::AlterDatabase { database, set } => self.alter(database, set),
            Command::DropDatabase(database) => self.drop_database(database),
            Command::Availability(statement) => self.availability(statement),
            Command::DropDatabases { names, if_exists } => self.drop_databases(names, *if_exists),
            Command::ChangeDatabase { .. } => Err(vec![Message::not_modelled("ALTER DATABASE … files")]),
            Command::CreateDatabase { .. } => Err(vec![Message::not_modelled("CREATE DATABASE")]),
            Command::SetOwner { .. } => Err(vec![Message::not_modelled("ALTER AUTHORIZATION")]),
            Command::Dbcc { what, .. } => Err(vec![Message::not_modelled(format_args!("DBCC {what}"))]),
            Command::CheckDb { database, options } => self.check(database, options, parts),
        }
    }

    /// The paths of devices.
    fn paths(&self, devices: &[Device]) -> Result<Vec<String>, Vec<Message>> {
        let known = &self.server().backup_devices;
        devices
            .iter()
            .map(|device| match device {
                Device::Disk(path) => Ok(path.clone()),
                Device::Logical(name) => {
                    let found = known.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
                    found.map(|(_, path)| path.clone()).ok_or_else(|| {
                        vec![Message::error(3206, format!("Backup device '{name}' does not exist. To view existing backup devices, use the sys.backup_devices catalog view. To create a new backup device use either sp_addumpdevice or SQL Server Management Studio."))]
                    })
                }
            })
            .collect()
    }

    /// HEADERONLY, FILELISTONLY, LABELONLY, VERIFYONLY.
    fn look(&mut self, what: RestoreInfo, disks: &[String], options: &Options<'_>, parts: &mut Kept) -> Done {
        let verb = match what {
            RestoreInfo::HeaderOnly => "RESTORE HEADERONLY",
            RestoreInfo::FileListOnly => "RESTORE FILELIST",
            RestoreInfo::LabelOnly => "RESTORE LABELONLY",
            RestoreInfo::VerifyOnly => "VERIFY DATABASE",
        };
        options.only(verb, &with_tuning(&["FILE", "CHECKSUM", "LOADHISTORY", "CONTINUE_AFTER_ERROR"]))?;
        if !self.granted("CREATE ANY DATABASE") {
            let denied = Message {
                class: 14,
                ..Message::error(262, "CREATE DATABASE permission denied in database 'master'.")
            };
            return Err(terminated(verb, vec![denied]));
        }
        let path = one_disk(verb, disks)?;
        let failed = |m: Message| terminated(verb, vec![m]);
        let sets = self.state.open_media(self.s, path).map_err(failed)?;
        let position = options.int("FILE");
        let server = self.server();
        match what {
            RestoreInfo::HeaderOnly => send(headers::headers(server, &sets, position), parts),
            RestoreInfo::LabelOnly => send(headers::label(&sets), parts),
            RestoreInfo::FileListOnly => {
                let set = self.state.open_set(self.s, path, position.unwrap_or(1)).map_err(failed)?;
                send(headers::files(server, &set), parts);
            }
            RestoreInfo::VerifyOnly => {
                let set = self.state.open_set(self.s, path, position.unwrap_or(1)).map_err(failed)?;
                if options.has("CHECKSUM") && !set.set.checksums {
                    return Err(failed(Message::error(
                        3187,
                        "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain checksum information.",
                    )));
                }
                if let Some(fault) = State::verify_fault(&set, path) {
                    return Err(failed(fault));
                }
                if options.has("LOADHISTORY") {
                    let number = self.state.know_set(&set.set, &set.layout);
                    let s = self.s;
                    self.state.enter_set(s, number);
                    self.state.dirty = true;
                }
                info(parts, 3262, format!("The backup set on file {} is valid.", set.set.position));
            }
        }
        Ok(())
    }
}
