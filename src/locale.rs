//! Words: the phrases of the screens, findings, refusals and troubles, per language.
//!
//! Does not choose the language; that is an argument. One folder per language under `assets/locales`;
//! a phrase that is misspelt in the code does not compile, one that is missing or misspelt in a file does not load.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::check::Finding;
use crate::engine::Refusal;
use crate::reading::Trouble;
use crate::text::{Language, Text, harmless};
use crate::yaml;

mod fill;
mod phrases;

pub use fill::fill;
pub use phrases::{
    ActionWords, Dialogs, EvidenceWords, Expectations, FrameWords, HelpWords, HomeWords, Labels, Modes,
    PlainWords, Screens, Signs, Tells, WhyNots,
};

/// The files of one language.
struct Folder {
    screens: &'static str,
    findings: &'static str,
    refusals: &'static str,
}

const EN: Folder = Folder {
    screens: include_str!("../assets/locales/en/screens.yaml"),
    findings: include_str!("../assets/locales/en/findings.yaml"),
    refusals: include_str!("../assets/locales/en/refusals.yaml"),
};

/// Every phrase in one language.
#[derive(Debug, Default)]
pub struct Words {
    /// Phrases of screens and dialogs.
    pub screens: Screens,
    findings: BTreeMap<String, String>,
    refused: Refused,
}

/// `refusals.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Refused {
    /// By the refusal's key.
    refusals: BTreeMap<String, String>,
    /// Why a mode forbids an action, by its key.
    may_not_act: BTreeMap<String, String>,
    /// By the trouble's code: what it means and what to do.
    troubles: BTreeMap<String, String>,
}

impl Words {
    /// The phrases of a language. Languages without a folder of their own speak English.
    pub fn of(language: Language) -> &'static Self {
        static ENGLISH: LazyLock<Words> = LazyLock::new(|| Words::load(&EN).unwrap_or_default());
        match language {
            Language::En | Language::Fr | Language::ZhHant => &ENGLISH,
        }
    }

    /// Reads a folder; the files are compiled in, so a fault is a fault of the build and found by a test.
    fn load(folder: &Folder) -> Result<Self, yaml::Fault> {
        Ok(Self {
            screens: yaml::read(folder.screens)?,
            findings: yaml::read(folder.findings)?,
            refused: yaml::read(folder.refusals)?,
        })
    }

    /// A finding as a sentence; an unknown code shows itself with its data.
    pub fn finding(&self, finding: &Finding) -> String {
        let data = |name: &str| finding.data.get(name).map(ToString::to_string);
        let said = match self.findings.get(&finding.code) {
            Some(phrase) => fill(phrase, data),
            None if finding.data.is_empty() => finding.code.clone(),
            None => {
                let data: Vec<String> = finding.data.iter().map(|(k, v)| format!("{k} = {v}")).collect();
                format!("{} ({})", finding.code, data.join(", "))
            }
        };
        harmless(&said)
    }

    /// Whether a finding's code has a sentence of its own.
    pub fn knows_finding(&self, code: &str) -> bool {
        self.findings.contains_key(code)
    }

    /// A refusal as a sentence that says what to do; steps are shown by their ids.
    pub fn refusal(&self, refusal: &Refusal) -> String {
        self.refusal_with(refusal, &|id| id.to_owned())
    }

    /// The same, with steps shown as `name` shows them.
    pub fn refusal_with(&self, refusal: &Refusal, name: &dyn Fn(&str) -> String) -> String {
        let value = serde_json::to_value(refusal).unwrap_or_default();
        let (key, data) = match &value {
            serde_json::Value::String(key) => (key.as_str(), None),
            serde_json::Value::Object(map) => {
                map.iter().next().map_or(("", None), |(key, data)| (key.as_str(), Some(data)))
            }
            _ => ("", None),
        };
        let Some(phrase) = self.refused.refusals.get(key) else {
            return harmless(&format!("{key} {}", data.map(ToString::to_string).unwrap_or_default()));
        };
        let datum = |wanted: &str| {
            let found = match data? {
                serde_json::Value::Object(map) => map.get(wanted)?,
                whole => whole,
            };
            Some(match (wanted, found) {
                ("missing" | "steps", serde_json::Value::Array(ids)) => {
                    ids.iter().filter_map(|v| v.as_str()).map(name).collect::<Vec<_>>().join(", ")
                }
                ("step", serde_json::Value::String(id)) => name(id),
                ("why", serde_json::Value::String(why)) => {
                    self.refused.may_not_act.get(why).cloned().unwrap_or_else(|| why.clone())
                }
                (_, serde_json::Value::String(text)) => text.clone(),
                (_, other) => other.to_string(),
            })
        };
        harmless(&fill(phrase, datum))
    }

    /// A trouble as a sentence: what it means, what was said, what to do.
    pub fn trouble(&self, trouble: &Trouble) -> String {
        let said = match self.refused.troubles.get(&trouble.code.key()) {
            Some(phrase) => fill(phrase, |name| match name {
                "message" => Some(trouble.message.clone()),
                "number" => trouble.number.map(|n| n.to_string()),
                "seconds" => Some(format!("{:.1}", trouble.took_ms as f64 / 1000.0)),
                _ => None,
            }),
            None => trouble.to_string(),
        };
        harmless(&said)
    }
}

/// A language and its words, handed to whatever speaks.
#[derive(Debug, Clone, Copy)]
pub struct Tongue {
    /// The language, for prose of runbooks.
    pub language: Language,
    /// The phrases.
    pub words: &'static Words,
}

impl Tongue {
    /// Of a language.
    pub fn of(language: Language) -> Self {
        Self { language, words: Words::of(language) }
    }
    /// Prose of a runbook, harmless to a terminal, without blanks at its ends.
    pub fn text(self, text: &Text) -> String {
        harmless(text.get(self.language).trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Refusal;
    use crate::reading::TroubleCode;

    #[test]
    fn every_file_of_english_loads() {
        Words::load(&EN).unwrap();
    }

    #[test]
    fn every_refusal_has_a_sentence_with_its_data() {
        let words = Words::of(Language::En);
        let all = [
            Refusal::NotOpen,
            Refusal::Closed,
            Refusal::NoSuchStep("nowhere".into()),
            Refusal::NotReady { missing: vec!["declared".into(), "level".into()] },
            Refusal::Busy,
            Refusal::Stale,
            Refusal::WrongKind,
            Refusal::DoesNotApply,
            Refusal::ReasonNeeded,
            Refusal::NameNeeded,
            Refusal::TypeExactly { wanted: "DRSQL1, DRSQL2".into() },
            Refusal::NeedsSecondPerson,
            Refusal::SamePerson,
            Refusal::OnlyOverride,
            Refusal::SettleFirst,
            Refusal::NothingThere,
            Refusal::Field { field: "at".into(), wanted: "a time".into() },
            Refusal::TooManyAttempts,
            Refusal::TooLong { most: 4000 },
            Refusal::WrongMode,
            Refusal::StillOpen { steps: vec!["close".into()] },
            Refusal::MayNotAct { server: "PRODSQL1".into(), why: "is-production".into() },
        ];
        for refusal in &all {
            let said = words.refusal(refusal);
            assert!(said.contains(' ') && said.ends_with('.'), "{refusal:?}: {said}");
            assert!(!said.contains('{'), "{refusal:?}: {said}");
        }
        assert!(words.refusal(&all[3]).contains("declared, level"));
        assert!(words.refusal(&all[10]).contains("DRSQL1, DRSQL2"));
        assert!(words.refusal(&all[18]).contains("4000"));
        let numbered = words.refusal_with(&all[3], &|id| format!("<{id}>"));
        assert!(numbered.contains("<declared>, <level>"), "{numbered}");
        let forbidden = words.refusal(&all[21]);
        assert!(forbidden.contains("PRODSQL1") && !forbidden.contains("is-production"), "{forbidden}");
    }

    #[test]
    fn every_trouble_says_what_was_said() {
        use TroubleCode as C;
        for code in [
            C::Refused,
            C::Unreachable,
            C::NameUnknown,
            C::Tls,
            C::Login,
            C::Secret,
            C::Database,
            C::Permission,
            C::Timeout,
            C::LockTimeout,
            C::Lost,
            C::Truncated,
            C::ObjectMissing,
            C::ColumnMissing,
            C::NotSupported,
            C::NotModelled,
            C::NoResultSet,
            C::Unfilled,
            C::WrongServer,
            C::Forbidden,
            C::Server,
            C::Other,
        ] {
            let said = Words::of(Language::En).trouble(&Trouble::new(code, "the exact words"));
            assert!(said.contains("the exact words"), "{code:?}: {said}");
            assert!(!said.starts_with(&format!("{}:", code.key())), "{code:?} has no sentence: {said}");
        }
    }

    #[test]
    fn an_unknown_finding_shows_its_code_and_data() {
        let finding = Finding::new("never-heard-of").with("rows", 3).with("server", "DR\u{1b}[2J");
        assert_eq!(Words::of(Language::En).finding(&finding), "never-heard-of (rows = 3, server = DR?[2J)");
    }
}
