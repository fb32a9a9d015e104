//! Analyses about SQL Server Agent's jobs.

pub mod jobs_held;
pub mod snapshot;
