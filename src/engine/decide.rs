//! The only judge of what may happen (to be completed).

use super::command::{Command, Refusal};
use super::event::Event;
use super::session::Session;
use crate::clock::Stamp;

/// What a command leads to, or why it may not be carried out.
pub fn decide(_session: &Session, _command: Command, _now: Stamp) -> Result<Vec<Event>, Refusal> {
    todo!()
}

impl Session {
    /// The command that follows by itself from the state as it is, if any.
    pub fn follows(&self) -> Option<Command> {
        todo!()
    }
    /// Outside work that should be under way now.
    pub fn owed(&self) -> Vec<super::Errand> {
        todo!()
    }
    /// How an uncertain action looks from its settle readings; `None` when they do not say.
    pub fn suggestion(&self, _act: &super::Act) -> Option<super::Settlement> {
        todo!()
    }
}
