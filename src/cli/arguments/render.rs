//! What can be typed after `render`.

use clap::Args;

use crate::cli::arguments::{TargetArguments, form};
use crate::model::form::Form;

/// `render`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay render                      for this host\n  \
    mainstay render --platform systemd --systemd-version 252\n  \
    mainstay render --platform quadlet   a container that systemd runs, for Podman")]
pub struct RenderArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// For which platform, or `quadlet` for Podman's units (default: the manifest's, else this host's)
    #[arg(long, value_parser = form)]
    pub platform: Option<Form>,
    /// For which systemd (default: this host's)
    #[arg(long, value_name = "N")]
    pub systemd_version: Option<u32>,
}
