//! What is unwise about a runbook that reads well (to be completed).

use super::Runbook;
use crate::diagnostic::Diagnostic;

/// Every finding of every rule.
pub fn lint(_book: &Runbook, _text: &str, _catalogue: &crate::sql::Catalogue) -> Vec<Diagnostic> {
    Vec::new()
}
