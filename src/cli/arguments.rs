//! What can be typed. This file is the list of commands; a snapshot of the help holds it.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};

use crate::model::manifest::{PlatformKind, Scope};
use crate::model::name::{ComponentName, InstanceName};
use crate::model::status::ProcessIdentity;
use crate::model::version::Version;

pub use self::repair::RepairArguments;
pub use self::self_update::SelfUpdateArguments;
pub use self::source::SourceArguments;
pub use self::upgrade::UpgradeArguments;

mod repair;
mod self_update;
mod source;
mod upgrade;

/// Turns a packaged program into a service that stays up.
#[derive(Debug, Parser)]
#[command(
    name = "mainstay",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        mainstay install --from server-1.0.0.tar.gz   install the service that mainstay.json here describes\n  \
        mainstay status --name web                    how it is\n  \
        mainstay upgrade --from server-1.1.0.tar.gz   another version, taken back if it does not become ready\n  \
        mainstay demo                                 the whole life of a sample service, in a temporary folder"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How to tell it.
    #[command(flatten)]
    pub output: OutputArguments,
}

/// How things are told.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct OutputArguments {
    /// Print JSON on standard output and nothing else there: one document, or one a line for what goes on
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Say only what failed
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Say each step
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,
}

/// Which instance.
#[derive(Clone, Debug, Default, Args)]
pub struct TargetArguments {
    /// The instance's deploy folder (default: the working folder)
    #[arg(long, value_name = "FOLDER", help_heading = "Instance")]
    pub instance_dir: Option<Utf8PathBuf>,
    /// The instance's name
    #[arg(long, help_heading = "Instance")]
    pub name: Option<InstanceName>,
    /// The component, where a folder has several manifests
    #[arg(long, help_heading = "Instance")]
    pub component: Option<ComponentName>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would become the help of all its fields")]
    pub scope: ScopeArguments,
}

/// Whose instances.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ScopeArguments {
    /// The host's instances (default for root)
    #[arg(long, conflicts_with = "user", help_heading = "Instance")]
    pub system: bool,
    /// The caller's own instances (default for all others)
    #[arg(long, help_heading = "Instance")]
    pub user: bool,
}

impl ScopeArguments {
    /// The scope that was typed.
    #[must_use]
    pub fn typed(self) -> Option<Scope> {
        match (self.system, self.user) {
            (true, _) => Some(Scope::System),
            (_, true) => Some(Scope::User),
            _ => None,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Install and start the service that a manifest describes
    Install(InstallArguments),
    /// Show what `apply` would change (exit code 9 if anything)
    Plan(PlanArguments),
    /// Bring the service to what its manifest says
    Apply(ApplyArguments),
    /// Start the service; returns when it is ready
    Start(LifecycleArguments),
    /// Stop the service, with every process of it
    Stop(LifecycleArguments),
    /// Stop and start the service; returns when it is ready
    Restart(LifecycleArguments),
    /// Show how the service is (exit code by state)
    Status(StatusArguments),
    /// List the instances of this host
    List(ListArguments),
    /// Show what the service wrote
    Logs(LogsArguments),
    /// Run another version: a new one, or the one before
    Upgrade(UpgradeArguments),
    /// Stop and remove the service; configuration, data, logs and manifest stay
    Uninstall(UninstallArguments),
    /// Show what was done to the service and what happened to it, and how long it was down
    History(HistoryArguments),
    /// Say what is wrong and what mends it (exit code 1 if anything is wrong)
    Doctor(DoctorArguments),
    /// Check manifests, with the place of every fault
    Validate(ValidateArguments),
    /// Print a JSON Schema
    Schema(SchemaArguments),
    /// Print the definition that a manifest makes, for any platform
    Render(RenderArguments),
    /// Make an archive of a folder: the same folder, the same bytes
    Pack(PackArguments),
    /// Run the supervisor of an instance; service managers do
    Run(RunArguments),
    /// Run all instances of the embedded platform that start at boot
    Boot(BootArguments),
    /// Finish or undo what an interrupted command has left
    Recover(RecoverArguments),
    /// Compare a version's files with its archive, and rebuild what is damaged
    Repair(RepairArguments),
    /// Replace this very program by another version; what runs goes on by its own copy
    SelfUpdate(SelfUpdateArguments),
    /// Show the whole life of a sample service in a temporary folder
    Demo(DemoArguments),
    /// Print completions for a shell
    Completions(CompletionsArguments),
    /// Print the manual page of a command
    Man(ManArguments),
}

/// `install`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay install --from server-1.0.0.tar.gz\n  \
    mainstay install --name web --from server-1.0.0.tar.gz --dry-run\n  \
    mainstay install --version 1.0.0                    from `package.url` of the manifest")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct InstallArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Where the package comes from (default: `package.url` of the manifest).
    #[command(flatten)]
    pub source: SourceArguments,
    /// The version: which one to fetch, or of an archive that does not say it itself
    #[arg(long)]
    pub version: Option<Version>,
    /// The service manager (default: systemd where it runs, else embedded)
    #[arg(long, value_parser = platform)]
    pub platform: Option<PlatformKind>,
    /// The account that runs the program, in system scope
    #[arg(long, value_name = "ACCOUNT")]
    pub user_name: Option<String>,
    /// A file of KEY=value lines, copied to where `service.environmentFile` of the manifest says
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<Utf8PathBuf>,
    /// Set a field of a new manifest, as in `service.environment.PORT=4000`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Move the name here from the folder that has it
    #[arg(long)]
    pub take_over: bool,
    /// Overwrite an existing tree of that version
    #[arg(long)]
    pub force: bool,
    /// Leave the service stopped
    #[arg(long)]
    pub no_start: bool,
    /// Show the files and commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
}

/// `apply`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct ApplyArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Move the name here from the folder that has it
    #[arg(long)]
    pub take_over: bool,
    /// Leave the running program as it is until its next start
    #[arg(long)]
    pub no_restart: bool,
    /// Show the files and commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `start`, `stop`, `restart`
#[derive(Debug, Args)]
pub struct LifecycleArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Show the commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `status`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 running and ready, 10 starting, 11 stopped, 12 failed, 13 installed and state \
    unknown, 3 not installed"
)]
pub struct StatusArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Show it again at every change, until Ctrl-C
    #[arg(short, long)]
    pub watch: bool,
}

/// `list`
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Whose instances.
    #[command(flatten)]
    pub scope: ScopeArguments,
    /// Every user's instances too (root only; nothing of theirs is touched)
    #[arg(long)]
    pub all_users: bool,
}

/// `logs`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay logs --since 1h --level warning\n  \
    mainstay logs --grep 'timed out' --lines 20 --no-follow")]
pub struct LogsArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Not older than a duration (`1h`) or a time (`2026-05-08T14:32:00Z`)
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Not younger than a duration or a time
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// This level and those above it: error, warning, info or debug
    #[arg(long, value_parser = ["error", "err", "warning", "warn", "info", "debug"], hide_possible_values = true, value_name = "LEVEL")]
    pub level: Option<String>,
    /// Only lines in which this regular expression is found
    #[arg(long, value_name = "PATTERN")]
    pub grep: Option<String>,
    /// The last lines only (default when new lines are waited for: 100)
    #[arg(short = 'n', long)]
    pub lines: Option<u64>,
    /// Go on with what comes (default at a terminal)
    #[arg(short, long, conflicts_with_all = ["no_follow", "until"])]
    pub follow: bool,
    /// End when all is shown (default where the output is no terminal)
    #[arg(long)]
    pub no_follow: bool,
}

/// `history`
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// The last so many only
    #[arg(short = 'n', long)]
    pub lines: Option<usize>,
}

/// `doctor`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay doctor                    the instance of this folder, or all of them\n  \
    mainstay doctor --name web --fix   mend what is safe to mend, after showing it")]
pub struct DoctorArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Mend what is safe to mend: reload, enable, recover, remove a stale pid file
    #[arg(long)]
    pub fix: bool,
    /// Do not ask
    #[arg(short, long, requires = "fix")]
    pub yes: bool,
}

/// `uninstall`
#[derive(Debug, Args)]
pub struct UninstallArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Remove configuration, data, logs and history too
    #[arg(long)]
    pub purge: bool,
    /// Show the files and commands, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// `validate`
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// Manifests, or folders that hold one (default: the working folder)
    pub files: Vec<Utf8PathBuf>,
}

/// `schema`
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Which (default: manifest); `--list` names them all
    pub name: Option<String>,
    /// Name them all
    #[arg(long)]
    pub list: bool,
}

/// `render`
#[derive(Debug, Args)]
pub struct RenderArguments {
    /// Which instance.
    #[command(flatten)]
    pub target: TargetArguments,
    /// For which platform (default: the manifest's, else this host's)
    #[arg(long, value_parser = platform)]
    pub platform: Option<PlatformKind>,
    /// For which systemd (default: this host's)
    #[arg(long, value_name = "N")]
    pub systemd_version: Option<u32>,
}

/// `pack`
#[derive(Debug, Args)]
pub struct PackArguments {
    /// The folder
    pub folder: Utf8PathBuf,
    /// The archive (default: `<component>-<version>.tar.gz` in the working folder)
    #[arg(short, long, value_name = "ARCHIVE")]
    pub output: Option<Utf8PathBuf>,
    /// Only check that it could be packed and unpacked
    #[arg(long)]
    pub check: bool,
}

/// `run`
#[derive(Debug, Args)]
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
    /// In a session of its own, without a terminal
    #[arg(long, hide = true)]
    pub detached: bool,
    /// The process that guards this supervisor
    #[arg(long, hide = true, value_name = "PID:TICKS")]
    pub guardian: Option<ProcessIdentity>,
    /// Show the program's output here too
    #[arg(long, hide = true)]
    pub echo: bool,
}

/// `boot`
#[derive(Debug, Args)]
pub struct BootArguments {
    /// Whose instances.
    #[command(flatten)]
    pub scope: ScopeArguments,
}

/// `recover`
#[derive(Debug, Args)]
pub struct RecoverArguments {
    /// Which instance (default: all of the scope)
    #[command(flatten)]
    pub target: TargetArguments,
    /// What a start does before the program; service managers ask for it
    #[arg(long, hide = true, conflicts_with = "at_stop")]
    pub at_start: bool,
    /// What an end is recorded by; service managers ask for it
    #[arg(long, hide = true)]
    pub at_stop: bool,
}

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Leave the folder for a look around
    #[arg(long)]
    pub keep: bool,
    /// Be the sample's server, of this version, on the port that the variable PORT names
    #[arg(long, hide = true, value_name = "VERSION")]
    pub serve: Option<String>,
}

/// `completions`
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The command (default: mainstay itself)
    pub command: Option<String>,
}

fn platform(text: &str) -> Result<PlatformKind, String> {
    let words: Vec<&str> = PlatformKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let found = PlatformKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    found.ok_or_else(|| format!("the platforms are {}", words.join(", ")))
}
