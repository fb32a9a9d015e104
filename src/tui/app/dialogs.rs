//! Keys of dialogs and of the help, and leaving.

use super::{Model, Request, World};
use crate::engine::Standing;
use crate::tui::dialog::{Dialog, Pressed, What};
use crate::tui::keymap::Action;
use crate::tui::screen;

impl Model {
    pub(super) fn dialog_key(&mut self, world: &World<'_>, action: Action) -> Vec<Request> {
        let extent = screen::dialog::extent(self);
        let Some(dialog) = self.dialogs.last_mut() else { return Vec::new() };
        match dialog.key(action, extent) {
            Pressed::Nothing => Vec::new(),
            Pressed::Cancel => {
                self.dialogs.pop();
                Vec::new()
            }
            Pressed::Yes => self.submit(world),
        }
    }

    fn submit(&mut self, world: &World<'_>) -> Vec<Request> {
        let tongue = self.tongue;
        let Some(dialog) = self.dialogs.last_mut() else { return Vec::new() };
        let values = dialog.values();
        match &dialog.what {
            What::Leave => vec![Request::Leave],
            What::Told => {
                self.dialogs.pop();
                Vec::new()
            }
            What::Begin(start) => match dialog.mode(start) {
                Some(pick) => {
                    let starting = tongue.words.screens.home.starting.clone();
                    self.dialogs.pop();
                    self.tell(starting, crate::desk::Tone::Busy);
                    vec![Request::Start(pick)]
                }
                None => Vec::new(),
            },
            What::Form(form) => {
                let Some(sight) = &world.drill else { return Vec::new() };
                match form.command(&values, sight.session, tongue) {
                    Ok(command) => {
                        dialog.sent = true;
                        vec![Request::Command(command)]
                    }
                    Err((blank, why)) => {
                        dialog.fault(Some(blank), why);
                        Vec::new()
                    }
                }
            }
        }
    }

    /// Asks before leaving; leaves at once where nothing is at stake.
    pub(super) fn quit(&mut self, world: &World<'_>) -> Vec<Request> {
        if self.dialogs.iter().any(|d| matches!(d.what, What::Leave)) {
            return Vec::new();
        }
        let open = world.drill.as_ref().filter(|s| s.session.closed.is_none());
        let Some(sight) = open else { return vec![Request::Leave] };
        let session = sight.session;
        let busy = (0..session.steps.len()).any(|n| matches!(session.standing(n), Standing::Running(_)));
        self.help = None;
        self.dialogs.push(Dialog::leave(busy, self.tongue));
        Vec::new()
    }

    pub(super) fn help_key(&mut self, action: Action) {
        let Some(scroll) = self.help else { return };
        let (lines, height) = screen::help::extent(self);
        let most = lines.saturating_sub(height);
        let now = scroll.min(most);
        let page = height.saturating_sub(1).max(1);
        self.help = match action {
            Action::Back | Action::Quit => None,
            Action::Up => Some(now.saturating_sub(1)),
            Action::Down => Some((now + 1).min(most)),
            Action::PageUp => Some(now.saturating_sub(page)),
            Action::PageDown => Some((now + page).min(most)),
            Action::First => Some(0),
            Action::Last => Some(most),
            _ => Some(now),
        };
    }
}
