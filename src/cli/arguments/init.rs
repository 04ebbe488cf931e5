//! What can be typed after `init`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::cli::arguments::{AnswerArguments, ScopeArguments, platform};
use crate::model::manifest::PlatformKind;
use crate::model::name::InstanceName;

/// `init`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay init                              asks for its name and what runs\n  \
    mainstay init --from server-1.0.0.tar.gz   asks what the package asks\n  \
    mainstay init --from server-1.0.0.tar.gz --print-answers > answers.json\n  \
    mainstay init --from server-1.0.0.tar.gz --answers answers.json --yes\n  \
    mainstay init --set name=web --set runs=program --set program=./server --yes")]
pub struct InitArguments {
    /// The package: an archive, an unpacked folder, or its mainstay-package.json
    #[arg(long, value_name = "PACKAGE")]
    pub from: Option<Utf8PathBuf>,
    /// The folder for the manifest (default: the working folder)
    #[arg(long, value_name = "FOLDER")]
    pub instance_dir: Option<Utf8PathBuf>,
    /// The service's name (default: the component's)
    #[arg(long)]
    pub name: Option<InstanceName>,
    /// Whose service it is to be.
    #[command(flatten)]
    pub scope: ScopeArguments,
    /// The service manager (default: launchd on macOS, systemd where it runs, else embedded)
    #[arg(long, value_parser = platform)]
    pub platform: Option<PlatformKind>,
    /// Answers to the questions.
    #[command(flatten)]
    pub answers: AnswerArguments,
    /// A file of KEY=value lines to begin the environment file with; what it says is not asked
    #[arg(long, value_name = "FILE", help_heading = "Answers")]
    pub env_file: Option<Utf8PathBuf>,
    /// Print a file of answers to fill in, and write nothing
    #[arg(long, help_heading = "Answers")]
    pub print_answers: bool,
    /// Show the files, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
