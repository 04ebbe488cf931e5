//! The Task Scheduler of Windows, through `schtasks`.

use std::io::{self, Write as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::command::{self, Manner};
use crate::host::environment;
use crate::model::name::InstanceName;
use crate::platform::task::command::{self as words, Outcome, SystemWords};
use crate::platform::task::{encoding, task_name};

/// How long the scheduler may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// A right that is missing (`ERROR_ACCESS_DENIED`).
const DENIED: i32 = 5;
/// A file or a folder that is not there (`ERROR_FILE_NOT_FOUND`, `ERROR_PATH_NOT_FOUND`).
const ABSENT: [i32; 2] = [2, 3];

/// Registers a task by its text, in the place of one that is there. The file by which the scheduler is told is removed
/// whatever becomes of it.
pub fn register(name: &InstanceName, text: &str) -> io::Result<Outcome> {
    let folder = environment::temporary_folder();
    let mut file = tempfile::Builder::new().prefix("mainstay-").suffix(".xml").tempfile_in(&folder)?;
    file.write_all(&encoding::encode(text))?;
    // Closed, since the scheduler does not read what somebody else writes to.
    let path = file.into_temp_path();
    let named = Utf8Path::from_path(&path).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the temporary folder's name is no text")
    })?;
    asked(&words::create(name, named))
}

/// Starts a task.
pub fn run(name: &InstanceName) -> io::Result<Outcome> {
    asked(&words::run(name))
}

/// Ends a task by force.
pub fn end(name: &InstanceName) -> io::Result<Outcome> {
    asked(&words::end(name))
}

/// Removes a task.
pub fn delete(name: &InstanceName) -> io::Result<Outcome> {
    asked(&words::delete(name))
}

/// The text of a task as the scheduler keeps it; nothing where it has none of this name.
///
/// It is read where the scheduler keeps it: what a console is told has lost the letters that the console has not.
pub fn kept(name: &InstanceName) -> io::Result<Option<String>> {
    match fs_err::read(tasks_folder().join(task_name(name))) {
        Ok(bytes) => return Ok(Some(encoding::decode(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) => {}
    }
    let output = command::output(&words::query(name), Manner { limit: Some(PATIENCE), ..Manner::default() })?;
    match outcome(&output) {
        Outcome::Done => Ok(Some(encoding::decode(output.stdout.as_bytes()))),
        Outcome::Absent => Ok(None),
        Outcome::Denied => Err(io::ErrorKind::PermissionDenied.into()),
        other => Err(io::Error::other(format!("{other:?}"))),
    }
}

fn tasks_folder() -> Utf8PathBuf {
    let system = environment::folder("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
    system.join("System32").join("Tasks")
}

fn asked(argv: &[String]) -> io::Result<Outcome> {
    let output = command::output(argv, Manner { limit: Some(PATIENCE), ..Manner::default() })?;
    Ok(outcome(&output))
}

fn outcome(output: &command::Output) -> Outcome {
    let said = format!("{}\n{}", output.stderr.trim(), output.stdout.trim());
    words::outcome(
        output.code,
        said.trim(),
        &SystemWords { denied: said_of(DENIED), absent: ABSENT.map(said_of).to_vec() },
    )
}

/// What the system says of an error, in its own language and without the number.
fn said_of(code: i32) -> String {
    let said = io::Error::from_raw_os_error(code).to_string();
    said.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_what_its_errors_are() {
        assert!(!said_of(DENIED).is_empty() && !said_of(DENIED).contains("os error"));
    }
}
