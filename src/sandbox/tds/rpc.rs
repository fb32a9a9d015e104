//! RPC requests (MS-TDS 2.2.6.6): procedure, options, parameters.
//!
//! Does not know what the procedures do.

use super::bytes::{Fault, Reader};
use super::incoming::Incoming;
use super::request::after_headers;
use crate::sandbox::answer::Parameter;

/// More parameters than any procedure takes.
const PARAMETERS_MAX: usize = 2100;
/// Calls in one message.
const CALLS_MAX: usize = 1000;

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) procedure: String,
    pub(super) parameters: Vec<Parameter>,
}

/// Every call of an RPC message, at least one.
pub(super) fn calls(body: &[u8]) -> Result<Vec<Call>, Fault> {
    let mut reader = after_headers(body)?;
    let mut calls = vec![call(&mut reader)?];
    while !reader.is_empty() {
        // BatchFlag or NoExecFlag parts the calls
        if reader.u8()? == 0xFE {
            return Err(Fault::NotModelled("an RPC that is not to be executed".into()));
        }
        if reader.is_empty() {
            break;
        }
        if calls.len() == CALLS_MAX {
            return Err(Fault::NotModelled(format!("more than {CALLS_MAX} calls in one message")));
        }
        calls.push(call(&mut reader)?);
    }
    Ok(calls)
}

fn call(reader: &mut Reader<'_>) -> Result<Call, Fault> {
    let procedure = match reader.u16()? {
        0xFFFF => well_known(reader.u16()?)?.to_owned(),
        units => reader.utf16(units.into())?,
    };
    // asks only to leave out what a client already knows; a full answer serves as well
    let _options = reader.u16()?;
    let mut parameters = Vec::new();
    while reader.peek().is_some_and(|byte| byte < 0xFE) {
        if parameters.len() == PARAMETERS_MAX {
            return Err(Fault::NotModelled(format!("more than {PARAMETERS_MAX} parameters")));
        }
        parameters.push(parameter(reader)?);
    }
    Ok(Call { procedure, parameters })
}

fn parameter(reader: &mut Reader<'_>) -> Result<Parameter, Fault> {
    let name = reader.short_text()?;
    let status = reader.u8()?;
    if status & 0x08 != 0 {
        return Err(Fault::NotModelled("an encrypted parameter".into()));
    }
    let incoming = Incoming::read(reader)?;
    let value = incoming.value(reader)?;
    Ok(Parameter { name, kind: incoming.kind, value, output: status & 0x01 != 0 })
}

fn well_known(id: u16) -> Result<&'static str, Fault> {
    match id {
        1 => Ok("sp_cursor"),
        2 => Ok("sp_cursoropen"),
        3 => Ok("sp_cursorprepare"),
        4 => Ok("sp_cursorexecute"),
        5 => Ok("sp_cursorprepexec"),
        6 => Ok("sp_cursorunprepare"),
        7 => Ok("sp_cursorfetch"),
        8 => Ok("sp_cursoroption"),
        9 => Ok("sp_cursorclose"),
        10 => Ok("sp_executesql"),
        11 => Ok("sp_prepare"),
        12 => Ok("sp_execute"),
        13 => Ok("sp_prepexec"),
        14 => Ok("sp_prepexecrpc"),
        15 => Ok("sp_unprepare"),
        other => Err(Fault::NotModelled(format!("procedure id {other}"))),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sandbox::tds::bytes::{put_short_text, put_utf16};
    use crate::sandbox::tds::{kind, value};
    use crate::sandbox::value::{Type, Value};

    const HEADERS: [u8; 4] = [4, 0, 0, 0];

    /// One call as a client writes it.
    pub(in super::super) fn written(procedure: &str, parameters: &[Parameter]) -> Vec<u8> {
        let mut out = (procedure.encode_utf16().count() as u16).to_le_bytes().to_vec();
        put_utf16(&mut out, procedure);
        out.extend([0, 0]);
        for parameter in parameters {
            put_short_text(&mut out, &parameter.name);
            out.push(u8::from(parameter.output));
            kind::put(&mut out, parameter.kind);
            value::put(&mut out, parameter.kind, &parameter.value).unwrap();
        }
        out
    }

    fn parameter(name: &str, kind: Type, value: Value) -> Parameter {
        Parameter { name: name.into(), kind, value, output: false }
    }

    #[test]
    fn names_positions_outputs_and_nulls_are_read() {
        let given = [
            parameter("", Type::NVarChar(None), Value::Text("SELECT @P1".into())),
            parameter("@P1", Type::LSN, Value::Null),
            Parameter { output: true, ..parameter("@handle", Type::Int, Value::Int(3)) },
        ];
        let read = calls(&[&HEADERS[..], &written("sys.sp_x", &given)].concat()).unwrap();
        assert_eq!(read, [Call { procedure: "sys.sp_x".into(), parameters: given.to_vec() }]);
    }

    #[test]
    fn procedure_ids_become_names() {
        let by_id = |id: u8| calls(&[4, 0, 0, 0, 0xFF, 0xFF, id, 0, 0, 0]);
        for (id, name) in [
            (10, "sp_executesql"),
            (11, "sp_prepare"),
            (12, "sp_execute"),
            (13, "sp_prepexec"),
            (7, "sp_cursorfetch"),
            (14, "sp_prepexecrpc"),
            (15, "sp_unprepare"),
        ] {
            assert_eq!(by_id(id).unwrap()[0].procedure, name);
        }
        assert!(matches!(by_id(99), Err(Fault::NotModelled(_))));
    }

    #[test]
    fn several_calls_come_in_one_message() {
        let one = written("a", &[parameter("", Type::Int, Value::Int(1))]);
        let two = written("b", &[]);
        let read = calls(&[&HEADERS[..], &one, &[0xFF], &two, &[0xFF]].concat()).unwrap();
        let names: Vec<&str> = read.iter().map(|call| call.procedure.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_call_cut_anywhere_is_refused_or_shorter() {
        let whole = written("sp_x", &[parameter("@a", Type::SYSNAME, Value::Text("xyz".into()))]);
        let whole = [&HEADERS[..], &whole].concat();
        for cut in 0..whole.len() {
            match calls(&whole[..cut]) {
                Err(Fault::Malformed(_)) => {}
                Ok(read) => assert!(read[0].parameters.is_empty(), "cut at {cut}"),
                Err(other) => panic!("cut at {cut}: {other}"),
            }
        }
    }
}
