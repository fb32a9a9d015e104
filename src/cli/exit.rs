//! Exit codes, documented in `drbook --help`.

use std::process::ExitCode;

use crate::check::Verdict;
use crate::engine::{Session, Standing};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything passed.
    Passed,
    /// Something unexpected.
    Unexpected,
    /// Wrong arguments.
    Usage,
    /// Wrong configuration.
    Configuration,
    /// A check failed.
    Failed,
    /// Could not ask.
    Unknown,
    /// Incomplete; can be resumed.
    Incomplete,
    /// A file has lint errors.
    Lint,
    /// A record is damaged.
    Damaged,
    /// A record was altered.
    Altered,
    /// A record is sound after a recovered tail.
    RecoveredTail,
    /// Interrupted by a signal.
    Interrupted,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::Configuration => 3,
            Self::Failed => 10,
            Self::Unknown => 11,
            Self::Incomplete => 12,
            Self::Lint => 20,
            Self::Damaged => 30,
            Self::Altered => 31,
            Self::RecoveredTail => 32,
            Self::Interrupted => 130,
        }
    }

    /// Of a drill: the worst of its steps, 10 before 11 before 12.
    pub fn of(session: &Session) -> Self {
        let standings = || (0..session.steps.len()).map(|i| session.standing(i));
        let any = |verdict| standings().any(|s| s == Standing::Judged(verdict));
        if any(Verdict::Fail) {
            Self::Failed
        } else if any(Verdict::Unknown) {
            Self::Unknown
        } else if session.closed.is_none() || standings().any(|s| !s.is_settled()) {
            Self::Incomplete
        } else {
            Self::Passed
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not be carried out, in words that say what to do, and how the program ends.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) words: String,
    pub(crate) exit: Exit,
}

impl Failure {
    pub(crate) fn usage(words: impl Into<String>) -> Self {
        Self { words: words.into(), exit: Exit::Usage }
    }
    pub(crate) fn configuration(words: impl Into<String>) -> Self {
        Self { words: words.into(), exit: Exit::Configuration }
    }
    pub(crate) fn unexpected(words: impl Into<String>) -> Self {
        Self { words: words.into(), exit: Exit::Unexpected }
    }
    pub(crate) fn lint(words: impl Into<String>) -> Self {
        Self { words: words.into(), exit: Exit::Lint }
    }
}

impl From<crate::record::Trouble> for Failure {
    fn from(trouble: crate::record::Trouble) -> Self {
        use crate::record::Trouble as T;
        let exit = match &trouble {
            t if t.is_damage() => Exit::Damaged,
            t if t.is_alteration() => Exit::Altered,
            T::Broken { .. } | T::TooLarge { .. } => Exit::Unexpected,
            _ => Exit::Configuration,
        };
        Self { words: with_next_step(&trouble), exit }
    }
}

impl From<crate::drive::Trouble> for Failure {
    fn from(trouble: crate::drive::Trouble) -> Self {
        match trouble {
            // In the middle of a drill it is no longer the configuration.
            crate::drive::Trouble::Record(trouble @ crate::record::Trouble::Io { .. }) => {
                Self::unexpected(format!(
                    "{trouble}\n  next: what was shown as recorded is safe; free the disk, then `drbook resume`"
                ))
            }
            crate::drive::Trouble::Record(trouble) => trouble.into(),
            other @ crate::drive::Trouble::Threads(_) => Self::unexpected(other.to_string()),
            crate::drive::Trouble::Refused(refusal) => {
                let words = crate::locale::Words::of(crate::text::Language::En).refusal(&refusal);
                Self::configuration(words)
            }
        }
    }
}

fn with_next_step(trouble: &crate::record::Trouble) -> String {
    use crate::record::Trouble as T;
    let next = match trouble {
        T::Io { .. } => {
            "check that the folder exists, is writable and has space; --records DIR names another"
        }
        T::Locked { .. } => {
            "close the other drbook, or, if it is gone for good, take over with `drbook resume --take-over`"
        }
        t if t.is_damage() => {
            "keep the folder as it is and restore it from a copy; `drbook records verify` tells more"
        }
        t if t.is_alteration() => {
            "keep the folder as it is and ask who changed it; `drbook records verify` tells more"
        }
        T::Broken { .. } => "what was shown as recorded is safe; free the disk, then `drbook resume`",
        T::TooLarge { .. } => "say it in fewer words",
        _ => "`drbook records list` shows the records there are",
    };
    format!("{trouble}\n  next: {next}")
}
