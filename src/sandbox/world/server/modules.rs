//! What users make in a database: tables, views, procedures; and the way to linked servers.
//!
//! Does not know SQL: texts are kept as they were written. They travel in backups but are not in the log.

use std::sync::Arc;

use super::Call;
use crate::sandbox::answer::Message;
use crate::sandbox::host::{Context, Define, Module, ModuleKind, ObjectName, Outcome};
use crate::sandbox::value::Table;
use crate::sandbox::world::stored::Stored;

/// Objects of users in one database; more are refused.
const MOST: usize = 2000;

impl Call<'_> {
    pub(super) fn module(&mut self, name: &ObjectName) -> Outcome<Option<Module>> {
        if name.schema != "dbo" {
            return Ok(None);
        }
        let d = self.enter(&name.database)?;
        Ok(self.server().databases[d].content.modules.get(&name.name.to_lowercase()).cloned())
    }

    pub(super) fn define(&mut self, name: &ObjectName, what: Define) -> Outcome<()> {
        let d = self.enter(&name.database)?;
        if name.schema != "dbo" {
            return Err(Message::not_modelled("objects of other schemas than dbo"));
        }
        if !self.who.sysadmin {
            let text = format!("CREATE or DROP permission denied in database '{}'.", name.database);
            return Err(Message { class: 14, ..Message::error(262, text) });
        }
        if self.server().databases[d].read_only {
            let text =
                format!("Failed to update database \"{}\" because the database is read-only.", name.database);
            return Err(Message::error(3906, text));
        }
        let key = name.name.to_lowercase();
        let content = &self.server().databases[d].content;
        let known = content.modules.get(&key).map(|m| m.kind);
        let taken = known.is_some()
            || content.tables.contains_key(&key)
            || content
                .views
                .iter()
                .chain(&content.procedures)
                .any(|(n, _)| n.eq_ignore_ascii_case(&name.name));
        let exists = || {
            let text = format!("There is already an object named '{}' in the database.", name.name);
            Message { state: 6, ..Message::error(2714, text) }
        };
        let full = content.modules.len() >= MOST;
        self.state.dirty = true;
        match what {
            Define::Table(columns, text) => {
                if taken {
                    return Err(exists());
                }
                if full {
                    return Err(Message::not_modelled("more than 2000 objects of users in a database"));
                }
                let object_id = self.server_mut().next_object_id();
                let table = Arc::new(Table { columns, rows: Vec::new() });
                let stored = Stored { object_id, table, ..Stored::named(&name.name) };
                let content = &mut self.server_mut().databases[d].content;
                content.tables.insert(key.clone(), stored);
                content.modules.insert(key, Module { kind: ModuleKind::Table, text });
            }
            Define::Module(module, replace) => {
                if taken && !(replace && known == Some(module.kind)) {
                    return Err(exists());
                }
                if full && known.is_none() {
                    return Err(Message::not_modelled("more than 2000 objects of users in a database"));
                }
                let id = self.server_mut().next_object_id();
                let content = &mut self.server_mut().databases[d].content;
                if known.is_none() {
                    let list = if module.kind == ModuleKind::View {
                        &mut content.views
                    } else {
                        &mut content.procedures
                    };
                    list.push((name.name.clone(), id));
                }
                content.modules.insert(key, module);
            }
            Define::Drop(kind) => {
                if known != Some(kind) {
                    return Err(if taken {
                        Message::not_modelled(format_args!(
                            "DROP of {}, which the world is made with",
                            name.name
                        ))
                    } else {
                        let word = match kind {
                            ModuleKind::Table => "table",
                            ModuleKind::View => "view",
                            ModuleKind::Procedure => "procedure",
                        };
                        let text = format!(
                            "Cannot drop the {word} '{}', because it does not exist or you do not have permission.",
                            name.name
                        );
                        Message { class: 11, state: 5, ..Message::error(3701, text) }
                    });
                }
                let content = &mut self.server_mut().databases[d].content;
                content.modules.remove(&key);
                content.tables.remove(&key);
                content.views.retain(|(n, _)| !n.eq_ignore_ascii_case(&name.name));
                content.procedures.retain(|(n, _)| !n.eq_ignore_ascii_case(&name.name));
            }
        }
        Ok(())
    }

    /// The server of the world a linked server leads to, and who the session is there.
    pub(super) fn linked(&mut self, name: &str) -> Outcome<Option<(usize, Context)>> {
        let linked = self.server().linked.iter().find(|l| l.name.eq_ignore_ascii_case(name));
        let source = match linked {
            Some(linked) => linked.data_source.clone(),
            None if self.server().name.eq_ignore_ascii_case(name) => name.to_owned(),
            None => return Ok(None),
        };
        let Some(number) = self.state.server_index(&source) else {
            return Err(Message::not_modelled(format_args!(
                "linked server {name}: '{source}' is no server of the world"
            )));
        };
        let trouble = &self.state.servers[number].trouble;
        if trouble.refused || trouble.silent {
            let text = format!(
                "Named Pipes Provider: Could not open a connection to SQL Server [53]. (linked server \"{name}\")"
            );
            return Err(Message::error(53, text));
        }
        // it connects under the login of the session, which must be known over there
        let login = self.who.login.clone();
        let Some(there) = self.state.servers[number]
            .logins
            .iter()
            .find(|l| l.name.eq_ignore_ascii_case(&login) && !l.disabled)
        else {
            let text = format!("Login failed for user '{login}'.");
            return Err(Message { class: 14, ..Message::error(18456, text) });
        };
        let context = Context {
            database: "master".to_owned(),
            sysadmin: there.sysadmin,
            session_id: -self.who.session_id.abs(),
            ..self.who.clone()
        };
        Ok(Some((number, context)))
    }
}
