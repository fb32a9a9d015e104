//! The floors: who may know whom, and what nobody may touch. `src/ARCHITECTURE.md` draws the same table.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Top-level modules with what they may import beside themselves. Floor by floor.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // floor 0
    ("limits", &[]),
    ("clock", &[]),
    ("text", &[]),
    ("yaml", &["limits"]),
    ("diagnostic", &["yaml", "text"]),
    // floor 1
    ("reading", F0),
    ("check", &["clock", "text", "limits", "reading", "runbook"]),
    ("sql", &["clock", "text", "limits", "yaml", "diagnostic", "reading"]),
    ("analysis", F01),
    ("runbook", F01),
    ("estate", F01),
    ("engine", F01),
    // floor 2
    ("record", F01),
    ("server", &["clock", "text", "limits", "sql", "reading", "estate"]),
    ("export", &[F01_LOCALE_MARK]),
    ("library", F01),
    ("config", F01),
    ("locale", F01),
    // floor 3
    ("sandbox", F0),
    // floor 4
    ("drive", F012),
    ("errand", F012),
    ("headless", F012_DRIVE),
    ("desk", F012_DRIVE),
    ("tui", F012_DESK),
    ("plain", F012_DESK),
];

const F0: &[&str] = &["limits", "clock", "text", "yaml", "diagnostic"];
const F01: &[&str] = &[
    "limits",
    "clock",
    "text",
    "yaml",
    "diagnostic",
    "reading",
    "check",
    "sql",
    "analysis",
    "runbook",
    "estate",
    "engine",
];
const F012: &[&str] = &[
    "limits",
    "clock",
    "text",
    "yaml",
    "diagnostic",
    "reading",
    "check",
    "sql",
    "analysis",
    "runbook",
    "estate",
    "engine",
    "record",
    "server",
    "export",
    "library",
    "config",
    "locale",
    "drive",
    "errand",
];
const F012_DRIVE: &[&str] = F012;
const F012_DESK: &[&str] = &[
    "limits",
    "clock",
    "text",
    "yaml",
    "diagnostic",
    "reading",
    "check",
    "sql",
    "analysis",
    "runbook",
    "estate",
    "engine",
    "record",
    "server",
    "export",
    "library",
    "config",
    "locale",
    "drive",
    "errand",
    "desk",
];
/// Exports take words as values, so they may know the locale.
const F01_LOCALE_MARK: &str = "floors 0-1 and locale";

/// What floors 0 and 1 must never touch.
const OUTSIDE: &[&str] =
    &["tokio", "tiberius", "ratatui", "crossterm", "std::fs", "std::net", "std::env", "std::process"];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// The part of a file that is not tests, without comments.
fn code(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Whether a file holds nothing but tests.
fn is_test_file(path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().filter_map(|p| p.to_str()).collect();
    parts.iter().any(|p| matches!(*p, "tests" | "tests.rs" | "cases.rs" | "samples.rs" | "script.rs"))
}

/// The top-level module a file belongs to.
fn module(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path.strip_prefix(root).unwrap().iter().next().unwrap().to_str().unwrap().to_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Names of top-level modules a text mentions through `crate::`.
fn mentions(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = &group[..group.find("};").unwrap_or(group.len())];
            let mut depth = 0;
            let mut word = String::new();
            let mut at_start = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        at_start = true;
                        continue;
                    }
                    _ => {}
                }
                if depth == 0 && at_start {
                    if c.is_alphanumeric() || c == '_' {
                        word.push(c);
                    } else if !word.is_empty() {
                        found.insert(std::mem::take(&mut word));
                        at_start = false;
                    }
                }
            }
        } else {
            found.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn every_module_stays_on_its_floor() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = module(&path);
        if matches!(module.as_str(), "lib" | "main" | "cli") || is_test_file(&path) {
            continue;
        }
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(m, _)| *m == module) else {
            wrong.push(format!("{module} stands on no floor: add it to the table"));
            continue;
        };
        let mut allowed: Vec<&str> = allowed.to_vec();
        if allowed.contains(&F01_LOCALE_MARK) {
            allowed.extend(F01);
            allowed.push("locale");
        }
        for name in mentions(&code(&text)) {
            if name != module && !allowed.contains(&name.as_str()) && !name.is_empty() {
                wrong.push(format!("{} knows {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn floors_0_and_1_touch_nothing_outside() {
    let pure: Vec<&str> = F01.to_vec();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if !pure.contains(&module(&path).as_str()) || is_test_file(&path) {
            continue;
        }
        // An address is a value; only sockets reach outside.
        let code = code(&text).replace("std::net::IpAddr", "").replace("std::net::Ipv4Addr", "");
        for word in OUTSIDE {
            if code.contains(&format!("{word}::")) || code.contains(&format!("use {word}")) {
                wrong.push(format!("{} touches {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn some_things_are_known_in_one_place_only() {
    // (what, where it may be)
    let rules: &[(&str, &[&str])] = &[
        ("serde_yaml::", &["src/yaml.rs"]),
        ("tiberius::", &["src/server/tds", "src/server/value.rs"]),
        ("Utc::now", &["src/clock.rs"]),
        ("Local::now", &["src/clock.rs"]),
        ("SystemTime::now", &[]),
        ("Instant::now", &["src/clock.rs", "src/sandbox/", "src/server/", "src/errand/", "src/tui/run.rs"]),
        ("println!(", &[]),
        ("eprintln!(", &[]),
        ("print!(", &[]),
        ("ratatui::", &["src/tui/", "src/tui.rs"]),
    ];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if is_test_file(&path) {
            continue;
        }
        let shown =
            path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string().replace('\\', "/");
        let code = code(&text);
        for (what, places) in rules {
            if code.contains(what) && !places.iter().any(|p| shown.starts_with(p)) {
                wrong.push(format!("{shown} uses {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files that hold one long table or one long walk, each longer than the usual limit for the reason given.
const LONG: &[(&str, usize)] = &[
    // The file format of the record: every variant with its documentation.
    ("src/engine/event.rs", 520),
    // The syntax of T-SQL, and what it is bound to: one enum and its parts.
    ("src/sandbox/tsql/ast.rs", 850),
    ("src/sandbox/tsql/plan.rs", 590),
    // Data as it is saved, and as an author writes it.
    ("src/sandbox/world/state.rs", 540),
    ("src/sandbox/world/plan.rs", 540),
    // Grown past the limit, to be divided; none may grow further.
    ("src/export/document.rs", 470),
    ("src/record/verify.rs", 480),
    ("src/sandbox/host.rs", 500),
    ("src/sandbox/tsql/binder/query.rs", 540),
    ("src/sandbox/tsql/execute.rs", 540),
    ("src/sandbox/tsql/parser/table.rs", 500),
    ("src/sandbox/tsql/session/batch.rs", 470),
    ("src/sandbox/tsql/session/call.rs", 520),
    ("src/sandbox/tsql/session/table.rs", 530),
    ("src/sandbox/tsql/xml.rs", 620),
    ("src/sandbox/world.rs", 490),
    ("src/sandbox/world/ha/groups.rs", 630),
    ("src/sandbox/world/server.rs", 500),
    ("src/sandbox/world/server/procedures/agent/help.rs", 580),
    ("src/sandbox/world/server/views/ha.rs", 510),
    ("src/sandbox/world/server/views/objects.rs", 530),
];

#[test]
fn no_file_holds_two_concepts() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if is_test_file(&path) {
            continue;
        }
        let shown =
            path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string().replace('\\', "/");
        let lines = text[..text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(text.len())].lines().count();
        let most = LONG.iter().find(|(p, _)| *p == shown).map_or(460, |(_, n)| *n);
        if lines > most {
            wrong.push(format!("{shown} has {lines} lines, {most} are allowed"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A cell of the page's table: groups by name, modules in backquotes.
fn named_in(cell: &str) -> BTreeSet<String> {
    let floors_0_to_2: Vec<&str> =
        F012.iter().copied().filter(|m| !["drive", "errand"].contains(m)).collect();
    let mut all = BTreeSet::new();
    for part in cell.split(',').map(str::trim) {
        match part {
            "nothing" => {}
            "floor 0" => all.extend(F0.iter().map(ToString::to_string)),
            "floors 0-1" => all.extend(F01.iter().map(ToString::to_string)),
            "floors 0-2" => all.extend(floors_0_to_2.iter().map(ToString::to_string)),
            module => {
                all.insert(module.trim_matches('`').to_owned());
            }
        }
    }
    all
}

#[test]
fn the_architecture_page_draws_the_table_that_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("src/ARCHITECTURE.md")).unwrap();
    let section = page.split("## Who may know whom").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut drawn: Vec<(String, BTreeSet<String>)> = Vec::new();
    for line in section.lines().filter(|l| l.starts_with("| `") && !l.starts_with("| `cli`")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let module = cells[0].trim_matches('`').to_owned();
        let mut may = named_in(cells[1]);
        may.remove(&module);
        drawn.push((module, may));
    }
    let tested: Vec<(String, BTreeSet<String>)> = MAY_IMPORT
        .iter()
        .map(|(module, may)| {
            let mut all: BTreeSet<String> = may.iter().map(ToString::to_string).collect();
            if all.remove(F01_LOCALE_MARK) {
                all.extend(F01.iter().map(ToString::to_string));
                all.insert("locale".to_owned());
            }
            all.remove(*module);
            ((*module).to_owned(), all)
        })
        .collect();
    assert_eq!(drawn, tested);
}

#[test]
fn the_architecture_page_names_only_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("src/ARCHITECTURE.md")).unwrap();
    let mut missing = Vec::new();
    for word in page.split(['`', ' ', '(', ')', '|', '\n']) {
        let is_path = word.contains('/')
            && ["src/", "assets/", "tests/", "runbooks/", "benches/"].iter().any(|p| word.starts_with(p))
            && !word.contains(['*', '<', '{', '…']);
        if is_path && !root.join(word.trim_end_matches(['.', ',', ':', ';'])).exists() {
            missing.push(word.to_owned());
        }
    }
    assert!(missing.is_empty(), "named and not there: {}", missing.join(", "));
}
