//! What can be typed after `upgrade`.

use clap::Args;

use super::{ManifestArguments, SourceArguments, TargetArguments};
use crate::model::name::InstanceName;
use crate::model::version::Version;

/// `upgrade`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay upgrade --from server-1.1.0.tar.gz\n  \
    mainstay upgrade --version 1.1.0          from `package.url` of the manifest\n  \
    mainstay upgrade --from /srv/drop         the newest archive in a folder\n  \
    mainstay upgrade --rollback\n  \
    mainstay upgrade --rollback --restore-data\n  \
    mainstay upgrade --to 1.0.0\n  \
    mainstay upgrade --restart-only           a program of a package manager\n  \
    mainstay upgrade --all --component server --from server-1.1.0.tar.gz\n  \
    mainstay upgrade --cleanup")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct UpgradeArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Where the package comes from (default: `package.url` of the manifest).
    #[command(flatten)]
    pub source: SourceArguments,
    /// The version: which one to fetch, or of an archive that does not say it itself; of a program that a package
    /// manager brought, the version that it has to be
    #[arg(long, conflicts_with_all = ["rollback", "to", "cleanup"])]
    pub version: Option<Version>,
    /// Go back to the version that was active before
    #[arg(long, conflicts_with_all = ["to", "cleanup", "from", "url", "sha256", "signature", "version"])]
    pub rollback: bool,
    /// Go to a version that is unpacked here
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["cleanup", "from", "url", "sha256", "signature", "version"])]
    pub to: Option<Version>,
    /// Put back the data that the older version left: newer data are lost to it, and kept in a snapshot
    #[arg(long, conflicts_with_all = ["from", "cleanup"])]
    pub restore_data: bool,
    /// Choose one of the versions that are unpacked here
    #[arg(long, conflicts_with_all = ["from", "url", "sha256", "signature", "version", "rollback", "to", "cleanup"])]
    pub pick: bool,
    /// Only start it again, and record which version that is
    #[arg(long, conflicts_with_all = ["from", "url", "sha256", "signature", "version", "rollback", "to", "cleanup", "pick", "force", "manifest"])]
    pub restart_only: bool,
    /// Remove the versions that nothing refers to any more
    #[arg(long, conflicts_with_all = ["from", "url", "sha256", "signature", "version", "manifest"])]
    pub cleanup: bool,
    /// Allow an older version, whatever its data; overwrite an existing tree of that version. Of a program that a package manager
    /// brought: start it again without looking at its version, or recording one
    #[arg(long)]
    pub force: bool,
    /// All instances of the component, one after the other: the canary first, no further one after a failure
    #[arg(long, requires = "component", conflicts_with_all = ["name", "instance_dir", "manifest", "pick"], help_heading = "Waves")]
    pub all: bool,
    /// The instance that goes first (default: the first by name)
    #[arg(long, value_name = "NAME", requires = "all", help_heading = "Waves")]
    pub canary: Option<InstanceName>,
    /// Go on only when the canary has passed its trial
    #[arg(long, requires = "all", help_heading = "Waves")]
    pub wait_trial: bool,
    /// Make this host ready as the package says: what is safe, after it was shown and confirmed
    #[arg(long)]
    pub prepare: bool,
    /// Go on where this host lacks what the package says it needs
    #[arg(long)]
    pub without_checks: bool,
    /// Show the files and commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
