//! The terminal: taken over at the start, given back however the program ends.

use std::io::{self, IsTerminal, Stdout, Write};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// Whether the terminal is ours now; giving it back twice would move the cursor of the shell.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A terminal in raw mode on its alternate screen. Dropping it gives it back.
pub(super) struct Taken {
    /// Never dropped by itself: its own clean-up prints to a terminal that may be gone, and would panic there.
    pub(super) terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl Taken {
    pub(super) fn take() -> io::Result<Self> {
        if !is_there() {
            return Err(io::Error::other("standard input and output are not both a terminal"));
        }
        give_back_on_panic(std::thread::current().id());
        TAKEN.store(true, Ordering::SeqCst);
        let taken = enable_raw_mode()
            .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste))
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match taken {
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal) }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Lets the next frame be drawn from nothing. Ratatui's own `clear` asks the terminal where its cursor is,
    /// and one that has just gone away never answers.
    pub(super) fn wipe(&mut self) {
        // A terminal that is gone is noticed when drawing.
        let _ = execute!(io::stdout(), Clear(ClearType::All));
        self.terminal.swap_buffers();
    }

    /// Hands a text to the clipboard of the terminal at the other end (OSC 52).
    pub(super) fn copy(text: &str) -> io::Result<()> {
        let mut out = io::stdout();
        execute!(out, CopyToClipboard::to_clipboard_from(text))?;
        out.flush()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// Whether both ends are still a terminal; false once an SSH session is gone.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Gives the terminal back, as far as it is still there.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

/// A panic of the screen's own thread is read on the shell's screen; other threads leave the screen alone.
fn give_back_on_panic(screen: ThreadId) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == screen {
            give_back();
        }
        before(info);
    }));
}
