//! BACKUP, RESTORE and KILL.

use super::super::ast::{Expr, HostCommand, Media, MediaOption, MediaWhat, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::host::{Command, KillHow, RestoreInfo};
use crate::sandbox::value::{Type, Value};

/// Options of RESTORE with a value.
const RESTORE_VALUES: [&str; 13] = [
    "STATS",
    "FILE",
    "STANDBY",
    "STOPAT",
    "STOPATMARK",
    "STOPBEFOREMARK",
    "PASSWORD",
    "MEDIAPASSWORD",
    "MEDIANAME",
    "BUFFERCOUNT",
    "MAXTRANSFERSIZE",
    "BLOCKSIZE",
    "DBNAME",
];
/// Options of RESTORE without.
const RESTORE_WORDS: [&str; 22] = [
    "RECOVERY",
    "NORECOVERY",
    "REPLACE",
    "RESTART",
    "RESTRICTED_USER",
    "CHECKSUM",
    "NO_CHECKSUM",
    "STOP_ON_ERROR",
    "CONTINUE_AFTER_ERROR",
    "KEEP_REPLICATION",
    "KEEP_CDC",
    "KEEP_TEMPORAL_RETENTION",
    "ENABLE_BROKER",
    "NEW_BROKER",
    "ERROR_BROKER_CONVERSATIONS",
    "LOADHISTORY",
    "UNLOAD",
    "NOUNLOAD",
    "REWIND",
    "NOREWIND",
    "PARTIAL",
    "STATS",
];
/// Options of BACKUP with a value.
const BACKUP_VALUES: [&str; 12] = [
    "STATS",
    "NAME",
    "DESCRIPTION",
    "EXPIREDATE",
    "RETAINDAYS",
    "MEDIANAME",
    "MEDIADESCRIPTION",
    "STANDBY",
    "BUFFERCOUNT",
    "MAXTRANSFERSIZE",
    "BLOCKSIZE",
    "PASSWORD",
];
/// Options of BACKUP without.
const BACKUP_WORDS: [&str; 21] = [
    "DIFFERENTIAL",
    "COPY_ONLY",
    "COMPRESSION",
    "NO_COMPRESSION",
    "INIT",
    "NOINIT",
    "SKIP",
    "NOSKIP",
    "FORMAT",
    "NOFORMAT",
    "CHECKSUM",
    "NO_CHECKSUM",
    "STOP_ON_ERROR",
    "CONTINUE_AFTER_ERROR",
    "NORECOVERY",
    "NO_TRUNCATE",
    "REWIND",
    "NOREWIND",
    "UNLOAD",
    "NOUNLOAD",
    "STATS",
];

impl Parser {
    /// Stands behind RESTORE.
    pub(super) fn restore(&mut self) -> Parsed<What> {
        let infos = [
            ("HEADERONLY", RestoreInfo::HeaderOnly),
            ("FILELISTONLY", RestoreInfo::FileListOnly),
            ("LABELONLY", RestoreInfo::LabelOnly),
            ("VERIFYONLY", RestoreInfo::VerifyOnly),
        ];
        let info = infos.iter().find(|(word, _)| self.peek(word));
        let (what, database) = if let Some((_, info)) = info {
            self.advance();
            (MediaWhat::Info(*info), None)
        } else {
            let log = match self.one_of(&["DATABASE", "LOG", "TRAN", "TRANSACTION"]) {
                Some(word) => word != "DATABASE",
                None if self.peek("MASTER") || self.peek("SERVICE") || self.peek("REWINDONLY") => {
                    return Err(self.refused(format!("RESTORE {}", self.token().text)));
                }
                None => return Err(self.unexpected()),
            };
            let database = self.database_name()?;
            self.refuse_parts()?;
            (MediaWhat::Restore { log }, Some(database))
        };
        let disks = if self.accept("FROM") {
            if self.peek("DATABASE_SNAPSHOT") {
                return Err(self.refused("RESTORE FROM DATABASE_SNAPSHOT"));
            }
            self.devices()?
        } else if matches!(what, MediaWhat::Info(_)) {
            return Err(self.unexpected());
        } else {
            Vec::new()
        };
        let options = self.media_options("RESTORE", &RESTORE_VALUES, &RESTORE_WORDS)?;
        Ok(What::Command(HostCommand::Media(Box::new(Media { what, database, disks, options }))))
    }

    /// Stands behind BACKUP.
    pub(super) fn backup(&mut self) -> Parsed<What> {
        let log = match self.one_of(&["DATABASE", "LOG", "TRAN", "TRANSACTION"]) {
            Some(word) => word != "DATABASE",
            None if self.peek("CERTIFICATE") || self.peek("MASTER") || self.peek("SERVICE") => {
                return Err(self.refused(format!("BACKUP {}", self.token().text)));
            }
            None => return Err(self.unexpected()),
        };
        let database = Some(self.database_name()?);
        self.refuse_parts()?;
        self.expect("TO")?;
        let disks = self.devices()?;
        if self.peek("MIRROR") {
            return Err(self.refused("BACKUP … MIRROR TO"));
        }
        let options = self.media_options("BACKUP", &BACKUP_VALUES, &BACKUP_WORDS)?;
        let what = MediaWhat::Backup { log };
        Ok(What::Command(HostCommand::Media(Box::new(Media { what, database, disks, options }))))
    }

    fn database_name(&mut self) -> Parsed<Expr> {
        if *self.kind() == Kind::Variable {
            return self.constant();
        }
        Ok(name_text(self.identifier()?))
    }

    fn refuse_parts(&mut self) -> Parsed<()> {
        for word in ["FILE", "FILEGROUP", "PAGE", "READ_WRITE_FILEGROUPS"] {
            if self.peek(word) {
                return Err(self.refused(format!("{word} of a database")));
            }
        }
        Ok(())
    }

    /// `DISK = path`, or a logical device by its name.
    fn devices(&mut self) -> Parsed<Vec<(bool, Expr)>> {
        self.commas(|p| {
            if p.peek("DISK") && p.ahead_symbol(1, "=") {
                p.at += 2;
                return match p.kind() {
                    Kind::Variable | Kind::Text { .. } => Ok((false, p.constant()?)),
                    _ => Err(p.unexpected()),
                };
            }
            if p.ahead_symbol(1, "=") && (p.peek("URL") || p.peek("TAPE") || p.peek("VIRTUAL_DEVICE")) {
                return Err(p.refused("backup devices other than DISK"));
            }
            if *p.kind() == Kind::Variable {
                return Ok((true, p.constant()?));
            }
            Ok((true, name_text(p.identifier()?)))
        })
    }

    fn media_options(&mut self, verb: &str, values: &[&str], words: &[&str]) -> Parsed<Vec<MediaOption>> {
        if !self.accept("WITH") {
            return Ok(Vec::new());
        }
        self.commas(|p| {
            let name = p.token().text.to_ascii_uppercase();
            if *p.kind() != Kind::Word {
                return Err(p.unexpected());
            }
            let mut option = MediaOption { name: name.clone(), value: None, to: None };
            if name == "MOVE" && verb == "RESTORE" {
                p.advance();
                option.value = Some(p.text_or_variable()?);
                p.expect("TO")?;
                option.to = Some(p.text_or_variable()?);
                return Ok(option);
            }
            if name == "ENCRYPTION" && verb == "BACKUP" {
                p.advance();
                return p.encryption(option);
            }
            let wants = values.contains(&name.as_str());
            if !wants && !words.contains(&name.as_str()) {
                if ["FILESTREAM", "METADATA_ONLY", "SNAPSHOT", "FILE_SNAPSHOT", "CREDENTIAL"]
                    .contains(&name.as_str())
                {
                    return Err(p.refused(format!("{verb} WITH {name}")));
                }
                return Err(p.fail(155, format!("'{}' is not a recognized {verb} option.", p.token().text)));
            }
            p.advance();
            if name == "COMPRESSION" && p.version >= 16 && p.peek_symbol("(") {
                return p.compression(option);
            }
            if !wants || !p.peek_symbol("=") {
                return if wants && !words.contains(&name.as_str()) {
                    Err(p.unexpected())
                } else {
                    Ok(option)
                };
            }
            p.advance();
            let mark = name.ends_with("MARK");
            if mark && *p.kind() == Kind::Variable {
                return Err(p.refused(format!("{name} with a variable")));
            }
            option.value = Some(match p.kind() {
                Kind::Variable | Kind::Text { .. } => p.constant()?,
                Kind::Integer if !mark => p.constant()?,
                _ => return Err(p.unexpected()),
            });
            if mark && p.accept("AFTER") {
                option.to = Some(p.text_or_variable()?);
            }
            Ok(option)
        })
    }

    fn text_or_variable(&mut self) -> Parsed<Expr> {
        match self.kind() {
            Kind::Variable | Kind::Text { .. } => self.constant(),
            _ => Err(self.unexpected()),
        }
    }

    /// `COMPRESSION (ALGORITHM = ZSTD, LEVEL = HIGH)`
    fn compression(&mut self, mut option: MediaOption) -> Parsed<MediaOption> {
        self.expect_symbol("(")?;
        self.expect("ALGORITHM")?;
        self.expect_symbol("=")?;
        let mut known = vec!["MS_XPRESS", "QAT_DEFLATE"];
        if self.version >= 17 {
            known.push("ZSTD");
        }
        let word = self.one_of(&known).ok_or_else(|| self.unexpected())?;
        if word == "ZSTD" && self.accept_symbol(",") {
            self.expect("LEVEL")?;
            self.expect_symbol("=")?;
            self.one_of(&["LOW", "MEDIUM", "HIGH"]).ok_or_else(|| self.unexpected())?;
        }
        self.expect_symbol(")")?;
        option.value = Some(name_text(word.to_owned()));
        Ok(option)
    }

    /// `ENCRYPTION (ALGORITHM = AES_256, SERVER CERTIFICATE = name)`
    fn encryption(&mut self, mut option: MediaOption) -> Parsed<MediaOption> {
        self.expect_symbol("(")?;
        self.expect("ALGORITHM")?;
        self.expect_symbol("=")?;
        option.value = Some(name_text(self.identifier()?));
        self.expect_symbol(",")?;
        self.expect("SERVER")?;
        if self.accept("ASYMMETRIC") {
            return Err(self.refused("backup encryption with an asymmetric key"));
        }
        self.expect("CERTIFICATE")?;
        self.expect_symbol("=")?;
        option.to = Some(name_text(self.identifier()?));
        self.expect_symbol(")")?;
        Ok(option)
    }

    /// Stands behind KILL.
    pub(super) fn kill(&mut self) -> Parsed<What> {
        if matches!(self.kind(), Kind::Text { .. }) {
            let Expr::Literal(Value::Text(uow), _) = self.constant()? else { return Err(self.unexpected()) };
            let how = if self.accept("WITH") {
                match self.one_of(&["COMMIT", "ROLLBACK", "STATUSONLY"]) {
                    Some("COMMIT") => KillHow::Commit,
                    Some("ROLLBACK") => KillHow::Rollback,
                    Some(_) => KillHow::StatusOnly,
                    None => return Err(self.unexpected()),
                }
            } else {
                KillHow::Plain
            };
            return Ok(What::Command(HostCommand::Ready(Command::KillUnit { uow, how })));
        }
        for word in ["STATS", "QUERY"] {
            if self.peek(word) {
                return Err(self.refused(format!("KILL {word}")));
            }
        }
        let minus = self.accept_symbol("-");
        let (Kind::Integer, Ok(number)) = (self.kind(), self.token().text.parse::<i64>()) else {
            return Err(self.unexpected());
        };
        self.advance();
        let number = if minus { -number } else { number };
        if self.accept("WITH") {
            if self.one_of(&["COMMIT", "ROLLBACK"]).is_some() {
                let text = "KILL SPID WITH COMMIT/ROLLBACK is not supported by Microsoft SQL Server. Use KILL UOW WITH COMMIT/ROLLBACK to resolve in-doubt distributed transactions involving Microsoft Distributed Transaction Coordinator (MS DTC).";
                return Err(crate::sandbox::answer::Message { class: 16, ..self.fail(6108, text) });
            }
            self.expect("STATUSONLY")?;
            return Ok(What::Command(HostCommand::Ready(Command::KillStatus(number))));
        }
        Ok(What::Command(HostCommand::Ready(Command::Kill(number))))
    }
}

pub(super) fn name_text(name: String) -> Expr {
    Expr::Literal(Value::Text(name), Type::SYSNAME)
}
