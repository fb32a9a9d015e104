//! BizTalk's procedures that people call, and the sandbox's own that play what is outside SQL Server.

use super::{Arguments, send};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::Change;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Table, Value};
use crate::sandbox::world::biztalk::HISTORY;
use crate::sandbox::world::ids::{Guid, sid};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::state::{DbState, Login, User};
use crate::sandbox::world::stored::{as_int, as_text, bit, text};

pub(super) fn run(
    call: &mut Call<'_>,
    d: usize,
    name: &str,
    given: &Arguments<'_>,
    parts: &mut Kept,
) -> Outcome<i32> {
    let database = call.server().databases[d].name.clone();
    call.only_sysadmin(name, &database)?;
    let now = call.now;
    match name {
        "sp_forcefullbackup" => {
            let db = &mut call.server_mut().databases[d];
            db.update(now, "adm_BackupSettings", |_, _| true, &[("ForceFull", bit(true))]);
        }
        "sp_setbackupcompression" => {
            let on = given.int("@bCompression", 0) == Some(1);
            let db = &mut call.server_mut().databases[d];
            db.update(now, "adm_BackupSettings", |_, _| true, &[("UseCompression", bit(on))]);
        }
        "sp_getbackuphistory" => {
            if call.state.writing_set(call.s) {
                return Err(Message::not_modelled("sp_GetBackupHistory waiting for BTS_BackupJob_Lock"));
            }
            let after = given.int("@LastBackupSetId", 0).unwrap_or(0);
            if let Some(history) = call.server().databases[d].content.tables.get(&HISTORY.to_lowercase()) {
                let rows = history
                    .table
                    .rows
                    .iter()
                    .filter(|r| as_int(history.cell(r, "BackupSetId")) > Some(after));
                let table = Table { columns: history.table.columns.clone(), rows: rows.cloned().collect() };
                send(table, parts);
            }
        }
        "sp_logshippingclean" => clean(call, given)?,
        "sandbox_clock" => clock(call, given, parts)?,
        "sandbox_coordinator" => coordinator(call, given, parts)?,
        "sandbox_stopbiztalk" => stop_biztalk(call, parts),
        "sandbox_startbiztalk" => start_biztalk(call, parts)?,
        "sandbox_createlogins" => create_logins(call, parts),
        "sandbox_updatedatabase" => update_database(call, given, parts)?,
        _ => at_once(call, &database, name, given, parts)?,
    }
    call.state.dirty = true;
    Ok(0)
}

/// Calls a procedure that a job otherwise carries on beat by beat.
fn at_once(
    call: &mut Call<'_>,
    database: &str,
    name: &str,
    given: &Arguments<'_>,
    parts: &mut Kept,
) -> Outcome<()> {
    let word = |value: &Value| match value {
        Value::Text(t) => t.clone(),
        Value::Int(n) => n.to_string(),
        Value::Bit(b) => i64::from(*b).to_string(),
        _ => "null".to_owned(),
    };
    let words: Vec<(Option<String>, String)> = given.0.iter().map(|(n, v)| (n.clone(), word(v))).collect();
    let known = parameters(name);
    let unknown = |(n, _): &&(Option<String>, String)| {
        n.as_ref().is_some_and(|n| !known.iter().any(|k| k.eq_ignore_ascii_case(n)))
    };
    if let Some((Some(wrong), _)) = words.iter().find(unknown) {
        let text = format!("{wrong} is not a parameter for procedure {name}.");
        return Err(Message { state: 2, procedure: name.into(), ..Message::error(8145, text) });
    }
    let least = match name {
        "sp_backupallfull_schedule" => 3,
        "sp_markall" => 2,
        _ => 0,
    };
    for (n, parameter) in known.iter().take(least).enumerate() {
        let named =
            |(x, _): &(Option<String>, String)| x.as_ref().is_some_and(|x| x.eq_ignore_ascii_case(parameter));
        if !words.iter().any(named) && words.get(n).is_none_or(|(x, _)| x.is_some()) {
            let text = format!(
                "Procedure or function '{name}' expects parameter '{parameter}', which was not supplied."
            );
            return Err(Message { state: 4, procedure: name.into(), ..Message::error(201, text) });
        }
    }
    let (s, now) = (call.s, call.now);
    match call.state.by_hand(s, database, name, &words, now) {
        None => Err(Message::not_modelled(format_args!("a direct call of {name}"))),
        Some(Ok(())) => Ok(()),
        Some(Err(mut all)) => {
            let last = all.pop().unwrap_or_else(|| Message::not_modelled(name));
            for message in all {
                let part = if message.class > 10 { Part::Error(message) } else { Part::Info(message) };
                let _ = parts.put(part);
            }
            call.state.dirty = true;
            Err(last)
        }
    }
}

/// The documented parameters of those procedures, in their order.
fn parameters(name: &str) -> &'static [&'static str] {
    match name {
        "sp_backupallfull_schedule" => &[
            "@Frequency",
            "@MarkName",
            "@BackupPath",
            "@ForceFullBackupAfterPartialSetFailure",
            "@BackupHour",
            "@UseLocalTime",
        ],
        "sp_markall" => &["@MarkName", "@BackupPath", "@UseLocalTime"],
        "sp_deletebackuphistory" => &["@DaysToKeep", "@UseLocalTime"],
        _ => &[],
    }
}

/// Steps the world's clock, or lets it run at another speed (0 = it stands still); then says what it shows.
fn clock(call: &mut Call<'_>, given: &Arguments<'_>, parts: &mut Kept) -> Outcome<()> {
    given.only("sandbox_Clock", &["@step", "@speed"])?;
    let wrong = |why: String| Message {
        procedure: "sandbox_Clock".into(),
        ..Message::error(50_000, format!("Simulated: {why}"))
    };
    if let Some(speed) = given.value("@speed", 1) {
        let speed = match speed {
            Value::Float(x) => *x,
            other => as_text(other)
                .map(str::to_owned)
                .or_else(|| as_int(other).map(|n| n.to_string()))
                .and_then(|t| t.trim().parse().ok())
                .ok_or_else(|| wrong("write the speed as a whole number or a text, such as '0.5'".into()))?,
        };
        call.state.pace_clock(speed).map_err(wrong)?;
    }
    if let Some(step) = given.text("@step", 0) {
        let span = step.parse::<crate::clock::Span>().map_err(wrong)?;
        call.now = call.state.step_clock(span).map_err(wrong)?;
    }
    let shown = crate::clock::iso(call.now);
    say(
        parts,
        format!("Simulated: the clock shows {shown}, {} drill seconds a second.", call.state.clock.speed),
    );
    Ok(())
}

/// The coordinator of a unit of work is there again and says how it ended.
fn coordinator(call: &mut Call<'_>, given: &Arguments<'_>, parts: &mut Kept) -> Outcome<()> {
    given.only("sandbox_Coordinator", &["@uow", "@outcome"])?;
    let wrong = |why: &str| Message {
        procedure: "sandbox_Coordinator".into(),
        ..Message::error(50_000, format!("Simulated: {why}"))
    };
    let uow = given.text("@uow", 0).and_then(|text| text.parse::<Guid>().ok());
    let uow =
        uow.ok_or_else(|| wrong("@uow is the unit of work, as sys.dm_tran_active_transactions tells it"))?;
    let commit = match given.text("@outcome", 1).map(|o| o.to_lowercase()).as_deref() {
        Some("commit") => true,
        Some("abort") => false,
        _ => return Err(wrong("@outcome is commit or abort")),
    };
    call.state.coordinator_says(uow, commit, call.now);
    call.state.dirty = true;
    say(
        parts,
        format!("Simulated: the coordinator of {uow} says {}.", if commit { "commit" } else { "abort" }),
    );
    Ok(())
}

fn say(parts: &mut Kept, words: impl Into<String>) {
    let _ = parts.put(Part::Info(Message { class: 0, ..Message::error(0, words) }));
}

/// Drops every database of a source here and forgets what was restored last.
fn clean(call: &mut Call<'_>, given: &Arguments<'_>) -> Outcome<()> {
    let wrong =
        |text: String| Message { procedure: "sp_LogShippingClean".into(), ..Message::error(50_000, text) };
    let Some(source) = given.text("@nvcSourceID", 0).or_else(|| given.text("@SourceID", 0)) else {
        return Err(Message {
            procedure: "sp_LogShippingClean".into(),
            ..Message::error(
                201,
                "Procedure or function 'sp_LogShippingClean' expects parameter '@SourceID', which was not supplied.",
            )
        });
    };
    let known = call.server().shipping.as_ref().map(|s| s.source_id.clone());
    if known.as_ref().is_none_or(|k| !k.eq_ignore_ascii_case(&source)) {
        return Err(wrong(format!("There is no source '{source}' on this server.")));
    }
    let (s, now) = (call.s, call.now);
    let busy = call.server().agent.jobs.iter().any(|j| {
        j.run.as_ref().is_some_and(|r| r.doing.as_ref().is_some_and(|x| x.command.starts_with("RESTORE")))
    });
    if busy {
        return Err(Message {
            state: 4,
            ..Message::error(3702, "Cannot drop the database because it is currently in use.")
        });
    }
    let shipped = call.state.shipped(s);
    let server = call.server_mut();
    server.databases.retain(|d| !shipped.iter().any(|x| x.eq_ignore_ascii_case(&d.name)));
    if let Some(master) = server.database_mut("master") {
        let table = "bts_logshippinglastrestoreset";
        let gone: Vec<usize> =
            (0..master.content.tables.get(table).map_or(0, |t| t.table.rows.len())).collect();
        master.change(now, table, Change::Delete(gone));
    }
    Ok(())
}

fn stop_biztalk(call: &mut Call<'_>, parts: &mut Kept) {
    if call.state.biztalk_works_on(call.s) {
        call.state.biztalk.connected_to = None;
        call.state.biztalk.also.clear();
        say(parts, "Simulated: all BizTalk host instances, ENTSSO and the Rule Engine are stopped.");
    } else {
        say(parts, "Simulated: no BizTalk computer is connected to this server.");
    }
}

/// The servers that the group's tables here point to.
fn homes(call: &Call<'_>) -> Vec<usize> {
    let mut all = Vec::new();
    let Some(db) = call.server().databases.iter().find(|d| d.role == "management") else { return all };
    for (table, columns) in [
        ("adm_messagebox", &["DBServerName"][..]),
        ("adm_group", &["TrackingDBServerName", "BamDBServerName", "RuleEngineDBServerName"]),
        ("adm_otherbackupdatabases", &["ServerName"]),
    ] {
        let Some(stored) = db.content.tables.get(table) else { continue };
        let names =
            stored.table.rows.iter().flat_map(|row| columns.iter().map(|c| as_text(stored.cell(row, c))));
        for s in names.flatten().filter_map(|name| call.state.server_index(name)) {
            if !all.contains(&s) {
                all.push(s);
            }
        }
    }
    all
}

fn start_biztalk(call: &mut Call<'_>, parts: &mut Kept) -> Outcome<()> {
    let roles: Vec<String> =
        call.state.biztalk.computers.iter().flat_map(|c| c.programs.iter().map(|p| p.1.clone())).collect();
    let homes = homes(call);
    for role in ["management", "messagebox", "sso"].iter().filter(|r| roles.iter().any(|x| x == **r)) {
        let here = |s: &usize| {
            let found = call.state.servers[*s].databases.iter().find(|d| d.role == **role);
            found.map(|d| d.state)
        };
        match here(&call.s).or_else(|| homes.iter().find_map(here)) {
            Some(DbState::Online) => {}
            Some(_) => {
                return Err(Message::error(
                    50_000,
                    format!("Simulated: BizTalk cannot start: the {role} database is not online here."),
                ));
            }
            None => {
                return Err(Message::error(
                    50_000,
                    format!("Simulated: BizTalk cannot start: there is no {role} database here."),
                ));
            }
        }
    }
    // They work where the group's tables send them: unchanged pointers lead back to production.
    let management = |s: &usize| call.state.servers[*s].databases.iter().any(|d| d.role == "management");
    let there = if homes.contains(&call.s) {
        call.s
    } else {
        homes.iter().copied().find(management).or_else(|| homes.first().copied()).unwrap_or(call.s)
    };
    let name = call.state.servers[there].name.clone();
    call.state.biztalk.connected_to = Some(there);
    call.state.biztalk.also = homes.into_iter().filter(|s| *s != there).collect();
    call.state.biztalk.since = Some(call.now);
    say(parts, format!("Simulated: the BizTalk computers run against {name}, as the group's tables say."));
    Ok(())
}

/// Every login that some other server of the estate has and this one lacks.
fn create_logins(call: &mut Call<'_>, parts: &mut Kept) {
    let (s, seed) = (call.s, call.state.seed);
    let local = call.server().local(call.now);
    let others: Vec<Login> = call.state.servers.iter().flat_map(|x| x.logins.iter().cloned()).collect();
    let users: Vec<User> =
        call.server().databases.iter().flat_map(|d| d.content.users.iter().cloned()).collect();
    let server = &mut call.state.servers[s];
    let mut made = 0;
    for login in others {
        if server.logins.iter().any(|l| l.name.eq_ignore_ascii_case(&login.name)) {
            continue;
        }
        let own = users.iter().find(|u| u.name.eq_ignore_ascii_case(&login.name)).and_then(|u| u.sid.clone());
        let id = server.logins.iter().map(|l| l.id).max().unwrap_or(268) + 1;
        server.logins.push(Login {
            id,
            sid: own.unwrap_or_else(|| sid(&login.name, seed)),
            created: local,
            ..login
        });
        made += 1;
    }
    say(parts, format!("Simulated: {made} logins created."));
}

/// What UpdateDatabase.vbs does: pointers in the management database, and job steps that name the server.
fn update_database(call: &mut Call<'_>, given: &Arguments<'_>, parts: &mut Kept) -> Outcome<()> {
    let (Some(old), Some(new)) = (given.text("@old", 0), given.text("@new", 1)) else {
        return Err(Message::error(
            201,
            "Procedure or function 'sandbox_UpdateDatabase' expects parameters '@old' and '@new', which were not supplied.",
        ));
    };
    let now = call.now;
    let server = call.server_mut();
    let Some(db) = server.databases.iter_mut().find(|d| d.role == "management") else {
        return Err(Message::error(50_000, "Simulated: there is no management database here."));
    };
    if db.state != DbState::Online {
        return Err(crate::sandbox::world::state::in_restore(&db.name));
    }
    let mut changed = 0;
    for table in ["adm_group", "adm_messagebox", "adm_otherbackupdatabases", "adm_otherdatabases"] {
        let Some(stored) = db.content.tables.get(table) else { continue };
        let mut rows = Vec::new();
        for (n, row) in stored.table.rows.iter().enumerate() {
            let mut moved = row.clone();
            for (cell, column) in moved.iter_mut().zip(&stored.table.columns) {
                let pointer = column.name.ends_with("ServerName")
                    && column.name != "BTSServerName"
                    && column.name != "SSOServerName";
                if pointer && as_text(cell).is_some_and(|t| t.eq_ignore_ascii_case(&old)) {
                    *cell = text(&new);
                }
            }
            if moved != *row {
                rows.push((n, moved));
            }
        }
        changed += rows.len();
        if !rows.is_empty() {
            db.change(now, table, Change::Update(rows));
        }
    }
    for tracking in server.databases.iter_mut().filter(|d| d.role == "tracking" && d.state == DbState::Online)
    {
        let same = |t: &crate::sandbox::world::stored::Stored, row: &[Value]| {
            as_text(t.cell(row, "serverName")).is_some_and(|x| x.eq_ignore_ascii_case(&old))
        };
        tracking.update(now, "TDDS_StreamStatus", same, &[("serverName", text(&new))]);
    }
    let mut steps = 0;
    for job in &mut server.agent.jobs {
        for step in &mut job.steps {
            let moved = replace_name(&step.command, &old, &new);
            if moved != step.command {
                step.command = moved;
                steps += 1;
            }
        }
    }
    say(
        parts,
        format!(
            "Simulated: UpdateDatabase changed {changed} rows and {steps} job steps from {old} to {new}."
        ),
    );
    Ok(())
}

/// Replaces whole names only: SQL1 is inside DRSQL1.
fn replace_name(command: &str, old: &str, new: &str) -> String {
    let mut out = String::new();
    let mut rest = command;
    let (lower_old, part) = (old.to_lowercase(), |c: char| c.is_alphanumeric() || c == '_' || c == '-');
    if old.is_empty() {
        return command.to_owned();
    }
    while let Some(at) = rest.to_lowercase().find(&lower_old) {
        let Some((before, tail)) = rest.split_at_checked(at) else { break };
        let Some((name, after)) = tail.split_at_checked(old.len()) else { break };
        let whole = !before.ends_with(part) && !after.starts_with(part);
        out.push_str(before);
        out.push_str(if whole { new } else { name });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::replace_name;

    #[test]
    fn only_whole_names_are_replaced() {
        assert_eq!(
            replace_name("exec x 'SQL1', 'DRSQL1', 'sql1'", "SQL1", "NEW"),
            "exec x 'NEW', 'DRSQL1', 'NEW'"
        );
        assert_eq!(replace_name("nothing", "SQL1", "NEW"), "nothing");
    }
}
