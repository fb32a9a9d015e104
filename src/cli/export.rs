//! Reports of a record, and the plan of a runbook before anything is asked.

use std::path::Path;

use crate::check::Finding;
use crate::engine::{Session, Stamped};
use crate::estate::Estate;
use crate::export::{self, Export};
use crate::runbook::{Action, Ask, Runbook, StepKind};
use crate::sql::Catalogue;
use crate::text::Language;

use super::Common;
use super::exit::Failure;
use super::records::Format;

/// A report as bytes. Its head is the record's as it stands on disk.
pub(crate) fn report(
    common: &Common,
    format: Format,
    folder: &Path,
    session: &Session,
    events: &[Stamped],
) -> Result<Vec<u8>, Failure> {
    let language = common.language()?;
    let head = crate::record::store::look_at(folder).head.unwrap_or_default();
    let words = crate::locale::Words::of(language);
    let export =
        Export { session, events, head: &head, words: &|finding: &Finding| words.finding(finding), language };
    let bytes = match format {
        Format::Md => export::markdown::markdown(&export, None),
        Format::Json => export::json::json(&export),
    };
    bytes.map_err(|e| Failure::unexpected(e.to_string()))
}

/// What would be asked and done, connecting to nothing.
pub(crate) fn plan(book: &Runbook, estate: &Estate, catalogue: &Catalogue) -> String {
    let mut out = format!("{} version {} on estate {}\n", book.id, book.version, estate.name);
    out += "Nothing is connected to; this is what would be asked and done.\n";
    let servers = |role: &str| estate.roles.get(role).map_or_else(|| "nobody".to_owned(), |s| s.join(", "));
    let ask_line = |ask: &Ask| {
        let purpose = catalogue.get(&ask.query).map_or("", |q| q.purpose.as_str());
        format!("      ask  {} ({}): {} - {purpose}\n", ask.on, servers(&ask.on), ask.query)
    };
    for step in &book.steps {
        let phase = &book.phases[step.phase];
        if book.steps.iter().find(|s| s.phase == step.phase).is_some_and(|s| s.id == step.id) {
            out += &format!("\n{}\n", phase.title.get(Language::En));
        }
        let plan = step.plan.map_or(String::new(), |p| format!("  [{p}]"));
        out += &format!("{:>4}  {}{plan}\n", step.number, step.title.get(Language::En));
        match &step.kind {
            StepKind::Check(proofs) | StepKind::Wait { until: proofs, .. } => {
                proofs.iter().flat_map(|p| &p.asks).for_each(|a| out += &ask_line(a));
            }
            StepKind::Enter(fields) => {
                let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
                out += &format!("      type {}\n", names.join(", "));
            }
            StepKind::Manual { text, prove } => {
                out += &format!("      by hand: {}\n", text.get(Language::En));
                prove.iter().flat_map(|p| &p.asks).for_each(|a| out += &ask_line(a));
            }
            StepKind::Do(work) => {
                let what = match &work.action {
                    Action::Sql(ask) => format!("send {}", ask.query),
                    Action::Job { verb, resolve, .. } => {
                        format!("{verb:?} the job that {} finds", resolve.query).to_lowercase()
                    }
                };
                let no_return = step.guard.as_ref().is_some_and(|g| g.no_return);
                let warning = if no_return { "  NO WAY BACK" } else { "" };
                out += &format!("      ACT  on {} ({}): {what}{warning}\n", work.on, servers(&work.on));
                work.prove.iter().flat_map(|p| &p.asks).for_each(|a| out += &ask_line(a));
            }
        }
    }
    out
}
