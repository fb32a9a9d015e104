//! SET options. What would change an answer and is not followed is refused.

use super::super::ast::{Expr, SetOption};
use super::batch::Batch;
use super::raised::Raised;
use crate::sandbox::answer::Message;
use crate::sandbox::value::Value;

impl Batch<'_> {
    pub(super) fn set_option(&mut self, option: &SetOption) -> Result<(), Raised> {
        match option {
            SetOption::Statistics => Ok(()),
            SetOption::IdentityInsert(name, on) => self.identity_insert(name, *on),
            SetOption::Isolation(level) => {
                self.session.settings.isolation = *level;
                Ok(())
            }
            SetOption::Switch(names, on) => names.iter().try_for_each(|name| self.switch(name, *on)),
            SetOption::Value(name, value) => self.set_value(name, value),
        }
    }

    fn identity_insert(&mut self, name: &super::super::ast::Name, on: bool) -> Result<(), Raised> {
        let target = super::super::ast::Target::Named(name.clone(), self.line);
        let changed = self.changed(&target)?;
        let definition = self.target_definition(&target).map_err(|_| {
            let text = format!(
                "Cannot find the object \"{}\" because it does not exist or you do not have permissions.",
                name.join(".")
            );
            Message::error(1088, text)
        })?;
        let shown = name.last().cloned().unwrap_or_default();
        if !definition.columns.iter().any(|c| c.identity.is_some()) {
            let text =
                format!("Table '{shown}' does not have the identity property. Cannot perform SET operation.");
            return Err(Message::error(8106, text).into());
        }
        if !on {
            self.session.identity_insert = None;
            return Ok(());
        }
        if self.session.identity_insert.as_ref().is_some_and(|other| *other != changed) {
            let text = format!(
                "IDENTITY_INSERT is already ON for another table. Cannot perform SET operation for table '{shown}'."
            );
            return Err(Message::error(8107, text).into());
        }
        self.session.identity_insert = Some(changed);
        Ok(())
    }

    fn switch(&mut self, name: &str, on: bool) -> Result<(), Raised> {
        let settings = &mut self.session.settings;
        let bit = match name {
            "NOCOUNT" => {
                settings.no_count = on;
                512
            }
            "XACT_ABORT" => {
                settings.xact_abort = on;
                16384
            }
            "QUOTED_IDENTIFIER" => {
                settings.quoted_identifier = on;
                256
            }
            "PARSEONLY" => {
                settings.parse_only = on;
                0
            }
            "NOEXEC" => {
                settings.no_exec = on;
                0
            }
            "FMTONLY" => {
                settings.fmt_only = on;
                0
            }
            "IMPLICIT_TRANSACTIONS" => {
                settings.implicit = on;
                2
            }
            "ANSI_DEFAULTS" if on => return Err(refused(name, on)),
            // comparisons with NULL, NULL in texts, warnings: only the ISO way is modelled
            "ANSI_NULLS" | "CONCAT_NULL_YIELDS_NULL" | "ANSI_WARNINGS" | "ANSI_PADDING" if !on => {
                return Err(refused(name, on));
            }
            "NUMERIC_ROUNDABORT" | "ARITHIGNORE" | "ANSI_NULL_DFLT_OFF" if on => {
                return Err(refused(name, on));
            }
            "ANSI_NULLS" => 32,
            "ANSI_PADDING" => 16,
            "ANSI_WARNINGS" => 8,
            "ARITHABORT" => 64,
            "CONCAT_NULL_YIELDS_NULL" => 4096,
            "ANSI_NULL_DFLT_ON" => 1024,
            _ => 0,
        };
        let options = &mut self.session.globals.options;
        *options = if on { *options | bit } else { *options & !bit };
        Ok(())
    }

    fn set_value(&mut self, name: &str, value: &Expr) -> Result<(), Raised> {
        let value = self.evaluate_with(|b| b.value(value), None)?.0;
        match (name, value) {
            ("LOCK_TIMEOUT", Value::Int(n)) => {
                if n < -1 || n > i64::from(i32::MAX) {
                    let text = format!("SET LOCK_TIMEOUT {n} is out of range.");
                    return Err(Message::not_modelled(text).into());
                }
                self.session.globals.lock_timeout = n;
            }
            ("TEXTSIZE", Value::Int(n)) => {
                if (0..4096).contains(&n) && n != 0 {
                    return Err(refused_value(name, n));
                }
                self.session.globals.text_size = if n == 0 { 4096 } else { n };
            }
            ("ROWCOUNT", Value::Int(n)) if n >= 0 => self.session.settings.row_count = n,
            ("DATEFIRST", Value::Int(n)) if (1..=7).contains(&n) => self.session.globals.date_first = n,
            ("DATEFIRST", Value::Int(n)) => {
                let text = format!("{n} is out of range for SET DATEFIRST.");
                return Err(Message::error(2744, text).into());
            }
            ("CONTEXT_INFO", Value::Binary(_)) => {
                return Err(Message::not_modelled("SET CONTEXT_INFO").into());
            }
            ("QUERY_GOVERNOR_COST_LIMIT", Value::Int(_)) => {}
            ("DEADLOCK_PRIORITY", Value::Int(n)) if (-10..=10).contains(&n) => {
                self.session.settings.deadlock_priority = n;
            }
            ("DEADLOCK_PRIORITY", Value::Text(word))
                if ["LOW", "NORMAL", "HIGH"].iter().any(|w| w.eq_ignore_ascii_case(&word)) =>
            {
                self.session.settings.deadlock_priority = match word.to_uppercase().as_str() {
                    "LOW" => -5,
                    "HIGH" => 5,
                    _ => 0,
                };
            }
            ("DATEFORMAT", Value::Text(word)) if word.eq_ignore_ascii_case("mdy") => {}
            ("LANGUAGE", Value::Text(word))
                if word.eq_ignore_ascii_case("us_english") || word.eq_ignore_ascii_case("English") =>
            {
                let text = "Changed language setting to us_english.".to_owned();
                self.info(Message { class: 0, ..Message::error(5703, text) })?;
            }
            (_, Value::Int(n)) => return Err(refused_value(name, n)),
            (_, Value::Text(word)) => return Err(refused_value(name, word)),
            _ => return Err(Message::not_modelled(format!("SET {name}")).into()),
        }
        Ok(())
    }
}

fn refused(name: &str, on: bool) -> Raised {
    refused_value(name, if on { "ON" } else { "OFF" })
}

fn refused_value(name: &str, value: impl std::fmt::Display) -> Raised {
    Message::not_modelled(format!("SET {name} {value}")).into()
}
