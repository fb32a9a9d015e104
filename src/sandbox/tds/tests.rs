//! The wire as a whole, seen by a client.

mod bounds;
mod clients;
mod doors;
mod fake;
mod hostile;
mod recorded;

use std::sync::OnceLock;

use super::Certificate;

/// One certificate for all tests: making one takes long.
pub(super) fn certificate() -> &'static Certificate {
    static MADE: OnceLock<Certificate> = OnceLock::new();
    MADE.get_or_init(|| Certificate::new().unwrap())
}
