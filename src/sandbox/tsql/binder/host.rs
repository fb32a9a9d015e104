//! Functions the world computes, and what type each gives.

use super::super::ast::Call;
use super::super::plan::{Bound, Node};
use super::{Binder, Binding};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

impl Binder<'_> {
    /// A function the world computes.
    pub(super) fn host_function(&mut self, call: &Call, name: &str) -> Binding<Bound> {
        let arguments = call.arguments.iter().map(|a| self.expression(a)).collect::<Binding<Vec<_>>>()?;
        // does it exist? errors about the NULLs it is asked with do not matter
        let nulls = vec![Value::Null; arguments.len()];
        let probe = self.world.host.scalar(self.world.context, name, &nulls);
        if let Ok(None) = probe {
            let shown = &call.name;
            return Err(if shown.len() == 1 {
                unknown(&shown[0])
            } else {
                Message::error(
                    4121,
                    format!(
                        "Cannot find either column \"{}\" or the user-defined function or aggregate \"{}\", or the name is ambiguous.",
                        shown[0],
                        shown.join(".")
                    ),
                )
            });
        }
        let kind = match (host_type(name), probe) {
            (Some(kind), _) => kind,
            (None, Ok(Some(value))) if value != Value::Null => super::super::convert::natural(&value),
            (None, Err(refusal)) if refusal.number == 59999 => return Err(refusal),
            _ => return Err(Message::not_modelled(format!("the type of function {name}"))),
        };
        Ok(Bound { node: Node::Host(name.to_owned(), arguments), kind, nullable: true })
    }
}

/// 195
pub(super) fn unknown(name: &str) -> Message {
    Message {
        class: 15,
        ..Message::error(195, format!("'{name}' is not a recognized built-in function name."))
    }
}

/// The result types of functions that the world computes.
pub(super) fn host_type(name: &str) -> Option<Type> {
    // the same functions from anywhere: master.sys.fn_…, msdb.dbo.agent_datetime
    let own = name.rsplit('.').next().unwrap_or(name);
    Some(match own {
        "SERVERPROPERTY"
        | "DATABASEPROPERTYEX"
        | "CONNECTIONPROPERTY"
        | "SESSIONPROPERTY"
        | "FILEGROUPPROPERTY_EX"
        | "SESSION_CONTEXT"
        | "COLLATIONPROPERTY"
        | "OBJECTPROPERTYEX"
        | "LOGINPROPERTY" => Type::Variant,
        "DB_NAME"
        | "OBJECT_NAME"
        | "OBJECT_SCHEMA_NAME"
        | "SCHEMA_NAME"
        | "TYPE_NAME"
        | "COL_NAME"
        | "FILE_NAME"
        | "USER_NAME"
        | "SUSER_NAME"
        | "SUSER_SNAME"
        | "ORIGINAL_LOGIN"
        | "HOST_NAME"
        | "APP_NAME"
        | "CURRENT_USER"
        | "SESSION_USER"
        | "SYSTEM_USER"
        | "USER"
        | "FILEGROUP_NAME"
        | "CURRENT_TIMEZONE"
        | "CURRENT_TIMEZONE_ID"
        | "SQLAGENT_SUSER_SNAME"
        | "ORIGINAL_DB_NAME"
        | "PROGRAM_NAME" => Type::SYSNAME,
        "OBJECT_DEFINITION" => Type::NVarChar(None),
        "DB_ID"
        | "SCHEMA_ID"
        | "OBJECT_ID"
        | "TYPE_ID"
        | "USER_ID"
        | "DATABASE_PRINCIPAL_ID"
        | "HAS_PERMS_BY_NAME"
        | "IS_SRVROLEMEMBER"
        | "IS_MEMBER"
        | "IS_ROLEMEMBER"
        | "HAS_DBACCESS"
        | "DATABASEPROPERTY"
        | "OBJECTPROPERTY"
        | "COLUMNPROPERTY"
        | "FILE_ID"
        | "FILE_IDEX"
        | "FILEPROPERTY"
        | "INDEXPROPERTY"
        | "TYPEPROPERTY"
        | "FILEGROUP_ID"
        | "FILEGROUPPROPERTY"
        | "INDEXKEY_PROPERTY"
        | "GETANSINULL"
        | "COL_LENGTH"
        | "SUSER_ID"
        | "IS_OBJECTSIGNED" => Type::Int,
        "SUSER_SID" => Type::VarBinary(Some(85)),
        "HOST_ID" => Type::Char(10),
        "AGENT_DATETIME" | "STATS_DATE" => Type::DateTime,
        "FN_HADR_IS_PRIMARY_REPLICA" | "FN_HADR_BACKUP_IS_PREFERRED_REPLICA" => Type::Bit,
        "NEWID" => Type::UniqueIdentifier,
        "CONTEXT_INFO" => Type::VarBinary(Some(128)),
        "GET_FILESTREAM_TRANSACTION_CONTEXT" => Type::VarBinary(None),
        _ => return None,
    })
}
