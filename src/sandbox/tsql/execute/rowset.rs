//! Functions that give rows.

use super::super::convert::{convert, natural};
use super::super::evaluate::{Evaluated, Run};
use super::super::plan::RowsetFunction;
use super::super::{json, xml};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

type Made = Vec<Vec<Value>>;

pub(super) fn rows(
    run: &Run<'_>,
    what: &RowsetFunction,
    arguments: &[Value],
    kinds: &[Type],
) -> Evaluated<Made> {
    match what {
        RowsetFunction::Split(ordinal) => split(arguments, *ordinal),
        RowsetFunction::Series => series(run, arguments),
        RowsetFunction::Nodes(path) => match arguments.first() {
            Some(Value::Text(text)) => {
                Ok(xml::nodes(text, path)?.into_iter().map(|value| vec![value]).collect())
            }
            _ => Ok(Vec::new()),
        },
        RowsetFunction::Json(schema) => open_json(arguments, schema),
        RowsetFunction::Host(name) => {
            let table = run.world.host.rowset(run.world.context, name, arguments)?;
            let mut rows = table.map(|t| t.rows).unwrap_or_default();
            for row in &mut rows {
                for (value, kind) in row.iter_mut().zip(kinds) {
                    let given = std::mem::replace(value, Value::Null);
                    let from = natural(&given);
                    *value = convert(given, from, *kind, 0)?;
                }
            }
            Ok(rows)
        }
    }
}

fn split(arguments: &[Value], ordinal: bool) -> Evaluated<Made> {
    let (Some(text), Some(Value::Text(separator))) = (arguments.first(), arguments.get(1)) else {
        return Err(separator_wanted().into());
    };
    let Value::Text(text) = text else { return Ok(Vec::new()) };
    let mut chars = separator.chars();
    let (Some(separator), None) = (chars.next(), chars.next()) else { return Err(separator_wanted().into()) };
    let parts = text.split(separator).zip(1..);
    Ok(parts
        .map(|(part, at)| {
            let mut row = vec![Value::Text(part.to_owned())];
            if ordinal {
                row.push(Value::Int(at));
            }
            row
        })
        .collect())
}

/// 214
fn separator_wanted() -> Message {
    Message {
        class: 11,
        ..Message::error(214, "Procedure expects parameter 'separator' of type 'nchar(1)/nvarchar(1)'.")
    }
}

fn series(run: &Run<'_>, arguments: &[Value]) -> Evaluated<Made> {
    let (Some(Value::Int(first)), Some(Value::Int(last))) = (arguments.first(), arguments.get(1)) else {
        return Ok(Vec::new());
    };
    let step = match arguments.get(2) {
        Some(Value::Int(n)) => *n,
        Some(_) => return Ok(Vec::new()),
        None => {
            if first <= last {
                1
            } else {
                -1
            }
        }
    };
    if step == 0 {
        return Err(Message::error(
            4199,
            "Argument value 0 is invalid for argument 3 of generate_series function.",
        )
        .into());
    }
    let mut out = Vec::new();
    let mut at = *first;
    while if step > 0 { at <= *last } else { at >= *last } {
        out.push(vec![Value::Int(at)]);
        if out.len() % 1024 == 0 {
            Run::charge(out.len())?;
            run.go_on()?;
        }
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    Ok(out)
}

fn open_json(arguments: &[Value], schema: &[super::super::ast::JsonColumn]) -> Evaluated<Made> {
    let Some(Value::Text(text)) = arguments.first() else { return Ok(Vec::new()) };
    let whole = json::parse(text)?;
    let start = match arguments.get(1) {
        None => Some(&whole),
        Some(Value::Text(path)) => json::follow(&whole, &json::path(path)?)?,
        Some(_) => return Ok(Vec::new()),
    };
    let Some(start) = start else { return Ok(Vec::new()) };
    if schema.is_empty() {
        let row = |key: String, value: &serde_json::Value| {
            let kind = match value {
                serde_json::Value::Null => 0,
                serde_json::Value::String(_) => 1,
                serde_json::Value::Number(_) => 2,
                serde_json::Value::Bool(_) => 3,
                serde_json::Value::Array(_) => 4,
                serde_json::Value::Object(_) => 5,
            };
            let text = match kind {
                0 => Value::Null,
                4 | 5 => Value::Text(value.to_string()),
                _ => json::scalar(value).map_or(Value::Null, Value::Text),
            };
            vec![Value::Text(key), text, Value::Int(kind)]
        };
        return Ok(match start {
            serde_json::Value::Array(list) => {
                list.iter().enumerate().map(|(n, v)| row(n.to_string(), v)).collect()
            }
            serde_json::Value::Object(map) => map.iter().map(|(k, v)| row(k.clone(), v)).collect(),
            _ => Vec::new(),
        });
    }
    let items: Vec<&serde_json::Value> = match start {
        serde_json::Value::Array(list) => list.iter().collect(),
        other => vec![other],
    };
    let mut out = Vec::new();
    for item in items {
        let mut row = Vec::new();
        for column in schema {
            let found = json::follow(item, &json::path(&column.path)?)?;
            let text = match found {
                Some(v) if column.json && (v.is_array() || v.is_object()) => Some(v.to_string()),
                Some(v) if !column.json => json::scalar(v),
                _ => None,
            };
            row.push(match text {
                Some(text) => convert(Value::Text(text), Type::NVarChar(None), column.kind, 0)?,
                None => Value::Null,
            });
        }
        out.push(row);
    }
    Ok(out)
}
