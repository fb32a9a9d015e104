//! Commands about whole databases, handed to the host with their values computed.

use super::super::ast::{Expr, HostCommand, Media, MediaWhat};
use super::batch::Batch;
use super::raised::{Ends, Raised};
use crate::sandbox::answer::Message;
use crate::sandbox::host::{Command, DiskOption};
use crate::sandbox::value::{Type, Value};

impl Batch<'_> {
    pub(super) fn command(&mut self, command: &HostCommand) -> Result<(), Raised> {
        let command = match command {
            HostCommand::Ready(command) => command.clone(),
            HostCommand::Media(media) => self.media(media)?,
            HostCommand::CheckDb { database, options } => {
                let database = match database {
                    Some(Expr::Literal(Value::Int(0), _)) | None => self.session.context.database.clone(),
                    Some(Expr::Literal(Value::Int(n), _)) => {
                        return Err(Message::not_modelled(format!("DBCC CHECKDB of database id {n}")).into());
                    }
                    Some(name) => self.name_of(name)?,
                };
                Command::CheckDb { database, options: options.clone() }
            }
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
                Command::Kill(_) => Some("KILL"),
                Command::AlterDatabase { .. } => Some("ALTER DATABASE"),
                Command::DropDatabase(_) => Some("DROP DATABASE"),
                Command::Availability(statement) => Some(statement.verb()),
                Command::CheckDb { .. } => None,
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
            _ => Err(Message::error(3071, "A NULL value is not a name here.").into()),
        }
    }

    fn media(&self, media: &Media) -> Result<Command, Raised> {
        let database = media.database.as_ref().map(|d| self.name_of(d)).transpose()?.unwrap_or_default();
        let disks = media.disks.iter().map(|d| self.name_of(d)).collect::<Result<Vec<_>, _>>()?;
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
        Command::Kill(_) => "KILL",
        Command::AlterDatabase { .. } => "ALTER DATABASE",
        Command::DropDatabase(_) => "DROP DATABASE",
        Command::Availability(statement) => statement.verb(),
        Command::CheckDb { .. } => "DBCC TABLE CHECK",
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
