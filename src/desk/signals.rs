//! Signals that ask the program to end, as messages on a channel.

use std::io;
use std::sync::mpsc::Sender;

/// SIGTERM, SIGHUP and SIGINT; on Windows Ctrl-C arrives as a key and closing the window ends the process.
pub struct Signals {
    #[cfg(unix)]
    handle: signal_hook::iterator::Handle,
}

impl Signals {
    /// Sends each signal, wrapped, until dropped.
    #[cfg(unix)]
    pub fn listen<T: Send + 'static>(post: Sender<T>, wrap: fn(i32) -> T) -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGHUP, SIGINT])?;
        let handle = signals.handle();
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if post.send(wrap(signal)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { handle })
    }

    /// There are none to listen to.
    #[cfg(not(unix))]
    pub fn listen<T: Send + 'static>(_post: Sender<T>, _wrap: fn(i32) -> T) -> io::Result<Self> {
        Ok(Self {})
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        #[cfg(unix)]
        self.handle.close();
    }
}
