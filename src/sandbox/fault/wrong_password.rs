//! A server does not know the password.

use super::{Fault, Target, When, nothing_before};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "wrong-password",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "a SQL login re-created on one server with another password",
    target: Target::FirstDestination,
    before: nothing_before,
    put,
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, server: usize) -> Result<(), String> {
    state.servers[server].trouble.wrong_password = true;
    Ok(())
}
