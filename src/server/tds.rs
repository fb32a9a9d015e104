//! One connection: login, questions, actions. The only place that speaks to tiberius, beside `value`.
//!
//! Does not know how many connections there are. An error that may have left the connection out of step says so;
//! its owner drops it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use chrono::NaiveDateTime;
use tiberius::error::Error;
use tiberius::{AuthMethod, Client};
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use super::probe::{Phase, PhaseName};
use super::socket::{self, Meter, Metered, deadline, ms, seconds};
use super::statement::{self, Bound};
use super::trouble::code_of;
use super::{Credential, Sent, Target, value};
use crate::limits;
use crate::reading::{Cell, Reading, ServerFacts, Trouble, TroubleCode};
use crate::sql::{Query, Variant, product_year};

mod answer;
mod login;

use answer::Answer;
pub(super) use answer::Identity;

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
            let config = login::config(target, port, authentication)?;
            let connecting = Box::pin(Client::connect(config, metered.compat_write()));
            let client = match timeout(deadline(), connecting).await {
                Ok(connected) => connected.map_err(|e| login::trouble(e, target, &endpoint, &meter))?,
                Err(_) => return Err(login::silence(target, &endpoint, &meter)),
            };
            Ok((client, target.encryption()))
        })
        .await?;
        let mut link = Self {
            client,
            meter,
            endpoint,
            identity: Identity::default(),
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
            link.identity = Identity::read(&answer)?;
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
        let answer = match outcome {
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
        let mut reading = answer.reading(&self.identity, &self.endpoint).map_err(Fault::alive)?;
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
            Ok(Ok(answer)) => Ok(answer.time("create_date").ok()),
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
        let answer = self.batch(batch).await.map_err(|fault| fault.trouble)?;
        let reading = answer.reading(&self.identity, &self.endpoint)?;
        reading.rows.into_iter().next().ok_or_else(|| {
            Trouble::new(TroubleCode::NoResultSet, format!("{}: no row came back", self.endpoint))
        })
    }

    async fn enter(&mut self, database: &str) -> Result<(), Fault> {
        if database.eq_ignore_ascii_case("master") {
            return Ok(());
        }
        self.meter.refill();
        let batch = statement::use_database(database);
        let outcome = async { Answer::collect(self.client.simple_query(batch).await?).await }.await;
        outcome.map(|_| ()).map_err(|error| self.fault(error, "choosing the database"))
    }

    /// Back to master, reading the clock on the way.
    async fn leave(&mut self) -> Result<(), Fault> {
        let batch = format!("{} {}", statement::use_database("master"), statement::CLOCK);
        let answer = self.batch(&batch).await?;
        self.identity.set_clock(&answer).map_err(Fault::alive)
    }

    async fn call(&mut self, text: String, bound: Vec<Bound>) -> Result<Answer, Fault> {
        self.meter.refill();
        let mut call = tiberius::Query::new(text);
        for one in bound {
            value::bind(&mut call, one);
        }
        let outcome = async { Answer::collect(call.query(&mut self.client).await?).await }.await;
        let answer = outcome.map_err(|error| self.fault(error, "asking"))?;
        answer.only(&self.endpoint).map_err(Fault::alive)
    }

    async fn batch(&mut self, text: &str) -> Result<Answer, Fault> {
        self.meter.refill();
        let outcome = async { Answer::collect(self.client.simple_query(text).await?).await }.await;
        let answer = outcome.map_err(|error| self.fault(error, "asking"))?;
        answer.only(&self.endpoint).map_err(Fault::alive)
    }

    fn fault(&self, error: Error, doing: &str) -> Fault {
        let at = &self.endpoint;
        match error {
            Error::Server(said) => {
                // class 20 and above ends the session
                let alive = said.class() < 20 && code_of(said.code().into()) != TroubleCode::Lost;
                self.broken_if(!alive, login::server_trouble(&said))
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
