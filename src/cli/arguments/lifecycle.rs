//! What can be typed after `start`, `stop` and `restart`.

use clap::Args;

use crate::cli::arguments::TargetArguments;

/// `start`, `stop`, `restart`
#[derive(Debug, Args)]
pub struct LifecycleArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Show the commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}
