//! Who is connected: sp_who and sp_who2.

use super::{Given, answer, bound};
use crate::sandbox::answer::Kept;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Value;
use crate::sandbox::world::server::{Call, views};
use crate::sandbox::world::stored::{as_int, as_text, int, text};

/// Rows of sys.sysprocesses that an argument picks: a login, a session, `active` or nothing.
fn chosen(
    call: &Call<'_>,
    procedure: &'static str,
    given: &Given,
    columns: &[&str],
) -> Outcome<Vec<Vec<Value>>> {
    let given = bound(procedure, &["@loginame"], given)?;
    let mut sheet = views::sheet(call, "sys.sysprocesses");
    views::processes(call, &mut sheet);
    let table = sheet.table;
    let at = |name: &str| table.columns.iter().position(|c| c.name == name).unwrap_or_default();
    let wanted = given.text("@loginame");
    let number = wanted.as_ref().and_then(|w| w.parse::<i64>().ok());
    let active = wanted.as_ref().is_some_and(|w| w.eq_ignore_ascii_case("active"));
    if let Some(login) = wanted.as_ref().filter(|_| !active && number.is_none())
        && !call.server().logins.iter().any(|l| l.name.eq_ignore_ascii_case(login))
    {
        let text = format!("'{login}' is not a valid login or you do not have permission.");
        return Err(given.error(15007, text));
    }
    let rows = table.rows.iter().filter(|row| match (&wanted, number) {
        (None, _) => true,
        (_, Some(n)) => as_int(&row[at("spid")]) == Some(n),
        _ if active => as_text(&row[at("cmd")]) != Some("AWAITING COMMAND"),
        (Some(login), None) => as_text(&row[at("loginame")]).is_some_and(|l| l.eq_ignore_ascii_case(login)),
    });
    Ok(rows.map(|row| columns.iter().map(|c| row[at(c)].clone()).collect()).collect())
}

fn database(call: &Call<'_>, id: &Value) -> Value {
    let found = as_int(id).and_then(|id| call.server().databases.iter().find(|d| i64::from(d.id) == id));
    found.map_or(Value::Null, |d| text(&d.name))
}

pub(super) fn who(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let columns = ["spid", "ecid", "status", "loginame", "hostname", "blocked", "dbid", "cmd", "request_id"];
    let mut rows = chosen(call, "sp_who", given, &columns)?;
    for row in &mut rows {
        row[5] = text(as_int(&row[5]).unwrap_or(0).to_string());
        row[6] = database(call, &row[6]);
    }
    answer(
        "spid smallint; ecid smallint; status nchar(30); loginame nvarchar(128); hostname nchar(128); blk char(5); dbname nvarchar(128); cmd nchar(26); request_id int",
        rows,
        parts,
    );
    Ok(0)
}

pub(super) fn who2(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let columns = [
        "spid",
        "status",
        "loginame",
        "hostname",
        "blocked",
        "dbid",
        "cmd",
        "cpu",
        "physical_io",
        "last_batch",
        "program_name",
        "request_id",
    ];
    let rows = chosen(call, "sp_who2", given, &columns)?.into_iter().map(|row| {
        let spid = text(format!("{:<5}", as_int(&row[0]).unwrap_or(0)));
        let blocked = match as_int(&row[4]) {
            Some(0) | None => text("  ."),
            Some(n) => text(n.to_string()),
        };
        let batch = match &row[9] {
            Value::DateTime(t) => text(t.format("%m/%d %H:%M:%S").to_string()),
            _ => Value::Null,
        };
        let number = |v: &Value| text(as_int(v).unwrap_or(0).to_string());
        let host = match as_text(&row[3]).map(str::trim) {
            Some("") | None => text("  ."),
            Some(host) => text(host),
        };
        vec![
            spid.clone(),
            row[1].clone(),
            row[2].clone(),
            host,
            blocked,
            database(call, &row[5]),
            row[6].clone(),
            number(&row[7]),
            number(&row[8]),
            batch,
            row[10].clone(),
            spid,
            int(as_int(&row[11]).unwrap_or(0)),
        ]
    });
    let rows = rows.collect();
    answer(
        "SPID char(5); Status nvarchar(30); Login nvarchar(128); HostName nvarchar(128); BlkBy char(5); DBName nvarchar(128); Command nvarchar(26); CPUTime varchar(30); DiskIO varchar(30); LastBatch varchar(48); ProgramName nvarchar(128); SPID char(5); REQUESTID int",
        rows,
        parts,
    );
    Ok(0)
}
