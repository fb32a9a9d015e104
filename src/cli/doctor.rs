//! `drbook doctor`: connect to every server of an estate and say what works, with what rights.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::server::{Pool, Probe};

use super::exit::{Exit, Failure};
use super::{Common, open, run, talk};

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The estate; without one, only the folders are shown
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: Option<PathBuf>,
}

pub(crate) fn doctor(common: &Common, args: &Doctor) -> Result<Exit, Failure> {
    let places = common.places()?;
    talk::say(&format!("library   {}", places.library.display()));
    talk::say(&format!("records   {}", places.records.display()));
    talk::say(&format!("sandboxes {}", places.sandboxes.display()));
    let Some(file) = &args.estate else {
        talk::say("next: name an estate with --estate FILE to connect to its servers");
        return Ok(Exit::Passed);
    };
    let estate = open::estate(file)?;
    let library = open::library(&places);
    let mut prompt = |what: &str| if common.no_input { None } else { run::ask_secret(what) };
    let targets = crate::server::targets(&estate, &mut prompt);
    let names: Vec<String> = targets.iter().map(|t| t.name.clone()).collect();
    let pool = Pool::new(targets, Arc::new(library.catalogue().clone()), estate.management_database.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::unexpected(format!("no threads: {e}")))?;
    let probes: Vec<Probe> = runtime.block_on(async {
        let asked: Vec<_> = names
            .iter()
            .map(|name| {
                let (pool, name) = (pool.clone(), name.clone());
                tokio::spawn(async move { pool.probe(&name).await })
            })
            .collect();
        let mut all = Vec::new();
        for handle in asked {
            if let Ok(Ok(probe)) = handle.await {
                all.push(probe);
            }
        }
        all
    });
    runtime.shutdown_background();
    let failed = probes.iter().filter(|p| p.trouble.is_some()).count();
    if common.json {
        talk::data(&serde_json::Value::from(probes.iter().map(as_json).collect::<Vec<_>>()).to_string());
    } else {
        for probe in &probes {
            talk::data(&words(probe));
        }
        talk::data(&format!("{} of {} servers can be asked", probes.len() - failed, names.len()));
    }
    let all_answered = probes.len() == names.len() && failed == 0;
    Ok(if all_answered { Exit::Passed } else { Exit::Unknown })
}

fn words(probe: &Probe) -> String {
    let mut out = format!("{}  {}  {}\n", probe.server, probe.endpoint, probe.encryption);
    if probe.trusted_blindly {
        out += "  ! the certificate is not verified: anybody in between can read and change what is said\n";
    }
    for phase in &probe.phases {
        match &phase.outcome {
            Ok(found) => {
                out += &format!("  ok    {:<9} {:>5} ms  {found}\n", phase.name.key(), phase.took_ms);
            }
            Err(trouble) => {
                out += &format!("  FAIL  {:<9} {:>5} ms  {trouble}\n", phase.name.key(), phase.took_ms);
                out += &format!("        next: {}\n", advice(trouble));
            }
        }
    }
    if let Some(facts) = &probe.facts {
        let simulated = if facts.simulated { ", SIMULATED" } else { "" };
        let skew = (facts.clock - crate::clock::system_now()).num_seconds();
        out += &format!(
            "  is    {} version {}{simulated}; its clock differs by {skew} s, its local time by {} minutes from UTC\n",
            facts.name, facts.version, facts.offset_minutes
        );
    }
    for right in &probe.rights {
        let held = match &right.held {
            Ok(true) => "yes".to_owned(),
            Ok(false) if right.wanted => "NO: checks that need it will be unknown".to_owned(),
            Ok(false) => "no".to_owned(),
            Err(trouble) => format!("unknown: {trouble}"),
        };
        out += &format!("  right {:<22} {held}\n", right.name);
    }
    match &probe.operator {
        None => out += "  operator login: the same\n",
        Some(Ok(())) => out += "  operator login: works\n",
        Some(Err(trouble)) => out += &format!("  operator login: FAIL {trouble}\n"),
    }
    crate::text::harmless(&out)
}

/// What to do about a trouble.
pub(crate) fn advice(trouble: &crate::reading::Trouble) -> String {
    crate::locale::Words::of(crate::text::Language::En).trouble(trouble)
}

fn as_json(probe: &Probe) -> serde_json::Value {
    serde_json::json!({
        "server": probe.server,
        "endpoint": probe.endpoint,
        "encryption": probe.encryption,
        "certificate_verified": !probe.trusted_blindly,
        "works": probe.trouble.is_none(),
        "trouble": probe.trouble,
        "phases": probe.phases.iter().map(|p| serde_json::json!({
            "phase": p.name.key(),
            "took_ms": p.took_ms,
            "found": p.outcome.as_ref().ok(),
            "trouble": p.outcome.as_ref().err(),
        })).collect::<Vec<_>>(),
        "facts": probe.facts,
        "rights": probe.rights.iter().map(|r| serde_json::json!({
            "right": r.name,
            "held": r.held.as_ref().ok(),
            "wanted": r.wanted,
        })).collect::<Vec<_>>(),
        "operator_login": probe.operator.as_ref().map(Result::is_ok),
        "took_ms": probe.took_ms,
    })
}
