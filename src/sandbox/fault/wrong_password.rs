//! A server does not know the password.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Door,
    put,
    ..Fault::standing(
        "wrong-password",
        "a SQL login re-created on one server with another password",
        Needs::SERVER,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    state.servers[aim.server].trouble.wrong_password = true;
    Ok(())
}
