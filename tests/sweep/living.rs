//! Something that has the identity of a process, for a life.

#[cfg(not(target_os = "linux"))]
pub(crate) use process::Living;
#[cfg(target_os = "linux")]
pub(crate) use thread::Living;

/// A thread has a number and a start time of its own on Linux.
#[cfg(target_os = "linux")]
mod thread {
    use std::sync::mpsc;
    use std::thread::JoinHandle;
    use std::time::Duration;

    use mainstay::host::identity;
    use mainstay::model::status::ProcessIdentity;

    pub(crate) struct Living {
        pub(crate) identity: ProcessIdentity,
        life: Option<mpsc::Sender<()>>,
        thread: Option<JoinHandle<()>>,
    }

    impl Living {
        pub(crate) fn begin() -> Self {
            let (life, end) = mpsc::channel::<()>();
            let (tell, told) = mpsc::channel();
            let thread = std::thread::spawn(move || {
                tell.send(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()).unwrap();
                // Until the other end is gone.
                let _ = end.recv();
            });
            let identity = identity::identity_of(told.recv().unwrap()).unwrap();
            Self { identity, life: Some(life), thread: Some(thread) }
        }
    }

    impl Drop for Living {
        fn drop(&mut self) {
            drop(self.life.take());
            self.thread.take().unwrap().join().unwrap();
            // The kernel forgets a thread a moment after it was joined.
            while identity::runs(self.identity) {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }
}

/// Elsewhere it has to be a process: one that waits for its input to end.
#[cfg(not(target_os = "linux"))]
mod process {
    use std::process::{Child, Command, Stdio};

    use mainstay::host::identity;
    use mainstay::model::status::ProcessIdentity;

    pub(crate) struct Living {
        pub(crate) identity: ProcessIdentity,
        child: Child,
    }

    impl Living {
        pub(crate) fn begin() -> Self {
            let waits = if cfg!(windows) { "more" } else { "cat" };
            let child = Command::new(waits).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let identity = identity::identity_of(child.id()).unwrap();
            Self { identity, child }
        }
    }

    impl Drop for Living {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
