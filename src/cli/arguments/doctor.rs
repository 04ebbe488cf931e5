//! What can be typed after `doctor`.

use clap::Args;

use crate::cli::arguments::TargetArguments;

/// `doctor`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay doctor                    the instance of this folder, or all of them\n  \
    mainstay doctor --name web --fix   mend what is safe to mend, after showing it")]
pub struct DoctorArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Mend what is safe to mend: reload, enable, recover, remove a stale pid file
    #[arg(long)]
    pub fix: bool,
    /// Do not ask
    #[arg(short, long, requires = "fix")]
    pub yes: bool,
}
