//! One connection: login, questions, actions. The only place that speaks to tiberius, beside `value`.
//!
//! Does not know how many connections there are. An error that may have left the connection out of step says so;
//! its owner drops it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use chrono::{NaiveDateTime, Utc};
use tiberius::error::{Error, IoErrorKind};
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, QueryStream, Row};
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use super::probe::{Phase, PhaseName};
use super::socket::{self, Meter, Metered, deadline, ms, seconds};
use super::statement::{self, Bound};
use super::trouble::code_of;
use super::{Credential, Sent, Target, value};
use crate::limits;
use crate::reading::{Cell, Column, Reading, ServerFacts, Source, Trouble, TroubleCode};
use crate::sql::{Query, Variant, product_year};

/// What a server said of itself when the connection was opened.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub name: String,
    pub version: String,
    pub banner: String,
    pub clock: chrono::DateTime<Utc>,
    pub offset_minutes: i32,
}

impl Identity {
    /// As a reading carries it.
    pub(super) fn facts(&self) -> ServerFacts {
        ServerFacts {
            name: self.name.clone(),
            version: self.version.clone(),
            simulated: self.banner.to_lowercase().contains("simulated"),
            clock: self.clock,
            offset_minutes: self.offset_minutes,
        }
    }
}

/// A trouble, and whether the connection can still be used.
pub(super) struct Fault {
    pub trouble: Trouble,
    pub alive: bool,
    /// The connection had been lying idle and broke at its first use: it may have died unnoticed long ago.
    pub stale: bool,
}

impl Fault {
    fn alive(trouble: Trouble) -> Self {
        Self { trouble, alive: true, stale: false }
    }
}

/// An open connection, logged in, in master.
pub(super) struct Link {
    client: Client<Compat<Metered>>,
    meter: Arc<Meter>,
    endpoint: String,
    pub identity: Identity,
    /// When it was last used.
    pub used: Instant,
    /// Known to work: just opened, or it has answered since it was last idle.
    pub fresh: bool,
}

/// The columns and rows of one result set.
type Answer = (Vec<tiberius::Column>, Vec<Row>);

impl Link {
    /// Opens a connection, noting each phase. Boxed: a TLS handshake is a large future, and rarely needed.
    pub(super) fn open<'a>(
        target: &'a Target,
        credential: &'a Credential,
        phases: &'a mut Vec<Phase>,
    ) -> Pin<Box<dyn Future<Output = Result<Self, Trouble>> + Send + 'a>> {
        Box::pin(Self::open_now(target, credential, phases))
    }

    async fn open_now(
        target: &Target,
        credential: &Credential,
        phases: &mut Vec<Phase>,
    ) -> Result<Self, Trouble> {
        let authentication = match credential {
            Credential::Sql { user, password } => AuthMethod::sql_server(user, password.expose()),
            Credential::Windows => {
                return Err(Trouble::new(
                    TroubleCode::NotSupported,
                    format!(
                        "{}: this build of drbook cannot log in with a Windows account; give the server a SQL login in the estate",
                        target.name
                    ),
                ));
            }
            Credential::Missing(trouble) => return Err(trouble.clone()),
        };
        let port = if let (true, Some(instance)) = (target.is_browsed(), &target.instance) {
            socket::phase(PhaseName::Browse, phases, async {
                let port = socket::browse(&target.host, instance).await?;
                Ok((port, format!("port {port}")))
            })
            .await?
        } else {
            target.known_port()
        };
        let endpoint = format!("{}:{port}", target.host);
        let addresses = socket::phase(PhaseName::Resolve, phases, async {
            let all = socket::resolve(&target.host, port).await?;
            let said = all.iter().map(|a| a.ip().to_string()).collect::<Vec<_>>().join(", ");
            Ok((all, said))
        })
        .await?;
        let stream = socket::phase(PhaseName::Tcp, phases, async {
            let stream = socket::connect(&addresses, &endpoint).await?;
            let said = stream.peer_addr().map_or(endpoint.clone(), |a| a.to_string());
            Ok((stream, said))
        })
        .await?;
        let meter = Meter::new();
        let metered = Metered::new(stream, meter.clone());
        let client = socket::phase(PhaseName::Login, phases, async {
            let config = config(target, port, authentication)?;
            let connecting = Box::pin(Client::connect(config, metered.compat_write()));
            let client = match timeout(deadline(), connecting).await {
                Ok(connected) => connected.map_err(|e| login_trouble(e, target, &endpoint, &meter))?,
                Err(_) => return Err(login_silence(target, &endpoint, &meter)),
            };
            Ok((client, target.encryption()))
        })
        .await?;
        let mut link = Self {
            client,
            meter,
            endpoint,
            identity: Identity {
                name: String::new(),
                version: String::new(),
                banner: String::new(),
                clock: chrono::DateTime::UNIX_EPOCH,
                offset_minutes: 0,
            },
            used: Instant::now(),
            fresh: true,
        };
        socket::phase(PhaseName::Identity, phases, async {
            let batch = format!("{} {}", statement::PREAMBLE, statement::IDENTITY);
            let answer = match timeout(deadline(), link.batch(&batch)).await {
                Ok(answer) => answer.map_err(|fault| fault.trouble)?,
                Err(_) => {
                    return Err(Trouble::new(
                        TroubleCode::Timeout,
                        format!(
                            "{}: logged in, but no answer to who it is within {}",
                            link.endpoint,
                            seconds(deadline())
                        ),
                    ));
                }
            };
            link.identity = identity(&answer.0, &answer.1)?;
            let said = format!("{} {}", link.identity.name, link.identity.version);
            Ok(((), said))
        })
        .await?;
        if let Some(wanted) = &target.expect_name
            && !wanted.eq_ignore_ascii_case(&link.identity.name)
        {
            return Err(Trouble::new(
                TroubleCode::WrongServer,
                format!(
                    "{}: calls itself {}, and the estate expects {wanted}; check host and port of {} in the estate",
                    link.endpoint, link.identity.name, target.name
                ),
            ));
        }
        Ok(link)
    }

    /// The variant of a query for this server's version.
    fn variant<'q>(&self, query: &'q Query) -> Result<&'q Variant, Trouble> {
        product_year(&self.identity.version).and_then(|year| query.variant(year)).ok_or_else(|| {
            Trouble::new(
                TroubleCode::NotSupported,
                format!(
                    "{} has no text for version {} of {}",
                    query.name, self.identity.version, self.identity.name
                ),
            )
        })
    }

    /// Asks a query in a database. The deadline is the caller's.
    pub(super) async fn ask(
        &mut self,
        query: &Query,
        database: &str,
        with: &BTreeMap<String, Cell>,
    ) -> Result<Reading, Fault> {
        let since = Instant::now();
        let variant = self.variant(query).map_err(Fault::alive)?;
        let (text, bound) =
            statement::with_parameters(&variant.text, query, with, self.identity.offset_minutes)
                .map_err(Fault::alive)?;
        self.enter(database).await?;
        let outcome = self.call(text, bound).await;
        let (columns, rows) = match outcome {
            Ok(answer) => {
                self.leave().await?;
                answer
            }
            Err(mut fault) => {
                // also after an error: a session left in a database stands in the way of its restore
                fault.alive = fault.alive && self.leave().await.is_ok();
                return Err(fault);
            }
        };
        self.fresh = true;
        let mut reading = self.reading(&columns, &rows).map_err(Fault::alive)?;
        for wanted in variant.columns.iter().filter(|c| !c.optional) {
            if reading.column(&wanted.name).is_none() {
                return Err(Fault::alive(Trouble::new(
                    TroubleCode::NotSupported,
                    format!(
                        "{}: the answer of {} lacks column {}",
                        query.name, self.identity.name, wanted.name
                    ),
                )));
            }
        }
        reading.query_sha256 = Some(variant.sha256.clone());
        reading.took_ms = ms(since);
        Ok(reading)
    }

    /// Sends an action and waits for its end, however long that takes. Consumes the connection.
    pub(super) async fn send(mut self, query: &Query, database: &str, with: &BTreeMap<String, Cell>) -> Sent {
        let prepared = self.variant(query).and_then(|variant| {
            statement::with_parameters(&variant.text, query, with, self.identity.offset_minutes)
        });
        let (text, bound) = match prepared {
            Ok(prepared) => prepared,
            Err(trouble) => return Sent::Failed(trouble),
        };
        match timeout(deadline(), self.enter(database)).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => return Sent::Failed(fault.trouble),
            Err(_) => {
                return Sent::Failed(Trouble::new(
                    TroubleCode::Timeout,
                    format!(
                        "{}: nothing was sent: no answer to USE within {}",
                        self.endpoint,
                        seconds(deadline())
                    ),
                ));
            }
        }
        // from here on something may have happened
        let mut call = tiberius::Query::new(text);
        for one in bound {
            value::bind(&mut call, one);
        }
        let mut answered = false;
        let outcome = async {
            let mut stream = call.query(&mut self.client).await?;
            answered = stream.columns().await?.is_some();
            stream.into_results().await
        }
        .await;
        match outcome {
            Ok(_) => Sent::Done,
            Err(error) => {
                let fault = self.fault(error, "waiting for the end of the action");
                // an error after a result set came in the middle: what ran before it has happened
                if fault.alive && !answered {
                    Sent::Failed(fault.trouble)
                } else {
                    Sent::Uncertain(fault.trouble)
                }
            }
        }
    }

    /// Who answers now.
    pub(super) async fn look(&mut self) -> Result<ServerFacts, Fault> {
        self.leave().await?;
        self.fresh = true;
        Ok(self.identity.facts())
    }

    /// When the server was started by its own clock, if it says; compared only with itself.
    pub(super) async fn boot(&mut self) -> Result<Option<NaiveDateTime>, Trouble> {
        match timeout(deadline(), self.batch(statement::BOOT)).await {
            Ok(Ok((columns, rows))) => {
                let reading = self.reading(&columns, &rows)?;
                Ok(match reading.cell(0, "create_date") {
                    Some(Cell::Time { time, .. }) => Some(*time),
                    _ => None,
                })
            }
            Ok(Err(fault)) if fault.alive => Ok(None),
            Ok(Err(fault)) => Err(fault.trouble),
            Err(_) => Err(Trouble::new(
                TroubleCode::Timeout,
                format!("{}: no answer to when it was started within {}", self.endpoint, seconds(deadline())),
            )),
        }
    }

    /// A question of the port's own, without parameters: the cells of its first row.
    pub(super) async fn one_row(&mut self, batch: &str) -> Result<Vec<Cell>, Trouble> {
        let (columns, rows) = self.batch(batch).await.map_err(|fault| fault.trouble)?;
        let reading = self.reading(&columns, &rows)?;
        reading.rows.into_iter().next().ok_or_else(|| {
            Trouble::new(TroubleCode::NoResultSet, format!("{}: no row came back", self.endpoint))
        })
    }

    async fn enter(&mut self, database: &str) -> Result<(), Fault> {
        if database.eq_ignore_ascii_case("master") {
            return Ok(());
        }
        self.meter.refill();
        match run(&mut self.client, statement::use_database(database)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.fault(error, "choosing the database")),
        }
    }

    /// Back to master, reading the clock on the way.
    async fn leave(&mut self) -> Result<(), Fault> {
        let batch = format!("{} {}", statement::use_database("master"), statement::CLOCK);
        let (columns, rows) = self.batch(&batch).await?;
        let (clock, offset_minutes) = clock(&columns, &rows).map_err(Fault::alive)?;
        self.identity.clock = clock;
        self.identity.offset_minutes = offset_minutes;
        Ok(())
    }

    async fn call(&mut self, text: String, bound: Vec<Bound>) -> Result<Answer, Fault> {
        self.meter.refill();
        let mut call = tiberius::Query::new(text);
        for one in bound {
            value::bind(&mut call, one);
        }
        let outcome = async { collect(call.query(&mut self.client).await?).await }.await;
        let sets = outcome.map_err(|error| self.fault(error, "asking"))?;
        self.only(sets)
    }

    async fn batch(&mut self, text: &str) -> Result<Answer, Fault> {
        self.meter.refill();
        let outcome = run(&mut self.client, text.to_owned()).await;
        let sets = outcome.map_err(|error| self.fault(error, "asking"))?;
        self.only(sets)
    }

    /// One question has one result set; none is not an empty one, and of two nobody knows which is meant.
    fn only(&self, sets: (Vec<tiberius::Column>, Vec<Vec<Row>>)) -> Result<Answer, Fault> {
        let (columns, mut rows) = sets;
        match rows.len() {
            1 => Ok((columns, rows.pop().unwrap_or_default())),
            0 => Err(Fault::alive(Trouble::new(
                TroubleCode::NoResultSet,
                format!("{}: the statement ended without a result set", self.endpoint),
            ))),
            n => Err(Fault::alive(Trouble::new(
                TroubleCode::NotSupported,
                format!("{}: {n} result sets came back; one query gives one", self.endpoint),
            ))),
        }
    }

    fn reading(&self, columns: &[tiberius::Column], rows: &[Row]) -> Result<Reading, Trouble> {
        let named: Vec<Column> = columns
            .iter()
            .map(|c| Column { name: c.name().to_owned(), kind: value::kind(c.column_type()) })
            .collect();
        let mut kept = Vec::with_capacity(rows.len().min(limits::READING_ROWS));
        for row in rows.iter().take(limits::READING_ROWS) {
            let mut cells = Vec::with_capacity(named.len());
            for (column, data) in row.cells() {
                cells.push(value::cell(data, column.column_type()).map_err(|why| {
                    Trouble::new(
                        TroubleCode::Other,
                        format!("{}: column {} holds {why}", self.endpoint, column.name()),
                    )
                })?);
            }
            value::place(&named, &mut cells, self.identity.offset_minutes);
            kept.push(cells);
        }
        Ok(Reading {
            source: Source::Sql,
            server: Some(self.identity.facts()),
            query_sha256: None,
            columns: named,
            row_count: rows.len() as u64,
            truncated: rows.len() > kept.len(),
            rows: kept,
            took_ms: 0,
            messages: Vec::new(),
        })
    }

    fn fault(&self, error: Error, doing: &str) -> Fault {
        let at = &self.endpoint;
        match error {
            Error::Server(said) => {
                // class 20 and above ends the session
                let alive = said.class() < 20 && code_of(said.code().into()) != TroubleCode::Lost;
                self.broken_if(!alive, server_trouble(&said))
            }
            _ if self.meter.is_spent() => self.broken_if(
                true,
                Trouble::new(
                    TroubleCode::Truncated,
                    format!(
                        "{at}: the answer is larger than the {} MiB that are taken; ask for less",
                        limits::READING_BYTES >> 20
                    ),
                ),
            ),
            Error::Io { message, .. } => self.broken_if(
                true,
                Trouble::new(
                    TroubleCode::Lost,
                    format!("{at}: the connection broke while {doing}: {message}"),
                ),
            ),
            other => self.broken_if(
                true,
                Trouble::new(
                    TroubleCode::Lost,
                    format!("{at}: the answer could not be read while {doing}: {other}"),
                ),
            ),
        }
    }

    fn broken_if(&self, broken: bool, trouble: Trouble) -> Fault {
        let stale = broken && !self.fresh && trouble.code == TroubleCode::Lost;
        Fault { trouble, alive: !broken, stale }
    }
}

/// Sends a batch and reads all of its answer.
async fn run(
    client: &mut Client<Compat<Metered>>,
    text: String,
) -> tiberius::Result<(Vec<tiberius::Column>, Vec<Vec<Row>>)> {
    collect(client.simple_query(text).await?).await
}

/// Reads to the end: an error after the rows counts.
async fn collect(mut stream: QueryStream<'_>) -> tiberius::Result<(Vec<tiberius::Column>, Vec<Vec<Row>>)> {
    let columns = stream.columns().await?.map(<[_]>::to_vec).unwrap_or_default();
    let sets = stream.into_results().await?;
    Ok((columns, sets))
}

fn config(target: &Target, port: u16, authentication: AuthMethod) -> Result<Config, Trouble> {
    let mut config = Config::new();
    config.host(&target.host);
    config.port(port);
    config.application_name("drbook");
    config.authentication(authentication);
    config.encryption(EncryptionLevel::Required);
    config.lossy_utf16_decoding(true);
    // our own deadlines; an action has none
    config.handshake_timeout(None);
    config.command_timeout(None);
    if target.trust {
        config.trust_cert();
    } else if let Some(file) = &target.ca_file {
        // read here, so that a missing file is named as such
        let bytes = std::fs::read(file).map_err(|e| {
            Trouble::new(
                TroubleCode::Tls,
                format!("{}: its CA file {} cannot be read: {e}", target.name, file.display()),
            )
        })?;
        config.trust_cert_ca_bundle(bytes);
    }
    Ok(config)
}

fn server_trouble(said: &tiberius::error::TokenError) -> Trouble {
    let number = i64::from(said.code());
    Trouble {
        code: code_of(number),
        message: said.message().to_owned(),
        number: Some(number),
        state: Some(said.state()),
        line: Some(said.line()).filter(|line| *line > 0),
        took_ms: 0,
    }
}

fn login_trouble(error: Error, target: &Target, endpoint: &str, meter: &Meter) -> Trouble {
    let encryption = target.encryption();
    let tls = |why: String| {
        Trouble::new(
            TroubleCode::Tls,
            format!("agreeing on encryption with {endpoint} ({encryption}): {why}"),
        )
    };
    match error {
        // a login is refused as a whole, whatever the number
        Error::Server(said) => {
            let mut trouble = server_trouble(&said);
            if trouble.code == TroubleCode::Server {
                trouble.code = TroubleCode::Login;
            }
            trouble
        }
        Error::Tls(why) => tls(first_sentence(&why)),
        Error::Protocol(why) if why.contains("encryption level") => {
            tls("the server does not offer encryption; drbook does not log in without it".into())
        }
        Error::Io { kind: IoErrorKind::InvalidData | IoErrorKind::InvalidInput, message } => tls(message),
        Error::Routing { host, port } => Trouble::new(
            TroubleCode::WrongServer,
            format!("{endpoint} sends its clients on to {host}:{port}; write that one into the estate"),
        ),
        Error::Io { message, .. } if meter.heard() == 0 => Trouble::new(
            TroubleCode::Lost,
            format!(
                "{endpoint} accepted the connection and broke it off without a word: {message}; is it SQL Server?"
            ),
        ),
        Error::Io { message, .. } => Trouble::new(
            TroubleCode::Lost,
            format!(
                "{endpoint} broke the connection off during encryption and login ({encryption}): {message}"
            ),
        ),
        other => Trouble::new(
            TroubleCode::Other,
            format!(
                "{endpoint} does not answer as SQL Server does, during encryption and login ({encryption}): {other}"
            ),
        ),
    }
}

fn login_silence(target: &Target, endpoint: &str, meter: &Meter) -> Trouble {
    let how = if meter.heard() == 0 {
        "accepted the connection and said nothing"
    } else {
        "answered, and then fell silent during encryption and login"
    };
    Trouble::new(
        TroubleCode::Timeout,
        format!("{endpoint} {how} for {} ({})", seconds(deadline()), target.encryption()),
    )
}

/// tiberius adds a paragraph of advice about its own settings to a certificate error.
fn first_sentence(text: &str) -> String {
    let end = text.find(". ").or_else(|| text.find('\n')).unwrap_or(text.len());
    text[..end].to_owned()
}

fn at<'r>(
    columns: &[tiberius::Column],
    rows: &'r [Row],
    name: &str,
) -> Option<&'r tiberius::ColumnData<'static>> {
    let index = columns.iter().position(|c| c.name().eq_ignore_ascii_case(name))?;
    rows.first()?.cells().nth(index).map(|(_, data)| data)
}

fn identity(columns: &[tiberius::Column], rows: &[Row]) -> Result<Identity, Trouble> {
    let text = |name: &str| match at(columns, rows, name) {
        Some(tiberius::ColumnData::String(Some(text))) => Ok(text.to_string()),
        _ => Err(unclear(name)),
    };
    let (clock, offset_minutes) = clock(columns, rows)?;
    Ok(Identity {
        name: text("server_name")?,
        version: text("product_version")?,
        banner: text("banner")?,
        clock,
        offset_minutes,
    })
}

fn clock(columns: &[tiberius::Column], rows: &[Row]) -> Result<(chrono::DateTime<Utc>, i32), Trouble> {
    let time = |name: &str| -> Result<NaiveDateTime, Trouble> {
        let data = at(columns, rows, name).ok_or_else(|| unclear(name))?;
        match value::cell(data, tiberius::ColumnType::Datetime2) {
            Ok(Cell::Time { time, .. }) => Ok(time),
            _ => Err(unclear(name)),
        }
    };
    let (utc, local) = (time("utc_now")?, time("local_now")?);
    Ok((utc.and_utc(), statement::offset_minutes(utc, local)))
}

fn unclear(name: &str) -> Trouble {
    Trouble::new(TroubleCode::NotSupported, format!("the server does not say its {name}"))
}
