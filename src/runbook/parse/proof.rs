//! Questions and how their answers are judged.
//!
//! Does not know whether the queries and analyses exist.

use std::collections::BTreeMap;

use super::super::raw::{OneOrMany, RawJudge, RawProof, RawValue, Reference};
use super::super::{Ask, Judge, Place, Proof, Value};
use super::{Reader, at};
use crate::text::nearest;
use crate::yaml::Segment;

const FACTS: [&str; 4] = ["management-database", "scope", "source-names", "destination-names"];

impl Reader<'_> {
    /// The proofs; `resolved`: `{ from: do }` may be used in them.
    pub(super) fn proofs(
        &mut self,
        path: &[Segment],
        raw: &OneOrMany<RawProof>,
        resolved: bool,
    ) -> Vec<Proof> {
        if raw.items.is_empty() && !self.is_damaged(path) {
            self.wrong(path, "no-questions", "nothing is asked", "write at least one question");
        }
        if !raw.listed {
            return raw.items.iter().map(|p| self.proof(path, p, resolved)).collect();
        }
        self.indexed(path, &raw.items)
            .into_iter()
            .map(|(n, p)| self.proof(&at(path, n), p, resolved))
            .collect()
    }

    fn proof(&mut self, path: &[Segment], raw: &RawProof, resolved: bool) -> Proof {
        let asks = match &raw.ask {
            Some(named) => {
                let single = raw.on.is_some()
                    || raw.query.is_some()
                    || raw.r#in.is_some()
                    || raw.deadline.is_some()
                    || !raw.with.is_empty();
                if single {
                    let help =
                        "put `on`, `query`, `in`, `with` and `deadline` into each question under `ask`";
                    self.wrong(path, "one-or-several", "both one question and several under `ask`", help);
                }
                let place = at(path, "ask");
                if named.0.is_empty() && !self.is_damaged(&place) {
                    self.wrong(&place, "no-questions", "nothing is asked", "write at least one question");
                }
                let mut asks = Vec::new();
                for (name, ask) in &named.0 {
                    let place = at(&place, name.as_str());
                    if name == "hold" || name.is_empty() {
                        let help = "`hold` is what drbook calls its own watch; take another name";
                        self.wrong_key(
                            &place,
                            "bad-name",
                            format!("a question cannot be called `{name}`"),
                            help,
                        );
                    }
                    self.role(&at(&place, "on"), &ask.on);
                    self.positive(&at(&place, "deadline"), ask.deadline);
                    asks.push(Ask {
                        name: name.clone(),
                        on: ask.on.clone(),
                        query: ask.query.clone(),
                        place: self.place(&at(&place, "in"), ask.r#in.as_deref()),
                        with: self.values(&at(&place, "with"), &ask.with, resolved),
                        deadline: ask.deadline,
                    });
                }
                asks
            }
            None => vec![self.single(path, raw, resolved)],
        };
        Proof { asks, judge: self.judge(path, raw, resolved) }
    }

    fn single(&mut self, path: &[Segment], raw: &RawProof, resolved: bool) -> Ask {
        for (key, value) in [("on", &raw.on), ("query", &raw.query)] {
            if value.is_none() && !self.aside.contains(&at(path, key)) {
                let help = "a question is `{ on: role, query: family/name, expect: [..] }`";
                self.wrong(path, "missing-key", format!("`{key}` is missing"), help);
            }
        }
        if let Some(on) = &raw.on {
            self.role(&at(path, "on"), on);
        }
        self.positive(&at(path, "deadline"), raw.deadline);
        Ask {
            name: "it".to_owned(),
            on: raw.on.clone().unwrap_or_default(),
            query: raw.query.clone().unwrap_or_default(),
            place: self.place(&at(path, "in"), raw.r#in.as_deref()),
            with: self.values(&at(path, "with"), &raw.with, resolved),
            deadline: raw.deadline,
        }
    }

    fn judge(&mut self, path: &[Segment], raw: &RawProof, resolved: bool) -> Judge {
        match (&raw.expect, &raw.judge) {
            (Some(_), Some(_)) => {
                let help =
                    "keep `expect` (about each answer alone) or `judge` (an analysis over all of them)";
                self.wrong_key(&at(path, "judge"), "judged-twice", "both `expect` and `judge`", help);
            }
            (None, None) if !self.is_damaged(path) => {
                let help = "add `expect: [..]` or `judge: { analysis: .. }`";
                self.wrong(path, "not-judged", "the answers are not judged", help);
            }
            _ => {}
        }
        if let Some(RawJudge { analysis, expect, with }) = &raw.judge {
            let place = at(path, "judge");
            return Judge::Analysis {
                name: analysis.clone(),
                expect: expect.clone(),
                with: self.values(&at(&place, "with"), with, resolved),
            };
        }
        let all = raw.expect.as_deref().unwrap_or_default();
        let place = at(path, "expect");
        if raw.expect.is_some() && all.is_empty() && !self.is_damaged(&place) {
            self.wrong(
                &place,
                "empty-expect",
                "nothing is expected",
                "a check that expects nothing proves nothing",
            );
        }
        Judge::Expect(
            self.indexed(&place, all)
                .into_iter()
                .filter_map(|(n, e)| self.expectation(&at(&place, n), e, resolved))
                .collect(),
        )
    }

    pub(super) fn place(&mut self, path: &[Segment], raw: Option<&str>) -> Option<Place> {
        Some(match raw? {
            "master" => Place::Master,
            "msdb" => Place::Msdb,
            "management" => Place::Management,
            "each scope database" => Place::EachScopeDatabase,
            other => {
                if other.trim().is_empty() || other == "any" || other.starts_with("each ") {
                    let help =
                        "write master, msdb, management, each scope database, or the name of a database";
                    self.wrong(path, "unknown-place", format!("`{other}` is not a place"), help);
                }
                Place::Named(other.to_owned())
            }
        })
    }

    pub(super) fn values(
        &mut self,
        path: &[Segment],
        raw: &BTreeMap<String, RawValue>,
        resolved: bool,
    ) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for (name, value) in raw {
            let place = at(path, name.as_str());
            if name.starts_with('@') {
                let help = format!("write `{}`", name.trim_start_matches('@'));
                self.wrong_key(
                    &place,
                    "bad-name",
                    format!("parameters are written without `@`: `{name}`"),
                    &help,
                );
            }
            if let Some(value) = self.value(&place, value, resolved) {
                all.insert(name.clone(), value);
            }
        }
        all
    }

    pub(super) fn value(&mut self, path: &[Segment], raw: &RawValue, resolved: bool) -> Option<Value> {
        let reference = match raw {
            RawValue::Literal(cell) => return Some(Value::Literal(cell.clone())),
            RawValue::Reference(reference) => reference,
        };
        let Reference { from, column, answer, captured, threshold, estate } = reference;
        let given: Vec<&String> = [from, answer, captured, threshold, estate].into_iter().flatten().collect();
        if given.len() != 1 {
            if !self.is_damaged(path) {
                let help = "write one of `from: do`, `answer`, `captured`, `threshold`, `estate`";
                self.wrong(path, "bad-value", "a value comes from exactly one place", help);
            }
            return None;
        }
        if column.is_some() && from.is_none() {
            let help = "`column` goes with `from: do`";
            self.wrong_key(&at(path, "column"), "bad-value", "`column` of what?", help);
        }
        if let Some(from) = from {
            if from != "do" {
                self.wrong(
                    &at(path, "from"),
                    "bad-value",
                    format!("nothing comes from `{from}`"),
                    "write `from: do`",
                );
            } else if !resolved {
                let help =
                    "only the proof or the hold of a step that does something to a job has a resolved row";
                self.wrong(path, "nothing-resolved", "this step resolves nothing", help);
            }
            return Some(Value::Resolved(column.clone().unwrap_or_else(|| "job_id".to_owned())));
        }
        if let Some(answer) = answer {
            let (step, field) = self.answer(&at(path, "answer"), answer);
            return Some(Value::Answer(step, field));
        }
        if let Some(fact) = estate {
            if !FACTS.contains(&fact.as_str()) {
                let help = nearest(fact, FACTS).map_or_else(
                    || format!("facts are `{}`", FACTS.join("`, `")),
                    |f| format!("did you mean `{f}`?"),
                );
                self.wrong(&at(path, "estate"), "unknown-fact", format!("an estate has no `{fact}`"), help);
            }
            return Some(Value::Estate(fact.clone()));
        }
        captured.clone().map(Value::Captured).or_else(|| threshold.clone().map(Value::Threshold))
    }
}
