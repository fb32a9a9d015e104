//! The files that ship inside the program. Made by `UPDATE=1 cargo test --lib library`; a test keeps it current.
//!
//! Does not know what is in them.

/// A path and its text.
type File = (&'static str, &'static str);

#[rustfmt::skip]
pub(super) const SQL: &[File] = &[
];

#[rustfmt::skip]
pub(super) const RUNBOOKS: &[File] = &[
];

#[rustfmt::skip]
pub(super) const WORLDS: &[File] = &[
];
