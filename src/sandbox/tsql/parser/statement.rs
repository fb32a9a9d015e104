//! Statements, with or without semicolons between them.

use super::super::ast::{
    Assignment, Cte, Declaration, Expr, InsertFrom, Operator, Query, SetOption, Statement, Target,
    Transaction, What,
};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::host::Command;
use crate::sandbox::value::{Type, Value};

impl Parser {
    /// Statements up to the end of the text or one of the words.
    pub(super) fn statements(&mut self, ends: &[&str]) -> Parsed<Vec<Statement>> {
        let mut list = Vec::new();
        let mut terminated = true;
        loop {
            while self.accept_symbol(";") {
                terminated = true;
            }
            if *self.kind() == Kind::End || ends.iter().any(|word| self.peek(word)) {
                return Ok(list);
            }
            if !terminated {
                if self.peek("WITH") {
                    return Err(self.fail(
                        319,
                        "Incorrect syntax near the keyword 'with'. If this statement is a common table expression, an xmlnamespaces clause or a change tracking context clause, the previous statement must be terminated with a semicolon.",
                    ));
                }
                if self.peek("THROW") {
                    return Err(self.unexpected());
                }
            }
            if self.at == 0 && self.peek_name() && !self.peek("THROW") && !self.ahead_symbol(1, ":") {
                list.push(self.bare_procedure()?);
            } else {
                list.push(self.nested(Self::statement)?);
            }
            terminated = false;
        }
    }

    /// `sp_who 'active'` at the very start of a batch.
    fn bare_procedure(&mut self) -> Parsed<Statement> {
        let line = self.line();
        let execute = self.execute(line)?;
        Ok(Statement { line, what: What::Execute(execute) })
    }

    /// One statement, without its semicolon.
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let line = self.line();
        let what = self.what(line)?;
        Ok(Statement { line, what })
    }

    fn what(&mut self, line: i32) -> Parsed<What> {
        if self.peek_symbol("(") && self.at_query() {
            let query = Box::new(self.query()?);
            self.option_clause()?;
            return Ok(What::Select(query));
        }
        if *self.kind() != Kind::Word {
            return Err(self.unexpected());
        }
        let word = self.token().text.to_ascii_uppercase();
        match word.as_str() {
            "SELECT" => {
                let query = Box::new(self.query()?);
                self.option_clause()?;
                return Ok(What::Select(query));
            }
            "THROW" => {}
            "MERGE" | "CREATE" | "ALTER" | "GRANT" | "DENY" | "REVOKE" | "OPEN" | "CLOSE" | "FETCH"
            | "DEALLOCATE" | "RECONFIGURE" | "CHECKPOINT" | "SHUTDOWN" | "GOTO" | "BULK" | "REVERT"
            | "SETUSER" | "READTEXT" | "WRITETEXT" | "UPDATETEXT" => return self.rare(&word),
            _ if self.peek_name() && self.ahead_symbol(1, ":") => return Err(self.refused("labels")),
            _ => {}
        }
        self.advance();
        let what = match word.as_str() {
            "WITH" => return self.with_ctes(),
            "INSERT" => self.insert(Vec::new())?,
            "UPDATE" => self.update()?,
            "DELETE" => self.delete()?,
            "TRUNCATE" => {
                self.expect("TABLE")?;
                What::Truncate(self.name()?)
            }
            "DROP" => self.drop()?,
            "DECLARE" => self.declare()?,
            "SET" => self.set()?,
            "IF" => {
                let condition = self.condition()?;
                let then = Box::new(self.nested(Self::statement)?);
                let semicolon = self.at;
                self.accept_symbol(";");
                let otherwise = if self.accept("ELSE") {
                    Some(Box::new(self.nested(Self::statement)?))
                } else {
                    self.at = semicolon;
                    None
                };
                What::If { condition, then, otherwise }
            }
            "WHILE" => {
                let condition = self.condition()?;
                What::While { condition, body: Box::new(self.nested(Self::statement)?) }
            }
            "BREAK" => What::Break,
            "CONTINUE" => What::Continue,
            "BEGIN" => return self.begin(),
            "COMMIT" => {
                self.transaction_word();
                self.transaction_name()?;
                if self.peek("WITH") {
                    return Err(self.refused("COMMIT … WITH"));
                }
                What::Transaction(Transaction::Commit)
            }
            "ROLLBACK" => {
                self.transaction_word();
                What::Transaction(Transaction::Rollback { name: self.transaction_name()? })
            }
            "SAVE" => {
                self.one_of(&["TRAN", "TRANSACTION"]).ok_or_else(|| self.unexpected())?;
                self.transaction_name()?;
                What::Transaction(Transaction::Save)
            }
            "PRINT" => What::Print(self.value()?),
            "RAISERROR" => self.raise_error()?,
            "THROW" => self.throw()?,
            "RETURN" => What::Return(if self.at_value() { Some(self.value()?) } else { None }),
            "WAITFOR" => self.wait_for()?,
            "EXEC" | "EXECUTE" => What::Execute(self.execute(line)?),
            "USE" => What::Use(self.identifier()?),
            "RESTORE" => self.restore()?,
            "BACKUP" => self.backup()?,
            "KILL" => self.kill()?,
            "DBCC" => self.dbcc()?,
            _ => {
                self.at -= 1;
                return Err(self.unexpected());
            }
        };
        Ok(what)
    }

    /// Statements that exist and are, but for a few, not modelled.
    fn rare(&mut self, word: &str) -> Parsed<What> {
        let next = self.ahead(1).text.to_ascii_uppercase();
        match (word, next.as_str()) {
            ("CREATE", "TABLE") => {
                self.at += 2;
                self.create_table()
            }
            ("ALTER", "DATABASE") => {
                self.at += 2;
                self.alter_database()
            }
            ("CREATE" | "ALTER", _) if self.ahead(1).kind == Kind::Word => {
                Err(self.refused(format!("{word} {next}")))
            }
            ("CREATE" | "ALTER", _) => {
                self.advance();
                Err(self.unexpected())
            }
            _ => Err(self.refused(word)),
        }
    }

    fn with_ctes(&mut self) -> Parsed<What> {
        if self.peek("XMLNAMESPACES") {
            return Err(self.refused("WITH XMLNAMESPACES"));
        }
        let ctes = self.ctes()?;
        if self.accept("INSERT") {
            return self.insert(ctes);
        }
        for word in ["UPDATE", "DELETE", "MERGE"] {
            if self.peek(word) {
                return Err(self.refused(format!("{word} behind WITH")));
            }
        }
        let query = Box::new(self.query_after(ctes)?);
        self.option_clause()?;
        Ok(What::Select(query))
    }

    /// `OPTION (RECOMPILE, …)`: hints for an optimizer the sandbox has not.
    fn option_clause(&mut self) -> Parsed<()> {
        if !self.accept("OPTION") {
            return Ok(());
        }
        self.list(|p| {
            if p.accept("RECOMPILE") || p.accept_all(&["FORCE", "ORDER"]) || p.accept_all(&["KEEP", "PLAN"]) {
                return Ok(());
            }
            if p.one_of(&["LOOP", "HASH", "MERGE"]).is_some() {
                return p.one_of(&["JOIN", "GROUP", "UNION"]).map(|_| ()).ok_or_else(|| p.unexpected());
            }
            if p.one_of(&["MAXDOP", "MAXRECURSION", "FAST"]).is_some() {
                let Kind::Integer = p.kind() else { return Err(p.unexpected()) };
                p.advance();
                return Ok(());
            }
            Err(p.refused("this query hint"))
        })?;
        Ok(())
    }

    fn target(&mut self) -> Parsed<Target> {
        if *self.kind() == Kind::Variable {
            return self.variable().map(Target::Variable);
        }
        let line = self.line();
        let target = Target::Named(self.name()?, line);
        if self.peek("WITH") && self.ahead_symbol(1, "(") {
            self.hints()?;
        }
        Ok(target)
    }

    fn refuse_output(&self) -> Parsed<()> {
        if self.peek("OUTPUT") { Err(self.refused("the OUTPUT clause")) } else { Ok(()) }
    }

    fn insert(&mut self, ctes: Vec<Cte>) -> Parsed<What> {
        if self.peek("TOP") {
            return Err(self.refused("INSERT TOP"));
        }
        self.accept("INTO");
        let target = self.target()?;
        let columns =
            if self.peek_symbol("(") && !self.at_query() { self.list(Self::identifier)? } else { Vec::new() };
        self.refuse_output()?;
        let line = self.line();
        let from = if self.accept("VALUES") {
            let rows = self.commas(|p| {
                p.list(|p| {
                    if p.peek("DEFAULT") {
                        return Err(p.refused("DEFAULT in VALUES"));
                    }
                    p.value()
                })
            })?;
            if rows.len() > 1000 {
                return Err(self.fail(
                    10738,
                    "The number of row value expressions in the INSERT statement exceeds the maximum allowed number of 1000 row values.",
                ));
            }
            InsertFrom::Values(rows)
        } else if self.accept_all(&["DEFAULT", "VALUES"]) {
            InsertFrom::Defaults
        } else if self.one_of(&["EXEC", "EXECUTE"]).is_some() {
            InsertFrom::Execute(Box::new(self.execute(line)?))
        } else {
            let query: Query = if ctes.is_empty() { self.query()? } else { self.query_after(ctes)? };
            self.option_clause()?;
            InsertFrom::Query(Box::new(query))
        };
        Ok(What::Insert { target, columns, from })
    }

    fn update(&mut self) -> Parsed<What> {
        if self.peek("STATISTICS") {
            return Err(self.refused("UPDATE STATISTICS"));
        }
        let top = self.top(false)?;
        let target = self.target()?;
        self.expect("SET")?;
        let set = self.commas(Self::assignment)?;
        self.refuse_output()?;
        let from = if self.accept("FROM") { Some(self.from()?) } else { None };
        let filter = self.where_clause()?;
        Ok(What::Update { target, top, set, from, filter })
    }

    fn assignment(&mut self) -> Parsed<Assignment> {
        let mut assignment = Assignment { column: None, variable: None, operator: None, value: Expr::Null };
        if *self.kind() == Kind::Variable {
            assignment.variable = Some(self.variable()?);
            if self.peek_symbol("=") && (self.name_at(1) && self.ahead_symbol(2, "=")) {
                return Err(self.refused("@x = column = value in UPDATE"));
            }
        } else {
            assignment.column = Some(self.name()?);
            if self.peek_symbol("(") {
                return Err(self.refused("methods in UPDATE"));
            }
        }
        assignment.operator = self.assign_operator()?;
        if self.peek("DEFAULT") {
            return Err(self.refused("DEFAULT in UPDATE"));
        }
        assignment.value = self.value()?;
        Ok(assignment)
    }

    /// `=` or `+=` and its kin.
    fn assign_operator(&mut self) -> Parsed<Option<Operator>> {
        let operator = match self.kind() {
            Kind::Symbol("=") => None,
            Kind::Symbol("+=") => Some(Operator::Add),
            Kind::Symbol("-=") => Some(Operator::Subtract),
            Kind::Symbol("*=") => Some(Operator::Multiply),
            Kind::Symbol("/=") => Some(Operator::Divide),
            Kind::Symbol("%=") => Some(Operator::Modulo),
            Kind::Symbol("&=") => Some(Operator::BitAnd),
            Kind::Symbol("|=") => Some(Operator::BitOr),
            Kind::Symbol("^=") => Some(Operator::BitXor),
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(operator)
    }

    fn delete(&mut self) -> Parsed<What> {
        let top = self.top(false)?;
        self.accept("FROM");
        let target = self.target()?;
        self.refuse_output()?;
        let from = if self.accept("FROM") { Some(self.from()?) } else { None };
        let filter = self.where_clause()?;
        Ok(What::Delete { target, top, from, filter })
    }

    fn where_clause(&mut self) -> Parsed<Option<Expr>> {
        if !self.accept("WHERE") {
            return Ok(None);
        }
        if self.peek_all(&["CURRENT", "OF"]) {
            return Err(self.refused("cursors"));
        }
        let filter = self.condition()?;
        self.option_clause()?;
        Ok(Some(filter))
    }

    fn drop(&mut self) -> Parsed<What> {
        match self.token().text.to_ascii_uppercase().as_str() {
            "TABLE" => {
                self.advance();
                let if_exists = self.if_exists()?;
                Ok(What::DropTable { names: self.commas(Self::name)?, if_exists })
            }
            "DATABASE" => {
                self.advance();
                if self.peek("IF") {
                    return Err(self.refused("DROP DATABASE IF EXISTS"));
                }
                let name = self.identifier()?;
                if self.peek_symbol(",") {
                    return Err(self.refused("DROP DATABASE of several"));
                }
                Ok(What::Command(super::super::ast::HostCommand::Ready(Command::DropDatabase(name))))
            }
            _ if *self.kind() == Kind::Word => Err(self.refused(format!("DROP {}", self.token().text))),
            _ => Err(self.unexpected()),
        }
    }

    fn if_exists(&mut self) -> Parsed<bool> {
        if !self.peek("IF") {
            return Ok(false);
        }
        if self.version < 13 {
            return Err(self.unexpected());
        }
        self.advance();
        self.expect("EXISTS")?;
        Ok(true)
    }

    fn declare(&mut self) -> Parsed<What> {
        let list = self.commas(|p| {
            if p.peek_name() && p.ahead(1).is("CURSOR") {
                return Err(p.refused("cursors"));
            }
            let name = p.variable()?;
            p.accept("AS");
            if p.accept("TABLE") {
                return Ok(Declaration::Table { name, columns: p.table_columns()? });
            }
            if p.peek("CURSOR") {
                return Err(p.refused("cursors"));
            }
            let kind = p.type_name(1)?.kind;
            let value = if p.accept_symbol("=") { Some(p.value()?) } else { None };
            Ok(Declaration::Scalar { name, kind, value })
        })?;
        Ok(What::Declare(list))
    }

    fn set(&mut self) -> Parsed<What> {
        if *self.kind() == Kind::Variable {
            let name = self.variable()?;
            let operator = self.assign_operator()?;
            return Ok(What::SetVariable { name, operator, value: self.value()? });
        }
        if self.accept_all(&["TRANSACTION", "ISOLATION", "LEVEL"]) {
            let level = if self.accept_all(&["READ", "UNCOMMITTED"]) {
                1
            } else if self.accept_all(&["READ", "COMMITTED"]) {
                2
            } else if self.accept_all(&["REPEATABLE", "READ"]) {
                3
            } else if self.accept("SERIALIZABLE") {
                4
            } else if self.accept("SNAPSHOT") {
                5
            } else {
                return Err(self.unexpected());
            };
            return Ok(What::SetOption(SetOption::Isolation(level)));
        }
        if *self.kind() != Kind::Word {
            return Err(self.unexpected());
        }
        let first = self.token().text.to_ascii_uppercase();
        match first.as_str() {
            "LOCK_TIMEOUT" | "DATEFIRST" | "TEXTSIZE" | "ROWCOUNT" | "QUERY_GOVERNOR_COST_LIMIT" => {
                self.advance();
                let minus = self.accept_symbol("-");
                let value = match self.kind() {
                    Kind::Integer | Kind::Variable => self.constant()?,
                    _ => return Err(self.unexpected()),
                };
                let value = if minus { Expr::Negate(Box::new(value)) } else { value };
                Ok(What::SetOption(SetOption::Value(first, value)))
            }
            "DEADLOCK_PRIORITY" | "LANGUAGE" | "DATEFORMAT" => {
                self.advance();
                let minus = self.accept_symbol("-");
                let value = if self.peek_name() {
                    let text = self.identifier()?;
                    Expr::Literal(Value::Text(text), Type::SYSNAME)
                } else {
                    self.constant()?
                };
                let value = if minus { Expr::Negate(Box::new(value)) } else { value };
                Ok(What::SetOption(SetOption::Value(first, value)))
            }
            "IDENTITY_INSERT" | "STATISTICS" | "CONTEXT_INFO" | "OFFSETS" => {
                Err(self.refused(format!("SET {first}")))
            }
            _ => {
                let names = self.commas(|p| {
                    if *p.kind() != Kind::Word {
                        return Err(p.unexpected());
                    }
                    let name = p.token().text.to_ascii_uppercase();
                    if !SWITCHES.contains(&name.as_str()) {
                        if REFUSED_SWITCHES.contains(&name.as_str()) {
                            return Err(p.refused(format!("SET {name}")));
                        }
                        let text = format!("'{}' is not a recognized SET option.", p.token().text);
                        return Err(p.fail(195, text));
                    }
                    p.advance();
                    Ok(name)
                })?;
                match self.one_of(&["ON", "OFF"]) {
                    Some(word) => Ok(What::SetOption(SetOption::Switch(names, word == "ON"))),
                    None => Err(self.unexpected()),
                }
            }
        }
    }

    fn begin(&mut self) -> Parsed<What> {
        if self.accept("TRY") {
            let body = self.statements(&["END"])?;
            self.expect("END")?;
            self.expect("TRY")?;
            self.accept_symbol(";");
            self.expect("BEGIN")?;
            self.expect("CATCH")?;
            let catch = self.statements(&["END"])?;
            self.expect("END")?;
            self.expect("CATCH")?;
            return Ok(What::Try { body, catch });
        }
        if self.peek("DISTRIBUTED") {
            return Err(self.refused("BEGIN DISTRIBUTED TRANSACTION"));
        }
        for word in ["DIALOG", "CONVERSATION", "ATOMIC"] {
            if self.peek(word) {
                return Err(self.refused(format!("BEGIN {word}")));
            }
        }
        if self.one_of(&["TRAN", "TRANSACTION"]).is_some() {
            let name = self.transaction_name()?;
            let mut mark = None;
            if self.accept_all(&["WITH", "MARK"]) {
                if name.is_none() {
                    return Err(self.unexpected());
                }
                let described = matches!(self.kind(), Kind::Text { .. });
                mark = Some(if described { Some(self.constant()?) } else { None });
            }
            return Ok(What::Transaction(Transaction::Begin { mark, name }));
        }
        let list = self.statements(&["END"])?;
        if list.is_empty() {
            return Err(self.unexpected());
        }
        self.expect("END")?;
        Ok(What::Block(list))
    }

    fn transaction_word(&mut self) {
        self.one_of(&["TRAN", "TRANSACTION", "WORK"]);
    }

    fn transaction_name(&mut self) -> Parsed<Option<Expr>> {
        if *self.kind() == Kind::Variable {
            return self.constant().map(Some);
        }
        let behind = self.at > 0 && ["TRAN", "TRANSACTION"].iter().any(|w| self.tokens[self.at - 1].is(w));
        if behind && self.peek_name() && !self.peek("THROW") {
            return Ok(Some(Expr::Literal(Value::Text(self.identifier()?), Type::SYSNAME)));
        }
        Ok(None)
    }

    fn raise_error(&mut self) -> Parsed<What> {
        self.expect_symbol("(")?;
        let mut values = self.commas(Self::value)?;
        self.expect_symbol(")")?;
        if self.accept("WITH") {
            self.commas(|p| p.one_of(&["NOWAIT", "LOG", "SETERROR"]).ok_or_else(|| p.unexpected()))?;
        }
        if values.len() < 3 {
            return Err(self.unexpected());
        }
        let arguments = values.split_off(3);
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or(Expr::Null);
        Ok(What::RaiseError { message: next(), severity: next(), state: next(), arguments })
    }

    fn throw(&mut self) -> Parsed<What> {
        if !self.at_value() {
            return Ok(What::Throw(None));
        }
        let number = self.constant()?;
        self.expect_symbol(",")?;
        let message = self.constant()?;
        self.expect_symbol(",")?;
        let state = self.constant()?;
        Ok(What::Throw(Some((number, message, state))))
    }

    fn wait_for(&mut self) -> Parsed<What> {
        let until = match self.one_of(&["DELAY", "TIME"]) {
            Some(word) => word == "TIME",
            None if self.peek_symbol("(") => return Err(self.refused("WAITFOR (…)")),
            None => return Err(self.unexpected()),
        };
        let value = match self.kind() {
            Kind::Text { .. } | Kind::Variable => self.constant()?,
            _ => return Err(self.unexpected()),
        };
        Ok(What::WaitFor { until, value })
    }

    /// Whether a value can begin here (behind RETURN, THROW).
    fn at_value(&self) -> bool {
        match self.kind() {
            Kind::Variable
            | Kind::Global
            | Kind::Text { .. }
            | Kind::Integer
            | Kind::Decimal
            | Kind::Float
            | Kind::Binary(_)
            | Kind::Symbol("-" | "+" | "(" | "~") => true,
            Kind::Word => {
                self.peek("NULL") || self.peek("CASE") || self.peek_name() && self.ahead_symbol(1, "(")
            }
            _ => false,
        }
    }
}

/// SET options with ON or OFF.
const SWITCHES: [&str; 16] = [
    "NOCOUNT",
    "XACT_ABORT",
    "ANSI_NULLS",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ANSI_NULL_DFLT_ON",
    "ANSI_NULL_DFLT_OFF",
    "ANSI_DEFAULTS",
    "ARITHABORT",
    "ARITHIGNORE",
    "CONCAT_NULL_YIELDS_NULL",
    "CURSOR_CLOSE_ON_COMMIT",
    "IMPLICIT_TRANSACTIONS",
    "NUMERIC_ROUNDABORT",
    "QUOTED_IDENTIFIER",
    "NO_BROWSETABLE",
];

/// Those that would change an answer in a way the sandbox does not follow.
const REFUSED_SWITCHES: [&str; 8] = [
    "FMTONLY",
    "NOEXEC",
    "PARSEONLY",
    "SHOWPLAN_ALL",
    "SHOWPLAN_TEXT",
    "SHOWPLAN_XML",
    "FORCEPLAN",
    "REMOTE_PROC_TRANSACTIONS",
];
