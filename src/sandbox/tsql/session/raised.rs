//! Errors on their way up: what each ends.

use crate::sandbox::answer::{Message, Stopped};
use crate::sandbox::tsql::plan::Fault;

/// How much an error ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ends {
    Statement,
    /// The batch, procedure or dynamic SQL it stands in.
    Scope,
    /// Everything up to the client's request.
    Batch,
}

/// An error on its way up.
#[derive(Debug)]
pub(super) struct Raised {
    pub(super) messages: Vec<Message>,
    pub(super) ends: Ends,
    /// Already told to the client.
    pub(super) sent: bool,
    /// The client is gone.
    pub(super) stopped: bool,
    /// Found while compiling at this depth of scopes: a TRY of the same scope does not catch it.
    pub(super) compile: Option<usize>,
}

/// What an error ends with XACT_ABORT off.
pub(super) fn ends(message: &Message) -> Ends {
    match message.number {
        // failed conversions of text end the batch; overflow and division by zero only the statement
        241 | 242 | 244 | 245 | 248 | 8114 | 8169 | 293 | 295 | 596 | 1205 => Ends::Batch,
        _ if message.class >= 20 => Ends::Batch,
        _ => Ends::Statement,
    }
}

/// Errors of names and types end the scope they are compiled in.
pub(super) fn compile_error(number: i32) -> bool {
    matches!(
        number,
        102 | 104
            | 107
            | 108
            | 109
            | 110
            | 116
            | 120
            | 121
            | 130
            | 137
            | 141
            | 144
            | 145
            | 147
            | 155
            | 156
            | 164
            | 174
            | 189
            | 191
            | 195
            | 205
            | 206
            | 207
            | 208
            | 209
            | 213
            | 239
            | 243
            | 257
            | 263
            | 402
            | 408
            | 447
            | 448
            | 529
            | 1011
            | 1013
            | 1015
            | 1023
            | 1033
            | 1052
            | 1060
            | 1062
            | 1087
            | 4104
            | 4108
            | 4112
            | 4121
            | 4127
            | 4151
            | 5308
            | 8116
            | 8117
            | 8120
            | 8121
            | 8127
            | 8133
            | 8155
            | 8156
            | 8158
            | 8159
            | 9810
            | 10709
            | 10741
            | 10752
            | 10753
    )
}

impl From<Stopped> for Raised {
    fn from(_: Stopped) -> Self {
        Self { messages: Vec::new(), ends: Ends::Batch, sent: true, stopped: true, compile: None }
    }
}

impl From<Message> for Raised {
    fn from(message: Message) -> Self {
        let ends = ends(&message);
        Self { messages: vec![message], ends, sent: false, stopped: false, compile: None }
    }
}

impl From<Fault> for Raised {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Error(message) => message.into(),
            Fault::Stopped => Stopped.into(),
        }
    }
}
