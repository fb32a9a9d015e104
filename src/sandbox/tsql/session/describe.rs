//! Procedures by which clients ask what a statement would return and what types there are.
//!
//! Binds, runs nothing. The type of a parameter that does not follow from where it stands is refused: drivers
//! then go by what they were given.

use super::super::ast::{Body, Item, Query, Select, Statement, What};
use super::super::binder::Binder;
use super::super::lexer;
use super::super::parser;
use super::super::state::Variables;
use super::batch::Batch;
use super::datatypes;
use super::raised::Raised;
use crate::sandbox::answer::{Message, Part};
use crate::sandbox::value::{Column, Type, Value};

/// An argument as these procedures take it: name, value.
pub(super) type Argument<'a> = (Option<&'a str>, &'a Value);

/// `SQL_Latin1_General_CP1_CI_AS` as one number.
const COLLATION: i64 = 0x00D0_0409;

impl Batch<'_> {
    /// One of these procedures, its answer sent; `None` when it is none of them.
    pub(super) fn described(&mut self, short: &str, given: &[Argument<'_>]) -> Result<Option<i32>, Raised> {
        match short {
            "sp_describe_first_result_set" => {
                let columns = self.first_result_set(given)?;
                let rows = columns.iter().zip(1..).map(|(column, at)| self.described_column(column, at));
                let rows = rows.collect();
                self.table(&result_set_columns(), rows)?;
            }
            "sp_describe_undeclared_parameters" => {
                let rows = self.undeclared(&text(given, "@tsql", 0), &text_of_parameters(given))?;
                self.table(&parameter_columns(), rows)?;
            }
            "sp_datatype_info" | "sp_datatype_info_90" | "sp_datatype_info_100" => {
                let wanted = int(given, "@data_type", 0).unwrap_or(0);
                let version = int(given, "@ODBCVer", 1).unwrap_or(2);
                let rows = datatypes::rows(wanted, version, short.ends_with("_100"));
                self.table(&datatypes::columns(), rows)?;
            }
            "sp_cursor" | "sp_cursoropen" | "sp_cursorprepare" | "sp_cursorexecute" | "sp_cursorprepexec"
            | "sp_cursorunprepare" | "sp_cursorfetch" | "sp_cursoroption" | "sp_cursorclose"
            | "sp_describe_cursor" | "sp_cursor_list" => {
                return Err(Message::not_modelled(format!("server cursors ({short})")).into());
            }
            "sp_describe_parameter_encryption" => {
                return Err(Message::not_modelled(short).into());
            }
            _ => return Ok(None),
        }
        Ok(Some(0))
    }

    fn table(&mut self, columns: &[Column], rows: Vec<Vec<Value>>) -> Result<(), Raised> {
        self.sink.put(Part::Columns(columns.to_vec()))?;
        let count = rows.len() as u64;
        for row in rows {
            self.sink.put(Part::Row(row))?;
        }
        self.done(count)?;
        Ok(())
    }

    /// The columns of the first SELECT that sends rows; none when no statement does.
    fn first_result_set(&mut self, given: &[Argument<'_>]) -> Result<Vec<Column>, Raised> {
        let sql = text(given, "@tsql", 0);
        let version = self.session.host.version().0;
        let mut variables = Variables::default();
        for (name, kind, _) in parser::parameters(&text_of_parameters(given), version)? {
            variables.scalars.insert(name.to_lowercase(), (kind, Value::Null));
        }
        let statements = parser::batch(&sql, self.session.settings.quoted_identifier, version)?;
        let database = self.session.context.database.clone();
        let mut inner = Batch::new(&mut *self.session, &mut *self.sink, variables, self.depth + 1);
        let found = inner.first_of(&statements);
        // USE counts while the text is looked at
        self.session.context.database = database;
        self.forget();
        Ok(found?.unwrap_or_default())
    }

    fn first_of(&mut self, statements: &[Statement]) -> Result<Option<Vec<Column>>, Raised> {
        for statement in statements {
            let found = match &statement.what {
                What::Select(query) if sends_rows(query) => {
                    let plan = self.with_world(|world| Binder::new(world).statement(query));
                    Some(plan.map_err(|messages| self.unbound(messages))?.columns)
                }
                What::Execute(_) => {
                    return Err(Message::not_modelled("the result set of a procedure before it runs").into());
                }
                What::Block(list) => self.first_of(list)?,
                What::If { then, otherwise, .. } => {
                    let mut branches = vec![(**then).clone()];
                    branches.extend(otherwise.as_deref().cloned());
                    self.first_of(&branches)?
                }
                What::While { body, .. } => self.first_of(std::slice::from_ref(&**body))?,
                What::Try { body, .. } => self.first_of(body)?,
                _ => {
                    self.check_one(statement).map_err(|messages| self.unbound(messages))?;
                    None
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// A row for each parameter that a text uses and nothing declares, in the order they come.
    fn undeclared(&self, sql: &str, declaration: &str) -> Result<Vec<Vec<Value>>, Raised> {
        let version = self.session.host.version().0;
        let quoted = self.session.settings.quoted_identifier;
        let known = parser::parameters(declaration, version)?;
        let statements = parser::batch(sql, quoted, version)?;
        let found = self.deduced(&statements);
        let mut declared: Vec<String> = known.into_iter().map(|(name, ..)| name.to_lowercase()).collect();
        super::undeclared::declared(&statements, &mut declared);
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for token in &lexer::tokens(sql, quoted)? {
            let name = token.text.to_lowercase();
            match &token.kind {
                lexer::Kind::Variable if declared.contains(&name) => {}
                lexer::Kind::Variable if seen.contains(&name) => {
                    let text = format!(
                        "The undeclared parameter '{}' is used more than once in the batch being analyzed.",
                        token.text
                    );
                    return Err(Message::error(11508, text).into());
                }
                lexer::Kind::Variable => {
                    let Some((_, kind)) = found.iter().find(|(known, _)| *known == name) else {
                        let what = format!("the type of the undeclared parameter {}", token.text);
                        return Err(Message::not_modelled(what).into());
                    };
                    rows.push(self.described_parameter(&token.text, *kind, rows.len() as i64 + 1));
                    seen.push(name);
                }
                _ => {}
            }
        }
        Ok(rows)
    }

    fn described_parameter(&self, name: &str, kind: Type, at: i64) -> Vec<Value> {
        let (id, declared, length, precision, scale) = shape(kind);
        let (tds, tds_length) = on_the_wire(kind);
        let mut row = vec![
            Value::Int(at),
            Value::Text(name.to_owned()),
            Value::Int(id),
            Value::Text(declared),
            Value::Int(length),
            Value::Int(precision),
            Value::Int(scale),
        ];
        // user types, CLR types, XML collections: none
        row.extend(vec![Value::Null; 9]);
        let case = super::super::types::is_text(kind) && self.session.host.case_sensitive();
        row.extend([false, case, false, true, false].map(Value::Bit));
        row.extend([Value::Null, Value::Int(tds), Value::Int(tds_length)]);
        row
    }

    fn described_column(&self, column: &Column, at: i64) -> Vec<Value> {
        let (id, name, length, precision, scale) = shape(column.kind);
        let text = super::super::types::is_text(column.kind);
        let (tds, tds_length) = on_the_wire(column.kind);
        let whether = Value::Bit;
        let only = |yes: bool, value: Value| if yes { value } else { Value::Null };
        let collation = if self.session.host.case_sensitive() {
            "SQL_Latin1_General_CP1_CS_AS"
        } else {
            "SQL_Latin1_General_CP1_CI_AS"
        };
        let mut row = vec![
            whether(false),
            Value::Int(at),
            only(!column.name.is_empty(), Value::Text(column.name.clone())),
            whether(column.nullable),
            Value::Int(id),
            Value::Text(name),
            Value::Int(length),
            Value::Int(precision),
            Value::Int(scale),
            only(text, Value::Text(collation.into())),
        ];
        // user types, CLR types, XML collections: none
        row.extend(vec![Value::Null; 9]);
        row.extend([whether(false), whether(text && self.session.host.case_sensitive()), whether(false)]);
        // sources, and what is known of them only in browse mode
        row.extend(vec![Value::Null; 5]);
        row.extend([whether(false), Value::Null, whether(false), whether(false), whether(false)]);
        row.extend(vec![Value::Null; 3]);
        row.extend([
            Value::Int(tds),
            Value::Int(tds_length),
            only(text, Value::Int(COLLATION)),
            only(text, Value::Int(52)),
        ]);
        row
    }
}

fn sends_rows(query: &Query) -> bool {
    fn head(body: &Body) -> &Select {
        match body {
            Body::Select(select) => select,
            Body::Set { left, .. } => head(left),
        }
    }
    let head = head(&query.body);
    head.into.is_none() && !head.items.iter().any(|item| matches!(item, Item::Assign { .. }))
}

fn value<'a>(given: &[Argument<'a>], name: &str, place: usize) -> Option<&'a Value> {
    given
        .iter()
        .find(|(own, _)| own.is_some_and(|own| own.eq_ignore_ascii_case(name)))
        .or_else(|| given.get(place).filter(|(own, _)| own.is_none()))
        .map(|(_, value)| *value)
}

fn text(given: &[Argument<'_>], name: &str, place: usize) -> String {
    match value(given, name, place) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

fn text_of_parameters(given: &[Argument<'_>]) -> String {
    text(given, "@params", 1)
}

fn int(given: &[Argument<'_>], name: &str, place: usize) -> Option<i64> {
    match value(given, name, place) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

/// `system_type_id`, the type as declared, length in bytes (-1 = max), precision, scale.
fn shape(kind: Type) -> (i64, String, i64, i64, i64) {
    let of = |id: i64, name: &str, length: i64, precision: i64, scale: i64| {
        (id, name.to_owned(), length, precision, scale)
    };
    let sized = |id: i64, name: &str, length: Option<u16>, unit: i64| match length {
        Some(length) => (id, format!("{name}({length})"), i64::from(length) * unit, 0, 0),
        None => (id, format!("{name}(max)"), -1, 0, 0),
    };
    let timed = |id: i64, name: &str, scale: u8, date: i64, width: i64| {
        let fraction = if scale == 0 { 0 } else { i64::from(scale) + 1 };
        let time = match scale {
            0..=2 => 3,
            3 | 4 => 4,
            _ => 5,
        };
        (id, format!("{name}({scale})"), time + date, width + fraction, i64::from(scale))
    };
    match kind {
        Type::Bit => of(104, "bit", 1, 1, 0),
        Type::TinyInt => of(48, "tinyint", 1, 3, 0),
        Type::SmallInt => of(52, "smallint", 2, 5, 0),
        Type::Int => of(56, "int", 4, 10, 0),
        Type::BigInt => of(127, "bigint", 8, 19, 0),
        Type::Decimal { precision, scale } => {
            let length = match precision {
                ..=9 => 5,
                10..=19 => 9,
                20..=28 => 13,
                _ => 17,
            };
            (108, format!("numeric({precision},{scale})"), length, precision.into(), scale.into())
        }
        Type::Money => of(60, "money", 8, 19, 4),
        Type::SmallMoney => of(122, "smallmoney", 4, 10, 4),
        Type::Real => of(59, "real", 4, 24, 0),
        Type::Float => of(62, "float", 8, 53, 0),
        Type::Date => of(40, "date", 3, 10, 0),
        Type::Time { scale } => timed(41, "time", scale, 0, 8),
        Type::SmallDateTime => of(58, "smalldatetime", 4, 16, 0),
        Type::DateTime => of(61, "datetime", 8, 23, 3),
        Type::DateTime2 { scale } => timed(42, "datetime2", scale, 3, 19),
        Type::DateTimeOffset { scale } => timed(43, "datetimeoffset", scale, 5, 26),
        Type::UniqueIdentifier => of(36, "uniqueidentifier", 16, 0, 0),
        Type::Char(n) => sized(175, "char", Some(n), 1),
        Type::VarChar(n) => sized(167, "varchar", n, 1),
        Type::NChar(n) => sized(239, "nchar", Some(n), 2),
        Type::NVarChar(n) => sized(231, "nvarchar", n, 2),
        Type::Binary(n) => sized(173, "binary", Some(n), 1),
        Type::VarBinary(n) => sized(165, "varbinary", n, 1),
        Type::Xml => of(241, "xml", -1, 0, 0),
        Type::Variant => of(98, "sql_variant", 8016, 0, 0),
    }
}

/// The type byte and length of a column's TYPE_INFO.
fn on_the_wire(kind: Type) -> (i64, i64) {
    let (id, _, length, _, _) = shape(kind);
    match kind {
        Type::TinyInt | Type::SmallInt | Type::Int | Type::BigInt => (38, length),
        Type::Real | Type::Float => (109, length),
        Type::SmallDateTime | Type::DateTime => (111, length),
        Type::Decimal { .. } => (108, 17),
        Type::Money | Type::SmallMoney => (110, length),
        Type::Xml => (241, 8100),
        Type::Variant => (98, 8009),
        _ if length < 0 => (id, 65535),
        _ => (id, length),
    }
}

fn named(list: &str) -> Vec<Column> {
    let kind = |word: &str| match word {
        "bit" => Type::Bit,
        "tinyint" => Type::TinyInt,
        "smallint" => Type::SmallInt,
        "int" => Type::Int,
        "name" => Type::SYSNAME,
        "text" => Type::NVarChar(Some(256)),
        _ => Type::NVarChar(Some(4000)),
    };
    list.split_whitespace()
        .filter_map(|pair| pair.split_once(':'))
        .map(|(name, word)| Column {
            nullable: !word.ends_with('!'),
            ..Column::new(name, kind(word.trim_end_matches('!')))
        })
        .collect()
}

fn result_set_columns() -> Vec<Column> {
    named(
        "is_hidden:bit! column_ordinal:int! name:name is_nullable:bit! system_type_id:int! system_type_name:text \
         max_length:smallint! precision:tinyint! scale:tinyint! collation_name:name user_type_id:int \
         user_type_database:name user_type_schema:name user_type_name:name \
         assembly_qualified_type_name:long xml_collection_id:int xml_collection_database:name \
         xml_collection_schema:name xml_collection_name:name is_xml_document:bit! is_case_sensitive:bit! \
         is_fixed_length_clr_type:bit! source_server:name source_database:name source_schema:name \
         source_table:name source_column:name is_identity_column:bit is_part_of_unique_key:bit \
         is_updateable:bit is_computed_column:bit is_sparse_column_set:bit ordinal_in_order_by_list:smallint \
         order_by_list_length:smallint order_by_is_descending:smallint tds_type_id:int! tds_length:int! \
         tds_collation_id:int tds_collation_sort_id:tinyint",
    )
}

fn parameter_columns() -> Vec<Column> {
    named(
        "parameter_ordinal:int! name:name! suggested_system_type_id:int! suggested_system_type_name:text \
         suggested_max_length:smallint! suggested_precision:tinyint! suggested_scale:tinyint! \
         suggested_user_type_id:int suggested_user_type_database:name suggested_user_type_schema:name \
         suggested_user_type_name:name suggested_assembly_qualified_type_name:long \
         suggested_xml_collection_id:int suggested_xml_collection_database:name \
         suggested_xml_collection_schema:name suggested_xml_collection_name:name \
         suggested_is_xml_document:bit! suggested_is_case_sensitive:bit! \
         suggested_is_fixed_length_clr_type:bit! suggested_is_input:bit! suggested_is_output:bit! \
         formal_parameter_name:name suggested_tds_type_id:int! suggested_tds_length:int!",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_descriptions_have_their_documented_number_of_columns() {
        assert_eq!(result_set_columns().len(), 39);
        assert_eq!(parameter_columns().len(), 24);
        assert_eq!(result_set_columns()[5].kind, Type::NVarChar(Some(256)));
        assert!(!result_set_columns()[0].nullable);
    }

    #[test]
    fn types_are_written_as_they_are_declared() {
        for (kind, wanted) in [
            (Type::NVarChar(Some(128)), (231, "nvarchar(128)", 256, 0, 0)),
            (Type::VarBinary(None), (165, "varbinary(max)", -1, 0, 0)),
            (Type::LSN, (108, "numeric(25,0)", 13, 25, 0)),
            (Type::DateTime2 { scale: 7 }, (42, "datetime2(7)", 8, 27, 7)),
            (Type::Time { scale: 0 }, (41, "time(0)", 3, 8, 0)),
            (Type::DateTimeOffset { scale: 3 }, (43, "datetimeoffset(3)", 9, 30, 3)),
        ] {
            let (id, name, length, precision, scale) = shape(kind);
            assert_eq!((id, name.as_str(), length, precision, scale), wanted);
        }
        assert_eq!(on_the_wire(Type::Int), (38, 4));
        assert_eq!(on_the_wire(Type::NVarChar(None)), (231, 65535));
    }
}
