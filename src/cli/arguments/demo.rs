//! What can be typed after `demo`.

use clap::Args;

/// `demo`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay demo            nothing of it is left\n  \
    mainstay demo --keep     the folder stays, for a look around")]
pub struct DemoArguments {
    /// Leave the folder for a look around
    #[arg(long)]
    pub keep: bool,
    /// Be the sample's server, of this version, on the port that the variable PORT names
    #[arg(long, hide = true, value_name = "VERSION")]
    pub serve: Option<String>,
}
