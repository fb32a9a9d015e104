//! Labels and GOTO: each label once, each GOTO to one that can be reached.

use super::super::ast::{SetOption, Statement, What};
use crate::sandbox::answer::Message;

/// Collects the labels of a scope; 132, 133.
pub(super) fn check(statements: &[Statement], labels: &mut Vec<String>) -> Result<(), Message> {
    labels.clear();
    let mut jumps = Vec::new();
    walk(statements, &mut Vec::new(), labels, &mut jumps)?;
    for (label, line, reach) in jumps {
        let key = label.to_lowercase();
        if !labels.contains(&key) {
            let text = format!(
                "A GOTO statement references the label '{label}' but the label has not been declared."
            );
            return Err(Message { class: 15, line, ..Message::error(133, text) });
        }
        if !reach.contains(&key) {
            return Err(Message { line, ..Message::not_modelled("GOTO into a block") });
        }
    }
    Ok(())
}

type Jump = (String, i32, Vec<String>);

fn walk(
    list: &[Statement],
    around: &mut Vec<String>,
    labels: &mut Vec<String>,
    jumps: &mut Vec<Jump>,
) -> Result<(), Message> {
    let before = around.len();
    for statement in list {
        if let What::Label(label) = &statement.what {
            let key = label.to_lowercase();
            if labels.contains(&key) {
                let text = format!(
                    "The label '{label}' has already been declared. Label names must be unique within a query batch or stored procedure."
                );
                return Err(Message { class: 15, line: statement.line, ..Message::error(132, text) });
            }
            labels.push(key.clone());
            around.push(key);
        }
    }
    for statement in list {
        one(statement, around, labels, jumps)?;
    }
    around.truncate(before);
    Ok(())
}

fn one(
    statement: &Statement,
    around: &mut Vec<String>,
    labels: &mut Vec<String>,
    jumps: &mut Vec<Jump>,
) -> Result<(), Message> {
    match &statement.what {
        What::Goto(label) => jumps.push((label.clone(), statement.line, around.clone())),
        What::Block(list) => walk(list, around, labels, jumps)?,
        What::Try { body, catch } => {
            walk(body, around, labels, jumps)?;
            walk(catch, around, labels, jumps)?;
        }
        What::If { then, otherwise, .. } => {
            one(then, around, labels, jumps)?;
            if let Some(otherwise) = otherwise {
                one(otherwise, around, labels, jumps)?;
            }
        }
        What::While { body, .. } => one(body, around, labels, jumps)?,
        _ => {}
    }
    Ok(())
}

/// PARSEONLY is set while parsing: a batch that sets it is not held back by it.
pub(super) fn sets_parse_only(statements: &[Statement]) -> bool {
    statements.iter().any(
        |s| matches!(&s.what, What::SetOption(SetOption::Switch(names, _)) if names.iter().any(|n| n == "PARSEONLY")),
    )
}
