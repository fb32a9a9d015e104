//! The shipped runbooks walk the shipped world, and what they leave stands on its own.

use std::path::Path;
use std::process::Command;

use crate::program::{Home, events};

#[test]
fn the_default_rehearsal_passes_and_leaves_a_record_that_checks_out_without_drbook() {
    let home = Home::new();
    let ran = home.run(&["rehearse", "--no-input"]).exits(0);
    let record = home.only_record();
    assert_eq!(ran.last_line(), record.display().to_string());
    assert_eq!(ran.stdout.lines().count(), 1, "stdout is data: {}", ran.stdout);
    home.run(&["records", "verify"]).exits(0);
    #[cfg(unix)]
    readme_commands_pass(&record);

    let md = home.run(&["records", "export"]).exits(0).stdout;
    let json = home.run(&["records", "export", "--format", "json"]).exits(0);
    let data = json.json();
    let book = std::fs::read_to_string(record.join("runbook.yaml")).unwrap();
    let book: serde_json::Value = serde_yaml::from_str(&book).unwrap();
    let steps: Vec<&serde_json::Value> =
        book["phases"].as_array().unwrap().iter().flat_map(|p| p["steps"].as_array().unwrap()).collect();
    assert!(steps.len() >= 20, "{}", steps.len());
    for step in steps {
        let title = step["title"]["en"].as_str().unwrap();
        assert!(md.contains(title), "{title} is not in the report");
        let id = step["step"].as_str().unwrap();
        assert!(json.stdout.contains(&format!("\"{id}\"")), "{id} is not in the JSON report");
    }
    assert!(md.contains("SIMULATED"));
    assert!(json.stdout.contains("simulated"), "{data}");
    for placeholder in ["not yet", "TODO", "TBD", "todo!", "{{", "}}", "{%", "undefined", "Some("] {
        assert!(!md.contains(placeholder), "`{placeholder}` is in the report");
    }
    let head = std::fs::read_to_string(record.join("head")).unwrap();
    assert!(md.contains(head.split_whitespace().next().unwrap()), "the head is in the report");
    no_act_twice(&record);
}

#[test]
fn the_daily_verification_passes() {
    let home = Home::new();
    let ran = home.run(&["rehearse", "--no-input", "--runbook", "backup-verification"]).exits(0);
    assert_eq!(ran.last_line(), home.only_record().display().to_string());
    home.run(&["records", "verify"]).exits(0);
    assert!(events(&home.only_record()).iter().all(|e| e.get("intended").is_none()), "it reads only");
}

/// Runs what README.txt of a record tells a person to run, as it stands there.
#[cfg(unix)]
fn readme_commands_pass(record: &Path) {
    let readme = std::fs::read_to_string(record.join("README.txt")).unwrap();
    // Blocks of commands are indented by four; a line that is not ends a block.
    let mut blocks = vec![String::new()];
    for line in readme.lines() {
        if let Some(command) = line.strip_prefix("    ") {
            let block = blocks.last_mut().unwrap();
            *block += command;
            block.push('\n');
        } else if !blocks.last().unwrap().is_empty() {
            blocks.push(String::new());
        }
    }
    blocks.retain(|b| !b.is_empty());
    assert!(blocks.len() >= 5, "{readme}");
    let mut said = String::new();
    for block in &blocks {
        let done = Command::new("sh").arg("-c").arg(block).current_dir(record).output().unwrap();
        let out = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{block}\n{out}{}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(done.stderr, b"", "{block}");
        said += &out;
    }
    let head = std::fs::read_to_string(record.join("head")).unwrap();
    let head = head.split_whitespace().next().unwrap();
    assert!(said.contains(&format!("head {head}")), "{said}");
}

/// An action whose outcome was unknown is settled before it is done again, and one that happened is never repeated.
pub(super) fn no_act_twice(record: &Path) {
    let mut open: Vec<(String, String)> = Vec::new();
    let mut happened: Vec<(String, String)> = Vec::new();
    for event in events(record) {
        let Some((kind, body)) = event.as_object().and_then(|o| o.iter().next()) else { continue };
        let act = &body["act"];
        if act.is_null() {
            continue;
        }
        // The same deed on the same server, in whichever attempt.
        let deed = (
            act["server"].as_str().unwrap_or_default().to_owned(),
            format!(
                "{} {}",
                act["step"].as_str().unwrap_or_default(),
                act["item"].as_str().unwrap_or_default()
            ),
        );
        match kind.as_str() {
            "intended" => {
                assert!(!open.contains(&deed), "{deed:?} was repeated before it was settled");
                assert!(!happened.contains(&deed), "{deed:?} was repeated though it had happened");
                open.push(deed);
            }
            "acted" | "settled" => {
                open.retain(|d| *d != deed);
                let failed =
                    body.to_string().contains("did-not-happen") || body.to_string().contains("failed");
                if !failed {
                    happened.push(deed);
                }
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "never settled: {open:?}");
}
