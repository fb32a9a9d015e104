//! The replicas of a group do not agree on what becomes of transactions in doubt.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("in-doubt xact resolution"),
    before,
    ..Fault::standing(
        "in-doubt-differs",
        "'in-doubt xact resolution' set on one replica in an emergency and left there: it presumes what others ask about",
        Needs::REPLICA,
    )
};

fn before(state: &mut State, aim: &Aim) {
    state.servers[aim.server].options.insert("in-doubt xact resolution".into(), 2);
}
