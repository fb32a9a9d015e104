//! Checking a record.
