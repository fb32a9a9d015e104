//! The document as JSON.

use super::{Document, Export, Trouble};

/// The document of a drill, indented, with a newline at its end.
pub fn json(export: &Export<'_>) -> Result<Vec<u8>, Trouble> {
    let mut bytes = serde_json::to_vec_pretty(&Document::of(export))?;
    bytes.push(b'\n');
    Ok(bytes)
}
