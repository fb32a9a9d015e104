//! The report's own sentences for the codes of a [`Summary`](crate::engine::Summary).

use crate::check::Verdict;
use crate::clock::Span;
use crate::engine::summary::{Departure, Figure, Limit, Met, Overall, OwnBackup};
use crate::engine::{ActOutcome, ActState, Settlement, Standing};
use crate::runbook::Moment;

pub(super) fn standing(standing: &Standing) -> &'static str {
    match standing {
        Standing::Judged(Verdict::Pass) => "passed",
        Standing::Judged(Verdict::Warn) => "warned",
        Standing::Judged(Verdict::Fail) => "failed",
        Standing::Judged(Verdict::Unknown) => "unknown",
        Standing::Judged(Verdict::NotApplicable) | Standing::DoesNotApply => "not_applicable",
        Standing::Overridden => "overridden",
        Standing::Skipped => "skipped",
        Standing::Interrupted => "interrupted",
        Standing::Uncertain => "uncertain",
        Standing::Running(_) => "running",
        Standing::Locked(_) | Standing::Ready => "not_reached",
    }
}

pub(super) fn act_state(state: &ActState) -> (&'static str, Option<String>) {
    match state {
        ActState::Intended => ("intended", None),
        ActState::Acted(ActOutcome::Done) => ("done", None),
        ActState::Acted(ActOutcome::Failed(trouble)) => ("failed", Some(trouble.to_string())),
        ActState::Uncertain(trouble) => ("uncertain", Some(trouble.to_string())),
        ActState::Settled(Settlement::Happened) => ("settled-happened", None),
        ActState::Settled(Settlement::DidNotHappen) => ("settled-did-not-happen", None),
    }
}

pub(super) fn overall(overall: Overall) -> (&'static str, &'static str) {
    match overall {
        Overall::Aborted => ("aborted", "The drill was given up on purpose. It proves only what was walked."),
        Overall::Failed => ("failed", "At least one step was proven bad and was not overridden."),
        Overall::Unknown => {
            ("unknown", "At least one step could not be proven either way, which is not a pass.")
        }
        Overall::Incomplete => ("incomplete", "The drill was not walked to its end."),
        Overall::PassedWithFindings => (
            "passed-with-findings",
            "Every step was passed, or let go with a warning, an override or a skip. See the deviations.",
        ),
        Overall::Passed => ("passed", "Every step that applies was passed."),
    }
}

pub(super) fn moment(moment: &Moment) -> String {
    match moment {
        Moment::Done(step) => format!("step {step} was done"),
        Moment::Answer(step, field) => format!("{field}, as typed at step {step}"),
        Moment::Captured(name) => format!("{name}, as captured"),
    }
}

pub(super) fn met(met: Met) -> (&'static str, &'static str) {
    match met {
        Met::Met => ("met", "met"),
        Met::MetInPart => ("partly", "met-in-part"),
        Met::Missed => ("not_met", "missed"),
        Met::NoTarget => ("not_tested", "no-target"),
        Met::NotMeasured => ("not_tested", "not-measured"),
    }
}

pub(super) fn figure(figure: &Figure) -> String {
    let face = |span: Option<Span>| span.map_or_else(|| "?".to_owned(), Span::clock_face);
    let (achieved, target) = (face(figure.achieved), face(figure.target));
    let against = match figure.met {
        Met::Met => format!("{achieved} achieved, target {target}: met."),
        Met::MetInPart => {
            format!("{achieved} achieved, target {target}: met for what was walked, not measured end to end.")
        }
        Met::Missed => format!("{achieved} achieved, target {target}: missed."),
        Met::NoTarget => format!("{achieved} achieved; there is no target."),
        Met::NotMeasured if figure.inputs.is_none() => {
            "Not measured: the runbook does not say from when to when.".to_owned()
        }
        Met::NotMeasured if figure.achieved.is_some() => {
            format!("Not measured: the end ({achieved}) lies before the beginning.")
        }
        Met::NotMeasured => "Not measured: a moment it is computed from is missing.".to_owned(),
    };
    if figure.gaps.is_empty() || matches!(figure.met, Met::NotMeasured | Met::MetInPart) {
        return against;
    }
    format!("{against} Not measured end to end.")
}

pub(super) fn own_backup(own: &OwnBackup) -> String {
    match own.achieved {
        Some(span) => format!(
            "{} had the failure come just before the drill's own backup ({} on {}).",
            span.clock_face(),
            own.name,
            own.server
        ),
        None => format!(
            "Not measured without the drill's own backup ({} on {}): no answer shows a mark older than it.",
            own.name, own.server
        ),
    }
}

pub(super) fn limit(limit: &Limit) -> (&'static str, String) {
    let names = limit.names().join(", ");
    let (code, text) = match limit {
        Limit::Simulated => {
            ("simulated", "Simulated servers took part: nothing here proves that real ones recover.")
        }
        Limit::NotClosed => ("not-closed", "The drill was never closed; more may have happened."),
        Limit::NotReached(_) => ("not-reached", "Steps that were not finished"),
        Limit::Skipped(_) => ("skipped", "Steps that were skipped"),
        Limit::Overridden(_) => ("overridden", "Steps whose verdict was overridden"),
        Limit::Unknown(_) => ("unknown", "Steps that could not be proven either way"),
        Limit::Attested(_) => ("attested", "Steps that rest on a person's word alone"),
        Limit::NotApplicable(_) => ("not-applicable", "Steps that did not apply and were not tested"),
        Limit::OutOfReach(_) => ("out-of-reach", "Servers that did not answer when last asked"),
        Limit::TrustedUnverified(_) => {
            ("tls-not-verified", "Servers whose certificate was not verified: another could have answered")
        }
        Limit::RolesNotHeld(_) => ("roles-not-held", "Roles of the runbook that nothing in the estate holds"),
        Limit::RtoNotEndToEnd => (
            "rto-not-end-to-end",
            "The recovery time is not measured end to end: it leaves out what was not proven.",
        ),
        Limit::RtoNotMeasured => ("rto-not-measured", "The recovery time was not measured."),
        Limit::RpoNotMeasured => ("rpo-not-measured", "The recovery point was not measured."),
        Limit::RpoWithOwnBackups => (
            "rpo-own-backups",
            "The drill itself started a backup, which makes the recovery point look better than a failure would have.",
        ),
    };
    if names.is_empty() { (code, text.to_owned()) } else { (code, format!("{text}: {names}.")) }
}

pub(super) fn departure(what: &Departure) -> (&'static str, String) {
    let of = |act: &crate::engine::Act| match act.item.as_str() {
        "" => act.server.clone(),
        item => format!("{item} on {}", act.server),
    };
    let later = |stands: bool| if stands { "" } else { " (a later attempt replaced this)" };
    match what {
        Departure::Skipped { reason, stands } => ("skipped", format!("{reason}{}", later(*stands))),
        Departure::Overridden { server, reason, name, stands } => {
            let on = server.as_ref().map_or(String::new(), |s| format!(" for {s}"));
            ("overridden", format!("by {name}{on}: {reason}{}", later(*stands)))
        }
        Departure::NotGreen(verdict) => ("not-green", format!("an attempt ended {}", verdict.key())),
        Departure::GuardFailed { rechecks } => {
            ("guard-failed", format!("not started: rechecks did not open: {}", rechecks.join(", ")))
        }
        Departure::NoSecondPerson { reason } => ("no-second-person", format!("no second person: {reason}")),
        Departure::DoneOutside => ("done-outside", "done outside drbook, then proved".to_owned()),
        Departure::Interrupted => ("interrupted", "an attempt was broken off".to_owned()),
        Departure::Uncertain { act } => {
            ("uncertain", format!("nobody knew whether it took effect: {}", of(act)))
        }
        Departure::Settled { act, settlement, reason } => {
            let how = match settlement {
                Settlement::Happened => "it happened",
                Settlement::DidNotHappen => "it did not happen",
            };
            ("settled", format!("{}: {how}: {reason}", of(act)))
        }
        Departure::Resumed { host } => ("resumed", format!("taken up again on {host}")),
        Departure::TakenOver { holder } => ("taken-over", format!("the record was taken over from {holder}")),
        Departure::ClockSteppedBack { ms } => {
            ("clock-stepped-back", format!("the clock ran back by {}", Span { ms: *ms }))
        }
        Departure::TailRecovered { bytes } => {
            ("tail-recovered", format!("a crash cut a line short; its {bytes} bytes were set aside"))
        }
    }
}
