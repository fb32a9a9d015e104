//! Sources that make their rows: STRING_SPLIT, GENERATE_SERIES, OPENJSON, nodes(), linked servers.

use super::super::ast::{Expr, JsonColumn, Name};
use super::super::plan::{Bound, Node, RowsetFunction, SourcePlan, XmlMethod};
use super::super::{types, xml};
use super::{Binder, Binding, Known, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Column, Type, Value};

/// A rowset function of the language: what it is, its columns, its converted arguments.
type BuiltIn = (Option<RowsetFunction>, Vec<Column>, Vec<Bound>);

impl Binder<'_> {
    pub(super) fn built_in_rowset(&mut self, name: &str, mut arguments: Vec<Bound>) -> Binding<BuiltIn> {
        if name.eq_ignore_ascii_case("STRING_SPLIT") && self.world.version >= 13 {
            let count = arguments.len();
            if !(2..=3).contains(&count) || count == 3 && self.world.version < 16 {
                let (number, which) =
                    if count < 2 { (313, "An insufficient number of") } else { (8144, "Too many") };
                let text = if number == 313 {
                    format!("{which} arguments were supplied for the procedure or function STRING_SPLIT.")
                } else {
                    "Procedure or function STRING_SPLIT has too many arguments specified.".to_owned()
                };
                return Err(Message::error(number, text));
            }
            let ordinal = match arguments.get(2).map(|a| &a.node) {
                None => false,
                Some(Node::Constant(Value::Int(n))) => *n == 1,
                Some(_) => {
                    return Err(Message::not_modelled("STRING_SPLIT with ordinals that are not constant"));
                }
            };
            arguments.truncate(2);
            let max = types::length(arguments[0].kind).is_none();
            let national = types::is_national(arguments[0].kind) || !types::is_text(arguments[0].kind);
            let length = if max { None } else { types::length(arguments[0].kind).map(u32::from) };
            let kind = types::varying(national, length);
            let separator = arguments.pop().unwrap_or_else(Bound::null);
            let text = arguments.pop().unwrap_or_else(Bound::null);
            let given = vec![coerce(text, kind)?, coerce(separator, Type::NVarChar(Some(4000)))?];
            let mut columns = vec![Column::new("value", kind)];
            if ordinal {
                columns.push(Column { name: "ordinal".into(), kind: Type::BigInt, nullable: false });
            }
            return Ok((Some(RowsetFunction::Split(ordinal)), columns, given));
        }
        if name.eq_ignore_ascii_case("GENERATE_SERIES") && self.world.version >= 16 {
            if !(2..=3).contains(&arguments.len()) {
                let text = "An insufficient number of arguments were supplied for the procedure or function GENERATE_SERIES.";
                return Err(Message::error(313, text));
            }
            let kind = arguments[0].kind;
            if !types::is_integer(kind) || arguments.iter().any(|a| a.kind != kind) {
                return Err(Message::not_modelled("GENERATE_SERIES over other than integers of one type"));
            }
            return Ok((Some(RowsetFunction::Series), vec![Column::new("value", kind)], arguments));
        }
        Ok((None, Vec::new(), arguments))
    }

    fn rowset_source(
        &mut self,
        what: RowsetFunction,
        arguments: Vec<Bound>,
        mut columns: Vec<Column>,
        alias: Option<&String>,
        names: &[String],
    ) -> Binding<SourcePlan> {
        for (column, name) in columns.iter_mut().zip(names) {
            column.name.clone_from(name);
        }
        let kinds = columns.iter().map(|c| c.kind).collect();
        let width = columns.len();
        let slot = self.add(Known {
            shown: alias.cloned().unwrap_or_default(),
            alias: alias.cloned(),
            name: Vec::new(),
            columns,
            host: None,
        })?;
        Ok(SourcePlan::Function { slot, width, what, arguments, kinds })
    }

    pub(super) fn open_json(
        &mut self,
        text: &Expr,
        path: Option<&Expr>,
        schema: &[JsonColumn],
        alias: Option<&String>,
        names: &[String],
    ) -> Binding<SourcePlan> {
        let mut arguments = vec![coerce(self.expression(text)?, Type::NVarChar(None))?];
        if let Some(path) = path {
            arguments.push(coerce(self.expression(path)?, Type::NVarChar(Some(4000)))?);
        }
        let columns = if schema.is_empty() {
            vec![
                Column { name: "key".into(), kind: Type::NVarChar(Some(4000)), nullable: false },
                Column::new("value", Type::NVarChar(None)),
                Column { name: "type".into(), kind: Type::TinyInt, nullable: false },
            ]
        } else {
            schema.iter().map(|c| Column::new(c.name.clone(), c.kind)).collect()
        };
        self.rowset_source(RowsetFunction::Json(schema.to_vec()), arguments, columns, alias, names)
    }

    pub(super) fn nodes(
        &mut self,
        value: &Expr,
        path: &str,
        alias: &str,
        column: &str,
    ) -> Binding<SourcePlan> {
        let value = self.expression(value)?;
        if value.kind != Type::Xml && self.errors.is_empty() {
            return Err(no_methods(value.kind));
        }
        let what = RowsetFunction::Nodes(xml::path(path)?);
        let columns = vec![Column::new(column, Type::Xml)];
        self.rowset_source(what, vec![value], columns, Some(&alias.to_owned()), &[])
    }

    /// `value.method(…)`
    pub(super) fn method(&mut self, value: &Expr, name: &str, arguments: &[Expr]) -> Binding<Bound> {
        let value = self.expression(value)?;
        if value.kind != Type::Xml && self.errors.is_empty() {
            return Err(no_methods(value.kind));
        }
        let literal = |at: usize| match arguments.get(at) {
            Some(Expr::Literal(Value::Text(text), _)) => Ok(text.as_str()),
            Some(_) => {
                let text = format!(
                    "The argument {} of the XML data type method \"{name}\" must be a string literal.",
                    at + 1
                );
                Err(Message::error(8172, text))
            }
            None => {
                let text = format!("The {name} function requires {} argument(s).", at + 1);
                Err(Message { class: 15, ..Message::error(174, text) })
            }
        };
        let path = xml::path(literal(0)?)?;
        let (method, kind) = match name {
            "value" => {
                if !path.is_single() {
                    return Err(Message::error(
                        2389,
                        "XQuery [value()]: 'value()' requires a singleton (or empty sequence), found operand of type 'xdt:untypedAtomic *'",
                    ));
                }
                (XmlMethod::Value(path), super::super::parser::kind(literal(1)?, self.world.version)?)
            }
            "query" => (XmlMethod::Query(path), Type::Xml),
            "exist" => (XmlMethod::Exist(path), Type::Bit),
            "nodes" => {
                return Err(Message::error(
                    493,
                    "The column that was returned from the nodes() method cannot be used directly. It can only be used with one of the four XML data type methods, exist(), nodes(), query(), and value(), or in IS NULL and IS NOT NULL checks.",
                ));
            }
            _ => return Err(Message::not_modelled("the xml method modify()")),
        };
        Ok(Bound { node: Node::Xml(method, Box::new(value)), kind, nullable: true })
    }

    /// `server.database.schema.table`
    pub(super) fn remote_table(&mut self, name: &Name, alias: Option<&String>) -> Binding<SourcePlan> {
        let (host, context) = self.world.linked(&name[0])?;
        let object = crate::sandbox::host::ObjectName {
            database: if name[1].is_empty() { "master".to_owned() } else { name[1].clone() },
            schema: if name[2].is_empty() { "dbo".to_owned() } else { name[2].to_lowercase() },
            name: name[3].clone(),
        };
        let table = host.table(&context, &object).inspect_err(|_| self.world.host_failed.set(true))?;
        let Some(table) = table else {
            let text = format!(
                "The OLE DB provider \"MSOLEDBSQL\" for linked server \"{}\" does not contain the table \"\"{}\".\"{}\".\"{}\"\". The table either does not exist or the current user does not have permissions on that table.",
                name[0], name[1], name[2], name[3]
            );
            return Err(Message::error(7314, text));
        };
        self.own_rows(name, alias, &table)
    }

    /// OPENQUERY: the first result of a statement over there.
    pub(super) fn remote_query(
        &mut self,
        server: &str,
        text: &str,
        alias: Option<&String>,
        names: &[String],
    ) -> Binding<SourcePlan> {
        let (host, context) = self.world.linked(server)?;
        let mut table = super::super::session::first_result(host, context, text)?;
        for (column, name) in table.columns.iter_mut().zip(names) {
            column.name.clone_from(name);
        }
        self.own_rows(&["OPENQUERY".to_owned()], alias, &table)
    }
}

/// 258
fn no_methods(kind: Type) -> Message {
    Message { class: 15, ..Message::error(258, format!("Cannot call methods on {}.", types::name(kind))) }
}
