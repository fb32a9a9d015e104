//! The T-SQL front end and evaluator of the sandbox.
//!
//! ```text
//! lexer → parser → ast → binder (names, types) → plan → execute, statement by statement in session
//! ```
//!
//! Knows SQL and nothing of what the tables mean: those are asked of [`super::host::Host`].
//! It executes the text; what it does not model ends in error 59999, never in a guess.

mod ast;
mod binder;
mod compare;
mod convert;
mod evaluate;
mod execute;
mod function;
mod json;
mod lexer;
mod number;
mod parser;
mod plan;
pub mod session;
mod shape;
mod state;
mod types;
mod xml;

#[cfg(test)]
mod tests;
