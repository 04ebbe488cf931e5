//! A terminal for tests: a real pseudo-terminal, and what somebody in front of it would see.
#![allow(dead_code, reason = "each test needs a part of it")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A command in front of a terminal.
pub(crate) struct Terminal {
    master: OwnedFd,
    child: Child,
    seen: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
}

impl Terminal {
    /// Runs a command with a terminal of this size for its own.
    pub(crate) fn run(mut command: Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        tcsetwinsize(&master, size(columns, rows)).unwrap();
        let slave = File::options().read(true).write(true).open(name).unwrap();
        let stdio = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(stdio()).stdout(stdio()).stderr(stdio());
        let child = command.spawn().unwrap();
        // It holds the other end, which would keep this one from ending.
        drop(command);
        drop(slave);
        let seen = Arc::new(Mutex::new((vt100::Parser::new(rows, columns, 0), Vec::new())));
        let mut reader = File::from(master.as_fd().try_clone_to_owned().unwrap());
        let theirs = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose other end is closed gives an error.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut seen = theirs.lock().unwrap();
                seen.0.process(&buffer[..count]);
                seen.1.extend_from_slice(&buffer[..count]);
            }
        });
        Self { master, child, seen }
    }

    /// The same through `setsid --ctty`, so that the terminal is the command's own and sends it signals.
    pub(crate) fn controlling(command: &Command, columns: u16, rows: u16) -> Self {
        let mut wrapped = Command::new("setsid");
        wrapped.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(name, value),
                None => wrapped.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            wrapped.current_dir(folder);
        }
        Self::run(wrapped, columns, rows)
    }

    /// What stands on the screen, without blanks at the ends of its lines.
    pub(crate) fn screen(&self) -> String {
        let seen = self.seen.lock().unwrap();
        let text = seen.0.screen().contents();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// All that came, escapes and all.
    pub(crate) fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().1).into_owned()
    }

    /// Whether the other screen is shown, and whether the cursor is hidden.
    pub(crate) fn state(&self) -> (bool, bool) {
        let seen = self.seen.lock().unwrap();
        (seen.0.screen().alternate_screen(), seen.0.screen().hide_cursor())
    }

    /// Waits until the screen is as it should be.
    pub(crate) fn awaits(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            let screen = self.screen();
            if is(&screen) {
                return screen;
            }
            assert!(Instant::now() < until, "{what}: not seen in\n{screen}\n{:?}", self.bytes());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(15);
        while !is(self) {
            assert!(Instant::now() < until, "{what}: {:?}", self.bytes());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has the command that was stopped in front of it go on, as a shell's `fg` does.
    pub(crate) fn goes_on(&self) {
        let group = rustix::termios::tcgetpgrp(&self.master).unwrap();
        rustix::process::kill_process_group(group, rustix::process::Signal::CONT).unwrap();
    }

    /// Types something.
    pub(crate) fn types(&self, text: &str) {
        File::from(self.master.as_fd().try_clone_to_owned().unwrap()).write_all(text.as_bytes()).unwrap();
    }

    /// Makes the window another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.seen.lock().unwrap().0.screen_mut().set_size(rows, columns);
        tcsetwinsize(&self.master, size(columns, rows)).unwrap();
    }

    /// Waits for the command's end, and gives its code, or 128 and the signal that ended it.
    pub(crate) fn ended(&mut self) -> i32 {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // The rest of what it wrote is on its way.
                std::thread::sleep(Duration::from_millis(100));
                return status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            }
            assert!(Instant::now() < until, "it does not end: {}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }
}
