//! What drivers ask before they run a statement, and calls they keep.

use super::{run, session};
use crate::sandbox::answer::{Conversation, Kept, Parameter, Part};
use crate::sandbox::value::{Type, Value};

fn text(value: &str) -> Parameter {
    let value = Value::Text(value.into());
    Parameter { name: String::new(), kind: Type::NVarChar(Some(4000)), value, output: false }
}

fn number(value: i64) -> Parameter {
    Parameter { name: String::new(), kind: Type::Int, value: Value::Int(value), output: false }
}

fn call(session: &mut dyn Conversation, procedure: &str, parameters: &[Parameter]) -> Vec<Part> {
    let mut kept = Kept::default();
    session.rpc(procedure, parameters, &mut kept);
    kept.0
}

/// One cell of each row: the columns of the first set, by name.
fn cells(parts: &[Part], names: &[&str]) -> Vec<Vec<Value>> {
    let Some(Part::Columns(columns)) = parts.first() else { panic!("{parts:?}") };
    let places: Vec<usize> =
        names.iter().map(|name| columns.iter().position(|c| c.name == *name).unwrap()).collect();
    let rows = parts.iter().filter_map(|part| if let Part::Row(row) = part { Some(row) } else { None });
    rows.map(|row| places.iter().map(|at| row[*at].clone()).collect()).collect()
}

fn error(parts: &[Part]) -> Option<(i32, String)> {
    parts.iter().find_map(|part| match part {
        Part::Error(message) => Some((message.number, message.text.clone())),
        _ => None,
    })
}

fn pair(name: &str, kind: &str) -> Vec<Value> {
    vec![Value::Text(name.into()), Value::Text(kind.into())]
}

#[test]
fn the_first_result_set_is_described_and_nothing_runs() {
    let sql = "EXEC sp_describe_first_result_set N'DECLARE @x int; USE msdb; IF @p = 1 PRINT 1/0;
        SELECT id, name, amount, 1/0 AS never, SYSDATETIME() FROM master.dbo.t; SELECT 2', N'@p int'";
    let parts = run(sql);
    let described = cells(&parts, &["name", "system_type_name"]);
    assert_eq!(described[0], pair("id", "int"));
    assert_eq!(described[3], pair("never", "int"));
    assert_eq!(described[4], [Value::Null, Value::Text("datetime2(7)".into())]);
    assert_eq!(described.len(), 5);
    for part in &parts {
        if let Part::Row(row) = part {
            assert_eq!(row.len(), 39);
        }
    }
    assert_eq!(cells(&run("EXEC sp_describe_first_result_set N'PRINT 1'"), &["name"]).len(), 0);
    assert_eq!(error(&run("EXEC sp_describe_first_result_set N'SELECT * FROM nothing'")).unwrap().0, 208);
    assert_eq!(error(&run("EXEC sp_describe_first_result_set N'EXEC (@x)'")).unwrap().0, 59999);
}

#[test]
fn undeclared_parameters_are_what_they_are_compared_with_or_put_into() {
    let mut session = session();
    let mut asked = |sql: &str| {
        let parts = call(&mut *session, "sys.sp_describe_undeclared_parameters", &[text(sql)]);
        match error(&parts) {
            Some((number, text)) => Err((number, text)),
            None => Ok(cells(&parts, &["name", "suggested_system_type_name"])),
        }
    };
    assert_eq!(
        asked("SELECT name FROM t WHERE id = @P1 AND (@P2 < amount OR NOT name IN (N'x', @P3))"),
        Ok(vec![pair("@P1", "int"), pair("@P2", "numeric(10,2)"), pair("@P3", "nvarchar(20)")])
    );
    assert_eq!(
        asked("INSERT t (amount, id) VALUES (@a, @b)"),
        Ok(vec![pair("@a", "numeric(10,2)"), pair("@b", "int")])
    );
    assert_eq!(
        asked("UPDATE t SET name = @a WHERE id BETWEEN @b AND @c"),
        Ok(vec![pair("@a", "nvarchar(20)"), pair("@b", "int"), pair("@c", "int")])
    );
    assert_eq!(asked("DELETE t WHERE id = @a"), Ok(vec![pair("@a", "int")]));
    assert_eq!(asked("DECLARE @x int, @y int; SELECT @x, @y"), Ok(vec![]));
    assert_eq!(asked("SELECT 1 FROM t WHERE id = @a OR id = @a").unwrap_err().0, 11508);
    assert_eq!(
        asked("SELECT @p"),
        Err((59999, "not modelled: the type of the undeclared parameter @p".into()))
    );
}

#[test]
fn a_call_is_kept_and_run_again_by_its_handle() {
    let mut session = session();
    let handle = Parameter { output: true, ..number(0) };
    let first = [handle, text("sp_executesql"), text("SELECT @a + 1"), text("@a int"), number(4)];
    let parts = call(&mut *session, "sp_prepexecrpc", &first);
    assert!(parts.contains(&Part::Row(vec![Value::Int(5)])));
    let Some(Part::Output { value: Value::Int(handle), .. }) = parts.last() else { panic!("{parts:?}") };
    let again = [number(*handle), text("SELECT @a + 1"), text("@a int"), number(7)];
    assert!(call(&mut *session, "sp_execute", &again).contains(&Part::Row(vec![Value::Int(8)])));
    call(&mut *session, "sp_unprepare", &[number(*handle)]);
    assert_eq!(error(&call(&mut *session, "sp_execute", &again)).unwrap().0, 8179);
}

#[test]
fn what_would_call_itself_for_ever_and_server_cursors_are_refused() {
    let mut session = session();
    let handle = Parameter { output: true, ..number(0) };
    for name in ["sp_execute", "sys.sp_prepexecrpc", "[sp_prepexec]", "", "a b"] {
        let parts = call(&mut *session, "sp_prepexecrpc", &[handle.clone(), text(name), number(1)]);
        assert_eq!(error(&parts).unwrap().0, 59999, "{name}");
    }
    for name in ["sp_cursoropen", "sp_cursorprepexec", "sp_cursorfetch"] {
        let (number, text) = error(&call(&mut *session, name, std::slice::from_ref(&handle))).unwrap();
        assert_eq!((number, text), (59999, format!("not modelled: server cursors ({name})")));
    }
}

#[test]
fn types_are_told_to_drivers() {
    let rows =
        cells(&run("EXEC sp_datatype_info_100 @ODBCVer = 3, @data_type = -9"), &["TYPE_NAME", "PRECISION"]);
    assert_eq!(rows[0], [Value::Text("nvarchar".into()), Value::Int(4000)]);
    assert_eq!(rows.len(), 2);
}
