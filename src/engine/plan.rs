//! Which questions a stage puts: roles become servers, places become databases, values are filled in.

use std::collections::BTreeMap;

use super::errand::Question;
use super::event::{Item, QuestionRef, Stage};
use super::inputs::Captured;
use super::session::{Attempt, Session};
use crate::limits;
use crate::reading::{Cell, Trouble, TroubleCode};
use crate::runbook::{Action, Ask, Do, JobVerb, Place, Proof, Step, StepKind, Value};

/// The query that tells what a job came to.
pub(super) const JOB_OUTCOME: &str = "agent/job-outcome";
/// The name of the ask that finds what is acted on.
pub(super) const RESOLVE: &str = "resolve";
/// The name of the ask that watches for jobs that appear (R1).
pub(super) const HOLD: &str = "hold";

/// A question that cannot be put, and why; judged Unknown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blank {
    pub(super) proof: usize,
    pub(super) ask: String,
    pub(super) server: Option<String>,
    pub(super) code: &'static str,
}

/// What a stage asks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) questions: Vec<Question>,
    pub(super) blanks: Vec<Blank>,
}

impl Plan {
    pub(super) fn references(&self) -> Vec<QuestionRef> {
        self.questions.iter().map(|q| q.reference.clone()).collect()
    }
}

/// The proofs of a step's check or prove stage.
pub(super) fn proofs(step: &Step, stage: Stage) -> &[Proof] {
    match (&step.kind, stage) {
        (StepKind::Check(proofs) | StepKind::Wait { until: proofs, .. }, Stage::Check) => proofs,
        (StepKind::Do(Do { prove, .. }) | StepKind::Manual { prove, .. }, Stage::Prove | Stage::Settle) => {
            prove
        }
        _ => &[],
    }
}

impl Session {
    /// The questions of a stage. `attempt` is the one under way (or about to begin, `None`).
    pub(super) fn plan(&self, step: &Step, attempt: Option<&Attempt>, stage: Stage) -> Plan {
        let mut plan = Plan::default();
        match (&step.kind, stage) {
            (StepKind::Do(work), Stage::Resolve) => {
                if let Action::Job { resolve, .. } = &work.action {
                    let left_out = self.already_started(step);
                    let ask = Ask { name: RESOLVE.to_owned(), on: work.on.clone(), ..resolve.clone() };
                    self.plan_ask(&mut plan, attempt, 0, &ask);
                    plan.questions.retain(|q| !left_out.contains(&q.reference.server));
                }
            }
            (StepKind::Do(work), Stage::Outcome) => {
                plan_outcomes(&mut plan, attempt, |d| d.state.happened());
                if let Some(hold) = &work.hold {
                    let ask = Ask { name: HOLD.to_owned(), ..hold.clone() };
                    self.plan_ask(&mut plan, attempt, 1, &ask);
                }
            }
            (StepKind::Do(work), Stage::Settle) => {
                if matches!(work.action, Action::Job { .. }) {
                    plan_outcomes(&mut plan, attempt, |_| true);
                }
                for (i, proof) in proofs(step, stage).iter().enumerate() {
                    // Proof 0 is the job's own state; the runbook's proofs follow.
                    proof.asks.iter().for_each(|ask| self.plan_ask(&mut plan, attempt, i + 1, ask));
                }
            }
            _ => {
                for (i, proof) in proofs(step, stage).iter().enumerate() {
                    proof.asks.iter().for_each(|ask| self.plan_ask(&mut plan, attempt, i, ask));
                }
            }
        }
        plan
    }

    fn plan_ask(&self, plan: &mut Plan, attempt: Option<&Attempt>, proof: usize, ask: &Ask) {
        let blank = |server: Option<&str>, code| Blank {
            proof,
            ask: ask.name.clone(),
            server: server.map(str::to_owned),
            code,
        };
        let servers = self.inputs().roles.get(&ask.on).cloned().unwrap_or_default();
        if servers.is_empty() {
            plan.blanks.push(blank(None, "nothing-to-ask"));
        }
        for server in servers {
            let databases = self.databases(ask.place.as_ref(), &server);
            if databases.is_empty() {
                plan.blanks.push(blank(Some(&server), "scope-unknown"));
            }
            for database in databases {
                let reference =
                    QuestionRef { proof, ask: ask.name.clone(), server: server.clone(), database };
                plan.questions.push(Question {
                    with: self.fill_all(&ask.with, &server, attempt),
                    query: ask.query.clone(),
                    deadline_ms: ask
                        .deadline
                        .and_then(|d| u64::try_from(d.ms).ok())
                        .unwrap_or(limits::QUESTION_DEADLINE_MS),
                    reference,
                });
            }
        }
    }

    /// Where a place is on a server: `None` = where the query's header says; no database at all when the scope is not known.
    pub(super) fn databases(&self, place: Option<&Place>, server: &str) -> Vec<Option<String>> {
        match place {
            None => vec![None],
            Some(Place::Master) => vec![Some("master".to_owned())],
            Some(Place::Msdb) => vec![Some("msdb".to_owned())],
            Some(Place::Management) => vec![Some(self.inputs().management_database.clone())],
            Some(Place::Named(name)) => vec![Some(name.clone())],
            Some(Place::EachScopeDatabase) => self.scope_of(server).into_iter().map(Some).collect(),
        }
    }

    /// The databases of the scope that a server holds; empty when not known.
    pub fn scope_of(&self, server: &str) -> Vec<String> {
        match self.captured.get("scope") {
            Some(Captured::PerServer(map)) => map.get(server).cloned().unwrap_or_default(),
            Some(Captured::List(all)) => all.clone(),
            _ => self.inputs().scope.clone().unwrap_or_default(),
        }
    }

    pub(super) fn fill_all(
        &self,
        with: &BTreeMap<String, Value>,
        server: &str,
        attempt: Option<&Attempt>,
    ) -> Result<BTreeMap<String, Cell>, Trouble> {
        with.iter()
            .map(|(name, value)| {
                let cell = self.fill(value, server, attempt).ok_or_else(|| {
                    Trouble::new(
                        TroubleCode::Unfilled,
                        format!("@{name} cannot be filled in: {} is not known yet", wording(value)),
                    )
                })?;
                Ok((name.clone(), cell))
            })
            .collect()
    }

    pub(super) fn fill(&self, value: &Value, server: &str, attempt: Option<&Attempt>) -> Option<Cell> {
        match value {
            Value::Literal(cell) => Some(cell.clone()),
            Value::Answer(step, field) => self.typed.get(step)?.get(field).cloned(),
            Value::Captured(name) => self.captured.get(name)?.for_server(server),
            Value::Threshold(name) => self
                .inputs()
                .thresholds
                .get(name)
                .map(|n| if n.fract() == 0.0 { Cell::Int(*n as i64) } else { Cell::Float { float: *n } }),
            Value::Resolved(column) => {
                let item = attempt?.resolved.get(server)?.first()?;
                match column.as_str() {
                    "job_id" => Some(Cell::text(&*item.id)),
                    "name" => Some(Cell::text(&*item.name)),
                    other => item.with.get(other).cloned(),
                }
            }
            Value::Estate(fact) => {
                let inputs = self.inputs();
                let names = |role: &str| {
                    let known = |s: &String| {
                        let expected = inputs.servers.get(s).and_then(|i| i.expect_name.clone());
                        self.facts.get(s).map(|f| f.name.clone()).or(expected).unwrap_or_else(|| s.clone())
                    };
                    Some(inputs.roles.get(role)?.iter().map(known).collect::<Vec<_>>().join("|"))
                };
                let text = match fact.as_str() {
                    "management-database" => Some(inputs.management_database.clone()),
                    "scope" => Some(self.scope_of(server).join("|")).filter(|s| !s.is_empty()),
                    "source-names" => names("source"),
                    "destination-names" => names("destination"),
                    _ => None,
                };
                text.map(Cell::Text)
            }
        }
    }

    /// Servers on which this step's job was started in an earlier attempt and came to a good end; they are left alone.
    pub(super) fn already_started(&self, step: &Step) -> Vec<String> {
        let StepKind::Do(Do { action: Action::Job { verb: JobVerb::Start, .. }, .. }) = &step.kind else {
            return Vec::new();
        };
        let Some((_, state)) = self.step(&step.id) else { return Vec::new() };
        let mut done: Vec<String> = state
            .attempts
            .iter()
            .flat_map(|a| &a.outcome_judgements)
            .filter(|j| j.verdict.opens())
            .filter_map(|j| j.server.clone())
            .collect();
        done.sort();
        done.dedup();
        done
    }
}

fn wording(value: &Value) -> String {
    match value {
        Value::Literal(cell) => cell.to_string(),
        Value::Answer(step, field) => format!("the answer {step}.{field}"),
        Value::Captured(name) => format!("the captured value {name}"),
        Value::Threshold(name) => format!("the threshold {name}"),
        Value::Resolved(column) => format!("the resolved {column}"),
        Value::Estate(fact) => format!("the estate's {fact}"),
    }
}

/// The item that disables a job that appeared, and stops it when it runs.
pub(super) fn hold_item(job_id: &str, name: &str) -> Item {
    Item { query: "agent/hold-job".to_owned(), ..job_item(JobVerb::Disable, job_id, name, None, 0) }
}

/// The item that carries out a job verb on one job.
pub(super) fn job_item(
    verb: JobVerb,
    job_id: &str,
    name: &str,
    start_step: Option<&str>,
    baseline: i64,
) -> Item {
    let mut with = BTreeMap::from([("job_id".to_owned(), Cell::text(job_id))]);
    let query = match verb {
        JobVerb::Disable => "agent/disable-job",
        JobVerb::Enable => "agent/enable-job",
        JobVerb::Start => {
            with.insert("step_name".to_owned(), start_step.map_or(Cell::Null, Cell::text));
            "agent/start-job"
        }
    };
    Item {
        id: job_id.to_owned(),
        name: name.to_owned(),
        query: query.to_owned(),
        database: None,
        with,
        baseline: Some(baseline),
    }
}

/// The outcome of each action that is asked about.
fn plan_outcomes(plan: &mut Plan, attempt: Option<&Attempt>, which: impl Fn(&super::session::Doing) -> bool) {
    let acts = attempt.map(|a| a.acts.as_slice()).unwrap_or_default();
    for doing in acts.iter().filter(|d| !d.hold && which(d)) {
        plan.questions.push(Question {
            reference: QuestionRef {
                proof: 0,
                ask: format!("outcome/{}", doing.item.id),
                server: doing.act.server.clone(),
                database: None,
            },
            query: JOB_OUTCOME.to_owned(),
            with: Ok(BTreeMap::from([
                ("job_id".to_owned(), Cell::text(&*doing.item.id)),
                ("baseline".to_owned(), Cell::Int(doing.item.baseline.unwrap_or(0))),
            ])),
            deadline_ms: limits::QUESTION_DEADLINE_MS,
        });
    }
}
