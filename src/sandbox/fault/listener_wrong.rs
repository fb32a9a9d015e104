//! BizTalk is configured with the name of a replica instead of the listener's.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("listener"),
    before,
    ..Fault::standing(
        "listener-wrong",
        "BizTalk configured with the name of the server that was primary that day: the first failover stops it",
        Needs::BIZTALK_LISTENER,
    )
};

fn before(state: &mut State, aim: &Aim) {
    state.name_replica_for_listener(aim.server);
}
