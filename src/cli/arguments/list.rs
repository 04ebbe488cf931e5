//! What can be typed after `list`.

use clap::Args;

use crate::cli::arguments::ScopeArguments;

/// `list`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay list                what fits the terminal\n  \
    mainstay list --wide         every column, whole\n  \
    mainstay list --json | jq -r '.instances[].name'")]
pub struct ListArguments {
    /// Whose instances.
    #[command(flatten)]
    pub scope: ScopeArguments,
    /// Every user's instances too (root only; nothing of theirs is touched)
    #[arg(long)]
    pub all_users: bool,
    /// Every column, whole, however wide the terminal is
    #[arg(long)]
    pub wide: bool,
    /// Show it again at every change, until Ctrl-C
    #[arg(short, long)]
    pub watch: bool,
}
