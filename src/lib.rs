#![doc = include_str!("ARCHITECTURE.md")]

// floor 0: words
pub mod clock;
pub mod diagnostic;
pub mod limits;
pub mod text;
pub mod yaml;

// floor 1: the domain, pure
pub mod analysis;
pub mod check;
pub mod engine;
pub mod estate;
pub mod reading;
pub mod runbook;
pub mod sql;

// floor 2: edges
pub mod config;
pub mod export;
pub mod library;
pub mod locale;
pub mod record;
pub mod server;

// floor 3: outside world
pub mod sandbox;

// floor 4: shells
pub mod cli;
pub mod desk;
pub mod drive;
pub mod errand;
pub mod headless;
pub mod plain;
pub mod tui;
