//! Lines out, lines in, and what comes from outside in between. Knows no drill.

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::desk::Signals;
use crate::drive::News;
use crate::locale::{Tongue, fill};
use crate::text::harmless;

/// Why the talk is over.
#[derive(Debug)]
pub(super) enum Stop {
    /// The operator left.
    Left,
    /// The input ended.
    Ended,
    /// A signal.
    Signal(i32),
    /// Nothing can be said any more.
    Output(io::Error),
}

/// What arrives.
pub(super) enum Heard {
    Line(String),
    Ended,
    News(News),
    Signal(i32),
}

/// A line longer than this is cut; nobody types so much (bytes).
const LINE: u64 = 64 * 1024;

/// Both ends of the talk.
pub(super) struct Talk<W> {
    out: W,
    heard: Receiver<Heard>,
    /// Asks the reader for one more line, so that nothing is read before it is wanted.
    more: Sender<()>,
    asked: bool,
    ended: bool,
    /// A line that came while waiting.
    kept: Option<String>,
    /// News that came while a question was open.
    news: Vec<News>,
    _signals: Signals,
    pub(super) tongue: Tongue,
}

impl<W: Write> Talk<W> {
    pub(super) fn new(
        input: impl BufRead + Send + 'static,
        out: W,
        news: Receiver<News>,
        tongue: Tongue,
    ) -> io::Result<Self> {
        let (post, heard) = channel();
        let (more, wanted) = channel();
        let signals = Signals::listen(post.clone(), Heard::Signal)?;
        read_lines(input, wanted, post.clone());
        std::thread::spawn(move || {
            for one in news {
                if post.send(Heard::News(one)).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            out,
            heard,
            more,
            asked: false,
            ended: false,
            kept: None,
            news: Vec::new(),
            _signals: signals,
            tongue,
        })
    }

    /// One line, harmless to the terminal.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Stop> {
        writeln!(self.out, "{}", harmless(text)).and_then(|()| self.out.flush()).map_err(Stop::Output)
    }

    /// Several.
    pub(super) fn say_lines(&mut self, text: &str) -> Result<(), Stop> {
        text.lines().try_for_each(|line| self.say(line))
    }

    /// Asks and waits for a line; news is kept for later.
    pub(super) fn ask(&mut self, question: &str) -> Result<String, Stop> {
        write!(self.out, "{}", harmless(question)).and_then(|()| self.out.flush()).map_err(Stop::Output)?;
        if let Some(line) = self.kept.take() {
            self.say("")?;
            return Ok(line);
        }
        loop {
            if self.ended {
                self.say("")?;
                return Err(Stop::Ended);
            }
            self.want_line();
            match self.heard.recv() {
                Ok(Heard::Line(line)) => {
                    self.asked = false;
                    return Ok(line);
                }
                Ok(Heard::Ended) | Err(_) => self.ended = true,
                Ok(Heard::News(news)) => self.news.push(news),
                Ok(Heard::Signal(signal)) => return Err(Stop::Signal(signal)),
            }
        }
    }

    /// A number out of a list; asks again until it is one.
    pub(super) fn choose(&mut self, choices: &[String]) -> Result<usize, Stop> {
        for (n, choice) in choices.iter().enumerate() {
            self.say(&format!("{}. {choice}", n + 1))?;
        }
        loop {
            let line = self.ask(&self.tongue.words.screens.plain.pick)?;
            match line.trim().parse::<usize>() {
                Ok(n) if (1..=choices.len()).contains(&n) => return Ok(n - 1),
                _ => {
                    let words = &self.tongue.words.screens.plain;
                    let said = fill(&words.not_a_choice, |_| Some(choices.len().to_string()));
                    self.say(&said)?;
                }
            }
        }
    }

    /// The next news, waiting for it; `None` when an empty line asks for the menu.
    ///
    /// Another line is kept as the answer to the next question. The end of the input does not end the waiting:
    /// what was begun comes to its verdict first.
    pub(super) fn wait(&mut self) -> Result<Option<News>, Stop> {
        if !self.news.is_empty() {
            return Ok(Some(self.news.remove(0)));
        }
        loop {
            if !self.ended && self.kept.is_none() {
                self.want_line();
            }
            match self.heard.recv() {
                Ok(Heard::News(news)) => return Ok(Some(news)),
                Ok(Heard::Line(line)) => {
                    self.asked = false;
                    if line.trim().is_empty() {
                        return Ok(None);
                    }
                    self.kept = Some(line);
                }
                Ok(Heard::Ended) => self.ended = true,
                Ok(Heard::Signal(signal)) => return Err(Stop::Signal(signal)),
                Err(_) => return Err(Stop::Ended),
            }
        }
    }

    /// What came while nobody waited.
    pub(super) fn missed(&mut self) -> Result<Vec<News>, Stop> {
        let mut all = std::mem::take(&mut self.news);
        loop {
            match self.heard.try_recv() {
                Ok(Heard::News(news)) => all.push(news),
                Ok(Heard::Line(line)) => {
                    self.asked = false;
                    self.kept = Some(line);
                }
                Ok(Heard::Ended) => self.ended = true,
                Ok(Heard::Signal(signal)) => return Err(Stop::Signal(signal)),
                Err(_) => return Ok(all),
            }
        }
    }

    fn want_line(&mut self) {
        if !self.asked {
            self.asked = true;
            self.ended |= self.more.send(()).is_err();
        }
    }
}

/// Reads a line each time one is wanted.
fn read_lines(mut input: impl BufRead + Send + 'static, wanted: Receiver<()>, post: Sender<Heard>) {
    std::thread::spawn(move || {
        for () in wanted {
            let mut bytes = Vec::new();
            let read = io::Read::take(&mut input, LINE).read_until(b'\n', &mut bytes);
            let heard = match read {
                Ok(0) | Err(_) => Heard::Ended,
                Ok(_) => {
                    let text = String::from_utf8_lossy(&bytes);
                    let clean: String =
                        text.trim_end_matches(['\n', '\r']).chars().filter(|c| !c.is_control()).collect();
                    Heard::Line(clean)
                }
            };
            let ended = matches!(heard, Heard::Ended);
            if post.send(heard).is_err() || ended {
                return;
            }
        }
    });
}
