//! One request of a session, run where it may block, its answer handed out in chunks.
//!
//! Does not do I/O; `connection` carries the chunks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use super::bytes::Fault;
use super::login::Protocol;
use super::packet::{Message, types};
use super::reply::{FATAL_CLASS, Reply, Shape};
use super::request::{self, Begin, Transaction};
use super::rpc::{self, Call};
use super::token;
use crate::sandbox::answer::{self, Conversation, Kept, Part, Sink, Stopped};

/// Tokens are handed out when so many bytes wait.
const CHUNK_BYTES: usize = 8 * 1024;

/// What a client wants done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    Batch(String),
    Calls(Vec<Call>),
    Transaction(Transaction),
}

impl Request {
    pub(super) fn read(message: &Message) -> Result<Self, Fault> {
        match message.kind {
            types::BATCH => request::batch(&message.body).map(Self::Batch),
            types::RPC => rpc::calls(&message.body).map(Self::Calls),
            types::TRANSACTION => request::transaction(&message.body).map(Self::Transaction),
            0x07 => Err(Fault::NotModelled("bulk load".into())),
            0x02 => Err(Fault::NotModelled("a login of TDS 4".into())),
            0x08 | 0x11 => Err(Fault::NotModelled("Windows and federated logins".into())),
            _ => Err(Fault::Malformed("a packet has an unknown type")),
        }
    }
}

/// Says to a running statement that nobody wants the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Some of an answer's tokens, or a piece of a long one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) tokens: Vec<u8>,
    /// The client is to see them now: a message about progress.
    pub(super) at_once: bool,
}

/// How an answer ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Its last tokens.
    pub(super) tokens: Vec<u8>,
    /// The server hangs up after them.
    pub(super) fatal: bool,
}

/// A session between requests.
pub(super) struct Session {
    pub(super) conversation: Box<dyn Conversation>,
    /// The server's name, for messages.
    pub(super) server: String,
    pub(super) protocol: Protocol,
}

impl Session {
    /// Runs a request; blocks as long as it takes.
    pub(super) fn run(
        &mut self,
        request: &Request,
        reset: bool,
        chunks: &mpsc::Sender<Chunk>,
        stop: &Stop,
    ) -> Ending {
        let mut ending = Ending { tokens: Vec::new(), fatal: false };
        if reset {
            self.conversation.reset();
            token::reset(&mut ending.tokens);
        }
        match request {
            Request::Batch(sql) => self.answer(Shape::Batch, chunks, stop, &mut ending, |session, sink| {
                session.batch(sql, sink);
            }),
            Request::Calls(calls) => {
                for (number, call) in calls.iter().enumerate() {
                    let more = number + 1 < calls.len();
                    let shape = Shape::Call { parameters: &call.parameters, more };
                    self.answer(shape, chunks, stop, &mut ending, |session, sink| {
                        if is_reset(&call.procedure) {
                            session.reset();
                        } else {
                            session.rpc(&call.procedure, &call.parameters, sink);
                        }
                    });
                    if stop.is_set() || ending.fatal {
                        break;
                    }
                }
            }
            Request::Transaction(request) => {
                self.answer(Shape::Batch, chunks, stop, &mut ending, |session, sink| {
                    let begins = match request {
                        Transaction::Begin(begin) => Some(begin),
                        Transaction::Commit { again } => {
                            session.commit(sink);
                            again.as_ref()
                        }
                        Transaction::Rollback { name, again } => {
                            if name.is_empty() {
                                session.rollback(sink);
                            } else {
                                session.batch(&format!("ROLLBACK TRANSACTION {}", quoted(name)), sink);
                            }
                            again.as_ref()
                        }
                        Transaction::Save(name) => {
                            session.batch(&format!("SAVE TRANSACTION {}", quoted(name)), sink);
                            None
                        }
                    };
                    if let Some(begin) = begins {
                        begin_transaction(session, begin, sink);
                    }
                });
            }
        }
        ending
    }

    /// Answers one statement or call, after what `ending` still holds of the one before.
    fn answer(
        &mut self,
        shape: Shape<'_>,
        chunks: &mpsc::Sender<Chunk>,
        stop: &Stop,
        ending: &mut Ending,
        work: impl FnOnce(&mut dyn Conversation, &mut dyn Sink),
    ) {
        let before = std::mem::take(&mut ending.tokens);
        let mut wire = Wire { reply: Reply::new(&self.server, self.protocol, shape), before, chunks, stop };
        work(&mut *self.conversation, &mut wire);
        if stop.is_set() {
            wire.reply.stop();
        } else {
            wire.reply.finish();
        }
        ending.fatal = wire.reply.is_fatal();
        ending.tokens = wire.take();
    }
}

fn begin_transaction(session: &mut dyn Conversation, begin: &Begin, sink: &mut dyn Sink) {
    if let Some(level) = begin.isolation {
        // says nothing of its own; what it could refuse, it must not hide
        let mut kept = Kept::default();
        session.batch(&format!("SET TRANSACTION ISOLATION LEVEL {level}"), &mut kept);
        if let Some(error) = kept.0.into_iter().find(|part| matches!(part, Part::Error(_))) {
            let _ = sink.put(error);
            return;
        }
    }
    if begin.name.is_empty() {
        session.begin(sink);
    } else {
        session.batch(&format!("BEGIN TRANSACTION {}", quoted(&begin.name)), sink);
    }
}

/// A name as T-SQL reads it.
fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// What python-tds calls to reset a pooled connection, where others set a bit of the packet.
fn is_reset(procedure: &str) -> bool {
    let name = procedure.rsplit('.').next().unwrap_or_default().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("sp_reset_connection")
}

/// The sink a statement writes to.
struct Wire<'a> {
    reply: Reply<'a>,
    /// Tokens older than the reply's.
    before: Vec<u8>,
    chunks: &'a mpsc::Sender<Chunk>,
    stop: &'a Stop,
}

impl Wire<'_> {
    fn take(&mut self) -> Vec<u8> {
        let mut tokens = std::mem::take(&mut self.before);
        tokens.extend(self.reply.take());
        tokens
    }
}

impl Sink for Wire<'_> {
    fn put(&mut self, part: Part) -> Result<(), Stopped> {
        if self.stop.is_set() {
            // a cancelled request may still have changed the session
            let _ = self.reply.put_environment(&part);
            return Err(Stopped);
        }
        let at_once = matches!(part, Part::Info(_));
        self.reply.put(part).map_err(|_| Stopped)?;
        if at_once || self.reply.waiting() >= CHUNK_BYTES {
            // a long cell goes out in pieces, so that what waits for a slow reader is bounded in bytes, too;
            // once begun, all of them go: what follows must come after whole tokens
            let tokens = self.take();
            let mut pieces = tokens.chunks(CHUNK_BYTES).peekable();
            while let Some(piece) = pieces.next() {
                let at_once = at_once && pieces.peek().is_none();
                if self.chunks.blocking_send(Chunk { tokens: piece.to_vec(), at_once }).is_err() {
                    self.stop.set();
                    return Err(Stopped);
                }
            }
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.stop.is_set() || self.reply.is_broken()
    }
}

/// The tokens that refuse a request.
pub(super) fn refusal(server: &str, kind: u8, fault: &Fault) -> Ending {
    let message = match fault {
        Fault::NotModelled(what) => answer::Message::not_modelled(what),
        Fault::Malformed(why) => {
            let text = format!("The incoming tabular data stream (TDS) protocol stream is incorrect: {why}.");
            answer::Message { class: FATAL_CLASS, ..answer::Message::error(4002, text) }
        }
    };
    refused(server, if kind == types::RPC { token::DONE_PROCEDURE } else { token::DONE }, &message)
}

/// The tokens that end a session whose statement the sandbox could not carry through.
pub(super) fn failure(server: &str) -> Ending {
    let message = answer::Message::not_modelled("the simulated session failed at this statement and is over");
    refused(server, token::DONE, &answer::Message { class: FATAL_CLASS, ..message })
}

/// The tokens that end a session for which there is no memory left.
pub(super) fn exhausted(server: &str) -> Ending {
    let text = "There is insufficient system memory in resource pool 'default' to run this query.";
    let message = answer::Message { class: FATAL_CLASS, ..answer::Message::error(701, text) };
    refused(server, token::DONE, &message)
}

fn refused(server: &str, done: u8, message: &answer::Message) -> Ending {
    let mut tokens = Vec::new();
    token::error(&mut tokens, message, server);
    token::done(&mut tokens, done, token::ERROR, 0, 0);
    Ending { tokens, fatal: message.class >= FATAL_CLASS }
}
