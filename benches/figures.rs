//! Durations as figures: minimum, median, 99th percentile. Shared by the benches.

use std::time::Duration;

/// What was measured, over and over.
pub(crate) struct Figures {
    sorted: Vec<Duration>,
}

impl Figures {
    pub(crate) fn of(mut all: Vec<Duration>) -> Self {
        assert!(!all.is_empty(), "nothing was measured");
        all.sort();
        Self { sorted: all }
    }

    /// The value below which this share of the measurements lies.
    fn at(&self, share: f64) -> Duration {
        let last = self.sorted.len() - 1;
        self.sorted[(last as f64 * share).round() as usize]
    }

    pub(crate) fn median(&self) -> Duration {
        self.at(0.5)
    }

    pub(crate) fn print(&self, what: &str) {
        println!(
            "{what:<58} min {:>9}  median {:>9}  p99 {:>9}  ({} times)",
            shown(self.at(0.0)),
            shown(self.median()),
            shown(self.at(0.99)),
            self.sorted.len()
        );
    }
}

fn shown(took: Duration) -> String {
    let us = took.as_secs_f64() * 1e6;
    if us < 1000.0 { format!("{us:.0} us") } else { format!("{:.2} ms", us / 1000.0) }
}
