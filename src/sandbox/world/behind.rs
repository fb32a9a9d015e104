//! Writing files behind the back of whoever makes history: one thread, in the order given.
//!
//! Does not know what is in the files. Who wants to look at the disk waits first, with [`Behind::settle`].

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// One file to be written: where, whether at its end, and what makes its bytes.
pub(crate) struct Writing {
    pub(crate) place: PathBuf,
    pub(crate) append: bool,
    pub(crate) bytes: Box<dyn FnOnce() -> Vec<u8> + Send>,
}

#[derive(Default)]
struct Standing {
    pending: usize,
    failed: Option<(PathBuf, std::io::Error)>,
}

/// The thread, and how much it still has to do.
pub(crate) struct Behind {
    sender: Mutex<Option<Sender<Writing>>>,
    standing: Arc<(Mutex<Standing>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Behind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Behind").finish_non_exhaustive()
    }
}

impl Behind {
    /// Starts the thread.
    pub(crate) fn start() -> Self {
        let (sender, receiver) = channel::<Writing>();
        let standing = Arc::new((Mutex::new(Standing::default()), Condvar::new()));
        let shared = Arc::clone(&standing);
        let thread = std::thread::spawn(move || {
            for writing in receiver {
                let bytes = (writing.bytes)();
                let done = put(&writing.place, writing.append, &bytes);
                let mut now = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
                now.pending -= 1;
                if let Err(error) = done {
                    now.failed.get_or_insert((writing.place, error));
                }
                shared.1.notify_all();
            }
        });
        Self { sender: Mutex::new(Some(sender)), standing, thread: Mutex::new(Some(thread)) }
    }

    /// Hands a file over; `false` when the thread is gone.
    pub(crate) fn write(&self, writing: Writing) -> bool {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else { return false };
        self.standing.0.lock().unwrap_or_else(PoisonError::into_inner).pending += 1;
        sender.send(writing).is_ok()
    }

    /// Waits until everything handed over is on disk.
    pub(crate) fn settle(&self) {
        let mut now = self.standing.0.lock().unwrap_or_else(PoisonError::into_inner);
        while now.pending > 0 {
            now = self.standing.1.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the thread; the first file that could not be written.
    pub(crate) fn end(&self) -> Result<(), (PathBuf, std::io::Error)> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
        let mut now = self.standing.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.failed.take().map_or(Ok(()), Err)
    }
}

/// Writes a file whole, or adds to its end.
pub(crate) fn put(place: &std::path::Path, append: bool, bytes: &[u8]) -> std::io::Result<()> {
    let mut file =
        std::fs::OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(place)?;
    std::io::Write::write_all(&mut file, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_on_disk_once_it_has_settled_and_the_first_failure_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let behind = Behind::start();
        let writing = |name: &str, append, text: &'static [u8]| Writing {
            place: folder.path().join(name),
            append,
            bytes: Box::new(move || text.to_vec()),
        };
        assert!(behind.write(writing("a", false, b"one")));
        assert!(behind.write(writing("a", true, b" two")));
        behind.settle();
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"one two");
        assert!(behind.write(writing("nowhere/b", false, b"x")));
        let (place, _) = behind.end().unwrap_err();
        assert!(place.ends_with("nowhere/b"));
        assert!(!behind.write(writing("c", false, b"x")));
    }
}
