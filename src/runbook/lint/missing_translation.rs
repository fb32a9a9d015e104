//! A runbook that speaks French half of the time leaves its reader alone the other half. Languages that no text of the
//! runbook speaks are not asked for.
//!
//! ```yaml
//! title: { en: Restore to a mark, fr: Restaurer à une marque }
//! …
//!   why: { en: Restore To Mark ends log shipping. }      # and no `fr`
//! ```

use super::super::StepKind;
use super::site::{Site, at};
use super::{Rule, Spot};
use crate::text::{Language, Text};
use crate::yaml::Segment;

pub(super) const RULE: Rule = Rule {
    name: "missing-translation",
    reason: "a runbook that speaks a language half of the time leaves its reader alone the other half",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let texts = texts(site);
    let mut spots = Vec::new();
    for (text, path) in &texts {
        let lacks: Vec<&str> = Language::ALL
            .into_iter()
            .filter(|l| !text.speaks(*l) && texts.iter().any(|(t, _)| t.speaks(*l)))
            .map(Language::key)
            .collect();
        if !text.is_empty() && !lacks.is_empty() {
            let message =
                format!("this text has no `{}`; others of the runbook have", lacks.join("` and no `"));
            spots.push(Spot::warning(path.clone(), message, "write it as `{ en: .., fr: .., zh-Hant: .. }`"));
        }
    }
    spots
}

fn texts<'a>(site: &Site<'a>) -> Vec<(&'a Text, Vec<Segment>)> {
    let book = site.book;
    let mut all = vec![(&book.title, vec!["title".into()])];
    for (n, phase) in book.phases.iter().enumerate() {
        all.push((&phase.title, vec!["phases".into(), n.into(), "title".into()]));
    }
    for step in &book.steps {
        let key = |key: &str| site.step_key(step, key);
        all.extend([(&step.title, key("title")), (&step.why, key("why")), (&step.remedy, key("remedy"))]);
        if let Some(guard) = &step.guard {
            all.push((&guard.loses, at(&key("guard"), "loses")));
        }
        match &step.kind {
            StepKind::Manual { text, .. } => all.push((text, key("manual"))),
            StepKind::Enter(fields) => {
                for field in fields {
                    let path = at(&at(&key("enter"), field.name.as_str()), "prompt");
                    all.push((&field.prompt, path));
                }
            }
            _ => {}
        }
    }
    all
}
