//! Whole reports, as snapshots.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::*;
use crate::check::{Judgement, Verdict};
use crate::engine::summary::{Limit, Met, Overall, Summary};
use crate::engine::{Closing, Event, Stage};
use crate::reading::{Cell, Column, Kind, TroubleCode};
use crate::record::samples;
use crate::runbook::{Moment, Runbook};

fn words(finding: &Finding) -> String {
    let data: Vec<String> = finding.data.iter().map(|(k, v)| format!("{k}={v}")).collect();
    format!("{} {}", finding.code, data.join(" ")).trim().to_owned()
}

/// A small drill with something of everything: a failed attempt, a better one, an override, a skip, hostile texts.
fn drill() -> (Session, Vec<Stamped>) {
    let mut book: Runbook = (*samples::book()).clone();
    book.measure.rto =
        Some((Moment::Answer("declared".into(), "at".into()), Moment::Done("databases".into())));
    book.measure.rpo =
        Some((Moment::Captured("mark".into()), Moment::Answer("declared".into(), "at".into())));
    let mut declared = book.steps[1].clone();
    declared.id = "declared".into();
    declared.kind = crate::runbook::StepKind::Enter(vec![]);
    book.steps.insert(0, declared);
    (0..book.steps.len()).for_each(|i| book.steps[i].number = i as u16 + 1);

    let key = |attempt| crate::engine::RoundKey { step: "databases".into(), attempt, stage: Stage::Check };
    let asked =
        |attempt| Event::Asked { key: key(attempt), recheck_for: None, questions: vec![samples::question()] };
    let mut reading = (*samples::reading(3)).clone();
    reading.columns.push(Column { name: "state_desc|x".into(), kind: Kind::Text });
    reading.columns.push(Column { name: "lsn".into(), kind: Kind::Decimal });
    reading.rows = (0..60)
        .map(|n| {
            let lsn = Cell::Decimal { dec: "37000000012300001000000001".into() };
            vec![Cell::Text(format!("db{n}")), Cell::text("a|b\n<b>`x`</b>\u{1b}[2J"), lsn]
        })
        .collect();
    reading.row_count = 60;
    let answered = |reading: &crate::reading::Reading, attempt| Event::Answered {
        key: key(attempt),
        question: samples::question(),
        reading: crate::engine::Kept::Whole(std::sync::Arc::new(reading.clone())),
    };
    let judged = |attempt, verdict, finding: Finding| Event::Judged {
        key: key(attempt),
        judgements: vec![Judgement::of_database(verdict, "DR01", "BizTalkMsgBoxDb", vec![finding])],
        verdict,
        polls: 1,
        last: true,
    };
    let time = |seconds: i64| Cell::utc(samples::start() + TimeDelta::seconds(seconds));
    let values = BTreeMap::from([("at".to_owned(), time(-600)), ("who".to_owned(), Cell::text("Zoë | <i>"))]);
    let declared_key = crate::engine::RoundKey { step: "declared".into(), attempt: 1, stage: Stage::Check };
    let mut trouble = crate::reading::Trouble::new(TroubleCode::Timeout, "no answer | in time");
    trouble.took_ms = 15_000;
    let events = vec![
        (0, samples::opened()),
        (1, Event::Entered { step: "declared".into(), attempt: 1, values }),
        (
            1,
            Event::Judged {
                key: declared_key,
                judgements: vec![Judgement::whole(Verdict::Pass, vec![Finding::new("entered")])],
                verdict: Verdict::Pass,
                polls: 1,
                last: true,
            },
        ),
        (5, asked(1)),
        (20, Event::Unanswered { key: key(1), question: samples::question(), trouble }),
        (20, judged(1, Verdict::Unknown, Finding::new("no-answer").with("trouble", "timeout"))),
        (30, Event::Resumed { operator: "ben".into(), host: "JUMP02".into(), tool: "0.1.0".into() }),
        (60, asked(2)),
        (61, answered(&reading, 2)),
        (61, judged(2, Verdict::Warn, Finding::new("set-behind").with("sets", 1_i64))),
        (
            62,
            Event::Captured {
                step: "databases".into(),
                name: "mark".into(),
                value: crate::engine::Captured::One(time(-1500)),
            },
        ),
        (70, Event::Noted { step: Some("databases".into()), text: "# one\ntwo".into() }),
        (400, Event::Skipped { step: "accepted".into(), reason: "nobody | at <home>".into() }),
        (400, Event::Sealed { head: "ab".repeat(32), lines: 13 }),
        (401, Event::Closed { closing: Closing::Completed, text: "good **enough**".into(), reveal: None }),
    ];
    let mut session = Session::new(std::sync::Arc::new(book));
    let stamped: Vec<Stamped> = events
        .into_iter()
        .zip(1..)
        .map(|((seconds, event), seq)| {
            let stamp = samples::at(seconds);
            Stamped { seq, at: stamp.at, mono_ms: stamp.mono_ms, by: samples::anna(), event }
        })
        .collect();
    for one in &stamped {
        session.apply(one);
    }
    (session, stamped)
}

fn export<'a>(session: &'a Session, events: &'a [Stamped], head: &'a str) -> Export<'a> {
    Export { session, events, head, words: &words, language: Language::En }
}

#[test]
fn the_figures_say_what_was_not_measured() {
    let (session, events) = drill();
    let summary = Summary::of(&session, &events);
    assert_eq!(summary.overall, Overall::PassedWithFindings);
    assert_eq!(summary.rto.met, Met::Met, "the skipped step comes after the moment that is measured");
    assert_eq!(summary.rto.achieved.unwrap().clock_face(), "00:11:01");
    assert_eq!(summary.rpo.achieved.unwrap().clock_face(), "00:15:00");
    assert!(summary.limits.contains(&Limit::Skipped(vec!["accepted".into()])));
    assert!(summary.limits.contains(&Limit::Simulated));
    assert_eq!(summary.steps[1].first_verdict, Some(Verdict::Unknown));
    assert_eq!(summary.steps[1].verdict, Some(Verdict::Warn));
}

#[test]
fn a_recovery_time_over_skipped_steps_is_met_in_part_only() {
    let (mut session, mut events) = drill();
    let mut book = (*session.book).clone();
    book.measure.rto =
        Some((Moment::Answer("declared".into(), "at".into()), Moment::Captured("mark".into())));
    session.book = std::sync::Arc::new(book);
    session.captured.insert("mark".into(), crate::engine::Captured::One(Cell::utc(samples::at(90).at)));
    let summary = Summary::of(&session, &events);
    assert_eq!(summary.rto.met, Met::MetInPart);
    assert!(summary.limits.contains(&Limit::RtoNotEndToEnd));
    session.captured.insert("mark".into(), crate::engine::Captured::One(Cell::utc(samples::at(-9000).at)));
    assert_eq!(Summary::of(&session, &events).rto.met, Met::NotMeasured, "it would end before it began");
    events.truncate(1);
    let empty = Session::new(session.book.clone());
    let summary = Summary::of(&empty, &[]);
    assert_eq!((summary.overall, summary.rto.met), (Overall::Incomplete, Met::NotMeasured));
}

#[test]
fn the_markdown_report_reads_like_this() {
    let (session, events) = drill();
    let head = "cd".repeat(32);
    let report = markdown::markdown(&export(&session, &events, &head), None).unwrap();
    insta::assert_snapshot!(String::from_utf8(report).unwrap());
}

#[test]
fn the_json_report_reads_like_this() {
    let (session, events) = drill();
    let head = "cd".repeat(32);
    let report = json::json(&export(&session, &events, &head)).unwrap();
    assert_eq!(report, json::json(&export(&session, &events, &head)).unwrap());
    let mut value: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(value["evidence"][1]["rows"].as_array().unwrap().len(), document::ROWS_SHOWN);
    value["evidence"][1]["rows"].as_array_mut().unwrap().truncate(2);
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn every_section_and_its_foot_say_simulated_when_it_was() {
    let (mut session, events) = drill();
    let head = "cd".repeat(32);
    let report =
        String::from_utf8(markdown::markdown(&export(&session, &events, &head), None).unwrap()).unwrap();
    let sections: Vec<&str> = report.lines().filter(|l| l.starts_with("## ")).collect();
    assert_eq!(sections.len(), 17);
    assert!(sections.iter().all(|l| l.ends_with("SIMULATED")), "{sections:?}");
    assert_eq!(report.matches("*SIMULATED: ").count(), 17);
    assert!(!report.contains('\u{1b}') && !report.contains("<b>") && !report.contains("<i>"));
    session.simulated = false;
    let report =
        String::from_utf8(markdown::markdown(&export(&session, &events, &head), None).unwrap()).unwrap();
    assert!(!report.contains("SIMULATED"));
}

#[test]
fn an_empty_drill_has_a_whole_report_that_says_why_sections_are_empty() {
    let session = Session::new(samples::book());
    let report = markdown::markdown(&export(&session, &[], ""), None).unwrap();
    let report = String::from_utf8(report).unwrap();
    for said in ["incomplete", "Nothing happened.", "Empty: no question", "never closed", "Not measured"] {
        assert!(report.contains(said), "{said} in {report}");
    }
    json::json(&export(&session, &[], "")).unwrap();
}

#[test]
fn a_template_of_ones_own_is_escaped_too_and_its_faults_are_placed() {
    let (session, events) = drill();
    let of = |template: &str| markdown::markdown(&export(&session, &events, "x"), Some(template));
    let report =
        of("{% for n in notes %}{{ n.text }}{% endfor %} {{ achieved.rto.achieved_s | span }}\n").unwrap();
    assert_eq!(String::from_utf8(report).unwrap(), "\\# one<br>two 00:11:01\n");
    for wrong in
        ["{{ no_such_key }}", "{% for %}", "a\n{{ title | nonsense }}", "{% include '/etc/passwd' %}"]
    {
        let trouble = of(wrong).unwrap_err();
        assert!(matches!(&trouble, Trouble::Template(_)), "{trouble}");
    }
    assert!(of("a\n{{ title | nonsense }}").unwrap_err().to_string().contains("line 2"));
}
