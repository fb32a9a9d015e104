//! T-SQL steps: their text is executed, by the same evaluator that answers clients.
//!
//! The world is taken aside while a statement runs: nobody else sees it half done. What a step does happens
//! at one moment; WAITFOR in it makes the step last longer, not its statements happen later.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Beat, Next};
use crate::sandbox::answer::{Message, Part, Sink, Stopped};
use crate::sandbox::host::{Context, Host};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::world::Shared;
use crate::sandbox::world::agent::run::spoken;
use crate::sandbox::world::server::{AGENT_SESSIONS, SimulatedServer};
use crate::sandbox::world::state::State;
use crate::sandbox::world::stored::agent_date;

/// What a step said is kept up to so many messages: history holds 4000 characters.
const MESSAGES: usize = 60;

/// Keeps what history keeps: messages, no rows.
#[derive(Default)]
struct Told(Vec<Message>);

impl Sink for Told {
    fn put(&mut self, part: Part) -> Result<(), Stopped> {
        if let Part::Info(message) | Part::Error(message) = part
            && self.0.len() < MESSAGES
            && !matches!(message.number, 5701 | 5703)
        {
            self.0.push(message);
        }
        Ok(())
    }
    fn stopped(&self) -> bool {
        false
    }
}

impl State {
    /// Carries a T-SQL step on: a moment to connect, then its text, then as long as it waited.
    pub(super) fn tsql_step(&mut self, s: usize, j: usize, n: usize, beat: Beat, now: DateTime<Utc>) -> Next {
        match beat {
            Beat::Begin => return Next::later(self.dice.between(80, 900), Beat::End),
            Beat::Over { said, failed: true } => return Next::Failed(read(&said)),
            Beat::Over { said, failed: false } => return Next::Done(told(&read(&said))),
            _ => {}
        }
        let Some((context, batches)) = self.step_session(s, j, n, now) else {
            return Next::Done(String::new());
        };
        let batches = match batches {
            Ok(batches) => batches,
            Err(why) => return unstarted(n, &why),
        };
        // A step that runs into a lock has not happened yet: it begins again when the lock may be gone.
        let before = self.servers.iter().any(|s| !s.locks.granted.is_empty()).then(|| self.clone());
        let mut blocked = false;
        let (all, waited) = self.aside(now, |shared| {
            let host: Arc<dyn Host> = Arc::new(SimulatedServer::new(Arc::clone(&shared), s));
            let mut session = Endpoint::new(host).converse(context);
            let mut sink = Told::default();
            for batch in &batches {
                session.batch(batch, &mut sink);
                if shared.was_blocked() || sink.0.iter().any(|m| m.class > 10) {
                    break;
                }
            }
            drop(session);
            blocked = shared.was_blocked();
            sink.0
        });
        if blocked && let Some(before) = before {
            *self = before;
            return Next::later(1000, Beat::End);
        }
        let all = all.unwrap_or_else(|| vec![Message::not_modelled("a statement of this step")]);
        let failed = all.iter().any(|m| m.class > 10);
        match i64::try_from(waited) {
            Ok(ms @ 1..) => Next::later(ms.min(40 * 86_400_000), Beat::Over { said: written(&all), failed }),
            _ if failed => Next::Failed(all),
            _ => Next::Done(told(&all)),
        }
    }

    /// Executes a text on a server as the agent's account does; `Err` = what it said, where that holds an error.
    pub(crate) fn run_script(
        &mut self,
        s: usize,
        database: &str,
        sql: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Vec<Message>> {
        let server = &self.servers[s];
        let context = Context {
            session_id: i16::try_from(AGENT_SESSIONS - 1).unwrap_or(i16::MAX),
            login: server.agent_account.clone(),
            application: "SQLAgent - Job Manager".into(),
            workstation: server.machine().to_owned(),
            database: database.to_owned(),
            sysadmin: true,
            ..Context::default()
        };
        let (all, _) = self.aside(now, |shared| {
            let host: Arc<dyn Host> = Arc::new(SimulatedServer::new(shared, s));
            let mut sink = Told::default();
            Endpoint::new(host).converse(context).batch(sql, &mut sink);
            sink.0
        });
        let all = all.unwrap_or_else(|| vec![Message::not_modelled("a statement of the agent's")]);
        if all.iter().any(|m| m.class > 10) { Err(all) } else { Ok(()) }
    }

    /// Runs something on this world as its servers see it; None when it broke.
    pub(super) fn aside<T>(
        &mut self,
        now: DateTime<Utc>,
        run: impl FnOnce(Arc<Shared>) -> T,
    ) -> (Option<T>, u64) {
        let shared = Arc::new(Shared::aside(std::mem::take(self), now));
        let inner = Arc::clone(&shared);
        let done = catch_unwind(AssertUnwindSafe(move || run(inner))).ok();
        let (state, waited) = shared.back();
        *self = state;
        (done, waited)
    }

    /// Who runs a step, and its text in batches.
    #[allow(clippy::type_complexity, reason = "two things and why the second cannot be had")]
    fn step_session(
        &self,
        s: usize,
        j: usize,
        n: usize,
        now: DateTime<Utc>,
    ) -> Option<(Context, Result<Vec<String>, String>)> {
        let server = &self.servers[s];
        let job = server.agent.jobs.get(j)?;
        let step = job.steps.get(n - 1)?;
        let login = |name: &str| server.logins.iter().find(|l| l.name.eq_ignore_ascii_case(name));
        let above = login(&job.owner).is_none_or(|l| l.sysadmin);
        let id: String = job.id.to_string().chars().filter(|c| *c != '-').collect();
        let context = Context {
            session_id: i16::try_from(AGENT_SESSIONS + j as i64).unwrap_or(i16::MAX),
            login: if above { server.agent_account.clone() } else { job.owner.clone() },
            application: format!("SQLAgent - TSQL JobStep (Job 0x{id} : Step {n})"),
            workstation: server.machine().to_owned(),
            database: step.database.clone(),
            sysadmin: above,
            ..Context::default()
        };
        let local = server.local(now);
        let started = job.run.as_ref().map_or(local, |r| server.local(r.started));
        let instance = server.name.split_once('\\').map_or("", |x| x.1);
        let value = |token: &str| {
            Some(match token {
                "SRVR" => server.name.clone(),
                "MACH" => server.machine().to_owned(),
                "INST" => instance.to_owned(),
                "JOBID" => format!("0x{id}"),
                "JOBNAME" => job.name.clone(),
                "STEPID" => n.to_string(),
                "STEPNAME" => step.name.clone(),
                "DATE" => agent_date(local).0.to_string(),
                "TIME" => format!("{:06}", agent_date(local).1),
                "STRTDT" => agent_date(started).0.to_string(),
                "STRTTM" => format!("{:06}", agent_date(started).1),
                _ => return None,
            })
        };
        Some((context, tokens(&step.command, value).map(|text| batches(&text))))
    }
}

/// A step that the agent cannot even start.
pub(super) fn unstarted(step: usize, why: &str) -> Next {
    Next::Failed(vec![Message::error(0, format!("Unable to start execution of step {step} (reason: {why})"))])
}

/// What history says of a step that went well.
fn told(all: &[Message]) -> String {
    if all.is_empty() { String::new() } else { format!("{}.", spoken(all)) }
}

fn written(all: &[Message]) -> String {
    let parts: Vec<_> = all.iter().map(|m| (m.number, m.class, &m.text)).collect();
    serde_json::to_string(&parts).unwrap_or_default()
}

fn read(written: &str) -> Vec<Message> {
    let parts: Vec<(i32, u8, String)> = serde_json::from_str(written).unwrap_or_default();
    parts.into_iter().map(|(number, class, text)| Message { class, ..Message::error(number, text) }).collect()
}

/// The batches of a text: GO alone on a line parts them.
fn batches(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.lines() {
        if line.trim().eq_ignore_ascii_case("go") {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    all.retain(|b| !b.trim().is_empty());
    all
}

/// Puts the agent's tokens in: `$(ESCAPE_SQUOTE(SRVR))`. Without such a macro a token makes a step fail.
fn tokens(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$(ESCAPE_") {
        let close = after.split_once('(').and_then(|(how, r)| r.split_once("))").map(|(t, r)| (how, t, r)));
        let Some((how, token, tail)) = close else {
            return Err(format!("The token $(ESCAPE_{after} does not end"));
        };
        let found = value(token).ok_or_else(|| format!("not modelled: the token {token}"))?;
        out.push_str(before);
        out.push_str(&match how {
            "SQUOTE" => found.replace('\'', "''"),
            "DQUOTE" => found.replace('"', "\"\""),
            "RBRACKET" => found.replace(']', "]]"),
            _ => found,
        });
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_parts_batches_and_tokens_are_put_in() {
        assert_eq!(batches("select 1\nGO\n\n go \nselect 2"), ["select 1\n", "select 2\n"]);
        let value = |t: &str| (t == "SRVR").then(|| "O'HARE]".to_owned());
        assert_eq!(tokens("print '$(ESCAPE_SQUOTE(SRVR))'", value).unwrap(), "print 'O''HARE]'");
        assert_eq!(tokens("use [$(ESCAPE_RBRACKET(SRVR))]", value).unwrap(), "use [O'HARE]]]");
        assert!(tokens("$(ESCAPE_NONE(WHAT))", value).unwrap_err().contains("WHAT"));
        assert_eq!(tokens("plain", value).unwrap(), "plain");
    }
}
