//! Availability groups and mirroring as statements: who may, and what the server answers.
//!
//! Does not know the rules (`ha`).

use super::{Call, Done};
use crate::sandbox::answer::Message;
use crate::sandbox::host::availability::Availability;

impl Call<'_> {
    pub(super) fn availability(&mut self, statement: &Availability) -> Done {
        if !self.who.sysadmin {
            return Err(vec![not_allowed(statement)]);
        }
        let (s, now) = (self.s, self.now);
        let done = match statement {
            Availability::Partner { database, action } => self.state.partner(s, database, action, now),
            _ => self.state.availability(s, statement, now),
        };
        done.map_err(|first| vec![first])
    }
}

/// The message for a login that may not.
fn not_allowed(statement: &Availability) -> Message {
    let (verb, name) = match statement {
        Availability::Create(_) => {
            return Message {
                class: 14,
                ..Message::error(262, "CREATE AVAILABILITY GROUP permission denied in database 'master'.")
            };
        }
        Availability::Alter { group, .. } => ("alter", group),
        Availability::Drop(group) => ("drop", group),
        Availability::Hadr { database, .. } | Availability::Partner { database, .. } => {
            let text = format!(
                "User does not have permission to alter database '{database}', the database does not exist, or the database is not in a state that allows access checks."
            );
            return Message { class: 14, ..Message::error(5011, text) };
        }
    };
    let text = format!(
        "Cannot {verb} the availability group '{name}', because it does not exist or you do not have permission."
    );
    Message::error(15151, text)
}
