//! What a batch sees around it: the host, the variables, tables of its own, the moment.
//!
//! Does not bind or compute.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};

use super::super::answer::Message;
use super::super::host::{Context, Host, Lock, ObjectName, Patience, Scan};
use super::super::value::{Column, Table, Type, Value};
use super::ast::{Hint, Isolation, Name, TableDefinition};
use super::compare::{Collation, Key as CompareKey};
use super::plan::Row;

/// A table that lives in the session: `#t` or `@t`.
#[derive(Debug, Clone, Default)]
pub(super) struct LocalTable {
    pub(super) definition: TableDefinition,
    pub(super) table: Table,
    pub(super) next_identity: i64,
    /// Per key of the definition: what is there already; made when first needed.
    pub(super) index: Vec<Option<HashSet<Vec<CompareKey>>>>,
}

impl LocalTable {
    pub(super) fn new(definition: TableDefinition) -> Self {
        let columns = definition
            .columns
            .iter()
            .map(|c| Column { name: c.name.clone(), kind: c.kind, nullable: c.nullable })
            .collect();
        let identity = definition.columns.iter().find_map(|c| c.identity);
        let next_identity = identity.map_or(1, |(seed, _)| seed);
        let index = vec![None; definition.keys.len()];
        Self { definition, table: Table { columns, rows: Vec::new() }, next_identity, index }
    }

    /// Its rows have changed otherwise than by adding.
    pub(super) fn forget_index(&mut self) {
        self.index = vec![None; self.definition.keys.len()];
    }
}

/// `@variables` of a batch; names in lower case with their `@`.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    pub(super) scalars: HashMap<String, (Type, Value)>,
    pub(super) tables: HashMap<String, LocalTable>,
    /// Cursor variables and the cursors they stand for.
    pub(super) cursors: HashMap<String, Option<u64>>,
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
    /// Of the scope at hand.
    pub(super) scope_identity: Option<i64>,
    /// What RAND goes on from.
    pub(super) random: std::cell::Cell<u64>,
    /// Cursors by (global, name) as CURSOR_STATUS tells them.
    pub(super) cursors: HashMap<(bool, String), i64>,
    pub(super) options: i64,
    pub(super) fetch_status: i64,
    pub(super) cursor_rows: i64,
    /// The first day of the week, 1 = Monday … 7 = Sunday.
    pub(super) date_first: i64,
    pub(super) doomed: bool,
    pub(super) caught: Option<Caught>,
}

/// A table of the host as one place of a statement reads it: its rows come when they are first needed.
#[derive(Debug)]
pub(super) struct HostRows {
    name: ObjectName,
    /// The columns that are used, in the order the rows have them; grows while the statement is bound.
    wanted: RefCell<Vec<usize>>,
    lock: Cell<Lock>,
    at_once: bool,
    rows: OnceCell<Rc<Vec<Row>>>,
}

impl HostRows {
    /// Where column `index` of the table stands in the rows.
    pub(super) fn want(&self, index: usize) -> usize {
        let mut wanted = self.wanted.borrow_mut();
        wanted.iter().position(|n| *n == index).unwrap_or_else(|| {
            wanted.push(index);
            wanted.len() - 1
        })
    }
    /// Locks more than its hints say.
    pub(super) fn lock(&self, lock: Lock) {
        self.lock.set(self.lock.get().max(lock));
    }
    /// Which column of the table stands at `place` of the rows.
    pub(super) fn column(&self, place: usize) -> usize {
        self.wanted.borrow().get(place).copied().unwrap_or(place)
    }
    fn width(&self) -> usize {
        self.wanted.borrow().len()
    }
}

/// Rows of a table in FROM.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// The session's own.
    Here(Rc<Vec<Row>>, usize),
    Host(Rc<HostRows>),
}

impl Held {
    /// Cells per row.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Here(_, width) => *width,
            Self::Host(rows) => rows.width(),
        }
    }
}

/// Database, schema and name, as they compare.
type Key = (String, String, String);

/// What a statement knows of the host's tables.
#[derive(Debug, Default)]
pub(super) struct Seen {
    columns: HashMap<Key, Option<Rc<Vec<Column>>>>,
    /// Read by the statement, not yet asked for: all together, so that it sees one state of the world.
    owed: Vec<Rc<HostRows>>,
}

/// The same, behind a shared borrow.
pub(super) type Snapshots = RefCell<Seen>;

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
    pub(super) isolation: Isolation,
    pub(super) patience: Patience<'a>,
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

    /// A table of the session, by its name.
    pub(super) fn own_table(&self, name: &Name) -> Option<&LocalTable> {
        let key = name.last()?.to_lowercase();
        if key.starts_with('@') { self.variables.tables.get(&key) } else { self.temporary.get(&key) }
    }

    /// A linked server.
    pub(super) fn linked(&self, name: &str) -> Result<(std::sync::Arc<dyn Host>, Context), Message> {
        let found = self.host.linked(self.context, name).inspect_err(|_| self.host_failed.set(true))?;
        found.ok_or_else(|| {
            let text = format!(
                "Could not find server '{name}' in sys.servers. Verify that the correct server name was specified. If necessary, execute the stored procedure sp_addlinkedserver to add the server to sys.servers."
            );
            Message { class: 11, state: 2, ..Message::error(7202, text) }
        })
    }

    /// The columns of a table or view of the host.
    pub(super) fn columns(&self, name: &ObjectName) -> Result<Option<Rc<Vec<Column>>>, Message> {
        let key = (name.database.to_lowercase(), name.schema.clone(), name.name.to_lowercase());
        if let Some(known) = self.snapshots.borrow().columns.get(&key) {
            return Ok(known.clone());
        }
        let columns = self.host.columns(self.context, name).inspect_err(|_| self.host_failed.set(true))?;
        let found = columns.map(Rc::new);
        self.snapshots.borrow_mut().columns.insert(key, found.clone());
        Ok(found)
    }

    /// A table of the host that the statement reads; with all its `columns` when they are told.
    pub(super) fn read(&self, name: ObjectName, all: Option<usize>, hint: Hint) -> Rc<HostRows> {
        let wanted = RefCell::new((0..all.unwrap_or(0)).collect());
        let lock = hint.lock.unwrap_or(match self.isolation {
            Isolation::ReadUncommitted => Lock::None,
            Isolation::ReadCommitted => Lock::Shared,
            Isolation::RepeatableRead | Isolation::Serializable => Lock::Held,
        });
        let rows = Rc::new(HostRows {
            name,
            wanted,
            lock: Cell::new(lock),
            at_once: hint.at_once,
            rows: OnceCell::new(),
        });
        self.snapshots.borrow_mut().owed.push(Rc::clone(&rows));
        rows
    }

    /// The rows of a table in FROM, once the statement is bound.
    pub(super) fn rows(&self, held: &Held) -> Result<Rc<Vec<Row>>, Message> {
        let host = match held {
            Held::Here(rows, _) => return Ok(Rc::clone(rows)),
            Held::Host(host) => host,
        };
        if let Some(rows) = host.rows.get() {
            return Ok(Rc::clone(rows));
        }
        let mut owed = std::mem::take(&mut self.snapshots.borrow_mut().owed);
        // Those of statements that were bound and never run are held by nobody else.
        owed.retain(|o| Rc::strong_count(o) > 1);
        if !owed.iter().any(|o| Rc::ptr_eq(o, host)) {
            owed.push(Rc::clone(host));
        }
        let scans: Vec<Scan> = owed
            .iter()
            .map(|o| Scan {
                name: o.name.clone(),
                wanted: o.wanted.borrow().clone(),
                lock: o.lock.get(),
                at_once: o.at_once,
            })
            .collect();
        let scanned = self
            .host
            .scan(self.context, &scans, self.patience)
            .inspect_err(|_| self.host_failed.set(true))?;
        for ((rows, scan), scanned) in owed.iter().zip(&scans).zip(scanned) {
            let made = scanned.into_rows(&scan.wanted).into_iter().map(Rc::new).collect();
            let _ = rows.rows.set(Rc::new(made));
        }
        let found = host.rows.get().cloned();
        found.ok_or_else(|| Message::not_modelled("rows of a table that the host does not know any more"))
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
