//! What can be typed after `adopt`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::cli::arguments::ScopeArguments;
use crate::model::name::InstanceName;

/// `adopt`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay adopt nginx.service --dry-run           what becomes of each line\n  \
    mainstay adopt nginx.service                     where there is no manifest\n  \
    mainstay adopt nginx.service --leave-out Alias   without this line\n  \
    mainstay adopt --compose compose.yaml            a container\n  \
    mainstay adopt --plist dev.acme.web.plist --name web")]
pub struct AdoptArguments {
    /// The unit: its name, or the path of its file
    #[arg(required_unless_present_any = ["plist", "compose"], conflicts_with_all = ["plist", "compose"], value_name = "UNIT")]
    pub unit: Option<String>,
    /// A property list of launchd
    #[arg(long, value_name = "FILE")]
    pub plist: Option<Utf8PathBuf>,
    /// A file of Docker's or Podman's Compose
    #[arg(long, value_name = "FILE", conflicts_with = "plist")]
    pub compose: Option<Utf8PathBuf>,
    /// Which of its services, where it has several
    #[arg(long, value_name = "SERVICE", requires = "compose")]
    pub service: Option<String>,
    /// The instance's name, where only a file is adopted (default: the definition's)
    #[arg(long)]
    pub name: Option<InstanceName>,
    /// Where the manifest is made (default: the working folder)
    #[arg(long, value_name = "FOLDER")]
    pub instance_dir: Option<Utf8PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of all its fields")]
    pub scope: ScopeArguments,
    /// Leave out what can't be carried over: its settings, as they are called there
    #[arg(long, value_name = "KEY", num_args = 1.., value_delimiter = ',')]
    pub leave_out: Vec<String>,
    /// Leave what runs as it is until its next start
    #[arg(long)]
    pub no_start: bool,
    /// Show what would become of it, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}
