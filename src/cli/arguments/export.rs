//! What can be typed after `export`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

/// `export`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay export ansible ./mainstay-collection\n  \
    ansible-galaxy collection install ./mainstay-collection\n\n  \
    mainstay export ansible collections/ansible_collections/mainstay/mainstay")]
pub struct ExportArguments {
    /// For which tool
    #[arg(value_enum)]
    pub tool: ExportedTool,
    /// The folder: a new one, an empty one, or that of an earlier export
    #[arg(value_name = "FOLDER")]
    pub folder: Utf8PathBuf,
    /// Put aside what else is in that folder
    #[arg(long)]
    pub force: bool,
    /// Show the files, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A tool for which something is carried along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportedTool {
    /// The collection `mainstay.mainstay`: modules, a role and playbooks for many hosts
    Ansible,
}
