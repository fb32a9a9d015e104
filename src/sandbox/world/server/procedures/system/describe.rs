//! Databases and their files as sp_helpdb, sp_helpfile, sp_spaceused and sp_databases tell them.

use super::{Given, answer, bound};
use crate::sandbox::answer::Kept;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Value;
use crate::sandbox::world::server::{Call, views};
use crate::sandbox::world::state::{Database, DbFile, DbState, Model};
use crate::sandbox::world::stored::{NULL, int, text};

const FILES: &str = "name nvarchar(128); fileid smallint; filename nvarchar(260); filegroup nvarchar(128); size nvarchar(18); maxsize nvarchar(18); growth nvarchar(18); usage varchar(9)";

fn pages(db: &Database) -> i64 {
    db.files.iter().map(|f| f.pages).sum()
}

/// `     12.50 MB`
fn megabytes(pages: i64) -> String {
    format!("{:10.2} MB", pages as f64 / 128.0)
}

fn status(call: &Call<'_>, db: &Database) -> String {
    let updates = if db.read_only { "READ_ONLY" } else { "READ_WRITE" };
    let access = ["MULTI_USER", "SINGLE_USER", "RESTRICTED_USER"][usize::from(db.user_access.min(2))];
    let model = match db.model {
        Model::Full => "FULL",
        Model::BulkLogged => "BULK_LOGGED",
        Model::Simple => "SIMPLE",
    };
    let server = call.server();
    format!(
        "Status={}, Updateability={updates}, UserAccess={access}, Recovery={model}, Version={}, Collation={}, SQLSortOrder=52, IsAutoCreateStatistics, IsAutoUpdateStatistics, IsFullTextEnabled",
        db.state.word(),
        server.database_version(),
        server.collation
    )
}

pub(super) fn databases(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_helpdb", &["@dbname"], given)?;
    let one = given.text("@dbname");
    let server = call.server();
    let mut chosen: Vec<&Database> = match &one {
        Some(name) => {
            let Some(found) = server.database(name) else {
                let text = format!(
                    "The database '{name}' does not exist. Supply a valid database name. To see available databases, use sys.databases."
                );
                return Err(given.error(15010, text));
            };
            vec![found]
        }
        None => server.databases.iter().collect(),
    };
    chosen.sort_by_key(|d| d.name.to_lowercase());
    let rows = chosen.iter().map(|db| {
        let online = db.state == DbState::Online;
        vec![
            text(&db.name),
            if online { text(megabytes(pages(db))) } else { NULL },
            text(&db.owner),
            int(db.id),
            text(db.created.format("%b %e %Y").to_string()),
            if online { text(status(call, db)) } else { text(format!("Status={}", db.state.word())) },
            int(db.compatibility),
        ]
    });
    answer(
        "name nvarchar(128); db_size nvarchar(13); owner nvarchar(128); dbid smallint; created nvarchar(11); status nvarchar(600); compatibility_level tinyint",
        rows.collect(),
        parts,
    );
    if one.is_some() && chosen[0].state == DbState::Online {
        answer(FILES, chosen[0].files.iter().map(file).collect(), parts);
    }
    Ok(0)
}

fn file(f: &DbFile) -> Vec<Value> {
    let size = format!("{} KB", f.pages * 8);
    vec![
        text(&f.logical),
        int(f.id),
        text(&f.physical),
        if f.is_log { NULL } else { text("PRIMARY") },
        text(size),
        text(if f.is_log { "2147483648 KB" } else { "Unlimited" }),
        text("65536 KB"),
        text(if f.is_log { "log only" } else { "data only" }),
    ]
}

pub(super) fn files(call: &mut Call<'_>, database: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_helpfile", &["@filename"], given)?;
    let d = call.enter(database)?;
    let db = &call.server().databases[d];
    let wanted = given.text("@filename");
    let rows: Vec<Vec<Value>> = db
        .files
        .iter()
        .filter(|f| wanted.as_ref().is_none_or(|w| f.logical.eq_ignore_ascii_case(w)))
        .map(file)
        .collect();
    if let Some(name) = wanted.filter(|_| rows.is_empty()) {
        return Err(
            given.error(15325, format!("The current database does not contain a file named '{name}'."))
        );
    }
    answer(FILES, rows, parts);
    Ok(0)
}

pub(super) fn names(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    bound("sp_databases", &[], given)?;
    let mut all: Vec<&Database> =
        call.server().databases.iter().filter(|d| d.state == DbState::Online).collect();
    all.sort_by_key(|d| d.name.to_lowercase());
    let rows = all.iter().map(|db| vec![text(&db.name), int(pages(db) * 8), NULL]);
    answer("DATABASE_NAME nvarchar(128); DATABASE_SIZE int; REMARKS varchar(254)", rows.collect(), parts);
    Ok(0)
}

pub(super) fn space(call: &mut Call<'_>, database: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let parameters =
        &["@objname", "!@updateusage", "!@mode", "!@oneresultset", "!@include_total_xtp_storage"];
    let given = bound("sp_spaceused", parameters, given)?;
    let d = call.enter(database)?;
    let db = &call.server().databases[d];
    let kb = |pages: i64| text(format!("{} KB", pages * 8));
    if let Some(object) = given.text("@objname") {
        let bare = object.rsplit('.').next().unwrap_or(&object).trim_matches(['[', ']']).to_lowercase();
        let Some(stored) = db.content.tables.get(&bare) else {
            let text = format!(
                "The object '{object}' does not exist in database '{}' or is invalid for this operation.",
                db.name
            );
            return Err(given.error(15009, text));
        };
        let rows = stored.table.rows.len();
        let (used, reserved) = views::table_pages(rows);
        let data = (used - 1).max(0);
        let row = vec![
            text(&stored.name),
            text(rows.to_string()),
            kb(reserved),
            kb(data),
            kb(used - data),
            kb(reserved - used),
        ];
        answer(
            "name nvarchar(128); rows char(20); reserved varchar(18); data varchar(18); index_size varchar(18); unused varchar(18)",
            vec![row],
            parts,
        );
        return Ok(0);
    }
    let data = || db.files.iter().filter(|f| !f.is_log);
    let used: i64 = data().map(views::used_pages).sum();
    let all: i64 = data().map(|f| f.pages).sum();
    let mb = |pages: i64| text(format!("{:.2} MB", pages as f64 / 128.0));
    answer(
        "database_name nvarchar(128); database_size varchar(18); unallocated~space varchar(18)",
        vec![vec![text(&db.name), mb(pages(db)), mb(all - used)]],
        parts,
    );
    let index = used / 5;
    answer(
        "reserved varchar(18); data varchar(18); index_size varchar(18); unused varchar(18)",
        vec![vec![kb(used), kb(used - index), kb(index), kb(0)]],
        parts,
    );
    Ok(0)
}
