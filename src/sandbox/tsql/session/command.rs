//! Commands about whole databases, handed to the host with their values computed.

use super::super::ast::{Expr, HostCommand, Media, MediaWhat};
use super::batch::Batch;
use super::raised::{Ends, Raised};
use crate::sandbox::answer::Message;
use crate::sandbox::host::{Command, Device, DiskOption};
use crate::sandbox::value::{Type, Value};

impl Batch<'_> {
    pub(super) fn command(&mut self, command: &HostCommand) -> Result<(), Raised> {
        let command = match command {
            HostCommand::Ready(command) => command.clone(),
            HostCommand::Media(media) => self.media(media)?,
            HostCommand::CheckDb { database, options } => {
                let database = match database {
                    None => self.session.context.database.clone(),
                    Some(name) => self.database_named(name)?,
                };
                Command::CheckDb { database, options: options.clone() }
            }
            HostCommand::Dbcc { what, arguments, options } => {
                let arguments = arguments
                    .iter()
                    .map(|a| Ok(self.evaluate_with(|b| b.value(a), None)?.0))
                    .collect::<Result<_, Raised>>()?;
                Command::Dbcc { what: (*what).to_owned(), arguments, options: options.clone() }
            }
            HostCommand::ChangeDatabase { database, change } => Command::ChangeDatabase {
                database: database.clone().unwrap_or_else(|| self.session.context.database.clone()),
                change: change.clone(),
            },
            HostCommand::AlterDatabase { database, set } => Command::AlterDatabase {
                database: database.clone().unwrap_or_else(|| self.session.context.database.clone()),
                set: set.clone(),
            },
        };
        let open = self.session.globals.transactions > 0;
        if open {
            let verb = match &command {
                Command::Restore { .. } | Command::Backup { .. } | Command::RestoreInfo { .. } => {
                    return Err(Message::error(
                        3021,
                        "Cannot perform a backup or restore operation within a transaction.",
                    )
                    .followed(&command));
                }
                Command::Kill(_) | Command::KillUnit { .. } => Some("KILL"),
                Command::KillStatus(_) => None,
                Command::AlterDatabase { .. } | Command::ChangeDatabase { .. } => Some("ALTER DATABASE"),
                Command::CreateDatabase { .. } => Some("CREATE DATABASE"),
                Command::DropDatabase(_) | Command::DropDatabases { .. } => Some("DROP DATABASE"),
                Command::CheckDb { .. } | Command::Dbcc { .. } | Command::SetOwner { .. } => None,
                Command::Availability(statement) => Some(statement.verb()),
                Command::Security(crate::sandbox::host::security::Security::Reconfigure) => {
                    let text = "CONFIG statement cannot be used inside a user transaction.";
                    return Err(Message::error(574, text).into());
                }
                Command::Security(_) => None,
            };
            if let Some(verb) = verb {
                let number = if verb == "KILL" { 6115 } else { 226 };
                let text = if number == 6115 {
                    "KILL command cannot be used inside user transactions.".to_owned()
                } else {
                    format!("{verb} statement not allowed within multi-statement transaction.")
                };
                return Err(Message::error(number, text).into());
            }
        }
        let (host, context) = (self.session.host.clone(), self.session.context.clone());
        host.activity(&context, Some(verb(&command)));
        let result = host.command(&context, &command, self.sink);
        self.forget();
        match result {
            Ok(()) => {
                if self.sink.stopped() {
                    return Err(crate::sandbox::answer::Stopped.into());
                }
                self.sink.put(crate::sandbox::answer::Part::Done { rows: None })?;
                Ok(())
            }
            Err(messages) => {
                let ends = if messages.iter().any(|m| m.class >= 20) { Ends::Batch } else { Ends::Statement };
                Err(Raised { messages, ends, sent: false, stopped: false, compile: None })
            }
        }
    }

    fn name_of(&self, value: &Expr) -> Result<String, Raised> {
        match self.evaluate(value, Some(Type::NVarChar(None)))? {
            Value::Text(text) => Ok(text),
            _ => Err(Message::error(
                3044,
                "Invalid zero-length device name. Reissue the BACKUP statement with a valid device name.",
            )
            .into()),
        }
    }

    /// A database by name or number; 0 is the session's own.
    fn database_named(&self, value: &Expr) -> Result<String, Raised> {
        let (value, _) = self.evaluate_with(|b| b.value(value), None)?;
        let number = match value {
            Value::Text(name) => return Ok(name),
            Value::Int(0) => return Ok(self.session.context.database.clone()),
            Value::Int(number) => number,
            _ => return Err(Message::error(2520, "Could not find database 'NULL'. The database either does not exist, or was dropped before a statement tried to use it. Verify if the database exists by querying the sys.databases catalog view.").into()),
        };
        let named = self.session.host.scalar(&self.session.context, "DB_NAME", &[Value::Int(number)])?;
        match named {
            Some(Value::Text(name)) => Ok(name),
            _ => Err(Message::error(2520, format!("Could not find database ID {number}. The database ID either does not exist, or the database was dropped before a statement tried to use it. Verify if the database ID exists by querying the sys.databases catalog view.")).into()),
        }
    }

    fn media(&self, media: &Media) -> Result<Command, Raised> {
        let database = media.database.as_ref().map(|d| self.name_of(d)).transpose()?.unwrap_or_default();
        let disks = media
            .disks
            .iter()
            .map(|(logical, name)| {
                let name = self.name_of(name)?;
                Ok(if *logical { Device::Logical(name) } else { Device::Disk(name) })
            })
            .collect::<Result<Vec<_>, Raised>>()?;
        let mut options = Vec::new();
        for option in &media.options {
            let value = match &option.value {
                Some(value) => Some(self.evaluate_with(|b| b.value(value), None)?.0),
                None => None,
            };
            let to = option.to.as_ref().map(|t| self.name_of(t)).transpose()?;
            options.push(DiskOption { name: option.name.clone(), value, to });
        }
        Ok(match media.what {
            MediaWhat::Info(what) => Command::RestoreInfo { what, disks, options },
            MediaWhat::Restore { log } => Command::Restore { log, database, disks, options },
            MediaWhat::Backup { log } => Command::Backup { log, database, disks, options },
        })
    }
}

/// As sys.dm_exec_requests names it.
fn verb(command: &Command) -> &'static str {
    use crate::sandbox::host::RestoreInfo as I;
    match command {
        Command::RestoreInfo { what, .. } => match what {
            I::HeaderOnly => "RESTORE HEADERONLY",
            I::FileListOnly => "RESTORE FILELISTONLY",
            I::LabelOnly => "RESTORE LABELONLY",
            I::VerifyOnly => "RESTORE VERIFYONLY",
        },
        Command::Restore { log: true, .. } => "RESTORE LOG",
        Command::Restore { log: false, .. } => "RESTORE DATABASE",
        Command::Backup { log: true, .. } => "BACKUP LOG",
        Command::Backup { log: false, .. } => "BACKUP DATABASE",
        Command::Kill(_) | Command::KillStatus(_) | Command::KillUnit { .. } => "KILL",
        Command::AlterDatabase { .. } | Command::ChangeDatabase { .. } => "ALTER DATABASE",
        Command::CreateDatabase { .. } => "CREATE DATABASE",
        Command::DropDatabase(_) | Command::DropDatabases { .. } => "DROP DATABASE",
        Command::SetOwner { .. } => "ALTER AUTHORIZATION",
        Command::Availability(statement) => statement.verb(),
        Command::Security(statement) => statement.verb(),
        Command::CheckDb { .. } => "DBCC TABLE CHECK",
        Command::Dbcc { .. } => "DBCC",
    }
}

trait Followed {
    /// The error, and 3013 behind it.
    fn followed(self, command: &Command) -> Raised;
}

impl Followed for Message {
    fn followed(self, command: &Command) -> Raised {
        let last = Message::error(3013, format!("{} is terminating abnormally.", verb(command)));
        Raised {
            messages: vec![self, last],
            ends: Ends::Statement,
            sent: false,
            stopped: false,
            compile: None,
        }
    }
}
