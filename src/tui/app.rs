//! What the screen remembers, and how messages change it.
//!
//! `update` is the only place that changes the model; it asks for things with requests and never does them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossterm::event::KeyEvent;
use ratatui::Frame;

use super::dialog::Dialog;
use super::input::Line;
use super::keymap::{Action, Context, Keymap};
use super::screen;
use super::theme::Theme;
use crate::desk::{Home, Look, Pick, Scene, Tone};
use crate::engine::{Command, Event, QuestionRef, Refusal, RoundKey, Session, Stamped};
use crate::locale::{Tongue, fill};
use crate::sql::Catalogue;
use crate::text::Language;

mod dialogs;
pub(super) mod drill;
pub(super) mod evidence;
pub(super) mod home;

/// What is true outside the screen; only read.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// What home offers.
    pub home: &'a Home,
    /// The running drill.
    pub drill: Option<Sight<'a>>,
}

/// A drill as it is now.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// Its state.
    pub session: &'a Session,
    /// Head of the record, hex.
    pub head: &'a str,
    /// Why the record stopped taking events.
    pub broken: Option<&'a str>,
    /// Drill time.
    pub now: DateTime<Utc>,
    /// Drill seconds per real one.
    pub speed: f64,
    /// Its queries.
    pub catalogue: &'a Catalogue,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size: columns, lines.
    Resize(u16, u16),
    /// A second has passed.
    Tick,
    /// One question came back; not recorded yet.
    Progress(RoundKey, QuestionRef, Result<u64, String>),
    /// A round came home; what was known of it is old.
    RoundOver(RoundKey),
    /// Events were recorded and applied.
    Recorded(Vec<Stamped>),
    /// The engine said no to the latest command.
    Refused(Refusal),
    /// The record stopped taking events.
    Broke(String),
    /// A drill was started or resumed.
    Started,
    /// It could not be.
    NotStarted(String),
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Hand a command to the drill.
    Command(Command),
    /// Start or resume a drill.
    Start(Pick),
    /// Copy a text to the clipboard of the terminal.
    Copy(String),
    /// Draw everything anew.
    Redraw,
    /// Leave the program.
    Leave,
}

/// Which screen is shown under the dialogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Screen {
    Home,
    Drill,
    Evidence,
}

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pane {
    #[default]
    List,
    Detail,
}

/// What the drill screen remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct DrillView {
    /// Index of the selected step.
    pub(super) selected: usize,
    pub(super) pane: Pane,
    /// Lines the details are scrolled down.
    pub(super) scroll: usize,
    /// Digits typed so far.
    pub(super) jump: String,
    pub(super) filter: Line,
}

/// What the evidence screen remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct EvidenceView {
    /// Index of the step.
    pub(super) step: usize,
    /// Attempt, from 0.
    pub(super) attempt: usize,
    /// Which of its exhibits.
    pub(super) at: usize,
    pub(super) scroll: usize,
    /// Columns of the table left out at its left.
    pub(super) column: usize,
    pub(super) filter: Line,
    /// Rows that match the filter, when there is one.
    pub(super) matching: Option<Vec<usize>>,
}

/// A line at the bottom that tells what just happened.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// What the screen remembers.
pub struct Model {
    pub(super) look: Look,
    pub(super) tongue: Tongue,
    pub(super) keymap: &'static Keymap,
    pub(super) size: (u16, u16),
    pub(super) screen: Screen,
    /// Selected line of home.
    pub(super) home: usize,
    pub(super) drill: DrillView,
    pub(super) evidence: EvidenceView,
    /// Whether the filter of the screen is being typed.
    pub(super) filtering: bool,
    /// Open dialogs, the last one on top.
    pub(super) dialogs: Vec<Dialog>,
    /// How far the help is scrolled, when it is open.
    pub(super) help: Option<usize>,
    pub(super) notice: Option<Notice>,
    pub(super) progress: BTreeMap<(RoundKey, QuestionRef), Result<u64, String>>,
}

impl Model {
    /// The home screen, or the drill screen when a drill is running already.
    pub fn new(look: Look, size: (u16, u16), world: &World<'_>) -> Self {
        let mut model = Self {
            look,
            tongue: Tongue::of(look.language),
            keymap: Keymap::built_in(),
            size,
            screen: Screen::Home,
            home: 0,
            drill: DrillView::default(),
            evidence: EvidenceView::default(),
            filtering: false,
            dialogs: Vec::new(),
            help: None,
            notice: None,
            progress: BTreeMap::new(),
        };
        if world.drill.is_some() {
            model.enter_drill(world);
        }
        model
    }

    /// The language of the screens.
    pub fn language(&self) -> Language {
        self.look.language
    }

    pub(super) fn theme(&self) -> Theme {
        Theme { look: self.look }
    }

    /// Where keys go now.
    pub(super) fn context(&self) -> Context {
        if self.help.is_some() {
            return Context::Help;
        }
        if !self.dialogs.is_empty() {
            return Context::Dialog;
        }
        if self.filtering {
            return Context::Filter;
        }
        match self.screen {
            Screen::Home => Context::Home,
            Screen::Drill => Context::Drill,
            Screen::Evidence => Context::Evidence,
        }
    }

    pub(super) fn tell(&mut self, text: impl Into<String>, tone: Tone) {
        self.notice = Some(Notice { text: text.into(), tone });
    }

    pub(super) fn scene<'a>(&'a self, sight: &Sight<'a>) -> Scene<'a> {
        Scene { session: sight.session, now: sight.now, tongue: self.tongue, progress: &self.progress }
    }

    fn enter_drill(&mut self, world: &World<'_>) {
        self.screen = Screen::Drill;
        self.drill = DrillView::default();
        self.progress.clear();
        if let Some(sight) = &world.drill {
            self.drill.selected = crate::desk::next_open(sight.session, None).unwrap_or(0);
        }
    }

    fn refused(&mut self, refusal: &Refusal, world: &World<'_>) {
        let words = self.tongue.words;
        let said = match &world.drill {
            Some(sight) => {
                words.refusal_with(refusal, &|id| crate::desk::step_name(sight.session, id, self.tongue))
            }
            None => words.refusal(refusal),
        };
        match self.dialogs.last_mut().filter(|d| d.sent) {
            Some(dialog) => dialog.refuse(refusal, said),
            None => self.tell(fill(&words.screens.frame.refused, |_| Some(said.clone())), Tone::Warn),
        }
    }

    fn recorded(&mut self, events: &[Stamped]) {
        if self.dialogs.last().is_some_and(|d| d.sent) {
            self.dialogs.pop();
        }
        for stamped in events {
            match &stamped.event {
                Event::Judged { key, .. } => self.progress.retain(|(k, _), _| k != key),
                Event::Interrupted { step, .. } => self.progress.retain(|(k, _), _| k.step != *step),
                Event::Closed { .. } => {
                    self.progress.clear();
                    let text = self.tongue.words.screens.frame.closed_now.clone();
                    self.tell(text, Tone::Strong);
                }
                _ => {}
            }
        }
    }
}

/// Changes the model, and says what is to be done outside.
pub fn update(model: &mut Model, world: &World<'_>, message: Message) -> Vec<Request> {
    match message {
        Message::Key(key) => return key_pressed(model, world, &key),
        Message::Paste(text) => {
            if let Some(dialog) = model.dialogs.last_mut().filter(|_| model.help.is_none()) {
                dialog.insert(&text);
            } else if model.filtering {
                model.typed(world, &text);
            }
        }
        Message::Resize(width, height) => model.size = (width, height),
        Message::Tick => {}
        Message::Progress(key, question, outcome) => {
            model.progress.insert((key, question), outcome);
        }
        Message::RoundOver(key) => model.progress.retain(|(k, _), _| *k != key),
        Message::Recorded(events) => model.recorded(&events),
        Message::Refused(refusal) => model.refused(&refusal, world),
        Message::Broke(_) => model.dialogs.retain(|d| !d.sent),
        Message::Started => {
            model.dialogs.clear();
            model.notice = None;
            model.enter_drill(world);
        }
        Message::NotStarted(why) => {
            model.dialogs.clear();
            model.notice = None;
            model.dialogs.push(Dialog::told(&why, model.tongue));
        }
    }
    Vec::new()
}

fn key_pressed(model: &mut Model, world: &World<'_>, key: &KeyEvent) -> Vec<Request> {
    let context = model.context();
    model.notice = None;
    let Some(action) = model.keymap.action(context, key) else {
        if let crossterm::event::KeyCode::Char(c) = key.code
            && !key
                .modifiers
                .intersects(crossterm::event::KeyModifiers::CONTROL | crossterm::event::KeyModifiers::ALT)
        {
            match context {
                Context::Dialog => {
                    if let Some(dialog) = model.dialogs.last_mut() {
                        dialog.insert(&c.to_string());
                    }
                }
                Context::Filter => model.typed(world, &c.to_string()),
                Context::Drill if c.is_ascii_digit() => model.digit(world, c),
                _ => {}
            }
        }
        return Vec::new();
    };
    match (context, action) {
        (_, Action::Redraw) => vec![Request::Redraw],
        (Context::Help, Action::Help) => {
            model.help = None;
            Vec::new()
        }
        (_, Action::Help) => {
            model.help = Some(0);
            Vec::new()
        }
        (Context::Help, action) => {
            model.help_key(action);
            Vec::new()
        }
        (_, Action::Quit) => model.quit(world),
        (Context::Dialog, action) => model.dialog_key(world, action),
        (Context::Filter, action) => {
            model.filter_key(world, action);
            Vec::new()
        }
        (Context::Home, action) => model.home_key(world, action),
        (Context::Drill, action) => model.drill_key(world, action),
        (Context::Evidence, action) => model.evidence_key(world, action),
        (Context::Anywhere, _) => Vec::new(),
    }
}

/// Draws everything.
pub fn view(model: &Model, world: &World<'_>, frame: &mut Frame<'_>) {
    screen::draw(model, world, frame);
}
