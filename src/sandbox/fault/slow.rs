//! A server takes longer for every statement than anybody waits.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing("slow", "a server short of memory or behind a congested line", Needs::SERVER)
};

/// Real milliseconds each statement waits: longer than anybody waits for an answer.
const DELAY_MS: u64 = 20_000;

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    state.servers[aim.server].trouble.delay_ms = DELAY_MS;
    Ok(())
}
