//! Whether a database can be opened, and what is said when it cannot.
//!
//! Does not know who asks, nor permissions.

use super::{Database, DbState};
use crate::sandbox::answer::Message;

impl DbState {
    /// `state` of sys.databases.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Online => 0,
            Self::Restoring => 1,
            Self::Recovering => 2,
            Self::RecoveryPending => 3,
            Self::Suspect => 4,
            Self::Emergency => 5,
            Self::Offline => 6,
        }
    }

    /// `state_desc` of sys.databases.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Online => "ONLINE",
            Self::Restoring => "RESTORING",
            Self::Recovering => "RECOVERING",
            Self::RecoveryPending => "RECOVERY_PENDING",
            Self::Suspect => "SUSPECT",
            Self::Emergency => "EMERGENCY",
            Self::Offline => "OFFLINE",
        }
    }

    /// The state as messages name it.
    pub(crate) const fn spoken(self) -> &'static str {
        match self {
            Self::Online => "Online",
            Self::Restoring => "Restoring",
            Self::Recovering => "Recovering",
            Self::RecoveryPending => "Recovery Pending",
            Self::Suspect => "Suspect",
            Self::Emergency => "Emergency",
            Self::Offline => "Offline",
        }
    }
}

impl Database {
    /// Restored WITH STANDBY: open for reading between restores.
    pub(crate) const fn in_standby(&self) -> bool {
        self.more.standby.is_some()
    }

    /// The message for a session that wants in while the state does not let it.
    pub(crate) fn closed(&self) -> Option<Message> {
        let name = &self.name;
        let told = |number, text: String| Some(Message { class: 14, ..Message::error(number, text) });
        match self.state {
            DbState::Online | DbState::Emergency => None,
            DbState::Restoring => Some(in_restore(name)),
            DbState::Recovering => told(
                922,
                format!("Database '{name}' is being recovered. Waiting until recovery is finished."),
            ),
            DbState::RecoveryPending => Some(Message::error(
                945,
                format!(
                    "Database '{name}' cannot be opened due to inaccessible files or insufficient memory or disk space.  See the SQL Server errorlog for details."
                ),
            )),
            DbState::Suspect => told(
                926,
                format!(
                    "Database '{name}' cannot be opened. It has been marked SUSPECT by recovery. See the SQL Server errorlog for more information."
                ),
            ),
            DbState::Offline => Some(offline(name)),
        }
    }
}

/// 911
pub(crate) fn no_such_database(name: &str) -> Message {
    Message::error(
        911,
        format!("Database '{name}' does not exist. Make sure that the name is entered correctly."),
    )
}

/// 927
pub(crate) fn in_restore(name: &str) -> Message {
    Message {
        class: 14,
        state: 2,
        ..Message::error(
            927,
            format!("Database '{name}' cannot be opened. It is in the middle of a restore."),
        )
    }
}

/// 942
pub(crate) fn offline(name: &str) -> Message {
    Message {
        class: 14,
        ..Message::error(942, format!("Database '{name}' cannot be opened because it is offline."))
    }
}
