//! One answer in full: expected and found, who said it when, the exact T-SQL, the rows as a table.
//!
//! Rows are cut out where they are looked at, so a hundred thousand of them cost no more than a screenful.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::desk::{Exhibit, Tone, head_rows, step_name, wrapped};
use crate::locale::fill;
use crate::reading::Reading;
use crate::text::{self, harmless};
use crate::tui::app::evidence::shown;
use crate::tui::app::{Model, Sight, World};
use crate::tui::canvas::{boxed, put};

/// The widest a column gets.
const WIDEST: usize = 40;
/// Rows looked at to find the widths of the columns.
const LOOKED_AT: usize = 200;

fn inside(body: Rect) -> Rect {
    Rect {
        x: body.x + 1,
        y: body.y + 1,
        width: body.width.saturating_sub(2),
        height: body.height.saturating_sub(2),
    }
}

fn head(model: &Model, sight: &Sight<'_>, exhibit: &Exhibit<'_>, width: u16) -> Vec<(String, String, Tone)> {
    let rows = head_rows(exhibit, sight.catalogue, model.tongue);
    wrapped(&rows, usize::from(width), model.look.glyphs)
}

/// How many rows of the reading are shown, filter counted.
fn count(model: &Model, reading: &Reading) -> usize {
    model.evidence.matching.as_ref().map_or(reading.rows.len(), Vec::len)
}

/// Lines of the exhibit shown, and how many are seen at once.
pub(in crate::tui) fn extent(model: &Model, sight: &Sight<'_>) -> (usize, usize) {
    let places = super::places(model, model.size, sight.broken.is_some());
    let area = inside(places.body);
    let all = shown(model, sight);
    let Some(exhibit) = all.get(model.evidence.at) else { return (0, 1) };
    let rows = exhibit.reading().map_or(0, |r| 3 + count(model, r));
    (head(model, sight, exhibit, area.width).len() + rows, usize::from(area.height))
}

pub(super) fn draw(model: &Model, world: &World<'_>, frame: &mut Frame<'_>, area: Rect) {
    let Some(sight) = &world.drill else { return };
    let theme = model.theme();
    let w = &model.tongue.words.screens.evidence;
    let Some(step) = sight.session.book.steps.get(model.evidence.step) else { return };
    let all = shown(model, sight);
    let at = model.evidence.at.min(all.len().saturating_sub(1));
    let counter = fill(&w.counter, |name| match name {
        "number" => Some((at + 1).min(all.len()).to_string()),
        "count" => Some(all.len().to_string()),
        _ => Some((model.evidence.attempt + 1).to_string()),
    });
    let Some(exhibit) = all.get(at) else {
        boxed(frame, area, &counter, true, theme);
        return;
    };
    let name = step_name(sight.session, &step.id, model.tongue);
    let title = fill(&w.title, |_| Some(name.clone()));
    let title = if area.width >= TITLE_ROOM {
        format!("{}  {counter}  {title}", exhibit.name())
    } else {
        format!("{counter}  {}", exhibit.name())
    };
    boxed(frame, area, &title, true, theme);
    let area = inside(area);
    let head = head(model, sight, exhibit, area.width);
    let height = usize::from(area.height);
    let reading = exhibit.reading();
    let table = reading.map_or(0, |r| 3 + count(model, r));
    let top = model.evidence.scroll.min((head.len() + table).saturating_sub(height));
    for y in 0..height {
        let line = top + y;
        if let Some((label, text, tone)) = head.get(line) {
            let x = put(frame, area, 0, y as u16, label, theme.label(), theme);
            put(frame, area, x, y as u16, text, theme.tone(*tone), theme);
        }
    }
    if let Some(reading) = reading {
        rows(model, reading, frame, area, head.len(), top);
    }
    if head.len() + table > top + height && height > 0 {
        super::drill::more(model, frame, area, head.len() + table - top - height);
    }
}

/// From this width on the title names the step too.
const TITLE_ROOM: u16 = 100;

/// The table: a line that counts, the column names, the rows.
fn rows(model: &Model, reading: &Reading, frame: &mut Frame<'_>, area: Rect, head: usize, top: usize) {
    let theme = model.theme();
    let w = &model.tongue.words.screens.evidence;
    let height = usize::from(area.height);
    let found = count(model, reading);
    let chosen = |n: usize| match &model.evidence.matching {
        Some(all) => all.get(n).and_then(|n| reading.rows.get(*n)),
        None => reading.rows.get(n),
    };
    let from = top.saturating_sub(head + 3);
    let seen = (top + height).saturating_sub(head + 3).min(found);
    let phrase = match (found, reading.rows.len(), model.evidence.matching.is_some()) {
        (_, 0, _) => &w.no_rows,
        (0, ..) => &w.no_match,
        (.., true) => &w.rows_filtered,
        _ => &w.rows,
    };
    let counted = fill(phrase, |name| match name {
        "from" => Some((from + 1).min(found).to_string()),
        "to" => Some(seen.max(1).to_string()),
        "found" => Some(found.to_string()),
        _ => Some(reading.row_count.to_string()),
    });
    let widths = widths(reading);
    let skip = model.evidence.column.min(reading.columns.len().saturating_sub(1));
    let names: Vec<String> = reading.columns.iter().map(|c| harmless(&c.name)).collect();
    let line = |cells: &[String]| -> String {
        cells
            .iter()
            .zip(&widths)
            .skip(skip)
            .map(|(cell, width)| {
                let cut = text::fit(cell, *width, theme.ascii());
                let pad = width.saturating_sub(text::columns(&cut));
                format!("{cut}{}", " ".repeat(pad))
            })
            .collect::<Vec<_>>()
            .join("  ")
    };
    for y in 0..height {
        let y16 = y as u16;
        match (top + y).checked_sub(head) {
            Some(1) => {
                put(frame, area, 0, y16, &counted, theme.tone(Tone::Strong), theme);
            }
            Some(2) => {
                put(frame, area, 0, y16, &line(&names), theme.label(), theme);
            }
            Some(n @ 3..) => {
                let Some(row) = chosen(n - 3) else { continue };
                let cells: Vec<String> = row.iter().map(|c| one_line(&c.to_string())).collect();
                put(frame, area, 0, y16, &line(&cells), theme.tone(Tone::Plain), theme);
            }
            _ => {}
        }
    }
}

fn one_line(cell: &str) -> String {
    let cut: String = cell.chars().take(400).collect();
    harmless(&cut).replace(['\n', '\t'], " ")
}

fn widths(reading: &Reading) -> Vec<usize> {
    let mut widths: Vec<usize> = reading.columns.iter().map(|c| text::columns(&c.name)).collect();
    for row in reading.rows.iter().take(LOOKED_AT) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(text::columns(&one_line(&cell.to_string())));
        }
    }
    widths.into_iter().map(|w| w.clamp(1, WIDEST)).collect()
}
