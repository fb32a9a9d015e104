//! TDS 7.4 and 8.0, server side: a [`Server`](super::answer::Server) on a TCP socket.
//!
//! Knows bytes, tokens and TLS; does not know SQL, databases or what a statement means.
//! Section names in the comments are those of MS-TDS.
//!
//! ```text
//! listener      accepts, honours the door           connection    prelogin, TLS, login, requests
//! packet        8-byte headers, joining, splitting  tls           handshake inside packets
//! budget        memory that requests may take
//! prelogin login request rpc                        readers: bytes in, plain values out
//! kind value moment codepage older                  types and values on the wire, both ways
//! token reply                                       writers: parts of an answer in, bytes out
//! ```
//!
//! Not modelled, refused with a message: TDS 7.1 and older, SSPI and federated logins, MARS, bulk load,
//! table-valued parameters, CLR types, distributed transactions, savepoints by TM request.

mod budget;
mod bytes;
mod certificate;
mod codepage;
mod connection;
mod incoming;
mod kind;
mod listener;
mod login;
mod moment;
mod older;
mod packet;
mod prelogin;
mod reply;
mod request;
mod rpc;
mod session;
mod tls;
mod token;
mod value;

pub use certificate::{Certificate, CertificateError};
pub use listener::{Listener, serve};

#[cfg(test)]
mod tests;
