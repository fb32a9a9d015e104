//! PIVOT and UNPIVOT, rewritten into what they mean: groups of CASEs, and rows of VALUES.

use super::super::ast::{Body, Call, Comparison, Expr, Item, Query, Select, Source};
use super::{Binder, Binding};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Column, Type, Value};

/// The inner source as the rewritten query names it.
const INNER: &str = "$pivoted";

fn query(select: Select) -> Box<Query> {
    Box::new(Query {
        ctes: Vec::new(),
        body: Body::Select(Box::new(select)),
        order: Vec::new(),
        offset: None,
        fetch: None,
        shape: None,
        recursion: None,
    })
}

fn select(items: Vec<Item>, from: Source) -> Select {
    Select {
        distinct: false,
        top: None,
        items,
        into: None,
        from: Some(from),
        filter: None,
        group: Vec::new(),
        sets: None,
        having: None,
    }
}

fn column(name: &str) -> Expr {
    Expr::Column(vec![INNER.to_owned(), name.to_owned()], 1)
}

impl Binder<'_> {
    /// Everything of a source as a derived table, and its columns.
    fn whole(&mut self, source: &Source) -> Binding<(Source, Vec<Column>)> {
        let all = query(select(vec![Item::Star(Vec::new())], source.clone()));
        let before = self.errors.len();
        let (sub, columns) = self.derived(&all, INNER, &[])?;
        self.errors.truncate(before);
        drop(sub);
        Ok((Source::Derived { query: all, alias: INNER.to_owned(), columns: Vec::new() }, columns))
    }

    fn known_column<'c>(&self, columns: &'c [Column], name: &str) -> Binding<&'c Column> {
        let found = columns.iter().find(|c| self.world.same_name(&c.name, name));
        found.ok_or_else(|| Message::error(207, format!("Invalid column name '{name}'.")))
    }

    pub(super) fn pivot(
        &mut self,
        source: &Source,
        fold: &Call,
        by: &str,
        list: &[String],
        alias: &str,
    ) -> Binding<Source> {
        let (inner, columns) = self.whole(source)?;
        self.known_column(&columns, by)?;
        let [Expr::Column(value, _)] = &fold.arguments[..] else {
            return Err(Message { class: 15, ..Message::error(102, "Incorrect syntax near '('.") });
        };
        let value = value.last().cloned().unwrap_or_default();
        self.known_column(&columns, &value)?;
        let mut group = Vec::new();
        let mut items = Vec::new();
        for c in &columns {
            if self.world.same_name(&c.name, by) || self.world.same_name(&c.name, &value) {
                continue;
            }
            group.push(column(&c.name));
            items.push(Item::Value { value: column(&c.name), alias: Some(c.name.clone()) });
        }
        for name in list {
            if columns.iter().any(|c| {
                self.world.same_name(&c.name, name)
                    && !self.world.same_name(name, by)
                    && !self.world.same_name(name, &value)
            }) {
                let text = format!(
                    "The column name \"{name}\" specified in the PIVOT operator conflicts with the existing column name in the PIVOT argument."
                );
                return Err(Message::error(265, text));
            }
            let text = Expr::Literal(Value::Text(name.clone()), Type::SYSNAME);
            let same = Expr::Compare(Comparison::Equal, Box::new(column(by)), Box::new(text));
            let case = Expr::Case { operand: None, arms: vec![(same, column(&value))], otherwise: None };
            let call = Call { arguments: vec![case], ..fold.clone() };
            items.push(Item::Value { value: Expr::Call(Box::new(call)), alias: Some(name.clone()) });
        }
        let select = Select { group, ..select(items, inner) };
        Ok(Source::Derived { query: query(select), alias: alias.to_owned(), columns: Vec::new() })
    }

    pub(super) fn unpivot(
        &mut self,
        source: &Source,
        value: &str,
        name: &str,
        list: &[String],
        alias: &str,
    ) -> Binding<Source> {
        let (inner, columns) = self.whole(source)?;
        let mut kinds: Vec<Type> = Vec::new();
        for wanted in list {
            let own = self.known_column(&columns, wanted)?;
            if kinds.first().is_some_and(|first| *first != own.kind) {
                let text = format!(
                    "The type of column \"{wanted}\" conflicts with the type of other columns specified in the UNPIVOT list."
                );
                return Err(Message::error(8167, text));
            }
            kinds.push(own.kind);
        }
        let mut items: Vec<Item> = columns
            .iter()
            .filter(|c| !list.iter().any(|l| self.world.same_name(l, &c.name)))
            .map(|c| Item::Value { value: column(&c.name), alias: Some(c.name.clone()) })
            .collect();
        let made = |part: &str| Expr::Column(vec!["$values".to_owned(), part.to_owned()], 1);
        items.push(Item::Value { value: made(value), alias: Some(value.to_owned()) });
        items.push(Item::Value { value: made(name), alias: Some(name.to_owned()) });
        let rows = list
            .iter()
            .map(|l| {
                let spelled = columns.iter().find(|c| self.world.same_name(&c.name, l));
                let text = spelled.map_or(l, |c| &c.name).clone();
                vec![column(l), Expr::Literal(Value::Text(text), Type::SYSNAME)]
            })
            .collect();
        let values = Source::Values {
            rows,
            alias: "$values".to_owned(),
            columns: vec![value.to_owned(), name.to_owned()],
        };
        let from = Source::Apply { outer: false, left: Box::new(inner), right: Box::new(values) };
        let filter = Some(Expr::IsNull(Box::new(made(value)), true));
        let select = Select { filter, ..select(items, from) };
        Ok(Source::Derived { query: query(select), alias: alias.to_owned(), columns: Vec::new() })
    }
}
