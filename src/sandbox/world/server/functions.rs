//! Scalar functions that ask about the server, its databases and the session.
//!
//! What needs no world (`LEN`, `DATEADD`, …) is the evaluator's.

mod properties;

use super::{Call, views};
use crate::sandbox::answer::Message;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Value;
use crate::sandbox::world::state::{DbState, Server};
use crate::sandbox::world::stored::{NULL, agent_datetime, as_int, as_text, at, bit, int, text};

/// `@@VERSION`
pub(super) fn banner(server: &Server) -> String {
    let (a, b, c, d) = server.version;
    let level = product_level(server);
    format!(
        "Microsoft SQL Server {} ({level}) - {a}.{b}.{c}.{d} (X64) \n\tSIMULATED by the drbook sandbox; this is no SQL Server\n\t{} on Windows Server 2019 Standard 10.0 <X64> (simulated)\n",
        server.year(),
        server.edition
    )
}

fn product_level(server: &Server) -> String {
    if server.update_level.is_empty() { "RTM".into() } else { format!("RTM-{}", server.update_level) }
}

/// The name without brackets, `]]` undone.
fn bare(part: &str) -> String {
    let part = part.trim();
    part.strip_prefix('[')
        .and_then(|p| p.strip_suffix(']'))
        .map_or_else(|| part.trim_matches('"').to_owned(), |inner| inner.replace("]]", "]"))
}

/// Parts of a name as OBJECT_ID takes it, database first.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in name.chars() {
        match c {
            '[' => quoted = true,
            ']' => quoted = false,
            _ => {}
        }
        if c == '.' && !quoted {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.iter().map(|p| bare(p)).collect()
}

impl Call<'_> {
    pub(super) fn scalar(&self, name: &str, arguments: &[Value]) -> Outcome<Option<Value>> {
        let server = self.server();
        let given = |n: usize| arguments.get(n).unwrap_or(&NULL);
        let word = |n: usize| as_text(given(n)).unwrap_or_default().to_owned();
        let none = arguments.is_empty();
        // master.sys.fn_… and msdb.dbo.… are the same functions from anywhere.
        let name = ["MASTER.SYS.", "SYS.", "MSDB.DBO.", "DBO."]
            .iter()
            .find_map(|p| name.strip_prefix(p))
            .unwrap_or(name);
        let here = server.database(&self.who.database);
        Ok(Some(
            match name {
                "SERVERPROPERTY" => self.server_property(&word(0)),
                "DATABASEPROPERTYEX" => match server.database(&word(0)) {
                    Some(db) => self.database_property(db, &word(1)),
                    None => NULL,
                },
                "DB_NAME" if none => text(here.map_or(self.who.database.as_str(), |d| d.name.as_str())),
                "DB_NAME" => as_int(given(0)).map_or(NULL, |id| {
                    let found =
                        if id == 0 { here } else { server.databases.iter().find(|d| i64::from(d.id) == id) };
                    found.map_or(NULL, |d| text(&d.name))
                }),
                "ORIGINAL_DB_NAME" => {
                    let own = |x: &&crate::sandbox::world::state::Session| {
                        x.server == self.s && x.id == self.who.session_id
                    };
                    self.state.sessions.iter().find(own).map_or(NULL, |x| text(&x.home))
                }
                "DB_ID" if none => here.map_or(NULL, |d| int(d.id)),
                "DB_ID" => server.database(&word(0)).map_or(NULL, |d| int(d.id)),
                "OBJECT_ID" | "OBJECT_ID_" => self.object_id(&word(0), as_text(given(1))),
                "OBJECT_NAME" => {
                    let d = match as_int(given(1)) {
                        Some(id) => server.databases.iter().position(|d| i64::from(d.id) == id),
                        None => server.database_index(&self.who.database),
                    };
                    let id = as_int(given(0));
                    d.zip(id).and_then(|(d, id)| views::object_name(self, d, id)).map_or(NULL, text)
                }
                "OBJECT_DEFINITION" => return Err(Message::not_modelled("the text of objects")),
                "TYPE_NAME" => as_int(given(0)).and_then(views::type_name).map_or(NULL, text),
                "SCHEMA_NAME" if none => text("dbo"),
                "SCHEMA_NAME" => match as_int(given(0)) {
                    Some(1) => text("dbo"),
                    Some(2) => text("guest"),
                    Some(3) => text("INFORMATION_SCHEMA"),
                    Some(4) => text("sys"),
                    _ => NULL,
                },
                "SCHEMA_ID" => match word(0).to_lowercase().as_str() {
                    "" | "dbo" => int(1),
                    "guest" => int(2),
                    "information_schema" => int(3),
                    "sys" => int(4),
                    _ => NULL,
                },
                "SUSER_SNAME" | "SUSER_NAME" if none => text(&self.who.login),
                "SUSER_SNAME" | "SQLAGENT_SUSER_SNAME" => match given(0) {
                    Value::Binary(sid) => {
                        server.logins.iter().find(|l| l.sid == *sid).map_or(NULL, |l| text(&l.name))
                    }
                    _ => NULL,
                },
                "SUSER_NAME" => as_int(given(0)).map_or(NULL, |id| {
                    server.logins.iter().find(|l| i64::from(l.id) == id).map_or(NULL, |l| text(&l.name))
                }),
                "SUSER_SID" => {
                    let login = if none { self.who.login.clone() } else { word(0) };
                    server
                        .logins
                        .iter()
                        .find(|l| l.name.eq_ignore_ascii_case(&login))
                        .map_or(NULL, |l| Value::Binary(l.sid.clone()))
                }
                "SUSER_ID" => {
                    let login = if none { self.who.login.clone() } else { word(0) };
                    server
                        .logins
                        .iter()
                        .find(|l| l.name.eq_ignore_ascii_case(&login))
                        .map_or(NULL, |l| int(l.id))
                }
                "ORIGINAL_LOGIN" | "SYSTEM_USER" => text(&self.who.login),
                "CURRENT_USER" | "SESSION_USER" | "USER" => text(self.user_name()),
                "USER_NAME" if none => text(self.user_name()),
                "USER_NAME" => as_int(given(0)).zip(here).map_or(NULL, |(id, db)| {
                    db.content.users.iter().find(|u| i64::from(u.id) == id).map_or(NULL, |u| text(&u.name))
                }),
                "USER_ID" | "DATABASE_PRINCIPAL_ID" => {
                    let user = if none { self.user_name() } else { word(0) };
                    here.and_then(|db| db.content.users.iter().find(|u| u.name.eq_ignore_ascii_case(&user)))
                        .map_or(NULL, |u| int(u.id))
                }
                "HOST_NAME" => text(&self.who.workstation),
                "APP_NAME" | "PROGRAM_NAME" => text(&self.who.application),
                "IS_SRVROLEMEMBER" => self.role_member(&word(0), as_text(given(1))),
                "HAS_DBACCESS" => server.database(&word(0)).map_or(NULL, |db| {
                    int(i64::from(
                        db.state == DbState::Online && self.user_in(db).is_some(),
                    ))
                }),
                "HAS_PERMS_BY_NAME" => self.has_permission(arguments),
                "CONNECTIONPROPERTY" => match word(0).to_lowercase().as_str() {
                    "net_transport" => text("TCP"),
                    "protocol_type" => text("TSQL"),
                    "auth_scheme" => text("SQL"),
                    "local_net_address" | "client_net_address" => text("127.0.0.1"),
                    "local_tcp_port" => int(1433),
                    _ => NULL,
                },
                "AGENT_DATETIME" => {
                    match (as_int(given(0)), as_int(given(1))) {
                    (Some(date), Some(clock)) => agent_datetime(date, clock).map(at).ok_or_else(|| {
                        Message::error(
                            242,
                            "The conversion of a varchar data type to a datetime data type resulted in an out-of-range value.",
                        )
                    })?,
                    _ => NULL,
                }
                }
                "FN_HADR_IS_PRIMARY_REPLICA" if server.year() >= 2014 => {
                    self.state.is_primary_replica(self.s, &word(0)).map_or(NULL, bit)
                }
                "FN_HADR_BACKUP_IS_PREFERRED_REPLICA" => {
                    bit(self.state.is_preferred_for_backups(self.s, &word(0)))
                }
                other => return self.property(other, arguments),
            },
        ))
    }

    fn object_id(&self, name: &str, kind: Option<&str>) -> Value {
        let mut parts = parts(name);
        let object = parts.pop().unwrap_or_default();
        let schema = parts.pop().filter(|s| !s.is_empty()).map_or("dbo".into(), |s| s.to_lowercase());
        let database = parts.pop().filter(|d| !d.is_empty()).unwrap_or_else(|| self.who.database.clone());
        let d = self.server().database_index(&database);
        let open = d.filter(|d| self.server().databases[*d].state == DbState::Online);
        open.and_then(|d| views::find_object(self, d, &schema, &object, kind)).map_or(NULL, int)
    }

    fn role_member(&self, role: &str, login: Option<&str>) -> Value {
        let roles = crate::sandbox::world::build::SERVER_ROLES;
        if !roles.iter().any(|(_, n)| n.eq_ignore_ascii_case(role)) {
            return NULL;
        }
        let login = login.unwrap_or(&self.who.login);
        let Some(found) = self.server().login(login) else { return NULL };
        let sysadmin = found.sysadmin || (self.who.sysadmin && login.eq_ignore_ascii_case(&self.who.login));
        int(i64::from(
            role.eq_ignore_ascii_case("public")
                || sysadmin && found.kind != 'R' && role.eq_ignore_ascii_case("sysadmin")
                || found.is_in(role),
        ))
    }

    fn has_permission(&self, arguments: &[Value]) -> Value {
        let word = |n: usize| arguments.get(n).and_then(as_text);
        let Some(permission) = word(2).map(str::to_uppercase) else { return NULL };
        let class = word(1).map(str::to_lowercase);
        let server = self.server();
        let yes = match class.as_deref() {
            None | Some("server") => match permission.as_str() {
                "CONNECT SQL" | "VIEW ANY DATABASE" | "ANY" => true,
                p => self.granted(p),
            },
            Some("database") => {
                let name = word(0).unwrap_or(&self.who.database);
                let Some(db) = server.database(name) else { return NULL };
                match permission.as_str() {
                    "CONNECT" | "ANY" => db.id <= 4 || self.granted("CONNECT ANY DATABASE"),
                    "SELECT" => self.granted("SELECT ALL USER SECURABLES"),
                    "VIEW DEFINITION" => self.granted("VIEW ANY DEFINITION"),
                    "CREATE DATABASE" => self.granted("CREATE ANY DATABASE"),
                    _ => self.who.sysadmin,
                }
            }
            Some("object") => match word(0).map(|n| self.object_id(n, None)) {
                None | Some(Value::Null) => return NULL,
                Some(_) if permission == "SELECT" => self.granted("SELECT ALL USER SECURABLES"),
                Some(_) => self.who.sysadmin,
            },
            Some(_) => self.who.sysadmin,
        };
        int(i64::from(yes))
    }

    fn server_property(&self, name: &str) -> Value {
        let server = self.server();
        let (major, minor, build, revision) = server.version;
        let data = "C:\\Program Files\\Microsoft SQL Server";
        let instance = server.name.split_once('\\').map(|(_, i)| i);
        let folder = |leaf: &str| {
            let instance = instance.unwrap_or("MSSQLSERVER");
            text(format!("{data}\\MSSQL{major}.{instance}\\MSSQL\\{leaf}\\"))
        };
        match name.to_lowercase().as_str() {
            "servername" => text(&server.name),
            "machinename" | "computernamephysicalnetbios" => text(server.machine()),
            "instancename" => instance.map_or(NULL, text),
            "productversion" => text(format!("{major}.{minor}.{build}.{revision}")),
            "productmajorversion" => text(major.to_string()),
            "productminorversion" => text(minor.to_string()),
            "productbuild" => text(build.to_string()),
            "productlevel" => text("RTM"),
            "productupdatelevel" if server.update_level.is_empty() => NULL,
            "productupdatelevel" => text(&server.update_level),
            "edition" => text(&server.edition),
            "editionid" => Value::Int(1_872_460_670),
            "engineedition" => int(if server.edition.starts_with("Standard") { 2 } else { 3 }),
            "ishadrenabled" => int(i64::from(self.state.hadr_enabled(self.s))),
            "hadrmanagerstatus" if self.state.hadr_enabled(self.s) => int(1),
            "isclustered"
            | "issingleuser"
            | "isintegratedsecurityonly"
            | "islocaldb"
            | "isadvancedanalyticsinstalled"
            | "ispolybaseinstalled"
            | "isxtpsupported"
            | "filestreameffectivelevel"
            | "filestreamconfiguredlevel"
            | "isbigdatacluster"
            | "istempdbmetadatamemoryoptimized" => int(0),
            "isfulltextinstalled" | "sqlcharset" => int(1),
            "comparisonstyle" => int(196_609),
            "buildclrversion" => text("v4.0.30319"),
            "pathseparator" if server.year() >= 2017 => text("\\"),
            "isexternalauthenticationonly"
            | "isserversuspendedforsnapshotbackup"
            | "suspendeddatabasecount"
            | "isexternalgovernanceenabled"
                if server.year() >= 2022 =>
            {
                int(0)
            }
            "resourcelastupdatedatetime" => {
                at(server.databases.first().map(|d| d.created).unwrap_or_default())
            }
            "filestreamsharename" => text(server.instance()),
            "productupdatereference" | "productbuildtype" | "numlicenses" => NULL,
            "collation" => text(&server.collation),
            "collationid" => int(872_468_488),
            "lcid" => int(1033),
            "processid" => int(4712),
            "sqlcharsetname" => text("iso_1"),
            "sqlsortorder" => int(52),
            "licensetype" => text("DISABLED"),
            "resourceversion" => text(format!("{major}.{minor:02}.{build}")),
            "instancedefaultdatapath" | "instancedefaultlogpath" => folder("DATA"),
            "instancedefaultbackuppath" if server.year() >= 2019 => folder("Backup"),
            "errorlogfilename" => text(format!(
                "{data}\\MSSQL{major}.{}\\MSSQL\\Log\\ERRORLOG",
                instance.unwrap_or("MSSQLSERVER")
            )),
            _ => NULL,
        }
    }
}
