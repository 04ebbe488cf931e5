//! What can be typed after `repair`.

use clap::Args;

use super::{SourceArguments, TargetArguments};
use crate::model::version::Version;

/// `repair`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay repair --from server-1.1.0.tar.gz             the active version\n  \
    mainstay repair --from server-1.1.0.tar.gz --dry-run   only compare\n  \
    mainstay repair --version 1.0.0                        from `package.url`\n\n\
    With `--dry-run` the exit code is 9 if anything is wrong.")]
pub struct RepairArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Where the archive comes from.
    #[command(flatten)]
    pub source: SourceArguments,
    /// The version whose files are looked at (default: the active one)
    #[arg(long)]
    pub version: Option<Version>,
    /// Compare, say what is wrong, and change nothing (exit code 9 if anything is)
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
