//! What can be typed after `history`.

use clap::Args;

use crate::cli::arguments::TargetArguments;

/// `history`
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// The last so many only
    #[arg(short = 'n', long)]
    pub lines: Option<usize>,
}
