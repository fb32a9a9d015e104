//! Random commands: whatever is tried, the promises hold.

use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};

use super::*;

fn books() -> Vec<Step> {
    let mut gate = step("gate", &["a"], check("dst"));
    gate.repeat = Some(Repeat { every: Span::seconds(5), during: Span::seconds(20) });
    let mut go = step("go", &["gate"], start_job(Some(Span::minutes(1)), true));
    go.guard = Some(Guard { no_return: true, recheck: vec!["gate".into()], ..Guard::default() });
    let pause = StepKind::Wait { until: vec![], pause: Some(Span::seconds(5)) };
    let manual = StepKind::Manual { text: Text::en("m"), prove: vec![ok_is_one("src")] };
    vec![step("a", &[], check("src")), gate, go, step("wait", &["a"], pause), step("m", &["go"], manual)]
}

/// One move: which step, what, and with which luck.
fn moves() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    prop::collection::vec((0..5_usize, 0..14_u8, 0..6_u8), 1..80)
}

fn play(desk: &mut Desk, (at, what, luck): (usize, u8, u8)) {
    let step = desk.session.book.steps[at].id.clone();
    let said = match what {
        0 | 1 => desk.say(Command::Ask { step }),
        2 | 3 => desk.say(Command::Act { step, typed: None, second: None }),
        4 => desk.say(Command::Say { step, text: String::new() }),
        5 => desk.say(Command::Skip { step, reason: "r".into() }),
        6 => desk.say(Command::Override { step, server: None, reason: "r".into(), name: "n".into() }),
        7 => desk.say(Command::Cancel { step }),
        8 => {
            desk.restart();
            Ok(vec![])
        }
        9 => {
            desk.pass_seconds(i64::from(luck) * 10);
            Ok(vec![])
        }
        10 => settle(desk, luck),
        _ => come_home(desk, luck),
    };
    drop(said);
}

fn settle(desk: &mut Desk, luck: u8) -> Result<Vec<Event>, Refusal> {
    let uncertain = desk.session.steps.iter().filter_map(|s| s.attempts.last()).flat_map(|a| &a.acts);
    let act = uncertain.filter(|d| matches!(d.state, ActState::Uncertain(_))).map(|d| d.act.clone()).next();
    let Some(act) = act else { return Ok(vec![]) };
    let settlement = if luck.is_multiple_of(2) { Settlement::Happened } else { Settlement::DidNotHappen };
    desk.say(Command::Settle { act, settlement, reason: "read".into() })
}

fn come_home(desk: &mut Desk, luck: u8) -> Result<Vec<Event>, Refusal> {
    let Some(errand) = desk.session.owed().into_iter().nth(usize::from(luck) % 2) else { return Ok(vec![]) };
    let taken = match errand {
        Errand::Act { act, .. } => {
            let result = match luck {
                0 => ActResult::Failed(lost()),
                1 => ActResult::Uncertain(lost()),
                _ => ActResult::Done,
            };
            Taken::Act { act, result }
        }
        Errand::Alarm { key, .. } => Taken::Alarm { key },
        Errand::Ask(round) => {
            let answer = |q: &Question| match (&*q.query, luck) {
                (_, 0) => Err(lost()),
                ("test/job", _) => Ok(job_row()),
                ("agent/job-outcome", l) => Ok(outcome(Some(i64::from(l != 1)), 0)),
                ("test/new-jobs", l) => {
                    let row = vec!["J9".into(), "New".into(), Cell::Int(i64::from(l == 2)), Cell::Int(0)];
                    Ok(reading(&["job_id", "name", "enabled", "known"], vec![row]))
                }
                (_, l) => Ok(ok(i64::from(l != 1))),
            };
            let outcomes = round.questions.iter().map(|q| (q.reference.clone(), answer(q))).collect();
            Taken::Round { key: round.key, outcomes, poll: 1 }
        }
    };
    desk.say(Command::Take(taken))
}

proptest! {
    #[test]
    fn whatever_is_tried_the_promises_hold(moves in moves()) {
        let mut desk = Desk::open(book(books()), Mode::Rehearsal);
        for one in moves {
            play(&mut desk, one);
            let mut replayed = Session::new(desk.session.book.clone());
            desk.events.iter().for_each(|e| replayed.apply(e));
            prop_assert_eq!(&replayed.steps, &desk.session.steps, "replay = live");
            prop_assert_eq!(replayed.owed(), desk.session.owed());
        }
        let mut intended = std::collections::BTreeSet::new();
        for e in &desk.events {
            if let Event::Intended { act, .. } = &e.event {
                prop_assert!(intended.insert(act.clone()), "intended twice: {:?}", act);
            }
        }
        for (i, state) in desk.session.steps.iter().enumerate() {
            for attempt in &state.attempts {
                let worst = Verdict::worst(attempt.judgements.iter().map(|j| j.verdict));
                prop_assert!(attempt.verdict.is_none_or(|v| v == worst), "the worst wins");
                let unanswered = attempt.given.iter().any(|((s, _), g)| {
                    g.outcome.is_err() && matches!(s, Stage::Check | Stage::Prove)
                });
                if unanswered && attempt.progress == Progress::Over {
                    prop_assert!(attempt.verdict.is_some_and(|v| !v.opens()), "unknown never passes");
                }
                let asked_nothing = attempt.given.is_empty() && attempt.said.is_none();
                let is_pause = desk.session.book.steps[i].id == "wait";
                if attempt.progress == Progress::Over && asked_nothing && !is_pause {
                    prop_assert!(attempt.verdict != Some(Verdict::Pass), "no pass without evidence");
                }
            }
        }
    }
}
