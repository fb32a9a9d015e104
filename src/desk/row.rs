//! A line of a telling: label, sign, text, tone; and how it is cut to a width.

use super::setup::Glyphs;
use super::sign::Sign;
use crate::text;

/// How a row is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tone {
    #[default]
    Plain,
    Dim,
    Strong,
    Good,
    Warn,
    Bad,
    Unknown,
    Busy,
}

/// One row, not yet wrapped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Short word in the first column; may be empty.
    pub label: String,
    /// A sign before the text.
    pub sign: Option<Sign>,
    /// The text.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// Not wrapped but cut (SQL text, tables).
    pub verbatim: bool,
}

impl Row {
    /// Plain text without a label.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
    /// Text with a label.
    pub fn labelled(label: &str, text: impl Into<String>) -> Self {
        Self { label: label.to_owned(), text: text.into(), ..Self::default() }
    }
    /// An empty row.
    pub fn gap() -> Self {
        Self::default()
    }
    /// The same with a sign, and its tone.
    #[must_use]
    pub fn signed(mut self, sign: Sign) -> Self {
        self.sign = Some(sign);
        self.tone = sign.tone();
        self
    }
    /// The same in another tone.
    #[must_use]
    pub fn toned(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
    /// The same, cut instead of wrapped.
    #[must_use]
    pub fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }
    /// The whole row on one line, to copy.
    pub fn line(&self, glyphs: Glyphs) -> String {
        let glyph = self.sign.map_or("", |sign| sign.glyph(glyphs).trim());
        let blank = if glyph.is_empty() { "" } else { " " };
        let label = if self.label.is_empty() { String::new() } else { format!("{}: ", self.label) };
        format!("{label}{glyph}{blank}{}", self.text)
    }
    /// The whole row without signs, as a screen reader says it: the words are in the text.
    pub fn spoken(&self) -> String {
        if self.label.is_empty() {
            self.text.trim().to_owned()
        } else {
            format!("{}: {}", self.label, self.text)
        }
    }
}

/// Rows as lines of at most `width` columns: label, sign, text and tone of each line, hanging under the text.
pub fn wrapped(rows: &[Row], width: usize, glyphs: Glyphs) -> Vec<(String, String, Tone)> {
    let ascii = glyphs == Glyphs::Ascii;
    let widest = rows.iter().map(|r| text::columns(&r.label)).max().unwrap_or(0);
    // Below 40 columns a label column costs too much: labels go before the text.
    let column = if width >= 40 && widest > 0 { widest.min(10) + 1 } else { 0 };
    let mut out = Vec::new();
    for row in rows {
        let prefix = row.sign.map_or(String::new(), |sign| format!("{} ", sign.glyph(glyphs)));
        let hang = " ".repeat(text::columns(&prefix));
        let text_width = width.saturating_sub(column + hang.len()).max(1);
        let body = if column == 0 && !row.label.is_empty() {
            format!("{}: {}", row.label, row.text)
        } else {
            row.text.clone()
        };
        let lines: Vec<String> = if row.verbatim {
            body.split('\n').map(|l| text::fit(&l.replace('\t', "    "), text_width, ascii)).collect()
        } else {
            text::wrap(&body, text_width)
        };
        for (n, line) in lines.into_iter().enumerate() {
            let first = n == 0;
            let mut label = String::new();
            if column > 0 {
                label = if first { text::fit(&row.label, column - 1, ascii) } else { String::new() };
                label.push_str(&" ".repeat(column.saturating_sub(text::columns(&label))));
            }
            let line = format!("{}{line}", if first { &prefix } else { &hang });
            out.push((label, line, row.tone));
        }
    }
    out
}
