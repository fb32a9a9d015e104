//! The jobs of a secondary replica do not ask whether it is primary.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("jobs"),
    before,
    ..Fault::standing(
        "job-not-guarded",
        "jobs copied to a secondary replica without the question who is primary: they fail there, minute after minute",
        Needs::BIZTALK_REPLICA,
    )
};

fn before(state: &mut State, aim: &Aim) {
    state.take_guards_off(aim.server);
}
