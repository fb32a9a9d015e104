//! One connection: prelogin, TLS, login, then requests and attentions until somebody hangs up.
//!
//! Does not know SQL, and not when connections are let in.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::budget::{Budget, Share};
use super::bytes::Fault;
use super::certificate::Certificate;
use super::listener::Bounds;
use super::login::{self, Login7};
use super::packet::{DEFAULT_BYTES, Inbox, Message, Outbox, packets, types};
use super::prelogin::{Channel, Prelogin};
use super::session::{Ending, Request, Session, Stop, exhausted, failure, refusal};
use super::{tls, token};
use crate::limits;
use crate::sandbox::answer::{self, Door, Server};

/// Chunks of an answer on their way from the statement to the socket.
const CHUNKS: usize = 16;

/// First byte of a TLS connection: TDS 8, encrypted before anything is said.
const TLS_HANDSHAKE: u8 = 0x16;

/// A byte stream, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Over {
    #[error("the client hung up")]
    HungUp,
    #[error("no login in time")]
    Slow,
    #[error("the login was refused")]
    Refused,
    #[error(transparent)]
    Socket(#[from] io::Error),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error("the requests of all clients take too much memory")]
    Full,
    #[error("the client does not read")]
    Stalled,
    #[error("the statement's thread ended abnormally")]
    Lost,
}

impl From<tokio::task::JoinError> for Over {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Lost
    }
}

/// What a connection needs of its listener.
pub(super) struct Host {
    pub(super) server: Arc<dyn Server>,
    pub(super) certificate: Arc<Certificate>,
    pub(super) door: watch::Receiver<Door>,
    pub(super) bounds: Bounds,
    pub(super) budget: Budget,
}

/// What a server says of itself; asked where it may block.
struct Facts {
    name: String,
    version: (u8, u8, u16),
    open: bool,
}

impl Facts {
    async fn of(server: &Arc<dyn Server>) -> Result<Self, Over> {
        let server = Arc::clone(server);
        let ask = move || Self {
            name: server.name(),
            version: server.version(),
            open: server.door() != Door::Refused,
        };
        Ok(tokio::task::spawn_blocking(ask).await?)
    }
}

/// Serves one client until the connection is over.
pub(super) async fn attend(socket: TcpStream, mut host: Host) -> Over {
    open(&mut host.door).await;
    // answers are whole packets already
    let _ = socket.set_nodelay(true);
    match tokio::time::timeout(host.bounds.patience, greet(socket, &host)).await {
        Err(_) => Over::Slow,
        Ok(Err(over)) => over,
        Ok(Ok(mut connection)) => match connection.converse().await {
            Ok(()) => Over::HungUp,
            Err(over) => over,
        },
    }
}

/// Waits until the door is open.
async fn open(door: &mut watch::Receiver<Door>) {
    // an error means that the listener is gone, and this connection with it
    let _ = door.wait_for(|door| *door == Door::Open).await;
}

/// Everything up to the answer to a login.
async fn greet(mut socket: TcpStream, host: &Host) -> Result<Connection, Over> {
    let Host { server, certificate, .. } = host;
    let facts = Facts::of(server).await?;
    // it may have closed since it was last looked at
    if !facts.open {
        return Err(Over::Refused);
    }
    let mut first = [0];
    if socket.peek(&mut first).await? == 0 {
        return Err(Over::HungUp);
    }
    let (stream, message, encrypted): (Box<dyn Stream>, Message, bool) = if first == [TLS_HANDSHAKE] {
        let mut encrypted = certificate.strict().accept(socket).await?;
        prelogin(&mut encrypted, facts.version).await?;
        let message = expect(&mut encrypted, types::LOGIN).await?;
        (Box::new(encrypted), message, true)
    } else {
        match prelogin(&mut socket, facts.version).await? {
            Channel::Plain => {
                let message = expect(&mut socket, types::LOGIN).await?;
                (Box::new(socket), message, false)
            }
            Channel::LoginOnly => {
                let mut encrypted = tls::accept(certificate.acceptor(), socket).await?;
                let message = expect(&mut encrypted, types::LOGIN).await?;
                (Box::new(encrypted.into_inner().0.into_inner()), message, false)
            }
            Channel::Full => {
                let mut encrypted = tls::accept(certificate.acceptor(), socket).await?;
                let message = expect(&mut encrypted, types::LOGIN).await?;
                (Box::new(encrypted), message, true)
            }
        }
    };
    let (reading, mut writing) = tokio::io::split(stream);
    let message_body = message.body;
    let asked = match Login7::read(&message_body) {
        Ok(asked) => asked,
        Err(Fault::NotModelled(what)) => {
            let message = answer::Message::not_modelled(what);
            let tokens = if login::is_old(&message_body) {
                login::old_refusal(&facts.name, &message)
            } else {
                login::refusal(&facts.name, &[message])
            };
            return refuse(&mut writing, &tokens).await;
        }
        Err(fault) => return Err(fault.into()),
    };
    let asking = Arc::clone(server);
    let login = answer::Login { encrypted, ..asked.login.clone() };
    let conversation = match tokio::task::spawn_blocking(move || asking.login(&login)).await? {
        Ok(conversation) => conversation,
        Err(messages) => return refuse(&mut writing, &login::refusal(&facts.name, &messages)).await,
    };
    let number = conversation.session_id() as u16;
    let welcome = asked.welcome(&facts.name, facts.version, &*conversation);
    let packet_bytes = asked.packet_bytes;
    let sent = packets(types::ANSWER, number, packet_bytes.min(DEFAULT_BYTES), &welcome);
    send(&mut writing, &sent).await?;
    Ok(Connection {
        reading,
        writing,
        inbox: Inbox::new(limits::SANDBOX_REQUEST_BYTES),
        packet_bytes,
        number,
        session: Some(Session { conversation, server: facts.name.clone(), protocol: asked.protocol }),
        server: facts.name,
        door: host.door.clone(),
        patience: host.bounds.stalled,
        share: host.budget.share(),
        running: 0,
    })
}

/// Answers the client's prelogin; the channel both sides go on with.
async fn prelogin(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    version: (u8, u8, u16),
) -> Result<Channel, Over> {
    let message = expect(stream, types::PRELOGIN).await?;
    let asked = Prelogin::read(&message.body)?;
    let answer = asked.answer(version);
    stream.write_all(&packets(types::ANSWER, 0, DEFAULT_BYTES, &answer)).await?;
    stream.flush().await?;
    Ok(asked.channel())
}

/// Reads one message, byte-exact: what follows it may belong to another layer.
async fn expect(stream: &mut (impl AsyncRead + Unpin), kind: u8) -> Result<Message, Over> {
    let mut inbox = Inbox::new(limits::SANDBOX_LOGIN_BYTES);
    loop {
        let mut header = [0; super::packet::HEADER_BYTES];
        if stream.read(&mut header[..1]).await? == 0 {
            return Err(Over::HungUp);
        }
        // a stranger is turned away at its first byte
        if header[0] != kind {
            return Err(Fault::Malformed("a login does not come in its order").into());
        }
        stream.read_exact(&mut header[1..]).await?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let payload = length
            .checked_sub(header.len())
            .ok_or(Fault::Malformed("a packet is shorter than its header"))?;
        let unread = inbox.unread();
        unread.extend_from_slice(&header);
        unread.resize(unread.len() + payload, 0);
        let at = unread.len() - payload;
        stream.read_exact(&mut unread[at..]).await?;
        if let Some(message) = inbox.next()? {
            return Ok(message);
        }
    }
}

async fn refuse(writing: &mut WriteHalf<Box<dyn Stream>>, tokens: &[u8]) -> Result<Connection, Over> {
    send(writing, &packets(types::ANSWER, 0, DEFAULT_BYTES, tokens)).await?;
    writing.shutdown().await?;
    Err(Over::Refused)
}

async fn send(writing: &mut WriteHalf<Box<dyn Stream>>, bytes: &[u8]) -> io::Result<()> {
    if !bytes.is_empty() {
        writing.write_all(bytes).await?;
        writing.flush().await?;
    }
    Ok(())
}

/// A connection whose login was let in.
struct Connection {
    reading: ReadHalf<Box<dyn Stream>>,
    writing: WriteHalf<Box<dyn Stream>>,
    inbox: Inbox,
    packet_bytes: u16,
    /// Session id, for packet headers.
    number: u16,
    server: String,
    /// Away while a request runs.
    session: Option<Session>,
    door: watch::Receiver<Door>,
    /// How long the client may not read.
    patience: Duration,
    share: Share,
    /// Bytes of the request that runs.
    running: usize,
}

impl Connection {
    async fn converse(&mut self) -> Result<(), Over> {
        loop {
            let message = match self.receive().await {
                Ok(message) => message,
                Err(Over::Fault(fault)) => {
                    // say why before hanging up
                    let ending = refusal(&self.server, types::BATCH, &fault);
                    self.end(self.outbox(), ending).await?;
                    return Err(fault.into());
                }
                Err(Over::Full) => {
                    self.end(self.outbox(), exhausted(&self.server)).await?;
                    return Err(Over::Full);
                }
                Err(over) => return Err(over),
            };
            if message.kind == types::ATTENTION {
                // the request it was meant for has been answered already
                self.acknowledge().await?;
                continue;
            }
            self.running = message.body.len();
            let ending = match Request::read(&message) {
                Ok(request) => {
                    let reset = message.reset;
                    drop(message);
                    self.run(request, reset).await?
                }
                Err(fault) => {
                    let ending = refusal(&self.server, message.kind, &fault);
                    let fatal = ending.fatal;
                    self.end(self.outbox(), ending).await?;
                    fatal
                }
            };
            self.running = 0;
            if ending {
                self.writing.shutdown().await?;
                return Ok(());
            }
        }
    }

    fn outbox(&self) -> Outbox {
        Outbox::new(types::ANSWER, self.number, self.packet_bytes)
    }

    /// The next message; losing this future loses no bytes.
    async fn receive(&mut self) -> Result<Message, Over> {
        loop {
            if let Some(message) = self.inbox.next()? {
                return Ok(message);
            }
            let unread = self.inbox.unread();
            unread.reserve(usize::from(DEFAULT_BYTES));
            if self.reading.read_buf(unread).await? == 0 {
                return Err(Over::HungUp);
            }
            if !self.share.hold(self.inbox.bytes() + self.running) {
                return Err(Over::Full);
            }
        }
    }

    /// Runs a request and carries its answer; whether the server hangs up after it.
    async fn run(&mut self, request: Request, reset: bool) -> Result<bool, Over> {
        let Some(mut session) = self.session.take() else { return Err(Over::Lost) };
        let (sender, mut chunks) = mpsc::channel(CHUNKS);
        let stop = StopOnDrop(Stop::default());
        let flag = stop.0.clone();
        let task = tokio::task::spawn_blocking(move || {
            let ending = session.run(&request, reset, &sender, &flag);
            (session, ending)
        });
        let mut outbox = self.outbox();
        let mut attention = false;
        loop {
            tokio::select! {
                chunk = chunks.recv() => {
                    let Some(chunk) = chunk else { break };
                    let mut bytes = outbox.push(&chunk.tokens);
                    if chunk.at_once {
                        bytes.extend(outbox.flush());
                    }
                    self.write(&bytes).await?;
                }
                message = self.receive(), if !attention => {
                    if message?.kind != types::ATTENTION {
                        return Err(Fault::Malformed("a request comes while another one runs").into());
                    }
                    attention = true;
                    stop.0.set();
                }
            }
        }
        let ending = match task.await {
            Ok((session, ending)) => {
                self.session = Some(session);
                ending
            }
            // the session went down with its statement
            Err(_) => failure(&self.server),
        };
        let fatal = ending.fatal;
        self.end(outbox, ending).await?;
        if attention {
            self.acknowledge().await?;
        }
        Ok(fatal)
    }

    /// Sends the last tokens of an answer.
    async fn end(&mut self, mut outbox: Outbox, ending: Ending) -> Result<(), Over> {
        let mut bytes = outbox.push(&ending.tokens);
        bytes.extend(outbox.end());
        self.write(&bytes).await
    }

    /// The answer to an attention is a message of its own, as servers send it: tiberius 0.13 looks for it in
    /// the message before and gives the connection up, tedious looks for it only here.
    async fn acknowledge(&mut self) -> Result<(), Over> {
        let mut tokens = Vec::new();
        token::done(&mut tokens, token::DONE, token::ATTENTION, token::ATTENTION_COMMAND, 0);
        self.end(self.outbox(), Ending { tokens, fatal: false }).await
    }

    /// Sends; a client that reads nothing for long is given up, its statement with it.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Over> {
        open(&mut self.door).await;
        let sending = send(&mut self.writing, bytes);
        Ok(tokio::time::timeout(self.patience, sending).await.map_err(|_| Over::Stalled)??)
    }
}

/// Whoever gives up waiting for a statement stops it.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}
