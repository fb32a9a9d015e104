use super::*;
use crate::check::Verdict;
use crate::check::expect::{Bound, What};
use crate::reading::Cell;
use crate::runbook::{Action, FieldKind, JobVerb, Judge, Mode, Place, StepKind, Typed, Value as Given, When};

const GOOD: &str = include_str!("../../../tests/cases/runbook/good.yaml");

fn found(text: &str) -> Vec<(&'static str, usize)> {
    parse(text).1.iter().map(|d| (d.code, d.place.map_or(0, |p| p.line))).collect()
}

#[test]
fn a_runbook_reads_whole() {
    let (book, problems) = parse(GOOD);
    assert_eq!(problems, []);
    let book = book.unwrap();
    assert_eq!((book.id.as_str(), book.version, book.read_only), ("restore-to-mark", 3, false));
    assert_eq!(book.modes, [Mode::Rehearsal, Mode::Drill, Mode::Incident]);
    assert!(book.roles["management"].may_be_down && !book.roles["management"].many);
    assert_eq!(book.roles["biztalk"].kind, RoleKind::Hosts);
    assert_eq!(book.rto, Some(Span::minutes(240)));
    let answer = |field: &str| Moment::Answer("declared".into(), field.into());
    assert_eq!(book.measure.rto, Some((answer("at"), Moment::Done("accepted".into()))));
    assert_eq!(book.measure.rpo, Some((Moment::Captured("mark.time".into()), answer("failed_at"))));
    let numbers: Vec<_> = book.steps.iter().map(|s| (s.number, s.id.as_str(), s.phase)).collect();
    assert_eq!(
        numbers,
        [
            (1, "declared", 0),
            (2, "answers", 0),
            (3, "level", 1),
            (4, "hold-job", 1),
            (5, "restore", 1),
            (6, "settle", 1),
            (7, "update", 2),
            (8, "accepted", 2)
        ]
    );

    let StepKind::Enter(fields) = &book.steps[0].kind else { panic!() };
    let names: Vec<_> = fields.iter().map(|f| (f.name.as_str(), f.optional)).collect();
    assert_eq!(
        names,
        [("at", false), ("failed_at", false), ("state", false), ("note", true)],
        "in file order"
    );
    assert_eq!(fields[2].kind, FieldKind::OneOf(vec!["alive".into(), "dead".into()]));

    let StepKind::Check(proofs) = &book.steps[1].kind else { panic!() };
    let Judge::Expect(expect) = &proofs[0].judge else { panic!() };
    assert_eq!(proofs[0].asks[0].name, "it");
    assert_eq!(expect.len(), 9);
    assert_eq!(expect[0].what, What::Every { column: "state".into(), one_of: vec![Cell::text("ONLINE")] });
    assert_eq!(expect[1].otherwise, Verdict::Warn);
    let skew = Bound::Threshold { threshold: "clock_skew".into() };
    assert_eq!(
        expect[2].what,
        What::Within { column: "skew".into(), min: Some(Bound::Number(-2.5)), max: Some(skew) }
    );
    assert_eq!(expect[8].what, What::Rows { min: Some(1), max: None });

    let StepKind::Check(proofs) = &book.steps[2].kind else { panic!() };
    let asks: Vec<_> = proofs[0].asks.iter().map(|a| (a.name.as_str(), a.place.clone())).collect();
    assert_eq!(asks, [("sets", Some(Place::EachScopeDatabase)), ("newest", Some(Place::Management))]);
    assert_eq!(proofs[0].asks[1].with["since"], Given::Answer("declared".into(), "at".into()));
    assert_eq!(book.steps[2].repeat.map(|r| r.during), Some(Span::minutes(20)));

    let StepKind::Do(work) = &book.steps[4].kind else { panic!() };
    let Action::Job { verb, every, wait, resolve } = &work.action else { panic!() };
    assert_eq!((*verb, *every, *wait), (JobVerb::Start, false, Some(Span::minutes(60))));
    assert_eq!((resolve.query.as_str(), resolve.on.as_str()), ("biztalk/mark-job", "destination"));
    assert_eq!(work.hold.as_ref().unwrap().with["known"], Given::Resolved("job_id".into()));
    let guard = book.steps[4].guard.as_ref().unwrap();
    assert!(guard.no_return && guard.typed == Some(Typed::Server));
    assert_eq!(guard.second_person, [Mode::Incident]);

    let not = When::Not(Box::new(When::Answer("declared".into(), "state".into(), vec!["dead".into()])));
    assert_eq!(book.steps[6].when, Some(not));
}

#[test]
fn each_fault_of_a_runbook_has_its_code_and_line() {
    let at = |part: &str| GOOD[..GOOD.find(part).unwrap_or_else(|| panic!("{part}"))].lines().count();
    for (from, to, code) in [
        // forms
        ("version: 3", "version: three", "wrong-form"),
        ("version: 3", "version: 0", "bad-version"),
        ("version: 3", "vresion: 3", "unknown-key"),
        ("[rehearsal, drill, incident]", "[rehearsal, dril]", "unknown-word"),
        ("[rehearsal, drill, incident]", "[]", "no-modes"),
        ("runbook: restore-to-mark", "runbook: Restore To Mark", "bad-name"),
        ("rto: 4h", "rto: 4 hours", "wrong-form"),
        ("rto: 4h", "rto: 0s", "no-time"),
        ("to: accepted.at", "to: accepted.when", "unknown-moment"),
        ("title: Accept", "title: ' '", "empty-text"),
        ("{ one_of: [alive, dead] }", "{ one_of: [] }", "no-choices"),
        ("{ one_of: [alive, dead] }", "{ one_of: [dead, Dead] }", "duplicate-choice"),
        ("{ one_of: [alive, dead] }", "state", "unknown-word"),
        ("{ en: Restore to a mark,", "{ en: Restore, to a mark,", "unknown-key"),
        ("{ en: Restore to a mark,", "{ de: Restore to a mark,", "unknown-key"),
        // roles
        ("source: { sql: many", "source: { sql: several", "unknown-word"),
        ("source: { sql: many", "source: { sql: many, hosts: one", "role-kind"),
        ("biztalk: { hosts: many }", "biztalk: { hosts: many, may_be_down: true }", "role-kind"),
        ("on: source, query: ha", "on: sauce, query: ha", "unknown-role"),
        ("on: source, query: ha", "on: biztalk, query: ha", "role-of-hosts"),
        // steps
        ("- step: answers", "- step: declared", "duplicate-step"),
        ("phase: finish", "phase: prepare", "duplicate-phase"),
        ("needs: [level] # hold-job", "needs: [levl]", "unknown-step"),
        ("needs: [level] # hold-job", "needs: [level, level]", "duplicate-need"),
        ("needs: [level] # hold-job", "needs: [hold-job]", "cycle"),
        ("needs: [declared] # answers", "needs: [restore]", "cycle"),
        ("repeat: { every: 15s, for: 20m }", "repeat: { every: 30m, for: 20m }", "repeat-once"),
        ("repeat: { every: 15s, for: 20m }", "repeat: { every: 15s }", "missing-key"),
        (
            "wait: { pause: 2m }",
            "wait: { pause: 2m }\n        repeat: { every: 1s, for: 9s }",
            "repeat-of-nothing",
        ),
        ("wait: { pause: 2m }", "wait: {}", "wait-for-what"),
        (
            "wait: { pause: 2m }",
            "wait: { until: { on: source, query: a/b, expect: [{ rows: 1 }] } }",
            "wait-without-repeat",
        ),
        ("wait: { pause: 2m }", "check: []", "no-questions"),
        ("wait: { pause: 2m }", "enter: {}", "no-fields"),
        ("wait: { pause: 2m }", "plan: 1m", "no-kind"),
        ("wait: { pause: 2m }", "wait: { pause: 2m }\n        manual: x", "several-kinds"),
        (
            "wait: { pause: 2m }",
            "wait: { pause: 2m }\n        guard: { no_return: true }",
            "guard-of-nothing",
        ),
        (
            "wait: { pause: 2m }",
            "check: { on: source, query: a/b, expect: [{ rows: 1 }] }\n        prove: []",
            "prove-alone",
        ),
        // guards
        ("recheck: [answers, level]", "recheck: [answers, hold-job]", "recheck-of-no-check"),
        ("recheck: [answers, level]", "recheck: [answer]", "unknown-step"),
        ("recheck: [answers, level]", "recheck: [restore]", "self-recheck"),
        ("type: server", "type: servers", "unknown-word"),
        // actions
        (
            "job: { disable: { query: biztalk/history-job } }",
            "job: { query: biztalk/history-job }",
            "unknown-key",
        ),
        ("job: { disable: { query: biztalk/history-job } }", "job: {}", "do-what"),
        (
            "job: { disable: { query: biztalk/history-job } }",
            "job: { disable: { query: a/b }, enable: { query: a/b } }",
            "do-what",
        ),
        (
            "job: { disable: { query: biztalk/history-job } }",
            "job: { disable: { query: a/b }, wait: 5m }",
            "wait-without-start",
        ),
        (
            "job: { disable: { query: biztalk/history-job } }",
            "sql: { query: a/b }, job: { disable: { query: a/b } }",
            "do-what",
        ),
        // values
        ("{ answer: declared.at }", "{ answer: declared.when }", "unknown-answer"),
        ("{ answer: declared.at }", "{ answer: declared }", "unknown-answer"),
        ("{ answer: declared.at }", "{ answer: level.at }", "unknown-answer"),
        ("{ answer: declared.at }", "{ from: do }", "nothing-resolved"),
        ("{ answer: declared.at }", "{ estate: scopes }", "unknown-fact"),
        ("{ answer: declared.at }", "{ answer: declared.at, captured: x }", "bad-value"),
        ("{ answer: declared.at }", "[1]", "wrong-form"),
        ("{ answer: declared.at }", "1.5e30", "wrong-form"),
        ("known: { from: do }", "'@known': { from: do }", "bad-name"),
        ("in: management,", "in: each database,", "unknown-place"),
        // conditions
        ("not: { answer: declared.state, equals: dead }", "not: { answer: declared.state }", "bad-condition"),
        ("not: { answer: declared.state, equals: dead }", "not: { reachable: nobody }", "unknown-role"),
        ("not: { answer: declared.state, equals: dead }", "not: {}", "bad-condition"),
        (
            "not: { answer: declared.state, equals: dead }",
            "not: { answer: declared.state, equals: true }",
            "bad-condition",
        ),
        // expectations
        ("{ every: state, equals: ONLINE }", "{ every: state }", "no-values"),
        ("{ every: state, equals: ONLINE }", "{ evry: state, equals: ONLINE }", "unknown-key"),
        ("{ every: state, equals: ONLINE }", "{ every: state, equals: ONLINE, max: 1 }", "useless-key"),
        ("{ every: state, equals: ONLINE }", "{ every: state, none: state, equals: 1 }", "one-statement"),
        ("{ every: state, equals: ONLINE }", "{ every: state, one_of: [null] }", "every-null"),
        ("{ every: state, equals: ONLINE }", "{ within: state }", "no-bounds"),
        ("{ every: state, equals: ONLINE }", "{ age: state }", "no-bounds"),
        ("{ every: state, equals: ONLINE }", "{ covers: state }", "no-values"),
        ("{ every: state, equals: ONLINE }", "{ rows: { min: 3, max: 2 } }", "no-bounds"),
        ("{ every: state, equals: ONLINE }", "{ rows: -1 }", "wrong-form"),
        (
            "judge: { analysis: biztalk/destination-state, expect: FROZEN-LEVEL }",
            "expect: []",
            "empty-expect",
        ),
        (
            "judge: { analysis: biztalk/destination-state, expect: FROZEN-LEVEL }",
            "deadline: 5s",
            "one-or-several",
        ),
    ] {
        let line = at(from);
        let all = found(&GOOD.replacen(from, to, 1));
        assert!(parse(&GOOD.replacen(from, to, 1)).0.is_none(), "{from} -> {to}");
        let near = |l: usize| l >= line.saturating_sub(4) && l <= line + 2;
        assert!(all.iter().any(|(c, l)| *c == code && near(*l)), "{from} -> {to} near line {line}: {all:?}");
    }
}

#[test]
fn all_problems_of_a_file_come_at_once_in_their_order() {
    let text = GOOD
        .replace("version: 3", "version: three")
        .replace("rto: 4h", "rto: 4 hours")
        .replace("needs: [level] # hold-job", "needs: [levl]")
        .replace("type: server", "tipe: server");
    let codes: Vec<_> = found(&text).into_iter().map(|(c, _)| c).collect();
    assert_eq!(codes, ["wrong-form", "wrong-form", "unknown-step", "unknown-key"]);
}

#[test]
fn a_step_that_cannot_be_read_whole_is_still_a_step_for_others() {
    let text = GOOD.replacen("title: Level\n", "titel: Level\n", 1);
    let codes: Vec<_> = found(&text).into_iter().map(|(c, _)| c).collect();
    assert_eq!(codes, ["missing-key", "unknown-key"]);
}

#[test]
fn a_round_is_named() {
    let text = GOOD.replace("needs: [declared] # answers", "needs: [restore]");
    let (_, problems) = parse(&text);
    let rounds: Vec<_> = problems.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(rounds, ["these steps wait for each other: answers -> restore -> level -> answers"]);
    // a condition waits for its answer
    let text = GOOD.replace("title: Declare\n", "title: Declare\n        needs: [update]\n");
    let rounds: Vec<_> = parse(&text).1.into_iter().map(|d| d.message).collect();
    assert!(rounds.iter().any(|m| m.ends_with(": declared -> update -> declared")), "{rounds:?}");
}

#[test]
fn broken_files_get_one_clear_problem() {
    for (text, code) in [
        ("", "wrong-form"),
        ("runbook: [", "not-yaml"),
        ("a: 1\na: 2", "not-yaml"),
        ("- 1", "wrong-form"),
        ("&a [*a]", "not-yaml"),
        ("runbook: !tag x", "wrong-form"),
    ] {
        let (book, problems) = parse(text);
        assert!(book.is_none());
        assert!(problems.iter().any(|d| d.code == code), "{text}: {problems:?}");
    }
    assert_eq!(found(&"#".repeat(limits::YAML_BYTES + 1)), [("not-yaml", 0)]);
}

#[test]
fn limits_hold() {
    let head = "runbook: b\nversion: 1\ntitle: t\nmodes: [drill]\nroles: {}\nphases:\n  - phase: p\n    title: t\n    steps:\n";
    let book = |steps: usize, body: &str| {
        let steps: String = (0..steps)
            .map(|n| format!("      - {{ step: s{n}, title: t, {body} }}\n"))
            .collect::<Vec<_>>()
            .concat();
        format!("{head}{steps}")
    };
    assert_eq!(found(&book(limits::STEPS, "wait: { pause: 1s }")), []);
    assert_eq!(found(&book(limits::STEPS + 1, "wait: { pause: 1s }")), [("too-many-steps", 7)]);
    assert_eq!(found(&book(200, "wait: { puase: 1s }")).len(), limits::PROBLEMS);
    assert_eq!(found(&book(200, "needs: [x], wait: { pause: 1s }")).len(), limits::PROBLEMS);
    assert_eq!(found(&format!("{head}      []\n"))[0].0, "no-steps");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 60, failure_persistence: None, ..Default::default()
    })]

    #[test]
    fn no_damage_makes_it_panic_or_read_without_a_word(
        cut in 0..GOOD.len(), len in 0_usize..60, put in "[a-z:{}\\[\\], \n'\"&*!|-]{0,6}"
    ) {
        let floor = |mut n: usize| { while !GOOD.is_char_boundary(n) { n -= 1 } n };
        let (from, to) = (floor(cut), floor((cut + len).min(GOOD.len())));
        let (book, problems) = parse(&format!("{}{put}{}", &GOOD[..from], &GOOD[to..]));
        proptest::prop_assert_eq!(book.is_some(), problems.is_empty());
    }
}
