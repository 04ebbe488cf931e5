//! What can be typed after `validate`.

use camino::Utf8PathBuf;
use clap::Args;

/// `validate`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay validate                          the manifests of this folder\n  \
    mainstay validate web/ api/mainstay.json")]
pub struct ValidateArguments {
    /// Manifests, or folders that hold one (default: the working folder)
    pub files: Vec<Utf8PathBuf>,
}
