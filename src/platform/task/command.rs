//! The commands of `schtasks`, and what its exit codes mean. Its words are in the language of the host, so nothing is
//! read from them but what the system itself says in that language.

use camino::Utf8Path;

use crate::model::name::InstanceName;
use crate::platform::task::task_name;

/// `HRESULT` of a right that is missing.
const DENIED: u32 = 0x8007_0005;
/// `HRESULT`s of a task that is not there.
const ABSENT: [u32; 2] = [0x8007_0002, 0x8004_1302];
/// `HRESULT` of a task that runs already.
const RUNS: u32 = 0x8004_131F;
/// `HRESULT` of a scheduler that does not run.
const STOPPED: [u32; 2] = [0x8004_1322, 0x8004_1315];

fn schtasks(verb: &str, name: &InstanceName, more: &[&str]) -> Vec<String> {
    let task = format!("\\{}", task_name(name));
    ["schtasks.exe", verb, "/TN", &task].iter().chain(more).map(|word| (*word).to_owned()).collect()
}

/// Registers a task by its file, in the place of one that is there.
#[must_use]
pub fn create(name: &InstanceName, file: &Utf8Path) -> Vec<String> {
    schtasks("/Create", name, &["/XML", file.as_str(), "/F"])
}

/// The task as the scheduler has it.
#[must_use]
pub fn query(name: &InstanceName) -> Vec<String> {
    schtasks("/Query", name, &["/XML"])
}

/// Starts a task.
#[must_use]
pub fn run(name: &InstanceName) -> Vec<String> {
    schtasks("/Run", name, &[])
}

/// Ends a task by force.
#[must_use]
pub fn end(name: &InstanceName) -> Vec<String> {
    schtasks("/End", name, &[])
}

/// Removes a task.
#[must_use]
pub fn delete(name: &InstanceName) -> Vec<String> {
    schtasks("/Delete", name, &["/F"])
}

/// What the system says of some errors, in the host's language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemWords {
    /// Of error 5, a right that is missing.
    pub denied: String,
    /// Of errors 2 and 3, something that is not there.
    pub absent: Vec<String>,
}

/// How a command of `schtasks` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The right is missing.
    Denied,
    /// There is no such task.
    Absent,
    /// It runs already.
    Runs,
    /// The scheduler itself does not run.
    NoScheduler,
    /// Something else, which its words say.
    Failed(String),
}

/// What an ending means. Older systems end with 1 and say the rest in words; newer ones end with the `HRESULT`.
#[must_use]
pub fn outcome(code: Option<i32>, said: &str, words: &SystemWords) -> Outcome {
    let hresult = code.map(i32::cast_unsigned);
    let says = |wanted: &str| {
        let wanted = wanted.trim().trim_end_matches(['.', '。']);
        !wanted.is_empty() && said.contains(wanted)
    };
    let named = |code: u32| {
        let number = format!("{code:x}");
        hresult == Some(code) || said.to_lowercase().contains(&number)
    };
    match code {
        Some(0) => Outcome::Done,
        Some(5) => Outcome::Denied,
        Some(2) => Outcome::Absent,
        _ if named(DENIED) || says(&words.denied) => Outcome::Denied,
        _ if ABSENT.into_iter().any(named) || words.absent.iter().any(|words| says(words)) => Outcome::Absent,
        _ if named(RUNS) => Outcome::Runs,
        _ if STOPPED.into_iter().any(named) => Outcome::NoScheduler,
        _ => Outcome::Failed(match said.trim() {
            "" => code.map_or_else(|| "it was ended".to_owned(), |code| format!("it ended with {code:#x}")),
            said => said.to_owned(),
        }),
    }
}

impl Outcome {
    /// What is to be done about it, where that can be said.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Denied => {
                "the task of this name is another person's, or a policy of the host lets only administrators register tasks: choose another name, open a command prompt with \"Run as administrator\" and install there with `--system`, or use `--platform embedded`"
            }
            Self::Absent => "`mainstay apply` in its deploy folder registers it again",
            Self::NoScheduler => {
                "the service \"Task Scheduler\" does not run: start it, or use `--platform embedded`"
            }
            Self::Done | Self::Runs | Self::Failed(_) => return None,
        })
    }
}
