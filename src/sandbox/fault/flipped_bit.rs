//! One bit of the held-back log file of one database is not as it was written.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::File,
    put,
    ..Fault::standing(
        "flipped-bit",
        "silent damage on the share's disk or in a copy over a bad line",
        Needs::SHIPPED,
    )
};

/// Where, counted from the end: behind the header, before the checksum.
const FROM_END: usize = 40;

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let file = state.held_back_file(aim.server, aim.database())?;
    let say = |e: std::io::Error| format!("{}: {e}", file.display());
    let mut bytes = std::fs::read(&file).map_err(say)?;
    let at = bytes.len().checked_sub(FROM_END).ok_or_else(|| format!("{} is too short", file.display()))?;
    bytes[at] ^= 0x04;
    std::fs::write(&file, bytes).map_err(say)
}
