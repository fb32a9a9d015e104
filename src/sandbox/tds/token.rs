//! Tokens of an answer, one writer each (MS-TDS 2.2.7).
//!
//! Does not know in which order they come; `reply` does.

use super::bytes::{put_long_text, put_short_text};
use super::codepage::COLLATION;
use super::kind;
use super::value::{self, Unfit};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Column, Type, Value};

pub(super) const DONE: u8 = 0xFD;
pub(super) const DONE_PROCEDURE: u8 = 0xFE;
pub(super) const DONE_IN_PROCEDURE: u8 = 0xFF;

/// More of the answer follows.
pub(super) const MORE: u16 = 0x01;
/// The statement failed.
pub(super) const ERROR: u16 = 0x02;
/// The row count is valid.
pub(super) const COUNT: u16 = 0x10;
/// The answer to an attention.
pub(super) const ATTENTION: u16 = 0x20;

/// CurCmd of a statement that returned rows.
pub(super) const SELECT: u16 = 0xC1;
/// CurCmd of the answer to an attention.
pub(super) const ATTENTION_COMMAND: u16 = 0xFD;

/// Units of the longest message text; SQL Server's own are shorter.
const TEXT_UNITS: u16 = 8000;

/// Environment changes with a text value (MS-TDS 2.2.7.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    Database = 1,
    Language = 2,
    PacketSize = 4,
}

/// Appends a token whose body is preceded by its length in two bytes.
fn put_sized(out: &mut Vec<u8>, token: u8, body: &[u8]) {
    out.push(token);
    out.extend_from_slice(&(body.len() as u16).to_le_bytes());
    out.extend_from_slice(body);
}

pub(super) fn environment(out: &mut Vec<u8>, change: Environment, new: &str, old: &str) {
    let mut body = vec![change as u8];
    put_short_text(&mut body, new);
    put_short_text(&mut body, old);
    put_sized(out, 0xE3, &body);
}

/// The server's collation.
pub(super) fn collation(out: &mut Vec<u8>) {
    let mut body = vec![7, 5];
    body.extend_from_slice(&COLLATION);
    body.push(0);
    put_sized(out, 0xE3, &body);
}

/// A transaction began.
pub(super) fn begun(out: &mut Vec<u8>, id: u64) {
    let mut body = vec![8, 8];
    body.extend_from_slice(&id.to_le_bytes());
    body.push(0);
    put_sized(out, 0xE3, &body);
}

/// A transaction ended.
pub(super) fn ended(out: &mut Vec<u8>, id: u64, committed: bool) {
    let mut body = vec![if committed { 9 } else { 10 }, 0, 8];
    body.extend_from_slice(&id.to_le_bytes());
    put_sized(out, 0xE3, &body);
}

/// The session was reset, as the request asked.
pub(super) fn reset(out: &mut Vec<u8>) {
    put_sized(out, 0xE3, &[18, 0, 0]);
}

pub(super) fn info(out: &mut Vec<u8>, message: &Message, server: &str) {
    put_message(out, 0xAB, message, server);
}

pub(super) fn error(out: &mut Vec<u8>, message: &Message, server: &str) {
    put_message(out, 0xAA, message, server);
}

/// An error as TDS 7.1 has it: the line in two bytes.
pub(super) fn old_error(out: &mut Vec<u8>, message: &Message, server: &str) {
    let mut body = message_head(message, server);
    body.extend_from_slice(&(message.line as u16).to_le_bytes());
    put_sized(out, 0xAA, &body);
}

/// The last DONE as TDS 7.1 has it: the count in four bytes.
pub(super) fn old_done(out: &mut Vec<u8>, status: u16) {
    out.push(DONE);
    out.extend_from_slice(&status.to_le_bytes());
    out.extend_from_slice(&[0; 6]);
}

fn put_message(out: &mut Vec<u8>, token: u8, message: &Message, server: &str) {
    let mut body = message_head(message, server);
    body.extend_from_slice(&message.line.to_le_bytes());
    put_sized(out, token, &body);
}

fn message_head(message: &Message, server: &str) -> Vec<u8> {
    let mut body = message.number.to_le_bytes().to_vec();
    body.extend([message.state, message.class]);
    put_long_text(&mut body, &message.text, TEXT_UNITS);
    put_short_text(&mut body, server);
    put_short_text(&mut body, &message.procedure);
    body
}

pub(super) fn login_ack(
    out: &mut Vec<u8>,
    version: u32,
    program: &str,
    (major, minor, build): (u8, u8, u16),
) {
    let mut body = vec![1];
    body.extend_from_slice(&version.to_be_bytes());
    put_short_text(&mut body, program);
    body.extend([major, minor]);
    body.extend_from_slice(&build.to_be_bytes());
    put_sized(out, 0xAD, &body);
}

/// FEATUREEXTACK.
pub(super) fn feature_ack(out: &mut Vec<u8>, features: &[(u8, &[u8])]) {
    out.push(0xAE);
    for (id, data) in features {
        out.push(*id);
        out.extend_from_slice(&(data.len() as u32).to_le_bytes());
        out.extend_from_slice(data);
    }
    out.push(0xFF);
}

/// DONE, DONEPROC or DONEINPROC.
pub(super) fn done(out: &mut Vec<u8>, token: u8, status: u16, command: u16, rows: u64) {
    out.push(token);
    out.extend_from_slice(&status.to_le_bytes());
    out.extend_from_slice(&command.to_le_bytes());
    out.extend_from_slice(&rows.to_le_bytes());
}

/// COLMETADATA.
pub(super) fn columns(out: &mut Vec<u8>, columns: &[Column]) {
    out.push(0x81);
    out.extend_from_slice(&(columns.len() as u16).to_le_bytes());
    for column in columns {
        put_described(out, column.kind, column.nullable);
        put_short_text(out, super::bytes::clipped(&column.name, 128));
    }
}

/// UserType, flags and TYPE_INFO.
fn put_described(out: &mut Vec<u8>, kind: Type, nullable: bool) {
    out.extend([0; 4]);
    // 0x08: whether it can be written to is not known
    out.extend_from_slice(&(0x08 | u16::from(nullable)).to_le_bytes());
    kind::put(out, kind);
}

/// ROW; on refusal `out` is as it was.
pub(super) fn row<'a>(
    out: &mut Vec<u8>,
    cells: impl Iterator<Item = (Type, &'a Value)>,
) -> Result<(), Unfit> {
    let before = out.len();
    out.push(0xD1);
    for (kind, value) in cells {
        value::put(out, kind, value).inspect_err(|_| out.truncate(before))?;
    }
    Ok(())
}

pub(super) fn return_status(out: &mut Vec<u8>, status: i32) {
    out.push(0x79);
    out.extend_from_slice(&status.to_le_bytes());
}

/// RETURNVALUE of the parameter at `ordinal`; on refusal `out` is as it was.
pub(super) fn return_value(
    out: &mut Vec<u8>,
    ordinal: u16,
    name: &str,
    kind: Type,
    value: &Value,
) -> Result<(), Unfit> {
    let before = out.len();
    out.push(0xAC);
    out.extend_from_slice(&ordinal.to_le_bytes());
    put_short_text(out, name);
    out.push(1);
    put_described(out, kind, true);
    value::put(out, kind, value).inspect_err(|_| out.truncate(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    fn cells<'a>(set: &'a [Column], values: &'a [Value]) -> impl Iterator<Item = (Type, &'a Value)> {
        set.iter().map(|column| column.kind).zip(values)
    }

    #[test]
    fn environment_changes_say_new_then_old() {
        let database = written(|out| environment(out, Environment::Database, "b", "a"));
        assert_eq!(database, [0xE3, 7, 0, 1, 1, b'b', 0, 1, b'a', 0]);
        assert_eq!(written(collation), [0xE3, 8, 0, 7, 5, 9, 4, 0xD0, 0, 0x34, 0]);
        assert_eq!(written(|out| begun(out, 0x33)), [0xE3, 11, 0, 8, 8, 0x33, 0, 0, 0, 0, 0, 0, 0, 0]);
        let committed = written(|out| ended(out, 1, true));
        assert_eq!(committed, [0xE3, 11, 0, 9, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(written(|out| ended(out, 1, false))[3], 10);
        assert_eq!(written(reset), [0xE3, 3, 0, 18, 0, 0]);
    }

    #[test]
    fn an_error_says_number_state_class_text_server_procedure_line() {
        let message = Message { procedure: "p".into(), line: 3, state: 7, ..Message::error(4305, "x") };
        let bytes = written(|out| error(out, &message, "S"));
        #[rustfmt::skip]
        assert_eq!(bytes, [
            0xAA, 20, 0, 0xD1, 0x10, 0, 0, 7, 16, 1, 0, b'x', 0, 1, b'S', 0, 1, b'p', 0, 3, 0, 0, 0,
        ]);
        assert_eq!(written(|out| info(out, &message, "S"))[0], 0xAB);
    }

    #[test]
    fn a_message_text_of_any_length_keeps_the_token_whole() {
        let message = Message::error(1, "😀".repeat(40_000));
        let bytes = written(|out| error(out, &message, &"s".repeat(400)));
        assert_eq!(bytes.len(), 3 + usize::from(u16::from_le_bytes([bytes[1], bytes[2]])));
    }

    #[test]
    fn a_login_is_acknowledged_with_version_and_program() {
        let bytes = written(|out| login_ack(out, 0x7400_0004, "M", (16, 0, 4165)));
        assert_eq!(bytes, [0xAD, 12, 0, 1, 0x74, 0, 0, 4, 1, b'M', 0, 16, 0, 0x10, 0x45]);
        assert_eq!(written(|out| feature_ack(out, &[(10, &[1])])), [0xAE, 10, 1, 0, 0, 0, 1, 0xFF]);
    }

    #[test]
    fn columns_and_rows_are_written_in_order() {
        let set = [Column::new("n", Type::Int), Column { nullable: false, ..Column::new("b", Type::Bit) }];
        let bytes = written(|out| columns(out, &set));
        #[rustfmt::skip]
        assert_eq!(bytes, [
            0x81, 2, 0,  0, 0, 0, 0, 9, 0, 0x26, 4, 1, b'n', 0,  0, 0, 0, 0, 8, 0, 0x68, 1, 1, b'b', 0,
        ]);
        let bytes = written(|out| row(out, cells(&set, &[Value::Null, Value::Bit(true)])).unwrap());
        assert_eq!(bytes, [0xD1, 0, 1, 1]);
    }

    #[test]
    fn a_refused_row_leaves_nothing_behind() {
        let set = [Column::new("n", Type::Int), Column::new("m", Type::Int)];
        let mut out = vec![9];
        assert!(row(&mut out, cells(&set, &[Value::Int(1), Value::Text("x".into())])).is_err());
        assert_eq!(out, [9]);
    }

    #[test]
    fn done_is_thirteen_bytes() {
        let bytes = written(|out| done(out, DONE, COUNT | MORE, SELECT, 258));
        assert_eq!(bytes, [0xFD, 0x11, 0, 0xC1, 0, 2, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_return_value_names_its_parameter() {
        let bytes = written(|out| return_value(out, 2, "@h", Type::Int, &Value::Int(1)).unwrap());
        #[rustfmt::skip]
        assert_eq!(bytes, [
            0xAC, 2, 0, 2, b'@', 0, b'h', 0, 1, 0, 0, 0, 0, 9, 0, 0x26, 4, 4, 1, 0, 0, 0,
        ]);
        assert_eq!(written(|out| return_status(out, -1)), [0x79, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
}
