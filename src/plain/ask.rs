//! A form as questions on lines.

use std::io::Write;

use super::lines::{Stop, Talk};
use crate::desk::{Blank, Form, Kind};
use crate::engine::{Command, Session};
use crate::locale::fill;

/// What a form came to.
pub(super) enum Filled {
    Command(Command),
    /// The operator went back, or something was not as it must be and was said.
    Back,
}

/// Reads the form out, asks its blanks, and asks once more unless it is harmless.
pub(super) fn ask<W: Write>(talk: &mut Talk<W>, form: &Form, session: &Session) -> Result<Filled, Stop> {
    let tongue = talk.tongue;
    let words = &tongue.words.screens.plain;
    talk.say("")?;
    talk.say(&form.title)?;
    for row in form.body.iter().filter(|r| !r.text.is_empty()) {
        talk.say_lines(&row.spoken())?;
    }
    let mut values = Vec::new();
    for blank in &form.blanks {
        values.push(fill_in(talk, blank)?);
    }
    let command = match form.command(&values, session, tongue) {
        Ok(command) => command,
        Err((_, why)) => {
            talk.say(&why)?;
            talk.say(&words.went_back)?;
            return Ok(Filled::Back);
        }
    };
    if !form.harmless {
        let sure = talk.ask(&fill(&words.sure, |_| Some(form.yes.clone())))?;
        if !sure.trim().eq_ignore_ascii_case("yes") {
            talk.say(&words.went_back)?;
            return Ok(Filled::Back);
        }
    }
    Ok(Filled::Command(command))
}

fn fill_in<W: Write>(talk: &mut Talk<W>, blank: &Blank) -> Result<String, Stop> {
    let words = &talk.tongue.words.screens.plain;
    match &blank.kind {
        Kind::Line => {
            let phrase = match (blank.optional, blank.hint.is_empty()) {
                (true, _) => &words.optional,
                (false, true) => &words.blank,
                (false, false) => &words.blank_hint,
            };
            let question = fill(phrase, |name| {
                Some(if name == "hint" { blank.hint.clone() } else { blank.label.clone() })
            });
            talk.ask(&question)
        }
        Kind::OneOf(all) => {
            talk.say(&fill(&words.blank, |_| Some(blank.label.clone())))?;
            let choices: Vec<String> = all.iter().map(|(_, words)| words.clone()).collect();
            let chosen = talk.choose(&choices)?;
            Ok(all[chosen].0.clone())
        }
    }
}
