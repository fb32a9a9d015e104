//! What waits for what: a step that waits for itself, directly or in a round, could never start.
//!
//! Knows ids only.

use std::collections::BTreeMap;

use super::super::{Step, When};
use super::{Path, Reader, at};

impl Reader<'_> {
    /// Reports each round of `needs` (and of answers that `when` waits for) once.
    pub(super) fn cycles(&mut self, steps: &[(Path, Step)]) {
        let index: BTreeMap<&str, usize> =
            steps.iter().enumerate().rev().map(|(n, (_, s))| (s.id.as_str(), n)).collect();
        let waits: Vec<Vec<usize>> = steps
            .iter()
            .map(|(_, s)| {
                let asked = s.when.as_ref().and_then(answered_by);
                s.needs
                    .iter()
                    .map(String::as_str)
                    .chain(asked)
                    .filter_map(|id| index.get(id).copied())
                    .collect()
            })
            .collect();
        // 0 = not seen, 1 = on the way, 2 = done
        let mut state = vec![0_u8; steps.len()];
        for start in 0..steps.len() {
            let mut way: Vec<(usize, usize)> = Vec::new();
            if state[start] == 0 {
                state[start] = 1;
                way.push((start, 0));
            }
            while let Some((node, next)) = way.pop() {
                let Some(&to) = waits[node].get(next) else {
                    state[node] = 2;
                    continue;
                };
                way.push((node, next + 1));
                if state[to] == 0 {
                    state[to] = 1;
                    way.push((to, 0));
                } else if state[to] == 1 {
                    let from = way.iter().position(|(n, _)| *n == to).unwrap_or(0);
                    let mut round: Vec<usize> = way[from..].iter().map(|(n, _)| *n).collect();
                    // Told from its earliest step, which waits for a later one: that need is the odd one.
                    let first = round.iter().enumerate().min_by_key(|(_, n)| **n).map_or(0, |(at, _)| at);
                    round.rotate_left(first);
                    let mut ids: Vec<&str> = round.iter().map(|n| steps[*n].1.id.as_str()).collect();
                    ids.push(ids[0]);
                    self.round(&steps[round[0]], &ids);
                }
            }
        }
    }

    fn round(&mut self, (path, step): &(Path, Step), round: &[&str]) {
        let key = if step.needs.iter().any(|n| Some(n.as_str()) == round.get(1).copied()) {
            "needs"
        } else {
            "when"
        };
        let message = if round.len() == 2 {
            format!("step `{}` waits for itself", step.id)
        } else {
            format!("these steps wait for each other: {}", round.join(" -> "))
        };
        self.wrong(
            &at(path, key),
            "cycle",
            message,
            "no step of the round could ever start: take one need out",
        );
    }
}

/// The step whose answer a condition asks for.
fn answered_by(when: &When) -> Option<&str> {
    match when {
        When::Answer(step, ..) => Some(step),
        When::Not(inner) => answered_by(inner),
        _ => None,
    }
}
