//! ALTER DATABASE … SET, DROP DATABASE, and whose a database is.
//!
//! Does not know availability groups and mirrors; files and names are in `files`.

use super::access_mode::Termination;
use super::{Call, Course, Coursed, Done};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::world::ha::Barred;
use crate::sandbox::world::state::{DbState, Model};

/// ON/OFF options and their columns in `sys.databases`.
const SWITCHES: &[(&str, &str)] = &[
    ("AUTO_CLOSE", "is_auto_close_on"),
    ("AUTO_SHRINK", "is_auto_shrink_on"),
    ("AUTO_CREATE_STATISTICS", "is_auto_create_stats_on"),
    ("AUTO_UPDATE_STATISTICS", "is_auto_update_stats_on"),
    ("AUTO_UPDATE_STATISTICS_ASYNC", "is_auto_update_stats_async_on"),
    ("ANSI_NULL_DEFAULT", "is_ansi_null_default_on"),
    ("ANSI_NULLS", "is_ansi_nulls_on"),
    ("ANSI_PADDING", "is_ansi_padding_on"),
    ("ANSI_WARNINGS", "is_ansi_warnings_on"),
    ("ARITHABORT", "is_arithabort_on"),
    ("CONCAT_NULL_YIELDS_NULL", "is_concat_null_yields_null_on"),
    ("NUMERIC_ROUNDABORT", "is_numeric_roundabort_on"),
    ("QUOTED_IDENTIFIER", "is_quoted_identifier_on"),
    ("RECURSIVE_TRIGGERS", "is_recursive_triggers_on"),
    ("CURSOR_CLOSE_ON_COMMIT", "is_cursor_close_on_commit_on"),
    ("DATE_CORRELATION_OPTIMIZATION", "is_date_correlation_on"),
    ("TRUSTWORTHY", "is_trustworthy_on"),
    ("DB_CHAINING", "is_db_chaining_on"),
    ("READ_COMMITTED_SNAPSHOT", "is_read_committed_snapshot_on"),
    ("ALLOW_SNAPSHOT_ISOLATION", "snapshot_isolation_state"),
    ("HONOR_BROKER_PRIORITY", "is_honor_broker_priority_on"),
    ("ACCELERATED_DATABASE_RECOVERY", "is_accelerated_database_recovery_on"),
    ("MIXED_PAGE_ALLOCATION", "is_mixed_page_allocation_on"),
    ("TEMPORAL_HISTORY_RETENTION", "is_temporal_history_retention_enabled"),
    ("SUPPLEMENTAL_LOGGING", "is_supplemental_logging_enabled"),
];

fn failed(first: Message) -> Vec<Message> {
    vec![first, Message::error(5069, "ALTER DATABASE statement failed.")]
}

/// 5011
pub(super) fn may_not_alter(database: &str) -> Message {
    let text = format!(
        "User does not have permission to alter database '{database}', the database does not exist, or the database is not in a state that allows access checks."
    );
    Message { class: 14, ..Message::error(5011, text) }
}

impl Call<'_> {
    /// `db_owner`, or ALTER ANY DATABASE.
    pub(super) fn may_alter(&self, database: &str) -> bool {
        self.granted("ALTER ANY DATABASE") || self.in_database_roles(database, &["db_owner"])
    }

    pub(super) fn alter(&mut self, database: &str, set: &str, parts: &mut Kept) -> Coursed {
        let (options, with) = set.split_once(" WITH ").unwrap_or((set, ""));
        let termination = match with.split_whitespace().collect::<Vec<_>>().as_slice() {
            [] => Termination::Wait,
            ["NO_WAIT"] => Termination::NoWait,
            ["ROLLBACK", "IMMEDIATE"] => Termination::Immediate,
            _ => Termination::After,
        };
        let Some(d) = self.server().database_index(database).filter(|_| self.may_alter(database)) else {
            return Err(failed(may_not_alter(database)));
        };
        let all: Vec<Vec<String>> = options
            .split(',')
            .map(|o| o.replace('=', " ").split_whitespace().map(str::to_uppercase).collect())
            .collect();
        for words in &all {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            self.allowed(d, &words).map_err(failed)?;
            if exclusive(&words) {
                let name = self.server().databases[d].name.clone();
                if !self.clear(&name, termination, parts).map_err(failed)? {
                    return Ok(Course::Blocked);
                }
            }
        }
        for words in &all {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            self.set_option(d, &words)?;
        }
        self.state.dirty = true;
        Ok(Course::Done)
    }

    /// What the state of the database does not allow.
    fn allowed(&self, d: usize, words: &[&str]) -> Result<(), Message> {
        let db = &self.server().databases[d];
        let state_option = matches!(words, ["ONLINE" | "OFFLINE" | "EMERGENCY"]);
        let access = matches!(words, ["SINGLE_USER" | "MULTI_USER" | "RESTRICTED_USER"]);
        if db.state == DbState::Restoring || db.state == DbState::Recovering {
            let text = format!(
                "ALTER DATABASE is not permitted while a database is in the {} state.",
                db.state.spoken()
            );
            return Err(Message::error(5052, text));
        }
        if db.id <= 2 && (state_option || access || matches!(words, ["READ_ONLY", ..])) {
            let text = format!("Option '{}' cannot be set in database '{}'.", words[0], db.name);
            return Err(Message::error(5058, text));
        }
        if db.id == 2 && words.first() == Some(&"RECOVERY") {
            return Err(Message::error(5058, "Option 'RECOVERY' cannot be set in database 'tempdb'."));
        }
        if matches!(db.state, DbState::Offline | DbState::Suspect | DbState::RecoveryPending)
            && !state_option
            && !access
        {
            return Err(Message::error(
                5078,
                format!(
                    "Cannot alter database options for \"{}\" because it is READONLY, OFFLINE, or marked SUSPECT.",
                    db.name
                ),
            ));
        }
        if db.in_standby() && !state_option && !access {
            return Err(Message::error(
                5063,
                format!("Database '{}' is in warm standby. A warm-standby database is read-only.", db.name),
            ));
        }
        if db.read_only && !state_option && !access && words.first() != Some(&"READ_WRITE") {
            let plain = matches!(words, ["READ_ONLY"]);
            if !plain {
                return Err(Message::error(
                    5004,
                    "To use ALTER DATABASE, the database must be in a writable state in which a checkpoint can be executed.",
                ));
            }
        }
        let barred = matches!(
            words.first(),
            Some(&("RECOVERY" | "READ_ONLY" | "SINGLE_USER" | "RESTRICTED_USER" | "OFFLINE" | "EMERGENCY"))
        );
        if barred && let Some(refused) = self.state.ha_bars(self.s, &db.name, Barred::Alter) {
            return Err(refused);
        }
        if db.user_access == 1 && !self.others_in(&db.name).is_empty() {
            return Err(Message::error(
                5064,
                format!(
                    "Changes to the state or options of database '{}' cannot be made at this time. The database is in single-user mode, and a user is currently connected to it.",
                    db.name
                ),
            ));
        }
        Ok(())
    }

    fn set_option(&mut self, d: usize, words: &[&str]) -> Done {
        let now = self.now;
        let db = &mut self.server_mut().databases[d];
        let mut option = |column: &str, value: i64| {
            db.more.options.insert(column.to_owned(), value);
        };
        match words {
            ["RECOVERY", model] => db.set_model(match *model {
                "FULL" => Model::Full,
                "BULK_LOGGED" => Model::BulkLogged,
                _ => Model::Simple,
            }),
            ["READ_ONLY"] => db.read_only = true,
            ["READ_WRITE"] => db.read_only = false,
            ["MULTI_USER"] => db.user_access = 0,
            ["SINGLE_USER"] => db.user_access = 1,
            ["RESTRICTED_USER"] => db.user_access = 2,
            ["OFFLINE"] => db.state = DbState::Offline,
            ["EMERGENCY"] => db.state = DbState::Emergency,
            ["ONLINE"] => return self.bring_online(d, now),
            ["COMPATIBILITY_LEVEL", level] => {
                let level: u8 = level.parse().unwrap_or(0);
                return self.set_compatibility(d, level);
            }
            ["PAGE_VERIFY", kind] => {
                let value = match *kind {
                    "CHECKSUM" => 2,
                    "TORN_PAGE_DETECTION" => 1,
                    _ => 0,
                };
                option("page_verify_option", value);
            }
            ["ENABLE_BROKER" | "NEW_BROKER"] => option("is_broker_enabled", 1),
            ["DISABLE_BROKER"] => option("is_broker_enabled", 0),
            ["CURSOR_DEFAULT", scope] => option("is_local_cursor_default", i64::from(*scope == "LOCAL")),
            ["PARAMETERIZATION", kind] => option("is_parameterization_forced", i64::from(*kind == "FORCED")),
            ["TARGET_RECOVERY_TIME", seconds] => {
                option("target_recovery_time_in_seconds", seconds.parse().unwrap_or(60));
            }
            ["DELAYED_DURABILITY", kind] => {
                let kinds = ["DISABLED", "ALLOWED", "FORCED"];
                option("delayed_durability", kinds.iter().position(|k| k == kind).unwrap_or(0) as i64);
            }
            ["CONTAINMENT", "NONE"] | ["ERROR_BROKER_CONVERSATIONS"] => {}
            [name, on @ ("ON" | "OFF")] if SWITCHES.iter().any(|(n, _)| n == name) => {
                let column = SWITCHES.iter().find(|(n, _)| n == name).map_or("", |(_, c)| c);
                option(column, i64::from(*on == "ON"));
            }
            _ => {
                let written = words.join(" ");
                return Err(vec![Message::not_modelled(format_args!("ALTER DATABASE … SET {written}"))]);
            }
        }
        Ok(())
    }

    fn bring_online(&mut self, d: usize, now: chrono::DateTime<chrono::Utc>) -> Done {
        let db = &mut self.server_mut().databases[d];
        if db.state == DbState::Online {
            return Ok(());
        }
        if db.more.files_lost || db.more.log_lost {
            db.state = DbState::RecoveryPending;
            let file = db.files.iter().find(|f| f.is_log == db.more.log_lost);
            let path = file.map_or("", |f| f.physical.as_str());
            let lost = Message::error(
                5120,
                format!(
                    "Unable to open the physical file \"{path}\". Operating system error 2: \"2(The system cannot find the file specified.)\"."
                ),
            );
            self.state.dirty = true;
            return Err(failed(lost));
        }
        let name = db.name.clone();
        let mut errors = self.state.recover_database(self.s, &name, now);
        if errors.is_empty() {
            return Ok(());
        }
        errors.push(Message::error(5069, "ALTER DATABASE statement failed."));
        Err(errors)
    }

    fn set_compatibility(&mut self, d: usize, level: u8) -> Done {
        let newest = self.server().version.0 * 10;
        let known = (100..=newest).contains(&level) && level.is_multiple_of(10);
        if !known {
            let all: Vec<String> = (10..=newest / 10).map(|n| format!("{}", u16::from(n) * 10)).collect();
            let text = format!("Valid values of the database compatibility level are {}.", and_list(&all));
            return Err(vec![Message::error(15048, text)]);
        }
        self.server_mut().databases[d].compatibility = level;
        Ok(())
    }

    pub(super) fn drop_databases(&mut self, names: &[String], if_exists: bool) -> Done {
        let mut all = Vec::new();
        for name in names {
            if if_exists && self.server().database(name).is_none() {
                continue;
            }
            if let Err(messages) = self.drop_database(name) {
                all.extend(messages);
            }
        }
        if all.is_empty() { Ok(()) } else { Err(all) }
    }

    pub(super) fn drop_database(&mut self, database: &str) -> Done {
        let server = self.server();
        let absent = || {
            let text = format!(
                "Cannot drop the database '{database}', because it does not exist or you do not have permission."
            );
            vec![Message { class: 11, ..Message::error(3701, text) }]
        };
        let d = server.database_index(database).ok_or_else(absent)?;
        let db = &server.databases[d];
        let owner = db.owner.eq_ignore_ascii_case(&self.who.login);
        if !owner && !self.granted("ALTER ANY DATABASE") && !self.granted("DBCREATOR") {
            return Err(absent());
        }
        if db.id <= 4 {
            let text = format!("Cannot drop database '{database}' because it is a system database.");
            return Err(vec![Message::error(3708, text)]);
        }
        if let Some(refused) = self.state.ha_bars(self.s, database, Barred::Drop) {
            return Err(vec![refused]);
        }
        let in_it = self
            .state
            .sessions
            .iter()
            .any(|x| x.server == self.s && !x.killed && x.database.eq_ignore_ascii_case(database));
        let biztalk = self.biztalk_in(database);
        if in_it || biztalk || self.busy(database, "RESTORE") || self.busy(database, "BACKUP") {
            let text = format!("Cannot drop database \"{database}\" because it is currently in use.");
            return Err(vec![Message { state: 4, ..Message::error(3702, text) }]);
        }
        self.server_mut().databases.remove(d);
        self.state.dirty = true;
        Ok(())
    }

    pub(in crate::sandbox::world::server) fn set_owner(&mut self, database: &str, owner: &str) -> Done {
        let unknown = |what: &str, name: &str| {
            let text = format!(
                "Cannot find the {what} '{name}', because it does not exist or you do not have permission."
            );
            vec![Message::error(15151, text)]
        };
        let Some(d) = self.server().database_index(database).filter(|_| self.may_alter(database)) else {
            return Err(unknown("database", database));
        };
        let login = self.server().logins.iter().find(|l| l.name.eq_ignore_ascii_case(owner) && l.kind != 'R');
        let Some(login) = login.map(|l| l.name.clone()) else { return Err(unknown("principal", owner)) };
        self.enter(database).map_err(|m| vec![m])?;
        self.server_mut().databases[d].owner = login;
        self.state.dirty = true;
        Ok(())
    }
}

/// Options that need the database for themselves.
fn exclusive(words: &[&str]) -> bool {
    matches!(
        words,
        ["SINGLE_USER" | "OFFLINE" | "READ_ONLY" | "READ_WRITE" | "ENABLE_BROKER" | "NEW_BROKER"]
            | ["READ_COMMITTED_SNAPSHOT", ..]
    )
}

fn and_list(all: &[String]) -> String {
    match all {
        [rest @ .., last] if !rest.is_empty() => format!("{}, or {last}", rest.join(", ")),
        _ => all.join(""),
    }
}

impl crate::sandbox::world::state::Database {
    /// Another recovery model: SIMPLE ends the chain of log backups, and leaving it does not begin a new one.
    pub(crate) fn set_model(&mut self, model: Model) {
        if model == Model::Simple || self.model == Model::Simple && model != self.model {
            self.log.backed_up = None;
            self.log.records.clear();
            self.more.bulk_logged = false;
        }
        self.model = model;
    }
}
