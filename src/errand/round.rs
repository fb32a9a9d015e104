//! A round under way: its questions side by side, and the rhythm in which they are asked again.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use super::{Port, broken};
use crate::clock::Clock;
use crate::drive::{News, Post};
use crate::engine::{Again, Question, Round, RoundKey, Taken};
use crate::reading::{Reading, Trouble, TroubleCode};

/// Real time between two polls, however fast the drill clock runs.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest sleep before the drill clock is looked at again; it may be set while we sleep.
const LOOK: Duration = Duration::from_secs(1);

/// Asks until dropped when the round says `again`, else once.
pub(super) async fn run<P: Port>(round: Round, servers: P, clock: Arc<dyn Clock>, post: Post) {
    let mut poll: u32 = 0;
    loop {
        let started = clock.now();
        let outcomes = ask_all(&round, &servers, &post).await;
        poll = poll.saturating_add(1);
        post(News::Taken(Taken::Round { key: round.key.clone(), outcomes, poll }));
        let Some(again) = round.again else { return };
        tokio::time::sleep(PAUSE).await;
        until(clock.as_ref(), next(started, clock.now(), again)).await;
    }
}

/// When the next poll starts: `every` after the last one started, at once when that took longer; and once exactly at
/// the end, rather than after it.
fn next(started: DateTime<Utc>, now: DateTime<Utc>, again: Again) -> DateTime<Utc> {
    let due = started.checked_add_signed(again.every.delta()).unwrap_or(started).max(now);
    if now < again.until { due.min(again.until) } else { due }
}

/// Sleeps until the drill clock says `at`.
pub(super) async fn until(clock: &dyn Clock, at: DateTime<Utc>) {
    loop {
        let left = Duration::from_millis(clock.real_ms_until(at));
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LOOK)).await;
    }
}

type Outcome = (crate::engine::QuestionRef, Result<Reading, Trouble>);

/// Every question once, side by side; outcomes in the order of the questions.
async fn ask_all<P: Port>(round: &Round, servers: &P, post: &Post) -> Vec<Outcome> {
    let mut got: Vec<Option<Result<Reading, Trouble>>> = vec![None; round.questions.len()];
    let mut under_way = JoinSet::new();
    let mut who = std::collections::HashMap::new();
    for (i, question) in round.questions.iter().enumerate() {
        if let Err(trouble) = &question.with {
            // never sent: the trouble is the answer
            progress(&round.key, question, &Err(trouble.clone()), post);
            got[i] = Some(Err(trouble.clone()));
            continue;
        }
        let (servers, question) = (servers.clone(), question.clone());
        let task = under_way.spawn(async move { servers.ask(&question).await });
        who.insert(task.id(), i);
    }
    while let Some(done) = under_way.join_next_with_id().await {
        let (id, outcome) = match done {
            Ok((id, outcome)) => (id, outcome),
            Err(e) => (e.id(), Err(broken(&e))),
        };
        if let Some(i) = who.get(&id) {
            progress(&round.key, &round.questions[*i], &outcome, post);
            got[*i] = Some(outcome);
        }
    }
    round
        .questions
        .iter()
        .zip(got)
        .map(|(question, outcome)| {
            let none = || Err(Trouble::new(TroubleCode::Other, "no answer was kept"));
            (question.reference.clone(), outcome.unwrap_or_else(none))
        })
        .collect()
}

fn progress(key: &RoundKey, question: &Question, outcome: &Result<Reading, Trouble>, post: &Post) {
    let outcome = match outcome {
        Ok(reading) => Ok(reading.row_count),
        Err(trouble) => Err(trouble.to_string()),
    };
    post(News::Progress { key: key.clone(), question: question.reference.clone(), outcome });
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::clock::Span;

    #[test]
    fn the_rhythm_counts_from_start_to_start_and_ends_at_the_end() {
        let zero = DateTime::UNIX_EPOCH;
        let at = |s: i64| zero + TimeDelta::seconds(s);
        let again = Again { every: Span::seconds(60), until: at(90) };
        assert_eq!(next(at(0), at(5), again), at(60), "a minute after the start");
        assert_eq!(next(at(0), at(75), again), at(75), "at once when asking took longer");
        assert_eq!(next(at(60), at(61), again), at(90), "at the end, not after it");
        assert_eq!(next(at(90), at(91), again), at(150), "the engine says when to stop");
    }
}
