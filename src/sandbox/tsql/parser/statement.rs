//! Statements, with or without semicolons between them.

use super::super::ast::{Creation, Cte, Declaration, Expr, Mark, Statement, Transaction, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser, keyword};
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
            if self.at == 0 && self.peek_name() && !self.peek("THROW") {
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
        let execute = self.execute()?;
        Ok(Statement { line, what: What::Execute(execute) })
    }

    /// One statement, without its semicolon.
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let line = self.line();
        let what = self.what()?;
        Ok(Statement { line, what })
    }

    fn what(&mut self) -> Parsed<What> {
        if self.peek_symbol("(") && self.at_query() {
            return self.select_statement(Vec::new());
        }
        if *self.kind() == Kind::Label && !keyword::reserved(&self.token().text) {
            let label = self.token().text.clone();
            self.advance();
            return Ok(What::Label(label));
        }
        if *self.kind() != Kind::Word {
            return Err(self.unexpected());
        }
        let word = self.token().text.to_ascii_uppercase();
        match word.as_str() {
            "SELECT" => return self.select_statement(Vec::new()),
            "THROW" => {}
            "CREATE" | "ALTER" | "GRANT" | "DENY" | "REVOKE" | "RECONFIGURE" | "CHECKPOINT" | "SHUTDOWN"
            | "BULK" | "REVERT" | "SETUSER" | "READTEXT" | "WRITETEXT" | "UPDATETEXT" => {
                return self.rare(&word);
            }
            _ => {}
        }
        self.advance();
        let what = match word.as_str() {
            "WITH" => return self.with_ctes(),
            "INSERT" => self.insert(Vec::new())?,
            "UPDATE" => self.update(Vec::new())?,
            "DELETE" => self.delete(Vec::new())?,
            "MERGE" => self.merge(Vec::new())?,
            "GOTO" => What::Goto(self.identifier()?),
            "OPEN" => What::OpenCursor(self.cursor_name()?),
            "CLOSE" => What::CloseCursor(self.cursor_name()?),
            "DEALLOCATE" => What::Deallocate(self.cursor_name()?),
            "FETCH" => self.fetch()?,
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
                let name = self.transaction_name()?.ok_or_else(|| self.unexpected())?;
                What::Transaction(Transaction::Save { name })
            }
            "PRINT" => What::Print(self.value()?),
            "RAISERROR" => self.raise_error()?,
            "THROW" => self.throw()?,
            "RETURN" => What::Return(if self.at_value() { Some(self.value()?) } else { None }),
            "WAITFOR" => self.wait_for()?,
            "EXEC" | "EXECUTE" => What::Execute(self.execute()?),
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
            ("CREATE" | "ALTER", "VIEW" | "PROC" | "PROCEDURE") => {
                let how = if word == "ALTER" { Creation::Alter } else { Creation::Create };
                self.at += 1;
                self.module(how)
            }
            ("CREATE", "OR") if self.version >= 13 && self.ahead(2).is("ALTER") => {
                self.at += 3;
                self.module(Creation::Either)
            }
            ("ALTER", "TABLE") => {
                self.at += 2;
                self.alter_table()
            }
            ("CREATE", "INDEX" | "UNIQUE" | "CLUSTERED" | "NONCLUSTERED") => {
                self.advance();
                let unique = self.accept("UNIQUE");
                self.one_of(&["CLUSTERED", "NONCLUSTERED"]);
                if self.peek("COLUMNSTORE") {
                    return Err(self.refused("columnstore indexes"));
                }
                self.expect("INDEX")?;
                self.create_index(unique)
            }
            ("ALTER", "DATABASE") => {
                self.at += 2;
                self.alter_database()
            }
            ("CREATE", "AVAILABILITY") => {
                self.at += 2;
                self.create_availability_group()
            }
            ("ALTER", "AVAILABILITY") => {
                self.at += 2;
                self.alter_availability_group()
            }
            ("CREATE", "DATABASE") => {
                self.at += 2;
                self.create_database()
            }
            ("CREATE" | "ALTER", "LOGIN") => {
                self.at += 2;
                if word == "CREATE" { self.create_login() } else { self.alter_login() }
            }
            ("CREATE" | "ALTER", "USER") => {
                self.at += 2;
                if word == "CREATE" { self.create_user() } else { self.alter_user() }
            }
            ("ALTER", "ROLE") => {
                self.at += 2;
                self.alter_role(false)
            }
            ("ALTER", "SERVER") if self.ahead(2).text.eq_ignore_ascii_case("ROLE") => {
                self.at += 3;
                self.alter_role(true)
            }
            ("RECONFIGURE", _) => {
                self.advance();
                self.reconfigure()
            }
            ("GRANT" | "DENY" | "REVOKE", _) => {
                self.advance();
                self.permission(word)
            }
            ("ALTER", "AUTHORIZATION") => {
                self.at += 2;
                self.alter_authorization()
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
        if self.accept("UPDATE") {
            return self.update(ctes);
        }
        if self.accept("DELETE") {
            return self.delete(ctes);
        }
        if self.accept("MERGE") {
            return self.merge(ctes);
        }
        self.select_statement(ctes)
    }

    fn select_statement(&mut self, ctes: Vec<Cte>) -> Parsed<What> {
        let mut query = Box::new(self.query_after(ctes)?);
        query.recursion = self.option_clause()?;
        Ok(What::Select(query))
    }

    fn declare(&mut self) -> Parsed<What> {
        let cursor = |p: &Self, by| {
            p.ahead(by).is("CURSOR") || p.ahead(by).is("INSENSITIVE") || p.ahead(by).is("SCROLL")
        };
        if self.peek_name() && cursor(self, 1) {
            let name = self.identifier()?;
            let cursor = Box::new(self.cursor_definition()?);
            return Ok(What::DeclareCursor { name, cursor });
        }
        // a table variable stands alone
        let mut first = true;
        let list = self.commas(|p| {
            let name = p.variable()?;
            p.accept("AS");
            if p.peek("TABLE") && !first {
                return Err(p.unexpected());
            }
            first = false;
            if p.accept("TABLE") {
                return Ok(Declaration::Table { name, definition: p.table_columns()? });
            }
            if p.accept("CURSOR") {
                return Ok(Declaration::Cursor { name });
            }
            let kind = p.type_name(1)?;
            let value = if p.accept_symbol("=") { Some(p.value()?) } else { None };
            Ok(Declaration::Scalar { name, kind, value })
        })?;
        if list.len() > 1 && matches!(list[0], Declaration::Table { .. }) {
            return Err(self.unexpected());
        }
        Ok(What::Declare(list))
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
        for word in ["DIALOG", "CONVERSATION", "ATOMIC"] {
            if self.peek(word) {
                return Err(self.refused(format!("BEGIN {word}")));
            }
        }
        let distributed = self.accept("DISTRIBUTED");
        if self.one_of(&["TRAN", "TRANSACTION"]).is_some() {
            let name = self.transaction_name()?;
            let mark = !distributed && self.accept_all(&["WITH", "MARK"]);
            if mark && name.is_none() {
                return Err(self.unexpected());
            }
            let described = matches!(self.kind(), Kind::Text { .. } | Kind::Variable);
            let description = if mark && described { Some(self.constant()?) } else { None };
            let mark = mark.then_some(Mark { description });
            return Ok(What::Transaction(Transaction::Begin { mark, name, distributed }));
        }
        if distributed {
            return Err(self.unexpected());
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
        let mut values = vec![match self.kind() {
            Kind::Text { .. } | Kind::Variable | Kind::Integer => self.constant()?,
            _ => return Err(self.unexpected()),
        }];
        while self.accept_symbol(",") {
            let minus = self.accept_symbol("-");
            let number = match self.kind() {
                Kind::Integer => self.token().text.parse::<i32>().is_ok(),
                kind => *kind == Kind::Variable,
            };
            if !number && (minus || values.len() < 3) {
                return Err(self.unexpected());
            }
            let value = self.constant()?;
            values.push(if minus { Expr::Negate(Box::new(value)) } else { value });
        }
        self.expect_symbol(")")?;
        let mut log = false;
        if self.accept("WITH") {
            let options =
                self.commas(|p| p.one_of(&["NOWAIT", "LOG", "SETERROR"]).ok_or_else(|| p.unexpected()))?;
            log = options.contains(&"LOG");
        }
        if values.len() < 3 {
            return Err(self.unexpected());
        }
        let arguments = values.split_off(3);
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or(Expr::Null);
        Ok(What::RaiseError { message: next(), severity: next(), state: next(), arguments, log })
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
