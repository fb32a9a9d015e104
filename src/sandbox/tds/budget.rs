//! How much memory the requests of all connections of a listener may take together.
//!
//! Does not know what the requests are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Shared by the connections of one listener.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    held: Arc<AtomicUsize>,
    most: usize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self { held: Arc::default(), most }
    }

    /// Nothing of it yet.
    pub(super) fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }
}

/// What one connection holds; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    /// Holds `bytes` from now on; `false` when that is more than there is left, and then as before.
    #[must_use]
    pub(super) fn hold(&mut self, bytes: usize) -> bool {
        let held = &self.budget.held;
        if bytes <= self.bytes {
            held.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        } else {
            let more = bytes - self.bytes;
            if held.fetch_add(more, Ordering::Relaxed) + more > self.budget.most {
                held.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_hold_more_than_there_is_and_give_it_back() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (budget.share(), budget.share());
        assert!(one.hold(60));
        assert!(!other.hold(41));
        assert!(other.hold(40));
        assert!(one.hold(10), "less than before");
        assert!(other.hold(90));
        drop(one);
        assert!(other.hold(100));
        drop(other);
        assert!(budget.share().hold(100));
    }
}
