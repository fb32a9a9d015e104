//! One step: its kind, its condition, its repeat and its guard.
//!
//! Knows nothing of the order of steps.

use std::collections::BTreeMap;

use super::super::raw::{RawDo, RawField, RawGuard, RawJob, RawResolve, RawStep, RawTyped, RawWait, RawWhen};
use super::super::{Action, Ask, Do, Field, FieldKind, Guard, JobVerb, Repeat, Step, StepKind, Typed, When};
use super::{Reader, at, kinds};
use crate::reading::Cell;
use crate::yaml::Segment;

const KINDS: &str = "a step has one of `check`, `do`, `manual`, `enter`, `wait`";

impl Reader<'_> {
    pub(super) fn step(&mut self, path: &[Segment], raw: &RawStep, number: u16, phase: usize) -> Step {
        self.id(&at(path, "step"), &raw.step);
        self.title(&at(path, "title"), &raw.title);
        self.positive(&at(path, "plan"), raw.plan);
        for (n, need) in raw.needs.iter().enumerate() {
            let place = at(&at(path, "needs"), n);
            if raw.needs[..n].contains(need) {
                self.wrong(&place, "duplicate-need", format!("`{need}` is needed twice"), "say it once");
            }
            self.step_exists(&place, need);
        }
        let have = kinds(raw);
        match have.as_slice() {
            [_] => {}
            [] if self.is_damaged(path) => {}
            [] => self.wrong(path, "no-kind", format!("step `{}` does nothing", raw.step), KINDS),
            [_, second, ..] => {
                let message = format!("step `{}` is both {}", raw.step, have.join(" and "));
                self.wrong_key(&at(path, *second), "several-kinds", message, KINDS);
            }
        }
        if raw.prove.is_some() && raw.r#do.is_none() && raw.manual.is_none() && !self.is_damaged(path) {
            let help = "use `check:`, or put it beside `do:` or `manual:`";
            self.wrong_key(&at(path, "prove"), "prove-alone", "`prove` without anything to prove", help);
        }
        let kind = self.kind(path, raw);
        self.repeat(path, raw, &kind);
        Step {
            number,
            id: raw.step.clone(),
            phase,
            title: raw.title.clone(),
            why: raw.why.clone(),
            remedy: raw.remedy.clone(),
            needs: raw.needs.clone(),
            when: raw.when.as_ref().map(|w| self.when(&at(path, "when"), w)),
            plan: raw.plan,
            repeat: raw.repeat.map(|r| Repeat { every: r.every, during: r.r#for }),
            guard: raw.guard.as_ref().map(|g| self.guard(&at(path, "guard"), g, raw, &kind)),
            kind,
        }
    }

    fn kind(&mut self, path: &[Segment], raw: &RawStep) -> StepKind {
        let resolves = raw.r#do.as_ref().is_some_and(|d| d.job.is_some());
        let prove = match &raw.prove {
            Some(all) => self.proofs(&at(path, "prove"), all, resolves),
            None => Vec::new(),
        };
        if let Some(work) = &raw.r#do {
            return StepKind::Do(self.action(&at(path, "do"), work, prove));
        }
        if let Some(text) = &raw.manual {
            if text.is_empty() {
                self.wrong(
                    &at(path, "manual"),
                    "empty-text",
                    "nothing is said",
                    "say what the operator does",
                );
            }
            return StepKind::Manual { text: text.clone(), prove };
        }
        if let Some(fields) = &raw.enter {
            let place = at(path, "enter");
            if fields.0.is_empty() && !self.is_damaged(&place) {
                self.wrong(&place, "no-fields", "`enter` asks for nothing", "name at least one field");
            }
            return StepKind::Enter(
                fields.0.iter().map(|(n, f)| self.field(&at(&place, n.as_str()), n, f)).collect(),
            );
        }
        if let Some(wait) = &raw.wait {
            return self.wait(path, wait, raw);
        }
        StepKind::Check(match &raw.check {
            Some(all) => self.proofs(&at(path, "check"), all, false),
            None => Vec::new(),
        })
    }

    fn field(&mut self, path: &[Segment], name: &str, raw: &RawField) -> Field {
        let good = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !good || name.is_empty() {
            let help = "a field is made of letters, digits, hyphens and underscores";
            self.wrong_key(path, "bad-name", format!("`{name}` is not a field's name"), help);
        }
        if let FieldKind::OneOf(words) = &raw.kind {
            let twice =
                words.iter().enumerate().find(|(n, w)| words[..*n].iter().any(|o| o.eq_ignore_ascii_case(w)));
            if words.is_empty() || words.iter().any(|w| w.trim().is_empty()) {
                self.wrong(
                    path,
                    "no-choices",
                    "there is nothing to choose from",
                    "write `{ one_of: [a, b] }`",
                );
            } else if let Some((_, word)) = twice {
                self.wrong(path, "duplicate-choice", format!("`{word}` stands there twice"), "say it once");
            }
        }
        Field {
            name: name.to_owned(),
            prompt: raw.prompt.clone(),
            kind: raw.kind.clone(),
            optional: raw.optional,
        }
    }

    fn wait(&mut self, path: &[Segment], wait: &RawWait, raw: &RawStep) -> StepKind {
        let place = at(path, "wait");
        self.positive(&at(&place, "pause"), wait.pause);
        if wait.pause.is_some() == wait.until.is_some() && !self.is_damaged(&place) {
            let help = "write `{ pause: 2m }` or `{ until: [..] }`";
            self.wrong(&place, "wait-for-what", "it waits for neither or both of a time and a proof", help);
        }
        if wait.until.is_some() && raw.repeat.is_none() && !self.is_damaged(&at(path, "repeat")) {
            let help = "add `repeat: { every: 15s, for: 20m }`";
            self.wrong_key(&at(&place, "until"), "wait-without-repeat", "it would ask only once", help);
        }
        let until = match &wait.until {
            Some(all) => self.proofs(&at(&place, "until"), all, false),
            None => Vec::new(),
        };
        StepKind::Wait { until, pause: wait.pause }
    }

    fn repeat(&mut self, path: &[Segment], raw: &RawStep, kind: &StepKind) {
        let Some(repeat) = raw.repeat else { return };
        let place = at(path, "repeat");
        self.positive(&at(&place, "every"), Some(repeat.every));
        self.positive(&at(&place, "for"), Some(repeat.r#for));
        if repeat.every > repeat.r#for {
            let message = format!("asked every {} for only {}", repeat.every, repeat.r#for);
            self.wrong(&at(&place, "every"), "repeat-once", message, "`for` must be at least `every`");
        }
        let asks = match kind {
            StepKind::Check(_) => true,
            StepKind::Do(work) => !work.prove.is_empty() || raw.prove.is_some(),
            StepKind::Manual { .. } => raw.prove.is_some(),
            StepKind::Wait { .. } => raw.wait.as_ref().is_some_and(|w| w.until.is_some()),
            StepKind::Enter(_) => false,
        };
        if !asks && !self.is_damaged(path) {
            let help = "`repeat` asks a check or a proof again; leave it out here";
            self.wrong_key(&place, "repeat-of-nothing", "there is nothing to ask again", help);
        }
    }

    fn when(&mut self, path: &[Segment], raw: &RawWhen) -> When {
        let given =
            [raw.answer.is_some(), raw.captured.is_some(), raw.reachable.is_some(), raw.not.is_some()];
        if given.iter().filter(|g| **g).count() != 1 && !self.is_damaged(path) {
            let help = "write one of `answer`, `captured`, `reachable`, `not`";
            self.wrong(path, "bad-condition", "a condition has exactly one subject", help);
        }
        let compares = raw.answer.is_some() || raw.captured.is_some();
        let given = || raw.equals.iter().chain(raw.one_of.iter().flatten()).map(|s| &s.0);
        // What is typed is a text or a number; `true` and nothing would never be met.
        if given().any(|c| c.is_null() || (raw.answer.is_some() && matches!(c, Cell::Bit(_)))) {
            let help = "write a text in quotes, or a number";
            self.wrong(path, "bad-condition", "nobody can type that answer", help);
        }
        let wanted: Vec<String> = given().map(Cell::to_string).collect();
        if compares
            && (wanted.is_empty() || raw.equals.is_some() == raw.one_of.is_some())
            && !self.is_damaged(path)
        {
            let help = "add `equals: value` or `one_of: [values]`";
            self.wrong(path, "bad-condition", "the condition compares with nothing, or twice", help);
        } else if !compares && !wanted.is_empty() {
            let help = "`equals` and `one_of` go with `answer` and `captured`";
            self.wrong(path, "bad-condition", "there is nothing to compare", help);
        }
        if let Some(answer) = &raw.answer {
            let (step, field) = self.answer(&at(path, "answer"), answer);
            return When::Answer(step, field, wanted);
        }
        if let Some(name) = &raw.captured {
            return When::Captured(name.clone(), wanted);
        }
        if let Some(role) = &raw.reachable {
            self.role(&at(path, "reachable"), role);
            return When::Reachable(role.clone());
        }
        match &raw.not {
            Some(inner) => When::Not(Box::new(self.when(&at(path, "not"), inner))),
            None => When::Reachable(String::new()),
        }
    }

    fn guard(&mut self, path: &[Segment], raw: &RawGuard, step: &RawStep, kind: &StepKind) -> Guard {
        if !matches!(kind, StepKind::Do(_) | StepKind::Manual { .. })
            && !self.is_damaged(&path[..path.len() - 1])
        {
            let help = "`guard` belongs to a step that acts: `do` or `manual`";
            self.wrong_key(path, "guard-of-nothing", "there is nothing to guard", help);
        }
        if matches!((raw.r#type, kind), (Some(RawTyped::Server), StepKind::Manual { .. })) {
            let help = "write `type: estate`";
            self.wrong(&at(path, "type"), "guard-type", "drbook acts on no server in a manual step", help);
        }
        for (n, id) in raw.recheck.iter().enumerate() {
            let place = at(&at(path, "recheck"), n);
            if *id == step.step {
                self.wrong(&place, "self-recheck", "a step cannot recheck itself", "name a check before it");
            } else if self.step_exists(&place, id) && !self.known.checks.contains(id) {
                let message = format!("step `{id}` is not a check");
                self.wrong(
                    &place,
                    "recheck-of-no-check",
                    message,
                    "only a `check` can be asked again before acting",
                );
            }
        }
        Guard {
            no_return: raw.no_return,
            loses: raw.loses.clone(),
            recheck: raw.recheck.clone(),
            typed: raw.r#type.map(|t| match t {
                RawTyped::Server => Typed::Server,
                RawTyped::Estate => Typed::Estate,
            }),
            second_person: raw.second_person.as_ref().map(|s| s.items.clone()).unwrap_or_default(),
        }
    }

    fn action(&mut self, path: &[Segment], raw: &RawDo, prove: Vec<super::super::Proof>) -> Do {
        self.role(&at(path, "on"), &raw.on);
        if raw.job.is_some() == raw.sql.is_some() && !self.is_damaged(path) {
            self.wrong(path, "do-what", "an action is exactly one of `job` and `sql`", "keep one of them");
        }
        let hold = raw.hold.as_ref().map(|h| self.resolve(&at(path, "hold"), h, "hold", &raw.on, true));
        let action = match (&raw.job, &raw.sql) {
            (Some(job), _) => self.job(&at(path, "job"), job, &raw.on),
            (None, Some(sql)) => Action::Sql(self.resolve(&at(path, "sql"), sql, "it", &raw.on, false)),
            (None, None) => nothing(&raw.on),
        };
        Do { action, on: raw.on.clone(), hold, prove }
    }

    fn job(&mut self, path: &[Segment], raw: &RawJob, on: &str) -> Action {
        let verbs = [
            ("disable", JobVerb::Disable, &raw.disable),
            ("enable", JobVerb::Enable, &raw.enable),
            ("start", JobVerb::Start, &raw.start),
        ];
        let have: Vec<_> =
            verbs.iter().filter_map(|(key, verb, r)| r.as_ref().map(|r| (*key, *verb, r))).collect();
        if have.len() != 1 && !self.is_damaged(path) {
            let help = "write one of `disable`, `enable`, `start`, with the query that finds the job";
            self.wrong(path, "do-what", "a job is exactly one of disabled, enabled and started", help);
        }
        let start = have.first().is_some_and(|(_, verb, _)| *verb == JobVerb::Start);
        if raw.wait.is_some() && !start {
            let help = "only a started job has an outcome to wait for";
            self.wrong_key(&at(path, "wait"), "wait-without-start", "`wait` without `start`", help);
        }
        self.positive(&at(path, "wait"), raw.wait);
        match have.first() {
            Some((key, verb, resolve)) => Action::Job {
                verb: *verb,
                resolve: self.resolve(&at(path, *key), resolve, "it", on, false),
                every: raw.every,
                wait: raw.wait,
            },
            None => nothing(on),
        }
    }

    fn resolve(&mut self, path: &[Segment], raw: &RawResolve, name: &str, on: &str, resolved: bool) -> Ask {
        self.positive(&at(path, "deadline"), raw.deadline);
        Ask {
            name: name.to_owned(),
            on: on.to_owned(),
            query: raw.query.clone(),
            place: self.place(&at(path, "in"), raw.r#in.as_deref()),
            with: self.values(&at(path, "with"), &raw.with, resolved),
            deadline: raw.deadline,
        }
    }
}

/// Stands for an action that could not be read; never leaves `parse`, for there is a problem.
fn nothing(on: &str) -> Action {
    Action::Sql(Ask {
        name: String::new(),
        on: on.to_owned(),
        query: String::new(),
        place: None,
        with: BTreeMap::new(),
        deadline: None,
    })
}
