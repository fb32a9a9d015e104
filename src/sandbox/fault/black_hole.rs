//! A server takes connections and never says a word.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Door,
    put,
    ..Fault::standing(
        "black-hole",
        "a firewall that drops packets in silence, or a server whose network stack hangs",
        Needs::SERVER,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    state.servers[aim.server].trouble.silent = true;
    Ok(())
}
