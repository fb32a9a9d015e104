//! Statements about availability groups and database mirroring, as the evaluator hands them over.
//!
//! Does not know what they do, nor which server they may run on.

/// A statement of that kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// `CREATE AVAILABILITY GROUP …`
    Create(Box<NewGroup>),
    /// `ALTER AVAILABILITY GROUP name …`
    Alter {
        /// Which group.
        group: String,
        /// What is done to it.
        action: GroupAction,
    },
    /// `DROP AVAILABILITY GROUP name`
    Drop(String),
    /// `ALTER DATABASE name SET HADR …`
    Hadr {
        /// Which database.
        database: String,
        /// What stands after HADR.
        action: HadrAction,
    },
    /// `ALTER DATABASE name SET PARTNER | WITNESS …`
    Partner {
        /// Which database.
        database: String,
        /// What stands after it.
        action: PartnerAction,
    },
}

/// What ALTER AVAILABILITY GROUP does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupAction {
    /// `FAILOVER`
    Failover,
    /// `FORCE_FAILOVER_ALLOW_DATA_LOSS`
    Force,
    /// `OFFLINE`
    Offline,
    /// `JOIN`
    Join,
    /// `SET (option)`
    Set(GroupOption),
    /// `ADD DATABASE a, b`
    AddDatabases(Vec<String>),
    /// `REMOVE DATABASE a, b`
    RemoveDatabases(Vec<String>),
    /// `ADD REPLICA ON 'server' WITH (…)`
    AddReplica(NewReplica),
    /// `MODIFY REPLICA ON 'server' WITH (option)`
    ModifyReplica {
        /// As written.
        server: String,
        /// The one option.
        option: ReplicaOption,
    },
    /// `REMOVE REPLICA ON 'server'`
    RemoveReplica(String),
}

/// An option of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupOption {
    /// `PRIMARY`, `SECONDARY_ONLY`, `SECONDARY` or `NONE`.
    BackupPreference(String),
    /// 1 to 5.
    FailureConditionLevel(i64),
    /// Milliseconds.
    HealthCheckTimeout(i64),
    /// Whether a database that fails takes the group along.
    DbFailover(bool),
    /// `PER_DB` rather than `NONE`.
    DtcSupport(bool),
    /// `BASIC`
    Basic,
}

/// An option of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaOption {
    /// Where its endpoint listens.
    EndpointUrl(String),
    /// `SYNCHRONOUS_COMMIT` rather than `ASYNCHRONOUS_COMMIT`.
    Synchronous(bool),
    /// `AUTOMATIC` rather than `MANUAL`.
    Automatic(bool),
    /// 0 to 100.
    BackupPriority(i64),
    /// Seconds.
    SessionTimeout(i64),
    /// `SECONDARY_ROLE (ALLOW_CONNECTIONS = NO | READ_ONLY | ALL)`, in capitals.
    SecondaryConnections(String),
    /// `SECONDARY_ROLE (READ_ONLY_ROUTING_URL = '…')`
    RoutingUrl(String),
    /// `PRIMARY_ROLE (ALLOW_CONNECTIONS = READ_WRITE)` rather than `ALL`.
    PrimaryReadWrite(bool),
    /// `PRIMARY_ROLE (READ_ONLY_ROUTING_LIST = ('a', 'b') | NONE)`
    RoutingList(Vec<String>),
}

/// A replica to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReplica {
    /// As written.
    pub server: String,
    /// In the order written.
    pub options: Vec<ReplicaOption>,
}

/// A group to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// WITH.
    pub options: Vec<GroupOption>,
    /// FOR DATABASE.
    pub databases: Vec<String>,
    /// REPLICA ON.
    pub replicas: Vec<NewReplica>,
}

/// What stands after SET HADR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HadrAction {
    /// `AVAILABILITY GROUP = name`
    Join(String),
    /// `OFF`
    Off,
    /// `SUSPEND`
    Suspend,
    /// `RESUME`
    Resume,
}

/// What stands after SET PARTNER or SET WITNESS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartnerAction {
    /// `PARTNER = 'address'`
    Address(String),
    /// `PARTNER FAILOVER`
    Failover,
    /// `PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS`
    Force,
    /// `PARTNER OFF`
    Off,
    /// `PARTNER SUSPEND`
    Suspend,
    /// `PARTNER RESUME`
    Resume,
    /// `PARTNER SAFETY FULL` rather than `OFF`.
    Safety(bool),
    /// `PARTNER TIMEOUT seconds`
    Timeout(i64),
    /// `WITNESS = 'address'`
    Witness(String),
    /// `WITNESS OFF`
    NoWitness,
}

impl Availability {
    /// The words a message names it by.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Create(_) => "CREATE AVAILABILITY GROUP",
            Self::Alter { .. } => "ALTER AVAILABILITY GROUP",
            Self::Drop(_) => "DROP AVAILABILITY GROUP",
            Self::Hadr { .. } | Self::Partner { .. } => "ALTER DATABASE",
        }
    }
}
