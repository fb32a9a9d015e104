//! The clock of a world set by hand: stepped, paused, or run at another speed while it is served.
//!
//! Does not know who asks. A step lets everything happen that is due in it, in order.

use chrono::{DateTime, TimeDelta, Utc};

use super::state::State;
use crate::clock::{Clock, DrillClock, Span};

/// The longest step.
const STEP_DAYS: i64 = 40;
/// The fastest clock, drill seconds per real second.
const FASTEST: f64 = 1000.0;

impl State {
    /// The world's time by a clock, after what was done to it by hand.
    pub(crate) fn time_by(&self, clock: &dyn Clock) -> DateTime<Utc> {
        let now = if self.by_hand { self.clock.now() } else { clock.now() };
        now + TimeDelta::milliseconds(self.ahead_ms)
    }

    /// Moves the clock on; the new time.
    pub(crate) fn step_clock(&mut self, span: Span) -> Result<DateTime<Utc>, String> {
        if !(1..=STEP_DAYS * 86_400_000).contains(&span.ms) {
            return Err(format!("a step is from 1ms to {STEP_DAYS}d; the clock does not go back"));
        }
        self.ahead_ms += span.ms;
        let to = self.at + span.delta();
        self.advance(to);
        self.dirty = true;
        Ok(to)
    }

    /// Lets the clock run at another speed from now on; 0 = it stands still.
    pub(crate) fn pace_clock(&mut self, speed: f64) -> Result<(), String> {
        if speed != 0.0 && !(0.1..=FASTEST).contains(&speed) {
            return Err(format!("a speed is 0 (the clock stands still) or from 0.1 to {FASTEST}"));
        }
        self.clock = DrillClock { origin: self.at, ..DrillClock::starting_now(speed) };
        self.by_hand = true;
        self.ahead_ms = 0;
        self.dirty = true;
        Ok(())
    }
}
