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
    /// The whole row on one line, for plain mode and copying.
    pub fn line(&self, glyphs: Glyphs) -> String {
        let mut out = String::new();
        if !self.label.is_empty() {
            out.push_str(&self.label);
            out.push_str(": ");
        }
        if let Some(sign) = self.sign {
            let glyph = sign.glyph(glyphs).trim();
            out.push_str(glyph);
            if !glyph.is_empty() {
                out.push(' ');
            }
        }
        out.push_str(&self.text);
        out
    }
}

/// Rows as lines of at most `width` columns: label, sign, text and tone of each line, hanging under the text.
pub fn wrapped(rows: &[Row], width: usize, glyphs: Glyphs) -> Vec<(String, String, Tone)> {
    let ascii = glyphs == Glyphs::Ascii;
    let widest = rows.iter().map(|r| text::columns(&r.label)).max().unwrap_or(0);
    // Below 50 columns a label column costs too much: labels go before the text.
    let column = if width >= 50 && widest > 0 { widest.min(12) + 1 } else { 0 };
    let mut out = Vec::new();
    for row in rows {
        let prefix = row.sign.map_or(String::new(), |sign| format!("{} ", sign.glyph(glyphs)));
        let hang = " ".repeat(text::columns(&prefix));
        let text_width = width.saturating_sub(column + hang.len()).max(1);
        let body = if column == 0 && !row.label.is_empty() {
            format!("{} {}", row.label, row.text)
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
