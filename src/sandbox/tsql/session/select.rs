//! SELECT as a statement: to the client, into variables, into a table.

use super::super::ast::{Body, Item, Query, Select};
use super::super::binder::Binder;
use super::super::evaluate::Run;
use super::super::execute;
use super::super::plan::Row;
use super::super::state::LocalTable;
use super::batch::Batch;
use super::raised::Raised;
use crate::sandbox::answer::{Message, Part};
use crate::sandbox::value::Column;

fn first(body: &Body) -> &Select {
    match body {
        Body::Select(select) => select,
        Body::Set { left, .. } => first(left),
    }
}

impl Batch<'_> {
    /// Columns and rows of a query, and whether it read a table of the host.
    pub(super) fn query(&mut self, query: &Query) -> Result<(Vec<Column>, Vec<Row>, bool), Raised> {
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        self.with_world(|world| {
            let plan = Binder::new(world).statement(query).map_err(|m| self.unbound(m))?;
            let rows = execute::plan(&Run::new(world, &stopped), &plan, None)?;
            Ok((plan.columns, rows, plan.reads_host))
        })
    }

    /// Runs a SELECT; the number of its rows.
    pub(super) fn select(&mut self, query: &Query) -> Result<u64, Raised> {
        let head = first(&query.body);
        if let Some(into) = &head.into {
            let into = into.clone();
            return self.select_into(query, &into);
        }
        if head.items.iter().any(|i| matches!(i, Item::Assign { .. })) {
            return self.select_assign(query, head);
        }
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        let (columns, rows, reads_host) = self.with_world(|world| {
            let plan = Binder::new(world).statement(query).map_err(|m| self.unbound(m))?;
            let rows = execute::plan(&Run::new(world, &stopped), &plan, None);
            Ok::<_, Raised>((plan.columns, rows, plan.reads_host))
        })?;
        // the columns are told before the first row is computed, so also before an error
        self.sink.put(Part::Columns(columns))?;
        let mut rows = rows?;
        if reads_host && self.session.host.mood().empty_answers {
            // a server whose rows never arrive: what it would have sent stays behind
            rows.clear();
        }
        let count = rows.len() as u64;
        for row in rows {
            let values = std::rc::Rc::try_unwrap(row).unwrap_or_else(|row| (*row).clone());
            self.sink.put(Part::Row(values))?;
        }
        self.done(count)?;
        Ok(count)
    }

    /// Every row assigns; the last one stays. Without rows nothing is assigned.
    fn select_assign(&mut self, query: &Query, head: &Select) -> Result<u64, Raised> {
        if matches!(query.body, Body::Set { .. }) {
            return Err(Message {
                class: 15,
                ..Message::error(
                    10734,
                    "Variable assignment is not allowed in a statement containing a top level UNION, INTERSECT or EXCEPT operator.",
                )
            }
            .into());
        }
        let accumulates = head.items.iter().any(|item| match item {
            Item::Assign { variable, value } => uses_variable(value, variable),
            _ => false,
        });
        if accumulates && head.from.is_some() {
            return Err(Message::not_modelled("SELECT @x = … @x … over a table").into());
        }
        let (_, rows, _) = self.query(query)?;
        if let Some(last) = rows.last() {
            for (item, value) in head.items.iter().zip(last.iter()) {
                if let Item::Assign { variable, .. } = item
                    && let Some(slot) = self.variables.scalars.get_mut(&variable.to_lowercase())
                {
                    slot.1 = value.clone();
                }
            }
        }
        self.done(rows.len() as u64)?;
        Ok(rows.len() as u64)
    }

    fn select_into(&mut self, query: &Query, into: &[String]) -> Result<u64, Raised> {
        if !into.last().is_some_and(|n| n.starts_with('#')) {
            return Err(Message::not_modelled("SELECT INTO a permanent table").into());
        }
        let (columns, rows, _) = self.query(query)?;
        if let Some(at) = columns.iter().position(|c| c.name.is_empty()) {
            let text = format!(
                "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other statements, look for empty alias names. Aliases defined as \"\" or [] are not allowed. Change the alias to a valid name. (column {})",
                at + 1
            );
            return Err(Message { class: 15, ..Message::error(1038, text) }.into());
        }
        let definition = columns
            .into_iter()
            .map(|c| super::super::ast::ColumnDefinition {
                name: c.name,
                kind: c.kind,
                nullable: c.nullable,
                default: None,
                identity: None,
            })
            .collect();
        let mut table = LocalTable::new(definition);
        table.table.rows = rows.iter().map(|row| (**row).clone()).collect();
        self.create_table(&into.to_vec(), table)?;
        self.done(rows.len() as u64)?;
        Ok(rows.len() as u64)
    }
}

fn uses_variable(value: &super::super::ast::Expr, variable: &str) -> bool {
    // the AST prints every variable it holds
    format!("{value:?}").to_lowercase().contains(&format!("variable({:?})", variable.to_lowercase()))
}
