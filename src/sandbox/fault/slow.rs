//! A server takes longer for every statement than anybody waits.

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

/// Real milliseconds each statement waits: longer than anybody waits for an answer.
const DELAY_MS: u64 = 20_000;

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, server: usize) -> Result<(), String> {
    state.servers[server].trouble.delay_ms = DELAY_MS;
    Ok(())
}
