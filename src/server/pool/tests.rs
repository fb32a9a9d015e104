//! Against plain sockets: refused, black holes, deadlines. What needs a server is in `tests/server.rs`.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::*;
use crate::server::{Credential, PhaseName, Secret};
use crate::sql::{Place, Variant};

fn target(name: &str, address: SocketAddr) -> Target {
    let login = Credential::Sql { user: "ro".into(), password: Secret::new("s3cret") };
    Target {
        name: name.into(),
        host: address.ip().to_string(),
        port: Some(address.port()),
        instance: None,
        operator_login: login.clone(),
        login,
        ca_file: None,
        trust: true,
        expect_name: None,
    }
}

fn catalogue() -> Arc<Catalogue> {
    let query = |name: &str, reads_only| Query {
        name: name.into(),
        purpose: String::new(),
        place: Place::Master,
        parameters: Vec::new(),
        examines: String::new(),
        needs: Vec::new(),
        reads_only,
        variants: vec![Variant {
            since: 2012,
            until: None,
            text: "SELECT 1 AS a".into(),
            sha256: String::new(),
            path: String::new(),
            columns: Vec::new(),
        }],
    };
    Arc::new(Catalogue::of([query("test/read", true), query("test/write", false)]))
}

fn pool(targets: Vec<Target>) -> Pool {
    Pool::new(targets, catalogue(), "M".into())
}

async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Accepts and says nothing; counts.
async fn black_hole() -> (SocketAddr, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            kept.push(stream);
        }
    });
    (address, count)
}

#[tokio::test]
async fn nobody_listening_is_refused_for_a_question_and_never_sent_for_an_action() {
    let pool = pool(vec![target("DR1", nobody().await)]);
    let none = BTreeMap::new();
    let trouble = pool.ask("DR1", "test/read", None, &none, 1000).await.unwrap_err();
    assert_eq!(trouble.code, TroubleCode::Refused, "{trouble}");
    let sent = pool.act("DR1", "test/write", None, &none).await.unwrap();
    assert!(matches!(&sent, Sent::Failed(t) if t.code == TroubleCode::Refused), "{sent:?}");
}

#[tokio::test]
async fn a_black_hole_costs_its_deadline_once_for_all_who_wait() {
    let (address, attempts) = black_hole().await;
    let pool = pool(vec![target("HOLE", address), target("GONE", nobody().await)]);
    let since = Instant::now();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let pool = pool.clone();
        waiting.spawn(async move {
            pool.ask("HOLE", "test/read", None, &BTreeMap::new(), 60_000).await.unwrap_err()
        });
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    // another server is not held up
    let other = pool.ask("GONE", "test/read", None, &BTreeMap::new(), 1000).await.unwrap_err();
    assert_eq!(other.code, TroubleCode::Refused);
    assert!(since.elapsed() < Duration::from_millis(limits::CONNECT_DEADLINE_MS / 2));
    while let Some(trouble) = waiting.join_next().await {
        let trouble = trouble.unwrap();
        assert_eq!(trouble.code, TroubleCode::Timeout, "{trouble}");
        assert!(trouble.message.contains("said nothing for 5.0 s"), "{trouble}");
        assert!(trouble.message.contains("certificate NOT verified"), "{trouble}");
        assert!(!trouble.message.contains("s3cret"));
    }
    assert!(
        since.elapsed() < Duration::from_millis(limits::CONNECT_DEADLINE_MS + 2000),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(attempts.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_port_that_is_no_sql_server_is_said_to_be_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let trouble = pool(vec![target("WEB", address)])
        .ask("WEB", "test/read", None, &BTreeMap::new(), 1000)
        .await
        .unwrap_err();
    assert!(matches!(trouble.code, TroubleCode::Other | TroubleCode::Lost), "{trouble}");
    assert!(trouble.message.contains(&address.to_string()), "{trouble}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_without_connecting() {
    let (address, attempts) = black_hole().await;
    let mut windows = target("WIN", address);
    windows.login = Credential::Windows;
    let mut locked = target("LOCKED", address);
    locked.login = Credential::Missing(Trouble::new(TroubleCode::Secret, "no password"));
    let pool = pool(vec![target("HOLE", address), windows, locked]);
    let none = BTreeMap::new();
    for (server, query, code) in [
        ("HOLE", "test/write", TroubleCode::Forbidden),
        ("HOLE", "test/none", TroubleCode::NotSupported),
        ("NOWHERE", "test/read", TroubleCode::NameUnknown),
        ("WIN", "test/read", TroubleCode::NotSupported),
        ("LOCKED", "test/read", TroubleCode::Secret),
    ] {
        let trouble = pool.ask(server, query, None, &none, 1000).await.unwrap_err();
        assert_eq!(trouble.code, code, "{trouble}");
    }
    let trouble = pool.act("HOLE", "test/read", None, &none).await.unwrap_err();
    assert_eq!(trouble.code, TroubleCode::Forbidden, "{trouble}");
    assert_eq!(attempts.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_ca_file_that_is_not_there_is_named() {
    let (address, _) = black_hole().await;
    let mut own = target("DR1", address);
    own.trust = false;
    own.ca_file = Some("no/such/ca.pem".into());
    let trouble = pool(vec![own]).ask("DR1", "test/read", None, &BTreeMap::new(), 1000).await.unwrap_err();
    assert_eq!(trouble.code, TroubleCode::Tls, "{trouble}");
    assert!(trouble.message.contains("ca.pem"), "{trouble}");
}

#[tokio::test]
async fn a_probe_says_how_far_it_got() {
    let probe = pool(vec![target("DR1", nobody().await)]).probe("DR1").await.unwrap();
    let names: Vec<PhaseName> = probe.phases.iter().map(|p| p.name).collect();
    assert_eq!(names, [PhaseName::Resolve, PhaseName::Tcp]);
    assert!(probe.phases[0].outcome.is_ok());
    assert_eq!(probe.trouble.unwrap().code, TroubleCode::Refused);
    assert!(probe.trusted_blindly && probe.operator.is_none() && probe.facts.is_none());
}
