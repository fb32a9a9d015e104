//! The port against the sandbox as it is shipped: every reading query on every server it fits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drbook::clock::DrillClock;
use drbook::estate;
use drbook::reading::{Cell, TroubleCode};
use drbook::sandbox::{self, Running, Wanted};
use drbook::server::{Pool, Sent, targets};
use drbook::sql::{Catalogue, Place, Query, header};

/// The queries as they lie in the repository.
fn shipped() -> Catalogue {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sql");
    let mut files = Vec::new();
    for family in std::fs::read_dir(root).unwrap() {
        for file in std::fs::read_dir(family.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    let (catalogue, problems) = header::catalogue(files.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    assert!(problems.is_empty(), "{problems:?}");
    catalogue
}

struct Stage {
    running: Running,
    catalogue: Arc<Catalogue>,
    pool: Pool,
    _folder: tempfile::TempDir,
}

fn stage(faults: &[&str]) -> Stage {
    let catalogue = Arc::new(shipped());
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("world");
    // making one takes seconds; the sandbox takes the one it finds
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("certificate.pem"), super::certificate().to_pem()).unwrap();
    let running = sandbox::start(&Wanted {
        world: include_str!("../../assets/worlds/biztalk.yaml").to_owned(),
        folder: state,
        clock: DrillClock::starting_now(1.0),
        seed: 7,
        password: "s3cret".into(),
        faults: faults.iter().map(|f| (*f).to_owned()).collect(),
        salt: String::new(),
        port_base: None,
    })
    .unwrap();
    let (estate, problems) = estate::parse::parse(&running.estate_yaml("rehearsal"));
    let estate = estate.unwrap_or_else(|| panic!("{problems:?}"));
    let pool =
        Pool::new(targets(&estate, &mut |_| None), catalogue.clone(), estate.management_database.clone());
    Stage { running, catalogue, pool, _folder: folder }
}

/// A value for every parameter the shipped queries have.
fn with(query: &Query, job: &Cell) -> BTreeMap<String, Cell> {
    let value = |name: &str, kind: &str| match (name, kind) {
        ("job_id", _) => job.clone(),
        (_, "int" | "bigint") => Cell::Int(7),
        _ => Cell::text("BizTalkMgmtDb|BizTalkMsgBoxDb"),
    };
    query.parameters.iter().map(|p| (p.name.clone(), value(&p.name, &p.kind))).collect()
}

/// Queries about what only a destination of log shipping has.
const AT_DESTINATIONS: &[&str] = &[
    "biztalk/destination-databases",
    "biztalk/destination-sets",
    "biztalk/files-kept",
    "biztalk/files-needed",
    "biztalk/restored",
    "biztalk/share-files",
];
/// Queries about a database of BizTalk at a destination, open only once it is restored.
const ONCE_RESTORED: &[&str] = &["biztalk/newest-mark"];
/// The evaluator does not model recursive CTEs.
const NOT_MODELLED: &[&str] = &["sql/expected-logins"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_queries_and_actions_work_against_the_shipped_world() {
    let stage = stage(&[]);
    let none = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut asked = 0;
    for served in stage.running.served() {
        let is_source = served.role == "source";
        let jobs = stage.pool.ask(&served.name, "agent/jobs", None, &none, 15_000).await.unwrap();
        let facts = jobs.server.clone().unwrap();
        assert_eq!(facts.name, served.name);
        assert!(facts.simulated, "{facts:?}");
        let job = jobs.cell(0, "job_id").unwrap().clone();
        for query in stage.catalogue.iter().filter(|q| q.reads_only) {
            let name = query.name.as_str();
            // the management database is open at the source until it is restored
            let elsewhere =
                if is_source { AT_DESTINATIONS.contains(&name) } else { query.place == Place::Management };
            if elsewhere || ONCE_RESTORED.contains(&name) {
                continue;
            }
            let database = (query.place == Place::Any).then_some("master");
            asked += 1;
            match stage.pool.ask(&served.name, name, database, &with(query, &job), 15_000).await {
                Err(trouble) if trouble.code == TroubleCode::NotModelled && NOT_MODELLED.contains(&name) => {}
                Err(trouble) => wrong.push(format!("{name} on {}: {trouble}", served.name)),
                Ok(reading) => {
                    for column in &query.variant(2019).unwrap().columns {
                        let Some(at) = reading.column(&column.name) else { continue };
                        let got = reading.columns[at].kind;
                        if got != column.kind {
                            wrong.push(format!("{name}.{} is {got:?}, not {:?}", column.name, column.kind));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 100, "{asked}");
    a_job_is_disabled_and_an_unknown_one_refused(&stage).await;
    a_closed_database_cannot_be_asked(&stage).await;
}

async fn a_job_is_disabled_and_an_unknown_one_refused(stage: &Stage) {
    let none = BTreeMap::new();
    let enabled = async |job: &Cell| {
        let jobs = stage.pool.ask("DRSQL1", "agent/jobs", None, &none, 15_000).await.unwrap();
        let row = (0..jobs.rows.len()).find(|r| jobs.cell(*r, "job_id") == Some(job)).unwrap();
        jobs.cell(row, "enabled").unwrap().as_bool().unwrap()
    };
    let jobs = stage.pool.ask("DRSQL1", "agent/jobs", None, &none, 15_000).await.unwrap();
    let row =
        (0..jobs.rows.len()).find(|r| jobs.cell(*r, "enabled").unwrap().as_bool() == Some(true)).unwrap();
    let job = jobs.cell(row, "job_id").unwrap().clone();
    let with = BTreeMap::from([("job_id".to_owned(), job.clone())]);
    assert!(enabled(&job).await);
    assert_eq!(stage.pool.act("DRSQL1", "agent/disable-job", None, &with).await.unwrap(), Sent::Done);
    assert!(!enabled(&job).await);
    let nobody = Cell::text("00000000-0000-0000-0000-000000000001");
    let with = BTreeMap::from([("job_id".to_owned(), nobody)]);
    let refused = stage.pool.act("DRSQL1", "agent/disable-job", None, &with).await.unwrap();
    assert!(matches!(&refused, Sent::Failed(t) if t.number == Some(14262)), "{refused:?}");
}

async fn a_closed_database_cannot_be_asked(stage: &Stage) {
    for (database, number) in [("BizTalkMgmtDb", 927), ("NoSuchDatabase", 911)] {
        let asked =
            stage.pool.ask("DRSQL1", "biztalk/newest-mark", Some(database), &BTreeMap::new(), 15_000).await;
        let trouble = asked.unwrap_err();
        assert_eq!((trouble.code, trouble.number), (TroubleCode::Database, Some(number)), "{trouble}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_world_are_told_apart_and_cost_nobody_else() {
    let stage = stage(&["black-hole=DRSQL2", "wrong-password=DRSQL1"]);
    let none = BTreeMap::new();
    let since = Instant::now();
    let ask = async |server| {
        let outcome = stage.pool.ask(server, "server/clock", None, &none, 15_000).await;
        (outcome, since.elapsed())
    };
    let ((hole, _), (locked, soon), (good, too)) =
        tokio::join!(ask("DRSQL2"), ask("DRSQL1"), ask("PRODSQL1"));
    assert_eq!(hole.unwrap_err().code, TroubleCode::Timeout);
    let locked = locked.unwrap_err();
    assert_eq!((locked.code, locked.number), (TroubleCode::Login, Some(18456)), "{locked}");
    assert!(good.is_ok());
    assert!(soon.max(too) < Duration::from_secs(4), "{soon:?} {too:?}");
    assert!(since.elapsed() < Duration::from_secs(8), "{:?}", since.elapsed());
}
