//! From session and events to the [`Document`].

use std::collections::BTreeMap;

use serde::Serialize;

use super::document::{
    Achieved, Book, Clocks, Deviation, Document, Figure, Handover, HiddenFault, Host, Input, Integrity,
    Limit, Note, Objective, OwnBackup, Person, Phase, Program, Result, Resume, Scenario, Scope, Seal, Server,
    Skew, Targets, Tool, VERSION,
};
use super::{Export, evidence, phrases, steps};
use crate::clock::{Span, iso};
use crate::engine::summary::{self, Summary};
use crate::engine::{Event, Kept, Second};
use crate::runbook::{FieldKind, StepKind};

/// The name of a unit variant in files.
pub(super) fn key_of<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn seconds(span: Span) -> f64 {
    span.ms as f64 / 1000.0
}

impl Document {
    /// The document of a drill.
    pub fn of(export: &Export<'_>) -> Self {
        let session = export.session;
        let summary = Summary::of(session, export.events);
        let (evidence, by_attempt) = evidence::evidence(export);
        let mut deviations: Vec<Deviation> = summary.deviations.iter().map(deviation).collect();
        deviations.extend(over_plan(export, &summary));
        deviations.sort_by(|a, b| (a.line, &a.at).cmp(&(b.line, &b.at)));
        let title = session.book.title.get(export.language).to_owned();
        let opened = session.opened.as_deref();
        Self {
            document_version: VERSION,
            record_version: opened.map_or(0, |o| o.format),
            record_id: opened.map(|o| o.record.clone()).unwrap_or_default(),
            mode: opened.map(|o| o.mode.key().to_owned()).unwrap_or_default(),
            simulated: session.simulated,
            title: title.clone(),
            program: Program { previous_head_sha256: opened.and_then(|o| o.previous_head.clone()) },
            scope: scope(export),
            scenario: Scenario {
                sandbox: opened.is_some_and(|o| o.sandbox.is_some()),
                hidden_faults_sha256: opened.and_then(|o| o.fault_commitment.clone()),
                hidden_fault: session
                    .reveal
                    .as_ref()
                    .map(|r| HiddenFault { fault: r.fault.clone(), salt: r.salt.clone() }),
                clock_speed: opened.map_or(1.0, |o| o.clock.speed),
                typed: typed(export),
            },
            objectives: objectives(&summary),
            targets: Targets {
                rto_s: summary.rto.target.map(seconds),
                rpo_s: summary.rpo.target.map(seconds),
            },
            clocks: clocks(export),
            achieved: Achieved {
                rto: figure(&summary.rto),
                rpo: figure(&summary.rpo),
                rpo_without_own_backups: summary.rpo_without_own_backups.as_ref().map(|own| OwnBackup {
                    started_at: iso(own.started),
                    name: own.name.clone(),
                    server: own.server.clone(),
                    mark_at: own.mark.map(iso),
                    achieved_s: own.achieved.map(seconds),
                    text: phrases::own_backup(own),
                }),
            },
            people: people(export),
            handovers: session
                .handovers
                .iter()
                .map(|(at, from, to, brief)| Handover {
                    at: iso(*at),
                    from: from.clone(),
                    to: to.clone(),
                    brief: brief.clone(),
                })
                .collect(),
            resumes: session
                .resumes
                .iter()
                .map(|(at, operator)| Resume { at: iso(*at), operator: operator.clone() })
                .collect(),
            runbook: Book {
                id: session.book.id.clone(),
                version: session.book.version,
                title,
                sha256: opened.map(|o| o.runbook_sha256.clone()).unwrap_or_default(),
                queries: opened.map(|o| o.queries.clone()).unwrap_or_default(),
            },
            tool: Tool {
                name: "drbook",
                version: opened.map(|o| o.tool.clone()).unwrap_or_default(),
                host: opened.map(|o| o.host.clone()).unwrap_or_default(),
                analyses: opened.map(|o| o.analyses.clone()).unwrap_or_default(),
            },
            phases: session
                .book
                .phases
                .iter()
                .map(|p| Phase { id: p.id.clone(), title: p.title.get(export.language).to_owned() })
                .collect(),
            steps: steps::steps(export, &summary, &by_attempt),
            timeline: steps::timeline(export),
            deviations,
            notes: session
                .notes
                .iter()
                .map(|n| Note {
                    at: iso(n.at),
                    by: n.by.name().to_owned(),
                    step: n.step.clone(),
                    text: n.text.clone(),
                })
                .collect(),
            backups: steps::databases(export),
            issues: Vec::new(),
            actions: Vec::new(),
            lessons: Vec::new(),
            cleanup: Vec::new(),
            signoff: Vec::new(),
            result: result(export, &summary),
            evidence,
            integrity: integrity(export),
        }
    }
}

fn scope(export: &Export<'_>) -> Scope {
    let inputs = export.session.inputs();
    let roles = |name: &str| {
        let held = inputs.roles.iter().filter(|(_, all)| all.iter().any(|n| n == name));
        held.map(|(role, _)| role.clone()).collect::<Vec<_>>()
    };
    let servers = inputs.servers.iter().map(|(name, server)| {
        let facts = export.session.facts.get(name);
        let instance = server.instance.as_ref().map_or(String::new(), |i| format!("\\{i}"));
        Server {
            name: name.clone(),
            roles: roles(name),
            address: format!("{}{instance}:{}", server.host, server.port),
            environment: server.environment.clone(),
            tls: server.tls.clone(),
            called: facts.map(|f| f.name.clone()),
            version: facts.map(|f| f.version.clone()),
            simulated: facts.map(|f| f.simulated),
            in_reach: export.session.contact.get(name).copied(),
        }
    });
    let hosts = inputs.hosts.iter().map(|(name, host)| Host {
        name: name.clone(),
        roles: roles(name),
        address: host.host.clone(),
        environment: host.environment.clone(),
    });
    Scope {
        estate: inputs.estate.clone(),
        environment: inputs.environment.clone(),
        management_database: inputs.management_database.clone(),
        databases: inputs.scope.clone().unwrap_or_default(),
        servers: servers.collect(),
        hosts: hosts.collect(),
        thresholds: inputs.thresholds.clone(),
    }
}

fn typed(export: &Export<'_>) -> BTreeMap<String, BTreeMap<String, String>> {
    let texts = |fields: &BTreeMap<String, crate::reading::Cell>| {
        fields.iter().map(|(k, v)| (k.clone(), v.to_string())).collect()
    };
    export.session.typed.iter().map(|(step, fields)| (step.clone(), texts(fields))).collect()
}

fn objectives(summary: &Summary) -> Vec<Objective> {
    let one = |id, name: &str, figure: &summary::Figure| {
        let target = figure.target?;
        Some(Objective {
            id,
            text: format!("Recover within the {name} objective"),
            success_criteria: format!("at most {}", target.clock_face()),
            result: phrases::met(figure.met).0,
        })
    };
    [one("rto", "recovery time", &summary.rto), one("rpo", "recovery point", &summary.rpo)]
        .into_iter()
        .flatten()
        .collect()
}

fn figure(figure: &summary::Figure) -> Figure {
    let input =
        |input: &summary::Input| Input { moment: phrases::moment(&input.moment), at: input.at.map(iso) };
    Figure {
        target_s: figure.target.map(seconds),
        achieved_s: figure.achieved.map(seconds),
        met: phrases::met(figure.met).1,
        text: phrases::figure(figure),
        from: figure.inputs.as_ref().map(|(from, _)| input(from)),
        to: figure.inputs.as_ref().map(|(_, to)| input(to)),
        gaps: figure.gaps.iter().map(|(how, ids)| ((*how).to_owned(), ids.clone())).collect(),
    }
}

fn clocks(export: &Export<'_>) -> Clocks {
    let span = export.session.span;
    let acted = export.events.iter().find(|s| matches!(s.event, Event::Intended { .. })).map(|s| s.at);
    let mut skew = BTreeMap::new();
    for stamped in export.events {
        if let Event::Answered { question, reading: Kept::Whole(reading), .. } = &stamped.event
            && let Some(clock) = reading.clock()
        {
            let server = question.server.clone();
            let offset_s = seconds(Span::from_delta(clock - stamped.at));
            let measured_at = iso(stamped.at);
            skew.insert(server.clone(), Skew { server, offset_s, measured_at });
        }
    }
    Clocks {
        started_at: span.map(|(first, _)| iso(first)),
        first_action_at: acted.map(iso),
        last_event_at: span.map(|(_, last)| iso(last)),
        closed_at: export.session.closed.as_ref().map(|(at, ..)| iso(*at)),
        elapsed_s: span.map(|(first, last)| seconds(Span::from_delta(last - first))),
        skew: skew.into_values().collect(),
    }
}

fn people(export: &Export<'_>) -> Vec<Person> {
    let mut all: Vec<Person> = Vec::new();
    let mut add = |name: &str, role: &str, since: String, how: &str| {
        if !name.trim().is_empty() && !all.iter().any(|p| p.name == name && p.role == role) {
            all.push(Person { name: name.to_owned(), role: role.to_owned(), since, how: how.to_owned() });
        }
    };
    for stamped in export.events {
        let at = iso(stamped.at);
        match &stamped.event {
            Event::Opened(opened) => add(&opened.operator, "operator", at, "declared at the start"),
            Event::Resumed { operator, .. } => add(operator, "operator", at, "declared on resuming"),
            Event::HandedOver { to, .. } => add(to, "operator", at, "handed over to"),
            Event::Confirmed { second: Some(Second::Confirmed { name, identified }), .. } => {
                add(name, "approver", at, identified);
            }
            Event::Overridden { name, .. } => add(name, "approver", at, "answers for an override"),
            Event::Entered { step, values, .. } => {
                let fields = match export.session.book.step(step).map(|s| &s.kind) {
                    Some(StepKind::Enter(fields)) => fields.as_slice(),
                    _ => &[],
                };
                for field in fields.iter().filter(|f| f.kind == FieldKind::Person) {
                    if let Some(value) = values.get(&field.name) {
                        add(&value.to_string(), &field.name, at.clone(), "typed in");
                    }
                }
            }
            _ => {}
        }
    }
    all
}

fn deviation(deviation: &summary::Deviation) -> Deviation {
    let (kind, text) = phrases::departure(&deviation.what);
    Deviation {
        line: deviation.line,
        at: iso(deviation.at),
        by: deviation.by.clone(),
        step: deviation.step.clone(),
        kind,
        text,
    }
}

fn over_plan(export: &Export<'_>, summary: &Summary) -> Vec<Deviation> {
    let rows = export.session.book.steps.iter().zip(&summary.steps);
    rows.filter_map(|(step, figures)| {
        let (over, at) = (figures.over_plan()?, figures.ended?);
        let ended = |s: &&crate::engine::Stamped| s.at == at;
        Some(Deviation {
            line: export.events.iter().find(ended).map_or(0, |s| s.seq),
            at: iso(at),
            by: "drbook".to_owned(),
            step: Some(step.id.clone()),
            kind: "over-plan",
            text: format!("took {} longer than planned", over.clock_face()),
        })
    })
    .collect()
}

fn result(export: &Export<'_>, summary: &Summary) -> Result {
    let (overall, statement) = phrases::overall(summary.overall);
    let counts = &summary.counts;
    Result {
        overall,
        statement: statement.to_owned(),
        closing_words: export.session.closed.as_ref().map(|(_, _, text)| text.clone()).unwrap_or_default(),
        counts: BTreeMap::from([
            ("passed", counts.passed),
            ("warned", counts.warned),
            ("failed", counts.failed),
            ("unknown", counts.unknown),
            ("not_applicable", counts.not_applicable),
            ("overridden", counts.overridden),
            ("skipped", counts.skipped),
            ("not_reached", counts.open),
        ]),
        limits_of_test: summary
            .limits
            .iter()
            .map(|limit| {
                let (code, text) = phrases::limit(limit);
                Limit { code, names: limit.names().to_vec(), text }
            })
            .collect(),
    }
}

fn integrity(export: &Export<'_>) -> Integrity {
    let seal = |event: &Event| match event {
        Event::Sealed { head, lines } => Some(Seal { entries: *lines, head_sha256: head.clone() }),
        _ => None,
    };
    let tails = export.events.iter().filter(|s| matches!(s.event, Event::TailRecovered { .. }));
    Integrity {
        entries: export.events.last().map_or(0, |s| s.seq),
        head_sha256: export.head.to_owned(),
        last_seal: export.events.iter().rev().find_map(|s| seal(&s.event)),
        recovered_tails: tails.count(),
        verifier: "README.txt in the record's folder: sha256sum alone checks it; `drbook records verify` judges again too",
    }
}
