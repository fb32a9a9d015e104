//! What can go wrong, by name: one file each.
//!
//! A fault changes the world when it is made (`standing`) or while it is walked (`during`).
//! It does not know who looks.

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

use super::world::{Plan, Role, State};

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

/// A fault.
#[derive(Debug)]
pub struct Fault {
    /// Its name on the command line.
    pub id: &'static str,
    /// The worlds it fits.
    pub worlds: &'static [&'static str],
    /// When it shows.
    pub when: When,
    /// The incident it imitates.
    pub imitates: &'static str,
    /// Which server it takes when none is named.
    pub(crate) target: Target,
    /// Before history is made.
    pub(crate) before: fn(&mut State, usize),
    /// When the walk begins.
    pub(crate) put: fn(&mut State, usize) -> Result<(), String>,
}

/// A fault's server when none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    FirstDestination,
    LastDestination,
}

const fn nothing_before(_: &mut State, _: usize) {}

/// Every fault there is, by name.
pub const ALL: &[&Fault] = &[
    &black_hole::FAULT,
    &diverged::FAULT,
    &empty_answer::FAULT,
    &job_fails::FAULT,
    &lagging::FAULT,
    &missing_file::FAULT,
    &open_gap::FAULT,
    &server_down::FAULT,
    &slow::FAULT,
    &wrong_password::FAULT,
];

/// The fault of that name.
pub fn named(id: &str) -> Option<&'static Fault> {
    ALL.iter().find(|f| f.id == id).copied()
}

/// A fault and the server it acts on.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) kind: &'static Fault,
    pub(crate) server: usize,
}

/// Reads `name` or `name=SERVER`, against a world.
pub(crate) fn chosen(texts: &[String], plan: &Plan) -> Result<Vec<Chosen>, String> {
    texts.iter().map(|text| one(text, plan)).collect()
}

fn one(text: &str, plan: &Plan) -> Result<Chosen, String> {
    let (id, server) = match text.split_once('=') {
        Some((id, server)) => (id.trim(), Some(server.trim())),
        None => (text.trim(), None),
    };
    let Some(kind) = named(id) else {
        let all: Vec<&str> = ALL.iter().map(|f| f.id).collect();
        return Err(format!("there is no fault `{id}`; there are {}", all.join(", ")));
    };
    let destinations = || plan.servers.iter().enumerate().filter(|(_, s)| s.role == Role::Destination);
    let server = match server {
        Some(name) => plan
            .servers
            .iter()
            .position(|s| s.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| format!("fault {id}: there is no server `{name}` in world {}", plan.world))?,
        None => match kind.target {
            Target::FirstDestination => destinations().next(),
            Target::LastDestination => destinations().next_back(),
        }
        .map(|(n, _)| n)
        .ok_or_else(|| format!("fault {id} needs a destination, and world {} has none", plan.world))?,
    };
    Ok(Chosen { kind, server })
}
