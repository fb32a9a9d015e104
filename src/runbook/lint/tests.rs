use super::*;
use crate::analysis::{Case, Conclusion};
use std::path::Path;

fn nothing(_: &Case<'_>) -> Conclusion {
    Conclusion::default()
}

/// The analyses the examples may name.
const ANALYSES: &[Analysis] = &[
    Analysis {
        name: "biztalk/level",
        version: 1,
        purpose: "",
        needs: &["sets"],
        uses: &["newest"],
        expects: &["LEVEL", "LAGGING"],
        captures: &["scope"],
        run: nothing,
    },
    Analysis {
        name: "looks-like-production",
        version: 1,
        purpose: "",
        needs: &["it"],
        uses: &[],
        expects: &[],
        captures: &["production-signs"],
        run: nothing,
    },
];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lints")
}

fn catalogue() -> Catalogue {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder().join("sql")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files.push((name, std::fs::read_to_string(&path).unwrap()));
    }
    let (catalogue, problems) =
        crate::sql::header::catalogue(files.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    assert_eq!(problems, []);
    catalogue
}

fn findings(file: &str) -> (String, Vec<Diagnostic>) {
    let text = std::fs::read_to_string(folder().join(file)).unwrap().replace("\r\n", "\n");
    let (book, problems) = crate::runbook::parse::parse(&text);
    let book = book.unwrap_or_else(|| panic!("{}", crate::diagnostic::render(file, &text, &problems, false)));
    let all = lint_with(&book, &text, &catalogue(), ANALYSES);
    (text, all)
}

#[test]
fn a_good_runbook_has_no_findings() {
    let (text, all) = findings("good.yaml");
    assert!(all.is_empty(), "{}", crate::diagnostic::render("good.yaml", &text, &all, false));
}

#[test]
fn each_rule_finds_its_bad_example_and_nothing_else() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for rule in RULES {
        let file = format!("{}.yaml", rule.name);
        let (text, all) = findings(&file);
        let codes: Vec<_> = all.iter().map(|d| d.code).collect();
        assert!(!codes.is_empty() && codes.iter().all(|c| *c == rule.name), "{file}: {codes:?}");
        let shown = crate::diagnostic::render(&file, &text, &all, false);
        settings.bind(|| insta::assert_snapshot!(rule.name, shown));
    }
}

#[test]
fn rules_stand_in_order_and_every_example_has_one() {
    let names: Vec<_> = RULES.iter().map(|r| r.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert!(RULES.iter().all(|r| !r.reason.is_empty()));
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "yaml") {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            assert!(stem == "good" || names.contains(&stem.as_str()), "no rule is called `{stem}`");
        }
    }
}

#[test]
fn when_there_is_too_much_errors_come_before_warnings() {
    let steps: String = (0..60)
        .map(|n| format!("      - {{ step: s{n}, title: t, manual: m }}\n"))
        .chain(["      - { step: last, title: t, plan: 1m, check: { on: a, query: no/such, expect: [{ rows: 1 }] } }\n".into()])
        .collect();
    let text = format!(
        "runbook: b\nversion: 1\ntitle: t\nmodes: [incident]\nroles: {{ a: {{ sql: one }} }}\nphases:\n  - phase: p\n    title: t\n    steps:\n{steps}"
    );
    let (book, problems) = crate::runbook::parse::parse(&text);
    assert_eq!(problems, []);
    let all = lint_with(&book.unwrap(), &text, &catalogue(), ANALYSES);
    assert_eq!(all.len(), limits::PROBLEMS);
    assert!(all.iter().any(|d| d.code == "unknown-query"));
}
