//! Availability groups and mirroring: CREATE, ALTER and DROP AVAILABILITY GROUP, SET HADR, SET PARTNER, SET WITNESS.
//!
//! Does not know which of them a server accepts.

use super::super::ast::{HostCommand, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::host::Command;
use crate::sandbox::host::availability::{
    Availability, GroupAction, GroupOption, HadrAction, NewGroup, NewReplica, PartnerAction, ReplicaOption,
};

fn ready(command: Availability) -> What {
    What::Command(HostCommand::Ready(Command::Availability(command)))
}

impl Parser {
    /// Stands behind CREATE AVAILABILITY.
    pub(super) fn create_availability_group(&mut self) -> Parsed<What> {
        self.expect("GROUP")?;
        let name = self.identifier()?;
        let options = if self.accept("WITH") { self.list(Self::group_option)? } else { Vec::new() };
        self.expect("FOR")?;
        let databases = if self.accept("DATABASE") { self.commas(Self::identifier)? } else { Vec::new() };
        self.expect("REPLICA")?;
        self.expect("ON")?;
        let replicas = self.commas(Self::new_replica)?;
        if self.peek("LISTENER") {
            return Err(self.refused("CREATE AVAILABILITY GROUP … LISTENER"));
        }
        Ok(ready(Availability::Create(Box::new(NewGroup { name, options, databases, replicas }))))
    }

    /// Stands behind DROP AVAILABILITY.
    pub(super) fn drop_availability_group(&mut self) -> Parsed<What> {
        self.expect("GROUP")?;
        Ok(ready(Availability::Drop(self.identifier()?)))
    }

    /// Stands behind ALTER AVAILABILITY.
    pub(super) fn alter_availability_group(&mut self) -> Parsed<What> {
        self.expect("GROUP")?;
        let group = self.identifier()?;
        let action = match self.token().text.to_ascii_uppercase().as_str() {
            "FAILOVER" => {
                self.advance();
                if self.accept("WITH") {
                    return Err(self.refused("FAILOVER WITH"));
                }
                GroupAction::Failover
            }
            "FORCE_FAILOVER_ALLOW_DATA_LOSS" => {
                self.advance();
                GroupAction::Force
            }
            "OFFLINE" => {
                self.advance();
                GroupAction::Offline
            }
            "JOIN" => {
                self.advance();
                if self.peek("AVAILABILITY") || self.peek("WITH") {
                    return Err(self.refused("ALTER AVAILABILITY GROUP … JOIN with options"));
                }
                GroupAction::Join
            }
            "SET" => {
                self.advance();
                self.expect_symbol("(")?;
                let option = self.group_option()?;
                self.expect_symbol(")")?;
                GroupAction::Set(option)
            }
            "ADD" | "REMOVE" | "MODIFY" => self.group_member()?,
            "GRANT" | "DENY" | "RESTART" => {
                return Err(self.refused(format!("ALTER AVAILABILITY GROUP … {}", self.token().text)));
            }
            _ => return Err(self.unexpected()),
        };
        Ok(ready(Availability::Alter { group, action }))
    }

    /// ADD, REMOVE or MODIFY, and of what.
    fn group_member(&mut self) -> Parsed<GroupAction> {
        let verb = self.one_of(&["ADD", "REMOVE", "MODIFY"]).ok_or_else(|| self.unexpected())?;
        if verb != "MODIFY" && self.accept("DATABASE") {
            let names = self.commas(Self::identifier)?;
            return Ok(if verb == "ADD" {
                GroupAction::AddDatabases(names)
            } else {
                GroupAction::RemoveDatabases(names)
            });
        }
        if self.peek("LISTENER") || self.peek("AVAILABILITY") {
            return Err(self.refused(format!("ALTER AVAILABILITY GROUP … {verb} {}", self.token().text)));
        }
        self.expect("REPLICA")?;
        self.expect("ON")?;
        Ok(match verb {
            "ADD" => GroupAction::AddReplica(self.new_replica()?),
            "REMOVE" => GroupAction::RemoveReplica(self.quoted_text()?),
            _ => {
                let NewReplica { server, mut options } = self.new_replica()?;
                match (options.pop(), options.is_empty()) {
                    (Some(option), true) => GroupAction::ModifyReplica { server, option },
                    _ => return Err(self.refused("MODIFY REPLICA with several options")),
                }
            }
        })
    }

    fn new_replica(&mut self) -> Parsed<NewReplica> {
        let server = self.quoted_text()?;
        self.expect("WITH")?;
        let options = self.list(Self::replica_option)?;
        Ok(NewReplica { server, options: options.into_iter().flatten().collect() })
    }

    fn group_option(&mut self) -> Parsed<GroupOption> {
        let name = self.token().text.to_ascii_uppercase();
        if *self.kind() != Kind::Word {
            return Err(self.unexpected());
        }
        let newer = matches!(name.as_str(), "DB_FAILOVER" | "DTC_SUPPORT" | "BASIC");
        if newer && self.version < 13 {
            return Err(self.unexpected());
        }
        let refused = [
            "CLUSTER_TYPE",
            "REQUIRED_SYNCHRONIZED_SECONDARIES_TO_COMMIT",
            "DISTRIBUTED",
            "CONTAINED",
            "ROLE",
        ];
        if refused.contains(&name.as_str()) {
            return Err(self.refused(format!("availability group option {name}")));
        }
        self.advance();
        if name == "BASIC" {
            return Ok(GroupOption::Basic);
        }
        self.expect_symbol("=")?;
        Ok(match name.as_str() {
            "AUTOMATED_BACKUP_PREFERENCE" => {
                let words = ["PRIMARY", "SECONDARY_ONLY", "SECONDARY", "NONE"];
                let word = self.one_of(&words).ok_or_else(|| self.unexpected())?;
                GroupOption::BackupPreference(word.into())
            }
            "FAILURE_CONDITION_LEVEL" => GroupOption::FailureConditionLevel(self.whole_number()?),
            "HEALTH_CHECK_TIMEOUT" => GroupOption::HealthCheckTimeout(self.whole_number()?),
            "DB_FAILOVER" => GroupOption::DbFailover(self.either("ON", "OFF")?),
            "DTC_SUPPORT" => GroupOption::DtcSupport(self.either("PER_DB", "NONE")?),
            _ => return Err(self.unexpected()),
        })
    }

    /// A role may carry several options.
    fn replica_option(&mut self) -> Parsed<Vec<ReplicaOption>> {
        let name = self.token().text.to_ascii_uppercase();
        if *self.kind() != Kind::Word {
            return Err(self.unexpected());
        }
        if name == "SEEDING_MODE" && self.version >= 13 {
            self.advance();
            self.expect_symbol("=")?;
            if self.accept("MANUAL") {
                return Ok(Vec::new());
            }
            return Err(self.refused("SEEDING_MODE = AUTOMATIC"));
        }
        self.advance();
        if name == "SECONDARY_ROLE" {
            return self.list(Self::secondary_option);
        }
        if name == "PRIMARY_ROLE" {
            return self.list(Self::primary_option);
        }
        self.expect_symbol("=")?;
        Ok(vec![match name.as_str() {
            "ENDPOINT_URL" => ReplicaOption::EndpointUrl(self.quoted_text()?),
            "AVAILABILITY_MODE" => {
                if self.peek("CONFIGURATION_ONLY") {
                    return Err(self.refused("AVAILABILITY_MODE = CONFIGURATION_ONLY"));
                }
                ReplicaOption::Synchronous(self.either("SYNCHRONOUS_COMMIT", "ASYNCHRONOUS_COMMIT")?)
            }
            "FAILOVER_MODE" => {
                if self.peek("EXTERNAL") {
                    return Err(self.refused("FAILOVER_MODE = EXTERNAL"));
                }
                ReplicaOption::Automatic(self.either("AUTOMATIC", "MANUAL")?)
            }
            "BACKUP_PRIORITY" => ReplicaOption::BackupPriority(self.whole_number()?),
            "SESSION_TIMEOUT" => ReplicaOption::SessionTimeout(self.whole_number()?),
            _ => {
                self.at -= 2;
                return Err(self.unexpected());
            }
        }])
    }

    fn secondary_option(&mut self) -> Parsed<ReplicaOption> {
        if self.accept("ALLOW_CONNECTIONS") {
            self.expect_symbol("=")?;
            let word = self.one_of(&["NO", "READ_ONLY", "ALL"]).ok_or_else(|| self.unexpected())?;
            return Ok(ReplicaOption::SecondaryConnections(word.into()));
        }
        self.expect("READ_ONLY_ROUTING_URL")?;
        self.expect_symbol("=")?;
        Ok(ReplicaOption::RoutingUrl(self.quoted_text()?))
    }

    fn primary_option(&mut self) -> Parsed<ReplicaOption> {
        if self.accept("ALLOW_CONNECTIONS") {
            self.expect_symbol("=")?;
            return Ok(ReplicaOption::PrimaryReadWrite(self.either("READ_WRITE", "ALL")?));
        }
        self.expect("READ_ONLY_ROUTING_LIST")?;
        self.expect_symbol("=")?;
        if self.accept("NONE") {
            return Ok(ReplicaOption::RoutingList(Vec::new()));
        }
        if self.ahead_symbol(1, "(") {
            return Err(self.refused("a read-only routing list with load balancing"));
        }
        Ok(ReplicaOption::RoutingList(self.list(Self::quoted_text)?))
    }

    /// `SET HADR`, `SET PARTNER` and `SET WITNESS`, behind SET; `None` when it is another option.
    pub(super) fn availability_option(&mut self, database: Option<&str>) -> Parsed<Option<What>> {
        let Some(word) = ["HADR", "PARTNER", "WITNESS"].into_iter().find(|w| self.peek(w)) else {
            return Ok(None);
        };
        let Some(database) = database.map(str::to_owned) else {
            return Err(self.refused(format!("ALTER DATABASE CURRENT SET {word}")));
        };
        self.advance();
        let command = if word == "HADR" {
            Availability::Hadr { database, action: self.hadr_action()? }
        } else {
            Availability::Partner { database, action: self.partner_action(word == "WITNESS")? }
        };
        Ok(Some(ready(command)))
    }

    fn hadr_action(&mut self) -> Parsed<HadrAction> {
        Ok(match self.one_of(&["OFF", "SUSPEND", "RESUME", "AVAILABILITY"]) {
            Some("OFF") => HadrAction::Off,
            Some("SUSPEND") => HadrAction::Suspend,
            Some("RESUME") => HadrAction::Resume,
            Some(_) => {
                self.expect("GROUP")?;
                self.expect_symbol("=")?;
                HadrAction::Join(self.identifier()?)
            }
            None => return Err(self.unexpected()),
        })
    }

    fn partner_action(&mut self, witness: bool) -> Parsed<PartnerAction> {
        if self.accept_symbol("=") {
            let address = self.quoted_text()?;
            return Ok(if witness {
                PartnerAction::Witness(address)
            } else {
                PartnerAction::Address(address)
            });
        }
        if witness {
            self.expect("OFF")?;
            return Ok(PartnerAction::NoWitness);
        }
        let words =
            ["OFF", "FAILOVER", "FORCE_SERVICE_ALLOW_DATA_LOSS", "SUSPEND", "RESUME", "SAFETY", "TIMEOUT"];
        Ok(match self.one_of(&words) {
            Some("OFF") => PartnerAction::Off,
            Some("FAILOVER") => PartnerAction::Failover,
            Some("FORCE_SERVICE_ALLOW_DATA_LOSS") => PartnerAction::Force,
            Some("SUSPEND") => PartnerAction::Suspend,
            Some("RESUME") => PartnerAction::Resume,
            Some("SAFETY") => PartnerAction::Safety(self.either("FULL", "OFF")?),
            Some(_) => PartnerAction::Timeout(self.whole_number()?),
            None => return Err(self.unexpected()),
        })
    }

    /// Which of two words stands here.
    fn either(&mut self, yes: &'static str, no: &'static str) -> Parsed<bool> {
        match self.one_of(&[yes, no]) {
            Some(word) => Ok(word == yes),
            None => Err(self.unexpected()),
        }
    }

    fn quoted_text(&mut self) -> Parsed<String> {
        let Kind::Text { .. } = self.kind() else { return Err(self.unexpected()) };
        let text = self.token().text.clone();
        self.advance();
        Ok(text)
    }

    fn whole_number(&mut self) -> Parsed<i64> {
        let Kind::Integer = self.kind() else { return Err(self.unexpected()) };
        let number = self.token().text.parse().map_err(|_| self.unexpected())?;
        self.advance();
        Ok(number)
    }
}
