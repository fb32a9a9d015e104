//! Somebody reads the standby database and does not leave: the restore job cannot have it to itself.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("reader"),
    put,
    ..Fault::standing(
        "standby-reader",
        "a report that sits in the standby copy all day, on a secondary that was told not to disconnect readers",
        Needs::STANDBY,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    state.keep_readers(aim.server, aim.database());
    let trouble = &mut state.servers[aim.server].trouble;
    trouble.readers.push(aim.database().to_owned());
    state.seat_readers();
    Ok(())
}
