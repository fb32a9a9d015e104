//! Keys of the drill screen.

use super::{EvidenceView, Model, Pane, Request, Screen, Sight, World};
use crate::desk::{
    Deed, Form, Purpose, Running, Tone, WhyNot, allowed, next_open, run_of, script_of, step_name, tell,
};
use crate::engine::{Command, Session};
use crate::limits;
use crate::locale::fill;
use crate::text::harmless;
use crate::tui::dialog::Dialog;
use crate::tui::keymap::Action;
use crate::tui::screen::drill as page;

/// Indices of the steps that the filter lets through.
pub(in crate::tui) fn visible(model: &Model, session: &Session) -> Vec<usize> {
    let wanted = model.drill.filter.text().to_lowercase();
    let shows = |n: &usize| {
        if wanted.is_empty() {
            return true;
        }
        let step = &session.book.steps[*n];
        let sign = crate::desk::Sign::of(&session.standing(*n)).word(model.tongue.words);
        let text = format!("{} {} {} {sign}", step.number, model.tongue.text(&step.title), step.id);
        text.to_lowercase().contains(&wanted)
    };
    (0..session.steps.len()).filter(shows).collect()
}

impl Model {
    pub(super) fn drill_key(&mut self, world: &World<'_>, action: Action) -> Vec<Request> {
        let Some(sight) = &world.drill else { return Vec::new() };
        let session = sight.session;
        if session.steps.is_empty() {
            return if action == Action::Close { self.deed(sight, Deed::Close) } else { Vec::new() };
        }
        self.drill.selected = self.drill.selected.min(session.steps.len() - 1);
        let jumped = std::mem::take(&mut self.drill.jump);
        match action {
            Action::Open if !jumped.is_empty() => {}
            Action::Open if page::is_single(self.size) && self.drill.pane == Pane::List => {
                self.drill.pane = Pane::Detail;
            }
            Action::Open | Action::Run => return self.deed(sight, Deed::Run),
            Action::ActAgain => return self.deed(sight, Deed::ActAgain),
            Action::Settle => return self.deed(sight, Deed::Settle),
            Action::LookAgain => return self.deed(sight, Deed::LookAgain),
            Action::Stop => return self.deed(sight, Deed::Stop),
            Action::DoneOutside => return self.deed(sight, Deed::Outside),
            Action::Skip => return self.deed(sight, Deed::Skip),
            Action::Override => return self.deed(sight, Deed::Override),
            Action::Note => return self.deed(sight, Deed::Note),
            Action::HandOver => return self.deed(sight, Deed::HandOver),
            Action::Close => return self.deed(sight, Deed::Close),
            Action::Evidence => return self.deed(sight, Deed::Evidence),
            Action::NoteDrill => {
                match allowed(session, self.drill.selected, Deed::Note, sight.broken.is_some()) {
                    Ok(()) => self.ask(&Purpose::Note(None), session),
                    Err(why) => self.cannot(&why, session),
                }
            }
            Action::NextOpen => {
                if let Some(at) = next_open(session, Some(self.drill.selected)) {
                    self.drill.filter.clear();
                    self.select(at);
                }
            }
            Action::CopySql => {
                let script = script_of(session, self.drill.selected, sight.catalogue);
                let what = self.tongue.words.screens.frame.copied_sql.clone();
                return self.copy(script.ok_or(&self.tongue.words.screens.why_not.no_sql), &what);
            }
            Action::Copy => {
                let title = step_name(session, &session.book.steps[self.drill.selected].id, self.tongue);
                let rows = tell(&self.scene(sight), self.drill.selected);
                let lines: Vec<String> = rows.iter().map(|r| r.line(self.look.glyphs)).collect();
                let what = self.tongue.words.screens.frame.copied_step.clone();
                return self.copy(Ok(format!("{title}\n{}\n", lines.join("\n"))), &what);
            }
            Action::Filter => {
                self.drill.pane = Pane::List;
                self.filtering = true;
            }
            Action::Back => self.back_out(),
            Action::Left => self.drill.pane = Pane::List,
            Action::Right => {
                self.drill.pane = if self.drill.pane == Pane::Detail { Pane::List } else { Pane::Detail };
            }
            _ if self.drill.pane == Pane::List => self.move_in_list(sight, action),
            _ => self.scroll_details(sight, action),
        }
        Vec::new()
    }

    fn back_out(&mut self) {
        if self.drill.pane == Pane::Detail {
            self.drill.pane = Pane::List;
        } else if !self.drill.filter.text().is_empty() {
            self.drill.filter.clear();
        } else {
            self.tell(self.tongue.words.screens.frame.top.clone(), Tone::Dim);
        }
    }

    fn move_in_list(&mut self, sight: &Sight<'_>, action: Action) {
        let shown = visible(self, sight.session);
        if shown.is_empty() {
            return;
        }
        let at = shown.iter().position(|n| *n >= self.drill.selected).unwrap_or(shown.len() - 1);
        let page = usize::from(self.size.1 / 2).max(1);
        let to = match action {
            Action::Up => at.saturating_sub(1),
            Action::Down if shown[at] == self.drill.selected => at + 1,
            Action::First => 0,
            Action::Last => shown.len(),
            Action::PageUp => at.saturating_sub(page),
            Action::PageDown => at + page,
            _ => at,
        };
        self.select(shown[to.min(shown.len() - 1)]);
    }

    fn scroll_details(&mut self, sight: &Sight<'_>, action: Action) {
        let (lines, height) = page::detail_extent(self, sight);
        let most = lines.saturating_sub(height);
        let page = height.saturating_sub(1).max(1);
        let now = self.drill.scroll.min(most);
        self.drill.scroll = match action {
            Action::Up => now.saturating_sub(1),
            Action::Down => now + 1,
            Action::First => 0,
            Action::Last => most,
            Action::PageUp => now.saturating_sub(page),
            Action::PageDown => now + page,
            _ => now,
        }
        .min(most);
    }

    fn select(&mut self, index: usize) {
        if index != self.drill.selected {
            self.drill.scroll = 0;
        }
        self.drill.selected = index;
    }

    /// Digits go to the step with that number as they are typed.
    pub(super) fn digit(&mut self, world: &World<'_>, digit: char) {
        let Some(sight) = &world.drill else { return };
        if self.drill.jump.len() >= 3 {
            self.drill.jump.clear();
        }
        self.drill.jump.push(digit);
        let number = self.drill.jump.parse::<usize>().unwrap_or(0);
        let found = sight.session.book.steps.iter().position(|s| usize::from(s.number) == number);
        if let Some(at) = found {
            self.drill.filter.clear();
            self.select(at);
        } else {
            let words = &self.tongue.words.screens.frame;
            let text = fill(&words.no_such_step, |_| Some(self.drill.jump.clone()));
            self.drill.jump.clear();
            self.tell(text, Tone::Warn);
        }
    }

    /// Does something with the selected step, asks what must be asked first, or says why not.
    fn deed(&mut self, sight: &Sight<'_>, deed: Deed) -> Vec<Request> {
        let session = sight.session;
        if session.steps.is_empty() {
            self.ask(&Purpose::Close, session);
            return Vec::new();
        }
        let index = self.drill.selected;
        let id = session.book.steps[index].id.clone();
        if let Err(why) = allowed(session, index, deed, sight.broken.is_some()) {
            self.cannot(&why, session);
            return Vec::new();
        }
        let purpose = match deed {
            Deed::Run => match run_of(session, index) {
                Running::At(command) => return vec![Request::Command(command)],
                Running::Form(purpose) => purpose,
            },
            Deed::Stop => return vec![Request::Command(Command::Cancel { step: id })],
            Deed::LookAgain => return vec![Request::Command(Command::LookAgain { step: id })],
            Deed::Evidence => {
                let attempts = &session.steps[index].attempts;
                let attempt = attempts.iter().rposition(|a| !a.given.is_empty()).unwrap_or(0);
                self.evidence = EvidenceView { step: index, attempt, ..EvidenceView::default() };
                self.show_worst(sight);
                self.screen = Screen::Evidence;
                return Vec::new();
            }
            Deed::ActAgain => Purpose::Act(id),
            Deed::Outside => Purpose::Outside(id),
            Deed::Settle => Purpose::Settle(id),
            Deed::Skip => Purpose::Skip(id),
            Deed::Override => Purpose::Override(id),
            Deed::Note => Purpose::Note(Some(id)),
            Deed::HandOver => Purpose::HandOver,
            Deed::Close => Purpose::Close,
        };
        self.ask(&purpose, session);
        Vec::new()
    }

    fn ask(&mut self, purpose: &Purpose, session: &Session) {
        if let Some(form) = Form::of(purpose, session, self.tongue) {
            self.dialogs.push(Dialog::of(form, self.tongue));
        }
    }

    fn cannot(&mut self, why: &WhyNot, session: &Session) {
        let text = why.say(session, self.tongue);
        self.tell(text, Tone::Warn);
    }

    /// Copies a text, or says why there is none.
    pub(super) fn copy(&mut self, text: Result<String, &String>, what: &str) -> Vec<Request> {
        match text {
            Err(why) => {
                self.tell(why.clone(), Tone::Warn);
                Vec::new()
            }
            Ok(text) if text.len() > limits::CLIPBOARD_BYTES => {
                let words = &self.tongue.words.screens.frame;
                let said = fill(&words.too_long, |name| {
                    Some(if name == "most" { limits::CLIPBOARD_BYTES } else { text.len() }.to_string())
                });
                self.tell(said, Tone::Warn);
                Vec::new()
            }
            Ok(text) => {
                let words = &self.tongue.words.screens.frame;
                let said = fill(&words.copied, |name| {
                    Some(if name == "what" { what.to_owned() } else { text.len().to_string() })
                });
                self.tell(harmless(&said), Tone::Plain);
                vec![Request::Copy(text)]
            }
        }
    }
}
