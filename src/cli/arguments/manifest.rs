//! A manifest that is brought as a file of its own.

use camino::Utf8PathBuf;
use clap::Args;

/// Which manifest.
#[derive(Clone, Debug, Default, Args)]
pub struct ManifestArguments {
    /// Put this manifest into the deploy folder with what is done, and as it was if that fails; `-`: standard input
    #[arg(long, value_name = "FILE", help_heading = "Instance")]
    pub manifest: Option<Utf8PathBuf>,
}
