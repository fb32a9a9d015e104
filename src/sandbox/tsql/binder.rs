//! Looks names up and works types out; every error of names and types comes from here, before any row is read.
//!
//! Does not compute values and sends nothing.

mod aggregate;
mod argument;
mod change;
mod expression;
mod function;
mod host;
mod join;
mod merge;
mod operator;
mod pivot;
mod query;
mod recursion;
mod rowset;
mod set;
mod source;
mod view;

use super::super::answer::Message;
use super::super::value::Column;
use super::ast::{Cte, Name};
use super::plan::{Aggregate, Bound, Node, Place, Plan, Window};
use super::state::{HostRows, World};

pub(super) use change::{Asked, ChangePlan, Changed, Goes, OutputPlan};
pub(super) use merge::{MergePlan, Then};
pub(super) use operator::coerce;

type Binding<T> = Result<T, Message>;

/// Queries inside each other; more are refused with 191.
const DEPTH: u32 = 24;

/// Which clause is being bound: aggregates and windows may not stand everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clause {
    /// No query around.
    Outside,
    On,
    Where,
    GroupBy,
    Having,
    Select,
    OrderBy,
    /// Within an aggregate's argument.
    Aggregate,
}

/// One source of a FROM clause as names see it.
#[derive(Debug)]
struct Known {
    /// As written, or the alias; in messages.
    shown: String,
    alias: Option<String>,
    /// Parts of the name when there is no alias; outermost first.
    name: Name,
    columns: Vec<Column>,
    /// Of a table of the host: which of its columns are used.
    host: Option<std::rc::Rc<HostRows>>,
}

impl Known {
    /// Where a column stands in the source's rows; from now on it does.
    fn place(&self, column: usize) -> usize {
        self.host.as_ref().map_or(column, |h| h.want(column))
    }
    /// The column that stands at a place of the rows.
    fn at(&self, place: usize) -> Option<&Column> {
        self.columns.get(self.host.as_ref().map_or(place, |h| h.column(place)))
    }
}

/// One query while it is bound.
#[derive(Debug)]
struct Scope {
    sources: Vec<Known>,
    /// The sources that names may refer to just now.
    visible: std::ops::Range<usize>,
    clause: Clause,
    aggregates: Vec<Aggregate>,
    /// What GROUP BY with several sets groups by.
    set_keys: Vec<Bound>,
    windows: Vec<Window>,
    /// Places outside that were used: `up` 0 is the query around this one.
    outer: Vec<Place>,
    reads_host: bool,
}

/// A CTE and how many others it can see.
#[derive(Debug, Clone)]
struct KnownCte {
    cte: std::rc::Rc<Cte>,
    sees: usize,
}

/// Binds one statement.
pub(super) struct Binder<'a> {
    world: &'a World<'a>,
    scopes: Vec<Scope>,
    ctes: Vec<KnownCte>,
    /// Errors that do not stop the binding: SQL Server reports every wrong column of a statement.
    errors: Vec<Message>,
    next_id: usize,
    depth: u32,
    /// Tables are read with all their columns: one of them is changed.
    whole: bool,
    /// Places that finished queries took from outside, until their subquery asks.
    taken: Vec<Place>,
    /// Recursive CTEs that are being bound: name, columns, id of the working table.
    working: Vec<(String, Vec<Column>, usize)>,
    /// OPTION (MAXRECURSION n) of the statement.
    recursion: u32,
    /// What the first source of the SELECT bound last is called.
    last_shown: String,
    /// Columns and name of the table that was bound last.
    last_table: Option<(Vec<Column>, Vec<String>)>,
    /// The database of the view that is being bound.
    home: Option<String>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(world: &'a World<'a>) -> Self {
        Self {
            world,
            scopes: Vec::new(),
            ctes: Vec::new(),
            errors: Vec::new(),
            next_id: 0,
            depth: 0,
            whole: false,
            taken: Vec::new(),
            working: Vec::new(),
            recursion: 100,
            last_shown: String::new(),
            last_table: None,
            home: None,
        }
    }

    /// Ends the binding: the errors that were put aside, or the result.
    fn finish<T>(&mut self, result: Binding<T>) -> Result<T, Vec<Message>> {
        let mut errors = std::mem::take(&mut self.errors);
        match result {
            Ok(value) if errors.is_empty() => Ok(value),
            Ok(_) => Err(errors),
            Err(message) => {
                // A missing permission on the server is told twice: which, and that it ends there.
                let denied = message.number == 300;
                errors.push(message);
                if denied {
                    let text = "The user does not have permission to perform this action.";
                    errors.push(Message { class: 14, ..Message::error(297, text) });
                }
                Err(errors)
            }
        }
    }

    /// A whole query.
    pub(super) fn statement(&mut self, query: &super::ast::Query) -> Result<Plan, Vec<Message>> {
        self.recursion = query.recursion.unwrap_or(100);
        let result = self.query(query, query::Place::Statement);
        self.finish(result)
    }

    /// A value outside any query: SET, PRINT, arguments.
    pub(super) fn value(&mut self, value: &super::ast::Expr) -> Result<Bound, Vec<Message>> {
        let result = self.expression(value);
        self.finish(result)
    }

    /// A condition outside any query: IF, WHILE.
    pub(super) fn condition(&mut self, value: &super::ast::Expr) -> Result<Bound, Vec<Message>> {
        self.value(value)
    }

    fn id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    fn clause(&self) -> Clause {
        self.scopes.last().map_or(Clause::Outside, |s| s.clause)
    }

    /// A column by its name; errors are put aside and a stand-in is returned.
    fn column(&mut self, name: &Name, line: i32) -> Binding<Bound> {
        let (column, qualifier) = name.split_last().ok_or_else(|| Message::not_modelled("an empty name"))?;
        let mut told = false;
        let mut found = None;
        for (up, scope) in self.scopes.iter().rev().enumerate() {
            let mut hits = Vec::new();
            for slot in scope.visible.clone() {
                let Some(known) = scope.sources.get(slot) else { continue };
                if !qualifier.is_empty() {
                    if !self.is_called(known, qualifier) {
                        continue;
                    }
                    told = true;
                }
                for (index, candidate) in known.columns.iter().enumerate() {
                    if self.world.same_name(&candidate.name, column) {
                        hits.push((up, slot, index, candidate.kind, candidate.nullable));
                    }
                }
            }
            if hits.len() > 1 {
                let message = Message::error(209, format!("Ambiguous column name '{column}'."));
                self.errors.push(Message { line, ..message });
                return Ok(Bound::null());
            }
            if let Some(hit) = hits.pop() {
                found = Some(hit);
                break;
            }
            if told {
                break;
            }
        }
        let Some((up, slot, index, kind, nullable)) = found else {
            let message = if qualifier.is_empty() || told {
                Message::error(207, format!("Invalid column name '{column}'."))
            } else {
                let text = format!("The multi-part identifier \"{}\" could not be bound.", name.join("."));
                Message::error(4104, text)
            };
            if self.scopes.is_empty() && qualifier.is_empty() {
                // no FROM anywhere around
                self.errors.push(Message { line, ..message });
                return Ok(Bound::null());
            }
            self.errors.push(Message { line, ..message });
            return Ok(Bound::null());
        };
        // every query between this one and the column's takes it from outside
        let depth = self.scopes.len();
        let own = depth.checked_sub(up + 1).and_then(|at| self.scopes[at].sources.get(slot));
        let index = own.map_or(index, |known| known.place(index));
        let place = Place { up, slot, index };
        for between in 0..place.up {
            let scope = &mut self.scopes[depth - 1 - between];
            scope.outer.push(Place { up: place.up - between - 1, ..place });
        }
        Ok(Bound { node: Node::Column(place), kind, nullable })
    }

    fn is_called(&self, known: &Known, qualifier: &[String]) -> bool {
        if let Some(alias) = &known.alias {
            return qualifier.len() == 1 && self.world.same_name(alias, &qualifier[0]);
        }
        let mut written = known.name.iter().rev();
        qualifier.iter().rev().enumerate().all(|(depth, part)| match written.next() {
            Some(own) if !own.is_empty() => self.world.same_name(own, part),
            // `dbo.t.c` names `FROM t` as well
            _ => depth == 1 && (part.is_empty() || part.eq_ignore_ascii_case("dbo")),
        })
    }

    /// Opens the scope of a query, binds in it, and closes it.
    fn scoped<T>(&mut self, bind: impl FnOnce(&mut Self) -> Binding<T>) -> Binding<(T, Scope)> {
        self.depth += 1;
        if self.depth > DEPTH {
            self.depth -= 1;
            return Err(Message::error(
                191,
                "Some part of your SQL statement is nested too deeply. Rewrite the query or break it up into smaller queries.",
            ));
        }
        self.scopes.push(Scope {
            sources: Vec::new(),
            visible: 0..0,
            clause: Clause::On,
            aggregates: Vec::new(),
            set_keys: Vec::new(),
            windows: Vec::new(),
            outer: Vec::new(),
            reads_host: false,
        });
        let result = bind(self);
        self.depth -= 1;
        let scope = self.scopes.pop();
        match (result, scope) {
            (Ok(value), Some(mut scope)) => {
                scope.outer.sort_unstable_by_key(|p| (p.up, p.slot, p.index));
                scope.outer.dedup();
                if let Some(around) = self.scopes.last_mut() {
                    around.reads_host |= scope.reads_host;
                }
                Ok((value, scope))
            }
            (Err(message), _) => Err(message),
            (Ok(_), None) => Err(Message::not_modelled("a query outside its scope")),
        }
    }

    fn scope(&mut self) -> Option<&mut Scope> {
        self.scopes.last_mut()
    }

    fn in_clause<T>(&mut self, clause: Clause, bind: impl FnOnce(&mut Self) -> Binding<T>) -> Binding<T> {
        let before = self.clause();
        if let Some(scope) = self.scope() {
            scope.clause = clause;
        }
        let result = bind(self);
        if let Some(scope) = self.scope() {
            scope.clause = before;
        }
        result
    }
}
