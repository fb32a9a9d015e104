//! FOR XML and FOR JSON: a whole result written as one text.
//!
//! Does not run queries; it is given names, types and rows.

use super::super::answer::Message;
use super::super::value::{Column, Type, Value};
use super::ast::{JsonShape, XmlMode, XmlShape};
use super::convert::convert;
use super::json;
use super::plan::Row;
use super::xml::escape;

/// A column of the result that is shaped.
#[derive(Debug, Clone)]
pub(super) struct Shaped {
    pub(super) column: Column,
    /// Holds JSON already.
    pub(super) json: bool,
    /// What the source is called, for AUTO.
    pub(super) source: String,
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = u32::from(chunk[0]) << 16
            | u32::from(*chunk.get(1).unwrap_or(&0)) << 8
            | u32::from(*chunk.get(2).unwrap_or(&0));
        for at in 0..4 {
            if at <= chunk.len() {
                out.push(char::from(LETTERS[(n >> (18 - 6 * at)) as usize & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// A value as XML and JSON write it; `None` for NULL.
fn plain(value: &Value, kind: Type) -> Result<Option<String>, Message> {
    let style = match value {
        Value::Null => return Ok(None),
        Value::Binary(bytes) => return Ok(Some(base64(bytes))),
        Value::Float(_) if kind == Type::Real => 1,
        Value::Float(_) => 2,
        Value::DateTime(_) | Value::Date(_) | Value::Time(_) | Value::DateTimeOffset(..) => 126,
        Value::Decimal { .. } if super::types::is_money(kind) => 2,
        _ => 0,
    };
    match convert(value.clone(), kind, Type::NVarChar(None), style)? {
        Value::Text(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// A name as an element or attribute may have it.
fn xml_name(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.chars().enumerate() {
        let fits = c.is_alphabetic() || c == '_' || at > 0 && (c.is_numeric() || matches!(c, '-' | '.'));
        if fits {
            out.push(c);
        } else {
            out.push_str(&format!("_x{:04X}_", u32::from(c)));
        }
    }
    out
}

/// The text of FOR XML; `None` without rows.
pub(super) fn xml(shape: &XmlShape, columns: &[Shaped], rows: &[Row]) -> Result<Option<String>, Message> {
    if rows.is_empty() && shape.root.is_none() {
        return Ok(None);
    }
    let mut out = String::new();
    for row in rows {
        match shape.mode {
            XmlMode::Path => path_row(shape, columns, row, &mut out)?,
            XmlMode::Raw | XmlMode::Auto => raw_row(shape, columns, row, &mut out)?,
        }
    }
    Ok(Some(match &shape.root {
        Some(root) => {
            let space = if shape.xsinil { XSI } else { "" };
            format!("<{root}{space}>{out}</{root}>")
        }
        None => out,
    }))
}

const XSI: &str = " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

fn raw_row(shape: &XmlShape, columns: &[Shaped], row: &Row, out: &mut String) -> Result<(), Message> {
    let name = match (&shape.element, shape.mode) {
        (Some(name), _) => xml_name(name),
        (None, XmlMode::Auto) => xml_name(&columns.first().map_or_else(String::new, |c| c.source.clone())),
        (None, _) => "row".to_owned(),
    };
    let space = if shape.xsinil && shape.root.is_none() { XSI } else { "" };
    if shape.elements {
        out.push_str(&format!("<{name}{space}>"));
        for (column, value) in columns.iter().zip(row.iter()) {
            element(&xml_name(&column.column.name), column, value, shape.xsinil, out)?;
        }
        out.push_str(&format!("</{name}>"));
        return Ok(());
    }
    out.push_str(&format!("<{name}"));
    let mut inner = String::new();
    for (column, value) in columns.iter().zip(row.iter()) {
        if column.column.kind == Type::Xml {
            element(&xml_name(&column.column.name), column, value, false, &mut inner)?;
            continue;
        }
        if matches!(value, Value::Binary(_)) && !shape.base64 {
            return Err(Message::not_modelled("binary columns in FOR XML RAW or AUTO without BINARY BASE64"));
        }
        if let Some(text) = plain(value, column.column.kind)? {
            out.push_str(&format!(" {}=\"{}\"", xml_name(&column.column.name), escape(&text, true)));
        }
    }
    if inner.is_empty() {
        out.push_str("/>");
    } else {
        out.push_str(&format!(">{inner}</{name}>"));
    }
    Ok(())
}

fn written(column: &Shaped, value: &Value) -> Result<Option<String>, Message> {
    let text = plain(value, column.column.kind)?;
    Ok(text.map(|t| if column.column.kind == Type::Xml { t } else { escape(&t, false) }))
}

fn element(name: &str, column: &Shaped, value: &Value, nil: bool, out: &mut String) -> Result<(), Message> {
    match written(column, value)? {
        Some(text) if text.is_empty() && column.column.kind != Type::Xml => {
            out.push_str(&format!("<{name}></{name}>"));
        }
        Some(text) => out.push_str(&format!("<{name}>{text}</{name}>")),
        None if nil => out.push_str(&format!("<{name} xsi:nil=\"true\"/>")),
        None => {}
    }
    Ok(())
}

fn path_row(shape: &XmlShape, columns: &[Shaped], row: &Row, out: &mut String) -> Result<(), Message> {
    let wrapper = shape.element.as_deref().unwrap_or("row");
    let mut attributes = String::new();
    let mut inner = String::new();
    // elements that are open, outermost first
    let mut open: Vec<String> = Vec::new();
    for (column, value) in columns.iter().zip(row.iter()) {
        let name = column.column.name.as_str();
        if let Some(attribute) = name.strip_prefix('@') {
            if wrapper.is_empty() {
                return Err(Message::error(
                    6864,
                    "Row tag omission (empty row tag name) cannot be used with attribute-centric FOR XML serialization.",
                ));
            }
            if !inner.is_empty() || !open.is_empty() {
                let text = format!(
                    "Attribute-centric column '{name}' must not come after a non-attribute-centric sibling in XML hierarchy in FOR XML PATH."
                );
                return Err(Message::error(6852, text));
            }
            if let Some(text) = plain(value, column.column.kind)? {
                attributes.push_str(&format!(" {}=\"{}\"", xml_name(attribute), escape(&text, true)));
            }
            continue;
        }
        let text = written(column, value)?;
        let mut parts: Vec<&str> = name.split('/').collect();
        let last = parts.pop().unwrap_or_default();
        if last.starts_with('@') {
            return Err(Message::not_modelled("attributes of inner elements in FOR XML PATH"));
        }
        let inline = matches!(last, "" | "*" | "text()" | "node()" | "data()");
        if text.is_none() && (inline || !shape.xsinil) {
            continue;
        }
        let same = open.iter().zip(&parts).take_while(|(a, b)| a == b).count();
        while open.len() > same {
            inner.push_str(&format!("</{}>", open.pop().unwrap_or_default()));
        }
        for part in &parts[same..] {
            inner.push_str(&format!("<{}>", xml_name(part)));
            open.push(xml_name(part));
        }
        if last == "comment()" {
            inner.push_str(&format!("<!--{}-->", text.unwrap_or_default()));
        } else if last.starts_with("processing-instruction(") {
            let target = last.trim_start_matches("processing-instruction(").trim_end_matches(')');
            inner
                .push_str(&format!("<?{target} {}?>", plain(value, column.column.kind)?.unwrap_or_default()));
        } else if last == "data()" && !inner.is_empty() && !inner.ends_with('>') {
            inner.push_str(&format!(" {}", text.unwrap_or_default()));
        } else if inline {
            inner.push_str(&text.unwrap_or_default());
        } else {
            element(&xml_name(last), column, value, shape.xsinil, &mut inner)?;
        }
    }
    while let Some(name) = open.pop() {
        inner.push_str(&format!("</{name}>"));
    }
    if wrapper.is_empty() {
        // values of data() are kept apart by blanks
        let data = columns.iter().all(|c| c.column.name.eq_ignore_ascii_case("data()"));
        if data && !out.is_empty() && !inner.is_empty() {
            out.push(' ');
        }
        out.push_str(&inner);
        return Ok(());
    }
    let name = xml_name(wrapper);
    let space = if shape.xsinil && shape.root.is_none() { XSI } else { "" };
    if inner.is_empty() {
        out.push_str(&format!("<{name}{space}{attributes}/>"));
    } else {
        out.push_str(&format!("<{name}{space}{attributes}>{inner}</{name}>"));
    }
    Ok(())
}

/// A tree of JSON members in the order of the columns.
#[derive(Default)]
struct Members(Vec<(String, Member)>);

enum Member {
    Text(String),
    Inner(Members),
}

impl Members {
    fn put(&mut self, parts: &[&str], whole: &str, text: String) -> Result<(), Message> {
        let clash = || {
            Message::error(
                13601,
                format!(
                    "Property '{whole}' cannot be generated in JSON output due to a conflict with another column name or alias. Use different names and aliases for each column in SELECT list."
                ),
            )
        };
        let Some((first, rest)) = parts.split_first() else { return Ok(()) };
        if rest.is_empty() {
            if self.0.iter().any(|(n, _)| n == first) {
                return Err(clash());
            }
            self.0.push(((*first).to_owned(), Member::Text(text)));
            return Ok(());
        }
        let last = self.0.len().wrapping_sub(1);
        match self.0.iter().position(|(n, _)| n == first) {
            Some(at) if at == last => match &mut self.0[at].1 {
                Member::Inner(inner) => inner.put(rest, whole, text),
                Member::Text(_) => Err(clash()),
            },
            Some(_) => Err(clash()),
            None => {
                let mut inner = Self::default();
                inner.put(rest, whole, text)?;
                self.0.push(((*first).to_owned(), Member::Inner(inner)));
                Ok(())
            }
        }
    }
    fn write(&self, out: &mut String) {
        out.push('{');
        for (at, (name, member)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(&json::quoted(name));
            out.push(':');
            match member {
                Member::Text(text) => out.push_str(text),
                Member::Inner(inner) => inner.write(out),
            }
        }
        out.push('}');
    }
}

/// The text of FOR JSON; `None` without rows.
pub(super) fn json(shape: &JsonShape, columns: &[Shaped], rows: &[Row]) -> Result<Option<String>, Message> {
    if rows.is_empty() {
        return Ok(None);
    }
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let mut members = Members::default();
        for (column, value) in columns.iter().zip(row.iter()) {
            let text = match (plain(value, column.column.kind)?, value) {
                (None, _) if shape.nulls => "null".to_owned(),
                (None, _) => continue,
                (Some(text), _) if column.json => text,
                (Some(_), Value::Bit(b)) => b.to_string(),
                (Some(text), Value::Int(_) | Value::Decimal { .. } | Value::Float(_)) => text,
                (Some(text), _) => json::quoted(&text),
            };
            let name = column.column.name.as_str();
            let parts: Vec<&str> = if shape.auto { vec![name] } else { name.split('.').collect() };
            members.put(&parts, name, text)?;
        }
        members.write(&mut out);
    }
    let list = if shape.bare { out } else { format!("[{out}]") };
    Ok(Some(match &shape.root {
        Some(root) => format!("{{{}:{list}}}", json::quoted(root)),
        None => list,
    }))
}
