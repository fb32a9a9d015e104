//! The drill: its steps at the left, the selected one at the right; below 72 columns one at a time.
//!
//! ```text
//! ┌ Steps ────────────────┬ 9 Every destination is frozen on the same set ┐
//! │ Prepare               │ state  ✗ FAIL  attempt 2, 21:04:05Z, by ana   │
//! │ ✓  1 Declare     PASS │ found  ✗ DRSQL2  FAIL  6 sets behind          │
//! └───────────────────────┴───────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::desk::{Sign, Tone, step_name, tell, wrapped};
use crate::engine::Standing;
use crate::locale::fill;
use crate::text;
use crate::tui::app::drill::visible;
use crate::tui::app::{Model, Pane, Sight, World};
use crate::tui::canvas::{boxed, put, put_right, wash};

/// From this width on both panes are shown.
const TWO_PANES: u16 = 72;

/// Whether only one pane fits.
pub(in crate::tui) fn is_single(size: (u16, u16)) -> bool {
    size.0 < TWO_PANES
}

fn panes(area: Rect) -> (Rect, Rect) {
    if area.width < TWO_PANES {
        return (area, area);
    }
    let list = (area.width * 2 / 5).clamp(30, 48);
    (Rect { width: list, ..area }, Rect { x: area.x + list, width: area.width - list, ..area })
}

/// What is inside a pane: without a frame where there is one pane, for every line counts there.
fn inside(area: Rect, single: bool) -> Rect {
    if single {
        Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
    } else {
        Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(2),
        }
    }
}

fn detail_lines(model: &Model, sight: &Sight<'_>, width: u16) -> Vec<(String, String, Tone)> {
    if model.drill.selected >= sight.session.steps.len() {
        return Vec::new();
    }
    wrapped(&tell(&model.scene(sight), model.drill.selected), usize::from(width), model.look.glyphs)
}

/// Lines of the details, and how many are seen at once.
pub(in crate::tui) fn detail_extent(model: &Model, sight: &Sight<'_>) -> (usize, usize) {
    let places = super::places(model, model.size, sight.broken.is_some());
    let area = inside(panes(places.body).1, is_single(model.size));
    (detail_lines(model, sight, area.width).len(), usize::from(area.height))
}

pub(super) fn draw(model: &Model, world: &World<'_>, frame: &mut Frame<'_>, area: Rect) {
    let Some(sight) = &world.drill else { return };
    let single = area.width < TWO_PANES;
    let (left, right) = panes(area);
    if !single || model.drill.pane == Pane::List {
        list(model, sight, frame, left, single);
    }
    if !single || model.drill.pane == Pane::Detail {
        detail(model, sight, frame, right, single);
    }
}

/// A frame with a title, or only the title.
fn pane(model: &Model, frame: &mut Frame<'_>, area: Rect, title: &str, focused: bool, single: bool) -> Rect {
    let theme = model.theme();
    if single {
        put(frame, area, 0, 0, title, theme.tone(Tone::Strong), theme);
    } else {
        boxed(frame, area, title, focused, theme);
    }
    inside(area, single)
}

enum Line {
    Phase(usize),
    Step(usize),
}

fn list(model: &Model, sight: &Sight<'_>, frame: &mut Frame<'_>, area: Rect, single: bool) {
    let theme = model.theme();
    let session = sight.session;
    let title = model.tongue.text(&session.book.title);
    let area = pane(model, frame, area, &title, model.drill.pane == Pane::List, single);
    let mut lines = Vec::new();
    let mut phase = None;
    for index in visible(model, session) {
        let now = session.book.steps[index].phase;
        if phase != Some(now) {
            lines.push(Line::Phase(now));
            phase = Some(now);
        }
        lines.push(Line::Step(index));
    }
    if lines.is_empty() {
        put(frame, area, 1, 0, &model.tongue.words.screens.frame.no_match, theme.tone(Tone::Dim), theme);
    }
    let selected = |line: &Line| matches!(line, Line::Step(n) if *n == model.drill.selected);
    let at = lines.iter().position(selected).unwrap_or(0);
    let height = usize::from(area.height);
    let top = at.saturating_sub(height / 2).min(lines.len().saturating_sub(height));
    for (y, line) in lines.iter().skip(top).take(height).enumerate() {
        let row = Rect { y: area.y + y as u16, height: 1, ..area };
        match line {
            Line::Phase(n) => {
                let title =
                    session.book.phases.get(*n).map_or(String::new(), |p| model.tongue.text(&p.title));
                put(frame, row, 1, 0, &title, theme.label(), theme);
            }
            Line::Step(n) => step_line(model, sight, frame, row, *n),
        }
    }
}

fn step_line(model: &Model, sight: &Sight<'_>, frame: &mut Frame<'_>, row: Rect, index: usize) {
    let theme = model.theme();
    let words = model.tongue.words;
    let session = sight.session;
    let step = &session.book.steps[index];
    let standing = session.standing(index);
    let sign = Sign::of(&standing);
    let no_return = step.guard.as_ref().is_some_and(|g| g.no_return);
    let warns = no_return && matches!(standing, Standing::Locked(_) | Standing::Ready);
    let shown = if warns { Sign::NoWayBack } else { sign };
    let mut word = shown.word(words).to_owned();
    if let (Standing::Running(_), Some(attempt)) = (&standing, session.steps[index].attempts.last()) {
        let seconds = (sight.now - attempt.started).num_seconds().max(0);
        word = format!("{word} {}:{:02}", seconds / 60, seconds % 60);
    }
    let selected = index == model.drill.selected;
    let style = |own: Style| if selected { own.patch(theme.selected()) } else { own };
    if selected {
        wash(frame, row, theme.selected());
    }
    let mark = if selected { ">" } else { " " };
    let glyph = if warns && standing == Standing::Ready { sign } else { shown }.glyph(model.look.glyphs);
    put(frame, row, 0, 0, mark, style(Style::new()), theme);
    put(frame, row, 1, 0, glyph, style(theme.tone(shown.tone())), theme);
    let wide = text::columns(&word) as u16;
    let room = row.width.saturating_sub(3 + wide + 1);
    let title = format!("{:>2} {}", step.number, model.tongue.text(&step.title));
    let title_style =
        if matches!(standing, Standing::Locked(_)) { theme.tone(Tone::Dim) } else { Style::new() };
    let cut = text::fit(&title, usize::from(room), theme.ascii());
    put(frame, row, 3, 0, &cut, style(title_style), theme);
    put_right(frame, row, 3, 0, &word, style(theme.tone(shown.tone())), theme);
}

fn detail(model: &Model, sight: &Sight<'_>, frame: &mut Frame<'_>, area: Rect, single: bool) {
    let theme = model.theme();
    let session = sight.session;
    let Some(step) = session.book.steps.get(model.drill.selected) else { return };
    let title = step_name(session, &step.id, model.tongue);
    let area = pane(model, frame, area, &title, model.drill.pane == Pane::Detail, single);
    let lines = detail_lines(model, sight, area.width);
    let height = usize::from(area.height);
    let top = model.drill.scroll.min(lines.len().saturating_sub(height));
    for (y, (label, line, tone)) in lines.iter().skip(top).take(height).enumerate() {
        let x = put(frame, area, 0, y as u16, label, theme.label(), theme);
        put(frame, area, x, y as u16, line, theme.tone(*tone), theme);
    }
    if lines.len() > top + height && height > 0 {
        more(model, frame, area, lines.len() - top - height);
    }
}

/// A mark on the last line that there is more below.
pub(super) fn more(model: &Model, frame: &mut Frame<'_>, area: Rect, lines: usize) {
    let theme = model.theme();
    let text = fill(&model.tongue.words.screens.frame.more, |_| Some(lines.to_string()));
    put_right(frame, area, 0, area.height - 1, &format!(" {text}"), theme.selected(), theme);
}
