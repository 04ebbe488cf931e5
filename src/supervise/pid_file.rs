//! The file with the program's process number.
//!
//! Others may write to it, and numbers are used again, so what it says is never taken for more than a word:
//!
//! - [`check`](PidFile::check) before the first start refuses a file that names a process which runs and is not ours;
//!   a number that nobody has, or that was given to a process younger than the file, is stale and replaced;
//! - [`write`](PidFile::write) after each start;
//! - [`remove`](PidFile::remove) at the end, and only what still holds our number.
//!
//! All of it is done with the rights of the program's account, so that a manifest can name no place that its owner
//! could not write to.

use std::io;
use std::time::SystemTime;

use camino::Utf8PathBuf;

use crate::host::process::{Credentials, as_account};
use crate::host::{identity, untrusted};
use crate::model::token::expand;
use crate::supervise::context::Context;

/// The largest file that can hold a number, in bytes.
const LARGEST: u64 = 64;
#[derive(Debug)]
pub(crate) struct PidFile {
    path: Utf8PathBuf,
    account: Option<Credentials>,
    /// The number that was written last.
    held: Option<u32>,
}

impl PidFile {
    /// The file that was asked for at the start of this supervisor, or that the launch spec names, if there is one.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        let named = || {
            let named = context.spec.pid_file.as_ref()?;
            Some(context.folders.deploy.join(expand(named, &context.folders.places())))
        };
        let path = context.pid_file.clone().or_else(named)?;
        Some(Self { path, account: context.account.credentials.clone(), held: None })
    }

    /// Refuses to go on if the file names a process that runs and is not ours.
    pub(crate) fn check(&self) -> Result<(), String> {
        let named = self.named().map_err(|error| format!("the pid file `{}`: {error}", self.path))?;
        let Some((pid, written)) = named.filter(|(pid, _)| Some(*pid) != self.held) else { return Ok(()) };
        match identity::process(pid) {
            Some(other) if !other.ended && !identity::is_younger(other.identity, written) => Err(format!(
                "the pid file `{}` names process {pid} ({}), which runs and is not of this service",
                self.path, other.name
            )),
            _ => Ok(()),
        }
    }

    /// Writes the number of the program that was just started.
    pub(crate) fn write(&mut self, pid: u32) -> Result<(), String> {
        let text = format!("{pid}\n");
        as_account(self.account.as_ref(), || untrusted::replace(&self.path, text.as_bytes(), 0o644))
            .map_err(|error| format!("the pid file `{}` can't be written: {error}", self.path))?;
        self.held = Some(pid);
        Ok(())
    }

    /// Removes the file, if it still holds our number.
    pub(crate) fn remove(&mut self) {
        let Some(held) = self.held.take() else { return };
        if self.named().ok().flatten().is_some_and(|(pid, _)| pid == held) {
            // One that can't be removed holds a number that nobody has, and is replaced next time.
            let _ = as_account(self.account.as_ref(), || std::fs::remove_file(&self.path));
        }
    }

    /// The number that the file holds, and when it was written. `None`: there is no file, or no number in it.
    fn named(&self) -> io::Result<Option<(u32, SystemTime)>> {
        as_account(self.account.as_ref(), || {
            let Some(file) = untrusted::open(&self.path).map_err(|error| error.source)? else {
                return Ok(None);
            };
            let written = file.metadata()?.modified()?;
            let mut text = String::new();
            let read = io::Read::read_to_string(&mut io::Read::take(file, LARGEST), &mut text);
            let number = read.ok().and_then(|_| text.trim().parse().ok());
            Ok(number.map(|number| (number, written)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::host::os::testing::PROGRAM;
    use crate::supervise::sample::Sample;

    fn pid_file(sample: &mut Sample) -> PidFile {
        sample.context.spec.pid_file = Some("{run}/web.pid".to_owned());
        PidFile::of(&sample.context).unwrap()
    }

    /// A number that no process has.
    fn nobody() -> u32 {
        (300_000..400_000).find(|pid| identity::process(*pid).is_none()).unwrap()
    }

    #[test]
    fn a_number_is_written_and_only_our_own_is_removed() {
        let mut sample = Sample::new(&[PROGRAM]);
        let mut file = pid_file(&mut sample);
        let path = sample.context.folders.run.join("web.pid");
        file.check().unwrap();
        file.write(4711).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "4711\n");
        file.remove();
        assert!(!path.exists());
        file.write(4711).unwrap();
        std::fs::write(&path, "4712\n").unwrap();
        file.remove();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "4712\n");
    }

    #[test]
    fn a_live_process_that_is_not_ours_is_respected_and_a_stale_number_replaced() {
        let mut sample = Sample::new(&[PROGRAM]);
        let mut file = pid_file(&mut sample);
        let path = sample.context.folders.run.join("web.pid");
        // This very process stands for somebody else's.
        let own = std::process::id();
        std::fs::write(&path, format!("{own}\n")).unwrap();
        let refused = file.check().unwrap_err();
        assert!(refused.contains(&format!("names process {own} (")), "{refused}");
        // The same number, written long before that process began, was another one's.
        let opened = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        opened.set_modified(SystemTime::now() - Duration::from_secs(365 * 86_400)).unwrap();
        drop(opened);
        file.check().unwrap();
        for stale in [format!("{}\n", nobody()), "nonsense".to_owned(), String::new(), "9".repeat(1000)] {
            std::fs::write(&path, &stale).unwrap();
            file.check().unwrap();
        }
        file.write(own).unwrap();
        file.check().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused() {
        let mut sample = Sample::new(&[PROGRAM]);
        let mut file = pid_file(&mut sample);
        let path = sample.context.folders.run.join("web.pid");
        std::os::unix::fs::symlink(sample.root.join("elsewhere"), &path).unwrap();
        assert!(file.check().is_err());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(file.check().is_err());
        assert!(file.write(1).is_err());
        assert_eq!(file.held, None);
    }
}
