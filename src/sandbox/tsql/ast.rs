//! T-SQL as written, after the parser and before any name is looked up.
//!
//! Does not know tables, types of columns or values.

use super::super::host::{Command, Lock};
use super::super::value::{Type, Value};

/// A name of one to four parts, outermost first; a part left out (`db..t`) is empty.
pub(super) type Name = Vec<String>;

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    BitAnd,
    BitOr,
    BitXor,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value or (where the parser let it in) a condition.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    Null,
    Literal(Value, Type),
    Variable(String),
    /// `@@NAME`, in capitals.
    Global(String),
    Column(Name, i32),
    Negate(Box<Expr>),
    BitNot(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// `CASE [operand] WHEN … THEN …`; without an operand the WHENs are conditions.
    Case {
        operand: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    /// CAST, CONVERT and their TRY_ forms.
    Convert {
        value: Box<Expr>,
        to: Type,
        style: Option<Box<Expr>>,
        /// NULL instead of an error.
        forgiving: bool,
    },
    Call(Box<Call>),
    Subquery(Box<Query>),
    Collate(Box<Expr>, String),
    // conditions
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `= ANY (SELECT …)`, or ALL.
    CompareQuery {
        how: Comparison,
        all: bool,
        left: Box<Expr>,
        query: Box<Query>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull(Box<Expr>, bool),
    Like {
        value: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<Box<Expr>>,
        negated: bool,
    },
    Between {
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    InList {
        value: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    InQuery {
        value: Box<Expr>,
        query: Box<Query>,
        negated: bool,
    },
    Exists(Box<Query>),
}

/// A function call as written.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) name: Name,
    pub(super) arguments: Vec<Expr>,
    /// `COUNT(*)`
    pub(super) star: bool,
    pub(super) distinct: bool,
    pub(super) over: Option<Over>,
    /// `WITHIN GROUP (ORDER BY …)`
    pub(super) within: Vec<OrderItem>,
    pub(super) line: i32,
}

/// `OVER (…)`
#[derive(Debug, Clone)]
pub(super) struct Over {
    pub(super) partition: Vec<Expr>,
    pub(super) order: Vec<OrderItem>,
    pub(super) frame: Option<Frame>,
}

/// A window frame; only the shapes the evaluator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// ROWS (else RANGE).
    pub(super) rows: bool,
    pub(super) start: Bound,
    pub(super) end: Bound,
}

/// One end of a frame, in rows from the current one; `None` = unbounded.
pub(super) type Bound = Option<i64>;

/// A query with everything around its SELECTs.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) ctes: Vec<Cte>,
    pub(super) body: Body,
    pub(super) order: Vec<OrderItem>,
    pub(super) offset: Option<Expr>,
    pub(super) fetch: Option<Expr>,
}

/// `name [(columns)] AS (query)`
#[derive(Debug, Clone)]
pub(super) struct Cte {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) query: Query,
}

/// A SELECT or several put together.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Select(Box<Select>),
    Set { how: SetOperator, left: Box<Body>, right: Box<Body> },
}

/// How two results are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetOperator {
    UnionAll,
    Union,
    Except,
    Intersect,
}

/// One SELECT.
#[derive(Debug, Clone)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) top: Option<Top>,
    pub(super) items: Vec<Item>,
    pub(super) into: Option<Name>,
    pub(super) from: Option<Source>,
    pub(super) filter: Option<Expr>,
    pub(super) group: Vec<Expr>,
    pub(super) having: Option<Expr>,
}

/// `TOP (n) [PERCENT] [WITH TIES]`
#[derive(Debug, Clone)]
pub(super) struct Top {
    pub(super) count: Expr,
    pub(super) percent: bool,
    pub(super) ties: bool,
}

/// One item of a select list.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// `*` or `t.*`
    Star(Name),
    Value {
        value: Expr,
        alias: Option<String>,
    },
    /// `@x = value`
    Assign {
        variable: String,
        value: Expr,
    },
}

/// One item of ORDER BY.
#[derive(Debug, Clone)]
pub(super) struct OrderItem {
    pub(super) value: Expr,
    pub(super) descending: bool,
}

/// How two sources are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Inner,
    Left,
    Right,
    Full,
    Cross,
}

/// What stands in FROM.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Table { name: Name, alias: Option<String>, line: i32, hint: Hint },
    Variable { name: String, alias: Option<String> },
    Function { name: Name, arguments: Vec<Expr>, alias: Option<String>, columns: Vec<String>, line: i32 },
    Derived { query: Box<Query>, alias: String, columns: Vec<String> },
    Values { rows: Vec<Vec<Expr>>, alias: String, columns: Vec<String> },
    Join { how: Join, left: Box<Source>, right: Box<Source>, on: Option<Expr> },
    Apply { outer: bool, left: Box<Source>, right: Box<Source> },
}

/// What table hints say about locks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hint {
    pub(super) lock: Option<Lock>,
    /// NOWAIT
    pub(super) at_once: bool,
}

/// A statement and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) line: i32,
    pub(super) what: What,
}

/// A column of a table that is created.
#[derive(Debug, Clone)]
pub(super) struct ColumnDefinition {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) nullable: bool,
    pub(super) default: Option<Expr>,
    /// Seed and step.
    pub(super) identity: Option<(i64, i64)>,
}

/// What is declared.
#[derive(Debug, Clone)]
pub(super) enum Declaration {
    Scalar { name: String, kind: Type, value: Option<Expr> },
    Table { name: String, columns: Vec<ColumnDefinition> },
}

/// Where DML goes.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Named(Name, i32),
    Variable(String),
}

/// Where inserted rows come from.
#[derive(Debug, Clone)]
pub(super) enum InsertFrom {
    Values(Vec<Vec<Expr>>),
    Query(Box<Query>),
    Execute(Box<Execute>),
    Defaults,
}

/// EXECUTE
#[derive(Debug, Clone)]
pub(super) struct Execute {
    /// `@rc =`
    pub(super) status: Option<String>,
    pub(super) what: Executed,
}

/// What EXECUTE runs.
#[derive(Debug, Clone)]
pub(super) enum Executed {
    Procedure {
        name: Name,
        arguments: Vec<Argument>,
    },
    /// `EXEC @name …`
    Named {
        variable: String,
        arguments: Vec<Argument>,
    },
    /// `EXEC ('…' + @x)`
    Text(Expr),
}

/// An argument of EXECUTE.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) name: Option<String>,
    /// `None` = DEFAULT.
    pub(super) value: Option<Expr>,
    pub(super) output: bool,
}

/// WITH MARK.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) description: Option<Expr>,
}

/// How a transaction statement ends or begins one.
#[derive(Debug, Clone)]
pub(super) enum Transaction {
    Begin { mark: Option<Mark>, name: Option<Expr>, distributed: bool },
    Commit,
    Rollback { name: Option<Expr> },
    Save { name: Expr },
}

/// A host command whose literals may still be variables.
#[derive(Debug, Clone)]
pub(super) enum HostCommand {
    /// Ready as it stands.
    Ready(Command),
    /// RESTORE or BACKUP: database and values are evaluated first.
    Media(Box<Media>),
    /// DBCC CHECKDB; `None` = the session's database.
    CheckDb { database: Option<Expr>, options: Vec<String> },
    /// DBCC of another kind.
    Dbcc { what: &'static str, arguments: Vec<Expr>, options: Vec<String> },
    /// ALTER DATABASE … SET; `None` = CURRENT.
    AlterDatabase { database: Option<String>, set: String },
    /// ALTER DATABASE: files and name.
    ChangeDatabase { database: Option<String>, change: super::super::host::DatabaseChange },
}

/// RESTORE and BACKUP as written.
#[derive(Debug, Clone)]
pub(super) struct Media {
    pub(super) what: MediaWhat,
    pub(super) database: Option<Expr>,
    /// Paths, and logical devices (`true`) by name.
    pub(super) disks: Vec<(bool, Expr)>,
    pub(super) options: Vec<MediaOption>,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaWhat {
    Info(super::super::host::RestoreInfo),
    Restore { log: bool },
    Backup { log: bool },
}

/// An option of WITH.
#[derive(Debug, Clone)]
pub(super) struct MediaOption {
    pub(super) name: String,
    pub(super) value: Option<Expr>,
    pub(super) to: Option<Expr>,
}

/// The statements.
#[derive(Debug, Clone)]
pub(super) enum What {
    Select(Box<Query>),
    Insert {
        target: Target,
        columns: Vec<String>,
        from: InsertFrom,
    },
    Update {
        target: Target,
        top: Option<Top>,
        set: Vec<Assignment>,
        from: Option<Source>,
        filter: Option<Expr>,
    },
    Delete {
        target: Target,
        top: Option<Top>,
        from: Option<Source>,
        filter: Option<Expr>,
    },
    Truncate(Name),
    CreateTable {
        name: Name,
        columns: Vec<ColumnDefinition>,
    },
    DropTable {
        names: Vec<Name>,
        if_exists: bool,
    },
    Declare(Vec<Declaration>),
    SetVariable {
        name: String,
        operator: Option<Operator>,
        value: Expr,
    },
    SetOption(SetOption),
    If {
        condition: Expr,
        then: Box<Statement>,
        otherwise: Option<Box<Statement>>,
    },
    While {
        condition: Expr,
        body: Box<Statement>,
    },
    Break,
    Continue,
    Block(Vec<Statement>),
    Try {
        body: Vec<Statement>,
        catch: Vec<Statement>,
    },
    Print(Expr),
    RaiseError {
        message: Expr,
        severity: Expr,
        state: Expr,
        arguments: Vec<Expr>,
    },
    Throw(Option<(Expr, Expr, Expr)>),
    Return(Option<Expr>),
    WaitFor {
        until: bool,
        value: Expr,
    },
    Execute(Execute),
    Use(String),
    Transaction(Transaction),
    Command(HostCommand),
}

/// `column = value` of UPDATE, also `@x = value`.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) column: Option<Name>,
    pub(super) variable: Option<String>,
    pub(super) operator: Option<Operator>,
    pub(super) value: Expr,
}

/// SET TRANSACTION ISOLATION LEVEL
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Isolation {
    ReadUncommitted,
    #[default]
    ReadCommitted,
    /// Also SERIALIZABLE: locks are on whole tables.
    RepeatableRead,
    Serializable,
}

/// SET options.
#[derive(Debug, Clone)]
pub(super) enum SetOption {
    /// Several names and ON or OFF.
    Switch(Vec<String>, bool),
    /// A name and what it is set to.
    Value(String, Expr),
    Isolation(Isolation),
}
