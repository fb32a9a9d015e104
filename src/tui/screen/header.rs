//! What is walked, on what, and how the time stands.
//!
//! ```text
//! drbook  DRILL  contoso-biztalk (dr)   RTO 01:42:10 / 4h ####......   RPO 12m / 30m     21:04:05Z (22:04 here)
//! ```

use chrono::TimeDelta;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::desk::{Gauge, Tone, rpo, rto};
use crate::locale::fill;
use crate::runbook::Mode;
use crate::text::{self, harmless};
use crate::tui::app::{Model, Sight, World};
use crate::tui::canvas::{put, put_right};

/// A piece of a line: text and style.
type Piece = (String, Style);

pub(super) fn draw(model: &Model, world: &World<'_>, frame: &mut Frame<'_>, area: Rect) {
    let theme = model.theme();
    let product = &model.tongue.words.screens.frame.product;
    let Some(sight) = &world.drill else {
        put(frame, area, 1, 0, product, theme.tone(Tone::Strong), theme);
        return;
    };
    let who = identity(model, sight, area.width >= 60);
    let gauges = gauges(model, sight, area.width);
    let time = time(model, sight);
    let mut lines = if area.height == 1 { vec![who] } else { vec![who, Vec::new()] };
    if let Some(last) = lines.last_mut() {
        last.extend(gauges);
    }
    let mut timed = false;
    for (y, pieces) in lines.into_iter().enumerate() {
        let mut x = 1;
        for (text, style) in pieces {
            x += put(frame, area, x, y as u16, &text, style, theme) + 1;
        }
        // The time stands at the right of the first line that has room for it.
        if !timed {
            let short = sight.now.format("%H:%M:%SZ").to_string();
            let fits = |text: &String| text::columns(text) + usize::from(x) <= usize::from(area.width);
            if let Some(time) = [format!("{time} "), short].iter().find(|t| fits(t)) {
                timed = put_right(frame, area, x, y as u16, time, Style::new(), theme);
            }
        }
    }
}

fn identity(model: &Model, sight: &Sight<'_>, roomy: bool) -> Vec<Piece> {
    let theme = model.theme();
    let words = &model.tongue.words.screens;
    let mut pieces = Vec::new();
    if roomy {
        pieces.push((words.frame.product.clone(), theme.tone(Tone::Strong)));
    }
    let mode = sight.session.mode();
    if let Some(mode) = mode {
        pieces.push((format!(" {} ", words.modes.word(mode)), theme.mode(mode)));
    }
    if sight.session.simulated || mode == Some(Mode::Rehearsal) {
        pieces.push((words.modes.simulated.clone(), theme.tone(Tone::Busy).add_modifier(Modifier::BOLD)));
    }
    if sight.session.closed.is_some() {
        pieces.push((words.frame.closed.clone(), theme.tone(Tone::Strong)));
    }
    let inputs = sight.session.inputs();
    let tone = match inputs.environment.as_str() {
        "production" => Tone::Bad,
        "dr" => Tone::Warn,
        _ => Tone::Busy,
    };
    let estate = format!("{} ({})", harmless(&inputs.estate), harmless(&inputs.environment));
    pieces.push((estate, theme.tone(tone)));
    pieces
}

fn gauges(model: &Model, sight: &Sight<'_>, width: u16) -> Vec<Piece> {
    let words = &model.tongue.words.screens.frame;
    let mut pieces = Vec::new();
    if let Some(gauge) = rto(sight.session, sight.now) {
        pieces.push(piece(model, &words.rto, &gauge, true));
        if let Some(share) = gauge.share()
            && width >= 60
        {
            pieces.push(bar(model, share));
        }
    }
    if let Some(gauge) = rpo(sight.session) {
        pieces.push(piece(model, &words.rpo, &gauge, false));
    }
    if (sight.speed - 1.0).abs() > f64::EPSILON {
        let text = fill(&words.speed, |_| Some(format!("{}", sight.speed)));
        pieces.push((text, model.theme().tone(Tone::Busy)));
    }
    pieces
}

fn piece(model: &Model, name: &str, gauge: &Gauge, face: bool) -> Piece {
    let words = &model.tongue.words.screens.frame;
    let so_far = match gauge.so_far {
        None => words.none.clone(),
        Some(span) if face => span.clock_face(),
        Some(span) => crate::clock::Span::seconds(span.ms / 1000).to_string(),
    };
    let target = gauge.target.map_or(String::new(), |t| format!(" / {t}"));
    let missed = if gauge.missed() { format!(" {}", words.missed) } else { String::new() };
    let tone = match gauge.share() {
        Some(share) if share > 1.0 => Tone::Bad,
        Some(share) if share > 0.75 => Tone::Warn,
        _ => Tone::Plain,
    };
    (format!("{name} {so_far}{target}{missed}"), model.theme().tone(tone))
}

fn bar(model: &Model, share: f64) -> Piece {
    let full = (share.clamp(0.0, 1.0) * 10.0).floor() as usize;
    let text = format!("{}{}", "#".repeat(full), ".".repeat(10 - full));
    let tone = if share > 1.0 { Tone::Bad } else { Tone::Dim };
    (text, model.theme().tone(tone))
}

fn time(model: &Model, sight: &Sight<'_>) -> String {
    let local = sight.now + TimeDelta::minutes(i64::from(model.look.local_offset_minutes));
    let here = fill(&model.tongue.words.screens.frame.here, |_| Some(local.format("%H:%M").to_string()));
    let utc = sight.now.format("%H:%M:%SZ");
    format!("{utc} ({here})")
}
