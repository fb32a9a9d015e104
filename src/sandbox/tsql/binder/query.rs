//! Queries: select lists, grouping, ORDER BY, set operators.

use std::rc::Rc;

use super::super::ast::{self, Body, Expr, Item, OrderItem, Query, Select};
use super::super::plan::{
    Bound, Grouping, Node, OrderKey, Plan, PlanBody, SelectPlan, ShapePlan, Sub, TopPlan,
};
use super::super::shape::Shaped;
use super::super::types;
use super::join::{absorb, conjuncts};
use super::{Binder, Binding, Clause, KnownCte, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Column, Type, Value};

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Statement,
    Derived,
    Subquery,
    Exists,
}

impl Binder<'_> {
    /// A whole query.
    pub(super) fn query(&mut self, query: &Query, place: Place) -> Binding<Plan> {
        let before = self.ctes.len();
        for cte in &query.ctes {
            if self.ctes[before..].iter().any(|c| self.world.same_name(&c.cte.name, &cte.name)) {
                return Err(Message::error(
                    239,
                    format!("Duplicate common table expression name '{}' was specified.", cte.name),
                ));
            }
            let sees = self.ctes.len();
            self.ctes.push(KnownCte { cte: Rc::new(cte.clone()), sees });
        }
        let result = self.query_body(query, place);
        self.ctes.truncate(before);
        result
    }

    fn query_body(&mut self, query: &Query, place: Place) -> Binding<Plan> {
        if place != Place::Statement
            && !query.order.is_empty()
            && query.offset.is_none()
            && !matches!(query.shape, Some(ast::Shape::Xml(_)))
        {
            let top = matches!(&query.body, Body::Select(select) if select.top.is_some());
            if !top {
                return Err(Message::error(
                    1033,
                    "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table expressions, unless TOP, OFFSET or FOR XML is also specified.",
                ));
            }
        }
        let offset = self.row_number(
            query.offset.as_ref(),
            10742,
            "The offset specified in a OFFSET clause may not be negative.",
        )?;
        let fetch = self.row_number(
            query.fetch.as_ref(),
            10744,
            "The number of rows provided for a FETCH clause must be greater then zero.",
        )?;
        let (body, columns, reads_host, order) = match &query.body {
            Body::Select(select) => {
                if offset.is_some() && select.top.is_some() {
                    return Err(Message::error(
                        10741,
                        "A TOP can not be used in the same query or sub-query as a OFFSET.",
                    ));
                }
                let ((plan, columns), scope) = self.scoped(|b| b.select(select, &query.order, place))?;
                if let Some(known) = scope.sources.first() {
                    self.last_shown = known.alias.clone().or(known.name.last().cloned()).unwrap_or_default();
                }
                self.last_outer(&scope.outer);
                (PlanBody::Select(Box::new(plan)), columns, scope.reads_host, Vec::new())
            }
            Body::Set { .. } => {
                let (body, columns, reads_host) = self.set(&query.body)?;
                let order = self.set_order(&query.order, &columns)?;
                (body, columns, reads_host, order)
            }
        };
        let (columns, shape) = self.shaped(query.shape.as_ref(), columns, &body)?;
        Ok(Plan { columns, body, order, offset, fetch, reads_host, shape })
    }

    /// FOR XML and FOR JSON: what is shaped, and the one column that comes of it.
    fn shaped(
        &self,
        shape: Option<&ast::Shape>,
        columns: Vec<Column>,
        body: &PlanBody,
    ) -> Binding<(Vec<Column>, Option<ShapePlan>)> {
        let Some(shape) = shape else { return Ok((columns, None)) };
        let first = |body: &PlanBody| match body {
            PlanBody::Select(select) => Some(select.outputs.clone()),
            PlanBody::Set { .. } => None,
        };
        let outputs = first(body).unwrap_or_default();
        let auto = match shape {
            ast::Shape::Xml(x) => x.mode == ast::XmlMode::Auto,
            ast::Shape::Json(j) => j.auto,
        };
        let mut source = String::new();
        if auto {
            let mut leaves = Vec::new();
            if let PlanBody::Select(select) = body
                && let Some(from) = &select.source
            {
                from.leaves(&mut leaves);
            }
            if leaves.len() != 1 {
                return Err(Message::not_modelled("FOR XML AUTO or FOR JSON AUTO over other than one table"));
            }
            source.clone_from(&self.last_shown);
        }
        let path = matches!(shape, ast::Shape::Xml(x) if x.mode == ast::XmlMode::Path);
        for (at, column) in columns.iter().enumerate() {
            if !column.name.is_empty() || path {
                continue;
            }
            return Err(match shape {
                ast::Shape::Json(_) => Message::error(
                    13605,
                    "Column expressions and data sources without names or aliases cannot be formatted as JSON text using FOR JSON clause. Add alias to the unnamed column or table.",
                ),
                ast::Shape::Xml(_) => Message::error(
                    6809,
                    format!(
                        "Unnamed tables cannot be used as XML identifiers as well as unnamed columns cannot be used for attribute names. Name unnamed columns/tables using AS in the SELECT statement. (column {})",
                        at + 1
                    ),
                ),
            });
        }
        let shaped = columns
            .into_iter()
            .enumerate()
            .map(|(at, column)| Shaped {
                json: outputs.get(at).is_some_and(holds_json),
                source: source.clone(),
                column,
            })
            .collect();
        let (name, kind) = match shape {
            ast::Shape::Xml(x) if x.typed => ("", Type::Xml),
            ast::Shape::Xml(_) => ("XML_F52E2B61-18A1-11d1-B105-00805F49916B", Type::NVarChar(None)),
            ast::Shape::Json(_) => ("JSON_F52E2B61-18A1-11d1-B105-00805F49916B", Type::NVarChar(None)),
        };
        Ok((vec![Column::new(name, kind)], Some(ShapePlan { shape: shape.clone(), columns: shaped })))
    }

    /// Places a finished query took from outside, kept for [`Binder::subquery`].
    pub(super) fn last_outer(&mut self, outer: &[super::Place]) {
        self.taken.extend_from_slice(outer);
    }

    fn row_number(&mut self, value: Option<&Expr>, number: i32, text: &str) -> Binding<Option<Bound>> {
        let Some(value) = value else { return Ok(None) };
        let bound = coerce(self.expression(value)?, Type::BigInt)?;
        if let Node::Constant(Value::Int(n)) = bound.node
            && (n < 0 || (number == 10744 && n < 1))
        {
            return Err(Message { class: 15, ..Message::error(number, text) });
        }
        Ok(Some(bound))
    }

    /// A query inside another, with what it takes from outside.
    pub(super) fn subquery(&mut self, query: &Query, place: Place) -> Binding<Sub> {
        let before = std::mem::take(&mut self.taken);
        let plan = self.query(query, place);
        let mut outer = std::mem::replace(&mut self.taken, before);
        let plan = plan?;
        outer.sort_unstable_by_key(|p| (p.up, p.slot, p.index));
        outer.dedup();
        Ok(Sub { plan: Rc::new(plan), id: self.id(), outer: Rc::new(outer) })
    }

    pub(super) fn select(
        &mut self,
        select: &Select,
        order: &[OrderItem],
        place: Place,
    ) -> Binding<(SelectPlan, Vec<Column>)> {
        if select.into.is_some() && place != Place::Statement {
            return Err(Message {
                class: 15,
                ..Message::error(156, "Incorrect syntax near the keyword 'INTO'.")
            });
        }
        let mut source = match &select.from {
            Some(from) => Some(self.from(from)?),
            None => None,
        };
        let mut filter = match &select.filter {
            Some(filter) => conjuncts(self.in_clause(Clause::Where, |b| b.expression(filter))?),
            None => Vec::new(),
        };
        if let Some(source) = &mut source {
            filter = filter.into_iter().filter_map(|part| absorb(source, part)).collect();
        }
        let keys = self.in_clause(Clause::GroupBy, |b| {
            select.group.iter().map(|e| b.expression(e)).collect::<Binding<Vec<_>>>()
        })?;
        for key in &keys {
            let own = key.places().iter().any(|p| p.up == 0);
            let broken = key.is_bare_null() && !self.errors.is_empty();
            if !own && !broken {
                let number = 164;
                return Err(Message {
                    class: 15,
                    ..Message::error(
                        number,
                        "Each GROUP BY expression must contain at least one column that is not an outer reference.",
                    )
                });
            }
        }
        if select.sets.is_some()
            && let Some(scope) = self.scope()
        {
            scope.set_keys.clone_from(&keys);
        }
        let mut having = match &select.having {
            Some(having) => Some(self.in_clause(Clause::Having, |b| b.expression(having))?),
            None => None,
        };
        let (mut outputs, columns) = self.in_clause(Clause::Select, |b| b.items(select, place))?;
        let mut order = self.in_clause(Clause::OrderBy, |b| b.order(select, order, &outputs, &columns))?;
        let top = match &select.top {
            Some(top) => Some(self.top(top)?),
            None => None,
        };
        if select.top.as_ref().is_some_and(|t| t.ties) && order.is_empty() {
            return Err(Message {
                class: 15,
                ..Message::error(
                    1062,
                    "The TOP N WITH TIES clause is not allowed without a corresponding ORDER BY clause.",
                )
            });
        }
        let (slots, aggregates, mut windows) = match self.scope() {
            Some(scope) => (
                scope.sources.len() + 2,
                std::mem::take(&mut scope.aggregates),
                std::mem::take(&mut scope.windows),
            ),
            None => (2, Vec::new(), Vec::new()),
        };
        if select.sets.is_some() {
            let slot = slots - 2;
            for output in &mut outputs {
                over_sets(output, &keys, slot)?;
            }
            if let Some(having) = &mut having {
                over_sets(having, &keys, slot)?;
            }
            for (key, _) in &mut order {
                if let OrderKey::Value(value) = key {
                    over_sets(value, &keys, slot)?;
                }
            }
            for window in &mut windows {
                for value in window.values_mut() {
                    over_sets(value, &keys, slot)?;
                }
            }
        }
        let grouped = !keys.is_empty() || !aggregates.is_empty() || having.is_some() || select.sets.is_some();
        let group = grouped.then_some(Grouping { keys, sets: select.sets.clone(), aggregates, having });
        if let Some(group) = &group {
            self.check_grouping(group, &outputs, &order, &windows)?;
        }
        let kinds = outputs.iter().map(|o| o.kind).collect();
        let id = self.id();
        let plan = SelectPlan {
            id,
            source,
            slots,
            filter,
            group,
            windows,
            outputs,
            kinds,
            distinct: select.distinct,
            top,
            order,
            track: None,
        };
        Ok((plan, columns))
    }

    pub(super) fn top(&mut self, top: &ast::Top) -> Binding<TopPlan> {
        let count = self.expression(&top.count)?;
        if count.places().iter().any(|p| p.up == 0) {
            return Err(Message::error(
                1052,
                "The reference to a column is not allowed in an argument to a TOP, OFFSET, or FETCH clause.",
            ));
        }
        let kind = if top.percent { Type::Float } else { Type::BigInt };
        if !top.percent && !types::is_integer(count.kind) {
            let message = "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.";
            return Err(Message { class: 15, ..Message::error(1060, message) });
        }
        Ok(TopPlan { count: coerce(count, kind)?, percent: top.percent, ties: top.ties })
    }

    pub(super) fn items(&mut self, select: &Select, place: Place) -> Binding<(Vec<Bound>, Vec<Column>)> {
        let mut outputs = Vec::new();
        let mut columns = Vec::new();
        for item in &select.items {
            match item {
                Item::Star(qualifier) => {
                    if place == Place::Exists {
                        outputs.push(Bound::constant(Value::Int(1), Type::Int));
                        columns.push(Column::new("", Type::Int));
                        continue;
                    }
                    self.star(qualifier, &mut outputs, &mut columns)?;
                }
                Item::Value { value, alias } => {
                    let bound = self.expression(value)?;
                    let name = match (alias, value) {
                        (Some(alias), _) => alias.clone(),
                        (None, Expr::Column(name, _)) => name.last().cloned().unwrap_or_default(),
                        (None, Expr::Collate(inner, _)) => match &**inner {
                            Expr::Column(name, _) => name.last().cloned().unwrap_or_default(),
                            _ => String::new(),
                        },
                        _ => String::new(),
                    };
                    let name = self.own_spelling(&bound, alias.is_some(), name);
                    columns.push(Column { name, kind: bound.kind, nullable: bound.nullable });
                    outputs.push(bound);
                }
                Item::Assign { variable, operator, value } => {
                    if place != Place::Statement {
                        return Err(Message {
                            class: 15,
                            ..Message::error(102, "Incorrect syntax near '='.")
                        });
                    }
                    let kind = self.variable_kind(variable)?;
                    let mut bound = self.expression(value)?;
                    if let Some(operator) = operator {
                        let key = variable.to_lowercase();
                        let old = Bound { node: Node::Variable(key), kind, nullable: true };
                        bound = super::operator::arithmetic(*operator, old, bound)?;
                    }
                    let bound = coerce(bound, kind)?;
                    columns.push(Column { name: variable.clone(), kind, nullable: true });
                    outputs.push(bound);
                }
            }
        }
        let assigns = select.items.iter().filter(|i| matches!(i, Item::Assign { .. })).count();
        if assigns > 0 && assigns < select.items.len() {
            return Err(Message {
                class: 15,
                ..Message::error(
                    141,
                    "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.",
                )
            });
        }
        Ok((outputs, columns))
    }

    /// A column without an alias keeps the spelling of its table.
    fn own_spelling(&self, bound: &Bound, aliased: bool, written: String) -> String {
        match (&bound.node, self.scopes.last()) {
            (Node::Column(place), Some(scope)) if !aliased && place.up == 0 => scope
                .sources
                .get(place.slot)
                .and_then(|s| s.at(place.index))
                .map_or(written, |c| c.name.clone()),
            _ => written,
        }
    }

    fn star(
        &mut self,
        qualifier: &[String],
        outputs: &mut Vec<Bound>,
        columns: &mut Vec<Column>,
    ) -> Binding<()> {
        let Some(scope) = self.scopes.last() else { return Ok(()) };
        if scope.sources.is_empty() {
            return Err(Message::error(263, "Must specify table to select from."));
        }
        let mut any = false;
        for (slot, known) in scope.sources.iter().enumerate() {
            if !qualifier.is_empty() && !self.is_called(known, qualifier) {
                continue;
            }
            any = true;
            for (index, column) in known.columns.iter().enumerate() {
                let place = super::Place { up: 0, slot, index: known.place(index) };
                outputs.push(Bound {
                    node: Node::Column(place),
                    kind: column.kind,
                    nullable: column.nullable,
                });
                columns.push(column.clone());
            }
        }
        if any {
            return Ok(());
        }
        let text = format!(
            "The column prefix '{}' does not match with a table name or alias name used in the query.",
            qualifier.join(".")
        );
        Err(Message { class: 15, ..Message::error(107, text) })
    }

    fn order(
        &mut self,
        select: &Select,
        order: &[OrderItem],
        outputs: &[Bound],
        columns: &[Column],
    ) -> Binding<Vec<(OrderKey, bool)>> {
        let mut keys = Vec::new();
        for item in order {
            let key = match &item.value {
                Expr::Literal(Value::Int(n), Type::Int) => OrderKey::Output(ordinal(*n, outputs.len())?),
                Expr::Literal(..) | Expr::Null => {
                    let text = format!(
                        "A constant expression was encountered in the ORDER BY list, position {}.",
                        keys.len() + 1
                    );
                    return Err(Message { class: 15, ..Message::error(408, text) });
                }
                Expr::Column(name, line) if name.len() == 1 => {
                    self.order_name(select, &name[0], *line, columns)?
                }
                other => OrderKey::Value(self.expression(other)?),
            };
            let key = match key {
                OrderKey::Value(value) => match outputs.iter().position(|o| *o == value) {
                    Some(at) => OrderKey::Output(at),
                    None if select.distinct && self.errors.is_empty() => {
                        return Err(Message {
                            class: 15,
                            ..Message::error(
                                145,
                                "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.",
                            )
                        });
                    }
                    None => OrderKey::Value(value),
                },
                key @ OrderKey::Output(_) => key,
            };
            keys.push((key, item.descending));
        }
        Ok(keys)
    }

    /// An output column of that name comes before a column of the sources.
    fn order_name(
        &mut self,
        select: &Select,
        name: &str,
        line: i32,
        columns: &[Column],
    ) -> Binding<OrderKey> {
        let hits: Vec<usize> = columns
            .iter()
            .enumerate()
            .filter(|(_, c)| self.world.same_name(&c.name, name))
            .map(|(at, _)| at)
            .collect();
        let assigning = select.items.iter().any(|i| matches!(i, Item::Assign { .. }));
        match hits[..] {
            [] => Ok(OrderKey::Value(self.column(&vec![name.to_owned()], line)?)),
            [at] if !assigning => Ok(OrderKey::Output(at)),
            _ if assigning => Ok(OrderKey::Value(self.column(&vec![name.to_owned()], line)?)),
            _ => Err(Message { line, ..Message::error(209, format!("Ambiguous column name '{name}'.")) }),
        }
    }
}

/// Whether a value is JSON already: a FOR JSON subquery or JSON_QUERY.
fn holds_json(value: &Bound) -> bool {
    match &value.node {
        Node::Scalar(sub) => {
            matches!(&sub.plan.shape, Some(s) if matches!(&s.shape, ast::Shape::Json(j) if !j.bare))
        }
        Node::Function(function, _) => *function == super::super::function::Function::JsonQuery,
        Node::Convert { value, .. } => holds_json(value),
        _ => false,
    }
}

/// Puts the values of the current set in the place of what is grouped by.
fn over_sets(value: &mut Bound, keys: &[Bound], slot: usize) -> Binding<()> {
    value.replace(&|part| {
        let at = keys.iter().position(|k| k == part)?;
        let place = super::Place { up: 0, slot, index: at };
        Some(Bound { node: Node::Column(place), kind: part.kind, nullable: true })
    });
    let mut below = false;
    value.walk(&mut |part| {
        below |= part.sub().is_some_and(|sub| sub.outer.iter().any(|p| p.up == 0));
        true
    });
    if below {
        return Err(Message::not_modelled("a correlated subquery over GROUPING SETS, ROLLUP or CUBE"));
    }
    Ok(())
}

pub(super) fn ordinal(n: i64, columns: usize) -> Binding<usize> {
    usize::try_from(n).ok().filter(|n| (1..=columns).contains(n)).map(|n| n - 1).ok_or_else(|| {
        let text = format!(
            "The ORDER BY position number {n} is out of range of the number of items in the select list."
        );
        Message { class: 15, ..Message::error(108, text) }
    })
}
