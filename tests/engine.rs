//! The engine as a whole: commands in, events out, state as their fold.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use drbook::check::expect::{Expectation, What};
use drbook::check::{Finding, Verdict};
use drbook::clock::{DrillClock, Span, Stamp};
use drbook::engine::*;
use drbook::reading::{Cell, Column, Kind, Reading, ServerFacts, Source, Trouble, TroubleCode};
use drbook::runbook::*;
use drbook::text::Text;

mod random;

/// A drill driven by hand.
struct Desk {
    session: Session,
    events: Vec<Stamped>,
    now: DateTime<Utc>,
    mono_ms: u64,
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn step(id: &str, needs: &[&str], kind: StepKind) -> Step {
    Step {
        number: 0,
        id: id.to_owned(),
        phase: 0,
        title: Text::en(id),
        why: Text::default(),
        remedy: Text::default(),
        needs: needs.iter().map(|s| (*s).to_owned()).collect(),
        when: None,
        plan: None,
        kind,
        repeat: None,
        guard: None,
    }
}

fn ask(name: &str, on: &str, query: &str) -> Ask {
    Ask {
        name: name.to_owned(),
        on: on.to_owned(),
        query: query.to_owned(),
        place: None,
        with: BTreeMap::new(),
        deadline: None,
    }
}

fn ok_is_one(on: &str) -> Proof {
    let what = What::Every { column: "ok".into(), one_of: vec![Cell::Int(1)] };
    Proof {
        asks: vec![ask("it", on, "test/ok")],
        judge: Judge::Expect(vec![Expectation { what, otherwise: Verdict::Fail }]),
    }
}

fn check(on: &str) -> StepKind {
    StepKind::Check(vec![ok_is_one(on)])
}

fn start_job(wait: Option<Span>, hold: bool) -> StepKind {
    StepKind::Do(Do {
        action: Action::Job { verb: JobVerb::Start, resolve: ask("", "dst", "test/job"), every: false, wait },
        on: "dst".into(),
        hold: hold.then(|| ask("", "dst", "test/new-jobs")),
        prove: vec![ok_is_one("dst")],
    })
}

fn book(mut steps: Vec<Step>) -> Arc<Runbook> {
    for (n, s) in steps.iter_mut().enumerate() {
        s.number = n as u16 + 1;
    }
    let role = |many| Role { kind: RoleKind::Sql, many, may_be_down: false };
    Arc::new(Runbook {
        id: "test".into(),
        version: 1,
        title: Text::en("Test"),
        modes: vec![Mode::Rehearsal, Mode::Drill, Mode::Incident],
        roles: BTreeMap::from([("src".into(), role(false)), ("dst".into(), role(true))]),
        rto: None,
        rpo: None,
        measure: Measure::default(),
        read_only: false,
        phases: vec![Phase { id: "all".into(), title: Text::en("All") }],
        steps,
    })
}

fn reading(columns: &[&str], rows: Vec<Vec<Cell>>) -> Reading {
    Reading {
        source: Source::Sql,
        server: Some(ServerFacts {
            name: "X".into(),
            version: "15.0.1".into(),
            simulated: true,
            clock: start(),
            offset_minutes: 0,
        }),
        query_sha256: None,
        columns: columns.iter().map(|c| Column { name: (*c).to_owned(), kind: Kind::Unknown }).collect(),
        row_count: rows.len() as u64,
        rows,
        truncated: false,
        took_ms: 1,
        messages: vec![],
    }
}

fn ok(value: i64) -> Reading {
    reading(&["ok"], vec![vec![Cell::Int(value)]])
}

fn job_row() -> Reading {
    let row = vec!["J1".into(), "Restore To Mark".into(), "first".into(), Cell::Int(41)];
    reading(&["job_id", "name", "start_step", "last_instance_id"], vec![row])
}

fn outcome(status: Option<i64>, running: i64) -> Reading {
    let row = vec![
        status.map_or(Cell::Null, Cell::Int),
        Cell::Int(running),
        Cell::Int(0),
        Cell::Int(1),
        "msg".into(),
    ];
    reading(&["run_status", "running", "queued", "enabled", "message"], vec![row])
}

fn lost() -> Trouble {
    Trouble::new(TroubleCode::Timeout, "silent")
}

impl Desk {
    fn open(book: Arc<Runbook>, mode: Mode) -> Self {
        let mut desk = Self { session: Session::new(book), events: vec![], now: start(), mono_ms: 0 };
        let server =
            |environment: &str| ServerInput { environment: environment.into(), ..Default::default() };
        let inputs = Inputs {
            estate: "contoso".into(),
            servers: BTreeMap::from([
                ("SRC".into(), server("production")),
                ("DR1".into(), server("dr")),
                ("DR2".into(), server("dr")),
            ]),
            roles: BTreeMap::from([
                ("src".into(), vec!["SRC".into()]),
                ("dst".into(), vec!["DR1".into(), "DR2".into()]),
            ]),
            ..Inputs::default()
        };
        let opened = Opened {
            format: 1,
            record: "r".into(),
            tool: "0".into(),
            analyses: BTreeMap::new(),
            operator: "ana".into(),
            host: "jump".into(),
            mode,
            runbook: "test".into(),
            runbook_version: 1,
            runbook_sha256: String::new(),
            queries: BTreeMap::new(),
            inputs,
            rto_seconds: None,
            rpo_seconds: None,
            clock: DrillClock { origin: start(), since: start(), speed: 1.0 },
            sandbox: None,
            fault_commitment: None,
            previous_head: None,
        };
        desk.say(Command::Open(Box::new(opened))).unwrap();
        desk
    }

    fn stamp(&self) -> Stamp {
        Stamp { at: self.now, mono_ms: self.mono_ms }
    }

    fn pass_seconds(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
        self.mono_ms += seconds as u64 * 1000;
    }

    /// Carries a command out and all that follows from it.
    fn say(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        let mut made = decide(&self.session, command, self.stamp())?;
        self.fold(made.clone());
        while let Some(next) = self.session.follows() {
            let more = decide(&self.session, next, self.stamp()).expect("what follows is never refused");
            assert!(!more.is_empty(), "what follows changes something");
            self.fold(more.clone());
            made.extend(more);
        }
        Ok(made)
    }

    fn fold(&mut self, events: Vec<Event>) {
        for event in events {
            let seq = self.events.len() as u64 + 1;
            let stamped =
                Stamped { seq, at: self.now, mono_ms: self.mono_ms, by: By::Operator("ana".into()), event };
            self.session.apply(&stamped);
            self.events.push(stamped);
        }
    }

    fn step(&mut self, id: &str) -> Result<Vec<Event>, Refusal> {
        self.say(Command::Ask { step: id.into() })
    }

    fn act(&mut self, id: &str) -> Result<Vec<Event>, Refusal> {
        self.say(Command::Act { step: id.into(), typed: None, second: None })
    }

    /// The round that is owed for a step.
    fn round(&self, id: &str) -> Round {
        self.session
            .owed()
            .into_iter()
            .find_map(|e| match e {
                Errand::Ask(r) if r.key.step == id => Some(r),
                _ => None,
            })
            .unwrap_or_else(|| panic!("no round is owed for {id}: {:?}", self.session.owed()))
    }

    /// Answers the round owed for a step, question by question.
    fn answer(
        &mut self,
        id: &str,
        with: impl Fn(&QuestionRef) -> Result<Reading, Trouble>,
    ) -> Result<Vec<Event>, Refusal> {
        let round = self.round(id);
        let outcomes = round.questions.iter().map(|q| (q.reference.clone(), with(&q.reference))).collect();
        self.say(Command::Take(Taken::Round { key: round.key, outcomes, poll: 1 }))
    }

    fn acts(&self) -> Vec<Act> {
        let act = |e| match e {
            Errand::Act { act, .. } => Some(act),
            _ => None,
        };
        self.session.owed().into_iter().filter_map(act).collect()
    }

    fn result(&mut self, act: &Act, result: ActResult) {
        self.say(Command::Take(Taken::Act { act: act.clone(), result })).unwrap();
    }

    fn standing(&self, id: &str) -> Standing {
        self.session.standing(self.session.index(id).unwrap())
    }

    /// What a restart does.
    fn restart(&mut self) {
        let mut session = Session::new(self.session.book.clone());
        self.events.iter().for_each(|e| session.apply(e));
        self.session = session;
        self.mono_ms = 0;
        self.say(Command::Resume { operator: "ben".into(), host: "jump2".into(), tool: "0".into() }).unwrap();
    }
}

#[test]
fn a_check_passes_only_when_every_server_answers_well() {
    let mut desk = Desk::open(book(vec![step("a", &[], check("dst"))]), Mode::Rehearsal);
    desk.step("a").unwrap();
    assert_eq!(desk.step("a"), Err(Refusal::Busy));
    desk.answer("a", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Pass));

    desk.step("a").unwrap();
    desk.answer("a", |q| if q.server == "DR2" { Err(lost()) } else { Ok(ok(1)) }).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Unknown), "one silent server");

    desk.step("a").unwrap();
    desk.answer("a", |q| if q.server == "DR2" { Ok(ok(0)) } else { Err(lost()) }).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Fail), "fail outranks unknown");
    assert_eq!(desk.session.steps[0].attempts.len(), 3);
}

#[test]
fn an_empty_or_truncated_answer_is_unknown() {
    let mut desk = Desk::open(book(vec![step("a", &[], check("src"))]), Mode::Rehearsal);
    desk.step("a").unwrap();
    desk.answer("a", |_| Ok(reading(&["ok"], vec![]))).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Unknown));
    desk.step("a").unwrap();
    desk.answer("a", |_| Ok(Reading { truncated: true, ..ok(1) })).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Unknown));
}

#[test]
fn a_role_nobody_holds_is_unknown_not_green() {
    let mut desk = Desk::open(book(vec![step("a", &[], check("nobody"))]), Mode::Rehearsal);
    desk.step("a").unwrap();
    desk.answer("a", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Unknown));
}

#[test]
fn needs_open_on_overrides_but_not_on_skips() {
    let steps = vec![step("a", &[], check("src")), step("b", &["a"], check("src"))];
    let mut desk = Desk::open(book(steps), Mode::Rehearsal);
    assert_eq!(desk.step("b"), Err(Refusal::NotReady { missing: vec!["a".into()] }));
    desk.say(Command::Skip { step: "a".into(), reason: "no time".into() }).unwrap();
    assert_eq!(desk.step("b"), Err(Refusal::NotReady { missing: vec!["a".into()] }));
    desk.step("a").unwrap();
    desk.answer("a", |_| Ok(ok(0))).unwrap();
    assert!(desk.step("b").is_err());
    let give = |reason: &str, name: &str| Command::Override {
        step: "a".into(),
        server: None,
        reason: reason.into(),
        name: name.into(),
    };
    assert_eq!(desk.say(give(" ", "lea")), Err(Refusal::ReasonNeeded));
    assert_eq!(desk.say(give("known", "")), Err(Refusal::NameNeeded));
    desk.say(give("known fault", "lea")).unwrap();
    assert_eq!(desk.standing("a"), Standing::Overridden);
    desk.step("b").unwrap();
}

#[test]
fn one_servers_verdict_can_be_overridden_alone() {
    let mut desk = Desk::open(book(vec![step("a", &[], check("dst"))]), Mode::Rehearsal);
    desk.step("a").unwrap();
    desk.answer("a", |q| if q.server == "DR2" { Ok(ok(0)) } else { Err(lost()) }).unwrap();
    let one = |server: &str| Command::Override {
        step: "a".into(),
        server: Some(server.into()),
        reason: "r".into(),
        name: "n".into(),
    };
    assert_eq!(desk.say(one("SRC")), Err(Refusal::NothingThere));
    desk.say(one("DR2")).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Unknown), "DR1 is still unknown");
    desk.say(one("DR1")).unwrap();
    assert_eq!(desk.standing("a"), Standing::Overridden);
}

#[test]
fn polls_belong_to_one_attempt_and_only_changes_are_recorded() {
    let mut s = step("a", &[], check("src"));
    s.repeat = Some(Repeat { every: Span::seconds(10), during: Span::seconds(60) });
    let mut desk = Desk::open(book(vec![s]), Mode::Rehearsal);
    desk.step("a").unwrap();
    assert!(desk.round("a").again.is_some());
    desk.answer("a", |_| Ok(ok(0))).unwrap();
    assert_eq!(desk.standing("a"), Standing::Running(Progress::Polling(Stage::Check)));
    desk.pass_seconds(10);
    assert_eq!(desk.answer("a", |_| Ok(ok(0))).unwrap(), vec![], "the same again");
    desk.pass_seconds(10);
    assert!(!desk.answer("a", |_| Err(lost())).unwrap().is_empty(), "a change");
    desk.pass_seconds(10);
    desk.answer("a", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Pass));
    assert_eq!(desk.session.steps[0].attempts.len(), 1);
    assert_eq!(desk.session.steps[0].first_verdict(), Some(Verdict::Fail));

    desk.step("a").unwrap();
    desk.answer("a", |_| Ok(ok(0))).unwrap();
    desk.pass_seconds(61);
    desk.answer("a", |_| Ok(ok(0))).unwrap();
    assert_eq!(desk.standing("a"), Standing::Judged(Verdict::Fail), "time is up");
}

#[test]
fn a_late_answer_is_stale() {
    let mut desk = Desk::open(book(vec![step("a", &[], check("src"))]), Mode::Rehearsal);
    desk.step("a").unwrap();
    let round = desk.round("a");
    desk.say(Command::Cancel { step: "a".into() }).unwrap();
    assert_eq!(desk.standing("a"), Standing::Interrupted);
    let outcomes = round.questions.iter().map(|q| (q.reference.clone(), Ok(ok(1)))).collect();
    let late = Command::Take(Taken::Round { key: round.key, outcomes, poll: 1 });
    assert_eq!(desk.say(late), Err(Refusal::Stale));
    assert!(desk.session.owed().is_empty());
}

fn to_acting(desk: &mut Desk, id: &str) -> Vec<Act> {
    desk.act(id).unwrap();
    desk.answer(id, |_| Ok(job_row())).unwrap();
    desk.acts()
}

#[test]
fn an_action_is_intended_then_done_then_proved() {
    let mut desk =
        Desk::open(book(vec![step("go", &[], start_job(Some(Span::minutes(60)), false))]), Mode::Rehearsal);
    let acts = to_acting(&mut desk, "go");
    assert_eq!(acts.len(), 2, "one intention per server");
    for act in &acts {
        desk.result(act, ActResult::Done);
    }
    desk.answer("go", |_| Ok(outcome(None, 1))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Running(Progress::Polling(Stage::Outcome)));
    desk.answer("go", |q| Ok(outcome(Some(1), i64::from(q.server == "DR2")))).unwrap();
    desk.answer("go", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Pass));
    assert_eq!(desk.session.steps[0].attempts.len(), 1);
}

#[test]
fn a_job_that_fails_on_one_server_fails_the_step_and_is_started_there_alone_again() {
    let mut desk =
        Desk::open(book(vec![step("go", &[], start_job(Some(Span::minutes(60)), false))]), Mode::Rehearsal);
    for act in to_acting(&mut desk, "go") {
        desk.result(&act, ActResult::Done);
    }
    desk.answer("go", |q| Ok(outcome(Some(i64::from(q.server == "DR1")), 0))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Fail));
    let acts = to_acting(&mut desk, "go");
    assert_eq!(acts.iter().map(|a| a.server.as_str()).collect::<Vec<_>>(), ["DR2"]);
}

#[test]
fn a_job_that_is_not_exactly_one_is_refused_before_anything_is_sent() {
    let mut desk = Desk::open(book(vec![step("go", &[], start_job(None, false))]), Mode::Rehearsal);
    desk.act("go").unwrap();
    let none = reading(&["job_id", "name"], vec![]);
    desk.answer("go", |q| Ok(if q.server == "DR1" { job_row() } else { none.clone() })).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Fail));
    assert!(desk.acts().is_empty());
    assert!(!desk.events.iter().any(|e| matches!(e.event, Event::Intended { .. })));
}

#[test]
fn an_intention_without_outcome_is_uncertain_after_a_restart_and_never_repeated() {
    let mut desk =
        Desk::open(book(vec![step("go", &[], start_job(Some(Span::minutes(60)), false))]), Mode::Rehearsal);
    let acts = to_acting(&mut desk, "go");
    desk.result(&acts[0], ActResult::Done);
    desk.restart();
    assert!(desk.acts().is_empty(), "nothing is sent again");
    assert_eq!(desk.act("go"), Err(Refusal::Busy), "the servers are being read");
    desk.answer("go", |_| Ok(outcome(None, 1))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Uncertain);
    assert_eq!(desk.act("go"), Err(Refusal::SettleFirst));
    assert_eq!(desk.say(Command::Skip { step: "go".into(), reason: "x".into() }), Err(Refusal::SettleFirst));
    assert_eq!(desk.session.suggestion(&acts[1]), Some(Settlement::Happened));
    desk.say(Command::Settle {
        act: acts[1].clone(),
        settlement: Settlement::Happened,
        reason: "it runs".into(),
    })
    .unwrap();
    desk.answer("go", |_| Ok(outcome(Some(1), 0))).unwrap();
    desk.answer("go", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Pass));
}

#[test]
fn a_restart_while_the_job_runs_goes_on_waiting_without_starting_it_again() {
    let mut desk =
        Desk::open(book(vec![step("go", &[], start_job(Some(Span::minutes(60)), false))]), Mode::Rehearsal);
    for act in to_acting(&mut desk, "go") {
        desk.result(&act, ActResult::Done);
    }
    desk.restart();
    assert_eq!(desk.standing("go"), Standing::Interrupted);
    desk.step("go").unwrap();
    desk.answer("go", |_| Ok(outcome(Some(1), 0))).unwrap();
    desk.answer("go", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Pass));
    let intended = desk.events.iter().filter(|e| matches!(e.event, Event::Intended { .. })).count();
    assert_eq!(intended, 2, "once per server");
}

#[test]
fn jobs_that_appear_while_the_action_runs_are_disabled() {
    let mut desk =
        Desk::open(book(vec![step("go", &[], start_job(Some(Span::minutes(60)), true))]), Mode::Rehearsal);
    for act in to_acting(&mut desk, "go") {
        desk.result(&act, ActResult::Done);
    }
    let jobs = |enabled: i64| {
        let old = vec!["J1".into(), "Restore".into(), Cell::Int(1), Cell::Int(1)];
        let new = vec!["J9".into(), "Backup BizTalk Server".into(), Cell::Int(enabled), Cell::Int(0)];
        reading(&["job_id", "name", "enabled", "known"], vec![old, new])
    };
    let answer =
        |q: &QuestionRef, enabled| Ok(if q.ask == "hold" { jobs(enabled) } else { outcome(Some(1), 0) });
    desk.answer("go", |q| answer(q, 1)).unwrap();
    let held = desk.acts();
    assert_eq!(held.len(), 2, "one new job on each server");
    assert_eq!(
        desk.standing("go"),
        Standing::Running(Progress::Polling(Stage::Outcome)),
        "not over while a job is to be held"
    );
    for act in &held {
        desk.result(act, ActResult::Done);
    }
    desk.answer("go", |q| answer(q, 0)).unwrap();
    assert_eq!(desk.standing("go"), Standing::Running(Progress::Asking(Stage::Prove)));
    desk.answer("go", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Pass));
}

#[test]
fn a_blind_watch_never_lets_the_action_end_well() {
    let mut desk =
        Desk::open(book(vec![step("go", &[], start_job(Some(Span::minutes(60)), true))]), Mode::Rehearsal);
    for act in to_acting(&mut desk, "go") {
        desk.result(&act, ActResult::Done);
    }
    let none = || reading(&["job_id", "name", "enabled", "known"], vec![]);
    let answer = |q: &QuestionRef| Ok(if q.ask == "hold" { none() } else { outcome(Some(1), 0) });
    desk.answer("go", answer).unwrap();
    desk.pass_seconds(3601);
    desk.answer("go", answer).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Unknown));
}

fn guarded() -> Arc<Runbook> {
    let mut go = step("go", &["gate"], start_job(None, false));
    go.guard = Some(Guard {
        no_return: true,
        loses: Text::en("all"),
        recheck: vec!["gate".into()],
        typed: Some(Typed::Server),
        second_person: vec![Mode::Incident],
    });
    book(vec![step("gate", &[], check("dst")), go])
}

fn confirmed(typed: &str, second: Option<&str>) -> Command {
    Command::Act {
        step: "go".into(),
        typed: Some(typed.into()),
        second: second.map(|name| Second::Confirmed { name: name.into(), identified: "in the room".into() }),
    }
}

#[test]
fn a_step_of_no_return_wants_names_a_second_person_and_a_fresh_green_gate() {
    let mut desk = Desk::open(guarded(), Mode::Incident);
    desk.step("gate").unwrap();
    desk.answer("gate", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.say(confirmed("DR1", None)), Err(Refusal::TypeExactly { wanted: "DR1 DR2".into() }));
    assert_eq!(desk.say(confirmed("dr2, dr1", None)), Err(Refusal::NeedsSecondPerson));
    assert_eq!(desk.say(confirmed("dr2, dr1", Some("Ana"))), Err(Refusal::SamePerson));
    desk.say(confirmed("dr2, dr1", Some("Lea"))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Running(Progress::Guarding));
    assert_eq!(desk.session.steps[0].attempts.len(), 2, "the recheck is a numbered attempt");
    desk.answer("gate", |_| Ok(ok(0))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Fail), "the gate is red now");
    assert!(desk.acts().is_empty());
    assert!(desk.say(confirmed("dr2, dr1", Some("Lea"))).is_err(), "and stays red");
    assert_eq!(
        desk.say(Command::Skip { step: "gate".into(), reason: "hurry".into() }),
        Err(Refusal::OnlyOverride)
    );

    desk.step("gate").unwrap();
    desk.answer("gate", |_| Ok(ok(1))).unwrap();
    desk.say(confirmed("DR1 DR2", Some("Lea"))).unwrap();
    desk.answer("gate", |_| Ok(ok(1))).unwrap();
    desk.answer("go", |_| Ok(job_row())).unwrap();
    assert_eq!(desk.acts().len(), 2);
}

#[test]
fn a_gate_is_asked_again_only_where_the_action_is_still_to_be_done() {
    let mut go = step("go", &["gate"], start_job(Some(Span::minutes(60)), false));
    go.guard = Some(Guard {
        no_return: true,
        recheck: vec!["gate".into()],
        typed: Some(Typed::Server),
        ..Guard::default()
    });
    let mut desk = Desk::open(book(vec![step("gate", &[], check("dst")), go]), Mode::Rehearsal);
    desk.step("gate").unwrap();
    desk.answer("gate", |_| Ok(ok(1))).unwrap();
    desk.say(confirmed("DR1 DR2", None)).unwrap();
    desk.answer("gate", |_| Ok(ok(1))).unwrap();
    desk.answer("go", |_| Ok(job_row())).unwrap();
    let acts = desk.acts();
    desk.restart();
    desk.answer("go", |q| Ok(outcome(None, i64::from(q.server == "DR1")))).unwrap();
    for (act, settlement) in acts.iter().zip([Settlement::Happened, Settlement::DidNotHappen]) {
        assert_eq!(desk.session.suggestion(act), Some(settlement));
        desk.say(Command::Settle { act: act.clone(), settlement, reason: "read".into() }).unwrap();
    }
    desk.answer("go", |_| Ok(outcome(Some(1), 0))).unwrap();
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Fail), "DR2 is still to be done");

    assert_eq!(desk.say(confirmed("DR1 DR2", None)), Err(Refusal::TypeExactly { wanted: "DR2".into() }));
    desk.say(confirmed("DR2", None)).unwrap();
    let asked: Vec<String> =
        desk.round("gate").questions.iter().map(|q| q.reference.server.clone()).collect();
    assert_eq!(asked, ["DR2"], "on DR1 the gate can no longer hold");
    desk.answer("gate", |_| Ok(ok(1))).unwrap();
    desk.answer("go", |_| Ok(job_row())).unwrap();
    assert_eq!(desk.acts().iter().map(|a| a.server.as_str()).collect::<Vec<_>>(), ["DR2"]);
}

#[test]
fn an_overridden_gate_lets_the_action_go_on() {
    let mut desk = Desk::open(guarded(), Mode::Rehearsal);
    desk.step("gate").unwrap();
    desk.answer("gate", |_| Ok(ok(0))).unwrap();
    desk.say(Command::Override {
        step: "gate".into(),
        server: None,
        reason: "known".into(),
        name: "lea".into(),
    })
    .unwrap();
    desk.say(confirmed("DR1 DR2", None)).unwrap();
    desk.answer("go", |_| Ok(job_row())).unwrap();
    assert_eq!(desk.acts().len(), 2);
}

#[test]
fn a_rehearsal_acts_only_on_what_calls_itself_simulated() {
    let mut desk = Desk::open(book(vec![step("go", &[], start_job(None, false))]), Mode::Rehearsal);
    desk.act("go").unwrap();
    let mut real = job_row();
    real.server.as_mut().unwrap().simulated = false;
    desk.answer("go", |_| Ok(real.clone())).unwrap();
    assert!(desk.acts().is_empty());
    assert_eq!(desk.standing("go"), Standing::Judged(Verdict::Fail));
    assert_eq!(desk.act("go"), Err(Refusal::MayNotAct { server: "DR1".into(), why: "not-simulated".into() }));
}

#[test]
fn a_drill_never_acts_on_what_may_be_production() {
    let mut desk = Desk::open(book(vec![step("go", &[], start_job(None, false))]), Mode::Drill);
    let no = |why: &str| Err(Refusal::MayNotAct { server: "DR1".into(), why: why.into() });
    assert_eq!(desk.act("go"), no("not-known"));
    let signs = |dr1: &[&str]| Event::Captured {
        step: "go".into(),
        name: "production-signs".into(),
        value: Captured::PerServer(BTreeMap::from([
            ("DR1".into(), dr1.iter().map(|s| (*s).to_owned()).collect()),
            ("DR2".into(), vec![]),
        ])),
    };
    desk.fold(vec![signs(&["host sessions"])]);
    assert_eq!(desk.act("go"), no("looks-like-production"));
    desk.fold(vec![signs(&[])]);
    desk.act("go").unwrap();
}

#[test]
fn what_does_not_apply_is_recorded_and_opens() {
    let source = Field {
        name: "state".into(),
        prompt: Text::default(),
        kind: FieldKind::OneOf(vec!["alive".into(), "dead".into()]),
        optional: false,
    };
    let mut alive = step("alive", &[], check("src"));
    alive.when = Some(When::Answer("say".into(), "state".into(), vec!["alive".into()]));
    let steps =
        vec![step("say", &[], StepKind::Enter(vec![source])), alive, step("on", &["alive"], check("dst"))];
    let mut desk = Desk::open(book(steps), Mode::Rehearsal);
    assert_eq!(desk.standing("alive"), Standing::Locked(vec!["say".into()]));
    let enter = |v: &str| Command::Enter { step: "say".into(), values: [("state".into(), v.into())].into() };
    assert!(matches!(desk.say(enter("maybe")), Err(Refusal::Field { .. })));
    desk.say(enter("dead")).unwrap();
    assert_eq!(desk.standing("alive"), Standing::DoesNotApply);
    desk.step("on").unwrap();
    desk.answer("on", |_| Ok(ok(1))).unwrap();
    desk.say(enter("ALIVE")).unwrap();
    assert_eq!(desk.standing("alive"), Standing::Ready, "it applies after all");
}

#[test]
fn a_drill_closes_as_completed_only_when_nothing_is_open() {
    let mut desk = Desk::open(book(vec![step("a", &[], check("src"))]), Mode::Rehearsal);
    let close = |closing| Command::Close { closing, text: String::new() };
    assert!(matches!(desk.say(close(Closing::Completed)), Err(Refusal::StillOpen { .. })));
    assert_eq!(desk.say(close(Closing::Aborted)), Err(Refusal::ReasonNeeded));
    desk.say(Command::Skip { step: "a".into(), reason: "not today".into() }).unwrap();
    desk.say(close(Closing::Completed)).unwrap();
    assert_eq!(desk.step("a"), Err(Refusal::Closed));
    assert!(desk.session.owed().is_empty());
}

#[test]
fn a_manual_step_is_attested_or_proved() {
    let manual = |prove| StepKind::Manual { text: Text::en("do it"), prove };
    let steps = vec![step("word", &[], manual(vec![])), step("shown", &[], manual(vec![ok_is_one("src")]))];
    let mut desk = Desk::open(book(steps), Mode::Rehearsal);
    let say = |step: &str| Command::Say { step: step.into(), text: "done".into() };
    desk.say(say("word")).unwrap();
    assert_eq!(desk.standing("word"), Standing::Judged(Verdict::Pass));
    let attested = &desk.session.steps[0].attempts[0].judgements[0].findings;
    assert_eq!(attested, &[Finding::new("attested")]);
    desk.say(say("shown")).unwrap();
    desk.answer("shown", |_| Ok(ok(0))).unwrap();
    assert_eq!(desk.standing("shown"), Standing::Judged(Verdict::Fail));
    desk.step("shown").unwrap();
    desk.answer("shown", |_| Ok(ok(1))).unwrap();
    assert_eq!(desk.standing("shown"), Standing::Judged(Verdict::Pass));
}

#[test]
fn knotted_needs_cost_no_more_than_straight_ones() {
    let steps = (0..200)
        .map(|n: usize| {
            let needs: Vec<String> = (n.saturating_sub(3)..n).map(|m| format!("s{m}")).collect();
            let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
            step(&format!("s{n}"), &needs, check("src"))
        })
        .collect();
    let desk = Desk::open(book(steps), Mode::Rehearsal);
    assert!(matches!(desk.standing("s199"), Standing::Locked(_)));
}
