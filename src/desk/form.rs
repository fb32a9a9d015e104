//! What is asked of the operator before something is done: the same questions on every front end.
//!
//! A form knows what it is for and turns what was typed into a command. The engine judges the command.

use std::collections::BTreeMap;

use super::row::{Row, Tone};
use super::sign::Sign;
use super::telling::{step_name, suggested};
use crate::engine::{Act, ActState, Closing, Command, Second, Session, Settlement};
use crate::locale::{Tongue, fill};
use crate::runbook::{FieldKind, Step, StepKind};
use crate::text::harmless;

/// What a form is for. Steps by id.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// Act.
    Act(String),
    /// A manual step was done.
    Say(String),
    /// An action was done outside drbook.
    Outside(String),
    /// Typed answers.
    Enter(String),
    /// Settle the first uncertain action of a step.
    Settle(String),
    /// Skip.
    Skip(String),
    /// Override.
    Override(String),
    /// A note, about a step.
    Note(Option<String>),
    /// Hand over.
    HandOver,
    /// Close the drill.
    Close,
}

/// A form.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// What it is for.
    pub purpose: Purpose,
    /// Its title.
    pub title: String,
    /// What must be read first.
    pub body: Vec<Row>,
    /// What is asked, in order; may be nothing.
    pub blanks: Vec<Blank>,
    /// The word on the button that does it.
    pub yes: String,
    /// Whether doing it by mistake costs nothing; otherwise cancel is proposed.
    pub harmless: bool,
}

/// One thing to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blank {
    /// Its name.
    pub key: String,
    /// What is asked.
    pub label: String,
    /// How it is written; may be empty.
    pub hint: String,
    /// What may be filled in.
    pub kind: Kind,
    /// Whether it may stay empty.
    pub optional: bool,
}

/// See [`Blank`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Line,
    /// One of these: value, words.
    OneOf(Vec<(String, String)>),
}

impl Blank {
    fn line(key: &str, label: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { key: key.into(), label: label.into(), hint: hint.into(), kind: Kind::Line, optional: false }
    }
    fn one_of(key: &str, label: impl Into<String>, all: Vec<(String, String)>) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            hint: String::new(),
            kind: Kind::OneOf(all),
            optional: false,
        }
    }
    fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

impl Form {
    /// The form for a purpose; `None` when the drill has nothing it could be about.
    pub fn of(purpose: &Purpose, session: &Session, tongue: Tongue) -> Option<Self> {
        let d = &tongue.words.screens.dialogs;
        let named = |id: &str| step_name(session, id, tongue);
        let reason = |label: &String| Blank::line("reason", label, "");
        let plain = |title: String, yes: &str| Self {
            purpose: purpose.clone(),
            title,
            body: Vec::new(),
            blanks: Vec::new(),
            yes: yes.to_owned(),
            harmless: false,
        };
        let titled = |title: &str, id: &str| fill(title, |_| Some(named(id)));
        Some(match purpose {
            Purpose::Act(id) => {
                let step = session.step(id)?.0;
                let mut form = plain(titled(&d.act_title, id), &d.act_yes);
                act_body(&mut form, step, session, tongue);
                form
            }
            Purpose::Say(id) => {
                let step = session.step(id)?.0;
                let StepKind::Manual { text, prove } = &step.kind else { return None };
                let mut form = plain(titled(&d.say_title, id), &d.say_yes);
                form.body.push(Row::plain(tongue.text(text)));
                form.body.push(Row::gap());
                let after = if prove.is_empty() { &d.say_attested } else { &d.say_proved };
                form.body.push(Row::plain(after).toned(Tone::Dim));
                form.blanks.push(Blank::line("text", &d.say_text, "").optional());
                form
            }
            Purpose::Outside(id) => {
                let mut form = plain(titled(&d.outside_title, id), &d.outside_yes);
                form.body.push(Row::plain(&d.outside_body));
                form.blanks.push(Blank::line("text", &d.outside_text, ""));
                form
            }
            Purpose::Enter(id) => {
                let (step, state) = session.step(id)?;
                let StepKind::Enter(fields) = &step.kind else { return None };
                let mut form = plain(titled(&d.enter_title, id), &d.enter_yes);
                form.harmless = true;
                if !state.attempts.is_empty() {
                    form.body.push(Row::plain(&d.enter_again).toned(Tone::Dim));
                }
                for field in fields {
                    let prompt = tongue.text(&field.prompt);
                    let label = if prompt.is_empty() { field.name.clone() } else { prompt };
                    let hint = match &field.kind {
                        FieldKind::Text | FieldKind::OneOf(_) => "",
                        FieldKind::Person => &d.hint_person,
                        FieldKind::Time => &d.hint_time,
                        FieldKind::Number => &d.hint_number,
                    };
                    let mut blank = match &field.kind {
                        FieldKind::OneOf(all) => Blank::one_of(
                            &field.name,
                            label,
                            all.iter().map(|v| (v.clone(), v.clone())).collect(),
                        ),
                        _ => Blank::line(&field.name, label, hint),
                    };
                    blank.optional = field.optional;
                    form.blanks.push(blank);
                }
                form
            }
            Purpose::Settle(id) => {
                let (act, trouble) = uncertain(session, id)?;
                let mut form = plain(titled(&d.settle_title, id), &d.settle_yes);
                form.body.push(Row::plain(fill(&d.settle_what, |name| match name {
                    "action" => Some(act_name(session, &act)),
                    "server" => Some(act.server.clone()),
                    _ => Some(tongue.words.trouble(&trouble)),
                })));
                form.body
                    .extend(session.step(id)?.1.attempts.last().map(|a| suggested(session, a, &act, tongue)));
                form.body.push(Row::plain(&d.settle_how));
                form.blanks.push(Blank::one_of(
                    "settlement",
                    &d.settle_choice,
                    vec![
                        ("happened".into(), d.settle_happened.clone()),
                        ("did-not-happen".into(), d.settle_did_not_happen.clone()),
                    ],
                ));
                form.blanks.push(reason(&d.settle_reason));
                form
            }
            Purpose::Skip(id) => {
                let mut form = plain(titled(&d.skip_title, id), &d.skip_yes);
                form.body.push(Row::plain(&d.skip_body));
                let waiting: Vec<String> = session
                    .book
                    .steps
                    .iter()
                    .filter(|s| s.needs.contains(id))
                    .map(|s| named(&s.id))
                    .collect();
                if !waiting.is_empty() {
                    let text = fill(&d.skip_locks, |_| Some(waiting.join(", ")));
                    form.body.push(Row::plain(text).signed(Sign::Warn));
                }
                form.blanks.push(reason(&d.reason));
                form
            }
            Purpose::Override(id) => {
                let state = session.step(id)?.1;
                let mut form = plain(titled(&d.override_title, id), &d.override_yes);
                form.body.push(Row::plain(&d.override_body).signed(Sign::Warn));
                let servers = red_servers(state);
                if !servers.is_empty() {
                    let mut all = vec![(String::new(), d.override_whole.clone())];
                    all.extend(
                        servers
                            .into_iter()
                            .map(|s| (s.clone(), fill(&d.override_server, |_| Some(s.clone())))),
                    );
                    form.blanks.push(Blank::one_of("server", &d.override_what, all));
                }
                form.blanks.push(reason(&d.reason));
                form.blanks.push(Blank::line("name", &d.override_name, &d.hint_person));
                form
            }
            Purpose::Note(step) => {
                let title = match step {
                    Some(id) => titled(&d.note_title, id),
                    None => d.note_drill.clone(),
                };
                let mut form = plain(title, &d.note_yes);
                form.harmless = true;
                form.blanks.push(Blank::line("text", &d.note_text, ""));
                form
            }
            Purpose::HandOver => {
                let mut form = plain(d.hand_over_title.clone(), &d.hand_over_yes);
                form.body.push(Row::plain(fill(&d.hand_over_body, |_| Some(harmless(&session.operator)))));
                form.blanks.push(Blank::line("to", &d.hand_over_to, &d.hint_person));
                form.blanks.push(Blank::line("brief", &d.hand_over_brief, ""));
                form
            }
            Purpose::Close => {
                let open = session.open_steps();
                let mut form = plain(d.close_title.clone(), &d.close_yes);
                if open.is_empty() {
                    form.body.push(Row::plain(&d.close_complete));
                } else {
                    let steps: Vec<String> = open.iter().map(|id| named(id)).collect();
                    let text = fill(&d.close_open, |name| {
                        Some(if name == "count" { open.len().to_string() } else { steps.join("; ") })
                    });
                    form.body.push(Row::plain(text).signed(Sign::Warn));
                }
                let completed = ("completed".to_owned(), d.close_completed.clone());
                let aborted = ("aborted".to_owned(), d.close_aborted.clone());
                let all = if open.is_empty() { vec![completed, aborted] } else { vec![aborted, completed] };
                form.blanks.push(Blank::one_of("closing", &d.close_how, all));
                form.blanks.push(Blank::line("text", &d.close_text, "").optional());
                form
            }
        })
    }

    /// The command, or the blank that is not filled in as it must be, with words.
    pub fn command(
        &self,
        values: &[String],
        session: &Session,
        tongue: Tongue,
    ) -> Result<Command, (usize, String)> {
        let d = &tongue.words.screens.dialogs;
        for (n, blank) in self.blanks.iter().enumerate() {
            let value = values.get(n).map_or("", |v| v.trim());
            let missing = match &blank.kind {
                Kind::Line => value.is_empty(),
                Kind::OneOf(all) => !all.iter().any(|(key, _)| key == value),
            };
            if missing && !blank.optional {
                return Err((n, fill(&d.missing, |_| Some(blank.label.clone()))));
            }
        }
        let value = |key: &str| {
            let at = self.blanks.iter().position(|b| b.key == key)?;
            Some(values.get(at).map_or("", |v| v.trim()).to_owned())
        };
        let text = |key: &str| value(key).unwrap_or_default();
        let at = |key: &str| self.blanks.iter().position(|b| b.key == key).unwrap_or(0);
        Ok(match &self.purpose {
            Purpose::Act(step) => {
                let second = match (value("second"), text("identified"), text("not-available")) {
                    (None, ..) => None,
                    (Some(name), how, none) if name.is_empty() => {
                        if none.is_empty() {
                            let wanted =
                                if how.is_empty() { &d.second_missing } else { &d.second_name_missing };
                            return Err((at("second"), wanted.clone()));
                        }
                        Some(Second::NotAvailable { reason: none })
                    }
                    (Some(_), how, _) if how.is_empty() => {
                        return Err((at("identified"), d.second_how_missing.clone()));
                    }
                    (Some(_), _, none) if !none.is_empty() => {
                        return Err((at("not-available"), d.second_both.clone()));
                    }
                    (Some(name), identified, _) => Some(Second::Confirmed { name, identified }),
                };
                Command::Act { step: step.clone(), typed: value("typed"), second }
            }
            Purpose::Say(step) | Purpose::Outside(step) => {
                Command::Say { step: step.clone(), text: text("text") }
            }
            Purpose::Enter(step) => {
                let filled = self.blanks.iter().zip(values).filter(|(_, v)| !v.trim().is_empty());
                let values: BTreeMap<String, String> =
                    filled.map(|(b, v)| (b.key.clone(), v.trim().to_owned())).collect();
                Command::Enter { step: step.clone(), values }
            }
            Purpose::Settle(step) => {
                let Some((act, _)) = uncertain(session, step) else {
                    return Err((0, tongue.words.screens.why_not.nothing_uncertain.clone()));
                };
                let settlement = match text("settlement").as_str() {
                    "happened" => Settlement::Happened,
                    _ => Settlement::DidNotHappen,
                };
                Command::Settle { act, settlement, reason: text("reason") }
            }
            Purpose::Skip(step) => Command::Skip { step: step.clone(), reason: text("reason") },
            Purpose::Override(step) => Command::Override {
                step: step.clone(),
                server: value("server").filter(|s| !s.is_empty()),
                reason: text("reason"),
                name: text("name"),
            },
            Purpose::Note(step) => Command::Note { step: step.clone(), text: text("text") },
            Purpose::HandOver => Command::HandOver { to: text("to"), brief: text("brief") },
            Purpose::Close => Command::Close {
                closing: if text("closing") == "completed" { Closing::Completed } else { Closing::Aborted },
                text: text("text"),
            },
        })
    }
}

fn act_body(form: &mut Form, step: &Step, session: &Session, tongue: Tongue) {
    let d = &tongue.words.screens.dialogs;
    let servers = session.acts_on(step);
    let on = servers.join(", ");
    form.body.push(Row::plain(fill(&d.act_what, |name| match name {
        "action" => Some(super::telling::action_words(step, tongue)),
        _ => Some(if on.is_empty() { "?".into() } else { on.clone() }),
    })));
    let mode = session.mode().map_or("", |m| tongue.words.screens.modes.word(m));
    let inputs = session.inputs();
    form.body.push(Row::plain(fill(&d.act_where, |name| match name {
        "mode" => Some(mode.to_owned()),
        "estate" => Some(harmless(&inputs.estate)),
        _ => Some(harmless(&inputs.environment)),
    })));
    let Some(guard) = &step.guard else { return };
    if guard.no_return {
        form.body.push(Row::gap());
        form.body.push(Row::plain(&d.act_no_return).signed(Sign::NoWayBack).toned(Tone::Bad));
        let loses = tongue.text(&guard.loses);
        let loses = if loses.is_empty() { d.act_loses_unknown.clone() } else { loses };
        for line in loses.lines() {
            form.body.push(Row::plain(line).signed(Sign::NoWayBack));
        }
    }
    if !guard.recheck.is_empty() {
        let names: Vec<String> = guard.recheck.iter().map(|id| step_name(session, id, tongue)).collect();
        form.body.push(Row::plain(fill(&d.act_recheck, |_| Some(names.join(", ")))));
    }
    if let Some(kind) = guard.typed {
        let wanted = session.must_be_typed(step, kind);
        form.blanks.push(Blank::line("typed", fill(&d.act_typed, |_| Some(wanted.clone())), ""));
    }
    if session.mode().is_some_and(|mode| guard.second_person.contains(&mode)) {
        form.blanks.push(Blank::line("second", &d.second_name, "").optional());
        form.blanks.push(Blank::line("identified", &d.second_how, &d.second_how_hint).optional());
        form.blanks.push(Blank::line("not-available", &d.second_not_available, "").optional());
    }
}

/// The first uncertain action of a step, and why it is.
fn uncertain(session: &Session, step: &str) -> Option<(Act, crate::reading::Trouble)> {
    session.step(step)?.1.attempts.last()?.acts.iter().find_map(|doing| match &doing.state {
        ActState::Uncertain(trouble) => Some((doing.act.clone(), trouble.clone())),
        _ => None,
    })
}

fn act_name(session: &Session, act: &Act) -> String {
    session
        .step(&act.step)
        .and_then(|(_, s)| s.attempts.last())
        .and_then(|a| a.acts.iter().find(|d| d.act == *act))
        .map_or_else(|| act.item.clone(), |d| harmless(&d.item.name))
}

/// Servers whose judgement does not open and is not overridden yet.
fn red_servers(state: &crate::engine::StepState) -> Vec<String> {
    let mut servers: Vec<String> = state
        .attempts
        .last()
        .map(|a| a.judgements.iter())
        .into_iter()
        .flatten()
        .filter(|j| !j.verdict.opens())
        .filter_map(|j| j.server.clone())
        .filter(|s| !state.overrides.iter().any(|o| o.server.as_ref() == Some(s)))
        .collect();
    servers.sort();
    servers.dedup();
    servers
}
