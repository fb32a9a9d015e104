//! What the two front ends for people share: the full-screen one (`tui`) and the one of plain lines (`plain`).
//!
//! ```text
//! setup     what cli hands in, what comes back      door      the drill, as the front ends see it
//! deed      what may be done with a step, or why not    form  what is asked before it is done
//! telling   a step in words                         evidence  an answer in words, with its rows
//! gauge     recovery time and point so far          sign      how a step stands, as one sign and word
//! script    the T-SQL of a step, to copy            row       one line of a telling
//! signals   what asks the program to end
//! ```
//!
//! So both ask the same confirmations and say the same words. Knows no terminal, no keys and no servers.

mod deed;
mod door;
mod evidence;
mod expected;
mod form;
mod gauge;
mod row;
mod script;
mod setup;
mod sign;
mod signals;
mod telling;

pub use deed::{Deed, Running, WhyNot, allowed, deeds, next_open, run_of};
pub use door::Door;
pub use evidence::{Exhibit, exhibits, head_rows, sql_of};
pub use form::{Blank, Form, Kind, Purpose};
pub use gauge::{Gauge, rpo, rto};
pub use row::{Row, Tone, wrapped};
pub use script::script_of;
pub use setup::{
    End, Glyphs, Home, How, Look, OpenDrill, Opener, Pick, Recent, Setup, Start, Started, Trouble,
};
pub use sign::Sign;
pub use signals::Signals;
pub use telling::{Scene, progress_of, step_name, tell};
