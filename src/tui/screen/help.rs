//! The keys valid here, from the key table; and what the signs mean.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::desk::{Row, Sign, Tone, wrapped};
use crate::tui::app::{Model, Screen};
use crate::tui::canvas::{boxed, put};
use crate::tui::keymap::Context;

fn lines(model: &Model, width: u16) -> Vec<(String, String, Tone)> {
    let words = model.tongue.words;
    let w = &words.screens.help;
    let here = if !model.dialogs.is_empty() {
        Context::Dialog
    } else if model.filtering {
        Context::Filter
    } else {
        match model.screen {
            Screen::Home => Context::Home,
            Screen::Drill => Context::Drill,
            Screen::Evidence => Context::Evidence,
        }
    };
    let mut rows = Vec::new();
    for context in [here, Context::Anywhere] {
        if context == Context::Anywhere {
            rows.push(Row::gap());
            rows.push(Row::plain(&w.anywhere).toned(Tone::Strong));
        }
        for binding in model.keymap.of(context) {
            let help = words.screens.actions.get(&binding.does.key()).map_or("", |a| a.help.as_str());
            rows.push(Row::labelled(&binding.keys.join(" "), help));
        }
        if context == Context::Drill {
            rows.push(Row::labelled(&w.digits, &w.digits_help));
        }
    }
    rows.push(Row::gap());
    rows.push(Row::plain(&w.signs).toned(Tone::Strong));
    rows.extend(Sign::ALL.iter().map(|sign| Row::plain(sign.word(words)).signed(*sign)));
    wrapped(&rows, usize::from(width), model.look.glyphs)
}

/// Lines of the help, and how many are seen at once.
pub(in crate::tui) fn extent(model: &Model) -> (usize, usize) {
    let body = super::places(model, model.size, false).body;
    (lines(model, body.width.saturating_sub(2)).len(), usize::from(body.height.saturating_sub(2)))
}

pub(super) fn draw(model: &Model, scroll: usize, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme();
    let inside = boxed(frame, area, &model.tongue.words.screens.help.title, true, theme);
    let lines = lines(model, inside.width);
    let height = usize::from(inside.height);
    let top = scroll.min(lines.len().saturating_sub(height));
    for (y, (label, line, tone)) in lines.iter().skip(top).take(height).enumerate() {
        let x = put(frame, inside, 0, y as u16, label, theme.tone(Tone::Strong), theme);
        put(frame, inside, x, y as u16, line, theme.tone(*tone), theme);
    }
    if lines.len() > top + height && height > 0 {
        super::drill::more(model, frame, inside, lines.len() - top - height);
    }
}
