//! Colours and attributes. Sixteen colours at most; with none, attributes alone. Words and signs never depend on them.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::desk::{Glyphs, Look, Tone};
use crate::runbook::Mode;

/// Frames of seven bits.
const ASCII: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// How things look on this terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    pub(super) look: Look,
}

#[allow(clippy::unused_self, reason = "one way to ask for every style, whether colours matter to it or not")]
impl Theme {
    pub(super) fn ascii(self) -> bool {
        self.look.glyphs == Glyphs::Ascii
    }

    pub(super) fn frames(self) -> border::Set<'static> {
        match self.look.frames {
            Glyphs::Ascii => ASCII,
            Glyphs::Unicode => border::PLAIN,
        }
    }

    fn coloured(self, style: Style, colour: Color) -> Style {
        if self.look.colour { style.fg(colour) } else { style }
    }

    pub(super) fn tone(self, tone: Tone) -> Style {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        match tone {
            Tone::Plain => plain,
            Tone::Dim => plain.add_modifier(Modifier::DIM),
            Tone::Strong => bold,
            Tone::Good => self.coloured(plain, Color::Green),
            Tone::Warn => self.coloured(plain, Color::Yellow),
            Tone::Bad => self.coloured(bold, Color::Red),
            Tone::Unknown => self.coloured(bold, Color::Magenta),
            Tone::Busy => self.coloured(plain, Color::Cyan),
        }
    }

    pub(super) fn label(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The word of the mode, and the header behind it.
    pub(super) fn mode(self, mode: Mode) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if !self.look.colour {
            return style.add_modifier(Modifier::REVERSED);
        }
        match mode {
            Mode::Rehearsal => style.fg(Color::Black).bg(Color::Cyan),
            Mode::Drill => style.fg(Color::Black).bg(Color::Yellow),
            Mode::Incident => style.fg(Color::White).bg(Color::Red),
        }
    }

    /// What cannot be missed.
    pub(super) fn alarm(self) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED);
        self.coloured(style, Color::Red)
    }

    pub(super) fn frame(self, focused: bool) -> Style {
        if focused { Style::new() } else { Style::new().add_modifier(Modifier::DIM) }
    }
}
