//! What can be typed after `recover`.

use clap::Args;

use crate::cli::arguments::TargetArguments;

/// `recover`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay recover                     whatever was interrupted here\n  \
    mainstay recover --name web")]
pub struct RecoverArguments {
    /// Which instance (default: all of the scope)
    #[command(flatten)]
    pub target: TargetArguments,
    /// What a start does before the program; service managers ask for it
    #[arg(long, hide = true, conflicts_with = "at_stop")]
    pub at_start: bool,
    /// What an end is recorded by; service managers ask for it
    #[arg(long, hide = true)]
    pub at_stop: bool,
}
