//! What can be typed after `pack`.

use camino::Utf8PathBuf;
use clap::Args;

/// `pack`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay pack server/                     makes server-1.0.0.tar.gz\n  \
    mainstay pack server/ -o out/server-1.0.0.tar.gz\n  \
    mainstay pack server/ --check             only say whether it could be")]
pub struct PackArguments {
    /// The folder
    pub folder: Utf8PathBuf,
    /// The archive (default: `<component>-<version>.tar.gz` in the working folder)
    #[arg(short, long, value_name = "ARCHIVE")]
    pub output: Option<Utf8PathBuf>,
    /// Only check: the description wholly, the files that it names, and that it could be packed and unpacked
    #[arg(long)]
    pub check: bool,
}
