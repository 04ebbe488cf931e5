//! What can be typed after `status`.

use clap::Args;

use crate::cli::arguments::TargetArguments;

/// `status`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay status                              the instance of this folder\n  \
    mainstay status --name web --watch           drawn again at every change\n  \
    mainstay status --name web --json | jq .state\n\n\
    Exit codes: 0 running and ready, 10 starting, 11 stopped, 12 failed, 13 installed and state \
    unknown, 3 not installed")]
pub struct StatusArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Show it again at every change, until Ctrl-C
    #[arg(short, long)]
    pub watch: bool,
}
