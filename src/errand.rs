//! Runs what the engine owes, on tokio, and posts what comes home.
//!
//! Does not know what answers mean; never starts the same action twice.
