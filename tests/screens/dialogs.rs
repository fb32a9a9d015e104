//! Every dialog: what it asks, what it refuses, what it leads to.

use std::collections::BTreeMap;

use super::Seat;
use super::bench::{Bench, bad};
use drbook::engine::*;
use drbook::reading::{Trouble, TroubleCode};
use drbook::runbook::Mode;
use drbook::tui::Message;
use insta::assert_snapshot;

fn level(mode: Mode) -> Seat {
    let mut bench = Bench::open(mode);
    bench.level();
    Seat::of(bench)
}

#[test]
fn answers_are_typed_checked_and_recorded() {
    let mut seat = Seat::of(Bench::open(Mode::Drill));
    assert_snapshot!("enter", seat.press("1r").screen());
    seat.press("yesterday<enter>2026-11-20 20:41<enter>Lea<enter><right><enter><enter>");
    seat.shows("a time: now");
    assert_snapshot!("enter_refused", seat.screen());
    seat.press("<ctrl-u>now<tab><tab><tab><tab><tab><enter>");
    let values = BTreeMap::from([
        ("at".to_owned(), "now".to_owned()),
        ("failed_at".to_owned(), "2026-11-20 20:41".to_owned()),
        ("approver".to_owned(), "Lea".to_owned()),
        ("source_state".to_owned(), "alive".to_owned()),
    ]);
    assert_eq!(seat.given.last(), Some(&Command::Enter { step: "declared".into(), values }));
    seat.shows("PASS");
    seat.hides("Answer: 1");
}

#[test]
fn a_blank_that_is_not_filled_in_is_named() {
    let mut seat = Seat::of(Bench::open(Mode::Drill));
    seat.press("1r<backtab><enter>");
    seat.shows("Fill in: When it was declared");
    assert!(seat.given.is_empty());
}

#[test]
fn no_return_wants_the_names_typed_and_a_second_person() {
    let mut seat = level(Mode::Incident);
    assert_snapshot!("no_return_dialog", seat.press("6r").screen());
    seat.shows("No later backup can be restored any more.");
    seat.shows("Type exactly: DRSQL1 DRSQL2");
    // Enter alone ends on cancel, with nothing done.
    seat.press("<enter><enter><enter><enter><enter>");
    assert!(seat.given.is_empty());
    seat.hides("Type exactly");

    seat.press("rDRSQL1<enter><enter><enter><enter><tab><enter>");
    seat.shows("A second person must confirm this.");
    seat.press("Ana<enter><enter><enter><tab><enter>");
    seat.shows("Say how the second person was identified.");
    seat.press("in the room<enter><enter><tab><enter>");
    seat.shows("What was typed is not what must be typed.");
    seat.press(" DRSQL2<enter><enter><enter><enter><tab><enter>");
    seat.shows("somebody else than the operator");
    seat.press("<ctrl-u>Ben<enter><enter><enter><tab><enter>");
    let second = Second::Confirmed { name: "Ben".into(), identified: "in the room".into() };
    let command = Command::Act {
        step: "restore-to-mark".into(),
        typed: Some("DRSQL1 DRSQL2".into()),
        second: Some(second),
    };
    assert_eq!(seat.given.last(), Some(&command));
    seat.shows("asking the checks again");
    seat.bench().settle(40);
    seat.shows("PASS");
    seat.shows("DRSQL1  BTS Log Shipping Restore To Mark");
}

#[test]
fn nobody_available_needs_a_reason() {
    let mut seat = level(Mode::Incident);
    seat.press("6rDRSQL1 DRSQL2<enter><enter><enter>alone on site<enter><tab><enter>");
    let Some(Command::Act { second: Some(Second::NotAvailable { reason }), .. }) = seat.given.last() else {
        panic!("{:?}", seat.given)
    };
    assert_eq!(reason, "alone on site");
}

#[test]
fn a_skip_says_what_stays_locked() {
    let mut bench = Bench::open(Mode::Drill);
    bench.prepared();
    let mut seat = Seat::of(bench);
    assert_snapshot!("skip", seat.press("1<down>s").screen());
    seat.press("<esc>7s");
    seat.shows("A skipped step proves nothing");
    seat.press("no time<enter><tab><enter>");
    assert_eq!(seat.given, [Command::Skip { step: "registry".into(), reason: "no time".into() }]);
    seat.shows("SKIPPED");
}

#[test]
fn an_override_is_for_the_step_or_one_server_with_reason_and_name() {
    let mut bench = Bench::open(Mode::Drill);
    bench.prepared();
    bench.script = Box::new(bad);
    bench.ask("files");
    let mut seat = Seat::of(bench);
    assert_snapshot!("override", seat.press("5o").screen());
    seat.press("<enter><enter><enter><tab><enter>");
    seat.shows("Fill in: What is overridden");
    seat.press("<right><right><enter>known, see ticket 7<enter>Lea<enter><tab><enter>");
    assert_eq!(
        seat.given,
        [Command::Override {
            step: "files".into(),
            server: Some("DRSQL2".into()),
            reason: "known, see ticket 7".into(),
            name: "Lea".into(),
        }]
    );
    seat.shows("OVERRIDDEN");
}

#[test]
fn a_note_needs_two_keys_and_a_text() {
    let mut seat = Seat::of(Bench::open(Mode::Drill));
    seat.press("nPhone bridge is open.<enter><enter>");
    let note = Command::Note { step: Some("declared".into()), text: "Phone bridge is open.".into() };
    assert_eq!(seat.given, [note]);
    seat.shows("Phone bridge is open.");
    seat.press("n<enter><enter>");
    seat.shows("Fill in: Text");
}

/// The action on DRSQL2 was sent and nobody knows.
fn lost() -> Bench {
    let mut bench = Bench::open(Mode::Rehearsal);
    bench.level();
    bench.acts = |act| match act.server.as_str() {
        "DRSQL2" => ActResult::Uncertain(Trouble::new(TroubleCode::Lost, "connection reset")),
        _ => ActResult::Done,
    };
    bench.done(Command::Act {
        step: "restore-to-mark".into(),
        typed: Some("DRSQL1 DRSQL2".into()),
        second: None,
    });
    bench
}

#[test]
fn what_is_uncertain_is_settled_with_what_the_servers_say() {
    let mut seat = Seat::of(lost());
    assert_snapshot!("uncertain", seat.press("6").screen());
    seat.shows("Do not repeat the action.");
    seat.press("r");
    seat.shows("Settle it first.");
    assert_snapshot!("settle", seat.press("u").screen());
    seat.shows("suggest that it took effect");
    seat.press("<enter><enter><tab><enter>");
    seat.shows("Fill in: What is true");
    seat.press("<right><enter>its history says so<enter><tab><enter>");
    let Some(Command::Settle { act, settlement, reason }) = seat.given.last() else {
        panic!("{:?}", seat.given)
    };
    assert_eq!((act.server.as_str(), *settlement), ("DRSQL2", Settlement::Happened));
    assert_eq!(reason, "its history says so");
    seat.shows("settled, it took effect");
}

#[test]
fn manual_steps_hand_over_and_close_are_asked() {
    let mut seat = level(Mode::Rehearsal);
    seat.press("6rDRSQL1 DRSQL2<enter><tab><enter>");
    seat.bench().settle(40);
    assert_snapshot!("manual", seat.press("7r").screen());
    seat.press("done on BTS1<enter><tab><enter>");
    assert_eq!(
        seat.given.last(),
        Some(&Command::Say { step: "registry".into(), text: "done on BTS1".into() })
    );

    seat.press("HBen<enter>All green up to here.<enter><tab><enter>");
    assert_eq!(
        seat.given.last(),
        Some(&Command::HandOver { to: "Ben".into(), brief: "All green up to here.".into() })
    );

    seat.press("X");
    seat.shows("1 steps are still open: 8 Let the hosts settle.");
    seat.press("<right><enter><enter><tab><enter>");
    seat.shows("Give a reason");
    seat.press("end of the window<enter><tab><enter>");
    let closed = Command::Close { closing: Closing::Aborted, text: "end of the window".into() };
    assert_eq!(seat.given.last(), Some(&closed));
    seat.shows("CLOSED");
    seat.press("r");
    seat.shows("The drill is closed.");
    seat.press("q");
    assert_eq!(seat.asked.len(), 1, "a closed drill is left at once");
}

#[test]
fn done_outside_only_proves() {
    let mut seat = level(Mode::Rehearsal);
    seat.press("6d");
    seat.shows("drbook will not act.");
    seat.press("by hand on both<enter><tab><enter>");
    let said = Command::Say { step: "restore-to-mark".into(), text: "by hand on both".into() };
    assert_eq!(seat.given, [said]);
    seat.shows("proving what was done");
}

#[test]
fn pasted_text_goes_into_the_field_and_runs_no_keys() {
    let mut seat = Seat::of(Bench::open(Mode::Drill));
    seat.send(Message::Paste("q\nX".into()));
    assert!(seat.asked.is_empty());
    seat.press("n");
    seat.send(Message::Paste("one\ntwo\u{1b}[31m".into()));
    seat.shows("one two[31m");
}

#[test]
fn dialogs_fit_and_scroll_in_44_columns() {
    let mut seat = level(Mode::Incident);
    seat.resize(44, 14);
    assert_snapshot!("no_return_44x14", seat.press("6<enter><enter><enter>").screen());
    seat.press("D");
    seat.shows("Type exactly: DRSQL1 DRSQL2");
}
