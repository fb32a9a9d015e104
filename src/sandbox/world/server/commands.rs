//! Statements about whole databases.

use super::Call;
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Command;

impl Call<'_> {
    pub(super) fn command(&mut self, command: &Command, _parts: &mut Kept) -> Result<(), Vec<Message>> {
        Err(vec![Message::not_modelled(format_args!("{command:?}"))])
    }
}
