//! Judging a round: answers and runbook in, judgements out. Verify calls the same function to judge again.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::event::{Item, QuestionRef, RoundKey, Stage};
use super::inputs::Captured;
use super::plan::{self, HOLD, RESOLVE};
use super::session::{Attempt, Session};
use crate::analysis::{self, Answer, Case};
use crate::check::{Finding, Judgement, Verdict, expect};
use crate::reading::{Cell, Reading, Trouble, TroubleCode};
use crate::runbook::{Action, Do, JobVerb, Judge, Proof, Step, StepKind};

/// Outcomes of a round by question.
pub(super) type Outcomes = BTreeMap<QuestionRef, Result<Arc<Reading>, Trouble>>;

/// What a round amounts to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judged {
    /// One per thing judged; never empty.
    pub judgements: Vec<Judgement>,
    /// Values for later steps.
    pub captures: BTreeMap<String, Captured>,
    /// What will be acted on, by server (resolve stage).
    pub items: BTreeMap<String, Vec<Item>>,
    /// Jobs that appeared and must be disabled now: server and item (outcome stage).
    pub held: Vec<(String, Item)>,
    /// Whether something is still running, so that the verdict is not ripe (outcome stage).
    pub pending: bool,
}

impl Judged {
    /// The worst verdict.
    pub fn verdict(&self) -> Verdict {
        Verdict::worst(self.judgements.iter().map(|j| j.verdict))
    }
}

/// Judges the answers of a round as the session stands (the attempt's `Asked` applied, nothing later).
pub fn judge_round(session: &Session, key: &RoundKey, outcomes: &Outcomes, now: DateTime<Utc>) -> Judged {
    let found = session.step(&key.step).and_then(|(step, state)| {
        let attempt = state.attempts.iter().rev().find(|a| a.number == key.attempt)?;
        Some((step, attempt))
    });
    let Some((step, attempt)) = found else {
        return Judged {
            judgements: vec![Judgement::whole(Verdict::Unknown, vec![Finding::new("nothing-to-ask")])],
            ..Judged::default()
        };
    };
    let round = Bench { session, step, attempt, outcomes, now };
    let mut judged = match (key.stage, &step.kind) {
        (Stage::Resolve, StepKind::Do(work)) => round.resolve(work),
        (Stage::Outcome, StepKind::Do(work)) => round.outcome(work),
        // Settling is decided by a person; the readings are only shown.
        (Stage::Settle, _) => {
            Judged { judgements: vec![Judgement::whole(Verdict::Unknown, Vec::new())], ..Judged::default() }
        }
        _ => round.proofs(key.stage),
    };
    if key.stage == Stage::Prove {
        judged.judgements.extend(attempt.outcome_judgements.iter().filter(|j| !j.verdict.opens()).cloned());
    }
    if matches!(key.stage, Stage::Prove | Stage::Outcome) {
        judged.judgements.extend(round.failed_acts());
    }
    if judged.judgements.is_empty() {
        judged.judgements.push(Judgement::whole(Verdict::Unknown, vec![Finding::new("nothing-examined")]));
    }
    judged
}

/// Everything at hand while a round is judged.
struct Bench<'a> {
    session: &'a Session,
    step: &'a Step,
    attempt: &'a Attempt,
    outcomes: &'a Outcomes,
    now: DateTime<Utc>,
}

fn no_answer(trouble: &Trouble) -> Finding {
    let finding =
        Finding::new("no-answer").with("trouble", trouble.code.key()).with("message", &*trouble.message);
    match trouble.number {
        Some(number) => finding.with("number", number),
        None => finding,
    }
}

/// A reading that may be judged; a truncated one may not.
fn whole(outcome: &Result<Arc<Reading>, Trouble>) -> Result<Arc<Reading>, Trouble> {
    match outcome {
        Ok(reading) if reading.truncated => Err(Trouble::new(
            TroubleCode::Truncated,
            format!("{} rows came, {} are kept", reading.row_count, reading.rows.len()),
        )),
        other => other.clone(),
    }
}

impl Bench<'_> {
    fn answers(&self, proof: usize) -> BTreeMap<String, Vec<Answer>> {
        let mut by_ask: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
        for question in self.attempt.asked.iter().filter(|q| q.proof == proof) {
            let missing = || Err(Trouble::new(TroubleCode::Other, "no outcome came home"));
            by_ask.entry(question.ask.clone()).or_default().push(Answer {
                server: question.server.clone(),
                database: question.database.clone(),
                outcome: self.outcomes.get(question).map_or_else(missing, whole),
            });
        }
        by_ask
    }

    fn proofs(&self, stage: Stage) -> Judged {
        let mut judged = Judged::default();
        let blanks = self.session.plan(self.step, Some(self.attempt), stage).blanks;
        for (i, proof) in plan::proofs(self.step, stage).iter().enumerate() {
            for blank in blanks.iter().filter(|b| b.proof == i) {
                judged.judgements.push(Judgement {
                    verdict: Verdict::Unknown,
                    server: blank.server.clone(),
                    database: None,
                    findings: vec![Finding::new(blank.code).with("ask", &*blank.ask)],
                });
            }
            let answers = self.answers(i);
            match &proof.judge {
                Judge::Expect(expectations) => {
                    for answer in answers.values().flatten() {
                        judged.judgements.push(self.expect(expectations, answer));
                    }
                }
                Judge::Analysis { name, expect, with } => {
                    self.analyse(&mut judged, proof, &answers, name, expect.as_deref(), with);
                }
            }
        }
        judged
    }

    fn expect(&self, expectations: &[expect::Expectation], answer: &Answer) -> Judgement {
        let (verdict, findings) = match &answer.outcome {
            Err(trouble) => (Verdict::Unknown, vec![no_answer(trouble)]),
            Ok(reading) => {
                let covers = expectations
                    .iter()
                    .enumerate()
                    .filter_map(|(i, e)| match &e.what {
                        expect::What::Covers { values, .. } => {
                            let filled =
                                self.session.fill(values, &answer.server, Some(self.attempt))?.to_string();
                            let wanted = filled.split('|').filter(|w| !w.is_empty());
                            Some((i, wanted.map(Cell::text).collect()))
                        }
                        _ => None,
                    })
                    .collect();
                let setting =
                    expect::Setting { thresholds: self.session.inputs().thresholds.clone(), covers };
                expect::judge(expectations, reading, &setting)
            }
        };
        Judgement {
            verdict,
            server: Some(answer.server.clone()),
            database: answer.database.clone(),
            findings,
        }
    }

    fn analyse(
        &self,
        judged: &mut Judged,
        proof: &Proof,
        answers: &BTreeMap<String, Vec<Answer>>,
        name: &str,
        expect: Option<&str>,
        with: &BTreeMap<String, crate::runbook::Value>,
    ) {
        let unknown = |finding| Judgement::whole(Verdict::Unknown, vec![finding]);
        let Some(analysis) = analysis::find(name) else {
            judged.judgements.push(unknown(Finding::new("no-such-analysis").with("name", name)));
            return;
        };
        let with = match self.session.fill_all(with, "", Some(self.attempt)) {
            Ok(with) => with,
            Err(trouble) => {
                judged.judgements.push(unknown(no_answer(&trouble)));
                return;
            }
        };
        let case = Case {
            answers,
            expect,
            with: &with,
            inputs: self.session.inputs(),
            captured: &self.session.captured,
            typed: &self.session.typed,
            now: self.now,
        };
        let conclusion = (analysis.run)(&case);
        if conclusion.judgements.is_empty() {
            judged.judgements.push(unknown(Finding::new("nothing-examined").with("analysis", name)));
        }
        judged.judgements.extend(conclusion.judgements);
        judged.captures.extend(conclusion.captures);
        // Who may not be down and did not answer makes the verdict unknown, whatever the analysis thinks.
        for ask in &proof.asks {
            if self.session.book.roles.get(&ask.on).is_some_and(|r| r.may_be_down) {
                continue;
            }
            for answer in answers.get(&ask.name).into_iter().flatten() {
                if let Err(trouble) = &answer.outcome {
                    judged.judgements.push(Judgement {
                        verdict: Verdict::Unknown,
                        server: Some(answer.server.clone()),
                        database: answer.database.clone(),
                        findings: vec![no_answer(trouble)],
                    });
                }
            }
        }
    }

    fn resolve(&self, work: &Do) -> Judged {
        let mut judged = Judged::default();
        let Action::Job { verb, every, .. } = &work.action else { return judged };
        for answer in self.answers(0).remove(RESOLVE).into_iter().flatten() {
            let server = answer.server.clone();
            let fail = |verdict, finding| Judgement::of_server(verdict, answer.server.clone(), vec![finding]);
            let reading = match &answer.outcome {
                Ok(reading) => reading,
                Err(trouble) => {
                    judged.judgements.push(fail(Verdict::Unknown, no_answer(trouble)));
                    continue;
                }
            };
            let Some(items) = items(reading, *verb) else {
                let finding = Finding::new("column-missing").with("column", "job_id, name");
                judged.judgements.push(fail(Verdict::Unknown, finding));
                continue;
            };
            if *every && reading.rows.is_empty() {
                judged.judgements.push(fail(Verdict::Unknown, Finding::new("nothing-examined")));
            } else if !*every && items.len() != 1 {
                let names: Vec<&str> = items.iter().map(|i| i.name.as_str()).collect();
                let finding = Finding::new("not-exactly-one")
                    .with("count", items.len() as i64)
                    .with("names", names.join(", "));
                judged.judgements.push(fail(Verdict::Fail, finding));
            } else {
                judged.judgements.push(Judgement::of_server(Verdict::Pass, server.clone(), Vec::new()));
                judged.items.insert(server, items);
            }
        }
        for blank in &self.session.plan(self.step, Some(self.attempt), Stage::Resolve).blanks {
            let finding = Finding::new(blank.code).with("ask", &*blank.ask);
            judged.judgements.push(Judgement {
                verdict: Verdict::Unknown,
                server: blank.server.clone(),
                database: None,
                findings: vec![finding],
            });
        }
        // Nothing left to start because every server came to a good end before.
        if judged.judgements.is_empty() && !self.session.already_started(self.step).is_empty() {
            judged.judgements.push(Judgement::whole(Verdict::Pass, Vec::new()));
        }
        judged
    }

    fn outcome(&self, work: &Do) -> Judged {
        let mut judged = Judged::default();
        for (ask, answers) in self.answers(0) {
            let id = ask.strip_prefix("outcome/").unwrap_or(&ask);
            for answer in answers {
                let name = self
                    .attempt
                    .acts
                    .iter()
                    .find(|d| d.item.id == id && d.act.server == answer.server)
                    .map_or(id, |d| d.item.name.as_str());
                let (verdict, finding, pending) = match &answer.outcome {
                    Err(trouble) => (Verdict::Unknown, no_answer(trouble), true),
                    Ok(reading) => job_outcome(reading, name),
                };
                judged.pending |= pending;
                judged.judgements.push(Judgement::of_server(verdict, answer.server, vec![finding]));
            }
        }
        judged.judgements.extend(
            self.attempt
                .outcome_judgements
                .iter()
                .filter(|old| !judged.judgements.iter().any(|j| j.server == old.server))
                .cloned()
                .collect::<Vec<_>>(),
        );
        if work.hold.is_some() {
            self.hold(&mut judged);
        }
        judged
    }

    /// The watch over jobs that appear while the action runs (R1).
    fn hold(&self, judged: &mut Judged) {
        for answer in self.answers(1).remove(HOLD).into_iter().flatten() {
            let blind =
                |finding| Judgement::of_server(Verdict::Unknown, answer.server.clone(), vec![finding]);
            let reading = match &answer.outcome {
                Ok(reading) if !reading.rows.is_empty() => reading,
                Ok(_) => {
                    judged.judgements.push(blind(Finding::new("hold-blind")));
                    judged.pending = true;
                    continue;
                }
                Err(trouble) => {
                    judged.judgements.push(blind(no_answer(trouble)));
                    judged.pending = true;
                    continue;
                }
            };
            for row in 0..reading.rows.len() {
                let is = |column| reading.cell(row, column).and_then(Cell::as_bool);
                let text = |column| reading.cell(row, column).and_then(Cell::as_str);
                // What cannot be told apart from a new job is treated as one; and a disabled job may still run.
                if (is("enabled") != Some(false) || is("running") == Some(true))
                    && is("known") != Some(true)
                    && let (Some(id), Some(name)) = (text("job_id"), text("name"))
                {
                    judged.held.push((answer.server.clone(), plan::hold_item(id, name)));
                    judged.pending = true;
                }
            }
        }
    }

    fn failed_acts(&self) -> Vec<Judgement> {
        self.attempt
            .acts
            .iter()
            .filter(|d| !d.hold && d.state.did_not_happen())
            .map(|d| {
                let finding = match &d.state {
                    super::session::ActState::Acted(super::event::ActOutcome::Failed(trouble)) => {
                        Finding::new("action-failed")
                            .with("message", &*trouble.message)
                            .with("number", trouble.number.map_or(Cell::Null, Cell::Int))
                    }
                    _ => Finding::new("action-did-not-happen"),
                };
                Judgement::of_server(
                    Verdict::Fail,
                    d.act.server.clone(),
                    vec![finding.with("name", &*d.item.name)],
                )
            })
            .collect()
    }
}

/// The jobs a resolve reading names; `None` when it lacks the columns.
fn items(reading: &Reading, verb: JobVerb) -> Option<Vec<Item>> {
    reading.column("job_id")?;
    reading.column("name")?;
    (0..reading.rows.len())
        .filter(|row| {
            reading.column("wanted").is_none()
                || reading.cell(*row, "wanted").and_then(Cell::as_bool) == Some(true)
        })
        .map(|row| {
            let text = |column| reading.cell(row, column).and_then(Cell::as_str);
            let baseline = reading.cell(row, "last_instance_id").and_then(Cell::as_i128).unwrap_or(0);
            let baseline = i64::try_from(baseline).unwrap_or(0);
            Some(plan::job_item(verb, text("job_id")?, text("name")?, text("start_step"), baseline))
        })
        .collect()
}

/// Verdict, finding, and whether the job may still be running. `run_status`: 0 failed, 1 succeeded, 2 retry, 3 cancelled, 4 in progress.
fn job_outcome(reading: &Reading, name: &str) -> (Verdict, Finding, bool) {
    let number = |column| reading.cell(0, column).and_then(Cell::as_i128);
    let message = reading.cell(0, "message").filter(|c| !c.is_null()).cloned().unwrap_or(Cell::text(""));
    let finding = |code| Finding::new(code).with("name", name);
    if reading.rows.is_empty() {
        return (Verdict::Unknown, finding("job-outcome-missing"), true);
    }
    match number("run_status") {
        Some(1) => {
            let seconds = reading.cell(0, "duration_seconds").cloned().unwrap_or(Cell::Null);
            (Verdict::Pass, finding("job-succeeded").with("seconds", seconds), false)
        }
        Some(0) => (Verdict::Fail, finding("job-failed").with("message", message), false),
        Some(3) => (Verdict::Fail, finding("job-cancelled").with("message", message), false),
        Some(_) => (Verdict::Unknown, finding("job-running"), true),
        None if number("running") == Some(1) || number("queued") == Some(1) => {
            (Verdict::Unknown, finding("job-running"), true)
        }
        None => (Verdict::Unknown, finding("job-outcome-missing"), true),
    }
}
