//! What departed from the plan, from the events themselves: what a later attempt made good stays in the list.

use chrono::{DateTime, Utc};

use crate::check::Verdict;
use crate::engine::event::{Act, Event, Second, Settlement, Stage, Stamped};
use crate::engine::session::Session;
use crate::runbook::StepKind;

/// Something that departed from the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// The line of the record.
    pub line: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// At which step.
    pub step: Option<String>,
    /// What.
    pub what: Departure,
}

/// See [`Deviation`].
#[derive(Debug, Clone, PartialEq)]
pub enum Departure {
    /// A step was skipped.
    Skipped {
        /// Why.
        reason: String,
        /// Whether that is how the step stands at the end.
        stands: bool,
    },
    /// A verdict was overridden.
    Overridden {
        /// Only this server's.
        server: Option<String>,
        /// Why.
        reason: String,
        /// Who answers for it.
        name: String,
        /// Whether that is how the step stands at the end.
        stands: bool,
    },
    /// An attempt ended with a verdict that opens nothing.
    NotGreen(Verdict),
    /// Rechecks of a guard did not open.
    GuardFailed {
        /// Step ids.
        rechecks: Vec<String>,
    },
    /// No second person confirmed a step.
    NoSecondPerson {
        /// Why that is acceptable.
        reason: String,
    },
    /// An action was done outside drbook.
    DoneOutside,
    /// An attempt was broken off.
    Interrupted,
    /// Nobody knew whether an action took effect.
    Uncertain {
        /// Which.
        act: Act,
    },
    /// It was settled.
    Settled {
        /// Which.
        act: Act,
        /// How.
        settlement: Settlement,
        /// Why.
        reason: String,
    },
    /// The drill was taken up again.
    Resumed {
        /// On which computer.
        host: String,
    },
    /// A record was taken from another process.
    TakenOver {
        /// From whom.
        holder: String,
    },
    /// The clock ran back.
    ClockSteppedBack {
        /// By so many milliseconds.
        ms: i64,
    },
    /// A line cut short by a crash was set aside.
    TailRecovered {
        /// Bytes.
        bytes: u64,
    },
}

pub(super) fn deviations(session: &Session, events: &[Stamped]) -> Vec<Deviation> {
    let mut all = Vec::new();
    for stamped in events {
        let (step, what) = match &stamped.event {
            Event::Skipped { step, reason } => {
                let stands = session.step(step).is_some_and(|(_, s)| {
                    s.skipped.as_ref().is_some_and(|(at, _, why)| *at == stamped.at && why == reason)
                });
                (Some(step), Departure::Skipped { reason: reason.clone(), stands })
            }
            Event::Overridden { step, server, reason, name } => {
                let stands =
                    session.step(step).is_some_and(|(_, s)| s.overrides.iter().any(|o| o.at == stamped.at));
                let (server, reason, name) = (server.clone(), reason.clone(), name.clone());
                (Some(step), Departure::Overridden { server, reason, name, stands })
            }
            Event::Judged { key, verdict, last: true, .. }
                if !verdict.opens() && key.stage != Stage::Settle =>
            {
                (Some(&key.step), Departure::NotGreen(*verdict))
            }
            Event::GuardFailed { step, rechecks, .. } => {
                (Some(step), Departure::GuardFailed { rechecks: rechecks.clone() })
            }
            Event::Confirmed { step, second: Some(Second::NotAvailable { reason }), .. } => {
                (Some(step), Departure::NoSecondPerson { reason: reason.clone() })
            }
            Event::Said { step, .. }
                if matches!(session.book.step(step).map(|s| &s.kind), Some(StepKind::Do(_))) =>
            {
                (Some(step), Departure::DoneOutside)
            }
            Event::Interrupted { step, .. } => (Some(step), Departure::Interrupted),
            Event::Uncertain { act, .. } => (Some(&act.step), Departure::Uncertain { act: act.clone() }),
            Event::Settled { act, settlement, reason } => (
                Some(&act.step),
                Departure::Settled { act: act.clone(), settlement: *settlement, reason: reason.clone() },
            ),
            Event::Resumed { host, .. } => (None, Departure::Resumed { host: host.clone() }),
            Event::TakenOver { holder } => (None, Departure::TakenOver { holder: holder.clone() }),
            Event::ClockSteppedBack { ms } => (None, Departure::ClockSteppedBack { ms: *ms }),
            Event::TailRecovered { bytes, .. } => (None, Departure::TailRecovered { bytes: *bytes }),
            _ => continue,
        };
        let by = stamped.by.name().to_owned();
        all.push(Deviation { line: stamped.seq, at: stamped.at, by, step: step.cloned(), what });
    }
    all
}
