//! What tiberius makes of the answers.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use tiberius::error::Error;
use tiberius::{AuthMethod, Client, ColumnData, Config, EncryptionLevel, Uuid};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::certificate;
use super::fake::Fake;

type Connected = Client<Compat<TcpStream>>;

fn config(address: SocketAddr, encryption: EncryptionLevel) -> Config {
    let mut config = Config::new();
    config.host("localhost");
    config.port(address.port());
    config.authentication(AuthMethod::sql_server("drbook", "P@ss wörd"));
    config.encryption(encryption);
    config
}

async fn connect(config: Config, address: SocketAddr) -> Result<Connected, Error> {
    let socket = TcpStream::connect(address).await.unwrap();
    let connecting = Box::pin(Client::connect(config, socket.compat_write()));
    tokio::time::timeout(Duration::from_secs(10), connecting).await.expect("the connection hangs")
}

/// A plain connection to a fresh server.
async fn connected() -> (std::sync::Arc<Fake>, crate::sandbox::tds::Listener, Connected) {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    let client = connect(config(address, EncryptionLevel::NotSupported), address).await.unwrap();
    (fake, listener, client)
}

/// Waits until the running statement has heard that it is to stop.
async fn stopped(fake: &Fake, sql: &str) {
    let hearing = async {
        while !fake.stopped.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), hearing).await.expect(sql);
}

async fn one_number(client: &mut Connected, sql: &str) -> i32 {
    let row = client.simple_query(sql).await.unwrap().into_row().await.unwrap().unwrap();
    row.get(0).unwrap()
}

#[tokio::test]
async fn every_encryption_logs_in_and_reads_rows() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    for encryption in
        [EncryptionLevel::NotSupported, EncryptionLevel::Off, EncryptionLevel::On, EncryptionLevel::Required]
    {
        for trust in [true, false] {
            let mut config = config(address, encryption);
            if trust {
                config.trust_cert();
            } else {
                config.trust_cert_ca_bundle(certificate().pem().as_bytes());
            }
            let mut client = connect(config, address).await.unwrap();
            assert_eq!(one_number(&mut client, "two sets").await, 1, "{encryption:?}, trust {trust}");
        }
    }
    let encrypted: Vec<bool> = fake.logins.lock().unwrap().iter().map(|login| login.encrypted).collect();
    assert_eq!(encrypted, [false, false, false, false, true, true, true, true], "OFF is for the login alone");
}

#[tokio::test]
async fn the_certificate_is_good_for_the_address_too_and_for_nothing_else() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    let with = |host: &str, trusted: bool| {
        let mut config = config(address, EncryptionLevel::Required);
        config.host(host);
        if trusted {
            config.trust_cert_ca_bundle(certificate().pem().as_bytes());
        }
        config
    };
    assert!(connect(with("127.0.0.1", true), address).await.is_ok());
    let error = connect(with("dr.contoso.local", true), address).await.unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "another name: {error}");
    assert!(connect(with("localhost", false), address).await.is_err(), "an unknown authority");
}

#[tokio::test]
async fn a_login_says_who_asks_and_a_wrong_password_is_18456() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    let mut right = config(address, EncryptionLevel::NotSupported);
    right.database("msdb");
    right.application_name("drbook/reader");
    connect(right, address).await.unwrap();
    for encryption in [EncryptionLevel::NotSupported, EncryptionLevel::Off, EncryptionLevel::Required] {
        let mut wrong = config(address, encryption);
        wrong.trust_cert();
        wrong.authentication(AuthMethod::sql_server("drbook", "wrong"));
        let error = connect(wrong, address).await.unwrap_err();
        let Error::Server(token) = error else { panic!("{error}") };
        assert_eq!((token.code(), token.class()), (18456, 14));
        assert_eq!(token.message(), "Login failed for user 'drbook'.");
        assert_eq!(token.server(), "DRSQL1\\BTS");
    }
    let logins = fake.logins.lock().unwrap();
    assert_eq!(logins[0].user, "drbook");
    assert_eq!(logins[0].database, "msdb");
    assert_eq!(logins[0].application, "drbook/reader");
}

#[tokio::test]
async fn parameters_travel_there_and_back() {
    let (_fake, _listener, mut client) = connected().await;
    let at: NaiveDateTime = "2026-11-20T21:04:05.123".parse().unwrap();
    let guid = Uuid::from_u128(0x6F96_19FF_8B86_D011_B42D_00C0_4FC9_64FF);
    let long = "台".repeat(5000);
    let parameters: [&dyn tiberius::ToSql; 9] = [
        &true,
        &7i32,
        &(1i64 << 40),
        &"é台",
        &long.as_str(),
        &guid,
        &at,
        &Option::<i32>::None,
        &[1u8, 2][..].to_vec(),
    ];
    let row = client.query("echo", &parameters).await.unwrap().into_row().await.unwrap().unwrap();
    assert_eq!(row.columns()[0].name(), "@P1");
    assert_eq!(row.get::<bool, _>(0), Some(true));
    assert_eq!(row.get::<i32, _>(1), Some(7));
    assert_eq!(row.get::<i64, _>(2), Some(1 << 40));
    assert_eq!(row.get::<&str, _>(3), Some("é台"));
    assert_eq!(row.get::<&str, _>(4), Some(long.as_str()));
    assert_eq!(row.get::<Uuid, _>(5), Some(guid));
    assert_eq!(row.get::<NaiveDateTime, _>(6), Some(at));
    assert_eq!(row.get::<i32, _>(7), None);
    assert_eq!(row.get::<&[u8], _>(8), Some(&[1u8, 2][..]));
}

#[tokio::test]
async fn every_type_and_its_null_is_understood() {
    let (_fake, _listener, mut client) = connected().await;
    let mut rows = client.simple_query("types").await.unwrap().into_first_result().await.unwrap();
    let nulls = rows.pop().unwrap();
    let row = rows.pop().unwrap();
    let at: NaiveDateTime = "2026-11-20T21:04:05.123".parse().unwrap();
    assert_eq!(row.get::<bool, _>("bit"), Some(true));
    assert_eq!(row.get::<u8, _>("tinyint"), Some(255));
    assert_eq!(row.get::<i16, _>("smallint"), Some(-300));
    assert_eq!(row.get::<i32, _>("int"), Some(-70_000));
    assert_eq!(row.get::<i64, _>("bigint"), Some(i64::MIN));
    let lsn = row.get::<tiberius::numeric::Numeric, _>("lsn").unwrap();
    assert_eq!((lsn.value(), lsn.scale()), (7_204_000_000_118_400_001_234_567, 0));
    let numeric = row.get::<tiberius::numeric::Numeric, _>("numeric").unwrap();
    assert_eq!((numeric.value(), numeric.scale()), (-150, 2));
    assert_eq!(row.get::<f32, _>("real"), Some(1.5));
    assert_eq!(row.get::<f64, _>("float"), Some(-0.1));
    assert_eq!(row.get::<NaiveDate, _>("date"), Some(at.date()));
    assert_eq!(row.get::<NaiveTime, _>("time"), Some(at.time()));
    let ticks = row.get::<NaiveDateTime, _>("datetime").unwrap();
    assert_eq!(ticks.format("%F %T%.3f").to_string(), "2026-11-20 21:04:05.123");
    assert_eq!(row.get::<NaiveDateTime, _>("smalldatetime"), "2026-11-20T21:04:00".parse().ok());
    assert_eq!(row.get::<NaiveDateTime, _>("datetime2"), Some(at));
    let offset = row.get::<chrono::DateTime<chrono::FixedOffset>, _>("datetimeoffset").unwrap();
    assert_eq!(offset.to_rfc3339(), "2026-11-20T21:04:05.123+01:00");
    let guid = row.get::<Uuid, _>("guid").unwrap();
    assert_eq!(guid.to_string(), "6f9619ff-8b86-d011-b42d-00c04fc964ff");
    assert_eq!(row.get::<&str, _>("char"), Some("é€  "));
    assert_eq!(row.get::<&str, _>("varchar"), Some("é€"));
    assert_eq!(row.get::<&str, _>("varcharmax"), Some("é€"));
    assert_eq!(row.get::<&str, _>("nchar"), Some("台北  "));
    assert_eq!(row.get::<&str, _>("nvarchar"), Some("台北"));
    assert_eq!(row.get::<&str, _>("nvarcharmax"), Some("台北"));
    assert_eq!(row.get::<&[u8], _>("binary"), Some(&[1u8, 0, 0][..]));
    assert_eq!(row.get::<&[u8], _>("varbinary"), Some(&[1u8, 2][..]));
    assert_eq!(row.get::<&[u8], _>("varbinarymax"), Some(&[1u8, 2, 3][..]));
    assert_eq!(row.get::<i32, _>("variant int"), Some(3));
    assert_eq!(row.get::<&str, _>("variant text"), Some("RTM"));
    assert_eq!(row.get::<bool, _>("variant bit"), Some(true));
    assert_eq!(row.get::<NaiveDateTime, _>("variant datetime"), Some(ticks));
    for (column, cell) in nulls.cells() {
        let null = match cell {
            ColumnData::U8(x) => x.is_none(),
            ColumnData::I16(x) => x.is_none(),
            ColumnData::I32(x) => x.is_none(),
            ColumnData::I64(x) => x.is_none(),
            ColumnData::F32(x) => x.is_none(),
            ColumnData::F64(x) => x.is_none(),
            ColumnData::Bit(x) => x.is_none(),
            ColumnData::String(x) => x.is_none(),
            ColumnData::Guid(x) => x.is_none(),
            ColumnData::Binary(x) => x.is_none(),
            ColumnData::Numeric(x) => x.is_none(),
            ColumnData::DateTime(x) => x.is_none(),
            ColumnData::SmallDateTime(x) => x.is_none(),
            ColumnData::Time(x) => x.is_none(),
            ColumnData::Date(x) => x.is_none(),
            ColumnData::DateTime2(x) => x.is_none(),
            ColumnData::DateTimeOffset(x) => x.is_none(),
            ColumnData::Xml(_) => false,
        };
        assert!(null, "{}: {cell:?}", column.name());
    }
}

#[tokio::test]
async fn long_answers_come_whole_whatever_the_packet_size() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    for (encryption, packet) in [
        (EncryptionLevel::NotSupported, 512),
        (EncryptionLevel::NotSupported, 32767),
        (EncryptionLevel::On, 4096),
    ] {
        let mut config = config(address, encryption);
        config.packet_size(packet);
        config.trust_cert();
        let mut client = connect(config, address).await.unwrap();
        let rows = client.query("long", &[]).await.unwrap().into_first_result().await.unwrap();
        assert_eq!(rows.len(), 40);
        for (n, row) in rows.iter().enumerate() {
            assert_eq!(row.get::<&str, _>(0), Some(format!("{} {}", n * 50, "台é".repeat(n * 50)).as_str()));
            assert_eq!(row.get::<&str, _>(1), Some(format!("{n} {}", "台é".repeat(n)).as_str()));
        }
        let long = "x".repeat(100_000);
        let row = client.query("echo", &[&long.as_str()]).await.unwrap().into_row().await.unwrap().unwrap();
        assert_eq!(row.get::<&str, _>(0), Some(long.as_str()), "packets of {packet}");
    }
}

#[tokio::test]
async fn two_result_sets_stay_two_in_batches_and_in_calls() {
    let (_fake, _listener, mut client) = connected().await;
    for sets in [
        client.simple_query("two sets").await.unwrap().into_results().await.unwrap(),
        client.query("two sets", &[]).await.unwrap().into_results().await.unwrap(),
    ] {
        assert_eq!(sets.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(sets[1][0].get::<&str, _>("b"), Some("x"));
    }
    let counts = client.execute("two sets", &[]).await.unwrap();
    assert_eq!(counts.rows_affected(), [2, 1]);
}

#[tokio::test]
async fn the_first_error_of_a_chain_is_the_one_told_and_the_session_goes_on() {
    let (_fake, _listener, mut client) = connected().await;
    for (sql, number) in
        [("chain", 4305), ("rows then error", 8134), ("unfit", 59999), ("no such thing", 59999)]
    {
        let batch = async { client.simple_query(sql).await?.into_results().await }.await.unwrap_err();
        assert_eq!(batch.code(), Some(number), "{sql} as a batch");
        let call = async { client.query(sql, &[]).await?.into_results().await }.await.unwrap_err();
        assert_eq!(call.code(), Some(number), "{sql} as a call");
    }
    assert_eq!(one_number(&mut client, "two sets").await, 1);
}

/// tiberius 0.13 expects the acknowledgement in the message it interrupts and servers send it in the next one:
/// the statement is cancelled all the same, but the connection is lost to the client.
#[tokio::test]
async fn a_cancelled_statement_stops_whatever_tiberius_makes_of_the_acknowledgement() {
    for sql in ["endless work", "endless quiet", "endless rows"] {
        let (fake, _listener, mut client) = connected().await;
        let reading = async { client.simple_query(sql).await?.into_results().await };
        let outcome = tokio::time::timeout(Duration::from_millis(60), reading).await;
        assert!(outcome.is_err(), "{sql} is endless");
        let lost = client.cancel_query().await.unwrap_err();
        assert!(matches!(lost, Error::Protocol(_)), "{lost}");
        stopped(&fake, sql).await;
    }
}

#[tokio::test]
async fn a_cancel_after_the_answer_is_only_acknowledged() {
    let (_fake, _listener, mut client) = connected().await;
    client.simple_query("nothing").await.unwrap().into_results().await.unwrap();
    client.cancel_query().await.unwrap();
    assert_eq!(one_number(&mut client, "two sets").await, 1);
}

#[tokio::test]
async fn a_client_that_leaves_stops_its_statement() {
    for sql in ["endless work", "endless rows"] {
        let (fake, _listener, mut client) = connected().await;
        let reading = async { client.simple_query(sql).await?.into_results().await };
        assert!(tokio::time::timeout(Duration::from_millis(60), reading).await.is_err());
        drop(client);
        stopped(&fake, sql).await;
    }
}

#[tokio::test]
async fn transactions_and_a_change_of_database_are_announced() {
    let (_fake, _listener, mut client) = connected().await;
    client.simple_query("use msdb").await.unwrap().into_results().await.unwrap();
    client.begin_transaction().await.unwrap();
    client.commit_transaction().await.unwrap();
    client.begin_transaction().await.unwrap();
    client.rollback_transaction().await.unwrap();
    assert_eq!(one_number(&mut client, "two sets").await, 1);
}

#[tokio::test]
async fn a_fault_of_the_evaluator_costs_its_connection_and_no_other() {
    let (_fake, listener, mut client) = connected().await;
    let lost = async { client.simple_query("panic").await?.into_results().await }.await.unwrap_err();
    assert_eq!(lost.code(), Some(59999), "{lost}");
    let closed = async { client.simple_query("two sets").await?.into_results().await }.await.unwrap_err();
    assert!(matches!(closed, Error::Io { .. }), "{closed}");
    let address = listener.address();
    let mut other = connect(config(address, EncryptionLevel::NotSupported), address).await.unwrap();
    assert_eq!(one_number(&mut other, "two sets").await, 1);
}
