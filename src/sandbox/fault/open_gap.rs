//! For one database a log set was never restored, though later ones are marked as restored.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Progress,
    put,
    ..Fault::standing(
        "open-gap",
        "a log of one database skipped after a network break while its set was marked as restored",
        Needs::SHIPPED,
    )
};

/// How many sets before the last restored one the hole lies.
const BACK: usize = 3;

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let why = format!("{} has not restored enough sets", state.servers[aim.server].name);
    state.tear_gap(aim.server, aim.database(), BACK).ok_or(why)
}
