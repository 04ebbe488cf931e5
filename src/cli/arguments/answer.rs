//! Answers to a package's questions.

use camino::Utf8PathBuf;
use clap::Args;

/// Where the answers to a package's questions come from.
#[derive(Clone, Debug, Default, Args)]
pub struct AnswerArguments {
    /// Set a field of a new manifest, as in `service.environment.PORT=4000`, or answer a question of the package
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Answers")]
    pub settings: Vec<String>,
    /// A file of answers to the package's questions (`mainstay init --print-answers` makes one)
    #[arg(long, value_name = "FILE", help_heading = "Answers")]
    pub answers: Option<Utf8PathBuf>,
    /// Ask the package's questions (default on a terminal)
    #[arg(long, conflicts_with_all = ["no_wizard", "yes"], help_heading = "Answers")]
    pub wizard: bool,
    /// Ask nothing: take the defaults
    #[arg(long, help_heading = "Answers")]
    pub no_wizard: bool,
}
