//! What can be typed after `validate`.

use camino::Utf8PathBuf;
use clap::Args;

/// `validate`
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// Manifests, or folders that hold one (default: the working folder)
    pub files: Vec<Utf8PathBuf>,
}
