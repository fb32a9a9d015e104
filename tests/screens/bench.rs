//! A drill without servers, disk or threads: the engine behind the door, answers by script.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use chrono::{DateTime, Utc};
use drbook::clock::{Clock, DrillClock, FixedClock, Stamp};
use drbook::desk::Door;
use drbook::drive::{News, Trouble as DriveTrouble};
use drbook::engine::*;
use drbook::reading::{Cell, Column, Kind, Reading, ServerFacts, Source, Trouble, TroubleCode};
use drbook::runbook::{Mode, Runbook};
use drbook::sql::{Catalogue, Parameter, Place, Query, Variant};

pub(crate) const BOOK: &str = include_str!("book.yaml");

/// 2026-11-20 21:04:05 UTC.
pub(crate) fn start() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-20T21:04:05Z").unwrap().with_timezone(&Utc)
}

pub(crate) fn book() -> Arc<Runbook> {
    let (book, problems) = drbook::runbook::parse::parse(BOOK);
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(book.unwrap())
}

/// What a server answers, by step and server.
pub(crate) type Script = Box<dyn FnMut(&RoundKey, &Question) -> Result<Reading, Trouble>>;

pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) broken: Option<String>,
    pub(crate) script: Script,
    pub(crate) acts: fn(&Act) -> ActResult,
    /// Where news goes; kept for [`Bench::settle`] when there is nobody.
    pub(crate) post: Option<Sender<News>>,
    pub(crate) recorded: Vec<Stamped>,
    sent: Vec<String>,
    head: String,
}

impl Bench {
    pub(crate) fn open(mode: Mode) -> Self {
        let book = book();
        let clock = Arc::new(FixedClock::at(start()));
        let mut bench = Self {
            session: Session::new(book),
            clock,
            broken: None,
            script: Box::new(good),
            acts: |_| ActResult::Done,
            post: None,
            recorded: Vec::new(),
            sent: Vec::new(),
            head: "5f2c0000000000000000000000000000000000000000000000000000000000aa".into(),
        };
        bench.command(Command::Open(Box::new(opened(mode)))).unwrap();
        bench
    }

    fn stamp(&self) -> Stamp {
        self.clock.stamp()
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1000);
    }

    fn fold(&mut self, command: Command) -> Result<Vec<Stamped>, Refusal> {
        let mut made = Vec::new();
        let mut next = Some(command);
        while let Some(command) = next {
            let events = decide(&self.session, command, self.stamp())?;
            if events.is_empty() {
                break;
            }
            for event in events {
                let seq = self.recorded.len() as u64 + 1;
                let stamp = self.stamp();
                let by = By::Operator("ana".into());
                let stamped = Stamped { seq, at: stamp.at, mono_ms: stamp.mono_ms, by, event };
                self.session.apply(&stamped);
                self.recorded.push(stamped.clone());
                made.push(stamped);
            }
            next = self.session.follows();
        }
        Ok(made)
    }

    /// What is owed and not sent yet, done by script.
    fn errands(&mut self) -> Vec<Taken> {
        let mut home = Vec::new();
        for errand in self.session.owed() {
            match errand {
                Errand::Ask(round) => {
                    let polls = self
                        .session
                        .step(&round.key.step)
                        .and_then(|(_, s)| s.attempts.last())
                        .map_or(0, |a| a.polls);
                    let name = format!("{:?} {polls}", round.key);
                    if self.sent.contains(&name) {
                        continue;
                    }
                    self.sent.push(name);
                    let outcomes = round
                        .questions
                        .iter()
                        .map(|q| (q.reference.clone(), (self.script)(&round.key, q)))
                        .collect();
                    home.push(Taken::Round { key: round.key, outcomes, poll: polls + 1 });
                }
                Errand::Act { act, .. } => {
                    let name = format!("{act:?}");
                    if !self.sent.contains(&name) {
                        self.sent.push(name);
                        let result = (self.acts)(&act);
                        home.push(Taken::Act { act, result });
                    }
                }
                Errand::Alarm { key, at } => {
                    let name = format!("alarm {key:?}");
                    if !self.sent.contains(&name) {
                        self.sent.push(name);
                        let ms = (at - self.clock.now()).num_milliseconds();
                        self.clock.advance_ms(ms.max(0));
                        home.push(Taken::Alarm { key });
                    }
                }
            }
        }
        home
    }

    /// Answers what is owed until nothing new is, or `rounds` times.
    pub(crate) fn settle(&mut self, rounds: usize) {
        for _ in 0..rounds {
            let home = self.errands();
            if home.is_empty() {
                return;
            }
            for taken in home {
                let _ = self.fold(Command::Take(taken));
            }
        }
    }

    /// A command that must be taken, and its answers.
    pub(crate) fn done(&mut self, command: Command) {
        self.command(command).unwrap();
        self.settle(20);
    }

    pub(crate) fn ask(&mut self, step: &str) {
        self.done(Command::Ask { step: step.into() });
    }

    /// Asks and takes one round only, so that what is repeated stays under way.
    pub(crate) fn command_quietly(&mut self, step: &str) {
        self.command(Command::Ask { step: step.into() }).unwrap();
        self.settle(1);
    }

    /// A command without its answers.
    pub(crate) fn fold_only(&mut self, command: Command) -> Result<Vec<Stamped>, Refusal> {
        self.fold(command)
    }

    /// Steps 1 to 3 as they should go.
    pub(crate) fn prepared(&mut self) {
        let values = [
            ("at", "now"),
            ("failed_at", "2026-11-20 20:41"),
            ("approver", "Lea"),
            ("source_state", "alive"),
        ];
        let values = values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.done(Command::Enter { step: "declared".into(), values });
        self.ask("servers-answer");
        self.ask("clock-skew");
    }

    /// Steps up to the one of no return.
    pub(crate) fn level(&mut self) {
        self.prepared();
        self.ask("level");
        self.ask("files");
    }
}

impl Door for Bench {
    fn session(&self) -> &Session {
        &self.session
    }
    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }
    fn head(&self) -> &str {
        &self.head
    }
    fn folder(&self) -> &Path {
        Path::new("records/2026-11-20")
    }
    fn command(&mut self, command: Command) -> Result<Vec<Stamped>, DriveTrouble> {
        let made = self.fold(command).map_err(DriveTrouble::Refused)?;
        self.send();
        Ok(made)
    }
    fn take(&mut self, taken: Vec<Taken>) -> Result<Vec<Stamped>, DriveTrouble> {
        let mut made = Vec::new();
        for one in taken {
            made.extend(self.fold(Command::Take(one)).unwrap_or_default());
        }
        self.send();
        Ok(made)
    }
    fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }
}

impl Bench {
    fn send(&mut self) {
        if self.post.is_some() {
            let home = self.errands();
            if let Some(post) = &self.post {
                for taken in home {
                    post.send(News::Taken(taken)).unwrap();
                }
            }
        }
    }
}

fn opened(mode: Mode) -> Opened {
    let server =
        |environment: &str| ServerInput { environment: environment.into(), ..ServerInput::default() };
    let inputs = Inputs {
        estate: "contoso-biztalk".into(),
        environment: "dr".into(),
        servers: BTreeMap::from([
            ("PRODSQL1".into(), server("production")),
            ("DRSQL1".into(), server("dr")),
            ("DRSQL2".into(), server("dr")),
        ]),
        roles: BTreeMap::from([
            ("source".into(), vec!["PRODSQL1".into()]),
            ("destination".into(), vec!["DRSQL1".into(), "DRSQL2".into()]),
        ]),
        ..Inputs::default()
    };
    Opened {
        format: 1,
        record: "20261120T210405-ab12".into(),
        tool: "0.1.0".into(),
        analyses: BTreeMap::new(),
        operator: "Ana".into(),
        host: "jump".into(),
        mode,
        runbook: "biztalk-restore-to-mark".into(),
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
    }
}

pub(crate) fn reading(server: &str, columns: &[&str], rows: Vec<Vec<Cell>>) -> Reading {
    Reading {
        source: Source::Sql,
        server: Some(ServerFacts {
            name: server.into(),
            version: "15.0.4430.1".into(),
            simulated: true,
            clock: start(),
            offset_minutes: 60,
        }),
        query_sha256: Some("aa".into()),
        columns: columns.iter().map(|c| Column { name: (*c).to_owned(), kind: Kind::Text }).collect(),
        row_count: rows.len() as u64,
        rows,
        truncated: false,
        took_ms: 12,
        messages: vec![],
    }
}

/// As it should be.
#[expect(clippy::unnecessary_wraps, reason = "one of several scripts")]
pub(crate) fn good(_: &RoundKey, question: &Question) -> Result<Reading, Trouble> {
    let server = question.reference.server.as_str();
    Ok(match question.query.as_str() {
        "biztalk/mark-job" => reading(
            server,
            &["job_id", "name", "start_step", "enabled", "running", "last_instance_id"],
            vec![vec![
                "J1".into(),
                "BTS Log Shipping Restore To Mark".into(),
                "first".into(),
                1.into(),
                0.into(),
                41.into(),
            ]],
        ),
        "agent/job-outcome" => reading(
            server,
            &["job_id", "name", "enabled", "running", "queued", "run_status", "message"],
            vec![vec![
                "J1".into(),
                "BTS Log Shipping Restore To Mark".into(),
                1.into(),
                0.into(),
                0.into(),
                1.into(),
                "ok".into(),
            ]],
        ),
        _ => reading(
            server,
            &["database_name", "ok", "state_desc"],
            vec![
                vec!["BizTalkMgmtDb".into(), 1.into(), "RESTORING".into()],
                vec!["BizTalkMsgBoxDb".into(), 1.into(), "RESTORING".into()],
            ],
        ),
    })
}

/// One server says no, one does not answer.
pub(crate) fn bad(key: &RoundKey, question: &Question) -> Result<Reading, Trouble> {
    match question.reference.server.as_str() {
        "DRSQL2" => Ok(reading(
            "DRSQL2",
            &["database_name", "ok", "state_desc"],
            vec![
                vec!["BizTalkMgmtDb".into(), 1.into(), "RESTORING".into()],
                vec!["BizTalkMsgBoxDb".into(), 0.into(), "ONLINE\u{1b}[31m".into()],
            ],
        )),
        _ => good(key, question),
    }
}

/// A host that swallows everything.
pub(crate) fn silent(key: &RoundKey, question: &Question) -> Result<Reading, Trouble> {
    match question.reference.server.as_str() {
        "DRSQL2" => {
            let mut trouble = Trouble::new(TroubleCode::Timeout, "no answer from 10.0.0.2:1433");
            trouble.took_ms = 15_000;
            Err(trouble)
        }
        _ => good(key, question),
    }
}

pub(crate) fn catalogue() -> Catalogue {
    let query = |name: &str, parameters: Vec<Parameter>, text: &str, sha256: &str| Query {
        name: name.into(),
        purpose: String::new(),
        place: Place::Master,
        parameters,
        examines: "a database".into(),
        needs: vec![],
        reads_only: true,
        variants: vec![Variant {
            since: 2012,
            until: None,
            text: text.into(),
            sha256: sha256.into(),
            path: String::new(),
            columns: vec![],
        }],
    };
    let job = vec![Parameter { name: "job_id".into(), kind: "uniqueidentifier".into() }];
    Catalogue::of([
        query(
            "sql/states",
            vec![],
            "SELECT d.name AS database_name, d.state_desc\nFROM sys.databases AS d\nORDER BY d.name;\n",
            "aa",
        ),
        query("biztalk/mark-job", vec![], "SELECT job_id FROM msdb.dbo.sysjobs;\n", "bb"),
        query("agent/start-job", job, "EXEC msdb.dbo.sp_start_job @job_id = @job_id;\n", "cc"),
    ])
}
