//! Recovery time and recovery point, with the moments they were computed from (R25, R26).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::StepFigures;
use super::limits::roles_not_held;
use crate::analysis::restore::one_mark::time_in;
use crate::check::Verdict;
use crate::clock::Span;
use crate::engine::event::{Event, Stamped};
use crate::engine::inputs::Captured;
use crate::engine::session::{Session, Standing};
use crate::reading::{Cell, Reading};
use crate::runbook::{Action, JobVerb, Moment, StepKind};

/// A target, what was achieved, and from what that was computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The objective.
    pub target: Option<Span>,
    /// The moments it runs from and to, with the times found for them.
    pub inputs: Option<(Input, Input)>,
    /// What was achieved.
    pub achieved: Option<Span>,
    /// Against the target.
    pub met: Met,
    /// Why it is not measured end to end: step ids by how they departed (`skipped`, `attested`, `overridden`, …).
    pub gaps: BTreeMap<&'static str, Vec<String>>,
}

/// A moment and the time found for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Which moment.
    pub moment: Moment,
    /// When; `None` when the drill does not say.
    pub at: Option<DateTime<Utc>>,
}

/// How a figure stands against its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Within the target, end to end.
    Met,
    /// Within the target for what was walked; not measured end to end.
    MetInPart,
    /// Beyond the target.
    Missed,
    /// Measured, and there is no target.
    NoTarget,
    /// A moment is missing, or the runbook names none.
    NotMeasured,
}

/// See [`Summary::rpo_without_own_backups`](super::Summary::rpo_without_own_backups).
#[derive(Debug, Clone, PartialEq)]
pub struct OwnBackup {
    /// When the drill started its first backup.
    pub started: DateTime<Utc>,
    /// The job or query.
    pub name: String,
    /// Server.
    pub server: String,
    /// The newest mark before it that any answer showed: by its time (`mark_time`), or by the time in its name.
    pub mark: Option<DateTime<Utc>>,
    /// From that mark to the backup.
    pub achieved: Option<Span>,
}

fn time_of(cell: &Cell) -> Option<DateTime<Utc>> {
    cell.as_utc().or_else(|| {
        let text = cell.as_str()?;
        DateTime::parse_from_rfc3339(text.trim()).ok().map(|t| t.with_timezone(&Utc))
    })
}

fn time_at(session: &Session, moment: &Moment) -> Option<DateTime<Utc>> {
    match moment {
        Moment::Done(step) => {
            let index = session.index(step)?;
            if !matches!(session.standing(index), Standing::Judged(v) if v.opens() && v != Verdict::NotApplicable)
            {
                return None;
            }
            session.steps[index].attempts.last()?.ended
        }
        Moment::Answer(step, field) => time_of(session.typed.get(step)?.get(field)?),
        Moment::Captured(name) => match session.captured.get(name)? {
            Captured::One(cell) => time_of(cell),
            _ => None,
        },
    }
}

fn figure(session: &Session, target: Option<Span>, moments: Option<&(Moment, Moment)>) -> Figure {
    let inputs = moments.map(|(from, to)| {
        let input = |moment: &Moment| Input { moment: moment.clone(), at: time_at(session, moment) };
        (input(from), input(to))
    });
    let achieved = inputs.as_ref().and_then(|(from, to)| Some(Span::from_delta(to.at? - from.at?)));
    // A time that runs backwards was typed wrong; it is shown, and proves nothing.
    let measured = achieved.filter(|a| a.ms >= 0);
    let met = match (measured, target) {
        (None, _) => Met::NotMeasured,
        (Some(_), None) => Met::NoTarget,
        (Some(a), Some(t)) if a <= t => Met::Met,
        _ => Met::Missed,
    };
    Figure { target, inputs, achieved, met, gaps: BTreeMap::new() }
}

fn objective(seconds: Option<f64>, book: Option<Span>) -> Option<Span> {
    seconds.filter(|s| s.is_finite()).map(|s| Span { ms: (s * 1000.0).round() as i64 }).or(book)
}

pub(super) fn rto(session: &Session, steps: &[StepFigures]) -> Figure {
    let book = &session.book;
    let target = objective(session.opened.as_ref().and_then(|o| o.rto_seconds), book.rto);
    let mut figure = figure(session, target, book.measure.rto.as_ref());
    if figure.inputs.is_none() {
        return figure;
    }
    let until = match figure.inputs.as_ref().map(|(_, to)| &to.moment) {
        Some(Moment::Done(step) | Moment::Answer(step, _)) => session.index(step),
        _ => None,
    };
    let walked = book.steps.iter().zip(steps).take(until.map_or(usize::MAX, |last| last + 1));
    for (step, figures) in walked {
        let how = match &figures.standing {
            Standing::Skipped => "skipped",
            Standing::Overridden => "overridden",
            // What the runbook leaves out on purpose leaves no gap.
            Standing::DoesNotApply | Standing::Judged(Verdict::NotApplicable) => continue,
            Standing::Judged(Verdict::Fail) => "failed",
            Standing::Judged(Verdict::Unknown) => "unknown",
            Standing::Judged(_) if figures.attested => "attested",
            Standing::Judged(_) => continue,
            _ => "not-reached",
        };
        figure.gaps.entry(how).or_default().push(step.id.clone());
    }
    let unheld = roles_not_held(session);
    if !unheld.is_empty() {
        figure.gaps.insert("role-not-held", unheld);
    }
    if figure.met == Met::Met && !figure.gaps.is_empty() {
        figure.met = Met::MetInPart;
    }
    figure
}

/// The recovery point. A mark that the drill's own backup set after the failure lost nothing; what a failure without
/// warning would have lost is [`own_backup`]'s figure (R25).
pub(super) fn rpo(session: &Session, own: Option<&OwnBackup>) -> Figure {
    let target = objective(session.opened.as_ref().and_then(|o| o.rpo_seconds), session.book.rpo);
    let mut figure = figure(session, target, session.book.measure.rpo.as_ref());
    if own.is_some() && figure.achieved.is_some_and(|a| a.ms < 0) {
        figure.achieved = Some(Span::default());
        figure.met = if target.is_some() { Met::Met } else { Met::NoTarget };
    }
    figure
}

/// The times in the names of complete sets' marks; UTC or local as the restored mark shows, whose time was proved.
fn named_marks(session: &Session, reading: &Reading) -> Vec<DateTime<Utc>> {
    let one = |name: &str| match session.captured.get(name) {
        Some(Captured::One(cell)) => Some(cell.clone()),
        _ => None,
    };
    let known = || {
        let named = time_in(one("mark.name")?.as_str()?)?;
        Some(named - time_of(&one("mark.time")?)?.naive_utc())
    };
    let (Some(offset), Some(column)) = (known(), reading.column("mark")) else { return Vec::new() };
    (0..reading.rows.len())
        .filter(|row| reading.cell(*row, "complete").is_none_or(|c| c.as_bool() == Some(true)))
        .filter_map(|row| time_in(reading.rows[row].get(column)?.as_str()?))
        .map(|named| (named - offset).and_utc())
        .collect()
}

/// The first backup that the drill itself started, and the newest mark before it that any answer showed.
pub(super) fn own_backup(session: &Session, events: &[Stamped]) -> Option<OwnBackup> {
    let is_backup = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.contains("backup") && !name.contains("history")
    };
    let starts = |step: &str| {
        matches!(
            session.book.step(step).map(|s| &s.kind),
            Some(StepKind::Do(work)) if !matches!(&work.action, Action::Job { verb, .. } if *verb != JobVerb::Start)
        )
    };
    let (started, server, name) = events.iter().find_map(|s| match &s.event {
        Event::Intended { act, item }
            if starts(&act.step) && (is_backup(&item.name) || is_backup(&item.query)) =>
        {
            Some((s.at, act.server.clone(), item.name.clone()))
        }
        _ => None,
    })?;
    let marks = events.iter().filter_map(|s| match &s.event {
        Event::Answered { reading, .. } => reading.reading(),
        _ => None,
    });
    let mark = marks
        .flat_map(|r| {
            let mut times: Vec<_> = r.cells("mark_time").into_iter().flatten().filter_map(time_of).collect();
            times.extend(named_marks(session, r));
            times
        })
        .filter(|at| *at < started)
        .max();
    let achieved = mark.map(|m| Span::from_delta(started - m));
    Some(OwnBackup { started, name, server, mark, achieved })
}
