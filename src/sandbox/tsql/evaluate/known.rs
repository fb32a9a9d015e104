//! Functions of the session: RAND, CHECKSUM of a NEWID, FORMATMESSAGE, CURSOR_STATUS, SQL_VARIANT_PROPERTY.

use super::super::function::Function;
use super::super::plan::{Bound, Node};
use super::super::types;
use super::{Evaluated, Run};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

impl Run<'_> {
    pub(super) fn session_function(
        &self,
        function: Function,
        values: &[Value],
        arguments: &[Bound],
    ) -> Evaluated<Value> {
        match function {
            Function::Checksum => {
                // only of a random value: any number will do there, everywhere else it would be a guess
                if let [Value::Guid(bytes)] = values
                    && matches!(&arguments[0].node, Node::Host(name, _) if name == "NEWID")
                {
                    let word = i32::from_le_bytes([bytes[0], bytes[5], bytes[9], bytes[15]]);
                    return Ok(Value::Int(i64::from(word)));
                }
                Err(Message::not_modelled("function CHECKSUM").into())
            }
            Function::Rand => {
                let seed = match values.first() {
                    Some(Value::Int(n)) => *n as u64,
                    _ => self.world.globals.random.get(),
                };
                let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                x ^= x >> 31;
                self.world.globals.random.set(x);
                Ok(Value::Float((x >> 11) as f64 / (1u64 << 53) as f64))
            }
            Function::FormatMessage => match &values[0] {
                Value::Text(text) => {
                    Ok(Value::Text(super::super::session::format_message(text, &values[1..])?))
                }
                Value::Null => Ok(Value::Null),
                _ => Err(Message::not_modelled("FORMATMESSAGE of a message number").into()),
            },
            Function::CursorStatus => {
                let text = |at: usize| match values.get(at) {
                    Some(Value::Text(text)) => text.to_lowercase(),
                    _ => String::new(),
                };
                let known = self.world.globals.cursors.get(&(text(0) == "global", text(1)));
                Ok(Value::Int(known.copied().unwrap_or(-3)))
            }
            Function::VariantProperty => variant_property(values, &arguments[0]),
            _ => Err(Message::not_modelled("function JSON_MODIFY").into()),
        }
    }
}

fn variant_property(values: &[Value], argument: &Bound) -> Evaluated<Value> {
    let Value::Text(what) = &values[1] else { return Ok(Value::Null) };
    if values[0] == Value::Null {
        return Ok(Value::Null);
    }
    // the value has forgotten what it was; what it was made of has not
    let kind = match &argument.node {
        Node::Convert { value, .. } => value.kind,
        Node::Constant(_) => super::super::convert::natural(&values[0]),
        _ => return Err(Message::not_modelled("SQL_VARIANT_PROPERTY of a stored value").into()),
    };
    let (precision, scale) = types::decimal_size(kind);
    Ok(match what.to_ascii_lowercase().as_str() {
        "basetype" => Value::Text(types::name(kind).trim_end_matches("(max)").to_owned()),
        "precision" if matches!(kind, Type::Decimal { .. }) || types::is_integer(kind) => {
            Value::Int(i64::from(precision))
        }
        "scale" if matches!(kind, Type::Decimal { .. }) => Value::Int(i64::from(scale)),
        "scale" if types::is_integer(kind) => Value::Int(0),
        "maxlength" => match kind {
            Type::NVarChar(Some(n)) | Type::NChar(n) => Value::Int(i64::from(n) * 2),
            Type::VarChar(Some(n)) | Type::Char(n) | Type::Binary(n) | Type::VarBinary(Some(n)) => {
                Value::Int(i64::from(n))
            }
            Type::Int => Value::Int(4),
            Type::BigInt | Type::DateTime | Type::Money | Type::Float => Value::Int(8),
            Type::SmallInt => Value::Int(2),
            Type::TinyInt | Type::Bit => Value::Int(1),
            _ => return Err(Message::not_modelled("MaxLength of this type").into()),
        },
        _ => return Err(Message::not_modelled(format!("SQL_VARIANT_PROPERTY '{what}'")).into()),
    })
}
