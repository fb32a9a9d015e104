//! Plain mode: the same drill with numbered questions on lines, for screen readers, serial lines and pipes.
//!
//! No cursor movement, no colour, no signs that are not words. Asks the same forms and gives the same commands as the
//! full screen. The end of the input leaves the drill open.

use std::io::{BufRead, Write};

use crate::desk::{End, How, Pick, Setup, Trouble};
use crate::locale::{Tongue, fill};
use crate::runbook::Mode;

mod ask;
mod lines;
mod walk;

use lines::{Stop, Talk};

/// Talks until the operator leaves, the input ends, or a signal says so.
pub fn run(setup: Setup, input: impl BufRead + Send + 'static, output: impl Write) -> Result<End, Trouble> {
    let Setup { mut started, mut open, home, look, news } = setup;
    let tongue = Tongue::of(look.language);
    let mut talk = Talk::new(input, output, news, tongue).map_err(Trouble::Output)?;
    let how = loop {
        let stop = match &mut started {
            Some(started) => walk::walk(&mut talk, started),
            None => match pick(&mut talk, &home) {
                Ok(picked) => match open(&picked) {
                    Ok(new) => {
                        started = Some(new);
                        continue;
                    }
                    Err(why) => match talk.say_lines(&why) {
                        Ok(()) => continue,
                        Err(stop) => stop,
                    },
                },
                Err(stop) => stop,
            },
        };
        match stop {
            Stop::Left => break How::Left,
            Stop::Ended => break How::Gone,
            Stop::Signal(signal) => break How::Signal(signal),
            Stop::Output(error) => return Err(Trouble::Output(error)),
        }
    };
    if started.as_ref().is_some_and(|s| s.door.session().closed.is_none()) {
        let _ = talk.say(&tongue.words.screens.plain.left);
    }
    Ok(End { started, how })
}

/// Home, as a list of numbers.
fn pick<W: Write>(talk: &mut Talk<W>, home: &crate::desk::Home) -> Result<Pick, Stop> {
    let tongue = talk.tongue;
    let words = &tongue.words.screens;
    talk.say(&words.plain.welcome)?;
    let mut choices = Vec::new();
    let mut picks = Vec::new();
    for open in &home.open {
        let line = fill(&words.home.open_line, |name| {
            Some(match name {
                "mode" => words.modes.word(open.mode).to_owned(),
                "title" => open.title.clone(),
                "estate" => open.estate.clone(),
                "done" => open.steps.0.to_string(),
                "all" => open.steps.1.to_string(),
                _ => open.opened.format("%Y-%m-%d %H:%MZ").to_string(),
            })
        });
        choices.push(fill(&words.plain.resume_line, |_| Some(line.clone())));
        picks.push(Pick::Resume { record: open.record.clone() });
    }
    for start in &home.starts {
        let line = fill(&words.home.start_line, |name| {
            Some(match name {
                "title" => start.title.clone(),
                "estate" => start.estate.clone(),
                _ => start.environment.clone(),
            })
        });
        for mode in &start.modes {
            let what = match mode {
                Mode::Rehearsal => &words.dialogs.start_rehearsal,
                Mode::Drill => &words.dialogs.start_drill,
                Mode::Incident => &words.dialogs.start_incident,
            };
            choices.push(fill(&words.plain.start_line, |_| Some(format!("{line}, {what}"))));
            picks.push(Pick::Begin {
                runbook: start.runbook.clone(),
                estate: start.estate.clone(),
                mode: *mode,
            });
        }
    }
    if choices.is_empty() {
        talk.say(&words.home.nothing)?;
        return Err(Stop::Left);
    }
    choices.push(words.plain.quit.clone());
    let chosen = talk.choose(&choices)?;
    picks.into_iter().nth(chosen).ok_or(Stop::Left)
}
