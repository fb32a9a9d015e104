//! Aggregates, window functions, and the rule that a grouped SELECT may only use what it groups by.

use super::super::ast::{Call, OrderItem, Over};
use super::super::plan::{Aggregate, Bound, Fold, Grouping, Node, OrderKey, Place, Ranking, Window};
use super::super::types::{self, Family};
use super::{Binder, Binding, Clause, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// What a function name is among aggregates.
pub(super) fn fold(name: &str) -> Option<Fold> {
    Some(match name {
        "COUNT" | "COUNT_BIG" => Fold::Count,
        "SUM" => Fold::Sum,
        "AVG" => Fold::Average,
        "MIN" => Fold::Min,
        "MAX" => Fold::Max,
        "STRING_AGG" => Fold::Join,
        "STDEV" => Fold::Spread { all: false, root: true },
        "STDEVP" => Fold::Spread { all: true, root: true },
        "VAR" => Fold::Spread { all: false, root: false },
        "VARP" => Fold::Spread { all: true, root: false },
        "APPROX_COUNT_DISTINCT" => Fold::Count,
        _ => return None,
    })
}

const RANKINGS: [&str; 12] = [
    "ROW_NUMBER",
    "RANK",
    "DENSE_RANK",
    "NTILE",
    "LAG",
    "LEAD",
    "FIRST_VALUE",
    "LAST_VALUE",
    "PERCENT_RANK",
    "CUME_DIST",
    "PERCENTILE_CONT",
    "PERCENTILE_DISC",
];

impl Binder<'_> {
    /// An aggregate or window function; `None` when the name is neither.
    pub(super) fn aggregate_call(&mut self, name: &str, call: &Call) -> Binding<Option<Bound>> {
        if name == "CHECKSUM_AGG" {
            return Err(Message::not_modelled(name));
        }
        if name == "GROUPING" || name == "GROUPING_ID" {
            return self.grouping(name, call).map(Some);
        }
        if RANKINGS.contains(&name) {
            let Some(over) = &call.over else {
                let text = format!("The function '{name}' must have an OVER clause.");
                return Err(Message { class: 15, ..Message::error(10753, text) });
            };
            return self.ranking(name, call, over).map(Some);
        }
        let Some(fold) = fold(name) else { return Ok(None) };
        if fold == Fold::Join && self.world.version < 14
            || name == "APPROX_COUNT_DISTINCT" && self.world.version < 15
        {
            return Ok(None);
        }
        if let Some(over) = &call.over {
            self.window_here()?;
            let aggregate = self.aggregate(name, fold, call)?;
            let kind = aggregate.kind;
            return self.window(Ranking::Fold(aggregate), kind, over).map(Some);
        }
        match self.clause() {
            Clause::Where => {
                return Err(Message {
                    class: 15,
                    ..Message::error(
                        147,
                        "An aggregate may not appear in the WHERE clause unless it is in a subquery contained in a HAVING clause or a select list, and the column being aggregated is an outer reference.",
                    )
                });
            }
            Clause::On => {
                return Err(Message {
                    class: 15,
                    ..Message::error(
                        1015,
                        "An aggregate cannot appear in an ON clause unless it is in a subquery contained in a HAVING clause or select list, and the column being aggregated is an outer reference.",
                    )
                });
            }
            Clause::GroupBy => {
                return Err(Message {
                    class: 15,
                    ..Message::error(
                        144,
                        "Cannot use an aggregate or a subquery in an expression used for the group by list of a GROUP BY clause.",
                    )
                });
            }
            Clause::Aggregate => {
                return Err(Message::error(
                    130,
                    "Cannot perform an aggregate function on an expression containing an aggregate or a subquery.",
                ));
            }
            Clause::Outside => return Err(Message::not_modelled("an aggregate outside a query")),
            Clause::Having | Clause::Select | Clause::OrderBy => {}
        }
        let aggregate = self.in_clause(Clause::Aggregate, |b| b.aggregate(name, fold, call))?;
        let kind = aggregate.kind;
        let nullable = fold != Fold::Count;
        let Some(scope) = self.scope() else {
            return Err(Message::not_modelled("an aggregate outside a query"));
        };
        let index = scope.aggregates.iter().position(|a| *a == aggregate).unwrap_or_else(|| {
            scope.aggregates.push(aggregate);
            scope.aggregates.len() - 1
        });
        let index = index + 2 * scope.set_keys.len();
        let place = Place { up: 0, slot: scope.sources.len(), index };
        Ok(Some(Bound { node: Node::Column(place), kind, nullable }))
    }

    /// GROUPING and GROUPING_ID: which columns this row sums over.
    fn grouping(&mut self, name: &str, call: &Call) -> Binding<Bound> {
        if !matches!(self.clause(), Clause::Select | Clause::Having | Clause::OrderBy) {
            let text =
                format!("The {name} function can only be used in the SELECT, HAVING or ORDER BY clause.");
            return Err(Message::not_modelled(text));
        }
        if call.arguments.is_empty() || name == "GROUPING" && call.arguments.len() != 1 {
            return Err(super::function::wrong_count(name, 1, 1));
        }
        let (kind, mut sum) = if name == "GROUPING" { (Type::TinyInt, None) } else { (Type::Int, None) };
        for (at, argument) in call.arguments.iter().enumerate() {
            let value = self.expression(argument)?;
            let Some(scope) = self.scope() else {
                return Err(Message::not_modelled("GROUPING outside a query"));
            };
            let keys = &scope.set_keys;
            let Some(key) = keys.iter().position(|k| *k == value) else {
                if keys.is_empty() {
                    return Err(Message::not_modelled(format!(
                        "{name} without GROUPING SETS, ROLLUP or CUBE"
                    )));
                }
                let text = format!(
                    "Argument {} of the {name} function does not match any of the expressions in the GROUP BY clause.",
                    at + 1
                );
                return Err(Message::error(8161, text));
            };
            let place = Place { up: 0, slot: scope.sources.len(), index: keys.len() + key };
            let bit = Bound { node: Node::Column(place), kind, nullable: false };
            sum = Some(match sum {
                None => bit,
                Some(before) => {
                    let two = Bound::constant(Value::Int(2), Type::Int);
                    let multiply = super::super::ast::Operator::Multiply;
                    let twice = super::operator::arithmetic(multiply, before, two)?;
                    super::operator::arithmetic(super::super::ast::Operator::Add, twice, bit)?
                }
            });
        }
        sum.ok_or_else(|| super::function::wrong_count(name, 1, 1))
    }

    fn aggregate(&mut self, name: &str, fold: Fold, call: &Call) -> Binding<Aggregate> {
        let count =
            if name == "COUNT_BIG" || name == "APPROX_COUNT_DISTINCT" { Type::BigInt } else { Type::Int };
        let mut aggregate = Aggregate {
            fold,
            value: None,
            separator: None,
            order: Vec::new(),
            distinct: call.distinct || name == "APPROX_COUNT_DISTINCT",
            kind: count,
        };
        if call.star {
            if fold != Fold::Count {
                return Err(Message { class: 15, ..Message::error(102, "Incorrect syntax near '*'.") });
            }
            return Ok(aggregate);
        }
        let wanted = if fold == Fold::Join { 2 } else { 1 };
        if call.arguments.len() != wanted {
            return Err(super::function::wrong_count(name, wanted, wanted));
        }
        let value = self.expression(&call.arguments[0])?;
        let word = name.to_ascii_lowercase();
        let invalid = |kind| {
            Message::error(
                8117,
                format!("Operand data type {} is invalid for {word} operator.", types::name(kind)),
            )
        };
        if value.is_bare_null() && self.errors.is_empty() {
            return Err(Message::error(
                8117,
                format!("Operand data type NULL is invalid for {word} operator."),
            ));
        }
        let kind = value.kind;
        aggregate.kind = match fold {
            Fold::Count => count,
            Fold::Min | Fold::Max => {
                if kind == Type::Bit || kind == Type::Xml {
                    return Err(invalid(kind));
                }
                kind
            }
            Fold::Sum | Fold::Average => match kind {
                Type::TinyInt | Type::SmallInt | Type::Int => Type::Int,
                Type::BigInt => Type::BigInt,
                Type::Decimal { scale, .. } => {
                    let scale = if fold == Fold::Average { scale.max(6) } else { scale };
                    Type::Decimal { precision: 38, scale }
                }
                Type::Money | Type::SmallMoney => Type::Money,
                Type::Real | Type::Float => Type::Float,
                _ => return Err(invalid(kind)),
            },
            Fold::Spread { .. } => match types::family(kind) {
                Family::Exact | Family::Approximate if kind != Type::Bit => Type::Float,
                _ => return Err(invalid(kind)),
            },
            Fold::Join => {
                if !types::is_text(kind) && types::family(kind) == Family::Binary {
                    return Err(invalid(kind));
                }
                let national = types::is_national(kind) || !types::is_text(kind);
                let max = types::is_text(kind) && types::length(kind).is_none();
                types::varying(national, if max { None } else { Some(8000) })
            }
        };
        aggregate.value = Some(match fold {
            Fold::Join => coerce(value, aggregate.kind)?,
            Fold::Sum | Fold::Average if !matches!(aggregate.kind, Type::Decimal { .. }) => {
                coerce(value, aggregate.kind)?
            }
            _ => value,
        });
        if fold == Fold::Join {
            aggregate.separator = Some(coerce(self.expression(&call.arguments[1])?, aggregate.kind)?);
            aggregate.order = self.order_items(&call.within)?;
        } else if !call.within.is_empty() {
            return Err(Message {
                class: 15,
                ..Message::error(10757, format!("The function '{word}' may not have a WITHIN GROUP clause."))
            });
        }
        Ok(aggregate)
    }

    fn order_items(&mut self, items: &[OrderItem]) -> Binding<Vec<(Bound, bool)>> {
        items.iter().map(|i| Ok((self.expression(&i.value)?, i.descending))).collect()
    }

    fn window_here(&self) -> Binding<()> {
        match self.clause() {
            Clause::Select | Clause::OrderBy => Ok(()),
            _ => Err(Message {
                class: 15,
                ..Message::error(
                    4108,
                    "Windowed functions can only appear in the SELECT or ORDER BY clauses.",
                )
            }),
        }
    }

    fn ranking(&mut self, name: &str, call: &Call, over: &Over) -> Binding<Bound> {
        self.window_here()?;
        if name.starts_with("PERCENTILE") {
            return self.percentile(name, call, over);
        }
        if over.order.is_empty() {
            let text = format!("The function '{name}' must have an OVER clause with ORDER BY.");
            return Err(Message { class: 15, ..Message::error(4112, text) });
        }
        let (least, most) = match name {
            "ROW_NUMBER" | "RANK" | "DENSE_RANK" | "PERCENT_RANK" | "CUME_DIST" => (0, 0),
            "LAG" | "LEAD" => (1, 3),
            _ => (1, 1),
        };
        if call.arguments.len() < least || call.arguments.len() > most {
            return Err(super::function::wrong_count(name, least, most));
        }
        let framed = matches!(name, "FIRST_VALUE" | "LAST_VALUE");
        if over.frame.is_some() && !framed {
            let text = format!("The function '{name}' may not have a window frame.");
            return Err(Message { class: 15, ..Message::error(10752, text) });
        }
        let mut arguments =
            call.arguments.iter().map(|a| self.expression(a)).collect::<Binding<Vec<_>>>()?.into_iter();
        let (what, kind) = match (name, arguments.next()) {
            ("ROW_NUMBER", _) => (Ranking::RowNumber, Type::BigInt),
            ("RANK", _) => (Ranking::Rank, Type::BigInt),
            ("DENSE_RANK", _) => (Ranking::DenseRank, Type::BigInt),
            ("PERCENT_RANK", _) => (Ranking::PercentRank, Type::Float),
            ("CUME_DIST", _) => (Ranking::Distribution, Type::Float),
            ("NTILE", Some(n)) => (Ranking::NTile(coerce(n, Type::BigInt)?), Type::BigInt),
            ("FIRST_VALUE", Some(v)) => (Ranking::First(v.clone()), v.kind),
            ("LAST_VALUE", Some(v)) => (Ranking::Last(v.clone()), v.kind),
            (_, Some(value)) => {
                let kind = value.kind;
                let by = match arguments.next() {
                    Some(by) => coerce(by, Type::BigInt)?,
                    None => Bound::constant(Value::Int(1), Type::BigInt),
                };
                let default = arguments.next().map(|d| coerce(d, kind)).transpose()?;
                (Ranking::Shift { value, by, back: name == "LAG", default }, kind)
            }
            (_, None) => return Err(super::function::wrong_count(name, least, most)),
        };
        self.window(what, kind, over)
    }

    fn percentile(&mut self, name: &str, call: &Call, over: &Over) -> Binding<Bound> {
        let ([fraction], [item]) = (&call.arguments[..], &call.within[..]) else {
            let text = format!("The function '{name}' must have a WITHIN GROUP clause.");
            return Err(Message { class: 15, ..Message::error(10754, text) });
        };
        if !over.order.is_empty() {
            let text = format!("The function '{name}' may not have ORDER BY in OVER clause.");
            return Err(Message { class: 15, ..Message::error(10758, text) });
        }
        let fraction = coerce(self.expression(fraction)?, Type::Float)?;
        let value = self.expression(&item.value)?;
        let between = name == "PERCENTILE_CONT";
        let value = if between { coerce(value, Type::Float)? } else { value };
        let kind = value.kind;
        let order = vec![(value.clone(), item.descending)];
        let partition = over.partition.iter().map(|e| self.expression(e)).collect::<Binding<Vec<_>>>()?;
        let what = Ranking::Percentile { value, fraction, between };
        self.add_window(Window { what, partition, order, frame: None, kind }, kind)
    }

    fn window(&mut self, what: Ranking, kind: Type, over: &Over) -> Binding<Bound> {
        let partition = over.partition.iter().map(|e| self.expression(e)).collect::<Binding<Vec<_>>>()?;
        for item in &over.order {
            if matches!(item.value, super::super::ast::Expr::Literal(..)) {
                return Err(Message::error(
                    5308,
                    "Windowed functions, aggregates and NEXT VALUE FOR functions do not support integer indices as ORDER BY clause expressions.",
                ));
            }
        }
        let order = self.order_items(&over.order)?;
        self.add_window(Window { what, partition, order, frame: over.frame, kind }, kind)
    }

    fn add_window(&mut self, window: Window, kind: Type) -> Binding<Bound> {
        let Some(scope) = self.scope() else { return Err(Message::not_modelled("a window outside a query")) };
        let index = scope.windows.iter().position(|w| *w == window).unwrap_or_else(|| {
            scope.windows.push(window);
            scope.windows.len() - 1
        });
        let place = Place { up: 0, slot: scope.sources.len() + 1, index };
        Ok(Bound { node: Node::Column(place), kind, nullable: true })
    }

    /// 8120 and its kin.
    pub(super) fn check_grouping(
        &self,
        group: &Grouping,
        outputs: &[Bound],
        order: &[(OrderKey, bool)],
        windows: &[Window],
    ) -> Binding<()> {
        for output in outputs {
            self.only_grouped(output, &group.keys, Clause::Select)?;
        }
        if let Some(having) = &group.having {
            self.only_grouped(having, &group.keys, Clause::Having)?;
        }
        for (key, _) in order {
            if let OrderKey::Value(value) = key {
                self.only_grouped(value, &group.keys, Clause::OrderBy)?;
            }
        }
        for window in windows {
            let own = match &window.what {
                Ranking::NTile(v)
                | Ranking::First(v)
                | Ranking::Last(v)
                | Ranking::Shift { value: v, .. } => Some(v),
                Ranking::Fold(aggregate) => aggregate.value.as_ref(),
                _ => None,
            };
            let order = window.order.iter().map(|(v, _)| v);
            for value in own.into_iter().chain(&window.partition).chain(order) {
                self.only_grouped(value, &group.keys, Clause::Select)?;
            }
        }
        Ok(())
    }

    fn only_grouped(&self, value: &Bound, keys: &[Bound], clause: Clause) -> Binding<()> {
        let sources = self.scopes.last().map_or(0, |s| s.sources.len());
        let is_key = |place: &Place| keys.iter().any(|k| matches!(&k.node, Node::Column(p) if p == place));
        let mut bad = None;
        value.walk(&mut |bound| {
            if keys.contains(bound) {
                return false;
            }
            let own = |p: &&Place| p.up == 0 && p.slot < sources && !is_key(p);
            if let Node::Column(place) = &bound.node {
                bad = bad.or(Some(place).filter(own).copied());
            }
            if let Some(sub) = bound.sub() {
                bad = bad.or(sub.outer.iter().find(own).copied());
            }
            true
        });
        let Some(place) = bad else { return Ok(()) };
        let known = self.scopes.last().and_then(|s| s.sources.get(place.slot));
        let name = known.map_or_else(String::new, |k| {
            let column = k.at(place.index).map_or("", |c| c.name.as_str());
            format!("{}.{column}", k.shown)
        });
        let (number, clause) = match clause {
            Clause::Having => (8121, "HAVING clause"),
            Clause::OrderBy => (8127, "ORDER BY clause"),
            _ => (8120, "select list"),
        };
        let quote = if number == 8127 { '"' } else { '\'' };
        Err(Message::error(
            number,
            format!(
                "Column {quote}{name}{quote} is invalid in the {clause} because it is not contained in either an aggregate function or the GROUP BY clause."
            ),
        ))
    }
}
