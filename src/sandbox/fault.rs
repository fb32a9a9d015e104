//! What can go wrong, by name: one file each.
//!
//! A fault changes the world when it is made (`standing`) or while it is walked (`during`, by a
//! trigger). It says what a world must have for it to show, and is refused where that is missing.
//! It does not know who looks.

mod choice;
mod needs;

mod agent_stopped;
mod async_replica;
mod black_hole;
mod clock_skew;
mod copy_job_fails;
mod disk_full;
mod diverged;
mod dropped_connection;
mod dtc_off;
mod empty_answer;
mod empty_file;
mod flipped_bit;
mod folder_missing;
mod forked;
mod group_fails_over;
mod history_purged;
mod in_doubt;
mod in_doubt_differs;
mod job_disabled;
mod job_failing;
mod job_fails;
mod job_hangs;
mod job_not_guarded;
mod lagging;
mod linked_server_down;
mod listener_wrong;
mod mirror_disconnected;
mod mirror_suspended;
mod missing_certificate;
mod missing_file;
mod msdtc_stopped;
mod nul_backup;
mod open_gap;
mod orphaned_logins;
mod partial_set;
mod permission_denied;
mod renamed_job;
mod replica_login_missing;
mod server_down;
mod server_restart;
mod share_denied;
mod simple_recovery;
mod slow;
mod standby_reader;
mod stolen_base;
mod stolen_log;
mod suspended_replica;
mod swapped_file;
mod truncated_file;
mod volume_full;
mod vss_steals_base;
mod wrong_owner;
mod wrong_password;

use super::answer::Message;
use super::world::{Plan, State};
pub(crate) use choice::{chosen, draw};
pub(crate) use needs::Needs;

/// When a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// From the start.
    Standing,
    /// At some point of the walk.
    During,
}

impl When {
    /// `standing` or `during`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standing => "standing",
            Self::During => "during",
        }
    }
}

/// Where a fault acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aim {
    /// The server's number.
    pub(crate) server: usize,
    /// Of faults that take a database: which.
    pub(crate) database: Option<String>,
}

impl Aim {
    /// The database of a fault that takes one.
    pub(crate) fn database(&self) -> &str {
        self.database.as_deref().unwrap_or_default()
    }
}

/// What a fault has to itself: two that hold the same thing of the same aim exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing.
    Nothing,
    /// The server's door: nobody gets in, so nothing else shows there.
    Door,
    /// The newest backup file of the database, wherever it is looked at from.
    File,
    /// The chain of backups of the database.
    Chain,
    /// How far the server's (or the database's) restores are.
    Progress,
    /// A thing of the server by that name, such as a job.
    Of(&'static str),
}

/// A fault.
#[derive(Debug)]
pub struct Fault {
    /// Its name on the command line.
    pub id: &'static str,
    /// When it shows.
    pub when: When,
    /// The incident it imitates.
    pub imitates: &'static str,
    /// What a world must have, and which servers and databases it can take, the default first.
    pub(crate) needs: Needs,
    /// What it has to itself.
    pub(crate) hold: Hold,
    /// Before history is made.
    pub(crate) before: fn(&mut State, &Aim),
    /// When the walk begins; a `during` fault sets its trigger here. `Err` = why it cannot show, in words.
    pub(crate) put: fn(&mut State, &Aim) -> Result<(), String>,
    /// When its trigger comes; `Err` ends the statement under way with these messages.
    pub(crate) strike: fn(&mut State, &Aim) -> Result<(), Vec<Message>>,
}

impl Fault {
    /// A fault that is there from the start; `put` is still to be filled in.
    pub(crate) const fn standing(id: &'static str, imitates: &'static str, needs: Needs) -> Self {
        Self {
            id,
            when: When::Standing,
            imitates,
            needs,
            hold: Hold::Nothing,
            before: |_, _| {},
            put: |_, _| Ok(()),
            strike: |_, _| Ok(()),
        }
    }

    /// A fault that comes while the world is walked; `put` sets the trigger, `strike` is what it does.
    pub(crate) const fn during(id: &'static str, imitates: &'static str, needs: Needs) -> Self {
        Self { when: When::During, ..Self::standing(id, imitates, needs) }
    }

    /// Whether a world has what it needs to show; `Err` says what is missing.
    pub(crate) fn fits(&self, plan: &Plan) -> Result<(), String> {
        if (self.needs.servers)(plan).is_empty() {
            return Err(format!("needs {}, and world {} has none", self.needs.what, plan.world));
        }
        Ok(())
    }
}

/// How long before the walk a chain of backups is broken, in minutes: so that the standby has met it.
const THEFT_MINUTES: i64 = 20;

/// Every fault there is, in the order in which they are put in.
pub const ALL: &[&Fault] = &[
    // Before the others: they see the clock of their server.
    &clock_skew::FAULT,
    &black_hole::FAULT,
    &copy_job_fails::FAULT,
    &disk_full::FAULT,
    &diverged::FAULT,
    &dropped_connection::FAULT,
    &empty_answer::FAULT,
    &empty_file::FAULT,
    &flipped_bit::FAULT,
    &folder_missing::FAULT,
    &forked::FAULT,
    &job_disabled::FAULT,
    &job_failing::FAULT,
    &job_fails::FAULT,
    &job_hangs::FAULT,
    &lagging::FAULT,
    &linked_server_down::FAULT,
    &async_replica::FAULT,
    &dtc_off::FAULT,
    &group_fails_over::FAULT,
    &in_doubt::FAULT,
    &in_doubt_differs::FAULT,
    &job_not_guarded::FAULT,
    &listener_wrong::FAULT,
    &mirror_disconnected::FAULT,
    &mirror_suspended::FAULT,
    &replica_login_missing::FAULT,
    &suspended_replica::FAULT,
    &vss_steals_base::FAULT,
    &missing_certificate::FAULT,
    &missing_file::FAULT,
    &msdtc_stopped::FAULT,
    &nul_backup::FAULT,
    &open_gap::FAULT,
    &orphaned_logins::FAULT,
    &partial_set::FAULT,
    &permission_denied::FAULT,
    &renamed_job::FAULT,
    &server_restart::FAULT,
    &share_denied::FAULT,
    &simple_recovery::FAULT,
    &slow::FAULT,
    &stolen_base::FAULT,
    &standby_reader::FAULT,
    &stolen_log::FAULT,
    &swapped_file::FAULT,
    &truncated_file::FAULT,
    &volume_full::FAULT,
    &wrong_owner::FAULT,
    &wrong_password::FAULT,
    // Forget or end what the others made, so they come last.
    &history_purged::FAULT,
    &agent_stopped::FAULT,
    &server_down::FAULT,
];

/// The fault of that name.
pub fn named(id: &str) -> Option<&'static Fault> {
    ALL.iter().find(|f| f.id == id).copied()
}

#[cfg(test)]
mod tests;
