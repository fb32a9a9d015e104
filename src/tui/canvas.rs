//! Putting text into a frame: cut to its area by columns, never outside. Knows no screens.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Borders};

use super::theme::Theme;
use crate::text;

/// Puts text on a line of the area, cut to its width; gives back the columns it took.
pub(super) fn put(
    frame: &mut Frame<'_>,
    area: Rect,
    x: u16,
    y: u16,
    text: &str,
    style: Style,
    theme: Theme,
) -> u16 {
    if y >= area.height || x >= area.width {
        return 0;
    }
    let shown = text::fit(&text.replace('\t', " "), usize::from(area.width - x), theme.ascii());
    let taken = text::columns(&shown) as u16;
    frame.buffer_mut().set_stringn(area.x + x, area.y + y, shown, usize::from(area.width - x), style);
    taken
}

/// Puts text at the right end of a line of the area, when there is room from `left` on; gives back whether it was put.
pub(super) fn put_right(
    frame: &mut Frame<'_>,
    area: Rect,
    left: u16,
    y: u16,
    text: &str,
    style: Style,
    theme: Theme,
) -> bool {
    let wide = text::columns(text) as u16;
    if wide == 0 || left + wide > area.width {
        return false;
    }
    put(frame, area, area.width - wide, y, text, style, theme) > 0
}

/// Fills the area with blanks of a style.
pub(super) fn wash(frame: &mut Frame<'_>, area: Rect, style: Style) {
    let area = area.intersection(frame.area());
    let blank = " ".repeat(usize::from(area.width));
    for y in area.top()..area.bottom() {
        frame.buffer_mut().set_string(area.x, y, &blank, Style::reset());
        frame.buffer_mut().set_style(Rect { y, height: 1, ..area }, style);
    }
}

/// A frame with a title; gives back what is inside.
pub(super) fn boxed(frame: &mut Frame<'_>, area: Rect, title: &str, focused: bool, theme: Theme) -> Rect {
    let room = usize::from(area.width.saturating_sub(4));
    let title = text::fit(title, room, theme.ascii());
    let block =
        Block::new().borders(Borders::ALL).border_set(theme.frames()).border_style(theme.frame(focused));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if area.width > 4 && !title.is_empty() {
        let style = if focused { theme.tone(crate::desk::Tone::Strong) } else { Style::new() };
        frame.buffer_mut().set_stringn(area.x + 1, area.y, format!(" {title} "), room + 2, style);
    }
    inside
}

/// The middle of an area, at most so large.
pub(super) fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
