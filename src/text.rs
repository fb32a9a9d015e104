//! Prose in several languages, and cutting text to a width of terminal columns.
//!
//! Does not know which language the reader chose; that is an argument.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A language the program speaks.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
    /// French.
    #[serde(rename = "fr")]
    Fr,
    /// Traditional Chinese.
    #[serde(rename = "zh-Hant")]
    ZhHant,
}

impl Language {
    /// All of them, English first.
    pub const ALL: [Self; 3] = [Self::En, Self::Fr, Self::ZhHant];

    /// The key used in files: `en`, `fr`, `zh-Hant`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
            Self::ZhHant => "zh-Hant",
        }
    }

    /// From a locale name such as `fr_CA.UTF-8`, `zh-TW`, `zh-Hant`; `None` when we do not speak it.
    pub fn from_locale(name: &str) -> Option<Self> {
        let name = name.split(['.', '@']).next()?.replace('_', "-").to_ascii_lowercase();
        match name.as_str() {
            "zh-hant" | "zh-tw" | "zh-hk" | "zh-mo" => Some(Self::ZhHant),
            _ if name.starts_with("zh-hant-") => Some(Self::ZhHant),
            _ if name == "fr" || name.starts_with("fr-") => Some(Self::Fr),
            _ if name == "en" || name.starts_with("en-") => Some(Self::En),
            _ => None,
        }
    }
}

/// Prose written once per language. A plain string in a file counts as English.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Text(BTreeMap<Language, String>);

impl Text {
    /// English only.
    pub fn en(text: impl Into<String>) -> Self {
        Self(BTreeMap::from([(Language::En, text.into())]))
    }
    /// In that language, else in English, else in any.
    pub fn get(&self, language: Language) -> &str {
        self.0
            .get(&language)
            .or_else(|| self.0.get(&Language::En))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }
    /// Whether that language has its own words.
    pub fn speaks(&self, language: Language) -> bool {
        self.0.get(&language).is_some_and(|t| !t.trim().is_empty())
    }
    /// Whether there are no words at all.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|t| t.trim().is_empty())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Prose;
        impl<'de> serde::de::Visitor<'de> for Prose {
            type Value = Text;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text, or one per language: { en: .., fr: .., zh-Hant: .. }")
            }
            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Text, E> {
                Ok(Text::en(v))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                let mut all = BTreeMap::new();
                while let Some((language, text)) = map.next_entry::<Language, String>()? {
                    all.insert(language, text);
                }
                Ok(Text(all))
            }
        }
        d.deserialize_any(Prose)
    }
}

impl schemars::JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "oneOf": [
            { "type": "string" },
            { "type": "object", "additionalProperties": false, "minProperties": 1, "properties": {
                "en": { "type": "string" }, "fr": { "type": "string" }, "zh-Hant": { "type": "string" } } } ] })
    }
}

/// Terminal columns a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text cut to at most `width` columns, `…` (or `.` in ASCII) marking a cut.
pub fn fit(text: &str, width: usize, ascii: bool) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mark = if ascii { "." } else { "…" };
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let w = columns(grapheme);
        if used + w + 1 > width {
            break;
        }
        out.push_str(grapheme);
        used += w;
    }
    if width > 0 {
        out.push_str(mark);
    }
    out
}

/// The text on lines of at most `width` columns, broken at blanks where there are any, and between wide characters.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in words(paragraph) {
            let w = columns(word);
            if used + w > width && used > 0 {
                lines.push(line.trim_end().to_owned());
                line = String::new();
                used = 0;
                if word.trim().is_empty() {
                    continue;
                }
            }
            if w > width {
                for grapheme in word.graphemes(true) {
                    let g = columns(grapheme);
                    if used + g > width && used > 0 {
                        lines.push(std::mem::take(&mut line));
                        used = 0;
                    }
                    line.push_str(grapheme);
                    used += g;
                }
            } else {
                line.push_str(word);
                used += w;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Pieces a line may be broken between: blanks, runs without blanks, and wide characters one by one.
fn words(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut before = None;
    for (at, grapheme) in text.grapheme_indices(true) {
        let kind = match grapheme {
            g if g.trim().is_empty() => 0,
            g if columns(g) > 1 => 1,
            _ => 2,
        };
        if before.is_some_and(|b| b != kind || kind == 1) {
            pieces.push(&text[from..at]);
            from = at;
        }
        before = Some(kind);
    }
    if from < text.len() {
        pieces.push(&text[from..]);
    }
    pieces
}

/// The text with control characters shown as `?`, so that nothing from a server can steer the terminal.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '?' } else { c }).collect()
}

/// The candidate nearest to a misspelt word, when one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (distance(word, c), c))
        .filter(|(d, c)| *d <= 1 + c.chars().count() / 4)
        .min()
        .map(|(_, c)| c)
}

/// Edits (insert, delete, replace) from one word to another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let next = (diagonal + usize::from(ca != *cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitting_counts_columns_not_characters() {
        assert_eq!(fit("還原資料庫", 5, false), "還原…");
        assert_eq!(fit("abcdef", 4, true), "abc.");
        assert_eq!(fit("abc", 3, true), "abc");
        assert_eq!(fit("abc", 0, true), "");
    }

    #[test]
    fn wrapping_never_exceeds_the_width_and_loses_no_word() {
        for width in 1..30 {
            let text = "Restore To Mark ends log shipping; 還原為標示 supercalifragilistic.";
            let lines = wrap(text, width);
            assert!(lines.iter().all(|l| columns(l) <= width.max(2)), "{width}: {lines:?}");
            let squeeze = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(squeeze(&lines.concat()), squeeze(text));
        }
    }

    #[test]
    fn wrapping_breaks_at_blanks_and_between_wide_characters() {
        assert_eq!(wrap("done at 21:04:05Z (here)", 18), ["done at 21:04:05Z", "(here)"]);
        assert_eq!(wrap("ok 還原資料庫", 7), ["ok 還原", "資料庫"]);
    }

    #[test]
    fn languages_follow_the_locale() {
        assert_eq!(Language::from_locale("zh_TW.UTF-8"), Some(Language::ZhHant));
        assert_eq!(Language::from_locale("fr_CA"), Some(Language::Fr));
        assert_eq!(Language::from_locale("zh-CN"), None);
    }
}
