//! Statements about whole databases: RESTORE, BACKUP, KILL, ALTER DATABASE … SET, DBCC CHECKDB.

use super::super::ast::{Expr, HostCommand, Media, MediaOption, MediaWhat, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::host::{Command, RestoreInfo};
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
const RESTORE_WORDS: [&str; 21] = [
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

    fn devices(&mut self) -> Parsed<Vec<Expr>> {
        self.commas(|p| {
            if p.accept("DISK") {
                p.expect_symbol("=")?;
                return match p.kind() {
                    Kind::Variable | Kind::Text { .. } => p.constant(),
                    _ => Err(p.unexpected()),
                };
            }
            if p.peek("URL") || p.peek("TAPE") || p.peek_name() || *p.kind() == Kind::Variable {
                return Err(p.refused("backup devices other than DISK"));
            }
            Err(p.unexpected())
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
                if ["FILESTREAM", "METADATA_ONLY", "SNAPSHOT", "CREDENTIAL"].contains(&name.as_str()) {
                    return Err(p.refused(format!("{verb} WITH {name}")));
                }
                return Err(p.fail(155, format!("'{}' is not a recognized {verb} option.", p.token().text)));
            }
            p.advance();
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
            return Err(self.refused("KILL of a unit of work"));
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
        if self.peek("WITH") {
            return Err(self.refused("KILL … WITH"));
        }
        Ok(What::Command(HostCommand::Ready(Command::Kill(if minus { -number } else { number }))))
    }

    /// Stands behind DBCC.
    pub(super) fn dbcc(&mut self) -> Parsed<What> {
        if !self.accept("CHECKDB") {
            return Err(self.refused(format!("DBCC {}", self.token().text)));
        }
        let mut options = Vec::new();
        let mut database = None;
        if self.accept_symbol("(") {
            database = Some(match self.kind() {
                Kind::Variable | Kind::Text { .. } | Kind::Integer => self.constant()?,
                _ => name_text(self.identifier()?),
            });
            if self.accept_symbol(",") {
                let words = ["NOINDEX", "REPAIR_ALLOW_DATA_LOSS", "REPAIR_FAST", "REPAIR_REBUILD"];
                let word = self.one_of(&words).ok_or_else(|| self.unexpected())?;
                options.push(word.to_owned());
            }
            self.expect_symbol(")")?;
        }
        if self.accept("WITH") {
            let words = [
                "ALL_ERRORMSGS",
                "EXTENDED_LOGICAL_CHECKS",
                "NO_INFOMSGS",
                "TABLOCK",
                "ESTIMATEONLY",
                "PHYSICAL_ONLY",
                "DATA_PURITY",
                "TABLERESULTS",
            ];
            options
                .extend(self.commas(|p| p.one_of(&words).map(str::to_owned).ok_or_else(|| p.unexpected()))?);
        }
        Ok(What::Command(HostCommand::CheckDb { database, options }))
    }

    /// Stands behind ALTER DATABASE.
    pub(super) fn alter_database(&mut self) -> Parsed<What> {
        let database = if self.accept("CURRENT") { None } else { Some(self.identifier()?) };
        if !self.accept("SET") {
            return Err(self.refused(format!("ALTER DATABASE … {}", self.token().text)));
        }
        if let Some(what) = self.availability_option(database.as_deref())? {
            return Ok(what);
        }
        let mut written = self.commas(Self::database_option)?.join(", ");
        if self.accept("WITH") {
            written.push_str(" WITH ");
            if self.accept("NO_WAIT") {
                written.push_str("NO_WAIT");
            } else {
                self.expect("ROLLBACK")?;
                if self.accept("IMMEDIATE") {
                    written.push_str("ROLLBACK IMMEDIATE");
                } else {
                    self.expect("AFTER")?;
                    let Kind::Integer = self.kind() else { return Err(self.unexpected()) };
                    written = format!("{written}ROLLBACK AFTER {}", self.token().text);
                    self.advance();
                    self.accept("SECONDS");
                }
            }
        }
        Ok(What::Command(HostCommand::AlterDatabase { database, set: written }))
    }

    /// One option of ALTER DATABASE … SET, in capitals, values as written.
    fn database_option(&mut self) -> Parsed<String> {
        if *self.kind() != Kind::Word {
            return Err(self.unexpected());
        }
        let name = self.token().text.to_ascii_uppercase();
        let follow: &[&'static str] = match name.as_str() {
            "ONLINE" | "OFFLINE" | "EMERGENCY" | "SINGLE_USER" | "RESTRICTED_USER" | "MULTI_USER"
            | "READ_ONLY" | "READ_WRITE" | "ENABLE_BROKER" | "DISABLE_BROKER" | "NEW_BROKER" => &[],
            "RECOVERY" => &["FULL", "BULK_LOGGED", "SIMPLE"],
            "PAGE_VERIFY" => &["CHECKSUM", "TORN_PAGE_DETECTION", "NONE"],
            "COMPATIBILITY_LEVEL" => &[""],
            _ if ["ON", "OFF"].iter().any(|word| self.ahead(1).is(word)) => &["ON", "OFF"],
            _ => return Err(self.refused(format!("ALTER DATABASE … SET {name}"))),
        };
        self.advance();
        let mut written = name;
        if follow.is_empty() {
            return Ok(written);
        }
        if let Some(word) = self.one_of(follow) {
            written = format!("{written} {word}");
            return Ok(written);
        }
        self.expect_symbol("=")?;
        let text = match self.kind() {
            Kind::Integer => self.token().text.clone(),
            Kind::Text { .. } => format!("'{}'", self.token().text.replace('\'', "''")),
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(format!("{written} = {text}"))
    }
}

fn name_text(name: String) -> Expr {
    Expr::Literal(Value::Text(name), Type::SYSNAME)
}
