//! What a rule may look at, and the way from a part of a checked runbook back to its place in the text.
//!
//! Knows no rules.

use std::sync::Arc;

use super::super::{Action, Ask, Judge, Proof, Runbook, Step, StepKind, Value as Given};
use crate::analysis::Analysis;
use crate::sql::{Catalogue, Query};
use crate::yaml::{Segment, Value};

/// Everything a rule may look at.
pub(super) struct Site<'a> {
    pub(super) book: &'a Runbook,
    pub(super) value: &'a Value,
    pub(super) catalogue: &'a Catalogue,
    pub(super) analyses: &'a [Analysis],
}

/// What a query is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Asked and judged.
    Question,
    /// Finds the job acted on.
    Resolve,
    /// Watches for jobs that appear.
    Hold,
    /// Acts.
    Act,
}

/// An ask with its place.
pub(super) struct Asked<'a> {
    pub(super) ask: &'a Ask,
    pub(super) used: Use,
    /// The step it belongs to.
    pub(super) step: &'a Step,
    /// The map with `query`, `in` and `with`.
    pub(super) path: Vec<Segment>,
}

/// A proof with its place.
pub(super) struct Proven<'a> {
    pub(super) proof: &'a Proof,
    pub(super) path: Vec<Segment>,
}

impl Proven<'_> {
    /// The place of one of its expectations.
    pub(super) fn expectation(&self, index: usize) -> Vec<Segment> {
        at(&at(&self.path, "expect"), index)
    }
}

pub(super) fn at(path: &[Segment], next: impl Into<Segment>) -> Vec<Segment> {
    path.iter().cloned().chain([next.into()]).collect()
}

impl<'a> Site<'a> {
    fn node(&self, path: &[Segment]) -> Option<&'a Value> {
        path.iter().try_fold(self.value, |node, segment| match segment {
            Segment::Key(key) => node.get(key.as_str()),
            Segment::Index(n) => node.get(*n),
        })
    }

    /// The place of a step.
    pub(super) fn step(&self, step: &Step) -> Vec<Segment> {
        let before =
            self.book.steps.iter().filter(|s| s.phase == step.phase && s.number < step.number).count();
        vec!["phases".into(), step.phase.into(), "steps".into(), before.into()]
    }

    /// The place of a key of a step.
    pub(super) fn step_key(&self, step: &Step, key: &str) -> Vec<Segment> {
        at(&self.step(step), key)
    }

    /// The proofs of a step.
    pub(super) fn proofs(&self, step: &'a Step) -> Vec<Proven<'a>> {
        let path = self.step(step);
        let (all, path): (&[Proof], _) = match &step.kind {
            StepKind::Check(all) => (all, at(&path, "check")),
            StepKind::Do(work) => (&work.prove, at(&path, "prove")),
            StepKind::Manual { prove, .. } => (prove, at(&path, "prove")),
            StepKind::Wait { until, .. } => (until, at(&at(&path, "wait"), "until")),
            StepKind::Enter(_) => (&[], path),
        };
        let listed = self.node(&path).is_some_and(Value::is_sequence);
        let place = |n: usize| if listed { at(&path, n) } else { path.clone() };
        all.iter().enumerate().map(|(n, proof)| Proven { proof, path: place(n) }).collect()
    }

    /// Every proof of the runbook, with its step.
    pub(super) fn all_proofs(&self) -> Vec<(&'a Step, Proven<'a>)> {
        self.book.steps.iter().flat_map(|s| self.proofs(s).into_iter().map(move |p| (s, p))).collect()
    }

    /// Every query used by the runbook, with its place.
    pub(super) fn asked(&self) -> Vec<Asked<'a>> {
        let mut all = Vec::new();
        for step in &self.book.steps {
            let base = self.step(step);
            if let StepKind::Do(work) = &step.kind {
                let path = at(&base, "do");
                match &work.action {
                    Action::Sql(ask) => all.push(Asked { ask, used: Use::Act, step, path: at(&path, "sql") }),
                    Action::Job { verb, resolve, .. } => {
                        let path = at(&at(&path, "job"), verb_key(*verb));
                        all.push(Asked { ask: resolve, used: Use::Resolve, step, path });
                    }
                }
                if let Some(ask) = &work.hold {
                    all.push(Asked { ask, used: Use::Hold, step, path: at(&path, "hold") });
                }
            }
            for Proven { proof, path } in self.proofs(step) {
                let named = self.node(&at(&path, "ask")).is_some();
                for ask in &proof.asks {
                    let path = if named { at(&at(&path, "ask"), ask.name.as_str()) } else { path.clone() };
                    all.push(Asked { ask, used: Use::Question, step, path });
                }
            }
        }
        all
    }

    /// Every value a step puts into questions and judgements, with its place.
    pub(super) fn values(&self) -> Vec<(&'a Step, &'a Given, Vec<Segment>)> {
        let mut all = Vec::new();
        for Asked { ask, step, path, .. } in self.asked() {
            all.extend(ask.with.iter().map(|(name, v)| (step, v, at(&at(&path, "with"), name.as_str()))));
        }
        for (step, proven) in self.all_proofs() {
            match &proven.proof.judge {
                Judge::Analysis { with, .. } => {
                    let path = at(&at(&proven.path, "judge"), "with");
                    all.extend(with.iter().map(|(name, v)| (step, v, at(&path, name.as_str()))));
                }
                Judge::Expect(expectations) => {
                    for (n, expectation) in expectations.iter().enumerate() {
                        if let crate::check::expect::What::Covers { values, .. } = &expectation.what {
                            all.push((step, values, at(&proven.expectation(n), "values")));
                        }
                    }
                }
            }
        }
        all
    }

    pub(super) fn query(&self, name: &str) -> Option<&'a Arc<Query>> {
        self.catalogue.get(name)
    }

    pub(super) fn analysis(&self, name: &str) -> Option<&'a Analysis> {
        self.analyses.iter().find(|a| a.name == name)
    }
}

pub(super) fn verb_key(verb: super::super::JobVerb) -> &'static str {
    match verb {
        super::super::JobVerb::Disable => "disable",
        super::super::JobVerb::Enable => "enable",
        super::super::JobVerb::Start => "start",
    }
}

/// The variants of a query that do not declare a column, by their path.
pub(super) fn lacking<'q>(query: &'q Query, column: &str) -> Vec<&'q str> {
    query
        .variants
        .iter()
        .filter(|v| !v.columns.iter().any(|c| c.name.eq_ignore_ascii_case(column)))
        .map(|v| v.path.as_str())
        .collect()
}

/// The column an expectation looks at.
pub(super) fn column_of(what: &crate::check::expect::What) -> Option<&str> {
    use crate::check::expect::What;
    match what {
        What::Every { column, .. }
        | What::None { column, .. }
        | What::Within { column, .. }
        | What::Age { column, .. }
        | What::Present { column }
        | What::SameAcross { column }
        | What::Increasing { column }
        | What::Covers { column, .. } => Some(column),
        What::Rows { .. } => None,
    }
}
