//! Where an archive comes from, and what it has to agree with.

use camino::Utf8PathBuf;
use clap::Args;

use crate::model::digest::Digest;

/// Where an archive comes from.
#[derive(Clone, Debug, Default, Args)]
pub struct SourceArguments {
    /// The package: a .tar.gz, .tgz, .zip or .whl; a folder with some, of which the newest is taken; `-`: standard input
    #[arg(long, value_name = "ARCHIVE", help_heading = "Source")]
    pub from: Option<Utf8PathBuf>,
    /// Fetch the package: an address of https, http or file; `{version}`, `{os}` and `{arch}` are replaced
    #[arg(long, value_name = "ADDRESS", conflicts_with = "from", help_heading = "Source")]
    pub url: Option<String>,
    /// The digest that the archive has to have
    #[arg(long, value_name = "DIGEST", help_heading = "Source")]
    pub sha256: Option<Digest>,
    /// The archive's signature, where it does not lie beside it (needs `package.publicKey`)
    #[arg(long, value_name = "FILE", help_heading = "Source")]
    pub signature: Option<Utf8PathBuf>,
}

impl SourceArguments {
    /// Whether a source was typed.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        self.from.is_some() || self.url.is_some()
    }
}
