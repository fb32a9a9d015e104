//! What a drill does not prove.

use super::{Met, StepFigures, Summary};
use crate::check::Verdict;
use crate::engine::session::{Session, Standing};

/// Something the drill does not prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// Simulated servers answered.
    Simulated,
    /// It was never closed.
    NotClosed,
    /// Steps that were not finished.
    NotReached(Vec<String>),
    /// Steps that were skipped.
    Skipped(Vec<String>),
    /// Steps with a verdict that was overridden.
    Overridden(Vec<String>),
    /// Steps that could not be proven either way.
    Unknown(Vec<String>),
    /// Steps that rest on a person's word.
    Attested(Vec<String>),
    /// Steps that were recorded as not applicable.
    NotApplicable(Vec<String>),
    /// Servers that could not be talked to when last asked.
    OutOfReach(Vec<String>),
    /// Servers whose certificate is not verified.
    TrustedUnverified(Vec<String>),
    /// Roles of the runbook that no server or computer holds.
    RolesNotHeld(Vec<String>),
    /// The recovery time is not measured end to end.
    RtoNotEndToEnd,
    /// The recovery time is not measured.
    RtoNotMeasured,
    /// The recovery point is not measured.
    RpoNotMeasured,
    /// The drill's own backups flatter the recovery point.
    RpoWithOwnBackups,
}

impl Limit {
    /// The steps, servers or roles it names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::NotReached(all)
            | Self::Skipped(all)
            | Self::Overridden(all)
            | Self::Unknown(all)
            | Self::Attested(all)
            | Self::NotApplicable(all)
            | Self::OutOfReach(all)
            | Self::TrustedUnverified(all)
            | Self::RolesNotHeld(all) => all,
            _ => &[],
        }
    }
}

pub(super) fn roles_not_held(session: &Session) -> Vec<String> {
    let held = |role: &String| session.inputs().roles.get(role).is_some_and(|all| !all.is_empty());
    session.book.roles.keys().filter(|r| !held(r)).cloned().collect()
}

pub(super) fn limits(session: &Session, summary: &Summary) -> Vec<Limit> {
    let ids = |is: &dyn Fn(&StepFigures) -> bool| -> Vec<String> {
        let steps = session.book.steps.iter().zip(&summary.steps);
        steps.filter(|(_, f)| is(f)).map(|(s, _)| s.id.clone()).collect()
    };
    let inputs = session.inputs();
    let away = session.contact.iter().filter(|(_, there)| !**there).map(|(s, _)| s.clone()).collect();
    let unverified =
        inputs.servers.iter().filter(|(_, s)| s.tls == "trusted").map(|(n, _)| n.clone()).collect();
    let lists = [
        Limit::NotReached(ids(&|f| !f.standing.is_settled())),
        Limit::Skipped(ids(&|f| f.standing == Standing::Skipped)),
        Limit::Overridden(ids(&|f| f.standing == Standing::Overridden)),
        Limit::Unknown(ids(&|f| f.standing == Standing::Judged(Verdict::Unknown))),
        Limit::Attested(ids(&|f| f.attested && matches!(f.standing, Standing::Judged(_)))),
        Limit::NotApplicable(ids(&|f| {
            matches!(f.standing, Standing::DoesNotApply | Standing::Judged(Verdict::NotApplicable))
        })),
        Limit::OutOfReach(away),
        Limit::TrustedUnverified(unverified),
        Limit::RolesNotHeld(roles_not_held(session)),
    ];
    let flags = [
        (session.simulated, Limit::Simulated),
        (session.closed.is_none(), Limit::NotClosed),
        (summary.rto.met == Met::NotMeasured, Limit::RtoNotMeasured),
        (summary.rto.met != Met::NotMeasured && !summary.rto.gaps.is_empty(), Limit::RtoNotEndToEnd),
        (summary.rpo.met == Met::NotMeasured, Limit::RpoNotMeasured),
        (summary.rpo_without_own_backups.is_some(), Limit::RpoWithOwnBackups),
    ];
    let flags = flags.into_iter().filter(|(on, _)| *on).map(|(_, limit)| limit);
    flags.chain(lists.into_iter().filter(|l| !l.names().is_empty())).collect()
}
