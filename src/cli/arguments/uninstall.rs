//! What can be typed after `uninstall`.

use clap::Args;

use crate::cli::arguments::TargetArguments;

/// `uninstall`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay uninstall --name web              configuration, data and logs stay\n  \
    mainstay uninstall --purge --dry-run       show what would be gone")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct UninstallArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Remove configuration, data, logs and history too
    #[arg(long)]
    pub purge: bool,
    /// Bring back what was there before it was adopted
    #[arg(long, conflicts_with = "purge")]
    pub restore: bool,
    /// Show the files and commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
