//! The key table: `assets/keymap.yaml`, read once; dispatch, footer and help all look things up here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::Deserialize;

use crate::yaml;

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Context {
    Anywhere,
    Home,
    Drill,
    Evidence,
    Help,
    Dialog,
    Filter,
}

impl Context {
    /// Whether letters are text here and not keys.
    pub const fn takes_text(self) -> bool {
        matches!(self, Self::Dialog | Self::Filter)
    }
}

/// What a key does. Worded in `screens.yaml` under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "worded in assets/locales/en/screens.yaml, `actions`")]
pub enum Action {
    Help,
    Redraw,
    Quit,
    Open,
    Up,
    Down,
    Left,
    Right,
    First,
    Last,
    PageUp,
    PageDown,
    Back,
    Run,
    ActAgain,
    Settle,
    LookAgain,
    Stop,
    Evidence,
    Note,
    NoteDrill,
    Skip,
    Override,
    DoneOutside,
    CopySql,
    Copy,
    HandOver,
    Close,
    NextOpen,
    Filter,
    ColumnsLeft,
    ColumnsRight,
    OlderAttempt,
    Confirm,
    NextField,
    PreviousField,
    Erase,
    EraseAfter,
    EraseLine,
}

impl Action {
    /// As in files: `next-open`.
    pub fn key(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// A line of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Keys as people write them.
    pub keys: Vec<String>,
    /// What they do.
    pub does: Action,
    /// Whether it is shown on the bottom line.
    #[serde(default)]
    pub footer: bool,
}

/// The table.
#[derive(Debug, Default)]
pub struct Keymap {
    contexts: BTreeMap<Context, Vec<Binding>>,
}

impl Keymap {
    /// The built-in table.
    pub fn built_in() -> &'static Self {
        static TABLE: LazyLock<Keymap> =
            LazyLock::new(|| Keymap::read(include_str!("../../assets/keymap.yaml")).unwrap_or_default());
        &TABLE
    }

    /// Reads a table.
    pub fn read(text: &str) -> Result<Self, yaml::Fault> {
        Ok(Self { contexts: yaml::read(text)? })
    }

    /// The lines of a context.
    pub fn of(&self, context: Context) -> &[Binding] {
        self.contexts.get(&context).map_or(&[], Vec::as_slice)
    }

    /// What a key does in a context, or anywhere.
    pub fn action(&self, context: Context, key: &KeyEvent) -> Option<Action> {
        let name = name(key)?;
        let printable = name.chars().count() == 1 || name == "space";
        if context.takes_text() && printable {
            return None;
        }
        [context, Context::Anywhere]
            .into_iter()
            .flat_map(|c| self.of(c))
            .find(|b| b.keys.contains(&name))
            .map(|b| b.does)
    }

    /// The first key of an action, for hints.
    pub fn key_of(&self, context: Context, action: Action) -> Option<&str> {
        let all = [context, Context::Anywhere];
        let found = all.into_iter().flat_map(|c| self.of(c)).find(|b| b.does == action)?;
        found.keys.first().map(String::as_str)
    }
}

/// A key as it is written in the table; `None` for what cannot stand there.
fn name(key: &KeyEvent) -> Option<String> {
    let plain = match key.code {
        KeyCode::Char(' ') => "space".to_owned(),
        KeyCode::Char(c) => {
            let control = key.modifiers.contains(KeyModifiers::CONTROL);
            if control { c.to_lowercase().collect() } else { c.to_string() }
        }
        KeyCode::Up => "up".into(),
        KeyCode::Down => "down".into(),
        KeyCode::Left => "left".into(),
        KeyCode::Right => "right".into(),
        KeyCode::Enter => "enter".into(),
        KeyCode::Esc => "esc".into(),
        KeyCode::Tab => "tab".into(),
        KeyCode::BackTab => "backtab".into(),
        KeyCode::Backspace => "backspace".into(),
        KeyCode::Delete => "delete".into(),
        KeyCode::Home => "home".into(),
        KeyCode::End => "end".into(),
        KeyCode::PageUp => "pgup".into(),
        KeyCode::PageDown => "pgdn".into(),
        KeyCode::F(n) => format!("f{n}"),
        _ => return None,
    };
    if key.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    Some(if key.modifiers.contains(KeyModifiers::CONTROL) { format!("ctrl-{plain}") } else { plain })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::locale::Words;
    use crate::text::Language;

    const ALL: [Context; 7] = [
        Context::Anywhere,
        Context::Home,
        Context::Drill,
        Context::Evidence,
        Context::Help,
        Context::Dialog,
        Context::Filter,
    ];

    #[test]
    fn the_built_in_table_reads_and_no_key_has_two_meanings() {
        let table = Keymap::read(include_str!("../../assets/keymap.yaml")).unwrap();
        for context in ALL {
            assert!(!table.of(context).is_empty(), "{context:?} has no keys");
            let mut seen = BTreeSet::new();
            let keys = table.of(context).iter().flat_map(|b| &b.keys);
            let anywhere = table.of(Context::Anywhere).iter().flat_map(|b| &b.keys);
            let others = anywhere.filter(|_| context != Context::Anywhere);
            for key in keys.chain(others) {
                assert!(seen.insert(key.clone()), "{key} has two meanings in {context:?}");
            }
        }
    }

    #[test]
    fn every_action_of_the_table_has_words() {
        let table = Keymap::built_in();
        let words = &Words::of(Language::En).screens.actions;
        for context in ALL {
            for binding in table.of(context) {
                assert!(words.contains_key(&binding.does.key()), "{:?} has no words", binding.does);
            }
        }
        let bound: BTreeSet<String> = ALL.iter().flat_map(|c| table.of(*c)).map(|b| b.does.key()).collect();
        let worded: BTreeSet<String> = words.keys().cloned().collect();
        assert_eq!(bound, worded);
    }

    #[test]
    fn letters_are_text_in_dialogs_and_keys_elsewhere() {
        let table = Keymap::built_in();
        let q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(table.action(Context::Drill, &q), Some(Action::Quit));
        assert_eq!(table.action(Context::Dialog, &q), None);
        let question = KeyEvent::new(KeyCode::Char('?'), KeyModifiers::NONE);
        assert_eq!(table.action(Context::Filter, &question), None);
        let stop = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(table.action(Context::Dialog, &stop), Some(Action::Quit));
    }
}
