//! The catalogue procedures that ODBC and JDBC drivers call: sp_tables, sp_columns, sp_server_info.

use super::{Given, answer, bound};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Column, Type, Value};
use crate::sandbox::world::server::{Call, views};
use crate::sandbox::world::stored::{NULL, count, int, text};

/// Whether a name fits a pattern of `%` and `_`.
fn like(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('%', rest)) => (0..=name.len()).any(|n| like(rest, &name[n..])),
        Some(('_', rest)) => !name.is_empty() && like(rest, &name[1..]),
        Some((c, rest)) => name.first() == Some(c) && like(rest, &name[1..]),
    }
}

fn fits(pattern: Option<&String>, name: &str) -> bool {
    let letters = |t: &str| t.to_lowercase().chars().take(400).collect::<Vec<char>>();
    pattern.is_none_or(|p| {
        // Runs of % mean no more than one; so a pattern cannot take for ever.
        let mut pattern = letters(p);
        pattern.dedup_by(|a, b| *a == '%' && *b == '%');
        if pattern.iter().filter(|c| **c == '%').count() > 8 { false } else { like(&pattern, &letters(name)) }
    })
}

pub(super) fn tables(call: &mut Call<'_>, database: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let parameters = &["@table_name", "@table_owner", "@table_qualifier", "@table_type", "!@fUsePattern"];
    let given = bound("sp_tables", parameters, given)?;
    if let Some(other) = given.text("@table_qualifier").filter(|q| !q.eq_ignore_ascii_case(database)) {
        if other == "%" {
            return Err(Message::not_modelled("sp_tables over all databases"));
        }
        return Err(given.error(
            15250,
            "The database name component of the object qualifier must be the name of the current database.",
        ));
    }
    let d = call.enter(database)?;
    let (name, owner, kinds) =
        (given.text("@table_name"), given.text("@table_owner"), given.text("@table_type"));
    let db = &call.server().databases[d];
    let mut rows: Vec<(String, String, String)> = views::named(call, db)
        .into_iter()
        .filter_map(|(schema, object, kind)| {
            let kind = match kind.trim() {
                "U" => "TABLE",
                "V" if schema == "dbo" => "VIEW",
                "V" => "SYSTEM VIEW",
                _ => return None,
            };
            let kind = if kind == "SYSTEM VIEW" { "VIEW" } else { kind };
            let wanted = kinds.as_ref().is_none_or(|k| k.to_uppercase().contains(&format!("'{kind}'")));
            (wanted && fits(name.as_ref(), &object) && fits(owner.as_ref(), &schema))
                .then(|| (kind.to_owned(), schema, object))
        })
        .collect();
    rows.sort();
    let database = db.name.clone();
    let rows = rows
        .into_iter()
        .map(|(kind, schema, object)| vec![text(&database), text(schema), text(object), text(kind), NULL]);
    answer(
        "TABLE_QUALIFIER nvarchar(128); TABLE_OWNER nvarchar(128); TABLE_NAME nvarchar(128); TABLE_TYPE varchar(32); REMARKS varchar(254)",
        rows.collect(),
        parts,
    );
    Ok(0)
}

/// `DATA_TYPE`, `TYPE_NAME`, PRECISION, LENGTH, SCALE, RADIX, `SQL_DATA_TYPE`, `SS_DATA_TYPE` of a column.
fn typed(column: &Column) -> [Value; 8] {
    let row = |odbc: i64,
               name: &str,
               precision: i64,
               length: i64,
               scale: Option<i64>,
               radix: Option<i64>,
               tds: i64| {
        let scale = scale.map_or(NULL, int);
        let radix = radix.map_or(NULL, int);
        [int(odbc), text(name), int(precision), int(length), scale, radix, int(odbc), int(tds)]
    };
    let long = |n: Option<u16>| n.map_or(0, i64::from);
    let ten = Some(10);
    match column.kind {
        Type::Bit => row(-7, "bit", 1, 1, None, None, 50),
        Type::TinyInt => row(-6, "tinyint", 3, 1, Some(0), ten, 38),
        Type::SmallInt => row(5, "smallint", 5, 2, Some(0), ten, 38),
        Type::Int => row(4, "int", 10, 4, Some(0), ten, 38),
        Type::BigInt => row(-5, "bigint", 19, 8, Some(0), ten, 108),
        Type::Decimal { precision, scale } => {
            row(2, "numeric", precision.into(), i64::from(precision) + 2, Some(scale.into()), ten, 108)
        }
        Type::Real => row(7, "real", 24, 4, None, Some(2), 109),
        Type::Float => row(6, "float", 53, 8, None, Some(2), 109),
        Type::Date => row(-9, "date", 10, 20, None, None, 0),
        Type::Time { scale } => row(-9, "time", 16, 32, Some(scale.into()), None, 0),
        Type::SmallDateTime => row(11, "smalldatetime", 16, 16, Some(0), None, 111),
        Type::DateTime => row(11, "datetime", 23, 16, Some(3), None, 111),
        Type::DateTime2 { scale } => row(-9, "datetime2", 27, 54, Some(scale.into()), None, 0),
        Type::DateTimeOffset { scale } => row(-9, "datetimeoffset", 34, 68, Some(scale.into()), None, 0),
        Type::UniqueIdentifier => row(-11, "uniqueidentifier", 36, 16, None, None, 37),
        Type::Char(n) => row(1, "char", n.into(), n.into(), None, None, 39),
        Type::VarChar(n) => row(12, "varchar", long(n), long(n), None, None, 39),
        Type::NChar(n) => row(-8, "nchar", n.into(), i64::from(n) * 2, None, None, 39),
        Type::NVarChar(n) => {
            let name = if column.kind == Type::SYSNAME { "sysname" } else { "nvarchar" };
            row(-9, name, long(n), long(n) * 2, None, None, 39)
        }
        Type::Binary(n) => row(-2, "binary", n.into(), n.into(), None, None, 37),
        Type::VarBinary(n) => row(-3, "varbinary", long(n), long(n), None, None, 37),
        Type::Money => row(3, "money", 19, 21, Some(4), ten, 110),
        Type::SmallMoney => row(3, "smallmoney", 10, 12, Some(4), ten, 110),
        Type::Xml => row(-152, "xml", 0, 0, None, None, 39),
        Type::Variant => row(-150, "sql_variant", 8000, 8016, None, None, 39),
    }
}

pub(super) fn columns(call: &mut Call<'_>, database: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let parameters = &[
        "@table_name",
        "@table_owner",
        "@table_qualifier",
        "@column_name",
        "!@NameScope",
        "@ODBCVer",
        "!@fUsePattern",
    ];
    let given = bound("sp_columns", parameters, given)?;
    let (name, owner) = (given.text("@table_name"), given.text("@table_owner"));
    let column = given.text("@column_name");
    let d = call.enter(database)?;
    let db = &call.server().databases[d];
    let mut rows = Vec::new();
    for (schema, object, columns) in views::with_columns(call, db) {
        if !fits(name.as_ref(), &object) || !fits(owner.as_ref(), &schema) {
            continue;
        }
        for (n, c) in columns.iter().enumerate().filter(|(_, c)| fits(column.as_ref(), &c.name)) {
            let [odbc, kind, precision, length, scale, radix, sql, tds] = typed(c);
            let octets = match c.kind {
                Type::Char(_)
                | Type::VarChar(_)
                | Type::NChar(_)
                | Type::NVarChar(_)
                | Type::Binary(_)
                | Type::VarBinary(_) => length.clone(),
                _ => NULL,
            };
            rows.push(vec![
                text(&db.name),
                text(&schema),
                text(&object),
                text(&c.name),
                odbc,
                kind,
                precision,
                length,
                scale,
                radix,
                int(i64::from(c.nullable)),
                NULL,
                NULL,
                sql,
                NULL,
                octets,
                count(n + 1),
                text(if c.nullable { "YES" } else { "NO" }),
                tds,
            ]);
        }
    }
    answer(
        "TABLE_QUALIFIER nvarchar(128); TABLE_OWNER nvarchar(128); TABLE_NAME nvarchar(128); COLUMN_NAME nvarchar(128); DATA_TYPE smallint; TYPE_NAME nvarchar(128); PRECISION int; LENGTH int; SCALE smallint; RADIX smallint; NULLABLE smallint; REMARKS varchar(254); COLUMN_DEF nvarchar(4000); SQL_DATA_TYPE smallint; SQL_DATETIME_SUB smallint; CHAR_OCTET_LENGTH int; ORDINAL_POSITION int; IS_NULLABLE varchar(254); SS_DATA_TYPE tinyint",
        rows,
        parts,
    );
    Ok(0)
}

pub(super) fn server_info(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_server_info", &["@attribute_id"], given)?;
    let server = call.server();
    let (major, minor, build, revision) = server.version;
    let version = format!("Microsoft SQL Server {} - {major}.{minor}.{build}.{revision}", server.year());
    let case = if server.case_sensitive { "SENSITIVE" } else { "MIXED" };
    let all: [(i64, &str, &str); 29] = [
        (1, "DBMS_NAME", "Microsoft SQL Server"),
        (2, "DBMS_VER", &version),
        (10, "OWNER_TERM", "owner"),
        (11, "TABLE_TERM", "table"),
        (12, "MAX_OWNER_NAME_LENGTH", "128"),
        (13, "TABLE_LENGTH", "128"),
        (14, "MAX_QUAL_LENGTH", "128"),
        (15, "COLUMN_LENGTH", "128"),
        (16, "IDENTIFIER_CASE", case),
        (17, "TX_ISOLATION", "2"),
        (18, "COLLATION_SEQ", "charset=iso_1 sort_order=nocase_iso charset_num=1 sort_order_num=52"),
        (19, "SAVEPOINT_SUPPORT", "Y"),
        (20, "MULTI_RESULT_SETS", "Y"),
        (22, "ACCESSIBLE_TABLES", "Y"),
        (100, "USERID_LENGTH", "128"),
        (101, "QUALIFIER_TERM", "database"),
        (102, "NAMED_TRANSACTIONS", "Y"),
        (103, "SPROC_AS_LANGUAGE", "Y"),
        (104, "ACCESSIBLE_SPROC", "Y"),
        (105, "MAX_INDEX_COLS", "16"),
        (106, "RENAME_TABLE", "Y"),
        (107, "RENAME_COLUMN", "Y"),
        (108, "DROP_COLUMN", "Y"),
        (109, "INCREASE_COLUMN_LENGTH", "Y"),
        (110, "DDL_IN_TRANSACTION", "Y"),
        (111, "DESCENDING_INDEXES", "Y"),
        (112, "SP_RENAME", "Y"),
        (113, "REMOTE_SPROC", "Y"),
        (500, "SYS_SPROC_VERSION", &version[version.rfind(' ').map_or(0, |n| n + 1)..]),
    ];
    let wanted = given.int("@attribute_id");
    let rows = all
        .iter()
        .filter(|(id, ..)| wanted.is_none_or(|w| w == *id))
        .map(|(id, name, value)| vec![int(*id), text(*name), text(*value)]);
    answer(
        "attribute_id int; attribute_name varchar(60); attribute_value varchar(255)",
        rows.collect(),
        parts,
    );
    Ok(0)
}
