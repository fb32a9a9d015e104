//! The only mutator (to be completed).

use super::event::Stamped;
use super::session::Session;

impl Session {
    /// Folds one event in.
    pub fn apply(&mut self, _stamped: &Stamped) {
        todo!()
    }
}
