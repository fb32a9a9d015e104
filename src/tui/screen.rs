//! Drawing. One file per screen or region; each reads the model and the world and changes nothing.
//!
//! ```text
//! header    mode, estate, times                    (1 line from 100 columns on, else 2)
//! home | drill | evidence | help                   the body
//! footer    what just happened, head of the record; keys valid now
//! dialog    over the body
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;

use super::app::{Model, Screen, World};
use super::canvas::{put, wash};
use crate::desk::Tone;
use crate::locale::fill;
use crate::text;

pub(super) mod dialog;
pub(super) mod drill;
pub(super) mod evidence;
mod footer;
mod header;
pub(super) mod help;
mod home;

/// Below this nothing useful fits.
pub(super) const LEAST: (u16, u16) = (36, 10);

/// Where things are, for a terminal of that size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) banner: Rect,
    pub(super) header: Rect,
    pub(super) body: Rect,
    pub(super) footer: Rect,
}

pub(super) fn places(model: &Model, size: (u16, u16), broken: bool) -> Places {
    let (width, height) = size;
    let told = footer::notice_lines(model, width).len().clamp(1, 3) as u16;
    let banner = if broken { 2 } else { 0 };
    let header = if width >= 100 { 1 } else { 2 };
    let rect = |y: u16, h: u16| Rect { x: 0, y, width, height: h };
    let body = height.saturating_sub(banner + header + told + 1);
    Places {
        banner: rect(0, banner),
        header: rect(banner, header),
        body: rect(banner + header, body),
        footer: rect(banner + header + body, told + 1),
    }
}

fn broken<'a>(world: &World<'a>) -> Option<&'a str> {
    world.drill.as_ref().and_then(|sight| sight.broken)
}

pub(super) fn draw(model: &Model, world: &World<'_>, frame: &mut Frame<'_>) {
    let area = frame.area();
    let theme = model.theme();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let words = &model.tongue.words.screens.frame;
        let said =
            fill(&words.too_small, |name| Some(if name == "width" { LEAST.0 } else { LEAST.1 }.to_string()));
        for (y, line) in text::wrap(&said, usize::from(area.width)).iter().enumerate() {
            put(frame, area, 0, y as u16, line, theme.tone(Tone::Strong), theme);
        }
        return;
    }
    let places = places(model, (area.width, area.height), broken(world).is_some());
    if let Some(why) = broken(world) {
        banner(model, why, frame, places.banner);
    }
    header::draw(model, world, frame, places.header);
    match (&model.help, model.screen) {
        (Some(scroll), _) => help::draw(model, *scroll, frame, places.body),
        (None, Screen::Home) => home::draw(model, world, frame, places.body),
        (None, Screen::Drill) => drill::draw(model, world, frame, places.body),
        (None, Screen::Evidence) => evidence::draw(model, world, frame, places.body),
    }
    if model.help.is_none() {
        dialog::draw(model, frame, places.body);
    }
    footer::draw(model, world, frame, places.footer);
}

/// The record failed: nothing is more important.
fn banner(model: &Model, why: &str, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme();
    let words = &model.tongue.words.screens.frame;
    wash(frame, area, theme.alarm());
    let said = fill(&words.broken, |_| Some(text::harmless(why)));
    put(frame, area, 1, 0, &said, theme.alarm(), theme);
    put(frame, area, 1, 1, &words.broken_next, theme.alarm(), theme);
}
