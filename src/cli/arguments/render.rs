//! What can be typed after `render`.

use clap::Args;

use crate::cli::arguments::{TargetArguments, platform};
use crate::model::manifest::PlatformKind;

/// `render`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay render                      for this host\n  \
    mainstay render --platform systemd --systemd-version 252")]
pub struct RenderArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// For which platform (default: the manifest's, else this host's)
    #[arg(long, value_parser = platform)]
    pub platform: Option<PlatformKind>,
    /// For which systemd (default: this host's)
    #[arg(long, value_name = "N")]
    pub systemd_version: Option<u32>,
}
