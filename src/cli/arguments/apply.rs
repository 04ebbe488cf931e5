//! What can be typed after `apply`.

use clap::Args;

use crate::cli::arguments::{ManifestArguments, TargetArguments};

/// `apply`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay apply                       show what would change, ask, and do it\n  \
    mainstay apply --name web --dry-run  only show it\n  \
    mainstay apply --no-restart          new settings count from the next start on")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct ApplyArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Move the name here from the folder that has it
    #[arg(long)]
    pub take_over: bool,
    /// Leave the running program as it is until its next start
    #[arg(long)]
    pub no_restart: bool,
    /// Ask for the password of the account that runs a Windows service, or take it from standard input
    #[arg(long)]
    pub user_password: bool,
    /// Go on where this host lacks what the package says it needs
    #[arg(long)]
    pub without_checks: bool,
    /// Show the files and commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Show the definitions line by line, as they are and as they would be
    #[arg(long)]
    pub diff: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
