//! Walking a drill: the step in words, what can be done as a list of numbers, and waiting for what is under way.

use std::collections::BTreeMap;
use std::io::Write;

use super::ask::{Filled, ask};
use super::lines::{Stop, Talk};
use crate::desk::{
    Deed, Form, Purpose, Running, Scene, Sign, Started, deeds, exhibits, head_rows, rto, run_of, tell,
};
use crate::drive::{News, Trouble};
use crate::engine::{
    ActOutcome, Command, Event, QuestionRef, RoundKey, Session, Stage, Stamped, Standing, Taken,
};
use crate::locale::{Tongue, fill};
use crate::runbook::StepKind;

/// Rows of an answer that are read out; all of them stand in the record.
const ROWS: usize = 50;

/// An entry of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Deed(Deed),
    Wait,
    Next,
    Other,
    List,
    Quit,
}

type Progress = BTreeMap<(RoundKey, QuestionRef), Result<u64, String>>;

/// Talks about the drill until it is left.
pub(super) fn walk<W: Write>(talk: &mut Talk<W>, started: &mut Started) -> Stop {
    let mut walk = Walk { talk, started, at: 0, progress: Progress::new() };
    walk.at = walk.next_open(None).unwrap_or(0);
    match walk.talk_on() {
        Ok(()) => Stop::Left,
        Err(stop) => stop,
    }
}

struct Walk<'a, W> {
    talk: &'a mut Talk<W>,
    started: &'a mut Started,
    /// Index of the step that is talked about.
    at: usize,
    progress: Progress,
}

impl<W: Write> Walk<'_, W> {
    fn session(&self) -> &Session {
        self.started.door.session()
    }

    fn broken(&self) -> bool {
        self.started.door.broken().is_some()
    }

    fn talk_on(&mut self) -> Result<(), Stop> {
        let plain = &self.talk.tongue.words.screens.plain;
        self.talk.say(&plain.welcome)?;
        self.header()?;
        loop {
            for news in self.talk.missed()? {
                self.hear(news)?;
            }
            self.tell()?;
            let menu = self.menu();
            let choices: Vec<String> = menu.iter().map(|c| self.word(*c)).collect();
            let chosen = menu[self.talk.choose(&choices)?];
            match chosen {
                Choice::Quit => return Ok(()),
                Choice::Deed(deed) => self.deed(deed)?,
                Choice::Wait => self.wait()?,
                Choice::Next => self.at = self.next_open(Some(self.at)).unwrap_or(self.at),
                Choice::List => self.list()?,
                Choice::Other => {
                    let question = self.talk.tongue.words.screens.plain.which_step.clone();
                    let line = self.talk.ask(&question)?;
                    let found =
                        self.session().book.steps.iter().position(|s| s.number.to_string() == line.trim());
                    if let Some(at) = found {
                        self.at = at;
                    } else {
                        let words = &self.talk.tongue.words.screens.frame;
                        self.talk.say(&fill(&words.no_such_step, |_| Some(line.trim().to_owned())))?;
                    }
                }
            }
        }
    }

    fn header(&mut self) -> Result<(), Stop> {
        let words = &self.talk.tongue.words.screens;
        let session = self.started.door.session();
        let now = self.started.door.clock().now();
        let time = rto(session, now).map_or(String::new(), |gauge| {
            fill(&words.plain.rto, |name| {
                Some(match name {
                    "target" => gauge.target.map_or("-".into(), |t| t.to_string()),
                    _ => gauge.so_far.map_or(words.frame.none.clone(), crate::clock::Span::clock_face),
                })
            })
        });
        let inputs = session.inputs();
        let simulated = session.simulated || session.mode() == Some(crate::runbook::Mode::Rehearsal);
        let mode = session.mode().map_or("", |m| words.modes.word(m));
        let mode = if simulated { format!("{mode}, {},", words.modes.simulated) } else { mode.to_owned() };
        let said = fill(&words.plain.header, |name| {
            Some(match name {
                "mode" => mode.clone(),
                "estate" => inputs.estate.clone(),
                "environment" => inputs.environment.clone(),
                _ => time.clone(),
            })
        });
        self.talk.say(&said)
    }

    /// The step that is talked about, in words.
    fn tell(&mut self) -> Result<(), Stop> {
        let tongue = self.talk.tongue;
        let words = &tongue.words.screens;
        let door = &self.started.door;
        let session = door.session();
        self.talk.say("")?;
        if let Some(why) = door.broken() {
            self.talk.say(&fill(&words.frame.broken, |_| Some(why.to_owned())))?;
            self.talk.say(&words.frame.broken_next)?;
        }
        if session.closed.is_some() {
            self.talk.say(&words.frame.closed_now)?;
        } else if session.open_steps().is_empty() {
            self.talk.say(&words.plain.all_done)?;
        }
        let Some(step) = session.book.steps.get(self.at) else { return Ok(()) };
        let sign = Sign::of(&session.standing(self.at));
        if let Some(phase) = session.book.phases.get(step.phase) {
            self.talk.say(&fill(&words.plain.phase, |_| Some(tongue.text(&phase.title))))?;
        }
        self.talk.say(&fill(&words.plain.step, |name| {
            Some(match name {
                "number" => step.number.to_string(),
                "all" => session.steps.len().to_string(),
                "title" => tongue.text(&step.title),
                _ => sign.word(tongue.words).to_owned(),
            })
        }))?;
        let scene = Scene { session, now: door.clock().now(), tongue, progress: &self.progress };
        for row in tell(&scene, self.at).iter().filter(|r| !r.text.is_empty()) {
            self.talk.say_lines(&row.spoken())?;
        }
        Ok(())
    }

    fn menu(&self) -> Vec<Choice> {
        let session = self.session();
        let mut menu = Vec::new();
        if self.at < session.steps.len() {
            if self.is_running() {
                menu.push(Choice::Wait);
            }
            menu.extend(deeds(session, self.at, self.broken()).into_iter().map(Choice::Deed));
            if self.next_open(Some(self.at)).is_some_and(|next| next != self.at) {
                menu.push(Choice::Next);
            }
            menu.extend([Choice::Other, Choice::List]);
        } else if session.closed.is_none() {
            menu.push(Choice::Deed(Deed::Close));
        }
        menu.push(Choice::Quit);
        menu
    }

    fn is_running(&self) -> bool {
        matches!(self.session().standing(self.at), Standing::Running(_))
    }

    fn word(&self, choice: Choice) -> String {
        let w = &self.talk.tongue.words.screens.plain;
        let proves = || {
            let session = self.session();
            let asks = matches!(run_of(session, self.at), Running::At(Command::Ask { .. }));
            asks && matches!(session.book.steps[self.at].kind, StepKind::Do(_) | StepKind::Manual { .. })
        };
        match choice {
            Choice::Deed(Deed::Run) if proves() => &w.prove_again,
            Choice::Deed(Deed::Run) => &w.run,
            Choice::Deed(Deed::ActAgain) => &w.act_again,
            Choice::Deed(Deed::Stop) => &w.stop,
            Choice::Deed(Deed::Outside) => &w.outside,
            Choice::Deed(Deed::Settle) => &w.settle,
            Choice::Deed(Deed::LookAgain) => &w.look_again,
            Choice::Deed(Deed::Skip) => &w.skip,
            Choice::Deed(Deed::Override) => &w.override_it,
            Choice::Deed(Deed::Evidence) => &w.evidence,
            Choice::Deed(Deed::Note) => &w.note,
            Choice::Deed(Deed::HandOver) => &w.hand_over,
            Choice::Deed(Deed::Close) => &w.close,
            Choice::Wait => &w.wait,
            Choice::Next => &w.next_step,
            Choice::Other => &w.other_step,
            Choice::List => &w.list,
            Choice::Quit => &w.quit,
        }
        .clone()
    }

    fn list(&mut self) -> Result<(), Stop> {
        let tongue = self.talk.tongue;
        let session = self.started.door.session();
        self.talk.say("")?;
        for (n, step) in session.book.steps.iter().enumerate() {
            let word = Sign::of(&session.standing(n)).word(tongue.words);
            self.talk.say(&format!("{}. {}: {word}", step.number, tongue.text(&step.title)))?;
        }
        Ok(())
    }

    /// The next step that waits for somebody.
    fn next_open(&self, from: Option<usize>) -> Option<usize> {
        crate::desk::next_open(self.session(), from)
    }

    fn deed(&mut self, deed: Deed) -> Result<(), Stop> {
        let session = self.started.door.session();
        let id = session.book.steps.get(self.at).map_or(String::new(), |s| s.id.clone());
        let purpose = match deed {
            Deed::Run => match run_of(session, self.at) {
                Running::At(command) => return self.command(command),
                Running::Form(purpose) => purpose,
            },
            Deed::Stop => return self.command(Command::Cancel { step: id }),
            Deed::LookAgain => return self.command(Command::LookAgain { step: id }),
            Deed::Evidence => return self.evidence(),
            Deed::ActAgain => Purpose::Act(id),
            Deed::Outside => Purpose::Outside(id),
            Deed::Settle => Purpose::Settle(id),
            Deed::Skip => Purpose::Skip(id),
            Deed::Override => Purpose::Override(id),
            Deed::Note => Purpose::Note(Some(id)),
            Deed::HandOver => Purpose::HandOver,
            Deed::Close => Purpose::Close,
        };
        let Some(form) = Form::of(&purpose, session, self.talk.tongue) else { return Ok(()) };
        match ask(self.talk, &form, self.started.door.session())? {
            Filled::Command(command) => self.command(command),
            Filled::Back => Ok(()),
        }
    }

    fn command(&mut self, command: Command) -> Result<(), Stop> {
        let tongue = self.talk.tongue;
        let words = &tongue.words.screens.plain;
        match self.started.door.command(command) {
            Ok(events) => {
                self.changes(&events)?;
                let head = self.started.door.head().to_owned();
                self.talk.say(&fill(&words.recorded, |_| Some(head.clone())))?;
                if self.is_running_now() { self.wait() } else { Ok(()) }
            }
            Err(Trouble::Refused(refusal)) => {
                let session = self.started.door.session();
                let name = |id: &str| crate::desk::step_name(session, id, tongue);
                let why = tongue.words.refusal_with(&refusal, &name);
                self.talk.say(&fill(&words.refused, |_| Some(why.clone())))
            }
            Err(trouble) => self.talk.say(&trouble.to_string()),
        }
    }

    fn is_running_now(&self) -> bool {
        self.at < self.session().steps.len() && self.is_running()
    }

    /// Waits until the step has come to something, a line for each change.
    fn wait(&mut self) -> Result<(), Stop> {
        let waiting = self.talk.tongue.words.screens.plain.waiting.clone();
        self.talk.say(&waiting)?;
        while self.is_running_now() && !self.broken() {
            match self.talk.wait()? {
                Some(news) => self.hear(news)?,
                None => break,
            }
        }
        Ok(())
    }

    fn hear(&mut self, news: News) -> Result<(), Stop> {
        match news {
            News::Taken(taken) => self.take(taken),
            News::Progress { key, question, outcome } => {
                let words = &self.talk.tongue.words.screens.plain;
                let what = match &outcome {
                    Ok(rows) => fill(&words.answer_rows, |_| Some(rows.to_string())),
                    Err(why) => why.clone(),
                };
                let entry = (key, question);
                let known = self.progress.get(&entry) == Some(&outcome);
                let server = entry.1.server.clone();
                self.progress.insert(entry, outcome);
                if known {
                    return Ok(());
                }
                let time = self.started.door.clock().now().format("%H:%M:%SZ").to_string();
                self.talk.say(&fill(&words.answered, |name| {
                    Some(match name {
                        "time" => time.clone(),
                        "server" => server.clone(),
                        _ => what.clone(),
                    })
                }))
            }
        }
    }

    fn take(&mut self, taken: Taken) -> Result<(), Stop> {
        if let Taken::Round { key, .. } = &taken {
            self.progress.retain(|(k, _), _| k != key);
        }
        match self.started.door.take(vec![taken]) {
            Ok(events) => self.changes(&events),
            // What came too late belongs to nothing any more.
            Err(Trouble::Refused(_)) => Ok(()),
            Err(trouble) => self.talk.say(&trouble.to_string()),
        }
    }

    /// One line for each thing that changed how a step stands.
    fn changes(&mut self, events: &[Stamped]) -> Result<(), Stop> {
        let tongue = self.talk.tongue;
        let words = &tongue.words.screens.plain;
        let session = self.started.door.session();
        for stamped in events {
            if let Event::Judged { key, .. } = &stamped.event {
                self.progress.retain(|(k, _), _| k != key);
            }
            let Some((step, state)) = change(session, &stamped.event, tongue) else { continue };
            let Some((step, _)) = session.step(step) else { continue };
            self.talk.say(&fill(&words.change, |name| {
                Some(match name {
                    "time" => stamped.at.format("%H:%M:%SZ").to_string(),
                    "number" => step.number.to_string(),
                    "title" => tongue.text(&step.title),
                    _ => state.clone(),
                })
            }))?;
        }
        Ok(())
    }

    /// Reads the last attempt's answers out.
    fn evidence(&mut self) -> Result<(), Stop> {
        let tongue = self.talk.tongue;
        let words = &tongue.words.screens;
        let session = self.started.door.session();
        let attempt = session.steps[self.at].attempts.iter().rposition(|a| !a.given.is_empty()).unwrap_or(0);
        for exhibit in exhibits(session, self.at, attempt) {
            self.talk.say("")?;
            self.talk.say(&exhibit.name())?;
            for row in
                head_rows(&exhibit, &self.started.catalogue, tongue).iter().filter(|r| !r.text.is_empty())
            {
                self.talk.say_lines(&row.spoken())?;
            }
            let Some(reading) = exhibit.reading() else { continue };
            if reading.rows.is_empty() {
                self.talk.say(&words.evidence.no_rows)?;
            }
            for (n, row) in reading.rows.iter().take(ROWS).enumerate() {
                let cells: Vec<String> =
                    reading.columns.iter().zip(row).map(|(c, cell)| format!("{} {cell}", c.name)).collect();
                let said = fill(&words.plain.row, |name| {
                    Some(if name == "number" { (n + 1).to_string() } else { cells.join(", ") })
                });
                self.talk.say(&said.replace('\n', " "))?;
            }
            if reading.rows.len() > ROWS {
                let count = (reading.rows.len() - ROWS).to_string();
                self.talk.say(&fill(&words.plain.more_rows, |_| Some(count.clone())))?;
            }
        }
        Ok(())
    }
}

/// The step an event is about, and what it means for it. What is found out on the way to an action is no verdict.
fn change<'a>(session: &Session, event: &'a Event, tongue: Tongue) -> Option<(&'a str, String)> {
    let t = &tongue.words.screens.tells;
    let word = |sign: Sign| sign.word(tongue.words).to_owned();
    Some(match event {
        Event::Judged { key, verdict, last, .. } => {
            let final_stage = matches!(key.stage, Stage::Check | Stage::Prove);
            if !final_stage && (verdict.opens() || key.stage == Stage::Settle) {
                return None;
            }
            let mut state = word(Sign::of_verdict(*verdict));
            if !last {
                state = format!("{state}, {}", t.polling);
            }
            (&key.step, state)
        }
        Event::Acted { act, outcome } => {
            let state = match outcome {
                ActOutcome::Done => t.act_done.clone(),
                ActOutcome::Failed(trouble) => fill(&t.act_failed, |_| Some(tongue.words.trouble(trouble))),
            };
            (&act.step, format!("{} {state}", act.server))
        }
        Event::Uncertain { act, trouble } => {
            let state = fill(&t.act_uncertain, |_| Some(tongue.words.trouble(trouble)));
            (&act.step, format!("{} {state}", act.server))
        }
        Event::Interrupted { step, .. } => (step, word(Sign::Interrupted)),
        Event::Skipped { step, .. } => (step, word(Sign::Skipped)),
        Event::Overridden { step, .. } => (step, word(Sign::Overridden)),
        Event::DoesNotApply { step } => (step, word(Sign::NotApplicable)),
        Event::GuardFailed { step, .. } => (step, word(Sign::of(&session.standing(session.index(step)?)))),
        _ => return None,
    })
}
