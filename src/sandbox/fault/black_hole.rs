//! A server takes connections and never says a word.

use super::{Fault, Target, When, nothing_before};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "black-hole",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "a firewall that drops packets in silence, or a server whose network stack hangs",
    target: Target::FirstDestination,
    before: nothing_before,
    put,
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, server: usize) -> Result<(), String> {
    state.servers[server].trouble.silent = true;
    Ok(())
}
