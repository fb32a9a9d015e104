//! The command line: exact words and exit codes where they are a promise, and never a panic.

mod files;
mod records;
mod sandbox;
mod words;
