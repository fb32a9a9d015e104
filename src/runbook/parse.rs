//! Turns the text of a runbook into a checked one, or says everything that is wrong with it.
//!
//! Knows the runbook alone: not which queries, analyses or estates exist. That is for `lint` and for the start of a drill.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::raw::{Number, RawRunbook, RawStep};
use super::{Measure, Moment, Phase, Role, RoleKind, Runbook, Step};
use crate::clock::Span;
use crate::diagnostic::{Diagnostic, of_form};
use crate::limits;
use crate::text::{Text, nearest};
use crate::yaml::{self, Segment, Value};

mod expectation;
mod needs;
mod proof;
mod step;

/// The runbook when nothing is wrong with it, and every problem otherwise (at most [`limits::PROBLEMS`]).
pub fn parse(text: &str) -> (Option<Runbook>, Vec<Diagnostic>) {
    let value = match yaml::value(text) {
        Ok(value) => value,
        Err(fault) => {
            let problem = Diagnostic::error("not-yaml", fault.message, "a runbook is one YAML document");
            return (None, vec![problem.at(fault.place)]);
        }
    };
    let gathered = yaml::gather::<RawRunbook>(
        &value,
        &[
            ("runbook", "unnamed".into()),
            ("version", 1.into()),
            ("title", "untitled".into()),
            ("modes", Value::Sequence(vec!["drill".into()])),
            ("roles", Value::Mapping(std::iter::empty().collect())),
            ("phases", Value::Sequence(Vec::new())),
        ],
    );
    let mut reader = Reader {
        text,
        problems: gathered.problems.iter().map(|p| of_form(text, p)).collect(),
        known: Known::of(&value),
        aside: gathered.aside,
    };
    let book = gathered.value.map(|raw| reader.book(&raw));
    let mut problems = reader.problems;
    problems.sort_by_key(|d| d.place.map_or(0, |p| p.byte));
    problems.truncate(limits::PROBLEMS);
    (book.filter(|_| problems.is_empty()), problems)
}

/// Expectations by themselves, for case files.
#[cfg(test)]
pub(crate) fn expectations(
    raw: &[super::raw::RawExpect],
) -> Result<Vec<crate::check::expect::Expectation>, Vec<Diagnostic>> {
    let known = Known { roles: BTreeMap::new(), steps: BTreeMap::new(), checks: BTreeSet::new() };
    let mut reader = Reader { text: "", problems: Vec::new(), known, aside: HashSet::new() };
    let all = raw.iter().filter_map(|e| reader.expectation(&[], e, true)).collect();
    if reader.problems.is_empty() { Ok(all) } else { Err(reader.problems) }
}

/// A path in the document.
type Path = Vec<Segment>;

/// The path one move further.
fn at(path: &[Segment], next: impl Into<Segment>) -> Path {
    path.iter().cloned().chain([next.into()]).collect()
}

/// Names that may be referred to, also those of parts that could not be read whole.
struct Known {
    roles: BTreeMap<String, Option<RoleKind>>,
    /// Fields by step; empty for steps that enter nothing.
    steps: BTreeMap<String, Vec<String>>,
    /// Steps that are checks.
    checks: BTreeSet<String>,
}

impl Known {
    fn of(value: &Value) -> Self {
        let text = |v: Option<&Value>| v.and_then(Value::as_str).map(str::to_owned);
        let keys = |v: Option<&Value>| -> Vec<String> {
            let map = v.and_then(Value::as_mapping);
            map.map_or_else(Vec::new, |m| m.keys().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let mut known = Self { roles: BTreeMap::new(), steps: BTreeMap::new(), checks: BTreeSet::new() };
        for name in keys(value.get("roles")) {
            let role = value.get("roles").and_then(|r| r.get(name.as_str()));
            let kind = match (role.and_then(|r| r.get("sql")), role.and_then(|r| r.get("hosts"))) {
                (Some(_), None) => Some(RoleKind::Sql),
                (None, Some(_)) => Some(RoleKind::Hosts),
                _ => None,
            };
            known.roles.insert(name, kind);
        }
        for phase in value.get("phases").and_then(Value::as_sequence).into_iter().flatten() {
            for step in phase.get("steps").and_then(Value::as_sequence).into_iter().flatten() {
                if let Some(id) = text(step.get("step")) {
                    if step.get("check").is_some() {
                        known.checks.insert(id.clone());
                    }
                    known.steps.entry(id).or_insert_with(|| keys(step.get("enter")));
                }
            }
        }
        known
    }
}

/// Reads the parts and collects what is wrong with them.
struct Reader<'a> {
    text: &'a str,
    problems: Vec<Diagnostic>,
    known: Known,
    aside: HashSet<Path>,
}

impl Reader<'_> {
    /// Something is wrong with the value at `path`.
    fn wrong(
        &mut self,
        path: &[Segment],
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        // Placing reads the text again; beyond the cap nobody sees it.
        if self.problems.len() < limits::PROBLEMS {
            let place = yaml::locate(self.text, path);
            self.problems.push(Diagnostic::error(code, message, help).at(place));
        }
    }

    /// Something is wrong with the last key of `path`.
    fn wrong_key(&mut self, path: &[Segment], code: &'static str, message: impl Into<String>, help: &str) {
        if self.problems.len() < limits::PROBLEMS {
            let place = yaml::locate_key(self.text, path);
            self.problems.push(Diagnostic::error(code, message, help).at(place));
        }
    }

    /// Whether something under `path` could not be read, so that what seems missing may only be unreadable.
    fn is_damaged(&self, path: &[Segment]) -> bool {
        self.aside.iter().any(|a| a.starts_with(path))
    }

    /// A name in lower case, digits and hyphens.
    fn id(&mut self, path: &[Segment], id: &str) {
        let good = id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !good || id.is_empty() || id.starts_with('-') {
            let help = "a name is made of lower-case letters, digits and hyphens, such as `frozen-and-level`";
            self.wrong(path, "bad-name", format!("`{id}` is not a name"), help);
        }
    }

    fn title(&mut self, path: &[Segment], title: &Text) {
        if title.is_empty() {
            self.wrong(path, "empty-text", "the title is empty", "say in a few words what it is");
        }
    }

    fn positive(&mut self, path: &[Segment], span: Option<Span>) {
        if span.is_some_and(|s| s.ms <= 0) {
            self.wrong(path, "no-time", "no time at all", "write a length of time such as 15s or 20m");
        }
    }

    /// A reference to a role that is asked or acted on.
    fn role(&mut self, path: &[Segment], name: &str) {
        match self.known.roles.get(name) {
            None if self.problems.len() >= limits::PROBLEMS => {}
            None => {
                let help = hint(name, self.known.roles.keys(), "roles");
                self.wrong(path, "unknown-role", format!("no role is called `{name}`"), help);
            }
            Some(Some(RoleKind::Hosts)) => {
                let message = format!("`{name}` are computers; only SQL Servers can be asked");
                self.wrong(path, "role-of-hosts", message, "name a role that says `sql: one` or `sql: many`");
            }
            Some(_) => {}
        }
    }

    /// A reference to a step.
    fn step_exists(&mut self, path: &[Segment], id: &str) -> bool {
        let exists = self.known.steps.contains_key(id);
        // Looking for the nearest name takes its time; beyond the cap nobody sees it.
        if !exists && self.problems.len() < limits::PROBLEMS {
            let help = hint(id, self.known.steps.keys(), "steps");
            self.wrong(path, "unknown-step", format!("no step is called `{id}`"), help);
        }
        exists
    }

    /// A reference to a typed answer, `step.field`.
    fn answer(&mut self, path: &[Segment], reference: &str) -> (String, String) {
        let Some((step, field)) = reference.split_once('.') else {
            let message = format!("`{reference}` is not an answer");
            self.wrong(path, "unknown-answer", message, "write it as `step.field`");
            return (reference.to_owned(), String::new());
        };
        if self.step_exists(path, step) {
            let fields = self.known.steps.get(step).cloned().unwrap_or_default();
            if fields.is_empty() {
                let message = format!("step `{step}` asks for no answers");
                self.wrong(path, "unknown-answer", message, "name a step with `enter:`");
            } else if !fields.iter().any(|f| f == field) {
                let help = hint(field, fields.iter(), "fields");
                let message = format!("step `{step}` has no field `{field}`");
                self.wrong(path, "unknown-answer", message, help);
            }
        }
        (step.to_owned(), field.to_owned())
    }

    fn book(&mut self, raw: &RawRunbook) -> Runbook {
        let root: Path = Vec::new();
        self.id(&at(&root, "runbook"), &raw.runbook);
        self.title(&at(&root, "title"), &raw.title);
        if raw.version == 0 {
            self.wrong(&at(&root, "version"), "bad-version", "version 0", "versions count from 1");
        }
        if raw.modes.is_empty() && !self.is_damaged(&at(&root, "modes")) {
            let help = "name at least one of rehearsal, drill, incident";
            self.wrong(&at(&root, "modes"), "no-modes", "it may be walked in no mode", help);
        }
        let targets = at(&root, "targets");
        self.positive(&at(&targets, "rto"), raw.targets.rto);
        self.positive(&at(&targets, "rpo"), raw.targets.rpo);
        let (phases, steps) = self.phases(raw);
        self.cycles(&steps);
        Runbook {
            id: raw.runbook.clone(),
            version: raw.version,
            title: raw.title.clone(),
            modes: raw.modes.clone(),
            read_only: raw.read_only,
            roles: self.roles(raw),
            rto: raw.targets.rto,
            rpo: raw.targets.rpo,
            measure: self.measure(raw),
            phases,
            steps: steps.into_iter().map(|(_, s)| s).collect(),
        }
    }

    fn roles(&mut self, raw: &RawRunbook) -> BTreeMap<String, Role> {
        let mut roles = BTreeMap::new();
        for (name, role) in &raw.roles {
            let path = at(&at(&[], "roles"), name.as_str());
            let (kind, number) = match (role.sql, role.hosts) {
                (Some(n), None) => (RoleKind::Sql, n),
                (None, Some(n)) => (RoleKind::Hosts, n),
                (both, _) => {
                    if both.is_some() || !self.is_damaged(&path) {
                        let message = format!("role `{name}` says neither or both of `sql` and `hosts`");
                        self.wrong(
                            &path,
                            "role-kind",
                            message,
                            "write `{ sql: one }`, `{ sql: many }` or `{ hosts: .. }`",
                        );
                    }
                    continue;
                }
            };
            if kind == RoleKind::Hosts && role.may_be_down {
                let help = "computers are not asked; leave `may_be_down` out";
                self.wrong(&at(&path, "may_be_down"), "role-kind", "`may_be_down` is for SQL Servers", help);
            }
            let role = Role { kind, many: number == Number::Many, may_be_down: role.may_be_down };
            roles.insert(name.clone(), role);
        }
        roles
    }

    fn measure(&mut self, raw: &RawRunbook) -> Measure {
        let mut pair = |key: &str, written: &Option<super::raw::RawSpanOf>| {
            let path = at(&at(&[], "measure"), key);
            written
                .as_ref()
                .map(|w| (self.moment(&at(&path, "from"), &w.from), self.moment(&at(&path, "to"), &w.to)))
        };
        Measure { rto: pair("rto", &raw.measure.rto), rpo: pair("rpo", &raw.measure.rpo) }
    }

    fn moment(&mut self, path: &[Segment], written: &str) -> Moment {
        let Some((step, what)) = written.split_once('.') else {
            return Moment::Captured(written.to_owned());
        };
        match self.known.steps.get(step) {
            Some(fields) if fields.iter().any(|f| f == what) => {
                Moment::Answer(step.to_owned(), what.to_owned())
            }
            Some(_) if what == "at" => Moment::Done(step.to_owned()),
            Some(_) => {
                let message = format!("step `{step}` has no moment `{what}`");
                let help = format!("write `{step}.at` for when it was done, or one of its fields");
                self.wrong(path, "unknown-moment", message, help);
                Moment::Done(step.to_owned())
            }
            None => Moment::Captured(written.to_owned()),
        }
    }

    fn phases(&mut self, raw: &RawRunbook) -> (Vec<Phase>, Vec<(Path, Step)>) {
        let all = at(&[], "phases");
        let (mut phases, mut steps) = (Vec::new(), Vec::new());
        let mut seen: BTreeMap<&str, u16> = BTreeMap::new();
        let total: usize = raw.phases.iter().map(|p| p.steps.len()).sum();
        let said = self.problems.iter().any(|d| d.code == "missing-key" && d.message.contains("`phases`"));
        if total == 0 && !said && !self.is_damaged(&all) {
            self.wrong(&all, "no-steps", "the runbook has no steps", "write at least one");
        }
        if total > limits::STEPS {
            let message = format!("{total} steps; {} is the most a runbook may have", limits::STEPS);
            self.wrong(&all, "too-many-steps", message, "make two runbooks of it");
            return (phases, steps);
        }
        // A part set aside leaves its neighbours their index in the file.
        for (p, phase) in self.indexed(&all, &raw.phases) {
            let path = at(&all, p);
            self.id(&at(&path, "phase"), &phase.phase);
            self.title(&at(&path, "title"), &phase.title);
            if phases.iter().any(|known: &Phase| known.id == phase.phase) {
                let message = format!("two phases are called `{}`", phase.phase);
                self.wrong(&at(&path, "phase"), "duplicate-phase", message, "give each its own name");
            }
            let list = at(&path, "steps");
            if phase.steps.is_empty() && total > 0 && !self.is_damaged(&list) {
                let message = format!("phase `{}` has no steps", phase.phase);
                self.wrong(&path, "empty-phase", message, "write its steps, or take it out");
            }
            for (s, step) in self.indexed(&list, &phase.steps) {
                let number = steps.len() as u16 + 1;
                let path = at(&list, s);
                if let Some(first) = seen.insert(&step.step, number) {
                    let message = format!("two steps are called `{}`: {first} and {number}", step.step);
                    self.wrong(&at(&path, "step"), "duplicate-step", message, "give each its own name");
                }
                let step = self.step(&path, step, number, phases.len());
                steps.push((path, step));
            }
            phases.push(Phase { id: phase.phase.clone(), title: phase.title.clone() });
        }
        (phases, steps)
    }

    /// The items with their index in the file, where some may have been set aside.
    fn indexed<'i, T>(&self, path: &[Segment], items: &'i [T]) -> Vec<(usize, &'i T)> {
        let there = (0..).filter(|n| !self.aside.contains(&at(path, *n)));
        there.zip(items).collect()
    }
}

/// "did you mean", or what there is.
fn hint<'a>(name: &str, known: impl Iterator<Item = &'a String> + Clone, noun: &str) -> String {
    if let Some(near) = nearest(name, known.clone().map(String::as_str)) {
        return format!("did you mean `{near}`?");
    }
    let some: Vec<&str> = known.map(String::as_str).take(12).collect();
    if some.is_empty() {
        format!("there are no {noun}")
    } else {
        format!("{noun} here: `{}`", some.join("`, `"))
    }
}

/// The kinds a step may have, and which of them it has.
fn kinds(step: &RawStep) -> Vec<&'static str> {
    let have = [
        ("check", step.check.is_some()),
        ("do", step.r#do.is_some()),
        ("manual", step.manual.is_some()),
        ("enter", step.enter.is_some()),
        ("wait", step.wait.is_some()),
    ];
    have.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind).collect()
}

#[cfg(test)]
mod tests;
