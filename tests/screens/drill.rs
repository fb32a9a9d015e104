//! The drill screen in its states and sizes.

use super::bench::{Bench, bad, silent};
use super::{Seat, ascii, look};
use crossterm::event::KeyEvent;
use drbook::drive::News;
use drbook::engine::{Command, QuestionRef, RoundKey, Stage};
use drbook::runbook::Mode;
use drbook::tui::{Message, Request};
use insta::assert_snapshot;

/// Level is red on one server, files are unknown because one is silent.
fn troubled(mode: Mode) -> Bench {
    let mut bench = Bench::open(mode);
    bench.prepared();
    bench.script = Box::new(|key, question| match key.step.as_str() {
        "files" => silent(key, question),
        _ => bad(key, question),
    });
    bench.command_quietly("level");
    bench.pass_seconds(4);
    bench.ask("files");
    bench
}

#[test]
fn a_drill_begins_with_what_waits_first() {
    assert_snapshot!(Seat::of(Bench::open(Mode::Rehearsal)).screen());
}

#[test]
fn a_red_step_that_is_asked_again_says_why_and_until_when() {
    let mut seat = Seat::of(troubled(Mode::Drill));
    assert_snapshot!("red_80x24", seat.press("4").screen());
    seat.shows("asked again in 11s, for 19m56s more");
    seat.hides("\u{1b}");
    seat.resize(120, 40);
    assert_snapshot!("red_120x40", seat.screen());
    seat.resize(44, 14);
    assert_snapshot!("red_44x14_list", seat.press("<esc>").screen());
    assert_snapshot!("red_44x14_detail", seat.press("<enter>").screen());
    seat.resize(20, 5);
    assert_snapshot!("red_20x5", seat.screen());
}

#[test]
fn a_silent_server_is_told_in_words_with_the_next_step() {
    let mut seat = Seat::of(troubled(Mode::Incident));
    seat.resize(100, 30);
    assert_snapshot!("silent_100x30", seat.press("5").screen());
    seat.shows("unknown is not a pass");
    seat.shows("No answer within 15.0 s");
    seat.shows("INCIDENT");
}

#[test]
fn ascii_has_seven_bits_only_where_we_write() {
    let mut seat = Seat::at(Some(troubled(Mode::Drill)), ascii(), (80, 24));
    let screen = seat.press("4").screen();
    assert_snapshot!("red_ascii", screen);
    let title = "還原資料庫的檔案可讀";
    let ours: String = screen.chars().filter(|c| !title.contains(*c)).collect();
    assert!(ours.is_ascii(), "{ours}");
}

#[test]
fn questions_under_way_are_counted_as_they_come() {
    let mut bench = Bench::open(Mode::Drill);
    bench.prepared();
    let _ = bench.fold_only(Command::Ask { step: "files".into() });
    let mut seat = Seat::of(bench);
    seat.press("5");
    seat.shows("0 of 2 answers are in");
    let key = RoundKey { step: "files".into(), attempt: 1, stage: Stage::Check };
    let question = QuestionRef { proof: 0, ask: "it".into(), server: "DRSQL1".into(), database: None };
    let News::Progress { key, question, outcome } = (News::Progress { key, question, outcome: Ok(9) }) else {
        unreachable!()
    };
    seat.send(Message::Progress(key, question, outcome));
    seat.shows("1 of 2 answers are in");
    seat.shows("no answer yet from DRSQL2");
    seat.press("r");
    seat.shows("It is under way.");
    seat.press("c");
    seat.shows("INTERRUPTED");
}

#[test]
fn the_no_return_step_is_marked_before_it_is_reached() {
    let mut bench = Bench::open(Mode::Incident);
    bench.level();
    let mut seat = Seat::of(bench);
    assert_snapshot!("no_return", seat.press("6").screen());
    seat.shows("Log shipping ends.");
}

#[test]
fn a_key_that_is_not_valid_now_says_why() {
    let mut seat = Seat::of(Bench::open(Mode::Drill));
    for (keys, why) in [
        ("2r", "Locked. It waits for: 1 Declare the failover."),
        ("1e", "Nothing has been asked in this step yet"),
        ("1c", "Nothing is under way here"),
        ("1u", "Nothing is uncertain here"),
        ("1o", "There is no red verdict to override here"),
        ("4s", "it can only be overridden"),
        ("1d", "drbook does not act in this step"),
        ("9", "There is no step 9"),
        ("1T", "no T-SQL to copy"),
        ("<esc><esc>", "q leaves"),
    ] {
        seat.press(keys);
        seat.shows(why);
    }
    assert!(seat.given.is_empty(), "{:?}", seat.given);
}

#[test]
fn digits_go_to_steps_and_enter_after_them_runs_nothing() {
    let mut bench = Bench::open(Mode::Drill);
    bench.prepared();
    let mut seat = Seat::of(bench);
    seat.press("5<enter>");
    assert!(seat.given.is_empty());
    seat.press("<enter>");
    assert_eq!(seat.given, [Command::Ask { step: "files".into() }]);
}

#[test]
fn a_filter_narrows_the_list_and_esc_takes_it_away() {
    let mut seat = Seat::of(Bench::open(Mode::Drill));
    seat.press("/regis");
    seat.shows("Point the registry");
    seat.hides("Declare the failover");
    seat.press("<enter>");
    assert_snapshot!("filtered", seat.screen());
    seat.press("<esc>");
    seat.shows("Declare the");
    seat.press("/nowhere");
    seat.shows("No step matches");
}

#[test]
fn leaving_asks_and_cancel_is_the_default() {
    let mut seat = Seat::of(Bench::open(Mode::Drill));
    seat.press("q");
    seat.shows("drbook resume");
    seat.press("<enter>");
    assert!(seat.asked.is_empty(), "enter is cancel");
    seat.press("<ctrl-c><ctrl-c><esc>");
    assert!(seat.asked.is_empty(), "esc never leaves");
    seat.press("q<tab><enter>");
    assert_eq!(seat.asked, [Request::Leave]);
}

#[test]
fn a_record_that_stopped_cannot_be_missed() {
    let mut bench = Bench::open(Mode::Drill);
    bench.broken = Some("events.jsonl: no space left on device".into());
    let mut seat = Seat::of(bench);
    assert_snapshot!("broken", seat.screen());
    seat.press("r");
    seat.shows("The record takes no more events");
    assert!(seat.given.is_empty());
}

#[test]
fn the_t_sql_of_an_action_is_copied_with_what_is_known() {
    let mut bench = Bench::open(Mode::Incident);
    bench.level();
    let mut seat = Seat::of(bench);
    seat.press("6T");
    let [Request::Copy(script)] = &seat.asked[..] else { panic!("{:?}", seat.asked) };
    assert!(script.contains("SELECT job_id FROM msdb.dbo.sysjobs"), "{script}");
    assert!(script.contains("DECLARE @job_id uniqueidentifier = NULL; -- fill in"), "{script}");
}

#[test]
fn ctrl_l_draws_anew_and_unknown_keys_do_nothing() {
    let mut seat = Seat::at(Some(Bench::open(Mode::Drill)), look(), (80, 24));
    let before = seat.screen();
    seat.press("zZ§<ctrl-x>");
    seat.send(Message::Key(KeyEvent::from(crossterm::event::KeyCode::F(9))));
    assert_eq!(seat.screen(), before);
    seat.press("<ctrl-l>");
    assert_eq!(seat.asked, [Request::Redraw]);
}
