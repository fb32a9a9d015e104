//! The loop: one channel in, requests carried out, the screen drawn. Owns the terminal and the drill.
//!
//! Draws on a message and on a due second, and ends when the terminal is gone.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyEventKind};

use super::app::{Message, Model, Request, Sight, World, update, view};
use super::terminal::{Taken as Screen, is_there};
use crate::desk::{End, Home, How, Opener, Setup, Signals, Started, Trouble};
use crate::drive::{self, News};
use crate::engine::{Stamped, Taken};
use crate::sql::Catalogue;

/// What the loop waits for.
enum Arrival {
    Terminal(Event),
    /// The input ended.
    Gone,
    News(News),
    Signal(i32),
}

/// Shows home or the drill until the operator leaves, a signal says so, or the terminal is gone.
pub fn run(setup: Setup) -> Result<End, Trouble> {
    let Setup { started, open, home, look, news } = setup;
    let (post, arrivals) = channel();
    let signals = Signals::listen(post.clone(), Arrival::Signal).map_err(Trouble::Terminal)?;
    let mut screen = Screen::take().map_err(Trouble::Terminal)?;
    read_input(post.clone());
    forward(news, post);
    let size = screen.terminal.size().map_err(Trouble::Terminal)?;
    let mut shell = Shell { started, open, home };
    let model = Model::new(look, (size.width, size.height), &shell.world());
    let how = turn(&mut screen, &arrivals, &mut shell, model);
    drop(screen);
    drop(signals);
    Ok(End { started: shell.started, how })
}

/// The drill, home, and the way from one to the other.
struct Shell {
    started: Option<Started>,
    open: Opener,
    home: Home,
}

impl Shell {
    fn world(&self) -> World<'_> {
        World { home: &self.home, drill: self.started.as_ref().map(sight) }
    }

    fn command(
        &mut self,
        carry_out: impl FnOnce(&mut Started) -> Result<Vec<Stamped>, drive::Trouble>,
    ) -> Option<Message> {
        let started = self.started.as_mut()?;
        Some(match carry_out(started) {
            Ok(events) => Message::Recorded(events),
            Err(drive::Trouble::Refused(refusal)) => Message::Refused(refusal),
            Err(trouble) => Message::Broke(trouble.to_string()),
        })
    }
}

fn sight(started: &Started) -> Sight<'_> {
    let clock = started.door.clock();
    let catalogue: &Catalogue = Arc::as_ref(&started.catalogue);
    Sight {
        session: started.door.session(),
        head: started.door.head(),
        broken: started.door.broken(),
        now: clock.now(),
        speed: clock.speed(),
        catalogue,
    }
}

fn turn(screen: &mut Screen, arrivals: &Receiver<Arrival>, shell: &mut Shell, mut model: Model) -> How {
    let second = Duration::from_secs(1);
    let mut due = Instant::now() + second;
    loop {
        if draw(screen, &model, shell).is_err() {
            return How::Gone;
        }
        let first = match arrivals.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(arrival) => Some(arrival),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return How::Gone,
        };
        if Instant::now() >= due {
            due = Instant::now() + second;
            // A closed session may leave reading without an end and writing without an error.
            if !is_there() {
                return How::Gone;
            }
            update(&mut model, &shell.world(), Message::Tick);
        }
        // All that has arrived by now is taken in one turn: one record entry, one drawing.
        let mut home = Vec::new();
        for arrival in first.into_iter().chain(arrivals.try_iter().take(TURN)) {
            let message = match arrival {
                Arrival::Gone => return How::Gone,
                Arrival::Signal(signal) => return How::Signal(signal),
                Arrival::News(News::Taken(taken)) => {
                    home.push(taken);
                    continue;
                }
                Arrival::News(News::Progress { key, question, outcome }) => {
                    Message::Progress(key, question, outcome)
                }
                Arrival::Terminal(Event::Key(key)) if key.kind != KeyEventKind::Release => Message::Key(key),
                Arrival::Terminal(Event::Paste(text)) => Message::Paste(text),
                Arrival::Terminal(Event::Resize(width, height)) => Message::Resize(width, height),
                Arrival::Terminal(_) => continue,
            };
            for request in update(&mut model, &shell.world(), message) {
                if carry_out(request, screen, &mut model, shell) {
                    return How::Left;
                }
            }
        }
        take(home, &mut model, shell);
    }
}

/// The most that is taken in one turn, so that a flood cannot keep the screen from being drawn.
const TURN: usize = 256;

fn take(home: Vec<Taken>, model: &mut Model, shell: &mut Shell) {
    if home.is_empty() {
        return;
    }
    for taken in &home {
        if let Taken::Round { key, .. } = taken {
            update(model, &shell.world(), Message::RoundOver(key.clone()));
        }
    }
    if let Some(message) = shell.command(|started| started.door.take(home)) {
        // Nobody pressed a key for this; a refusal of what came late is no news.
        if !matches!(message, Message::Refused(_)) {
            update(model, &shell.world(), message);
        }
    }
}

fn draw(screen: &mut Screen, model: &Model, shell: &Shell) -> std::io::Result<()> {
    let world = shell.world();
    screen.terminal.draw(|frame| view(model, &world, frame)).map(|_| ())
}

/// Does what is asked for; true when the program is to be left.
fn carry_out(request: Request, screen: &mut Screen, model: &mut Model, shell: &mut Shell) -> bool {
    let message = match request {
        Request::Leave => return true,
        Request::Command(command) => shell.command(|started| started.door.command(command)),
        Request::Copy(text) => {
            // A terminal that is gone is noticed when drawing.
            let _ = Screen::copy(&text);
            None
        }
        Request::Redraw => {
            screen.wipe();
            None
        }
        Request::Start(pick) => {
            let _ = draw(screen, model, shell);
            Some(match (shell.open)(&pick) {
                Ok(started) => {
                    shell.started = Some(started);
                    Message::Started
                }
                Err(why) => Message::NotStarted(why),
            })
        }
    };
    if let Some(message) = message {
        update(model, &shell.world(), message);
    }
    false
}

/// Reads the terminal until it ends.
fn read_input(post: Sender<Arrival>) {
    std::thread::spawn(move || {
        loop {
            match event::read() {
                Ok(event) => {
                    if post.send(Arrival::Terminal(event)).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => {
                    let _ = post.send(Arrival::Gone);
                    return;
                }
            }
        }
    });
}

/// Joins the news to the one channel.
fn forward(news: Receiver<News>, post: Sender<Arrival>) {
    std::thread::spawn(move || {
        for news in news {
            if post.send(Arrival::News(news)).is_err() {
                return;
            }
        }
    });
}
