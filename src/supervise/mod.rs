//! The supervisor: a pure state machine, and the loop that feeds it. It decides about one program's life in
//! one version, and never switches versions: it ends, and whoever guards it acts on how.

#[cfg_attr(not(test), expect(dead_code, reason = "the loop is about to use it"))]
mod changes;
#[cfg_attr(not(test), expect(dead_code, reason = "the loop is about to use it"))]
mod connections;
pub mod context;
pub mod ending;
pub mod environment;
#[cfg_attr(not(test), expect(dead_code, reason = "the loop is about to use it"))]
mod errand;
#[cfg_attr(not(test), expect(dead_code, reason = "the loop is about to use it"))]
mod events;
#[cfg_attr(not(test), expect(dead_code, reason = "the loop is about to use it"))]
mod health_file;
#[expect(dead_code, reason = "the loop is about to use it")]
mod inquiry;
mod log;
pub mod machine;
#[cfg_attr(not(test), expect(dead_code, reason = "the loop is about to use it"))]
mod pid_file;
mod pipe;
mod program;
mod readiness;
mod report;
pub mod restarts;
mod run;
#[cfg(test)]
mod sample;
mod signals;
mod sockets;
pub mod standing;
pub mod transition;
mod watch;

pub use context::{Account, Context, Folders, GuardianLink, ManagerLink, ProgramOutput, supervisor_lock};
pub use ending::{Ending, without_supervisor};
pub use events::read_events;
pub use report::read_status;
pub use run::{SuperviseError, run};
