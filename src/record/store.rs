//! The records folder.
