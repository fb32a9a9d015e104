//! Problems found in files a person wrote: code, place, words, and what to do.
//!
//! Does not know what the files mean, and prints nothing.

use crate::yaml::{Place, Problem, ProblemKind, locate, locate_key};

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the file is used.
    Warning,
    /// The file is refused.
    Error,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A short stable name, such as `unknown-query`.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where, when known.
    pub place: Option<Place>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, place: None, message: message.into(), help: help.into() }
    }
    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message, help) }
    }
    /// The same at a place.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }
}

/// A problem of form, placed in the text, with the word that was probably meant.
pub fn of_form(text: &str, problem: &Problem) -> Diagnostic {
    let meant = |word: &str, known: &[String]| {
        crate::text::nearest(word, known.iter().map(String::as_str)).map_or_else(
            || format!("known here: `{}`", known.join("`, `")),
            |k| format!("did you mean `{k}`?"),
        )
    };
    let (code, help) = match &problem.kind {
        ProblemKind::UnknownKey(key, known) => {
            // `{ en: One, two }`: the comma ended the text.
            let help = if key.contains(' ') {
                "a text with a comma in it must be in quotes between `{ }`".to_owned()
            } else {
                meant(key, known)
            };
            let found = Diagnostic::error("unknown-key", problem.message.as_str(), help);
            return found.at(locate_key(text, &problem.path));
        }
        ProblemKind::UnknownWord(word, known) => ("unknown-word", meant(word, known)),
        ProblemKind::MissingKey(key) => ("missing-key", format!("add `{key}: ..`")),
        ProblemKind::Form => ("wrong-form", String::new()),
    };
    Diagnostic::error(code, problem.message.as_str(), help).at(locate(text, &problem.path))
}

/// The problems the way rustc shows them, with the source line under each.
pub fn render(path: &str, source: &str, all: &[Diagnostic], colour: bool) -> String {
    use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for d in all {
        let level = match d.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(d.message.as_str()).id(d.code);
        let mut group = Group::with_title(title);
        if let Some(place) = d.place {
            let start = floor_char(source, place.byte.min(source.len()));
            let end = source[start..].find('\n').map_or(source.len(), |n| start + n).max(start);
            group = group.element(
                Snippet::source(source).path(path).annotation(AnnotationKind::Primary.span(start..end)),
            );
        } else {
            group = group.element(Level::NOTE.message(format!("in {path}")));
        }
        if !d.help.is_empty() {
            group = group.element(Level::HELP.message(d.help.as_str()));
        }
        out += &renderer.render(&[group]);
        out.push('\n');
    }
    out
}

fn floor_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The problems one a line: `path:line:column: severity[code]: message`.
pub fn concise(path: &str, all: &[Diagnostic]) -> String {
    all.iter()
        .map(|d| {
            let place = d.place.map_or(String::new(), |p| format!(":{}:{}", p.line, p.column));
            let severity = match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            format!("{path}{place}: {severity}[{}]: {}\n", d.code, d.message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line() {
        let source = "title: x\nrws: 3\n";
        let place = crate::yaml::locate(source, &["rws".into()]);
        let all = [Diagnostic::error("unknown-key", "unknown key `rws`", "did you mean `rows`?").at(place)];
        let shown = render("book.yaml", source, &all, false);
        for part in ["error[unknown-key]: unknown key `rws`", "book.yaml:2:6", "rws: 3", "did you mean"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert_eq!(concise("book.yaml", &all), "book.yaml:2:6: error[unknown-key]: unknown key `rws`\n");
    }
}
