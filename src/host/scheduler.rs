//! The Task Scheduler of Windows, through `schtasks`.

use std::io::{self, Write as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::command::{self, Manner};
use crate::host::{environment, service};
use crate::model::name::InstanceName;
use crate::platform::task::command::{self as words, Outcome, SystemWords};
use crate::platform::task::{encoding, task_name};

/// How long the scheduler may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// A right that is missing (`ERROR_ACCESS_DENIED`).
const DENIED: i32 = 5;
/// A file or a folder that is not there (`ERROR_FILE_NOT_FOUND`, `ERROR_PATH_NOT_FOUND`).
const ABSENT: [i32; 2] = [2, 3];

/// What the task of an instance is called, which belongs to the person who runs this.
#[must_use]
pub fn name_of(name: &InstanceName) -> String {
    task_name(name, service::own_account().as_deref())
}

/// Registers a task by its text, in the place of one that is there. The file by which the scheduler is told is removed
/// whatever becomes of it.
pub fn register(task: &str, text: &str) -> io::Result<Outcome> {
    let folder = environment::temporary_folder();
    let mut file = tempfile::Builder::new().prefix("mainstay-").suffix(".xml").tempfile_in(&folder)?;
    file.write_all(&encoding::encode(text))?;
    // Closed, since the scheduler does not read what somebody else writes to.
    let path = file.into_temp_path();
    let named = Utf8Path::from_path(&path).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the temporary folder's name is no text")
    })?;
    asked(words::create(task, named))
}

/// Starts a task.
pub fn run(task: &str) -> io::Result<Outcome> {
    asked(words::run(task))
}

/// Ends a task by force.
pub fn end(task: &str) -> io::Result<Outcome> {
    asked(words::end(task))
}

/// Removes a task.
pub fn delete(task: &str) -> io::Result<Outcome> {
    asked(words::delete(task))
}

/// The text of a task as the scheduler keeps it; nothing where it has none of this name.
///
/// It is read where the scheduler keeps it: what a console is told has lost the letters that the console has not.
pub fn kept(task: &str) -> io::Result<Option<String>> {
    match fs_err::read(tasks_folder().join(task)) {
        Ok(bytes) => return Ok(Some(encoding::decode(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) => {}
    }
    let output = run_by_code(words::query(task))?;
    match outcome(&output) {
        Outcome::Done => Ok(Some(encoding::decode(output.stdout.as_bytes()))),
        Outcome::Absent => Ok(None),
        denied @ Outcome::Denied => {
            let reason = format!("access is denied: {}", denied.help().unwrap_or_default());
            Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
        }
        other => Err(io::Error::other(format!("{other:?}"))),
    }
}

fn tasks_folder() -> Utf8PathBuf {
    let system = environment::folder("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
    system.join("System32").join("Tasks")
}

fn asked(argv: Vec<String>) -> io::Result<Outcome> {
    Ok(outcome(&run_by_code(argv)?))
}

/// Runs a command that ends with a code of the system's; where it does not know how, once more without.
fn run_by_code(mut argv: Vec<String>) -> io::Result<command::Output> {
    let manner = Manner { limit: Some(PATIENCE), ..Manner::default() };
    let output = command::output(&argv, manner)?;
    if !words::knows_no_codes(output.code) {
        return Ok(output);
    }
    argv.retain(|word| word != words::BY_CODE);
    command::output(&argv, manner)
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
