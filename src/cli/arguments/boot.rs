//! What can be typed after `boot`.

use clap::Args;

use crate::cli::arguments::ScopeArguments;

/// `boot`
#[derive(Debug, Args)]
pub struct BootArguments {
    /// Whose instances.
    #[command(flatten)]
    pub scope: ScopeArguments,
}
