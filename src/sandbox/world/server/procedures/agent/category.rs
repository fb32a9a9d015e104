//! Categories and operators.

use super::super::bound::Bound;
use super::super::send;
use super::Given;
use crate::sandbox::answer::Kept;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Column, Table, Type, Value};
use crate::sandbox::world::agent::{CATEGORIES, Operator};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{int, text};

fn class(bound: &Bound<'_>) -> Outcome<i64> {
    match bound.text("@class").unwrap_or_else(|| "JOB".into()).to_uppercase().as_str() {
        "JOB" => Ok(1),
        "ALERT" => Ok(2),
        "OPERATOR" => Ok(3),
        _ => Err(bound.one_of("@class", "JOB, ALERT, OPERATOR")),
    }
}

pub(super) fn add(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_add_category", &["@class", "@type", "@name"], given)?;
    call.only_sysadmin("sp_add_category", "msdb")?;
    let class = class(&bound)?;
    let kind = match bound.text("@type").unwrap_or_else(|| "LOCAL".into()).to_uppercase().as_str() {
        "LOCAL" if class == 1 => 1,
        "MULTI-SERVER" if class == 1 => 2,
        "NONE" => 3,
        _ if class == 1 => return Err(bound.one_of("@type", "LOCAL, MULTI-SERVER, NONE")),
        _ => 3,
    };
    let name = bound.must("@name")?;
    if call.server().agent.categories(class).any(|c| c.2.eq_ignore_ascii_case(&name)) {
        return Err(bound.exists("@name", &name));
    }
    call.server_mut().agent.add_category(class, kind, &name);
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn delete(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_delete_category", &["@class", "@name"], given)?;
    call.only_sysadmin("sp_delete_category", "msdb")?;
    let class = class(&bound)?;
    let name = bound.must("@name")?;
    let Some(id) =
        call.server().agent.categories(class).find(|c| c.2.eq_ignore_ascii_case(&name)).map(|c| c.0)
    else {
        return Err(bound.no_such("@name", &name));
    };
    if CATEGORIES.iter().any(|c| c.0 == id && c.1 == class) {
        return Err(bound.error(14276, format!("'{name}' is a permanent category and cannot be deleted.")));
    }
    let agent = &mut call.server_mut().agent;
    agent.categories.retain(|c| c.id != id);
    for job in agent.jobs.iter_mut().filter(|j| j.category == id) {
        job.category = 0;
    }
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn help(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_help_category", &["@class", "!@type", "@name", "@suffix"], given)?;
    let class = class(&bound)?;
    let (only, suffix) = (bound.text("@name"), bound.flag("@suffix", false));
    let kind_type = if suffix { Type::SYSNAME } else { Type::TinyInt };
    let columns = vec![
        Column::new("category_id", Type::Int),
        Column::new("category_type", kind_type),
        Column::new("name", Type::SYSNAME),
    ];
    let mut all: Vec<_> = call.server().agent.categories(class).collect();
    all.sort_by(|a, b| (a.1, a.2).cmp(&(b.1, b.2)));
    let word = |kind: i64| match kind {
        1 => "LOCAL",
        2 => "MULTI-SERVER",
        _ => "NONE",
    };
    let rows = all
        .into_iter()
        .filter(|c| only.as_ref().is_none_or(|o| o.eq_ignore_ascii_case(c.2)))
        .map(|c| vec![int(c.0), if suffix { text(word(c.1)) } else { int(c.1) }, text(c.2)])
        .collect();
    send(Table { columns, rows }, parts);
    Ok(0)
}

pub(super) fn add_operator(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_add_operator",
        &[
            "@name",
            "@enabled",
            "@email_address",
            "!@pager_address",
            "@weekday_pager_start_time",
            "@weekday_pager_end_time",
            "@saturday_pager_start_time",
            "@saturday_pager_end_time",
            "@sunday_pager_start_time",
            "@sunday_pager_end_time",
            "@pager_days",
            "!@netsend_address",
            "!@category_name",
        ],
        given,
    )?;
    call.only_sysadmin("sp_add_operator", "msdb")?;
    let name = bound.must("@name")?;
    let enabled = bound.among("@enabled", &[0, 1])?.unwrap_or(1) == 1;
    let email = bound.text("@email_address");
    let operators = &mut call.server_mut().agent.operators;
    if operators.iter().any(|o| o.name.eq_ignore_ascii_case(&name)) {
        return Err(bound.exists("@name", &name));
    }
    let id = operators.iter().map(|o| o.id).max().unwrap_or(0) + 1;
    operators.push(Operator { id, name, enabled, email });
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn delete_operator(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_delete_operator", &["@name", "!@reassign_to_operator"], given)?;
    call.only_sysadmin("sp_delete_operator", "msdb")?;
    let name = bound.must("@name")?;
    let agent = &mut call.server_mut().agent;
    let Some(at) = agent.operators.iter().position(|o| o.name.eq_ignore_ascii_case(&name)) else {
        return Err(bound.no_such("@name", &name));
    };
    let gone = agent.operators.remove(at).id;
    for job in &mut agent.jobs {
        let n = &mut job.notify;
        for (level, to) in [
            (&mut n.email, &mut n.email_to),
            (&mut n.netsend, &mut n.netsend_to),
            (&mut n.page, &mut n.page_to),
        ] {
            if *to == gone {
                (*to, *level) = (0, 0);
            }
        }
    }
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn help_operator(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_help_operator", &["@operator_name", "@operator_id"], given)?;
    let (name, id) = (bound.text("@operator_name"), bound.int("@operator_id"));
    let found: Vec<&Operator> = call
        .server()
        .agent
        .operators
        .iter()
        .filter(|o| name.as_ref().is_none_or(|n| n.eq_ignore_ascii_case(&o.name)))
        .filter(|o| id.is_none_or(|i| i == o.id))
        .collect();
    if found.is_empty() && (name.is_some() || id.is_some()) {
        return Err(match name {
            Some(n) => bound.no_such("@operator_name", &n),
            None => bound.no_such("@operator_id", &id.unwrap_or(0).to_string()),
        });
    }
    let zero = || int(0);
    let list = [
        ("id", Type::Int),
        ("name", Type::SYSNAME),
        ("enabled", Type::TinyInt),
        ("email_address", Type::NVarChar(Some(100))),
        ("last_email_date", Type::Int),
        ("last_email_time", Type::Int),
        ("pager_address", Type::NVarChar(Some(100))),
        ("last_pager_date", Type::Int),
        ("last_pager_time", Type::Int),
        ("weekday_pager_start_time", Type::Int),
        ("weekday_pager_end_time", Type::Int),
        ("Saturday_pager_start_time", Type::Int),
        ("Saturday_pager_end_time", Type::Int),
        ("Sunday_pager_start_time", Type::Int),
        ("Sunday_pager_end_time", Type::Int),
        ("pager_days", Type::TinyInt),
        ("netsend_address", Type::NVarChar(Some(100))),
        ("last_netsend_date", Type::Int),
        ("last_netsend_time", Type::Int),
        ("category_name", Type::SYSNAME),
    ];
    let rows = found
        .into_iter()
        .map(|o| {
            let mut row = vec![int(o.id), text(&o.name), int(i64::from(o.enabled))];
            row.extend([o.email.as_ref().map_or(Value::Null, text), zero(), zero()]);
            row.extend([Value::Null, zero(), zero()]);
            for hour in [90_000, 180_000, 90_000, 180_000, 90_000, 180_000] {
                row.push(int(hour));
            }
            row.extend([zero(), Value::Null, zero(), zero(), text("[Uncategorized]")]);
            row
        })
        .collect();
    send(Table { columns: list.into_iter().map(|(n, k)| Column::new(n, k)).collect(), rows }, parts);
    Ok(0)
}
