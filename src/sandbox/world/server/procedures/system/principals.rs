//! Logins, users and roles by procedure: sp_addlogin, sp_addsrvrolemember, sp_change_users_login and their like.

use super::{Given, answer, bound, no_permission};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Value;
use crate::sandbox::world::build::SERVER_ROLES;
use crate::sandbox::world::principals::NewLogin;
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::text;

fn may_alter_logins(call: &Call<'_>) -> Outcome<()> {
    if call.granted("ALTER ANY LOGIN") { Ok(()) } else { Err(no_permission()) }
}

impl Call<'_> {
    /// CREATE LOGIN, once it is sure that the caller may.
    pub(in crate::sandbox::world::server) fn make_login(&mut self, new: NewLogin) -> Outcome<()> {
        let (fresh, salt) = (self.state.dice.guid(), self.state.seed);
        let now = self.server().local(self.now);
        self.state.dirty = true;
        self.server_mut().create_login(new, fresh, salt, now)
    }
}

pub(super) fn add_login(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let parameters = &["@loginame", "@passwd", "@defdb", "!@deflanguage", "@sid", "!@encryptopt"];
    let given = bound("sp_addlogin", parameters, given)?;
    let name = given.must("@loginame")?;
    may_alter_logins(call)?;
    let sid = match given.value("@sid") {
        Some(Value::Binary(sid)) => Some(sid.clone()),
        _ => None,
    };
    call.make_login(NewLogin {
        name,
        windows: false,
        password: Some(given.text("@passwd").unwrap_or_default()),
        sid,
        database: given.text("@defdb"),
    })?;
    Ok(0)
}

pub(super) fn grant_login(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_grantlogin", &["@loginame"], given)?;
    let name = given.must("@loginame")?;
    may_alter_logins(call)?;
    call.make_login(NewLogin { name, windows: true, ..NewLogin::default() })?;
    Ok(0)
}

pub(super) fn drop_login(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_droplogin", &["@loginame"], given)?;
    let name = given.must("@loginame")?;
    may_alter_logins(call)?;
    call.state.dirty = true;
    call.server_mut().drop_login(&name).map(|()| 0)
}

fn server_role(call: &mut Call<'_>, procedure: &'static str, given: &Given, add: bool) -> Outcome<i32> {
    let given = bound(procedure, &["@loginame", "@rolename"], given)?;
    let (member, role) = (given.must("@loginame")?, given.must("@rolename")?);
    if !call.who.sysadmin {
        return Err(no_permission());
    }
    if !SERVER_ROLES.iter().any(|(_, n)| n.eq_ignore_ascii_case(&role)) {
        return Err(given.error(15402, format!("'{role}' is not a fixed server role.")));
    }
    call.state.dirty = true;
    call.server_mut().server_role(&role, &member, add).map(|()| 0)
}

pub(super) fn add_server_role(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    server_role(call, "sp_addsrvrolemember", given, true)
}

pub(super) fn drop_server_role(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    server_role(call, "sp_dropsrvrolemember", given, false)
}

fn role(
    call: &mut Call<'_>,
    procedure: &'static str,
    database: &str,
    given: &Given,
    add: bool,
) -> Outcome<i32> {
    let given = bound(procedure, &["@rolename", "@membername"], given)?;
    let (role, member) = (given.must("@rolename")?, given.must("@membername")?);
    let d = call.enter(database)?;
    if !call.owns(d) {
        return Err(no_permission());
    }
    call.state.dirty = true;
    call.server_mut().database_role(d, &role, &member, add).map(|()| 0)
}

pub(super) fn add_role(call: &mut Call<'_>, database: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    role(call, "sp_addrolemember", database, given, true)
}

pub(super) fn drop_role(call: &mut Call<'_>, database: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    role(call, "sp_droprolemember", database, given, false)
}

/// Only `Report`: SQL users whose login is not here.
pub(super) fn change_users_login(
    call: &mut Call<'_>,
    database: &str,
    given: &Given,
    parts: &mut Kept,
) -> Outcome<i32> {
    let parameters = &["@Action", "!@UserNamePattern", "!@LoginName", "!@Password"];
    let given = bound("sp_change_users_login", parameters, given)?;
    let action = given.must("@Action")?;
    if !action.eq_ignore_ascii_case("Report") {
        if matches!(action.to_lowercase().as_str(), "update_one" | "auto_fix") {
            return Err(Message::not_modelled(format_args!(
                "sp_change_users_login '{action}'; ALTER USER … WITH LOGIN is"
            )));
        }
        return Err(given.error(
            15600,
            "An invalid parameter or option was specified for procedure 'sp_change_users_login'.",
        ));
    }
    let d = call.enter(database)?;
    if !call.owns(d) {
        return Err(no_permission());
    }
    let server = call.server();
    let orphaned = server.databases[d].content.users.iter().filter_map(|u| {
        let sid = u.sid.as_ref().filter(|_| u.kind == 'S' && u.id > 4)?;
        (!server.logins.iter().any(|l| l.sid == *sid))
            .then(|| vec![text(&u.name), Value::Binary(sid.clone())])
    });
    answer("UserName nvarchar(128); UserSID varbinary(85)", orphaned.collect(), parts);
    Ok(0)
}

pub(super) fn server_roles(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_helpsrvrole", &["@srvrolename"], given)?;
    let _ = call;
    let wanted = given.text("@srvrolename");
    let described = [
        ("sysadmin", "System Administrators"),
        ("securityadmin", "Security Administrators"),
        ("serveradmin", "Server Administrators"),
        ("setupadmin", "Setup Administrators"),
        ("processadmin", "Process Administrators"),
        ("diskadmin", "Disk Administrators"),
        ("dbcreator", "Database Creators"),
        ("bulkadmin", "Bulk Insert Administrators"),
    ];
    let rows: Vec<_> = described
        .iter()
        .filter(|(name, _)| wanted.as_ref().is_none_or(|w| name.eq_ignore_ascii_case(w)))
        .map(|(name, words)| vec![text(*name), text(*words)])
        .collect();
    if let Some(role) = wanted.filter(|_| rows.is_empty()) {
        return Err(given.error(15412, format!("'{role}' is not a known fixed role.")));
    }
    answer("ServerRole nvarchar(128); Description nvarchar(35)", rows, parts);
    Ok(0)
}

pub(super) fn server_role_members(
    call: &mut Call<'_>,
    _: &str,
    given: &Given,
    parts: &mut Kept,
) -> Outcome<i32> {
    let given = bound("sp_helpsrvrolemember", &["@srvrolename"], given)?;
    let wanted = given.text("@srvrolename");
    if let Some(role) =
        wanted.as_ref().filter(|w| !SERVER_ROLES.iter().any(|(_, n)| n.eq_ignore_ascii_case(w)))
    {
        return Err(given.error(15412, format!("'{role}' is not a known fixed role.")));
    }
    let server = call.server();
    let mut rows = Vec::new();
    for (_, role) in SERVER_ROLES.iter().filter(|(_, n)| *n != "public") {
        if wanted.as_ref().is_some_and(|w| !role.eq_ignore_ascii_case(w)) {
            continue;
        }
        for l in server.logins.iter().filter(|l| l.kind != 'R' && l.is_in(role) && call.sees_login(l)) {
            rows.push(vec![text(*role), text(&l.name), Value::Binary(l.sid.clone())]);
        }
    }
    answer("ServerRole nvarchar(128); MemberName nvarchar(128); MemberSID varbinary(85)", rows, parts);
    Ok(0)
}
