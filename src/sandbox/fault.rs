//! What can go wrong, by name: one file each.
//!
//! A fault changes the world when it is made (`standing`) or while it is walked (`during`, by a
//! [`Trigger`](super::world::Trigger)). It says what a world must have for it to show, and is refused where that is missing.
//! It does not know who looks.

mod choice;
mod needs;

mod black_hole;
mod diverged;
mod empty_answer;
mod job_fails;
mod lagging;
mod missing_file;
mod open_gap;
mod server_down;
mod slow;
mod wrong_password;

use super::answer::Message;
use super::world::{Plan, State};
pub(crate) use choice::{Chosen, chosen, draw};
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

/// Every fault there is, in the order in which they are put in.
pub const ALL: &[&Fault] = &[
    &black_hole::FAULT,
    &diverged::FAULT,
    &empty_answer::FAULT,
    &job_fails::FAULT,
    &lagging::FAULT,
    &missing_file::FAULT,
    &open_gap::FAULT,
    &slow::FAULT,
    &wrong_password::FAULT,
    // Ends what runs, so it comes last.
    &server_down::FAULT,
];

/// The fault of that name.
pub fn named(id: &str) -> Option<&'static Fault> {
    ALL.iter().find(|f| f.id == id).copied()
}

#[cfg(test)]
mod tests;
