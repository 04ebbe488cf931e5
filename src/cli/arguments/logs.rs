//! What can be typed after `logs`.

use clap::Args;

use crate::cli::arguments::TargetArguments;

/// `logs`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay logs --since 1h --level warning\n  \
    mainstay logs --grep timeout --lines 20 --no-follow")]
pub struct LogsArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Not older than a duration (`1h`) or a time (`2026-05-08T14:32:00Z`)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Not younger than a duration or a time
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// This level and those above it: error, warning, info or debug
    #[arg(long, value_parser = ["error", "err", "warning", "warn", "info", "debug"], hide_possible_values = true, value_name = "LEVEL")]
    pub level: Option<String>,
    /// Only lines in which this regular expression is found
    #[arg(long, value_name = "PATTERN")]
    pub grep: Option<String>,
    /// The last lines only (default when new lines are waited for: 100)
    #[arg(short = 'n', long)]
    pub lines: Option<u64>,
    /// Go on with what comes (default at a terminal)
    #[arg(short, long, conflicts_with_all = ["no_follow", "until"])]
    pub follow: bool,
    /// End when all is shown (default where the output is no terminal)
    #[arg(long)]
    pub no_follow: bool,
}
