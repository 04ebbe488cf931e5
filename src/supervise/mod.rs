//! The supervisor: a pure state machine, and the loop that feeds it. It decides about one program's life in
//! one version, and never switches versions: it ends, and whoever guards it acts on how.

mod changes;
mod connections;
pub mod context;
pub mod ending;
pub mod environment;
mod errand;
mod errands;
mod events;
mod health_file;
mod inquiry;
mod keeper;
mod log;
pub mod machine;
pub mod overlap;
mod pid_file;
mod pipe;
mod program;
mod report;
pub mod restarts;
mod run;
#[cfg(test)]
mod sample;
mod signals;
mod sockets;
pub mod standing;
mod started;
pub mod transition;
pub mod values;
mod watch;

pub use context::{
    Account, Context, GuardianLink, LaunchReader, ManagerLink, ProgramOutput, supervisor_lock,
};
pub use ending::{Ending, without_supervisor};
pub use events::read_events;
pub use keeper::keep_output;
pub use report::read_status;
pub use run::{SuperviseError, run};
