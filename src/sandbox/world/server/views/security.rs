//! Principals of the server and of a database.

use super::super::Call;
use crate::sandbox::value::Value;
use crate::sandbox::world::build::SERVER_ROLES;
use crate::sandbox::world::state::{Login, User};
use crate::sandbox::world::stored::{NULL, OFF, Sheet, at, bit, int, or_null, text};

pub(super) fn fill(call: &Call<'_>, d: usize, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    let visible = |l: &&Login| call.sees_login(l);
    match full {
        "sys.server_principals" => {
            for l in server.logins.iter().filter(visible) {
                let mut cells = login(l);
                cells.push(("is_fixed_role", bit(l.kind == 'R' && l.id > 2)));
                sheet.row(cells);
            }
        }
        "sys.sql_logins" => {
            for l in server.logins.iter().filter(visible).filter(|l| l.kind == 'S') {
                let mut cells = login(l);
                cells.extend([("is_policy_checked", bit(true)), ("is_expiration_checked", OFF)]);
                sheet.row(cells);
            }
        }
        "sys.server_role_members" => {
            for (role, name) in SERVER_ROLES.iter().filter(|(_, n)| *n != "public") {
                for l in server.logins.iter().filter(visible).filter(|l| l.kind != 'R' && l.is_in(name)) {
                    sheet.row(vec![("role_principal_id", int(*role)), ("member_principal_id", int(l.id))]);
                }
            }
        }
        "sys.server_permissions" => {
            for l in server.logins.iter().filter(visible).filter(|l| l.kind != 'R') {
                let granted = std::iter::once("CONNECT SQL").chain(l.grants.iter().map(String::as_str));
                let denied = l.denies.iter().map(|d| (d.as_str(), "D", "DENY"));
                for (grant, state, word) in granted.map(|g| (g, "G", "GRANT")).chain(denied) {
                    sheet.row(vec![
                        ("class", int(100)),
                        ("class_desc", text("SERVER")),
                        ("major_id", int(0)),
                        ("minor_id", int(0)),
                        ("grantee_principal_id", int(l.id)),
                        ("grantor_principal_id", int(1)),
                        ("type", text(permission_code(grant))),
                        ("permission_name", text(grant)),
                        ("state", text(state)),
                        ("state_desc", text(word)),
                    ]);
                }
            }
        }
        "sys.database_principals" => {
            for user in &server.databases[d].content.users {
                let login = matches!(user.kind, 'S' | 'U' | 'G');
                let (authentication, word) = match user.kind {
                    'S' if user.sid.is_some() && user.id != 2 => (1, "INSTANCE"),
                    'U' | 'G' => (3, "WINDOWS"),
                    _ => (0, "NONE"),
                };
                let kind = match user.kind {
                    'S' => "SQL_USER",
                    'U' => "WINDOWS_USER",
                    'G' => "WINDOWS_GROUP",
                    _ => "DATABASE_ROLE",
                };
                sheet.row(vec![
                    ("name", text(&user.name)),
                    ("principal_id", int(user.id)),
                    ("type", text(user.kind)),
                    ("type_desc", text(kind)),
                    (
                        "default_schema_name",
                        if login && user.id < 5 && user.id > 2 {
                            NULL
                        } else if login {
                            text("dbo")
                        } else {
                            NULL
                        },
                    ),
                    ("create_date", at(user.created)),
                    ("modify_date", at(user.created)),
                    ("owning_principal_id", if user.kind == 'R' { int(1) } else { NULL }),
                    ("sid", or_null(user.sid.clone(), Value::Binary)),
                    ("is_fixed_role", bit(user.kind == 'R' && user.id >= 16_384)),
                    ("authentication_type", int(authentication)),
                    ("authentication_type_desc", text(word)),
                    ("allow_encrypted_value_modifications", OFF),
                ]);
            }
        }
        "sys.database_permissions" => {
            let db = &server.databases[d];
            let open =
                |u: &&User| matches!(u.kind, 'S' | 'U' | 'G') && (u.id != 2 || matches!(db.id, 1 | 2 | 4));
            for u in db.content.users.iter().filter(open).filter(|u| u.id < 3 || u.id > 4) {
                sheet.row(vec![
                    ("class", int(0)),
                    ("class_desc", text("DATABASE")),
                    ("major_id", int(0)),
                    ("minor_id", int(0)),
                    ("grantee_principal_id", int(u.id)),
                    ("grantor_principal_id", int(1)),
                    ("type", text("CO  ")),
                    ("permission_name", text("CONNECT")),
                    ("state", text("G")),
                    ("state_desc", text("GRANT")),
                ]);
            }
        }
        "sys.symmetric_keys" => {
            if server.databases[d].id == 1 {
                sheet.row(vec![
                    ("name", text("##MS_ServiceMasterKey##")),
                    ("principal_id", int(1)),
                    ("symmetric_key_id", int(102)),
                    ("key_length", int(256)),
                    ("key_algorithm", text("A3")),
                    ("algorithm_desc", text("AES_256")),
                    ("create_date", at(server.databases[d].created)),
                    ("modify_date", at(server.databases[d].created)),
                ]);
            }
        }
        "sys.database_role_members" => {
            let users = &server.databases[d].content.users;
            for user in users {
                for role in &user.roles {
                    if let Some(role) = users.iter().find(|r| r.kind == 'R' && r.name == *role) {
                        sheet.row(vec![
                            ("role_principal_id", int(role.id)),
                            ("member_principal_id", int(user.id)),
                        ]);
                    }
                }
            }
        }
        _ => return false,
    }
    true
}

fn login(l: &Login) -> Vec<(&'static str, Value)> {
    let kind = match l.kind {
        'S' => "SQL_LOGIN",
        'U' => "WINDOWS_LOGIN",
        'G' => "WINDOWS_GROUP",
        _ => "SERVER_ROLE",
    };
    let role = l.kind == 'R';
    vec![
        ("name", text(&l.name)),
        ("principal_id", int(l.id)),
        ("sid", Value::Binary(l.sid.clone())),
        ("type", text(l.kind)),
        ("type_desc", text(kind)),
        ("is_disabled", bit(l.disabled)),
        ("create_date", at(l.created)),
        ("modify_date", at(l.created)),
        ("default_database_name", if role { NULL } else { text(l.database.as_deref().unwrap_or("master")) }),
        ("default_language_name", if role { NULL } else { text("us_english") }),
    ]
}

fn permission_code(name: &str) -> &'static str {
    match name {
        "CONNECT SQL" => "COSQ",
        "VIEW SERVER STATE" => "VWSS",
        "VIEW ANY DEFINITION" => "VWAD",
        "CONNECT ANY DATABASE" => "CADB",
        "SELECT ALL USER SECURABLES" => "SUS ",
        "CREATE ANY DATABASE" => "CRDB",
        "ALTER ANY CONNECTION" => "ALCO",
        "CONTROL SERVER" => "CL  ",
        _ => "    ",
    }
}
