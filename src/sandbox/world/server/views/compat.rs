//! The system tables of old (sysdatabases, sysprocesses, …), which many tools still read.
//!
//! Does not know the facts itself: each says what its modern view says, in the old form.

use super::super::Call;
use super::objects::{columned, objects, system_types, type_rows};
use super::sessions;
use crate::sandbox::value::Value;
use crate::sandbox::world::options::settings;
use crate::sandbox::world::state::{Database, DbFile, DbState, Model, Server};
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, at, bit, count, int, or_null, text};

pub(super) fn fill(call: &Call<'_>, d: usize, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    match full {
        "sys.sysdatabases" => server.databases.iter().for_each(|db| database(server, db, sheet)),
        "sys.sysaltfiles" => {
            for db in &server.databases {
                for f in &db.files {
                    let mut cells = file(f);
                    cells.push(("dbid", int(db.id)));
                    sheet.row(cells);
                }
            }
        }
        "sys.sysfiles" => server.databases[d].files.iter().for_each(|f| sheet.row(file(f))),
        "sys.syslogins" => logins(call, sheet),
        "sys.sysconfigures" | "sys.syscurconfigs" => {
            for s in settings(server.year()) {
                let value =
                    if full == "sys.sysconfigures" { server.configured(&s) } else { server.in_use(&s) };
                sheet.row(vec![
                    ("value", int(value)),
                    ("config", int(s.id)),
                    ("comment", text(s.description)),
                    ("status", int(i64::from(s.dynamic) + 2 * i64::from(s.advanced))),
                ]);
            }
        }
        "sys.sysservers" => servers(server, sheet),
        "sys.sysusers" => users(&server.databases[d], sheet),
        "sys.sysobjects" => {
            let db = &server.databases[d];
            for o in objects(call, db) {
                sheet.row(vec![
                    ("name", text(o.name)),
                    ("id", int(o.id)),
                    ("xtype", text(o.kind)),
                    ("uid", int(o.schema)),
                    ("info", int(0)),
                    ("status", int(0)),
                    ("base_schema_ver", int(0)),
                    ("replinfo", int(0)),
                    ("parent_obj", int(0)),
                    ("crdate", at(db.created)),
                    ("ftcatid", int(0)),
                    ("schema_ver", int(0)),
                    ("stats_schema_ver", int(0)),
                    ("type", text(o.kind)),
                    ("userstat", int(i64::from(o.kind == "U "))),
                    ("sysstat", int(if o.kind == "U " { 3 } else { 4 })),
                    ("indexdel", int(0)),
                    ("refdate", at(db.created)),
                    ("version", int(0)),
                    ("deltrig", int(0)),
                    ("instrig", int(0)),
                    ("updtrig", int(0)),
                    ("seltrig", int(0)),
                    ("category", int(0)),
                    ("cache", int(0)),
                ]);
            }
        }
        "sys.syscolumns" => {
            for (id, columns) in columned(call, &server.databases[d], false) {
                for (n, column) in columns.iter().enumerate() {
                    let kind = type_rows(column.kind);
                    sheet.row(vec![
                        ("name", text(&column.name)),
                        ("id", int(id)),
                        ("xtype", int(kind.system)),
                        ("xusertype", int(kind.user)),
                        ("length", int(kind.length)),
                        ("xprec", int(kind.precision)),
                        ("xscale", int(kind.scale)),
                        ("colid", count(n + 1)),
                        ("colorder", count(n + 1)),
                        ("isnullable", int(i64::from(column.nullable))),
                        ("iscomputed", int(0)),
                        ("isoutparam", int(0)),
                        ("prec", int(if kind.precision == 0 { kind.length } else { kind.precision })),
                        ("scale", if kind.precision == 0 { NULL } else { int(kind.scale) }),
                        ("collation", if kind.words { text(&server.collation) } else { NULL }),
                    ]);
                }
            }
        }
        "sys.systypes" => {
            for (name, kind) in system_types() {
                sheet.row(vec![
                    ("name", text(name)),
                    ("xtype", int(kind.system)),
                    ("xusertype", int(kind.user)),
                    ("length", int(kind.length)),
                    ("xprec", int(kind.precision)),
                    ("xscale", int(kind.scale)),
                    ("tdefault", int(0)),
                    ("domain", int(0)),
                    ("uid", int(4)),
                    ("allownulls", bit(name != "sysname")),
                    ("prec", int(if kind.precision == 0 { kind.length } else { kind.precision })),
                    ("scale", if kind.precision == 0 { NULL } else { int(kind.scale) }),
                    ("collation", if kind.words { text(&server.collation) } else { NULL }),
                ]);
            }
        }
        "sys.syslanguages" => sheet.row(vec![
            ("langid", int(0)),
            ("dateformat", text("mdy")),
            ("datefirst", int(7)),
            ("upgrade", int(0)),
            ("name", text("us_english")),
            ("alias", text("English")),
            (
                "months",
                text("January,February,March,April,May,June,July,August,September,October,November,December"),
            ),
            ("shortmonths", text("Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec")),
            ("days", text("Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday")),
            ("lcid", int(1033)),
            ("msglangid", int(1033)),
        ]),
        "sys.fulltext_languages" => sheet.row(vec![("lcid", int(1033)), ("name", text("English"))]),
        "sys.sysprocesses" => sessions::processes(call, sheet),
        _ => return false,
    }
    true
}

fn database(server: &Server, db: &Database, sheet: &mut Sheet) {
    let mut status = 65_536 + 16;
    status |= match db.state {
        DbState::Online => 0,
        DbState::Offline => 512,
        _ => 32,
    };
    status |= i64::from(db.read_only) * 1024;
    status |= if db.user_access == 1 { 4096 } else { 0 };
    status |= match db.model {
        Model::Simple => 8,
        Model::BulkLogged => 4,
        Model::Full => 0,
    };
    let owner = server.logins.iter().find(|l| l.name == db.owner).map(|l| l.sid.clone());
    sheet.row(vec![
        ("name", text(&db.name)),
        ("dbid", int(db.id)),
        ("sid", or_null(owner, Value::Binary)),
        ("mode", int(0)),
        ("status", int(status)),
        ("status2", int(1_090_520_064)),
        ("crdate", at(db.created)),
        ("reserved", NULL),
        ("category", int(0)),
        ("cmptlevel", int(db.compatibility)),
        ("filename", db.files.first().map_or(NULL, |f| text(&f.physical))),
        ("version", if db.state == DbState::Online { int(server.database_version()) } else { int(0) }),
    ]);
}

fn file(f: &DbFile) -> Vec<(&'static str, Value)> {
    vec![
        ("fileid", int(f.id)),
        ("groupid", int(i64::from(!f.is_log))),
        ("size", int(f.pages)),
        ("maxsize", int(if f.is_log { 268_435_456 } else { -1 })),
        ("growth", int(8192)),
        ("status", int(if f.is_log { 66 } else { 2 })),
        ("perf", int(0)),
        ("name", text(&f.logical)),
        ("filename", text(&f.physical)),
    ]
}

fn logins(call: &Call<'_>, sheet: &mut Sheet) {
    for l in call.server().logins.iter().filter(|l| l.kind != 'R' && call.sees_login(l)) {
        let role = |name: &str| int(i64::from(l.is_in(name)));
        let windows = l.kind != 'S';
        sheet.row(vec![
            ("sid", Value::Binary(l.sid.clone())),
            ("status", int(if windows { 10 } else { 9 })),
            ("createdate", at(l.created)),
            ("updatedate", at(l.created)),
            ("accdate", at(l.created)),
            ("totcpu", int(0)),
            ("totio", int(0)),
            ("spacelimit", int(0)),
            ("timelimit", int(0)),
            ("resultlimit", int(0)),
            ("name", text(&l.name)),
            ("dbname", text(l.database.as_deref().unwrap_or("master"))),
            ("password", NULL),
            ("language", text("us_english")),
            ("denylogin", int(0)),
            ("hasaccess", int(1)),
            ("isntname", int(i64::from(windows))),
            ("isntgroup", int(i64::from(l.kind == 'G'))),
            ("isntuser", int(i64::from(l.kind == 'U'))),
            ("sysadmin", role("sysadmin")),
            ("securityadmin", role("securityadmin")),
            ("serveradmin", role("serveradmin")),
            ("setupadmin", role("setupadmin")),
            ("processadmin", role("processadmin")),
            ("diskadmin", role("diskadmin")),
            ("dbcreator", role("dbcreator")),
            ("bulkadmin", role("bulkadmin")),
            ("loginname", text(&l.name)),
        ]);
    }
}

fn servers(server: &Server, sheet: &mut Sheet) {
    let own = (server.name.as_str(), server.name.as_str(), true, server.local(server.started));
    let linked =
        server.linked.iter().map(|l| (l.name.as_str(), l.data_source.as_str(), l.rpc_out, l.created));
    for (n, (name, source, rpc, modified)) in std::iter::once(own).chain(linked).enumerate() {
        sheet.row(vec![
            ("srvid", count(n)),
            ("srvstatus", int(if n == 0 { 1089 } else { 225 })),
            ("srvname", text(name)),
            ("srvproduct", text("SQL Server")),
            ("providername", text(server.provider())),
            ("datasource", text(source)),
            ("schemadate", at(modified)),
            ("topologyx", int(0)),
            ("topologyy", int(0)),
            ("connecttimeout", int(0)),
            ("querytimeout", int(0)),
            ("srvnetname", text(name)),
            ("isremote", bit(n == 0)),
            ("rpc", ON),
            ("pub", OFF),
            ("sub", OFF),
            ("dist", OFF),
            ("dpub", OFF),
            ("rpcout", bit(rpc)),
            ("dataaccess", bit(n > 0)),
            ("collationcompatible", OFF),
            ("system", OFF),
            ("useremotecollation", ON),
            ("lazyschemavalidation", OFF),
            ("nonsqlsub", OFF),
        ]);
    }
}

fn users(db: &Database, sheet: &mut Sheet) {
    for u in &db.content.users {
        let windows = matches!(u.kind, 'U' | 'G');
        let role = u.kind == 'R';
        sheet.row(vec![
            ("uid", int(u.id)),
            ("status", int(0)),
            ("name", text(&u.name)),
            ("sid", or_null(u.sid.clone(), Value::Binary)),
            ("createdate", at(u.created)),
            ("updatedate", at(u.created)),
            ("altuid", int(i64::from(role))),
            ("gid", int(if role { u.id } else { 0 })),
            ("hasdbaccess", int(i64::from(!role && u.id != 2))),
            ("islogin", int(i64::from(!role))),
            ("isntname", int(i64::from(windows))),
            ("isntgroup", int(i64::from(u.kind == 'G'))),
            ("isntuser", int(i64::from(u.kind == 'U'))),
            ("issqluser", int(i64::from(u.kind == 'S'))),
            ("isaliased", int(0)),
            ("issqlrole", int(i64::from(role))),
            ("isapprole", int(0)),
        ]);
    }
}
