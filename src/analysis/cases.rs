//! Runs the case files: `tests/cases/analysis/<family>/<name>/*.yaml`, readings in, verdicts, findings and captures out.
//!
//! ```yaml
//! analysis: biztalk/pointers
//! expect: new                      # what the runbook expects, if anything
//! with: { source_state: dead }
//! inputs: { names: { strategy: update-database, new: { OLD: NEW } }, thresholds: {}, servers: {}, roles: {} }
//! captured: { scope: { DRSQL1: [A, B] } }
//! tables:                          # readings by name, to be used and changed by several cases
//!   good: { columns: [a, b], rows: [[1, x]] }
//! cases:
//!   - case: a sentence
//!     asks: { it: { DRSQL1: good, DRSQL2/Db: { trouble: timeout } } }
//!     verdict: pass
//!     says: { DRSQL1: [pointers-right], '': [level] }     # codes per server, server/database or whole; all of them
//!     captures: { mark.name: X }
//! ```
//! A table may say `like: other`, with `set: { a: v }` (all rows), `where: { b: w }` (only those rows), `drop: true` (those
//! rows go) and `add: [[..]]`; several changes stand in a list `change:`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Answer, Case, find};
use crate::check::{Judgement, Verdict};
use crate::engine::{Captured, Inputs, ServerInput};
use crate::reading::{Cell, Column, Kind, Reading, ServerFacts, Source, Trouble, TroubleCode};
use crate::yaml::{self, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    analysis: String,
    expect: Option<String>,
    #[serde(default)]
    with: BTreeMap<String, Value>,
    #[serde(default)]
    inputs: GivenInputs,
    #[serde(default)]
    captured: BTreeMap<String, Captured>,
    #[serde(default)]
    tables: BTreeMap<String, Given>,
    cases: Vec<Written>,
}

#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields, default)]
struct GivenInputs {
    environment: String,
    servers: BTreeMap<String, GivenServer>,
    roles: BTreeMap<String, Vec<String>>,
    names: Option<crate::engine::Names>,
    thresholds: BTreeMap<String, f64>,
    scope: Option<Vec<String>>,
}

#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields, default)]
struct GivenServer {
    environment: String,
    expect_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    case: String,
    expect: Option<String>,
    with: Option<BTreeMap<String, Value>>,
    inputs: Option<GivenInputs>,
    captured: Option<BTreeMap<String, Captured>>,
    asks: BTreeMap<String, BTreeMap<String, Given>>,
    verdict: Verdict,
    #[serde(default)]
    says: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    verdicts: BTreeMap<String, Verdict>,
    #[serde(default)]
    captures: BTreeMap<String, Captured>,
    #[serde(default)]
    captures_nothing: bool,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Given {
    Name(String),
    Trouble(GivenTrouble),
    Like(Like),
    Table(Table),
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct GivenTrouble {
    trouble: TroubleCode,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Like {
    like: String,
    #[serde(default)]
    change: Vec<Change>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    truncated: bool,
    #[serde(default)]
    simulated: Option<bool>,
    #[serde(default)]
    clock: Option<DateTime<Utc>>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default, rename = "where")]
    only: BTreeMap<String, Value>,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    drop: bool,
    #[serde(default)]
    add: Vec<Vec<Value>>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    #[serde(default)]
    simulated: bool,
    clock: Option<DateTime<Utc>>,
    name: Option<String>,
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(b) => Cell::Bit(*b),
        Value::Number(n) => n.as_i64().map_or_else(|| Cell::Float { float: n.as_f64().unwrap() }, Cell::Int),
        Value::String(s) => match s.strip_prefix("dec:") {
            Some(dec) => Cell::Decimal { dec: dec.to_owned() },
            None => Cell::text(s.as_str()),
        },
        other => panic!("{other:?} is no cell"),
    }
}

fn reading(table: &Table) -> Reading {
    for row in &table.rows {
        assert_eq!(row.len(), table.columns.len(), "{row:?}");
    }
    Reading {
        source: Source::Sql,
        server: Some(ServerFacts {
            name: table.name.clone().unwrap_or_default(),
            version: "15.0.4430.1".into(),
            simulated: table.simulated,
            clock: table.clock.unwrap_or_default(),
            offset_minutes: 0,
        }),
        query_sha256: None,
        columns: table.columns.iter().map(|c| Column { name: c.clone(), kind: Kind::Unknown }).collect(),
        rows: table.rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
        row_count: table.rows.len() as u64,
        truncated: false,
        took_ms: 1,
        messages: Vec::new(),
    }
}

fn outcome(given: &Given, tables: &BTreeMap<String, Given>, depth: usize) -> Result<Reading, Trouble> {
    assert!(depth < 8, "tables refer to each other in a circle");
    let named = |name: &str| tables.get(name).unwrap_or_else(|| panic!("no table {name}"));
    match given {
        Given::Name(name) => outcome(named(name), tables, depth + 1),
        Given::Trouble(t) => Err(Trouble::new(t.trouble, "said so")),
        Given::Table(table) => Ok(reading(table)),
        Given::Like(like) => {
            let mut reading = outcome(named(&like.like), tables, depth + 1)?;
            for change in &like.change {
                apply(&mut reading, change);
            }
            for column in &like.without {
                let at = reading.column(column).unwrap();
                reading.columns.remove(at);
                for row in &mut reading.rows {
                    row.remove(at);
                }
            }
            reading.truncated = like.truncated;
            let facts = reading.server.as_mut().unwrap();
            facts.simulated = like.simulated.unwrap_or(facts.simulated);
            facts.clock = like.clock.unwrap_or(facts.clock);
            Ok(reading)
        }
    }
}

fn apply(reading: &mut Reading, change: &Change) {
    let at = |reading: &Reading, c: &str| reading.column(c).unwrap_or_else(|| panic!("no column {c}"));
    let only: Vec<(usize, Cell)> = change.only.iter().map(|(c, v)| (at(reading, c), cell(v))).collect();
    let set: Vec<(usize, Cell)> = change.set.iter().map(|(c, v)| (at(reading, c), cell(v))).collect();
    let hit = |row: &Vec<Cell>| only.iter().all(|(n, v)| row[*n] == *v);
    assert!(change.only.is_empty() || reading.rows.iter().any(hit), "no row is changed by {:?}", change.only);
    if change.drop {
        reading.rows.retain(|row| !hit(row));
    }
    for row in reading.rows.iter_mut().filter(|r| hit(r)) {
        for (n, value) in &set {
            row[*n] = value.clone();
        }
    }
    for row in &change.add {
        assert_eq!(row.len(), reading.columns.len());
        reading.rows.push(row.iter().map(cell).collect());
    }
    reading.row_count = reading.rows.len() as u64;
}

fn inputs(given: &GivenInputs) -> Inputs {
    Inputs {
        estate: "case".into(),
        environment: given.environment.clone(),
        servers: given
            .servers
            .iter()
            .map(|(name, s)| {
                let server = ServerInput {
                    environment: s.environment.clone(),
                    expect_name: s.expect_name.clone(),
                    ..ServerInput::default()
                };
                (name.clone(), server)
            })
            .collect(),
        roles: given.roles.clone(),
        names: given.names.clone().unwrap_or_default(),
        thresholds: given.thresholds.clone(),
        scope: given.scope.clone(),
        management_database: "BizTalkMgmtDb".into(),
        ..Inputs::default()
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            found.push(path);
        }
    }
}

fn about(judgement: &Judgement) -> String {
    match (&judgement.server, &judgement.database) {
        (Some(server), Some(database)) => format!("{server}/{database}"),
        (Some(server), None) => server.clone(),
        _ => String::new(),
    }
}

fn run(file: &File, written: &Written, words: &BTreeMap<String, String>) -> Vec<String> {
    let analysis = find(&file.analysis).unwrap_or_else(|| panic!("no analysis {}", file.analysis));
    let mut answers: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    for (ask, given) in &written.asks {
        assert!(analysis.needs.iter().chain(analysis.uses).any(|a| a == ask), "{ask} is not asked for");
        for (place, table) in given {
            let (server, database) =
                place.split_once('/').map_or((place.as_str(), None), |(s, d)| (s, Some(d)));
            answers.entry(ask.clone()).or_default().push(Answer {
                server: server.to_owned(),
                database: database.map(str::to_owned),
                outcome: outcome(table, &file.tables, 0).map(Arc::new),
            });
        }
    }
    let with =
        written.with.as_ref().unwrap_or(&file.with).iter().map(|(k, v)| (k.clone(), cell(v))).collect();
    let inputs = inputs(written.inputs.as_ref().unwrap_or(&file.inputs));
    let expect = written.expect.as_deref().or(file.expect.as_deref());
    assert!(expect.is_none_or(|e| analysis.expects.contains(&e)), "{expect:?} is never expected");
    let case = Case {
        answers: &answers,
        expect,
        with: &with,
        inputs: &inputs,
        captured: written.captured.as_ref().unwrap_or(&file.captured),
        typed: &BTreeMap::new(),
        now: DateTime::default(),
    };
    let conclusion = (analysis.run)(&case);
    let mut wrong = Vec::new();
    let verdict = Verdict::worst(conclusion.judgements.iter().map(|j| j.verdict));
    let mut said: BTreeMap<String, (Verdict, BTreeSet<String>)> = BTreeMap::new();
    for judgement in &conclusion.judgements {
        let entry = said.entry(about(judgement)).or_insert((Verdict::NotApplicable, BTreeSet::new()));
        entry.0 = entry.0.worse(judgement.verdict);
        for finding in &judgement.findings {
            entry.1.insert(finding.code.clone());
            match words.get(&finding.code) {
                None => wrong.push(format!("{} has no words", finding.code)),
                Some(sentence) => {
                    for blank in sentence.split('{').skip(1).filter_map(|s| s.split_once('}')).map(|(n, _)| n)
                    {
                        if !finding.data.contains_key(blank) {
                            wrong.push(format!("{} has no {blank} to fill in", finding.code));
                        }
                    }
                }
            }
        }
    }
    if verdict != written.verdict {
        wrong.push(format!("the verdict is {verdict:?}, expected {:?}: {said:?}", written.verdict));
    }
    for (place, codes) in &written.says {
        let expected: BTreeSet<String> = codes.iter().cloned().collect();
        let actual = said.get(place).map(|(_, c)| c.clone()).unwrap_or_default();
        if actual != expected {
            wrong.push(format!("{place:?} says {actual:?}, expected {expected:?}"));
        }
    }
    for (place, expected) in &written.verdicts {
        let actual = said.get(place).map(|(v, _)| *v);
        if actual != Some(*expected) {
            wrong.push(format!("{place:?} is {actual:?}, expected {expected:?}"));
        }
    }
    for (name, expected) in &written.captures {
        let actual = conclusion.captures.get(name);
        if actual != Some(expected) {
            wrong.push(format!("{name} is {actual:?}, expected {expected:?}"));
        }
    }
    if written.captures_nothing && !conclusion.captures.is_empty() {
        wrong.push(format!("captures {:?}", conclusion.captures));
    }
    for name in conclusion.captures.keys() {
        assert!(analysis.captures.contains(&name.as_str()), "{name} is not announced");
    }
    wrong
}

#[test]
fn every_case_is_judged_as_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let words = std::fs::read_to_string(root.join("assets/locales/en/findings.yaml")).unwrap();
    let words: BTreeMap<String, String> = yaml::read(&words).unwrap();
    let mut paths = Vec::new();
    files(&root.join("tests/cases/analysis"), &mut paths);
    let mut wrong = Vec::new();
    let mut tried: BTreeMap<String, BTreeSet<Verdict2>> = BTreeMap::new();
    for path in &paths {
        let text = std::fs::read_to_string(path).unwrap();
        let file: File = yaml::read(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for written in &file.cases {
            tried.entry(file.analysis.clone()).or_default().insert(Verdict2(written.verdict.rank()));
            for problem in run(&file, written, &words) {
                wrong.push(format!("{}: {}: {problem}", path.display(), written.case));
            }
        }
    }
    assert!(wrong.is_empty(), "{} problems\n{}", wrong.len(), wrong.join("\n"));
    // Every analysis is shown good, bad and blind.
    for analysis in super::ALL {
        let ranks = tried.get(analysis.name).cloned().unwrap_or_default();
        for verdict in [Verdict::Pass, Verdict::Unknown] {
            assert!(ranks.contains(&Verdict2(verdict.rank())), "{} has no case {verdict:?}", analysis.name);
        }
        let bad = [Verdict::Fail, Verdict::Warn].iter().any(|v| ranks.contains(&Verdict2(v.rank())));
        assert!(bad || analysis.name == "agent/snapshot", "{} has no case that finds fault", analysis.name);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Verdict2(u8);

#[test]
fn no_analysis_passes_without_answers() {
    for analysis in super::ALL {
        for expect in analysis.expects.iter().map(|e| Some(*e)).chain([None]) {
            for given in ["none", "trouble", "empty"] {
                let mut answers: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
                for ask in analysis.needs.iter().chain(analysis.uses) {
                    let outcome = match given {
                        "trouble" => Err(Trouble::new(TroubleCode::Timeout, "late")),
                        _ => Ok(Arc::new(reading(&Table {
                            columns: vec![],
                            rows: vec![],
                            simulated: false,
                            clock: None,
                            name: None,
                        }))),
                    };
                    if given != "none" {
                        let answer = Answer { server: "S".into(), database: Some("D".into()), outcome };
                        answers.insert((*ask).to_owned(), vec![answer]);
                    }
                }
                let scope = Captured::PerServer(BTreeMap::from([("S".to_owned(), vec!["D".to_owned()])]));
                let case = Case {
                    answers: &answers,
                    expect,
                    with: &BTreeMap::new(),
                    inputs: &Inputs::default(),
                    captured: &BTreeMap::from([("scope".to_owned(), scope)]),
                    typed: &BTreeMap::new(),
                    now: DateTime::default(),
                };
                let conclusion = (analysis.run)(&case);
                let verdict = Verdict::worst(conclusion.judgements.iter().map(|j| j.verdict));
                let clock = analysis.name == "clock/skew" && given == "empty";
                assert!(!verdict.opens() || clock, "{} {expect:?} {given}: {verdict:?}", analysis.name);
            }
        }
    }
}

#[test]
fn every_shipped_query_and_runbook_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut problems = Vec::new();
    let mut queries = Vec::new();
    for family in ["agent", "biztalk", "server", "sql"] {
        let folder = root.join("assets/sql").join(family);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        paths.sort();
        queries.extend(paths.iter().map(|p| (p.display().to_string(), std::fs::read_to_string(p).unwrap())));
    }
    let (catalogue, found) =
        crate::sql::header::catalogue(queries.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    problems.extend(found.iter().map(|(path, d)| format!("{path}: {d:?}")));
    let mut found = Vec::new();
    files(&root.join("runbooks"), &mut found);
    for path in found.iter().filter(|p| !p.to_string_lossy().ends_with(".answers.yaml")) {
        let text = std::fs::read_to_string(path).unwrap();
        let (book, diagnostics) = crate::runbook::parse::parse(&text);
        problems.extend(diagnostics.iter().map(|d| format!("{}: {d:?}", path.display())));
        for step in book.iter().flat_map(|b| &b.steps) {
            assert!(!step.why.is_empty() && !step.remedy.is_empty() && step.plan.is_some(), "{}", step.id);
        }
        if let Some(book) = &book {
            let warnings = crate::runbook::lint::lint(book, &text, &catalogue);
            problems.extend(warnings.iter().map(|d| format!("{}: {d:?}", path.display())));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
