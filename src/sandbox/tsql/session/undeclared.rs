//! The types of parameters that a statement uses and nothing declares, as far as they follow from where
//! they stand: compared with a column, or put into one.
//!
//! Runs nothing. What follows from nothing here is refused by the caller.

use super::super::ast::{
    Assignment, Body, ColumnDefinition, Declaration, Expr, InsertFrom, Item, Query, Select, Source,
    Statement, Target, What,
};
use super::super::binder::Binder;
use super::batch::Batch;
use crate::sandbox::value::Type;

/// A parameter (in lower case, with its `@`) and what it is.
pub(super) type Found = Vec<(String, Type)>;

impl Batch<'_> {
    /// Everything that follows from these statements.
    pub(super) fn deduced(&self, statements: &[Statement]) -> Found {
        let mut found = Found::new();
        for statement in statements {
            self.deduce(&statement.what, &mut found);
        }
        found
    }

    fn deduce(&self, what: &What, found: &mut Found) {
        match what {
            What::Select(query) => self.deduce_query(query, found),
            What::Insert(insert) => {
                let table = self.target_definition(&insert.target).map(|table| table.columns);
                let places = table
                    .and_then(|table| Ok((self.insert_columns(&table, &insert.columns, true, "")?, table)));
                if let (Ok((places, table)), InsertFrom::Values(rows)) = (places, &insert.from) {
                    for (value, place) in rows.iter().flat_map(|row| row.iter().zip(&places)) {
                        let name = value.as_ref().and_then(variable);
                        found.extend(name.map(|name| (name, table[*place].kind)));
                    }
                }
                if let InsertFrom::Query(query) = &insert.from {
                    self.deduce_query(query, found);
                }
            }
            What::Update(update) if update.ctes.is_empty() => {
                let source = update.from.clone().unwrap_or_else(|| source(&update.target));
                if let Ok(table) = self.target_definition(&update.target) {
                    let kind = |assignment: &Assignment| {
                        let name = assignment.column.as_ref()?.last()?.to_lowercase();
                        let same = |column: &&ColumnDefinition| column.name.to_lowercase() == name;
                        table.columns.iter().find(same).map(|column| column.kind)
                    };
                    for assignment in &update.set {
                        found.extend(assignment.value.as_ref().and_then(variable).zip(kind(assignment)));
                    }
                }
                self.deduce_filter(update.filter.as_ref(), Some(&source), found);
            }
            What::Delete(delete) if delete.ctes.is_empty() => {
                let source = delete.from.clone().unwrap_or_else(|| source(&delete.target));
                self.deduce_filter(delete.filter.as_ref(), Some(&source), found);
            }
            _ => {}
        }
    }

    fn deduce_query(&self, query: &Query, found: &mut Found) {
        // the columns of a WITH would need it around every question
        if let (Body::Select(select), true) = (&query.body, query.ctes.is_empty()) {
            self.deduce_filter(select.filter.as_ref(), select.from.as_ref(), found);
        }
    }

    fn deduce_filter(&self, filter: Option<&Expr>, from: Option<&Source>, found: &mut Found) {
        let mut pairs = Vec::new();
        if let Some(filter) = filter {
            compared(filter, &mut pairs);
        }
        for (name, other) in pairs {
            found.extend(self.kind_in(other, from).map(|kind| (name, kind)));
        }
    }

    /// The type of a value among the columns of a FROM clause.
    fn kind_in(&self, value: &Expr, from: Option<&Source>) -> Option<Type> {
        let select = Select {
            items: vec![Item::Value { value: value.clone(), alias: None }],
            from: from.cloned(),
            ..Select::default()
        };
        let query = Query { body: Body::Select(Box::new(select)), ..Query::default() };
        let plan = self.with_world(|world| Binder::new(world).statement(&query)).ok()?;
        plan.columns.first().map(|column| column.kind)
    }
}

/// What the statements declare themselves, in lower case.
pub(super) fn declared(statements: &[Statement], names: &mut Vec<String>) {
    for statement in statements {
        match &statement.what {
            What::Declare(list) => names.extend(list.iter().map(|declaration| match declaration {
                Declaration::Scalar { name, .. }
                | Declaration::Table { name, .. }
                | Declaration::Cursor { name } => name.to_lowercase(),
            })),
            What::Block(list) => declared(list, names),
            What::Try { body, catch } => {
                declared(body, names);
                declared(catch, names);
            }
            What::If { then, otherwise, .. } => {
                declared(std::slice::from_ref(then), names);
                declared(otherwise.as_deref().map_or(&[], std::slice::from_ref), names);
            }
            What::While { body, .. } => declared(std::slice::from_ref(body), names),
            _ => {}
        }
    }
}

fn source(target: &Target) -> Source {
    match target {
        Target::Named(name, line) => Source::Table {
            name: name.clone(),
            alias: None,
            hint: super::super::ast::Hint::default(),
            line: *line,
        },
        Target::Variable(name) => Source::Variable { name: name.clone(), alias: None },
    }
}

fn variable(value: &Expr) -> Option<String> {
    if let Expr::Variable(name) = value { Some(name.to_lowercase()) } else { None }
}

/// Variables of a condition, each with what it is compared with.
fn compared<'a>(condition: &'a Expr, pairs: &mut Vec<(String, &'a Expr)>) {
    let mut pair = |one: &'a Expr, other: &'a Expr| {
        pairs.extend(variable(one).map(|name| (name, other)));
        pairs.extend(variable(other).map(|name| (name, one)));
    };
    match condition {
        Expr::Compare(_, left, right) => pair(left, right),
        Expr::Like { value, pattern, .. } => pair(value, pattern),
        Expr::Between { value, low, high, .. } => {
            pair(value, low);
            pair(value, high);
        }
        Expr::InList { value, list, .. } => {
            for one in list {
                pair(value, one);
            }
        }
        Expr::And(all) | Expr::Or(all) => all.iter().for_each(|one| compared(one, pairs)),
        Expr::Not(one) => compared(one, pairs),
        _ => {}
    }
}
