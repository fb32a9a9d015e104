//! Analyses about clocks.

pub mod skew;
