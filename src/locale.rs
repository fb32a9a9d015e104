//! Words: the phrases of the screens, findings and refusals, per language.
//!
//! Does not choose the language; that is an argument.

use crate::check::Finding;
use crate::engine::Refusal;
use crate::text::Language;

/// Every phrase in one language.
#[derive(Debug)]
pub struct Words {}

impl Words {
    /// The phrases of a language, checked once.
    pub fn of(_language: Language) -> &'static Self {
        todo!()
    }
    /// A finding as a sentence; an unknown code shows itself with its data.
    pub fn finding(&self, _finding: &Finding) -> String {
        todo!()
    }
    /// A refusal as a sentence that says what to do.
    pub fn refusal(&self, _refusal: &Refusal) -> String {
        todo!()
    }
}
