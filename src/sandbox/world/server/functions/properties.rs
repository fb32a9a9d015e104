//! …PROPERTY functions and those that name files, columns, types and users.
//!
//! A property that SQL Server does not know is NULL; one that it knows and the world does not is refused.

use super::parts;
use crate::sandbox::answer::Message;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Column, Type, Value};
use crate::sandbox::world::server::{Call, views};
use crate::sandbox::world::state::{Database, DbState, Model, User};
use crate::sandbox::world::stored::{NULL, as_int, as_text, at, count, int, text};

/// Options of sys.databases by the name DATABASEPROPERTYEX has for them.
const OPTIONS: &[(&str, &str)] = &[
    ("isansinulldefault", "is_ansi_null_default_on"),
    ("isansinullsenabled", "is_ansi_nulls_on"),
    ("isansipaddingenabled", "is_ansi_padding_on"),
    ("isansiwarningsenabled", "is_ansi_warnings_on"),
    ("isarithmeticabortenabled", "is_arithabort_on"),
    ("isautoclose", "is_auto_close_on"),
    ("isautocreatestatistics", "is_auto_create_stats_on"),
    ("isautocreatestatisticsincremental", "is_auto_create_stats_incremental_on"),
    ("isautoshrink", "is_auto_shrink_on"),
    ("isautoupdatestatistics", "is_auto_update_stats_on"),
    ("isclosecursorsoncommitenabled", "is_cursor_close_on_commit_on"),
    ("isfulltextenabled", "is_fulltext_enabled"),
    ("isinstandby", "is_in_standby"),
    ("islocalcursorsdefault", "is_local_cursor_default"),
    ("ismemoryoptimizedelevatetosnapshotenabled", "is_memory_optimized_elevate_to_snapshot_on"),
    ("ismergepublished", "is_merge_published"),
    ("isnullconcat", "is_concat_null_yields_null_on"),
    ("isnumericroundabortenabled", "is_numeric_roundabort_on"),
    ("isparameterizationforced", "is_parameterization_forced"),
    ("isquotedidentifiersenabled", "is_quoted_identifier_on"),
    ("ispublished", "is_published"),
    ("isrecursivetriggersenabled", "is_recursive_triggers_on"),
    ("issubscribed", "is_subscribed"),
    ("issyncwithbackup", "is_sync_with_backup"),
];

impl Call<'_> {
    /// A cell of a database's row in sys.databases.
    fn database_option(&self, db: &Database, column: &str) -> Value {
        let mut sheet = views::sheet(self, "sys.databases");
        let Some(at) = sheet.table.columns.iter().position(|c| c.name == column) else { return NULL };
        let d = self.server().database_index(&db.name).unwrap_or_default();
        views::fill(self, d, "sys.databases", &mut sheet);
        let id = Value::Int(db.id.into());
        sheet.table.rows.iter().find(|r| r[1] == id).map_or(NULL, |r| r[at].clone())
    }

    /// DATABASEPROPERTYEX
    pub(super) fn database_property(&self, db: &Database, name: &str) -> Value {
        let online = db.state == DbState::Online;
        let server = self.server();
        let name = name.to_lowercase();
        if let Some((_, column)) = OPTIONS.iter().find(|(n, _)| *n == name) {
            return as_int(&self.database_option(db, column)).map_or(NULL, int);
        }
        match name.as_str() {
            "status" => text(db.state.word()),
            "recovery" => text(match db.model {
                Model::Full => "FULL",
                Model::BulkLogged => "BULK_LOGGED",
                Model::Simple => "SIMPLE",
            }),
            "updateability" => text(if db.read_only || self.state.follows(self.s, &db.name) {
                "READ_ONLY"
            } else {
                "READ_WRITE"
            }),
            "useraccess" => {
                text(["MULTI_USER", "SINGLE_USER", "RESTRICTED_USER"][usize::from(db.user_access.min(2))])
            }
            "version" if online => int(server.database_version()),
            "collation" if online => text(&server.collation),
            "comparisonstyle" if online => int(196_609),
            "lcid" if online => int(1033),
            "sqlsortorder" if online => int(52),
            "istornpagedetectionenabled" => {
                int(i64::from(as_int(&self.database_option(db, "page_verify_option")) == Some(1)))
            }
            "isxtpsupported" if server.year() >= 2014 => int(1),
            "isclone" if server.year() >= 2014 => int(0),
            "isverifiedclone" if server.year() >= 2016 => int(0),
            "isdatabasesuspendedforsnapshotbackup" if server.year() >= 2022 => int(0),
            "lastgoodcheckdbtime" if server.year() >= 2016 => at(db
                .more
                .last_good_check
                .unwrap_or_else(|| chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default().into())),
            _ => NULL,
        }
    }

    /// DATABASEPROPERTY: the older, numeric one.
    pub(super) fn database_flag(&self, db: &Database, name: &str) -> Value {
        let yes = |on: bool| int(i64::from(on));
        match name.to_lowercase().as_str() {
            "isoffline" => yes(db.state == DbState::Offline),
            "isinload" => yes(db.state == DbState::Restoring),
            "issuspect" => yes(db.state.word() == "SUSPECT"),
            "isinrecovery" => yes(db.state.word() == "RECOVERING"),
            "isnotrecovered" => yes(db.state.word() == "RECOVERY_PENDING"),
            "isemergencymode" => yes(db.state.word() == "EMERGENCY"),
            "isreadonly" => yes(db.read_only),
            "issingleuser" => yes(db.user_access == 1),
            "isdbo_only" | "isdboonly" => yes(db.user_access == 2),
            "isshutdown" => yes(false),
            "isbulkcopy" => yes(db.model != Model::Full),
            "istrunclog" => yes(db.model == Model::Simple),
            "version" => int(self.server().database_version()),
            other => match self.database_property(db, other) {
                Value::Int(n) => int(n),
                _ => NULL,
            },
        }
    }

    fn here(&self) -> Option<&Database> {
        self.server().database(&self.who.database)
    }

    /// The columns of an object of the session's database, by its number.
    fn columns_of(&self, id: i64) -> Option<Vec<Column>> {
        let db = self.here()?;
        views::columned(self, db, true).into_iter().find(|(own, _)| *own == id).map(|(_, columns)| columns)
    }

    /// The functions of this file; `Ok(None)` = none of them.
    pub(super) fn property(&self, name: &str, arguments: &[Value]) -> Outcome<Option<Value>> {
        let given = |n: usize| arguments.get(n).unwrap_or(&NULL);
        let word = |n: usize| as_text(given(n)).unwrap_or_default().to_owned();
        let number = |n: usize| as_int(given(n));
        let server = self.server();
        let year = server.year();
        Ok(Some(match name {
            "DATABASEPROPERTY" => {
                server.database(&word(0)).map_or(NULL, |db| self.database_flag(db, &word(1)))
            }
            "FILE_ID" | "FILE_IDEX" => {
                let wanted = word(0);
                let found = self
                    .here()
                    .and_then(|d| d.files.iter().find(|f| f.logical.eq_ignore_ascii_case(&wanted)));
                found.map_or(NULL, |f| int(f.id))
            }
            "FILE_NAME" => {
                let found = number(0)
                    .zip(self.here())
                    .and_then(|(id, d)| d.files.iter().find(|f| i64::from(f.id) == id));
                found.map_or(NULL, |f| text(&f.logical))
            }
            "FILEGROUP_ID" => {
                if word(0).eq_ignore_ascii_case("PRIMARY") {
                    int(1)
                } else {
                    NULL
                }
            }
            "FILEGROUP_NAME" => {
                if number(0) == Some(1) {
                    text("PRIMARY")
                } else {
                    NULL
                }
            }
            "FILEGROUPPROPERTY" => match (word(0).to_uppercase().as_str(), word(1).to_lowercase().as_str()) {
                ("PRIMARY", "isreadonly") => int(0),
                ("PRIMARY", "isdefault") => int(1),
                ("PRIMARY", "isuserdefinedfg") => int(0),
                _ => NULL,
            },
            "FILEPROPERTY" => self.file_property(&word(0), &word(1)),
            "TYPE_ID" => {
                let own = parts(&word(0)).pop().unwrap_or_default();
                views::type_number(&own).map_or(NULL, int)
            }
            "TYPEPROPERTY" => {
                let own = parts(&word(0)).pop().unwrap_or_default();
                views::type_property(&own, &word(1)).map_or(NULL, int)
            }
            "COL_NAME" => {
                let at = number(1).and_then(|n| usize::try_from(n - 1).ok());
                let columns = number(0).and_then(|id| self.columns_of(id));
                columns.zip(at).and_then(|(c, at)| c.get(at).map(|c| text(&c.name))).unwrap_or(NULL)
            }
            "COL_LENGTH" => {
                let Value::Int(id) = self.object_id(&word(0), None) else { return Ok(Some(NULL)) };
                let wanted = word(1);
                let columns = self.columns_of(id).unwrap_or_default();
                let found = columns.iter().find(|c| c.name.eq_ignore_ascii_case(&wanted));
                found.map_or(NULL, |c| int(views::type_rows(c.kind).length))
            }
            "COLUMNPROPERTY" => self.column_property(number(0), &word(1), &word(2)),
            "OBJECTPROPERTY" | "OBJECTPROPERTYEX" => self.object_property(number(0), &word(1))?,
            "OBJECT_SCHEMA_NAME" => {
                let d = match number(1) {
                    Some(id) => server.databases.iter().find(|d| i64::from(d.id) == id),
                    None => self.here(),
                };
                let schema =
                    number(0).zip(d).and_then(|(id, db)| views::object_kind(self, db, id)).map(|k| k.0);
                schema.map_or(NULL, text)
            }
            // There are no indexes and no statistics on the tables of a world.
            "INDEXPROPERTY" | "INDEX_COL" | "INDEXKEY_PROPERTY" | "STATS_DATE" => NULL,
            "LOGINPROPERTY" => self.login_property(&word(0), &word(1))?,
            "IS_MEMBER" => self.in_role_value(&word(0), None),
            "IS_ROLEMEMBER" => self.in_role_value(&word(0), as_text(given(1))),
            "GETANSINULL" => int(1),
            "HOST_ID" => text(format!("{:<10}", 4000 + i64::from(self.who.session_id) % 997)),
            "CURRENT_TIMEZONE" if year >= 2019 && server.offset_minutes == 0 => {
                text("(UTC) Coordinated Universal Time")
            }
            "CURRENT_TIMEZONE_ID" if year >= 2022 && server.offset_minutes == 0 => text("UTC"),
            "CURRENT_TIMEZONE" if year >= 2019 => {
                return Err(Message::not_modelled("the name of the time zone"));
            }
            "CURRENT_TIMEZONE_ID" if year >= 2022 => {
                return Err(Message::not_modelled("the name of the time zone"));
            }
            "CONTEXT_INFO" => NULL,
            "SESSION_CONTEXT" if year >= 2016 => NULL,
            "COLLATIONPROPERTY" => collation(&word(0), &word(1))?,
            "PERMISSIONS"
            | "APPLOCK_MODE"
            | "APPLOCK_TEST"
            | "NEWSEQUENTIALID"
            | "SESSIONPROPERTY"
            | "CERT_ID"
            | "KEY_ID"
            | "KEY_GUID"
            | "ASYMKEY_ID"
            | "PWDCOMPARE"
            | "PWDENCRYPT"
            | "FULLTEXTCATALOGPROPERTY"
            | "FULLTEXTSERVICEPROPERTY"
            | "ASSEMBLYPROPERTY"
            | "SERVICEPROPERTY"
            | "MIN_ACTIVE_ROWVERSION"
            | "CURRENT_REQUEST_ID"
            | "CURRENT_TRANSACTION_ID"
            | "CHANGE_TRACKING_CURRENT_VERSION" => {
                return Err(Message::not_modelled(name));
            }
            _ => return Ok(None),
        }))
    }

    fn file_property(&self, file: &str, property: &str) -> Value {
        let Some(db) = self.here() else { return NULL };
        let Some(f) = db.files.iter().find(|f| f.logical.eq_ignore_ascii_case(file)) else { return NULL };
        match property.to_lowercase().as_str() {
            "isreadonly" => int(i64::from(db.read_only)),
            "isprimaryfile" => int(i64::from(f.id == 1)),
            "islogfile" => int(i64::from(f.is_log)),
            "spaceused" if f.is_log => int(views::used_log(db) / 8192),
            "spaceused" => int(views::used_pages(f)),
            _ => NULL,
        }
    }

    fn column_property(&self, object: Option<i64>, column: &str, property: &str) -> Value {
        let Some(columns) = object.and_then(|id| self.columns_of(id)) else { return NULL };
        let Some(n) = columns.iter().position(|c| c.name.eq_ignore_ascii_case(column)) else { return NULL };
        let kind = views::type_rows(columns[n].kind);
        let words =
            matches!(columns[n].kind, Type::Char(_) | Type::VarChar(_) | Type::NChar(_) | Type::NVarChar(_));
        let letters = match columns[n].kind {
            Type::NChar(_) | Type::NVarChar(Some(_)) => kind.length / 2,
            _ => kind.length,
        };
        match property.to_lowercase().as_str() {
            "allowsnull" => int(i64::from(columns[n].nullable)),
            "columnid" | "ordinal" => count(n + 1),
            "precision" => int(if kind.precision == 0 { letters } else { kind.precision }),
            "scale" if kind.precision > 0 => int(kind.scale),
            "charmaxlen" if words => int(letters),
            "usesansitrim" if words => int(1),
            "iscomputed"
            | "isidentity"
            | "isfulltextindexed"
            | "isrowguidcol"
            | "isidnotforrepl"
            | "isoutparam"
            | "issparse"
            | "ishidden"
            | "isdeterministic"
            | "iscolumnset"
            | "generatedalwaystype" => int(0),
            _ => NULL,
        }
    }

    fn object_property(&self, object: Option<i64>, property: &str) -> Outcome<Value> {
        let found = object.zip(self.here()).and_then(|(id, db)| views::object_kind(self, db, id));
        let Some((schema, kind)) = found else { return Ok(NULL) };
        let own = schema == "dbo";
        let yes = |on: bool| Ok(int(i64::from(on)));
        match property.to_lowercase().as_str() {
            "istable" => yes(kind == "U"),
            "isusertable" => yes(kind == "U" && own),
            "issystemtable" => yes(kind == "S"),
            "isview" => yes(kind == "V"),
            "isprocedure" => yes(kind == "P"),
            "isextendedproc" => yes(kind == "X"),
            "isscalarfunction" | "istablefunction" | "isinlinefunction" | "istrigger" | "isconstraint"
            | "isprimarykey" | "isforeignkey" | "isdefault" | "isdefaultcnst" | "ischeckcnst" | "isrule"
            | "isqueue" | "isreplproc" | "isencrypted" | "execisstartup" | "isuniquecnst"
            | "issystemverified" => yes(false),
            "ismsshipped" => yes(!own),
            "ownerid" => Ok(int(if own { 1 } else { 4 })),
            "schemaid" => Ok(int(if own { 1 } else { 4 })),
            "tablehasprimarykey"
            | "tablehasidentity"
            | "tablehasindex"
            | "tablehasclustindex"
            | "tablehasnonclustindex"
            | "tablehasuniquecnst"
            | "tablehastextimage"
            | "tablehasforeignkey"
            | "tablehasforeignref"
            | "tablehascheckcnst"
            | "tablehasdefaultcnst"
            | "tablehasinserttrigger"
            | "tablehasdeletetrigger"
            | "tablehasupdatetrigger"
            | "tablehasactivefulltextindex"
            | "tableisfake"
            | "tableispinned"
            | "tablehasrowguidcol"
            | "tablehastimestamp"
            | "tableismemoryoptimized"
                if kind == "U" =>
            {
                yes(false)
            }
            "cardinality" if kind == "U" => {
                let rows = self.here().and_then(|db| {
                    db.content.tables.values().find(|t| Some(i64::from(t.object_id)) == object)
                });
                Ok(rows.map_or(NULL, |t| count(t.table.rows.len())))
            }
            "basetype" => Ok(text(kind)),
            "isansinullson" | "isquotedidenton" | "execisansinullson" | "execisquotedidenton" => yes(true),
            _ => Ok(NULL),
        }
    }

    fn login_property(&self, login: &str, property: &str) -> Outcome<Value> {
        let server = self.server();
        let Some(l) = server.login(login).filter(|l| l.kind == 'S' || l.kind == 'U') else { return Ok(NULL) };
        let sql = l.kind == 'S';
        Ok(match property.to_lowercase().as_str() {
            "defaultdatabase" => text(l.database.as_deref().unwrap_or("master")),
            "defaultlanguage" => text("us_english"),
            _ if !sql => NULL,
            "islocked" | "isexpired" | "ismustchange" | "badpasswordcount" | "historylength" => int(0),
            "passwordlastsettime" => at(l.created),
            "badpasswordtime" | "lockouttime" => {
                at(chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default().into())
            }
            "passwordhash" | "passwordhashalgorithm" => return Err(Message::not_modelled("password hashes")),
            _ => NULL,
        })
    }

    /// The user a session is in a database.
    pub(in crate::sandbox::world::server) fn user_in<'a>(&self, db: &'a Database) -> Option<&'a User> {
        let users = &db.content.users;
        let by = |name: &str| users.iter().find(|u| u.name.eq_ignore_ascii_case(name));
        if self.who.sysadmin || db.owner.eq_ignore_ascii_case(&self.who.login) {
            return by("dbo");
        }
        let sid = self.server().login(&self.who.login).map(|l| &l.sid);
        let own = sid.and_then(|sid| users.iter().find(|u| u.id > 4 && u.sid.as_ref() == Some(sid)));
        let open = matches!(db.id, 1 | 2 | 4) || self.granted("CONNECT ANY DATABASE");
        own.or_else(|| if open { by("guest") } else { None })
    }

    /// Whether the session's user is in a role of a database, by itself.
    pub(in crate::sandbox::world::server) fn in_role(&self, db: &Database, role: &str) -> bool {
        self.user_in(db)
            .is_some_and(|u| u.name == "dbo" || u.roles.iter().any(|r| r.eq_ignore_ascii_case(role)))
    }

    /// IS_MEMBER and IS_ROLEMEMBER.
    fn in_role_value(&self, role: &str, member: Option<&str>) -> Value {
        let Some(db) = self.here() else { return NULL };
        let known = db.content.users.iter().any(|u| u.kind == 'R' && u.name.eq_ignore_ascii_case(role));
        if !known {
            return NULL;
        }
        if role.eq_ignore_ascii_case("public") {
            return int(1);
        }
        let member = match member {
            Some(name) => db.content.users.iter().find(|u| u.name.eq_ignore_ascii_case(name)),
            None => self.user_in(db),
        };
        member.map_or(NULL, |u| {
            // dbo is in every role for a session that is dbo.
            int(i64::from(
                u.roles.iter().any(|r| r.eq_ignore_ascii_case(role))
                    || u.name == "dbo" && role.eq_ignore_ascii_case("db_owner"),
            ))
        })
    }

    pub(super) fn user_name(&self) -> String {
        self.here().and_then(|db| self.user_in(db)).map_or_else(|| "guest".into(), |u| u.name.clone())
    }
}

/// COLLATIONPROPERTY of the collations whose facts are known.
fn collation(name: &str, property: &str) -> Outcome<Value> {
    let lower = name.to_lowercase();
    let version = match lower.as_str() {
        "sql_latin1_general_cp1_ci_as"
        | "sql_latin1_general_cp1_cs_as"
        | "latin1_general_ci_as"
        | "latin1_general_cs_as"
        | "latin1_general_bin"
        | "latin1_general_bin2" => 0,
        "latin1_general_100_ci_as" | "latin1_general_100_cs_as" => 2,
        _ => return Err(Message::not_modelled(format_args!("the collation {name}"))),
    };
    Ok(match property.to_lowercase().as_str() {
        "codepage" => int(1252),
        "lcid" => int(1033),
        "comparisonstyle" => int(if lower.contains("_bin") {
            0
        } else if lower.contains("_cs_") {
            196_608
        } else {
            196_609
        }),
        "version" => int(version),
        _ => NULL,
    })
}
