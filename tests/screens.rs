//! (state, keys) to screens, and the same drill in plain lines.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use drbook::check::Verdict;
use drbook::desk::{Door, Glyphs, Home, Look, OpenDrill, Pick, Recent, Start};
use drbook::drive::Trouble;
use drbook::engine::Command;
use drbook::runbook::Mode;
use drbook::sql::Catalogue;
use drbook::tui::{Message, Model, Request, Sight, World, update, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

mod bench;
mod dialogs;
mod drill;
mod elsewhere;
mod plain;
mod random;

use bench::{Bench, catalogue, start};

/// Somebody at the screen.
struct Seat {
    model: Model,
    home: Home,
    bench: Option<Bench>,
    catalogue: Catalogue,
    size: (u16, u16),
    /// Everything that was asked for beside commands.
    asked: Vec<Request>,
    /// Commands that were given, refused ones too.
    given: Vec<Command>,
}

/// Black and white, for what is compared is text.
fn look() -> Look {
    Look { colour: false, local_offset_minutes: 60, ..Look::default() }
}

fn ascii() -> Look {
    Look { glyphs: Glyphs::Ascii, frames: Glyphs::Ascii, ..look() }
}

fn home() -> Home {
    Home {
        open: vec![OpenDrill {
            record: "20261119T090000-0001".into(),
            title: "Restore BizTalk databases to a mark".into(),
            estate: "contoso-biztalk".into(),
            mode: Mode::Drill,
            opened: start() - chrono::TimeDelta::hours(12),
            steps: (7, 24),
        }],
        starts: vec![Start {
            runbook: "backup-verification".into(),
            title: "Verify the backups".into(),
            estate: "contoso-biztalk".into(),
            environment: "dr".into(),
            modes: vec![Mode::Drill, Mode::Incident],
        }],
        recent: vec![Recent {
            record: "20261101T080000-00ff".into(),
            title: "Verify the backups".into(),
            estate: "contoso-biztalk".into(),
            mode: Mode::Drill,
            closed: start() - chrono::TimeDelta::days(19),
            verdict: Verdict::Unknown,
            folder: "/var/drills/20261101T080000-00ff".into(),
        }],
    }
}

macro_rules! world {
    ($seat:expr) => {
        World {
            home: &$seat.home,
            drill: $seat.bench.as_ref().map(|bench| Sight {
                session: &bench.session,
                head: bench.head(),
                broken: bench.broken.as_deref(),
                now: bench.clock().now(),
                speed: 1.0,
                catalogue: &$seat.catalogue,
            }),
        }
    };
}

impl Seat {
    fn at(bench: Option<Bench>, look: Look, size: (u16, u16)) -> Self {
        let (home, catalogue) = (home(), catalogue());
        let model = {
            let world = World {
                home: &home,
                drill: bench.as_ref().map(|bench| Sight {
                    session: &bench.session,
                    head: bench.head(),
                    broken: None,
                    now: bench.clock().now(),
                    speed: 1.0,
                    catalogue: &catalogue,
                }),
            };
            Model::new(look, size, &world)
        };
        Self { model, home, bench, catalogue, size, asked: Vec::new(), given: Vec::new() }
    }

    fn of(bench: Bench) -> Self {
        Self::at(Some(bench), look(), (80, 24))
    }

    fn bench(&mut self) -> &mut Bench {
        self.bench.as_mut().unwrap()
    }

    fn send(&mut self, message: Message) {
        let requests = update(&mut self.model, &world!(self), message);
        for request in requests {
            let Request::Command(command) = request else {
                self.asked.push(request);
                continue;
            };
            self.given.push(command.clone());
            let answer = match self.bench().command(command) {
                Ok(events) => Message::Recorded(events),
                Err(Trouble::Refused(refusal)) => Message::Refused(refusal),
                Err(trouble) => Message::Broke(trouble.to_string()),
            };
            update(&mut self.model, &world!(self), answer);
        }
    }

    /// Keys as people write them: letters, and names in angle brackets.
    fn press(&mut self, keys: &str) -> &mut Self {
        for key in parse(keys) {
            self.send(Message::Key(key));
        }
        self
    }

    fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.size = (width, height);
        self.send(Message::Resize(width, height));
        self
    }

    fn screen(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal.draw(|frame| view(&self.model, &world!(self), frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let mut lines = Vec::new();
        for y in 0..self.size.1 {
            let (mut line, mut x) = (String::new(), 0);
            while x < self.size.0 {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += drbook::text::columns(symbol).max(1) as u16;
            }
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }

    /// Whether the screen shows the words, line breaks and frames aside.
    #[track_caller]
    fn shows(&self, words: &str) {
        let screen = self.screen();
        // The right pane by itself too, where sentences are broken over lines.
        let right: String =
            screen.lines().filter_map(|l| l.split_once("││")).map(|(_, right)| right).collect();
        let seen = [squeeze(&screen), squeeze(&right)];
        assert!(seen.iter().any(|s| s.contains(&squeeze(words))), "`{words}` is not on\n{}", self.screen());
    }

    #[track_caller]
    fn hides(&self, words: &str) {
        assert!(!squeeze(&self.screen()).contains(&squeeze(words)), "`{words}` is on\n{}", self.screen());
    }
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '│').collect()
}

fn parse(keys: &str) -> Vec<KeyEvent> {
    let mut out = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        if let Some((name, after)) = rest.strip_prefix('<').and_then(|r| r.split_once('>')) {
            out.push(named(name));
            rest = after;
        } else {
            out.push(KeyEvent::new(KeyCode::Char(first), KeyModifiers::NONE));
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn named(name: &str) -> KeyEvent {
    if let Some(letter) = name.strip_prefix("ctrl-") {
        return KeyEvent::new(KeyCode::Char(letter.chars().next().unwrap()), KeyModifiers::CONTROL);
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "backspace" => KeyCode::Backspace,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "f1" => KeyCode::F(1),
        other => panic!("no key `{other}`"),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

#[test]
fn a_pick_at_home_is_asked_for_and_a_failure_is_told() {
    let mut seat = Seat::at(None, look(), (80, 24));
    seat.press("<down><enter>");
    seat.shows("What it is for");
    seat.press("<right><enter><enter>");
    let pick = Pick::Begin {
        runbook: "backup-verification".into(),
        estate: "contoso-biztalk".into(),
        mode: Mode::Incident,
    };
    assert_eq!(seat.asked, [Request::Start(pick)]);
    seat.send(Message::NotStarted("DRSQL1: the name resolves to no address.\nLook at DNS.".into()));
    seat.shows("It could not be started");
    seat.shows("Look at DNS.");
    seat.press("<enter><up><enter>");
    assert_eq!(seat.asked[1], Request::Start(Pick::Resume { record: "20261119T090000-0001".into() }));
    seat.press("<end><enter>");
    seat.shows("drbook records show 20261101T080000-00ff");
    seat.press("q");
    assert_eq!(seat.asked[2], Request::Leave, "nothing is at stake at home");
}
