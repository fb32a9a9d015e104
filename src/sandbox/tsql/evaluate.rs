//! Computes bound expressions for one row.
//!
//! Does not look names up: places, types and conversions are settled. Subqueries are run by `execute`.

mod arithmetic;
mod format;
mod function;
mod global;
mod hash;
mod known;
mod like;
mod moment;
mod numeric;
mod subquery;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use super::super::answer::Message;
use super::super::value::{Type, Value};
use super::ast::Comparison;
use super::compare::Key;
use super::convert::{convert, natural};
use super::execute;
use super::plan::{Bound, Fault, Members, Node, Place, Row, XmlMethod};
use super::state::World;
use super::xml;

pub(super) type Evaluated<T> = Result<T, Fault>;

/// One row of every source of a query; slots not filled yet are empty.
pub(super) type Tuple = Vec<Row>;

/// Results of a query: rows of values.
pub(super) type Rows = Rc<Vec<Row>>;

/// One statement while it runs.
pub(super) struct Run<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) stopped: &'a dyn Fn() -> bool,
    pub(super) results: RefCell<HashMap<(usize, Vec<Key>), Rows>>,
    pub(super) members: RefCell<HashMap<usize, Rc<Members>>>,
    pub(super) indexes: RefCell<HashMap<usize, Rc<execute::Index>>>,
    /// Rows of recursive CTEs that the round before added.
    pub(super) working: RefCell<HashMap<usize, Rows>>,
    /// The rows of a table that rows of a CTE over it come from.
    pub(super) tracked: RefCell<HashMap<*const Vec<Value>, Row>>,
    /// Variables as the rows before have assigned them.
    pub(super) assigned: RefCell<HashMap<String, Value>>,
}

/// Rows a statement may hold at once; more would need more memory than the sandbox grants itself.
const MOST_ROWS: usize = 2_000_000;

/// The row at hand, and the rows of the queries around.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) tuple: &'a Tuple,
    pub(super) around: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    fn place(&self, place: Place) -> Option<&'a Value> {
        let mut scope = *self;
        for _ in 0..place.up {
            scope = *scope.around?;
        }
        scope.tuple.get(place.slot)?.get(place.index)
    }
}

pub(super) type Around<'a> = Option<&'a Scope<'a>>;

impl<'a> Run<'a> {
    pub(super) fn new(world: &'a World<'a>, stopped: &'a dyn Fn() -> bool) -> Self {
        Self {
            world,
            stopped,
            results: RefCell::default(),
            members: RefCell::default(),
            indexes: RefCell::default(),
            working: RefCell::default(),
            tracked: RefCell::default(),
            assigned: RefCell::default(),
        }
    }

    /// Refuses results that grow beyond all measure.
    pub(super) fn charge(rows: usize) -> Evaluated<()> {
        if rows > MOST_ROWS {
            return Err(Message::not_modelled("intermediate results of more than 2,000,000 rows").into());
        }
        Ok(())
    }

    /// Refuses texts that grow beyond all measure.
    pub(super) fn charge_text(value: &Value) -> Evaluated<()> {
        match value {
            Value::Text(text) if text.len() > function::LONGEST => {
                Err(Message::not_modelled("texts of more than 4 MiB").into())
            }
            _ => Ok(()),
        }
    }

    /// To be called once per row.
    pub(super) fn go_on(&self) -> Evaluated<()> {
        if (self.stopped)() { Err(Fault::Stopped) } else { Ok(()) }
    }

    /// A value that stands ready, without copying it.
    fn ready<'v>(bound: &'v Bound, scope: Around<'v>) -> Option<&'v Value> {
        match &bound.node {
            Node::Constant(value) => Some(value),
            Node::Column(place) => scope?.place(*place),
            _ => None,
        }
    }

    /// Calls `with` on a value, copying it only when it must be computed.
    fn with<T>(&self, bound: &Bound, scope: Around<'_>, with: impl FnOnce(&Value) -> T) -> Evaluated<T> {
        if let Some(value) = Self::ready(bound, scope) {
            return Ok(with(value));
        }
        Ok(with(&self.value(bound, scope)?))
    }

    /// Whether a condition is true; unknown is not.
    pub(super) fn holds(&self, bound: &Bound, scope: Around<'_>) -> Evaluated<bool> {
        Ok(self.truth(bound, scope)? == Some(true))
    }

    fn truth(&self, bound: &Bound, scope: Around<'_>) -> Evaluated<Option<bool>> {
        Ok(match self.value(bound, scope)? {
            Value::Bit(b) => Some(b),
            _ => None,
        })
    }

    pub(super) fn value(&self, bound: &Bound, scope: Around<'_>) -> Evaluated<Value> {
        let truth = match &bound.node {
            Node::Null => return Ok(Value::Null),
            Node::Constant(value) => return Ok(value.clone()),
            Node::Variable(name) => {
                if let Some(value) = self.assigned.borrow().get(name) {
                    return Ok(value.clone());
                }
                return Ok(self.world.variables.scalars.get(name).map_or(Value::Null, |(_, v)| v.clone()));
            }
            Node::Global(name) => return Ok(self.global(name)),
            Node::Column(place) => {
                return Ok(scope.and_then(|s| s.place(*place)).cloned().unwrap_or(Value::Null));
            }
            Node::Convert { value, style, forgiving } => {
                return self.conversion(bound.kind, value, style.as_deref(), *forgiving, scope);
            }
            Node::Xml(method, inner) => {
                let Value::Text(text) = self.value(inner, scope)? else { return Ok(Value::Null) };
                return Ok(match method {
                    XmlMethod::Value(path) => match xml::value(&text, path)? {
                        Some(found) => convert(Value::Text(found), Type::NVarChar(None), bound.kind, 0)?,
                        None => Value::Null,
                    },
                    XmlMethod::Query(path) => Value::Text(xml::query(&text, path)?),
                    XmlMethod::Exist(path) => Value::Bit(xml::exist(&text, path)?),
                });
            }
            Node::Negate(inner) => {
                let value = self.value(inner, scope)?;
                return Ok(arithmetic::negate(value, bound.kind)?);
            }
            Node::BitNot(inner) => {
                return Ok(match self.value(inner, scope)? {
                    Value::Int(n) if bound.kind == Type::TinyInt => Value::Int(!n & 255),
                    Value::Int(n) => Value::Int(!n),
                    Value::Bit(b) => Value::Bit(!b),
                    other => other,
                });
            }
            Node::Arithmetic(..) | Node::Concatenate(..) => return self.chain(bound, scope),
            Node::Case { arms, otherwise } => {
                for (when, then) in arms {
                    if self.holds(when, scope)? {
                        return self.value(then, scope);
                    }
                }
                return otherwise.as_ref().map_or(Ok(Value::Null), |o| self.value(o, scope));
            }
            Node::Coalesce(all) => {
                for part in all {
                    let value = self.value(part, scope)?;
                    if value != Value::Null {
                        return Ok(value);
                    }
                }
                return Ok(Value::Null);
            }
            Node::Function(function, arguments) => {
                return self.function(*function, arguments, bound.kind, scope);
            }
            Node::Host(name, arguments) => {
                let values = arguments.iter().map(|a| self.value(a, scope)).collect::<Evaluated<Vec<_>>>()?;
                let value = self.world.host.scalar(self.world.context, name, &values)?;
                // the world speaks loosely typed; the client was promised a type
                let value = value.unwrap_or(Value::Null);
                let from = natural(&value);
                return Ok(convert(value, from, bound.kind, 0)?);
            }
            Node::Scalar(sub) => {
                let rows = self.sub(sub, scope)?;
                if rows.len() > 1 {
                    return Err(several_rows().into());
                }
                return Ok(rows.first().and_then(|r| r.first()).cloned().unwrap_or(Value::Null));
            }
            Node::Compare(how, left, right) => {
                let collation = self.world.collation;
                let order = if let (Some(a), Some(b)) = (Self::ready(left, scope), Self::ready(right, scope))
                {
                    ordered(collation, a, b)
                } else {
                    let a = self.value(left, scope)?;
                    self.with(right, scope, |b| ordered(collation, &a, b))?
                };
                order.map(|o| fulfils(*how, o))
            }
            Node::CompareQuery { how, all, left, query } => {
                let left = self.value(left, scope)?;
                let rows = self.sub(query, scope)?;
                let mut unknown = false;
                let mut decided = None;
                for row in rows.iter() {
                    match ordered(self.world.collation, &left, &row[0]).map(|o| fulfils(*how, o)) {
                        None => unknown = true,
                        Some(found) if found != *all => {
                            decided = Some(!*all);
                            break;
                        }
                        Some(_) => {}
                    }
                }
                if decided.is_some() {
                    decided
                } else if unknown {
                    None
                } else {
                    Some(*all)
                }
            }
            Node::And(parts) => {
                let mut all = Some(true);
                for part in parts {
                    match self.truth(part, scope)? {
                        Some(false) => return Ok(Value::Bit(false)),
                        None => all = None,
                        Some(true) => {}
                    }
                }
                all
            }
            Node::Or(parts) => {
                let mut any = Some(false);
                for part in parts {
                    match self.truth(part, scope)? {
                        Some(true) => return Ok(Value::Bit(true)),
                        None => any = None,
                        Some(false) => {}
                    }
                }
                any
            }
            Node::Not(inner) => self.truth(inner, scope)?.map(|b| !b),
            Node::IsNull(inner, negated) => Some(self.with(inner, scope, |v| *v == Value::Null)? != *negated),
            Node::Like { value, pattern, escape } => self.like(value, pattern, escape.as_deref(), scope)?,
            Node::InList(value, list) => {
                let value = self.value(value, scope)?;
                let mut found = Some(false);
                for item in list {
                    let same = self.with(item, scope, |i| ordered(self.world.collation, &value, i))?;
                    match same {
                        Some(Ordering::Equal) => {
                            found = Some(true);
                            break;
                        }
                        None => found = None,
                        Some(_) => {}
                    }
                }
                found
            }
            Node::InSet(value, members) => {
                let collation = self.world.collation;
                self.with(value, scope, |v| members.holds(collation, v))?
            }
            Node::InQuery(value, sub) => self.in_query(value, sub, scope)?,
            Node::Exists(sub) => Some(self.exists(sub, scope)?),
        };
        Ok(truth.map_or(Value::Null, Value::Bit))
    }

    fn conversion(
        &self,
        kind: Type,
        value: &Bound,
        style: Option<&Bound>,
        forgiving: bool,
        scope: Around<'_>,
    ) -> Evaluated<Value> {
        let style = match style {
            None => 0,
            Some(style) => match self.value(style, scope)? {
                Value::Int(n) => i32::try_from(n).unwrap_or(-1),
                _ => return Ok(Value::Null),
            },
        };
        let from = value.kind;
        let value = self.value(value, scope)?;
        match convert(value, from, kind, style) {
            Ok(value) => Ok(value),
            Err(message) if forgiving && message.number != 59999 => Ok(Value::Null),
            Err(message) => Err(message.into()),
        }
    }

    /// A chain of operators leans to the left; it is walked, not descended, so that its length costs no stack.
    fn chain(&self, bound: &Bound, scope: Around<'_>) -> Evaluated<Value> {
        let mut spine = Vec::new();
        let mut at = bound;
        while let Node::Arithmetic(_, left, _) | Node::Concatenate(left, _) = &at.node {
            spine.push(at);
            at = left;
        }
        let mut value = self.value(at, scope)?;
        for link in spine.into_iter().rev() {
            value = match &link.node {
                Node::Arithmetic(operator, _, right) => {
                    let right = self.value(right, scope)?;
                    arithmetic::compute(*operator, &value, &right, link.kind)?
                }
                Node::Concatenate(left, right) => {
                    let right_value = self.value(right, scope)?;
                    Self::concatenate(link.kind, (value, left.kind), (right_value, right.kind))?
                }
                _ => value,
            };
        }
        Ok(value)
    }

    fn concatenate(kind: Type, (a, a_kind): (Value, Type), (b, b_kind): (Value, Type)) -> Evaluated<Value> {
        if a == Value::Null || b == Value::Null {
            return Ok(Value::Null);
        }
        if let (Value::Binary(mut a), Value::Binary(b)) = (a.clone(), b.clone()) {
            a.extend(b);
            return Ok(Value::Binary(a));
        }
        let text = |value, from: Type| -> Evaluated<String> {
            match convert(value, from, Type::NVarChar(None), 0)? {
                Value::Text(text) => Ok(text),
                _ => Ok(String::new()),
            }
        };
        let joined = text(a, a_kind)? + &text(b, b_kind)?;
        if joined.len() > function::LONGEST {
            return Err(Message::not_modelled("texts of more than 4 MiB").into());
        }
        Ok(convert(Value::Text(joined), Type::NVarChar(None), kind, 0)?)
    }

    fn like(
        &self,
        value: &Bound,
        pattern: &Bound,
        escape: Option<&Bound>,
        scope: Around<'_>,
    ) -> Evaluated<Option<bool>> {
        let (value, pattern) = (self.value(value, scope)?, self.value(pattern, scope)?);
        let escape = match escape {
            None => None,
            Some(escape) => match self.value(escape, scope)? {
                Value::Text(text) => {
                    let mut chars = text.chars();
                    if let (Some(c), None) = (chars.next(), chars.next()) {
                        Some(c)
                    } else {
                        let text = format!(
                            "The invalid escape character \"{text}\" was specified in a LIKE predicate."
                        );
                        return Err(Message::error(506, text).into());
                    }
                }
                _ => return Ok(None),
            },
        };
        Ok(match (value, pattern) {
            (Value::Text(value), Value::Text(pattern)) => {
                Some(like::matches(self.world.collation, &value, &pattern, escape))
            }
            _ => None,
        })
    }
}

/// 512
fn several_rows() -> Message {
    Message::error(
        512,
        "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.",
    )
}

/// `None` when one of them is NULL.
fn ordered(collation: super::compare::Collation, a: &Value, b: &Value) -> Option<Ordering> {
    if *a == Value::Null || *b == Value::Null { None } else { Some(collation.values(a, b)) }
}

fn fulfils(how: Comparison, order: Ordering) -> bool {
    match how {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}
