//! A dialog: what must be read, what is filled in, and two buttons of which cancel comes first.
//!
//! Knows how to fill in a [`Form`], not what it leads to.

use super::input::Line;
use super::keymap::Action;
use crate::desk::{Blank, Form, Kind, Pick, Row, Start};
use crate::engine::Refusal;
use crate::locale::{Tongue, fill};
use crate::runbook::Mode;
use crate::text::harmless;

/// What a dialog is about.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// Something for the drill.
    Form(Form),
    /// Leaving the program.
    Leave,
    /// Starting a drill.
    Begin(Start),
    /// Something to be read.
    Told,
}

/// What is filled in so far.
#[derive(Debug, Clone)]
pub(super) enum Field {
    Line(Line),
    OneOf(Option<usize>),
}

/// What a key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    Nothing,
    Cancel,
    Yes,
}

/// An open dialog. Focus: a blank by its index, then cancel, then the button that does it.
#[derive(Debug, Clone)]
pub(super) struct Dialog {
    pub(super) what: What,
    pub(super) title: String,
    pub(super) body: Vec<Row>,
    pub(super) blanks: Vec<Blank>,
    pub(super) fields: Vec<Field>,
    pub(super) yes: String,
    /// `None`: there is nothing to cancel.
    pub(super) cancel: Option<String>,
    harmless: bool,
    pub(super) focus: usize,
    /// Lines scrolled down.
    pub(super) scroll: usize,
    /// Whether what is shown follows the focus; not before something was typed, so that the text is read from its top.
    pub(super) follows: bool,
    /// What is wrong, and with which blank.
    pub(super) fault: Option<(Option<usize>, String)>,
    /// Whether its command is on its way.
    pub(super) sent: bool,
}

impl Dialog {
    fn new(what: What, title: String, body: Vec<Row>, yes: String, tongue: Tongue) -> Self {
        Self {
            what,
            title,
            body,
            blanks: Vec::new(),
            fields: Vec::new(),
            yes,
            cancel: Some(tongue.words.screens.dialogs.cancel.clone()),
            harmless: false,
            focus: 0,
            scroll: 0,
            follows: false,
            fault: None,
            sent: false,
        }
    }

    fn with(mut self, blanks: Vec<Blank>, harmless: bool) -> Self {
        self.fields = blanks
            .iter()
            .map(|b| match &b.kind {
                Kind::Line => Field::Line(Line::default()),
                Kind::OneOf(all) => Field::OneOf((all.len() == 1).then_some(0)),
            })
            .collect();
        self.blanks = blanks;
        self.harmless = harmless;
        self.focus = if self.blanks.is_empty() { self.default_button() } else { 0 };
        self
    }

    /// For a form.
    pub(super) fn of(form: Form, tongue: Tongue) -> Self {
        let (title, body, yes) = (form.title.clone(), form.body.clone(), form.yes.clone());
        let (blanks, harmless) = (form.blanks.clone(), form.harmless);
        Self::new(What::Form(form), title, body, yes, tongue).with(blanks, harmless)
    }

    /// Asks before leaving.
    pub(super) fn leave(busy: bool, tongue: Tongue) -> Self {
        let d = &tongue.words.screens.dialogs;
        let mut body = vec![Row::plain(&d.quit_open)];
        if busy {
            body.push(Row::plain(&d.quit_busy).signed(crate::desk::Sign::Warn));
        }
        Self::new(What::Leave, d.quit_title.clone(), body, d.quit_yes.clone(), tongue).with(Vec::new(), false)
    }

    /// Asks what a new drill is for.
    pub(super) fn begin(start: &Start, tongue: Tongue) -> Self {
        let d = &tongue.words.screens.dialogs;
        let what = fill(&d.start_what, |name| match name {
            "runbook" => Some(start.title.clone()),
            "estate" => Some(start.estate.clone()),
            _ => Some(start.environment.clone()),
        });
        let modes: Vec<(String, String)> = start
            .modes
            .iter()
            .map(|mode| {
                let words = match mode {
                    Mode::Rehearsal => &d.start_rehearsal,
                    Mode::Drill => &d.start_drill,
                    Mode::Incident => &d.start_incident,
                };
                (mode.key().to_owned(), words.clone())
            })
            .collect();
        let blank = Blank {
            key: "mode".into(),
            label: d.start_mode.clone(),
            hint: String::new(),
            kind: Kind::OneOf(modes),
            optional: false,
        };
        let body = vec![Row::plain(harmless(&what))];
        let mut dialog =
            Self::new(What::Begin(start.clone()), d.start_title.clone(), body, d.start_yes.clone(), tongue)
                .with(vec![blank], true);
        dialog.fields = vec![Field::OneOf(Some(0))];
        dialog
    }

    /// Tells why something could not be started.
    pub(super) fn told(why: &str, tongue: Tongue) -> Self {
        let d = &tongue.words.screens.dialogs;
        let body = harmless(why).lines().map(Row::plain).collect();
        let mut dialog = Self::new(What::Told, d.failed_title.clone(), body, d.failed_yes.clone(), tongue);
        dialog.cancel = None;
        dialog.with(Vec::new(), true)
    }

    /// What is filled in: texts, and the keys of choices (empty when none is chosen).
    pub(super) fn values(&self) -> Vec<String> {
        let value = |(blank, field): (&Blank, &Field)| match (&blank.kind, field) {
            (_, Field::Line(line)) => line.text().to_owned(),
            (Kind::OneOf(all), Field::OneOf(Some(at))) => {
                all.get(*at).map_or(String::new(), |(key, _)| key.clone())
            }
            // Not the empty text, which may be the key of a choice.
            _ => "\u{0}".to_owned(),
        };
        self.blanks.iter().zip(&self.fields).map(value).collect()
    }

    /// What to begin, as chosen.
    pub(super) fn mode(&self, start: &Start) -> Option<Pick> {
        let Some(Field::OneOf(Some(at))) = self.fields.first() else { return None };
        let mode = *start.modes.get(*at)?;
        Some(Pick::Begin { runbook: start.runbook.clone(), estate: start.estate.clone(), mode })
    }

    pub(super) fn cancel_focus(&self) -> usize {
        self.blanks.len()
    }

    pub(super) fn yes_focus(&self) -> usize {
        self.blanks.len() + 1
    }

    fn default_button(&self) -> usize {
        if self.harmless || self.cancel.is_none() { self.yes_focus() } else { self.cancel_focus() }
    }

    /// Something is wrong; the focus goes there.
    pub(super) fn fault(&mut self, blank: Option<usize>, why: String) {
        if let Some(at) = blank.filter(|at| *at < self.blanks.len()) {
            self.focus = at;
        }
        self.follows = true;
        self.fault = Some((blank, why));
        self.sent = false;
    }

    /// The engine said no.
    pub(super) fn refuse(&mut self, refusal: &Refusal, said: String) {
        let keys: &[&str] = match refusal {
            Refusal::Field { field, .. } => &[field.as_str()],
            Refusal::TypeExactly { .. } => &["typed"],
            Refusal::NeedsSecondPerson | Refusal::SamePerson => &["second"],
            Refusal::ReasonNeeded => &["reason", "text", "brief"],
            Refusal::NameNeeded => &["name", "to"],
            _ => &[],
        };
        let blank = self.blanks.iter().position(|b| keys.contains(&b.key.as_str()));
        self.fault(blank, said);
    }

    pub(super) fn insert(&mut self, text: &str) {
        self.follows = true;
        match self.fields.get_mut(self.focus) {
            Some(Field::Line(line)) => {
                line.insert(text);
                self.fault = None;
            }
            Some(Field::OneOf(_)) if text == " " => self.choose(1),
            _ => {}
        }
    }

    fn choose(&mut self, by: isize) {
        let Some(Kind::OneOf(all)) = self.blanks.get(self.focus).map(|b| &b.kind) else { return };
        let count = all.len() as isize;
        if let Some(Field::OneOf(chosen)) = self.fields.get_mut(self.focus)
            && count > 0
        {
            let next = match *chosen {
                None if by > 0 => 0,
                None => count - 1,
                Some(at) => (at as isize + by).rem_euclid(count),
            };
            *chosen = Some(next as usize);
            self.fault = None;
        }
    }

    fn go(&mut self, by: isize) {
        let count = self.blanks.len() as isize + 2;
        let mut next = (self.focus as isize + by).rem_euclid(count);
        if self.cancel.is_none() && next == self.cancel_focus() as isize {
            next = (next + by).rem_euclid(count);
        }
        self.focus = next as usize;
    }

    /// A key; `extent` is lines of the dialog and how many are seen at once.
    pub(super) fn key(&mut self, action: Action, extent: (usize, usize)) -> Pressed {
        let most = extent.0.saturating_sub(extent.1);
        let on_field = self.focus < self.blanks.len();
        self.follows = !matches!(action, Action::PageUp | Action::PageDown);
        match action {
            Action::Back => return Pressed::Cancel,
            Action::Confirm if self.sent => {}
            Action::Confirm if self.focus == self.yes_focus() => return Pressed::Yes,
            Action::Confirm if self.focus == self.cancel_focus() => return Pressed::Cancel,
            Action::Confirm if self.focus + 1 == self.blanks.len() => self.focus = self.default_button(),
            Action::Confirm | Action::NextField | Action::Down => self.go(1),
            Action::PreviousField | Action::Up => self.go(-1),
            Action::PageUp => self.scroll = self.scroll.min(most).saturating_sub(extent.1.max(1)),
            Action::PageDown => self.scroll = (self.scroll + extent.1.max(1)).min(most),
            Action::Left | Action::Right if !on_field => self.go(if action == Action::Left { -1 } else { 1 }),
            _ => self.edit(action),
        }
        Pressed::Nothing
    }

    fn edit(&mut self, action: Action) {
        match (self.fields.get_mut(self.focus), action) {
            (Some(Field::Line(line)), Action::Left) => line.left(),
            (Some(Field::Line(line)), Action::Right) => line.right(),
            (Some(Field::Line(line)), Action::First) => line.first(),
            (Some(Field::Line(line)), Action::Last) => line.last(),
            (Some(Field::Line(line)), Action::Erase) => line.erase(),
            (Some(Field::Line(line)), Action::EraseAfter) => line.erase_after(),
            (Some(Field::Line(line)), Action::EraseLine) => line.clear(),
            (Some(Field::OneOf(_)), Action::Left) => self.choose(-1),
            (Some(Field::OneOf(_)), Action::Right) => self.choose(1),
            _ => {}
        }
    }
}
