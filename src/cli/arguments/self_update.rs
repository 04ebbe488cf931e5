//! What can be typed after `self-update`.

use clap::Args;

use super::{ScopeArguments, SourceArguments};
use crate::model::public_key::PublicKey;
use crate::model::version::Version;

/// `self-update`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay self-update --from mainstay-0.2.0.tar.gz\n  \
    mainstay self-update --rollback\n\n\
    What runs goes on by the copy that it was started by; `mainstay apply` moves an instance to the new one. A file \
    `mainstay.pub` beside the program pins the key with which archives have to be signed.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct SelfUpdateArguments {
    /// Where the archive comes from.
    #[command(flatten)]
    pub source: SourceArguments,
    /// The version that it has to be
    #[arg(long)]
    pub version: Option<Version>,
    /// The minisign key with which it has to be signed
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<PublicKey>,
    /// Bring the program before back, which is kept beside
    #[arg(long, conflicts_with_all = ["from", "url", "sha256", "signature", "version", "public_key", "force"])]
    pub rollback: bool,
    /// Allow an older version
    #[arg(long)]
    pub force: bool,
    /// Show what would be replaced, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Only read what is there; the program before asks for it
    #[arg(long, hide = true)]
    pub check: bool,
    /// Whose files `--check` reads.
    #[command(flatten)]
    pub scope: ScopeArguments,
}
