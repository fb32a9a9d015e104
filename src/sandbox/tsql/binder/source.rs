//! FROM: tables, functions, derived tables, joins.

use std::rc::Rc;

use super::super::ast::{Expr, Hint, Name, Source};
use super::super::plan::{Bound, RowsetFunction, SourcePlan, Sub};
use super::super::state::{Held, HostRows, invalid_object};
use super::operator::meet;
use super::{Binder, Binding, Known, coerce, query};
use crate::sandbox::answer::Message;
use crate::sandbox::host::ObjectName;
use crate::sandbox::value::{Column, Table, Type};

impl Binder<'_> {
    /// Binds a FROM clause; all its sources are visible afterwards.
    pub(super) fn from(&mut self, source: &Source) -> Binding<SourcePlan> {
        let plan = self.source(source)?;
        self.show(0);
        Ok(plan)
    }

    pub(super) fn count(&self) -> usize {
        self.scopes.last().map_or(0, |s| s.sources.len())
    }

    pub(super) fn show(&mut self, from: usize) {
        if let Some(scope) = self.scope() {
            scope.visible = from..scope.sources.len();
        }
    }

    pub(super) fn hide(&mut self) {
        if let Some(scope) = self.scope() {
            scope.visible = 0..0;
        }
    }

    pub(super) fn add(&mut self, known: Known) -> Binding<usize> {
        let slot = self.count();
        let clash = self.scopes.last().and_then(|scope| {
            scope
                .sources
                .iter()
                .find(|other| self.same_exposed(other, &known))
                .map(|other| other.shown.clone())
        });
        if let Some(other) = clash {
            let number = if known.alias.is_some() { 1011 } else { 1013 };
            let text = if number == 1011 {
                format!(
                    "The correlation name '{}' is specified multiple times in a FROM clause.",
                    known.shown
                )
            } else {
                format!(
                    "The objects \"{}\" and \"{other}\" in the FROM clause have the same exposed names. Use correlation names to distinguish them.",
                    known.shown
                )
            };
            return Err(Message::error(number, text));
        }
        if let Some(scope) = self.scope() {
            scope.sources.push(known);
        }
        Ok(slot)
    }

    fn same_exposed(&self, a: &Known, b: &Known) -> bool {
        let exposed = |k: &Known| match (&k.alias, k.name.last()) {
            (Some(alias), _) => alias.clone(),
            (None, Some(name)) => name.clone(),
            (None, None) => String::new(),
        };
        if !self.world.same_name(&exposed(a), &exposed(b)) {
            return false;
        }
        match (&a.alias, &b.alias) {
            (None, None) => {
                // same table of two databases or schemas is no clash
                a.name.iter().rev().zip(b.name.iter().rev()).all(|(x, y)| self.world.same_name(x, y))
                    && a.name.len() == b.name.len()
            }
            _ => true,
        }
    }

    pub(super) fn source(&mut self, source: &Source) -> Binding<SourcePlan> {
        match source {
            Source::Table { name, alias, line, hint } => {
                self.table(name, alias.as_ref(), *hint).map_err(|m| Message { line: *line, ..m })
            }
            Source::Variable { name, alias } => {
                let Some(table) = self.world.variables.tables.get(&name.to_lowercase()) else {
                    let known = self.world.variables.scalars.contains_key(&name.to_lowercase());
                    let what = if known { "scalar" } else { "table" };
                    return Err(Message {
                        class: 15,
                        ..if known {
                            Message::error(102, format!("Incorrect syntax near '{name}' ({what})."))
                        } else {
                            Message::error(1087, format!("Must declare the table variable \"{name}\"."))
                        }
                    });
                };
                let table = &table.table;
                self.own_rows(std::slice::from_ref(name), alias.as_ref(), table)
            }
            Source::Function { name, arguments, alias, columns, line } => self
                .function_source(name, arguments, alias.as_ref(), columns)
                .map_err(|m| Message { line: if m.line == 1 { *line } else { m.line }, ..m }),
            Source::Derived { query, alias, columns } => {
                self.hide();
                let sub = self.derived(query, alias, columns)?;
                self.known_sub(sub, alias)
            }
            Source::Values { rows, alias, columns } => self.values(rows, alias, columns),
            Source::Pivot { source, fold, column, list, alias } => {
                let derived = self.pivot(source, fold, column, list, alias)?;
                self.source(&derived)
            }
            Source::Unpivot { source, value, column, list, alias } => {
                let derived = self.unpivot(source, value, column, list, alias)?;
                self.source(&derived)
            }
            Source::Nodes { value, path, alias, column } => self.nodes(value, path, alias, column),
            Source::OpenJson { text, path, schema, alias, columns } => {
                self.open_json(text, path.as_ref(), schema, alias.as_ref(), columns)
            }
            Source::Remote { server, text, alias, columns, line } => self
                .remote_query(server, text, alias.as_ref(), columns)
                .map_err(|m| Message { line: *line, ..m }),
            Source::Join { how, left, right, on } => self.join(*how, left, right, on.as_ref()),
            Source::Apply { outer, left, right } => {
                let first = self.count();
                let left = self.source(left)?;
                self.show(first);
                let right = self.lateral(right)?;
                Ok(SourcePlan::Apply { outer: *outer, left: Box::new(left), right: Box::new(right) })
            }
        }
    }

    /// The right side of APPLY: what stands left of it is visible.
    fn lateral(&mut self, source: &Source) -> Binding<SourcePlan> {
        match source {
            Source::Derived { query, alias, columns } => {
                let sub = self.derived(query, alias, columns)?;
                self.known_sub(sub, alias)
            }
            other => self.source(other),
        }
    }

    fn table(&mut self, name: &Name, alias: Option<&String>, hint: Hint) -> Binding<SourcePlan> {
        if let [single] = &name[..] {
            if let Some((_, columns, id)) =
                self.working.iter().rev().find(|w| self.world.same_name(&w.0, single)).cloned()
            {
                let width = columns.len();
                let slot = self.table_source(name, alias, columns, None)?;
                return Ok(SourcePlan::Working { slot, width, id });
            }
            let visible = self.ctes.iter().rposition(|c| self.world.same_name(&c.cte.name, single));
            if let Some(at) = visible {
                return self.cte(at, alias);
            }
        }
        if name.last().is_some_and(|n| n.starts_with('#')) {
            let key = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
            let table = self.world.temporary.get(&key).ok_or_else(|| invalid_object(name))?;
            return self.own_rows(name, alias, &table.table);
        }
        if name.len() == 4 {
            return self.remote_table(name, alias);
        }
        let object = self.object(name)?;
        let Some(columns) = self.world.columns(&object)? else {
            return self.user_view(name, &object, alias);
        };
        if let Some(scope) = self.scope() {
            scope.reads_host = true;
        }
        let host = self.world.read(object, self.whole.then_some(columns.len()), hint);
        let slot = self.table_source(name, alias, (*columns).clone(), Some(Rc::clone(&host)))?;
        Ok(SourcePlan::Rows { slot, rows: Held::Host(host) })
    }

    /// A table of the session's own.
    pub(super) fn own_rows(
        &mut self,
        name: &[String],
        alias: Option<&String>,
        table: &Table,
    ) -> Binding<SourcePlan> {
        let rows = Rc::new(table.rows.iter().cloned().map(Rc::new).collect());
        let slot = self.table_source(name, alias, table.columns.clone(), None)?;
        Ok(SourcePlan::Rows { slot, rows: Held::Here(rows, table.columns.len()) })
    }

    pub(super) fn table_source(
        &mut self,
        name: &[String],
        alias: Option<&String>,
        columns: Vec<Column>,
        host: Option<Rc<HostRows>>,
    ) -> Binding<usize> {
        let shown = alias.cloned().unwrap_or_else(|| name.join("."));
        self.last_table = Some((columns.clone(), name.to_vec()));
        self.add(Known { shown, alias: alias.cloned(), name: name.to_vec(), columns, host })
    }

    fn cte(&mut self, at: usize, alias: Option<&String>) -> Binding<SourcePlan> {
        let known = self.ctes[at].clone();
        let name = &known.cte.name;
        // a CTE sees the ones before it, and nothing of the queries that use it
        let hidden = self.ctes.split_off(known.sees);
        let scopes = std::mem::take(&mut self.scopes);
        let own = self.mentions(&known.cte.query, name) && !self.ctes.iter().any(|c| c.cte.name == *name);
        if own {
            let result = self.recursive(&known.cte, alias);
            self.scopes = scopes;
            self.ctes.extend(hidden);
            let (make, columns) = result?;
            return self.known_recursive(make, columns, name, alias);
        }
        let result = self.derived(&known.cte.query, name, &known.cte.columns);
        self.scopes = scopes;
        self.ctes.extend(hidden);
        let (sub, columns) = result?;
        if let Some(scope) = self.scope() {
            scope.reads_host |= sub.plan.reads_host;
        }
        let width = columns.len();
        let slot = self.add(Known {
            shown: alias.unwrap_or(name).clone(),
            alias: alias.cloned(),
            name: vec![name.clone()],
            columns,
            host: None,
        })?;
        Ok(SourcePlan::Derived { slot, width, query: sub })
    }

    /// A derived table: its columns must have names, each once.
    pub(super) fn derived(
        &mut self,
        query: &super::super::ast::Query,
        alias: &str,
        names: &[String],
    ) -> Binding<(Sub, Vec<Column>)> {
        let sub = self.subquery(query, query::Place::Derived)?;
        let mut columns = sub.plan.columns.clone();
        if !names.is_empty() {
            if names.len() != columns.len() {
                let (number, which) =
                    if names.len() > columns.len() { (8158, "fewer") } else { (8159, "more") };
                let text = format!("'{alias}' has {which} columns than were specified in the column list.");
                return Err(Message::error(number, text));
            }
            for (column, name) in columns.iter_mut().zip(names) {
                column.name.clone_from(name);
            }
        }
        for (at, column) in columns.iter().enumerate() {
            if column.name.is_empty() {
                let text = format!("No column name was specified for column {} of '{alias}'.", at + 1);
                return Err(Message::error(8155, text));
            }
            if columns[..at].iter().any(|other| self.world.same_name(&other.name, &column.name)) {
                let text =
                    format!("The column '{}' was specified multiple times for '{alias}'.", column.name);
                return Err(Message::error(8156, text));
            }
        }
        Ok((sub, columns))
    }

    fn known_sub(&mut self, (query, columns): (Sub, Vec<Column>), alias: &str) -> Binding<SourcePlan> {
        let width = columns.len();
        let known = Known {
            shown: alias.to_owned(),
            alias: Some(alias.to_owned()),
            name: Vec::new(),
            columns,
            host: None,
        };
        let slot = self.add(known)?;
        Ok(SourcePlan::Derived { slot, width, query })
    }

    fn values(&mut self, rows: &[Vec<Expr>], alias: &str, names: &[String]) -> Binding<SourcePlan> {
        let width = names.len();
        let mut bound: Vec<Vec<Bound>> = Vec::with_capacity(rows.len());
        for row in rows {
            if row.len() != rows[0].len() {
                return Err(Message::error(
                    10709,
                    "The number of columns for each row in a table value constructor must be the same.",
                ));
            }
            bound.push(row.iter().map(|e| self.expression(e)).collect::<Binding<_>>()?);
        }
        if rows[0].len() != width {
            let (number, which) = if width > rows[0].len() { (8158, "fewer") } else { (8159, "more") };
            let text = format!("'{alias}' has {which} columns than were specified in the column list.");
            return Err(Message::error(number, text));
        }
        let mut columns = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let kind = meet(bound.iter().map(|row| &row[at]))?;
            for row in &mut bound {
                let value = std::mem::replace(&mut row[at], Bound::null());
                row[at] = coerce(value, kind)?;
            }
            columns.push(Column::new(name.clone(), kind));
        }
        let known = Known {
            shown: alias.to_owned(),
            alias: Some(alias.to_owned()),
            name: Vec::new(),
            columns,
            host: None,
        };
        let slot = self.add(known)?;
        Ok(SourcePlan::Values { slot, width, rows: bound })
    }

    fn function_source(
        &mut self,
        name: &Name,
        arguments: &[Expr],
        alias: Option<&String>,
        names: &[String],
    ) -> Binding<SourcePlan> {
        let mut arguments: Vec<Bound> =
            arguments.iter().map(|a| self.expression(a)).collect::<Binding<_>>()?;
        let built_in = if let [single] = &name[..] {
            let (what, columns, given) = self.built_in_rowset(single, arguments)?;
            arguments = given;
            what.map(|w| (w, columns))
        } else {
            None
        };
        let (what, mut columns) = if let Some(found) = built_in {
            found
        } else {
            let object: ObjectName = self.object(name)?;
            // its columns are known before its arguments are: ask with NULLs
            let nulls = vec![crate::sandbox::value::Value::Null; arguments.len()];
            let table = self.world.host.rowset(self.world.context, &object, &nulls);
            let table = table.inspect_err(|_| self.world.host_failed.set(true))?;
            let Some(table) = table else { return Err(invalid_object(name)) };
            if let Some(scope) = self.scope() {
                scope.reads_host = true;
            }
            (RowsetFunction::Host(object), table.columns)
        };
        if !names.is_empty() {
            if names.len() != columns.len() {
                let (number, which) =
                    if names.len() > columns.len() { (8158, "fewer") } else { (8159, "more") };
                let shown = alias.unwrap_or(&name[name.len() - 1]);
                let text = format!("'{shown}' has {which} columns than were specified in the column list.");
                return Err(Message::error(number, text));
            }
            for (column, name) in columns.iter_mut().zip(names) {
                column.name.clone_from(name);
            }
        }
        let kinds: Vec<Type> = columns.iter().map(|c| c.kind).collect();
        let width = columns.len();
        let slot = self.add(Known {
            shown: alias.cloned().unwrap_or_else(|| name.join(".")),
            alias: alias.cloned(),
            name: name.clone(),
            columns,
            host: None,
        })?;
        Ok(SourcePlan::Function { slot, width, what, arguments, kinds })
    }
}
