//! What can be typed after `boot`.

use clap::Args;

use crate::cli::arguments::ScopeArguments;

/// `boot`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay boot            as process 1 of a container, or from an init script\n  \
    mainstay boot --user     the instances of this account")]
pub struct BootArguments {
    /// Whose instances.
    #[command(flatten)]
    pub scope: ScopeArguments,
}
