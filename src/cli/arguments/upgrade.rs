//! What can be typed after `upgrade`.

use clap::Args;

use super::{SourceArguments, TargetArguments};
use crate::model::version::Version;

/// `upgrade`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay upgrade --from server-1.1.0.tar.gz\n  \
    mainstay upgrade --version 1.1.0          from `package.url` of the manifest\n  \
    mainstay upgrade --from /srv/drop         the newest archive in a folder\n  \
    mainstay upgrade --rollback\n  \
    mainstay upgrade --to 1.0.0\n  \
    mainstay upgrade --cleanup")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct UpgradeArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Where the package comes from (default: `package.url` of the manifest).
    #[command(flatten)]
    pub source: SourceArguments,
    /// The version: which one to fetch, or of an archive that does not say it itself
    #[arg(long)]
    pub version: Option<Version>,
    /// Go back to the version that was active before
    #[arg(long, conflicts_with_all = ["to", "cleanup", "from", "url", "sha256", "signature", "version"])]
    pub rollback: bool,
    /// Go to a version that is unpacked here
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["cleanup", "from", "url", "sha256", "signature", "version"])]
    pub to: Option<Version>,
    /// Remove the versions that nothing refers to any more
    #[arg(long, conflicts_with_all = ["from", "url", "sha256", "signature", "version"])]
    pub cleanup: bool,
    /// Allow an older version; overwrite an existing tree of that version
    #[arg(long)]
    pub force: bool,
    /// Show the files and commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
