use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::clock::{DrillClock, FixedClock, Span, system_now};
use crate::engine::{Again, QuestionRef, Round, Stage};
use crate::reading::Source;

/// Answers by the name of the query: `ok`, `never`, `panic`.
#[derive(Clone, Default)]
struct Desk {
    asked: Arc<Mutex<Vec<String>>>,
}

impl Port for Desk {
    async fn ask(&self, question: &Question) -> Result<Reading, Trouble> {
        self.asked.lock().unwrap().push(question.reference.ask.clone());
        match question.query.as_str() {
            "never" => std::future::pending().await,
            "panic" => panic!("on purpose"),
            _ => Ok(Reading {
                source: Source::Sql,
                server: None,
                query_sha256: None,
                columns: Vec::new(),
                rows: Vec::new(),
                row_count: 7,
                truncated: false,
                took_ms: 0,
                messages: Vec::new(),
            }),
        }
    }
    async fn act(&self, act: &Act, item: &Item) -> ActResult {
        self.asked.lock().unwrap().push(format!("act {}", act.item));
        match item.query.as_str() {
            "panic" => panic!("on purpose"),
            "slow" => tokio::time::sleep(Duration::from_millis(100)).await,
            _ => {}
        }
        ActResult::Done
    }
}

fn question(ask: &str, query: &str) -> Question {
    Question {
        reference: QuestionRef { proof: 0, ask: ask.into(), server: "S".into(), database: None },
        query: query.into(),
        with: Ok(BTreeMap::new()),
        deadline_ms: 1000,
    }
}

fn key(step: &str) -> RoundKey {
    RoundKey { step: step.into(), attempt: 1, stage: Stage::Check }
}

fn act(item: &str, query: &str) -> Errand {
    Errand::Act {
        act: Act { step: "s".into(), attempt: 1, server: "S".into(), item: item.into() },
        item: Item {
            id: item.into(),
            name: String::new(),
            query: query.into(),
            database: None,
            with: BTreeMap::new(),
            baseline: None,
        },
    }
}

fn round(step: &str, questions: Vec<Question>, again: Option<Again>) -> Errand {
    Errand::Ask(Round { key: key(step), questions, again })
}

fn start(clock: Arc<dyn Clock>) -> (Errands<Desk>, Desk, Receiver<News>) {
    let (send, receive) = channel();
    let send = Mutex::new(send);
    let post: Post = Arc::new(move |news| {
        let _ = send.lock().unwrap().send(news);
    });
    let desk = Desk::default();
    (Errands::new(desk.clone(), clock, post).unwrap(), desk, receive)
}

fn fixed() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(chrono::DateTime::UNIX_EPOCH))
}

/// Next work that came home, progress left out.
fn home(news: &Receiver<News>) -> Taken {
    loop {
        match news.recv_timeout(Duration::from_secs(5)).expect("news") {
            News::Taken(taken) => return taken,
            News::Progress { .. } => {}
        }
    }
}

fn nothing(news: &Receiver<News>, ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
    let more: Vec<News> = news.try_iter().collect();
    assert!(more.is_empty(), "{more:?}");
}

#[test]
fn a_round_comes_home_whole_in_the_order_of_its_questions() {
    let (mut errands, desk, news) = start(fixed());
    let unfilled = Trouble::new(TroubleCode::Unfilled, "@since is not known");
    let blank = Question { with: Err(unfilled.clone()), ..question("c", "ok") };
    errands.settle(vec![round("s", vec![question("a", "panic"), question("b", "ok"), blank], None)]);
    let mut progress = 0;
    let taken = loop {
        match news.recv_timeout(Duration::from_secs(5)).unwrap() {
            News::Progress { .. } => progress += 1,
            News::Taken(taken) => break taken,
        }
    };
    assert_eq!(progress, 3);
    let Taken::Round { key: of, outcomes, poll } = taken else { panic!("{taken:?}") };
    assert_eq!((of, poll), (key("s"), 1));
    let names: Vec<&str> = outcomes.iter().map(|(q, _)| q.ask.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let fault = outcomes[0].1.as_ref().unwrap_err();
    assert_eq!(fault.code, TroubleCode::Other, "{fault}");
    assert_eq!(outcomes[1].1.as_ref().unwrap().row_count, 7);
    assert_eq!(outcomes[2].1.as_ref().unwrap_err(), &unfilled);
    let mut asked = desk.asked.lock().unwrap().clone();
    asked.sort();
    assert_eq!(asked, ["a", "b"], "what cannot be filled in is not sent");
}

#[test]
fn a_round_that_has_come_home_is_not_started_again_until_it_was_given_up() {
    let (mut errands, desk, news) = start(fixed());
    let owed = || vec![round("s", vec![question("a", "ok")], None)];
    errands.settle(owed());
    home(&news);
    errands.settle(owed());
    nothing(&news, 50);
    errands.settle(Vec::new());
    errands.settle(owed());
    home(&news);
    assert_eq!(desk.asked.lock().unwrap().len(), 2);
}

#[test]
fn a_round_no_longer_owed_is_dropped_and_one_with_other_words_is_asked_anew() {
    let (mut errands, _, news) = start(fixed());
    errands.settle(vec![round("s", vec![question("a", "never")], None)]);
    errands.settle(vec![round("s", vec![question("a", "ok")], None)]);
    assert!(matches!(home(&news), Taken::Round { .. }));
    errands.settle(vec![round("t", vec![question("a", "never")], None)]);
    errands.settle(Vec::new());
    nothing(&news, 50);
}

#[test]
fn polls_follow_the_drill_clock_and_are_counted() {
    let clock = DrillClock { origin: system_now(), since: system_now(), speed: 600.0 };
    let (mut errands, desk, news) = start(Arc::new(clock));
    let until = clock.now() + TimeDelta::hours(1);
    let again = Again { every: Span::seconds(60), until };
    let since = std::time::Instant::now();
    errands.settle(vec![round("s", vec![question("a", "ok")], Some(again))]);
    for wanted in 1..=3 {
        let Taken::Round { poll, .. } = home(&news) else { panic!("a round") };
        assert_eq!(poll, wanted);
    }
    // two drill minutes at 600 drill seconds per second
    assert!(since.elapsed() >= Duration::from_millis(190), "{:?}", since.elapsed());
    errands.settle(Vec::new());
    nothing(&news, 150);
    assert_eq!(desk.asked.lock().unwrap().len(), 3);
}

#[test]
fn polls_keep_a_pause_however_fast_the_clock_runs() {
    let (mut errands, desk, news) = start(fixed());
    let again = Again { every: Span::seconds(0), until: chrono::DateTime::UNIX_EPOCH };
    errands.settle(vec![round("s", vec![question("a", "ok")], Some(again))]);
    std::thread::sleep(Duration::from_millis(200));
    errands.settle(Vec::new());
    let polls = desk.asked.lock().unwrap().len();
    assert!((2..=11).contains(&polls), "{polls}");
    drop(news);
}

#[test]
fn an_action_is_sent_once_and_is_not_dropped() {
    let (mut errands, desk, news) = start(fixed());
    errands.settle(vec![act("x", "slow")]);
    errands.settle(Vec::new());
    errands.settle(vec![act("x", "slow")]);
    assert!(matches!(home(&news), Taken::Act { result: ActResult::Done, .. }));
    errands.settle(vec![act("x", "slow")]);
    nothing(&news, 150);
    assert_eq!(*desk.asked.lock().unwrap(), ["act x"]);
}

#[test]
fn an_action_whose_task_fails_is_uncertain() {
    let (mut errands, _, news) = start(fixed());
    errands.settle(vec![act("x", "panic")]);
    let Taken::Act { result: ActResult::Uncertain(trouble), .. } = home(&news) else { panic!("uncertain") };
    assert_eq!(trouble.code, TroubleCode::Other);
}

#[test]
fn an_alarm_rings_when_the_drill_clock_says_so() {
    let clock = fixed();
    let (mut errands, _, news) = start(clock.clone());
    let at = chrono::DateTime::UNIX_EPOCH + TimeDelta::hours(1);
    errands.settle(vec![Errand::Alarm { key: key("s"), at }]);
    nothing(&news, 50);
    clock.advance_ms(3_600_000);
    assert_eq!(home(&news), Taken::Alarm { key: key("s") });
}
