//! What can be typed after `plan`.

use clap::Args;

use crate::cli::arguments::{ManifestArguments, TargetArguments};

/// `plan`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay plan                        of the instance of this folder\n  \
    mainstay plan --name web --json")]
pub struct PlanArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Show the definitions line by line, as they are and as they would be
    #[arg(long)]
    pub diff: bool,
}
