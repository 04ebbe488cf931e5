//! What can be typed after `install`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::cli::arguments::{AnswerArguments, ManifestArguments, SourceArguments, TargetArguments, platform};
use crate::model::manifest::PlatformKind;
use crate::model::version::Version;

/// `install`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay install --from server-1.0.0.tar.gz    what mainstay.json describes\n  \
    mainstay install --version 1.0.0               from its `package.url`\n  \
    mainstay install --dev                         with services for developing\n\n  \
    Without a manifest, one is made:\n  \
    mainstay install --name web --from server-1.0.0.tar.gz\n  \
    mainstay install --name web --binary ./server -- --port 8000\n  \
    mainstay install --name web --binary ./server --set service.boot=false")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct InstallArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Where the package comes from (default: `package.url` of the manifest).
    #[command(flatten)]
    pub source: SourceArguments,
    /// A program that stands there already and is run where it stands, for a new manifest
    #[arg(long, value_name = "PROGRAM", help_heading = "Source", conflicts_with_all = ["from", "url", "sha256", "signature", "answers", "wizard"])]
    pub binary: Option<Utf8PathBuf>,
    /// What the program is started with, for a new manifest
    #[arg(last = true, value_name = "ARGUMENT")]
    pub arguments: Vec<String>,
    /// The version: which one to fetch, or of an archive that does not say it itself
    #[arg(long)]
    pub version: Option<Version>,
    /// The service manager (default: launchd on macOS, windows or task on Windows, systemd where it runs, else embedded)
    #[arg(long, value_parser = platform)]
    pub platform: Option<PlatformKind>,
    /// The account that runs the program, in system scope
    #[arg(long, value_name = "ACCOUNT")]
    pub user_name: Option<String>,
    /// Ask for the password of the account that runs a Windows service, or take it from standard input
    #[arg(long)]
    pub user_password: bool,
    /// A file of KEY=value lines, copied to where `service.environmentFile` says, of the manifest or its package
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<Utf8PathBuf>,
    /// Answers to the package's questions.
    #[command(flatten)]
    pub answers: AnswerArguments,
    /// Move the name here from the folder that has it
    #[arg(long)]
    pub take_over: bool,
    /// Overwrite an existing tree of that version
    #[arg(long)]
    pub force: bool,
    /// Leave the service stopped
    #[arg(long)]
    pub no_start: bool,
    /// Make this host ready as the package says: what is safe, after it was shown and confirmed
    #[arg(long)]
    pub prepare: bool,
    /// Run the package's services for development beside it, each in a container: a database, a queue
    #[arg(long)]
    pub dev: bool,
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
