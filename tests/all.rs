//! One integration-test binary: one link, shared set-up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed; what it says then is the line it stands on"
)]

mod architecture;
mod cli;
mod engine;
mod program;
mod pty;
mod record;
mod screens;
mod server;
mod walks;
