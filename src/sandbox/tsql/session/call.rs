//! EXECUTE and remote calls: procedures of the host, dynamic SQL, `sp_executesql`, prepared statements.

use super::super::ast::{Argument, Execute, Executed, Expr};
use super::super::convert::convert;
use super::super::parser;
use super::super::state::Variables;
use super::batch::{Batch, Flow, Stepped};
use super::output::{Outputs, Wanted, found, give_back};
use super::raised::{Ends, Raised};
use super::{Prepared, Session};
use crate::sandbox::answer::{Kept, Message, Parameter, Part, Sink};
use crate::sandbox::value::{Type, Value};

/// Procedures, EXEC and sp_executesql inside each other.
pub(super) const NESTING: usize = 32;

/// Prepared statements of one session.
const PREPARED: usize = 10_000;

/// A declared parameter: name, type, OUTPUT.
type Declared = (String, Type, bool);

/// A computed argument.
pub(super) struct Given {
    pub(super) name: Option<String>,
    pub(super) kind: Type,
    pub(super) value: Value,
    /// The variable an output parameter goes back to.
    pub(super) output: Option<String>,
    /// DEFAULT
    pub(super) default: bool,
}

/// The parts of `[sys].sp_name`, or `None` when it is none.
fn procedure_name(text: &str) -> Option<Vec<String>> {
    parser::name(text).ok()
}

impl Batch<'_> {
    pub(super) fn execute(&mut self, execute: &Execute) -> Result<(), Raised> {
        let status = match &execute.what {
            Executed::Text(text) => {
                let text = self.evaluate(text, Some(Type::NVarChar(None)))?;
                let sql = if let Value::Text(text) = text { text } else { String::new() };
                self.inner(&sql, Variables::default())?;
                return Ok(());
            }
            Executed::Named { variable, arguments } => {
                let name =
                    self.evaluate(&Expr::Variable(variable.clone()), Some(Type::NVarChar(Some(4000))))?;
                let name = if let Value::Text(name) = name { name } else { String::new() };
                let parts = procedure_name(&name).ok_or_else(|| missing(&name))?;
                self.procedure(&parts, arguments)?
            }
            Executed::Procedure { name, arguments } => self.procedure(name, arguments)?,
        };
        if let Some(variable) = &execute.status {
            let key = variable.to_lowercase();
            if let Some(slot) = self.variables.scalars.get_mut(&key) {
                let kind = slot.0;
                slot.1 = convert(Value::Int(i64::from(status)), Type::Int, kind, 0)?;
            }
        }
        self.session.globals.error = 0;
        Ok(())
    }

    /// The same, its answer kept for INSERT … EXEC.
    pub(super) fn captured(&mut self, execute: &Execute, kept: &mut Kept) -> Result<(), Raised> {
        let mut inner = Batch {
            session: &mut *self.session,
            sink: kept,
            variables: std::mem::take(&mut self.variables),
            snapshots: super::super::state::Snapshots::default(),
            depth: self.depth,
            tries: vec![0],
            host_failed: std::cell::Cell::new(false),
            line: self.line,
            cursors: std::mem::take(&mut self.cursors),
            labels: Vec::new(),
            source: String::new(),
            procedure: self.procedure.clone(),
        };
        // a TRY around: errors come back here and are raised by the INSERT
        let result = inner.execute(execute);
        self.variables = std::mem::take(&mut inner.variables);
        self.cursors = std::mem::take(&mut inner.cursors);
        let failed = kept.0.iter().find_map(|p| if let Part::Error(m) = p { Some(m.clone()) } else { None });
        match (result, failed) {
            (Err(raised), _) => Err(raised),
            (Ok(()), Some(message)) => {
                kept.0.retain(|p| !matches!(p, Part::Error(_)));
                Err(message.into())
            }
            (Ok(()), None) => Ok(()),
        }
    }

    /// Runs a text in a scope of its own; USE and SET of it end with it.
    pub(super) fn inner(&mut self, sql: &str, variables: Variables) -> Result<(i32, Variables), Raised> {
        if self.depth + 1 >= NESTING {
            return Err(Message::error(
                217,
                "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).",
            )
            .into());
        }
        let database = self.session.context.database.clone();
        let settings = self.session.settings.clone();
        let transactions = self.session.globals.transactions;
        let mut batch = Batch::new(&mut *self.session, &mut *self.sink, variables, self.depth + 1);
        batch.tries.clone_from(&self.tries);
        let result = batch.text(sql);
        let variables = std::mem::take(&mut batch.variables);
        self.session.settings = settings;
        if self.session.context.database != database {
            let old = std::mem::replace(&mut self.session.context.database, database.clone());
            self.sink.put(Part::Database { old, new: database })?;
        }
        self.forget();
        let status = match result? {
            Flow::Return(status) => status,
            _ => 0,
        };
        self.balanced(transactions)?;
        Ok((status, variables))
    }

    fn given(&self, arguments: &[Argument]) -> Result<Vec<Given>, Raised> {
        let mut out = Vec::new();
        for argument in arguments {
            let Some(expr) = &argument.value else {
                let (name, kind) = (argument.name.clone(), Type::Int);
                out.push(Given { name, kind, value: Value::Null, output: None, default: true });
                continue;
            };
            let (value, kind) = self.evaluate_with(|b| b.value(expr), None)?;
            let output = match expr {
                Expr::Variable(name) if argument.output => Some(name.to_lowercase()),
                _ => None,
            };
            out.push(Given { name: argument.name.clone(), kind, value, output, default: false });
        }
        Ok(out)
    }

    fn procedure(&mut self, name: &[String], arguments: &[Argument]) -> Result<i32, Raised> {
        let given = self.given(arguments)?;
        if name.last().is_some_and(|n| n.eq_ignore_ascii_case("sp_executesql")) {
            return self.execute_sql(given);
        }
        if name.last().is_some_and(|n| n.eq_ignore_ascii_case("sp_msforeachdb")) {
            return self.for_each_database(&given);
        }
        if let Some(status) = self.user_procedure(name, &given)? {
            return Ok(status);
        }
        if given.iter().any(|g| g.default) {
            return Err(Message::not_modelled("DEFAULT as an argument of this procedure").into());
        }
        let short = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
        let own: Vec<_> = given.iter().map(|g| (g.name.as_deref(), &g.value)).collect();
        if let Some(status) = self.described(&short, &own)? {
            self.sink.put(Part::Status(status))?;
            self.sink.put(Part::Done { rows: None })?;
            return Ok(status);
        }
        let object = self.with_world(|world| {
            if name.len() > 3 {
                Err(Message::not_modelled("procedures of linked servers"))
            } else {
                world.object(&name.to_vec())
            }
        })?;
        let wanted = wanted(&given);
        let arguments: Vec<_> = given.into_iter().map(|g| (g.name, g.value)).collect();
        let (host, context) = (self.session.host.clone(), self.session.context.clone());
        let mut outputs = Outputs::over(&mut *self.sink);
        let status = host.procedure(&context, &object, &arguments, &mut outputs);
        let values = outputs.values;
        self.forget();
        let Some(status) = status? else {
            return Err(missing(&name.join(".")).into());
        };
        give_back(&values, &wanted, &object.name, &mut self.variables)?;
        self.sink.put(Part::Status(status))?;
        self.sink.put(Part::Done { rows: None })?;
        Ok(status)
    }

    fn execute_sql(&mut self, mut given: Vec<Given>) -> Result<i32, Raised> {
        let take = |given: &mut Vec<Given>, name: &str| {
            let named = given.iter().position(|g| {
                g.name.as_ref().is_some_and(|n| {
                    n.eq_ignore_ascii_case(name) || name == "@stmt" && n.eq_ignore_ascii_case("@statement")
                })
            });
            let at = named.or_else(|| given.first().filter(|g| g.name.is_none()).map(|_| 0))?;
            Some(given.remove(at))
        };
        let national = |g: &Given, at: u8| {
            if super::super::types::is_national(g.kind) {
                return Ok(());
            }
            let text = format!(
                "Procedure expects parameter '{}' of type 'ntext/nchar/nvarchar'.",
                if at == 1 { "@statement" } else { "@parameters" }
            );
            Err(Message::error(214, text))
        };
        let Some(statement) = take(&mut given, "@stmt") else {
            let text = "Procedure or function 'sp_executesql' expects parameter '@statement', which was not supplied.";
            return Err(Message::error(201, text).into());
        };
        national(&statement, 1)?;
        let declaration = take(&mut given, "@params");
        if let Some(declaration) = &declaration {
            national(declaration, 2)?;
        }
        let text = |g: Option<Given>| match g.map(|g| g.value) {
            Some(Value::Text(text)) => text,
            _ => String::new(),
        };
        let (sql, declaration) = (text(Some(statement)), text(declaration));
        let (variables, declared) = self.bind_parameters(&declaration, &given)?;
        let (status, after) = self.inner(&sql, variables)?;
        for (at, (name, _, output)) in declared.iter().enumerate() {
            let back = given.iter().enumerate().find(|(i, g)| match &g.name {
                Some(own) => own.eq_ignore_ascii_case(name),
                None => *i == at,
            });
            if let Some(variable) = back.and_then(|(_, g)| g.output.clone()).filter(|_| *output)
                && let (Some((from, value)), Some(slot)) =
                    (after.scalars.get(&name.to_lowercase()), self.variables.scalars.get_mut(&variable))
            {
                slot.1 = convert(value.clone(), *from, slot.0, 0)?;
            }
        }
        self.sink.put(Part::Status(status))?;
        self.sink.put(Part::Done { rows: None })?;
        Ok(status)
    }

    /// Declared parameters with the values they were given.
    fn bind_parameters(
        &self,
        declaration: &str,
        given: &[Given],
    ) -> Result<(Variables, Vec<Declared>), Raised> {
        let declared = parser::parameters(declaration, self.session.host.version().0)?;
        let mut variables = Variables::default();
        for (name, kind, _) in &declared {
            variables.scalars.insert(name.to_lowercase(), (*kind, Value::Null));
        }
        let mut set = Vec::new();
        for (at, value) in given.iter().enumerate() {
            let name = match &value.name {
                Some(name) => declared.iter().find(|d| d.0.eq_ignore_ascii_case(name)),
                None => declared.get(at),
            };
            let Some((name, kind, _)) = name else {
                let text = match &value.name {
                    Some(name) => format!("{name} is not a parameter for procedure sp_executesql."),
                    None => "Procedure or function has too many arguments specified.".to_owned(),
                };
                return Err(Message::error(if value.name.is_some() { 8145 } else { 8144 }, text).into());
            };
            if value.value != Value::Null {
                super::super::types::check_implicit(value.kind, *kind)?;
            }
            let converted = convert(value.value.clone(), value.kind, *kind, 0)?;
            variables.scalars.insert(name.to_lowercase(), (*kind, converted));
            set.push(name.clone());
        }
        if let Some((name, kind, _)) = declared.iter().find(|d| !set.contains(&d.0)) {
            let list: Vec<String> = declared.iter().map(|d| d.0.clone()).collect();
            let text = format!(
                "The parameterized query '({declaration})' expects the parameter '{name}', which was not supplied."
            );
            let _ = (kind, list);
            return Err(Message::error(8178, text).into());
        }
        Ok((variables, declared))
    }
}

/// 2812
fn missing(name: &str) -> Message {
    Message { state: 62, ..Message::error(2812, format!("Could not find stored procedure '{name}'.")) }
}

impl Session {
    pub(super) fn run_rpc(&mut self, procedure: &str, parameters: &[Parameter], sink: &mut dyn Sink) {
        let mut batch = Batch::new(self, sink, Variables::default(), 0);
        let result = batch.rpc_named(procedure, parameters);
        if let Err(raised) = result
            && !raised.sent
        {
            let last = raised.messages.last().map_or(0, |m| m.number);
            for message in raised.messages {
                let _ = sink.put(Part::Error(message));
            }
            let _ = sink.put(Part::Done { rows: None });
            let _ = sink.put(Part::Status(last));
        }
    }
}

fn given(parameter: &Parameter) -> Given {
    Given {
        name: Some(parameter.name.clone()).filter(|n| !n.is_empty()),
        kind: parameter.kind,
        value: parameter.value.clone(),
        output: parameter.output.then(|| parameter.name.clone()),
        default: false,
    }
}

fn wanted(given: &[Given]) -> Vec<Wanted> {
    let one = |(place, g): (usize, &Given)| {
        Some(Wanted { place, name: g.name.clone(), variable: g.output.clone()? })
    };
    given.iter().enumerate().filter_map(one).collect()
}

fn text_of(parameter: Option<&Parameter>) -> String {
    match parameter.map(|p| &p.value) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

/// Finds a parameter by one of its names (some clients leave the `@` away), else by its place.
fn pick<'p>(parameters: &'p [Parameter], names: &[&str], place: usize) -> Option<&'p Parameter> {
    parameters
        .iter()
        .find(|p| names.iter().any(|n| p.name.trim_start_matches('@').eq_ignore_ascii_case(&n[1..])))
        .or_else(|| parameters.get(place).filter(|p| p.name.is_empty()))
}

impl Batch<'_> {
    fn rpc_named(&mut self, procedure: &str, parameters: &[Parameter]) -> Stepped {
        let name = procedure_name(procedure).unwrap_or_else(|| vec![procedure.to_owned()]);
        let short = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
        match short.as_str() {
            "sp_executesql" => self.rpc_text(parameters),
            "sp_prepare" => self.rpc_prepare(parameters, false),
            "sp_prepexec" => self.rpc_prepare(parameters, true),
            "sp_prepexecrpc" => self.rpc_prepare_call(parameters),
            "sp_execute" => self.rpc_execute(parameters),
            "sp_unprepare" => self.rpc_unprepare(parameters),
            _ => self.rpc_procedure(&name, parameters),
        }
    }

    /// `sp_prepexecrpc`: a handle, a procedure, its arguments.
    fn rpc_prepare_call(&mut self, parameters: &[Parameter]) -> Stepped {
        let procedure = text_of(parameters.get(1));
        let name = parameters.first().map(|p| p.name.clone()).unwrap_or_default();
        // one kept inside another might never end
        let short = procedure_name(&procedure).and_then(|parts| parts.last().map(|n| n.to_lowercase()));
        if !short.is_some_and(|n| !n.starts_with("sp_prep") && n != "sp_execute" && n != "sp_unprepare") {
            return Err(Message::not_modelled(format!("{procedure} by sp_prepexecrpc")).into());
        }
        let handle = self.keep(Prepared { procedure: Some(procedure.clone()), ..Prepared::default() })?;
        self.rpc_named(&procedure, parameters.get(2..).unwrap_or_default())?;
        self.sink.put(Part::Output { name, kind: Type::Int, value: Value::Int(i64::from(handle)) })?;
        Ok(Flow::Next)
    }

    /// A handle for what is to be run again.
    fn keep(&mut self, prepared: Prepared) -> Result<i32, Raised> {
        if self.session.prepared.len() >= PREPARED {
            let text = "There is insufficient system memory in resource pool 'default' to run this query.";
            return Err(Message { class: 17, ..Message::error(701, text) }.into());
        }
        let handle = self.session.next_prepared;
        self.session.next_prepared = handle.wrapping_add(1).max(1);
        self.session.prepared.insert(handle, prepared);
        Ok(handle)
    }

    /// `sp_executesql`: statement, declaration, values.
    fn rpc_text(&mut self, parameters: &[Parameter]) -> Stepped {
        let statement = pick(parameters, &["@stmt", "@statement"], 0);
        let declaration = pick(parameters, &["@params", "@parameters", "@parms"], 1);
        if statement.is_none() {
            let text = "Procedure or function 'sp_executesql' expects parameter '@statement', which was not supplied.";
            return Err(Message::error(201, text).into());
        }
        let known = usize::from(declaration.is_some()) + 1;
        let prepared =
            Prepared { declaration: text_of(declaration), text: text_of(statement), procedure: None };
        self.run_prepared(&prepared, parameters.get(known..).unwrap_or_default())
    }

    fn run_prepared(&mut self, prepared: &Prepared, values: &[Parameter]) -> Stepped {
        let given: Vec<Given> = values.iter().map(given).collect();
        let (variables, declared) = self.bind_parameters(&prepared.declaration, &given)?;
        self.variables = variables;
        let transactions = self.session.globals.transactions;
        let flow = self.text(&prepared.text);
        let status = match &flow {
            Ok(Flow::Return(status)) => *status,
            Ok(_) if self.session.globals.error != 0 => self.session.globals.error,
            Err(raised) if raised.ends >= Ends::Scope => self.session.globals.error,
            Ok(_) | Err(_) => 0,
        };
        if let Err(raised) = flow
            && raised.stopped
        {
            return Err(raised);
        }
        if let Err(message) = self.balanced(transactions) {
            self.session.globals.error = message.number;
            self.sink.put(Part::Error(message))?;
            self.sink.put(Part::Done { rows: None })?;
        }
        self.sink.put(Part::Status(status))?;
        for (at, (name, kind, output)) in declared.iter().enumerate() {
            let wanted = given.iter().enumerate().any(|(i, g)| {
                g.output.is_some()
                    && match &g.name {
                        Some(own) => own.eq_ignore_ascii_case(name),
                        None => i == at,
                    }
            });
            if wanted && *output {
                let value =
                    self.variables.scalars.get(&name.to_lowercase()).map_or(Value::Null, |v| v.1.clone());
                self.sink.put(Part::Output { name: name.clone(), kind: *kind, value })?;
            }
        }
        Ok(Flow::Next)
    }

    fn rpc_prepare(&mut self, parameters: &[Parameter], run: bool) -> Stepped {
        let declaration = pick(parameters, &["@params"], 1);
        let statement = pick(parameters, &["@stmt"], 2);
        let prepared =
            Prepared { declaration: text_of(declaration), text: text_of(statement), procedure: None };
        parser::parameters(&prepared.declaration, self.session.host.version().0)?;
        let handle = self.keep(prepared.clone())?;
        let name = parameters.first().map(|p| p.name.clone()).unwrap_or_default();
        if run {
            self.run_prepared(&prepared, parameters.get(3..).unwrap_or_default())?;
        } else {
            parser::batch(&prepared.text, true, self.session.host.version().0)?;
            self.sink.put(Part::Status(0))?;
        }
        self.sink.put(Part::Output { name, kind: Type::Int, value: Value::Int(i64::from(handle)) })?;
        Ok(Flow::Next)
    }

    fn handle(&self, parameters: &[Parameter]) -> Result<i32, Raised> {
        let handle = match parameters.first().map(|p| &p.value) {
            Some(Value::Int(n)) => i32::try_from(*n).unwrap_or(0),
            _ => 0,
        };
        if self.session.prepared.contains_key(&handle) {
            return Ok(handle);
        }
        let text = format!("Could not find prepared statement with handle {handle}.");
        Err(Message::error(8179, text).into())
    }

    fn rpc_execute(&mut self, parameters: &[Parameter]) -> Stepped {
        let handle = self.handle(parameters)?;
        let Some(prepared) = self.session.prepared.get(&handle).cloned() else { return Ok(Flow::Next) };
        let values = parameters.get(1..).unwrap_or_default();
        match &prepared.procedure {
            Some(procedure) => self.rpc_named(procedure, values),
            None => self.run_prepared(&prepared, values),
        }
    }

    fn rpc_unprepare(&mut self, parameters: &[Parameter]) -> Stepped {
        let handle = self.handle(parameters)?;
        self.session.prepared.remove(&handle);
        self.sink.put(Part::Status(0))?;
        Ok(Flow::Next)
    }

    fn rpc_procedure(&mut self, name: &[String], parameters: &[Parameter]) -> Stepped {
        if let Some(flow) =
            self.rpc_user_procedure(name, &parameters.iter().map(given).collect::<Vec<_>>())?
        {
            return Ok(flow);
        }
        let short = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
        let own: Vec<_> =
            parameters.iter().map(|p| (Some(p.name.as_str()).filter(|n| !n.is_empty()), &p.value)).collect();
        if let Some(status) = self.described(&short, &own)? {
            self.sink.put(Part::Status(status))?;
            return Ok(Flow::Next);
        }
        let object = self.with_world(|world| world.object(&name.to_vec()))?;
        let arguments: Vec<_> = parameters
            .iter()
            .map(|p| (Some(p.name.clone()).filter(|n| !n.is_empty()), p.value.clone()))
            .collect();
        let (host, context) = (self.session.host.clone(), self.session.context.clone());
        host.activity(&context, Some("EXECUTE"));
        let mut outputs = Outputs::over(&mut *self.sink);
        let status = host.procedure(&context, &object, &arguments, &mut outputs);
        let values = outputs.values;
        let Some(status) = status? else { return Err(missing(&name.join(".")).into()) };
        let given: Vec<Given> = parameters.iter().map(given).collect();
        self.sink.put(Part::Status(status))?;
        for one in wanted(&given) {
            let (_, kind, value) = found(&values, &one, &object.name)?.clone();
            self.sink.put(Part::Output { name: one.variable, kind, value })?;
        }
        Ok(Flow::Next)
    }
}
