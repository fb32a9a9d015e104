//! The registry as xp_regread shows it, and xp_msver.

use super::{Given, answer};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Type, Value};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{NULL, as_text, int, text};

/// xp_instance_regread: keys are those of the instance at hand.
pub(super) fn instance(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    read(call, "xp_instance_regread", given, true, parts)
}

pub(super) fn plain(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    read(call, "xp_regread", given, false, parts)
}

fn read(call: &Call<'_>, procedure: &str, given: &Given, instance: bool, parts: &mut Kept) -> Outcome<i32> {
    let word = |n: usize| given.get(n).map(|(_, v)| v).and_then(as_text);
    let (Some(root), Some(key), Some(name)) = (word(0), word(1), word(2)) else {
        let text = "Error executing extended stored procedure: Invalid Parameter";
        return Err(Message { procedure: procedure.into(), ..Message::error(22001, text) });
    };
    if !matches!(root.to_uppercase().as_str(), "HKEY_LOCAL_MACHINE" | "HKLM") {
        return Err(Message::not_modelled(format_args!("the registry under {root}")));
    }
    let value = call.server().registry_value(key, name, instance);
    // With a fourth argument the value goes there; without one it is a result set.
    if let Some((parameter, _)) = given.get(3) {
        let kind = match value {
            Some(Value::Int(_)) => Type::Int,
            _ => Type::NVarChar(Some(4000)),
        };
        let name = parameter.clone().unwrap_or_else(|| "#3".to_owned());
        let _ = parts.put(Part::Output { name, kind, value: value.unwrap_or(NULL) });
        return Ok(0);
    }
    match value {
        Some(Value::Int(n)) => {
            answer("Value nvarchar(260); Data int", vec![vec![text(name), int(n)]], parts);
        }
        Some(value) => {
            answer("Value nvarchar(260); Data nvarchar(4000)", vec![vec![text(name), value]], parts);
        }
        None => {
            let text = "RegQueryValueEx() returned error 2, 'The system cannot find the file specified.'";
            return Err(Message { procedure: procedure.into(), ..Message::error(22001, text) });
        }
    }
    Ok(0)
}

/// xp_msver, whole or of some names.
#[allow(clippy::unnecessary_wraps, reason = "the form of every procedure")]
pub(super) fn versions(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let server = call.server();
    let (major, minor, build, revision) = server.version;
    let version = format!("{major}.{minor}.{build}.{revision}");
    let high = i64::from(major) << 16 | i64::from(minor);
    let all: [(&str, Option<i64>, Option<String>); 20] = [
        ("ProductName", None, Some("Microsoft SQL Server".into())),
        ("ProductVersion", Some(high), Some(version)),
        ("Language", Some(1033), Some("English (United States)".into())),
        ("Platform", None, Some("NT x64".into())),
        ("Comments", None, Some("SQL (simulated)".into())),
        ("CompanyName", None, Some("Microsoft Corporation".into())),
        ("FileDescription", None, Some("SQL Server Windows NT - 64 Bit".into())),
        (
            "FileVersion",
            None,
            Some(format!(
                "{}.{:04}.{build}.{revision:02} (simulated)",
                server.year(),
                u16::from(major) * 10 + u16::from(minor)
            )),
        ),
        ("InternalName", None, Some("SQLSERVR".into())),
        ("LegalCopyright", None, Some("Microsoft. All rights reserved.".into())),
        (
            "LegalTrademarks",
            None,
            Some("Microsoft SQL Server is a registered trademark of Microsoft Corporation.".into()),
        ),
        ("OriginalFilename", None, Some("SQLSERVR.EXE".into())),
        ("PrivateBuild", None, None),
        ("SpecialBuild", Some(i64::from(build) << 16 | i64::from(revision)), None),
        ("WindowsVersion", Some(1_165_099_018), Some("10.0 (17763)".into())),
        ("ProcessorCount", Some(8), Some("8".into())),
        ("ProcessorActiveMask", None, Some("ff".into())),
        ("ProcessorType", Some(8664), None),
        ("PhysicalMemory", Some(32_767), Some("32767 (34359197696)".into())),
        ("Product ID", None, None),
    ];
    let names: Vec<&str> = given.iter().filter_map(|(_, v)| as_text(v)).collect();
    let rows = all
        .into_iter()
        .enumerate()
        .filter(|(_, row)| names.is_empty() || names.iter().any(|n| n.eq_ignore_ascii_case(row.0)))
        .map(|(n, (name, number, word))| {
            vec![int(n as i64 + 1), text(name), number.map_or(NULL, int), word.map_or(NULL, text)]
        });
    answer(
        "Index smallint; Name nvarchar(256); Internal_Value int; Character_Value nvarchar(256)",
        rows.collect(),
        parts,
    );
    Ok(0)
}
