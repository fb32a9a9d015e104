//! CREATE, ALTER and DROP DATABASE, their owner, and DBCC.
//!
//! Does not know which options a database has; the world does.

use super::super::ast::{Expr, HostCommand, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::host::{Command, DatabaseChange, FileSpec};
use crate::sandbox::value::{Type, Value};

/// DBCC commands about databases.
const CHECKS: [&str; 10] = [
    "OPENTRAN",
    "CHECKDB",
    "CHECKALLOC",
    "CHECKCATALOG",
    "CHECKTABLE",
    "DBINFO",
    "LOGINFO",
    "SQLPERF",
    "TRACESTATUS",
    "INPUTBUFFER",
];

impl Parser {
    /// Stands behind DBCC.
    pub(super) fn dbcc(&mut self) -> Parsed<What> {
        let Some(what) = self.one_of(&CHECKS) else {
            return Err(self.refused(format!("DBCC {}", self.token().text)));
        };
        let mut options = Vec::new();
        let mut arguments = Vec::new();
        if self.accept_symbol("(") && !self.accept_symbol(")") {
            arguments.push(self.dbcc_argument()?);
            while self.accept_symbol(",") {
                let words = ["NOINDEX", "REPAIR_ALLOW_DATA_LOSS", "REPAIR_FAST", "REPAIR_REBUILD"];
                match self.one_of(&words) {
                    Some(word) => options.push(word.to_owned()),
                    None => arguments.push(self.dbcc_argument()?),
                }
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
            let all = self.commas(|p| {
                if p.accept("MAXDOP") {
                    p.expect_symbol("=")?;
                    return p.whole().map(|_| "MAXDOP".to_owned());
                }
                p.one_of(&words).map(str::to_owned).ok_or_else(|| p.unexpected())
            })?;
            options.extend(all);
        }
        if what == "CHECKDB" && arguments.len() < 2 {
            return Ok(What::Command(HostCommand::CheckDb { database: arguments.pop(), options }));
        }
        Ok(What::Command(HostCommand::Dbcc { what, arguments, options }))
    }

    fn dbcc_argument(&mut self) -> Parsed<Expr> {
        if self.accept_symbol("-") {
            return self.whole().map(|n| Expr::Literal(Value::Int(-n), Type::Int));
        }
        match self.kind() {
            Kind::Variable | Kind::Text { .. } | Kind::Integer => self.constant(),
            _ => {
                // `dbo.t` as one text
                let parts = self.name()?;
                Ok(super::media::name_text(parts.join(".")))
            }
        }
    }

    fn whole(&mut self) -> Parsed<i64> {
        let (Kind::Integer, Ok(number)) = (self.kind(), self.token().text.parse()) else {
            return Err(self.unexpected());
        };
        self.advance();
        Ok(number)
    }

    /// Stands behind DROP DATABASE.
    pub(super) fn drop_database(&mut self) -> Parsed<What> {
        let if_exists = self.if_exists()?;
        let names = self.commas(Self::identifier)?;
        Ok(What::Command(HostCommand::Ready(match names.as_slice() {
            [one] if !if_exists => Command::DropDatabase(one.clone()),
            _ => Command::DropDatabases { names, if_exists },
        })))
    }

    /// Stands behind ALTER AUTHORIZATION.
    pub(super) fn alter_authorization(&mut self) -> Parsed<What> {
        self.expect("ON")?;
        if !self.accept("DATABASE") {
            return Err(self.refused("ALTER AUTHORIZATION on anything but a database"));
        }
        self.expect_symbol("::")?;
        let database = self.identifier()?;
        self.expect("TO")?;
        let owner = self.identifier()?;
        Ok(What::Command(HostCommand::Ready(Command::SetOwner { database, owner })))
    }

    /// Stands behind CREATE DATABASE.
    pub(super) fn create_database(&mut self) -> Parsed<What> {
        if ["AUDIT", "SCOPED", "ENCRYPTION"].iter().any(|w| self.peek(w)) && !self.ahead(1).is("ON") {
            return Err(self.refused(format!("CREATE DATABASE {}", self.token().text)));
        }
        let name = self.identifier()?;
        if self.accept("CONTAINMENT") {
            self.expect_symbol("=")?;
            if self.one_of(&["NONE", "PARTIAL"]).ok_or_else(|| self.unexpected())? == "PARTIAL" {
                return Err(self.refused("contained databases"));
            }
        }
        let mut files = Vec::new();
        if self.accept("ON") {
            self.accept("PRIMARY");
            let mut group = None;
            loop {
                if self.accept("FILEGROUP") {
                    group = Some(self.identifier()?);
                    if self.peek("CONTAINS") {
                        return Err(self.refused("filegroups for file streams and memory-optimized data"));
                    }
                    self.accept("DEFAULT");
                }
                files.push(FileSpec { filegroup: group.clone(), ..self.file_spec()? });
                if !self.accept_symbol(",") {
                    break;
                }
            }
        }
        if self.peek("LOG") && self.ahead(1).is("ON") {
            self.at += 2;
            for spec in self.commas(Self::file_spec)? {
                files.push(FileSpec { log: true, ..spec });
            }
        }
        let collation = if self.accept("COLLATE") { Some(self.identifier()?) } else { None };
        if self.peek("FOR") || self.peek("AS") {
            return Err(self.refused("CREATE DATABASE … FOR ATTACH and snapshots"));
        }
        if self.accept("WITH") {
            self.commas(|p| {
                let option = p.identifier()?.to_ascii_uppercase();
                let plain = ["DB_CHAINING", "TRUSTWORTHY"].contains(&option.as_str());
                if !plain {
                    p.expect_symbol("=")?;
                }
                let value = if p.accept("OFF") { "OFF".to_owned() } else { p.identifier()? };
                let usual =
                    value.eq_ignore_ascii_case("OFF") || value.eq_ignore_ascii_case("DATABASE_DEFAULT");
                let known = plain || ["CATALOG_COLLATION", "LEDGER"].contains(&option.as_str());
                if known && usual {
                    Ok(())
                } else {
                    Err(p.refused(format!("CREATE DATABASE … WITH {option}")))
                }
            })?;
        }
        Ok(What::Command(HostCommand::Ready(Command::CreateDatabase { name, files, collation })))
    }

    /// `( NAME = …, FILENAME = …, SIZE = … )`
    fn file_spec(&mut self) -> Parsed<FileSpec> {
        let mut spec = FileSpec::default();
        self.list(|p| {
            let word = p
                .one_of(&["NAME", "NEWNAME", "FILENAME", "SIZE", "MAXSIZE", "FILEGROWTH", "OFFLINE"])
                .ok_or_else(|| p.unexpected())?;
            if word == "OFFLINE" {
                return Err(p.refused("taking a file offline"));
            }
            p.expect_symbol("=")?;
            match word {
                "NAME" => spec.name = p.name_or_text()?,
                "NEWNAME" => spec.new_name = Some(p.name_or_text()?),
                "FILENAME" => {
                    let Kind::Text { .. } = p.kind() else { return Err(p.unexpected()) };
                    spec.path = Some(p.token().text.clone());
                    p.advance();
                }
                "SIZE" => spec.size_kb = Some(p.file_size()?.0),
                "MAXSIZE" if p.accept("UNLIMITED") => spec.max_kb = Some(-1),
                "MAXSIZE" => spec.max_kb = Some(p.file_size()?.0),
                _ => {
                    let (amount, percent) = p.file_size()?;
                    spec.growth = Some((amount, percent));
                }
            }
            Ok(())
        })?;
        Ok(spec)
    }

    fn name_or_text(&mut self) -> Parsed<String> {
        if let Kind::Text { .. } = self.kind() {
            let text = self.token().text.clone();
            self.advance();
            return Ok(text);
        }
        self.identifier()
    }

    /// Kilobytes, or a percentage.
    fn file_size(&mut self) -> Parsed<(i64, bool)> {
        let number = self.whole()?;
        if self.accept_symbol("%") {
            return Ok((number, true));
        }
        let unit = self.one_of(&["KB", "MB", "GB", "TB"]).unwrap_or("MB");
        let factor = match unit {
            "KB" => 1,
            "GB" => 1024 * 1024,
            "TB" => 1024 * 1024 * 1024,
            _ => 1024,
        };
        Ok((number.saturating_mul(factor), false))
    }

    /// Stands behind ALTER DATABASE.
    pub(super) fn alter_database(&mut self) -> Parsed<What> {
        if ["AUDIT", "SCOPED", "ENCRYPTION"].iter().any(|w| self.peek(w))
            && self.ahead(1).kind == Kind::Word
            && !["SET", "MODIFY", "ADD", "REMOVE", "COLLATE"].iter().any(|w| self.ahead(1).is(w))
        {
            return Err(self.refused(format!("ALTER DATABASE {}", self.token().text)));
        }
        let database = if self.accept("CURRENT") { None } else { Some(self.identifier()?) };
        if let Some(change) = self.database_change()? {
            return Ok(What::Command(HostCommand::ChangeDatabase { database, change }));
        }
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
                    let seconds = self.whole()?;
                    written = format!("{written}ROLLBACK AFTER {seconds}");
                    self.accept("SECONDS");
                }
            }
        }
        Ok(What::Command(HostCommand::AlterDatabase { database, set: written }))
    }

    fn database_change(&mut self) -> Parsed<Option<DatabaseChange>> {
        if self.accept("MODIFY") {
            if self.accept("NAME") {
                self.expect_symbol("=")?;
                return Ok(Some(DatabaseChange::Rename(self.identifier()?)));
            }
            if self.accept("FILE") {
                return Ok(Some(DatabaseChange::ModifyFile(self.file_spec()?)));
            }
            return Err(self.refused(format!("ALTER DATABASE … MODIFY {}", self.token().text)));
        }
        if self.accept("ADD") {
            if self.accept("FILEGROUP") {
                let name = self.identifier()?;
                if self.peek("CONTAINS") {
                    return Err(self.refused("filegroups for file streams and memory-optimized data"));
                }
                return Ok(Some(DatabaseChange::AddFilegroup(name)));
            }
            let log = self.accept("LOG");
            self.expect("FILE")?;
            let mut files = self.commas(Self::file_spec)?;
            let mut group = None;
            if !log && self.accept("TO") {
                self.expect("FILEGROUP")?;
                group = Some(if self.accept("PRIMARY") { "PRIMARY".to_owned() } else { self.identifier()? });
            }
            for file in &mut files {
                file.log = log;
                file.filegroup.clone_from(&group);
            }
            return Ok(Some(DatabaseChange::AddFiles(files)));
        }
        if self.accept("REMOVE") {
            if self.accept("FILE") {
                return Ok(Some(DatabaseChange::RemoveFile(self.name_or_text()?)));
            }
            self.expect("FILEGROUP")?;
            return Ok(Some(DatabaseChange::RemoveFilegroup(self.identifier()?)));
        }
        if self.accept("COLLATE") {
            return Err(self.refused("another collation of a database"));
        }
        Ok(None)
    }

    /// One option of ALTER DATABASE … SET, in capitals, values as written.
    fn database_option(&mut self) -> Parsed<String> {
        if *self.kind() != Kind::Word {
            return Err(self.unexpected());
        }
        let name = self.token().text.to_ascii_uppercase();
        let follow: &[&'static str] = match name.as_str() {
            "ONLINE"
            | "OFFLINE"
            | "EMERGENCY"
            | "SINGLE_USER"
            | "RESTRICTED_USER"
            | "MULTI_USER"
            | "READ_ONLY"
            | "READ_WRITE"
            | "ENABLE_BROKER"
            | "DISABLE_BROKER"
            | "NEW_BROKER"
            | "ERROR_BROKER_CONVERSATIONS" => &[],
            "RECOVERY" => &["FULL", "BULK_LOGGED", "SIMPLE"],
            "PAGE_VERIFY" => &["CHECKSUM", "TORN_PAGE_DETECTION", "NONE"],
            "CURSOR_DEFAULT" => &["LOCAL", "GLOBAL"],
            "PARAMETERIZATION" => &["SIMPLE", "FORCED"],
            "COMPATIBILITY_LEVEL" => &[""],
            "TARGET_RECOVERY_TIME"
            | "DELAYED_DURABILITY"
            | "CONTAINMENT"
            | "QUERY_STORE"
            | "ACCELERATED_DATABASE_RECOVERY"
                if self.ahead_symbol(1, "=") =>
            {
                self.advance();
                self.advance();
                return self.database_value(&name);
            }
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

    /// Options written `NAME = value`; stands behind the sign.
    fn database_value(&mut self, name: &str) -> Parsed<String> {
        if name == "TARGET_RECOVERY_TIME" {
            let number = self.whole()?;
            let unit = self.one_of(&["SECONDS", "MINUTES"]).ok_or_else(|| self.unexpected())?;
            let seconds = if unit == "MINUTES" { number.saturating_mul(60) } else { number };
            return Ok(format!("{name} {seconds}"));
        }
        let words: &[&'static str] = match name {
            "DELAYED_DURABILITY" => &["DISABLED", "ALLOWED", "FORCED"],
            "CONTAINMENT" => &["NONE", "PARTIAL"],
            _ => &["ON", "OFF"],
        };
        let word = self.one_of(words).ok_or_else(|| self.unexpected())?;
        if self.peek_symbol("(") {
            return Err(self.refused(format!("ALTER DATABASE … SET {name} ( … )")));
        }
        Ok(format!("{name} {word}"))
    }
}
