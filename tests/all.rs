//! One integration-test binary: one link, shared set-up.

mod architecture;
mod cli;
mod engine;
mod program;
mod record;
mod screens;
mod server;
