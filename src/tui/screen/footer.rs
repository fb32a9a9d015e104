//! What just happened and the head of the record; under it the keys that are valid now.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::desk::{Deed, Tone, allowed};
use crate::locale::fill;
use crate::text;
use crate::tui::app::{Model, Screen, World};
use crate::tui::canvas::{put, put_right};
use crate::tui::keymap::{Action, Context};

pub(super) fn draw(model: &Model, world: &World<'_>, frame: &mut Frame<'_>, area: Rect) {
    told(model, world, frame, area);
    keys(model, world, frame, area);
}

fn told(model: &Model, world: &World<'_>, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme();
    let words = &model.tongue.words.screens.frame;
    let filter = match model.screen {
        Screen::Evidence => &model.evidence.filter,
        _ => &model.drill.filter,
    };
    let last = area.height.saturating_sub(2);
    if let Some(notice) = &model.notice {
        let mut x = 0;
        for (y, line) in notice_lines(model, area.width).iter().take(usize::from(last) + 1).enumerate() {
            x = put(frame, area, 1, y as u16, line, theme.tone(notice.tone), theme);
        }
        head(model, world, frame, area, x + 3);
        return;
    }
    let (left, style) = if model.filtering || (!filter.text().is_empty() && model.screen != Screen::Home) {
        let room = usize::from(area.width).saturating_sub(text::columns(&words.filter) + 2);
        let (shown, cursor) = filter.window(room);
        if model.filtering {
            let before = text::columns(&words.filter).saturating_sub(text::columns("{text}"));
            frame.set_cursor_position((area.x + 1 + (before + cursor) as u16, area.y));
        }
        (fill(&words.filter, |_| Some(shown.clone())), theme.tone(Tone::Busy))
    } else if !model.drill.jump.is_empty() && model.screen == Screen::Drill {
        (fill(&words.jump, |_| Some(model.drill.jump.clone())), theme.tone(Tone::Busy))
    } else {
        (String::new(), Style::new())
    };
    let x = put(frame, area, 1, 0, &left, style, theme);
    head(model, world, frame, area, x + 3);
}

/// The notice on as many lines as it takes.
pub(super) fn notice_lines(model: &Model, width: u16) -> Vec<String> {
    let room = usize::from(width.saturating_sub(2));
    model.notice.as_ref().map_or(Vec::new(), |notice| text::wrap(&notice.text, room))
}

/// The head of the record, where there is room beside what is told.
fn head(model: &Model, world: &World<'_>, frame: &mut Frame<'_>, area: Rect, left: u16) {
    let theme = model.theme();
    let words = &model.tongue.words.screens.frame;
    if let Some(sight) = &world.drill {
        let head = short(sight.head, theme.ascii());
        let state = if sight.broken.is_some() { "" } else { &words.recorded };
        let text = format!("{}  {state} ", fill(&words.head, |_| Some(head.clone())));
        put_right(frame, area, left, area.height.saturating_sub(2), &text, theme.label(), theme);
    }
}

/// `5f2c…91`
fn short(head: &str, ascii: bool) -> String {
    match (head.get(..4), head.get(head.len().saturating_sub(2)..)) {
        (Some(first), Some(last)) if head.len() > 8 => {
            format!("{first}{}{last}", if ascii { ".." } else { "…" })
        }
        _ => head.to_owned(),
    }
}

/// A key and its word.
fn keys(model: &Model, world: &World<'_>, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme();
    let context = model.context();
    let words = &model.tongue.words.screens.actions;
    let short_of = |action: Action| words.get(&action.key()).map_or("", |w| w.short.as_str());
    let help: Vec<(String, &str)> = if context == Context::Help {
        Vec::new()
    } else {
        let key = if context.takes_text() { "f1" } else { "?" };
        vec![(key.to_owned(), short_of(Action::Help))]
    };
    let width = |all: &[(String, &str)]| -> usize {
        all.iter().map(|(k, w)| text::columns(k) + text::columns(w) + 3).sum()
    };
    let room = usize::from(area.width).saturating_sub(width(&help) + 1);
    let mut shown: Vec<(String, &str)> = Vec::new();
    for binding in model.keymap.of(context) {
        let Some(key) =
            binding.keys.first().filter(|_| binding.footer && is_valid(model, world, binding.does))
        else {
            continue;
        };
        let next = (key.clone(), short_of(binding.does));
        if width(&shown) + width(std::slice::from_ref(&next)) > room {
            break;
        }
        shown.push(next);
    }
    shown.extend(help);
    let mut x = 1;
    let y = area.height.saturating_sub(1);
    for (key, word) in shown {
        x += put(frame, area, x, y, &key, theme.tone(Tone::Strong), theme) + 1;
        x += put(frame, area, x, y, word, Style::new(), theme) + 2;
    }
}

fn is_valid(model: &Model, world: &World<'_>, action: Action) -> bool {
    let (Context::Drill, Some(sight)) = (model.context(), &world.drill) else { return true };
    let deed = match action {
        Action::Run => Deed::Run,
        Action::Settle => Deed::Settle,
        Action::Stop => Deed::Stop,
        Action::Evidence => Deed::Evidence,
        Action::Note => Deed::Note,
        Action::Skip => Deed::Skip,
        Action::Override => Deed::Override,
        Action::DoneOutside => Deed::Outside,
        Action::Close => Deed::Close,
        _ => return true,
    };
    let index = model.drill.selected;
    index < sight.session.steps.len() && allowed(sight.session, index, deed, sight.broken.is_some()).is_ok()
}
