//! An estate of simulated SQL Servers on 127.0.0.1, reached only over TCP.
//!
//! ```text
//! tds    packets, login, tokens, TLS      knows bytes, not SQL
//! tsql   lexer, parser, evaluator         knows SQL, not what a BizTalk estate is
//! world  databases, backups, jobs, time   knows the estate, not who asks
//! fault  what can go wrong, by name
//! serving  a world on its ports
//! ```
//!
//! The three parts meet in [`host`] (tsql asks world) and [`answer`] (tsql tells tds).
//! Nothing here is shared with the rest of the program but floor 0: the sandbox is a stranger on a socket.

pub mod answer;
mod archive;
pub mod fault;
mod hidden;
pub mod host;
pub mod tds;
pub mod tsql;
pub mod value;
pub mod world;

mod serving;

pub use hidden::Hidden;
pub use serving::{
    Running, Served, Wanted, check_world, faults, hidden_beside, password_in, reopen, reopen_on, save, start,
    unpack, worlds,
};
