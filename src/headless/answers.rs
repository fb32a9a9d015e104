//! The answers of an unattended walk: what an operator would type, per step.
//!
//! ```yaml
//! defaults: { second: { name: Lea Roux, identified: in the room } }
//! steps:
//!   declared: { enter: { at: now, source_state: alive } }
//!   stop-processing: done
//!   restore-to-mark: { confirm: DRSQL1 DRSQL2 }
//! ```
//! Knows nothing of the runbook; an answer for a step that is not there is reported by [`Answers::strangers`].

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::diagnostic::Diagnostic;
use crate::reading::Cell;
use crate::yaml::{self, Segment, Value};

/// All answers of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// For every step that says nothing itself.
    pub defaults: Defaults,
    /// By step id.
    pub steps: BTreeMap<String, StepAnswers>,
}

/// See [`Answers::defaults`].
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The operator's name.
    pub operator: Option<String>,
    /// Fields by name, for every `enter` step that has them.
    #[serde(default)]
    pub enter: BTreeMap<String, Typed>,
    /// The second person.
    pub second: Option<SecondAnswer>,
    /// Whether manual steps count as done when nothing else is said.
    #[serde(default)]
    pub done: bool,
}

/// The answers for one step.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepAnswers {
    /// Fields by name.
    #[serde(default)]
    pub enter: BTreeMap<String, Typed>,
    /// A manual step was done; or an action was done outside drbook.
    #[serde(default)]
    pub done: Done,
    /// Skip it.
    pub skip: Option<Reason>,
    /// What is typed before a step of no return.
    pub confirm: Option<String>,
    /// The second person.
    pub second: Option<SecondAnswer>,
    /// Override its verdict when it does not open.
    #[serde(rename = "override")]
    pub waive: Option<Waiver>,
    /// What the simulated BizTalk computers do while the operator does the step. Rehearsals only.
    #[serde(default)]
    pub play: Plays,
}

/// A value as it would be typed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Typed {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

impl Typed {
    /// As typed.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(n) => n.to_string(),
            Self::Flag(b) => b.to_string(),
        }
    }
}

/// Whether, and in what words.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(untagged)]
pub enum Done {
    /// Not said.
    #[default]
    Unsaid,
    /// `done: true`.
    Flag(bool),
    /// `done: what was done`.
    Words(String),
}

impl Done {
    /// The words, when it was done.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Unsaid | Self::Flag(false) => None,
            Self::Flag(true) => Some(""),
            Self::Words(words) => Some(words),
        }
    }
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In words.
    pub reason: String,
}

/// An override.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// In words.
    pub reason: String,
    /// Who answers for it.
    pub name: String,
}

/// A second person, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondAnswer {
    /// Who.
    pub name: Option<String>,
    /// How they were identified.
    #[serde(default)]
    pub identified: String,
    /// Why nobody is available.
    pub not_available: Option<String>,
}

/// One or several.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(untagged)]
pub enum Plays {
    /// None.
    #[default]
    None,
    /// One.
    One(Play),
    /// Several, in order.
    Many(Vec<Play>),
}

impl Plays {
    /// In order.
    pub fn all(&self) -> &[Play] {
        match self {
            Self::None => &[],
            Self::One(play) => std::slice::from_ref(play),
            Self::Many(all) => all,
        }
    }
}

/// A procedure of the sandbox that plays the part of a computer that is not simulated.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// A role or a server.
    pub on: String,
    /// `sandbox_…`.
    pub exec: String,
    /// Its parameters.
    #[serde(default)]
    pub with: BTreeMap<String, Cell>,
}

impl Answers {
    /// Reads a file; all problems at once.
    pub fn read(text: &str) -> (Self, Vec<Diagnostic>) {
        let mut answers = Self::default();
        let mut problems = Vec::new();
        let Value::Mapping(map) = (match yaml::value(text) {
            Ok(value) => value,
            Err(fault) => {
                problems.push(Diagnostic::error("answers-unreadable", fault.message, HELP).at(fault.place));
                return (answers, problems);
            }
        }) else {
            problems.push(Diagnostic::error("answers-unreadable", "an answers file is a map of steps", HELP));
            return (answers, problems);
        };
        for (key, value) in map {
            let path = vec![Segment::Key(name(&key))];
            match (name(&key).as_str(), value) {
                ("defaults", value) => match yaml::part(value) {
                    Ok(defaults) => answers.defaults = defaults,
                    Err(f) => problems.push(unreadable(text, &path, &f.message)),
                },
                ("steps", Value::Mapping(steps)) => {
                    for (key, value) in steps {
                        let path = [path.clone(), vec![Segment::Key(name(&key))]].concat();
                        answers.read_step(text, &path, &name(&key), value, &mut problems);
                    }
                }
                ("steps", _) => problems.push(unreadable(text, &path, "a map of steps is wanted")),
                // A step beside `defaults`, without `steps`.
                (step, value) => answers.read_step(text, &path, step, value, &mut problems),
            }
        }
        (answers, problems)
    }

    fn read_step(
        &mut self,
        text: &str,
        path: &[Segment],
        step: &str,
        value: Value,
        problems: &mut Vec<Diagnostic>,
    ) {
        let read = match value {
            Value::String(word) if word == "done" => {
                Ok(StepAnswers { done: Done::Flag(true), ..StepAnswers::default() })
            }
            value => yaml::part(value),
        };
        match read {
            Ok(read) => drop(self.steps.insert(step.to_owned(), read)),
            Err(fault) => problems.push(unreadable(text, path, &fault.message)),
        }
    }

    /// Answers for steps the runbook does not have.
    pub fn strangers(&self, book: &crate::runbook::Runbook) -> Vec<String> {
        self.steps.keys().filter(|id| book.step(id).is_none()).cloned().collect()
    }

    /// What is typed into a step's fields.
    pub fn fields(&self, step: &str, names: &[&str]) -> BTreeMap<String, String> {
        let own = self.steps.get(step).map(|s| &s.enter);
        names
            .iter()
            .filter_map(|name| {
                let typed = own.and_then(|o| o.get(*name)).or_else(|| self.defaults.enter.get(*name))?.text();
                Some(((*name).to_owned(), typed))
            })
            .collect()
    }
}

const HELP: &str =
    "`defaults`, and under `steps` per step: enter, done, skip, confirm, second, override, play";

fn name(key: &Value) -> String {
    key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned)
}

fn unreadable(text: &str, path: &[Segment], message: &str) -> Diagnostic {
    let shown = match path.last() {
        Some(Segment::Key(key)) => format!("`{key}`: {message}"),
        _ => message.to_owned(),
    };
    Diagnostic::error("answers-unreadable", shown, HELP).at(yaml::locate(text, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_per_step_with_their_problems_placed() {
        let text = "defaults: { done: true }\nsteps:\n  a: done\n  b: { enter: { at: now, n: 3 } }\n  c: { skip: { reson: x } }\nd: { confirm: X, second: { name: L } }\n";
        let (answers, problems) = Answers::read(text);
        assert_eq!(answers.steps["a"].done.words(), Some(""));
        assert_eq!(answers.fields("b", &["at", "n", "other"])["n"], "3");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].place.map(|p| p.line), Some(5));
        assert_eq!(answers.steps["d"].second.as_ref().unwrap().name.as_deref(), Some("L"));
    }
}
