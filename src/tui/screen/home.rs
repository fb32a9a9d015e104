//! What can be gone on with, started, or looked up.

use chrono::{DateTime, Utc};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::desk::{Sign, Tone};
use crate::locale::fill;
use crate::text::harmless;
use crate::tui::app::home::{Entry, entries};
use crate::tui::app::{Model, World};
use crate::tui::canvas::{put, wash};

/// A line of the list: text, style, and the entry it stands for.
struct Shown {
    text: String,
    style: Style,
    entry: Option<usize>,
}

pub(super) fn draw(model: &Model, world: &World<'_>, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme();
    let lines = lines(model, world);
    let at = lines.iter().position(|l| l.entry == Some(model.home)).unwrap_or(0);
    let height = usize::from(area.height);
    let top = at.saturating_sub(height / 2).min(lines.len().saturating_sub(height));
    for (y, line) in lines.iter().skip(top).take(height).enumerate() {
        let y = y as u16;
        let selected = line.entry == Some(model.home);
        if selected {
            wash(frame, Rect { y: area.y + y, height: 1, ..area }, theme.selected());
        }
        let mark = if selected { ">" } else { " " };
        let style = if selected { theme.selected() } else { line.style };
        put(frame, area, 1, y, &format!("{mark} {}", line.text), style, theme);
    }
}

fn lines(model: &Model, world: &World<'_>) -> Vec<Shown> {
    let theme = model.theme();
    let w = &model.tongue.words.screens.home;
    let home = world.home;
    let heading = |text: &String| Shown { text: text.clone(), style: theme.tone(Tone::Strong), entry: None };
    let gap = || Shown { text: String::new(), style: Style::new(), entry: None };
    let dim = |text: &String| Shown { text: format!("  {text}"), style: theme.tone(Tone::Dim), entry: None };
    let mut out = vec![heading(&w.open)];
    if home.open.is_empty() {
        out.push(dim(&w.no_open));
    }
    let mut section = 0;
    for (n, entry) in entries(home).iter().enumerate() {
        let now = match entry {
            Entry::Open(_) => 0,
            Entry::Start(_) => 1,
            Entry::Recent(_) => 2,
        };
        if now != section {
            out.push(gap());
            out.push(heading(if now == 1 { &w.starts } else { &w.recent }));
            section = now;
        }
        out.push(Shown { text: format!("  {}", say(model, entry)), style: Style::new(), entry: Some(n) });
    }
    if section == 0 && home.open.is_empty() {
        out.push(gap());
        out.push(dim(&w.nothing));
    }
    out
}

fn say(model: &Model, entry: &Entry<'_>) -> String {
    let words = model.tongue.words;
    let w = &words.screens.home;
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%MZ").to_string();
    let said = match entry {
        Entry::Open(open) => fill(&w.open_line, |name| {
            Some(match name {
                "mode" => words.screens.modes.word(open.mode).to_owned(),
                "title" => open.title.clone(),
                "estate" => open.estate.clone(),
                "done" => open.steps.0.to_string(),
                "all" => open.steps.1.to_string(),
                _ => day(open.opened),
            })
        }),
        Entry::Start(start) => fill(&w.start_line, |name| {
            Some(match name {
                "title" => start.title.clone(),
                "estate" => start.estate.clone(),
                _ => start.environment.clone(),
            })
        }),
        Entry::Recent(recent) => {
            let sign = Sign::of_verdict(recent.verdict);
            let said = fill(&w.recent_line, |name| {
                Some(match name {
                    "mode" => words.screens.modes.word(recent.mode).to_owned(),
                    "title" => recent.title.clone(),
                    "estate" => recent.estate.clone(),
                    "verdict" => sign.word(words).to_owned(),
                    _ => day(recent.closed),
                })
            });
            format!("{} {said}", sign.glyph(model.look.glyphs))
        }
    };
    harmless(&said)
}
