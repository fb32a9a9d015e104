//! Keys of the evidence screen, and typing a filter.

use super::{Model, Request, Screen, Sight, World};
use crate::check::Verdict;
use crate::desk::{Exhibit, exhibits, head_rows, sql_of, step_name};
use crate::tui::keymap::Action;
use crate::tui::screen::evidence as page;

/// The exhibits of the attempt shown.
pub(in crate::tui) fn shown<'a>(model: &Model, sight: &Sight<'a>) -> Vec<Exhibit<'a>> {
    if model.evidence.step >= sight.session.steps.len() {
        return Vec::new();
    }
    exhibits(sight.session, model.evidence.step, model.evidence.attempt)
}

impl Model {
    /// Starts with what is worst, for that is why one looks.
    pub(super) fn show_worst(&mut self, sight: &Sight<'_>) {
        let badness = |e: &Exhibit<'_>| {
            let judged = e.judgements().map(|j| j.verdict).reduce(Verdict::worse).map_or(0, Verdict::rank);
            if e.given.outcome.is_err() { judged.max(3) } else { judged }
        };
        let all = shown(self, sight);
        let worst = all.iter().map(badness).max().unwrap_or(0);
        self.evidence.at = all.iter().position(|e| badness(e) == worst).unwrap_or(0);
    }

    pub(super) fn evidence_key(&mut self, world: &World<'_>, action: Action) -> Vec<Request> {
        let Some(sight) = &world.drill else { return Vec::new() };
        let all = shown(self, sight);
        let count = all.len().max(1);
        self.evidence.at = self.evidence.at.min(count - 1);
        let (lines, height) = page::extent(self, sight);
        let most = lines.saturating_sub(height);
        let now = self.evidence.scroll.min(most);
        let page = height.saturating_sub(1).max(1);
        match action {
            Action::Left | Action::Right => {
                let step = if action == Action::Left { count - 1 } else { 1 };
                self.evidence.at = (self.evidence.at + step) % count;
                self.evidence.scroll = 0;
                self.evidence.column = 0;
                self.match_rows(sight);
            }
            Action::OlderAttempt => {
                let attempts = sight.session.steps.get(self.evidence.step).map_or(0, |s| s.attempts.len());
                if attempts > 0 {
                    self.evidence.attempt = (self.evidence.attempt + attempts - 1) % attempts;
                    self.evidence.scroll = 0;
                    self.show_worst(sight);
                    self.match_rows(sight);
                }
            }
            Action::Up => self.evidence.scroll = now.saturating_sub(1),
            Action::Down => self.evidence.scroll = (now + 1).min(most),
            Action::PageUp => self.evidence.scroll = now.saturating_sub(page),
            Action::PageDown => self.evidence.scroll = (now + page).min(most),
            Action::First => self.evidence.scroll = 0,
            Action::Last => self.evidence.scroll = most,
            Action::ColumnsLeft => self.evidence.column = self.evidence.column.saturating_sub(1),
            Action::ColumnsRight => {
                let columns =
                    all.get(self.evidence.at).and_then(Exhibit::reading).map_or(0, |r| r.columns.len());
                self.evidence.column = (self.evidence.column + 1).min(columns.saturating_sub(1));
            }
            Action::Filter => self.filtering = true,
            Action::CopySql => {
                let sql =
                    all.get(self.evidence.at).and_then(|e| sql_of(e, sight.catalogue)).map(str::to_owned);
                let what = self.tongue.words.screens.frame.copied_sql.clone();
                return self.copy(sql.ok_or(&self.tongue.words.screens.why_not.no_sql), &what);
            }
            Action::Copy => {
                let what = self.tongue.words.screens.frame.copied_evidence.clone();
                let text = all.get(self.evidence.at).map(|e| self.exhibit_text(e, sight));
                return self.copy(text.ok_or(&self.tongue.words.screens.why_not.nothing_to_copy), &what);
            }
            Action::Back if !self.evidence.filter.text().is_empty() => {
                self.evidence.filter.clear();
                self.evidence.matching = None;
                self.evidence.scroll = 0;
            }
            Action::Back => self.screen = Screen::Drill,
            _ => {}
        }
        Vec::new()
    }

    fn exhibit_text(&self, exhibit: &Exhibit<'_>, sight: &Sight<'_>) -> String {
        let id = &sight.session.book.steps[self.evidence.step].id;
        let mut out = format!("{}\n{}\n", step_name(sight.session, id, self.tongue), exhibit.name());
        for row in head_rows(exhibit, sight.catalogue, self.tongue) {
            out.push_str(&row.line(self.look.glyphs));
            out.push('\n');
        }
        if let Some(reading) = exhibit.reading() {
            let header: Vec<&str> = reading.columns.iter().map(|c| c.name.as_str()).collect();
            out.push('\n');
            out.push_str(&header.join("\t"));
            out.push('\n');
            let chosen = self.evidence.matching.clone().unwrap_or_else(|| (0..reading.rows.len()).collect());
            for row in chosen.iter().filter_map(|n| reading.rows.get(*n)) {
                let cells: Vec<String> =
                    row.iter().map(|c| c.to_string().replace(['\t', '\n', '\r'], " ")).collect();
                out.push_str(&cells.join("\t"));
                out.push('\n');
                // Longer texts are refused anyway.
                if out.len() > crate::limits::CLIPBOARD_BYTES {
                    break;
                }
            }
        }
        out
    }

    /// Finds the rows that match the filter, once per change and not per frame.
    fn match_rows(&mut self, sight: &Sight<'_>) {
        let wanted = self.evidence.filter.text().to_lowercase();
        self.evidence.matching = None;
        if wanted.is_empty() {
            return;
        }
        let all = shown(self, sight);
        let rows = all.get(self.evidence.at).and_then(Exhibit::reading).map_or(&[][..], |r| &r.rows);
        let matches = |row: &Vec<_>| {
            row.iter().any(|c: &crate::reading::Cell| c.to_string().to_lowercase().contains(&wanted))
        };
        let found = rows.iter().enumerate().filter(|(_, row)| matches(row)).map(|(n, _)| n).collect();
        self.evidence.matching = Some(found);
    }

    /// Text typed into the filter of the screen.
    pub(super) fn typed(&mut self, world: &World<'_>, text: &str) {
        self.filter_line().insert(text);
        self.filtered(world);
    }

    fn filter_line(&mut self) -> &mut crate::tui::input::Line {
        match self.screen {
            Screen::Evidence => &mut self.evidence.filter,
            _ => &mut self.drill.filter,
        }
    }

    fn filtered(&mut self, world: &World<'_>) {
        let Some(sight) = &world.drill else { return };
        if self.screen == Screen::Evidence {
            self.evidence.scroll = 0;
            self.match_rows(sight);
            return;
        }
        let all = super::drill::visible(self, sight.session);
        if !all.contains(&self.drill.selected)
            && let Some(first) = all.first()
        {
            self.drill.selected = *first;
            self.drill.scroll = 0;
        }
    }

    pub(super) fn filter_key(&mut self, world: &World<'_>, action: Action) {
        let line = self.filter_line();
        match action {
            Action::Left => line.left(),
            Action::Right => line.right(),
            Action::First => line.first(),
            Action::Last => line.last(),
            Action::Erase => line.erase(),
            Action::EraseAfter => line.erase_after(),
            Action::EraseLine => line.clear(),
            Action::Confirm => self.filtering = false,
            Action::Back => {
                line.clear();
                self.filtering = false;
            }
            _ => return,
        }
        self.filtered(world);
    }
}
