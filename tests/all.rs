//! One integration-test binary: one link, shared set-up.

mod architecture;
mod engine;
mod record;
mod screens;
mod server;
