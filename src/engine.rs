//! The engine: a drill is a list of events, its state is their fold.
//!
//! ```text
//! Command ─ decide ─> [Event] ─ (recorded) ─ Session::apply ─> state ─ owed ─> [Errand] ─ (outside) ─> Command::Take
//! ```
//!
//! Pure: no clock, no files, no network, no ids of its own. `decide` alone says what may happen; `apply` alone changes
//! state; `owed` is a function of state, so replaying a record can never send a query.

mod apply;
mod command;
mod decide;
mod errand;
mod event;
mod inputs;
mod judge;
mod owed;
mod plan;
mod session;
pub mod summary;

pub use command::{ActResult, Command, Refusal, Taken};
pub use decide::decide;
pub use errand::{Again, Errand, Question, Round};
pub use event::{
    Act, ActOutcome, By, Closing, Event, Item, Kept, Opened, QuestionRef, Reveal, Role as PersonRole,
    RoundKey, Second, Settlement, Stage, Stamped,
};
pub use inputs::{Captured, HostInput, Inputs, Names, ServerInput, Strategy};
pub use judge::{Judged, judge_round};
pub use session::{ActState, Attempt, Doing, Given, Note, Override, Progress, Session, Standing, StepState};
pub use summary::Summary;
