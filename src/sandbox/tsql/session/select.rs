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
use crate::sandbox::value::{Column, Value};

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
        let columns_are_text = columns.first().is_some_and(|c| super::super::types::is_text(c.kind));
        self.sink.put(Part::Columns(columns))?;
        let mut rows = rows?;
        if reads_host && self.session.host.mood().empty_answers {
            // a server whose rows never arrive: what it would have sent stays behind
            rows.clear();
        }
        let most = self.session.settings.row_count;
        if most > 0 {
            rows.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        }
        if self.session.settings.fmt_only {
            rows.clear();
        }
        if query.shape.is_some() && columns_are_text {
            rows = in_pieces(&rows);
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
            Item::Assign { variable, operator, value } => {
                operator.is_some() || uses_variable(value, variable)
            }
            _ => false,
        });
        if accumulates && head.from.is_some() {
            return self.accumulate(query, head);
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

    /// Each row assigns, and the next one sees it.
    fn accumulate(&mut self, query: &Query, head: &Select) -> Result<u64, Raised> {
        let names: Vec<String> = head
            .items
            .iter()
            .filter_map(|i| {
                if let Item::Assign { variable, .. } = i { Some(variable.to_lowercase()) } else { None }
            })
            .collect();
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        let (count, assigned) = self.with_world(|world| {
            let plan = Binder::new(world).statement(query).map_err(|m| self.unbound(m))?;
            let run = Run::new(world, &stopped);
            let super::super::plan::PlanBody::Select(select) = &plan.body else {
                return Err(Message::not_modelled("assignment over a set operation").into());
            };
            let count = execute::assign(&run, select, &names)?;
            Ok::<_, Raised>((count, run.assigned.take()))
        })?;
        for (name, value) in assigned {
            if let Some(slot) = self.variables.scalars.get_mut(&name) {
                slot.1 = value;
            }
        }
        self.done(count)?;
        Ok(count)
    }

    fn select_into(&mut self, query: &Query, into: &[String]) -> Result<u64, Raised> {
        let (columns, rows, _) = self.query(query)?;
        if let Some(at) = columns.iter().position(|c| c.name.is_empty()) {
            let text = format!(
                "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other statements, look for empty alias names. Aliases defined as \"\" or [] are not allowed. Change the alias to a valid name. (column {})",
                at + 1
            );
            return Err(Message { class: 15, ..Message::error(1038, text) }.into());
        }
        let definition: Vec<super::super::ast::ColumnDefinition> = columns
            .into_iter()
            .map(|c| super::super::ast::ColumnDefinition {
                name: c.name,
                kind: c.kind,
                nullable: c.nullable,
                default: None,
                identity: None,
                computed: None,
            })
            .collect();
        let shown = into.last().cloned().unwrap_or_default();
        let definition = self.completed(&shown, definition.into())?;
        let mut table = LocalTable::new(definition);
        table.table.rows = rows.iter().map(|row| (**row).clone()).collect();
        self.create_table(&into.to_vec(), table)?;
        self.done(rows.len() as u64)?;
        Ok(rows.len() as u64)
    }
}

/// FOR XML and FOR JSON come to the client in pieces of 2033 characters.
fn in_pieces(rows: &[Row]) -> Vec<Row> {
    let mut out = Vec::new();
    for row in rows {
        let Some(Value::Text(text)) = row.first() else { continue };
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(2033) {
            out.push(std::rc::Rc::new(vec![Value::Text(piece.iter().collect())]));
        }
    }
    out
}

fn uses_variable(value: &super::super::ast::Expr, variable: &str) -> bool {
    // the AST prints every variable it holds
    format!("{value:?}").to_lowercase().contains(&format!("variable({:?})", variable.to_lowercase()))
}
