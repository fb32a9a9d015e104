//! The service MS DTC does not run.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("MS DTC"),
    put,
    ..Fault::standing(
        "msdtc-stopped",
        "MS DTC not started after a patch, or disabled: no transaction over two servers can begin, none in doubt is resolved",
        Needs::SERVER,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    state.run_dtc(aim.server, false, state.at);
    Ok(())
}
