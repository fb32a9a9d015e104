//! A server takes seconds for every statement.

use super::{Fault, Target, When, nothing_before};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "slow",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "a server short of memory or behind a congested line",
    target: Target::FirstDestination,
    before: nothing_before,
    put,
};

/// Real milliseconds each statement waits.
const DELAY_MS: u64 = 4000;

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, server: usize) -> Result<(), String> {
    state.servers[server].trouble.delay_ms = DELAY_MS;
    Ok(())
}
