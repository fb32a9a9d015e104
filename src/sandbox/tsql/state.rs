//! What a batch sees around it: the host, the variables, tables of its own, the moment.
//!
//! Does not bind or compute.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use chrono::{DateTime, Utc};

use super::super::answer::Message;
use super::super::host::{Context, Host, ObjectName};
use super::super::value::{Column, Table, Type, Value};
use super::ast::{ColumnDefinition, Name};
use super::compare::Collation;
use super::plan::Row;

/// A table that lives in the session: `#t` or `@t`.
#[derive(Debug, Clone, Default)]
pub(super) struct LocalTable {
    pub(super) definition: Vec<ColumnDefinition>,
    pub(super) table: Table,
    pub(super) next_identity: i64,
}

impl LocalTable {
    pub(super) fn new(definition: Vec<ColumnDefinition>) -> Self {
        let columns = definition
            .iter()
            .map(|c| Column { name: c.name.clone(), kind: c.kind, nullable: c.nullable })
            .collect();
        let next_identity = definition.iter().find_map(|c| c.identity).map_or(1, |(seed, _)| seed);
        Self { definition, table: Table { columns, rows: Vec::new() }, next_identity }
    }
}

/// `@variables` of a batch; names in lower case with their `@`.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    pub(super) scalars: HashMap<String, (Type, Value)>,
    pub(super) tables: HashMap<String, LocalTable>,
}

/// An error being handled by CATCH.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Caught(pub(super) Message);

/// What `@@NAMES` and session functions tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Globals {
    pub(super) row_count: i64,
    pub(super) error: i32,
    pub(super) transactions: i32,
    pub(super) lock_timeout: i64,
    pub(super) text_size: i64,
    pub(super) nest_level: i32,
    pub(super) identity: Option<i64>,
    pub(super) options: i64,
    pub(super) fetch_status: i64,
    pub(super) doomed: bool,
    pub(super) caught: Option<Caught>,
}

/// A table of the host as it was when first read.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Rc<Vec<Row>>,
}

/// Copies of host tables; a statement sees one state of each.
pub(super) type Snapshots = RefCell<HashMap<(String, String, String), Option<Rc<Snapshot>>>>;

/// Everything a statement may look at while it is bound and run.
pub(super) struct World<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) context: &'a Context,
    pub(super) collation: Collation,
    /// Major product version.
    pub(super) version: u8,
    pub(super) now: DateTime<Utc>,
    pub(super) variables: &'a Variables,
    pub(super) temporary: &'a HashMap<String, LocalTable>,
    pub(super) globals: &'a Globals,
    pub(super) snapshots: &'a Snapshots,
    /// An error of binding came from the host, not from the text.
    pub(super) host_failed: &'a std::cell::Cell<bool>,
}

/// 208
pub(super) fn invalid_object(name: &Name) -> Message {
    Message::error(208, format!("Invalid object name '{}'.", name.join(".")))
}

impl World<'_> {
    /// A name of one to three parts; four are a linked server's.
    pub(super) fn object(&self, name: &Name) -> Result<ObjectName, Message> {
        if name.len() > 3 {
            return Err(Message::not_modelled("tables of linked servers (four-part names)"));
        }
        let mut parts = name.iter().rev();
        let object = parts.next().cloned().unwrap_or_default();
        let schema =
            parts.next().filter(|s| !s.is_empty()).map_or_else(|| "dbo".to_owned(), |s| s.to_lowercase());
        let database = parts.next().filter(|s| !s.is_empty()).unwrap_or(&self.context.database).clone();
        Ok(ObjectName { database, schema, name: object })
    }

    /// A table or view of the host, copied once.
    pub(super) fn snapshot(&self, name: &ObjectName) -> Result<Option<Rc<Snapshot>>, Message> {
        let key = (name.database.to_lowercase(), name.schema.clone(), name.name.to_lowercase());
        if let Some(known) = self.snapshots.borrow().get(&key) {
            return Ok(known.clone());
        }
        let table = self.host.table(self.context, name).inspect_err(|_| self.host_failed.set(true))?;
        let found = table.map(|table| {
            let rows = Rc::new(table.rows.into_iter().map(Rc::new).collect());
            Rc::new(Snapshot { columns: table.columns, rows })
        });
        self.snapshots.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    /// Whether two names are the same name here.
    pub(super) fn same_name(&self, a: &str, b: &str) -> bool {
        if self.collation.case_sensitive {
            a == b
        } else {
            a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
        }
    }
}
