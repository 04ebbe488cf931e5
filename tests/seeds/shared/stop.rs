//! How the seeds hear that they are to end: by a signal, or by a file, where a system has no signals for services.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The wish that the program ends.
#[derive(Clone)]
pub(crate) struct Stop {
    signalled: Arc<AtomicBool>,
    file: PathBuf,
}

impl Stop {
    /// Listens from now on; a file that an earlier stop has left does not count.
    pub(crate) fn listen(file: PathBuf) -> io::Result<Self> {
        let signalled = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        for signal in [1, 2, 15] {
            signal_hook::flag::register(signal, Arc::clone(&signalled))?;
        }
        let _ = std::fs::remove_file(&file);
        Ok(Self { signalled, file })
    }

    /// Whether it was asked for.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.signalled.load(Ordering::SeqCst) || self.file.exists()
    }
}
