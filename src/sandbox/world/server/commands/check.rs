//! DBCC CHECKDB on clean and damaged databases, and DBCC DBINFO.
//!
//! Damage is a list of pages that cannot be read. CHECKALLOC, CHECKCATALOG, CHECKTABLE and repairs are not modelled.

use super::{Call, Coursed, Done, info, long, send};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::value::Value;
use crate::sandbox::world::state::Suspect;
use crate::sandbox::world::stored::{NULL, Sheet, int, specs, text};

/// A CHECKDB under way.
pub(crate) struct Checking {
    database: String,
    options: Vec<String>,
}

/// One finding.
struct Finding {
    number: i32,
    class: u8,
    text: String,
    repair: &'static str,
    object: i64,
    page: Option<(i32, i64)>,
}

const TABLE: &str = "Error int; Level int; State int; MessageText nvarchar(2048); RepairLevel nvarchar(22); Status int; DbId int; DbFragId int; ObjectId int; IndexId int; PartitionId bigint; AllocUnitId bigint; RidDbId int; RidPruId int; File int; Page int; Slot int; RefDbId int; RefPruId int; RefFile int; RefPage int; RefSlot int; Allocation int";
const DBINFO: &str = "ParentObject varchar(255); Object varchar(255); Field varchar(255); VALUE varchar(255)";
const COMPLETED: &str =
    "DBCC execution completed. If DBCC printed error messages, contact your system administrator.";

impl Call<'_> {
    pub(super) fn check(&mut self, database: &str, options: &[String]) -> Coursed {
        let name = if database.is_empty() { self.who.database.clone() } else { database.to_owned() };
        let Some(db) = self.server().database(&name) else {
            return Err(vec![no_database(&name)]);
        };
        let name = db.name.clone();
        self.enter(&name).map_err(|m| vec![m])?;
        if !self.in_database_roles(&name, &["db_owner"]) {
            let text = format!(
                "User '{}' does not have permission to run DBCC CHECKDB for database '{name}'.",
                self.who.login
            );
            return Err(vec![Message { class: 14, ..Message::error(7983, text) }]);
        }
        let has = |word: &str| options.iter().any(|o| o == word);
        if has("ESTIMATEONLY") || has("NOINDEX") {
            return Err(vec![Message::not_modelled("DBCC CHECKDB with ESTIMATEONLY or NOINDEX")]);
        }
        if options.iter().any(|o| o.starts_with("REPAIR_")) {
            let single = self.server().database(&name).is_some_and(|d| d.user_access == 1);
            return Err(vec![if single {
                Message::not_modelled("DBCC CHECKDB with repair")
            } else {
                Message {
                    state: 3,
                    ..Message::error(
                        7919,
                        "Repair statement not processed. Database needs to be in single user mode.",
                    )
                }
            }]);
        }
        let megabytes = self.server().database(&name).map_or(0, |d| d.data_pages() / 128 / 2);
        let checking = Checking { database: name.clone(), options: options.to_vec() };
        Ok(self.takes("DBCC TABLE CHECK", &name, megabytes, None, long::Deed::Check(Box::new(checking))))
    }

    /// What CHECKDB found.
    pub(super) fn checked(&mut self, checking: &Checking, parts: &mut Kept) -> Done {
        let name = &checking.database;
        let Some(d) = self.server().database_index(name) else { return Err(vec![no_database(name)]) };
        let has = |word: &str| checking.options.iter().any(|o| o == word);
        let quiet = has("NO_INFOMSGS");
        let mut all = Vec::new();
        if !quiet {
            all.push(told(2536, format!("DBCC results for '{name}'.")));
        }
        let found = self.findings(d, quiet, &mut all);
        if !quiet || found > 0 {
            let text = format!(
                "CHECKDB found 0 allocation errors and {found} consistency errors in database '{name}'."
            );
            all.push(told(8989, text));
        }
        if found > 0 {
            all.push(told(
                8958,
                format!(
                    "repair_allow_data_loss is the minimum repair level for the errors found by DBCC CHECKDB ({name})."
                ),
            ));
        }
        if !quiet {
            all.push(told(2528, COMPLETED.into()));
        }
        let local = self.server().local(self.now);
        let db = &mut self.server_mut().databases[d];
        if found == 0 && !db.read_only {
            db.more.last_good_check = Some(local);
        }
        self.state.dirty = true;
        let id = self.server().databases[d].id;
        if has("TABLERESULTS") {
            send(as_table(&all, id), parts);
            return Ok(());
        }
        for finding in all {
            let message = Message { class: finding.class, ..Message::error(finding.number, finding.text) };
            let _ = parts.put(if finding.class > 10 { Part::Error(message) } else { Part::Info(message) });
        }
        Ok(())
    }

    /// Table by table; the number of errors.
    fn findings(&mut self, d: usize, quiet: bool, all: &mut Vec<Finding>) -> usize {
        let db = &self.server().databases[d];
        let (id, at) = (db.id, self.server().local(self.now));
        let damage = db.more.damage.clone();
        let largest = db
            .content
            .tables
            .values()
            .max_by_key(|t| (t.table.rows.len(), std::cmp::Reverse(t.object_id)))
            .map_or_else(|| "sysschobjs".to_owned(), |t| t.name.clone());
        let mut count = 0;
        let of = |p: &crate::sandbox::world::state::BadPage| {
            if p.table.is_empty() { largest.clone() } else { p.table.clone() }
        };
        let mut names: Vec<(String, i64, usize)> = db
            .content
            .tables
            .values()
            .map(|t| (t.name.clone(), i64::from(t.object_id), t.table.rows.len()))
            .collect();
        if names.is_empty() {
            names.push((largest.clone(), 34, 1));
        }
        for (table, object, rows) in names {
            let bad: Vec<_> = damage.iter().filter(|p| of(p).eq_ignore_ascii_case(&table)).collect();
            if !quiet {
                all.push(told(2536, format!("DBCC results for '{table}'.")));
            }
            for page in &bad {
                let place = format!("({}:{})", page.file, page.page);
                let unit = format!(
                    "Object ID {object}, index ID 1, partition ID {}, alloc unit ID {} (type In-row data)",
                    72_057_594_037_927_936 + object * 65_536,
                    72_057_594_037_927_936 + object * 65_536 + 256
                );
                for (number, text) in [
                    (
                        8928,
                        format!(
                            "{unit}: Page {place} could not be processed.  See other errors for details."
                        ),
                    ),
                    (
                        8939,
                        format!(
                            "Table error: {unit}, page {place}. Test (IS_OFF (BUF_IOERR, pBUF->bstat)) failed. Values are 133129 and -4."
                        ),
                    ),
                ] {
                    let page = Some((page.file, page.page));
                    all.push(Finding {
                        number,
                        class: 16,
                        text,
                        repair: "repair_allow_data_loss",
                        object,
                        page,
                    });
                    count += 1;
                }
            }
            if !quiet {
                let pages = (rows / 40).max(1);
                all.push(told(
                    2593,
                    format!("There are {rows} rows in {pages} pages for object \"{table}\"."),
                ));
            }
            if !bad.is_empty() {
                let n = bad.len() * 2;
                all.push(Finding {
                    object,
                    ..told(
                        8990,
                        format!(
                            "CHECKDB found 0 allocation errors and {n} consistency errors in table '{table}' (object ID {object})."
                        ),
                    )
                });
            }
        }
        for page in &damage {
            let suspect = Suspect { database: id, file: page.file, page: page.page, kind: 2, count: 1, at };
            self.server_mut().suspect(suspect);
        }
        count
    }

    /// DBCC of another kind.
    pub(super) fn dbcc(
        &mut self,
        what: &str,
        arguments: &[Value],
        options: &[String],
        parts: &mut Kept,
    ) -> Done {
        if what != "DBINFO" {
            return self.dbcc_looks(what, arguments, options, parts);
        }
        if !self.who.sysadmin {
            let text = format!("User '{}' does not have permission to run DBCC DBINFO.", self.who.login);
            return Err(vec![Message { class: 14, state: 3, ..Message::error(2571, text) }]);
        }
        let name = match arguments.first() {
            Some(Value::Text(name)) => name.clone(),
            None => self.who.database.clone(),
            Some(_) => return Err(vec![Message::not_modelled("DBCC DBINFO by number")]),
        };
        let d = self.enter(&name).map_err(|m| vec![m])?;
        if options.iter().any(|o| o == "TABLERESULTS") {
            self.database_info(d, parts);
        }
        if !options.iter().any(|o| o == "NO_INFOMSGS") {
            info(parts, 2528, COMPLETED.into());
        }
        Ok(())
    }

    fn database_info(&self, d: usize, parts: &mut Kept) {
        let server = self.server();
        let db = &server.databases[d];
        let never =
            chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
        let shown = |t: chrono::NaiveDateTime| t.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
        let fields = [
            ("dbi_version", server.database_version().to_string()),
            ("dbi_createVersion", db.more.version.unwrap_or_else(|| server.database_version()).to_string()),
            ("dbi_dbname", db.name.clone()),
            ("dbi_dbid", db.id.to_string()),
            ("dbi_cmptlevel", db.compatibility.to_string()),
            ("dbi_crdate", shown(db.created)),
            ("dbi_dbccLastKnownGood", shown(db.more.last_good_check.unwrap_or(never))),
            ("dbi_familyGUID", db.family.to_string().to_lowercase()),
        ];
        let mut sheet = Sheet::new(&specs(DBINFO).unwrap_or_default(), server.year());
        for (field, value) in fields {
            sheet.row(vec![
                ("ParentObject", text("DBINFO STRUCTURE:")),
                ("Object", text("DBINFO @0x00000000")),
                ("Field", text(field)),
                ("VALUE", text(value)),
            ]);
        }
        send(sheet.table, parts);
    }
}

fn told(number: i32, text: String) -> Finding {
    Finding { number, class: 0, text, repair: "", object: 0, page: None }
}

fn no_database(name: &str) -> Message {
    Message {
        state: 5,
        ..Message::error(
            2520,
            format!(
                "Could not find database '{name}'. The database either does not exist, or was dropped before a statement tried to use it. Verify if the database exists by querying the sys.databases catalog view."
            ),
        )
    }
}

fn as_table(all: &[Finding], database: i32) -> crate::sandbox::value::Table {
    let mut sheet = Sheet::new(&specs(TABLE).unwrap_or_default(), 0);
    for f in all {
        let (file, page) = f.page.map_or((0, 0), |(file, page)| (file, page));
        let mut cells = vec![
            ("Error", int(f.number)),
            ("Level", int(if f.class > 10 { f.class } else { 10 })),
            ("State", int(1)),
            ("MessageText", text(&f.text)),
            ("RepairLevel", if f.repair.is_empty() { NULL } else { text(f.repair) }),
            ("Status", int(0)),
            ("DbId", int(database)),
            ("DbFragId", int(1)),
            ("ObjectId", Value::Int(f.object)),
            ("IndexId", int(i64::from(f.page.is_some()))),
            ("File", int(file)),
            ("Page", Value::Int(page)),
            ("Slot", int(0)),
            ("Allocation", int(1)),
        ];
        for zero in [
            "PartitionId",
            "AllocUnitId",
            "RidDbId",
            "RidPruId",
            "RefDbId",
            "RefPruId",
            "RefFile",
            "RefPage",
            "RefSlot",
        ] {
            cells.push((zero, int(0)));
        }
        sheet.row(cells);
    }
    sheet.table
}
