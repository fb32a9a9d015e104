//! A line being typed. Counts graphemes, not bytes; bounded. Knows no keys.

use unicode_segmentation::UnicodeSegmentation;

use crate::limits;
use crate::text;

/// A text and the place in it, in graphemes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    text: String,
    at: usize,
}

impl Line {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn byte(&self, at: usize) -> usize {
        self.text.grapheme_indices(true).nth(at).map_or(self.text.len(), |(byte, _)| byte)
    }

    fn length(&self) -> usize {
        self.text.graphemes(true).count()
    }

    /// Puts text in, line breaks as blanks, other control characters left out, up to the limit.
    pub(super) fn insert(&mut self, added: &str) {
        let clean: String = added
            .chars()
            .map(|c| if c == '\n' || c == '\t' { ' ' } else { c })
            .filter(|c| !c.is_control())
            .collect();
        let room = limits::TYPED_CHARACTERS.saturating_sub(self.text.chars().count());
        let clean: String = clean.chars().take(room).collect();
        let byte = self.byte(self.at);
        let after = self.text.len() - byte;
        self.text.insert_str(byte, &clean);
        // Combining marks may join what stood before, so the place is counted anew.
        let end = self.text.len() - after;
        self.at = self.text.grapheme_indices(true).take_while(|(b, _)| *b < end).count();
    }

    pub(super) fn erase(&mut self) {
        if self.at > 0 {
            let (from, to) = (self.byte(self.at - 1), self.byte(self.at));
            self.text.replace_range(from..to, "");
            self.at = (self.at - 1).min(self.length());
        }
    }

    pub(super) fn erase_after(&mut self) {
        let (from, to) = (self.byte(self.at), self.byte(self.at + 1));
        self.text.replace_range(from..to, "");
        self.at = self.at.min(self.length());
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn left(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    pub(super) fn right(&mut self) {
        self.at = (self.at + 1).min(self.length());
    }

    pub(super) fn first(&mut self) {
        self.at = 0;
    }

    pub(super) fn last(&mut self) {
        self.at = self.length();
    }

    /// What is seen through a window of `width` columns, and the column of the cursor in it.
    pub(super) fn window(&self, width: usize) -> (String, usize) {
        let graphemes: Vec<&str> = self.text.graphemes(true).collect();
        let room = width.saturating_sub(1);
        let mut from = self.at.min(graphemes.len());
        let mut used = 0;
        while from > 0 {
            let w = text::columns(graphemes[from - 1]);
            if used + w > room {
                break;
            }
            used += w;
            from -= 1;
        }
        let cursor = used;
        let mut shown: String = graphemes[from..self.at.min(graphemes.len())].concat();
        for grapheme in &graphemes[self.at.min(graphemes.len())..] {
            let w = text::columns(grapheme);
            if used + w > width {
                break;
            }
            used += w;
            shown.push_str(grapheme);
        }
        (shown, cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing_moves_by_graphemes() {
        let mut line = Line::default();
        line.insert("還e\u{301}x");
        line.left();
        line.erase();
        assert_eq!(line.text(), "還x");
        line.first();
        line.erase_after();
        line.insert("a\nb\u{1b}c");
        assert_eq!(line.text(), "a bcx");
        line.erase();
        assert_eq!(line.text(), "a bx");
    }

    #[test]
    fn the_window_follows_the_cursor_and_never_exceeds_its_width() {
        let mut line = Line::default();
        line.insert("還原資料庫 restore");
        for _ in 0..20 {
            for width in 1..12 {
                let (shown, cursor) = line.window(width);
                assert!(text::columns(&shown) <= width, "{shown} in {width}");
                assert!(cursor < width);
            }
            line.left();
        }
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let mut line = Line::default();
        line.insert(&"x".repeat(limits::TYPED_CHARACTERS + 5));
        assert_eq!(line.text().len(), limits::TYPED_CHARACTERS);
    }
}
