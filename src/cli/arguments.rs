//! What can be typed. This file is the list of commands; a snapshot of the help holds it.

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand};

use crate::model::form::Form;
use crate::model::manifest::{PlatformKind, Scope};
use crate::model::name::{ComponentName, InstanceName};

pub use self::adopt::AdoptArguments;
pub use self::answer::AnswerArguments;
pub use self::apply::ApplyArguments;
pub use self::boot::BootArguments;
pub use self::completions::CompletionsArguments;
pub use self::demo::DemoArguments;
pub use self::doctor::DoctorArguments;
pub use self::export::{ExportArguments, ExportedTool};
pub use self::history::HistoryArguments;
pub use self::init::InitArguments;
pub use self::install::InstallArguments;
pub use self::lifecycle::LifecycleArguments;
pub use self::list::ListArguments;
pub use self::logs::LogsArguments;
pub use self::man::ManArguments;
pub use self::manifest::ManifestArguments;
pub use self::pack::PackArguments;
pub use self::plan::PlanArguments;
pub use self::recover::RecoverArguments;
pub use self::render::RenderArguments;
pub use self::repair::RepairArguments;
pub use self::run::RunArguments;
pub use self::schema::SchemaArguments;
pub use self::self_update::SelfUpdateArguments;
pub use self::source::SourceArguments;
pub use self::status::StatusArguments;
pub use self::uninstall::UninstallArguments;
pub use self::upgrade::UpgradeArguments;
pub use self::validate::ValidateArguments;

mod adopt;
mod answer;
mod apply;
mod boot;
mod completions;
mod demo;
mod doctor;
mod export;
mod history;
mod init;
mod install;
mod lifecycle;
mod list;
mod logs;
mod man;
mod manifest;
mod pack;
mod plan;
mod recover;
mod render;
mod repair;
mod run;
mod schema;
mod self_update;
mod source;
mod status;
mod uninstall;
mod upgrade;
mod validate;

/// Turns a packaged program into a service that stays up.
#[derive(Debug, Parser)]
#[command(
    name = "mainstay",
    version,
    max_term_width = 80,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        mainstay install --name web --binary ./server -- --port 8000\n  \
        mainstay install --name api --from server-1.0.0.tar.gz\n  \
        mainstay status --name web\n  \
        mainstay upgrade --name api --from server-1.1.0.tar.gz\n  \
        mainstay demo                  the whole life of a sample service\n\n\
        `mainstay COMMAND --help` has examples of each."
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
    /// Install and start a service, as its manifest or the command line describes it
    Install(InstallArguments),
    /// Write a manifest, asking only what has no good answer
    Init(InitArguments),
    /// Show how the service is (exit code by state)
    Status(StatusArguments),
    /// Show what the service wrote
    Logs(LogsArguments),
    /// List the instances of this host
    List(ListArguments),
    /// Run another version: a new one, or the one before
    Upgrade(UpgradeArguments),
    /// Start the service; returns when it is ready
    #[command(after_help = "Examples:\n  mainstay start\n  mainstay start --name web")]
    Start(LifecycleArguments),
    /// Stop the service, with every process of it
    #[command(after_help = "Examples:\n  mainstay stop\n  mainstay stop --name web --dry-run")]
    Stop(LifecycleArguments),
    /// Stop and start the service; returns when it is ready
    #[command(after_help = "Examples:\n  mainstay restart\n  mainstay restart --name web")]
    Restart(LifecycleArguments),
    /// Stop and remove the service; configuration, data, logs and manifest stay
    Uninstall(UninstallArguments),
    /// Show what `apply` would change (exit code 9 if anything)
    Plan(PlanArguments),
    /// Bring the service to what its manifest says
    Apply(ApplyArguments),
    /// Make a service mainstay's that a unit or a property list defines
    Adopt(AdoptArguments),
    /// Check manifests, with the place of every fault
    Validate(ValidateArguments),
    /// Say what is wrong and what mends it (exit code 1 if anything is wrong)
    Doctor(DoctorArguments),
    /// Show what was done to the service and what happened to it, and how long it was down
    History(HistoryArguments),
    /// Finish or undo what an interrupted command has left
    Recover(RecoverArguments),
    /// Compare a version's files with its archive, and rebuild what is damaged
    Repair(RepairArguments),
    /// Make an archive of a folder: the same folder, the same bytes
    Pack(PackArguments),
    /// Write out what another tool needs: the collection for Ansible
    Export(ExportArguments),
    /// Print the definition that a manifest makes, for any platform
    Render(RenderArguments),
    /// Print a JSON Schema
    Schema(SchemaArguments),
    /// Run all instances of the embedded platform that start at boot
    Boot(BootArguments),
    /// Run the supervisor of an instance; service managers do
    Run(RunArguments),
    /// Replace this very program by another version; what runs goes on by its own copy
    SelfUpdate(SelfUpdateArguments),
    /// Show the whole life of a sample service in a temporary folder
    Demo(DemoArguments),
    /// Print completions for a shell
    Completions(CompletionsArguments),
    /// Print manual pages
    Man(ManArguments),
}

fn platform(text: &str) -> Result<PlatformKind, String> {
    let words: Vec<&str> = PlatformKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let found = PlatformKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    found.ok_or_else(|| format!("the platforms are {}", words.join(", ")))
}

fn form(text: &str) -> Result<Form, String> {
    let words: Vec<&str> = Form::all().map(Form::as_str).collect();
    Form::all().find(|form| form.as_str() == text).ok_or_else(|| format!("it is one of {}", words.join(", ")))
}
