//! What `launchctl print` and `launchctl print-disabled` say. Their form is nobody's promise, so only few lines are read,
//! those that have been the same since macOS 10.11, and a line that is missing is a thing that is not known.

use crate::model::status::Exit;
use crate::platform::observed::Answer;

pub use super::job::Job;

/// launchctl's code for a service that its domain does not have.
pub const NO_SERVICE: i32 = 113;
/// Its code for a domain that is not there: nobody is logged in at the screen.
pub const NO_DOMAIN: i32 = 112;

/// What was found of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Printed {
    /// launchd has it.
    Job(Job),
    /// Its domain does not have it.
    NoService,
    /// There is no such domain.
    NoDomain,
    /// Nothing that can be understood.
    Unknown {
        /// launchctl's exit code; none if a signal ended it.
        code: Option<i32>,
        /// Its words.
        said: String,
    },
}

/// Reads the answer to `launchctl print DOMAIN/LABEL`.
#[must_use]
pub fn service(answer: Answer<'_>) -> Printed {
    let said = || [answer.stderr, answer.stdout].iter().find(|text| !text.trim().is_empty()).copied();
    let unknown = || Printed::Unknown {
        code: answer.code,
        said: said().unwrap_or_default().trim().lines().next().unwrap_or_default().to_owned(),
    };
    match answer.code {
        Some(0) => read(answer.stdout).map_or_else(unknown, Printed::Job),
        Some(NO_SERVICE) => Printed::NoService,
        Some(NO_DOMAIN) => Printed::NoDomain,
        _ if answer.stderr.contains("Could not find service") => Printed::NoService,
        _ if answer.stderr.contains("Could not find domain") => Printed::NoDomain,
        _ => unknown(),
    }
}

/// The lines of the service itself stand one step in; those of its endpoints and of its environment further.
fn read(text: &str) -> Option<Job> {
    let mut job = Job::default();
    let mut within = String::new();
    let mut known = false;
    for line in text.lines() {
        let depth = line.len() - line.trim_start_matches('\t').len();
        let line = line.trim();
        match depth {
            1 => {
                line.strip_suffix(" = {").unwrap_or_default().clone_into(&mut within);
                let Some((key, value)) = line.split_once(" = ") else { continue };
                known |= key == "state";
                take(&mut job, key, value);
            }
            2 if within == "environment" => {
                if let Some(("MAINSTAY_DEFINITION", value)) = line.split_once(" => ") {
                    job.definition = Some(value.to_owned());
                }
            }
            _ => {}
        }
    }
    known.then_some(job)
}

fn take(job: &mut Job, key: &str, value: &str) {
    // A code may be followed by its name: `78: EX_CONFIG`.
    let number = || value.split(':').next().unwrap_or_default().trim().parse::<i64>().ok();
    match key {
        "state" => value.clone_into(&mut job.state),
        "path" => job.path = Some(value.to_owned()),
        "pid" => job.pid = number().and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
        "runs" => job.runs = number().and_then(|runs| u64::try_from(runs).ok()),
        "last exit code" => {
            job.last_exit = number().and_then(|code| i32::try_from(code).ok()).map(Exit::Code);
        }
        "last terminating signal" => {
            let signal = value.rsplit(':').next().and_then(|number| number.trim().parse().ok());
            job.last_exit = signal.map(Exit::Signal).or(job.last_exit);
        }
        _ => {}
    }
}

/// Whether a service does not start by itself any more, by the answer to `launchctl print-disabled DOMAIN`.
/// Before macOS 13 it says `true`, and later `disabled`.
#[must_use]
pub fn is_disabled(answer: Answer<'_>, label: &str) -> Option<bool> {
    if answer.code != Some(0) {
        return None;
    }
    let quoted = format!("\"{label}\" => ");
    let word = answer.stdout.lines().find_map(|line| line.trim().strip_prefix(quoted.as_str()));
    Some(word.is_some_and(|word| matches!(word.trim(), "true" | "disabled")))
}

#[cfg(test)]
mod tests;
