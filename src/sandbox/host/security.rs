//! Statements about principals and permissions, and RECONFIGURE, as the evaluator hands them to the world.

/// What a login is told to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginChange {
    /// ENABLE or DISABLE.
    Enable(bool),
    /// WITH PASSWORD.
    Password(String),
    /// WITH `DEFAULT_DATABASE`.
    Database(String),
    /// WITH NAME.
    Name(String),
    /// UNLOCK, `CHECK_POLICY` and other words that change nothing here.
    Nothing,
}

/// Whose permissions: the server's or a database's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// GRANT
    Grant,
    /// DENY
    Deny,
    /// REVOKE
    Revoke,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    /// `RECONFIGURE [WITH OVERRIDE]`
    Reconfigure,
    /// `CREATE LOGIN name FROM WINDOWS | WITH PASSWORD = …`
    CreateLogin {
        /// Its name.
        name: String,
        /// FROM WINDOWS.
        windows: bool,
        /// In clear text.
        password: Option<String>,
        /// SID.
        sid: Option<Vec<u8>>,
        /// `DEFAULT_DATABASE`
        database: Option<String>,
    },
    /// `ALTER LOGIN`
    AlterLogin {
        /// Its name.
        name: String,
        /// In the order written.
        changes: Vec<LoginChange>,
    },
    /// `DROP LOGIN`
    DropLogin(String),
    /// `CREATE USER name [FOR LOGIN login | WITHOUT LOGIN]`
    CreateUser {
        /// Its name.
        name: String,
        /// None = WITHOUT LOGIN.
        login: Option<String>,
    },
    /// `ALTER USER name WITH LOGIN = login`
    MapUser {
        /// Its name.
        name: String,
        /// The login it becomes a user of.
        login: String,
    },
    /// `DROP USER [IF EXISTS]`
    DropUser {
        /// Its name.
        name: String,
        /// IF EXISTS.
        if_exists: bool,
    },
    /// `ALTER [SERVER] ROLE role ADD | DROP MEMBER member`
    Member {
        /// Of the server.
        server: bool,
        /// The role.
        role: String,
        /// Who.
        member: String,
        /// ADD.
        add: bool,
    },
    /// GRANT, DENY, REVOKE of server permissions.
    Permission {
        /// Which of them.
        verb: Verb,
        /// In capitals.
        permissions: Vec<String>,
        /// To or from whom.
        logins: Vec<String>,
    },
}

impl Security {
    /// As sys.dm_exec_requests shows it.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Reconfigure => "RECONFIGURE",
            Self::CreateLogin { .. } => "CREATE LOGIN",
            Self::AlterLogin { .. } => "ALTER LOGIN",
            Self::DropLogin(_) => "DROP LOGIN",
            Self::CreateUser { .. } => "CREATE USER",
            Self::MapUser { .. } => "ALTER USER",
            Self::DropUser { .. } => "DROP USER",
            Self::Member { server: true, .. } => "ALTER SERVER ROLE",
            Self::Member { .. } => "ALTER ROLE",
            Self::Permission { verb: Verb::Grant, .. } => "GRANT",
            Self::Permission { verb: Verb::Deny, .. } => "DENY",
            Self::Permission { verb: Verb::Revoke, .. } => "REVOKE",
        }
    }
}
