//! Who may stay in a database: KILL, and the access modes of ALTER DATABASE that send others away.
//!
//! A session that was sent away finds out with its next word. Does not know the wire.

use super::{Call, Done, info};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::world::Ending;
use crate::sandbox::world::server::views;

/// What ALTER DATABASE says about those who are in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Termination {
    /// Nothing: it waits for them.
    Wait,
    NoWait,
    Immediate,
    After,
}

impl Call<'_> {
    pub(super) fn kill(&mut self, session: i64) -> Done {
        if !self.granted("ALTER ANY CONNECTION") {
            return Err(vec![Message {
                class: 14,
                ..Message::error(6102, "User does not have permission to use the KILL statement.")
            }]);
        }
        if session == i64::from(self.who.session_id) {
            return Err(vec![Message::error(6104, "Cannot use KILL to kill your own process.")]);
        }
        if (1..=50).contains(&session) {
            return Err(vec![Message::error(6107, "Only user processes can be killed.")]);
        }
        if let Some(id) = self
            .state
            .sessions
            .iter()
            .find(|x| x.server == self.s && i64::from(x.id) == session)
            .map(|x| x.id)
        {
            self.send_away(id);
            return Ok(());
        }
        let killed = self
            .server()
            .agent
            .jobs
            .iter()
            .position(|j| j.run.is_some() && self.job_session(j) == Some(session));
        let Some(j) = killed else {
            let text = format!("Process ID {session} is not an active process ID.");
            return Err(vec![Message::error(6106, text)]);
        };
        let (s, now) = (self.s, self.now);
        self.state.end_run(s, j, now, &Ending::Failed, "The session was killed.");
        self.state.dirty = true;
        Ok(())
    }

    fn job_session(&self, job: &crate::sandbox::world::agent::Job) -> Option<i64> {
        let n = self.server().agent.jobs.iter().position(|j| j.id == job.id)?;
        Some(views::AGENT_SESSIONS + n as i64)
    }

    /// Ends a session: its transaction is rolled back, what it runs is broken off.
    fn send_away(&mut self, id: i16) {
        let s = self.s;
        if let Some(session) = self.state.sessions.iter_mut().find(|x| x.server == s && x.id == id) {
            session.killed = true;
        }
        self.roll_back(id);
        self.state.dirty = true;
    }

    /// The other sessions in a database.
    pub(in crate::sandbox::world::server) fn others_in(&self, database: &str) -> Vec<i16> {
        let me = self.who.session_id;
        let number = self.server().database(database).map(|d| d.id);
        // A transaction holds the database it has changed, wherever its session is.
        let holds = |id: i16| {
            let open = self.server().transactions.of_session(id);
            open.zip(number).is_some_and(|(t, n)| t.parts.contains_key(&n))
        };
        let here = |x: &&crate::sandbox::world::state::Session| {
            let there = x.database.eq_ignore_ascii_case(database) || holds(x.id);
            x.server == self.s && x.id != me && !x.killed && there
        };
        self.state.sessions.iter().filter(here).map(|x| x.id).collect()
    }

    /// Whether BizTalk's connections are in it.
    pub(super) fn biztalk_in(&self, database: &str) -> bool {
        self.state.biztalk_works_on(self.s)
            && self.server().database(database).is_some_and(|d| {
                d.user_access == 0
                    && d.state == crate::sandbox::world::state::DbState::Online
                    && self.state.biztalk_uses(&d.role)
            })
    }

    /// Makes the database free of others, as the statement says; `false` = it has to wait for them.
    pub(super) fn clear(
        &mut self,
        database: &str,
        termination: Termination,
        parts: &mut Kept,
    ) -> Result<bool, Message> {
        let others = self.others_in(database);
        let biztalk = self.biztalk_in(database);
        if others.is_empty() && !biztalk {
            return Ok(true);
        }
        match termination {
            Termination::NoWait => Err(Message::error(
                5070,
                format!(
                    "Database state cannot be changed while other users are using the database '{database}'"
                ),
            )),
            Termination::Wait | Termination::After => Ok(false),
            Termination::Immediate => {
                let open = others.iter().any(|id| self.server().transactions.of_session(*id).is_some());
                for id in others {
                    self.send_away(id);
                }
                if open {
                    for percent in [0, 100] {
                        info(
                            parts,
                            5060,
                            format!(
                                "Nonqualified transactions are being rolled back. Estimated rollback completion: {percent}%."
                            ),
                        );
                    }
                }
                Ok(true)
            }
        }
    }
}
