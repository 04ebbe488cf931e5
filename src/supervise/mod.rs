//! The supervisor: a pure state machine, and the loop that feeds it. It decides about one program's life in
//! one version, and never switches versions: it ends, and whoever guards it acts on how.

pub mod context;
pub mod ending;
pub mod environment;
mod log;
pub mod machine;
mod program;
mod readiness;
mod report;
pub mod restarts;
mod run;
mod signals;
mod sockets;
pub mod standing;
pub mod transition;
mod watch;

pub use context::{Account, Context, Folders, GuardianLink, ManagerLink, ProgramOutput, supervisor_lock};
pub use ending::{Ending, without_supervisor};
pub use report::read_status;
pub use run::{SuperviseError, run};
