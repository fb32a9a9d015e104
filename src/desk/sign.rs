//! How a step, a server or an action stands, as one sign with its word and tone.

use super::row::Tone;
use super::setup::Glyphs;
use crate::check::Verdict;
use crate::engine::{ActState, Standing};
use crate::locale::Words;

/// A sign. Always shown with its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Sign {
    Locked,
    Ready,
    Running,
    Uncertain,
    Interrupted,
    Overridden,
    Skipped,
    Pass,
    Warn,
    Fail,
    Unknown,
    NotApplicable,
    NoWayBack,
}

impl Sign {
    /// All of them, for the legend.
    pub const ALL: [Self; 13] = [
        Self::Pass,
        Self::Warn,
        Self::Fail,
        Self::Unknown,
        Self::NotApplicable,
        Self::Ready,
        Self::Locked,
        Self::Running,
        Self::Uncertain,
        Self::Interrupted,
        Self::Overridden,
        Self::Skipped,
        Self::NoWayBack,
    ];

    /// Of a step.
    pub fn of(standing: &Standing) -> Self {
        match standing {
            Standing::Locked(_) => Self::Locked,
            Standing::Ready => Self::Ready,
            Standing::DoesNotApply => Self::NotApplicable,
            Standing::Running(_) => Self::Running,
            Standing::Uncertain => Self::Uncertain,
            Standing::Interrupted => Self::Interrupted,
            Standing::Judged(verdict) => Self::of_verdict(*verdict),
            Standing::Overridden => Self::Overridden,
            Standing::Skipped => Self::Skipped,
        }
    }

    /// Of a verdict.
    pub fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Warn => Self::Warn,
            Verdict::Fail => Self::Fail,
            Verdict::Unknown => Self::Unknown,
            Verdict::NotApplicable => Self::NotApplicable,
        }
    }

    /// Of an action.
    pub fn of_act(state: &ActState) -> Self {
        match state {
            ActState::Intended => Self::Running,
            ActState::Uncertain(_) => Self::Uncertain,
            done if done.happened() => Self::Pass,
            _ => Self::Fail,
        }
    }

    /// One character, one column wide.
    pub fn glyph(self, glyphs: Glyphs) -> &'static str {
        let (unicode, ascii) = match self {
            Self::Locked => (" ", " "),
            Self::Ready => (".", "."),
            Self::Running => ("*", "*"),
            Self::Interrupted => ("~", "~"),
            Self::Overridden => ("=", "="),
            Self::Skipped => ("/", "/"),
            Self::Pass => ("✓", "+"),
            Self::Warn | Self::NoWayBack => ("!", "!"),
            Self::Fail => ("✗", "x"),
            Self::Unknown | Self::Uncertain => ("?", "?"),
            Self::NotApplicable => ("-", "-"),
        };
        match glyphs {
            Glyphs::Unicode => unicode,
            Glyphs::Ascii => ascii,
        }
    }

    /// Its word.
    pub fn word(self, words: &Words) -> &str {
        let signs = &words.screens.signs;
        match self {
            Self::Locked => &signs.locked,
            Self::Ready => &signs.ready,
            Self::Running => &signs.running,
            Self::Uncertain => &signs.uncertain,
            Self::Interrupted => &signs.interrupted,
            Self::Overridden => &signs.overridden,
            Self::Skipped => &signs.skipped,
            Self::Pass => &signs.pass,
            Self::Warn => &signs.warn,
            Self::Fail => &signs.fail,
            Self::Unknown => &signs.unknown,
            Self::NotApplicable => &signs.not_applicable,
            Self::NoWayBack => &signs.no_way_back,
        }
    }

    /// Its tone.
    pub fn tone(self) -> Tone {
        match self {
            Self::Locked | Self::NotApplicable => Tone::Dim,
            Self::Ready => Tone::Plain,
            Self::Running => Tone::Busy,
            Self::Uncertain | Self::Unknown | Self::Interrupted => Tone::Unknown,
            Self::Overridden | Self::Skipped | Self::Warn | Self::NoWayBack => Tone::Warn,
            Self::Pass => Tone::Good,
            Self::Fail => Tone::Bad,
        }
    }
}
