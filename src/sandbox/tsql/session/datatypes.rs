//! What `sp_datatype_info` tells ODBC drivers of the types.
//!
//! Does not know which of them the sandbox can hold: it is the server's list.

use crate::sandbox::value::{Column, Type, Value};

/// name, ODBC type, precision, prefix, suffix, parameters, nullable, case, searchable, unsigned, money,
/// identity, least and most scale, verbose type and its part, radix, USERTYPE; `-` is NULL
const TYPES: &str = "\
sql_variant -150 8000 - - - 1 0 2 - 0 - 0 0 -150 - 10 0
uniqueidentifier -11 36 ' ' - 1 0 2 - 0 - - - -11 - - 0
ntext -10 1073741823 N' ' - 1 0 1 - 0 - - - -10 - - 0
xml -152 0 N' ' - 1 1 0 - 0 - - - -152 - - 0
nvarchar -9 4000 N' ' max~length 1 0 3 - 0 - - - -9 - - 0
sysname -9 128 N' ' - 0 0 3 - 0 - - - -9 - - 18
nchar -8 4000 N' ' length 1 0 3 - 0 - - - -8 - - 0
bit -7 1 - - - 1 0 2 - 0 - 0 0 -7 - - 16
tinyint -6 3 - - - 1 0 2 1 0 0 0 0 -6 - 10 5
tinyint~identity -6 3 - - - 0 0 2 1 0 1 0 0 -6 - 10 5
bigint -5 19 - - - 1 0 2 0 0 0 0 0 -5 - 10 0
bigint~identity -5 19 - - - 0 0 2 0 0 1 0 0 -5 - 10 0
image -4 2147483647 0x - - 1 0 0 - 0 - - - -4 - - 20
varbinary -3 8000 0x - max~length 1 0 2 - 0 - - - -3 - - 4
binary -2 8000 0x - length 1 0 2 - 0 - - - -2 - - 3
timestamp -2 8 0x - - 0 0 2 - 0 - - - -2 - - 80
text -1 2147483647 ' ' - 1 0 1 - 0 - - - -1 - - 19
char 1 8000 ' ' length 1 0 3 - 0 - - - 1 - - 1
numeric 2 38 - - precision,scale 1 0 2 0 0 0 0 38 2 - 10 10
numeric()~identity 2 38 - - precision 0 0 2 0 0 1 0 0 2 - 10 10
decimal 3 38 - - precision,scale 1 0 2 0 0 0 0 38 3 - 10 24
money 3 19 $ - - 1 0 2 0 1 0 4 4 3 - 10 11
smallmoney 3 10 $ - - 1 0 2 0 1 0 4 4 3 - 10 21
decimal()~identity 3 38 - - precision 0 0 2 0 0 1 0 0 3 - 10 24
int 4 10 - - - 1 0 2 0 0 0 0 0 4 - 10 7
int~identity 4 10 - - - 0 0 2 0 0 1 0 0 4 - 10 7
smallint 5 5 - - - 1 0 2 0 0 0 0 0 5 - 10 6
smallint~identity 5 5 - - - 0 0 2 0 0 1 0 0 5 - 10 6
float 6 53 - - - 1 0 2 0 0 0 - - 6 - 2 8
real 7 24 - - - 1 0 2 0 0 0 - - 7 - 2 23
varchar 12 8000 ' ' max~length 1 0 3 - 0 - - - 12 - - 2
date 91 10 ' ' - 1 0 3 - 0 - - 0 9 1 - 0
time -154 16 ' ' scale 1 0 3 - 0 - 0 7 -154 0 - 0
datetime2 93 27 ' ' scale 1 0 3 - 0 - 0 7 9 3 - 0
datetimeoffset -155 34 ' ' scale 1 0 3 - 0 - 0 7 -155 0 - 0
datetime 93 23 ' ' - 1 0 3 - 0 - 3 3 9 3 - 12
smalldatetime 93 16 ' ' - 1 0 3 - 0 - 0 0 9 3 - 22
";

/// The four types of 2008 and what they are to drivers that do not know them.
const NEW: [&str; 4] = ["date", "time", "datetime2", "datetimeoffset"];

pub(super) fn columns() -> Vec<Column> {
    let small = |name| Column::new(name, Type::SmallInt);
    let int = |name| Column::new(name, Type::Int);
    let text = |name| Column::new(name, Type::VarChar(Some(32)));
    let not_null = |column: Column| Column { nullable: false, ..column };
    vec![
        not_null(Column::new("TYPE_NAME", Type::SYSNAME)),
        not_null(small("DATA_TYPE")),
        int("PRECISION"),
        text("LITERAL_PREFIX"),
        text("LITERAL_SUFFIX"),
        text("CREATE_PARAMS"),
        not_null(small("NULLABLE")),
        not_null(small("CASE_SENSITIVE")),
        not_null(small("SEARCHABLE")),
        small("UNSIGNED_ATTRIBUTE"),
        not_null(small("MONEY")),
        small("AUTO_INCREMENT"),
        Column::new("LOCAL_TYPE_NAME", Type::SYSNAME),
        small("MINIMUM_SCALE"),
        small("MAXIMUM_SCALE"),
        not_null(small("SQL_DATA_TYPE")),
        small("SQL_DATETIME_SUB"),
        int("NUM_PREC_RADIX"),
        small("INTERVAL_PRECISION"),
        not_null(small("USERTYPE")),
    ]
}

/// The rows for one ODBC type (0 = all) and ODBC version; `new`: the caller knows the types of 2008.
pub(super) fn rows(wanted: i64, version: i64, new: bool) -> Vec<Vec<Value>> {
    let mut rows: Vec<Vec<Value>> = TYPES
        .lines()
        .filter(|line| new || !NEW.contains(&line.split(' ').next().unwrap_or_default()))
        .map(|line| row(line, version))
        .filter(|row| wanted == 0 || row[1] == Value::Int(wanted))
        .collect();
    // by ODBC type; within one as listed
    rows.sort_by_key(|row| if let Value::Int(kind) = row[1] { kind } else { 0 });
    rows
}

fn row(line: &str, version: i64) -> Vec<Value> {
    let words: Vec<&str> = line.split(' ').collect();
    let text = |word: &str| if word == "-" { Value::Null } else { Value::Text(word.replace('~', " ")) };
    let number = |word: &str| word.parse().map_or(Value::Null, Value::Int);
    let mut row: Vec<Value> = Vec::new();
    let name = text(words.first().unwrap_or(&"-"));
    for (at, word) in words.iter().enumerate() {
        row.push(match at {
            0 | 3..=5 => text(word),
            _ => number(word),
        });
    }
    // LOCAL_TYPE_NAME after AUTO_INCREMENT, INTERVAL_PRECISION before USERTYPE
    row.insert(12, name);
    let last = row.len() - 1;
    row.insert(last, Value::Null);
    // ODBC 2 has numbers of its own for these
    if version < 3 {
        match row[1] {
            Value::Int(93) => row[1] = Value::Int(11),
            Value::Int(91) => row[1] = Value::Int(9),
            _ => {}
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<'a>(rows: &'a [Vec<Value>], name: &str) -> &'a Vec<Value> {
        rows.iter().find(|row| row[0] == Value::Text(name.into())).unwrap()
    }

    #[test]
    fn every_row_fills_every_column() {
        let all = rows(0, 3, true);
        assert_eq!(all.len(), TYPES.lines().count());
        for row in &all {
            assert_eq!(row.len(), columns().len(), "{row:?}");
            for (value, column) in row.iter().zip(columns()) {
                assert!(column.nullable || *value != Value::Null, "{}: {row:?}", column.name);
            }
        }
    }

    #[test]
    fn texts_have_quotes_on_both_sides_and_drivers_learn_how_long_they_may_be() {
        let all = rows(0, 3, true);
        let nvarchar = named(&all, "nvarchar");
        assert_eq!(nvarchar[1..4], [Value::Int(-9), Value::Int(4000), Value::Text("N'".into())]);
        assert_eq!(nvarchar[4..6], [Value::Text("'".into()), Value::Text("max length".into())]);
        assert_eq!(named(&all, "int")[3..6], [Value::Null, Value::Null, Value::Null]);
    }

    #[test]
    fn one_type_may_be_asked_for_and_old_callers_see_old_types() {
        assert_eq!(rows(-9, 3, true).len(), 2);
        assert_eq!(rows(93, 3, true).len(), 3);
        assert_eq!(rows(93, 3, false).len(), 2);
        assert_eq!(rows(11, 2, false).len(), 2);
        assert!(rows(999, 3, true).is_empty());
    }
}
