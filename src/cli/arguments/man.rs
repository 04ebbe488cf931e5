//! What can be typed after `man`.

use camino::Utf8PathBuf;
use clap::Args;

/// `man`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mainstay man                         at a terminal, `man` shows it\n  \
    mainstay man install | man -l -      the page of a command\n  \
    mainstay man --all ~/.local/share/man/man1     for `man mainstay-install`")]
pub struct ManArguments {
    /// The command (default: mainstay itself)
    pub command: Option<String>,
    /// Write the pages of all commands into a folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub all: Option<Utf8PathBuf>,
}
