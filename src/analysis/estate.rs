//! Analyses about the estate as a whole.

pub mod servers_answer;
