//! Keys of the home screen.

use super::{Model, Request, World};
use crate::desk::{Home, OpenDrill, Pick, Recent, Start, Tone};
use crate::locale::fill;
use crate::tui::dialog::Dialog;
use crate::tui::keymap::Action;

/// A line of home that can be selected.
pub(in crate::tui) enum Entry<'a> {
    Open(&'a OpenDrill),
    Start(&'a Start),
    Recent(&'a Recent),
}

/// All of them in order.
pub(in crate::tui) fn entries(home: &Home) -> Vec<Entry<'_>> {
    let open = home.open.iter().map(Entry::Open);
    let starts = home.starts.iter().map(Entry::Start);
    open.chain(starts).chain(home.recent.iter().map(Entry::Recent)).collect()
}

impl Model {
    pub(super) fn home_key(&mut self, world: &World<'_>, action: Action) -> Vec<Request> {
        let all = entries(world.home);
        let last = all.len().saturating_sub(1);
        let page = usize::from(self.size.1 / 2).max(1);
        self.home = self.home.min(last);
        match action {
            Action::Up => self.home = self.home.saturating_sub(1),
            Action::Down => self.home = (self.home + 1).min(last),
            Action::First => self.home = 0,
            Action::Last => self.home = last,
            Action::PageUp => self.home = self.home.saturating_sub(page),
            Action::PageDown => self.home = (self.home + page).min(last),
            Action::Back => self.tell(self.tongue.words.screens.frame.top.clone(), Tone::Dim),
            Action::Open => match all.get(self.home) {
                Some(Entry::Open(open)) => {
                    self.tell(self.tongue.words.screens.home.starting.clone(), Tone::Busy);
                    return vec![Request::Start(Pick::Resume { record: open.record.clone() })];
                }
                Some(Entry::Start(start)) => {
                    let dialog = Dialog::begin(start, self.tongue);
                    self.dialogs.push(dialog);
                }
                Some(Entry::Recent(recent)) => {
                    let hint = fill(&self.tongue.words.screens.home.recent_hint, |name| {
                        Some(if name == "record" { recent.record.clone() } else { recent.folder.clone() })
                    });
                    self.tell(hint, Tone::Plain);
                }
                None => {}
            },
            _ => {}
        }
        Vec::new()
    }
}
