//! What can be typed after `history`.

use clap::Args;

use crate::cli::arguments::TargetArguments;

/// `history`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay history                     of the instance of this folder\n  \
    mainstay history --name web -n 5     the last five events")]
pub struct HistoryArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// The last so many only
    #[arg(short = 'n', long)]
    pub lines: Option<usize>,
}
