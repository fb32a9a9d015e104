//! The drill as a front end sees it. [`Drive`] is the one in use; tests bring their own.

use std::path::Path;

use crate::clock::Clock;
use crate::drive::{Drive, Trouble};
use crate::engine::{Command, Session, Stamped, Taken};
use crate::errand::Port;

/// See [`Drive`]; every method is the one of the same name.
#[allow(missing_docs, reason = "documented at Drive")]
pub trait Door {
    fn session(&self) -> &Session;
    fn clock(&self) -> &dyn Clock;
    fn head(&self) -> &str;
    fn folder(&self) -> &Path;
    fn command(&mut self, command: Command) -> Result<Vec<Stamped>, Trouble>;
    fn take(&mut self, taken: Vec<Taken>) -> Result<Vec<Stamped>, Trouble>;
    fn broken(&self) -> Option<&str>;
}

impl<P: Port> Door for Drive<P> {
    fn session(&self) -> &Session {
        Self::session(self)
    }
    fn clock(&self) -> &dyn Clock {
        Self::clock(self)
    }
    fn head(&self) -> &str {
        Self::head(self)
    }
    fn folder(&self) -> &Path {
        Self::folder(self)
    }
    fn command(&mut self, command: Command) -> Result<Vec<Stamped>, Trouble> {
        Self::command(self, command)
    }
    fn take(&mut self, taken: Vec<Taken>) -> Result<Vec<Stamped>, Trouble> {
        Self::take(self, taken)
    }
    fn broken(&self) -> Option<&str> {
        Self::broken(self)
    }
}
