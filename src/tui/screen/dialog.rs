//! A dialog over the body: text, blanks, buttons on its last line.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::desk::{Kind, Tone, wrapped};
use crate::locale::fill;
use crate::text;
use crate::tui::app::Model;
use crate::tui::canvas::{boxed, middle, put, wash};
use crate::tui::dialog::{Dialog, Field};

/// The widest a dialog gets; longer lines are hard to read.
const WIDEST: u16 = 76;

/// One line: label and text, how it looks, and the blank it belongs to.
struct Line {
    label: String,
    text: String,
    style: Style,
    blank: Option<usize>,
}

fn lines(model: &Model, dialog: &Dialog, width: u16) -> Vec<Line> {
    let theme = model.theme();
    let words = &model.tongue.words.screens.dialogs;
    let wide = usize::from(width);
    let mut out: Vec<Line> = wrapped(&dialog.body, wide, model.look.glyphs)
        .into_iter()
        .map(|(label, text, tone)| Line { label, text, style: theme.tone(tone), blank: None })
        .collect();
    let plain =
        |text: String, style: Style, blank: Option<usize>| Line { label: String::new(), text, style, blank };
    for (n, (blank, field)) in dialog.blanks.iter().zip(&dialog.fields).enumerate() {
        let focused = dialog.focus == n;
        out.push(plain(String::new(), Style::new(), None));
        let hint = if blank.hint.is_empty() { String::new() } else { format!(" ({})", blank.hint) };
        let style = if focused { theme.tone(Tone::Strong) } else { Style::new() };
        out.extend(
            text::wrap(&format!("{}{hint}", blank.label), wide).into_iter().map(|l| plain(l, style, None)),
        );
        let mark = if focused { ">" } else { " " };
        let shown = match (field, &blank.kind) {
            (Field::OneOf(Some(at)), Kind::OneOf(all)) => {
                format!("{mark} < {} >", all.get(*at).map_or("", |(_, words)| words.as_str()))
            }
            (Field::OneOf(_), _) => format!("{mark} < {} >", words.choose),
            (Field::Line(line), _) => {
                let (shown, _) = line.window(wide.saturating_sub(3));
                let rest = wide.saturating_sub(2 + text::columns(&shown));
                format!("{mark} {shown}{}", "_".repeat(rest))
            }
        };
        let style = if focused && matches!(field, Field::OneOf(_)) { theme.selected() } else { Style::new() };
        out.push(plain(shown, style, Some(n)));
        if let Some((Some(at), why)) = &dialog.fault
            && *at == n
        {
            out.extend(text::wrap(why, wide).into_iter().map(|l| plain(l, theme.tone(Tone::Bad), None)));
        }
    }
    if let Some((None, why)) = &dialog.fault {
        out.push(plain(String::new(), Style::new(), None));
        out.extend(text::wrap(why, wide).into_iter().map(|l| plain(l, theme.tone(Tone::Bad), None)));
    }
    out
}

fn width(body: Rect) -> u16 {
    if body.width < WIDEST + 12 { body.width } else { WIDEST }
}

/// Lines of the dialog on top, and how many are seen at once.
pub(in crate::tui) fn extent(model: &Model) -> (usize, usize) {
    let Some(dialog) = model.dialogs.last() else { return (0, 1) };
    let body = super::places(model, model.size, false).body;
    let count = lines(model, dialog, width(body).saturating_sub(4)).len();
    (count, count.min(usize::from(body.height.saturating_sub(4))))
}

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, body: Rect) {
    let Some(dialog) = model.dialogs.last() else { return };
    let theme = model.theme();
    let wide = width(body);
    let lines = lines(model, dialog, wide.saturating_sub(4));
    let area = middle(body, wide, (lines.len() + 4).min(usize::from(u16::MAX)) as u16);
    wash(frame, area, Style::reset());
    let inside = boxed(frame, area, &dialog.title, true, theme);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let height = usize::from(inside.height.saturating_sub(2));
    let most = lines.len().saturating_sub(height);
    let mut top = dialog.scroll.min(most);
    if dialog.follows {
        let focus = lines.iter().position(|l| l.blank == Some(dialog.focus)).unwrap_or(lines.len());
        // The line after it may say what is wrong with it.
        if focus + 2 > top + height {
            top = (focus + 2).saturating_sub(height).min(most);
        }
        if focus < top + 1 {
            top = focus.saturating_sub(1).min(most);
        }
    }
    for (y, line) in lines.iter().skip(top).take(height).enumerate() {
        let x = put(frame, inside, 0, y as u16, &line.label, theme.label(), theme);
        put(frame, inside, x, y as u16, &line.text, line.style, theme);
        if line.blank == Some(dialog.focus)
            && let Some(Field::Line(typed)) = dialog.fields.get(dialog.focus)
        {
            let (_, cursor) = typed.window(usize::from(inside.width).saturating_sub(3));
            frame.set_cursor_position((inside.x + 2 + cursor as u16, inside.y + y as u16));
        }
    }
    if lines.len() > top + height && height > 0 {
        let seen = Rect { height: height as u16, ..inside };
        super::drill::more(model, frame, seen, lines.len() - top - height);
    }
    buttons(model, dialog, frame, inside);
}

fn buttons(model: &Model, dialog: &Dialog, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme();
    let words = &model.tongue.words.screens.dialogs;
    let y = area.height.saturating_sub(1);
    let button = |word: &str| fill(&words.button, |_| Some(word.to_owned()));
    let cancel = dialog.cancel.as_deref().map(|word| (word, dialog.cancel_focus()));
    let mut x = 0;
    for (word, focus) in cancel.into_iter().chain([(dialog.yes.as_str(), dialog.yes_focus())]) {
        let focused = dialog.focus == focus;
        let style = if focused { theme.selected() } else { Style::new() };
        let mark = if focused { ">" } else { " " };
        x += put(frame, area, x, y, &format!("{mark}{}", button(word)), style, theme) + 2;
    }
}
