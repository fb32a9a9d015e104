//! Analyses about backups and what was restored of them.

pub mod chain;
pub mod foreign_backups;
pub mod one_mark;
