//! What can be typed after `run`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::cli::arguments::ScopeArguments;
use crate::model::name::InstanceName;
use crate::model::status::ProcessIdentity;

/// `run`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(after_help = "Examples:\n  \
    mainstay run --name web              in the foreground, with its output\n  \
    mainstay run --name web --pid-file /run/web.pid")]
pub struct RunArguments {
    /// The instance's name
    #[arg(long)]
    pub name: InstanceName,
    /// Whose instances.
    #[command(flatten)]
    pub scope: ScopeArguments,
    /// Keep the program's process number in this file, whatever the manifest says
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<Utf8PathBuf>,
    /// Supervise only, without a guardian
    #[arg(long, hide = true)]
    pub supervise: bool,
    /// As guard and supervisor in one, for a service manager
    #[arg(long, hide = true)]
    pub resident: bool,
    /// Have launchd let go of the definition that it has, and take the one that is there
    #[arg(long, hide = true)]
    pub anew: bool,
    /// In a session of its own, without a terminal
    #[arg(long, hide = true)]
    pub detached: bool,
    /// The process that guards this supervisor
    #[arg(long, hide = true, value_name = "PID:TICKS")]
    pub guardian: Option<ProcessIdentity>,
    /// Show the program's output here too
    #[arg(long, hide = true)]
    pub echo: bool,
    /// The folder of a layout that was moved (`MAINSTAY_ROOT`), for a service of Windows
    #[arg(long, hide = true, value_name = "FOLDER")]
    pub root: Option<Utf8PathBuf>,
    /// The folder of the index and the configuration, where they were moved (`MAINSTAY_CONFIG_ROOT`), likewise
    #[arg(long, hide = true, value_name = "FOLDER")]
    pub config_root: Option<Utf8PathBuf>,
    /// Without the window that Windows opens for a task
    #[arg(long, hide = true)]
    pub windowless: bool,
}
