//! Expressions: literals, variables, CASE, conversions, conditions.

use std::rc::Rc;

use super::super::ast::{Comparison, Expr};
use super::super::plan::{Bound, Members, Node};
use super::super::types;
use super::operator::{arithmetic, comparable, comparison, meet, negate};
use super::query::Place;
use super::{Binder, Binding, Clause, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// A list of constants longer than this is hashed.
const SHORT_LIST: usize = 8;

impl Binder<'_> {
    pub(super) fn expression(&mut self, expr: &Expr) -> Binding<Bound> {
        match expr {
            Expr::Null => Ok(Bound::null()),
            Expr::Literal(value, kind) => Ok(Bound::constant(value.clone(), *kind)),
            Expr::Variable(name) => {
                let kind = self.variable_kind(name)?;
                Ok(Bound { node: Node::Variable(name.to_lowercase()), kind, nullable: true })
            }
            Expr::Global(name) => Self::global(name),
            Expr::Column(name, line) => self.column(name, *line),
            Expr::Negate(inner) => {
                let inner = self.expression(inner)?;
                negate(inner)
            }
            Expr::BitNot(inner) => {
                let inner = self.expression(inner)?;
                if !types::is_integer(inner.kind) && inner.kind != Type::Bit {
                    return Err(super::operator::invalid_for_text(inner.kind, "'~'"));
                }
                let (kind, nullable) = (inner.kind, inner.nullable);
                Ok(Bound { node: Node::BitNot(Box::new(inner)), kind, nullable })
            }
            Expr::Binary(..) => self.chain(expr),
            Expr::Case { operand, arms, otherwise } => {
                self.case(operand.as_deref(), arms, otherwise.as_deref())
            }
            Expr::Convert { value, to, style, forgiving } => {
                let value = self.expression(value)?;
                let style = match style {
                    Some(style) => Some(Box::new(coerce(self.expression(style)?, Type::Int)?)),
                    None => None,
                };
                if !value.is_bare_null() {
                    types::check_explicit(value.kind, *to)?;
                }
                let nullable = value.nullable || *forgiving;
                let node = Node::Convert { value: Box::new(value), style, forgiving: *forgiving };
                Ok(Bound { node, kind: *to, nullable })
            }
            Expr::Call(call) => self.call(call),
            Expr::Method { value, name, arguments } => self.method(value, name, arguments),
            Expr::Subquery(query) => {
                self.no_subquery_here()?;
                let sub = self.subquery(query, Place::Subquery)?;
                one_column(&sub.plan.columns)?;
                let kind = sub.plan.columns[0].kind;
                Ok(Bound { node: Node::Scalar(sub), kind, nullable: true })
            }
            Expr::Collate(inner, name) => {
                let inner = self.expression(inner)?;
                if !types::is_text(inner.kind) && !inner.is_bare_null() {
                    let text =
                        format!("Expression type {} is invalid for COLLATE clause.", types::name(inner.kind));
                    return Err(Message::error(447, text));
                }
                self.collation(name)?;
                Ok(inner)
            }
            _ => self.predicate(expr),
        }
    }

    /// A chain of operators leans to the left; it is walked, not descended, so that its length costs no stack.
    fn chain(&mut self, expr: &Expr) -> Binding<Bound> {
        let mut spine = Vec::new();
        let mut at = expr;
        while let Expr::Binary(operator, left, right) = at {
            spine.push((*operator, right));
            at = left;
        }
        let mut value = self.expression(at)?;
        for (operator, right) in spine.into_iter().rev() {
            let right = self.expression(right)?;
            value = arithmetic(operator, value, right)?;
        }
        Ok(value)
    }

    /// A COLLATE clause may only say what the server does anyway.
    fn collation(&self, name: &str) -> Binding<()> {
        let upper = name.to_ascii_uppercase();
        if upper == "DATABASE_DEFAULT" || upper == "CATALOG_DEFAULT" {
            return Ok(());
        }
        let known = upper.contains("_CI_") || upper.contains("_CS_") || upper.contains("_BIN");
        if !known {
            return Err(Message::error(448, format!("Invalid collation '{name}'.")));
        }
        let sensitive = !upper.contains("_CI_");
        if sensitive != self.world.collation.case_sensitive || upper.contains("_BIN") || upper.contains("_AI")
        {
            return Err(Message::not_modelled(format!("COLLATE {name} on this server")));
        }
        Ok(())
    }

    pub(super) fn variable_kind(&self, name: &str) -> Binding<Type> {
        let key = name.to_lowercase();
        match self.world.variables.scalars.get(&key) {
            Some((kind, _)) => Ok(*kind),
            None => Err(Message {
                class: 15,
                ..Message::error(137, format!("Must declare the scalar variable \"{name}\"."))
            }),
        }
    }

    fn global(name: &str) -> Binding<Bound> {
        let kind = match name {
            "@@ROWCOUNT" | "@@ERROR" | "@@TRANCOUNT" | "@@LOCK_TIMEOUT" | "@@MICROSOFTVERSION"
            | "@@OPTIONS" | "@@TEXTSIZE" | "@@NESTLEVEL" | "@@FETCH_STATUS" | "@@CURSOR_ROWS"
            | "@@MAX_CONNECTIONS" | "@@PROCID" => Type::Int,
            "@@SPID" | "@@LANGID" => Type::SmallInt,
            "@@DATEFIRST" | "@@MAX_PRECISION" => Type::TinyInt,
            "@@VERSION" => Type::NVarChar(Some(300)),
            "@@SERVERNAME" | "@@SERVICENAME" | "@@LANGUAGE" => Type::SYSNAME,
            "@@IDENTITY" => Type::Decimal { precision: 38, scale: 0 },
            "@@DBTS" | "@@CPU_BUSY" | "@@IDLE" | "@@IO_BUSY" | "@@CONNECTIONS" | "@@TIMETICKS"
            | "@@REMSERVER" | "@@PACK_RECEIVED" | "@@PACK_SENT" | "@@PACKET_ERRORS" | "@@TOTAL_ERRORS"
            | "@@TOTAL_READ" | "@@TOTAL_WRITE" => {
                return Err(Message::not_modelled(name));
            }
            _ => {
                return Err(Message {
                    class: 15,
                    ..Message::error(137, format!("Must declare the scalar variable \"{name}\"."))
                });
            }
        };
        Ok(Bound { node: Node::Global(name.to_owned()), kind, nullable: true })
    }

    fn no_subquery_here(&self) -> Binding<()> {
        match self.clause() {
            Clause::GroupBy => Err(Message {
                class: 15,
                ..Message::error(
                    144,
                    "Cannot use an aggregate or a subquery in an expression used for the group by list of a GROUP BY clause.",
                )
            }),
            Clause::Aggregate => Err(Message::error(
                130,
                "Cannot perform an aggregate function on an expression containing an aggregate or a subquery.",
            )),
            _ => Ok(()),
        }
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Binding<Bound> {
        let operand = operand.map(|o| self.expression(o)).transpose()?;
        let mut whens = Vec::new();
        let mut thens = Vec::new();
        for (when, then) in arms {
            let when = self.expression(when)?;
            whens.push(match &operand {
                Some(operand) => comparison(Comparison::Equal, operand.clone(), when)?,
                None => when,
            });
            thens.push(self.expression(then)?);
        }
        let otherwise = otherwise.map(|o| self.expression(o)).transpose()?;
        if thens.iter().chain(&otherwise).all(Bound::is_bare_null) && self.errors.is_empty() {
            return Err(Message::error(
                8133,
                "At least one of the result expressions in a CASE specification must be an expression other than the NULL constant.",
            ));
        }
        let kind = meet(thens.iter().chain(&otherwise))?;
        let nullable = otherwise.as_ref().is_none_or(|o| o.nullable) || thens.iter().any(|t| t.nullable);
        let thens = thens.into_iter().map(|t| coerce(t, kind)).collect::<Binding<Vec<_>>>()?;
        let otherwise = otherwise.map(|o| coerce(o, kind)).transpose()?.map(Box::new);
        let arms = whens.into_iter().zip(thens).collect();
        Ok(Bound { node: Node::Case { arms, otherwise }, kind, nullable })
    }

    fn predicate(&mut self, expr: &Expr) -> Binding<Bound> {
        let node = match expr {
            Expr::Compare(how, left, right) => {
                let left = self.expression(left)?;
                let right = self.expression(right)?;
                return comparison(*how, left, right);
            }
            Expr::CompareQuery { how, all, left, query } => {
                let left = self.expression(left)?;
                self.no_subquery_here()?;
                let mut sub = self.subquery(query, Place::Subquery)?;
                one_column(&sub.plan.columns)?;
                let left = Self::like_column(left, &mut sub, *how)?;
                Node::CompareQuery { how: *how, all: *all, left: Box::new(left), query: sub }
            }
            Expr::And(all) => Node::And(all.iter().map(|e| self.expression(e)).collect::<Binding<_>>()?),
            Expr::Or(all) => Node::Or(all.iter().map(|e| self.expression(e)).collect::<Binding<_>>()?),
            Expr::Not(inner) => Node::Not(Box::new(self.expression(inner)?)),
            Expr::IsNull(inner, negated) => Node::IsNull(Box::new(self.expression(inner)?), *negated),
            Expr::Like { value, pattern, escape, negated } => {
                let mut texts = Vec::new();
                for (at, part) in
                    [Some(value), Some(pattern), escape.as_ref()].into_iter().flatten().enumerate()
                {
                    let bound = self.expression(part)?;
                    let kind = bound.kind;
                    if matches!(types::family(kind), types::Family::Binary | types::Family::Variant) {
                        let text = format!(
                            "Argument data type {} is invalid for argument {} of like function.",
                            types::name(kind),
                            at + 1
                        );
                        return Err(Message::error(8116, text));
                    }
                    texts.push(if types::is_text(kind) {
                        bound
                    } else {
                        coerce(bound, Type::NVarChar(Some(4000)))?
                    });
                }
                let mut texts = texts.into_iter();
                let mut next = || texts.next().map(Box::new);
                let (Some(value), Some(pattern)) = (next(), next()) else {
                    return Err(Message::not_modelled("LIKE without a pattern"));
                };
                return Ok(negate_if(*negated, Node::Like { value, pattern, escape: next() }));
            }
            Expr::Between { value, low, high, negated } => {
                let value = self.expression(value)?;
                let low = self.expression(low)?;
                let high = self.expression(high)?;
                let above = comparison(Comparison::GreaterOrEqual, value.clone(), low)?;
                let below = comparison(Comparison::LessOrEqual, value, high)?;
                return Ok(negate_if(*negated, Node::And(vec![above, below])));
            }
            Expr::InList { value, list, negated } => return self.in_list(value, list, *negated),
            Expr::InQuery { value, query, negated } => {
                let value = self.expression(value)?;
                self.no_subquery_here()?;
                let mut sub = self.subquery(query, Place::Subquery)?;
                one_column(&sub.plan.columns)?;
                let value = Self::like_column(value, &mut sub, Comparison::Equal)?;
                return Ok(negate_if(*negated, Node::InQuery(Box::new(value), sub)));
            }
            Expr::Exists(query) => {
                self.no_subquery_here()?;
                Node::Exists(self.subquery(query, Place::Exists)?)
            }
            other => return Err(Message::not_modelled(format!("expression {other:?}"))),
        };
        Ok(Bound::condition(node))
    }

    fn in_list(&mut self, value: &Expr, list: &[Expr], negated: bool) -> Binding<Bound> {
        let value = self.expression(value)?;
        let list = list.iter().map(|e| self.expression(e)).collect::<Binding<Vec<_>>>()?;
        // all of them meet in one type, as in a chain of = OR =
        let kind = meet(std::iter::once(&value).chain(&list))?;
        let same = list.iter().chain([&value]).all(|v| types::family(v.kind) == types::family(kind));
        let prepare = |v: Bound| if same && !v.is_bare_null() { Ok(v) } else { coerce(v, kind) };
        let value = prepare(value)?;
        let list = list.into_iter().map(prepare).collect::<Binding<Vec<_>>>()?;
        let constants: Vec<&Value> = list
            .iter()
            .filter_map(|v| if let Node::Constant(value) = &v.node { Some(value) } else { None })
            .collect();
        if constants.len() > SHORT_LIST && constants.len() == list.len() {
            let members = Members::of(self.world.collation, constants.into_iter());
            return Ok(negate_if(negated, Node::InSet(Box::new(value), Rc::new(members))));
        }
        Ok(negate_if(negated, Node::InList(Box::new(value), list)))
    }

    /// Makes a value and the one column of a subquery comparable.
    fn like_column(value: Bound, sub: &mut super::super::plan::Sub, how: Comparison) -> Binding<Bound> {
        let column = sub.plan.columns[0].clone();
        let stand_in = Bound {
            node: Node::Column(super::Place { up: 0, slot: 0, index: 0 }),
            kind: column.kind,
            nullable: column.nullable,
        };
        let (value, converted) = comparable(value, stand_in, how)?;
        if converted.kind != column.kind
            && let Some(plan) = std::rc::Rc::get_mut(&mut sub.plan)
        {
            super::set::retype(&mut plan.body, &[converted.kind])?;
            plan.columns[0].kind = converted.kind;
        }
        Ok(value)
    }
}

fn negate_if(negated: bool, node: Node) -> Bound {
    let condition = Bound::condition(node);
    if negated { Bound::condition(Node::Not(Box::new(condition))) } else { condition }
}

/// 116
fn one_column(columns: &[crate::sandbox::value::Column]) -> Binding<()> {
    if columns.len() == 1 {
        return Ok(());
    }
    Err(Message::error(
        116,
        "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
    ))
}

/// A constant integer, if it is one.
pub(super) fn constant_int(bound: &Bound) -> Option<i64> {
    match &bound.node {
        Node::Constant(Value::Int(n)) => Some(*n),
        _ => None,
    }
}
