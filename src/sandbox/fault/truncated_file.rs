//! The held-back log file of one database ends too early.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::File,
    put,
    ..Fault::standing(
        "truncated-file",
        "a copy that broke off: the header of the backup can be read, its end is missing",
        Needs::SHIPPED,
    )
};

/// Bytes cut off: behind the header, whatever the size.
const CUT: u64 = 48;

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let file = state.held_back_file(aim.server, aim.database())?;
    let say = |e: std::io::Error| format!("{}: {e}", file.display());
    let length = std::fs::metadata(&file).map_err(say)?.len();
    let open = std::fs::OpenOptions::new().write(true).open(&file).map_err(say)?;
    open.set_len(length.saturating_sub(CUT)).map_err(say)
}
