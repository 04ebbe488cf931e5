//! What can be typed after `man`.

use clap::Args;

/// `man`
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The command (default: mainstay itself)
    pub command: Option<String>,
}
