//! One integration-test binary: one link, shared set-up.

mod engine;
