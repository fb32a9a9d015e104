//! The copy job of native log shipping cannot read the share of the backups.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("copy job"),
    put,
    ..Fault::standing(
        "copy-job-fails",
        "a secondary whose agent account lost its rights on the share of the log backups",
        Needs::SECONDARY,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let folders = state.copied_from(aim.server);
    if folders.is_empty() {
        return Err(format!("{} copies nothing", state.servers[aim.server].name));
    }
    state.servers[aim.server].trouble.denied.extend(folders);
    Ok(())
}
