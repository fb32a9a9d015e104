//! Recovery time and recovery point so far, against their targets. Says nothing it was not told: no moment, no number.

use chrono::{DateTime, Utc};

use crate::clock::Span;
use crate::engine::{Captured, Progress, Session};
use crate::runbook::Moment;

/// A measured span and its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    /// So far; `None` while its beginning is not known.
    pub so_far: Option<Span>,
    /// The target.
    pub target: Option<Span>,
    /// Whether it still grows.
    pub running: bool,
}

impl Gauge {
    /// So far as parts of the target, from 0; above 1 when missed.
    pub fn share(&self) -> Option<f64> {
        let (so_far, target) = (self.so_far?, self.target?);
        (target.ms > 0).then(|| so_far.ms as f64 / target.ms as f64)
    }
    /// Whether the target is missed.
    pub fn missed(&self) -> bool {
        self.share().is_some_and(|share| share > 1.0)
    }
}

/// Recovery time: from the declared moment to the accepted one, or to now. Without a measure, from the opening.
pub fn rto(session: &Session, now: DateTime<Utc>) -> Option<Gauge> {
    let target = target(session.opened.as_ref().and_then(|o| o.rto_seconds)).or(session.book.rto);
    let stop = session.closed.as_ref().map(|(at, ..)| *at);
    let (from, to) = match &session.book.measure.rto {
        Some((from, to)) => (moment(session, from), moment(session, to)),
        None => (session.span.map(|s| s.0), None),
    };
    if target.is_none() && session.book.measure.rto.is_none() {
        return None;
    }
    let end = to.or(stop);
    Some(Gauge {
        so_far: from.map(|from| Span::from_delta(end.unwrap_or(now) - from)),
        target,
        running: from.is_some() && end.is_none(),
    })
}

/// Recovery point: what is lost, once both its moments are known.
pub fn rpo(session: &Session) -> Option<Gauge> {
    let target = target(session.opened.as_ref().and_then(|o| o.rpo_seconds)).or(session.book.rpo);
    let (from, to) = session.book.measure.rpo.as_ref()?;
    let so_far = moment(session, from).zip(moment(session, to)).map(|(from, to)| Span::from_delta(to - from));
    Some(Gauge { so_far, target, running: false })
}

fn target(seconds: Option<f64>) -> Option<Span> {
    seconds.map(|s| Span { ms: (s * 1000.0) as i64 })
}

fn moment(session: &Session, moment: &Moment) -> Option<DateTime<Utc>> {
    match moment {
        Moment::Done(step) => {
            let attempt = session.step(step)?.1.attempts.last()?;
            let opens = attempt.verdict.is_some_and(crate::check::Verdict::opens);
            (attempt.progress == Progress::Over && opens).then_some(attempt.ended).flatten()
        }
        Moment::Answer(step, field) => session.typed.get(step)?.get(field)?.as_utc(),
        Moment::Captured(name) => match session.captured.get(name)? {
            Captured::One(cell) => cell.as_utc(),
            _ => None,
        },
    }
}
