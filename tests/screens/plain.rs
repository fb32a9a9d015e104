//! Plain mode: scripted lines in, a transcript out, the same commands as on the screen.

use std::cell::RefCell;
use std::io::{Cursor, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::channel;

use super::bench::{Bench, bad, catalogue};
use super::{home, look};
use drbook::check::Verdict;
use drbook::desk::{End, How, Setup, Started};
use drbook::engine::{Event, Standing};
use drbook::runbook::Mode;
use insta::assert_snapshot;

#[derive(Clone, Default)]
struct Paper(Rc<RefCell<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Talks about the drill with these lines; gives back the transcript and the end.
fn talk(mut bench: Bench, lines: &str) -> (String, End) {
    let (post, news) = channel();
    bench.post = Some(post);
    let started = Started { door: Box::new(bench), catalogue: Arc::new(catalogue()) };
    let setup = Setup {
        started: Some(started),
        open: Box::new(|_| Err("no".into())),
        home: home(),
        look: look(),
        news,
    };
    let paper = Paper::default();
    let end = drbook::plain::run(setup, Cursor::new(lines.to_owned()), paper.clone()).unwrap();
    let text = String::from_utf8(paper.0.borrow().clone()).unwrap();
    (text, end)
}

#[test]
fn a_drill_is_walked_by_numbers() {
    let (text, end) = talk(
        Bench::open(Mode::Drill),
        // run 1 with its four answers, next step, run it, leave
        "1\nnow\n2026-11-20 20:41\nLea\n1\n7\n1\n",
    );
    assert_snapshot!("plain_walk", text);
    assert!(text.is_ascii() || text.contains('還'));
    assert_eq!(end.how, How::Gone, "the lines ended");
    let session = end.started.as_ref().unwrap().door.session();
    assert_eq!(session.standing(0), Standing::Judged(Verdict::Pass));
    assert!(session.closed.is_none());
}

#[test]
fn a_red_step_is_read_out_with_its_evidence() {
    let mut bench = Bench::open(Mode::Drill);
    bench.prepared();
    bench.script = Box::new(bad);
    bench.ask("files");
    // another step, number 5, its evidence
    let (text, _) = talk(bench, "6\n5\nwrong\n99\n2\n");
    assert_snapshot!("plain_red", text);
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn a_step_of_no_return_asks_the_same_as_on_the_screen() {
    let mut bench = Bench::open(Mode::Incident);
    bench.level();
    let (text, end) =
        talk(bench, "1\nDRSQL1 DRSQL2\nBen\ncalled back\n\nno\n1\nDRSQL1 DRSQL2\nBen\ncalled back\n\nyes\n");
    assert_snapshot!("plain_no_return", text);
    assert_eq!(text.matches("step 6 Restore To Mark: PASS").count(), 1, "only the proof is a verdict");
    let session = end.started.as_ref().unwrap().door.session();
    let acts = &session.steps[5].attempts.last().unwrap().acts;
    assert_eq!(acts.len(), 2);
    assert_eq!(session.standing(5), Standing::Judged(Verdict::Pass));
}

#[test]
fn the_screen_and_the_lines_record_the_same_events() {
    let (_, end) = talk(Bench::open(Mode::Drill), "1\nnow\n2026-11-20 20:41\nLea\n1\n");
    let by_lines = end.started.unwrap().door;
    let mut seat = super::Seat::of(Bench::open(Mode::Drill));
    seat.press("1rnow<enter>2026-11-20 20:41<enter>Lea<enter><right><enter><enter>");
    let by_screen = seat.bench.unwrap();
    assert_eq!(by_lines.session().typed, by_screen.session.typed);
    assert_eq!(by_lines.session().steps, by_screen.session.steps);
    assert!(by_screen.recorded.iter().any(|s| matches!(s.event, Event::Entered { .. })));
}

#[test]
fn home_is_a_list_of_numbers_and_a_failure_comes_back_to_it() {
    let (_post, news) = channel();
    let setup = Setup {
        started: None,
        open: Box::new(|_| Err("DRSQL1 does not answer.".into())),
        home: home(),
        look: look(),
        news,
    };
    let paper = Paper::default();
    let end = drbook::plain::run(setup, Cursor::new("2\n4\n"), paper.clone()).unwrap();
    assert_eq!(end.how, How::Left);
    let text = String::from_utf8(paper.0.borrow().clone()).unwrap();
    assert_snapshot!("plain_home", text);
}
