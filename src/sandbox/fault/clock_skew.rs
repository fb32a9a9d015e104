//! A server's clock is wrong.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    before,
    ..Fault::standing(
        "clock-skew",
        "a virtual machine that lost its time source: its stamps lie beside everybody else's",
        Needs::SERVER,
    )
};

/// Behind the others, in minutes.
const BEHIND_MINUTES: i64 = 11;

fn before(state: &mut State, aim: &Aim) {
    state.servers[aim.server].trouble.skew_ms = -BEHIND_MINUTES * 60_000;
}
