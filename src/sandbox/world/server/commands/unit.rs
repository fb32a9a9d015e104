//! KILL of a unit of work, the status of a KILL, and DBCC OPENTRAN.
//!
//! Does not know how MS DTC resolves what nobody kills.

use super::{Call, Done, info};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::KillHow;
use crate::sandbox::value::Value;
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::stored::as_int;

impl Call<'_> {
    fn may_kill(&self) -> Done {
        if self.granted("ALTER ANY CONNECTION") {
            return Ok(());
        }
        Err(vec![Message {
            class: 14,
            ..Message::error(6102, "User does not have permission to use the KILL statement.")
        }])
    }

    pub(super) fn kill_unit(&mut self, uow: &str, how: KillHow) -> Done {
        self.may_kill()?;
        let (s, now) = (self.s, self.now);
        let failed = |number, text: String| Err(vec![Message::error(number, text)]);
        let unknown = format!("The distributed transaction with UOW {uow} does not exist.");
        let Ok(unit) = uow.parse::<Guid>() else { return failed(6110, unknown) };
        let found = self.server().transactions.all.iter().find(|t| t.uow == Some(unit));
        let Some(found) = found.map(|t| (t.id, t.session, t.prepared)) else {
            let decided = self.server().dtc.decided.iter().find(|(known, _)| *known == unit).map(|d| d.1);
            let other = match how {
                KillHow::Commit => decided == Some(false),
                KillHow::Rollback => decided == Some(true),
                KillHow::Plain | KillHow::StatusOnly => false,
            };
            if other {
                let text = format!(
                    "Another user has decided a different outcome for the distributed transaction associated with UOW {uow}."
                );
                return failed(6111, text);
            }
            return failed(6110, unknown);
        };
        let (id, session, prepared) = found;
        if how == KillHow::StatusOnly {
            let text = format!(
                "Status report cannot be obtained. Rollback operation for UOW {uow} is not in progress."
            );
            return failed(6121, text);
        }
        if session.is_some() {
            let text = format!(
                "There is a connection associated with the distributed transaction with UOW {uow}. First, kill the connection using KILL SPID syntax."
            );
            return failed(6117, text);
        }
        // Deciding for the coordinator came with 2016.
        if prepared && (how == KillHow::Plain || self.server().year() < 2016) {
            let (number, text) = if self.server().year() < 2016 {
                (
                    6112,
                    format!(
                        "Distributed transaction with UOW {uow} is in prepared state. Only Microsoft Distributed Transaction Coordinator can resolve this transaction. KILL command failed."
                    ),
                )
            } else {
                (
                    6113,
                    format!(
                        "The distributed transaction associated with UOW {uow} is in PREPARE state. Use KILL UOW WITH COMMIT/ROLLBACK syntax to kill the transaction instead."
                    ),
                )
            };
            return failed(number, text);
        }
        if !prepared && how != KillHow::Plain {
            let text = format!(
                "The distributed transaction associated with UOW {uow} is not in PREPARED state. Use KILL UOW to kill the transaction instead."
            );
            return failed(6118, text);
        }
        let commit = how == KillHow::Commit;
        let spid = self.who.session_id;
        let tried = if commit {
            format!("Spid {spid} tried to commit the distributed transaction with UOW {uow}.")
        } else {
            format!(
                "System process ID {spid} tried to terminate the distributed transaction with Unit of Work ID {uow}. This message occurs when the client executes a KILL statement on the distributed transaction."
            )
        };
        self.state.write_error_log(s, &tried);
        if prepared {
            let what = if commit { "commit" } else { "roll back" };
            let text = format!(
                "The distributed transaction with UOW {uow} was forced to {what}. MS DTC became temporarily unavailable and forced heuristic resolution of the transaction. This is an informational message only. No user action is required."
            );
            self.state.write_error_log(s, &text);
        }
        self.state.end_unit(s, id, commit, now);
        Ok(())
    }

    pub(super) fn kill_status(&self, session: i64) -> Done {
        self.may_kill()?;
        let known = self.state.sessions.iter().any(|x| x.server == self.s && i64::from(x.id) == session);
        Err(vec![if known {
            let text = format!(
                "Status report cannot be obtained. Rollback operation for Process ID {session} is not in progress."
            );
            Message::error(6120, text)
        } else {
            Message::error(6106, format!("Process ID {session} is not an active process ID."))
        }])
    }

    /// The oldest transaction that is open in a database.
    pub(super) fn open_tran(&self, arguments: &[Value], options: &[String], parts: &mut Kept) -> Done {
        if let Some(other) = options.iter().find(|o| *o != "NO_INFOMSGS") {
            return Err(vec![Message::not_modelled(format_args!("DBCC OPENTRAN WITH {other}"))]);
        }
        let server = self.server();
        let name = match arguments {
            [] => self.who.database.clone(),
            [Value::Text(name)] => name.clone(),
            [number, ..] => match as_int(number) {
                Some(0) => self.who.database.clone(),
                id => server
                    .databases
                    .iter()
                    .find(|d| Some(i64::from(d.id)) == id)
                    .map_or_else(|| id.unwrap_or_default().to_string(), |d| d.name.clone()),
            },
        };
        let Some(db) = server.database(&name) else {
            let text = format!(
                "Could not locate entry in sysdatabases for database '{name}'. No entry found with that name. Make sure that the name is entered correctly."
            );
            return Err(vec![Message::error(2520, text)]);
        };
        let oldest = db.content.open.0.iter().min_by_key(|(_, t)| t.first);
        let Some((tran, open)) = oldest else {
            info(parts, 7969, "No active open transactions.".into());
            finished(options, parts);
            return Ok(());
        };
        let whole = server.transactions.all.iter().find(|t| t.parts.get(&db.id) == Some(tran));
        let session = whole.and_then(|t| t.session);
        info(parts, 7968, format!("Transaction information for database '{}'.", db.name));
        info(parts, 7970, "\nOldest active transaction:".into());
        let spid = if session.is_none() && whole.is_some_and(|t| t.uow.is_some()) {
            -2
        } else {
            session.unwrap_or(0).into()
        };
        info(parts, 7971, format!("    SPID (server process ID): {spid}"));
        info(parts, 7972, "    UID (user ID) : -1".into());
        let name = open.name.as_deref().unwrap_or("user_transaction");
        info(parts, 7974, format!("    Name          : {name}"));
        let (file, block, slot) = open.first.parts();
        info(parts, 7975, format!("    LSN           : ({file}:{block}:{slot})"));
        let began = server.local(open.began);
        let clock = format!(
            "{}:{:03}{}",
            began.format("%l:%M:%S"),
            began.and_utc().timestamp_subsec_millis(),
            began.format("%p")
        );
        info(parts, 7977, format!("    Start time    : {} {clock}", began.format("%b %e %Y")));
        let user = whole.map_or("", |t| t.user.as_str());
        let sid = server.logins.iter().find(|l| l.name.eq_ignore_ascii_case(user)).map(|l| l.sid.as_slice());
        let sid: String = sid.unwrap_or(&[1]).iter().map(|b| format!("{b:02x}")).collect();
        info(parts, 7979, format!("    SID           : 0x{sid}"));
        finished(options, parts);
        Ok(())
    }
}

fn finished(options: &[String], parts: &mut Kept) {
    if options.is_empty() {
        let text =
            "DBCC execution completed. If DBCC printed error messages, contact your system administrator.";
        info(parts, 2528, text.into());
    }
}
