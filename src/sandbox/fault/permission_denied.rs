//! The login that everybody uses is no longer an administrator.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing(
        "permission-denied",
        "an account stripped of its rights by a security clean-up: it logs in, and hardly anything is answered",
        Needs::SERVER,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    for login in state.servers[aim.server].logins.iter_mut().filter(|l| l.kind == 'S') {
        login.sysadmin = false;
        login.grants.clear();
    }
    Ok(())
}
