//! Home, evidence, help.

use super::bench::{Bench, bad, silent};
use super::{Seat, look};
use drbook::runbook::Mode;
use drbook::tui::Request;
use insta::assert_snapshot;

#[test]
fn home_shows_what_is_open_what_can_be_started_and_what_was() {
    let mut seat = Seat::at(None, look(), (80, 24));
    assert_snapshot!("home", seat.screen());
    seat.resize(44, 14);
    assert_snapshot!("home_44x14", seat.screen());
}

fn red() -> Bench {
    let mut bench = Bench::open(Mode::Drill);
    bench.prepared();
    bench.script = Box::new(bad);
    bench.ask("files");
    bench
}

#[test]
fn evidence_starts_with_the_worst_and_shows_expected_found_sql_and_rows() {
    let mut seat = Seat::of(red());
    assert_snapshot!("evidence", seat.press("5e").screen());
    seat.shows("2 of 2, attempt 1  DRSQL2");
    seat.hides("\u{1b}");
    seat.press("<end>");
    seat.shows("rows 1 to 2 of 2");
    seat.press("/msgbox<enter>");
    seat.press("<end>");
    assert_snapshot!("evidence_filtered", seat.screen());
    seat.press("y");
    let Some(Request::Copy(text)) = seat.asked.last() else { panic!("{:?}", seat.asked) };
    assert!(text.contains("BizTalkMsgBoxDb\t0\tONLINE") && !text.contains("BizTalkMgmtDb"), "{text}");
    seat.press("<esc>");
    seat.hides("filter:");
    seat.press("l");
    seat.shows("1 of 2, attempt 1  DRSQL1");
    seat.press("T");
    let Some(Request::Copy(sql)) = seat.asked.last() else { panic!("{:?}", seat.asked) };
    assert!(sql.starts_with("SELECT d.name"), "{sql}");
    seat.press("<esc>");
    seat.shows("Every destin");
}

#[test]
fn evidence_of_a_silent_server_says_so() {
    let mut bench = red();
    bench.script = Box::new(silent);
    bench.ask("files");
    let mut seat = Seat::of(bench);
    seat.press("5e");
    seat.shows("No answer within 15.0 s");
    seat.press("a");
    seat.shows("attempt 1");
    seat.resize(44, 14);
    assert_snapshot!("evidence_44x14", seat.screen());
}

#[test]
fn help_is_made_from_the_key_table() {
    let mut seat = Seat::of(Bench::open(Mode::Drill));
    assert_snapshot!("help", seat.press("?").screen());
    seat.press("<end>");
    seat.shows("NO WAY BACK");
    seat.press("<esc>");
    seat.shows("Declare the failover");
    seat.press("1r<f1>");
    seat.shows("go on to the next field");
    seat.press("<esc>");
    seat.shows("Answer: 1 Declare the failover");
}
