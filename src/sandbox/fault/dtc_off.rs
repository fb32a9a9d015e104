//! An availability group without DTC support per database.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("dtc_support"),
    before,
    ..Fault::standing(
        "dtc-off",
        "an availability group made again without DTC_SUPPORT = PER_DB: what is prepared is in doubt after a failover",
        Needs::GROUP_WITH_DTC,
    )
};

fn before(state: &mut State, aim: &Aim) {
    for g in 0..state.ha.groups.len() {
        if state.ha.groups[g].primary_server() == Some(aim.server) {
            state.set_dtc_support(g, false);
        }
    }
}
