//! The port to SQL Servers, against a scripted server behind the sandbox's wire.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use drbook::reading::{Cell, Kind, Reading, Trouble, TroubleCode};
use drbook::sandbox::answer::Door;
use drbook::sandbox::tds::{Certificate, Listener};
use drbook::server::{Credential, PhaseName, Pool, Secret, Sent, Target, Watch};
use drbook::sql::{Catalogue, Column, Parameter, Place, Query, Variant};

use script::Script;

mod script;
mod world;

fn certificate() -> &'static Certificate {
    static MADE: OnceLock<Certificate> = OnceLock::new();
    MADE.get_or_init(|| Certificate::new().unwrap())
}

/// A CA file of our own, made once.
fn ca_file() -> PathBuf {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate().pem()).unwrap();
        folder
    });
    folder.path().join("ca.pem")
}

fn sql(user: &str, password: &str) -> Credential {
    Credential::Sql { user: user.into(), password: Secret::new(password) }
}

struct Bench {
    script: Arc<Script>,
    listener: Listener,
    target: Target,
}

impl Bench {
    fn new() -> Self {
        let script = Script::new();
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listener = Listener::start(socket, script.clone(), Arc::new(certificate().clone())).unwrap();
        let target = Target {
            name: "DR1".into(),
            host: "localhost".into(),
            port: Some(listener.address().port()),
            instance: None,
            login: sql("ro", "read"),
            operator_login: sql("op", "write"),
            ca_file: Some(ca_file()),
            trust: false,
            expect_name: Some("drsql1\\bts".into()),
        };
        Self { script, listener, target }
    }
    fn pool(&self) -> Pool {
        self.pool_with(|_| {})
    }
    fn pool_with(&self, change: impl FnOnce(&mut Target)) -> Pool {
        let mut target = self.target.clone();
        change(&mut target);
        Pool::new(vec![target], Arc::new(catalogue()), "BizTalkMgmtDb".into())
    }
}

/// Queries whose text is what the script knows.
fn catalogue() -> Catalogue {
    let query = |name: &str, text: &str, place: Place, reads_only: bool| Query {
        name: name.into(),
        purpose: String::new(),
        place,
        parameters: Vec::new(),
        examines: String::new(),
        needs: Vec::new(),
        reads_only,
        variants: vec![Variant {
            since: 2016,
            until: None,
            text: format!("-- header\n{text}"),
            sha256: format!("sha of {text}"),
            path: String::new(),
            columns: Vec::new(),
        }],
    };
    let column = |name: &str, optional| Column {
        name: name.into(),
        sql_kind: "int".into(),
        kind: Kind::Int,
        optional,
    };
    let mut all = Vec::new();
    for text in [
        "one",
        "where",
        "types",
        "nothing",
        "two sets",
        "missing object",
        "rows then error",
        "slow",
        "many rows",
        "wide",
    ] {
        all.push(query(&format!("read/{text}"), text, Place::Any, true));
    }
    for text in [
        "one",
        "nothing",
        "missing object",
        "rows then error",
        "hang up",
        "fatal",
        "where",
        "slow",
        "endless",
    ] {
        all.push(query(&format!("act/{text}"), text, Place::Msdb, false));
    }
    all.push(query("read/managed", "where", Place::Management, true));
    let mut lacking = query("read/lacking", "one", Place::Master, true);
    lacking.variants[0].columns = vec![column("a", false), column("more", true), column("b", false)];
    let mut discovered = query("read/discovered", "one", Place::Master, true);
    discovered.variants[0].columns = vec![column("A", false), column("more", true)];
    let mut modern = query("read/modern", "one", Place::Master, true);
    modern.variants[0].since = 2022;
    let mut echo = query("read/echo", "echo", Place::Master, true);
    echo.parameters = [
        ("n", "bigint"),
        ("flag", "bit"),
        ("name", "sysname"),
        ("lsn", "numeric(25,0)"),
        ("id", "uniqueidentifier"),
        ("since", "datetime2"),
        ("since_utc", "datetime2"),
        ("none", "int"),
    ]
    .map(|(name, kind)| Parameter { name: name.into(), kind: kind.into() })
    .into();
    all.extend([lacking, discovered, modern, echo]);
    Catalogue::of(all)
}

async fn ask(pool: &Pool, query: &str) -> Result<Reading, Trouble> {
    pool.ask("DR1", query, Some("master"), &BTreeMap::new(), 5000).await
}

async fn act(pool: &Pool, query: &str) -> Sent {
    pool.act("DR1", query, None, &BTreeMap::new()).await.unwrap()
}

fn shown(reading: &Reading, column: &str) -> String {
    reading.cell(0, column).map_or("no such cell".into(), ToString::to_string)
}

#[tokio::test]
async fn a_login_by_an_own_ca_or_on_trust_reads_who_answers() {
    let bench = Bench::new();
    for pool in [
        bench.pool(),
        bench.pool_with(|t| t.host = "127.0.0.1".into()),
        bench.pool_with(|t| {
            t.ca_file = None;
            t.trust = true;
        }),
    ] {
        let reading = ask(&pool, "read/one").await.unwrap();
        let server = reading.server.clone().unwrap();
        assert_eq!(server.name, "DRSQL1\\BTS");
        assert_eq!(server.version, "15.0.4430.1");
        assert!(server.simulated, "the banner says SIMULATED");
        assert_eq!(server.offset_minutes, 60);
        assert_eq!(server.clock.to_rfc3339(), "2026-11-20T21:04:05.123+00:00");
        assert_eq!(reading.query_sha256.as_deref(), Some("sha of one"));
        assert_eq!((reading.row_count, reading.truncated), (1, false));
        assert_eq!(pool.facts("DR1").await.unwrap(), server);
    }
    let login = bench.script.logins.lock().unwrap()[0].clone();
    assert_eq!(login.application, "drbook");
    assert_eq!(login.database, "", "a database that is being restored cannot be logged in to");
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_a_tls_trouble() {
    let bench = Bench::new();
    let trouble = ask(&bench.pool_with(|t| t.ca_file = None), "read/one").await.unwrap_err();
    assert_eq!(trouble.code, TroubleCode::Tls, "{trouble}");
    assert!(trouble.message.contains("certificate"), "{trouble}");
    assert!(trouble.message.contains(&format!("localhost:{}", bench.listener.address().port())), "{trouble}");
    assert!(bench.script.logins.lock().unwrap().is_empty(), "no password was sent");
}

#[tokio::test]
async fn a_wrong_password_is_a_login_trouble_in_the_servers_words() {
    let bench = Bench::new();
    let trouble = ask(&bench.pool_with(|t| t.login = sql("ro", "wrong")), "read/one").await.unwrap_err();
    assert_eq!((trouble.code, trouble.number, trouble.state), (TroubleCode::Login, Some(18456), Some(1)));
    assert_eq!(trouble.message, "Login failed for user 'ro'.");
}

#[tokio::test]
async fn a_server_under_another_name_is_not_asked() {
    let bench = Bench::new();
    let pool = bench.pool_with(|t| t.expect_name = Some("PRODSQL1".into()));
    let trouble = ask(&pool, "read/one").await.unwrap_err();
    assert_eq!(trouble.code, TroubleCode::WrongServer, "{trouble}");
    assert!(trouble.message.contains("DRSQL1\\BTS") && trouble.message.contains("PRODSQL1"), "{trouble}");
    let pool = bench.pool_with(|t| t.expect_name = Some("PRODSQL1".into()));
    assert!(matches!(act(&pool, "act/one").await, Sent::Failed(t) if t.code == TroubleCode::WrongServer));
    assert!(bench.script.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_question_runs_in_its_database_and_the_session_goes_back_to_master() {
    let bench = Bench::new();
    let pool = bench.pool();
    let none = BTreeMap::new();
    for (query, database, wanted) in [
        ("read/where", Some("odd]name"), "odd]name"),
        ("read/managed", None, "BizTalkMgmtDb"),
        ("read/where", Some("master"), "master"),
    ] {
        let reading = pool.ask("DR1", query, database, &none, 5000).await.unwrap();
        assert_eq!(shown(&reading, "db"), wanted);
        assert_eq!(*bench.script.database.lock().unwrap(), "master");
    }
    let missing = pool.ask("DR1", "read/where", Some("gone"), &none, 5000).await.unwrap_err();
    assert_eq!((missing.code, missing.number), (TroubleCode::Database, Some(911)), "{missing}");
    let anywhere = pool.ask("DR1", "read/where", None, &none, 5000).await.unwrap_err();
    assert_eq!(anywhere.code, TroubleCode::Unfilled, "{anywhere}");
    assert_eq!(bench.script.logins.lock().unwrap().len(), 1, "one connection served them all");
}

#[tokio::test]
async fn parameters_travel_by_rpc_with_their_types() {
    let bench = Bench::new();
    let local = Cell::Time { time: "2026-11-20T22:00:00".parse().unwrap(), offset: Some(60) };
    let with = BTreeMap::from([
        ("n".to_owned(), Cell::Int(i64::MIN)),
        ("flag".to_owned(), Cell::Bit(true)),
        ("name".to_owned(), Cell::text("O'Brien'; DROP DATABASE x--")),
        ("lsn".to_owned(), Cell::Decimal { dec: "37000000012300001000000001".into() }),
        ("id".to_owned(), Cell::text("0123ABCD-89AB-CDEF-0123-456789ABCDEF")),
        ("since".to_owned(), local.clone()),
        ("since_utc".to_owned(), local),
        ("none".to_owned(), Cell::Null),
    ]);
    let reading = bench.pool().ask("DR1", "read/echo", None, &with, 5000).await.unwrap();
    let values: Vec<String> = reading.rows[0].iter().map(ToString::to_string).collect();
    assert_eq!(
        values,
        [
            "-9223372036854775808",
            "1",
            "O'Brien'; DROP DATABASE x--",
            "37000000012300001000000001",
            "0123abcd-89ab-cdef-0123-456789abcdef",
            "2026-11-20 22:00:00.000+01:00",
            "2026-11-20 21:00:00.000+01:00",
            "NULL"
        ]
    );
    let calls = bench.script.calls.lock().unwrap();
    assert!(calls[0].starts_with("DECLARE @n bigint = @P1; DECLARE @flag bit = @P2; "), "{}", calls[0]);
    assert!(calls[0].ends_with("-- header\necho"), "{}", calls[0]);
}

#[tokio::test]
async fn values_keep_every_digit_and_their_time_zone() {
    let bench = Bench::new();
    let reading = ask(&bench.pool(), "read/types").await.unwrap();
    for (column, wanted) in [
        ("lsn", "7204000000118400001234567"),
        ("numeric", "-1.50"),
        ("backup_finish_date", "2026-11-20 22:04:05.123+01:00"),
        ("log_time_utc", "2026-11-20 21:04:05.123Z"),
        ("datetime2", "2026-11-20 22:04:05.123+01:00"),
        ("datetimeoffset", "2026-11-20 21:04:05.123-05:30"),
        ("guid", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("text", "台北 é"),
        ("bit", "1"),
        ("variant", "RTM"),
        ("binary", "0x01ff"),
        ("absent", "NULL"),
    ] {
        assert_eq!(shown(&reading, column), wanted, "{column}");
    }
    assert_eq!(reading.cell(0, "lsn").unwrap().as_i128(), Some(7_204_000_000_118_400_001_234_567));
    let utc = |column| reading.cell(0, column).unwrap().as_utc().unwrap();
    assert_eq!(utc("backup_finish_date"), utc("log_time_utc"));
    assert_eq!(reading.columns[reading.column("lsn").unwrap()].kind, Kind::Decimal);
}

#[tokio::test]
async fn what_is_no_whole_answer_is_a_trouble_and_the_connection_goes_on() {
    let bench = Bench::new();
    let pool = bench.pool();
    for (query, code, number) in [
        ("read/missing object", TroubleCode::ObjectMissing, Some(208)),
        ("read/rows then error", TroubleCode::Server, Some(8134)),
        ("read/nothing", TroubleCode::NoResultSet, None),
        ("read/two sets", TroubleCode::NotSupported, None),
        ("read/lacking", TroubleCode::NotSupported, None),
        ("read/modern", TroubleCode::NotSupported, None),
    ] {
        let trouble = ask(&pool, query).await.unwrap_err();
        assert_eq!((trouble.code, trouble.number), (code, number), "{query}: {trouble}");
    }
    let lacking = ask(&pool, "read/lacking").await.unwrap_err();
    assert!(lacking.message.ends_with("lacks column b"), "{lacking}");
    let modern = ask(&pool, "read/modern").await.unwrap_err();
    assert!(modern.message.contains("15.0.4430.1") && modern.message.contains("read/modern"), "{modern}");
    let object = ask(&pool, "read/missing object").await.unwrap_err();
    assert_eq!((object.message.as_str(), object.line), ("Invalid object name 'dbo.gone'.", Some(2)));
    assert!(ask(&pool, "read/discovered").await.is_ok());
    assert_eq!(bench.script.logins.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_question_past_its_deadline_costs_the_connection_and_nothing_else() {
    let bench = Bench::new();
    let pool = bench.pool();
    let none = BTreeMap::new();
    let since = Instant::now();
    let (slow, quick) =
        tokio::join!(pool.ask("DR1", "read/slow", Some("master"), &none, 200), ask(&pool, "read/one"));
    assert!(quick.is_ok());
    let slow = slow.unwrap_err();
    assert_eq!(slow.code, TroubleCode::Timeout, "{slow}");
    assert!(slow.message.contains("read/slow") && slow.message.contains("0.2 s"), "{slow}");
    assert!(since.elapsed() < Duration::from_secs(2));
    assert!(ask(&pool, "read/one").await.is_ok());
}

#[tokio::test]
async fn more_rows_than_are_kept_make_a_truncated_reading_and_too_many_bytes_none() {
    let bench = Bench::new();
    let pool = bench.pool();
    let none = BTreeMap::new();
    let reading = pool.ask("DR1", "read/many rows", Some("master"), &none, 60_000).await.unwrap();
    assert!(reading.truncated);
    assert_eq!((reading.rows.len(), reading.row_count), (100_000, 100_001));
    let wide = pool.ask("DR1", "read/wide", Some("master"), &none, 60_000).await.unwrap_err();
    assert_eq!(wide.code, TroubleCode::Truncated, "{wide}");
    assert!(ask(&pool, "read/one").await.is_ok());
}

#[tokio::test]
async fn a_connection_that_died_while_idle_is_replaced_unseen() {
    let bench = Bench::new();
    let pool = bench.pool();
    ask(&pool, "read/one").await.unwrap();
    bench.script.set_door(Door::Refused);
    tokio::time::sleep(Duration::from_millis(120)).await;
    let down = ask(&pool, "read/one").await.unwrap_err();
    assert_eq!(down.code, TroubleCode::Refused, "{down}");
    bench.script.set_door(Door::Open);
    tokio::time::sleep(Duration::from_millis(120)).await;
    ask(&pool, "read/one").await.unwrap();
    bench.script.set_door(Door::Refused);
    tokio::time::sleep(Duration::from_millis(120)).await;
    bench.script.set_door(Door::Open);
    tokio::time::sleep(Duration::from_millis(120)).await;
    ask(&pool, "read/one").await.unwrap();
    assert_eq!(bench.script.logins.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn no_more_than_eight_questions_sit_on_one_server() {
    let bench = Bench::new();
    let pool = bench.pool();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let pool = pool.clone();
        waiting.spawn(async move { ask(&pool, "read/where").await.is_ok() });
    }
    while let Some(done) = waiting.join_next().await {
        assert!(done.unwrap());
    }
    assert!(bench.script.logins.lock().unwrap().len() <= 8);
    assert!(bench.script.most_at_once.load(Ordering::SeqCst) <= 8);
}

#[tokio::test]
async fn an_action_is_done_failed_or_uncertain() {
    let bench = Bench::new();
    let pool = bench.pool();
    assert_eq!(act(&pool, "act/nothing").await, Sent::Done);
    assert_eq!(act(&pool, "act/where").await, Sent::Done);
    let refused = act(&pool, "act/missing object").await;
    assert!(matches!(&refused, Sent::Failed(t) if t.number == Some(208)), "{refused:?}");
    // something ran before the error
    let half = act(&pool, "act/rows then error").await;
    assert!(matches!(&half, Sent::Uncertain(t) if t.number == Some(8134)), "{half:?}");
    let lost = act(&pool, "act/hang up").await;
    assert!(matches!(&lost, Sent::Uncertain(t) if t.code == TroubleCode::Lost), "{lost:?}");
    bench.script.set_door(Door::Open);
    tokio::time::sleep(Duration::from_millis(120)).await;
    let fatal = act(&pool, "act/fatal").await;
    assert!(matches!(&fatal, Sent::Uncertain(t) if t.number == Some(596)), "{fatal:?}");
    let unasked = bench.pool_with(|t| t.operator_login = sql("op", "wrong"));
    let unasked = act(&unasked, "act/nothing").await;
    assert!(matches!(&unasked, Sent::Failed(t) if t.code == TroubleCode::Login), "{unasked:?}");
    assert_eq!(bench.script.calls.lock().unwrap().len(), 6, "each was sent once");
    let logins = bench.script.logins.lock().unwrap();
    assert!(logins.iter().all(|l| l.user == "op"), "an action has the operator's login");
    assert_eq!(logins.len(), 6, "and a connection of its own");
}

#[tokio::test]
async fn an_action_whose_server_falls_silent_or_restarts_is_uncertain() {
    let watch = Watch { every: Duration::from_millis(30), patience: Duration::from_millis(60) };
    let watching = |bench: &Bench| {
        Pool::watching(vec![bench.target.clone()], Arc::new(catalogue()), String::new(), watch)
    };
    let (quiet, anew, long) = (Bench::new(), Bench::new(), Bench::new());
    let pools = [watching(&quiet), watching(&anew), watching(&long)];
    let happen = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        quiet.script.set_door(Door::Silent);
        anew.script.restarts.fetch_add(1, Ordering::SeqCst);
    };
    let (quiet, anew, long, ()) = tokio::join!(
        act(&pools[0], "act/endless"),
        act(&pools[1], "act/endless"),
        act(&pools[2], "act/slow"),
        happen
    );
    assert!(matches!(&quiet, Sent::Uncertain(t) if t.message.contains("no contact for 0.1 s")), "{quiet:?}");
    assert!(matches!(&anew, Sent::Uncertain(t) if t.message.contains("was started anew")), "{anew:?}");
    assert_eq!(long, Sent::Done, "a long action in contact is waited for");
}

#[tokio::test]
async fn a_probe_names_phases_and_rights() {
    let bench = Bench::new();
    let probe = bench.pool().probe("DR1").await.unwrap();
    let phases: Vec<PhaseName> = probe.phases.iter().map(|p| p.name).collect();
    assert_eq!(phases, [PhaseName::Resolve, PhaseName::Tcp, PhaseName::Login, PhaseName::Identity]);
    assert!(probe.phases.iter().all(|p| p.outcome.is_ok()), "{:?}", probe.phases);
    assert_eq!(probe.trouble, None);
    assert_eq!(probe.operator, Some(Ok(())));
    let right = |name: &str| probe.rights.iter().find(|r| r.name == name).unwrap().held.clone();
    assert_eq!(right("sysadmin"), Ok(false));
    assert_eq!(right("VIEW SERVER STATE"), Ok(true));
    assert_eq!(right("msdb").unwrap_err().code, TroubleCode::ObjectMissing);
    assert!(probe.encryption.contains("ca.pem") && !probe.trusted_blindly);
    assert_eq!(probe.banner.as_deref(), Some("Microsoft SQL Server 2019 (SIMULATED) - 15.0.4430.1"));
    let wrong = bench.pool_with(|t| t.operator_login = sql("op", "wrong")).probe("DR1").await.unwrap();
    assert_eq!(wrong.operator.unwrap().unwrap_err().code, TroubleCode::Login);
}
