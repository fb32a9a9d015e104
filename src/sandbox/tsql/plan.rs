//! Bound queries: every name found, every type known, every implicit conversion written out.
//!
//! Does not compute; `evaluate` and `execute` do.

use std::collections::HashSet;
use std::rc::Rc;

use super::super::answer::Message;
use super::super::host::ObjectName;
use super::super::value::{Column, Type, Value};
use super::ast::{Comparison, Frame, Join, JsonColumn, Operator, SetOperator, Shape};
use super::compare::{Collation, Key};
use super::function::Function;
use super::shape::Shaped;
use super::state::Held;
use super::xml::Path;

/// Why a statement does not go on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    Error(Message),
    /// The client is gone.
    Stopped,
}

impl From<Message> for Fault {
    fn from(message: Message) -> Self {
        Self::Error(message)
    }
}

impl From<super::super::answer::Stopped> for Fault {
    fn from(_: super::super::answer::Stopped) -> Self {
        Self::Stopped
    }
}

/// One row of one source.
pub(super) type Row = Rc<Vec<Value>>;

/// An expression with its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    pub(super) node: Node,
    pub(super) kind: Type,
    pub(super) nullable: bool,
}

/// What an expression does. Conditions give bit or NULL (unknown).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// The bare word NULL.
    Null,
    Constant(Value),
    Variable(String),
    Global(String),
    Column(Place),
    Convert {
        value: Box<Bound>,
        style: Option<Box<Bound>>,
        forgiving: bool,
    },
    Negate(Box<Bound>),
    BitNot(Box<Bound>),
    Arithmetic(Operator, Box<Bound>, Box<Bound>),
    Concatenate(Box<Bound>, Box<Bound>),
    Case {
        arms: Vec<(Bound, Bound)>,
        otherwise: Option<Box<Bound>>,
    },
    Coalesce(Vec<Bound>),
    Function(Function, Vec<Bound>),
    /// A function of the host: its name in capitals.
    Host(String, Vec<Bound>),
    Scalar(Sub),
    Compare(Comparison, Box<Bound>, Box<Bound>),
    CompareQuery {
        how: Comparison,
        all: bool,
        left: Box<Bound>,
        query: Sub,
    },
    And(Vec<Bound>),
    Or(Vec<Bound>),
    Not(Box<Bound>),
    IsNull(Box<Bound>, bool),
    Like {
        value: Box<Bound>,
        pattern: Box<Bound>,
        escape: Option<Box<Bound>>,
    },
    InList(Box<Bound>, Vec<Bound>),
    /// A long list of constants, hashed.
    InSet(Box<Bound>, Rc<Members>),
    InQuery(Box<Bound>, Sub),
    Exists(Sub),
    Xml(XmlMethod, Box<Bound>),
}

/// What a list of values holds, for IN.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Members {
    pub(super) keys: HashSet<Key>,
    /// One of them is NULL.
    pub(super) null: bool,
    /// There is none at all.
    pub(super) empty: bool,
}

impl Members {
    pub(super) fn of<'v>(collation: Collation, values: impl Iterator<Item = &'v Value>) -> Self {
        let mut members = Self { empty: true, ..Self::default() };
        for value in values {
            members.empty = false;
            match value {
                Value::Null => members.null = true,
                value => {
                    members.keys.insert(collation.key(value));
                }
            }
        }
        members
    }

    /// `value IN (…)`; `None` = unknown.
    pub(super) fn holds(&self, collation: Collation, value: &Value) -> Option<bool> {
        if self.empty {
            Some(false)
        } else if *value == Value::Null {
            None
        } else if self.keys.contains(&collation.key(value)) {
            Some(true)
        } else if self.null {
            None
        } else {
            Some(false)
        }
    }
}

/// Where a column's value stands: rows of `up` queries further out, which source, which column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) up: usize,
    pub(super) slot: usize,
    pub(super) index: usize,
}

/// A subquery and what it takes from outside.
#[derive(Debug, Clone)]
pub(super) struct Sub {
    pub(super) plan: Rc<Plan>,
    /// Unique within a statement: the key of its kept result.
    pub(super) id: usize,
    /// As seen from the query around it: `up` 0 is that query itself.
    pub(super) outer: Rc<Vec<Place>>,
}

impl PartialEq for Sub {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// A whole query.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) columns: Vec<Column>,
    pub(super) body: PlanBody,
    /// Of a set operation: output column and direction. A SELECT has its own.
    pub(super) order: Vec<(usize, bool)>,
    pub(super) offset: Option<Bound>,
    pub(super) fetch: Option<Bound>,
    /// Reads a table or view of the host.
    pub(super) reads_host: bool,
    /// FOR XML, FOR JSON: the rows become one text.
    pub(super) shape: Option<ShapePlan>,
}

/// How rows become one text, and what they hold.
#[derive(Debug)]
pub(super) struct ShapePlan {
    pub(super) shape: Shape,
    pub(super) columns: Vec<Shaped>,
}

/// A method of an xml value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum XmlMethod {
    Value(Path),
    Query(Path),
    Exist(Path),
}

/// One SELECT, or two results put together.
#[derive(Debug)]
pub(super) enum PlanBody {
    Select(Box<SelectPlan>),
    Set { how: SetOperator, left: Box<PlanBody>, right: Box<PlanBody>, kinds: Vec<Type> },
}

/// One SELECT.
#[derive(Debug)]
pub(super) struct SelectPlan {
    pub(super) id: usize,
    pub(super) source: Option<SourcePlan>,
    /// Sources, then one slot for aggregates and one for window results.
    pub(super) slots: usize,
    pub(super) filter: Vec<Bound>,
    pub(super) group: Option<Grouping>,
    pub(super) windows: Vec<Window>,
    pub(super) outputs: Vec<Bound>,
    pub(super) kinds: Vec<Type>,
    pub(super) distinct: bool,
    pub(super) top: Option<TopPlan>,
    pub(super) order: Vec<(OrderKey, bool)>,
    /// The slot whose rows are changed through this query: which row each output row comes from is kept.
    pub(super) track: Option<usize>,
}

/// TOP.
#[derive(Debug)]
pub(super) struct TopPlan {
    pub(super) count: Bound,
    pub(super) percent: bool,
    pub(super) ties: bool,
}

/// What rows are sorted by.
#[derive(Debug)]
pub(super) enum OrderKey {
    Output(usize),
    Value(Bound),
}

/// GROUP BY and its aggregates.
#[derive(Debug)]
pub(super) struct Grouping {
    pub(super) keys: Vec<Bound>,
    /// GROUPING SETS: which keys each set has. Key values and their GROUPING bits then stand before the aggregates.
    pub(super) sets: Option<Vec<Vec<usize>>>,
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) having: Option<Bound>,
}

/// Aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Count,
    Sum,
    Average,
    Min,
    Max,
    Join,
    /// STDEV and VAR, of a sample or of all.
    Spread {
        all: bool,
        root: bool,
    },
}

/// One aggregate of a SELECT.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Aggregate {
    pub(super) fold: Fold,
    /// `None` = `COUNT(*)`.
    pub(super) value: Option<Bound>,
    /// Of STRING_AGG.
    pub(super) separator: Option<Bound>,
    pub(super) order: Vec<(Bound, bool)>,
    pub(super) distinct: bool,
    pub(super) kind: Type,
}

/// Functions with OVER that are no aggregates.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ranking {
    RowNumber,
    PercentRank,
    /// CUME_DIST
    Distribution,
    /// PERCENTILE_CONT (`between`) and PERCENTILE_DISC.
    Percentile {
        value: Bound,
        fraction: Bound,
        between: bool,
    },
    Rank,
    DenseRank,
    NTile(Bound),
    /// LAG is negative.
    Shift {
        value: Bound,
        by: Bound,
        back: bool,
        default: Option<Bound>,
    },
    First(Bound),
    Last(Bound),
    Fold(Aggregate),
}

/// One window function of a SELECT.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    pub(super) what: Ranking,
    pub(super) partition: Vec<Bound>,
    pub(super) order: Vec<(Bound, bool)>,
    pub(super) frame: Option<Frame>,
    pub(super) kind: Type,
}

impl Window {
    /// Every value it computes with.
    pub(super) fn values_mut(&mut self) -> Vec<&mut Bound> {
        let mut all: Vec<&mut Bound> = self.partition.iter_mut().collect();
        all.extend(self.order.iter_mut().map(|(b, _)| b));
        match &mut self.what {
            Ranking::NTile(v)
            | Ranking::First(v)
            | Ranking::Last(v)
            | Ranking::Percentile { value: v, .. }
            | Ranking::Shift { value: v, .. } => {
                all.push(v);
            }
            Ranking::Fold(aggregate) => all.extend(aggregate.value.as_mut()),
            _ => {}
        }
        all
    }
}

/// What stands in FROM, bound. Each leaf fills one slot.
#[derive(Debug)]
pub(super) enum SourcePlan {
    /// A table.
    Rows {
        slot: usize,
        rows: Held,
    },
    Derived {
        slot: usize,
        width: usize,
        query: Sub,
    },
    /// A CTE that reads itself.
    Recursive {
        slot: usize,
        width: usize,
        anchor: Sub,
        steps: Rc<Vec<Plan>>,
        /// Of its working table.
        id: usize,
        name: String,
        /// 0 = no end.
        most: u32,
    },
    /// The rows of a recursive CTE that the round before added.
    Working {
        slot: usize,
        width: usize,
        id: usize,
    },
    Function {
        slot: usize,
        width: usize,
        what: RowsetFunction,
        arguments: Vec<Bound>,
        kinds: Vec<Type>,
    },
    Values {
        slot: usize,
        width: usize,
        rows: Vec<Vec<Bound>>,
    },
    Join {
        how: Join,
        left: Box<SourcePlan>,
        right: Box<SourcePlan>,
        /// Equal pairs, left side first.
        keys: Vec<(Bound, Bound)>,
        rest: Vec<Bound>,
    },
    Apply {
        outer: bool,
        left: Box<SourcePlan>,
        right: Box<SourcePlan>,
    },
}

/// Functions that give rows.
#[derive(Debug, Clone)]
pub(super) enum RowsetFunction {
    /// STRING_SPLIT; whether with ordinals.
    Split(bool),
    Host(ObjectName),
    /// `nodes()`
    Nodes(Path),
    /// OPENJSON; empty = its own three columns.
    Json(Vec<JsonColumn>),
    /// GENERATE_SERIES
    Series,
}

impl SourcePlan {
    /// Slots and widths of all leaves.
    pub(super) fn leaves(&self, out: &mut Vec<(usize, usize)>) {
        match self {
            Self::Rows { slot, rows } => out.push((*slot, rows.width())),
            Self::Derived { slot, width, .. }
            | Self::Function { slot, width, .. }
            | Self::Recursive { slot, width, .. }
            | Self::Working { slot, width, .. }
            | Self::Values { slot, width, .. } => out.push((*slot, *width)),
            Self::Join { left, right, .. } | Self::Apply { left, right, .. } => {
                left.leaves(out);
                right.leaves(out);
            }
        }
    }
}

impl Bound {
    pub(super) fn constant(value: Value, kind: Type) -> Self {
        let nullable = matches!(value, Value::Null);
        Self { node: Node::Constant(value), kind, nullable }
    }
    pub(super) fn null() -> Self {
        Self { node: Node::Null, kind: Type::Int, nullable: true }
    }
    pub(super) fn condition(node: Node) -> Self {
        Self { node, kind: Type::Bit, nullable: true }
    }
    pub(super) fn is_bare_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// Calls `visit` on this expression and everything in it that belongs to the same query.
    /// `visit` says whether to go deeper.
    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Bound) -> bool) {
        if !visit(self) {
            return;
        }
        match &self.node {
            Node::Null
            | Node::Constant(_)
            | Node::Variable(_)
            | Node::Global(_)
            | Node::Column(_)
            | Node::Scalar(_)
            | Node::Exists(_) => {}
            Node::Convert { value, style, .. } => {
                value.walk(visit);
                if let Some(style) = style {
                    style.walk(visit);
                }
            }
            Node::Xml(_, a)
            | Node::Negate(a)
            | Node::BitNot(a)
            | Node::Not(a)
            | Node::IsNull(a, _)
            | Node::InQuery(a, _)
            | Node::InSet(a, _) => {
                a.walk(visit);
            }
            Node::Arithmetic(_, a, b) | Node::Concatenate(a, b) | Node::Compare(_, a, b) => {
                a.walk(visit);
                b.walk(visit);
            }
            Node::CompareQuery { left, .. } => left.walk(visit),
            Node::Case { arms, otherwise } => {
                for (when, then) in arms {
                    when.walk(visit);
                    then.walk(visit);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.walk(visit);
                }
            }
            Node::Coalesce(all)
            | Node::Function(_, all)
            | Node::Host(_, all)
            | Node::And(all)
            | Node::Or(all) => all.iter().for_each(|b| b.walk(visit)),
            Node::Like { value, pattern, escape } => {
                value.walk(visit);
                pattern.walk(visit);
                if let Some(escape) = escape {
                    escape.walk(visit);
                }
            }
            Node::InList(value, list) => {
                value.walk(visit);
                for b in list {
                    b.walk(visit);
                }
            }
        }
    }

    /// Puts others in the place of parts of the same query; `other` says what stands for a part.
    pub(super) fn replace(&mut self, other: &dyn Fn(&Bound) -> Option<Bound>) {
        if let Some(new) = other(self) {
            *self = new;
            return;
        }
        match &mut self.node {
            Node::Null
            | Node::Constant(_)
            | Node::Variable(_)
            | Node::Global(_)
            | Node::Column(_)
            | Node::Scalar(_)
            | Node::Exists(_) => {}
            Node::Convert { value, style, .. } => {
                value.replace(other);
                if let Some(style) = style {
                    style.replace(other);
                }
            }
            Node::Xml(_, a)
            | Node::Negate(a)
            | Node::BitNot(a)
            | Node::Not(a)
            | Node::IsNull(a, _)
            | Node::InQuery(a, _)
            | Node::InSet(a, _) => a.replace(other),
            Node::Arithmetic(_, a, b) | Node::Concatenate(a, b) | Node::Compare(_, a, b) => {
                a.replace(other);
                b.replace(other);
            }
            Node::CompareQuery { left, .. } => left.replace(other),
            Node::Case { arms, otherwise } => {
                for (when, then) in arms {
                    when.replace(other);
                    then.replace(other);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.replace(other);
                }
            }
            Node::Coalesce(all)
            | Node::Function(_, all)
            | Node::Host(_, all)
            | Node::And(all)
            | Node::Or(all) => all.iter_mut().for_each(|b| b.replace(other)),
            Node::Like { value, pattern, escape } => {
                value.replace(other);
                pattern.replace(other);
                if let Some(escape) = escape {
                    escape.replace(other);
                }
            }
            Node::InList(value, list) => {
                value.replace(other);
                for b in list {
                    b.replace(other);
                }
            }
        }
    }

    /// The subquery directly at this node.
    pub(super) fn sub(&self) -> Option<&Sub> {
        match &self.node {
            Node::Scalar(sub) | Node::Exists(sub) | Node::InQuery(_, sub) => Some(sub),
            Node::CompareQuery { query, .. } => Some(query),
            _ => None,
        }
    }

    /// Every place of this and outer queries that the value depends on.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut out = Vec::new();
        self.walk(&mut |bound| {
            if let Node::Column(place) = &bound.node {
                out.push(*place);
            }
            if let Some(sub) = bound.sub() {
                out.extend(sub.outer.iter().copied());
            }
            true
        });
        out
    }
}
