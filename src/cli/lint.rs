//! `drbook lint FILE`: everything that is wrong with a runbook, an estate or an answers file.

use std::path::PathBuf;

use clap::Args;

use crate::diagnostic::{self, Diagnostic, Severity};
use crate::headless::answers::Answers;

use super::exit::{Exit, Failure};
use super::{Common, open, talk};

/// Options of `lint`.
#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Files, or names of shipped runbooks
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// One line per problem
    #[arg(long)]
    pub(crate) concise: bool,
}

pub(crate) fn lint(common: &Common, args: &Lint) -> Result<Exit, Failure> {
    let places = common.places()?;
    let library = open::library(&places);
    let mut errors = 0;
    let mut json = Vec::new();
    for file in &args.files {
        let (path, text) = read(&library, file)?;
        let problems = problems(&library, &path, &text);
        errors += problems.iter().filter(|p| p.severity == Severity::Error).count();
        if common.json {
            json.extend(problems.iter().map(|p| as_json(&path, p)));
        } else if args.concise {
            talk::say(diagnostic::concise(&path, &problems).trim_end());
        } else if !problems.is_empty() {
            talk::say(&diagnostic::render(&path, &text, &problems, false));
        }
        if problems.is_empty() && !common.json {
            talk::say(&format!("{path}: nothing wrong"));
        }
    }
    if common.json {
        talk::data(&serde_json::Value::from(json).to_string());
    }
    Ok(if errors > 0 { Exit::Lint } else { Exit::Passed })
}

/// A file, else a runbook by name. What is no text at all has no problems to list; that is said at once.
fn read(library: &crate::library::Library, file: &std::path::Path) -> Result<(String, String), Failure> {
    let shown = file.display().to_string();
    if !file.exists()
        && let Ok(found) = library.runbook(&shown)
    {
        return Ok((found.path, found.text.into_owned()));
    }
    match crate::library::read_text(file) {
        Ok(text) => Ok((shown, text)),
        Err(problem) => {
            let words = format!("{}\n  next: {}", problem.message, problem.help);
            Err(if problem.code == "unreadable" {
                Failure::configuration(words)
            } else {
                Failure::lint(words)
            })
        }
    }
}

fn problems(library: &crate::library::Library, path: &str, text: &str) -> Vec<Diagnostic> {
    let top = crate::yaml::value(text).ok();
    let has = |key: &str| top.as_ref().is_some_and(|v| v.get(key).is_some());
    if path.ends_with(".answers.yaml") {
        Answers::read(text).1
    } else if has("estate") && !has("runbook") {
        crate::estate::parse::parse(text).1
    } else {
        open::check_book(text, library.catalogue()).1
    }
}

fn as_json(path: &str, problem: &Diagnostic) -> serde_json::Value {
    serde_json::json!({
        "file": path,
        "line": problem.place.map(|p| p.line),
        "column": problem.place.map(|p| p.column),
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
    })
}
