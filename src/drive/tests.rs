use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::check::Verdict;
use crate::check::expect::{Expectation, What};
use crate::clock::{DrillClock, FixedClock, Span};
use crate::engine::{Act, ActState, Inputs, Item, Progress, Question, ServerInput, Standing};
use crate::reading::{Cell, Column, Kind, Reading, ServerFacts, Source};
use crate::record::Embedded;
use crate::runbook::{
    Action, Ask, Do, JobVerb, Judge, Measure, Mode, Phase, Proof, Repeat, Role, RoleKind, Step, StepKind,
};
use crate::text::Text;

/// A server that plays a part, and looks into the record whenever it is asked something.
#[derive(Clone)]
struct Stage {
    inner: Arc<Mutex<Play>>,
    events: PathBuf,
}

#[derive(Default)]
struct Play {
    /// What `test/ok` says.
    ok: i64,
    /// The job has been started.
    ran: bool,
    /// The action never comes home.
    hangs: bool,
    asked: Vec<String>,
    acted: Vec<String>,
}

impl Stage {
    fn recorded(&self) -> String {
        std::fs::read_to_string(&self.events).unwrap()
    }
    fn play(&self) -> std::sync::MutexGuard<'_, Play> {
        self.inner.lock().unwrap()
    }
}

impl Port for Stage {
    async fn ask(&self, question: &Question) -> Result<Reading, reading::Trouble> {
        let on_disk = self.recorded();
        assert!(on_disk.contains("\"asked\""), "asked before it was recorded");
        let mut play = self.play();
        play.asked.push(format!("{} {}", question.reference.server, question.query));
        let (columns, row): (&[&str], Vec<Cell>) = match question.query.as_str() {
            "test/ok" => (&["ok"], vec![Cell::Int(play.ok)]),
            "test/job" => (
                &["job_id", "name", "start_step", "last_instance_id"],
                vec!["J1".into(), "Restore To Mark".into(), "first".into(), Cell::Int(41)],
            ),
            "agent/job-outcome" => (
                &["run_status", "running", "queued", "enabled", "message"],
                vec![
                    if play.ran { Cell::Int(1) } else { Cell::Null },
                    Cell::Int(0),
                    Cell::Int(0),
                    Cell::Int(1),
                    "m".into(),
                ],
            ),
            other => panic!("{other}"),
        };
        Ok(Reading {
            source: Source::Sql,
            server: Some(ServerFacts {
                name: question.reference.server.clone(),
                version: "15.0.1".into(),
                simulated: true,
                clock: chrono::DateTime::UNIX_EPOCH,
                offset_minutes: 0,
            }),
            query_sha256: None,
            columns: columns.iter().map(|c| Column { name: (*c).into(), kind: Kind::Unknown }).collect(),
            rows: vec![row],
            row_count: 1,
            truncated: false,
            took_ms: 1,
            messages: Vec::new(),
        })
    }
    async fn act(&self, act: &Act, _: &Item) -> ActResult {
        assert!(self.recorded().contains("\"intended\""), "acted before the intention was recorded");
        let hangs = {
            let mut play = self.play();
            play.acted.push(act.server.clone());
            play.ran |= !play.hangs;
            play.hangs
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        ActResult::Done
    }
}

fn step(number: u16, id: &str, kind: StepKind, repeat: Option<Repeat>) -> Step {
    Step {
        number,
        id: id.into(),
        phase: 0,
        title: Text::en(id),
        why: Text::default(),
        remedy: Text::default(),
        needs: Vec::new(),
        when: None,
        plan: None,
        kind,
        repeat,
        guard: None,
    }
}

fn ask(name: &str, query: &str) -> Ask {
    Ask {
        name: name.into(),
        on: "dst".into(),
        query: query.into(),
        place: None,
        with: BTreeMap::new(),
        deadline: None,
    }
}

fn ok_is_one() -> Proof {
    let what = What::Every { column: "ok".into(), one_of: vec![Cell::Int(1)] };
    Proof {
        asks: vec![ask("it", "test/ok")],
        judge: Judge::Expect(vec![Expectation { what, otherwise: Verdict::Fail }]),
    }
}

/// `look` checks; `patient` checks again and again; `restore` starts a job and proves it.
fn book() -> Arc<Runbook> {
    let job = Do {
        action: Action::Job {
            verb: JobVerb::Start,
            resolve: ask("", "test/job"),
            every: false,
            wait: Some(Span::minutes(5)),
        },
        on: "dst".into(),
        hold: None,
        prove: vec![ok_is_one()],
    };
    let often = Repeat { every: Span { ms: 1 }, during: Span::minutes(60) };
    Arc::new(Runbook {
        id: "test".into(),
        version: 1,
        title: Text::en("Test"),
        modes: vec![Mode::Rehearsal, Mode::Drill, Mode::Incident],
        roles: BTreeMap::from([("dst".into(), Role { kind: RoleKind::Sql, many: true, may_be_down: false })]),
        rto: None,
        rpo: None,
        measure: Measure::default(),
        read_only: false,
        phases: vec![Phase { id: "all".into(), title: Text::en("All") }],
        steps: vec![
            step(1, "look", StepKind::Check(vec![ok_is_one()]), None),
            step(2, "patient", StepKind::Check(vec![ok_is_one()]), Some(often)),
            step(3, "restore", StepKind::Do(job), None),
        ],
    })
}

fn opened() -> Opened {
    let server = || ServerInput { environment: "dr".into(), ..Default::default() };
    Opened {
        format: 1,
        record: "r".into(),
        tool: "0".into(),
        analyses: BTreeMap::new(),
        operator: "ana".into(),
        host: "jump".into(),
        mode: Mode::Incident,
        runbook: "test".into(),
        runbook_version: 1,
        runbook_sha256: record::sha256(Embedded::default().runbook.as_bytes()),
        queries: BTreeMap::new(),
        inputs: Inputs {
            estate: "contoso".into(),
            servers: BTreeMap::from([("DR1".into(), server()), ("DR2".into(), server())]),
            roles: BTreeMap::from([("dst".into(), vec!["DR1".into(), "DR2".into()])]),
            ..Inputs::default()
        },
        rto_seconds: None,
        rpo_seconds: None,
        clock: DrillClock {
            origin: chrono::DateTime::UNIX_EPOCH,
            since: chrono::DateTime::UNIX_EPOCH,
            speed: 1.0,
        },
        sandbox: None,
        fault_commitment: None,
        previous_head: None,
    }
}

fn holder(operator: &str) -> String {
    record::holder(operator, "jump", std::process::id(), chrono::DateTime::UNIX_EPOCH)
}

struct Bench {
    drive: Drive<Stage>,
    stage: Stage,
    news: Receiver<News>,
    root: Option<tempfile::TempDir>,
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::at(chrono::DateTime::UNIX_EPOCH))
}

fn post() -> (Post, Receiver<News>) {
    let (send, receive) = channel();
    let send = Mutex::new(send);
    (Arc::new(move |news| drop(send.lock().unwrap().send(news))), receive)
}

fn open() -> Bench {
    let root = tempfile::tempdir().unwrap();
    let record = Record::create(root.path(), "r", &Embedded::default(), &holder("ana")).unwrap();
    let play = Arc::new(Mutex::new(Play { ok: 1, ..Play::default() }));
    let stage = Stage { inner: play, events: record.folder().join("events.jsonl") };
    let (post, news) = post();
    let drive = Drive::open(book(), record, opened(), stage.clone(), clock(), post).unwrap();
    Bench { drive, stage, news, root: Some(root) }
}

impl Bench {
    fn lines(&self) -> usize {
        self.stage.recorded().lines().count()
    }
    fn ask(&mut self, step: &str) -> Vec<Stamped> {
        self.drive.command(Command::Ask { step: step.into() }).unwrap()
    }
    /// Takes what comes home until a step stands still.
    fn until_over(&mut self, step: &str) -> Standing {
        loop {
            let standing = self.standing(step);
            if !matches!(standing, Standing::Running(_)) {
                return standing;
            }
            let taken = self.next();
            self.drive.take(vec![taken]).unwrap();
        }
    }
    fn next(&self) -> Taken {
        loop {
            if let News::Taken(taken) = self.news.recv_timeout(Duration::from_secs(5)).expect("news") {
                return taken;
            }
        }
    }
    fn standing(&self, step: &str) -> Standing {
        let session = self.drive.session();
        session.standing(session.index(step).unwrap())
    }
}

#[test]
fn an_open_drill_is_on_disk() {
    let bench = open();
    assert!(bench.stage.recorded().contains("\"opened\""));
    assert_eq!(bench.drive.by(), By::Operator("ana".into()));
    assert_eq!(bench.drive.broken(), None);
    assert_eq!(bench.drive.folder(), bench.stage.events.parent().unwrap());
}

#[test]
fn a_check_is_recorded_then_asked_then_judged_by_drbook() {
    let mut bench = open();
    let asked = bench.ask("look");
    assert_eq!(asked[0].by, By::Operator("ana".into()));
    assert_eq!(bench.until_over("look"), Standing::Judged(Verdict::Pass));
    assert_eq!(bench.stage.play().asked.len(), 2, "one per server");
    let last = bench.stage.recorded();
    let judged = last.lines().find(|l| l.contains("\"judged\"")).unwrap();
    assert!(judged.contains("\"by\":\"drbook\""), "{judged}");
}

#[test]
fn a_refused_command_leaves_no_trace() {
    let mut bench = open();
    let before = bench.lines();
    let refused = bench.drive.command(Command::Ask { step: "none".into() });
    assert!(matches!(refused, Err(Trouble::Refused(Refusal::NoSuchStep(_)))), "{refused:?}");
    assert_eq!(bench.lines(), before);
}

#[test]
fn what_comes_late_is_dropped_and_what_comes_in_one_turn_is_taken_together() {
    let mut bench = open();
    bench.ask("look");
    bench.ask("patient");
    let turn = vec![bench.next(), bench.next()];
    bench.drive.take(turn.clone()).unwrap();
    assert_eq!(bench.standing("look"), Standing::Judged(Verdict::Pass));
    assert_eq!(bench.standing("patient"), Standing::Judged(Verdict::Pass));
    let before = bench.lines();
    assert_eq!(bench.drive.take(turn).unwrap(), []);
    assert_eq!(bench.lines(), before);
}

#[test]
fn a_patient_check_is_asked_until_it_passes_and_then_no_more() {
    let mut bench = open();
    bench.stage.play().ok = 0;
    bench.ask("patient");
    let taken = bench.next();
    bench.drive.take(vec![taken]).unwrap();
    assert!(matches!(bench.standing("patient"), Standing::Running(Progress::Polling(_))));
    let before = bench.lines();
    // the clock stands still; the rhythm is at least kept by the pause
    let cancelled = bench.drive.command(Command::Cancel { step: "patient".into() }).unwrap();
    assert!(!cancelled.is_empty() && bench.lines() > before);
    std::thread::sleep(Duration::from_millis(60));
    let asked = bench.stage.play().asked.len();
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(bench.stage.play().asked.len(), asked, "nobody asks any more");
}

#[test]
fn a_job_is_found_intended_started_once_per_server_and_proved() {
    let mut bench = open();
    bench.drive.command(Command::Act { step: "restore".into(), typed: None, second: None }).unwrap();
    assert_eq!(bench.until_over("restore"), Standing::Judged(Verdict::Pass));
    let mut acted = bench.stage.play().acted.clone();
    acted.sort();
    assert_eq!(acted, ["DR1", "DR2"]);
}

#[test]
fn a_drill_that_dies_in_an_action_comes_back_uncertain_and_does_not_repeat_it() {
    let mut bench = open();
    bench.stage.play().hangs = true;
    bench.drive.command(Command::Act { step: "restore".into(), typed: None, second: None }).unwrap();
    while bench.stage.play().acted.len() < 2 {
        if let Ok(News::Taken(taken)) = bench.news.recv_timeout(Duration::from_millis(20)) {
            bench.drive.take(vec![taken]).unwrap();
        }
    }
    let Bench { drive, stage, root, .. } = bench;
    let folder = drive.folder().to_path_buf();
    drop(drive);
    let (record, loaded) = Record::resume(&folder, &holder("bo"), false).unwrap();
    let (post, news) = post();
    let drive =
        Drive::resume(book(), record, loaded, "bo".into(), "jump2".into(), stage.clone(), clock(), post)
            .unwrap();
    let mut bench = Bench { drive, stage, news, root };
    assert_eq!(bench.drive.by(), By::Operator("bo".into()));
    let taken = bench.next();
    bench.drive.take(vec![taken]).unwrap();
    assert_eq!(bench.standing("restore"), Standing::Uncertain);
    let (_, state) = bench.drive.session().step("restore").unwrap();
    let acts = &state.attempts.last().unwrap().acts;
    assert!(acts.iter().all(|d| matches!(d.state, ActState::Uncertain(_))), "{acts:?}");
    assert_eq!(acts.len(), 2);
    assert!(
        bench.stage.play().asked.iter().any(|q| q.contains("agent/job-outcome")),
        "the servers were read"
    );
    assert_eq!(bench.stage.play().acted.len(), 2, "nothing was sent again");
}

#[test]
fn a_record_that_fails_stops_the_drill_before_anything_is_asked() {
    let mut bench = open();
    // somebody else writes into it
    std::fs::OpenOptions::new().append(true).open(&bench.stage.events).unwrap().write_all(b"x").unwrap();
    let failed = bench.drive.command(Command::Ask { step: "look".into() });
    assert!(matches!(failed, Err(Trouble::Record(_))), "{failed:?}");
    assert!(bench.drive.broken().is_some());
    assert_eq!(bench.standing("look"), Standing::Ready, "nothing is shown as done that is not on disk");
    let again = bench.drive.command(Command::Ask { step: "look".into() });
    assert!(matches!(again, Err(Trouble::Record(record::Trouble::Broken { .. }))), "{again:?}");
    assert!(matches!(bench.drive.take(Vec::new()), Err(Trouble::Record(_))));
    std::thread::sleep(Duration::from_millis(30));
    assert!(bench.stage.play().asked.is_empty());
}
