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
    /// `value.method(…)` of an xml value.
    Method {
        value: Box<Expr>,
        name: String,
        arguments: Vec<Expr>,
    },
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
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    pub(super) ctes: Vec<Cte>,
    pub(super) body: Body,
    pub(super) order: Vec<OrderItem>,
    pub(super) offset: Option<Expr>,
    pub(super) fetch: Option<Expr>,
    /// FOR XML, FOR JSON.
    pub(super) shape: Option<Shape>,
    /// OPTION (MAXRECURSION n).
    pub(super) recursion: Option<u32>,
}

/// A result written as one text.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Xml(XmlShape),
    Json(JsonShape),
}

/// FOR XML.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "as many directives as there are")]
pub(super) struct XmlShape {
    pub(super) mode: XmlMode,
    /// PATH ('name'), RAW ('name').
    pub(super) element: Option<String>,
    pub(super) root: Option<String>,
    pub(super) elements: bool,
    pub(super) xsinil: bool,
    /// TYPE: an xml value rather than a text.
    pub(super) typed: bool,
    pub(super) base64: bool,
}

/// How FOR XML writes a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum XmlMode {
    Path,
    Raw,
    Auto,
}

/// FOR JSON.
#[derive(Debug, Clone)]
pub(super) struct JsonShape {
    pub(super) auto: bool,
    pub(super) root: Option<String>,
    /// INCLUDE_NULL_VALUES
    pub(super) nulls: bool,
    /// WITHOUT_ARRAY_WRAPPER
    pub(super) bare: bool,
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

impl Default for Body {
    fn default() -> Self {
        Self::Select(Box::default())
    }
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
#[derive(Debug, Clone, Default)]
pub(super) struct Select {
    pub(super) distinct: bool,
    pub(super) top: Option<Top>,
    pub(super) items: Vec<Item>,
    pub(super) into: Option<Name>,
    pub(super) from: Option<Source>,
    pub(super) filter: Option<Expr>,
    pub(super) group: Vec<Expr>,
    /// GROUPING SETS, ROLLUP, CUBE: places in `group`, one list per set.
    pub(super) sets: Option<Vec<Vec<usize>>>,
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
        operator: Option<Operator>,
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
    Table {
        name: Name,
        alias: Option<String>,
        line: i32,
        hint: Hint,
    },
    Variable {
        name: String,
        alias: Option<String>,
    },
    Function {
        name: Name,
        arguments: Vec<Expr>,
        alias: Option<String>,
        columns: Vec<String>,
        line: i32,
    },
    Derived {
        query: Box<Query>,
        alias: String,
        columns: Vec<String>,
    },
    Values {
        rows: Vec<Vec<Expr>>,
        alias: String,
        columns: Vec<String>,
    },
    Join {
        how: Join,
        left: Box<Source>,
        right: Box<Source>,
        on: Option<Expr>,
    },
    Apply {
        outer: bool,
        left: Box<Source>,
        right: Box<Source>,
    },
    /// `t PIVOT (SUM(v) FOR c IN ([a], [b])) AS p`
    Pivot {
        source: Box<Source>,
        fold: Box<Call>,
        column: String,
        list: Vec<String>,
        alias: String,
    },
    /// `t UNPIVOT (v FOR c IN (a, b)) AS p`
    Unpivot {
        source: Box<Source>,
        value: String,
        column: String,
        list: Vec<String>,
        alias: String,
    },
    /// `x.nodes('path') AS t(c)`
    Nodes {
        value: Box<Expr>,
        path: String,
        alias: String,
        column: String,
    },
    /// `OPENJSON(text, path) WITH (…)`
    OpenJson {
        text: Expr,
        path: Option<Expr>,
        schema: Vec<JsonColumn>,
        alias: Option<String>,
        columns: Vec<String>,
    },
    /// A statement for a linked server: OPENQUERY(server, 'text').
    Remote {
        server: String,
        text: String,
        alias: Option<String>,
        columns: Vec<String>,
        line: i32,
    },
}

/// A column of OPENJSON … WITH.
#[derive(Debug, Clone)]
pub(super) struct JsonColumn {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) path: String,
    pub(super) json: bool,
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
    /// `name AS value`
    pub(super) computed: Option<Expr>,
}

/// A table that is created.
#[derive(Debug, Clone, Default)]
pub(super) struct TableDefinition {
    pub(super) columns: Vec<ColumnDefinition>,
    pub(super) keys: Vec<KeyDefinition>,
    /// Name (empty = made up) and condition.
    pub(super) checks: Vec<(String, Expr)>,
}

/// Columns that must not come twice.
#[derive(Debug, Clone)]
pub(super) struct KeyDefinition {
    /// Empty = made up.
    pub(super) name: String,
    pub(super) kind: KeyKind,
    pub(super) columns: Vec<String>,
}

/// What a key is, which decides what its violation is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Primary,
    Unique,
    Index,
}

impl From<Vec<ColumnDefinition>> for TableDefinition {
    fn from(columns: Vec<ColumnDefinition>) -> Self {
        Self { columns, ..Self::default() }
    }
}

/// What is declared.
#[derive(Debug, Clone)]
pub(super) enum Declaration {
    Scalar {
        name: String,
        kind: Type,
        value: Option<Expr>,
    },
    Table {
        name: String,
        definition: TableDefinition,
    },
    /// `@c CURSOR`
    Cursor {
        name: String,
    },
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
    /// A value that is `None` = DEFAULT.
    Values(Vec<Vec<Option<Expr>>>),
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
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Merge(Box<Merge>),
    Truncate(Name),
    CreateTable {
        name: Name,
        definition: TableDefinition,
    },
    /// CREATE VIEW or PROCEDURE; its text is the batch's.
    CreateModule {
        name: Name,
        how: Creation,
        module: Box<ModuleBody>,
    },
    /// DROP VIEW, DROP PROCEDURE.
    DropModules {
        kind: super::super::host::ModuleKind,
        names: Vec<Name>,
        if_exists: bool,
    },
    /// On a table of the session: name, unique, columns.
    CreateIndex {
        name: String,
        table: Name,
        unique: bool,
        columns: Vec<String>,
    },
    DropIndex {
        name: String,
        table: Name,
        if_exists: bool,
    },
    AlterTable {
        name: Name,
        change: TableChange,
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
    Label(String),
    Goto(String),
    DeclareCursor {
        name: String,
        cursor: Box<CursorDefinition>,
    },
    SetCursor {
        variable: String,
        to: Box<CursorDefinition>,
    },
    OpenCursor(CursorName),
    Fetch {
        cursor: CursorName,
        where_to: Fetch,
        into: Option<Vec<String>>,
    },
    CloseCursor(CursorName),
    Deallocate(CursorName),
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
        /// WITH LOG.
        log: bool,
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

/// CREATE, ALTER, CREATE OR ALTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Creation {
    Create,
    Alter,
    Either,
}

/// What a view or procedure is made of.
#[derive(Debug, Clone)]
pub(super) enum ModuleBody {
    View { columns: Vec<String>, query: Box<Query> },
    Procedure { parameters: Vec<ModuleParameter>, body: Vec<Statement> },
}

/// A parameter of a procedure.
#[derive(Debug, Clone)]
pub(super) struct ModuleParameter {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) default: Option<Expr>,
    pub(super) output: bool,
}

/// INSERT.
#[derive(Debug, Clone)]
pub(super) struct Insert {
    pub(super) target: Target,
    pub(super) top: Option<Top>,
    pub(super) columns: Vec<String>,
    pub(super) output: Option<Output>,
    pub(super) from: InsertFrom,
}

/// UPDATE.
#[derive(Debug, Clone)]
pub(super) struct Update {
    pub(super) ctes: Vec<Cte>,
    pub(super) target: Target,
    pub(super) top: Option<Top>,
    pub(super) set: Vec<Assignment>,
    pub(super) output: Option<Output>,
    pub(super) from: Option<Source>,
    pub(super) filter: Option<Expr>,
}

/// DELETE.
#[derive(Debug, Clone)]
pub(super) struct Delete {
    pub(super) ctes: Vec<Cte>,
    pub(super) target: Target,
    pub(super) top: Option<Top>,
    pub(super) output: Option<Output>,
    pub(super) from: Option<Source>,
    pub(super) filter: Option<Expr>,
}

/// MERGE.
#[derive(Debug, Clone)]
pub(super) struct Merge {
    pub(super) ctes: Vec<Cte>,
    pub(super) target: Target,
    pub(super) alias: Option<String>,
    pub(super) source: Source,
    pub(super) on: Expr,
    pub(super) clauses: Vec<MergeClause>,
    pub(super) output: Option<Output>,
}

/// One WHEN of MERGE.
#[derive(Debug, Clone)]
pub(super) struct MergeClause {
    pub(super) when: MergeWhen,
    pub(super) condition: Option<Expr>,
    pub(super) then: MergeThen,
}

/// Which rows a WHEN is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MergeWhen {
    Matched,
    NotMatched,
    NotMatchedBySource,
}

/// What becomes of them.
#[derive(Debug, Clone)]
pub(super) enum MergeThen {
    Update(Vec<Assignment>),
    Delete,
    /// Columns and values; no values = DEFAULT VALUES.
    Insert(Vec<String>, Option<Vec<Option<Expr>>>),
}

/// OUTPUT: what of the changed rows is told, and where it goes.
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) items: Vec<Item>,
    pub(super) into: Option<(Target, Vec<String>)>,
}

/// What ALTER TABLE does.
#[derive(Debug, Clone)]
pub(super) enum TableChange {
    Add(TableDefinition),
    DropColumns(Vec<String>),
    DropConstraints(Vec<String>),
    AlterColumn(ColumnDefinition),
    /// CHECK CONSTRAINT and its kin: nothing to do.
    Nothing,
}

/// A cursor's query and what it can do.
#[derive(Debug, Clone)]
pub(super) struct CursorDefinition {
    /// `Some` when LOCAL or GLOBAL was told.
    pub(super) local: Option<bool>,
    /// May go back.
    pub(super) scroll: bool,
    pub(super) query: Query,
}

/// A cursor as statements name it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CursorName {
    Named { name: String, global: bool },
    Variable(String),
}

/// Which row FETCH wants.
#[derive(Debug, Clone)]
pub(super) enum Fetch {
    Next,
    Prior,
    First,
    Last,
    Absolute(Expr),
    Relative(Expr),
}

/// `column = value` of UPDATE, also `@x = value`.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) column: Option<Name>,
    pub(super) variable: Option<String>,
    pub(super) operator: Option<Operator>,
    /// `None` = DEFAULT.
    pub(super) value: Option<Expr>,
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
    /// STATISTICS IO, TIME …: nothing is told.
    Statistics,
    IdentityInsert(Name, bool),
    Isolation(Isolation),
}
