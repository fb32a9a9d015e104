//! xp_delete_file: what maintenance plans call to delete old backup files. It really deletes them.

use chrono::NaiveDateTime;

use super::Given;
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Value;
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::as_text;

/// `xp_delete_file type, path, extension, before, subfolders`
pub(super) fn delete_file(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    call.only_sysadmin("xp_delete_file", "mssqlsystemresource")?;
    let value = |n: usize| given.get(n).map(|(_, v)| v);
    let number = |n: usize| match value(n) {
        Some(Value::Int(n)) => *n,
        _ => 0,
    };
    if number(0) != 0 {
        return Err(Message::not_modelled("xp_delete_file of reports"));
    }
    let Some(path) = value(1).and_then(as_text).map(|p| p.trim_end_matches('\\').to_owned()) else {
        let text = "Error executing extended stored procedure: Invalid Parameter";
        return Err(Message { procedure: "xp_delete_file".into(), ..Message::error(22001, text) });
    };
    let extension = value(2).and_then(as_text).unwrap_or_default().trim_start_matches('.').to_lowercase();
    let before = match value(3) {
        Some(Value::DateTime(t)) => Some(*t),
        Some(Value::Text(t)) => Some(
            ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
                .iter()
                .find_map(|f| NaiveDateTime::parse_from_str(t.trim(), f).ok())
                .ok_or_else(|| Message::not_modelled(format_args!("xp_delete_file with the time '{t}'")))?,
        ),
        _ => None,
    };
    let machine = call.server().machine().to_owned();
    let (is_file, is_folder, _) = call.seen(&path);
    let mut names = Vec::new();
    if is_file {
        names.push(path);
    } else if is_folder {
        let mut folders = vec![path.clone()];
        if number(4) != 0 {
            let inner = call.listed(&path).into_iter().filter(|(_, file)| !file);
            folders.extend(inner.map(|(name, _)| format!("{path}\\{name}")));
        }
        for folder in folders {
            let fits =
                |name: &str| extension.is_empty() || name.to_lowercase().ends_with(&format!(".{extension}"));
            let inside = call.listed(&folder).into_iter().filter(|(name, file)| *file && fits(name));
            names.extend(inside.map(|(name, _)| format!("{folder}\\{name}")));
        }
    } else {
        let text = "xp_delete_file() returned error 2, 'The system cannot find the file specified.'";
        return Err(Message { procedure: "xp_delete_file".into(), ..Message::error(22049, text) });
    }
    for name in names {
        // Only backup files, and only those whose last set is older.
        let Ok(sets) = call.state.files.read(&machine, &name) else { continue };
        let last = sets.iter().map(|s| s.set.finish).max();
        if last.is_some_and(|last| before.is_none_or(|b| last < b))
            && let Ok(real) = call.state.files.place(&machine, &name)
        {
            let _ = std::fs::remove_file(real);
        }
    }
    Ok(0)
}
