use super::*;
use crate::reading::{Column, Kind, ServerFacts, Source};
use proptest::prelude::*;
use std::fmt::Write as _;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    reading: Short,
    expect: Vec<crate::runbook::raw::RawExpect>,
    #[serde(default)]
    thresholds: BTreeMap<String, f64>,
    /// Values of `covers`, by the position of its expectation.
    #[serde(default)]
    covers: BTreeMap<usize, Vec<Cell>>,
    verdict: Verdict,
    #[serde(default)]
    findings: Vec<String>,
}

/// A reading in few words; `row_count` and `clock` only where they matter.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Short {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
    row_count: Option<u64>,
    #[serde(default)]
    truncated: bool,
    clock: Option<chrono::DateTime<chrono::Utc>>,
    #[serde(default)]
    offset_minutes: i32,
}

impl Short {
    fn reading(self) -> Reading {
        Reading {
            source: Source::Sql,
            server: self.clock.map(|clock| ServerFacts {
                name: "S".into(),
                version: "15.0.2000.5".into(),
                simulated: false,
                clock,
                offset_minutes: self.offset_minutes,
            }),
            query_sha256: None,
            columns: self.columns.into_iter().map(|name| Column { name, kind: Kind::Unknown }).collect(),
            row_count: self.row_count.unwrap_or(self.rows.len() as u64),
            rows: self.rows,
            truncated: self.truncated,
            took_ms: 1,
            messages: Vec::new(),
        }
    }
}

/// `code row 2 column a, actual 1`: code, then the data in order of their names.
fn shown(finding: &Finding) -> String {
    let data: Vec<String> = finding.data.iter().map(|(name, cell)| format!("{name} {cell}")).collect();
    if data.is_empty() { finding.code.clone() } else { format!("{}: {}", finding.code, data.join(", ")) }
}

#[test]
fn every_case_file_holds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/expect");
    let mut names = std::collections::BTreeSet::new();
    let mut codes = std::collections::BTreeSet::new();
    let mut wrong = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let cases: Vec<Case> = crate::yaml::read(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for case in cases {
            let expectations = crate::runbook::parse::expectations(&case.expect)
                .unwrap_or_else(|e| panic!("{}: {e:?}", case.name));
            let setting = Setting { thresholds: case.thresholds, covers: case.covers };
            let (verdict, findings) = judge(&expectations, &case.reading.reading(), &setting);
            codes.extend(findings.iter().map(|f| f.code.clone()));
            let findings: Vec<String> = findings.iter().map(shown).collect();
            if (verdict, &findings) != (case.verdict, &case.findings) {
                writeln!(wrong, "{}: {verdict:?}", case.name).unwrap();
                for finding in &findings {
                    writeln!(wrong, "  - '{}'", finding.replace('\'', "''")).unwrap();
                }
            }
            assert!(names.insert(case.name.clone()), "two cases are called `{}`", case.name);
        }
    }
    assert!(names.len() >= 40, "only {} cases", names.len());
    assert!(wrong.is_empty(), "\n{wrong}");
    // A `within` without bounds does not get past the parser.
    codes.insert("no-bounds".to_owned());
    assert!(codes.iter().map(String::as_str).eq(CODES.iter().copied()), "{codes:?}");
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        Just(Cell::Null),
        any::<bool>().prop_map(Cell::Bit),
        (-3_i64..3).prop_map(Cell::Int),
        "[aA0-2 ]{0,2}".prop_map(Cell::Text),
        (0_u32..40).prop_map(|n| Cell::Decimal { dec: format!("{}.{}", n / 10, n % 10) }),
        (0_i64..4000).prop_map(|s| Cell::utc(chrono::DateTime::from_timestamp(s, 0).unwrap())),
    ]
}

fn what() -> impl Strategy<Value = What> {
    let column =
        || prop_oneof![4 => Just("a".to_owned()), 1 => Just("b".to_owned()), 1 => Just("gone".to_owned())];
    let values = || prop::collection::vec(cell(), 1..3);
    prop_oneof![
        (column(), values()).prop_map(|(column, one_of)| What::Every { column, one_of }),
        (column(), values()).prop_map(|(column, one_of)| What::None { column, one_of }),
        (column(), -2_f64..2.0).prop_map(|(column, n)| What::Within {
            column,
            min: Some(Bound::Number(n)),
            max: None
        }),
        (column(), 0_f64..4000.0).prop_map(|(column, n)| What::Age { column, max: Bound::Number(n) }),
        column().prop_map(|column| What::Present { column }),
        column().prop_map(|column| What::SameAcross { column }),
        column().prop_map(|column| What::Increasing { column }),
        (0_u64..3).prop_map(|n| What::Rows { min: Some(n), max: None }),
    ]
}

fn reading() -> impl Strategy<Value = Reading> {
    (prop::collection::vec((cell(), cell()), 0..4), any::<bool>(), prop::bool::weighted(0.1)).prop_map(
        |(rows, clock, truncated)| {
            Short {
                columns: vec!["a".into(), "b".into()],
                rows: rows.into_iter().map(|(a, b)| vec![a, b]).collect(),
                row_count: None,
                truncated,
                clock: clock.then(|| chrono::DateTime::from_timestamp(2000, 0).unwrap()),
                offset_minutes: 60,
            }
            .reading()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn worst_wins_and_what_cannot_be_known_never_passes(
        whats in prop::collection::vec((what(), any::<bool>()), 0..4),
        reading in reading(),
    ) {
        let expectations: Vec<Expectation> = whats
            .into_iter()
            .map(|(what, warn)| Expectation { what, otherwise: if warn { Verdict::Warn } else { Verdict::Fail } })
            .collect();
        let setting = Setting::default();
        let (verdict, findings) = judge(&expectations, &reading, &setting);
        let alone: Vec<Verdict> =
            expectations.iter().map(|e| judge(std::slice::from_ref(e), &reading, &setting).0).collect();
        prop_assert_eq!(verdict, Verdict::worst(alone.iter().copied()));
        prop_assert_eq!(verdict == Verdict::Pass, findings.is_empty());
        prop_assert!(findings.len() <= FINDINGS + 1);
        if reading.truncated || expectations.is_empty() {
            prop_assert_eq!(verdict, Verdict::Unknown);
        }
        for (expectation, verdict) in expectations.iter().zip(alone) {
            let column = match &expectation.what {
                What::Every { column, .. } | What::None { column, .. } | What::Within { column, .. }
                | What::Age { column, .. } | What::Present { column } | What::SameAcross { column }
                | What::Increasing { column } | What::Covers { column, .. } => column,
                What::Rows { .. } => continue,
            };
            if reading.rows.is_empty() || reading.column(column).is_none() {
                prop_assert_eq!(verdict, Verdict::Unknown);
            }
            let has_null = reading.cells(column).is_some_and(|mut c| c.any(Cell::is_null));
            if has_null {
                prop_assert_ne!(verdict, Verdict::Pass);
            }
        }
    }

    #[test]
    fn lowering_to_a_warning_never_hides_an_unknown(what in what(), reading in reading()) {
        let judged = |otherwise| {
            judge(&[Expectation { what: what.clone(), otherwise }], &reading, &Setting::default())
        };
        let (hard, found) = judged(Verdict::Fail);
        let (soft, same) = judged(Verdict::Warn);
        prop_assert_eq!(soft, if hard == Verdict::Fail { Verdict::Warn } else { hard });
        prop_assert_eq!(found, same);
    }
}
