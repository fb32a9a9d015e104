//! Objects, columns, types and schemas of a database.

use super::super::Call;
use crate::sandbox::value::{Column, Type, Value};
use crate::sandbox::world::columns::{
    Modelled, is_function, sheet as system_sheet, system_names, system_object,
};
use crate::sandbox::world::state::Database;
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, Stored, at, bit, count, int, text};

/// name, `system_type_id`, `user_type_id`, length, precision, scale
const TYPES: &[(&str, i64, i64, i64, i64, i64)] = &[
    ("uniqueidentifier", 36, 36, 16, 0, 0),
    ("date", 40, 40, 3, 10, 0),
    ("time", 41, 41, 5, 16, 7),
    ("datetime2", 42, 42, 8, 27, 7),
    ("datetimeoffset", 43, 43, 10, 34, 7),
    ("tinyint", 48, 48, 1, 3, 0),
    ("smallint", 52, 52, 2, 5, 0),
    ("int", 56, 56, 4, 10, 0),
    ("smalldatetime", 58, 58, 4, 16, 0),
    ("real", 59, 59, 4, 24, 0),
    ("money", 60, 60, 8, 19, 4),
    ("datetime", 61, 61, 8, 23, 3),
    ("float", 62, 62, 8, 53, 0),
    ("sql_variant", 98, 98, 8016, 0, 0),
    ("bit", 104, 104, 1, 1, 0),
    ("decimal", 106, 106, 17, 38, 38),
    ("numeric", 108, 108, 17, 38, 38),
    ("bigint", 127, 127, 8, 19, 0),
    ("varbinary", 165, 165, 8000, 0, 0),
    ("varchar", 167, 167, 8000, 0, 0),
    ("binary", 173, 173, 8000, 0, 0),
    ("char", 175, 175, 8000, 0, 0),
    ("timestamp", 189, 189, 8, 0, 0),
    ("nvarchar", 231, 231, 8000, 0, 0),
    ("nchar", 239, 239, 8000, 0, 0),
    ("xml", 241, 241, -1, 0, 0),
    ("sysname", 231, 256, 256, 0, 0),
];

const SCHEMAS: &[(i64, &str)] = &[(1, "dbo"), (2, "guest"), (3, "INFORMATION_SCHEMA"), (4, "sys")];

/// `TYPE_NAME`
pub(in super::super) fn type_name(id: i64) -> Option<&'static str> {
    TYPES.iter().find(|t| t.2 == id).map(|t| t.0)
}

/// (type name, length, precision, scale) as the catalogue shows a type.
fn shape(kind: Type) -> (&'static str, i64, i64, i64) {
    let long = |n: Option<u16>, width: i64| n.map_or(-1, |n| i64::from(n) * width);
    match kind {
        Type::Bit => ("bit", 1, 1, 0),
        Type::TinyInt => ("tinyint", 1, 3, 0),
        Type::SmallInt => ("smallint", 2, 5, 0),
        Type::Int => ("int", 4, 10, 0),
        Type::BigInt => ("bigint", 8, 19, 0),
        Type::Decimal { precision, scale } => {
            let length = match precision {
                ..=9 => 5,
                10..=19 => 9,
                20..=28 => 13,
                _ => 17,
            };
            ("numeric", length, precision.into(), scale.into())
        }
        Type::Real => ("real", 4, 24, 0),
        Type::Float => ("float", 8, 53, 0),
        Type::Date => ("date", 3, 10, 0),
        Type::Time { scale } => ("time", 5, 16, scale.into()),
        Type::SmallDateTime => ("smalldatetime", 4, 16, 0),
        Type::DateTime => ("datetime", 8, 23, 3),
        Type::DateTime2 { scale } => ("datetime2", 8, 27, scale.into()),
        Type::DateTimeOffset { scale } => ("datetimeoffset", 10, 34, scale.into()),
        Type::UniqueIdentifier => ("uniqueidentifier", 16, 0, 0),
        Type::Char(n) => ("char", n.into(), 0, 0),
        Type::VarChar(n) => ("varchar", long(n, 1), 0, 0),
        Type::NChar(n) => ("nchar", i64::from(n) * 2, 0, 0),
        Type::NVarChar(n) => ("nvarchar", long(n, 2), 0, 0),
        Type::Binary(n) => ("binary", n.into(), 0, 0),
        Type::VarBinary(n) => ("varbinary", long(n, 1), 0, 0),
        Type::Money => ("money", 8, 19, 4),
        Type::SmallMoney => ("smallmoney", 4, 10, 4),
        Type::Xml => ("xml", -1, 0, 0),
        Type::Variant => ("sql_variant", 8016, 0, 0),
    }
}

/// One object of a database.
pub(super) struct Object<'a> {
    pub(super) id: i64,
    pub(super) schema: i64,
    pub(super) name: &'a str,
    /// `U `, `V `, `P `, …
    pub(super) kind: &'static str,
}

fn described(kind: &str) -> &'static str {
    match kind.trim() {
        "U" => "USER_TABLE",
        "V" => "VIEW",
        "P" => "SQL_STORED_PROCEDURE",
        _ => "EXTENDED_STORED_PROCEDURE",
    }
}

/// Tables of msdb, as objects of it.
fn msdb_tables(year: u16) -> impl Iterator<Item = &'static str> {
    system_names(year).filter_map(|n| n.strip_prefix("msdb.dbo."))
}

/// A stable negative number for a system object.
fn system_id(name: &str) -> i64 {
    let hash = name.bytes().fold(5381u32, |h, b| h.wrapping_mul(33) ^ u32::from(b));
    -i64::from(hash % 2_000_000_000) - 1
}

pub(super) fn objects<'a>(call: &Call<'_>, db: &'a Database) -> Vec<Object<'a>> {
    let own = |id: i32, name, kind| Object { id: id.into(), schema: 1, name, kind };
    let mut all: Vec<Object<'a>> =
        db.content.tables.values().map(|t| own(t.object_id, t.name.as_str(), "U ")).collect();
    all.extend(db.content.views.iter().map(|(n, id)| own(*id, n, "V ")));
    all.extend(db.content.procedures.iter().map(|(n, id)| own(*id, n, "P ")));
    if db.id == 4 {
        for name in msdb_tables(call.server().year()) {
            all.push(Object { id: -system_id(name), schema: 1, name, kind: "U " });
        }
        for name in ["sp_help_job", "sp_start_job", "sp_stop_job", "sp_update_job"] {
            all.push(Object { id: -system_id(name), schema: 1, name, kind: "P " });
        }
    }
    all.sort_by_key(|o| o.id);
    all
}

/// `OBJECT_ID`: the object of that name and, if given, type.
pub(in super::super) fn find_object(
    call: &Call<'_>,
    d: usize,
    schema: &str,
    name: &str,
    kind: Option<&str>,
) -> Option<i64> {
    let db = &call.server().databases[d];
    let year = call.server().year();
    let fits = |k: &str| kind.is_none_or(|wanted| wanted.trim().eq_ignore_ascii_case(k.trim()));
    let found = objects(call, db)
        .into_iter()
        .find(|o| schema == "dbo" && o.name.eq_ignore_ascii_case(name) && fits(o.kind))
        .map(|o| o.id);
    found.or_else(|| {
        let full = format!("{schema}.{}", name.to_lowercase());
        let k = if is_function(&full) { "IF" } else { "V" };
        let known = matches!(schema, "sys" | "information_schema") && system_object(&full, year).is_some();
        (known && fits(k)).then(|| system_id(&full))
    })
}

/// `OBJECT_NAME`
pub(in super::super) fn object_name(call: &Call<'_>, d: usize, id: i64) -> Option<String> {
    let db = &call.server().databases[d];
    objects(call, db).into_iter().find(|o| o.id == id).map(|o| o.name.to_owned())
}

pub(super) fn fill(call: &Call<'_>, d: usize, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    let db = &server.databases[d];
    match full {
        "sys.objects" | "sys.all_objects" | "sys.system_objects" => {
            if full != "sys.system_objects" {
                for o in objects(call, db) {
                    sheet.row(object(db, &o));
                }
            }
            if full != "sys.objects" {
                for name in system_names(server.year()).filter_map(|n| n.strip_prefix("sys.")) {
                    let o = Object { id: system_id(&format!("sys.{name}")), schema: 4, name, kind: "V " };
                    sheet.row(object(db, &o));
                }
            }
        }
        "sys.tables" | "sys.views" | "sys.procedures" => {
            let wanted = match full {
                "sys.tables" => "U ",
                "sys.views" => "V ",
                _ => "P ",
            };
            for o in objects(call, db).iter().filter(|o| o.kind == wanted) {
                let mut cells = object(db, o);
                if wanted == "U " {
                    cells.extend([
                        ("uses_ansi_nulls", ON),
                        ("is_replicated", OFF),
                        ("is_tracked_by_cdc", OFF),
                        ("lock_escalation", int(0)),
                        ("lock_escalation_desc", text("TABLE")),
                        ("is_memory_optimized", OFF),
                        ("is_external", OFF),
                        ("temporal_type", int(0)),
                        ("durability", int(0)),
                        ("durability_desc", text("SCHEMA_AND_DATA")),
                        (
                            "max_column_id_used",
                            db.content
                                .tables
                                .get(&o.name.to_lowercase())
                                .map_or(NULL, |t| count(t.table.columns.len())),
                        ),
                    ]);
                } else if wanted == "P " {
                    cells.push(("is_auto_executed", OFF));
                }
                sheet.row(cells);
            }
        }
        "sys.all_views" | "sys.system_views" => {
            if full == "sys.all_views" {
                for o in objects(call, db).iter().filter(|o| o.kind == "V ") {
                    sheet.row(object(db, o));
                }
            }
            for name in system_names(server.year()).filter_map(|n| n.strip_prefix("sys.")) {
                let o = Object { id: system_id(&format!("sys.{name}")), schema: 4, name, kind: "V " };
                sheet.row(object(db, &o));
            }
        }
        "sys.columns" | "sys.all_columns" | "sys.system_columns" => {
            let (own, system) = (full != "sys.system_columns", full != "sys.columns");
            for (id, columns) in columned(call, db, system).iter().filter(|c| own || c.0 < 0) {
                let id = *id;
                for (n, column) in columns.iter().enumerate() {
                    column_row(call, id, n, column, sheet);
                }
            }
        }
        "sys.schemas" => {
            for (id, name) in SCHEMAS {
                sheet.row(vec![("name", text(*name)), ("schema_id", int(*id)), ("principal_id", int(*id))]);
            }
        }
        "sys.types" => {
            for (name, system, user, length, precision, scale) in TYPES {
                sheet.row(vec![
                    ("name", text(*name)),
                    ("system_type_id", int(*system)),
                    ("user_type_id", int(*user)),
                    ("schema_id", int(4)),
                    ("max_length", int(*length)),
                    ("precision", int(*precision)),
                    ("scale", int(*scale)),
                    ("is_nullable", bit(*name != "sysname")),
                    ("is_user_defined", OFF),
                    ("is_assembly_type", OFF),
                    ("default_object_id", int(0)),
                    ("rule_object_id", int(0)),
                    ("is_table_type", OFF),
                ]);
            }
        }
        "information_schema.tables" => {
            for o in objects(call, db) {
                let kind = match o.kind {
                    "U " => "BASE TABLE",
                    "V " => "VIEW",
                    _ => continue,
                };
                sheet.row(vec![
                    ("TABLE_CATALOG", text(&db.name)),
                    ("TABLE_SCHEMA", text("dbo")),
                    ("TABLE_NAME", text(o.name)),
                    ("TABLE_TYPE", text(kind)),
                ]);
            }
        }
        "information_schema.columns" => {
            for o in objects(call, db) {
                let Some(table) = db.content.tables.get(&o.name.to_lowercase()) else { continue };
                for (n, column) in table.table.columns.iter().enumerate() {
                    information(db, o.name, n, column, sheet);
                }
            }
        }
        "information_schema.schemata" => {
            for (_, name) in SCHEMAS {
                sheet.row(vec![
                    ("CATALOG_NAME", text(&db.name)),
                    ("SCHEMA_NAME", text(*name)),
                    ("SCHEMA_OWNER", text(*name)),
                ]);
            }
        }
        _ => return false,
    }
    true
}

fn object(db: &Database, o: &Object<'_>) -> Vec<(&'static str, Value)> {
    vec![
        ("name", text(o.name)),
        ("object_id", int(o.id)),
        ("schema_id", int(o.schema)),
        ("parent_object_id", int(0)),
        ("type", text(o.kind)),
        ("type_desc", text(described(o.kind))),
        ("create_date", at(db.created)),
        ("modify_date", at(db.created)),
        ("is_ms_shipped", bit(o.schema == 4)),
        ("is_published", OFF),
        ("is_schema_published", OFF),
    ]
}

/// A type as the old tables tell it.
pub(in super::super) struct OldType {
    pub(in super::super) system: i64,
    pub(in super::super) user: i64,
    pub(in super::super) length: i64,
    pub(in super::super) precision: i64,
    pub(in super::super) scale: i64,
    /// Whether it has a collation.
    pub(in super::super) words: bool,
}

fn has_words(name: &str) -> bool {
    name.ends_with("char") || name == "sysname"
}

/// The numbers of a column's type.
pub(in super::super) fn type_rows(kind: Type) -> OldType {
    let (name, length, precision, scale) = shape(kind);
    let found = TYPES.iter().find(|t| t.0 == name);
    let user = if kind == Type::SYSNAME { 256 } else { found.map_or(0, |t| t.2) };
    OldType { system: found.map_or(0, |t| t.1), user, length, precision, scale, words: has_words(name) }
}

/// Every type there is.
pub(super) fn system_types() -> impl Iterator<Item = (&'static str, OldType)> {
    TYPES.iter().map(|(name, system, user, length, precision, scale)| {
        let words = has_words(name);
        (
            *name,
            OldType {
                system: *system,
                user: *user,
                length: *length,
                precision: *precision,
                scale: *scale,
                words,
            },
        )
    })
}

/// The tables that users made, in the order of their numbers.
pub(super) fn own_tables(db: &Database) -> Vec<&Stored> {
    let mut all: Vec<&Stored> = db.content.tables.values().collect();
    all.sort_by_key(|t| t.object_id);
    all
}

/// Objects that have columns, with them.
pub(in super::super) fn columned(call: &Call<'_>, db: &Database, system: bool) -> Vec<(i64, Vec<Column>)> {
    let year = call.server().year();
    let mut all: Vec<(i64, Vec<Column>)> =
        db.content.tables.values().map(|t| (i64::from(t.object_id), t.table.columns.clone())).collect();
    for (name, id) in &db.content.views {
        let d = call.server().database_index(&db.name).unwrap_or_default();
        if let Some(table) = super::user_view(call, d, &name.to_lowercase()) {
            all.push((i64::from(*id), table.columns));
        }
    }
    let modelled = |full: &str| system_object(full, year).is_some_and(|o| o.modelled != Modelled::Not);
    if db.id == 4 {
        for name in msdb_tables(year) {
            let full = format!("msdb.dbo.{name}");
            if modelled(&full) {
                all.push((-system_id(name), system_sheet(&full, year).table.columns));
            }
        }
    }
    if system {
        for full in system_names(year).filter(|n| n.starts_with("sys.") && modelled(n)) {
            all.push((system_id(full), system_sheet(full, year).table.columns));
        }
    }
    all.sort_by_key(|o| o.0);
    all
}

fn column_row(call: &Call<'_>, id: i64, n: usize, column: &Column, sheet: &mut Sheet) {
    let (name, length, precision, scale) = shape(column.kind);
    let sysname = column.kind == Type::SYSNAME;
    let kind = TYPES.iter().find(|t| t.0 == name);
    let words = matches!(column.kind, Type::Char(_) | Type::VarChar(_) | Type::NChar(_) | Type::NVarChar(_));
    sheet.row(vec![
        ("object_id", int(id)),
        ("name", text(&column.name)),
        ("column_id", count(n + 1)),
        ("system_type_id", int(kind.map_or(0, |t| t.1))),
        ("user_type_id", int(if sysname { 256 } else { kind.map_or(0, |t| t.2) })),
        ("max_length", int(length)),
        ("precision", int(precision)),
        ("scale", int(scale)),
        ("collation_name", if words { text(&call.server().collation) } else { NULL }),
        ("is_nullable", bit(column.nullable)),
        ("is_ansi_padded", bit(words)),
        ("is_rowguidcol", OFF),
        ("is_identity", OFF),
        ("is_computed", OFF),
        ("is_filestream", OFF),
        ("is_replicated", OFF),
        ("is_xml_document", OFF),
        ("xml_collection_id", int(0)),
        ("default_object_id", int(0)),
        ("rule_object_id", int(0)),
        ("is_sparse", OFF),
        ("is_column_set", OFF),
        ("is_hidden", OFF),
        ("is_masked", OFF),
    ]);
}

fn information(db: &Database, table: &str, n: usize, column: &Column, sheet: &mut Sheet) {
    let (name, length, precision, scale) = shape(column.kind);
    let wide = matches!(column.kind, Type::NChar(_) | Type::NVarChar(_));
    let words = wide || matches!(column.kind, Type::Char(_) | Type::VarChar(_));
    let binary = matches!(column.kind, Type::Binary(_) | Type::VarBinary(_));
    let number = matches!(name, "tinyint" | "smallint" | "int" | "bigint" | "numeric" | "float" | "real");
    let time = name.starts_with("date") || name == "time" || name == "smalldatetime";
    sheet.row(vec![
        ("TABLE_CATALOG", text(&db.name)),
        ("TABLE_SCHEMA", text("dbo")),
        ("TABLE_NAME", text(table)),
        ("COLUMN_NAME", text(&column.name)),
        ("ORDINAL_POSITION", count(n + 1)),
        ("IS_NULLABLE", text(if column.nullable { "YES" } else { "NO" })),
        ("DATA_TYPE", text(name)),
        (
            "CHARACTER_MAXIMUM_LENGTH",
            if words || binary { int(if wide && length > 0 { length / 2 } else { length }) } else { NULL },
        ),
        ("CHARACTER_OCTET_LENGTH", if words || binary { int(length) } else { NULL }),
        ("NUMERIC_PRECISION", if number { int(precision) } else { NULL }),
        (
            "NUMERIC_PRECISION_RADIX",
            if number { int(if name == "float" || name == "real" { 2 } else { 10 }) } else { NULL },
        ),
        ("NUMERIC_SCALE", if number && !matches!(name, "float" | "real") { int(scale) } else { NULL }),
        ("DATETIME_PRECISION", if time { int(scale) } else { NULL }),
    ]);
}

/// `TYPE_ID`
pub(in super::super) fn type_number(name: &str) -> Option<i64> {
    TYPES.iter().find(|t| t.0.eq_ignore_ascii_case(name)).map(|t| t.2)
}

/// `TYPEPROPERTY`
pub(in super::super) fn type_property(name: &str, property: &str) -> Option<i64> {
    let (name, _, _, length, precision, scale) = TYPES.iter().find(|t| t.0.eq_ignore_ascii_case(name))?;
    match property.to_lowercase().as_str() {
        "allowsnull" => Some(i64::from(*name != "sysname")),
        "ownerid" => Some(4),
        "precision" => Some(if *precision == 0 { *length } else { *precision }),
        "scale" if *precision > 0 => Some(*scale),
        "usesansitrim" if has_words(name) => Some(1),
        _ => None,
    }
}

/// Schema and kind (`U`, `V`, `P`) of an object by its number.
pub(in super::super) fn object_kind(
    call: &Call<'_>,
    db: &Database,
    id: i64,
) -> Option<(&'static str, &'static str)> {
    let own = objects(call, db).into_iter().find(|o| o.id == id).map(|o| ("dbo", o.kind.trim()));
    own.or_else(|| {
        let found = system_names(call.server().year()).find(|n| system_id(n) == id)?;
        Some((if found.starts_with("sys.") { "sys" } else { "INFORMATION_SCHEMA" }, "V"))
    })
}

/// Schema, name and kind of every table and view that can be seen in a database.
pub(in super::super) fn named(call: &Call<'_>, db: &Database) -> Vec<(String, String, &'static str)> {
    let own = objects(call, db).into_iter().map(|o| ("dbo".to_owned(), o.name.to_owned(), o.kind));
    let system = system_names(call.server().year()).filter_map(|full| {
        let (schema, name) = full.split_once('.')?;
        let schema = if schema == "information_schema" { "INFORMATION_SCHEMA" } else { schema };
        matches!(schema, "sys" | "INFORMATION_SCHEMA").then(|| (schema.to_owned(), name.to_owned(), "V "))
    });
    own.chain(system).collect()
}

/// Schema, name and columns of every table and view that has some.
pub(in super::super) fn with_columns(call: &Call<'_>, db: &Database) -> Vec<(String, String, Vec<Column>)> {
    let year = call.server().year();
    let mut all: Vec<(String, String, Vec<Column>)> = Vec::new();
    for t in own_tables(db) {
        all.push(("dbo".to_owned(), t.name.clone(), t.table.columns.clone()));
    }
    let d = call.server().database_index(&db.name).unwrap_or_default();
    for (name, _) in &db.content.views {
        if let Some(table) = super::user_view(call, d, &name.to_lowercase()) {
            all.push(("dbo".to_owned(), name.clone(), table.columns));
        }
    }
    for full in system_names(year) {
        let Some((schema, name)) = full.strip_prefix("msdb.").unwrap_or(full).split_once('.') else {
            continue;
        };
        let here = match schema {
            "sys" | "information_schema" => true,
            "dbo" => db.id == 4 && full.starts_with("msdb."),
            _ => false,
        };
        let known = system_object(full, year).is_some_and(|o| o.modelled != Modelled::Not);
        if here && known && !is_function(full) {
            all.push((schema.to_owned(), name.to_owned(), system_sheet(full, year).table.columns));
        }
    }
    all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    all
}
