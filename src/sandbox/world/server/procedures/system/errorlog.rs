//! Reading and cycling the error log: xp_readerrorlog and its relatives.

use chrono::NaiveDateTime;

use super::{Given, answer, bound, inform};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Value;
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{at, count, text};

const COLUMNS: &str = "LogDate datetime; ProcessInfo nvarchar(50); Text nvarchar(4000)";

pub(super) fn read(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    if !may_read(call) {
        return Err(call.denied("EXECUTE", "xp_readerrorlog", "mssqlsystemresource"));
    }
    lines(call, given, parts)
}

/// sp_readerrorlog asks for the role first.
pub(super) fn read_checked(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    if !may_read(call) {
        let text = "Only members of the securityadmin role can execute this stored procedure.";
        return Err(Message { procedure: "sp_readerrorlog".into(), ..Message::error(15003, text) });
    }
    bound("sp_readerrorlog", &["@p1", "@p2", "@p3", "@p4"], given)?;
    let values: Vec<(Option<String>, Value)> = given.iter().map(|(_, v)| (None, v.clone())).collect();
    lines(call, &values, parts)
}

fn may_read(call: &Call<'_>) -> bool {
    call.granted("VIEW ANY ERROR LOG")
}

fn lines(call: &Call<'_>, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let value = |n: usize| given.get(n).map(|(_, v)| v);
    let number = |n: usize, otherwise: i64| match value(n) {
        Some(Value::Int(n)) => *n,
        _ => otherwise,
    };
    let word = |n: usize| match value(n) {
        Some(Value::Text(t)) if !t.is_empty() => Some(t.to_lowercase()),
        _ => None,
    };
    let time = |n: usize| match value(n) {
        Some(Value::DateTime(t)) => Ok(Some(*t)),
        Some(Value::Text(t)) => NaiveDateTime::parse_from_str(t.trim(), "%Y-%m-%d %H:%M:%S")
            .or_else(|_| NaiveDateTime::parse_from_str(t.trim(), "%Y-%m-%dT%H:%M:%S"))
            .map(Some)
            .map_err(|_| Message::not_modelled(format_args!("xp_readerrorlog with the time '{t}'"))),
        _ => Ok(None),
    };
    if number(1, 1) != 1 {
        return Err(Message::not_modelled("the agent's error log"));
    }
    let log = usize::try_from(number(0, 0)).unwrap_or(usize::MAX);
    let server = call.server();
    let Some(file) = server.error_log.files.get(log) else {
        return Err(Message::not_modelled(format_args!("error log number {log}, which is not there")));
    };
    let (one, two, from, until) = (word(2), word(3), time(4)?, time(5)?);
    let fits =
        |text: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|w| text.to_lowercase().contains(w));
    let mut rows: Vec<Vec<Value>> = file
        .iter()
        .map(|line| (server.local(line.at), line))
        .filter(|(when, line)| {
            fits(&line.text, &one)
                && fits(&line.text, &two)
                && from.is_none_or(|f| *when >= f)
                && until.is_none_or(|u| *when <= u)
        })
        .map(|(when, line)| vec![at(when), text(&line.process), text(&line.text)])
        .collect();
    if word(6).is_some_and(|order| order == "desc") {
        rows.reverse();
    }
    answer(COLUMNS, rows, parts);
    Ok(0)
}

/// xp_enumerrorlogs: the logs there are.
pub(super) fn list(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    if !may_read(call) {
        return Err(call.denied("EXECUTE", "xp_enumerrorlogs", "mssqlsystemresource"));
    }
    if matches!(given.first(), Some((_, Value::Int(2)))) {
        return Err(Message::not_modelled("the agent's error logs"));
    }
    let server = call.server();
    let rows = server.error_log.files.iter().enumerate().map(|(n, file)| {
        let last = file.back().map_or(call.now, |line| line.at);
        let size: usize = file.iter().map(|line| (line.text.len() + 40) * 2).sum();
        vec![count(n), text(server.local(last).format("%m/%d/%Y  %H:%M").to_string()), count(size)]
    });
    answer("Archive~# int; Date nvarchar(24); Log~File~Size~(Byte) int", rows.collect(), parts);
    Ok(0)
}

pub(super) fn cycle(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    bound("sp_cycle_errorlog", &[], given)?;
    call.only_sysadmin("sp_cycle_errorlog", "mssqlsystemresource")?;
    let s = call.s;
    call.server_mut().error_log.cycle();
    let lines = [
        ("The error log has been reinitialized. See the previous log for older entries.".to_owned()),
        format!("Server name is '{}'.", call.server().name),
    ];
    for line in lines {
        call.state.log_error_of(s, &format!("spid{}", call.who.session_id), &line);
    }
    inform(
        2528,
        "DBCC execution completed. If DBCC printed error messages, contact your system administrator.",
        parts,
    );
    Ok(0)
}
