//! Views that users made: their text, bound where they are read.

use super::super::ast::{ModuleBody, Name, Query, What};
use super::super::parser;
use super::super::plan::{SourcePlan, Sub};
use super::super::state::invalid_object;
use super::{Binder, Binding, Known};
use crate::sandbox::answer::Message;
use crate::sandbox::host::{ModuleKind, ObjectName};
use crate::sandbox::value::Column;

impl Binder<'_> {
    /// A name as it is meant here: in a view, in the view's database.
    pub(super) fn object(&self, name: &Name) -> Binding<ObjectName> {
        let mut object = self.world.object(name)?;
        if let Some(home) = &self.home
            && (name.len() < 3 || name[name.len() - 3].is_empty())
        {
            object.database.clone_from(home);
        }
        Ok(object)
    }

    /// A view of a user in FROM; 208 when there is none.
    pub(super) fn user_view(
        &mut self,
        name: &Name,
        object: &ObjectName,
        alias: Option<&String>,
    ) -> Binding<SourcePlan> {
        let module = self.world.host.module(self.world.context, object);
        let module = module.inspect_err(|_| self.world.host_failed.set(true))?;
        let Some(module) = module.filter(|m| m.kind == ModuleKind::View) else {
            return Err(invalid_object(name));
        };
        let What::CreateModule { module, .. } = parser::kept(&module.text, self.world.version)? else {
            return Err(invalid_object(name));
        };
        let ModuleBody::View { columns, query } = *module else { return Err(invalid_object(name)) };
        // it sees nothing of the query that reads it
        let ctes = std::mem::take(&mut self.ctes);
        let scopes = std::mem::take(&mut self.scopes);
        let working = std::mem::take(&mut self.working);
        let home = self.home.replace(object.database.clone());
        let result = self.derived(&query, &object.name, &columns);
        self.home = home;
        self.working = working;
        self.scopes = scopes;
        self.ctes = ctes;
        let (query, columns) = result?;
        let reads = query.plan.reads_host;
        if let Some(scope) = self.scope() {
            scope.reads_host |= reads;
        }
        let width = columns.len();
        let slot = self.add(Known {
            shown: alias.cloned().unwrap_or_else(|| name.join(".")),
            alias: alias.cloned(),
            name: name.clone(),
            columns,
            host: None,
        })?;
        Ok(SourcePlan::Derived { slot, width, query })
    }

    /// The query of a view that is created.
    pub(in crate::sandbox::tsql) fn view(
        &mut self,
        query: &Query,
        name: &str,
        columns: &[String],
    ) -> Result<(Sub, Vec<Column>), Vec<Message>> {
        let result = self.derived(query, name, columns).map_err(|m| match m.number {
            8155 => {
                let text = m.text.replace("No column name was specified for column", "Create View or Function failed because no column name was specified for column");
                Message::error(4511, text.split(" of '").next().unwrap_or_default().to_owned() + ".")
            }
            8156 => Message::error(
                4506,
                format!("Column names in each view or function must be unique. Column name in view or function '{name}' is specified more than once."),
            ),
            8158 | 8159 => Message::error(
                m.number,
                m.text,
            ),
            _ => m,
        });
        self.finish(result)
    }
}
